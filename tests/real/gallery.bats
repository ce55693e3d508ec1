# SPDX-License-Identifier: MIT
# tools/gallery makes the pictures and texts that poolmem-gallery(7) tells of, from real programs.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	command -v sqlite3 redis-server redis-cli >/dev/null || skip "no package sqlite3, redis-server or redis-tools"
}

gallery()
{
	POOLMEM_BUILD=$build TMPDIR=$out "$root/tools/gallery" "$@"
}

@test "gallery: each text has its figures, each picture is one, and nothing else stays" {
	gallery -s -o "$out/shown" sqlite3 redis
	for program in sqlite3 redis; do
		cd "$out/shown/$program"
		grep -Eq '^  allocations +[0-9]' report.txt
		grep -Eq 'of all blocks, and .* died in the epoch' survival.txt
		grep -Eq '^  requested +[0-9.]+ [KMG]iB' frag.txt
		grep -Eq '^  resident +.* 100.0 %' frag.txt
		grep -q 'Each block was recorded (sites=all)' sites.txt
		grep -q '^Advice' advice.txt
		grep -Eq '^\| glibc \| [0-9.]+ m?s' compare.md
		grep -Eq '^\| poolmem \| [0-9.]+ m?s' compare.md
		grep -q '%' map.txt
		for picture in rss survival frag timeline map flamegraph; do
			python3 -c 'import sys, xml.dom.minidom; assert xml.dom.minidom.parse(sys.argv[1]).documentElement.tagName == "svg"' $picture.svg
			grep -q "$program/$picture.svg" ../index.html
		done
		run ! grep -r "$out" . # where it was made says nothing to others
	done
	[ -z "$(find "$out" -maxdepth 1 -name 'poolmem-gallery.*')" ]
}

# What redis keeps when nine of ten keys are gone is what the page tells of it.
@test "gallery: what the page says of sqlite3 and redis is what they do" {
	gallery -s -o "$out/shown" redis sqlite3
	python3 - "$out/shown" <<-'END'
		import re, sys
		frag = open(sys.argv[1] + "/redis/frag.txt").read()
		share = {part: float(percent) for part, percent in re.findall(r"^  ([a-z ]+?) +[0-9.]+ [KMG]?i?B +<?([0-9.]+) %", frag, re.M)}
		assert share["pinned free"] > 2 * share["requested"], share
		assert "_sdsnewlen" in frag.split("Who keeps free memory")[1].split("\n")[4], frag
		survival = open(sys.argv[1] + "/sqlite3/survival.txt").read()
		assert float(re.search(r"([0-9.]+) % of all blocks, and", survival)[1]) > 90, survival
	END
}

@test "gallery: what it does not know is refused, before anything is made" {
	run -2 gallery -o "$out/shown" emacs
	[[ $output == *"there is no 'emacs'"* ]]
	[ ! -e "$out/shown" ]
	run -2 gallery -x
}

@test "gallery: the pictures of the manual are in the tree, small, and named by the page" {
	cd "$root/analyzer/man"
	for picture in gallery/*.svg; do
		[ "$(stat -c %s "$picture")" -lt 40960 ]
		grep -q "${picture#gallery/}" poolmem-gallery.7.scd
		run ! grep -E '/tmp|/home' "$picture"
	done
	[ "$(ls gallery | wc -l)" -ge 5 ]
}
