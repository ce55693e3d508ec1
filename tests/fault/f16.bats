# SPDX-License-Identifier: MIT
# F16: a library is closed, and another comes to its addresses: stacks lead through what was there when they were seen.

bats_require_minimum_version 1.5.0
load host

# reopened ROUNDS [iconv]: each library's blocks stand at its own function, with main behind it
reopened()
{
	settings=sites.period=1 same "$programs/f16_reopen" "$programs/libf16_first.so" "$programs/libf16_second.so" "$@"
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
