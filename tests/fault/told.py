#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the value of an expression over a report: `d` is its document, `p` the first process in it,
`notes` the counts of all notes by key, `words` their details.

usage: told.py POOLMEM DIRECTORY EXPRESSION
"""
import glob
import json
import subprocess
import sys


def main():
    poolmem, directory, expression = sys.argv[1:]
    segments = glob.glob(directory + "/*.pms")
    if len(segments) != 1:
        sys.exit(f"{len(segments)} segments in {directory}")
    ran = subprocess.run([poolmem, "report", "--json", segments[0]], capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(ran.stderr)
    d = json.loads(ran.stdout)
    notes = [n for p in d["processes"] for n in p["notes"]]
    print(eval(expression, {"d": d, "p": d["processes"][0], "metrics": d["metrics"],
                            "notes": {n["key"]: n.get("count", 0) for n in notes},
                            "words": {n["key"]: n.get("detail", "") for n in notes}}))


main()
