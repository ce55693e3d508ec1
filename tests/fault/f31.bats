# SPDX-License-Identifier: MIT
# F31: sandboxes.  After start-up the library makes five system calls only: mmap, munmap, mremap, madvise
# and futex; one that is refused is no reason to say or to do anything else.

bats_require_minimum_version 1.5.0
load host

filtered()
{
	watched "$programs/f31_strict" "$@" >"$out/said" 2>"$out/said.err" || code=$?
	cat "$out"/said*
	[ "$code" = 6 ]
	[ ! -s "$out/said.err" ]
	[ "$(told 'metrics["alloc.count"] > 50000')" = True ]
}

@test "F31 a strict filter: one thread" {
	settings=purge.ms=0 filtered strict
	[ "$(cut -d' ' -f2 "$out/said")" = 1 ]
	[ "$(told 'metrics["process.exit"]')" = 6 ]
}

@test "F31 a strict filter: threads" {
	settings=purge.ms=0 filtered threads
	[ "$(told 'len(p["threads"]) >= 7')" = True ]
}

@test "F31 a strict filter: forked children" {
	settings=purge.ms=0 filtered fork
	[ "$(cut -d' ' -f2 "$out/said")" = 12 ]
	[ "$(told 'len(d["processes"]) >= 2')" = True ]
}

# name and count of the system calls after the mark; one that a signal interrupts is restarted by the kernel
calls_of()
{
	plainly strace -f -qq -o "$out/strace" "$@" >/dev/null 2>&1 || [ $? = 6 ]
	sed -n '/ERESTARTNOINTR/d; s/^\([0-9]* *\)\?\([a-z0-9_]*\)(.*/\2/p' "$out/strace" | sed '1,/^getpgrp$/d' | sort | uniq -c
}

@test "F31 a strict filter: each block recorded" {
	settings=purge.ms=0,sites.period=1 filtered strict
	[ "$(sites 'sum_of("allocated") == metrics["alloc.count"] and all("lost" not in s["stack_ends"] for s in d["sites"])')" = True ]
}

# What the library calls on top of the program's own, with these settings.
only()
{
	calls_of env POOLMEM="dir=$out/segments,purge.ms=0,$1" LD_PRELOAD="$lib" "$programs/f31_strict" none >"$out/with"
	[ -e "$out/without" ] || calls_of "$programs/f31_strict" none >"$out/without"
	cat "$out/with"
	grep -qw mmap "$out/with" && grep -qw madvise "$out/with" && grep -qw clone "$out/without"
	awk 'NR == FNR { before[$2] = $1; next }
		$2 ~ /^(mmap|munmap|mremap|madvise|futex)$/ { next }
		$2 == "wait4" && before[$2] { next } # a child that ends interrupts the wait for another
		$1 > before[$2] + 0 { print "more than without:", $2, $1, before[$2] + 0; wrong = 1 }
		END { exit wrong }' "$out/without" "$out/with"
}

@test "F31 strace: after main begins, no system call but those five on top of the program's own" {
	for how in sites=off sites.period=1; do
		only $how
	done
}

# refused CALLS THREADS: calls that the library would like, refused from before the program starts
refused()
{
	code=0
	plainly "$programs/f19_work" "$2" 4 2000 >"$out/plainly" || [ $? = 7 ]
	watched "$programs/f31_filter" 1 "$1" "$programs/f19_work" "$2" 4 2000 \
		>"$out/watched" 2>"$out/watched.err" || code=$?
	echo "without $1: $code"
	[ "$code" = 7 ]
	[ ! -s "$out/watched.err" ]
	diff "$out/plainly" "$out/watched"
}

@test "F31 EPERM for what the library asks: it does without, in silence" {
	for calls in madvise mremap getrandom mkdirat ftruncate,fallocate mmap_shared faccessat \
		prlimit64,readlinkat madvise,mremap,getrandom,mmap_shared; do
		refused $calls 6
	done
	# libc itself gives up when a thread's stack cannot be unmapped
	for calls in munmap madvise,mremap,munmap; do refused $calls 0; done
}

@test "F31 man formats a page under its filters" {
	cat >"$out/page.1" <<-'END'
		.TH PAGE 1
		.SH NAME
		page \- of a program
		.SH DESCRIPTION
		.TS
		l l.
		a	table
		.TE
	END
	same env MANPAGER=cat MANWIDTH=70 man "$out/page.1"
	[ "$code" = 0 ]
	grep -q DESCRIPTION "$out/watched"
	# whether its page is installed or not
	same env MANPAGER=cat MANWIDTH=70 man ls
}

# An sshd of its own, on the loopback of a network namespace, under the library with all its children.
login()
{
	python3 -c 'import fcntl, socket, struct
up, running, set_flags = 1, 0x40, 0x8914
fcntl.ioctl(socket.socket(), set_flags, struct.pack("16sH14x", b"lo", up | running))'
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$out/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$out/user_key"
	cat >"$out/sshd_config" <<-END
		ListenAddress 127.0.0.1
		Port 2222
		HostKey $out/host_key
		AuthorizedKeysFile $out/user_key.pub
		PidFile $out/sshd_pid
		StrictModes no
		PermitRootLogin yes
		UsePAM no
	END
	watched /usr/sbin/sshd -D -e -f "$out/sshd_config" 2>"$out/log" &
	until grep -q listening "$out/log"; do sleep 0.05; done
	for i in $(seq "$(by_level 2 50)"); do
		plainly ssh -F none -i "$out/user_key" -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no \
			-o UserKnownHostsFile="$out/known" root@127.0.0.1 'seq 100000 | tail -n 1; exit 4' \
			>"$out/answer" 2>"$out/answer.err" || code=$?
		cat "$out"/log "$out"/answer*
		[ "$code" = 4 ]
		[ "$(cat "$out/answer")" = 100000 ]
	done
	kill "$(cat "$out/sshd_pid")"
	wait $! || true
	if grep -iE 'fatal|sandbox|violation|unexpected' "$out/log"; then return 1; fi
}

@test "F31 a login by sshd on loopback" {
	export -f login watched plainly by_level
	export lib programs out watchdog level
	unshare -n $mounts_apart bash -euc login
	for segment in "$out"/segments/*.pms; do
		"$poolmem" report --json "$segment" | grep -q '"exe": *"/usr/sbin/sshd"' && found=1
	done
	[ "$found" = 1 ]
}
