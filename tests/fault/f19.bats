# SPDX-License-Identifier: MIT
# F19: the file system of the segments is full, from the start or from some moment on.  The program does
# not notice; counts go on where there is room for them, and the report says what is missing.

bats_require_minimum_version 1.5.0
load host

# on_disk SIZE COMMAND...: with a file system of this size for the segments
on_disk()
{
	mount -t tmpfs -o "size=$1,mode=700" none "$out/segments"
	"${@:2}"
}

segment_count()
{
	find "$out/segments" -name '*.pms' | wc -l
}

no_room_at_all()
{
	on_disk "$1" same "$programs/f19_work" 12 6 "$(by_level 2000 100000)"
	[ "$code" = 7 ]
	[ "$(find "$out/segments" -mindepth 1 | wc -l)" = 0 ]
}

some_room()
{
	on_disk "$1" same "$programs/f19_work" 12 6 "$(by_level 2000 100000)"
	[ "$code" = 7 ]
	[ "$(told 'metrics["process.exit"]')" = 7 ]
	[ "$(told '"truncated" in notes and notes["threads_unseen"] > 0')" = True ]
}

enough_room()
{
	on_disk "$1" same "$programs/f19_work" 12 6 "$(by_level 2000 100000)"
	[ "$code" = 7 ]
	[ "$(told '"truncated" in notes')" = False ]
	[ "$(told 'metrics["alloc.count"] > 18 * '"$(by_level 2000 100000)")" = True ]
}

@test "F19 4K to 16K: no segment, and no file left" {
	for size in 4k 8k 16k; do apart no_room_at_all $size; done
}

@test "F19 20K to 64K: what fits is there, the rest is told" {
	for size in 20k 24k 32k 48k 64k; do apart some_room $size; done
}

@test "F19 1M and 64M: all of it is there" {
	for size in 1m 64m; do apart enough_room $size; done
}

filled_by_another()
{
	mkfifo "$out/fifo"
	"$programs/f19_work" 12 6 "$(by_level 2000 100000)" "$out/fifo" >"$out/plainly" &
	: >"$out/fifo"
	code=0
	wait $! || code=$?
	[ "$code" = 7 ]
	mount -t tmpfs -o size=1m,mode=700 none "$out/segments"
	watched "$programs/f19_work" 12 6 "$(by_level 2000 100000)" "$out/fifo" >"$out/watched" &
	until grep -q ready "$out/watched"; do sleep 0.01; done
	if cat /dev/zero >"$out/segments/filler" 2>/dev/null; then return 1; fi
	: >"$out/fifo"
	code=0
	wait $! || code=$?
	[ "$code" = 7 ]
	diff "$out/plainly" "$out/watched"
	[ "$(told '"truncated" in notes and notes["threads_unseen"] > 0')" = True ]
	[ "$(told 'd["metrics"]["alloc.count"] > 6 * '"$(by_level 2000 100000)")" = True ]
}

@test "F19 filled by another process while the program runs" {
	apart filled_by_another
}
