# SPDX-License-Identifier: MIT
"""The text tower: CLIP's text transformer, taught to put every text where space.Space wants it.

Texts are grouped by length, so no padding is computed, and the last block computes the last position only.
"""
import math
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

import land as land_words
from words import PLAIN, SATELLITE, TEMPLATES

WIDTH, INNER, LAYERS, HEADS, POSITIONS = 256, 512, 3, 4, 32
RATE = 2e-3


def config(vocab, dim):
    return CLIPTextConfig(vocab_size=vocab, hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS,
                          num_attention_heads=HEADS, max_position_embeddings=POSITIONS, projection_dim=dim,
                          hidden_act="quick_gelu", bos_token_id=vocab - 2, eos_token_id=vocab - 1, pad_token_id=vocab - 1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.q, self.kv, self.out = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        for m, s in ((self.q, 1), (self.kv, 1), (self.out, (2 * LAYERS)**-0.5), (self.up, 1), (self.down, (2 * LAYERS)**-0.5)):
            nn.init.normal_(m.weight, std=s * m.in_features**-0.5)
            nn.init.zeros_(m.bias)

    def forward(self, x, last):
        n, length, _ = x.shape
        h = self.n1(x)
        k, v = self.kv(h).view(n, length, 2, HEADS, -1).permute(2, 0, 3, 1, 4)
        if last:
            x, h = x[:, -1:], h[:, -1:]
        q = self.q(h).view(n, -1, HEADS, WIDTH // HEADS).transpose(1, 2)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=not last)
        x = x + self.out(a.transpose(1, 2).reshape(x.shape))
        u = self.up(self.n2(x))
        return x + self.down(u * torch.sigmoid(1.702 * u))


class Tower(nn.Module):
    def __init__(self, vocab, dim):
        super().__init__()
        self.vocab, self.dim = vocab, dim
        self.token, self.position = nn.Embedding(vocab, WIDTH), nn.Parameter(torch.randn(POSITIONS, WIDTH) * 0.01)
        nn.init.normal_(self.token.weight, std=0.03)
        self.blocks, self.final = nn.ModuleList(Block() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        self.project = nn.Linear(WIDTH, dim, bias=False)
        nn.init.normal_(self.project.weight, std=WIDTH**-0.5)

    def forward(self, ids):
        """ids: n x length, every row ends with the end token."""
        x = self.token(ids) + self.position[:ids.shape[1]]
        for i, b in enumerate(self.blocks):
            x = b(x, i == LAYERS - 1)
        return F.normalize(self.project(self.final(x[:, -1])).float(), dim=-1)

    def encode(self, rows):
        """Lists of ids of any length -> n x dim, in order."""
        out, by = torch.zeros(len(rows), self.dim), {}
        for i, r in enumerate(rows):
            by.setdefault(len(r), []).append(i)
        for ix in by.values():
            for j in range(0, len(ix), 512):
                part = ix[j:j + 512]
                out = out.index_put((torch.tensor(part),), self(torch.tensor([rows[i] for i in part])))
        return out

    def save(self, folder):
        """As transformers' CLIPTextModelWithProjection, half precision."""
        hf = CLIPTextModelWithProjection(config(self.vocab, self.dim))
        s = {"text_model.embeddings.token_embedding.weight": self.token.weight,
             "text_model.embeddings.position_embedding.weight": self.position,
             "text_model.final_layer_norm.weight": self.final.weight, "text_model.final_layer_norm.bias": self.final.bias,
             "text_projection.weight": self.project.weight}
        for i, b in enumerate(self.blocks):
            k, v = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
            k.weight, v.weight = (nn.Parameter(w) for w in b.kv.weight.detach().split(WIDTH))
            k.bias, v.bias = (nn.Parameter(w) for w in b.kv.bias.detach().split(WIDTH))
            for name, m in (("self_attn.q_proj", b.q), ("self_attn.k_proj", k), ("self_attn.v_proj", v), ("self_attn.out_proj", b.out),
                            ("layer_norm1", b.n1), ("layer_norm2", b.n2), ("mlp.fc1", b.up), ("mlp.fc2", b.down)):
                s[f"text_model.encoder.layers.{i}.{name}.weight"], s[f"text_model.encoder.layers.{i}.{name}.bias"] = m.weight, m.bias
        have, s = hf.state_dict(), {k: v.detach().clone() for k, v in s.items()}
        if not any(k.startswith("text_model.") for k in have):
            s = {k.removeprefix("text_model."): v for k, v in s.items()}
        missing = set(have) - set(s) - {k for k in have if k.endswith("position_ids")}
        assert not missing and not set(s) - set(have), (missing, set(s) - set(have))
        hf.load_state_dict(s, strict=False)
        hf.half().save_pretrained(folder)
        return hf


class Texts:
    """Draws texts (as token ids) with their targets; token lists are joined, never re-tokenised."""

    def __init__(self, tok, t, space, seed, held):
        self.t, self.space, self.rng, self.end = t, space, np.random.default_rng(seed), [len(tok) - 1]
        inner = lambda lines: [x[1:-1] for x in tok(lines)["input_ids"]]
        self.words, self.phrases = inner(t["words"]), inner(t["phrases"])
        cut = [x.split("{}") for x in ["{}"] + TEMPLATES + land_words.AERIAL]
        self.cut = list(zip([[len(tok) - 2] + x for x in inner([c[0] for c in cut])], inner([c[1] for c in cut])))
        self.plain = [i + 1 for i, x in enumerate(TEMPLATES) if x in PLAIN]
        self.above = [0] * 8 + [i + 1 for i, x in enumerate(TEMPLATES + land_words.AERIAL) if x in SATELLITE + land_words.AERIAL]
        self.links = dict(zip(("and", "or", "with"), inner(["and", "or", "with"])))
        self.offset = torch.cat([torch.zeros(1, t["offset"].shape[1]), t["offset"]])
        rest = np.arange(t["first"], t["count"])
        self.held = set(self.rng.choice(rest, held, replace=False).tolist())
        rest = rest[~np.isin(rest, list(self.held))]
        seen = np.array([t["pictured"][i] for i in rest])
        self.common, self.rest = rest[seen], rest[~seen]
        self.pairs = np.flatnonzero(~np.isin(t["pairs"][:, 1].numpy(), list(self.held)))
        self.kinds = 1 + len(TEMPLATES) + len(land_words.AERIAL)

    def word(self, n):
        """Class names, nouns of ImageNet's larger list, other nouns."""
        kind = self.rng.random(n)
        return np.where(kind < 0.2, self.rng.integers(0, self.t["first"], n), np.where(
            kind < 0.8, self.common[(self.rng.random(n)**1.2 * len(self.common)).astype(int)],
            self.rest[(self.rng.random(n)**1.5 * len(self.rest)).astype(int)]))

    def row(self, template, middle):
        a, b = self.cut[template]
        return (a + middle + b)[:POSITIONS - 1] + self.end

    def draw(self, n):
        """n rows and an n x dim target; kinds: name, known pair, template, phrase, two names, land,
        two kinds of land."""
        t, z = self.t, self.t["z"]
        kind = self.rng.choice(7, n, p=[0.42, 0.19, 0.19, 0.09, 0.05, 0.05, 0.01])
        w, w2 = self.word(n), self.word(n)
        for a in (w, w2):
            a[kind > 4] = self.rng.integers(t["count"], len(t["words"]), int((kind > 4).sum()))
        pair, phrase = self.rng.choice(self.pairs, n), (self.rng.random(n)**1.3 * len(self.phrases)).astype(int)
        template = np.where(self.rng.random(n) < 0.5, self.rng.choice(self.plain, n), self.rng.integers(1, self.kinds, n))
        template[kind > 4] = self.rng.choice(self.above + self.plain[:3], int((kind > 4).sum()))
        bare, link = self.rng.random(n) < 0.5, self.rng.choice(list(self.links), n)
        rows, place, extra = [], z[w].clone(), torch.zeros(n, z.shape[1])
        for i, k in enumerate(kind):
            if k == 0:
                rows.append(self.row(0, self.words[w[i]]))
            elif k == 1:
                tpl, word = t["pairs"][pair[i]].tolist()
                rows.append(self.row(tpl + 1, self.words[word]))
                place[i], extra[i] = z[word], t["delta"][pair[i]]
            elif k in (2, 5):
                rows.append(self.row(template[i], self.words[w[i]]))
                extra[i] = self.offset[template[i]]
            elif k == 3:
                tpl = 0 if bare[i] else template[i]
                rows.append(self.row(tpl, self.phrases[phrase[i]]))
                place[i], extra[i] = t["phrase"][phrase[i]], self.offset[tpl]
            else:
                tpl = template[i] if k == 6 else 0
                rows.append(self.row(tpl, self.words[w[i]] + self.links[link[i]] + self.words[w2[i]]))
                place[i], extra[i] = F.normalize(z[w[i]] + z[w2[i]], dim=0), self.offset[tpl]
        return rows, self.space(F.normalize(place + extra, dim=-1))

    def batches(self, size, pool=12288):
        """Endless batches of equal length; what does not fill one waits for the next pool."""
        wait = {}
        while True:
            rows, z = self.draw(pool)
            ready = []
            for r, y in zip(rows, z):
                rs, ys = wait.setdefault(len(r), ([], []))
                rs.append(r), ys.append(y.clone())      # a view would keep its whole pool
                if len(rs) == size:
                    ready.append((torch.tensor(rs), torch.stack(ys)))
                    wait[len(r)] = ([], [])
            for i in self.rng.permutation(len(ready)):
                yield ready[i]


def loss_of(y, z, temperature=0.05):
    """Cosine, and the same neighbours within the batch."""
    cos = (y * z).sum(-1).mean()
    with torch.no_grad():
        q = (z @ z.T / temperature).softmax(-1)
        entropy = (q * q.clamp_min(1e-9).log()).sum(-1).mean()
    kl = entropy - (q * (y @ z.T / temperature).log_softmax(-1)).sum(-1).mean()
    return 4 * (1 - cos) + 0.5 * kl, cos


@torch.inference_mode()
def check(net, texts):
    """Cosine and nearest-name accuracy: words never trained on, class names, trained nouns."""
    out = []
    for title, ix in (("held out", sorted(texts.held)[:400]), ("classes", list(range(400))), ("nouns", texts.common[::50][:400].tolist())):
        z = texts.space(texts.t["z"][ix])
        s = net.encode([texts.row(0, texts.words[i]) for i in ix]) @ z.T
        out.append(f"{title} {s.diag().mean():.3f} {100 * (s.argmax(1) == torch.arange(len(ix))).float().mean():.0f}%")
    return ", ".join(out)


def train(tok, t, space, folder, steps, seed=1, held=400):
    """Writes folder/tower.pt; every 500 steps what is needed to go on is kept, and a run that goes on draws the same texts."""
    torch.manual_seed(seed)
    net, texts = Tower(len(tok), len(space.rows)), Texts(tok, t, space, seed, held)
    learn(net, texts, folder / "tower.part", steps)
    print(f"text: {sum(p.numel() for p in net.parameters())} parameters; {check(net, texts)}", flush=True)
    keep(net.state_dict(), folder / "tower.pt")
    (folder / "tower.part").unlink(missing_ok=True)
    return net


def keep(what, path):
    """Whole or not at all."""
    torch.save(what, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def learn(net, texts, part, steps, batch=256, lr=RATE):
    decay, plain = [p for p in net.parameters() if p.ndim > 1], [p for p in net.parameters() if p.ndim < 2]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0}], lr=lr, betas=(0.9, 0.98),
                            fused=True)
    done, start = 0, time.time()
    if part.exists():
        kept = torch.load(part)
        net.load_state_dict(kept["net"])
        opt.load_state_dict(kept["opt"])
        done = kept["done"]
        print(f"text: goes on at {done}", flush=True)
    for step, (ids, z) in zip(range(steps), texts.batches(batch)):
        if step < done:
            continue
        rate = lr * min(1, (step + 1) / 60) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-5
        for g in opt.param_groups:
            g["lr"] = rate
        loss, cos = loss_of(net(ids), z)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        if step % 100 == 0:
            print(f"text {step}/{steps}: loss {loss:.3f}, cosine {cos:.3f}, {time.time() - start:.0f} s", flush=True)
        if step % 500 == 499:
            print("  " + check(net, texts), flush=True)
            keep({"net": net.state_dict(), "opt": opt.state_dict(), "done": step + 1}, part)
