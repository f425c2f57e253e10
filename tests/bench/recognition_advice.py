# SPDX-License-Identifier: MIT
"""The parts `suggest` and `doctor` of recognition.py: what the two commands are worth, on pools drawn and faults planted by a seed."""
import json
import os
import struct
import tempfile

import numpy as np

from recognition_tools import TEMPLATES, mean, mopd, store

DRAWS = 2  # random ones beside each suggestion
STEEP = 9  # of an unbalanced pool: so many times as many pictures of one class as of another


def paths_of(data):
    return [data[i].path for i in range(len(data))]


# -- suggest -----------------------------------------------------------------------------------------------------------

def pool_of(data, steep, random):
    """Numbers of the pool's pictures: all, or from all of a class down to 1 of `steep`."""
    labels, kept = np.array(data.labels), []
    for c in np.unique(labels):
        mine = random.permutation(np.flatnonzero(labels == c))
        kept.append(mine[:max(1, round(len(mine) * steep ** -random.random()))])
    return np.sort(np.concatenate(kept))


def accuracy_with(encoder, name, pool, chosen, test):
    """Percent right on the test pictures of a recogniser fitted to some pictures of the pool; a class without is known by name."""
    import mopd as package

    names = np.array(pool.classes)[np.array(pool.labels)[chosen]]
    head = package.Recognizer(encoder, templates=package.templates_for(TEMPLATES[name])).fit(pool.features()[chosen], names)
    head = head.with_classes(list(test.classes))
    return 100 * float((head.predict(test.features()) == np.array(test.classes)[test.labels]).mean())


def suggested(args, path, n, seed):
    """Numbers of the suggested pictures of a store."""
    import mopd as package

    place = {path: i for i, path in enumerate(paths_of(package.Dataset(path)))}
    return [place[s["path"]] for s in mopd(args, "suggest", "-d", path, "-n", n, "--seed", seed)["suggest"]]


def suggest(args, name):
    import mopd as package

    encoder, data, rows = package.Encoder(), package.Dataset(store(args, name)), []
    train, test = data.select(split="train"), data.select(split="test")
    for steep in (1, STEEP):
        for each in (1, 2):
            by_chance, by_advice = [], []
            for seed in args.seeds:
                random, n = np.random.default_rng(seed), each * len(data.classes)
                pool = train.pick(pool_of(train, steep, random).tolist())
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "pool.safetensors")
                    pool.save(path)
                    by_advice.append(accuracy_with(encoder, name, pool, suggested(args, path, n, seed), test))
                for _ in range(DRAWS):
                    by_chance.append(accuracy_with(encoder, name, pool, random.choice(len(pool), n, replace=False), test))
            rows.append({"steep": steep, "each": each, "random": mean(by_chance), "suggested": mean(by_advice)})
    return rows


# -- doctor ------------------------------------------------------------------------------------------------------------

def relabelled(path, labels, to):
    """The store at `path` with other labels, at `to`."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    start = 8 + struct.unpack("<Q", data[:8])[0]
    begin, end = json.loads(data[8:start])["labels"]["data_offsets"]
    data[start + begin:start + end] = np.asarray(labels, "<i4").tobytes()
    with open(to, "wb") as file:
        file.write(data)


def listed(args, name, path, folder):
    """Paths of the labels that the doctor lists; no picture is looked at."""
    report = mopd(args, "doctor", "-d", path, "--pictures", folder, "--templates-for", TEMPLATES[name])
    return [s["path"] for s in report["suspects"]]


def doctor(args, name):
    """Every tenth label of 16 pictures a class is made another: how many of these are listed, and of the others; and of a clean set."""
    import mopd as package

    data, found, wrongly, clean = package.Dataset(store(args, name)), [], [], []
    for seed in args.seeds:
        train, random = data.select(split="train", shots=16, seed=seed), np.random.default_rng(seed)
        paths, given = np.array(paths_of(train)), np.array(train.labels)
        planted = random.choice(len(given), len(given) // 10, replace=False)
        given[planted] = (given[planted] + random.integers(1, len(train.classes), len(planted))) % len(train.classes)
        with tempfile.TemporaryDirectory() as folder:
            whole, changed = (os.path.join(folder, f) for f in ("whole.safetensors", "changed.safetensors"))
            train.save(whole)
            relabelled(whole, given, changed)
            clean.append(100 * len(listed(args, name, whole, folder)) / len(given))
            suspects, wrong = set(listed(args, name, changed, folder)), set(paths[planted].tolist())
        found.append(100 * len(suspects & wrong) / len(wrong))
        wrongly.append(100 * len(suspects - wrong) / max(1, len(suspects)))
    return [{"planted": len(planted), "listed": mean(found), "right_ones": mean(wrongly), "clean": mean(clean)}]
