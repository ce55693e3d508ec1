# SPDX-License-Identifier: MIT
# poolmem pack: a capture that says the same where neither program nor library is.

bats_require_minimum_version 1.5.0

# every command that reads, in each of its forms
reports=("report" "report --all" "report --json" "survival" "survival --json" "sites" "sites --json" "sites --stacks"
	"sites --bottom-up" "sites --top-down" "sites --filter keep" "sites --no-symbols" "flamegraph" "flamegraph --collapsed"
	"export --format pprof" "export --format dhat" "export --format collapsed" "export --format speedscope"
	"export --format openmetrics" "export --format csv")

# say_all CAPTURE DIRECTORY: what each says of it
say_all()
{
	local report
	mkdir "$2"
	for report in "${reports[@]}"; do
		# shellcheck disable=SC2086
		"$poolmem" $report "$1" >"$2/${report// /_}" 2>&1 || { echo "$report: $(cat "$2/${report// /_}")"; return 1; }
	done
}

setup()
{
	poolmem=$(realpath "${POOLMEM_BUILD:-build}")/poolmem
	programs=$(dirname "$poolmem")/tests/symbol
	golden=$BATS_TEST_DIRNAME/../golden
	cd "$BATS_TEST_TMPDIR" || return
	mkdir home
	cp "$programs/pack_work" "$programs/symbol_templates" home
	export POOLMEM=sites=all
}

teardown()
{
	[ ! -e pids ] || sed 's,.*,/tmp/perf-&.map,' pids | xargs rm -f
}

record()
{
	"$poolmem" run -o all.pm -- sh -c 'home/pack_work >pids; home/symbol_templates; home/pack_work >>pids' 2>/dev/null >&2
}

@test "pack: every command says the same without the programs" {
	record
	say_all all.pm before
	run -0 "$poolmem" pack all.pm
	[[ $output == *"/all.packed.pm: "* && $output == *"places in code were packed"* ]]
	mv home away
	sed 's,.*,/tmp/perf-&.map,' pids | xargs rm
	say_all all.packed.pm after
	diff -r before after
	grep -q 'keep_inlined at pack_work.c:' after/sites
	grep -q 'keep_inlined at pack_work.c:[0-9]* (inlined)' after/sites_--stacks
	grep -q 'made_up_at_run_time' after/sites
	! "$poolmem" sites all.pm | grep -q 'keep_inlined' || return 1
}

@test "pack: no file that a packed capture names is opened" {
	record
	"$poolmem" pack all.pm >packed.txt
	strace -f -e trace=openat,open,connect -o trace "$poolmem" sites --stacks all.packed.pm >sites.txt
	! grep -E 'home/|perf-|/usr/lib/debug|connect' trace || return 1
	strace -f -e trace=openat -o trace "$poolmem" sites --stacks all.pm >sites.txt
	grep -q 'home/pack_work' trace
}

@test "pack: a program that runs" {
	home=$PWD/home
	cat >loop.c <<-END
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>
		void *kept;
		__attribute__((noinline)) void keep_running(void) { kept = malloc(70000); }
		int main(void) { keep_running(); puts("up"); fflush(stdout); pause(); }
	END
	gcc -g -O1 -o home/loop loop.c
	mkdir -m 700 segments
	POOLMEM=sites=all,dir=$PWD/segments LD_PRELOAD=$(dirname "$poolmem")/libpoolmem.so home/loop >up &
	local pid=$!
	until [ -s up ]; do sleep 0.05; done
	POOLMEM=dir=$PWD/segments run -0 "$poolmem" pack -o live.pm $pid
	kill $pid
	rm home/loop
	"$poolmem" sites live.pm | grep 'keep_running at loop.c:5'
}

@test "pack: nothing is overwritten unless asked" {
	cp "$golden/sites/capture.pm" a.pm
	"$poolmem" pack a.pm
	cp a.packed.pm kept
	run -1 "$poolmem" pack a.pm
	[[ $output == *"a.packed.pm is there already: give -f to replace it" ]]
	cmp a.packed.pm kept
	"$poolmem" pack -f a.pm
	cmp a.packed.pm kept
	run -1 "$poolmem" pack a.packed.pm
	[[ $output == *"it is packed already, and read anywhere as it is; to look names up anew pack the capture that it was made of" ]]
	run -1 "$poolmem" pack -o /no/such/place.pm a.pm
	[[ $output == *"cannot write"* ]]
	mkdir there
	run -1 "$poolmem" pack -o there a.pm
	[[ $output == *"is not a regular file" ]]
	[ -z "$(find . -name '.poolmem-*')" ]
}

@test "pack: to the standard output, when that is no terminal" {
	export TMPDIR=$PWD/temporary
	mkdir temporary
	for kind in sites cut; do
		cp "$golden/$kind/capture.pm" a.pm
		"$poolmem" pack -f a.pm >told
		"$poolmem" pack -o - a.pm 2>told_besides | cat >sent.pm
		cmp sent.pm a.packed.pm
		cmp <(tail -n +2 told) <(tail -n +2 told_besides)
		[[ $(<told_besides) == "standard output: "* ]]
	done
	[ -z "$(ls temporary)" ]
	run -2 "$poolmem" pack -o - --json a.pm
	run script -qec "'$poolmem' pack -o - a.pm" /dev/null
	[[ $status -eq 2 && $output == *"sends the capture to a terminal: redirect it"* ]]
	run -1 bash -c '"$0" pack -o - a.pm 2>err >/dev/full' "$poolmem"
	grep -q 'cannot write standard output: No space left on device' err
	run -1 --separate-stderr env TMPDIR=/no/such/place "$poolmem" pack -o - a.pm
	[[ -z $output && $stderr == *"cannot write /no/such/place/"* ]]
}

@test "pack: what is cut short, damaged or without sites" {
	cp "$golden/cut/capture.pm" cut.pm
	"$poolmem" pack cut.pm
	"$poolmem" report cut.pm >before
	"$poolmem" report cut.packed.pm >after
	diff before after
	run -3 "$poolmem" pack "$golden/damaged/capture.pm"
	[[ $output == *"damaged: section"* ]]
	run -3 "$poolmem" pack "$golden/newer/capture.pm"
	[[ $output == *"newer"* ]]
	run -0 "$poolmem" pack -o exited.pm "$golden/exited/capture.pm"
	[[ $output == *"no call sites were recorded"* ]]
	run -3 "$poolmem" pack "$PWD"
	[ ! -e capture.packed.pm ]
}

@test "pack: a packed capture that is damaged is refused, byte by byte" {
	cp "$golden/sites/capture.pm" a.pm
	"$poolmem" pack a.pm >/dev/null
	python3 - "$poolmem" <<-'END'
		import subprocess, sys, struct, zlib
		data = open("a.packed.pm", "rb").read()
		at = 16
		while struct.unpack_from("<I", data, at + 4)[0] != 4:
		    size = struct.unpack_from("<Q", data, at + 8)[0]
		    at += 24 + (size + 7 & ~7)
		size = struct.unpack_from("<Q", data, at + 8)[0]
		def read(bytes, fix):
		    out = bytearray(bytes)
		    if fix:
		        struct.pack_into("<I", out, at + 16, zlib.crc32(out[at + 24:at + 24 + size]))
		    open("b.pm", "wb").write(out)
		    done = subprocess.run([sys.argv[1], "sites", "b.pm"], capture_output=True)
		    said = done.stderr.decode()
		    assert done.returncode in (0, 3), (done.returncode, said)
		    assert done.returncode == 0 or said.startswith("poolmem: b.pm: ") and "damaged" in said or "newer" in said, said
		    return done.returncode
		codes = [read(data[:at + 24 + i] + bytes([data[at + 24 + i] ^ 1 << i % 8]) + data[at + 25 + i:], fix)
		         for i in range(0, size, 1 + size // 150) for fix in (False, True)]
		assert all(code == 3 for code in codes[::2])
		assert read(data, True) == 0
		for cut in range(at, len(data), 1 + (len(data) - at) // 60):
		    read(data[:cut], False)
	END
}

@test "pack: for machines" {
	record
	"$poolmem" pack --json all.pm | python3 -c '
import json, os, sys
d = json.load(sys.stdin)
assert d["schema"] == 1 and d["file"].endswith("/all.packed.pm") and not d["cut_short"]
assert d["bytes"] == os.stat("all.packed.pm").st_size
n = d["names"]
assert n["places"] >= n["with_function"] >= n["with_line"] > 5
assert all(m["what"] and m["help"] and m["modules"] for m in d["missing"])
'
}
