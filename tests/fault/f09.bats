# SPDX-License-Identifier: MIT
# F9: what is exec'ed is recorded in a segment of its own where that can be, and runs as ever where not.

bats_require_minimum_version 1.5.0
load host

segment_count()
{
	find "$out/segments" -name '*.pms' | wc -l
}

# How often a program is among those recorded.
recorded()
{
	for segment in "$out"/segments/*.pms; do "$poolmem" report --json "$segment"; done |
		python3 -c 'import json, os, sys
decoder, text, count = json.JSONDecoder(), sys.stdin.read(), 0
while text.strip():
    document, end = decoder.raw_decode(text.lstrip())
    text = text.lstrip()[end:]
    count += sum(os.path.basename(p["exe"]) == sys.argv[1] and p["kind"] == "exec"
                 for p in document["processes"])
print(count)' "$1"
}

@test "F9 a pipeline of 50 programs: a segment for each" {
	pipeline='seq 2000'
	for i in $(seq 16); do pipeline+=' | cat | tr a-z A-Z | sed "s/^/x/"'; done
	same bash -c "$pipeline | tail -n 1; exit 3"
	[ "$code" = 3 ]
	[ "$(recorded cat)" = 16 ]
	[ "$(recorded tr)" = 16 ]
	[ "$(recorded sed)" = 16 ]
	[ "$(segment_count)" = 51 ]
}

@test "F9 static and 32-bit programs in between, with the environment handed on" {
	cat >"$out/static.c" <<-'END'
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char *block = malloc(100000);
			printf("static %s\n", argv[1]);
			fflush(stdout);
			free(block);
			execvp(argv[2], argv + 2);
			return argc;
		}
	END
	gcc -static -w "$out/static.c" -o "$out/static"
	printf '.globl _start\n_start: movl $1, %%eax\nmovl $42, %%ebx\nint $0x80\n' >"$out/small.S"
	gcc -m32 -nostdlib -static "$out/small.S" -o "$out/small"
	same bash -c '"$1"/static a sh -c "\"$1\"/small; echo small \$?; ls / | sort"' - "$out"
	[ "$code" = 0 ]
	[ "$(recorded "$(basename "$(realpath /bin/sh)")")" = 1 ]
	[ "$(recorded ls)" = 1 ]
	[ "$(recorded sort)" = 1 ]
	[ "$(recorded static)" = 0 ]
}

@test "F9 exec over and over in one process" {
	cat >"$out/again" <<-'END'
		[ "$1" = 0 ] && exit 5
		exec bash "$0" $(($1 - 1))
	END
	same bash "$out/again" "$(by_level 20 500)"
	[ "$code" = 5 ]
	[ "$(recorded bash)" = "$(by_level 21 501)" ]
}

@test "F9 the program finds its environment as it was given" {
	plainly env POOLMEM="dir=$out/segments" LD_PRELOAD="$lib" env >"$out/given"
	grep -qxF "LD_PRELOAD=$lib" "$out/given"
	grep -qxF "POOLMEM=dir=$out/segments" "$out/given"
	[ "$(recorded env)" = 1 ]
}
