#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Containers whose programs are all pid 1: each segment is that of one of them and says so truly.

usage: f29_check.py POOLMEM DIRECTORY COUNT PIDS...    PIDS: as seen from outside; none: all have ended
"""
import glob
import json
import os
import struct
import subprocess
import sys

BLOCK_BYTES = 28672     # what a request of 27,000 becomes


def ask(poolmem, *arguments):
    ran = subprocess.run([poolmem, *arguments], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def header(path):
    """id, boot id, inode of the pid namespace, and of the first process: pid and start time."""
    with open(path, "rb") as file:
        data = file.read(65536)
    chunk_bytes = struct.unpack_from("<I", data, 20)[0]
    identity = data[40:56], data[56:72], struct.unpack_from("<Q", data, 72)[0]
    process = chunk_bytes + 256
    pid, start = struct.unpack_from("<I", data, process + 8)[0], struct.unpack_from("<Q", data, process + 16)[0]
    return *identity, pid, start


def seen_from_outside(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return os.stat(f"/proc/{pid}/ns/pid").st_ino, int(fields[22 - 3])


def main():
    poolmem, directory, count, pids = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    paths = glob.glob(directory + "/*.pms")
    assert len(paths) == count, f"{len(paths)} segments of {count}"
    headers = [header(path) for path in paths]
    assert len({h[0] for h in headers}) == count, "ids are not all different"
    boot_ids = {h[1] for h in headers}
    assert len(boot_ids) == 1 and any(*boot_ids), "boot id"
    assert all(h[3] == 1 for h in headers), "all are pid 1"
    if pids:
        assert {(h[2], h[4]) for h in headers} == {seen_from_outside(p) for p in pids}, \
            "namespace and start time are not those of the processes"

    blocks = []
    for path in paths:
        document = ask(poolmem, "report", "--json", path)
        process, = document["processes"]
        own = [c for c in process["classes"] if c["block_bytes"] == BLOCK_BYTES]
        blocks.append(own[0]["allocated"] if own else 0)
        # from outside the namespace its pid means nothing, so a running one may be called unknown
        states = ("running", "unknown") if pids else ("exited",)
        assert process["pid"] == 1 and process["state"] in states, process["state"]
    assert sorted(blocks) == list(range(1, count + 1)), f"blocks {sorted(blocks)}"
    print(f"{count} segments, each of one container")


main()
