# SPDX-License-Identifier: MIT
# Call sites with each block recorded: equal, to the unit, to the account that a program keeps of its own functions.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

@test "sites: what each function allocated, freed, moved and kept, counted by hand" {
	for run in 1 $(by_level "" "2 3 4 5 6 7 8 9 10"); do
		rm -f "$out"/segments/*
		POOLMEM=dir=$out/segments,sites.period=1,gen.threshold=1000000000:10:10 LD_PRELOAD=$lib \
			"$programs/sites" "$programs/libsites.so" >"$out/account"
		"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/json"
		python3 "$BATS_TEST_DIRNAME/sites.py" "$out/json" "$out/account"
	done
}
