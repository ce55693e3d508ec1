# SPDX-License-Identifier: MIT
"""Holds the extension to a budget by function: what python3 itself allocates does not matter.

python3 -m pytest builds boxes.so first; that takes a C compiler (CC, cc) and python3's headers (the package python3-dev).
"""
import os
import pathlib
import shlex
import subprocess
import sys
import sysconfig

import pytest

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="session")
def boxes():
    """The extension, built anew; the variables with which python3 finds it."""
    command = [*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC", "-g", "-I" + sysconfig.get_path("include"),
               "-o", str(HERE / "boxes.so"), str(HERE / "boxes.c")]
    subprocess.run(command, check=True)
    return {"PYTHONPATH": str(HERE)}


def test_make_gives_back(memory, boxes):
    metrics = memory(sys.executable, "-c", "import boxes; boxes.make(100)", env=boxes,
                     rules=['site "hand_out" alloc.count <= 100', 'site "hand_out" leak.blocks = 0'])
    assert metrics["alloc.count"] > 100
