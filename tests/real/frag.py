# SPDX-License-Identifier: MIT
# What frag says of a real program: no line is a fault.   frag.py LABEL JSON SHARE [SMAPS]
#
# SHARE: of RSS that the residual may be, in per cent; SMAPS: read after a process that waits, mapping by mapping.

import collections
import json
import re
import sys

label, path, share = sys.argv[1], sys.argv[2], float(sys.argv[3])
one = max(json.load(open(path))["processes"], key=lambda p: p["waterfall"]["rss"] or 0)
w = one["waterfall"]
assert w["basis"] == "survey" and w["rss"], w
print("# %-22s rss %9d residual %7d (%.3f %%) drift %d" %
      (label, w["rss"], w["residual"], 100 * w["residual"] / w["rss"], w["drift"]))
assert sum(w["parts"].values()) + w["residual"] == w["rss"]
least = 0 if not w["drift"] and share <= 1 else -share * w["rss"] / 100
assert least <= w["residual"] <= share * w["rss"] / 100, w

if len(sys.argv) > 4:
    rss, name = collections.Counter(), ""
    for line in open(sys.argv[4]):
        if re.match("[0-9a-f]+-", line):
            name = (line.split(None, 5) + [""])[5].rstrip("\n") or "[anonymous]"
        elif line.startswith("Rss:"):
            rss[name] += int(line.split()[1]) * 1024
    for other in w["others"]:
        there = rss[other["mapping"]]
        if other["mapping"] != "[anonymous]" and "libpoolmem" not in other["mapping"]:
            assert abs(other["bytes"] - there) <= max(there, other["bytes"]) / 100 + 4096, (other, there)
