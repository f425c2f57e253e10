# SPDX-License-Identifier: MIT
"""A byte-level BPE vocabulary in CLIP's layout: 256 bytes, 256 bytes + </w>, merges, start, end.

The two specials are the last ids, so 'largest id' and 'first end token' find the same position.
"""
import json

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

SPLIT = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def byte_letters():
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    code = {b: b for b in plain}
    for b in range(256):
        code.setdefault(b, 256 + len(code) - len(plain))
    return [chr(code[b]) for b in plain + [b for b in range(256) if b not in plain]]


def build(lines, size, out):
    t = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=size, end_of_word_suffix="</w>", min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    letters = byte_letters()
    tokens, merges = letters + [c + "</w>" for c in letters], []
    have = set(tokens)
    for m in json.loads(t.to_str())["model"]["merges"]:
        a, b = m if isinstance(m, list) else m.split(" ")
        if a in have and b in have and a + b not in have and len(tokens) < size - 2:
            tokens.append(a + b)
            have.add(a + b)
            merges.append((a, b))
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    ids = {v: i for i, v in enumerate(tokens)}
    out.mkdir(parents=True, exist_ok=True)
    (out / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    (out / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    tok = CLIPTokenizer(vocab=ids, merges=merges, model_max_length=32)
    tok.save_pretrained(out)
    return tok
