# SPDX-License-Identifier: MIT
# What golden.bats and update have in common.

# golden_run POOLMEM FOLDER COMMAND txt|json: stdout, then stderr and exit code when there is something to say
golden_run()
{
	local arguments=() more=() form=() status=0
	[ -e "$2/args" ] && read -ra arguments <"$2/args"
	[ -e "$2/$3.args" ] && read -ra more <"$2/$3.args"
	[ "$4" = json ] && form=(--json)
	(
		cd "$2" || exit 2
		LC_ALL=C.UTF-8 TZ=UTC "$1" "$3" "${form[@]}" "${arguments[@]}" "${more[@]}" capture.pm 2>stderr.tmp ||
			status=$?
		sed 's/^/stderr: /' stderr.tmp
		rm -f stderr.tmp
		[ $status = 0 ] || echo "exit code: $status"
	)
}

# golden_expected COMMAND txt|json: the file that holds it
golden_expected()
{
	[ "$1" = report ] && echo "expected.$2" || echo "$1.$2"
}

# The pictures that are compared, and with which options they are made.
declare -A golden_pictures=([tree/map.svg]='--all' [heap/map.svg]='' [heap/map_owner.svg]='--by owner --scale 32')

# golden_picture POOLMEM GOLDEN NAME FILE
golden_picture()
{
	# shellcheck disable=SC2086
	LC_ALL=C.UTF-8 "$1" map ${golden_pictures[$3]} -f --svg "$4" "$2/${3%/*}/capture.pm" >/dev/null
}

# golden_over_time POOLMEM FOLDER time|allocs|json|svg: of frag what was live when
golden_over_time()
{
	case $3 in
	json) "$1" frag --json "$2/capture.pm" | python3 -c 'import json, sys
json.dump(json.load(sys.stdin)["processes"][0]["timeline"], sys.stdout, indent=1)' ;;
	svg)
		local picture
		picture=$(mktemp -d) || return
		"$1" frag -o /dev/null --timeline "$picture/svg" "$2/capture.pm" && cat "$picture/svg"
		rm -r "$picture"
		;;
	*) "$1" frag --by "$3" "$2/capture.pm" | sed -n '/^Over /,/^$/p' ;;
	esac
}

# golden_commands FOLDER: what it is shown by; frag where that was once written down
golden_commands()
{
	echo report survival sites leaks map
	[ ! -e "$1/frag.txt" ] || echo frag
}

# golden_segments GOLDEN DIRECTORY: three segments out of captures, and a file that is none
golden_segments()
{
	local row capture
	mkdir -m 700 "$2"
	for row in exited:1797a1b2c3d4e5f6-1234 killed:1797a1b2c3d4e5f7-3000 newer:1797a1b2c3d4e5f8-6000; do
		capture=$1/${row%%:*}/capture.pm
		python3 -c 'import sys; d=open(sys.argv[1],"rb").read(); n=int.from_bytes(d[24:32],"little"); sys.stdout.buffer.write(d[40:40+n])' \
			"$capture" >"$2/${row##*:}-0a1b2c3d.pms"
	done
	echo no segment >"$2/other"
}

# golden_listing POOLMEM COMMAND DIRECTORY: ages, sizes and the directory differ from run to run
golden_listing()
{
	POOLMEM=dir=$3 "$1" "$2" --json |
		sed -E "s,$3,DIRECTORY,; s/\"(age_ns|bytes|segments.bytes|segments.removed_bytes)\": [0-9]+/\"\1\": 0/"
}
