# SPDX-License-Identifier: MIT
"""Golden numbers for tests/train/test_gda.c: the GDA baseline of arXiv 2402.04087 written out plainly in NumPy float64.

    python tests/gold/gda.py > tests/gold/gda/gda.h

Features come from the test's own generator (test_random), so that only results are stored."""
import numpy as np

D, C, N, SCALE = 5, 3, 24, 20.0


def test_random(n, seed):
    mask = (1 << 64) - 1
    s = (seed * 0x9E3779B97F4A7C15 + 1) & mask
    out = np.empty(n, np.float32)
    for i in range(n):
        s = (s * 6364136223846793005 + 1442695040888963407) & mask
        out[i] = np.float32(s >> 40) / np.float32(8388608) - np.float32(1)
    return out


def unit(x):
    return (x / np.sqrt((x.astype(np.float64) ** 2).sum(1, keepdims=True))).astype(np.float32)


def precision(cov, n):
    return D * np.linalg.pinv((n - 1) * cov + np.trace(cov) * np.eye(D))


def head(mu, p):
    return mu @ p, -np.log(len(mu)) - 0.5 * np.einsum("nd,de,ne->n", mu, p, mu)


def main():
    centres = test_random(C * D, 1).reshape(C, D)
    labels = np.arange(N) % C
    x = unit(centres[labels] + np.float32(0.5) * test_random(N * D, 2).reshape(N, D)).astype(np.float64)
    text = unit(test_random(C * D, 3).reshape(C, D)).astype(np.float64)
    new_text = unit(test_random(2 * D, 4).reshape(2, D)).astype(np.float64)
    probe = unit(test_random(4 * D, 5).reshape(4, D)).astype(np.float64)
    alpha = 0.3
    mu = np.stack([x[labels == c].mean(0) for c in range(C)])
    centred = np.concatenate([x[labels == c] - mu[c] for c in range(C)])
    p = precision(np.cov(centred.T), N)
    w, b = head(mu, p)
    known = SCALE * probe @ text.T + alpha * (probe @ w.T + b)

    def meet(t):
        order = np.argsort(-(x @ t), kind="stable")[:64]
        near = x[order]
        cov = (near - t).T @ (near - t) / (len(near) - 1)
        return (near.sum(0) + 16 * t) / (len(near) + 16), precision(cov, len(near))

    met = [meet(t) for t in new_text]
    new_mu = np.stack([m for m, _ in met])
    w, b = head(new_mu, np.mean([q for _, q in met], 0))
    new = SCALE * probe @ new_text.T + alpha * (probe @ w.T + b)
    w, b = head(np.concatenate([mu, new_mu]), p)
    mixed = SCALE * probe @ np.concatenate([text, new_text]).T + alpha * (probe @ w.T + b)
    print("/* SPDX-License-Identifier: MIT\n * gda.h - made by tests/gold/gda.py. */")
    for name, logits in (("known", known), ("new", new), ("mixed", mixed)):
        rows = ",\n    ".join(", ".join(f"{v:.9g}f" if "." in f"{v:.9g}" else f"{v:.9g}.0f" for v in row) for row in logits)
        print(f"static const float gold_{name}[] = {{\n    {rows}}};")


main()
