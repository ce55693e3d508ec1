# SPDX-License-Identifier: MIT
# The malloc family answers as glibc's does: each program runs without and with the library, and the
# outputs are compared.

bats_require_minimum_version 1.5.0
load preload

setup()
{
	require_lib
}

boundary()
{
	same_as_glibc "$programs/boundary" "$1"
	[ "$(sed -n '$s/ cases//p' "$BATS_TEST_TMPDIR/plain")" -ge 200 ]
}

@test "F24 malloc: boundary sizes" { boundary malloc; }
@test "F24 calloc: boundary sizes and products" { boundary calloc; }
@test "F24 realloc: boundary sizes from eight old sizes" { boundary realloc; }
@test "F24 reallocarray: boundary products" { boundary reallocarray; }
@test "F24 aligned_alloc: alignments and sizes" { boundary aligned_alloc; }
@test "F24 memalign: alignments and sizes" { boundary memalign; }
@test "F24 posix_memalign: alignments and sizes" { boundary posix_memalign; }
@test "F24 valloc: boundary sizes" { boundary valloc; }
@test "F24 pvalloc: boundary sizes" { boundary pvalloc; }

@test "F25 a million random pairs for posix_memalign" {
	same_as_glibc "$programs/pairs" 1000000 1
	for seed in $(by_level "" "2 3 4 5 6 7 8"); do
		same_as_glibc "$programs/pairs" 1000000 "$seed"
	done
}

@test "corners of the family" {
	same_as_glibc "$programs/corners"
	run -1 grep NO "$BATS_TEST_TMPDIR/plain"
}

@test "what cannot be served: the answers and errno of libc, whoever serves" {
	plainly=$("$programs/refusals")
	[ "$(grep -c 'errno 12$' <<<"$plainly")" -ge 40 ]
	for settings in heap=own heap=own,sites=all heap=next heap=next,sites=all heap=next,sites=never,gen=off; do
		[ "$(POOLMEM=dir=$BATS_TEST_TMPDIR,$settings LD_PRELOAD=$lib "$programs/refusals")" = "$plainly" ]
	done
	[ "$(POOLMEM=off LD_PRELOAD=$lib "$programs/refusals")" = "$plainly" ]
}

@test "POOLMEM=off: libc serves, and nobody writes past its blocks" {
	plainly=$("$programs/corners")
	[ "$(POOLMEM=off LD_PRELOAD=$lib "$programs/corners")" = "$plainly" ]
	[ "$(POOLMEM=off LD_PRELOAD=$lib python3 -c 'print(sum(range(1000)))')" = 499500 ]
	POOLMEM=off LD_PRELOAD=$lib perl -e 'my %h; $h{$_} = "x" x ($_ % 300) for 1 .. 50000; exit !%h'
}

@test "F3 __libc_ names and public names are one heap" {
	same_as_glibc "$programs/alias"
}

@test "mallopt, malloc_trim, mallinfo, mallinfo2, malloc_info" {
	same_as_glibc "$programs/tuning"
	run -1 grep NO "$BATS_TEST_TMPDIR/plain"
}

@test "malloc_stats prints to stderr only" {
	run --separate-stderr preloaded "$programs/tuning" stats
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ -n "$stderr" ]
}

@test "malloc_info prints well-formed XML" {
	preloaded "$programs/tuning" info "$BATS_TEST_TMPDIR/info.xml"
	python3 - "$BATS_TEST_TMPDIR/info.xml" <<'PY'
import sys, xml.etree.ElementTree as tree
top = tree.parse(sys.argv[1]).getroot()
assert top.tag == "malloc" and top.get("version"), top
assert len(list(top.iter())) > 3, "nothing in it"
PY
}

@test "contents survive random calls, one thread" {
	for seed in 1 2 $(by_level "" "3 4 5 6 7 8"); do
		same_as_glibc "$programs/stress" 1 "$(by_level 100000 2000000)" "$seed"
	done
}

@test "contents survive random calls, 8 threads and blocks handed on" {
	for seed in 1 $(by_level "" "2 3 4 5 6 7 8"); do
		same_as_glibc "$programs/stress" 8 "$(by_level 20000 400000)" "$seed"
	done
}

@test "contents survive random calls, 32 threads" {
	same_as_glibc "$programs/stress" 32 "$(by_level 4000 100000)" 1
}

@test "F3 C++: bad_alloc, new_handler, nothrow, aligned new, exceptions" {
	same_as_glibc "$programs/cxx"
	run -1 grep NO "$BATS_TEST_TMPDIR/plain"
}

@test "what another thread frees goes back though its owner never runs out of blocks" {
	mkdir -m 700 "$BATS_TEST_TMPDIR/segments"
	preloaded "$programs/goesback"
}

@test "what is freed goes back though the program then calls nothing" {
	mkdir -m 700 "$BATS_TEST_TMPDIR/segments"
	preloaded "$programs/sleeps"
}

@test "a signal handler that interrupts malloc may free" {
	run --separate-stderr preloaded "$programs/handler"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}
