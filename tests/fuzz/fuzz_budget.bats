# SPDX-License-Identifier: MIT
# Mutated budget and baseline files under sanitizers.  FUZZ_RUNS inputs (default 20,000; in soak a million).

bats_require_minimum_version 1.5.0

setup_file()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	export fuzzer=$BATS_FILE_TMPDIR/fuzz_budget
	# shellcheck disable=SC2046
	gcc -std=gnu11 -O0 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -DFUZZ_STANDALONE \
		-Wall -Wextra -Wundef -Werror -Iinclude -iquote tests -iquote analyzer -o "$fuzzer" \
		tests/fuzz/fuzz_budget.c $(ls analyzer/{source,model,study,render,symbol,text}/*.c) $(make -s libs)
}

@test "fuzz: mutations of budgets and baselines" {
	local runs=20000
	[ "${POOLMEM_LEVEL:-test}" = soak ] && runs=${FUZZ_RUNS:-1000000}
	export ASAN_OPTIONS=hard_rss_limit_mb=1024:max_allocation_size_mb=512
	run -0 "$fuzzer" "$runs" "${FUZZ_SEED:-1}"
	[[ $output == *"$runs inputs"* ]]
}
