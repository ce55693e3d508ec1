# SPDX-License-Identifier: MIT
# What has no names: said with what would help; servers are asked only on request.

bats_require_minimum_version 1.5.0

setup()
{
	poolmem=$(realpath "${POOLMEM_BUILD:-build}")/poolmem
	cd "$BATS_TEST_TMPDIR" || return
	cat >work.c <<-END
		#include <stdlib.h>
		void *volatile kept;
		__attribute__((noinline)) static void keep(void) { kept = malloc(100000); }
		int main(void) { keep(); return !kept; }
	END
	gcc -g -O1 -Wl,--build-id -o program work.c
	objcopy --only-keep-debug program program.debug
	strip program
	POOLMEM=sites=all "$poolmem" run -o work.pm -- ./program 2>/dev/null
	unset DEBUGINFOD_URLS
	export DEBUGINFOD_CACHE_PATH=$PWD/cache
}

# serve: a directory laid out as a server answers
serve()
{
	local id
	id=$(readelf -n program | awk '/Build ID/ { print $3 }')
	mkdir -p "server/buildid/$id"
	cp program.debug "server/buildid/$id/debuginfo"
	export DEBUGINFOD_URLS=file://$PWD/server
}

@test "missing: a program that nobody packages is to be compiled with -g" {
	"$poolmem" sites work.pm | tr -s '\n ' ' ' >said
	grep -q 'in program: stripped: .*compile it with -g and do not strip it: no package has this file' said
	"$poolmem" sites --json work.pm | python3 -c '
import json, sys
m = [m for m in json.load(sys.stdin)["missing"] if m["modules"][0].endswith("/program")]
assert len(m) == 1 and m[0]["without_function"] >= 2 and m[0]["help"].startswith("compile it with -g"), m'
}

@test "missing: a changed and a deleted file are said" {
	cp program kept
	gcc -g -O2 -DOTHER -Wl,--build-id -o program work.c -Wl,--defsym=other=1
	"$poolmem" sites work.pm | tr -s '\n ' ' ' | grep -q 'in program: changed since the recording'
	rm program
	"$poolmem" sites work.pm | tr -s '\n ' ' ' | grep -q 'in program: the file is not there; what would help: .*poolmem pack'
}

@test "missing: debug information comes from a server when that is asked for" {
	serve
	"$poolmem" sites work.pm >without
	! grep -q 'keep at work.c:3' without || return 1
	"$poolmem" sites --debuginfod work.pm >with
	grep -q 'keep at work.c:3 < main' with
	"$poolmem" pack --debuginfod work.pm >/dev/null
	rm -r server cache
	unset DEBUGINFOD_URLS
	"$poolmem" sites work.packed.pm | diff with -
}

@test "missing: what a server sends for another program is not taken" {
	serve
	sed -i 's/100000/200000/' work.c
	gcc -g -O2 -Wl,--build-id -o other work.c
	cp other server/buildid/*/debuginfo
	"$poolmem" sites --debuginfod work.pm >said
	run -1 grep -q 'keep at work.c' said
}

@test "missing: no network unless asked, whatever the environment says" {
	export DEBUGINFOD_URLS=http://127.0.0.1:9
	strace -f -e trace=socket,connect -o trace "$poolmem" sites work.pm >/dev/null
	! grep -E '(socket|connect)[(]' trace || return 1
	unset DEBUGINFOD_URLS
	run -2 "$poolmem" sites --debuginfod work.pm
	[[ $output == *"--debuginfod asks the servers that DEBUGINFOD_URLS names: it is not set"* ]]
}
