#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the counter NESTED of a segment, added up over its slots.

usage: nested.py INCLUDE_DIRECTORY SEGMENT...
"""
import re
import struct
import sys

SLOT, COUNTERS_AT = 1, 16 + 32


def main():
    include, *segments = sys.argv[1:]
    with open(include + "/words.h") as f:
        names = re.findall(r"X\((\w+),", f.read().split("define PM_COUNTERS")[1].split("#define")[0])
    with open(include + "/format.h") as f:
        chunk = 1024 * int(re.search(r"define PM_CHUNK_KIB (\d+)", f.read()).group(1))
    total = 0
    for path in segments:
        with open(path, "rb") as f:
            f.seek(chunk)
            while block := f.read(chunk):
                if struct.unpack_from("<I", block)[0] == SLOT:
                    total += struct.unpack_from("<Q", block, COUNTERS_AT + 8 * names.index("NESTED"))[0]
    print(total)


main()
