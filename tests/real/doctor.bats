# SPDX-License-Identifier: MIT
# `poolmem doctor` on this machine, and on machines that lack something.  Programs: target.bats.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	require_lib
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -m 700 shm
	export POOLMEM=dir=$PWD/shm
}

doctor()
{
	"$poolmem" doctor --lib "$lib" "$@"
}

says()
{
	grep -qE "$1" <<<"$output" || { echo "not said: $1; but:"; echo "$output"; return 1; }
}

@test "doctor: all well here, and nothing is left" {
	run -0 doctor
	says '^ok +kernel'
	says '^ok +library +/'
	says '^ok +segment '
	says '^ok +leases '
	says '^all well$'
	[ -z "$(find shm -mindepth 1)" ]
}

@test "doctor --json: the same" {
	doctor --json ls | python3 -c '
import json, sys
found = json.load(sys.stdin)
assert found["schema"] == 1 and found["ok"] is True
assert {"kernel", "glibc", "/dev/shm", "library", "segment"} <= {c["name"] for c in found["checks"]}
assert all(c["verdict"] in ("ok", "note", "FAIL") and c["text"] for c in found["checks"])
assert found["programs"] == [{"program": "ls", "verdict": "ok", "path": found["programs"][0]["path"],
                              "error": None, "findings": []}]'
}

@test "doctor: no library, or something else in its place" {
	cp "$poolmem" alone
	run -1 ./alone doctor
	says '^FAIL +library .*libpoolmem.so'
	run -1 "$poolmem" doctor --lib /no/such.so
	says '^FAIL +library .*/no/such.so: No such file'
	run -1 "$poolmem" doctor --lib "$poolmem"
	says '^FAIL +library .*no libpoolmem.so: it has no malloc'
	run -1 "$poolmem" doctor --lib "$(ldd "$(command -v bash)" | sed -n 's/.*=> \(.*libc.so.6\) .*/\1/p')"
	says '^FAIL +library .*no libpoolmem.so: it is another allocator'
}

@test "doctor: a directory that cannot be trusted" {
	chmod 777 shm
	run -1 doctor
	says '^FAIL +directory .*open to others'
	touch file
	POOLMEM=dir=$PWD/file run -1 doctor
	says '^FAIL +directory .*is not a directory'
}

@test "doctor: a directory without room" {
	cat >inside <<-'END'
		mkdir disk && mount -t tmpfs -o size=256k,mode=700 none disk || exit 99
		POOLMEM=dir=$PWD/disk "$@"
	END
	rights=$mounts_apart
	[ "$(id -u)" = 0 ] || rights=-Urm
	run -0 unshare $rights sh inside "$poolmem" doctor --lib "$lib"
	says '^note +directory .*256.0 KiB free: large programs will not fit'
}

@test "doctor: limits and settings" {
	POOLMEM=off run -1 doctor
	says '^FAIL +settings .*POOLMEM=off'
	LD_PRELOAD=libm.so.6 run -0 doctor
	says '^note +preload .*libm.so.6'
	run -0 bash -c 'ulimit -v 900000; "$@"' - "$poolmem" doctor --lib "$lib"
	says '^note +address space'
}

@test "doctor: settings that the library will not take" {
	POOLMEM=sites=yes,bogus=1,purge.ms=soon,dir=$PWD/shm run -0 doctor
	says "^note +settings .*bad value 'yes': sites takes off\|sample\|all\|never"
	says '^ +-> write sites='
	says "^note +settings .*unknown key 'bogus'"
	says '^ +-> the keys are .*on_error'
	says "^note +settings .*bad value 'soon': purge.ms takes a number"
	POOLMEM=$(printf 'x%d=1,' {1..40})dir=$PWD/shm run -0 doctor
	says '^note +settings .*32 more'
	says '^ok +segment '
	[ "$(POOLMEM=sites=yes,foo=1,dir=$PWD/shm doctor 2>&1 >/dev/null)" = "" ]
	[ "$(POOLMEM=off doctor 2>&1 >/dev/null)" = "" ]
	POOLMEM=$'\e]52;c;x\a',dir=$PWD/shm run -0 doctor
	[[ $output != *$'\e'* ]]
}

# Each has the same verdict: a message of the library, or a note of doctor.
@test "doctor: judges settings as the library does" {
	local setting long
	long=$(printf 'x%.0s' {1..300})
	for setting in '' , sites=off sites=never sites=all sites= sites sites=OFF =x = bogus bogus= 'sites =off' \
		dir= dir=relative dir=/tmp/"$long" max=1 max=256M max=K max=1k max=1.5G max=-1 max= max= \
		max=18446744073709551615 max=99999999999999999999 max=16777215T max=16777216T \
		segment.max=64M segment.max=x segment.max=127K segment.max=128K segment.max=131071 gen.threshold=1000:10:10 gen.threshold=0:10:10 \
		gen.threshold=1:100:1 gen.threshold=1:101:1 gen.threshold=1:10 gen.threshold=1:2:3:4 \
		gen.clock=allocs gen.clock=bytes gen.clock=net gen.clock=ms gen.clock= gen.clock=cpu gen.clock=NET 'gen.clock=net|ms' \
		gen.threshold=1:2:3: gen.threshold=a:b:c gen.threshold=4294967296:1:1 gen.threshold=1::1 \
		on_error=abort on_error=report on_error=exit purge.ms=0 purge.ms=200ms purge.ms=-1 \
		run=7 run=x help=0 help=2 help=yes off,max=1; do
		POOLMEM=$setting,dir=$PWD/shm LD_PRELOAD=$lib /bin/true 2>told
		run bash -c 'POOLMEM=$1,dir=$PWD/shm "${@:2}" 2>/dev/null' - "$setting" "$poolmem" doctor --lib "$lib"
		[ "$(grep -c POOLMEM told)" = "$(grep -c '^note *settings' <<<"$output")" ] || {
			echo "POOLMEM=$setting:"
			cat told
			grep settings <<<"$output"
			return 1
		}
	done
}

@test "F39 doctor: a file size limit" {
	run bash -c 'ulimit -f 1000; "$@"' - "$poolmem" doctor --lib "$lib"
	says '^note +file size'
	[ "$status" -le 1 ]
	run -1 bash -c 'ulimit -f 0; "$@"' - "$poolmem" doctor --lib "$lib"
	says '^FAIL +segment'
}

@test "doctor: usage" {
	run -2 doctor --no-such-option
	run -2 doctor --lib
}
