#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether the reports of a run's segments say what must be true of any program.

usage: tree.py --poolmem BIN --pid PID --exit CODE [--program NAME[=COUNT]]... DIRECTORY

The first process is PID and left with CODE; each NAME was exec'ed COUNT times (1) or more and has a
segment. Prints one line, or what is wrong.
"""
import argparse
import collections
import json
import os
import subprocess
import sys


def report(poolmem, path):
    ran = subprocess.run([poolmem, "report", "--json", path], capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{path}: exit code {ran.returncode}: {ran.stderr.strip()}")
    return json.loads(ran.stdout)


def name_of(process):
    return os.path.basename(process.get("exe", "?"))


def counts_are_possible(process):
    m = process["metrics"]
    inherited = m.get("inherited.blocks", 0)
    if m["free.count"] > m["alloc.count"] + inherited:
        yield f"{m['free.count']} freed, of {m['alloc.count']} allocated and {inherited} inherited"
    if m["live.blocks"] < 0 or m["live.bytes"] < 0:
        yield f"live: {m['live.blocks']} blocks, {m['live.bytes']} bytes"
    if m["live.blocks"] != inherited + m["alloc.count"] - m["free.count"]:
        yield f"live.blocks {m['live.blocks']} is not what the counts say"


def wrong_of(process):
    for text in counts_are_possible(process):
        yield f"pid {process['pid']} ({name_of(process)}): {text}"
    if process["state"] == "running":
        yield f"pid {process['pid']} ({name_of(process)}): still running"


def first_is(processes, pid, code):
    """The last program that the first process was."""
    of_pid = [p for p in processes if p["pid"] == pid and p["kind"] == "exec"]
    ended = [p for p in of_pid if p["state"] == "exited"]
    if len(ended) != 1:
        return [f"pid {pid}: {len(ended)} ends seen, of {[(name_of(p), p['state']) for p in of_pid]}"]
    m = ended[0]["metrics"]
    if m["process.exit"] != code:
        return [f"pid {pid}: reported exit code {m['process.exit']}, not {code}"]
    return [] if m["alloc.count"] > 0 else [f"pid {pid}: no allocation"]


def missing(processes, wanted):
    seen = collections.Counter(name_of(p) for p in processes if p["kind"] == "exec")
    for text in wanted:
        name, _, count = text.partition("=")
        if seen[name] < int(count or 1):
            yield f"{name}: {seen[name]} times in {dict(seen)}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--poolmem", required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--exit", type=int, required=True)
    parser.add_argument("--program", action="append", default=[])
    parser.add_argument("directory")
    args = parser.parse_args()

    paths = sorted(os.path.join(args.directory, n) for n in os.listdir(args.directory) if n.endswith(".pms"))
    documents = [report(args.poolmem, path) for path in paths]
    every = [p for d in documents for p in d["processes"]]
    processes = [p for p in every if "children" not in p]  # without the added-up dead children
    wrong = [text for p in processes for text in wrong_of(p)]
    wrong += first_is(processes, args.pid, args.exit)
    wrong += missing(processes, args.program)
    wrong += [f"{path}: truncated" for path, d in zip(paths, documents) if d["metrics"]["truncated"]]
    for text in wrong:
        print(text)
    total = sum(p["metrics"]["alloc.count"] for p in every)
    print(f"{len(processes)} processes, {total} allocations: {'WRONG' if wrong else 'right'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
