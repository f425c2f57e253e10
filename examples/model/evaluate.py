# SPDX-License-Identifier: MIT
"""Measures a finished model: zero-shot top-1 on five sets, and a 16-shot linear probe on its joint features.

  python examples/model/evaluate.py --data DIR --out DIR [--exam]

Without --exam only the sets that settings may be chosen on (Tiny-ImageNet val, CIFAR-100 test) are read.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

import pictures
import words
from head import Head
from words import unit


class Model:
    """Text tower and head as a user of transformers would load them."""

    def __init__(self, folder, cache):
        self.tok = CLIPTokenizer.from_pretrained(folder)
        s = load_file(folder / "text.safetensors")
        config = CLIPTextModelWithProjection.config_class.from_json_file(folder / "text_config.json")
        self.text = CLIPTextModelWithProjection(config).float().eval().requires_grad_(False)
        self.text.load_state_dict({k: v.float() for k, v in s.items()}, strict=False)
        p, c = load_file(folder / "projection.safetensors"), np.load(cache / "classifier.npz")
        self.scale = float(p["logit_scale"].exp())
        self.image = Head(torch.from_numpy(c["w"]), torch.from_numpy(c["b"]), p["projection.weight"].float(),
                          p["projection.bias"].float(), p["names.weight"].float(), float(p["mix"]))

    @torch.inference_mode()
    def texts(self, lines):
        b = self.tok(lines, padding=True, truncation=True, max_length=32, return_tensors="pt")
        return unit(self.text(input_ids=b["input_ids"]).text_embeds)

    def classes(self, names, templates):
        return unit(torch.stack([self.texts([t.format(n) for n in names]) for t in templates]).mean(0))


def right(f, t, y):
    return int(((f @ t.T).argmax(1) == y).sum())


def probe(a, y, b, yb, strength=100.0, steps=300):
    """Multinomial logistic regression with an L2 penalty of 1 / (2 C n), by L-BFGS."""
    w = torch.zeros(a.shape[1], int(y.max()) + 1, requires_grad=True)
    v = torch.zeros(w.shape[1], requires_grad=True)
    opt = torch.optim.LBFGS([w, v], max_iter=steps, line_search_fn="strong_wolfe")

    def step():
        opt.zero_grad()
        loss = F.cross_entropy(a @ w + v, y) + w.square().sum() / (2 * strength * len(a))
        loss.backward()
        return loss

    opt.step(step)
    return 100 * ((b @ w + v).argmax(1) == yb).float().mean().item()


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--data", type=Path, required=True)
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--model", type=Path)
    a.add_argument("--exam", action="store_true")
    a.add_argument("--threads", type=int, default=2)
    o = a.parse_args()
    torch.set_num_threads(o.threads)
    cache, wanted = o.out / "features", {**pictures.CHOOSE, **(pictures.EXAM if o.exam else {})}
    base = o.data if (o.data / pictures.SETS["tiny"][0]).is_dir() else o.out / "pictures"
    pictures.extract(base, cache, wanted, threads=o.threads)
    model = Model(o.model or o.out / "model", cache)
    f = {k: (torch.from_numpy(h), torch.from_numpy(y)) for k, (h, y) in pictures.features(cache, wanted).items()}
    own = {"eurosat": words.SATELLITE, "flowers": words.FLOWER}
    print("| set | classes | a photo of a {}. | template mean | set's own templates |\n|---|---|---|---|---|")
    for (key, split), (h, y) in f.items():
        if split == "train":
            continue
        names, image = pictures.class_names(o.data, key), model.image(h)
        row = [right(image, model.classes(names, t), y) for t in (["a photo of a {}."], words.PLAIN, own.get(key, words.PLAIN))]
        print(f"| {key} {split} | {len(names)} | " + " | ".join(f"{n} of {len(y)}, {100 * n / len(y):.1f} %" for n in row) + " |", flush=True)
    if o.exam:
        print("| 16-shot linear probe | raw features | joint features |\n|---|---|---|")
        for key in ("caltech", "eurosat", "flowers"):
            (h, y), (ht, yt) = f[key, "train"], f[key, "test"]
            ix = torch.cat([torch.nonzero(y == c)[:16, 0] for c in range(int(y.max()) + 1)])
            row = [probe(g(h[ix]), y[ix], g(ht), yt) for g in (unit, model.image)]
            print(f"| {key} | {row[0]:.1f} | {row[1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
