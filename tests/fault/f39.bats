# SPDX-License-Identifier: MIT
# F39: a limit on the size of files.  The library stays below it or does without a segment; SIGXFSZ comes
# to the program only where the program itself asked for it.

bats_require_minimum_version 1.5.0
load host

# limited KIB COMMAND...: $limit in KiB holds before the library is loaded; outputs go through a pipe
limited()
{
	local kib=$1 under plain
	shift
	under=$( (ulimit -f "$kib"; watched "$@") 2>&1; echo "code $?")
	plain=$( (ulimit -f "$kib"; plainly "$@") 2>&1; echo "code $?")
	diff <(echo "$plain") <(echo "$under")
	code=${under##*code }
}

@test "F39 ulimit -f 0, 1, 64: no segment, no file, no signal" {
	for kib in 0 1 64 127; do
		limited $kib "$programs/f19_work" 8 4 1000
		[ "$code" = 7 ]
		[ -z "$(find "$out/segments" -mindepth 1)" ]
	done
}

@test "F39 a higher limit: the segment stays below it" {
	for kib in 128 200 2800; do
		limited $kib "$programs/f19_work" 40 4 1000
		[ "$code" = 7 ]
		[ "$(find "$out/segments" -name '*.pms' -size "-$((kib + 1))k" | wc -l)" = 1 ]
		[ "$(told 'metrics["process.exit"]')" = 7 ]
		[ "$(told '"truncated" in notes')" = $([ $kib = 2800 ] && echo False || echo True) ]
		rm "$out"/segments/*
	done
}

@test "F39 a limit set by the program: its own files feel it, the segment does not" {
	limited unlimited bash -c 'exec 2>/dev/null
		ulimit -f 1
		for i in $(seq 300); do (exit 0); done
		head -c 5000 /dev/zero >"$0/big"; echo $?; stat -c %s "$0/big"' "$out"
	[ "$code" = 0 ]
	# ended by the signal that it would have had without us
	limited 1 bash -c 'exec 2>/dev/null; dd if=/dev/zero bs=1k count=5 of="$0/big" status=none; echo $?' "$out"
}
