# SPDX-License-Identifier: MIT
# F27: what a block was is written down as gone before its memory can be another block. For small blocks see
# tests/exact ("two threads resize each other's blocks").

bats_require_minimum_version 1.5.0
load under

@test "F27 threads resize blocks that span arenas into each other's room" {
	preloads="$oracle $lib" watched "$programs/f27_huge" "$(by_level 20000 1000000)" >"$out/under"
	cat "$out/under"
	grep -qx '0 blocks wrong' "$out/under"
	equal --processes 1
}
