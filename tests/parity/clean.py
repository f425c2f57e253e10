#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Token ids of OpenAI's checkpoints and of open_clip's folders against the tokenizers that their users have.

    clean.py --lib build/libmopd.so [--n 20000] [--seed 1]

Needs open_clip_torch (its SimpleTokenizer is OpenAI's but for the two special tokens) and ftfy.  ftfy guesses at text
that was decoded wrongly, which libmopd does not: the reference is asked with and without its guesses; without them every
id must be the same, with them the differing texts are counted."""
import argparse
import functools
import html
import html.entities
import json
import os
import random
import shutil
import sys
import tempfile

import ftfy
import numpy as np
import open_clip
import open_clip.tokenizer
import regex
import tokens
import torch
import towers
from safetensors.torch import save_file

NAMES = sorted(html.entities.html5)
CURLY = ["men\u2019s shoes", "\u201cquoted\u201d", "\u2018a\u2019", "rock \u2019n\u2019 roll", "\u02bcn", "\u201a\u201b\u201e\u201f"]
ODD = CURLY + ["\ufb01ne \ufb02at o\ufb03ce \ufb06op", "\uff23\uff21\uff34\u3000\uff11", "\uff76\uff9e", "\uffe3", "a\r\nb\rc\u2028d\u2029e\x85f",
               "\x1b[1;31mred\x1b[0m", "\x1b[31", "a\x00b\x07c\x7f", "\ufeffbom", "e\u0301", "\u0391\u03a3 \u0391\u03a3\u0391 \u03a3 a\u03a3.", "\u0130stanbul", "'\u017f 'S don'T",
               "<start_of_text> a <end_of_text>", "<|startoftext|> a <|endoftext|>", "<START_OF_TEXT>", "&lt;b&gt; <b>&eacute;", "&amp;amp;amp;lt;",
               "&#0; &#1; &#128; &#x110000; &#xd800; &#59; &#12abc; &#x; &# &", "P&EACUTE;REZ BUNDESSTRA&SZLIG;E &AMP &COPYX", "&notit; &not &notin;", "\x80\x93\x9f"]


def text(r):
    """Words with what cleaning changes between them."""
    out = []
    for _ in range(r.randint(1, 8)):
        kind = r.random()
        if kind < 0.3:
            out.append(r.choice(tokens.WORDS))
        elif kind < 0.45:
            out.append(r.choice(ODD))
        elif kind < 0.6:
            name = r.choice(NAMES)
            out.append("&" + (name if r.random() < 0.7 else name.upper()) + r.choice(("", ";", "x", "=")))
        elif kind < 0.7:
            out.append("&#%s%s" % (r.choice(("%d", "x%x", "X%X")) % number(r), r.choice((";", "", "g"))))
        elif kind < 0.8:
            out.append("".join(chr(r.randrange(0xFF00, 0xFFF0)) for _ in range(r.randint(1, 4))))
        elif kind < 0.9:
            out.append("".join(chr(r.choice((r.randrange(1, 0x250), r.randrange(0x2000, 0x2070), r.randrange(0xFB00, 0xFB07), r.randrange(0x391, 0x3CA)))) for _ in range(r.randint(1, 6))))
        else:
            out.append(tokens.text(r))
        out.append(r.choice((" ", " ", "", "\n", "\t", "\u2019", "&amp;", ";")))
    return "".join(out)


def number(r):
    """Of a character that Unicode has, or of none."""
    c = r.choice((r.randrange(0x300), r.randrange(0x30000), r.randrange(0xD800, 0xE000), r.randrange(0x110000, 0x130000)))
    return c if c > 0x10FFFF or 0xD800 <= c < 0xE000 or known(chr(c)) else 0xE9


def known(c):
    """Characters that this Python's Unicode has: newer ones have other properties there."""
    import unicodedata
    return unicodedata.category(c) != "Cn"


def references():
    """By layout, the tokenizer of its users, without and with guesses."""
    own = open_clip.tokenizer.SimpleTokenizer()
    openai = open_clip.tokenizer.SimpleTokenizer()
    special = ["<|startoftext|>", "<|endoftext|>"]
    openai.encoder.update(zip(special, (49406, 49407)))
    openai.cache = {t: t for t in special}
    openai.pat = regex.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE)
    return {"openai": openai, "open_clip": own}


def models(work):
    """A checkpoint and a folder with OpenAI's vocabulary, small otherwise."""
    config = open_clip.get_model_config("ViT-B-32")
    config["vision_cfg"].update(width=64, layers=1)
    config["text_cfg"].update(width=64, heads=1, layers=1)
    model = open_clip.CLIP(**config)
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    folder = os.path.join(work, "open_clip")
    os.makedirs(folder)
    save_file(state, os.path.join(folder, "open_clip_model.safetensors"))
    with open(os.path.join(folder, "open_clip_config.json"), "w") as f:
        json.dump({"model_cfg": config, "preprocess_cfg": {}}, f)
    vocabulary = os.path.join(os.path.dirname(open_clip.tokenizer.__file__), "bpe_simple_vocab_16e6.txt.gz")
    for place in (folder, work):
        shutil.copy(vocabulary, os.path.join(place, "bpe_simple_vocab_16e6.txt.gz"))
    torch.jit.script(towers.holder(state, config)).save(os.path.join(work, "model.pt"))
    return {"openai": os.path.join(work, "model.pt"), "open_clip": folder}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--n", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    towers.load_library(args.lib)
    r = random.Random(args.seed)
    texts = ODD + ["&%s" % n for n in NAMES] + ["&%s;" % n.upper().rstrip(";") for n in NAMES] + [text(r) for _ in range(args.n)]
    texts = ["".join(c for c in t if known(c) and c != "\0") for t in texts]
    guessing, failed = ftfy.fix_text, 0
    plain = functools.partial(ftfy.fix_text, fix_encoding=False)
    with tempfile.TemporaryDirectory() as work:
        paths = models(work)
        for name, reference in references().items():
            encoder = towers.Encoder(paths[name])
            guessed = bad = 0
            for t in texts:
                ours = encoder.ids(t) if t else [49406, 49407]
                ftfy.fix_text = plain
                want = [49406] + reference.encode(t) + [49407]
                ftfy.fix_text = guessing
                guessed += want != [49406] + reference.encode(t) + [49407]
                if len(want) > 77:          # cut by both; the library refuses or keeps the end
                    want = want[:76] + [49407]
                if ours != want:
                    bad += 1
                    if bad < 12:
                        print("FAIL", name, ascii(t)[:150], ours[:12], want[:12])
            encoder.close()
            failed += bad
            print(f"{'ok  ' if not bad else 'FAIL'} {name}: {len(texts)} texts, {bad} differ; ftfy's guesses change {guessed} of them")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
