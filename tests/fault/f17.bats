# SPDX-License-Identifier: MIT
# F17: blocks of another allocator, and another allocator in front.

bats_require_minimum_version 1.5.0
load under

@test "F17 a program frees and resizes what a library with RTLD_DEEPBIND allocated" {
	plainly "$programs/f17_deepbind" "$programs/libf17_deep.so" ours >"$out/plain"
	watched "$programs/f17_deepbind" "$programs/libf17_deep.so" ours >"$out/under"
	diff "$out/plain" "$out/under"
	[ "$(tail -n 1 "$out/under")" = done ]
	[ "$(told 'metrics["foreign.free"] > 50')" = True ]
	[ "$(told 'sorted(notes)')" = "['other_heap']" ]
}

# Nothing of ours is asked; libc itself ends the program. The counts up to there are in the segment.
@test "F17 the reverse: libc finds our block, says so and ends the program" {
	run -134 --separate-stderr watched "$programs/f17_deepbind" "$programs/libf17_deep.so" theirs
	[[ $stderr == *pointer* ]]
	[ "$(told 'metrics["alloc.count"] > 0')" = True ]
}

@test "F17 another allocator in front serves the program, and the report says so" {
	preloads=$programs/libf17_front.so plainly "$programs/f01_calls" >"$out/plain"
	preloads="$programs/libf17_front.so $lib" watched "$programs/f01_calls" >"$out/under"
	diff "$out/plain" "$out/under"
	[ "$(told '"passive" in notes')" = True ]
}

@test "F17 the break tells of another heap when it moves, not when it is asked for" {
	run -134 watched "$programs/f17_break" ask slow_calls
	[ "$(told 'sorted(notes)')" = "['pools_age']" ]
	rm -f "$out"/segments/*
	run -134 watched "$programs/f17_break" move slow_calls
	[ "$(told '"other_heap" in notes')" = True ]
}
