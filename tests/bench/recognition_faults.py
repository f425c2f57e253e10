# SPDX-License-Identifier: MIT
"""The part `faults` of recognition.py: mopd doctor on a folder with planted faults of every kind, and on the same folder without.

Ten of each kind are planted at random in the training pictures of 20 classes: a copy under another class, a copy of 0.7 of the size in
JPEG of quality 60, a blurred picture (Gauss, 3 % of the shorter side), one of 16 pixels, one that is cut off, one in the wrong class.
Needs Pillow, and the pictures themselves in DIR/NAME/train/CLASS."""
import os
import shutil
import tempfile

import numpy as np

from recognition_tools import TEMPLATES, mean, mopd

CLASSES, EACH, PLANTED = 20, 16, 10


def copied(args, name, folder, random):
    """Pictures of some classes, in class folders of `folder`; their paths in it."""
    source, paths = os.path.join(args.data, name, "train"), []
    names = sorted(os.listdir(source))
    for c in sorted(random.permutation(len(names))[:CLASSES]):
        os.makedirs(os.path.join(folder, names[c]))
        files = sorted(os.listdir(os.path.join(source, names[c])))
        for i in sorted(random.permutation(len(files))[:EACH]):
            paths.append(os.path.join(names[c], files[i]))
            shutil.copy(os.path.join(source, paths[-1]), os.path.join(folder, paths[-1]))
    return paths


def picture(path):
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB")


def blurred(image):
    from PIL import ImageFilter

    return image.filter(ImageFilter.GaussianBlur(0.03 * min(image.size)))


def elsewhere(path, classes, random):
    """The same name in another class."""
    own, file = os.path.split(path)
    return os.path.join(random.choice([c for c in classes if c != own]), "planted_" + file)


def plant(folder, paths, random):
    """What was planted, by kind: paths, or pairs of them."""
    classes = sorted({os.path.dirname(p) for p in paths})
    chosen = iter(random.permutation(paths)[:6 * PLANTED].tolist())
    planted = {kind: [] for kind in ("copy", "near copy", "blurred", "tiny", "unreadable", "wrong label")}
    for _ in range(PLANTED):
        whole = {kind: next(chosen) for kind in planted}
        at = {kind: os.path.join(folder, path) for kind, path in whole.items()}
        twin = elsewhere(whole["copy"], classes, random)
        shutil.copy(at["copy"], os.path.join(folder, twin))
        planted["copy"].append({whole["copy"], twin})
        image, near = picture(at["near copy"]), os.path.splitext(whole["near copy"])[0] + "_small.jpg"
        image.resize([max(1, round(0.7 * side)) for side in image.size]).save(os.path.join(folder, near), quality=60)
        planted["near copy"].append({whole["near copy"], near})
        blurred(picture(at["blurred"])).save(at["blurred"], quality=90)
        picture(at["tiny"]).resize((16, 16)).save(at["tiny"], quality=90)
        with open(at["unreadable"], "r+b") as file:
            file.truncate(os.path.getsize(at["unreadable"]) // 2)
        wrong = elsewhere(whole["wrong label"], classes, random)
        shutil.move(at["wrong label"], os.path.join(folder, wrong))
        planted["wrong label"].append(wrong)
        for kind in ("blurred", "tiny", "unreadable"):
            planted[kind].append(whole[kind])
    return planted


def report(args, name, folder):
    """What the doctor finds, by kind, and how many labels it says to expect among right ones."""
    found = mopd(args, "doctor", "-d", folder, "--templates-for", TEMPLATES[name])
    pairs = [set(pair[:2]) for pair in found["duplicates"]]
    kinds = {kind: [x["path"] for x in found[kind]] for kind in ("blurred", "tiny")}
    return kinds | {"copy": pairs, "near copy": pairs, "unreadable": found["unreadable"],
                    "wrong label": [x["path"] for x in found["suspects"]]}, found["alarms"]


def faults(args, name):
    """Percent of the planted ones that are found, and how many are listed of the clean folder, of each kind."""
    found, clean, expected = {}, {}, []
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as folder:
            random = np.random.default_rng(seed)
            paths = copied(args, name, folder, random)
            listed, alarms = report(args, name, folder)
            expected.append(alarms)
            for kind, items in listed.items():
                clean.setdefault(kind, []).append(len(items))
            planted = plant(folder, paths, random)
            listed, _ = report(args, name, folder)
            for kind, items in planted.items():
                seen = listed[kind]
                hit = sum(any(x in str(s) for s in seen) if kind == "unreadable" else x in seen for x in items)
                found.setdefault(kind, []).append(100 * hit / len(items))
    return [{"kind": kind, "found": mean(found[kind]), "clean": mean(clean[kind]),
             "expected": mean(expected) if kind == "wrong label" else None} for kind in found]
