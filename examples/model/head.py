# SPDX-License-Identifier: MIT
"""The image head: a projection of the locked tower's features into the text space, and the file the library reads.

    feature = unit(unit(softmax(W h + b) names) + mix * unit(P h + p))

P whitens the tower's features (space.py) and is then trained a little, on real pictures against the text features of their own
classes and on land; to train it longer, or towards the tower's own 1,000 probabilities, costs the names it never saw.
"""
import json
import math

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import aerial
import pictures
import words
from words import unit

MIX = 8.0
PICTURE_SHARE, LAND_BATCH, LAND_SHARE = 0.5, 128, 0.5       # what a picture counts; pictures of land a step, what they count


@torch.no_grad()
def class_features(net, tok, names, templates=words.PLAIN):
    """unit(mean over templates of unit text features), classes x dim; net: a text tower, or what has classes() itself."""
    if hasattr(net, "classes"):
        return net.classes(names, templates)
    f = [net.encode(tok([t.format(n) for n in names])["input_ids"]) for t in templates]
    return unit(torch.stack(f).mean(0))


class Land:
    """Features of land from above, their kinds, and the text features of every kind's names."""

    def __init__(self, net, tok, x, y):
        self.x, self.y = x, y
        self.text = [class_features(net, tok, names, words.SATELLITE) for names, _, _ in aerial.KINDS.values()]
        self.seen = torch.isin(torch.arange(len(self.text)), self.y)

    def draw(self):
        """One name of every kind: kinds x dim."""
        return torch.stack([t[int(torch.randint(0, len(t), (1,)))] for t in self.text])


class Pictures:
    """Training features with the locked tower's probabilities and the pictures' own classes, some classes left out (rows: which
    of the 1,000 each Tiny-ImageNet class is)."""

    def __init__(self, cache, cut, held=None, rows=None):
        held = held or NONE
        c = np.load(cache / "classifier.npz")
        self.w, self.b = torch.from_numpy(c["w"]), torch.from_numpy(c["b"])
        self.hidden = torch.zeros(1000, dtype=torch.bool)
        if rows is not None:
            self.hidden[rows[held["tiny"]]] = True
        f = {k: (torch.from_numpy(h), torch.from_numpy(y)) for k, (h, y) in pictures.features(cache, cut).items()}
        x, y, sets = [], [], []
        for n, key in enumerate(("tiny", "cifar")):
            h, lab = f[key, "train"]
            keep = ~torch.isin(lab, held[key])
            x.append(h[keep]), y.append(lab[keep]), sets.append(torch.full((int(keep.sum()),), n))
        self.x, self.y, self.set = torch.cat(x), torch.cat(y), torch.cat(sets)
        self.p = self.probabilities(self.x)
        self.mean, self.sd = self.x.mean(0), self.x.std(0) + 1e-3

    def probabilities(self, h):
        return (h @ self.w.T + self.b).masked_fill(self.hidden, -1e9).softmax(-1)


def class_rows(cache, cut, names, wn):
    """Which of the 1,000 classes a Tiny-ImageNet name means: by lemma, among several the likeliest on its pictures."""
    offs, short = words.imagenet(wn)
    lemmas = [[x.lower() for x in wn.synsets[o][1]] + [s] for o, s in zip(offs, short)]
    c, (h, y) = np.load(cache / "classifier.npz"), pictures.features(cache, cut)["tiny", "train"]
    logits = torch.from_numpy(h @ c["w"].T + c["b"])
    p = logits.softmax(-1)
    out = []
    for i, n in enumerate(names):
        fit = [k for k in range(1000) if n in lemmas[k]]
        mean = p[torch.from_numpy(y) == i].mean(0)
        out.append(max(fit, key=lambda k: float(mean[k])))
    return torch.tensor(out)


def shake(x, noise):
    return x * (1 + noise * torch.randn(x.shape)) * torch.exp(0.5 * noise * torch.randn(len(x), 1))


