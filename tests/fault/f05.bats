# SPDX-License-Identifier: MIT
# F5: threads end and go on allocating: destructors of thread-specific data in every round, thread_local
# objects, what libc itself frees last. However many come and go, the process does not grow.

bats_require_minimum_version 1.5.0
load under

# The oracle in front: no call is lost. 8 threads run at a time, and orphans are looked for from 32 on; how many
# there are at a moment is the scheduler's choice (69 were seen on a busy machine), but never thousands.
many_threads()
{
	preloads="$oracle $lib" watched "$programs/f05_threads" "$1" "$2" >"$out/grown"
	echo "$1: grown by $(cat "$out/grown") KiB"
	equal --processes 1
	heaps=$(told 'sum(t["use"] == "thread" for t in p["threads"])')
	echo "$1: $heaps heaps"
	[ "$heaps" -le 256 ]
	[ "$(cat "$out/grown")" -le 8192 ]
	[ $1 != all ] || [ "$(told 'metrics["alloc.nested"]')" -ge "$2" ] # past their end: without a heap
	rm -rf "$out"/segments/* "$ORACLE_OUT"
}

@test "F5 destructors allocate in all rounds" {
	many_threads all "$(by_level 10000 100000)"
}

@test "F5 threads allocate for the first time in the last round" {
	many_threads last "$(by_level 10000 100000)"
}

@test "F5 threads only free, or do not allocate at their end" {
	many_threads free "$(by_level 10000 100000)"
	many_threads none "$(by_level 10000 100000)"
}

@test "F5 thread_local objects of C++ allocate when they are destroyed" {
	preloads="$oracle $lib" watched "$programs/f05_locals" "$(by_level 2000 100000)" >"$out/under"
	grep -qx joined "$out/under"
	equal --processes 1
}

@test "F5 thousands of threads allocate for the first time at once" {
	watchdog=30 watched "$programs/f05_at_once" 3000 >"$out/under"
	grep -qx "3000 threads" "$out/under"
}
