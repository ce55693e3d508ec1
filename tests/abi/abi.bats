# SPDX-License-Identifier: MIT
# The preloaded object as ld.so sees it: names, needs, thread-local storage, flags.

bats_require_minimum_version 1.5.0
load ../posix/preload

map=$root/preload/exports.map

setup()
{
	require_lib
}

exported()
{
	nm -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u
}

# The names between "global:" and "local:", without comments.
listed()
{
	tr '\n' ' ' <"$map" | sed 's,/\*[^*]*\*/,,g; s/.*global:\(.*\)local:.*/\1/' |
		tr -s '; \t' '\n' | sed '/^$/d' | sort -u
}

@test "F3 exports are those of exports.map" {
	listed >"$BATS_TEST_TMPDIR/listed"
	exported >"$BATS_TEST_TMPDIR/exported"
	[ -s "$BATS_TEST_TMPDIR/listed" ]
	diff "$BATS_TEST_TMPDIR/listed" "$BATS_TEST_TMPDIR/exported"
}

@test "F3 every entry point of the family is exported" {
	exported >"$BATS_TEST_TMPDIR/exported"
	for name in malloc free calloc realloc aligned_alloc memalign posix_memalign valloc pvalloc \
		malloc_usable_size free_sized free_aligned_sized cfree reallocarray \
		mallinfo mallinfo2 mallopt malloc_trim malloc_stats malloc_info \
		__libc_malloc __libc_free __libc_calloc __libc_realloc __libc_memalign __libc_valloc \
		__libc_pvalloc; do
		grep -qx "$name" "$BATS_TEST_TMPDIR/exported" || { echo "$name is missing"; return 1; }
	done
}

@test "nothing else is taken over: no C++ operators, fork, exec, dlopen, signals, unwinder" {
	others='_Z|_Unwind|fork|_Fork|vfork|clone|exec|posix_spawn|dl|sig|pthread_|mmap|munmap|open|_?exit|abort'
	run ! grep -E "^($others)" <(exported)
}

# A call of our own export through the GOT would arrive at whoever stands in front of us, a second time.
@test "the library does not call its own exports by name" {
	exported | grep -E 'alloc|free|align' >"$BATS_TEST_TMPDIR/exported"
	readelf -rW "$lib" | awk '/JUMP_SLO|GLOB_DAT/ { sub(/@.*/, "", $5); print $5 }' >"$BATS_TEST_TMPDIR/called"
	run ! grep -xFf "$BATS_TEST_TMPDIR/exported" "$BATS_TEST_TMPDIR/called"
}

@test "DT_NEEDED is libc and ld.so alone" {
	readelf -dW "$lib" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$BATS_TEST_TMPDIR/needed"
	grep -qx 'libc\.so\.6' "$BATS_TEST_TMPDIR/needed"
	run ! grep -vxE 'libc\.so\.6|ld-linux[-a-z0-9_]*\.so\.[0-9]+' "$BATS_TEST_TMPDIR/needed"
}

# instructions_to_return FUNCTION: of the path without a jump taken, the one that finds a block
instructions_to_return()
{
	objdump -d --no-show-raw-insn "$lib" | awk -v name="<__libc_$1>:" '
		$2 == name { inside = 1; next }
		inside { n++ }
		inside && /\tret/ { print n; exit }'
}

# The budget is the least that was reached with gcc 12; other compilers may take a few more.  Three of free's 32 make what it counts
# a value that hangs on the age of the block, and not a branch: where blocks die in any order it takes 0.7 of the time.
@test "the fast paths stay short: malloc 23 instructions, free 32" {
	malloc=$(instructions_to_return malloc) free=$(instructions_to_return free)
	echo "malloc $malloc, free $free"
	[ "$malloc" -ge 15 ]
	[ "$free" -ge 15 ]
	[ "$malloc" -le 23 ]
	[ "$free" -le 32 ]
}

@test "F4 thread-local storage is initial-exec and under 64 bytes" {
	run ! grep -w __tls_get_addr <(nm -D --undefined-only "$lib")
	readelf -lW "$lib" >"$BATS_TEST_TMPDIR/segments"
	bytes=$(awk '$1 == "TLS" { print $6 }' "$BATS_TEST_TMPDIR/segments")
	[ $((${bytes:-0})) -gt 0 ]
	[ $((${bytes:-0})) -lt 64 ]
}

@test "no text relocations, no executable stack, read-only relocations, bound at start" {
	readelf -dW "$lib" >"$BATS_TEST_TMPDIR/dynamic"
	readelf -lW "$lib" >"$BATS_TEST_TMPDIR/segments"
	run ! grep TEXTREL "$BATS_TEST_TMPDIR/dynamic"
	run ! grep -E '\((RPATH|RUNPATH)\)' "$BATS_TEST_TMPDIR/dynamic"
	grep -q 'GNU_STACK.* RW ' "$BATS_TEST_TMPDIR/segments"
	grep -q GNU_RELRO "$BATS_TEST_TMPDIR/segments"
	run ! grep -E 'LOAD.* RWE ' "$BATS_TEST_TMPDIR/segments"
	# a lazy binding inside malloc would enter ld.so
	grep -qE '\(FLAGS(_1)?\).*NOW' "$BATS_TEST_TMPDIR/dynamic"
}

@test "F41 _dl_find_object, if used, is a weak reference" {
	run ! grep -E ' U _dl_find_object' <(nm -D --undefined-only "$lib")
}

@test "F4 a program runs under LD_AUDIT" {
	mkdir -m 700 "$BATS_TEST_TMPDIR/segments"
	export LD_AUDIT=$programs/libaudit.so
	run --separate-stderr preloaded "$programs/hello"
	unset LD_AUDIT
	[ "$status" -eq 0 ]
	[ "$output" = hello ]
	[ -z "$stderr" ]
}

# General-dynamic ones without limit; initial-exec ones as far as the spare static TLS goes, of which we
# take nothing, so as many as without us (less one, because our own bytes move the rounding).
@test "F4 200 dlopened libraries with thread-local storage" {
	cd "$BATS_TEST_TMPDIR"
	for words in 1 16 500; do
		cat >t.c <<C
static __thread long v[$words];
long touch(long n) { long was = v[$words - 1]; v[$words - 1] = n; return was; }
C
		cc -shared -fPIC t.c -o "dynamic$words.so"
		cc -shared -fPIC -ftls-model=initial-exec t.c -o "initial$words.so"
	done
	mkdir many && mkdir -m 700 -p segments
	for i in $(seq 60); do
		cp dynamic1.so "many/a$i.so"
		cp dynamic16.so "many/b$i.so"
		cp dynamic500.so "many/c$i.so"
		cp initial16.so "many/i$i.so"
	done
	for i in $(seq 20); do
		cp initial1.so "many/d$i.so"
	done
	same_as_glibc "$programs/dlopen_tls" many/[abcd]*.so
	grep -qx '200 opened, 0 wrong values' under

	"$programs/dlopen_tls" many/*.so >plain
	preloaded "$programs/dlopen_tls" many/*.so >under
	cat plain under
	[ "$(cut -d' ' -f1 plain)" -gt 200 ]
	[ "$(cut -d' ' -f1 under)" -ge $(($(cut -d' ' -f1 plain) - 1)) ]
}
