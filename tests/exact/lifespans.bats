# SPDX-License-Identifier: MIT
# How old the blocks of a site become: against Kaplan-Meier's curve of what the program itself noted of each block.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

@test "survival --site: between its bounds lies the curve of who knows all ages, and each bound is exact" {
	local row
	for seed in 1 $(by_level 2 "2 3 4 5 6"); do
		rm -f "$out"/segments/*
		POOLMEM=dir=$out/segments,sites=all,gen.threshold=1000000000:10:10 LD_PRELOAD=$lib \
			"$programs/lifespans" $seed >"$out/log"
		for row in span_young:dies_young span_middle:middle_aged span_ever:lives_for_ever span_mixed:mixed \
			span_late:undecided span_few:undecided; do
			"$poolmem" survival --json --site "^${row%:*}\$" "$out"/segments/*.pms >"$out/json"
			run -0 python3 "$BATS_TEST_DIRNAME/kaplan_meier.py" "$out/log" ${row%:*} "$out/json"
			[ "$output" = ${row#*:} ]
		done
	done
}

@test "survival --site: of a sample the bands hold that curve" {
	local held points all_held=0 all_points=0
	for seed in 1 2 $(by_level "" "3 4 5 6 7 8 9 10"); do
		rm -f "$out"/segments/*
		POOLMEM=dir=$out/segments,sites.period=1K,gen.threshold=1000000000:10:10 LD_PRELOAD=$lib \
			"$programs/lifespans" $seed >"$out/log"
		for site in span_young span_middle span_ever span_mixed; do
			"$poolmem" survival --json --site "^$site\$" "$out"/segments/*.pms >"$out/json"
			read -r held points < <(python3 "$BATS_TEST_DIRNAME/kaplan_meier.py" "$out/log" $site "$out/json" sample)
			all_held=$((all_held + held)) all_points=$((all_points + points))
		done
	done
	# 95 of 100, but those of one site are right or wrong together
	echo "$all_held of $all_points"
	[ $all_points -gt 40 ]
	[ $((all_held * 100)) -ge $((all_points * 70)) ]
}
