#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `poolmem frag --json` says of a timeline, against what the program wrote down of itself (timeline.c).

    timeline.py JSON exact|mixed|killed|threads LOG...      a log for each process that has a timeline, in order
    timeline.py JSON early|large|drop
"""
import json
import struct
import sys

MOMENTS = "early", "large", "drop"


def read_log(path):
    data = open(path, "rb").read()
    allocations, live, count = struct.unpack_from("=3Q", data)
    return allocations, list(struct.iter_unpack("=3Q", data[24:24 + 24 * count]))


def check_order(timeline):
    last = (0, 0)
    for point in timeline["points"]:
        now = point["at_ns"], point["allocations"]
        assert now[0] >= last[0] and now[1] >= last[1], (last, now)
        last = now
        used = point["used_bytes"]
        assert used + point["kept_bytes"] <= point["committed_bytes"] + (8 << 20), point
        assert point["room_bytes"] == max(0, used - point["live_bytes"]), point
    end = timeline["end"]
    assert last[0] <= end["at_ns"] and last[1] <= end["allocations"], (last, end)


def check_peak(timeline, peak, heaps):
    highest = max(point["live_bytes"] for point in timeline["points"])
    assert timeline["peak"]["live"]["live_bytes"] == highest, highest
    # Of several threads `peak` is what was proven, at most a 64th and 64 KiB for each heap lower than what was seen.
    assert peak <= highest <= peak + (peak // 64 + heaps * 65536 if heaps > 1 else 0), (highest, peak)


def check_log(timeline, before, live, exact):
    """A tick comes with a call: what lives then is what the program wrote down after it."""
    highest = max(max(step) for step in live)
    looked_at = 0
    for point in timeline["points"]:
        index = point["allocations"] - before - 1
        if not 0 <= index < len(live):
            continue
        looked_at += 1
        if exact:
            assert point["live_bytes"] in live[index], (point, live[index])
        else:
            assert point["live_bytes"] <= highest, point
    return looked_at


def check_end(timeline, metrics):
    last = timeline["points"][-1]
    assert last["allocations"] == metrics["alloc.count"], (last, metrics["alloc.count"])
    assert last["live_bytes"] == metrics["live.bytes"], (last, metrics["live.bytes"])


def check_moment(how, timeline):
    """The figures of a moment are of that moment."""
    peak, last = timeline["peak"]["live"], timeline["points"][-1]
    if how == "early":
        assert 900000 <= peak["live_bytes"] and peak["allocations"] < 1000, peak
    if how == "large":
        assert 3000000 <= peak["live_bytes"] <= peak["used_bytes"], peak
    if how == "drop":
        assert last["used_bytes"] < peak["used_bytes"] / 4, (last, peak)


def main():
    path, how, *logs = sys.argv[1:]
    report = json.load(open(path))
    processes = [p for p in report["processes"] if p["timeline"]]
    # those with the largest heap come first, logs in order of the pids
    processes.sort(key=lambda p: p["pid"])
    # The first moment is that of the first sweep; size classes count to it each on its own.
    if how == "killed" and report["metrics"]["alloc.count"] < 5000:
        return
    assert how in ("threads", *MOMENTS) or len(processes) == len(logs), len(processes)
    alone = len(processes) == 1
    for process, log in zip(processes, logs or [None]):
        timeline, metrics = process["timeline"], report["metrics"]
        check_order(timeline)
        if alone:
            check_peak(timeline, metrics["live.peak"], metrics["process.threads"])
            check_end(timeline, metrics)
        if how in MOMENTS:
            check_moment(how, timeline)
        if log:
            before, live = read_log(log)
            looked_at = check_log(timeline, before, live, how != "mixed")
            enough = 10 if how == "killed" else 40
            assert looked_at >= min(enough, len(live) // 2000), (looked_at, len(live))
    print("ok", len(processes))


main()
