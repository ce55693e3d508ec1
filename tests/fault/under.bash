# SPDX-License-Identifier: MIT
# How a program is run under the library, and what the report then says.

load ../posix/preload

# Seconds until a program counts as hung; nothing here takes a tenth of it when it does not hang.
watchdog=${WATCHDOG:-$(by_level 300 7200)}

setup()
{
	prepare
}

# watched PROGRAM ARGUMENT...   $preloads: in place of the library alone; $settings: more for POOLMEM
watched()
{
	timeout -k 5 "$watchdog" env POOLMEM="dir=$out/segments${settings:+,$settings}" \
		LD_PRELOAD="${preloads-$lib}" "$@"
}

# The same without the library: what else is preloaded stays.
plainly()
{
	timeout -k 5 "$watchdog" env LD_PRELOAD="${preloads-}" "$@"
}

# told EXPRESSION: in Python over `d`, the only report, and `p`, its first process; prints the value.
told()
{
	python3 "$here/told.py" "$poolmem" "$out/segments" "$1"
}

# The counts agree with those of an interposer in front: preloads="$oracle $lib".
oracle=$build/tests/exact/liboracle.so
export ORACLE_OUT=$BATS_TEST_TMPDIR/oracle
equal()
{
	python3 "$here/../exact/check.py" --poolmem "$poolmem" "$@" "$ORACLE_OUT" "$out/segments"
}

# sites EXPRESSION: the same over the sites of the only segment; see sites.py
sites()
{
	python3 "$here/../fault/sites.py" "$poolmem" "$out/segments" "$1"
}

# recorded FUNCTION BLOCKS: under sites.period=1 each block that was counted is recorded, and of them so many, or more, have a
# stack through the function
recorded()
{
	sites '"recorded", sum_of("allocated"), sum_of("freed"), "counted", metrics["alloc.count"], metrics["free.count"],
		"dropped", d["dropped_stacks"], d["dropped_blocks"], "through", sum_of("allocated", "'"$1"'")' >"$out/recorded"
	cat "$out/recorded"
	[ "$(sites "sum_of('allocated') == metrics['alloc.count'] and sum_of('freed') == metrics['free.count'] and
		not d['dropped_stacks'] + d['dropped_blocks'] and sum_of('allocated', '$1') >= $2")" = True ]
}
