# SPDX-License-Identifier: MIT
# Is what frag says equal to the account of tests/exact/frag.c?
#
#   frag.py account JSON ACCOUNT FUNCTION [BLOCK_BYTES]   the pages that FUNCTION keeps; BLOCK_BYTES: its size class instead
#   frag.py freed JSON RSS FUNCTION                       what went when they were freed, against what was promised
#   frag.py pools JSON FUNCTION POOLS                     in so many pools it alone has blocks, one in each
#   frag.py given_back JSON AFTER                         of free pools, large blocks and idle pages so much has gone
#   frag.py residual JSON                                 it is as it must be
#   frag.py smaps JSON SMAPS                              each mapping that is not heap, against the kernel's list

import collections
import json
import re
import sys

PAGE = 4096


def process(path):
    processes = json.load(open(path))["processes"]
    assert len(processes) == 1, len(processes)
    return processes[0]


def holders(process, function, block_bytes=None):
    if block_bytes:
        found = [h for h in process["pins"]["holders"] if h.get("block_bytes") == block_bytes]
    else:
        found = [h for h in process["pins"]["holders"] if h.get("function") == function]
    assert found, "nobody is called " + function
    return found


def account(json_path, account_path, function, block_bytes=None):
    one = process(json_path)
    blocks, live_bytes, free, alone, count = 0, 0, 0, 0, 0
    for line in open(account_path):
        words = line.split()
        if words[0] == function:
            blocks, live_bytes = int(words[1]), int(words[2])
        elif "=" in line:
            who = dict(word.split("=") for word in words[1:-1])
            if function in who:
                assert list(who) == [function], line
                on_page = PAGE - int(words[-1])
                free += on_page
                alone += PAGE if on_page else 0
                count += 1 if on_page else 0
    found = holders(one, function, block_bytes and int(block_bytes))
    sums = collections.Counter()
    for holder in found:
        assert holder["kind"] == ("class" if block_bytes else "site")
        assert sum(holder["live_in_generation"]) == holder["live"]
        sums.update({"live": holder["live"], "live_bytes": holder["live_bytes"]})
        sums.update(holder["pages"])
        assert holder["pools"]["alone"] >= holder["pages"]["alone"]
    expected = {"live": blocks, "live_bytes": live_bytes, "sole": free, "shared": 0, "alone": alone, "count": count}
    actual = {key: sums[key] for key in expected}
    assert blocks and actual == expected, (actual, expected)
    assert found[0] is one["pins"]["holders"][0], "somebody else is named first"
    parts(one)


# To the unit what the kernel says.
def parts(one):
    waterfall = one["waterfall"]
    assert waterfall["basis"] == "survey" and waterfall["residual"] == 0, waterfall
    assert sum(waterfall["parts"].values()) == waterfall["rss"], waterfall
    assert sum(other["bytes"] for other in waterfall["others"]) == waterfall["parts"]["other"], waterfall


def freed(json_path, rss_path, function):
    one = process(json_path)
    before, after = map(int, open(rss_path).read().split())
    found = holders(one, function)
    choice = one["pins"]["to_get_back"]
    chosen = [one["pins"]["holders"][row["holder"]] for row in choice["holders"]]
    assert [holder["function"] for holder in chosen] == [function], chosen
    promised = max(choice["bytes"], sum(holder["pages"]["alone"] for holder in found))
    print("promised %d, came %d: %.1f %%" % (promised, before - after, 100 * (before - after) / promised))
    assert before - after >= 0.9 * promised > 1000000
    assert abs(one["waterfall"]["rss"] - before) < before / 100, (one["waterfall"]["rss"], before)


def pools(json_path, function, count):
    found = holders(process(json_path), function)
    assert sum(holder["pools"]["count"] for holder in found) == int(count), found
    assert sum(holder["live"] for holder in found) == int(count), found


def given_back(json_path, after_path):
    before, after = process(json_path), process(after_path)
    parts = before["waterfall"]["parts"]
    promised = parts["retained"] + parts["cached"] + (before["pins"] or {"idle_pages": 0})["idle_pages"]
    came = before["waterfall"]["rss"] - after["waterfall"]["rss"]
    print("# promised %d, came %d: %.1f %%" % (promised, came, 100 * came / promised))
    assert came >= 0.9 * promised > 10000000, before["waterfall"]


def smaps(json_path, smaps_path):
    one = process(json_path)
    rss, name = collections.Counter(), ""
    for line in open(smaps_path):
        if re.match("[0-9a-f]+-", line):
            name = (line.split(None, 5) + ["[anonymous]"])[5].rstrip("\n") or "[anonymous]"
        elif line.startswith("Rss:"):
            rss[name] += int(line.split()[1]) * 1024
    assert one["waterfall"]["rss"] == sum(rss.values()), (one["waterfall"]["rss"], sum(rss.values()))
    for other in one["waterfall"]["others"]:
        if other["mapping"] != "[anonymous]":
            assert other["bytes"] == rss[other["mapping"]], (other, rss[other["mapping"]])
    parts(one)


# Not negative, and under one per cent.
def residual(json_path):
    for one in json.load(open(json_path))["processes"]:
        waterfall = one["waterfall"]
        assert waterfall["basis"] == "survey" and waterfall["drift"] == 0, waterfall
        assert 0 <= waterfall["residual"] < waterfall["rss"] / 100, waterfall


{"account": account, "freed": freed, "given_back": given_back, "pools": pools, "residual": residual, "smaps": smaps}[sys.argv[1]](*sys.argv[2:])
