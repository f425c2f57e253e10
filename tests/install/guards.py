#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guards.py FILE... - reads what was built: each library or program has the guards of MOPD_HARDENED (cmake/options.cmake).

    full RELRO      tables of addresses are filled in at start and cannot be written afterwards
    no exec stack   what lies on the stack does not run
    PIE             a program lies anywhere in memory, as a library does
    canaries        a function whose array was overrun ends the process before it returns
    FORTIFY         copies into arrays of known size are checked
    endbr64         indirect calls can be held to the beginnings of functions, on x86-64"""
import re
import subprocess
import sys


def said(path, *options):
    return subprocess.run(["readelf", "-W", *options, path], check=True, capture_output=True, text=True).stdout


def first_bytes(path, symbols):
    """The code at the beginning of a public function; None for a file that has none."""
    found = re.search(r"^\s*\d+: ([0-9a-f]+)\s+\d+ FUNC\s+GLOBAL DEFAULT\s+(?!UND)\S+ mopd_version_number\b", symbols, re.M)
    if not found:
        return None
    address = int(found[1], 16)
    for offset, start, size in re.findall(r"^\s*LOAD\s+(0x\w+) (0x\w+) 0x\w+ (0x\w+)", said(path, "-l"), re.M):
        if int(start, 16) <= address < int(start, 16) + int(size, 16):
            with open(path, "rb") as file:
                file.seek(int(offset, 16) + address - int(start, 16))
                return file.read(4)
    return b""


def missing(path):
    header, segments, dynamic, symbols = said(path, "-h"), said(path, "-l"), said(path, "-d"), said(path, "--dyn-syms")
    if "GNU_RELRO" not in segments or not re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic):
        yield "full RELRO"
    if not re.search(r"GNU_STACK.* RW ", segments):
        yield "a stack that does not run"
    if not re.search(r"Type:\s+DYN", header):
        yield "PIE"
    if "__stack_chk_fail" not in symbols:
        yield "canaries"
    if not re.search(r" __\w+_chk@", symbols):
        yield "FORTIFY"
    if "X86-64" in header and first_bytes(path, symbols) not in (None, b"\xf3\x0f\x1e\xfa"):
        yield "endbr64"


def main():
    faults = [f"{path}: without {guard}" for path in sys.argv[1:] for guard in missing(path)]
    print("\n".join(faults) or f"guards: {len(sys.argv) - 1} files have them all")
    return bool(faults or len(sys.argv) == 1)


if __name__ == "__main__":
    sys.exit(main())
