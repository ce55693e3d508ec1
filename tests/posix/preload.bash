# SPDX-License-Identifier: MIT
# Where things are, and how a program is run under the library. For the bats files of posix, abi, exact.
# POOLMEM_LIB and POOLMEM name another library and analyzer. POOLMEM is also the settings variable of
# the library, so it is taken out of the environment here; bats reads this twice, hence POOLMEM_BIN.

here=$(cd "$BATS_TEST_DIRNAME" && pwd)
root=$(cd "$here/../.." && pwd)
build=${POOLMEM_BUILD:-$root/build}
case $build in /*) ;; *) build=$root/$build ;; esac
lib=${POOLMEM_LIB:-$build/libpoolmem.so}
case $lib in /*) ;; *) lib=$root/$lib ;; esac
case ${POOLMEM-} in
*=* | '' | off) ;;
/*) export POOLMEM_BIN=$POOLMEM ;;
*) export POOLMEM_BIN=$root/$POOLMEM ;;
esac
poolmem=${POOLMEM_BIN:-$build/poolmem}
unset POOLMEM
programs=$build/tests/$(basename "$here")
level=${POOLMEM_LEVEL:-test}

# The first argument at level test, the second at level soak.
by_level()
{
	if [ "$level" = soak ]; then echo "$2"; else echo "$1"; fi
}

# Options of unshare for mounts of one's own. In a chroot "/" is no mount, so nothing can be said about it.
mounts_apart=-m
unshare -m true 2>/dev/null || mounts_apart='-m --propagation unchanged'

# ld.so ignores a preload that is missing, and then everything passes.
require_lib()
{
	[ -r "$lib" ] || { echo "no library at $lib" >&2; return 1; }
}

# For setup(): $out, and an empty directory for segments in it.
prepare()
{
	require_lib
	ulimit -c 0
	out=$BATS_TEST_TMPDIR
	mkdir -m 700 "$out/segments"
}

preloaded()
{
	POOLMEM="dir=$BATS_TEST_TMPDIR/segments" LD_PRELOAD=$lib "$@"
}

# The program's output, errors and exit code are the same with and without the library.
same_as_glibc()
{
	local plain=$BATS_TEST_TMPDIR/plain under=$BATS_TEST_TMPDIR/under plain_code=0 under_code=0
	mkdir -p "$BATS_TEST_TMPDIR/segments" && chmod 700 "$BATS_TEST_TMPDIR/segments"
	"$@" >"$plain" 2>"$plain.err" || plain_code=$?
	preloaded "$@" >"$under" 2>"$under.err" || under_code=$?
	diff "$plain" "$under" | head -40
	diff "$plain.err" "$under.err" | head -40
	echo "exit codes $plain_code, $under_code"
	[ "$plain_code" = 0 ] && [ "$under_code" = 0 ] && [ -s "$plain" ] &&
		cmp -s "$plain" "$under" && cmp -s "$plain.err" "$under.err"
}
