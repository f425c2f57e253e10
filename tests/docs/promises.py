#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""promises.py [ROOT] - every sentence of docs/security.md that promises something names the tests that show it.

A sentence ends with [name], and the table under "Which test shows what" says for each name what shows it: `FOLDER.NAME` is a test
that ctest knows, with the cases of it that count behind a colon; `tests/...` a program that a part of scripts/test.sh or a
test runs; `bindings/python/tests/FILE.py` with its functions.  All of them must exist, every name must be used, and a sentence
without one must be among those below, which tell and promise nothing.

The environment's variables that the sources read are those of the page, and no others."""
import os
import re
import sys

from links import ROOT, read, tracked, without_code

PAGE = "docs/security.md"
TESTS = "## Which test shows what"
SOURCES = ("lib/", "examples/mopd/", "bindings/python/src/")

# Beginnings of sentences that tell how things are, what others do, or what a reader may do.
PLAIN = """
A word in brackets at the end
A sentence without one
`MOPD_MODEL` |
`MOPD_CPU` |
`MOPD_BF16` |
`MOPD_PROGRESS` |
`SOURCE_DATE_EPOCH` |
`MOPD_LIBRARY` |
`MOPD_CACHE` |
`XDG_CACHE_HOME` |
Programs that run for others should clear them.
the same with the memory of its library, as measured
What a coded picture says of its own size
Its decoders print a line
A service that reads strangers' files
The names are fields of
On processors without AVX2
It takes memory once, when it starts
Only another thread that takes the last memory
libwebp, libtiff, libheif and giflib take memory past
Here, too, another thread may take the memory meanwhile.
`tests/fuzz/README.md` tells what the last campaign did
Whoever made a list, a store or a folder
A file, a class, a note or a tensor may have any name.
A spreadsheet takes a cell
A build with a sanitizer has the sanitizer instead.
**When another program cuts a mapped file short
Where a model may change while it is open
A model from a stranger may be trained
No reader can see that.
It is not signed.
CI runs these with
Every test of the library and the command under AddressSanitizer
The tiles of matrix products tell ThreadSanitizer
MemorySanitizer follows
What other libraries write
How to report a vulnerability
"""


def plain():
    return [line for line in PLAIN.splitlines() if line]


def pieces(text):
    """Paragraphs, items of lists and rows of tables, each on one line."""
    text = re.sub(r"^#.*$", "", without_code(text), flags=re.M)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    for block in re.split(r"\n\s*\n", text):
        lines = block.strip("\n").splitlines()
        if len(lines) > 1 and re.fullmatch(r"[|\s:-]+", lines[1]):
            yield from lines[2:]
        else:
            yield from re.split(r"\n(?=- )", "\n".join(lines))


def sentences(piece):
    """A row is one sentence with whatever its cells hold; elsewhere a full stop, or a colon before a list, ends one."""
    piece = " ".join(piece.split())
    if piece.startswith("|"):
        return [piece.strip("| ")]
    piece = re.sub(r"^- ", "", piece)
    return [s for s in re.split(r"(?<=[.:])(?:\*\*)? (?=[A-Z`*\[])(?!\[)|(?<=\]) (?=[A-Z`*])", piece) if s.strip()]


def marks(sentence):
    return re.findall(r"(?<![\]\w`])\[([a-z][a-z0-9-]*)\](?!\()", re.sub(r"`[^`]*`", "", sentence))


def table(text):
    """name: what shows it."""
    rows = {}
    for line in text.partition(TESTS)[2].splitlines():
        found = re.fullmatch(r"\| ([a-z][a-z0-9-]*) \| (.*) \|", line)
        if found and found[1] != "name":
            rows[found[1]] = found[2]
    return rows


def code(root, path):
    return (read(os.path.join(root, path)) or "") if os.path.exists(os.path.join(root, path)) else ""


def is_run(root, path):
    """Whether CI comes to this program."""
    runners = ["scripts/test.sh", "cmake/tests.cmake", "tests/install/run.sh", "bindings/python/test.sh"]
    return any(path in code(root, runner) or os.path.basename(path) in code(root, runner) for runner in runners)


def unknown(root, shown):
    """What of a row of the table does not exist."""
    for item in re.split(r"; ", shown):
        found = re.fullmatch(r"`([\w./-]+)`(?:: (.*))?", item)
        if not found:
            yield f'"{item}" is none of `FOLDER.NAME`: case, case'
            continue
        name, cases = found[1], re.findall(r"\w+", found[2] or "")
        if "/" in name:
            if not code(root, name) or not (name.endswith(".py") and "/tests/test_" in name or is_run(root, name)):
                yield f"{name} is not there, or CI does not run it"
            yield from (f"{name}: no {case}" for case in cases if not re.search(rf"^def {case}\(", code(root, name), re.M))
            continue
        folder, _, stem = name.partition(".")
        if folder in ("fuzz", "code", "docs") and not cases:
            there = code(root, f"tests/docs/{stem}.py") if folder == "docs" else code(root, f"tests/fuzz/fuzz_{stem}.c")
            if not there and f"mopd_script({name} " not in code(root, "cmake/tests.cmake"):
                yield f"no test {name}"
            continue
        source = code(root, f"tests/{folder}/test_{stem}.c")
        if not source:
            yield f"no test {name}"
        yield from (f"{name}: no {case}" for case in cases if not re.search(rf"cmocka_unit_test\w*\({case}\b", source))


def variables(root):
    """The environment's variables that the sources read."""
    found = set()
    for name in tracked(root):
        if name.startswith(SOURCES) and name.endswith((".c", ".h", ".py")):
            text = code(root, name)
            found |= set(re.findall(r'getenv\("(\w+)"\)|environ(?:\.get\(|\[)"(\w+)"', text))
            found |= {(word, "") for word in re.findall(r'[.]variable = "(\w+)"', text)}
    return {a or b for a, b in found}


def check(root):
    text, faults, used, promised, told = code(root, PAGE), [], set(), 0, set()
    body, rows = text.partition(TESTS)[0], table(text)
    for piece in pieces(body):
        for sentence in sentences(piece):
            names = marks(sentence)
            used |= set(names)
            promised += bool(names)
            begins = [p for p in plain() if sentence.startswith(p)]
            told |= set(begins)
            if not names and not begins:
                faults.append(f'{PAGE}: no test is named for "{sentence[:90]}"')
            faults += [f"{PAGE}: [{name}] is in no row" for name in names if name not in rows]
    faults += [f"{PAGE}: nothing refers to the row {name}" for name in rows if name not in used]
    faults += [f'tests/docs/promises.py: no sentence begins "{p}"' for p in plain() if p not in told]
    faults += [f"{PAGE}: {name}: {fault}" for name, shown in rows.items() for fault in unknown(root, shown)]
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", body, re.M))
    faults += [f"{PAGE}: the variable {name} is read and not listed" for name in sorted(variables(root) - listed)]
    faults += [f"{PAGE}: the variable {name} is listed and not read" for name in sorted(listed - variables(root))]
    return faults, promised


def main(root):
    faults, promised = check(root)
    for fault in faults:
        print(fault)
    print(f"{PAGE}: {promised} sentences name their tests, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ROOT))
