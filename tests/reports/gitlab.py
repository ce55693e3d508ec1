#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the script of a job of GitLab as its runner does: variables as environment, lines in a shell until one fails.

    gitlab.py FILE JOB [name=value...]     then says which files the job hands over, one a line: kind path
"""
import os
import subprocess
import sys

import yaml

job = yaml.safe_load(open(sys.argv[1]))[sys.argv[2]]
assert set(job) == {"stage", "variables", "script", "artifacts"} and job["artifacts"]["when"] == "always"
environment = {**os.environ, **job["variables"], **dict(part.split("=", 1) for part in sys.argv[3:])}
code = subprocess.run(["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])], env=environment, stdout=sys.stderr, check=False).returncode
for path in job["artifacts"]["paths"]:
    print("path", path)
for kind, path in job["artifacts"]["reports"].items():
    print(kind, path)
sys.exit(code)
