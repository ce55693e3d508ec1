# SPDX-License-Identifier: MIT
"""
map.py MAP.json REPORT.json|- [ACCOUNT [PID]]: the map of each process agrees with itself and with the tables of the
report; of the process PID (the first, without one) each block of the account lies where the map has it.
"""
import collections
import json
import sys

FREE = ("clean", "dirty")


def fail(*what):
    sys.exit("map.py: " + " ".join(str(w) for w in what))


def same(what, a, b):
    if a != b:
        fail(what, a, "is not", b)


def spans_of(process):
    """address, bytes, row of each span; base by base."""
    for arena in process["arenas"]:
        at = int(arena["base"], 16)
        for row in arena["units"]:
            yield at, row[0] * process["unit_bytes"], row
            at += row[0] * process["unit_bytes"]


def agrees_with_itself(process):
    units = collections.Counter()
    pools = collections.Counter()
    for _, _, row in spans_of(process):
        units[row[1]] += row[0]
        if row[1] == "pool":
            pools.update(pools=1, units=row[0], live=row[3], capacity=row[4],
                         live_bytes=row[3] * max(16, int(row[2])))
            pools["sparse"] += 4 * row[3] < row[4]
            pools["tenth", min(9, row[3] * 10 // row[4])] += 1
    for kind, count in process["units"].items():
        same("units of kind " + kind, units[kind], count)
    for key in ("pools", "units", "live", "capacity", "live_bytes"):
        same(key, pools[key], process["pools"][key])
    same("sparse pools", pools["sparse"], process["less_than_quarter"]["pools"])
    same("tenths", [pools["tenth", n] for n in range(10)], [t["pools"] for t in process["tenths"]])
    for key in ("pools", "live_bytes", "touched_bytes", "bytes"):
        same("tenths, sum of " + key, sum(t[key] for t in process["tenths"]), process["pools"][key])
        same("classes, sum of " + key, sum(c[key] for c in process["classes"]), process["pools"][key])


def agrees_with_report(process, report):
    arenas, unit = report["arenas"], process["unit_bytes"]
    units = process["units"]
    huge = sum(row[2] for _, _, row in spans_of(process) if row[1] == "huge")
    same("huge bytes", process["huge_bytes"], huge)
    for key in ("large_blocks", "large_bytes", "huge_blocks", "huge_bytes"):
        same(key, process[key], arenas[key])
    same("arenas", process["arena_count"], arenas["count"])
    surveyed = process["basis"] == "survey"
    if surveyed and units["dirty"] * unit > arenas["dirty_bytes"]:
        fail("more units hold memory than were written to")
    if not surveyed:
        same("dirty", units["dirty"] * unit, arenas["dirty_bytes"])
    same("free", (units["dirty"] + units["clean"]) * unit, arenas["free_bytes"])
    mapped = sum(n for kind, n in units.items() if kind not in ("unmapped", "huge")) * unit
    same("mapped", mapped + huge, arenas["mapped_bytes"])
    same("nothing unknown", units["unknown"], 0)
    mine = {c["class"]: c for c in process["classes"]}
    same("classes", sorted(mine), sorted(p["class"] for p in report["pools"]))
    for row in report["pools"]:
        for key in ("pools", "capacity", "live", "bytes"):
            same("class %s: %s" % (row["class"], key), mine[row["class"]][key], row[key])
        if surveyed and not 0 < mine[row["class"]]["touched_bytes"] <= row["bytes"]:
            fail("class", row["class"], "holds", mine[row["class"]]["touched_bytes"])
        if not surveyed:
            same("touched", mine[row["class"]]["touched_bytes"], row["touched_bytes"])


def agrees_with_account(process, path):
    blocks = [line.split()[1:] for line in open(path) if line.startswith("block ")]
    blocks = sorted((int(address, 16), int(usable)) for address, usable in blocks)
    sizes = {str(usable) for _, usable in blocks}
    seen = 0
    for first, length, row in spans_of(process):
        inside = [b for b in blocks if first <= b[0] < first + length]
        if row[1] in FREE + ("unmapped", "unknown"):
            same("live blocks in free units at %#x" % first, inside, [])
        elif row[1] == "pool" and row[2] in sizes:
            same("live blocks of the pool at %#x" % first, len(inside), row[3])
            same("their size", {str(b[1]) for b in inside} | {row[2]}, {row[2]})
        elif row[1] in ("large", "huge") and inside:
            same("blocks in a run", len(inside), 1)
            same("bytes of the block at %#x" % first, row[2], inside[0][1])
        seen += len(inside)
    same("blocks of the account", seen, len(blocks))
    if len(blocks) < 5000:
        fail("an account of", len(blocks), "blocks says little")


def main(map_path, report_path, account=None, pid=None):
    document = json.load(open(map_path))
    report = json.load(open(report_path)) if report_path != "-" else None
    for process in document["processes"]:
        agrees_with_itself(process)
        if report and not process["inherited_arenas"]:
            agrees_with_report(process, next(p for p in report["processes"] if p["pid"] == process["pid"]))
    if account:
        of = [p for p in document["processes"] if pid is None or p["pid"] == int(pid)]
        agrees_with_account(of[0], account)


main(*sys.argv[1:])
