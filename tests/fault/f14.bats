# SPDX-License-Identifier: MIT
# F14: nothing that records a block waits for the loader, whose lock another thread may hold while it waits for this one.

bats_require_minimum_version 1.5.0
load host
watchdog=$(by_level 60 7200)

milliseconds=$(by_level 3000 300000)

# exact: what was recorded is what was counted, but for what had to go without
exact()
{
	[ "$(sites 'sum_of("allocated") + d["dropped_blocks"] == metrics["alloc.count"]')" = True ]
	[ "$(sites 'd["dropped_blocks"] <= metrics["alloc.count"] // 100')" = True ]
}

@test "F14 a callback of dl_iterate_phdr waits for who allocates" {
	settings=sites.period=1 same "$programs/f14_loader" callback 200
	[ "$(cat "$out/watched")" = through ]
	exact
	[ "$(sites 'sum_of("allocated", "site_compare") > 500')" = True ]
}

@test "F14 threads open, close, iterate and allocate" {
	settings=sites.period=1 watched "$programs/f14_loader" together "$milliseconds" \
		"$programs/libf16_first.so" "$programs/libf16_second.so" >"$out/watched"
	[ "$(cat "$out/watched")" = through ]
	sites 'sum_of("allocated"), metrics["alloc.count"], d["dropped_stacks"], d["dropped_blocks"]'
	exact
}

@test "F14 threads throw while another opens and closes" {
	settings=sites.period=1 watched "$programs/f14_throws" "$milliseconds" "$programs/libf16_first.so" >"$out/watched"
	[ "$(cat "$out/watched")" = caught ]
	exact
}
