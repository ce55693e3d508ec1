# SPDX-License-Identifier: MIT
# F11: a signal handler allocates while the thread it interrupts is inside the allocator.

bats_require_minimum_version 1.5.0
load under

# The counter `alloc.nested`, of all slots: how often the handler met the allocator at work.
nested()
{
	python3 "$here/nested.py" "$root/include/poolmem" "$out"/segments/*.pms
}

storm()
{
	preloads="$oracle $lib" watched "$programs/f11_storm" "$(by_level 4000 1000000)" "$1" >"$out/under"
	cat "$out/under"
	grep -qx '0 blocks wrong' "$out/under"
	equal --processes 1
	heaps=$(told 'sum(t["use"] == "thread" for t in p["threads"])')
	echo "$heaps heaps"
	[ "$heaps" -le 3 ]
}

# Each instruction of the slow paths is followed by a signal whose handler allocates.
@test "F11 a handler allocates after each instruction of a slow path" {
	preloads="$oracle $lib" watched "$programs/f11_step" "$(by_level 1 20)" >"$out/under"
	cat "$out/under"
	if [ "$(uname -m)" = x86_64 ]; then
		grep -qx 'stepped, 0 blocks wrong' "$out/under"
		[ "$(nested)" -gt 1000 ]
	fi
	equal --processes 1
	[ "$(told 'sum(t["use"] == "thread" for t in p["threads"])')" -le 2 ]
}

@test "F11 a storm of signals from another thread, no heap left behind" {
	storm kill
}

@test "F11 a timer of 10 kHz on top" {
	storm timer
}

# Each block that has a heap is recorded; those of handlers that met the allocator at work have none.
recorded_storm()
{
	settings=sites.period=1 watched "$programs/f11_storm" "$(by_level 1000 300000)" "$1" >"$out/under"
	cat "$out/under"
	grep -qx '0 blocks wrong' "$out/under"
	sites 'sum_of("allocated"), metrics["alloc.count"], metrics["alloc.nested"], d["dropped_blocks"], d["dropped_stacks"]'
	[ "$(sites 'sum_of("allocated") + metrics["alloc.nested"] + d["dropped_blocks"] >= metrics["alloc.count"]')" = True ]
	[ "$(sites 'metrics["alloc.count"] >= sum_of("allocated") and sum_of("allocated") >= sum_of("freed")')" = True ]
	# a handler that interrupts the entering of a site waits in vain, and goes without
	[ "$(sites 'd["dropped_blocks"] <= metrics["alloc.count"] // 5')" = True ]
	# what was not freed lives, and nothing twice
	[ "$(sites 'sum_of("live") == sum_of("allocated") - sum_of("freed")')" = True ]
}

@test "F11 a storm of signals while each block is recorded" {
	recorded_storm kill
}

@test "F11 a timer of 10 kHz while each block is recorded" {
	recorded_storm timer
}
