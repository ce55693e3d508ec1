# SPDX-License-Identifier: MIT
"""Strings, dictionaries, regular expressions, compression, SQL, files and commands, by size."""
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import zlib

size = int(sys.argv[1])
words = [f"word{i * 7919 % size}" for i in range(size)]
count = {}
for word in words:
    count.setdefault(word[-2:], []).append(word)
text = json.dumps(count, sort_keys=True)
print(len(text), len(re.findall(r"word(\d+)7", text)))
print(hashlib.sha256(zlib.compress(text.encode())).hexdigest())
print(sum(sum(row) for row in [[i * j for i in range(100)] for j in range(size // 100)]))
grown = bytearray()
for i in range(size):
    grown += b"%d," % i
print(len(grown), hashlib.md5(grown).hexdigest())

base = sqlite3.connect(":memory:")
base.execute("create table t (a integer, b text)")
base.executemany("insert into t values (?, ?)", enumerate(words))
print(base.execute("select count(distinct b), sum(a) from t where b like '%3%'").fetchone())

with tempfile.TemporaryDirectory(dir=".") as folder:
    with open(os.path.join(folder, "f"), "w") as f:
        f.writelines(word + "\n" for word in words)
    print(subprocess.run(["sort", "-u", f.name], capture_output=True, check=True).stdout[-20:])
print(subprocess.run("echo to stderr >&2; exit 7", shell=True).returncode)
if os.fork() == 0:
    print("child", len(sorted(words)[0]), flush=True)
    sys.exit(5)
print(os.waitstatus_to_exitcode(os.wait()[1]))
sys.exit(3)
