# SPDX-License-Identifier: MIT
"""F33: traces that were cut, changed or made up are read as far as they are sound, or refused with a sentence.

    trace_hostile.py POOLMEM TRACE DIRECTORY COUNT
"""
import os
import random
import subprocess
import sys

poolmem, trace, directory, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
whole = open(trace, "rb").read()
name = os.path.join(directory, "hostile.pmt")
HEADER = 328  # bytes of the header's fields
ends = {0: 0, 1: 0, 3: 0}  # 1: it holds no call


def judge(data, what):
    with open(name, "wb") as file:
        file.write(data)
    done = subprocess.run([poolmem, "replay", "--print", name], capture_output=True, timeout=60)
    told = done.stderr.decode()
    assert done.returncode in ends, (what, done.returncode, told)
    assert (done.returncode != 0) == (told.startswith("poolmem: ") and told.count("\n") == 1), (what, told)
    ends[done.returncode] += 1
    return done.returncode, done.stdout


def changed(at, by):
    data = bytearray(whole)
    data[at] ^= by
    return bytes(data)


random.seed(5)
code, calls = judge(whole, "whole")
assert code == 0 and calls.count(b"\n") > 5000
for cut in [0, 1, 7, 8, 71, 72, HEADER - 1] + [random.randrange(len(whole)) for _ in range(count)]:
    code, _ = judge(whole[:cut], f"cut at {cut}")
    assert cut >= 72 or code == 3, cut
for at in range(0, 32):  # what says which format it is
    judge(changed(at, 255), f"header {at}")
for _ in range(count):
    at = random.randrange(len(whole))
    judge(changed(at, 1 << random.randrange(8)), f"bit in {at}")
first = whole.find(b"Chnk")
for at in range(first, first + 48):
    judge(changed(at, 0x81), f"chunk header {at - first}")
for at in range(first + 48, first + 48 + 200):  # events: seen, but where a packed one does not use the bit
    code, told = judge(changed(at, 0x10), f"event {at - first - 48}")
    assert code == 3 or told == calls, at
print(ends)
