#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""figures.py [--write] - the tables of figures in the pages are those of docs/figures.json; --write makes them so.

A page has "<!-- figures: KIND NAME -->" before a table and "<!-- /figures -->" behind it.  KINDS at the end of this file
says what may stand there.  The benches write speed (tests/bench/record.py).  Accuracy is what `mopd bench-new` prints:

    mopd bench-new ... --format json | tests/docs/figures.py --accuracy NAME

puts its rows into the entry NAME of docs/figures.json, for instance caltech101-default.  What recognisers can do is written
by tests/bench/recognition.py --json docs/figures.json."""
import argparse
import datetime
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "bench")]

import links  # noqa: E402
import recognition_tables  # noqa: E402
import record  # noqa: E402
from recognition_tables import COLUMNS, table  # noqa: E402

MARK = re.compile(r"(<!-- figures: ([\w-]+)(?: ([\w-]+))? -->\n)(.*?)(<!-- /figures -->)", re.S)
ENGINES = ("PyTorch", "ONNX Runtime", "OpenVINO")
ENGINE_GROUPS = ("b16", "b32", "bf16", "text", "siglip", "pe", "resnet", "mobile", "lite")  # rows of peers.py with more than one engine beside libmopd
README_SPEED = (("ViT-B/32, 1 picture", "ViT-B/32, one picture"), ("ViT-B/16, 1 picture", "ViT-B/16, one picture"),
                ("ViT-B/16, 16 pictures", "ViT-B/16, 16 pictures"), ("EfficientNet-Lite0, 1 picture", "the built-in model's tower, one picture"),
                ("training step, 50 classes, batch 128, features cached on both sides", "training step, 50 classes, batch 128"),
                ("open a cached ViT-B/32 model", "opening a ViT-B/32 model of 605 MB"))


# -- speed -------------------------------------------------------------------------------------------------------------

def amount(side, unit):
    """A median with its unit: milliseconds below ten seconds, then seconds."""
    x = side["median"]
    if unit == "ms" and x >= 10000:
        return f"{x / 1000:,.0f} s"
    return f"{x:,.0f} {unit}" if x >= 100 else f"{x:.1f} {unit}"


def share(x):
    return f"{x:.2f}" if x > 0.1 else f"1/{1 / x:.0f}"


def nearest(row):
    """The peer that libmopd is held against: the one with the largest share, and that share."""
    most = min if row["unit"] == "GFLOP/s" else max
    return most(row["ratios"].items(), key=lambda item: item[1]["median"])


def held(row):
    peer, ratio = nearest(row)
    spread = f" ({share(ratio['low'])} to {share(ratio['high'])})" if ratio["low"] is not None and row["rounds"] > 1 else ""
    return f"{share(ratio['median'])} of {peer}{spread}"


def engines(figures, name):
    """Rows whose other sides are inference engines: a column each."""
    rows = [r for r in figures["speed"][name]["rows"] if r["group"] in ENGINE_GROUPS]
    shown = [e for e in ENGINES if any(e in r["sides"] for r in rows)]
    cells = [[r["name"], *(amount(r["sides"][s], r["unit"]) if s in r["sides"] else "" for s in ("libmopd", *shown)), held(r)]
             for r in rows]
    return table(["work", "libmopd", *shown, "share of the time"], cells)


def eight(figures, name):
    """Rows in 8 bits: our f32 and other engines' 8 bits, and the least cosine of each to our f32, which the note has."""
    sides = ("libmopd", "libmopd f32", "ONNX Runtime", "OpenVINO")
    cells = []
    for row in figures["speed"][name]["rows"]:
        if row["group"] != "int8":
            continue
        own, peers = row["ratios"]["libmopd f32"], {k: v for k, v in row["ratios"].items() if k != "libmopd f32"}
        cells.append([row["name"], *(amount(row["sides"][s], row["unit"]) for s in sides), share(own["median"]),
                      held(row | {"ratios": peers}), row["note"]])
    return table(["work", "libmopd", "libmopd f32", "ONNX Runtime", "OpenVINO", "share of own f32", "share of the others",
                  "least cosine to f32"], cells)


def others(figures, name):
    """Rows with one other side."""
    cells = []
    for row in figures["speed"][name]["rows"]:
        if row["group"] in (*ENGINE_GROUPS, "int8"):
            continue
        (peer, side), = [item for item in row["sides"].items() if item[0] != "libmopd"]
        what = row["name"] + (f" ({row['note']})" if "note" in row else "")
        cells.append([what, amount(row["sides"]["libmopd"], row["unit"]), f"{peer} {amount(side, row['unit'])}", held(row)])
    return table(["work", "libmopd", "other", "share"], cells)


def machine(figures, name):
    run = figures["speed"][name]
    m, threads = run["machine"], run["threads"]
    dates = sorted({row["date"] for row in run["rows"]})
    masked = "; all sides held to AVX2" if run["held_to"] == "avx2" else ""
    return (f"Measured on {' and '.join(dates)}: {m['cpu']}, {m['processors']} processors, {', '.join(m['instruction_sets'])}"
            f"{masked}; {threads} thread{'s' * (threads > 1)}, {'wall time' if run['clock'] == 'wall' else 'processor time'}; "
            + ", ".join(f"{peer} {version}" for peer, version in run["peers"].items()) + ".\n")


