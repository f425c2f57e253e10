# SPDX-License-Identifier: MIT
"""Makes the built-in model.

  python examples/model/train.py --data DIR --out DIR [--short] [--without-aerial]

DIR of --data holds the picture sets' .tar files (or folders already unpacked), classnames/, and Debian's package
flightgear-data-base (`apt-get download flightgear-data-base`, 1.3 GB; or flightgear/ with its Textures/Terrain).  Every step
keeps what it made below --out, so a run that was stopped goes on where it was; --short is the same run with few steps.
"""
import argparse
import shutil
import tarfile
import time
from pathlib import Path

import torch
from transformers import CLIPTokenizer

import aerial
import head
import pictures
import tower
import vocab
import words

DIM, VOCAB, LEARNING_RATE = 256, 9000, 0.1       # the rate: for learning prompts on the finished model
FULL = {"nouns": 50000, "filled": 80000, "phrases": 40000, "steps": (4400, 3500), "head": 450, "land": 200}
SHORT = {"nouns": 2000, "filled": 2000, "phrases": 1000, "steps": (40, 20), "head": 60, "land": 10}


def unpack(data, out):
    for folder, _ in pictures.SETS.values():
        if (data / folder).is_dir() or (out / folder).is_dir():
            continue
        found = [f for f in (data / f"{folder}.tar", data / f"{folder}.tar.gz") if f.exists()]
        if not found:
            continue
        with tarfile.open(found[0]) as t:
            t.extractall(out / f"{folder}.part", filter="data")
        (out / f"{folder}.part").rename(out / folder)


def textures(o):
    """The land textures' folder; None where it was asked to do without."""
    if o.without_aerial:
        return None
    found = aerial.find(o.data, o.out / "pictures")
    if not found:
        raise SystemExit(f"{o.data} has neither {aerial.PACKAGE}_*.deb nor flightgear/: the pictures of land from above are missing.\n"
                         f"Get them there with: apt-get download {aerial.PACKAGE}\nor train without them: --without-aerial")
    return found


def vocabulary(t, folder, new):
    """The committed vocabulary, or a new one: class names and well-known nouns count more, so that many are one token.
    The trainer breaks ties in no fixed order, so two new ones differ in a few merges; the committed one is what repeats."""
    if not new:
        for f in ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(Path(__file__).parent / "builtin" / f, folder / f)
        return CLIPTokenizer.from_pretrained(folder)
    lines = []
    for i, w in enumerate(t["words"]):
        lines += [w] * (6 if i < t["first"] else 3 if i < 15000 else 2 if i < 30000 else 1)
    lines += t["phrases"]
    lines += [x.format("") for x in words.TEMPLATES for _ in range(40)]
    return vocab.build(lines, VOCAB, folder)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--data", type=Path, required=True)
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--short", action="store_true", help="few pictures, words and steps")
    a.add_argument("--without-aerial", action="store_true", help="no pictures of land from above")
    a.add_argument("--new-vocabulary", action="store_true", help="learn the vocabulary again instead of the committed one")
    a.add_argument("--threads", type=int, default=2, help="for the features and embeddings computed once")
    o = a.parse_args()
    torch.set_num_threads(1)                # sums in one order: a second run gives the same digits
    size, start = SHORT if o.short else FULL, time.time()
    cut, choose = ({k: max(1, n // 10) if o.short else n for k, n in p.items()} for p in (pictures.TRAIN, pictures.CHOOSE))
    text, model = o.out / "text", o.out / "model"
    for d in (o.out / "pictures", text, model):
        d.mkdir(parents=True, exist_ok=True)

    land = textures(o)
    unpack(o.data, o.out / "pictures")
    base = o.data if (o.data / pictures.SETS["tiny"][0]).is_dir() else o.out / "pictures"
    pictures.extract(base, o.out / "features", {**cut, **choose}, land and (land, size["land"]), o.threads)
    names = {k: [n.lower() for n in pictures.class_names(o.data, k)] for k in ("tiny", "cifar")}
    words.embed(text, names["tiny"] + names["cifar"], size["nouns"], size["filled"], o.threads)
    words.embed_land(text, o.threads)
    words.phrases(text, size["phrases"], o.threads)
    t = words.targets(text, DIM)
    tok = vocabulary(t, model, o.new_vocabulary)
    if not (text / "tower.pt").exists():
        tower.train(tok, t, text, size["steps"])
    net = tower.Tower(len(tok), DIM)
    net.load_state_dict(torch.load(text / "tower.pt"))
    head.train(net.eval(), tok, o.out, model, (cut, choose), names, size["head"], size["land"] if land else 0, LEARNING_RATE)
    print(f"done: {model}, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
