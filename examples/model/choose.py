# SPDX-License-Identifier: MIT
"""What settings are chosen on: classes whose pictures were left out, and land that was.

  python examples/model/choose.py --data DIR --out DIR [--mix M] [--steps N] [--tower STEPS]

50 classes of Tiny-ImageNet and 50 of CIFAR-100 are left out of the space and of the head (the Tiny ones struck from the locked
tower's answers too), and of land the kinds in aerial.LEFT_OUT and a fourth of the textures.  --out is train.py's, after its words
are embedded.  Names stand where the space puts them; --tower trains a text tower on that space, in --out/choose, and then also
learns prompts by CoOp and MoPD, half of the classes left out as base, half as new.
"""
import argparse
import types
from pathlib import Path

import numpy as np
import torch

import aerial
import evaluate
import head
import pictures
import prompt
import space
import tower
import train
import words


class Places:
    """Stands in for the text tower: texts as the space puts them."""

    def __init__(self, t, joint):
        self.joint, self.dim = joint, space.DIM
        self.offset = dict(zip(words.TEMPLATES, t["offset"]))

    def classes(self, names, templates):
        z, f = self.joint.at(names), torch.zeros(len(names), self.dim)
        for line in templates:
            f += self.joint(words.unit(z + self.offset.get(line, torch.zeros(z.shape[1]))))
        return words.unit(f)


def right(f, y, text, candidates):
    """Percent of pictures, of those whose class is a candidate, nearest to their own among the candidates."""
    mine = torch.isin(y, candidates)
    return 100 * (candidates[(f[mine] @ text[candidates].T).argmax(1)] == y[mine]).float().mean().item()


def ground(f, kind, held, text):
    """Unseen textures among all kinds seen; kinds never seen among themselves.  Mean of eight draws of a name a kind."""
    left = torch.tensor([list(aerial.KINDS).index(k) for k in aerial.LEFT_OUT])
    parts = (held & ~torch.isin(kind, left), torch.arange(len(text))), (torch.isin(kind, left), left)
    rng, out = np.random.default_rng(0), []
    for _ in range(8):
        one = torch.stack([t[rng.integers(len(t))] for t in text])
        out.append([100 * (c[(f[m] @ one[c].T).argmax(1)] == kind[m]).float().mean().item() for m, c in parts])
    return np.mean(out, 0)


def learned(net, tok, h, names, cache, held, o):
    """CoOp and MoPD on the classes left out."""
    m = types.SimpleNamespace(text=net.save(o.out / "choose").float().eval().requires_grad_(False), tok=tok, scale=o.scale)
    m.texts = lambda lines: evaluate.Model.texts(m, lines)
    m.classes = lambda n, t: evaluate.Model.classes(m, n, t)
    data = {k: (h(torch.from_numpy(x)), torch.from_numpy(y)) for k, (x, y) in pictures.features(cache, {**pictures.TRAIN, **pictures.CHOOSE}).items()}
    for key, test in (("tiny", "val"), ("cifar", "test")):
        left = held[key].tolist()
        prompt.run(m, names[key], left[::2], left[1::2], data[key, "train"], data[key, test], words.PLAIN[:12], o)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--data", type=Path, required=True)
    a.add_argument("--out", type=Path, required=True)
    for flag, kind, default in (("--tower", int, 0), ("--mix", float, head.MIX), ("--steps", int, train.FULL["head"]), ("--lr", float, train.LEARNING_RATE), ("--epochs", int, 50),
                                ("--seeds", int, 3), ("--w", float, 0.8), ("--w2", float, 0.1), ("--k", int, 2), ("--scale", float, 30.0),
                                ("--methods", str, "coop,mopd")):
        a.add_argument(flag, type=kind, default=default)
    o = a.parse_args()
    torch.set_num_threads(1)
    cache, text, rng = o.out / "features", o.out / "text", np.random.default_rng(5)
    if not (text / "words.json").exists():
        raise SystemExit(f"{o.out} has no text/words.json: it is not what train.py was given as --out, or its words are not embedded yet")
    names = {k: [n.lower() for n in pictures.class_names(o.data, k)] for k in ("tiny", "cifar")}
    held = {k: torch.tensor(np.sort(rng.choice(len(n), 50, replace=False))) for k, n in names.items()}
    land, art = train.made(cache)
    seen = None if land is None else (land["h"][~land["held"]], land["y"][~land["held"]])
    t, pic = words.targets(text), head.Pictures(cache, pictures.TRAIN, held, head.class_rows(cache, pictures.TRAIN, names["tiny"], words.WordNet()))
    joint = space.Space(pic, t, names, held, seen, art)
    net, tok, own = Places(t, joint), None, o.out / "choose"
    if o.tower:
        own.mkdir(exist_ok=True)
        tok = train.vocabulary(t, own, False)
        net = tower.train(tok, t, joint, own, o.tower).eval()
    h, known = head.make(net, tok, pic, joint, names, o.steps, seen and head.Land(net, tok, *seen), held, o.mix)
    for (key, _), (x, y) in pictures.features(cache, pictures.CHOOSE).items():
        f, y = h(torch.from_numpy(x)), torch.from_numpy(y)
        print(f"{key}: {right(f, y, known[key], held[key]):.1f} % of the 50 left out, {right(f, y, known[key], torch.arange(len(known[key]))):.1f} % of all")
    if land is not None:
        every = head.Land(net, tok, land["h"], land["y"])
        print("land: {:.1f} % of unseen textures, {:.1f} % of unseen kinds".format(*ground(h(every.x), every.y, land["held"], every.text)), flush=True)
    if o.tower:
        learned(net, tok, h, names, cache, held, o)


if __name__ == "__main__":
    main()
