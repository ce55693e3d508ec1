# SPDX-License-Identifier: MIT
# F33: mutated captures and traces under sanitizers.  FUZZ_RUNS inputs (default 20,000; in soak a million).

bats_require_minimum_version 1.5.0

setup_file()
{
	local root=$BATS_TEST_DIRNAME/../.. objects=$BATS_FILE_TMPDIR/objects name
	cd "$root" || return
	export fuzzer=$BATS_FILE_TMPDIR/fuzz_source tracer=$BATS_FILE_TMPDIR/fuzz_trace
	local flags="-std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -DFUZZ_STANDALONE \
		-Wall -Wextra -Wundef -Werror -Iinclude -iquote tests -iquote analyzer"
	# of two folders some files have the same name
	for name in analyzer/{source,model,study,render,symbol,text}/*.c analyzer/launch/script.c; do
		mkdir -p "$objects/${name%/*}"
		echo "$name"
	done | xargs -P "$(nproc)" -I{} gcc $flags -c -o "$objects/{}.o" {}
	for name in source trace; do
		# shellcheck disable=SC2046
		gcc $flags -o "$BATS_FILE_TMPDIR/fuzz_$name" tests/fuzz/fuzz_$name.c $(find "$objects" -name '*.o') $(make -s libs)
	done
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

@test "fuzz: mutations of built-in traces: printed, and made into scripts" {
	run -0 "$tracer" $((runs / 2)) "${FUZZ_SEED:-3}"
	[[ $output == *"$((runs / 2)) inputs"* ]]
	read_of=${output##*inputs, } # most of what is refused is refused after many events
	[ "${read_of%% *}" -gt $((runs / 40)) ]
}

@test "fuzz: mutations of a trace that was recorded" {
	load ../posix/preload
	prepare
	POOLMEM=dir=$out/segments,trace=$out/t.pmt LD_PRELOAD=$lib "$build/tests/exact/traced" threads 3 200
	run -0 "$tracer" $((runs / 20)) "${FUZZ_SEED:-4}" "$out/t.pmt"
	[[ $output == *"$((runs / 20)) inputs"* ]]
}
