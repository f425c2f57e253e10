#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How well pictures are recognised from few examples: every table of docs/results.md but the older prompts' ones.

    python tests/bench/recognition.py PART... --mopd build/stage/bin/mopd --data DIR [--sets NAME,...]
                                      [--seeds 1,2,3] [--json docs/figures.json]

DIR holds a feature store of each data set, NAME.safetensors, as `mopd features -d NAME/ --views fixed -o NAME.safetensors` makes it from
NAME/{train,test}/CLASS/*.jpg.  The parts:

    ten       ten classes of each set (drawn by the seed), 1 to 16 pictures of each: all methods of mopd bench-shots, and
              scikit-learn's discriminant analysis with shrinkage, logistic regression and nearest class mean on the same
              features of the same pictures
    all       the same on all classes, with the closed forms alone
    views     fit to one view of each picture and to five, by accuracy and calibration error, all classes
    new       the base-to-new protocol with 16 pictures a class
    promises  of a recogniser: share of known pictures kept, coverage and size of sets, calibration error
    unknown   half of the classes, drawn by the seed, is known: are pictures of the others told from theirs?
    labels    every tenth training picture gets another class's label: are they found?
    dev       zero-shot, fit and promises on the sets that settings were chosen on (tinyimagenet, cifar100)
    suggest   pictures that mopd suggest picks from a pool against as many random ones, of pools with equal and unequal classes
    doctor    of the wrong labels of `labels`, how many mopd doctor lists, and how many right ones, also of a clean set
    faults    of planted copies, blurred, tiny and broken pictures and wrong labels, how many mopd doctor finds, and what it lists of
              the same folder without them
    speed     milliseconds of a fit, of one picture more, of one answer, and of scikit-learn's best, in alternate rounds

Needs numpy, scikit-learn and the Python package mopd; faults needs the pictures beside the store, and Pillow.  What was measured goes into the entry "recognition" of FILE;
tests/docs/figures.py --write brings it into the pages."""
import argparse
import datetime
import json
import os
import statistics
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import record  # noqa: E402
import recognition_advice  # noqa: E402
import recognition_faults  # noqa: E402
import recognition_speed  # noqa: E402
from recognition_tools import DEV, EXAM, PEERS, TEMPLATES, joined, mean, mopd, store  # noqa: E402

TEN, ALL = (1, 2, 5, 10, 16), (1, 2, 4, 8, 16)
PROMISED = (4, 8, 16)
VIEWED = ALL


def part_of(data, classes):
    """Features and class names of the pictures of some classes."""
    names = np.array(data.classes)[data.labels]
    kept = np.isin(names, classes)
    return data.features()[kept].astype(np.float64), names[kept]


def run_peers(args, name, draws, shots):
    """One figure for each peer, number of pictures and seed; None where the peer cannot."""
    import time

    import mopd as package

    data, rows = package.Dataset(store(args, name)), []
    for peer, fit in PEERS.items():
        for n in shots:
            found, seconds = [], []
            for draw in draws:
                x, y = part_of(data.select(split="train", shots=n, seed=draw["seed"]), draw["classes"])
                test, truth = part_of(data.select(split="test"), draw["classes"])
                start = time.perf_counter()
                try:
                    model = fit(x, y, n)
                except (ValueError, np.linalg.LinAlgError) as error:
                    print(f"{name}, {peer}, {n} pictures: {error}", file=sys.stderr)
                    continue
                seconds.append(time.perf_counter() - start)
                found.append(100 * float((model.predict(test) == truth).mean()))
            if found:
                accuracy, deviation = mean(found)
                rows.append({"method": peer, "shots": n, "accuracy": accuracy, "deviation": deviation,
                             "seconds": round(statistics.mean(seconds), 4)})
    return rows


def own_rows(answer):
    return [{"method": r["method"], "shots": r["shots"], "accuracy": round(r["accuracy"], 4), "ece": round(r["ece"], 4),
             "deviation": round(r["deviation"]["accuracy"], 4), "seconds": round(r["seconds"], 4)} for r in answer["rows"]]


def by_shots(args, name, shots, methods, *more):
    answer = mopd(args, "bench-shots", "-d", store(args, name), "--shots", joined(shots), "--methods", joined(methods),
                  "--seeds", joined(args.seeds), "--templates-for", TEMPLATES[name], *more)
    return own_rows(answer) + (run_peers(args, name, answer["draws"], shots) if args.peers else [])


def ten(args, name):
    return by_shots(args, name, TEN, args.methods or ("zero-shot", "fit", "gda", "coop", "mopd", "mopd-paper"),
                    "--classes", 10)


def all_classes(args, name):
    return by_shots(args, name, ALL, args.methods or ("zero-shot", "fit", "gda"))


def views(args, name):
    answer = mopd(args, "bench-shots", "-d", store(args, name), "--shots", joined(VIEWED), "--methods", "fit-1-view,fit",
                  "--seeds", joined(args.seeds), "--templates-for", TEMPLATES[name])
    return own_rows(answer)


def new(args, name):
    answer = mopd(args, "bench-new", "-d", store(args, name), "--methods",
                  joined(args.methods or ("zero-shot", "fit", "gda", "coop", "mopd")), "--seeds", joined(args.seeds),
                  "--templates-for", TEMPLATES[name])
    keys = ("base", "new", "h", "mixed", "ece", "seconds")
    return [{"method": r["method"]} | {k: round(r[k], 4) for k in keys}
            | {"deviation": {k: round(r["deviation"][k], 4) for k in keys}} for r in answer["rows"]]


# -- what a recogniser promises ----------------------------------------------------------------------------------------

def fitted(args, data, pool, *more):
    """What eval says of a recogniser that was fitted to `data`, the last of the words being what it is tested on."""
    *fit_words, test = more
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "r.safetensors")
        mopd(args, "fit", "-d", data, "--templates-for", pool, "-o", path, *fit_words)
        return mopd(args, "eval", "-d", test, "-r", path, "--set", 0.9)


def promises(args, name):
    rows = []
    for shots in PROMISED:
        found = [fitted(args, store(args, name), TEMPLATES[name], "--shots", shots, "--seed", s, store(args, name))
                 for s in args.seeds]
        row = {"shots": shots, "pictures": shots * len(found[0]["classes"])}
        for key in ("ece", "nll", "kept", "coverage", "set_size"):
            values = [f[key] for f in found if f[key] is not None]
            row[key] = mean(values) if values else None
        rows.append(row)
    return rows


def dev(args, name):
    """What was asked for on any data set: zero-shot and fit on all classes, and what is promised."""
    answer = mopd(args, "bench-shots", "-d", store(args, name), "--shots", joined(ALL), "--methods", "zero-shot,fit",
                  "--seeds", joined(args.seeds), "--templates-for", TEMPLATES[name])
    return own_rows(answer) + [row | {"method": "promises"} for row in promises(args, name)]


def unknown(args, name):
    """AUROC of pictures of known classes against siblings, and what is refused of these at 95 % of known ones kept."""
    import mopd as package

    data, auroc, refused, kept = package.Dataset(store(args, name)), [], [], []
    for seed in args.seeds:
        n = len(data.classes)
        known = np.sort(np.random.default_rng(seed).permutation(n)[:n // 2])
        train = data.select(split="train", shots=16, seed=seed)
        known_names = np.array(data.classes)[known]
        chosen = [i for i, c in enumerate(train.labels) if train.classes[c] in known_names]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "known.safetensors")
            train.pick(chosen, relabel=True).save(path)
            answer = fitted(args, path, TEMPLATES[name], store(args, name))
        auroc.append(answer["strangers"]["auroc"])
        refused.append(answer["strangers"]["refused"])
        kept.append(answer["kept"])
    return [{"auroc": mean(auroc), "refused": mean(refused), "kept": mean(kept)}]


def labels(args, name):
    """Of as many suspects as labels were planted, the share that was planted."""
    import mopd as package

    encoder, data, found = package.Encoder(), package.Dataset(store(args, name)), []
    pool = package.templates_for(TEMPLATES[name])
    for seed in args.seeds:
        train = data.select(split="train", shots=16, seed=seed)
        given, random = np.array(train.labels), np.random.default_rng(seed)
        planted = random.choice(len(given), len(given) // 10, replace=False)
        given[planted] = (given[planted] + random.integers(1, len(train.classes), len(planted))) % len(train.classes)
        head = package.Recognizer(encoder, templates=pool).fit(train.features(), [train.classes[c] for c in given])
        first = [suspect.index for suspect in head.suspects()][:len(planted)]
        found.append(100 * len(set(first) & set(planted.tolist())) / len(planted))
    precision, deviation = mean(found)
    return [{"precision": precision, "deviation": deviation, "planted": len(planted)}]


PARTS = {"ten": ten, "all": all_classes, "views": views, "new": new, "promises": promises, "unknown": unknown, "labels": labels, "dev": dev, "speed": recognition_speed.speed,
         "suggest": recognition_advice.suggest, "doctor": recognition_advice.doctor,
         "faults": recognition_faults.faults}


ORDER = ("zero-shot", "fit", "fit-1-view", "gda", "coop", "kgcoop", "prograd", "mopd", "mopd-paper", *PEERS, "promises")


def merged(old, rows):
    """Old rows of methods that were not measured again stay; rows of one method stand together."""
    fresh = {r.get("method") for r in rows}
    if None in fresh:
        return rows
    return sorted([r for r in old if r["method"] not in fresh] + rows, key=lambda r: ORDER.index(r["method"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--mopd", default="mopd")
    parser.add_argument("--data", required=True)
    parser.add_argument("--sets", type=lambda text: text.split(","), help="instead of those that a part is about")
    parser.add_argument("--seeds", default="1,2,3", type=lambda text: [int(s) for s in text.split(",")])
    parser.add_argument("--methods", type=lambda text: text.split(","), help="only these; other rows of FILE stay")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="without scikit-learn's rows")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    for part in args.parts:
        for name in args.sets or (DEV if part == "dev" else (*EXAM, *DEV) if part == "views" else EXAM):
            rows = PARTS[part](args, name)
            print(f"{name} {part}")
            for row in rows:
                print("   ", json.dumps(row))
            sys.stdout.flush()
            if args.json:
                figures = record.load(args.json)
                entry = figures.setdefault("recognition", {}).setdefault(f"{name}-{part}", {"rows": []})
                entry |= {"date": datetime.date.today().isoformat(), "rows": merged(entry["rows"], rows)}
                figures["recognition"][f"{name}-{part}"] = entry
                record.save(args.json, figures)


if __name__ == "__main__":
    main()
