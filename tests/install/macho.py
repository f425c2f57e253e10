#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""macho.py ARCHITECTURE RPATH LIBRARY PROGRAM - reads what was built for macOS (no Mac is needed) and refuses

    exports     other names than lib/mopd.map has
    names       another install name or other versions of the library; a program that looks for it elsewhere than in RPATH
    libraries   any that is needed but the system's one
    system      an older or a newer one asked for than docs/platforms.md promises
    signature   none on arm64, whose kernel runs nothing unsigned, or one whose hashes are not the file's

Then it spoils copies of the files, and each must be refused for that."""
import hashlib
import pathlib
import re
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROCESSORS = {"arm64": 0x0100000C, "x86_64": 0x01000007}
OLDEST = {"arm64": (11, 0, 0), "x86_64": (10, 13, 0)}
SYSTEM, LIBRARY = "/usr/lib/libSystem.B.dylib", "@rpath/libmopd.0.dylib"
PROGRAM_KIND, LIBRARY_KIND, ANYWHERE = 2, 6, 0x200000
(LOAD, ID, SIGNATURE, OLDEST_MACOS, BUILD, WEAK, RPATH, REEXPORT, INFO, TRIE) = (
    0xC, 0xD, 0x1D, 0x24, 0x32, 0x80000018, 0x8000001C, 0x8000001F, 0x80000022, 0x80000033)


def version(word):
    return word >> 16, word >> 8 & 255, word & 255


class File:
    """What the commands at a file's head say."""

    def __init__(self, data):
        self.data, self.loads, self.rpaths, self.name = data, [], [], None
        self.versions = self.oldest = self.signature = None
        self.exports = set()
        magic, self.processor, _, self.kind, n, _, self.flags, _ = struct.unpack_from("<8I", data)
        if magic != 0xFEEDFACF:
            raise ValueError("is no Mach-O file of 64 bits")
        at = 32
        for _ in range(n):
            command, size = struct.unpack_from("<2I", data, at)
            self.read(command, data[at:at + size])
            at += size

    def read(self, command, body):
        words = struct.unpack_from(f"<{len(body) // 4}I", body)
        text = body[words[2]:].split(b"\0")[0].decode() if command in (LOAD, ID, WEAK, RPATH, REEXPORT) else None
        if command in (LOAD, WEAK, REEXPORT):
            self.loads.append(text)
        elif command == ID:
            self.name, self.versions = text, (version(words[4]), version(words[5]))
        elif command == RPATH:
            self.rpaths.append(text)
        elif command == OLDEST_MACOS or (command == BUILD and words[2] == 1):
            self.oldest = version(words[2 if command == OLDEST_MACOS else 3])
        elif command == SIGNATURE:
            self.signature = words[2], words[3]
        elif command in (INFO, TRIE):
            start, size = words[10:12] if command == INFO else words[2:4]
            self.exports = set(names_of(self.data[start:start + size]))


