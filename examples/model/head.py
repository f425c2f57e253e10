# SPDX-License-Identifier: MIT
"""The image head: a projection of the locked tower's features into the text space, and the file the library reads.

    feature = unit(unit(softmax(W h + b) names) + mix * unit(P h + p))

P is trained on real pictures against the text features of the 1,000 classes the locked tower knows (its own
probabilities are the targets) and of the pictures' own classes.  The last `extra` rows of P are no text's business:
they keep what the others throw away, for learning from a few pictures.
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

MIX, EXTRA, SHARE = 5.0, 256, 1.0
LAND_BATCH, LAND_SHARE = 128, 0.5        # pictures of land a step, and what they count


def unit(a):
    return F.normalize(a, dim=-1)


@torch.no_grad()
def class_features(net, tok, names, templates=words.PLAIN):
    """unit(mean over templates of unit text features), classes x dim."""
    f = [net.encode(tok([t.format(n) for n in names])["input_ids"]) for t in templates]
    return unit(torch.stack(f).mean(0))


class Land:
    """Features of land from above, their kinds, and the text features of every kind's names."""

    def __init__(self, net, tok, cache, count, some):
        d = np.load(cache / f"aerial-{count}.npz")
        keep = ~d["held"] if some else slice(None)
        self.x, self.y = torch.from_numpy(d["h"].astype(np.float32))[keep], torch.from_numpy(d["y"])[keep]
        self.text = [class_features(net, tok, names, words.SATELLITE) for names, _, _ in aerial.KINDS.values()]
        self.seen = torch.isin(torch.arange(len(self.text)), self.y)

    def draw(self):
        """One name of every kind: kinds x dim."""
        return torch.stack([t[int(torch.randint(0, len(t), (1,)))] for t in self.text])


class Pictures:
    """Training features with the locked tower's probabilities and the pictures' own classes, some classes left out."""

    def __init__(self, cache, cut, rows, held):
        c = np.load(cache / "classifier.npz")
        self.w, self.b = torch.from_numpy(c["w"]), torch.from_numpy(c["b"])
        self.hidden = torch.zeros(1000, dtype=torch.bool)
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


def fit(pic, text, steps, held, land=None, seed=1, batch=384, lr=2e-3, decay=0.5, noise=0.3, hard=0.5):
    """P and p for standardised features; text: {"names": 1000 x d, "tiny": 200 x d, "cifar": 100 x d}."""
    torch.manual_seed(seed)
    names, seen = text["names"], ~pic.hidden
    p = torch.nn.Linear(pic.x.shape[1], names.shape[1])
    with torch.no_grad():                                   # the classifier's rows, said in the space of their names
        rows = (pic.w - pic.w.mean(0))[seen]
        start = names[seen].T @ rows * pic.sd
        p.weight.copy_(start / start.norm(dim=1).mean() * 0.5)
        p.bias.zero_()
    scale = torch.nn.Parameter(torch.tensor(3.0))
    opt = torch.optim.AdamW([{"params": p.parameters(), "weight_decay": decay}, {"params": [scale], "weight_decay": 0}])
    for step in range(steps):
        for g in opt.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 30) * 0.5 * (1 + math.cos(math.pi * step / steps))
        i = torch.randint(0, len(pic.x), (batch,))
        f, k = unit(p((shake(pic.x[i], noise) - pic.mean) / pic.sd)), scale.exp()
        known = (k * f @ names.T).masked_fill(pic.hidden, -1e4)
        loss = -(pic.p[i] * known.log_softmax(-1)).sum(-1).mean()
        for n, key in enumerate(("tiny", "cifar")):
            m = pic.set[i] == n
            own = k * f[m] @ text[key].T
            own[:, held[key]] = -1e4
            loss = loss + hard * F.cross_entropy(own, pic.y[i[m]])
        if land:
            i = torch.randint(0, len(land.x), (LAND_BATCH,))
            g = unit(p((shake(land.x[i], noise) - pic.mean) / pic.sd))
            loss = loss + LAND_SHARE * F.cross_entropy((k * g @ land.draw().T)[:, land.seen], (land.seen.cumsum(0) - 1)[land.y[i]])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(f"head {step}/{steps}: loss {loss:.3f}, scale {k:.1f}", flush=True)
    return p.requires_grad_(False)


