# SPDX-License-Identifier: MIT
# F10: the program's descriptors are its own, all numbers, from its first instruction to its last.

bats_require_minimum_version 1.5.0
load host

# How a program was started: with what it has open, and what it has closed.
started()
{
	case $1 in
	plain) "${@:2}" ;;
	all-closed) "${@:2}" 0<&- 1>&- 2>&- ;;
	some-closed) "${@:2}" 0<&- 2>&- ;;
	many-open) "${@:2}" 3>"$out/a" 4>"$out/b" 7</dev/null 9</dev/null 63</dev/null ;;
	esac 3>&- 4>&-
}

@test "F10 the same descriptors as without the library, however it was started" {
	for settings in sites=off sites.period=1; do
		for way in plain all-closed some-closed many-open; do
			exec 5>&- 6>&-
			started $way plainly "$programs/f10_fds" "$out/plain.$way"
			started $way watched "$programs/f10_fds" "$out/watched.$way"
			grep -qx 'wrong pieces 0' "$out/plain.$way"
			diff "$out/plain.$way" "$out/watched.$way"
		done
	done
	[ "$(find "$out/segments" -name '*.pms' | wc -l)" -ge 4 ]
}

@test "F10 a shell script that opens 3 and 4" {
	cat >"$out/script" <<-'END'
		exec 3>"$1" 4>"$2"
		for i in $(seq 20); do
			echo "three $i" >&3
			(echo "four $i" | cat >&4)
			words=$(printf '%s ' $(seq 1 "$i"))
		done
		echo "$words" >&3
		ls /proc/self/fd | wc -l
		exec 3>&- 4>&-
	END
	same bash "$out/script" "$out/a" "$out/b"
	[ "$code" = 0 ]
	bash "$out/script" "$out/a.plain" "$out/b.plain"
	cmp "$out/a" "$out/a.plain"
	cmp "$out/b" "$out/b.plain"
}

@test "F10 /proc/PID/fd of a running program names nothing of ours" {
	cat >"$out/program" <<-'END'
		import os, sys, threading
		def work():
		    for n in range(20000): bytes(n)
		threads = [threading.Thread(target=work) for _ in range(4)]
		for t in threads: t.start()
		for t in threads: t.join()
		print(os.getpid(), flush=True)
		open(sys.argv[1]).read()
	END
	mkfifo "$out/go"
	settings=sites.period=64
	for how in plainly watched; do
		"$how" python3 "$out/program" "$out/go" >"$out/pid.$how" &
		until [ -s "$out/pid.$how" ]; do sleep 0.01; done
		(cd "/proc/$(cat "$out/pid.$how")/fd" && for fd in *; do echo "$fd $(readlink "$fd")"; done) |
			sed 's/:\[[0-9]*\]//; s/pid\..*/pid/' >"$out/fds.$how"
		: >"$out/go"
		wait $!
	done
	[ -s "$out/fds.plainly" ]
	diff "$out/fds.plainly" "$out/fds.watched"
}
