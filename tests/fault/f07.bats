# SPDX-License-Identifier: MIT
# F7 for call sites: rows of a process are its own, whatever its children allocate and free.

bats_require_minimum_version 1.5.0
load under

@test "F7 each block recorded: threads allocate while others fork" {
	# stacks of a child's own take 64 KiB of the segment, and stay when it is dead: others may have them as callers
	local room=max=4G,segment.max=1G
	for children in 0 "$(by_level 300 5000)"; do
		rm -f "$out"/segments/*
		settings=sites.period=1,$room watched "$programs/f07_sites" threads "$children" >"$out/said"
		grep -qx '0 wrong' "$out/said"
		sites '[(f, sum_of("allocated", f), sum_of("freed", f)) for f in ("site_thread", "site_parent", "site_vforked")]' |
			tee "$out/rows.$children"
		# a machine under load may keep a thread waiting so long that it goes without: that is counted
		[ "$(sites '32000 - d["dropped_blocks"] <= sum_of("allocated", "site_thread") <= 32000 and
			sum_of("freed", "site_thread") <= 32000 and d["dropped_blocks"] < 320')" = True ]
		[ "$(sites 'sum_of("allocated", "site_parent") == 40 and not sum_of("freed", "site_parent")')" = True ]
		[ "$(sites "sum_of('allocated', 'site_vforked') <= $((children / 4)) <=
			sum_of('allocated', 'site_vforked') + d['dropped_blocks']")" = True ]
	done
}

# What its parent did was added up when the area changed hands, and its sites are gone.
@test "F7 a child's child gets the area that was its parent's" {
	settings=sites.period=1 watched "$programs/f07_sites" orphan
	sites '[(f, sum_of("allocated", f), sum_of("freed", f)) for f in ("site_parent", "site_child", "site_grandchild")]'
	[ "$(sites 'sum_of("allocated", "site_grandchild")')" = 7 ]
	[ "$(sites 'sum_of("allocated", "site_child")')" = 30 ]
	[ "$(sites 'sum_of("freed", "site_child")')" = 0 ]
	[ "$(sites 'sum_of("allocated", "site_parent") == sum_of("freed", "site_parent") == 70')" = True ]
	[ "$(sites '[p["pid"] for p in report["processes"] if p["ppid"] == p["pid"]]')" = '[]' ]
	# and it alone is no child of the first
	[ "$(sites 'sum(p["pid"] != 0 and p["ppid"] != report["processes"][0]["pid"] for p in report["processes"][1:])')" = 1 ]
}
