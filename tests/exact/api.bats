# SPDX-License-Identifier: MIT
# poolmem.h: what a program asks for itself, without the library and under it.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

@test "poolmem.h: without the library nothing answers and nothing breaks" {
	for program in api api_fixed api_cxx; do
		"$programs/$program"
	done
	POOLMEM=off LD_PRELOAD=$lib "$programs/api"
}

@test "poolmem.h: each function, counted by hand" {
	for program in api api_fixed; do
		rm -rf "$out/segments"/*
		POOLMEM=dir=$out/segments LD_PRELOAD=$lib "$programs/$program" "$out/segments"
	done
	rm -rf "$out/segments"/*
	POOLMEM=dir=$out/segments LD_PRELOAD=$lib "$programs/api_cxx"
}

@test "poolmem.h: a child that is forked and turns no epoch has figures of each generation" {
	POOLMEM=dir=$out/segments LD_PRELOAD=$lib "$programs/forked"
	"$poolmem" survival --all --json "$out"/segments/*.pms >"$out/json"
	python3 -c 'import json, sys
child = [p["metrics"] for p in json.load(open(sys.argv[1]))["processes"] if p["metrics"]["inherited.blocks"]]
figures = [[m["gen.%d.%s" % (g, name)] for g in range(3) for name in ("entered", "survived", "died", "live")] for m in child]
in_bytes = [[m["gen.%d.%s_bytes" % (g, name)] for g in range(3) for name in ("entered", "survived", "died", "live")]
            for m in child]
assert figures == [[500, 0, 50, 450, 0, 0, 0, 0, 1000, 0, 100, 900]], figures
assert in_bytes == [[48 * blocks for blocks in figures[0]]], in_bytes' "$out/json"
}

@test "poolmem.h: in C99 without extensions, with warnings as errors" {
	printf '#include <poolmem/poolmem.h>\nint main(void) { return poolmem_mark("x") == 0; }\n' >"$out/c99.c"
	for compiler in cc $(command -v clang); do
		"$compiler" -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -Iinclude -o "$out/c99" "$out/c99.c"
		"$out/c99"
	done
}

@test "poolmem.h: installed, it is found by pkg-config" {
	make -s BUILD="$POOLMEM_BUILD" PREFIX="$out/usr" install
	printf '#include <poolmem/poolmem.h>\nint main(void) { return poolmem_mark("x") == 0; }\n' >"$out/found.c"
	export PKG_CONFIG_PATH=$out/usr/share/pkgconfig
	cc $(pkg-config --cflags poolmem) -o "$out/found" "$out/found.c"
	"$out/found"
	[ "$(pkg-config --modversion poolmem)" = "$("$poolmem" --version | sed 's/poolmem \(.*\),.*/\1/')" ]
	make -s BUILD="$POOLMEM_BUILD" PREFIX="$out/usr" uninstall
	run find "$out/usr" -type f -name '*poolmem*'
	[ -z "$output" ]
}

@test "poolmem.h: a program that collects thousands of times by itself" {
	for scene in young length; do
		POOLMEM=dir=$out/segments LD_PRELOAD=$lib "$programs/collects" $scene
	done
}
