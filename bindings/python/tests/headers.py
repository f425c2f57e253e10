# SPDX-License-Identifier: MIT
"""Reads include/mopd/*.h: what the ctypes twin in mopd/_abi.py is held against."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Headers:
    """Everything declared: C types as words without const, "float *", "size_t", "mopd_image **"."""

    functions: dict[str, tuple[str, ...]] = field(default_factory=dict)  # name: result, arguments
    callbacks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    structs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # name: (field, type)
    opaque: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)


def _clean(text: str) -> str:
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r'\s*MOPD_DEPRECATED\("[^"]*"\);', ";", text)
    return re.sub(r"\\\n", " ", text)


def _type(text: str) -> str:
    """const char *const * -> char **"""
    words = re.sub(r"\bconst\b", " ", text).replace("*", " * ").split()
    stars = words.count("*")
    base = " ".join(w for w in words if w != "*")
    return base + (" " + "*" * stars if stars else "")


def _named(text: str) -> tuple[str, str]:
    """An argument or field: (name, type); arrays of a struct are "uint32_t[3]"."""
    match = re.fullmatch(r"(.*?)(\w+)\s*(?:\[(\d+)\])?", text.strip(), flags=re.S)
    assert match, text
    kind, name, count = match.groups()
    return name, _type(kind) + (f"[{count}]" if count else "")


def _arguments(text: str) -> tuple[str, ...]:
    if text.strip() == "void":
        return ()
    return tuple(_named(a)[1] for a in text.split(","))


def _fields(body: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for line in body.split(";"):
        line = line.strip()
        if not line:
            continue
        pointer = re.fullmatch(r"(.*?)\(\*(\w+)\)\((.*)\)", line, flags=re.S)
        if pointer:
            kinds = ", ".join((_type(pointer[1]),) + _arguments(pointer[3]))
            out.append((pointer[2], f"({kinds})"))
            continue
        first, *others = line.split(",")
        name, kind = _named(first)
        out.append((name, kind))
        out += [(o.strip(), kind) for o in others]
    return out


def read_headers(folder: Path) -> Headers:
    h = Headers()
    for path in sorted(folder.glob("*.h")):
        text = _clean(path.read_text())
        for name, value in re.findall(r"^#define (MOPD_\w+) +(?:UINT32_C)?\(?(-?\d+)\)?\s*$", text, flags=re.M):
            h.constants[name] = int(value)
        for name, value in re.findall(r"X\((\w+), (-?\d+), \"", text):
            h.constants["MOPD_" + name] = int(value)
        text = re.sub(r"^#.*$", "", text, flags=re.M)
        for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", text, flags=re.S):
            h.structs[name] = _fields(body)
        h.opaque.update(re.findall(r"typedef struct (\w+) \1;", text))
        for kind, name in re.findall(r"typedef (\w+) (\w+);", text):
            h.aliases[name] = kind
        for kind, name, args in re.findall(r"typedef ([\w ]+?) \(\*(\w+)\)\((.*?)\);", text, flags=re.S):
            h.callbacks[name] = (_type(kind),) + _arguments(args)
        for kind, name, args in re.findall(r"MOPD_API ([^;(]*?)(mopd_\w+)\((.*?)\);", text, flags=re.S):
            h.functions[name] = (_type(kind),) + _arguments(args)
    return h
