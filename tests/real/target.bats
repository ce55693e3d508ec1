# SPDX-License-Identifier: MIT
# What `poolmem run` and `poolmem doctor` say of programs that cannot be recorded, or not wholly.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	require_lib
	ulimit -c 0
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -m 700 shm
	export POOLMEM=dir=$PWD/shm
	echo 'int main(void) { return 42; }' >answer.c
}

# Runs a program that cannot be recorded: run -CODE PROGRAM WORDS-THAT-ARE-SAID
warned()
{
	local code=$1 program=$2 words=$3
	run "$code" --separate-stderr "$poolmem" run --lib "$lib" -o a.pm -- "$program"
	[[ $stderr == *"$words"* ]] || { echo "not said: $words; but: $stderr"; return 1; }
	run -1 "$poolmem" doctor --lib "$lib" "$program"
	[[ $output == *"FAIL  "*"$words"* ]] || { echo "not said: $words; but: $output"; return 1; }
	[ ! -e a.pm ] || { echo "there is a capture"; return 1; }
	[ -z "$(find shm -mindepth 1 ! -name last)" ]
}

noted()
{
	local program=$1 words=$2
	run -0 "$poolmem" doctor --lib "$lib" "$program"
	[[ $output == *"note  "*"$words"* ]] || { echo "not said: $words; but: $output"; return 1; }
}

# As another user: in a directory that is not closed to others.
as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups env TMPDIR="$open" HOME="$open" \
		POOLMEM="dir=$open/shm" "$@"
}

open_directory()
{
	open=$(mktemp -d /tmp/poolmem-open.XXXXXX)
	chmod 1777 "$open"
	install -m 755 "$poolmem" "$lib" "$open"
}

teardown()
{
	[ -z "${open-}" ] || rm -rf "$open"
}

@test "F9 a static program runs, with a warning before and none of our exit codes" {
	gcc -static -o static answer.c
	warned -42 ./static 'is linked statically'
	[[ $("$poolmem" run --lib "$lib" ./static 2>&1 || true) == *'no capture'* ]]
	run -42 --separate-stderr "$poolmem" run -q --lib "$lib" ./static
	[ -z "$stderr" ]
}

@test "F9 a static position independent program" {
	gcc -static-pie -fPIE -o static answer.c
	warned -42 ./static 'is linked statically'
}

@test "F9 a static program in the tree does not hide the others" {
	gcc -static -o static answer.c
	run -0 --separate-stderr "$poolmem" run --lib "$lib" -o a.pm -- sh -c './static; [ $? = 42 ]; ls >/dev/null'
	[ -s a.pm ]
}

@test "F9 a program whose header says 32 bit or another processor" {
	gcc -o answer answer.c
	python3 "$here/elfpatch.py" 32bit answer small
	warned -126 ./small 'is a 32-bit program'
	python3 "$here/elfpatch.py" machine answer other
	warned -126 ./other 'is for another processor (aarch64): libpoolmem.so here is for x86-64'
}

@test "F9 another loader than glibc's" {
	gcc -o answer answer.c
	open=$(mktemp -d /tmp/XXXXXX)
	ln -s /lib64/ld-linux-x86-64.so.2 "$open/ld-musl.so.1"
	python3 "$here/elfpatch.py" "loader=$open/ld-musl.so.1" answer musl
	run -1 "$poolmem" doctor --lib "$lib" ./musl
	[[ $output == *"runs under musl's loader ($open/ld-musl.so.1)"* ]]
	ln -s /lib64/ld-linux-x86-64.so.2 "$open/ld-other.so"
	python3 "$here/elfpatch.py" "loader=$open/ld-other.so" answer other
	run -1 "$poolmem" doctor --lib "$lib" ./other
	[[ $output == *"runs under the loader $open/ld-other.so"* ]]
	python3 "$here/elfpatch.py" loader=/no/loader answer none
	warned -127 ./none 'needs the loader /no/loader, which is not here'
}

@test "a sanitizer runs without poolmem, and works" {
	for kind in address undefined,address; do
		gcc -fsanitize=$kind -o answer answer.c
		warned -42 ./answer 'brings a sanitizer (libasan.so'
	done
	clang -fsanitize=address -o answer answer.c
	warned -42 ./answer 'brings a sanitizer (__asan_init)'
}

@test "F17 a program with a malloc of its own" {
	run -0 --separate-stderr "$poolmem" run --lib "$lib" -o a.pm -- "$programs/ownmalloc"
	[ "$output" = own ]
	[[ $stderr == *'defines malloc itself'* ]]
	run -1 "$poolmem" doctor --lib "$lib" "$programs/ownmalloc"
}

