# SPDX-License-Identifier: MIT
# F32: the kernel allows a process 65,530 mappings.

bats_require_minimum_version 1.5.0
load host

@test "F32 a million live blocks of many sizes: under 1,000 mappings" {
	watched "$programs/f32_maps" "$(by_level 1000000 10000000)" >"$out/watched" 2>"$out/lines"
	cat "$out/lines"
	[ "$(grep -c 'under 1,000' "$out/watched")" = 2 ]
	[ "$(told 'metrics["live.blocks"] > 400000')" = True ]
}

@test "F32 pages given back while the program runs do not split mappings" {
	settings=purge.ms=0 watched "$programs/f32_maps" 400000 >"$out/watched" 2>"$out/lines"
	cat "$out/lines"
	[ "$(grep -c 'under 1,000' "$out/watched")" = 2 ]
}
