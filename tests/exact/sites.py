# SPDX-License-Identifier: MIT
# sites.py JSON ACCOUNT: what `poolmem sites --json` says of each function site_NAME against the account that the program, and
# its child, kept of it.
import collections
import json
import sys

FIGURES = ("allocated", "requested_bytes", "freed", "live", "live_requested_bytes", "moved", "temporary", "remote")


def recorded(report):
    sums = collections.defaultdict(lambda: [0] * len(FIGURES))
    for site in report["sites"]:
        name = report["frames"][site["frames"][0]]["function"] if site["frames"] else None
        sums[name] = [have + site[figure] for have, figure in zip(sums[name], FIGURES)]
    return sums


def accounts(path):
    sums = collections.defaultdict(lambda: [0] * len(FIGURES))
    for line in open(path):
        name, *figures = line.split()
        if figures:
            sums[name] = [have + int(figure) for have, figure in zip(sums[name], figures)]
    return sums


def check():
    report = json.load(open(sys.argv[1]))
    found, wanted = recorded(report), accounts(sys.argv[2])
    wrong = [name for name in wanted if found[name] != wanted[name]]
    for name in wrong:
        print(name, "recorded", dict(zip(FIGURES, found[name])), "account", dict(zip(FIGURES, wanted[name])))
    assert not wrong and len(wanted) > 5 and not report["dropped_stacks"] and not report["dropped_blocks"], report["notes"]


if __name__ == "__main__":
    check()
