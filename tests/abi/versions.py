# SPDX-License-Identifier: MIT
"""versions.py OUT - writes the public headers as another release may have them.

    OUT/newer/mopd/   every struct with struct_size has one more field at its end, uint64_t added
    OUT/older/mopd/   every such struct lacks its last field

cmake/tests.cmake compiles tests/abi/versions.c with these and with today's headers, and the library with the newer ones:
then every program meets every library."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
STRUCT = re.compile(r"(typedef struct (mopd_\w+) \{\n    uint32_t struct_size;)(.*?)(\} \2;)", re.S)
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def longer(found):
    return f"{found[1]}{found[3]}    uint64_t added;\n{found[4]}"


def shorter(found):
    fields = COMMENT.sub("", found[3]).rstrip().rstrip(";").split(";")
    return f"{found[1]}{';'.join(fields[:-1])};\n{found[4]}"


def main(out):
    counts = set()
    for name, change in (("newer", longer), ("older", shorter)):
        folder, n = pathlib.Path(out) / name / "mopd", 0
        folder.mkdir(parents=True, exist_ok=True)
        for header in sorted((ROOT / "include/mopd").glob("*.h")):
            text, here = STRUCT.subn(change, header.read_text(encoding="utf-8"))
            (folder / header.name).write_text(text, encoding="utf-8")
            n += here
        counts.add(n)
    if len(counts) != 1 or min(counts) < 14:
        sys.exit(f"versions: {counts} structs changed")


main(sys.argv[1])
