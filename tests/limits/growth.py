#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""growth.py PROGRAM [NAME...] - what twice the entries of a hostile file cost: instructions, counted by callgrind, so that no
load and no clock has a say.

PROGRAM is test_limits_memory of a build.  Every kind of file is opened with N and with 2 N entries; twice the entries may take
2.3 times the instructions.  Needs valgrind; takes about 45 seconds of one processor."""
import pathlib
import re
import subprocess
import sys
import tempfile

MOST = 2.3
ENTRIES = 5000
FEW = 1000000  # instructions, among which those that happen once count: such kinds have more entries
MORE = 20


def opened(program, entries, names):
    """name: instructions of opening it, and what was said.  One process opens all of them, and callgrind writes what it has counted
    whenever one is open."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "make", str(entries), folder, *names], check=True, stdout=subprocess.DEVNULL)
        counting = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--dump-before=hostile_opened"]
        out = subprocess.run([*counting, program, "open", str(entries), folder, *names], check=True, capture_output=True, text=True)
        said = [line.partition(" ") for line in out.stdout.splitlines()]
        counts = [re.search(r"^(?:totals|summary): (\d+)", pathlib.Path(f"{folder}/out.{i + 1}").read_text(encoding="utf-8"), re.M)
                  for i in range(len(said))]
        return {name: (int(count[1]), rest) for (name, _, rest), count in zip(said, counts) if name != "start"}


def main(program, names):
    once, twice = opened(program, ENTRIES, names), opened(program, 2 * ENTRIES, names)
    if not once or set(names) - set(once):
        sys.exit(f"growth.py: no such kind: {names}")
    few = [name for name, (count, _) in once.items() if count < FEW]
    if few:
        once.update(opened(program, MORE * ENTRIES, few))
        twice.update(opened(program, 2 * MORE * ENTRIES, few))
    worst = 0.0
    for name, (count, said) in twice.items():
        ratio = count / once[name][0]
        worst = max(worst, ratio)
        print(f"{name:14} {once[name][0]:14,} {count:14,} {ratio:5.2f}  {said[:100]}", flush=True)
    print(f"{len(once)} kinds, worst: {worst:.2f}, at most {MOST} is allowed")
    return worst > MOST


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
