#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coverage.py BUILD - lines and branches of lib/ that the tests run in a build with --coverage have reached, by folder.

tests/code/coverage.txt holds the least share of branches of each folder, in per cent; a folder below it, or without a line
there, is an error.  Files for one instruction set or bfloat16, oneDNN's, and what picks among them are not counted: a CPU
may lack what they are for.  gcov counts a branch where the compiler makes one, so `a && b` is two.
"""
import collections
import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLOORS = os.path.join(ROOT, "tests/code/coverage.txt")
NOT_COUNTED = re.compile(r"_(avx2|avx512|vnni)\.c$|/onednn[^/]*$|/(gemm|mat)_onednn\.c$|/bf16[^/]*$|/kern_pick\.c$|\.h$")


def reached(build):
    """{file below lib/: (lines, lines reached, branches, branches reached)}"""
    files = {}
    notes = sorted(glob.glob(os.path.join(build, "CMakeFiles/mopd_objects.dir/**/*.gcda"), recursive=True))
    told = subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--stdout", *notes], cwd=build,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    for document in told.splitlines():
        for file in json.loads(document)["files"]:
            name = os.path.relpath(os.path.join(build, file["file"]), ROOT)
            if name.startswith("lib/") and not NOT_COUNTED.search(name):
                lines = [line["count"] for line in file["lines"]]
                branches = [b["count"] for line in file["lines"] for b in line["branches"]]
                files[name] = (len(lines), sum(c > 0 for c in lines), len(branches), sum(c > 0 for c in branches))
    return files


def floors():
    with open(FLOORS, encoding="utf-8") as table:
        rows = [line.split() for line in table if not line.startswith("#")]
    return {folder: float(least) for folder, least in rows}


def main():
    build = os.path.abspath(sys.argv[1])
    folders = collections.defaultdict(lambda: [0, 0, 0, 0])
    for name, counts in reached(build).items():
        for of in (name.split("/")[1], "all"):
            folders[of] = [a + b for a, b in zip(folders[of], counts)]
    least, low = floors(), []
    print(f"{'lib/':<10}{'lines':>8}{'reached':>10}{'branches':>10}{'reached':>10}{'at least':>10}")
    for folder, (lines, lines_hit, branches, branches_hit) in sorted(folders.items(), key=lambda f: (f[0] == "all", f[0])):
        share = 100 * branches_hit / branches
        floor = least.get(folder, 101)
        print(f"{folder:<10}{lines:>8}{100 * lines_hit / lines:>9.1f}%{branches:>10}{share:>9.1f}%{floor:>9.0f}%")
        if share < floor:
            low.append(folder)
    gone = sorted(set(least) - set(folders))
    if low or gone:
        sys.exit(f"coverage: below tests/code/coverage.txt: {', '.join(low) or 'none'}; not in lib/: {', '.join(gone) or 'none'}")


if __name__ == "__main__":
    main()
