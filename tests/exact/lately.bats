# SPDX-License-Identifier: MIT
# A process that was killed, without `run`: its segment says whose blocks became more in its last epochs.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

@test "lately: of a killed process, the one call site that grew, as many blocks as it took" {
	run -137 env POOLMEM="dir=$out/segments,sites=all" LD_PRELOAD="$lib" "$programs/lately"
	run -0 "$poolmem" frag "$out"/segments/*.pms
	[[ $output == *"What became more in the last "*keep_late* ]]
	[[ $output != *keep_early* ]]
	"$poolmem" frag --json "$out"/segments/*.pms >"$out/json"
	python3 - "$out/json" <<-'END'
		import json, sys
		report = json.load(open(sys.argv[1]))
		lately = report["processes"][0]["growth_lately"]
		[site] = lately["sites"]
		assert site["function"] == "keep_late", site
		# All of the last epochs are of the loop of which each second allocation stays.
		assert 0 < site["blocks"] < 40000, site
		assert site["bytes"] == 208 * site["blocks"], site
		# One of the others may have lived when that was noted.
		assert site["bytes"] - lately["bytes"] in (0, 208), lately
		assert lately["epochs"] >= 1, lately
	END
}
