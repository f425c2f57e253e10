# SPDX-License-Identifier: MIT
"""Vocabularies in CLIP's layout: 256 bytes, 256 bytes with </w>, merges, start, end."""
import gzip
import json
import os

SMALL = ["p h", "ph o", "pho t", "phot o</w>", "o f</w>", "c a", "ca t</w>", "d o", "do g</w>", "t h", "th e</w>"]


def openai_merges():
    """The merges of OpenAI's 49,408 tokens, from open_clip's copy."""
    import open_clip
    path = os.path.join(os.path.dirname(open_clip.__file__), "bpe_simple_vocab_16e6.txt.gz")
    return gzip.open(path).read().decode().split("\n")[1:49152 - 256 - 2 + 1]


def words(merges):
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(b) for b in keep] + [chr(256 + i) for i in range(256 - len(keep))]
    made = letters + [x + "</w>" for x in letters] + [m.replace(" ", "") for m in merges]
    return made + ["<|startoftext|>", "<|endoftext|>"]


def write(folder, merges, length=None):
    """vocab.json, merges.txt, tokenizer_config.json."""
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as f:
        json.dump({w: i for i, w in enumerate(words(merges))}, f, ensure_ascii=False)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "\n".join(merges) + "\n")
    config = {"tokenizer_class": "CLIPTokenizer", "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
              "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as f:
        json.dump(config | ({"model_max_length": length} if length else {}), f)
