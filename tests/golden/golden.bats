# SPDX-License-Identifier: MIT
# What the readers print, to the letter.  A change that is meant: tests/golden/update, and read the diff.

bats_require_minimum_version 1.5.0

setup()
{
	here=$BATS_TEST_DIRNAME
	poolmem=$(realpath "${POOLMEM_BUILD:-$here/../../build}")/poolmem
	. "$here/golden.bash"
	out=$BATS_TEST_TMPDIR
}

@test "golden: text and JSON of every capture" {
	local folder command form count=0
	for folder in "$here"/*/; do
		for command in $(golden_commands "$folder"); do
			for form in txt json; do
				cp -r "$folder" "$out/case"
				golden_run "$poolmem" "$out/case" $command $form >"$out/actual"
				diff -u "$folder/$(golden_expected $command $form)" "$out/actual" || return 1
				rm -rf "$out/case"
				count=$((count + 1))
			done
		done
	done
	[ $count -ge 180 ]
}

@test "golden: pictures of maps" {
	local name
	for name in "${!golden_pictures[@]}"; do
		golden_picture "$poolmem" "$here" $name "$out/actual.svg"
		diff -u "$here/$name" "$out/actual.svg"
	done
}

@test "golden: no line of frag and map is longer than 80 columns" {
	local count=0 file
	for file in "$here"/*/frag.txt "$here"/*/map.txt; do
		python3 -c 'import sys
long = [line for line in open(sys.argv[1], encoding="utf-8").read().split("\n") if len(line) > 80 and not line.startswith("stderr:")]
assert not long, (sys.argv[1], long)' "$file"
		count=$((count + 1))
	done
	[ $count -ge 20 ]
}

@test "golden: pictures: no text runs into the next, whatever threads are called; paper of a dark page is dark" {
	local picture
	for picture in heap/map_owner.svg heap/map.svg tree/map.svg surveyed/frag.svg; do
		python3 - "$here/$picture" <<-'END'
			import collections, sys, xml.dom.minidom
			rows = collections.defaultdict(list)
			for text in xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("text"):
			    words = "".join(node.data for node in text.childNodes if node.nodeType == node.TEXT_NODE)
			    if text.getAttribute("text-anchor") != "end":
			        rows[float(text.getAttribute("y"))].append((float(text.getAttribute("x")), words))
			for row in rows.values():
			    row.sort()
			    for (x, words), (following, _) in zip(row, row[1:]):
			        assert x + 7 * len(words) < following, (x, words, following)
		END
	done
	for picture in heap/map.svg surveyed/frag.svg timeline/over_time.svg; do
		grep -q 'prefers-color-scheme: *dark' "$here/$picture"
	done
}

@test "golden: what was live when, by time and by allocations, as JSON and as a picture" {
	local form
	for form in time allocs json svg; do
		golden_over_time "$poolmem" "$here/timeline" $form >"$out/actual"
		diff -u "$here/timeline/over_time.$form" "$out/actual"
	done
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$out/actual"
	[ "$(awk 'length > 80' "$here/timeline/over_time.time" "$here/timeline/over_time.allocs")" = "" ]
}

@test "golden: what is read is valid JSON with the common members" {
	local folder
	for folder in "$here"/*/; do
		! grep -q '^stderr' "$folder/expected.json" || continue
		python3 - "$folder" <<-'END'
			import json, os, sys
			d = json.load(open(sys.argv[1] + "/expected.json"))
			assert d["schema"] == 1
			assert all(type(v) is int for v in d["metrics"].values())
			assert type(d["estimated"]) is dict and type(d["notes"]) is list
			for p in d["processes"] if not os.path.exists(sys.argv[1] + "/args") else []:
			    m = p["metrics"]
			    assert m["alloc.count"] == sum(c["allocated"] for c in p["classes"])
			    assert m["free.count"] == sum(c["freed"] for c in p["classes"])
			    assert m["alloc.bytes"] == sum(c["allocated_bytes"] for c in p["classes"])
			    assert sum(p["generations"]["died"]) == m["free.count"]
		END
	done
}

@test "golden: survival as JSON adds up" {
	local folder
	for folder in "$here"/*/; do
		! grep -q '^stderr' "$folder/survival.json" || continue
		python3 - "$folder" <<-'END'
			import json, sys
			d = json.load(open(sys.argv[1] + "/survival.json"))
			assert d["schema"] == 1 and "what_if" in d
			for p in d["processes"]:
			    flows = [p["generations"]["blocks"], p["generations"]["bytes"]]
			    for f in flows if flows[0] else []:
			        for n in range(3):
			            rest = f["frozen"] if n == 2 else 0
			            assert f["entered"][n] == f["survived"][n] + f["died"][n] + f["live"][n] + rest, f
			    born = p["curve"]["born"]
			    for point in p["curve"]["points"]:
			        assert point["blocks"] <= born
			        born = point["blocks"]
		END
	done
}

@test "golden: F35: no control character in any output" {
	run -1 env LC_ALL=C grep -rlP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$here"/*/expected.* "$here"/*/survival.* "$here"/*/leaks.* "$here"/*/frag.* \
		"$here"/*/map.*
}

@test "golden: F34, F35: frag as a picture" {
	for folder in surveyed surveyed_hostile; do
		cp "$here/$folder/capture.pm" "$out"
		(cd "$out" && "$poolmem" frag -f --svg actual.svg capture.pm >actual.txt)
		diff -u "$here/$folder/frag.svg" "$out/actual.svg"
		python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$out/actual.svg"
	done
	run -1 grep -l '<script\|<img\|onerror=' "$here"/*/frag.svg
}

@test "golden: frag as JSON adds up, and no line of its text is wider than a terminal" {
	for folder in "$here"/*/; do
		[ -e "$folder/frag.json" ] && ! grep -q '^stderr' "$folder/frag.json" || continue
		python3 - "$folder" <<-'END'
			import json, sys
			for p in json.load(open(sys.argv[1] + "/frag.json"))["processes"]:
			    w = p["waterfall"]
			    if w["rss"] is not None:
			        assert sum(w["parts"].values()) + w["residual"] == w["rss"], w
			        assert sum(o["bytes"] for o in w["others"]) == w["parts"]["other"], w
			    pins = p["pins"]
			    for level in ("pools", "pages") if pins else ():
			        held = sum(h[level]["sole"] + h[level]["shared"] for h in pins["holders"])
			        assert 0 <= pins["pinned"][level] - held <= 1000, (level, held)
			for line in open(sys.argv[1] + "/frag.txt"):
			    assert len(line) <= 81 or not line.startswith("  "), line
		END
	done
}

@test "golden: JSON of list and clean" {
	golden_segments "$here" "$out/segments"
	for command in list clean; do
		golden_listing "$poolmem" $command "$out/segments" >"$out/actual"
		diff -u "$here/$command.json" "$out/actual"
	done
}
