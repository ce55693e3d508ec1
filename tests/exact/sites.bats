# SPDX-License-Identifier: MIT
# Call sites with each block recorded: equal, to the unit, to the account that a program keeps of its own functions.

bats_require_minimum_version 1.5.0
load ../fault/under

@test "sites: what each function allocated, freed, moved and kept, counted by hand" {
	for run in 1 $(by_level "" "2 3 4 5 6 7 8 9 10"); do
		rm -f "$out"/segments/*
		POOLMEM=dir=$out/segments,sites.period=1,gen.threshold=1000000000:10:10 LD_PRELOAD=$lib \
			"$programs/sites" "$programs/libsites.so" >"$out/account"
		"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/json"
		python3 "$BATS_TEST_DIRNAME/sites.py" "$out/json" "$out/account"
	done
}

@test "sites: of a sample, too, what is freed before anything else is allocated is temporary" {
	settings=sites.period=2,gen.threshold=1000000000:10:10 watched "$programs/sites" "$programs/libsites.so"
	[ "$(sites 'd["mode"] == "sample" and sum_of("temporary", "site_temporary") == sum_of("freed", "site_temporary") > 2900')" = True ]
}

@test "sites: more stacks than there is room for lose their outer frames, and no block" {
	[ "$(settings=sites=all watched "$programs/paths" 17)" = "131072 43691" ]
	[ "$(sites 'sum_of("allocated", "at_the_end"), sum_of("live", "at_the_end"), d["dropped_blocks"], d["dropped_stacks"]')" = \
		"(131072, 43691, 0, 0)" ]
	[ "$(sites 'sum(s["allocated"] for s in d["sites"] if "cut" in s["stack_ends"]) > 80000')" = True ]
}

@test "sites: JSON of very many of them is written as it is made" {
	settings=sites=all watched "$programs/paths" 17 >"$out/account"
	python3 - "$poolmem" "$out"/segments/*.pms "$out/json" <<-'END'
		import json, os, subprocess, sys
		poolmem, segment, path = sys.argv[1:]
		def peak(*arguments):
		    child = subprocess.Popen([poolmem, "sites", *arguments, segment], stdout=open(path, "w"))
		    _, status, usage = os.wait4(child.pid, 0)
		    assert status == 0
		    return usage.ru_maxrss
		table, document = peak("-n", "1"), peak("--json", "-n", "0")
		report = json.load(open(path))
		assert len(report["sites"]) > 10000 and len(report["frames"]) > 60000
		assert max(frame for site in report["sites"] for frame in site["frames"]) == len(report["frames"]) - 1
		assert document < 2 * table, (table, document)
	END
}

@test "sites: the stacks of a program with holes between its segments" {
	settings=sites=all watched "$programs/holes"
	[ "$(sites '[s["stack_ends"] for s in d["sites"] if stack(s)[:3] == ("in_the_far", "and_its_caller", "main")]')" = "[['whole']]" ]
}

# A thaw may take the stamp of a block that came to the place of one which it has just looked at: its free is in no site.
@test "sites: blocks that another thread freezes and thaws are freed and counted as others" {
	read -r allocated freed live requested < <(settings=sites=all watched "$programs/thaws")
	[ "$(sites 'sum_of("allocated", "site_churn")')" = "$allocated" ]
	late=$((freed - $(sites 'sum_of("freed", "site_churn")')))
	((0 <= late && late <= 12)) # of six million; up to 4 were seen
	[ "$(sites 'sum_of("live", "site_churn")')" = $((live + late)) ]
	more=$(($(sites 'sum_of("live_requested_bytes", "site_churn")') - requested))
	((33 * late <= more && more <= 48 * late)) # each asked for 33 to 48 bytes
}

@test "sites: blocks of a size that was asked for before the library had started" {
	settings=sites=all watched "$programs/early"
	[ "$(sites 'sum(s["allocated"] for s in d["sites"] if stack(s)[:1] == ("main",))')" = 1000 ]
}
