# SPDX-License-Identifier: MIT
"""Holds the extension to a budget by function: what python3 itself allocates does not matter.

cc -shared -fPIC -g $(python3-config --includes) -o boxes.so boxes.c && python3 -m pytest
"""
import sys


def test_make_gives_back(memory):
    metrics = memory(sys.executable, "-c", "import boxes; boxes.make(100)",
                     rules=['site "hand_out" alloc.count <= 100', 'site "hand_out" leak.blocks = 0'])
    assert metrics["alloc.count"] > 100
