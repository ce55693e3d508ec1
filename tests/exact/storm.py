#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""F21: kills programs at random moments and compares the segment with the oracle's count, to within one
call for each thread. One kill in ten does not wait for main: there a segment may not exist yet.

usage: storm.py --kills N --seed N --poolmem BIN --lib LIB --oracle LIB --program BIN --work DIR
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import check

SHAPES = ((1, 0), (8, 0), (1, 3), (2, 2), (8, 1))       # threads, forked children
EARLY_SHARE = 0.1


def run_until_killed(args, directory, shape, seed, early):
    """Returns how many processes said that they were ready."""
    threads, children = shape
    env = dict(os.environ, POOLMEM=f"dir={directory}/segments", ORACLE_OUT=f"{directory}/oracle",
               LD_PRELOAD=f"{args.oracle} {args.lib}")
    command = [args.program, str(threads), str(children), str(seed)]
    pipe = subprocess.PIPE
    program = subprocess.Popen(command, env=env, stdout=pipe, start_new_session=True)
    ready = 0
    while not early and ready < 1 + children:
        said = os.read(program.stdout.fileno(), 4096)
        if not said:
            raise SystemExit(f"{command} ended before it was killed")
        ready += said.count(b"\n")
    time.sleep(random.random() * (0.004 if early else 0.02))
    os.killpg(program.pid, signal.SIGKILL)
    rest = program.stdout.read()                        # until the last process of the group is gone
    program.wait()
    program.stdout.close()
    return ready + rest.count(b"\n")


def one_kill(args, directory, shape, seed, early):
    os.makedirs(f"{directory}/segments", mode=0o700)
    ready = run_until_killed(args, directory, shape, seed, early)
    oracle, found = f"{directory}/oracle", check.segments([f"{directory}/segments"])
    records = check.read_oracle(oracle) if os.path.exists(oracle) else []
    try:
        documents = [check.report(args.poolmem, path) for path in found]
    except check.Unreadable as why:
        return [] if ready == 0 else [str(why)]
    if not documents and ready == 0:
        return []
    threads = shape[0]
    return check.compare(records, documents, slack=threads, may_say_unseen=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    for name in ("poolmem", "lib", "oracle", "program", "work"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    random.seed(args.seed)
    args.work = os.path.abspath(args.work)      # the library takes no other

    for n in range(args.kills):
        shape, early = SHAPES[n % len(SHAPES)], random.random() < EARLY_SHARE
        directory = os.path.join(args.work, f"kill{n}")
        wrong = one_kill(args, directory, shape, n, early)
        if wrong:
            when = "early" if early else "running"
            print(f"kill {n}, {shape[0]} threads, {shape[1]} children, {when}: {directory}")
            print("\n".join(wrong))
            return 1
        shutil.rmtree(directory)
    print(f"{args.kills} kills, each within one call per thread")
    return 0


if __name__ == "__main__":
    sys.exit(main())
