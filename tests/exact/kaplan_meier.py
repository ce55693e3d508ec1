# SPDX-License-Identifier: MIT
# kaplan_meier.py LOG SITE JSON [sample]: what `poolmem survival --site SITE --json` says against Kaplan-Meier's curve of the births
# and deaths that the program kept, by the book: deaths of an age come before what was watched no longer than that.
# Prints the verdict; of a sample how many bands hold that curve, of how many.
import json
import math
import sys

NEVER = math.inf


# S(age) and Greenwood's variance of log S, of pairs (age at death or None, age up to which it was watched)
def kaplan_meier(blocks, age):
    share, variance = 1.0, 0.0
    for at in sorted({died for died, _ in blocks if died is not None and died <= age}):
        at_risk = sum((watched if died is None else died) >= at for died, watched in blocks)
        deaths = sum(died == at for died, _ in blocks)
        share *= 1 - deaths / at_risk
        variance += deaths / (at_risk * (at_risk - deaths)) if deaths < at_risk else 0
    return share, variance


def band(share, variance, at_risk):
    if share == 1:
        return (0.025 ** (1 / at_risk) if at_risk else 0), 1
    width = 1.959964 * math.sqrt(variance) / abs(math.log(share))
    return share ** math.exp(width), share ** math.exp(-width)


lines = [line.split() for line in open(sys.argv[1])]
end = int(lines[-1][1])
own = [(int(birth), None if death == "-" else int(death)) for name, birth, death in lines[:-1] if name == sys.argv[2]]
site = json.load(open(sys.argv[3]))["site"]

true = [(None if death is None else death - birth, end - birth) for birth, death in own]
if len(sys.argv) > 4:
    held = [point["band_low"] <= kaplan_meier(true, point["age"])[0] <= point["band_high"] for point in site["curve"]]
    assert site["recorded"] < len(own) and abs(site["blocks"] / len(own) - 1) < 0.4, (site, len(own))
    print(sum(held), len(held))
    sys.exit()
live = [birth for birth, death in own if death is None]
assert (site["epochs"], site["blocks"], site["live"]) == (end, len(own), len(live)), (site, len(own), len(live))
assert site["died_young"] == sum(birth == death for birth, death in own)
young = site["live_young_at_most"]
assert sum(birth == end for birth in live) <= young <= len(live), young

dead = [(died, None) for died, _ in true if died is not None]
high = dead + [(None, NEVER)] * len(live)
low = dead + [(None, -1)] * young + [(None, 0)] * (len(live) - young)
assert len(site["curve"]) > 3, site
for point in site["curve"]:
    age = point["age"]
    known, _ = kaplan_meier(true, age)
    assert point["at_least"] - 1e-9 <= known <= point["at_most"] + 1e-9, (point, known)
    bands = []
    for name, blocks in ("at_least", low), ("at_most", high):
        share, variance = kaplan_meier(blocks, age)
        assert abs(point[name] - share) < 1e-9, (name, point, share)
        at_risk = sum((watched if died is None else died) >= age for died, watched in blocks)
        if 0 < share:
            bands.append(band(share, variance, at_risk))
    assert point["band_low"] <= point["at_least"] and point["band_high"] >= point["at_most"], point
    if len(bands) == 2:
        assert abs(point["band_low"] - min(low for low, _ in bands)) < 1e-6, (point, bands)
        assert abs(point["band_high"] - max(high for _, high in bands)) < 1e-6, (point, bands)
print(site["verdict"])
