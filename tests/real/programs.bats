# SPDX-License-Identifier: MIT
# Real programs do under the library what they do without it, and the reports on them are right.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	require_lib
	ulimit -c 0
	out=$BATS_TEST_TMPDIR
	files=$here/programs
	oracle=$build/tests/exact/liboracle.so
	python=$(python3 -c 'import sys; print(sys.executable)')
	export LC_ALL=C.UTF-8 TZ=UTC HOME=$out/work PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
	shell=$(real sh)
	PATH=$PATH:/usr/sbin
}

# in_work NAME PROGRAM...: runs it in a fresh folder of one and the same name; its output, errors, exit
# code and process id are kept in NAME.*
in_work()
{
	local name=$1 code=0
	shift
	rm -rf "$out/work" && mkdir "$out/work" && cd "$out/work" || return
	(
		echo "$BASHPID" >"$out/$name.pid"
		exec "$@" >"$out/$name.out" 2>"$out/$name.err" </dev/null 3>&-
	) || code=$?
	echo "$code" >"$out/$name.code"
}

fresh_segments()
{
	rm -rf "$out/segments" && mkdir -m 700 "$out/segments"
}

alike()
{
	local part same=true
	for part in out err code; do
		cmp -s "$out/plain.$part" "$out/under.$part" && continue
		diff -a "$out/plain.$part" "$out/under.$part" | head -40
		same=false
	done
	[ "$(cat "$out/plain.code")" = "$1" ] || { echo "exit code $(cat "$out/plain.code"), not $1"; same=false; }
	[ -s "$out/plain.out" ] || { echo 'no output'; same=false; }
	$same
}

# The names that commands of a system have in truth.
real()
{
	for command; do basename "$(readlink -f "$(command -v "$command")")"; done
}

# same CODE PROGRAM...: twice, without and with the library.  `expect` names programs that must be there.
same()
{
	local code=$1 arguments=() name
	shift
	in_work plain "$@"
	fresh_segments
	in_work under env POOLMEM="dir=$out/segments" LD_PRELOAD="$lib" "$@"
	alike "$code"
	for name in $expect; do arguments+=(--program "$name"); done
	"$python" "$here/tree.py" --poolmem "$poolmem" --pid "$(cat "$out/under.pid")" --exit "$code" \
		"${arguments[@]}" "$out/segments"
}

# Every call of every process was counted, by what stands in front of the library.
exact()
{
	fresh_segments
	in_work under env POOLMEM="dir=$out/segments" ORACLE_OUT="$out/oracle" LD_PRELOAD="$oracle $lib" "$@"
	cmp "$out/plain.out" "$out/under.out"
	"$python" "$here/../exact/check.py" --poolmem "$poolmem" "$out/oracle" "$out/segments"
}

same_and_exact()
{
	same "$@"
	shift
	exact "$@"
}

@test "programs: python3" {
	expect="$(real "$python") sort $shell" same_and_exact 3 "$python" "$files/load.py" "$(by_level 20000 300000)"
}

@test "programs: python3, each object by malloc" {
	export PYTHONMALLOC=malloc
	same_and_exact 3 "$python" "$files/load.py" "$(by_level 10000 300000)"
}

@test "programs: python3 with threads and forks from among them" {
	same 0 "$python" "$files/threads.py" "$(by_level 20000 200000)"
}

@test "programs: perl" {
	expect="perl sort $shell" same_and_exact 3 perl "$files/load.pl" "$(by_level 30000 1000000)"
}

@test "programs: bash, with descriptors of its own and pipelines" {
	expect='bash sort=3 tee tail paste cat=3 grep diff' same_and_exact 3 bash "$files/load.sh" "$(by_level 500 20000)"
}

@test "programs: git init, add, commit, gc, log" {
	expect="git=$(by_level 40 400)" same_and_exact 3 bash "$files/git.sh" "$(by_level 15 200)"
}

@test "programs: sqlite3" {
	same_and_exact 1 sqlite3 -bail base ".read $files/load.sql"
}

@test "programs: gcc, g++ and make -j2" {
	local count
	count=$(by_level 6 200)
	expect="make=2 cc1=$((count + 3)) cc1plus collect2 program $(real gcc g++ as ld)" same_and_exact 3 bash "$files/build.sh" "$count"
}

@test "programs: redis-server under redis-benchmark" {
	expect='redis-check-rdb=2 redis-benchmark redis-cli=5' same 3 bash "$files/redis.sh" "$(by_level 2000 100000)"
}

@test "programs: gs, to a picture and to nothing" {
	same 0 gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=nullpage "$files/page.ps"
	same 0 bash -c 'gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=png16m -r60 -sOutputFile=p%d.png "$1" &&
		sha256sum p1.png p2.png p3.png' - "$files/page.ps"
}

@test "programs: man, whose formatters run behind a filter of system calls" {
	export MANWIDTH=80 MAN_KEEP_STDERR=1 SOURCE_DATE_EPOCH=1 # a page in PostScript has its date in it
	same 0 man -P cat -l "$files/page.1"
	same 0 man -Tps -l "$files/page.1"
}

@test "programs: sshd, a login by key" {
	expect="sshd=$(by_level 4 20) ssh=$(by_level 4 20)" same 3 bash "$files/sshd.sh" "$(by_level 2 20)"
}

@test "programs: stress-ng" {
	expect='stress-ng=5' same 3 bash "$files/stress.sh" "$(by_level 20 1000)" malloc fork vfork clone pthread
}

run_lua()
{
	same_and_exact 3 lua5.4 "$files/load.lua" "$(by_level 30000 1000000)"
}

run_node()
{
	expect="node $shell" same 3 node "$files/load.js" 50000
}

# keytool is a program in Java that comes with the machine itself.
run_java()
{
	local keytool=(-XX:-UsePerfData -m java.base/sun.security.tools.keytool.Main -list -rfc -cacerts)
	same 0 java -Xint "${keytool[@]}"
	same 0 java "${keytool[@]}"
}

@test "programs: machines of languages: lua; in soak node and java too" {
	for machine in lua $(by_level "" "node java"); do
		"run_$machine"
	done
}
