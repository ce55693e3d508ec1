# SPDX-License-Identifier: MIT
# F33: mutated captures under sanitizers.  FUZZ_RUNS inputs (default 20,000; in soak a million).

bats_require_minimum_version 1.5.0

setup_file()
{
	local root=$BATS_TEST_DIRNAME/../.. source
	cd "$root" || return
	export fuzzer=$BATS_FILE_TMPDIR/fuzz_source
	# shellcheck disable=SC2046
	gcc -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -DFUZZ_STANDALONE \
		-Wall -Wextra -Wundef -Werror -Iinclude -iquote tests -iquote analyzer -o "$fuzzer" \
		tests/fuzz/fuzz_source.c $(ls analyzer/{source,model,study,render,symbol,text}/*.c) $(make -s libs)
}

setup()
{
	cd "$BATS_TEST_DIRNAME/../golden" || return
	ulimit -c 0
	export ASAN_OPTIONS=hard_rss_limit_mb=1024:max_allocation_size_mb=512
	if [ "${POOLMEM_LEVEL:-test}" = soak ]; then runs=${FUZZ_RUNS:-1000000}; else runs=20000; fi
}

@test "fuzz: golden captures as they are" {
	"$fuzzer" --files */capture.pm
}

@test "fuzz: mutations of built-in segments" {
	run -0 "$fuzzer" $((runs / 2)) "${FUZZ_SEED:-1}"
	[[ $output == *"$((runs / 2)) inputs"* ]]
}

@test "fuzz: mutations of the golden captures" {
	run -0 "$fuzzer" $((runs / 2)) "${FUZZ_SEED:-2}" */capture.pm
	[[ $output == *"$((runs / 2)) inputs"* ]]
}
