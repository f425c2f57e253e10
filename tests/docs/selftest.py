#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""selftest.py - the checks of the documentation find what they are there for: each fault is put into a small tree of its
own, or into a copy of what is checked, and must be named."""
import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile

import figures
import links
import promises
import recognition_tables
import record
import timing

ROOT = links.ROOT
METHOD = "# The method {#method}\n\nText.\n\n## 3. Training\n\nText.\n\n### 3.4 Losses\n\nText.\n\n## 12. Checks\n\n1. One.\n2. Two.\n"

# text of lib/a.c, and what must be said about it ("" for nothing)
COMMENTS = [
    ("/* docs/method.md 3.4 */\n", ""),
    ("/* docs/method.md, sections 3.4 and 3.5 */\n", "no section 3.5"),
    ("/* as in docs/method.md\n * 9.9 */\n", "no section 9.9"),
    ("/* docs/method.md 12.2 */\n", ""),
    ("/* docs/method.md 12.3 */\n", "no section 12.3"),
    ("/* " "METHOD" " 3.4 */\n", "no clone has"),
    ("/* MOPD_METHOD_KD */\n", ""),
    ("/* see docs/nowhere.md */\n", "docs/nowhere.md does not exist"),
    ("/* https://example.org/page.md */\n", ""),
]
# text of docs/a.md and what must be said
PAGES = [
    ("# A\n\nSee [the method](method.md#method) and `lib/a.c`.\n", ""),
    ("# A\n\nSee [it](gone.txt).\n", "leads nowhere: gone.txt"),
    ("# A\n\nSee [it](method.md#gone).\n", "leads nowhere: method.md#gone"),
    ("# A\n\nSee `lib/gone.c`.\n", "leads nowhere: lib/gone.c"),
    ("# A\n\n## B\n\nTODO\n", "begins with"),
    ("# A\n\nText.\n\n## B\n\n## C\n\nText.\n", "begins with"),
]


def write(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def expect(what, wanted, said):
    if (wanted not in said) if wanted else said:
        raise SystemExit(f"{what!r}: said {said!r}, expected {wanted or 'nothing'!r}")


def links_find_faults():
    for name, cases in (("lib/a.c", COMMENTS), ("docs/a.md", PAGES)):
        for text, wanted in cases:
            with tempfile.TemporaryDirectory() as root:
                write(root, "docs/method.md", METHOD)
                write(root, "lib/a.c", "int a;\n")
                write(root, name, text)
                expect(text, wanted, "; ".join(links.check(root)))


def figures_find_faults():
    row = {"name": "work", "group": "b16", "unit": "ms", "rounds": 3, "date": "2026-01-01", "ratios": {"PyTorch": {"median": 0.5, "low": 0.4, "high": 0.6}},
           "sides": {"libmopd": {"median": 10}, "PyTorch": {"median": 20}}}
    page = "# A\n\n<!-- figures: engines r -->\n<!-- /figures -->\n"
    with tempfile.TemporaryDirectory() as root:
        write(root, "docs/a.md", page)
        write(root, "docs/figures.json", json.dumps({"speed": {"r": {"rows": [row]}}}))
        expect("an empty table", "docs/a.md", str(figures.compare(root, False)))
        figures.compare(root, True)
        expect("after --write", "([], 1)", str(figures.compare(root, False)))
        row["sides"]["libmopd"]["median"] = 11
        write(root, "docs/figures.json", json.dumps({"speed": {"r": {"rows": [row]}}}))
        expect("another figure", "docs/a.md", str(figures.compare(root, False)))


def bars_are_told():
    """A figure that is as good as its bar when both are rounded is one that reached it; the best of a column is bold."""
    for measured, must, least, wanted in ((89, 89, True, "reached"), (88.96, 89, True, "reached"), (88.94, 89, True, "missed by 0.1"),
                                          (10.04, 10, False, "reached"), (12, 10, False, "missed by 2.0")):
        expect((measured, must), wanted, recognition_tables.against(measured, must, least))
    rows = [{"method": m, "shots": n, "accuracy": x, "deviation": 0.5} for m, n, x in (("fit", 1, 50.04), ("gda", 1, 50.01), ("fit", 2, 60), ("gda", 2, 70))]
    dev = [{"method": "zero-shot", "shots": 1, "accuracy": 50.0}, {"method": "fit", "shots": 1, "accuracy": 46.5, "deviation": 1.0, "ece": 9.0}]
    made = recognition_tables.dev({"recognition": dict.fromkeys(recognition_tables.DEV_TITLES, {"rows": dev})}, "")
    expect(dev, "| CIFAR-100 | 1 | 50.0 | 46.5 (1.0) | **missed by 1.0** | 9.0 | - | - |", made.splitlines()[-1])
    made = recognition_tables.by_shots({"recognition": {"a-ten": {"rows": rows}}}, "a-ten")
    expect(rows, "| fit | **50.0** (0.5) | 60.0 (0.5) |\n| gda | **50.0** (0.5) | **70.0** (0.5) |\n", made)


def measured(name, times):
    row = timing.Row(name, {}, 0.9, 0.5)
    row.times = times
    return record.row(row, "b16")


def merge(path, threads, rows):
    args = argparse.Namespace(cpu="all", threads=threads, run="r")
    with contextlib.redirect_stdout(io.StringIO()):
        record.merge(path, args, "wall", "libmopd 1", rows)
    return record.load(path)["speed"]["r"]["rows"]


def benches_keep_what_they_measured():
    """Median, least and greatest time, the ratio of the same round; a run keeps the rows of other calls on the same machine."""
    a = measured("a", {"libmopd": [0.010, 0.030, 0.020], "PyTorch": [0.020, 0.040, 0.050]})
    side, ratio = {"median": 20, "min": 10, "max": 30}, {"median": 0.5, "low": 0.4, "high": 0.75}
    if a["sides"]["libmopd"] != side or a["ratios"]["PyTorch"] != ratio or a["rounds"] != 3:
        raise SystemExit(f"a row is {a}")
    b, c = (measured(name, {"libmopd": [1.0], "PyTorch": [2.0]}) for name in ("b", "c"))
    with tempfile.TemporaryDirectory() as root:
        path = os.path.join(root, "figures.json")
        names = [[r["name"] for r in merge(path, *call)] for call in ((2, [a, b]), (2, [b, c]), (1, [c]))]
        if names != [["a", "b"], ["a", "b", "c"], ["c"]]:
            raise SystemExit(f"the run had the rows {names}")


def promises_find_faults():
    """A sentence without a test, a test that is not there, a row that nobody needs, a variable that nobody reads."""
    page = links.read(os.path.join(ROOT, promises.PAGE))
    for old, new, wanted in (("It is not signed.", "It is signed.", 'no test is named for "It is signed."'),
                             ("nothing is called [pickles]", "nothing is called [gone]", "[gone] is in no row"),
                             ("pickle_calls_nothing", "pickle_calls_anything", "no pickle_calls_anything"),
                             ("`fuzz.csv`", "`fuzz.cvs`", "no test fuzz.cvs"),
                             ("tests/limits/growth.py", "tests/limits/shrinking.py", "shrinking.py is not there"),
                             ("| tables |", "| chairs | `code.check` |\n| tables |", "nothing refers to the row chairs"),
                             ("| `MOPD_CACHE` |", "| `MOPD_CASH` |", "MOPD_CACHE is read and not listed")):
        with tempfile.TemporaryDirectory() as root:
            for folder in ("bindings", "cmake", "examples", "lib", "scripts", "tests"):
                os.symlink(os.path.join(ROOT, folder), os.path.join(root, folder))
            assert old in page, old
            write(root, promises.PAGE, page.replace(old, new))
            known = promises.variables
            promises.variables = lambda _, known=known: known(ROOT)
            said = "; ".join(promises.check(root)[0])
            promises.variables = known
            expect(new, wanted, said)


def version_finds_faults():
    places = ["CMakeLists.txt", "include/mopd/version.h", "bindings/python/src/mopd/_abi.py", "bindings/python/src/mopd/__init__.py",
              "bindings/python/pyproject.toml", "bindings/js/package.json", "cmake/debian/changelog", "CHANGELOG.md", "lib/mopd.map", "docs/getting-started.md",
              "tests/install/CMakeLists.txt"]
    script = os.path.join(ROOT, "scripts/version.sh")
    version = subprocess.check_output(["sh", script], text=True).strip()
    minor = version.rpartition(".")[0]
    with tempfile.TemporaryDirectory() as root:
        for place in places:
            os.makedirs(os.path.dirname(os.path.join(root, place)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, place), os.path.join(root, place))
        subprocess.run(["sh", script, root], check=True, stdout=subprocess.DEVNULL)
        for place in places[1:]:
            text = links.read(os.path.join(ROOT, place))
            new = text.replace(version, "7.8.9").replace(f"mopd {minor} ", "mopd 7.8 ").replace(f"MOPD_{minor} ", "MOPD_7.8 ")
            new = new.replace("VERSION_MAJOR = 0", "VERSION_MAJOR = 7")
            write(root, place, new)
            done = subprocess.run(["sh", script, root], capture_output=True, text=True, check=False)
            expect(place, f"version: {place}", done.stderr if done.returncode == 1 else f"exit status {done.returncode}")
            write(root, place, text)


if __name__ == "__main__":
    for test in (links_find_faults, figures_find_faults, bars_are_told, benches_keep_what_they_measured,
                 promises_find_faults, version_finds_faults):
        test()
        print(f"selftest: {test.__name__}")
    sys.exit(0)
