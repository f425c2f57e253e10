#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py LOG... - runs of the fuzz targets as a table: inputs, inputs a second, edges reached, what was found.

LOG is a file that run.sh has left in build-fuzz/log, named for its target; of several of one name the inputs are added."""
import pathlib
import re
import sys


def row(log):
    """Inputs, seconds, edges and how the run ended."""
    done = re.search(r"^Done (\d+) runs in (\d+) second", log, re.M)
    reached = re.findall(r"^#(\d+)\t\w+\s+cov: (\d+)", log, re.M)
    if not reached:
        return 0, 0, 0, "did not start"
    inputs, seconds = (int(done[1]), int(done[2])) if done else (int(reached[-1][0]), 0)
    found = re.search(r"Test unit written to \S*/(\S+)", log)
    return inputs, seconds, int(reached[-1][1]), found[1] if found else "" if done else "did not end"


def rows(paths):
    """Target -> the same of all its runs together."""
    found = {}
    for path in paths:
        inputs, seconds, edges, what = row(path.read_text(errors="replace"))
        before = found.get(path.name, (0, 0, 0, ""))
        found[path.name] = (before[0] + inputs, before[1] + seconds, max(before[2], edges), before[3] or what)
    return found


def main(paths):
    found = rows(map(pathlib.Path, paths))
    print("| target | inputs | a second | edges | found |\n| --- | --- | --- | --- | --- |")
    for name, (inputs, seconds, edges, what) in sorted(found.items()):
        print(f"| {name} | {inputs:,} | {inputs // max(seconds, 1):,} | {edges:,} | {what or 'nothing'} |")
    failed = sum(bool(what) for *_, what in found.values())
    print(f"| all | {sum(inputs for inputs, *_ in found.values()):,} | | | {failed or 'nothing'} |")
    return failed


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