def readme_speed(figures, name):
    run, cells = figures["speed"][name], []
    for wanted, words in README_SPEED:
        row = next(r for r in run["rows"] if r["name"] == wanted)
        peer, ratio = nearest(row)
        cells.append([words, amount(row["sides"]["libmopd"], row["unit"]), f"{share(ratio['median'])} of {peer}"])
    return table([f"speed, {run['threads']} threads", "libmopd", "share of the other's time"], cells)


# -- accuracy and exactness --------------------------------------------------------------------------------------------

def accuracy(figures, name):
    cells = []
    for row in figures["accuracy"][name]["rows"]:
        values = [f"{row[c]:.1f} ({row['deviation'].get(c, 0):.1f})" for c in COLUMNS]
        cells.append([row["method"], *values, f"{row['seconds']:.1f}"])
    return table(["method", "base", "new", "H", "mixed", "seconds"], cells)


def accuracy_short(figures, name):
    """Means alone."""
    cells = [[row["method"], *(f"{row[c]:.1f}" for c in COLUMNS)] for row in figures["accuracy"][name]["rows"]]
    return table(["method", "base", "new", "H", "mixed"], cells)


def shots(figures, name):
    """One line for each number of pictures a class, from the entries NAME-shots-N and NAME-default (16)."""
    entries = figures["accuracy"]
    lists = {int(key.rpartition("-")[2]): e["rows"] for key, e in entries.items() if key.startswith(name + "-shots-")}
    lists[16] = entries[name + "-default"]["rows"]
    methods = ("gda", "coop", "mopd")
    cells = []
    for n, rows in sorted(lists.items()):
        of = {row["method"]: row for row in rows}
        cells.append([str(n), *(" / ".join(f"{of[m][c]:.1f}" for c in ("base", "new", "mixed")) for m in methods)])
    return table(["pictures a class", *methods], cells)


def exactness(figures, _):
    return table(["what", "reference", "bar", "measured"],
                 [[row[k] for k in ("what", "reference", "bar", "measured")] for row in figures["exactness"]])


def exactness_short(figures, _):
    return table(["exactness", "against", "measured"], [[row["short"], row["against"], row["measured"]]
                                                        for row in figures["exactness"] if "short" in row])


KINDS = {"engines": engines, "eight": eight, "others": others, "machine": machine, "readme-speed": readme_speed, "accuracy": accuracy,
         "accuracy-short": accuracy_short, "shots": shots, "exactness": exactness, "exactness-short": exactness_short, **recognition_tables.KINDS}


# -- pages -------------------------------------------------------------------------------------------------------------

def renewed(text, figures):
    """The text of a page with each table made anew."""
    def one(found):
        begin, kind, name, _, end = found.groups()
        if kind not in KINDS:
            raise SystemExit(f"figures: there is no kind {kind}; known are {', '.join(KINDS)}")
        try:
            return begin + KINDS[kind](figures, name) + end
        except (KeyError, StopIteration) as error:
            raise SystemExit(f"figures: docs/figures.json has not what {kind} {name} needs: {error!r}") from error
    return MARK.sub(one, text)


def compare(root, write):
    """The pages that differ from docs/figures.json, and how many tables there are."""
    figures = record.load(os.path.join(root, "docs/figures.json"))
    differ, n = [], 0
    for page in links.pages(root):
        with open(page, encoding="utf-8") as file:
            text = file.read()
        if text.count("<!-- figures:") != len(MARK.findall(text)):
            raise SystemExit(f"figures: {os.path.relpath(page, root)}: a mark without its end")
        n += len(MARK.findall(text))
        new = renewed(text, figures)
        if new == text:
            continue
        differ.append(os.path.relpath(page, root))
        if write:
            with open(page, "w", encoding="utf-8") as file:
                file.write(new)
    return differ, n


def tidy(value):
    """Six digits behind the point."""
    if isinstance(value, dict):
        return {k: tidy(v) for k, v in value.items()}
    return round(value, 6) if isinstance(value, float) else value


def take_accuracy(root, name, text):
    path = os.path.join(root, "docs/figures.json")
    figures = record.load(path)
    rows = [tidy({k: row[k] for k in ("method", *COLUMNS, "seconds", "deviation") if k in row}) for row in json.loads(text)["rows"]]
    entry = figures["accuracy"].setdefault(name, {})
    entry.pop("source", None)
    figures["accuracy"][name] = entry | {"date": datetime.date.today().isoformat(), "rows": rows}
    record.save(path, figures)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--accuracy", metavar="NAME")
    parser.add_argument("--root", default=os.path.join(HERE, "..", ".."))
    args = parser.parse_args()
    if args.accuracy:
        return take_accuracy(args.root, args.accuracy, sys.stdin.read())
    differ, n = compare(os.path.abspath(args.root), args.write)
    for page in differ:
        print(f"figures: {page} {'was brought to' if args.write else 'differs from'} docs/figures.json", file=sys.stderr)
    print(f"figures: {n} tables, {len(differ)} pages {'written' if args.write else 'differ'}")
    return 0 if args.write or not differ else 1


if __name__ == "__main__":
    sys.exit(main())
