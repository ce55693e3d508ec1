# SPDX-License-Identifier: MIT
# leaks.py JSON ACCOUNT SUPPRESSED...: what `poolmem leaks --json` says of each function site_NAME against the account that
# the program and its child kept of what lived when they ended.  SUPPRESSED: functions that are not to be listed.
import collections
import json
import sys

from sites import accounts, FIGURES

report, suppressed = json.load(open(sys.argv[1])), sys.argv[3:]
live, asked = FIGURES.index("live"), FIGURES.index("live_requested_bytes")
wanted = {name: (figures[live], figures[asked]) for name, figures in accounts(sys.argv[2]).items()}
found = collections.Counter(), collections.Counter()
for site in report["sites"]:
    name = report["frames"][site["frames"][0]]["function"] if site["frames"] else None
    found[0][name] += site["leaked"]
    found[1][name] += site["live_requested_bytes"]
for name, figures in wanted.items():
    expected = (0, 0) if name in suppressed else figures
    assert (found[0][name], found[1][name]) == expected, (name, found[0][name], found[1][name], expected)

rest = sum(wanted[name][0] for name in suppressed)
assert report["suppressed"]["blocks"] == rest and (rest or not suppressed), report["suppressed"]
assert sum(rule["blocks"] for rule in report["suppressions"]) == rest
assert report["metrics"]["leak.blocks"] == report["left"]["blocks"] == sum(s["leaked"] for s in report["sites"])
assert report["metrics"]["leak.bytes"] == report["left"]["bytes"] == sum(s["leaked_bytes"] for s in report["sites"])
assert report["of"] == "leaked" and not report["unrecorded"]["blocks"]
assert "leak.blocks" not in report["estimated"], "what the child inherited is known to be its parent's"
