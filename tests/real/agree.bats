# SPDX-License-Identifier: MIT
# The same answers as heaptrack and valgrind's DHAT: allocations, temporary ones, leaked bytes and who allocates, of real
# programs, to the unit.  What each of the three counts stands in agree.py.  At level test one program, in soak seven.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	require_lib
	ulimit -c 0
	out=$BATS_TEST_TMPDIR
	export LC_ALL=C.UTF-8 TZ=UTC HOME=$out/home
	export PYTHONMALLOC=malloc PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0
	mkdir "$HOME"
}

# agree NAME COMMAND...: standard input from the file $input
agree()
{
	mkdir "$out/$1"
	"$(real_python)" "$here/agree.py" --poolmem "$poolmem" --libs "$programs" --work "$out/$1" \
		--stdin "${input:-/dev/null}" "$@"
}

real_python()
{
	python3 -c 'import sys; print(sys.executable)'
}

agree_lua()
{
	agree lua "$(command -v lua5.4)" -e '
		local lists, words = {}, {}
		for i = 1, 5000 do lists[i] = {i, tostring(i)} end
		for i = 1, 2000 do words[#words + 1] = ("x"):rep(i % 50) .. i end
		print(#table.concat(words), #lists)'
}

agree_perl()
{
	# shellcheck disable=SC2016
	agree perl "$(command -v perl)" -e '
		for my $i (1 .. 3000) {
			$grown{"k" . ($i * 7919 % 3001)} .= "x" x ($i % 40);
			push @{$lists[$i % 100]}, [$i, "$i"];
		}
		print scalar(keys %grown), " ", join(",", map { scalar @$_ } @lists[0 .. 5]), "\n"'
}

# Without `site`, which loads a library that heaptrack has brought already.
agree_python3()
{
	agree python3 "$(real_python)" -S -s -c '
import json
print(len(json.dumps([{"id": i, "values": [i, str(i)]} for i in range(500)])))'
}

agree_sqlite3()
{
	cat >"$out/sql" <<-'END'
		create table t(id integer primary key, name text, n int);
		with recursive c(i) as (select 1 union all select i + 1 from c where i < 2000)
		insert into t select i, 'name' || (i * 7919 % 2001), i % 17 from c;
		create index byname on t(name);
		select count(*), sum(n), group_concat(name) from (select * from t order by name limit 5);
		select n, count(*) from t where name like '%1%' group by n order by 2 desc, 1 limit 4;
		update t set name = upper(name) where n = 3;
		delete from t where n > 12;
		select count(*) from t;
	END
	input=$out/sql agree sqlite3 "$(command -v sqlite3)" :memory:
}

agree_cc1()
{
	python3 -B -c 'import sys
sys.path.insert(0, sys.argv[1])
import workloads
print(workloads.c_source(4))' "$root/tools/bench" >"$out/list.i"
	agree cc1 "$(gcc -print-prog-name=cc1)" -quiet -O1 -fpreprocessed "$out/list.i" -o /dev/null
}

agree_git()
{
	git init -q "$out/tree"
	cd "$out/tree" || return
	for turn in 1 2 3 4 5 6; do
		seq "$turn" 7 900 >"list$((turn % 4))"
		git add .
		git -c user.name=name -c user.email=name@example.org commit -q -m "turn $turn"
	done
	agree git "$(command -v git)" -C "$out/tree" log --oneline --stat
}

agree_gs()
{
	agree gs "$(command -v gs)" -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=nullpage "$here/programs/page.ps"
}

@test "agree: lua, and in soak perl, python3, sqlite3, cc1, git and gs, as heaptrack and DHAT see them" {
	local program differs=''
	for program in lua $(by_level "" "perl python3 sqlite3 cc1 git gs"); do
		"agree_$program" || differs="$differs $program"
	done
	echo "differs:${differs:- none}"
	[ -z "$differs" ]
}
