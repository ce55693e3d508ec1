# SPDX-License-Identifier: MIT
"""A fixture that holds what a command uses to the rules of poolmem check.

POOLMEM_COMMAND is the poolmem to use.  A test sees few variables of the environment (poolmem-check(1)): env={...} sets others.
python3 keeps small objects in a heap of its own: PYTHONMALLOC=malloc shows them, too.
"""
import json
import os
import subprocess

import pytest


@pytest.fixture
def memory():
    """memory(*command, rules=[...], env={...}): the metrics, by name; a rule that is not kept fails the test with the report."""

    def check(*command, rules, env=None):
        options = [part for rule in rules for part in ("--rule", rule)]
        for name, value in {"PYTHONMALLOC": "malloc", **(env or {})}.items():
            options += ["--env", f"{name}={value}"]
        poolmem = os.environ.get("POOLMEM_COMMAND", "poolmem")
        run = subprocess.run([poolmem, "check", *options, "--report", "text=/dev/stderr", "--json", "--",
                              *map(str, command)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if run.returncode != 0:
            pytest.fail(f"poolmem check: exit code {run.returncode}\n{run.stderr}", pytrace=False)
        return json.loads(run.stdout)["tests"][0]["metrics"]

    return check
