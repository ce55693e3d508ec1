#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What other programs make of the reports of a check, and whether all of them say the same.

    readers.py FOLDER_OF_THIS DIRECTORY NAME

reads DIRECTORY/NAME.FORMAT for each format.  The JSON says what must be in the others.
"""
import collections
import html.parser
import json
import os
import re
import subprocess
import sys
import unicodedata

import junitparser
from prometheus_client.openmetrics import parser as openmetrics

here, directory, name = sys.argv[1:]


def path(form):
    return f"{directory}/{name}.{form}"


def read(form):
    text = open(path(form), "rb").read().decode("utf-8")
    bad = [c for c in set(text) - {"\n"} if unicodedata.category(c) in ("Cc", "Zl", "Zp") or "\u202a" <= c <= "\u202e"]
    assert not bad, (form, bad[:10])
    return text


def is_wrong(rule):
    return rule["state"] not in ("passed", "unmeasured")


def fails_itself(test):
    wrong = any(map(is_wrong, test["rules"]))
    return test["state"] != "passed" and (bool(test["why"]) or not wrong)


def read_json():
    document = json.loads(read("json"))
    subprocess.run(["jq", "-e", ".schema == 1"], stdin=open(path("json")), stdout=subprocess.DEVNULL, check=True)
    return document


def check_text(document):
    text = read("text")
    if name != "hostile":
        assert all(len(line) <= 80 for line in text.split("\n")), [line for line in text.split("\n") if len(line) > 80]
        for test in document["tests"]:
            assert re.search(rf"^{test['state']} +{re.escape(test['name'])} ", text, re.M)
    assert text.endswith(".\n")


def check_junit(document):
    read("junit")
    subprocess.run(["xmllint", "--noout", "--schema", f"{here}/junit.xsd", path("junit")], check=True, stderr=subprocess.PIPE)
    suites = list(junitparser.JUnitXml.fromfile(path("junit")))
    assert len(suites) == len(document["tests"])
    for number, (suite, test) in enumerate(zip(suites, document["tests"])):
        said = [note["text"] for note in document["notes"] if note["test"] == test["name"] or (note["test"] is None and not number)]
        out = suite._elem.findtext("system-out") or ""
        assert name == "hostile" or all(text + ".\n" in out for text in said) and out.count("\n") == len(said) + (
            len(document["differences"]) if not number else 0), (said, out)
        cases, results = list(suite), collections.Counter()
        assert len(cases) == suite.tests == 1 + len(test["rules"])
        states = [test["state"] if fails_itself(test) else "passed"] + [rule["state"] for rule in test["rules"]]
        for case, state in zip(cases, states):
            kinds = [type(result).__name__ for result in case.result]
            expected = {"passed": [], "unmeasured": ["Skipped"], "exceeded": ["Failure"]}.get(state, ["Error"])
            assert kinds == expected, (kinds, state)
            results.update(kinds)
            if kinds and kinds != ["Skipped"]:
                assert case.result[0].type == state and case.result[0].message and case.result[0].text
        assert (suite.failures, suite.errors, suite.skipped) == (results["Failure"], results["Error"], results["Skipped"])
        if name != "hostile":
            assert suite.name == test["name"] and [c.name for c in cases[1:]] == [r["rule"] for r in test["rules"]]


class Page(html.parser.HTMLParser):
    """What a reader of the page sees: which elements, and the rows of tables."""
    VOID = {"br", "hr", "img"}

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.tables, self.cell, self.data = collections.Counter(), [], [], None, []

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.open)
        if tag in ("td", "th"):
            self.tables[-1][-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        self.data.append(data)
        if self.cell is not None:
            self.cell += data


ALLOWED = set("h3 h4 p table thead tbody tr th td code details summary ul li strong br".split())


def page_of(form):
    read(form)
    extensions = [part for e in ("table", "autolink", "strikethrough", "tagfilter") for part in ("-e", e)]
    out = subprocess.run(["cmark-gfm", "--unsafe", *extensions, path(form)], stdout=subprocess.PIPE, check=True).stdout
    page = Page()
    page.feed(out.decode("utf-8"))
    page.close()
    assert not page.open, page.open
    assert set(page.tags) <= ALLOWED, set(page.tags) - ALLOWED
    for table in page.tables:
        assert len({len(row) for row in table}) == 1, table[:3]
    return page


def check_markdown(document):
    page = page_of("markdown")
    tests = document["tests"]
    if not tests:
        return
    first = page.tables[0]
    assert [row[0] for row in first[1:]] == [test["state"] for test in tests]
    wrong = [[rule for rule in test["rules"] if is_wrong(rule)] for test in tests]
    rows = [table[1:] for table in page.tables if table[0][0] == "rule"]
    assert [len(of) for of in rows] == [len(of) for of in wrong if of]
    sites = [table[1:] for table in page.tables if table[0][-1] == "stack"]
    assert [len(of) for of in sites] == [len(rule["sites"]) for of in wrong for rule in of if rule["sites"]]
    assert page.tags["details"] == len(sites)
    if name != "hostile":
        assert [row[1] for row in first[1:]] == [test["name"] for test in tests]
        assert [row[0] for of in rows for row in of] == [rule["rule"] for of in wrong for rule in of]
        assert [row[4] for of in sites for row in of][:1] == ["json_array_grow at tests/unit/check_example.h:88"] or not sites
    else:
        assert first[1][1].startswith("a\"b'c<img src=x onerror=alert(1)>&]]>|`*_[x](http://x.y)@root #1 %0A::error::x,y=\\\\n::error::z\\x0d\\t\\x1b]52")


def check_summary():
    page = page_of("summary")
    assert ("is cut here" in "".join(page.data)) == (os.path.getsize(path("markdown")) >= 1 << 20) and os.path.getsize(path("summary")) <= 1 << 20


def unescaped(text, is_property):
    for code, mark in [("%0D", "\r"), ("%0A", "\n")] + ([("%3A", ":"), ("%2C", ",")] if is_property else []) + [("%25", "%")]:
        text = text.replace(code, mark)
    return text


def command(line):
    """As the runner of GitHub Actions reads a line."""
    assert line.startswith("::"), line
    info, message = line[2:].split("::", 1)
    word, _, rest = info.partition(" ")
    properties = dict(part.split("=", 1) for part in rest.split(",") if part)
    return word, {key: unescaped(value, True) for key, value in properties.items()}, unescaped(message, False)


def problems(document):
    return sum(fails_itself(test) + sum(map(is_wrong, test["rules"])) for test in document["tests"])


def check_github(document):
    commands = [command(line) for line in read("github").split("\n") if line]
    count = problems(document)
    # Each once, whatever tests it is of.
    notes = list(dict.fromkeys((note["test"] is None, note["text"]) for note in document["notes"] if note["text"]))
    assert [word for word, _, _ in commands] == ["error"] * min(count, 10) + ["notice"] * ((count > 10) + min(len(notes), 9)), commands
    if name != "hostile" and notes:
        for (is_of_all, text), (_, _, message) in zip(notes, commands[-len(notes):]):
            assert message == text if is_of_all else re.match("tests? \"|each test: ", message) and message.endswith(": " + text), message
    if count > 10:
        assert commands[10][2].startswith(f"{count - 10:,} more of {count:,} problems")
    for word, properties, message in commands:
        assert set(properties) <= {"file", "line", "title"} and properties["title"] and message
    if name == "example":
        assert commands[0][1] == {"file": "tests/unit/check_example.h", "line": "88", "title": "parse-large: live.peak exceeded"}
        assert commands[0][2].startswith("live.peak is 25.0 MiB (26,214,400), 1.0 MiB (1,048,576) or 4.2 % over 24.0 MiB (25,165,824)\nrule: live.peak <= 24 MiB\nin: poolmem.budget:8\n")
        assert commands[1][1]["file"] == "poolmem.budget" and commands[1][1]["line"] == "6"
        assert commands[3][2] == "it exited with 3\n$ ./broken"


def check_gitlab(document):
    issues = json.loads(read("gitlab"))
    names = [test["name"] for test in document["tests"]]
    notes = [note for note in document["notes"] if note["text"] and note["test"] in names]
    assert len(issues) == problems(document) + len(notes)
    assert len([issue for issue in issues if issue["check_name"] == "note"]) == len(notes)
    if name != "hostile":
        assert [i["description"] for i in issues if i["check_name"] == "note"] == [f'{note["test"]}: {note["text"]}' for note in notes]
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert re.fullmatch("[0-9a-f]{32}", issue["fingerprint"]) and issue["description"] and "\n" not in issue["description"]
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["path"] and issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def check_openmetrics(document):
    text = read("openmetrics")
    assert text.endswith("\n# EOF\n")
    series = [line.rsplit(" ", 1)[0] for line in text.split("\n") if line and not line.startswith("#")]
    assert len(set(series)) == len(series), "a series that is there twice; the parser drops it without a word"
    samples = {}
    for family in openmetrics.text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    assert len(samples) == len(series)
    for test in document["tests"]:
        of_test = [(key, value) for key, value in samples.items() if dict(key[1]).get("test") == test["name"]]
        for metric, value in test["metrics"].items() if name != "hostile" else ():
            unit = {"alloc.count": "_total", "live.peak": "_bytes", "process.elapsed_ns": None}[metric]
            family = f"poolmem_{metric.replace('.', '_')}{unit}" if unit else "poolmem_process_elapsed_seconds"
            assert [v for (n, _), v in of_test if n == family] == [value / 1e9 if unit is None else value], (metric, of_test)
        if name != "hostile":
            states = {dict(labels)["poolmem_check_state"]: value for (n, labels), value in of_test if n == "poolmem_check_state"}
            assert states == {state: state == test["state"] for state in document["counts"]}
            known = [rule["value"] for rule in test["rules"] if rule["value"] is not None]
            assert sorted(v for (n, _), v in of_test if n == "poolmem_check_value") == sorted(known)
            if test["cause"]:
                own = [labels for (n, labels), _ in of_test if not n.startswith("poolmem_check_")]
                assert len(own) == len(test["metrics"]) and all(("reliable", "no") in labels for labels in own), own
            doubted = [rule["value"] for rule in test["rules"] if rule["state"] == "unreliable"]
            assert sorted(v for (n, labels), v in of_test if n == "poolmem_check_value" and dict(labels).get("reliable") == "no") == sorted(doubted)


document = read_json()
check_text(document)
check_junit(document)
check_markdown(document)
check_summary()
check_github(document)
check_gitlab(document)
check_openmetrics(document)
