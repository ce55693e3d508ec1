#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what the oracle counted with what poolmem reports, process by process.

usage: check.py [options] --poolmem BIN ORACLE_OUT FILE_OR_DIRECTORY...

Processes are matched by pid; where a pid occurs more than once (a forked child that then calls exec),
by the best fit. --slack allows that many calls in flight in each process, --inherited-slack that many
more or less blocks inherited by a child of a parent with threads. Prints one line, or the differences.
"""
import argparse
import itertools
import json
import os
import struct
import subprocess
import sys

PAGE = 4096
COUNTED = ("alloc.count", "free.count", "realloc.count", "realloc.moved", "alloc.failed")


class Unreadable(Exception):
    pass


def read_oracle(path):
    """Records as [{pid, exe, inherited, alloc.count ..}]; an empty list when no call was made."""
    with open(path, "rb") as f:
        data = f.read(PAGE)
        if len(data) < PAGE:        # killed while it made the file
            return []
        magic, used, stride = struct.unpack_from("<8sII", data)
        if magic != b"oracle1\n":
            return []
        data = f.read(used * stride)
    records = []
    for i in range(used):
        pid, _, inherited, *counts = struct.unpack_from("<IIq6Q", data, i * stride)
        if pid == 0:                # killed while it took the record, before it counted anything
            continue
        exe = data[i * stride + 64:i * stride + 96].split(b"\0")[0].decode()
        invalid = counts.pop()
        record = dict(pid=pid, exe=exe, inherited=inherited, invalid=invalid)
        records.append(dict(record, **dict(zip(COUNTED, counts))))
    return records


def report(poolmem, path):
    ran = subprocess.run([poolmem, "report", "--json", path], capture_output=True, text=True)
    if ran.returncode != 0:
        raise Unreadable(f"{path}: exit code {ran.returncode}: {ran.stderr.strip()}")
    return json.loads(ran.stdout)


def segments(paths):
    for path in paths:
        if os.path.isdir(path):
            yield from sorted(os.path.join(path, n) for n in os.listdir(path) if n.endswith(".pms"))
        else:
            yield path


def reported(process):
    """The library tells frees of foreign blocks apart; the oracle cannot."""
    m = dict(process["metrics"])
    m["free.count"] += m.get("foreign.free", 0)
    return m


def differs(name, told, called, slack):
    if abs(told - called) <= slack:
        return []
    return [f"{name}: reported {told}, called {called} (difference {told - called})"]


def differences(record, process, slack, inherited_slack):
    """What is wrong with a process, as a list of texts; empty when it agrees."""
    m, own, wrong = reported(process), process["metrics"], []
    for name in COUNTED:
        wrong += differs(name, m[name], record[name], slack)
    inherited = own.get("inherited.blocks", 0)
    if abs(inherited - record["inherited"]) > inherited_slack:
        wrong.append(f"inherited.blocks: reported {inherited}, oracle {record['inherited']}")
    live = inherited + own["alloc.count"] - own["free.count"]
    if own["live.blocks"] != live:
        wrong.append(f"live.blocks: reported {own['live.blocks']}, by the counts {live}")
    return wrong


def pair_up(records, processes, cost):
    """The best assignment of the records of one pid to the processes of that pid; they are few."""
    size = max(len(records), len(processes))
    records = records + [None] * (size - len(records))
    candidates = itertools.permutations(processes + [None] * (size - len(processes)))
    best = min(candidates, key=lambda c: sum(cost(r, p) for r, p in zip(records, c)))
    return list(zip(records, best))


def called_nothing(counts):
    return all(counts[name] == 0 for name in COUNTED)


def said_unseen(processes):
    """How many children the reports themselves say are missing, for want of a spare area."""
    notes = [n for p in processes for n in p.get("notes", []) if n["key"] == "children_unseen"]
    return sum(n["count"] for n in notes)


def compare(records, documents, slack=0, inherited_slack=0, may_say_unseen=False):
    """Differences between the oracle's records and the reports, as texts."""
    every = [p for d in documents for p in d["processes"]]
    processes = [p for p in every if "children" not in p]
    departed = [p for p in every if "children" in p]    # dead children, added up
    wrong, unseen = [], []

    def cost(record, process):
        if record is None or process is None:
            return 100
        return len(differences(record, process, slack, inherited_slack))

    for pid in sorted({r["pid"] for r in records} | {p["pid"] for p in processes}):
        of_pid = [[x for x in side if x["pid"] == pid] for side in (records, processes)]
        for record, process in pair_up(*of_pid, cost):
            if process is None and not called_nothing(record):
                unseen.append(record)
            elif record is None and not called_nothing(reported(process)):
                wrong.append(f"pid {pid}: unknown to the oracle: {process['metrics']}")
            elif record and process:
                wrong += [f"pid {pid} ({record['exe']}): {text}"
                          for text in differences(record, process, slack, inherited_slack)]
    if may_say_unseen and not departed and len(unseen) <= said_unseen(processes):
        records, unseen = [r for r in records if r not in unseen], []
    return (wrong + departed_differences(unseen, departed, slack)
            + total_differences(records, documents, slack))


def departed_differences(unseen, departed, slack):
    """Children that have no entry of their own are in the entries of those added up, and nowhere else."""
    if len(unseen) > sum(p["children"] for p in departed):
        return [f"pid {r['pid']} ({r['exe']}): not reported: {r}" for r in unseen]
    wrong = []
    for name in COUNTED:
        told = sum(reported(p)[name] for p in departed)
        called = sum(r[name] for r in unseen)
        wrong += differs(f"departed {name}", told, called, slack * len(unseen))
    return wrong


def total_differences(records, documents, slack):
    """The top-level metrics are those of all processes together, of recycled children as well."""
    wrong = []
    for name in COUNTED:
        total = sum(reported(d)[name] for d in documents)
        called = sum(r[name] for r in records)
        wrong += differs(f"total {name}", total, called, slack * len(records))
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--poolmem", required=True)
    parser.add_argument("--slack", type=int, default=0)
    parser.add_argument("--inherited-slack", type=int, default=0)
    parser.add_argument("--ignore", action="append", default=[], help="an executable that is not recorded")
    parser.add_argument("--processes", type=int, help="how many must have made calls")
    parser.add_argument("oracle")
    parser.add_argument("reports", nargs="+")
    args = parser.parse_args()

    records = [r for r in read_oracle(args.oracle) if r["exe"] not in args.ignore]
    documents = [report(args.poolmem, path) for path in segments(args.reports)]
    wrong = compare(records, documents, args.slack, args.inherited_slack)
    if args.processes is not None and len(records) != args.processes:
        wrong.append(f"{len(records)} processes made calls, {args.processes} expected")
    if not records:
        wrong.append("the oracle saw no call")
    for text in wrong:
        print(text)
    calls = sum(r["alloc.count"] + r["free.count"] for r in records)
    print(f"{len(records)} processes, {calls} allocations and frees: {'DIFFERENT' if wrong else 'equal'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
