# SPDX-License-Identifier: MIT
"""Records in and out of JSON, words in a dictionary, a tree of small objects."""
import json, random

random.seed(1)


class Node:
    __slots__ = ("key", "left", "right")

    def __init__(self, key):
        self.key, self.left, self.right = key, None, None


def tree(keys):
    root = Node(keys[0])
    for key in keys[1:]:
        at = root
        while True:
            side = "left" if key < at.key else "right"
            below = getattr(at, side)
            if below is None:
                setattr(at, side, Node(key))
                break
            at = below
    return root


def words(count):
    places = {}
    for i in range(count):
        places.setdefault("".join(random.choices("abcdefgh", k=5)), []).append(i)
    return sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))


records = [{"id": i, "name": str(i * 7919), "values": [i, i / 3, str(i)], "more": {"a": i}} for i in range(60000)]
for turn in range(2):
    records = json.loads(json.dumps(records))
    records = [dict(record, turn=turn) for record in records if record["id"] % 10 != turn]
kept = tree([random.random() for _ in range(30000)])
print(len(records), kept.key, words(150000)[0])
