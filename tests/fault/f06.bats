# SPDX-License-Identifier: MIT
# F6: fork while other threads are in the middle of anything: no child may wait for a thread that it
# does not have.

bats_require_minimum_version 1.5.0
load under

@test "F6 eight threads allocate while the main thread forks" {
	forks=$(by_level 1000 10000)
	watched "$programs/f06_threads" 8 "$forks" >"$out/under"
	grep -qx "$forks children ended well" "$out/under"
}

@test "F6 the parent's counts are exact after these forks" {
	preloads="$oracle $lib" watched "$programs/f06_threads" 4 "$(by_level 100 2000)" >"$out/under"
	equal --inherited-slack 16
}

@test "F6 a signal handler forks in the middle of malloc" {
	forks=$(by_level 1000 10000)
	watched "$programs/f06_handler" "$forks" >"$out/under"
	grep -qx "$forks children ended well" "$out/under"
}

@test "F6 a thread without a heap forks while another makes its own" {
	watched "$programs/f06_making" "$(by_level 1000 3000)" >"$out/under"
	grep -qx "stepped, 0 children ended badly" "$out/under"
}

@test "F6 a child whose handler calls exit() in the middle of its first malloc" {
	watched "$programs/f06_exit" "$(by_level 40 400)" >"$out/under"
	grep -qx "0 children ended badly" "$out/under"
}
