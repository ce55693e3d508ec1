# SPDX-License-Identifier: MIT
"""elfpatch.py WHAT FROM TO: a copy of an executable with its ELF header falsified.

  32bit, machine     class or machine of another kind
  loader=PATH        another PT_INTERP, at most as long as the old one
  hostile=N          N copies TO.0 ... TO.N-1 with random bytes in headers and dynamic section, or cut short
"""
import os
import random
import struct
import sys


def segments(image):
    offset, = struct.unpack_from("<Q", image, 32)
    count, = struct.unpack_from("<H", image, 56)
    return [struct.unpack_from("<IIQQQQQQ", image, offset + 56 * i) for i in range(count)]


def place(image, kind):
    return next((s[2], s[5]) for s in segments(image) if s[0] == kind)


def hostile(image, dice):
    spots = [(0, 64), (64, 56 * len(segments(image))), place(image, 2), place(image, 4)]
    copy = bytearray(image)
    for _ in range(dice.randrange(1, 6)):
        start, length = dice.choice(spots)
        at = start + dice.randrange(length)
        value = dice.choice([0, 1, 0x7f, 0x80, 0xff, dice.randrange(256)])
        copy[at:at + dice.choice([1, 1, 4, 8])] = bytes([value]) * dice.choice([1, 1, 4, 8])
    if dice.random() < 0.2:
        del copy[dice.randrange(len(copy)):]
    return b"\x7fELF" + copy[4:]


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o755)


what, source, target = sys.argv[1:]
image = bytearray(open(source, "rb").read())
if what == "32bit":
    image[4] = 1
    image[18:20] = struct.pack("<H", 3)
elif what == "machine":
    image[18:20] = struct.pack("<H", 183)
elif what.startswith("loader="):
    offset, length = place(image, 3)
    loader = os.fsencode(what[7:])
    assert len(loader) < length
    image[offset:offset + length] = loader.ljust(length, b"\0")
elif what.startswith("hostile="):
    dice = random.Random(2)
    for i in range(int(what[8:])):
        write(f"{target}.{i}", hostile(image, dice))
    sys.exit(0)
write(target, image)
