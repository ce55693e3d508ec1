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

@test "sites: of a sample, too, what is freed before anything else is allocated is temporary" {
	POOLMEM=dir=$out/segments,sites.period=2,gen.threshold=1000000000:10:10 LD_PRELOAD=$lib \
		"$programs/sites" "$programs/libsites.so" >"$out/account"
	"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/json"
	python3 - "$out/json" <<-'END'
		import json, sys
		report = json.load(open(sys.argv[1]))
		sites = [site for site in report["sites"]
		         if site["frames"] and report["frames"][site["frames"][0]]["function"] == "site_temporary"]
		freed = sum(site["freed"] for site in sites)
		temporary = sum(site["temporary"] for site in sites)
		assert report["mode"] == "sample" and freed > 2900 and temporary == freed, (report["mode"], freed, temporary)
	END
}

@test "sites: more stacks than there is room for lose their outer frames, and no block" {
	POOLMEM=dir=$out/segments,sites=all LD_PRELOAD=$lib "$programs/paths" 17 >"$out/account"
	[ "$(cat "$out/account")" = "131072 43691" ]
	"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/json"
	python3 - "$out/json" <<-'END'
		import json, sys
		report = json.load(open(sys.argv[1]))
		ends = [site for site in report["sites"]
		        if site["frames"] and report["frames"][site["frames"][0]]["function"] == "at_the_end"]
		assert sum(site["allocated"] for site in ends) == 131072, "allocated"
		assert sum(site["live"] for site in ends) == 43691, "live"
		assert report["dropped_blocks"] == 0 and report["dropped_stacks"] == 0
		assert sum(site["allocated"] for site in ends if "cut" in site["stack_ends"]) > 80000, "cut"
	END
}

@test "sites: the stacks of a program with holes between its segments" {
	POOLMEM=dir=$out/segments,sites=all LD_PRELOAD=$lib "$programs/holes"
	"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/json"
	python3 - "$out/json" <<-'END'
		import json, sys
		report = json.load(open(sys.argv[1]))
		names = [[report["frames"][frame]["function"] for frame in site["frames"]] + site["stack_ends"]
		         for site in report["sites"]]
		assert any(["in_the_far", "and_its_caller", "main"] == stack[:3] and stack[-1] == "whole" for stack in names), names
	END
}

# A thaw may take the stamp of a block that came to the place of one which it has just looked at: its free is in no site.
@test "sites: blocks that another thread freezes and thaws are freed and counted as others" {
	POOLMEM=dir=$out/segments,sites=all LD_PRELOAD=$lib "$programs/thaws" >"$out/account"
	"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/json"
	python3 - "$out/json" "$out/account" <<-'END'
		import json, sys
		report = json.load(open(sys.argv[1]))
		found = [site for site in report["sites"]
		         if site["frames"] and report["frames"][site["frames"][0]]["function"] == "site_churn"]
		have = [sum(site[figure] for site in found)
		        for figure in ("allocated", "freed", "live", "live_requested_bytes")]
		want = [int(word) for word in open(sys.argv[2]).read().split()]
		assert have[0] == want[0] and 0 <= want[1] - have[1] <= 3, (have, want)
		assert have[1] < want[1] or have == want, (have, want)
	END
}

@test "sites: blocks of a size that was asked for before the library had started" {
	POOLMEM=dir=$out/segments,sites=all LD_PRELOAD=$lib "$programs/early"
	"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/json"
	python3 - "$out/json" <<-'END'
		import json, sys
		report = json.load(open(sys.argv[1]))
		of_main = sum(site["allocated"] for site in report["sites"]
		              if site["frames"] and report["frames"][site["frames"][0]]["function"] == "main")
		assert of_main == 1000, of_main
	END
}
