# SPDX-License-Identifier: MIT
# What was planted is found, and the line that did it: one allocation in a million, a leak of 1 KiB, 1 % of peak; in C, C++ and
# an extension of Python.  Programs that repeat do so to the unit; those that do not raise no false alarm with the tolerances
# that are suggested, and let nothing through that is ten times as large.

bats_require_minimum_version 1.5.0
load place

planted=$BATS_TEST_DIRNAME/planted

# found VARIANT SOURCE RULE: exactly that rule is exceeded, and the first site to blame is the line of SOURCE that holds PLANTED
found()
{
	run -1 check --test "$1" --report json=$1.json
	python3 - "$@" <<-'END'
		import json, sys
		variant, source, text = sys.argv[1:]
		rules = json.load(open(variant + ".json"))["tests"][0]["rules"]
		over = [r for r in rules if r["state"] == "exceeded"]
		assert text in [r["rule"] for r in over], rules
		site = next(r for r in over if r["rule"] == text)["sites"][0]
		lines = [n for n, l in enumerate(open(source), 1) if "PLANTED" in l and not l.startswith(("//", "/*"))]
		flag = {"one": "#ifdef ONE", "leak": "#ifdef LEAK", "peak": "#ifdef PEAK"}[variant]
		at = next(n for n, l in enumerate(open(source), 1) if l.startswith(flag))
		wanted = min(n for n in lines if n > at)
		named = [site["line"]] + [int(s.rsplit(":", 1)[1].rstrip(")")) for s in site["stack"] if ":" in s]
		assert site["line"] == wanted, (wanted, site)
		assert site["file"].endswith(source.rsplit("/", 1)[1]), site
	END
}

# planted SOURCE COMMAND BUILD...: a baseline of the plain program, then each variant in its place
planted()
{
	local source=$1 command=$2 variant
	shift 2
	"$@"
	for variant in one leak peak; do
		printf '%s\n' "[test \"$variant\"]" "command = $command" 'env = PYTHONPATH=ext' 'alloc.count <= baseline' 'leak.bytes <= baseline' \
			'live.peak <= baseline + 0.9%'
	done >poolmem.budget
	run -0 check --update
	run -0 check
	"$@" -DONE
	found one "$source" 'alloc.count <= baseline'
	"$@" -DLEAK
	found leak "$source" 'leak.bytes <= baseline'
	"$@" -DPEAK
	found peak "$source" 'live.peak <= baseline + 0.9%'
}

@test "planted: in C" {
	planted "$planted/plain.c" ./plain gcc -g -O1 -fno-builtin -o plain "$planted/plain.c"
}

@test "planted: in C++" {
	planted "$planted/classes.cpp" ./classes g++ -std=gnu++17 -g -O1 -o classes "$planted/classes.cpp"
}

@test "planted: in an extension of Python" {
	local include
	include=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')
	[ -e "$include/Python.h" ] || skip "no package libpython3-dev"
	mkdir ext # of its own: Python reads the names in it
	planted "$planted/extension.c" '/usr/bin/python3 -c "import extension; extension.run()"' \
		gcc -g -O1 -fno-builtin -shared -fPIC "-I$include" -o ext/extension.so "$planted/extension.c"
}

# --- what repeats ---

