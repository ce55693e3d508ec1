# SPDX-License-Identifier: MIT
# A real program's calls of malloc, for tests/exact/frag_replay.c; and pins, against blocks looked at one by one.
#
#   frag_replay.py steps STREAM STEPS          of what libstream.so wrote, up to when last half as many blocks lived as ever;
#                                              prints how many slots, and how many calls
#   frag_replay.py pins FRAG_JSON FRAG_TEXT MAP_JSON ACCOUNT    prints how many pages and functions were compared

import collections
import json
import re
import struct
import sys

PAGE, UNIT, SITES = 4096, 65536, 64


# Of which most blocks live have a site each, all others share the last four.
def site_of(stacks, stack):
    return stacks.get(stack, SITES - 4 + stack % 4)


def stacks_of_most(records):
    live = {}
    for block, old, _, stack in records:
        live.pop(old, None)
        if block:
            live[block] = stack
    most = collections.Counter(live.values()).most_common(SITES - 4)
    return {stack: i for i, (stack, _) in enumerate(most)}


# Programs free much at their end, and holes come before it.
def up_to_many(records):
    live, counts = set(), []
    for block, old, _, _ in records:
        live.discard(old)
        if block:
            live.add(block)
        counts.append(len(live))
    many = max(counts) // 2
    return records[:max(i for i, count in enumerate(counts) if count >= many) + 1]


# Each block has a slot, which is another's after its free.  Frees of what came before the recording are left out.
def steps(stream_path, steps_path):
    data = open(stream_path, "rb")
    count = struct.unpack("Q", data.read(8))[0]
    records = up_to_many(list(struct.iter_unpack("4Q", data.read(32 * count))))
    stacks = stacks_of_most(records)
    slot_of, free_slots, slots, out = {}, [], 0, open(steps_path, "wb")
    for block, old, size, stack in records:
        slot = slot_of.pop(old, None)
        if not block and slot is not None:
            out.write(struct.pack("IIBBH", slot, 0, 1, 0, 0))
            free_slots.append(slot)
        elif block:
            if slot is None:
                slot = free_slots.pop() if free_slots else slots
                slots += slot == slots
            out.write(struct.pack("IIBBH", slot, size, 0, site_of(stacks, stack), 0))
            slot_of[block] = slot
    print(slots, len(records))


# Pools that hold live and free blocks, by address of their units: what was published of pools, not the survey.
def pools_of(map_json):
    pools = {}
    for arena in json.load(open(map_json))["processes"][0]["arenas"]:
        at = int(arena["base"], 16)
        for unit in arena["units"]:
            for n in range(unit[0]) if unit[1] == "pool" and 0 < unit[3] < unit[4] else ():
                pools[at + n * UNIT] = unit
            at += unit[0] * UNIT
    return pools


class Sums:
    def __init__(self):
        self.live = self.live_bytes = self.sole = self.alone = self.count = self.pages = 0
        self.shared = 0.0


def pins(frag_json, map_json, account):
    pools = pools_of(map_json)
    pages, bytes_on, expected = collections.defaultdict(collections.Counter), collections.Counter(), collections.defaultdict(Sums)
    for line in open(account):
        address, size, function = line.split()
        address, size = int(address, 16), int(size)
        if address & -UNIT not in pools:
            continue
        expected[function].live += 1
        expected[function].live_bytes += size
        for page in range(address & -PAGE, address + size, PAGE):
            pages[page][function] += 1
            bytes_on[page] += min(address + size, page + PAGE) - max(address, page)
    for page, blocks in pages.items():
        free = PAGE - bytes_on[page]
        for function, count in blocks.items():
            sums = expected[function]
            if len(blocks) > 1:
                sums.shared += free * count / sum(blocks.values())
                sums.pages += 1
            elif free:
                sums.sole += free
                sums.alone += PAGE
                sums.count += 1
    compare(json.load(open(frag_json))["processes"][0], expected)
    mixed = sum(len(blocks) > 1 for blocks in pages.values())
    print("%d pages, %d of several functions; %d functions" % (len(pages), mixed, len(expected)))
    assert mixed > 20 and len(expected) > 20


def compare(process, expected):
    assert process["waterfall"]["basis"] == "survey" and process["waterfall"]["residual"] == 0
    holders = process["pins"]["holders"]
    actual = {holder["function"]: holder for holder in holders}
    assert len(actual) == len(holders), "a function has several stacks"
    assert set(actual) == set(expected), set(actual) ^ set(expected)
    for function, sums in expected.items():
        holder, by_page = actual[function], actual[function]["pages"]
        for key, value in (("live", holder["live"]), ("live_bytes", holder["live_bytes"]), ("sole", by_page["sole"]),
                           ("alone", by_page["alone"]), ("count", by_page["count"])):
            assert value == getattr(sums, key), (function, key, value, getattr(sums, key))
        # Of each page the share is rounded down.
        assert sums.shared - sums.pages - 0.01 <= by_page["shared"] <= sums.shared + 0.01, (function, by_page, vars(sums))
        most = (sums.sole + sums.shared) / sums.live_bytes
        assert most - sums.pages / sums.live_bytes - 1e-6 <= holder["leverage"] <= most + 1e-6, (function, holder["leverage"])
    order = [holder["pages"]["sole"] + holder["pages"]["shared"] for holder in holders]
    assert abs(order[0] - max(order)) <= max(order) / 100, "somebody else pins more than the first"


{"steps": steps, "pins": pins}[sys.argv[1]](*sys.argv[2:])
