#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""growth.py PROGRAM [NAME...] - what twice the entries of a hostile file cost: instructions, counted by callgrind, so that no
load and no clock has a say.

PROGRAM is test_limits_memory of a build.  Every kind of file is opened with N and with 2 N entries; twice the entries may take
2.3 times the instructions.  What a program takes that opens the smallest such file is left out.  Needs valgrind."""
import pathlib
import re
import subprocess
import sys
import tempfile

MOST = 2.3
ENTRIES = 16000
KINDS = re.compile(r"^    X\((\w+), ", re.M)


def run(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True)


def instructions(program, name, entries):
    """Of opening it, and what was said."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "make", name, str(entries), folder], check=True)
        out = run("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, name, entries, folder)
        said = re.search(r"Collected : (\d+)", out.stderr)
        return int(said[1]), out.stdout.strip()


def main(program, names):
    here = pathlib.Path(__file__).parent / "hostile.h"
    worst = 0.0
    for name in names or KINDS.findall(here.read_text(encoding="utf-8")):
        base, _ = instructions(program, name, 8)
        once, _ = instructions(program, name, ENTRIES)
        twice, said = instructions(program, name, 2 * ENTRIES)
        ratio = (twice - base) / max(once - base, 1)
        worst = max(worst, ratio)
        print(f"{name:14} {once - base:14,} {twice - base:14,} {ratio:5.2f}  {said[:100]}", flush=True)
    print(f"worst: {worst:.2f}, at most {MOST} is allowed")
    return worst > MOST


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
