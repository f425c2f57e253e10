# SPDX-License-Identifier: MIT
"""Prompt learning on a finished model: zero-shot, CoOp and MoPD, base to new classes.

  python examples/model/prompt.py --data DIR --out DIR --set caltech [--lr R] [--seeds 3]

The first half of the classes is learned from 16 pictures each, the other half is only tested.  Features are the plain
test-time pictures', encoded once; SGD with momentum 0.9, weight decay 5e-4, batch 128, cosine after one warm-up epoch.
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import pictures
import words
from evaluate import Model
from words import unit

POOL = {"eurosat": words.SATELLITE, "flowers": words.FLOWER}


class Student:
    """The text tower on "a photo of a {class}." with positions 1 to 4 given; gradient to these alone."""

    def __init__(self, text, tok, classes):
        self.t, self.p = getattr(text, "text_model", text), text.text_projection
        ids = [tok(f"a photo of a {c}.")["input_ids"] for c in classes]
        longest = max(map(len, ids))
        self.end = torch.tensor([len(i) - 1 for i in ids])
        self.ids = torch.tensor([i + [i[-1]] * (longest - len(i)) for i in ids])
        with torch.no_grad():
            self.emb = self.t.embeddings.token_embedding(self.ids)
            self.pos = self.t.embeddings.position_embedding.weight[:longest]

    def start(self):
        return self.emb[0, 1:5].clone()

    def __call__(self, v):
        x = torch.cat([self.emb[:, :1], v.expand(len(self.emb), -1, -1), self.emb[:, 5:]], 1) + self.pos
        n, length, width = x.shape
        for layer in self.t.encoder.layers:
            a, h = layer.self_attn, layer.layer_norm1(x)
            q, k, u = (m(h).view(n, length, a.num_heads, -1).transpose(1, 2) for m in (a.q_proj, a.k_proj, a.v_proj))
            o = F.scaled_dot_product_attention(q, k, u, is_causal=True)
            x = x + a.out_proj(o.transpose(1, 2).reshape(n, length, width))
            x = x + layer.mlp(layer.layer_norm2(x))
        return unit(self.p(self.t.final_layer_norm(x[torch.arange(n), self.end])))


def learn(student, teachers, f, y, scale, o, seed):
    """CoOp without teachers, MoPD with them (M x C x D); returns the four context vectors."""
    torch.manual_seed(seed)
    v = student.start().requires_grad_()
    gate = torch.zeros(f.shape[1], 12, requires_grad=True)
    opt = torch.optim.SGD([v] if teachers is None else [v, gate], lr=o.lr, momentum=0.9, weight_decay=5e-4)
    n, size = len(f), min(128, len(f))
    for e in range(o.epochs):
        for g in opt.param_groups:
            g["lr"] = o.lr / 200 if e == 0 else o.lr / 2 * (1 + math.cos(math.pi * (e - 1) / o.epochs))
        for ix in torch.randperm(n)[:n // size * size].split(size):
            z = scale * f[ix] @ student(v).T
            loss = F.cross_entropy(z, y[ix])
            if teachers is not None:
                score, kept = (f[ix] @ gate).topk(o.k, 1)
                alpha = score.softmax(1)
                u = scale * torch.einsum("bd,mcd->bmc", f[ix], teachers)[torch.arange(len(ix))[:, None], kept]
                logp = u.log_softmax(-1)
                kl = (logp.exp() * (logp - z.log_softmax(-1)[:, None])).sum(-1)
                ce = -logp.gather(2, y[ix][:, None, None].expand(-1, o.k, 1))[..., 0]
                loss = o.w * loss + (1 - o.w) * (alpha * kl).sum(1).mean() + o.w2 * (alpha * ce).sum(1).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
    return v.detach()


def run(model, names, base, new, train, test, pool, o):
    """Prints base, new and H of the three methods; train, test: (features, labels)."""
    students = [Student(model.text, model.tok, [names[c] for c in half]) for half in (base, new)]
    (f, y), (ft, yt) = train, test
    place = {int(c): i for half in (base, new) for i, c in enumerate(half)}
    halves = [torch.isin(yt, torch.tensor(half)) for half in (base, new)]
    marks = [torch.tensor([place[int(c)] for c in yt[h]]) for h in halves]

    @torch.no_grad()
    def score(texts):
        b, n = (100 * ((ft[h] @ t.T).argmax(1) == m).float().mean().item() for t, h, m in zip(texts, halves, marks))
        return np.array([b, n, 2 * b * n / max(b + n, 1e-9)])

    zero = score([s(s.start()) for s in students])
    print(f"zero-shot, a photo of a: base {zero[0]:.1f} new {zero[1]:.1f} H {zero[2]:.1f}")
    mean = score([model.classes([names[c] for c in half], pool) for half in (base, new)])
    print(f"zero-shot, template mean: base {mean[0]:.1f} new {mean[1]:.1f} H {mean[2]:.1f}", flush=True)
    teachers = torch.stack([model.texts([t.format(names[c]) for c in base]) for t in pool]).clone()
    out = {}
    for method in o.methods.split(","):
        rows = []
        for seed in range(1, o.seeds + 1):
            r = np.random.default_rng(seed)
            ix = torch.from_numpy(np.concatenate([r.permutation(np.flatnonzero(y.numpy() == c))[:16] for c in base]))
            lab = torch.tensor([place[int(c)] for c in y[ix]])
            v = learn(students[0], teachers if method == "mopd" else None, f[ix], lab, model.scale, o, seed)
            rows.append(score([s(v) for s in students]))
        out[method] = np.array(rows)
        m, s = out[method].mean(0), out[method].std(0)
        print(f"{method} lr {o.lr}: base {m[0]:.1f} ({s[0]:.1f}) new {m[1]:.1f} ({s[1]:.1f}) H {m[2]:.1f} ({s[2]:.1f}); "
              f"each H {', '.join(f'{x:.2f}' for x in out[method][:, 2])}", flush=True)
    return zero, out


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, kind, default in (("--data", Path, None), ("--out", Path, None), ("--model", Path, None), ("--set", str, "caltech"),
                                ("--lr", float, 0), ("--epochs", int, 50), ("--seeds", int, 3), ("--w", float, 0.8),
                                ("--w2", float, 0.1), ("--k", int, 3), ("--threads", int, 2), ("--methods", str, "coop,mopd")):
        a.add_argument(flag, type=kind, default=default)
    o = a.parse_args()
    torch.set_num_threads(o.threads)
    folder = o.model or o.out / "model"
    o.lr = o.lr or json.loads((folder / "mopd.json").read_text())["recommended_lr"]
    model = Model(folder, o.out / "features")
    got = {s: (model.image(torch.from_numpy(h)), torch.from_numpy(y)) for (_, s), (h, y) in pictures.features(
        o.out / "features", {k: n for k, n in pictures.EXAM.items() if k[0] == o.set}).items()}
    names = pictures.class_names(o.data, o.set)
    half = (len(names) + 1) // 2
    run(model, names, list(range(half)), list(range(half, len(names))), got["train"], got["test"],
        POOL.get(o.set, words.PLAIN[:12]), o)


if __name__ == "__main__":
    main()