def tune(pic, space, text, steps, held, land=None, seed=1, batch=384, lr=3e-4, noise=0.3):
    """P and p for standardised features, from the space's own; text: {"tiny": 200 x d, "cifar": 100 x d}."""
    torch.manual_seed(seed)
    p = torch.nn.Linear(pic.x.shape[1], len(space.rows))
    with torch.no_grad():
        p.weight.copy_(space.rows)
        p.bias.copy_(space.bias)
    scale = torch.nn.Parameter(torch.tensor(2.7))
    opt = torch.optim.AdamW([{"params": p.parameters()}, {"params": [scale], "lr": 1e-2}], weight_decay=0)
    for step in range(steps):
        opt.param_groups[0]["lr"] = lr * min(1, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / steps))
        i = torch.randint(0, len(pic.x), (batch,))
        f, k = unit(p((shake(pic.x[i], noise) - pic.mean) / pic.sd)), scale.exp()
        loss = 0
        for n, key in enumerate(("tiny", "cifar")):
            m = pic.set[i] == n
            own = k * f[m] @ text[key].T
            own[:, held[key]] = -1e4
            loss = loss + PICTURE_SHARE * F.cross_entropy(own, pic.y[i[m]])
        if land:
            i = torch.randint(0, len(land.x), (LAND_BATCH,))
            g = unit(p((shake(land.x[i], noise) - pic.mean) / pic.sd))
            loss = loss + LAND_SHARE * F.cross_entropy((k * g @ land.draw().T)[:, land.seen], (land.seen.cumsum(0) - 1)[land.y[i]])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(f"head {step}/{steps}: loss {loss:.3f}, scale {k.item():.1f}", flush=True)
    return p.requires_grad_(False)


class Head:
    """The whole formula, as the library computes it."""

    def __init__(self, w, b, weight, bias, names, mix, hidden=None):
        self.w, self.b, self.weight, self.bias, self.names, self.mix, self.hidden = w, b, weight, bias, names, mix, hidden

    def __call__(self, h):
        logits = h @ self.w.T + self.b
        if self.hidden is not None:
            logits = logits.masked_fill(self.hidden, -1e9)
        return unit(unit(logits.softmax(-1) @ self.names) + self.mix * unit(h @ self.weight.T + self.bias))


NONE = {k: torch.zeros(0, dtype=torch.long) for k in ("tiny", "cifar")}


def make(net, tok, pic, space, class_names, steps, land=None, held=NONE, mix=MIX):
    """A Head and the class features it was trained against; held: labels left out, to choose settings on."""
    text = {k: class_features(net, tok, v) for k, v in {"names": words.imagenet(words.WordNet())[1], **class_names}.items()}
    p = tune(pic, space, text, steps, held, land)
    weight = p.weight / pic.sd
    head = Head(pic.w, pic.b, weight, p.bias - weight @ pic.mean, text["names"].half().float(), mix, pic.hidden if pic.hidden.any() else None)
    return head, text


def best_scale(head, text, cache, choose):
    """ln of the scale with the least cross-entropy on the pictures kept for choosing."""
    logits = []
    for (key, _), (h, y) in pictures.features(cache, choose).items():
        logits.append((head(torch.from_numpy(h)) @ text[key].T, torch.from_numpy(y)))
    grid = torch.arange(2.0, 4.6, 0.05)
    loss = [sum(F.cross_entropy(s.exp() * z, y) for z, y in logits) for s in grid]
    return float(grid[int(torch.stack(loss).argmin())])


def train(net, tok, pic, space, folder, cache, choose, class_names, steps, land, lr):
    """choose: pictures a class to choose the scale on."""
    head, text = make(net, tok, pic, space, class_names, steps, land)
    scale = best_scale(head, text, cache, choose)
    save_file({"projection.weight": head.weight.half().contiguous(), "projection.bias": head.bias.contiguous(),
               "names.weight": head.names.half().contiguous(), "mix": torch.tensor(head.mix),
               "logit_scale": torch.tensor(scale)}, folder / "projection.safetensors")
    net.save(folder)
    config = json.loads((folder / "config.json").read_text())
    config["dtype"] = "float32"
    (folder / "config.json").unlink()
    (folder / "model.safetensors").rename(folder / "text.safetensors")
    (folder / "text_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    (folder / "mopd.json").write_text(json.dumps({"recommended_lr": lr}) + "\n")
    print(f"head: {len(head.weight)} dimensions, mix {head.mix}, scale {math.exp(scale):.1f}", flush=True)
