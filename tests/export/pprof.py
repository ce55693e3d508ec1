# SPDX-License-Identifier: MIT
# pprof.py DECODED SITES [PROGRAM]: a profile as protoc decodes it keeps the rules of the format, and says what `poolmem sites --json` does.
import collections
import json
import re
import sys


def message(lines):
    """The fields of a message up to its end: name to list of values."""
    fields = collections.defaultdict(list)
    for line in lines:
        line = line.strip()
        if line == "}":
            break
        if line.endswith("{"):
            fields[line[:-2]].append(message(lines))
        else:
            name, value = line.split(": ", 1)
            assert not name.isdigit(), "a field that the format does not have: " + line
            fields[name].append(value if value[0] == '"' or value == "true" else int(value))
    return fields


def text_of(quoted):
    return re.sub(rb"\\([0-7]{3}|.)", lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else
                  {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(m[1], m[1]), quoted[1:-1].encode()).decode()


def one(fields, name):
    assert len(fields[name]) <= 1
    return fields[name][0] if fields[name] else 0


profile = message(iter(open(sys.argv[1], encoding="utf-8").read().splitlines()))
report = json.load(open(sys.argv[2], encoding="utf-8"))
strings = [text_of(s) for s in profile["string_table"]]
assert strings[0] == "" and len(set(strings)) == len(strings)
assert not [s for s in strings if re.search("[\x00-\x1f\x7f-\x9f]", s)]

types = [(strings[one(t, "type")], strings[one(t, "unit")]) for t in profile["sample_type"]]
assert types == [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")]
period_type = profile["period_type"][0]
assert (strings[one(period_type, "type")], strings[one(period_type, "unit")]) == ("space", "bytes")
assert one(profile, "period") == report["period"]
assert ("estimates" in strings[one(profile, "comment")]) == (report["mode"] == "sample")

for name in "mapping", "location", "function":
    assert [one(m, "id") for m in profile[name]] == list(range(1, len(profile[name]) + 1))
if len(sys.argv) > 3:
    assert strings[one(profile["mapping"][0], "filename")] == sys.argv[3]
for mapping in profile["mapping"]:
    assert one(mapping, "memory_start") < one(mapping, "memory_limit")
    assert re.fullmatch("[0-9a-f]+", strings[one(mapping, "build_id")])


def frames_of(sample):
    for number in sample["location_id"]:
        location = profile["location"][number - 1]
        mapping = profile["mapping"][one(location, "mapping_id") - 1] if location["mapping_id"] else None
        if mapping:
            assert one(mapping, "memory_start") <= one(location, "address") < one(mapping, "memory_limit")
        calls = [(profile["function"][one(line, "function_id") - 1], one(line, "line")) for line in location["line"]]
        named = [(strings[one(f, "name")], strings[one(f, "filename")], line) for f, line in calls]
        yield mapping and strings[one(mapping, "build_id")], tuple(named) or one(location, "address")


def wanted_frames(site):
    frames = [report["frames"][number] for number in site["frames"]]
    places = collections.OrderedDict()
    place = 0
    for frame in frames:  # inlined ones belong to the place of the one that is not, behind them
        places.setdefault(place, []).append(frame)
        place += not frame["inlined"]
    for calls in places.values():
        named = tuple((c["function"], c["file"] or "", c["line"] or 0) for c in calls if c["function"])
        yield calls[0]["build_id"], named
    if not frames:
        yield None, (("(stack not known)", "", 0),)


found, wanted = collections.Counter(), collections.Counter()
for sample in profile["sample"]:
    assert len(sample["value"]) == 4 and sample["location_id"]
    stack = tuple((build_id, named if isinstance(named, tuple) else ()) for build_id, named in frames_of(sample))
    for which, value in enumerate(sample["value"]):
        found[stack, which] += value
    for label in sample["label"]:
        assert strings[one(label, "key")] == strings[one(label, "num_unit")] == "bytes" and one(label, "num") > 0
for site in report["sites"]:
    for which, figure in enumerate(("allocated", "allocated_bytes", "live", "live_bytes")):
        wanted[tuple(wanted_frames(site)), which] += site[figure]
for key in found.keys() | wanted.keys():
    assert abs(found[key] - wanted[key]) <= (3 if report["mode"] == "sample" else 0), key

# A call's address is less by one than where it returns to: the next line may begin there.
returns = {(f["build_id"], f["address"]) for f in report["frames"]}
if len(profile["mapping"]) and report["frames"]:
    module = {strings[one(m, "build_id")]: one(m, "memory_start") for m in profile["mapping"]}
    addresses = {one(l, "address") for l in profile["location"] if l["mapping_id"]}
    assert any(module[b] + a - 1 in addresses for b, a in returns if b), "addresses of calls"
    assert not any(module[b] + a in addresses - {module[b] + a - 1 for b, a in returns if b} for b, a in returns if b)
