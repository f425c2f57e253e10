#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""near.py A.npy B.npy MOST - two files of features: no number of one is further than MOST from the other's."""
import array
import sys


def read(path):
    """The numbers of a .npy file of float32."""
    with open(path, "rb") as file:
        data = file.read()
    numbers = array.array("f")
    numbers.frombytes(data[10 + int.from_bytes(data[8:10], "little"):])
    return numbers


def apart(a, b):
    """The largest distance of two numbers in one place."""
    if not a or len(a) != len(b):
        sys.exit(f"{len(a)} and {len(b)} numbers cannot be compared")
    return max(abs(x - y) for x, y in zip(a, b))


if __name__ == "__main__":
    most = apart(read(sys.argv[1]), read(sys.argv[2]))
    print(f"{most:.1e} apart at most")
    if not most <= float(sys.argv[3]):
        sys.exit(f"{sys.argv[1]} and {sys.argv[2]} are {most} apart")
