#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Token ids of this library against transformers' CLIPTokenizer: identical, on any text.

Needs transformers, tokenizers, open_clip_torch (which ships OpenAI's vocabulary), torch.

    tokens.py --lib build/libmopd.so [--command build/mopd] [--n 20000] [--seed 1]    compare
    tokens.py --gold tests/gold/tokens       write the small vocabulary, texts and ids that the C tests read

Four folders are compared: tokenizer.json, vocab.json + merges.txt, OpenAI's .gz, and a tokenizer.json with added
tokens of every kind.  Besides the seeded texts, every code point is tried alone, inside a word and after an "A".
"""
import argparse
import ctypes
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import unicodedata

WORDS = """a photo of the cat dog it's they're I'll we've isn't he'd I'm DON'T picture satellite 2024 3.14 naïve café
Straße İstanbul ΟΔΥΣΣΕΥΣ Σίσυφος ﬁne Ǆ ǅ ẞ Ω K Å q̣̇ q̣̇ 東京 北京市 한국어 각 日本語 मानक हिन्दी தமிழ் ไทย
עִבְרִית العَرَبِيَّة ﷺ русский ёлка Ёж ѣ ქართული Ⴀ Ꭰ ꭰ ᲀ Ɐ 𐐀 𐐨 𞤀 𝔘𝔫𝔦 𝟘 Ⅷ ⅷ ① ½ ٣ ४ 😀 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 ☃️
'sub 'tis 're 'ReX ''s '''' a's'b' <|endoftext|> <|startoftext|> <|ENDOFTEXT|> <|StartOfText|> !!<|startOfText|>!!
<|endoftext|>s <|endoftext <| |> ... --- ### $£€¥ @user #tag http://x.y/z?q=1&r=2 &amp; <b> \\ \" _ __ snake_case {} [] ~~ ``""".split()
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0", "\u1680", "\u180e", "\u2003", "\u200b",
          "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff", ""]
BLOCKS = [(0, 0x80), (0, 0x250), (0x250, 0x700), (0x300, 0x370), (0x370, 0x590), (0x590, 0x860), (0x860, 0x1100),
          (0x1100, 0x1200), (0x1ab0, 0x1b00), (0x1dc0, 0x2000), (0x2000, 0x2c00), (0x2c00, 0x3100), (0x3040, 0xa000),
          (0xa000, 0xac00), (0xac00, 0xd7a4), (0xe000, 0xf900), (0xf900, 0x10000), (0x10000, 0x11000),
          (0x11000, 0x12000), (0x12000, 0x1d000), (0x1d000, 0x1e000), (0x1e000, 0x20000), (0x20000, 0x34000),
          (0xe0000, 0xe0200), (0xf0000, 0x110000)]
MARKS = [c for c in range(0x300, 0x370)] + [0x323, 0x5b0, 0x64b, 0x93c, 0x94d, 0x3099, 0x309a, 0x345, 0x1dfa, 0x897, 0x7fd,
                                           0x11930, 0x1161, 0x11a8, 0x20d0, 0x1d165, 0x16ff0]


def character(r):
    a, b = r.choice(BLOCKS)
    c = r.randrange(a, b)
    return chr(c) if not 0xD800 <= c < 0xE000 and c else "x"


def text(r):
    """One seeded text: words, white space, characters of a script, marks, long runs."""
    kind = r.random()
    if kind < 0.35:
        return "".join(r.choice(WORDS) + (" " if r.random() < 0.8 else r.choice(SPACES)) for _ in range(r.randint(0, 12)))
    if kind < 0.5:
        return "".join(r.choice(WORDS + SPACES) for _ in range(r.randint(0, 12)))
    if kind < 0.7:
        a, b = r.choice(BLOCKS)
        run = [chr(c) if not 0xD800 <= c < 0xE000 else "x" for c in (r.randrange(max(a, 1), b) for _ in range(r.randint(1, 20)))]
        return "".join(c + (r.choice(SPACES) if r.random() < 0.2 else "") for c in run)
    if kind < 0.85:
        return "".join(character(r) for _ in range(r.randint(0, 24)))
    if kind < 0.95:
        return "".join(r.choice((character(r), r.choice("aAeEiouΑω각し"), "")) +
                       "".join(chr(r.choice(MARKS)) for _ in range(r.randint(0, 4))) for _ in range(r.randint(1, 10)))
    if kind < 0.97:
        return "".join(r.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(r.randint(20, 300)))
    if kind < 0.98:
        return r.choice(["a", "ab", "!", "é", "😀", "0", "aab", "=-"]) * r.randint(1, 200)
    return "".join(r.choice("<|>startofend'lmdvetxSTARTOFENDX ") for _ in range(r.randint(1, 60)))


def corpus(n, seed):
    r = random.Random(seed)
    return WORDS + SPACES + [text(r) for _ in range(n)]


def code_points():
    for c in range(1, 0x110000):
        if not 0xD800 <= c < 0xE000:
            yield from (chr(c), "a%cb" % c, "A%c" % c)


def compositions(n, seed):
    """Texts of composed characters, their parts, marks of every class and Hangul: what NFC works on."""
    import regex
    r = random.Random(seed)
    points = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    marks = [c for c in points if regex.match(r"\P{ccc=0}|\p{M}", c)]
    whole = [c for c in points if unicodedata.decomposition(c)[:1] not in ("", "<")]
    parts = [unicodedata.normalize("NFD", c) for c in whole]
    letters = sorted(set("".join(parts)))
    for _ in range(n):
        yield "".join(r.choice((r.choice(marks), r.choice(marks), r.choice(whole), r.choice(letters), r.choice(parts),
                                chr(r.randrange(0x1100, 0x1200)), chr(r.randrange(0xAC00, 0xD7A4))))
                      for _ in range(r.randint(2, 8)))


def simple_gz():
    import open_clip
    return os.path.join(os.path.dirname(open_clip.__file__), "bpe_simple_vocab_16e6.txt.gz")


def simple_vocab():
    """OpenAI's vocabulary and merges from the file open_clip ships."""
    from open_clip.tokenizer import bytes_to_unicode
    merges = gzip.open(simple_gz()).read().decode().split("\n")[1:49152 - 256 - 2 + 1]
    symbols = list(bytes_to_unicode().values())
    tokens = symbols + [s + "</w>" for s in symbols] + ["".join(m.split()) for m in merges]
    return {t: i for i, t in enumerate(tokens + ["<|startoftext|>", "<|endoftext|>"])}, merges


def trained_vocab(n_merges, seed):
    """A small vocabulary of CLIP's kind, trained on the seeded texts."""
    from open_clip.tokenizer import bytes_to_unicode
    from tokenizers import Tokenizer, models, trainers
    from transformers import CLIPTokenizer
    symbols = sorted(bytes_to_unicode().values())
    base = CLIPTokenizer().backend_tokenizer
    tok = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tok.normalizer, tok.pre_tokenizer = base.normalizer, base.pre_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=512 + n_merges, initial_alphabet=symbols, end_of_word_suffix="</w>",
                                  show_progress=False)
    tok.train_from_iterator([t for t in corpus(4000, seed)] + ["a photo of a cat, a type of pet."] * 50, trainer)
    merges = [m if isinstance(m, str) else " ".join(m) for m in json.loads(tok.to_str())["model"]["merges"]]
    tokens = symbols + [s + "</w>" for s in symbols]
    for m in merges:
        if m.replace(" ", "") not in tokens:
            tokens.append(m.replace(" ", ""))
    return {t: i for i, t in enumerate(tokens + ["<|startoftext|>", "<|endoftext|>"])}, merges


def write_merges(folder, vocab, merges):
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/vocab.json", "w") as f:
        json.dump(vocab, f, ensure_ascii=False)
    with open(folder + "/merges.txt", "w") as f:
        f.write("#version: 0.2\n" + "".join(m + "\n" for m in merges))


def write_folders(root, vocab, merges):
    """The four layouts; yields (folder, transformers' tokenizer)."""
    from transformers import CLIPTokenizer
    write_merges(root + "/merges", vocab, merges)
    plain = CLIPTokenizer.from_pretrained(root + "/merges")
    yield root + "/merges", plain
    plain.save_pretrained(root + "/json")
    yield root + "/json", CLIPTokenizer.from_pretrained(root + "/json")

    # OpenAI's own folders: a normalized start token, merges as texts, an older configuration, new tokens.
    os.makedirs(root + "/added", exist_ok=True)
    with open(root + "/json/tokenizer.json") as f:
        tj = json.load(f)
    tj["model"]["merges"] = [" ".join(m) for m in tj["model"]["merges"]]
    tj["added_tokens"][0]["normalized"] = True
    new = [("<NEW>", dict(normalized=True)), ("<new> tok", dict()), ("<x>", dict(lstrip=True)), ("<y>", dict(rstrip=True)),
           ("<z>", dict(lstrip=True, rstrip=True, normalized=True)), ("Ünï  Ω", dict(normalized=True)), ("cat", dict()),
           ("<xx>", dict(special=True)), ("<|endoftext|>!", dict(normalized=True))]
    for i, (content, flags) in enumerate(new):
        tj["added_tokens"].append({"id": len(vocab) + i, "content": content, "single_word": False, "lstrip": False,
                                   "rstrip": False, "normalized": False, "special": False, **flags})
    with open(root + "/added/tokenizer.json", "w") as f:
        json.dump(tj, f)
    with open(root + "/added/tokenizer_config.json", "w") as f:
        end = {"content": "<|endoftext|>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True,
               "__type": "AddedToken"}
        json.dump({"unk_token": end, "eos_token": end, "bos_token": {**end, "content": "<|startoftext|>"},
                   "pad_token": "<|endoftext|>", "additional_special_tokens": ["<extra>"], "model_max_length": 77,
                   "do_lower_case": True, "tokenizer_class": "CLIPTokenizer"}, f)
    yield root + "/added", CLIPTokenizer.from_pretrained(root + "/added")

    # No tokenizer.json, the special tokens in the map: normalized, with a bare pad token beside.
    write_merges(root + "/map", vocab, merges)
    with open(root + "/map/special_tokens_map.json", "w") as f:
        for token in (end,):
            token.pop("__type")
        json.dump({"bos_token": {**end, "content": "<|startoftext|>"}, "eos_token": end, "unk_token": end,
                   "pad_token": "<|endoftext|>"}, f)
    with open(root + "/map/added_tokens.json", "w") as f:
        json.dump({"<one>": len(vocab), "<two>": len(vocab) + 1}, f)
    yield root + "/map", CLIPTokenizer.from_pretrained(root + "/map")


ADDED = ["<new>", "a<NEW>b", "<New>", "<new> tok", "<NEW> TOK", "x <x> x", "x<x>x", "x <y> x", "<y>\u3000x", "x \t<z>\n x", "x <Z> x",
         "ünï ω", "aÜNÏ \t Ωb", "u\u0308ni\u0308 Ω", "cat cats CAT scatter", "<xx><x><y> <z>", "<extra>", "<EXTRA>", "<x> <x>", "<y> <x>",
         "<|endoftext|>!", "<|ENDOFTEXT|>!", "<|startoftext|>", "<|STARTofTEXT|>x", "<one><two>", "<ONE>", "<|EndOfText|> a"]


class Library:
    """libmopd through its public functions, on a folder that has weights; or, for --tokenizer-lib, the bare tokenizer."""

    def __init__(self, path, bare):
        self.c, self.bare = ctypes.CDLL(path), bare
        self.c.mopd_last_error.restype = ctypes.c_char_p

    def open(self, folder):
        self.handle = ctypes.c_void_p()
        name = "mo_tokenizer_open" if self.bare else "mopd_encoder_open"
        args = [ctypes.byref(self.handle), folder.encode()] + ([] if self.bare else [None])
        if getattr(self.c, name)(*args):
            sys.exit("%s: %s" % (folder, self.c.mopd_last_error().decode()))
        self.tokens = (ctypes.c_void_p * 3)()

    def encode(self, text):
        data = text.encode()
        if self.bare:
            self.tokens[1] = None
            st = self.c.mo_tokenizer_encode(self.handle, data, ctypes.c_size_t(len(data)), ctypes.c_size_t(0),
                                            ctypes.c_bool(False), self.tokens)
            at, n = self.tokens[0], self.tokens[1] or 0
        else:
            ids, count = ctypes.c_void_p(), ctypes.c_size_t()
            st = self.c.mopd_encoder_tokenize(self.handle, data, ctypes.byref(ids), ctypes.byref(count))
            at, n = ids.value, count.value
        if st:
            return self.c.mopd_last_error().decode()
        out = ctypes.cast(at, ctypes.POINTER(ctypes.c_uint32))[:n]
        if not self.bare:
            self.c.mopd_free(ctypes.c_void_p(at))
        return out


def make_model(folder, tok):
    """A tiny random CLIP whose text tower takes long texts, beside the tokenizer's files."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel
    torch.manual_seed(0)
    small = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    ids = dict(bos_token_id=tok.bos_token_id, eos_token_id=tok.eos_token_id, pad_token_id=tok.pad_token_id)
    config = CLIPConfig(text_config=dict(vocab_size=len(tok), max_position_embeddings=4096, **ids, **small),
                        vision_config=dict(image_size=16, patch_size=8, **small), projection_dim=8)
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}).save_pretrained(folder)


def compare(lib, folder, tok, texts, shown=8):
    bad = n = 0
    for at in range(0, len(texts), 50000):
        part = texts[at:at + 50000]
        for t, want in zip(part, tok(part)["input_ids"]):
            got = lib.encode(t)
            n += 1
            if got != want:
                bad += 1
                if bad <= shown:
                    print("%s: %r\n  want %s\n  have %s" % (folder, t, want, got))
    print("%-24s %8d texts, %d differ" % ("/".join(folder.split("/")[3:]), n, bad), flush=True)
    return bad


def run(args):
    import transformers
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    vocab, merges = simple_vocab()
    lib = Library(args.lib or args.tokenizer_lib, not args.lib)
    texts = corpus(args.n, args.seed) + ADDED
    bad = 0
    with tempfile.TemporaryDirectory() as root:
        folders = list(write_folders(root, vocab, merges))
        os.makedirs(root + "/simple")
        with open(simple_gz(), "rb") as f, open(root + "/simple/bpe_simple_vocab_16e6.txt.gz", "wb") as g:
            g.write(f.read())
        folders.append((root + "/simple", folders[0][1]))
        if args.small:
            folders += [(f, t) for f, t in write_folders(root + "/small", *trained_vocab(1500, 7))]
        for folder, tok in folders:
            if args.lib:
                make_model(folder, tok)
            lib.open(folder)
            bad += compare(lib, folder, tok, texts)
            if folder == root + "/json":
                bad += compare(lib, folder, tok, list(compositions(args.n * 2, args.seed)))
            if args.all and folder.endswith(("/json", "/added")):
                bad += compare(lib, folder, tok, list(code_points()))
        if args.command:
            some = [t for t in texts if "\0" not in t and not t.startswith("-")][:500]
            made = json.loads(subprocess.run([args.command, "tokenize", "-m", root + "/json", "--format", "json", "--", *some],
                                             check=True, capture_output=True).stdout)
            n = sum(a != b for a, b in zip(made, folders[1][1](some)["input_ids"]))
            print("%-24s %8d texts, %d differ" % ("the command", len(some), n))
            bad += n
    return 1 if bad else 0


def gold(folder):
    """A vocabulary of 700 merges and, for it and for the folder with added tokens, lists of [text, ids]."""
    vocab, merges = trained_vocab(700, 7)
    r = random.Random(11)
    texts = WORDS + [" ".join(WORDS)] + SPACES + [text(r) for _ in range(330)]
    with tempfile.TemporaryDirectory() as root:
        for made, tok in write_folders(root, vocab, merges):
            name = os.path.basename(made)
            if name not in ("merges", "added"):
                continue
            to = folder if name == "merges" else folder + "/added"
            os.makedirs(to, exist_ok=True)
            for file in sorted(os.listdir(made)):
                with open(made + "/" + file) as f, open(to + "/" + file, "w") as g:
                    g.write(f.read())
            rows = [[t, tok(t)["input_ids"]] for t in (texts if name == "merges" else ADDED) if "\0" not in t]
            with open(to + "/texts.json", "w") as f:
                f.write("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--lib", help="libmopd.so")
    p.add_argument("--tokenizer-lib", help="a shared object that exports the inner tokenizer")
    p.add_argument("--command", help="the mopd program")
    p.add_argument("--n", type=int, default=20000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--all", action="store_true", help="every code point too")
    p.add_argument("--small", action="store_true", help="a small trained vocabulary too")
    p.add_argument("--gold", metavar="FOLDER")
    args = p.parse_args()
    if args.gold:
        return gold(args.gold)
    if not args.lib and not args.tokenizer_lib:
        p.error("one of --lib, --tokenizer-lib, --gold")
    start = time.time()
    code = run(args)
    print("%.0f s" % (time.time() - start))
    return code


if __name__ == "__main__":
    sys.exit(main())
