#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coverage.py BUILD - lines and branches of lib/ that the tests have reached, by folder.

BUILD is of clang with -fprofile-instr-generate -fcoverage-mapping; BUILD/profile holds what its programs wrote, the tests' with
the static library, too: it has the same functions as the shared one.  tests/code/coverage.txt holds the least share of
branches of each folder, in per cent; a folder below it, or without a line there, is an error.  Files for one instruction set
or AMX, and what picks among them are not counted: a CPU may lack what they are for.  Each condition has two
branches, so `a && b` has four.
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
NOT_COUNTED = re.compile(r"_(avx2|avx512|vnni|amx)\.c$|/kern_pick\.c$|\.h$")


def reached(build):
    """{file below lib/: (lines, lines reached, branches, branches reached)}"""
    files = {}
    merged = os.path.join(build, "profile/all")
    notes = glob.glob(os.path.join(build, "profile/*.profraw"))
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", merged, *notes], check=True)
    told = subprocess.run(["llvm-cov", "export", "-summary-only", "-instr-profile", merged, os.path.join(build, "libmopd.so")],
                          stdout=subprocess.PIPE, check=True).stdout
    for file in json.loads(told)["data"][0]["files"]:
        name = os.path.relpath(file["filename"], ROOT)
        if name.startswith("lib/") and not NOT_COUNTED.search(name):
            files[name] = tuple(file["summary"][of][count] for of in ("lines", "branches") for count in ("count", "covered"))
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
