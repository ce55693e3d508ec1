# SPDX-License-Identifier: MIT
# A program with much debug information: names are right, soon there, and take little memory.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	mkdir "$out/big"
	"$BATS_TEST_DIRNAME/big_debug" "$out/big" "$(by_level 40 500)"
	cd "$out/big" || return
	POOLMEM=sites=all,segment.max=64M,dir=$out/segments "$poolmem" run -o big.pm -- ./big 2>/dev/null
}

# measured COMMAND...: sets seconds and kib
measured()
{
	command time -f '%e %M' -o "$out/measured" "$poolmem" "$@" >"$out/said"
	read -r seconds kib <"$out/measured"
	echo "$* $seconds s $kib KiB"
}

@test "big: names of a program with 500 MB of debug information" {
	size -A -d big | awk '/^\.debug/ { sum += $2 } END { print "debug information:", sum; exit sum < '"$(by_level 40 500)"'000000 }'
	for command in report sites 'sites -n 1000' flamegraph 'pack -o packed.pm'; do
		# shellcheck disable=SC2086
		measured $command big.pm
		[ "${seconds%.*}" -lt 10 ]
		[ "$kib" -lt "$(by_level 262144 1048576)" ]
	done
	measured sites packed.pm
	[ "$kib" -lt "$(by_level 65536 262144)" ]
	"$poolmem" sites -n 0 big.pm >before
	"$poolmem" sites -n 0 packed.pm >after
	cmp before after
}

@test "big: lines are those of another reader" {
	"$poolmem" sites --json -n 400 big.pm >sites.json
	python3 - <<-'END'
		import json, subprocess
		frames = [f for f in json.load(open("sites.json"))["frames"]
		          if f["module"] and f["module"].endswith("/big") and f["line"] and f["address"]]
		by_address = {}
		for f in frames:
		    by_address.setdefault(f["address"], f)
		assert len(by_address) > 100, len(by_address)
		number = lambda a: a if type(a) is int else int(a, 16)
		asked = "\n".join(hex(number(a) - 1) for a in by_address)
		told = subprocess.run(["eu-addr2line", "-e", "big"], input=asked, capture_output=True, text=True).stdout.split()
		for frame, other in zip(by_address.values(), told, strict=True):
		    file, line = other.split(":")[:2]
		    assert int(line) == frame["line"] and file.split("/")[-1] == frame["file"].split("/")[-1], (frame, other)
	END
}
