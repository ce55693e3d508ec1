# SPDX-License-Identifier: MIT
# F36: files of others, damaged in all ways, read under sanitizers.

@test "symbol: hostile files under sanitizers" {
	cd "$BATS_TEST_DIRNAME/../.." || return
	local program=$BATS_TEST_TMPDIR/hostile
	# shellcheck disable=SC2046
	gcc -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Wundef \
		-Werror -Iinclude -iquote analyzer -o "$program" tests/unit/analyzer_symbols_hostile.c \
		analyzer/{symbol,text}/*.c $(make -s libs) -lcriterion
	# what Criterion leaks is not ours
	POOLMEM_BUILD=${POOLMEM_BUILD:-build} ASAN_OPTIONS=detect_leaks=0 "$program"
}