def keep_rest(pic, p, extra, share):
    """P with `extra` more rows: the widest directions P does not see, `share` of the length of the others."""
    if not extra:
        return p.weight, p.bias
    x = (pic.x - pic.mean) / pic.sd
    q, _ = torch.linalg.qr(p.weight.T)
    rest = x - (x @ q) @ q.T
    _, vectors = torch.linalg.eigh((rest.T @ rest / len(rest)).double())
    rows = vectors[:, -extra:].float().T
    rows = rows * share * p(x).norm(dim=1).mean() / (rest @ rows.T).norm(dim=1).mean()
    return torch.cat([p.weight, rows]), torch.cat([p.bias, torch.zeros(extra)])


def wide(t, extra):
    return F.pad(t, (0, extra))


class Head:
    """The whole formula, as the library computes it."""

    def __init__(self, w, b, weight, bias, names, mix, hidden=None):
        self.w, self.b, self.weight, self.bias, self.names, self.mix, self.hidden = w, b, weight, bias, names, mix, hidden

    def __call__(self, h):
        logits = h @ self.w.T + self.b
        if self.hidden is not None:
            logits = logits.masked_fill(self.hidden, -1e9)
        return unit(unit(logits.softmax(-1) @ self.names) + self.mix * unit(h @ self.weight.T + self.bias))


def make(net, tok, cache, cut, class_names, steps, count=0, held=None, extra=EXTRA, share=SHARE, mix=MIX):
    """A Head and the class features it was trained against; count: pictures of land a kind; held: {"tiny": labels,
    "cifar": labels} left out, and the land that is to choose on with them."""
    land = Land(net, tok, cache, count, bool(held)) if count else None
    held = held or {k: torch.zeros(0, dtype=torch.long) for k in ("tiny", "cifar")}
    wn = words.WordNet()
    text = {k: class_features(net, tok, v) for k, v in {"names": words.imagenet(wn)[1], **class_names}.items()}
    pic = Pictures(cache, cut, class_rows(cache, cut, class_names["tiny"], wn), held)
    p = fit(pic, text, steps, held, land)
    weight, bias = keep_rest(pic, p, extra, share)
    weight = weight / pic.sd
    head = Head(pic.w, pic.b, weight, bias - weight @ pic.mean, wide(text["names"], extra).half().float(), mix,
                pic.hidden if pic.hidden.any() else None)
    return head, {k: wide(v, extra) for k, v in text.items()}


def best_scale(head, text, cache, choose):
    """ln of the scale with the least cross-entropy on the pictures kept for choosing."""
    logits = []
    for (key, _), (h, y) in pictures.features(cache, choose).items():
        logits.append((head(torch.from_numpy(h)) @ text[key].T, torch.from_numpy(y)))
    grid = torch.arange(2.0, 4.6, 0.05)
    loss = [sum(F.cross_entropy(s.exp() * z, y) for z, y in logits) for s in grid]
    return float(grid[int(torch.stack(loss).argmin())])


def train(net, tok, out, folder, cut, class_names, steps, count, lr):
    """cut: pictures a class to train on, and to choose the scale on."""
    head, text = make(net, tok, out / "features", cut[0], class_names, steps, count)
    extra = head.weight.shape[0] - net.dim
    scale = best_scale(head, text, out / "features", cut[1])
    save_file({"projection.weight": head.weight.half().contiguous(), "projection.bias": head.bias.contiguous(),
               "names.weight": head.names.half().contiguous(), "mix": torch.tensor(head.mix),
               "logit_scale": torch.tensor(scale)}, folder / "projection.safetensors")
    net.save(folder, extra)
    config = json.loads((folder / "config.json").read_text())
    config["dtype"] = "float32"
    (folder / "config.json").unlink()
    (folder / "model.safetensors").rename(folder / "text.safetensors")
    (folder / "text_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    (folder / "mopd.json").write_text(json.dumps({"recommended_lr": lr}) + "\n")
    print(f"head: {head.weight.shape[0]} dimensions, mix {head.mix}, scale {math.exp(scale):.1f}", flush=True)
