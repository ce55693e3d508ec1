# SPDX-License-Identifier: MIT
# F12: whoever allocates on a stack that is small, or ends where nothing is mapped, needs no more of it for being recorded.

bats_require_minimum_version 1.5.0
load host

# small FUNCTION WHAT: as without the library, and each block is recorded that was counted, with a stack through FUNCTION
small()
{
	ulimit -S -s 64
	settings=sites.period=1 same "$programs/f12_stacks" "$2"
	[ "$code" = 3 ]
	[ "$(cat "$out/watched")" -gt 0 ]
	ulimit -S -s 8192
	recorded "$1" "$(cat "$out/watched")"
}

@test "F12 contexts of 8 KiB between pages that are not there" {
	small site_context context
}

@test "F12 signal handlers on the smallest stack" {
	small site_handler handler
	rm "$out"/segments/*
	small site_handler disarmed
}

@test "F12 threads of the smallest size" {
	small site_thread thread
}

@test "F12 the last pages of a stack of 64 KiB" {
	small site_deep deep
}

@test "F12 a recorded block takes less than 2 KiB of the stack" {
	LD_BIND_NOW=1 settings=sites.period=1 watched "$programs/f12_stacks" need >"$out/need" || [ $? = 3 ]
	cat "$out/need"
	[ "$(cat "$out/need")" -gt 0 ]
	[ "$(cat "$out/need")" -lt 2048 ]
}
