# SPDX-License-Identifier: MIT
# F16: a library is closed, and another comes to its addresses: stacks lead through what was there when they were seen.

bats_require_minimum_version 1.5.0
load host

# reopened ROUNDS [iconv]: each library's blocks stand at its own function, with main behind it; $libraries: where they are
reopened()
{
	local libraries=${libraries:-$programs}
	rm -rf "$out/segments"
	settings=sites.period=1 same "$programs/f16_reopen" "$libraries/libf16_first.so" "$libraries/libf16_second.so" "$@"
	[ "$code" = 4 ]
	cat "$out/watched"
	[ $# -gt 1 ] || grep -qx 'few at other addresses' "$out/watched"
	for library in first second; do
		sites "set(stacks('site_$library'))"
		[ "$(sites "sum_of('allocated', 'site_$library')")" = $((5 * $1)) ]
		[ "$(sites "all(s[:2] == ('site_$library', 'entry') and 'main' in s for s in stacks('site_$library'))")" = True ]
	done
	[ "$(sites 'd["dropped_stacks"] + d["dropped_blocks"]')" = 0 ]
	[ "$(sites 'all(d["frames"][s["frames"][1]]["module"].endswith(d["frames"][s["frames"][0]]["function"].replace("site_", "libf16_") + ".so")
		for s in d["sites"] if len(s["frames"]) > 1 and d["frames"][s["frames"][1]]["function"] == "entry")')" = True ]
}

@test "F16 two libraries at the same addresses, in turn" {
	reopened 20
}

@test "F16 and between them libc opens and closes its own" {
	reopened 5 iconv
}

@test "F16 more libraries are closed than there is room for those that are open" {
	reopened 550
}

# frames_of ROUNDS [iconv]: how many are entered then
frames_of()
{
	reopened "$@" >&2
	python3 "$here/frames.py" "$out/segments"
}

@test "F16 a library that comes back has the stacks that it had, and so have all others" {
	[ "$(frames_of 30)" = "$(frames_of 3)" ]
	[ "$(frames_of 8 iconv)" = "$(frames_of 3 iconv)" ]
}

# relabelled FROM OFFSET TEXT FILE...: copies, the note of the build id (type, "GNU", id) overwritten from that offset on by
# the text, in which %d is the number of the copy
relabelled()
{
	python3 - "$@" <<-'END'
		import sys
		source, offset, text, *copies = sys.argv[1:]
		library = open(source, "rb").read()
		at = library.index(b"\3\0\0\0GNU\0") + int(offset)
		for number, copy in enumerate(copies, 100):
		    label = text.replace("%d", str(number)).encode()
		    open(copy, "wb").write(library[:at] + label + library[at + len(label):])
	END
}

# Each round enters the two frames of each library, and no others.
@test "F16 of libraries that nothing tells apart only their own frames are new" {
	local libraries=$out/libraries before
	mkdir "$libraries"
	for library in first second; do
		relabelled "$programs/libf16_$library.so" 0 none "$libraries/libf16_$library.so"
	done
	before=$(frames_of 3)
	[ "$(frames_of 30)" = $((before + 27 * 2 * 2)) ]
}

# Where each was is more than is kept: all code is of another generation then.
@test "F16 more libraries at once than there is room for places" {
	mkdir "$out/many"
	relabelled "$programs/libf16_first.so" 8 %d "$out"/many/{100..249}.so
	settings=sites.period=1 same "$programs/f16_together" 3 "$out"/many/*.so
	[ "$code" = 4 ]
	[ "$(sites 'd["dropped_stacks"] + d["dropped_blocks"]')" = 0 ]
	[ "$(sites 'sorted(sum(s["allocated"] for s in d["sites"] if s["frames"] and d["frames"][s["frames"][0]]["module"] == module)
		for module in {frame["module"] for frame in d["frames"] if "/many/" in (frame["module"] or "")}) == 150 * [3]')" = True ]
}