@test "a program linked with another allocator is recorded" {
	gcc -o jemalloc answer.c -Wl,--no-as-needed -l:libjemalloc.so.2
	noted ./jemalloc 'is linked with libjemalloc.so.2: poolmem takes its place'
	run -42 "$poolmem" run --lib "$lib" -o a.pm -- ./jemalloc
	[ -s a.pm ]
}

@test "scripts are followed to their interpreters, through env, a few levels" {
	gcc -static -o static answer.c
	printf '#!%s/static\n' "$PWD" >one && printf '#!%s/one\n' "$PWD" >two
	printf '#!/usr/bin/env -S FOO=1 static\n' >env
	chmod +x one two env
	for script in ./one ./two; do warned -42 $script "$PWD/static is linked statically"; done
	PATH=$PATH:$PWD run -1 "$poolmem" doctor --lib "$lib" ./env
	[[ $output == *"$PWD/static is linked statically"* ]]
	printf '#!%s/loop\n' "$PWD" >loop && chmod +x loop
	run -0 "$poolmem" doctor --lib "$lib" ./loop
	[[ $output == *'not followed further'* ]]
	echo 'exit 5' >plain && chmod +x plain
	run -5 "$poolmem" run --lib "$lib" -o a.pm -- ./plain
	[ -s a.pm ]
}

@test "F30 setuid and setgid: told, and nothing is recorded" {
	if [ "$(id -u)" = 0 ]; then
		gcc -o setuid answer.c && chown 65534 setuid && chmod 4755 setuid
		warned -42 ./setuid 'is setuid: it runs with other rights than yours'
		gcc -o setgid answer.c && chgrp 65534 setgid && chmod 2755 setgid
		warned -42 ./setgid 'is setgid: it runs with other rights than yours'
		gcc -o own answer.c && chmod 4755 own
		run -0 "$poolmem" doctor --lib "$lib" ./own
	else
		run -1 "$poolmem" doctor --lib "$lib" su
		[[ $output == *'is setuid: it runs with other rights than yours'* ]]
	fi
}

@test "F30 a setuid copy run as nobody: it works, and nobody finds a segment" {
	if [ "$(id -u)" = 0 ]; then
		open_directory
		gcc -o "$open/setuid" answer.c && chmod 4755 "$open/setuid"
		cd "$open"
		run -42 --separate-stderr as_nobody ./poolmem run -o "$open/a.pm" -- ./setuid
		[[ $stderr == *'is setuid'*'no capture'* ]]
		[ ! -e "$open/a.pm" ]
		run -0 --separate-stderr as_nobody ./poolmem run -o "$open/b.pm" -- id -u
		[ "$output" = 65534 ]
		[ -s "$open/b.pm" ]
	else
		run -1 "$poolmem" doctor --lib "$lib" passwd
	fi
}

@test "F30 file capabilities" {
	gcc -o able answer.c
	if [ "$(id -u)" = 0 ]; then
		open_directory
		install -m 755 able "$open"
		python3 - "$open/able" <<-'END'
			import os, struct, sys
			os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))
		END
		cd "$open"
		run -1 as_nobody ./poolmem doctor ./able
		[[ $output == *'has file capabilities'* ]]
		run -0 "$poolmem" doctor --lib "$lib" "$open/able"
	else
		run -0 "$poolmem" doctor --lib "$lib" ./able
	fi
}

@test "a program that is not there, and one that is no program" {
	run -1 "$poolmem" doctor --lib "$lib" no-such-program
	[[ $output == *'FAIL  no-such-program'*'No such file or directory'* ]]
	run -1 "$poolmem" doctor --lib "$lib" .
	[[ $output == *'Permission denied'* ]]
	mkfifo -m 755 fifo
	run -0 "$poolmem" doctor --lib "$lib" ./fifo
}

@test "hostile ELF files" {
	gcc -o answer answer.c
	python3 "$here/elfpatch.py" "hostile=$(by_level 1000 20000)" answer hostile
	find . -name 'hostile.*' | xargs -n 500 "$poolmem" doctor --lib "$lib" --json >out || [ $? = 123 ]
	[ "$(grep -c '"program": "./hostile' out)" = "$(by_level 1000 20000)" ]
	: >empty && printf '\177ELF' >magic && chmod +x empty magic
	run "$poolmem" doctor --lib "$lib" ./empty ./magic /proc/self/mem /dev/zero
	[ "$status" -le 1 ]
}
