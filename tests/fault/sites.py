# SPDX-License-Identifier: MIT
"""What `poolmem sites --json` says of the only segment in a directory, for tests that record each block.

usage: sites.py POOLMEM DIRECTORY EXPRESSION
In the expression: `d`, the document; `sum_of(figure, function)`: of sites whose stack leads through the function, of all
without one; `stacks(function)`: their stacks, as tuples of names, innermost first; `stack(site)`: that of one; `report`: what
`poolmem report` says.
"""
import glob
import json
import subprocess
import sys


def document(poolmem, command, *arguments):
    ran = subprocess.run([poolmem, command, "--json", *arguments], capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(ran.stderr)
    return json.loads(ran.stdout)


def main():
    poolmem, directory, expression = sys.argv[1:]
    segments = glob.glob(directory + "/*.pms")
    if len(segments) != 1:
        sys.exit(f"{len(segments)} segments in {directory}")
    d, report = document(poolmem, "sites", "-n", "0", segments[0]), document(poolmem, "report", segments[0])

    def names(site):
        return tuple(d["frames"][frame]["function"] for frame in site["frames"])

    def through(function):
        return [site for site in d["sites"] if not function or function in names(site)]

    def sum_of(figure, function=None):
        return sum(site[figure] for site in through(function))

    print(eval(f"({expression})", {"d": d, "report": report, "metrics": report["metrics"], "sum_of": sum_of,
                            "stack": names,
                            "stacks": lambda function: [names(site) for site in through(function)]}))


main()
