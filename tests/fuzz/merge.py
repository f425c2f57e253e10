#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""merge.py - which of many inputs to keep: few and short ones that reach nearly what all of them reach.

    merge.py PROGRAM INPUTS CORPUS BYTES

PROGRAM is a fuzz target with libFuzzer, INPUTS a folder.  The input that reaches most new edges is taken first, of equals the
shortest, and so on, as long as one reaches LEAST_GAIN new edges and all have at most BYTES bytes.  CORPUS then holds these, and
of what it held before the files named crash-*."""
import hashlib
import pathlib
import subprocess
import sys
import tempfile

LEAST_GAIN = 3


def edges_of(program, data):
    """The edges that one input reaches, as libFuzzer numbers them."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for folder in ("none", "one"):
            (work / folder).mkdir()
        (work / "one/input").write_bytes(data)
        subprocess.run([program, "-merge=1", "-use_counters=0", f"-merge_control_file={work}/control",
                        f"{work}/none", f"{work}/one"], check=True, capture_output=True)
        lines = (work / "control").read_text().splitlines()
    return {edge for line in lines if line.startswith("FT") for edge in line.split()[2:]}


def cover(inputs, most_bytes):
    """inputs: bytes -> edges; those to keep."""
    kept, seen = [], set()
    while inputs:
        best = max(inputs, key=lambda data: (len(inputs[data] - seen), -len(data), data))
        if len(inputs[best] - seen) < LEAST_GAIN:
            break
        edges = inputs.pop(best)
        if len(best) <= most_bytes:
            kept.append(best)
            seen |= edges
            most_bytes -= len(best)
    return kept


def main(program, folder, corpus, most_bytes):
    inputs = {data: edges_of(program, data) for data in {p.read_bytes() for p in pathlib.Path(folder).iterdir()}}
    kept = {hashlib.sha256(data).hexdigest()[:12]: data for data in cover(inputs, int(most_bytes))}
    corpus = pathlib.Path(corpus)
    for path in corpus.iterdir():
        if not path.name.startswith("crash-"):
            path.unlink()
    for name, data in kept.items():
        (corpus / name).write_bytes(data)
    print(f"fuzz: {corpus.name}: {len(kept)} inputs of {sum(map(len, kept.values()))} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
