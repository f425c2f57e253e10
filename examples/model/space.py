# SPDX-License-Identifier: MIT
"""The joint space is the space of pictures: the locked tower's features, whitened.  Words come to it by kernel ridge regression.

    picture(h) = V' (h - mean) / sd           V: the 512 widest directions of the standardised features, each to the same width
    text(z)    = unit(sum_i exp(-2 GAMMA (1 - <z, z_i>)) a_i)

z_i are the places (words.targets) of names whose pictures are known, and a solves (K + LAMBDA / weight) a = y - centre: y_i is
where the pictures of that name lie, or the locked tower's own row for it.  To map meaning to looks, and not looks to meaning,
is what makes names that nobody had pictures of work: no text becomes everybody's nearest neighbour.
"""
import torch

import aerial
import words
from words import unit

DIM, GAMMA, LAMBDA = 512, 2.0, 1.0
DRAWN, LAND = 0.2, 1.0                       # what a drawn name weighs, and one of land


class Space:
    """pic: head.Pictures; t: words.targets; names: {"tiny": names, "cifar": names}; held: {set: labels} left out;
    land: (features, kinds) or None; drawn: (features, [words of each]) or None."""

    def __init__(self, pic, t, names, held, land=None, drawn=None):
        self.index = {}
        for i, w in enumerate(t["words"]):
            self.index.setdefault(w, i)
        self.z = t["z"]
        x = (pic.x - pic.mean) / pic.sd
        values, vectors = torch.linalg.eigh((x.T @ x / len(x)).double())
        values, vectors = values[-DIM:], vectors[:, -DIM:]
        self.rows = (vectors / values.sqrt()).T.float()                     # V', DIM x 1280
        self.mean, self.sd = pic.mean, pic.sd
        points = [self.classifier(pic, (vectors * values.sqrt()).float()), self.pictures(pic, names, held)]
        if drawn:
            points.append(self.drawn(*drawn))
        if land:
            points.append(self.land(*land, t["offset"][12:24].mean(0)))
        y, self.anchors, weight = (torch.cat(c) for c in zip(*points))
        centre = (weight[:, None] * y).sum(0) / weight.sum()
        self.bias = -centre * self.whiten(pic.x).norm(dim=1).mean()
        k = self.kernel(self.anchors) + LAMBDA * torch.diag(1 / weight)
        self.a = torch.linalg.solve(k, y - centre)
        print(f"space: {len(self.anchors)} names with pictures", flush=True)

    def whiten(self, h):
        return ((h - self.mean) / self.sd) @ self.rows.T

    def kernel(self, z):
        return torch.exp(-2 * GAMMA * (1 - z @ self.anchors.T))

    def __call__(self, z):
        """Places of texts (n x 384, unit) -> the joint space (n x DIM, unit)."""
        return unit(self.kernel(z) @ self.a)

    def at(self, lines):
        return self.z[[self.index[w] for w in lines]]

    def classifier(self, pic, back):
        """The 1,000 classes: the classifier's rows, and the pictures' mean by the locked tower's probabilities."""
        seen, z, f = ~pic.hidden, self.at(words.imagenet(words.WordNet())[1]), unit(self.whiten(pic.x))
        row = unit(((pic.w - pic.w[seen].mean(0)) * pic.sd) @ back)
        often = seen & (pic.p.sum(0) > 3)
        mean = unit(pic.p.T @ f)
        return torch.cat([row[seen], mean[often]]), torch.cat([z[seen], z[often]]), torch.ones(int(seen.sum() + often.sum()))

    def pictures(self, pic, names, held):
        f, y, z = unit(self.whiten(pic.x)), [], []
        for n, key in enumerate(names):
            for c in sorted(set(range(len(names[key]))) - set(held[key].tolist())):
                y.append(f[(pic.set == n) & (pic.y == c)].mean(0))
                z.append(self.at([names[key][c]])[0])
        return unit(torch.stack(y)), torch.stack(z), torch.ones(len(y))

    def drawn(self, h, lines):
        """A drawing counts for each of its words, for rare ones more; drawings are centred by themselves."""
        known = sorted({w for line in lines for w in line})
        place = {w: i for i, w in enumerate(known)}
        y = torch.zeros(len(lines), len(known))
        for i, line in enumerate(lines):
            y[i, [place[w] for w in line]] = 1
        count = y.sum(0)
        y = y / count.sqrt()
        y = y / y.sum(1, keepdim=True)
        f = unit(self.whiten(h))
        return unit(y.T @ unit(f - f.mean(0))), self.at(known), DRAWN * count / (count + 2)

    def land(self, h, kind, offset):
        """A kind's pictures stand for each of its names, said as the satellite templates say it."""
        f, y, z, weight = unit(self.whiten(h)), [], [], []
        for i, (lines, _, _) in enumerate(aerial.KINDS.values()):
            if (kind == i).any():
                y += [unit(f[kind == i].mean(0))] * len(lines)
                z.append(unit(self.at(lines) + offset))
                weight += [LAND / len(lines)**0.5] * len(lines)
        return torch.stack(y), torch.cat(z), torch.tensor(weight)