@test "planted: ten real programs repeat to the unit" {
	local runs cc1
	runs=$(by_level 3 20)
	cc1=$(gcc -print-prog-name=cc1)
	printf '%s\n' 'struct a { int b[9]; };' 'int f(struct a *p) { int s = 0; for (int i = 0; i < 9; i++) s += p->b[i]; return s; }' >c.i
	seq 1 3000 >lines
	git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first
	cat >poolmem.budget <<-'END'
		[test "python3"]
		command = /usr/bin/python3 -c "import json; print(len(json.dumps(list(range(1000)))))"
		env.PYTHONMALLOC = malloc
		[test "perl"]
		command = perl -e 'my %h; $h{$_} = "x" x $_ for 1..2000; print scalar keys %h'
		[test "sqlite3"]
		command = sqlite3 :memory: "create table t(a,b); with recursive c(x) as (select 1 union all select x+1 from c where x<2000) insert into t select x, hex(x) from c; select count(*) from t group by a%7;"
		[test "lua"]
		command = lua5.4 -e "local t = {} for i = 1, 20000 do t[i] = tostring(i) end print(#t)"
		[test "gs"]
		command = gs -q -dNOPAUSE -dBATCH -sDEVICE=nullpage -c "100 100 moveto 300 300 lineto stroke showpage"
		[test "git"]
		command = git log --stat
		[test "bash"]
		command = bash -c 'for i in {1..200}; do a[$i]=x$i; s=${s}${a[$i]}; done; x=$(echo $s); echo ${#s}'
		[test "sed"]
		command = sed -n 's/1/b/gp' lines
		[test "awk"]
		command = awk '{ n[$1 % 100]++ } END { for (k in n) print k, n[k] }' lines
	END
	printf '%s\n' '[test "cc1"]' "command = '$cc1' -quiet -O2 c.i -o /dev/null" >>poolmem.budget
	run check --update --runs "$runs" --report json=out.json
	python3 - "$runs" <<-'END'
		import json, sys
		d = json.load(open("out.json"))
		exempt = {"rss.now", "rss.peak", "process.elapsed_ns", "heap.telemetry"}
		assert len(d["tests"]) == 10
		for t in d["tests"]:
		    assert t["state"] == "passed" and t["run_count"] == int(sys.argv[1]), (t["name"], t["state"], t["why"])
		    assert not set(t["spread"]) - exempt, (t["name"], t["spread"])
		    assert t["metrics"]["alloc.count"] > 10 and t["metrics"]["live.peak"] > 0
	END
}

# --- what does not ---

@test "planted: no false alarm of a program of chance, nothing let through that is ten times its tolerance" {
	local turns turn
	turns=$(by_level 4 100)
	printf '%s\n' '[test "jitter"]' "command = $programs/jitter" 'alloc.count <= baseline' >poolmem.budget
	run check --update --report json=first.json
	# The tolerances that were suggested, of what was noisy; they are at most three times the spread.
	python3 - "$programs/jitter" <<-'END'
		import json, sys
		t = json.load(open("first.json"))["tests"][0]
		rules = []
		for m in ("alloc.count", "alloc.bytes", "live.peak"):
		    s = t["spread"].get(m)
		    value = t["metrics"][m]
		    part = 3 * (s["most"] - s["least"]) * 1000000 // value if s else 0
		    rules.append((m, value, part))
		r = next(x for x in t["rules"] if x["metric"] == "alloc.count")
		assert t["spread"].get("alloc.count"), "this program is to be noisy"
		assert 0 < r["tolerance_millionths"] <= max(1, rules[0][2]), (r, rules)
		text = "[test \"jitter\"]\ncommand = %s%%s\n" % sys.argv[1]
		text += "".join("%s <= baseline + %d.%04d%%%%\n" % (m, p // 10000, p % 10000) for m, v, p in rules)
		open("poolmem.budget", "w").write(text % "")
		extra = max(1, 10 * rules[0][1] * rules[0][2] // 1000000)
		held = max(4096, 10 * rules[2][1] * rules[2][2] // 1000000)
		open("more.budget", "w").write(text % (" extra %d" % extra))
		open("held.budget", "w").write(text % (" held %d" % held))
	END
	for ((turn = 0; turn < turns; turn++)); do
		run -0 check
	done
	for ((turn = 0; turn < turns; turn++)); do
		run -1 check --budget more.budget
		[[ $output == *"planted at "* ]]
		run -1 check --budget held.budget
		[[ $output == *"live.peak is "*over* ]]
	done
}
