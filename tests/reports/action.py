#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the steps of a composite action as the runner of GitHub does, as far as poolmem's uses it.

    action.py FOLDER [input=value...]     prints what the steps print; the outputs of the action in $OUTPUTS, name=value
    action.py --script FOLDER             prints the shell scripts, to be checked
"""
import os
import re
import subprocess
import sys
import tempfile

import yaml


def keys(of, known, wanted=()):
    assert set(wanted) <= set(of) <= set(known), (sorted(of), known)
    return of


def load(folder):
    """As the documented syntax of action.yml has it."""
    action = keys(yaml.safe_load(open(f"{folder}/action.yml")), ("name", "author", "description", "inputs", "outputs", "runs", "branding"),
                  ("name", "description", "runs"))
    for value in action["inputs"].values():
        keys(value, ("description", "required", "default", "deprecationMessage"), ("description",))
    for value in action["outputs"].values():
        keys(value, ("description", "value"), ("description", "value"))
    keys(action["runs"], ("using", "steps"), ("using", "steps"))
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        keys(step, ("name", "id", "if", "shell", "env", "working-directory", "continue-on-error", "run"), ("shell", "run"))
    return action


def value_of(expression, context):
    """`inputs.x`, `steps.x.outputs.y`, and one of these == 'text'."""
    left, equals, right = expression.partition("==")
    value = context[left.strip()]
    return str(value == right.strip().strip("'")).lower() if equals else value


def filled(text, context):
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: value_of(match[1].strip(), context), str(text))


def pairs(path):
    return dict(line.rstrip("\n").split("=", 1) for line in open(path))


def run_step(step, folder, context):
    if "if" in step and value_of(step["if"], context) != "true":
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        script, output = f"{scratch}/script", f"{scratch}/output"
        open(script, "w").write(filled(step["run"], context))
        open(output, "w").close()
        environment = {**os.environ, "GITHUB_ACTION_PATH": folder, "GITHUB_OUTPUT": output}
        environment.update({name: filled(value, context) for name, value in step.get("env", {}).items()})
        code = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", script], env=environment, check=False,
                              cwd=filled(step.get("working-directory", "."), context)).returncode
        context.update({f"steps.{step.get('id')}.outputs.{name}": value for name, value in pairs(output).items()})
    return code


def main():
    folder = os.path.abspath(sys.argv[-1] if sys.argv[1] == "--script" else sys.argv[1])
    action = load(folder)
    if sys.argv[1] == "--script":
        for step in action["runs"]["steps"]:
            assert "${{" not in step["run"], "an input in a script is code: it goes by env"
            print(step["run"])
        return 0
    context = {f"inputs.{name}": value.get("default", "") for name, value in action["inputs"].items()}
    for argument in sys.argv[2:]:
        name, value = argument.split("=", 1)
        assert f"inputs.{name}" in context, name
        context[f"inputs.{name}"] = value
    code = 0
    for step in action["runs"]["steps"]:
        code = code or run_step(step, folder, context)
    with open(os.environ["OUTPUTS"], "w") as outputs:
        for name, value in action["outputs"].items():
            outputs.write(f"{name}={filled(value['value'], context)}\n")
    return code


sys.exit(main())
