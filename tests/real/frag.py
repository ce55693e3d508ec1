# SPDX-License-Identifier: MIT
# What frag says of a real program: no line is a fault.   frag.py LABEL JSON SHARE SMAPS [moving]
#
# SHARE: of RSS that the residual may be, in per cent, or what the program changed meanwhile, if that is more.
# SMAPS: read after, or a directory with one for each process that ended: mapping by mapping it is what was said, but for one that
# is moving.

import collections
import json
import os
import re
import sys

label, path, share, smaps = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
one = max(json.load(open(path))["processes"], key=lambda p: p["waterfall"]["rss"] or 0)
w = one["waterfall"]
assert w["basis"] == "survey" and w["rss"], w
print("# %-22s rss %9d residual %7d (%.3f %%) drift %d" %
      (label, w["rss"], w["residual"], 100 * w["residual"] / w["rss"], w["drift"]))
assert sum(w["parts"].values()) + w["residual"] == w["rss"]
most = max(w["drift"], share * w["rss"] / 100)
least = -w["drift"] if share <= 1 else -most
assert least <= w["residual"] <= most, w


def kind(name):
    if name == "[anonymous]" or "libpoolmem" in name or re.search(r"\.pms( \(deleted\))?$", name):
        return "ours and anonymous"
    return name


rss = collections.Counter()
for line in open(os.path.join(smaps, str(one["pid"])) if os.path.isdir(smaps) else smaps):
    if re.match("[0-9a-f]+-", line):
        name = kind((line.split(None, 5) + [""])[5].rstrip("\n") or "[anonymous]")
    elif line.startswith("Rss:"):
        rss[name] += int(line.split()[1]) * 1024
said = collections.Counter()
for other in w["others"]:
    said[kind(other["mapping"])] += other["bytes"]
said["ours and anonymous"] += w["rss"] - w["residual"] - w["parts"]["other"]
# After the survey at the end comes what it writes itself, and what the end of the program touches of the libraries: the
# kernel maps 64 KiB around each such page.
page, own, around = 4096, 64 << 10, 128 << 10
at_end = os.path.isdir(smaps)
for name in set(said) | set(rss) if len(sys.argv) < 6 else ():
    is_ours = name.startswith("ours")
    allowed = rss[name] / 100 + page + (own if at_end and is_ours else 0)
    later = around if at_end and not is_ours else 0
    assert -allowed <= rss[name] - said[name] <= allowed + later, (name, said[name], rss[name])
