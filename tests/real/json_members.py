#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether the man page of a command has each member of the JSON that it prints.

    json_members.py FOLDER COMMAND... <JSON documents, one after the other

A member is there when its name, or its names from the process on with dots between, stands in bold, in the page or, of commands
other than frag and map, in a page that its section JSON names.  What metrics, estimated and notes hold is in poolmem-report(1); spread and
baseline_metrics hold metrics, too.
"""
import json
import re
import sys

COMMON = {"metrics", "estimated", "notes", "spread", "baseline_metrics"}
WHOLE = {"frag", "map"}


def members(value, path, found):
    if isinstance(value, list):
        for element in value:
            members(element, path, found)
    elif isinstance(value, dict):
        for name, inner in value.items():
            found.add(path + (name,))
            if name not in COMMON:
                members(inner, path + (name,), found)


def bold(page):
    text = open(page).read().replace("\\_", "_").replace("\\*", "")
    return set(re.findall(r"\*([^*]+)\*", text)), text


def documented(folder, command):
    names, text = bold(f"{folder}/poolmem-{command}.1.scd")
    section = re.search(r"^# JSON\n(.*?)^# ", text, re.M | re.S)
    assert section, f"poolmem-{command}(1) has no section JSON"
    for other in set(re.findall(r"\*poolmem-(\w+)\*\(1\)", section[1])) if command not in WHOLE else ():
        names |= bold(f"{folder}/poolmem-{other}.1.scd")[0]
    return names


def documents(text):
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        document, end = decoder.raw_decode(text, at)
        yield document
        at = end + len(text[end:]) - len(text[end:].lstrip())


def main():
    folder, command = sys.argv[1:]
    found = set()
    for document in documents(sys.stdin.read()):
        members(document, (), found)
    names = documented(folder, command)
    assert len(found) > 10, found
    missing = [".".join(path) for path in sorted(found)
               if path[-1] not in names and ".".join(path).removeprefix("processes.") not in names]
    if missing:
        sys.exit(f"poolmem-{command}(1) has nothing of: " + ", ".join(missing))


main()
