# SPDX-License-Identifier: MIT
"""Compares what collect.py was told by Python's garbage collector with the library's generations of the same runs.

usage: collected.py DIRECTORY    it holds SCENE.gc and SCENE.json of each scene
"""
import json
import sys

SCENES = ["nothing", "lists", "strings", "freed", "cycles", "waves"]
THRESHOLD = [700, 10, 10]
SLACK = 2 * 700 // 8  # a class looks at the clock each eighth of an epoch; two of them grow at once


class Python:
    """gc_collect_generations() of CPython 3.11."""

    def __init__(self, count=(0, 0, 0)):
        self.count = list(count)
        self.sweeps = [0, 0, 0]
        self.left_out = 0

    def due(self, oldest=2):
        return next((g for g in range(oldest, 0, -1) if self.count[g] > THRESHOLD[g]), 0)

    def sweep(self, generation):
        self.sweeps[generation] += 1
        if generation < 2:
            self.count[generation + 1] += 1
        self.count[: generation + 1] = [0] * (generation + 1)

    def follow(self, order):
        """In the order that Python collected, full collections may be left out: of a heap that grew too little."""
        for generation in order:
            if generation != self.due():
                assert self.due() == 2 and generation == self.due(1), (self.count, generation)
                self.left_out += 1
            self.sweep(generation)
        return self


def expected(epochs):
    rule = Python()
    for _ in range(epochs):
        rule.sweep(rule.due())
    return rule.sweeps


class Scene:
    def __init__(self, directory, name):
        self.name = name
        self.gc = json.load(open(f"{directory}/{name}.gc"))
        report = json.load(open(f"{directory}/{name}.json"))
        self.ours = report["generations"]
        self.metrics = report["metrics"]
        self.blocks = self.ours["blocks"]
        self.rule = Python(self.gc["begun"]).follow(self.gc["order"])
        self.check()

    def check(self):
        g, ours, blocks = self.gc, self.ours, self.blocks
        assert g["version"] == [3, 11], g["version"]
        assert g["threshold"] == ours["threshold"] == THRESHOLD and ours["clock"] == "net"
        assert self.rule.sweeps == [a - b for a, b in zip(g["collections"], g["before"])]
        assert self.rule.count[1:] == g["count"][1:], (self.rule.count, g["count"])
        assert g["count"][0] <= 701
        assert ours["sweeps"] == expected(ours["epochs"]), ours["sweeps"]
        assert ours["epochs"] == sum(ours["sweeps"]) == self.metrics["gen.epochs"]
        assert ours["epochs"] * 701 <= self.metrics["alloc.count"]
        assert blocks["entered"][0] == self.metrics["alloc.count"]
        for n in range(3):
            assert blocks["entered"][n] == blocks["survived"][n] + blocks["died"][n] + blocks["live"][n]
        assert sum(blocks["live"]) >= sum(g["objects"])
        assert ours["epochs"] >= sum(g["collections"]), (ours["epochs"], g["collections"])


def less(more, nothing):
    return [a - b for a, b in zip(more, nothing)]


def main():
    scene = {name: Scene(sys.argv[1], name) for name in SCENES}
    nothing = scene["nothing"]
    made = nothing.gc["made"]
    collections = {n: less(s.gc["collections"], nothing.gc["collections"]) for n, s in scene.items()}
    sweeps = {n: less(s.ours["sweeps"], nothing.ours["sweeps"]) for n, s in scene.items()}
    live = {n: less(s.blocks["live"], nothing.blocks["live"]) for n, s in scene.items()}
    objects = {n: less(s.gc["objects"], nothing.gc["objects"]) for n, s in scene.items()}
    print(f"{'':8} {'gc.get_stats()':>20} {'sweeps':>20}")
    for name in SCENES:
        of = (nothing.gc["collections"], nothing.ours["sweeps"]) if name == "nothing" else \
            (collections[name], sweeps[name])
        print(f"{name:8} {of[0]!s:>20} {of[1]!s:>20}  full ones left out {scene[name].rule.left_out}")

    # A container is a block: both count the same, and ours end up to some blocks later.
    assert abs(sum(collections["lists"]) - made / 701) <= 2
    assert made / (701 + SLACK) - 2 <= sum(sweeps["lists"]) <= made / 701 + 2
    assert scene["lists"].rule.left_out == 0
    assert abs(live["lists"][2] - objects["lists"][2]) <= 12 * (701 + SLACK)
    assert abs(sum(live["lists"]) - made) < 1000 and abs(sum(objects["lists"]) - made) < 1000

    # Text is a block, but no container.
    assert sum(collections["strings"]) == 0
    assert made / (701 + SLACK) - 2 <= sum(sweeps["strings"]) <= made / 701 + 2

    # What goes at once lowers both counts again.
    assert sum(collections["freed"]) == 0 and abs(sum(sweeps["freed"])) <= 1
    assert less(scene["freed"].blocks["died"], nothing.blocks["died"])[0] >= made

    # A ring is a container and a block more, and lives until Python finds it: nothing of it stays.
    assert sum(scene["cycles"].gc["collected"]) >= made - 2000
    assert sum(less(scene["cycles"].blocks["died"], nothing.blocks["died"])) >= 2 * (made - 2000)
    assert sum(live["cycles"]) <= 5000
    assert sum(sweeps["cycles"]) > sum(collections["cycles"])
    assert scene["cycles"].rule.left_out > 0 and sweeps["cycles"][2] > collections["cycles"][2]

    # What grows enough has all its full collections, as many as the rule gives.
    assert scene["waves"].rule.left_out == 0
    assert scene["waves"].gc["collections"] == expected(sum(scene["waves"].gc["collections"]))
    assert scene["waves"].gc["collections"][2] >= 5 and min(sweeps["waves"]) >= 5


main()
