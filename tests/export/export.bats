# SPDX-License-Identifier: MIT
# What other programs read in the exports: the figures of `poolmem sites --json` and `poolmem report --json`, and the names.

bats_require_minimum_version 1.5.0
load ../posix/preload

golden=$here/../golden
formats='pprof dhat collapsed speedscope sqlite openmetrics csv'

setup()
{
	prepare
	export POOLMEM=dir=$out/segments
	cd "$out"
}

# A program with names and lines, and each block recorded: work.pms.
record()
{
	POOLMEM=$POOLMEM,sites.period=1,gen.threshold=10:10:10 LD_PRELOAD=$lib "$programs/work"
	mv segments/*.pms work.pms
}

# captures: those that hold sites
captures()
{
	record
	echo "$out/work.pms" "$golden"/{sites,sampled,sites_hostile}/capture.pm
}

# need COMMAND PACKAGE
need()
{
	command -v "$1" >/dev/null || skip "$1 is not here: tools/setup soak installs $2"
}

# with_module MODULE PACKAGE: sets python
with_module()
{
	for python in python3 /usr/bin/python3; do
		"$python" -c "import $1" 2>/dev/null && return
	done
	skip "python3 has no $1: tools/setup test installs $2"
}

@test "export: pprof: protoc decodes it, and it says what sites do" {
	need protoc protobuf-compiler
	for capture in $(captures); do
		"$poolmem" export --format pprof "$capture" | gzip -dc |
			protoc -I "$here" --decode=perftools.profiles.Profile "$here/profile.proto" >decoded
		"$poolmem" sites --json "$capture" >sites.json
		program=
		case $capture in */sites/*) program=/usr/bin/example ;; *work.pms) program=$programs/work ;; esac
		python3 "$here/pprof.py" decoded sites.json $program
	done
}

@test "export: pprof: go tool pprof reads it" {
	need go golang-go
	export PPROF_TMPDIR=$out HOME=$out
	for capture in $(captures); do
		"$poolmem" export --format pprof -f -o heap.pb.gz "$capture"
		run -0 go tool pprof -symbolize=none -raw heap.pb.gz
		[[ $output == *"alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]"* ]]
		[[ $output != *$'\e'* ]]
	done
	record
	"$poolmem" export --format pprof -f -o heap.pb.gz work.pms
	run -0 go tool pprof -symbolize=none -top heap.pb.gz
	[[ $output == *"File: work"*"Type: inuse_space"*"355.06kB total"*" 296kB "*" grow"* ]]
	run -0 go tool pprof -symbolize=none -raw heap.pb.gz
	[[ $output == *'       100     100800         60      60480: '* && $output == *'bytes:[1008 bytes]'* ]]
	[[ $output =~ \ parse\ [^$'\n']*work.c:19\ s=0$'\n'\ +load\ [^$'\n']*work.c:26\ s=0 ]]
	run -0 go tool pprof -symbolize=none -top -unit=B -sample_index=alloc_space heap.pb.gz
	[[ $output == *"414304B total"* && $output == *" 10400B "*"scratch"* ]]
	"$poolmem" export --format pprof --of count -f -o heap.pb.gz work.pms
	run -0 go tool pprof -symbolize=none -raw heap.pb.gz
	[[ $output == *"alloc_objects/count[dflt]"* ]]
}

@test "export: DHAT: what its viewer asks for, and the sums of sites" {
	for capture in $(captures); do
		"$poolmem" export --format dhat "$capture" >dhat.json
		"$poolmem" sites --json "$capture" >sites.json
		python3 - <<-'END'
			import json
			d, sites = json.load(open("dhat.json")), json.load(open("sites.json"))
			assert d["dhatFileVersion"] == 2 and d["bklt"] is True and d["bkacc"] is False
			for name in "mode", "verb", "tu", "Mtu", "cmd":
			    assert type(d[name]) is str and d[name], name
			for name in "pid", "te", "tg", "tuth":
			    assert type(d[name]) is int and d[name] > 0, name
			assert ("estimates from" in d["mode"]) == (sites["mode"] == "sample")
			assert d["ftbl"][0] == "[root]" and len(set(d["ftbl"])) == len(d["ftbl"])
			assert len({tuple(p["fs"]) for p in d["pps"]}) == len(d["pps"])
			assert {n for p in d["pps"] for n in p["fs"]} == set(range(1, len(d["ftbl"])))
			for p in d["pps"]:
			    assert p["mb"] >= max(p["gb"], p["eb"]) and p["mbk"] >= max(p["gbk"], p["ebk"]) and p["fs"]
			    assert 0 <= p["tl"] <= d["te"] * p["tbk"]
			for mine, its in ("tb", "allocated_bytes"), ("tbk", "allocated"), ("eb", "live_bytes"), ("ebk", "live"), ("gb", "peak_bytes"):
			    assert abs(sum(p[mine] for p in d["pps"]) - sites["all"][its]) <= (len(d["pps"]) if sites["mode"] == "sample" else 0)
		END
	done
	python3 - "$out/work.pms" "$poolmem" <<-'END'
		import json, subprocess, sys
		d = json.loads(subprocess.check_output([sys.argv[2], "export", "--format", "dhat", sys.argv[1]]))
		def point(name):
		    return next(p for p in d["pps"] if ": %s (" % name in d["ftbl"][p["fs"][0]])
		assert point("scratch")["tl"] < 50 and point("scratch")["tbk"] == 50 and point("scratch")["ebk"] == 0
		load = point("parse")
		assert (load["tbk"], load["tb"], load["ebk"], load["eb"]) == (100, 100800, 60, 60480)
		assert d["ftbl"][load["fs"][1]].endswith("work.c:26)") and load["tl"] / load["tbk"] > 1
		assert d["te"] > 5 and point("grow")["tl"] == d["te"] // 2
	END
}

# The viewer runs in a browser: the file is given to its code as the button would.
@test "export: DHAT: valgrind's viewer shows it" {
	need chromium chromium
	viewer=$(dpkg -L valgrind 2>/dev/null | grep '/dh_view.js$' || true)
	[ -r "$viewer" ] || skip "valgrind has no viewer here"
	cp "${viewer%.js}".{js,css,html} .
	for capture in $(captures); do
		"$poolmem" export --format dhat "$capture" >dhat.json
		python3 - <<-'END'
			import json
			data = json.dumps(open("dhat.json").read()).replace("<", "\\u003c")
			page = open("dh_view.html").read().replace('onload="onLoad()"', 'onload="onLoad(); show()"')
			script = "<script>function show() { tryFunc(() => { gFilename = 'x'; gData = JSON.parse(%s); buildTree(); displayTree(1, 1, 1); }) }</script>" % data
			open("page.html", "w").write(page.replace("</head>", script + "</head>"))
		END
		run -0 --separate-stderr timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$out/browser" \
			--virtual-time-budget=5000 --dump-dom "file://$out/page.html"
		grep -q 'PP 1/' <<<"$output"
		[[ $output != *'class="error"'* && $output != *"<img"* && $output == *"poolmem:"* ]]
	done
	"$poolmem" export --format dhat work.pms | grep -q '"tb": 100800'
}

@test "export: collapsed: the lines of a flame graph, of any figure" {
	record
	run -0 "$poolmem" export --format collapsed work.pms
	[[ $output == *"main;load;parse 60480"* && $output == *"main;grow 303104"* && $output != *scratch* ]]
	run -0 "$poolmem" export --format collapsed --of count work.pms
	[[ $output == *"main;scratch 50"* && $output != *_start* ]]
	run -0 "$poolmem" export --format collapsed --of count --filter '^scratch$' work.pms
	[[ ${#lines[@]} = 1 && $output == "main;scratch 50" ]]
	run -0 "$poolmem" export --format collapsed "$golden/sites_hostile/capture.pm"
	[[ $output != *$'\e'* && $output != *"52;c"* && ${#lines[@]} = 5 ]]
	run -1 "$poolmem" export --format collapsed --of temporary "$golden/sites_hostile/capture.pm"
	[[ $output == *"nothing to write: of temporary blocks there are none"* ]]
}

# parse is inlined into load: what it allocates is load's then.
@test "export: --skip: functions that pass an allocation on, in every format" {
	record
	run -0 "$poolmem" export --format collapsed --skip '^parse$' work.pms
	[[ $output == *"main;load 60480"* && $output != *parse* ]]
	run -0 "$poolmem" export --format collapsed --skip '^parse$' --skip '^load$' work.pms
	[[ $output == *"main 60480"* && $output != *load* ]]
	for format in dhat speedscope; do
		run -0 "$poolmem" export --format $format --skip '^parse$' work.pms
		[[ $output == *load* && $output != *parse* ]]
	done
	[[ $("$poolmem" export --format csv --skip '^parse$' work.pms) == *'"load",'* ]]
	"$poolmem" export --format pprof --skip '^parse$' work.pms | gzip -dc >heap.pb
	[[ $(grep -ca load heap.pb) -gt 0 && $(grep -ca parse heap.pb) = 0 ]]
	run -0 "$poolmem" sites --skip '^parse$' --skip '^grow$' work.pms
	[[ $output == *"load at work.c:26 < main"* && $output == *" main at work.c:"* && $output != *parse* ]]
	run -0 "$poolmem" flamegraph --collapsed --skip '^parse$' work.pms
	[[ $output == *"main;load 60480"* && $output != *parse* ]]
	run -2 "$poolmem" sites --skip '(' work.pms
	[[ $output == *"--skip '(': "* ]]
}

@test "export: speedscope: the schema, and the sums of sites" {
	with_module jsonschema python3-jsonschema
	for capture in $(captures); do
		"$poolmem" export --format speedscope "$capture" >speedscope.json
		"$poolmem" sites --json "$capture" >sites.json
		"$python" - "$here/speedscope.json" <<-'END'
			import json, jsonschema, sys
			d, sites = json.load(open("speedscope.json")), json.load(open("sites.json"))
			jsonschema.validate(d, json.load(open(sys.argv[1])))
			assert [p["name"].split(" ")[0] for p in d["profiles"]] == ["allocated", "live", "peak", "leaked"]
			for p in d["profiles"]:
			    assert len(p["samples"]) == len(p["weights"]) and sum(p["weights"]) == p["endValue"]
			    assert all(n < len(d["shared"]["frames"]) for s in p["samples"] for n in s)
			    whole = sum(s[p["name"].split(" ")[0] + "_bytes"] for s in sites["sites"])
			    assert p["endValue"] == whole and ("estimates" in p["name"]) == (sites["mode"] == "sample")
		END
	done
	"$poolmem" export --format speedscope --of allocated work.pms | python3 -c '
import json, sys
d = json.load(sys.stdin)
names = [f["name"] for f in d["shared"]["frames"]]
assert names.count("main") == 1
p = d["profiles"][d["activeProfileIndex"]]
stacks = {tuple(names[n] for n in s)[-3:]: w for s, w in zip(p["samples"], p["weights"])}
assert stacks["main", "load", "parse"] == 100800, stacks'
}

@test "export: sqlite: tables that sqlite3 reads" {
	need sqlite3 sqlite3
	for capture in $(captures); do
		"$poolmem" export --format sqlite -f -o heap.db "$capture"
		[ "$(sqlite3 heap.db 'PRAGMA integrity_check; PRAGMA foreign_key_check')" = ok ]
		"$poolmem" sites --json "$capture" >sites.json
		"$poolmem" report --json "$capture" >report.json
		python3 - <<-'END'
			import json, sqlite3
			db = sqlite3.connect("heap.db")
			db.row_factory = sqlite3.Row
			sites, report = json.load(open("sites.json")), json.load(open("report.json"))
			rows = [dict(r) for r in db.execute("select * from sites order by id")]
			assert len(rows) == len(sites["sites"])
			for row, site in zip(rows, sites["sites"]):
			    assert all(row[k] == v for k, v in site.items() if k != "location" and type(v) is int and k in row), (row, site)
			    stack = db.execute("select function, file, line, address, inlined from stacks join frames on frames.id = frame where site = ? order by depth", [row["id"]])
			    frames = [sites["frames"][n] for n in site["frames"]]
			    assert [tuple(r) for r in stack] == [(f["function"], f["file"], f["line"], f["address"], int(f["inlined"])) for f in frames]
			    ranges = {r["figure"]: r["at_most"] for r in db.execute("select * from intervals where site = ?", [row["id"]])}
			    assert ranges == {k: v["at_most"] for k, v in site["estimated"].items()}
			totals = dict(tuple(r) for r in db.execute("select name, value from metrics where process is null"))
			assert totals == report["metrics"]
			for number, process in enumerate(report["processes"], 1):
			    assert dict(tuple(r) for r in db.execute("select name, value from metrics where process = ?", [number])) == process["metrics"]
			    classes = {r["class"]: r["allocated"] for r in db.execute("select * from classes where process = ?", [number])}
			    assert classes == {c["class"]: c["allocated"] for c in process["classes"]}
			about = dict(tuple(r) for r in db.execute("select * from about"))
			assert ("estimates" in about["sites"]) == (sites["mode"] == "sample")
		END
	done
	run -0 "$poolmem" export --format sqlite -f -o tree.db "$golden/tree/capture.pm"
	[ "$(sqlite3 tree.db 'select count(*) from processes')" = 5 ]
	[ "$(sqlite3 tree.db 'select count(*) from sites')" = 0 ]
}

@test "export: OpenMetrics: Prometheus' own reader takes it, and it says what a report does" {
	with_module prometheus_client.openmetrics.parser python3-prometheus-client
	record
	for capture in work.pms "$golden"/{sites,sampled,sites_hostile,tree,hostile,exited,killed}/capture.pm; do
		"$poolmem" export --format openmetrics "$capture" >metrics.prom
		"$poolmem" report --json "$capture" >report.json
		"$python" - <<-'END'
			import json
			from prometheus_client.openmetrics import parser
			report = json.load(open("report.json"))
			text = open("metrics.prom").read()
			assert text.endswith("\n# EOF\n") and not any(ord(c) < 32 and c != "\n" for c in text)
			seen, values = set(), {}
			for family in parser.text_string_to_metric_families(text):
			    assert family.name.startswith("poolmem_") and family.documentation
			    for s in family.samples:
			        key = s.name, tuple(sorted(s.labels.items()))
			        assert key not in seen, key
			        seen.add(key)
			        assert (family.type == "counter") == s.name.endswith("_total") and s.timestamp is None
			        values.setdefault(s.name, []).append(s.value)
			def name_of(key):
			    return "poolmem_" + key.replace(".", "_")
			others = {name_of(key) for key in report["processes"][0]["metrics"]}
			for key in report["processes"][0]["metrics"]:
			    wanted = sorted(p["metrics"][key] for p in report["processes"] if key in p["metrics"])
			    name = name_of(key)
			    names = [name, name + "_total", name + "_bytes", name[:-3] + "_seconds"]
			    found = [n for n in names if n in values and n not in others - {name}]
			    assert len(found) == 1, key
			    scale = 1e9 if found[0].endswith("_seconds") else 1
			    assert [round(v * scale) for v in sorted(values[found[0]])] == wanted, key
		END
	done
	"$poolmem" export --format openmetrics -n 1 work.pms | grep ^poolmem_site_live >lines
	[ "$(cat lines)" = 'poolmem_site_live_bytes{site="grow at work.c:39"} 303104
poolmem_site_live_bytes{site="(others)"} 60480' ]
	run -0 "$poolmem" export --format openmetrics "$golden/sampled/capture.pm"
	[[ $output == *"HELP poolmem_site_live_bytes "*"estimates from a sample"* ]]
	"$poolmem" export --format openmetrics -f -o heap.prom work.pms
	"$poolmem" export --format openmetrics -f -o heap.prom work.pms
	[ "$(ls | grep -c heap.prom)" = 1 ]
}

@test "export: CSV: a row for each site, and no formula" {
	for capture in $(captures); do
		"$poolmem" export --format csv "$capture" >sites.csv
		"$poolmem" sites --json "$capture" >sites.json
		python3 - <<-'END'
			import csv, json
			sites = json.load(open("sites.json"))
			raw = open("sites.csv", "rb").read()
			assert raw.count(b"\r\n") == raw.count(b"\n") == len(sites["sites"]) + 1
			rows = list(csv.DictReader(open("sites.csv", newline=""), strict=True))
			assert len(rows) == len(sites["sites"])
			for row, site in zip(rows, sites["sites"]):
			    assert None not in row and None not in row.values()
			    assert all(int(row[k]) == v for k, v in site.items() if k != "location" and type(v) is int and k in row)
			    assert (row["estimated"] == "1") == (sites["mode"] == "sample")
			    assert int(row["live_bytes_at_least"]) <= int(row["live_bytes"]) <= int(row["live_bytes_at_most"])
			    assert row["stack"].count(";") == max(len(site["frames"]) - 1, 0)
		END
	done
	cp "$programs/work" ./=1+1
	POOLMEM=$POOLMEM,sites.period=1 LD_PRELOAD=$lib ./=1+1
	run -0 "$poolmem" export --format csv --no-symbols last
	[[ $output == *",\"'=1+1+0x"* && $output != *'"=1+1'* ]]
}

# words FORMAT FILE: what is text in it.  Numbers of a database and of a profile may look like any character.
words()
{
	case $1 in
	sqlite) sqlite3 "$2" .dump ;;
	pprof)
		gzip -dc <"$2" | protoc -I "$here" --decode=perftools.profiles.Profile "$here/profile.proto" |
			python3 -c 'import ast, sys
for line in sys.stdin:
    if line.startswith("string_table: "):
        sys.stdout.buffer.write(ast.literal_eval("b" + line[14:]) + b"\n")'
		;;
	*) cat "$2" ;;
	esac
}

@test "export: F34, F35: names are text in every format" {
	need protoc protobuf-compiler
	for format in $formats; do
		for capture in sites_hostile hostile; do
			if ! "$poolmem" export --format $format "$golden/$capture/capture.pm" >written 2>why; then
				[ $capture = hostile ]
				grep -q 'no call sites' why
				continue
			fi
			words $format written >words
			[ -s words ]
			run -1 env LC_ALL=C grep -aP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]' words
		done
	done
}

@test "export: F34, F35: a function may be called anything" {
	need protoc protobuf-compiler
	name='=<img src=x onerror=alert(1)>;"{\\'$'\n\e]52;c;x\a'
	objcopy --strip-debug --redefine-sym "grow=$name" "$programs/work" evil
	POOLMEM=$POOLMEM,sites.period=1 LD_PRELOAD=$lib ./evil
	shown='=<img src=x onerror=alert(1)>;"{\\\n\x1b]52;c;x\x07'
	run -0 "$poolmem" export --format collapsed --of count last
	[[ $output == *"main;${shown//;/:} 1"* ]]
	run -0 "$poolmem" export --format csv last
	[[ $output == *",\"'${shown//\"/\"\"}\","* ]]
	"$poolmem" export --format sqlite -o evil.db last
	[ "$(sqlite3 evil.db "select function from frames where function like '=%'")" = "$shown" ]
	for format in dhat speedscope; do
		"$poolmem" export --format $format last >evil.json
		python3 -c 'import json, sys; d = json.load(open("evil.json"))
assert any(sys.argv[1] in (f if type(f) is str else f["name"]) for f in d.get("ftbl") or d["shared"]["frames"])' "$shown"
	done
	run -0 "$poolmem" export --format openmetrics last
	[[ $output == *'poolmem_site_live_bytes{site="=<img src=x onerror=alert(1)>;\"{\\\\\\n\\x1b]52;c;x\\x07'* ]]
	for format in $formats; do
		"$poolmem" export --format $format last >written
		words $format written >words
		run -1 grep -aF $'\e' words
		grep -qaF onerror words
	done
}

@test "export: F37: a failed write is said, and no half file stays" {
	capture=$golden/sites/capture.pm
	for format in $formats; do
		run -1 --separate-stderr "$poolmem" export --format $format -o /dev/full "$capture"
		[[ $stderr == *"No space left"* ]]
		run -1 bash -c '"$0" export --format $1 "$2" >/dev/full' "$poolmem" $format "$capture"
		run -1 bash -c '"$0" export --format $1 "$2" >&-' "$poolmem" $format "$capture"
		run -1 "$poolmem" export --format $format -o none/file "$capture"
		"$poolmem" export --format $format "$capture" >whole
		"$poolmem" export --format $format -o file "$capture"
		cmp file whole
		run -1 --separate-stderr "$poolmem" export --format $format -o file "$golden/sampled/capture.pm"
		[[ $stderr == *"file is there already: give -f to replace it"* ]]
		cmp file whole
		"$poolmem" export --format $format -f -o file "$golden/sampled/capture.pm"
		run -1 cmp -s file whole
		rm file whole
	done
	[ -c /dev/full ]
	run -1 bash -c 'ulimit -f 1; "$@" 2>/dev/null' - "$poolmem" export --format sqlite -o half.db "$capture"
	run -1 "$poolmem" export --format collapsed --of temporary -o none.txt "$golden/sites_hostile/capture.pm"
	[ "$(ls --ignore "separate-stderr*")" = segments ]
}

@test "export: not over a capture, which may be the one it is made of" {
	cp "$golden/sites/capture.pm" kept.pm
	for format in $formats; do
		run -1 "$poolmem" export --format $format -f -o kept.pm kept.pm
		[[ $output == *"write to another file"* ]]
	done
	cmp kept.pm "$golden/sites/capture.pm"
}

@test "export: wrong options say what to do" {
	capture=$golden/sites/capture.pm
	run -2 --separate-stderr "$poolmem" export "$capture"
	[[ -z $output && $stderr == *"--format is wanted: pprof, dhat, collapsed, speedscope, sqlite, openmetrics or csv"* ]]
	run -2 "$poolmem" export --format perf "$capture"
	[[ $output == *"--format takes pprof, "*" not 'perf'"* ]]
	run -2 "$poolmem" export --format csv --of colour "$capture"
	[[ $output == *"--of takes live, peak, "*", not 'colour'"* ]]
	run -2 "$poolmem" export --format csv --filter '(' "$capture"
	run -2 "$poolmem" export --format csv --json "$capture"
	run -2 "$poolmem" export --format csv --formt "$capture"
	[[ $output == *"did you mean '--format'"* ]]
	run -2 "$poolmem" sites --format csv "$capture"
	for format in pprof sqlite; do
		run -2 script -qec "'$poolmem' export --format $format '$capture'" /dev/null
		[[ $output == *"$format is nothing for a terminal: give -o FILE"* ]]
	done
	run -1 "$poolmem" export --format csv --filter nobody "$capture"
	run -1 "$poolmem" export --format csv "$golden/exited/capture.pm"
	[[ $output == *"no call sites were recorded"* ]]
	run -3 "$poolmem" export --format csv "$golden/damaged/capture.pm"
	[ "$("$poolmem" export --format csv -n 2 "$capture" | wc -l)" = 3 ]
	[ "$("$poolmem" export --format csv -n 0 "$capture" | wc -l)" = 7 ]
}
