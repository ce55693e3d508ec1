# SPDX-License-Identifier: MIT
# diff.py JSON BEFORE -- AFTER: what `poolmem diff --json` says of each site_NAME of diff.c against what its arguments say.
import json
import sys

SIZES = {"one": 16, "two": 48, "three": 112, "four": 1008, "five": 102400, "six": 64, "seven": 80}
COUNTS = {
    "live": lambda count, freed: count - freed,
    "leaked": lambda count, freed: count - freed,
    "allocated": lambda count, freed: count,
    "churn": lambda count, freed: freed,
    "temporary": lambda count, freed: int(freed > 0),
}


def inputs(arguments):
    rows = (argument.split(":") for argument in arguments)
    return {name: (int(count), int(freed)) for name, count, freed in rows}


def mark(name, change, before, after):
    if not change:
        return "same"
    return "new" if name not in before else "gone" if name not in after else "grown" if change > 0 else "shrunk"


report = json.load(open(sys.argv[1]))
cut = sys.argv.index("--")
before, after = inputs(sys.argv[2:cut]), inputs(sys.argv[cut + 1:])
count_of = COUNTS[report["of"]]
wanted, marks = {}, dict.fromkeys(["new", "gone", "grown", "shrunk", "same"], 0)
for name in before.keys() | after.keys():
    unit = SIZES[name] if report["unit"] == "bytes" else 1
    values = [count_of(*side.get(name, (0, 0))) * unit for side in (before, after)]
    if values == [0, 0]:
        continue
    how = mark(name, values[1] - values[0], before, after)
    marks[how] += 1
    if how != "same":
        wanted["site_" + name] = (*values, values[1] - values[0], how)

found = {}
for site in report["sites"]:
    name = next(f["function"] for f in site["stack"] if f["function"].startswith("site_"))
    name = name.split(".")[0]  # a copy that the compiler made
    assert name not in found and not site["may_be_chance"] and not site["estimated"]
    found[name] = (site["before"], site["after"], site["change"], site["mark"])
assert found == wanted, (report["of"], found, wanted)
others = {how: report["marks"][how] - count for how, count in marks.items()}
assert not any(others[how] for how in ("new", "gone", "grown", "shrunk")) and others["same"] >= 0, (report["marks"], marks)
changes = [site["change"] for site in report["sites"]]
order = {"growth": lambda c: -c, "shrinkage": lambda c: c, "change": lambda c: -abs(c)}[report["sort"]]
assert changes == sorted(changes, key=order)
assert report["all"]["change"] == sum(changes)
metrics = report["before"]["metrics"], report["after"]["metrics"]
assert report["metrics"] == metrics[1]
assert all(report["change"][key] == metrics[1][key] - metrics[0][key] for key in report["change"])
