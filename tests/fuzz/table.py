#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py LOG... - the last run of each fuzz target as a table: inputs, inputs a second, edges reached, what was found.

LOG is a file that run.sh has left in build-fuzz/log."""
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


def main(paths):
    total = failed = 0
    print("| target | inputs | a second | edges | found |\n| --- | --- | --- | --- | --- |")
    for path in sorted(map(pathlib.Path, paths)):
        inputs, seconds, edges, found = row(path.read_text(errors="replace"))
        total, failed = total + inputs, failed + bool(found)
        print(f"| {path.name} | {inputs:,} | {inputs // max(seconds, 1):,} | {edges:,} | {found or 'nothing'} |")
    print(f"| all | {total:,} | | | {failed or 'nothing'} |")
    return failed


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
