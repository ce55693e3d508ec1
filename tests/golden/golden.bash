# SPDX-License-Identifier: MIT
# What golden.bats and update have in common.

# golden_run POOLMEM FOLDER txt|json: stdout, then stderr and exit code when there is something to say
golden_run()
{
	local arguments=() form=() status
	[ -e "$2/args" ] && read -ra arguments <"$2/args"
	[ "$3" = json ] && form=(--json)
	(
		cd "$2" || exit 2
		LC_ALL=C.UTF-8 TZ=UTC "$1" report "${form[@]}" "${arguments[@]}" capture.pm 2>stderr.tmp
		status=$?
		sed 's/^/stderr: /' stderr.tmp
		rm -f stderr.tmp
		[ $status = 0 ] || echo "exit code: $status"
	)
}
