# SPDX-License-Identifier: MIT
# F27: what a block was is written down as gone before its memory can be another block. See also tests/exact,
# "two threads resize each other's blocks".

bats_require_minimum_version 1.5.0
load under

@test "F27 threads resize blocks that span arenas into each other's room" {
	preloads="$oracle $lib" watched "$programs/f27_huge" "$(by_level 5000 1000000)" >"$out/under"
	cat "$out/under"
	grep -qx '0 blocks wrong' "$out/under"
	equal --processes 1
}

# Each instruction of a call that gives up memory is followed by a signal whose handler asks for it.
@test "F27 memory is reused after each instruction of the call that gives it up" {
	preloads="$oracle $lib" watched "$programs/f27_step" >"$out/under"
	cat "$out/under"
	if [ "$(uname -m)" = x86_64 ]; then
		grep -q '^stepped, [4-8] places reused at once, 0 wrong$' "$out/under"
	fi
	equal --processes 1
}

reused_during_the_free()
{
	preloads="$oracle $lib" watched "$programs/f27_remote" "$1" >"$out/under"
	cat "$out/under"
	if [ "$(uname -m)" = x86_64 ]; then
		grep -qx 'came back during the call, 0 wrong' "$out/under"
	fi
	equal --processes 1
}

@test "F27 the owner reuses a block after each instruction of the free by another thread" {
	reused_during_the_free 32768
}

@test "F27 the owner reuses blocks that come back together, after each instruction of the free that hands them over" {
	reused_during_the_free 1024
}
