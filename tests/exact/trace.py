# SPDX-License-Identifier: MIT
"""What a trace says, by `poolmem replay --print`, against what the program wrote down, or another trace.

    trace.py log LOG PRINTED        each call between the marks, in its order
    trace.py same PRINTED PRINTED   two traces have the same calls
    trace.py prefix LOG PRINTED     what is there of a killed program's is how the log begins; prints how many calls
    trace.py less LOG PRINTED SIZE  as log, when blocks of SIZE bytes are left out
    trace.py sound PRINTED          no block comes where one lives; prints words and how many
"""
import collections
import sys

MARK = 123457


def printed(path):
    """(word, block by birth, size) of each line; None for a block that is not known."""
    number, births, calls = {}, 0, []
    for line in open(path):
        words = line.split()
        word = words[1]
        if word in ("malloc", "calloc", "aligned", "found", "attach"):
            name = words[words.index("=") + 1]
            number[name] = births
            births += 1
            size = int(words[2] if words[2] != "?" else words[3])
        elif word in ("free", "realloc", "detach", "gone"):
            name = words[2]
            size = int(words[4]) if word == "realloc" and name != "?" else 0
        else:
            continue
        calls.append((word, number.get(name), size))
    return calls


def logged(path):
    return [(word, int(block), int(size)) for word, block, size in (line.split() for line in open(path))]


def between(calls, whole=True):
    """From the first mark to the last, blocks numbered from there on."""
    marks = [i for i, call in enumerate(calls) if call[0] == "malloc" and call[2] == MARK]
    assert len(marks) == 2 if whole else marks, marks
    base = calls[marks[0]][1]
    part = calls[marks[0]:marks[1] + 2 if whole else None]
    return renumber([(w, None if b is None else b - base, s) for w, b, s in part])


def renumber(calls):
    """Blocks by the order in which they are first named."""
    seen = {}
    return [(w, seen.setdefault(b, len(seen)), s) for w, b, s in calls]


def differ(one, other):
    for i, (a, b) in enumerate(zip(one, other)):
        if a != b:
            sys.exit(f"call {i}: {a} and {b}; before: {one[max(0, i - 3):i]}")
    if len(one) != len(other):
        sys.exit(f"{len(one)} calls and {len(other)}")


def without(calls, size):
    gone, kept = set(), []
    for call in calls:
        if call[0] == "malloc" and call[2] == size:
            gone.add(call[1])
        elif call[1] not in gone:
            kept.append(call)
    return kept


what, first = sys.argv[1:3]
if what == "log":
    differ(renumber(logged(first)), between(printed(sys.argv[3])))
elif what == "less":
    size = int(sys.argv[4])
    differ(renumber(without(logged(first), size)),
           renumber(without([c for c in between(printed(sys.argv[3])) if c[0] != "gone"], size)))
elif what == "same":
    differ([("malloc", b, s) if w == "found" else (w, b, s) for w, b, s in printed(first)], printed(sys.argv[3]))
elif what == "prefix":
    there = between(printed(sys.argv[3]), whole=False)
    differ(renumber(logged(first))[:len(there)], there)
    print(len(there))
elif what == "sound":
    counts = collections.Counter(word for word, _, _ in printed(first))
    assert not counts["gone"], counts
    print(" ".join(f"{word}={count}" for word, count in sorted(counts.items())))
else:
    sys.exit(__doc__)
