# SPDX-License-Identifier: MIT
"""How many frames stand in the only segment of a directory: as include/poolmem/format.h has it, no report puts any together.

usage: frames.py DIRECTORY
"""
import glob
import struct
import sys

CHUNK_BYTES, FRAMES = 16384, 8
[path] = glob.glob(sys.argv[1] + "/*.pms")
with open(path, "rb") as file:
    segment = file.read()
count = 0
for chunk in range(0, len(segment), CHUNK_BYTES):
    if struct.unpack_from("I", segment, chunk)[0] == FRAMES:
        stride, room = struct.unpack_from("2I", segment, chunk + 16)
        count += sum(struct.unpack_from("Q", segment, chunk + 32 + i * stride) != (0,) for i in range(room))
print(count)