def number(trie, at):
    value = shift = 0
    while True:
        byte = trie[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def names_of(trie):
    """The names in a tree of their common beginnings."""
    todo = [(0, b"")] if trie else []
    while todo:
        at, name = todo.pop()
        size, at = number(trie, at)
        if size:
            yield name.decode()
        at += size
        children, at = trie[at], at + 1
        for _ in range(children):
            end = trie.index(0, at)
            child, after = number(trie, end + 1)
            todo.append((child, name + trie[at:end]))
            at = after


def signature_faults(file):
    if file.signature is None:
        yield "is not signed"
        return
    start = file.signature[0]
    magic, _, n = struct.unpack_from(">3I", file.data, start)
    places = {} if magic != 0xFADE0CC0 else dict(struct.unpack_from(">2I", file.data, start + 12 + 8 * i) for i in range(n))
    if 0 not in places:
        yield "has a signature without a list of hashes"
        return
    at = start + places[0]
    _, _, _, flags, hashes, _, _, pages, limit, size, kind, _, page = struct.unpack_from(">9I4B", file.data, at)
    if not flags & 2 or (size, kind) != (32, 2):
        yield "has a signature that is not ad hoc, of SHA-256"
        return
    wanted = [file.data[at + hashes + 32 * i:at + hashes + 32 * i + 32] for i in range(pages)]
    ends = range(0, limit, 1 << page)
    if limit != start or wanted != [hashlib.sha256(file.data[i:min(i + (1 << page), limit)]).digest() for i in ends]:
        yield "was changed after it was signed"


def common_faults(file, architecture, allowed):
    if file.processor != PROCESSORS[architecture]:
        yield "is for another processor"
    if file.oldest != OLDEST[architecture]:
        yield f"asks for macOS {file.oldest}"
    if set(file.loads) != allowed:
        yield f"needs {file.loads}"
    if architecture == "arm64" or file.signature is not None:
        yield from signature_faults(file)


def library_faults(data, architecture):
    file = File(data)
    text = (ROOT / "lib/mopd.map").read_text(encoding="utf-8")
    names = {"_" + name for name in re.findall(r"^ +(mopd_\w+);$", text, re.M)}
    now = tuple(map(int, re.search(r"project\(mopd VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1].split(".")))
    yield from common_faults(file, architecture, {SYSTEM})
    if file.kind != LIBRARY_KIND:
        yield "is no library"
    if file.exports != names:
        yield f"exports {sorted(file.exports ^ names)} against lib/mopd.map"
    if (file.name, file.versions) != (LIBRARY, (now, (now[0], 0, 0))):
        yield f"calls itself {file.name} {file.versions}"
    if file.rpaths:
        yield f"looks in {file.rpaths}"


def program_faults(data, architecture, rpath):
    file = File(data)
    yield from common_faults(file, architecture, {SYSTEM, LIBRARY})
    if file.kind != PROGRAM_KIND or not file.flags & ANYWHERE:
        yield "is no program that lies anywhere in memory"
    if file.rpaths != [rpath]:
        yield f"looks in {file.rpaths}"


def with_command(data, command, other):
    """Another number for the first command of a kind."""
    at = 32
    while struct.unpack_from("<I", data, at)[0] != command:
        at += struct.unpack_from("<I", data, at + 4)[0]
    return data[:at] + struct.pack("<I", other) + data[at + 4:]


def replaced(data, old, new):
    if old not in data:
        sys.exit(f"macho.py: nothing to spoil: {old}")
    return data.replace(old, new)


def spoiled(library, program, architecture, rpath):
    """(what should be said, what is said) of copies, each with one fault.  A changed byte is no longer what was signed, too."""
    other = {"arm64": "x86_64", "x86_64": "arm64"}[architecture]
    unknown = 0x7F
    def of_library(data, where=architecture):
        return list(library_faults(data, where))

    def of_program(data):
        return list(program_faults(data, architecture, rpath))

    yield "another processor", of_library(library, other)
    yield "asks for macOS", of_library(library, other)
    oldest = BUILD if architecture == "arm64" else OLDEST_MACOS
    yield "asks for macOS", of_library(with_command(library, oldest, unknown))
    yield "exports", of_library(with_command(library, INFO, unknown))
    yield "calls itself", of_library(replaced(library, LIBRARY.encode(), b"@rpath/libmopd.1.dylib"))
    yield "calls itself", of_library(with_command(library, ID, unknown))
    yield "needs", of_library(replaced(library, SYSTEM.encode(), b"/usr/lib/libSystem.C.dylib"))
    yield "looks in", of_program(with_command(program, RPATH, unknown))
    yield "needs", of_program(replaced(program, LIBRARY.encode(), b"@rpath/libmopd.1.dylib"))
    yield "is no library", of_library(program)
    yield "is no program", of_program(library)
    if architecture == "arm64":
        yield "is not signed", of_library(with_command(library, SIGNATURE, unknown))
        middle = len(library) // 2
        yield "was changed", of_library(library[:middle] + bytes([library[middle] ^ 1]) + library[middle + 1:])


def main(architecture, rpath, *paths):
    library, program = (pathlib.Path(path).read_bytes() for path in paths)
    faults = [f"{paths[0]}: {fault}" for fault in library_faults(library, architecture)]
    faults += [f"{paths[1]}: {fault}" for fault in program_faults(program, architecture, rpath)]
    if not faults:
        tried = list(spoiled(library, program, architecture, rpath))
        faults = [f"macho.py does not see: {want}" for want, said in tried if not any(want in fault for fault in said)]
    file = File(library)
    print("\n".join(faults) or f"{architecture}: {len(file.exports)} names, macOS {'.'.join(map(str, file.oldest))}, needs {' '.join(file.loads)}, "
          f"{'signed' if file.signature else 'not signed'}; {len(tried)} spoiled copies are refused")
    return bool(faults)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
