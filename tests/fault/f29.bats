# SPDX-License-Identifier: MIT
# F29: many containers, all programs pid 1, one directory: nothing is mixed up, overwritten or removed.

bats_require_minimum_version 1.5.0
load host

# Ours to end whatever happens: each waits for the end of its input.
start_containers()
{
	mkfifo "$out/input"
	containers=()
	for i in $(seq "$1"); do
		plainly unshare -p -f env POOLMEM="dir=$out/segments" LD_PRELOAD="$lib" \
			"$programs/f29_first" "$i" "$out" <"$out/input" >"$out/pid.$i" &
		containers+=($!)
	done
	exec 9>"$out/input"
	for i in $(seq "$1"); do
		until [ -s "$out/pid.$i" ]; do sleep 0.01; done
		[ "$(cat "$out/pid.$i")" = 1 ]
	done
}

end_containers()
{
	exec 9>&-
	wait "${containers[@]}"
}

@test "F29 containers in one directory, all programs pid 1" {
	count=$(by_level 20 100)
	start_containers "$count"
	# shellcheck disable=SC2046
	python3 "$here/f29_check.py" "$poolmem" "$out/segments" "$count" $(pgrep -f "^$programs/f29_first [0-9]+ $out")
	end_containers
	python3 "$here/f29_check.py" "$poolmem" "$out/segments" "$count"
}

# The limit is so low that every finished segment would go; a starting program removes none that runs.
@test "F29 segments of running containers are not taken for finished ones" {
	start_containers 4
	for i in $(seq 2000); do # one start in 64 removes what has finished
		settings=max=1 watched true
		[ "$(find "$out/segments" -name '*.pms' | wc -l)" = $((i + 4)) ] || break
	done
	[ "$i" -lt 2000 ]
	[ "$(find "$out/segments" -name '*-1-*.pms' | wc -l)" = 4 ]
	end_containers
}

# Where there are many, fewer starts look, and one look removes as many as it takes, up to 4,096: by
# chance so many starts may come before it that there are more.
@test "F29 more than a thousand finished segments are brought within the limit by one start" {
	local before after
	python3 - "$out/segments" <<-'END'
		import sys
		for i in range(1100):
		    open("%s/%016x-1-%08x.pms" % (sys.argv[1], i, i), "wb").write(bytes(4096))
	END
	for i in $(seq 9000); do
		settings=max=1M watched true
		[ -e "$out/segments/0000000000000000-1-00000000.pms" ] || break
	done
	[ "$i" -lt 9000 ]
	before=$((1100 + i))
	after=$(find "$out/segments" -name '*.pms' | wc -l)
	[ "$((before - after))" = 4096 ] ||
		[ "$(du -cB1 "$out/segments"/*.pms | tail -n 1 | cut -f1)" -le $((1100 << 10)) ]
	[ "$after" -gt 10 ] # and no more than was needed
}
