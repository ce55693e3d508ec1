# SPDX-License-Identifier: MIT
"""Makes objects and lets go of them, then tells what its garbage collector counted and kills itself, so that the
library's record ends there too.

usage: collect.py nothing|lists|strings|freed|cycles|waves
"""
import gc
import json
import os
import signal
import sys

COUNT = 200000
WAVES, WAVE, KEPT = 15, 30000, 20  # one object of KEPT lives for ever


class Slotted:
    __slots__ = ("value",)


class Node:
    def __init__(self, name, next_one):
        self.name = f"node {name}"
        self.next = next_one


def nothing():
    pass


def lists():
    held = [None] * COUNT
    for i in range(COUNT):
        held[i] = []
    return held


def strings():
    held = [None] * COUNT
    for i in range(COUNT):
        held[i] = "%d" % i
    return held


def freed():
    for _ in range(COUNT):
        Slotted()


def cycles():
    for _ in range(COUNT):
        ring = []
        ring.append(ring)


def waves():
    """Young garbage, rings among it; what lives for a wave; what lives for ever."""
    forever = []
    for wave in range(WAVES):
        held = []
        for i in range(WAVE):
            node = Node(i, None)
            if i % 3 == 0:
                node.next = Node(i, node)
            else:
                held.append(node)
            if i % KEPT == 0:
                forever.append(node)
    return forever


order = bytearray(100000)
seen = 0


def note(phase, info):
    global seen
    if phase == "start":
        order[seen] = info["generation"]
        seen += 1


def main():
    scene = globals()[sys.argv[1]]
    gc.callbacks.append(note)
    begun = gc.get_count()
    before = gc.get_stats()
    held = scene()
    counts, stats = gc.get_count(), gc.get_stats()
    by_generation = [len(gc.get_objects(generation=g)) for g in range(3)]
    gc.callbacks.clear()
    json.dump({
        "version": list(sys.version_info[:2]),
        "threshold": gc.get_threshold(),
        "begun": begun,
        "before": [g["collections"] for g in before],
        "count": counts,
        "collections": [g["collections"] for g in stats],
        "collected": [g["collected"] for g in stats],
        "objects": by_generation,
        "order": list(order[:seen]),
        "made": COUNT,
        "held": len(held) if held else 0,
    }, sys.stdout)
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


main()
