# SPDX-License-Identifier: MIT
"""Makes the built-in model.

  python examples/model/train.py --data DIR --out DIR [--short] [--without-aerial] [--without-drawings]

DIR of --data holds the picture sets' .tar files (or folders already unpacked), classnames/, and what `apt-get download` brings of
Debian's flightgear-data-base (1.3 GB; or flightgear/ with its Textures/Terrain), openclipart-png, openclipart-svg and
fonts-noto-color-emoji (170 MB; or drawings/ with their usr/share).  Every step keeps what it made below --out, so a run that was
stopped goes on where it was; --short is the same run with few pictures, words and steps.
"""
import argparse
import json
import shutil
import tarfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTokenizer

import aerial
import drawings
import head
import pictures
import space
import tower
import vocab
import words

VOCAB, LEARNING_RATE = 9000, 0.3                 # the rate: for learning prompts on the finished model
FULL = {"nouns": 50000, "filled": 80000, "phrases": 40000, "steps": 7000, "head": 200, "land": 200, "every": 1}
SHORT = {"nouns": 2000, "filled": 2000, "phrases": 1000, "steps": 40, "head": 20, "land": 10, "every": 20}


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


def found(o, module, without, what):
    """The folder of pictures that come from Debian's packages; None where it was asked to do without."""
    if without:
        return None
    folder = module.find(o.data, o.out / "pictures")
    if not folder:
        names = " ".join(module.PACKAGES)
        raise SystemExit(f"{o.data} has neither the packages {names} nor their folder: {what} are missing.\n"
                         f"Get them there with: apt-get download {names}\nor train without them: see --help")
    return folder


def aerial_set(folder, count):
    jobs, open_ = aerial.listing(folder, count), {}
    return (f"aerial-{count}.npz", jobs, lambda j: aerial.cut(j, pictures.SIDE, open_),
            {"y": np.array([j.kind for j in jobs]), "held": np.array([aerial.held(j) for j in jobs])})


def drawn_set(folder, wn, every):
    jobs, lines = drawings.listing(folder, wn, every)
    font = drawings.opened(folder)
    return f"drawings-{every}.npz", jobs, lambda j: drawings.cut(j, pictures.SIDE, font), {"words": np.array(json.dumps(lines))}


def made(cache, land="aerial-*.npz", art="drawings-*.npz"):
    """The made pictures' features: {"h", "y": kinds, "held"} of land, (features, words) of drawings; None for what is not there."""
    def read(pattern):
        files = sorted(cache.glob(pattern))
        return {k: torch.from_numpy(v.astype(np.float32) if k == "h" else v) if v.ndim else json.loads(str(v))
                for k, v in np.load(files[0]).items()} if files else None
    drawn = read(art)
    return read(land), drawn and (drawn["h"], drawn["words"])


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
    a.add_argument("--without-drawings", action="store_true", help="no clip art, no emoji")
    a.add_argument("--new-vocabulary", action="store_true", help="learn the vocabulary again instead of the committed one")
    a.add_argument("--threads", type=int, default=2, help="for the features and embeddings computed once")
    o = a.parse_args()
    torch.set_num_threads(1)                # sums in one order: a second run gives the same digits
    size, start = SHORT if o.short else FULL, time.time()
    cut, choose = ({k: max(1, n // 10) if o.short else n for k, n in p.items()} for p in (pictures.TRAIN, pictures.CHOOSE))
    text, model = o.out / "text", o.out / "model"
    for d in (o.out / "pictures", text, model):
        d.mkdir(parents=True, exist_ok=True)

    more = []
    ground = found(o, aerial, o.without_aerial, "the pictures of land from above")
    drawn = found(o, drawings, o.without_drawings, "the drawings")
    if ground:
        more.append(aerial_set(ground, size["land"]))
    if drawn:
        more.append(drawn_set(drawn, words.WordNet(), size["every"]))
    unpack(o.data, o.out / "pictures")
    base, cache = o.data if (o.data / pictures.SETS["tiny"][0]).is_dir() else o.out / "pictures", o.out / "features"
    pictures.extract(base, cache, {**cut, **choose}, more, o.threads)
    names = {k: [n.lower() for n in pictures.class_names(o.data, k)] for k in ("tiny", "cifar")}
    land, art = made(cache, *(f"{n}-{size[k]}.npz" if there else "none" for n, k, there in (("aerial", "land", ground), ("drawings", "every", drawn))))
    land = land and (land["h"], land["y"])
    known = sorted({w for line in art[1] for w in line}) if art else []

    words.embed(text, names["tiny"] + names["cifar"] + known, size["nouns"], size["filled"], o.threads)
    words.embed_land(text, o.threads)
    words.phrases(text, size["phrases"], o.threads)
    t = words.targets(text)
    pic = head.Pictures(cache, cut)
    joint = space.Space(pic, t, names, head.NONE, land, art)
    tok = vocabulary(t, model, o.new_vocabulary)
    if not (text / "tower.pt").exists():
        tower.train(tok, t, joint, text, size["steps"])
    net = tower.Tower(len(tok), space.DIM)
    net.load_state_dict(torch.load(text / "tower.pt"))
    ground = head.Land(net.eval(), tok, *land) if land else None
    head.train(net, tok, pic, joint, model, cache, choose, names, size["head"], ground, LEARNING_RATE)
    print(f"done: {model}, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
