# SPDX-License-Identifier: MIT
# F20: a file system on which a file cannot be made, sized or mapped shared: there is no segment and no
# file left, the program is served all the same, and `poolmem run` says that there is no capture.

bats_require_minimum_version 1.5.0
load host

EINVAL=22 ENODEV=19 EOPNOTSUPP=95

# The program runs with a filter put on it before the library starts.
refused()
{
	plainly "$programs/f31_filter" "$1" "$2" env POOLMEM="dir=$out/segments" LD_PRELOAD="$lib" \
		"$programs/f19_work" 6 4 1000 >"$out/watched" 2>&1 || code=$?
	[ "$code" = 7 ]
	plainly "$programs/f19_work" 6 4 1000 >"$out/plainly" || true
	diff "$out/plainly" "$out/watched"
}

nothing_left()
{
	[ -z "$(find "$out/segments" -mindepth 1)" ]
}

@test "F20 no shared mapping, or no size to be set: no segment and no file left" {
	refused $ENODEV mmap_shared
	nothing_left
	refused $EINVAL ftruncate
	nothing_left
	refused $EINVAL madvise,fallocate
	nothing_left
	refused $EOPNOTSUPP fallocate
	[ "$(told '"truncated" in notes')" = False ]
}

read_only()
{
	mount -t tmpfs -o ro,size=1m,mode=700 none "$out/segments"
	same "$programs/f19_work" 4 4 1000
	[ "$code" = 7 ]
	nothing_left
}

@test "F20 a file system that is read-only, or holds no files of ours" {
	apart read_only
	for place in /proc /sys/kernel /dev/null /nonexistent/at/all; do
		settings="dir=$place" same "$programs/f19_work" 4 4 1000
		[ "$code" = 7 ]
	done
	nothing_left
}

@test "F20 poolmem run says so" {
	plainly "$programs/f31_filter" $ENODEV mmap_shared env POOLMEM="dir=$out/segments" "$poolmem" run \
		--lib "$lib" -o "$out/a.pm" -- "$programs/f19_work" 2 2 1000 >"$out/said" 2>&1 || code=$?
	[ "$code" = 7 ]
	grep -q 'no capture' "$out/said"
	[ ! -e "$out/a.pm" ]
}
