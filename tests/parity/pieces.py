#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Token ids of SigLIP's tokenizers against transformers and open_clip: identical, on any text.

    pieces.py --lib build/libmopd.so [--n 20000] [--seed 1] [--all]    compare
    pieces.py --gold tests/gold/pieces                                 write what the C tests read

The tokenizers are small ones of the real kinds, trained here by SentencePiece on the seeded texts, and lie in folders of
tiny models.  MetaCLIP 2's towers are compared, too: random weights of B/32's widths.

    siglip        unigram with the nmt_nfkc map, spiece.model: SiglipTokenizer; and with settings that nobody has published
    t5            the same model as tokenizer.json: T5Tokenizer, by itself and behind open_clip's "canonicalize"
    gemma         BPE with byte fallback, tokenizer.json: Siglip2Tokenizer; GemmaTokenizer on lower-case texts, by itself
                  and behind open_clip's "canonicalize"
    xlm           unigram with <s> and </s>: XLMRobertaTokenizer, which MetaCLIP 2 has

Needs transformers, tokenizers, sentencepiece, protobuf, open_clip_torch, ftfy, torch."""
import argparse
import ctypes
import json
import os
import random
import sys
import tempfile
import time
import types
import unicodedata

import numpy as np
import tokens
import torch
import towers

CANONICAL, PLAIN = 16, 0   # MOPD_TEXT_CLEAN
ODD = ["", " ", "  ", "\t", "\u2581", "a\u2581b", "\u2581\u2581 a", " \u2581a", "</s>", "a </s> b", "a</s>", "<unk>", "<unk>x", "</S>", "<pad>", "tabby_cat", "wire-haired.",
       "\uff1c\uff0f\uff53\uff1e", "\ufb01ne", "\uff76\uff9e", "e\u0301", "\uff45\u0301", "\u00bd\u0301", "\u2160\u0300x", "\r\n", "a\r\nb", "\u0345", "\u200d\u200c", "\ufeffa",
       "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0e01\u0e33", "\uac00\u11a8", "\u1100\u1161\u11a8", "\u0915\u094d\u0937", "\u01c4", "\u0391\u03a3", "\u0391\u03a3.", "\u0130I",
       "<bos>x<eos>", "<eos>", "<mask> a", "<0x41>", "<0xE2>", "\n\n", "a\n\nb", "\u0301a", "\u00b2\u0301", "a\xa0b", "\u3000a\u3000", "\x1c\x1d", "\x85"]


def plain(t):
    """A text of characters that all Unicode versions at work know, without zeros."""
    return "".join(c for c in t if c != "\0" and unicodedata.category(c) != "Cn")


def corpus(n, seed):
    return ODD + [" ".join(ODD)] + [plain(t) for t in tokens.corpus(n, seed)]


RULES = [("\t", " "), ("\n", " "), ("\r\n", " "), ("\u3000", " "), ("\xa0", " "), ("\u200b", ""), ("e\u0301", "\xe9"), ("a\u0301", "\xe1"), ("\ufb01", "fi"), ("\xb2", "2"),
         ("\xbd", "1\u20442"), ("\u2160", "I"), ("\uff76", "\u30ab"), ("\uff76\uff9e", "\u30ac"), ("\uff45", "e"), ("\u01c4", "D\u017d")]


def train(folder, name, small, **options):
    """A SentencePiece model trained on the seeded texts, as far as they are of few scripts: others stay unknown.
    small: with rules of normalisation and characters that are few enough to be kept."""
    import sentencepiece
    from transformers.convert_slow_tokenizer import import_protobuf
    last = 0x80 if small else 0x500
    if small and options["normalization_rule_name"] != "identity":
        del options["normalization_rule_name"]
        with open(folder + "/rules.tsv", "w") as f:
            f.writelines("%s\t%s\n" % (" ".join("%X" % ord(c) for c in a), " ".join("%X" % ord(c) for c in b)) for a, b in RULES)
        options["normalization_rule_tsv"] = folder + "/rules.tsv"
    lines = [" ".join(t.split()) for t in tokens.corpus(6000, 3)] + ["a photo of a cat, a type of pet.", "a bad photo of the sea anemone"] * 80
    text = folder + "/" + name + ".txt"
    with open(text, "w") as f:
        f.writelines("".join(c if ord(c) < last or not small and 0x3040 <= ord(c) < 0x3100 else " " for c in plain(t))[:200] + "\n" for t in lines)
    sentencepiece.SentencePieceTrainer.train(input=text, model_prefix=folder + "/" + name, minloglevel=2, num_threads=1,
                                             character_coverage=0.98, hard_vocab_limit=False, **options)
    path = folder + "/" + name + ".model"
    proto = import_protobuf().ModelProto.FromString(read(path))
    for field in ("input", "model_prefix"):   # the same bytes at every run
        proto.trainer_spec.ClearField(field)
    proto.normalizer_spec.ClearField("normalization_rule_tsv")
    write(path, proto.SerializeToString())
    return path


def write(path, value):
    with open(path, "wb" if isinstance(value, bytes) else "w") as f:
        f.write(value if isinstance(value, (bytes, str)) else json.dumps(value))


def read(path):
    with open(path, "rb") as f:
        return f.read()


def siglip_folder(root, model, name="siglip", **more):
    from transformers import SiglipTokenizer
    folder = root + "/" + name
    os.makedirs(folder)
    write(folder + "/spiece.model", read(model))
    write(folder + "/tokenizer_config.json", {"tokenizer_class": "SiglipTokenizer", "do_lower_case": True, "model_max_length": 64,
                                              "eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>", **more})
    return folder, SiglipTokenizer.from_pretrained(folder)


def t5_folder(root, model):
    from transformers import T5Tokenizer
    folder = root + "/t5"
    os.makedirs(folder + "/raw")
    write(folder + "/raw/spiece.model", read(model))
    T5Tokenizer.from_pretrained(folder + "/raw", extra_ids=0, additional_special_tokens=[]).save_pretrained(folder)
    return folder, T5Tokenizer.from_pretrained(folder)


def pairs_of(model):
    """Vocabulary and merges of a SentencePiece BPE, by the scores."""
    import sentencepiece
    sp = sentencepiece.SentencePieceProcessor(model_file=model)
    vocab = {sp.id_to_piece(i): i for i in range(sp.get_piece_size())}
    merges = []
    for piece, i in vocab.items():
        for at in range(1, len(piece)):
            if piece[:at] in vocab and piece[at:] in vocab and not sp.is_byte(i) and not sp.is_control(i):
                merges.append((i, vocab[piece[:at]], piece[:at], piece[at:]))
    return vocab, [(a, b) for _, _, a, b in sorted(merges)]


def gemma_folder(root, model, lower):
    from tokenizers import processors
    from transformers import GemmaTokenizer
    from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer
    kind = Siglip2Tokenizer if lower else GemmaTokenizer
    folder = root + ("/gemma_lower" if lower else "/gemma")
    os.makedirs(folder)
    vocab, merges = pairs_of(model)
    tok = kind(vocab=vocab, merges=merges, add_bos_token=False, add_eos_token=True, padding_side="right", do_lower_case=lower)
    tok.add_tokens(["\n\n", "<table>"])
    tok.backend_tokenizer.post_processor = processors.TemplateProcessing(single="$A <eos>", pair="$A <eos> $B <eos>", special_tokens=[("<eos>", 1)])
    tok.save_pretrained(folder)
    return folder, kind.from_pretrained(folder)


def xlm_folder(root, model):
    import sentencepiece
    from transformers import XLMRobertaTokenizer
    from transformers.convert_slow_tokenizer import import_protobuf
    folder = root + "/xlm"
    os.makedirs(folder)
    sp = sentencepiece.SentencePieceProcessor(model_file=model)
    proto = import_protobuf().ModelProto.FromString(read(model))
    vocab = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocab += [(sp.id_to_piece(i), sp.get_score(i)) for i in range(3, sp.get_piece_size())] + [("<mask>", 0.0)]
    tok = XLMRobertaTokenizer(vocab=vocab, _spm_precompiled_charsmap=proto.normalizer_spec.precompiled_charsmap)
    tok.save_pretrained(folder)
    return folder, XLMRobertaTokenizer.from_pretrained(folder)


def canonicalize(text):
    """open_clip's cleaning, without ftfy's guesses at text that was decoded wrongly."""
    import functools
    import ftfy
    import open_clip.tokenizer
    guessing, ftfy.fix_text = ftfy.fix_text, functools.partial(ftfy.fix_text, fix_encoding=False)
    out = open_clip.tokenizer.get_clean_fn("canonicalize")(text)
    ftfy.fix_text = guessing
    return out


def folders(root, small=False):
    """(name, folder, reference, cleaning): reference gives the ids of a text."""
    unigram = train(root, "unigram", small, vocab_size=400 if small else 3000, model_type="unigram", normalization_rule_name="nmt_nfkc",
                    pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    bpe = train(root, "bpe", small, vocab_size=600 if small else 3000, model_type="bpe", byte_fallback=True, add_dummy_prefix=False, remove_extra_whitespaces=False,
                normalization_rule_name="identity", pad_id=0, eos_id=1, bos_id=2, unk_id=3, eos_piece="<eos>", bos_piece="<bos>", user_defined_symbols=["<mask>"])
    def ids(tok, change=lambda t: t):
        def of(text):
            return tok(change(text))["input_ids"]
        of.tokenizer = tok
        return of
    folder, tok = siglip_folder(root, unigram)
    yield "siglip", folder, ids(tok), PLAIN
    rare = train(root, "rare", small, vocab_size=700 if small else 3000, model_type="unigram", normalization_rule_name="nmt_nfkc_cf", byte_fallback=True,
                 add_dummy_prefix=False, remove_extra_whitespaces=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    folder, tok = siglip_folder(root, rare, "rare", do_lower_case=False, legacy=False)
    yield "rare", folder, ids(tok), PLAIN
    if not small:
        folder, tok = siglip_folder(root, unigram, "legacy", legacy=False, do_lower_case=False)
        yield "siglip, not legacy", folder, ids(tok), PLAIN
    folder, tok = t5_folder(root, unigram)
    yield "t5", folder, ids(tok), PLAIN
    yield "t5 canonicalize", folder, ids(tok, canonicalize), CANONICAL
    folder, tok = gemma_folder(root, bpe, True)
    yield "siglip2", folder, ids(tok), PLAIN
    folder, tok = gemma_folder(root, bpe, False)
    yield "gemma", folder, ids(tok), PLAIN
    yield "gemma canonicalize", folder, ids(tok, canonicalize), CANONICAL
    folder, tok = xlm_folder(root, unigram)
    yield "xlm", folder, ids(tok), PLAIN


def put_model(folder, tok_ids, dim=8, context=65536):
    """The smallest model that takes such a tokenizer: SigLIP's, or MetaCLIP 2's where there is a start."""
    from transformers import CLIPImageProcessor, MetaClip2Config, MetaClip2Model, SiglipConfig, SiglipImageProcessor, SiglipModel
    small = dict(hidden_size=dim, intermediate_size=dim, num_hidden_layers=1, num_attention_heads=1)
    text, vision = dict(vocab_size=4096, max_position_embeddings=context, eos_token_id=2, **small), dict(image_size=16, patch_size=8, **small)
    if tok_ids[0] == 0:
        MetaClip2Model(MetaClip2Config(text_config=text, vision_config=vision, projection_dim=dim)).save_pretrained(folder)
        CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}).save_pretrained(folder)
    else:
        SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
        SiglipImageProcessor(size={"height": 16, "width": 16}).save_pretrained(folder)


def check_siglip(name, folder, encoder, reference):
    """Features of a text tower that sees the pads, from text to the last number."""
    from transformers import SiglipModel
    before, model = towers.failures, SiglipModel.from_pretrained(folder).eval()
    encoder.info = towers.Info(ctypes.sizeof(towers.Info))
    encoder.call("mopd_encoder_get_info", encoder.handle, ctypes.byref(encoder.info))
    words = [w for w in towers.WORDS] + ["Tabby_Cat.", "\u6771\u4eac"]
    want = model.get_text_features(input_ids=torch.tensor([reference(w) for w in words])).pooler_output.numpy()
    towers.compare(name + ", texts", encoder.texts(words), want)
    return towers.failures - before


def check_padded(name, folder, reference, pad, flags, texts):
    """64 ids of every text, cut and filled up, as the towers get them; the towers themselves fill up here."""
    put_model(folder, reference("a")[:1], context=64)
    encoder = Encoder(folder, flags | 2)
    bad = 0
    for t in texts:
        ids = encoder.ids(t)
        bad += ids + [pad] * (64 - len(ids)) != reference(t)
    bad += check_siglip(name, folder, encoder, reference)
    encoder.close()
    print("%s %-20s %8d texts of 64 ids, %d differ" % ("FAIL" if bad else "ok  ", name, len(texts), bad), flush=True)
    return bad


def padded_references(name, folder, tok):
    """open_clip's HFTokenizer, or transformers as its zero-shot pipeline asks it."""
    import open_clip.tokenizer
    if "canonicalize" in name:
        theirs = open_clip.tokenizer.HFTokenizer(folder, context_length=64, clean="canonicalize")
        theirs.clean_fn = canonicalize
        return lambda t: theirs(t)[0].tolist()
    return lambda t: tok(t, padding="max_length", max_length=64, truncation=True)["input_ids"]


class Encoder(towers.Encoder):
    """One that cleans texts as the flag says, and refuses long ones."""

    def __init__(self, path, flags):
        self.handle = ctypes.c_void_p()
        options = towers.Options(16, flags, 2, 1)
        self.call("mopd_encoder_open", ctypes.byref(self.handle), os.fsencode(path), ctypes.byref(options))


def check_metaclip2(folder, tok):
    """Features of random towers of B/32's widths, cut in depth."""
    from transformers import CLIPImageProcessor, MetaClip2Config, MetaClip2Model
    text = dict(vocab_size=len(tok), hidden_size=512, intermediate_size=2048, num_attention_heads=8, num_hidden_layers=3, eos_token_id=2)
    vision = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=3, patch_size=32)
    torch.manual_seed(7)
    model = MetaClip2Model(MetaClip2Config(text_config=text, vision_config=vision, projection_dim=512)).eval()
    for p in model.parameters():
        if p.ndim > 1:
            p.normal_(0, 0.6 / p[0].numel() ** 0.5)
        elif p.ndim == 1:
            p.add_(torch.randn_like(p) * 0.1)
    model.save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}).save_pretrained(folder)
    encoder = towers.Encoder(folder)
    words = [w for w in towers.WORDS] + ["</s> a cat", "\u6771\u4eac"]
    pixels = np.random.default_rng(1).normal(size=(3, 3, 224, 224)).astype(np.float32)
    inputs = tok(words, padding=True, return_tensors="pt")
    towers.compare("MetaCLIP 2, texts", encoder.texts(words), model.get_text_features(**inputs).pooler_output.numpy())
    towers.compare("MetaCLIP 2, pictures", encoder.pixels(pixels), model.get_image_features(pixel_values=torch.tensor(pixels)).pooler_output.numpy())
    towers.check_pack(types.SimpleNamespace(work=folder), "MetaCLIP 2", encoder, pixels)
    encoder.close()
    return towers.failures


def compare(lib, name, reference, texts, shown=8):
    bad = 0
    for t in texts:
        want, got = reference(t), lib.ids(t)
        if got != want:
            bad += 1
            if bad <= shown:
                print("%s: %s\n  want %s\n  have %s" % (name, ascii(t)[:150], want[:24], got[:24] if isinstance(got, list) else got))
    print("%s %-20s %8d texts, %d differ" % ("FAIL" if bad else "ok  ", name, len(texts), bad), flush=True)
    return bad


def known_points():
    for c in range(1, 0x110000):
        if unicodedata.category(chr(c)) not in ("Cn", "Cs"):
            yield from (chr(c), "a%cb" % c, "\u00b2%c" % c)


def gold(to):
    """Small tokenizers of each kind with lists of [text, ids]."""
    with tempfile.TemporaryDirectory() as root:
        r = random.Random(5)
        texts = ODD + [plain(tokens.text(r)) for _ in range(90)]
        for name, folder, reference, cleaning in folders(root, True):
            if cleaning != PLAIN or name == "gemma":
                continue
            os.makedirs(to + "/" + name, exist_ok=True)
            for file in ("spiece.model", "tokenizer.json", "tokenizer_config.json"):
                if os.path.exists(folder + "/" + file):
                    write(to + "/" + name + "/" + file, read(folder + "/" + file))
            rows = [[t, reference(t)] for t in texts]
            write(to + "/" + name + "/texts.json", "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--lib", help="libmopd.so")
    p.add_argument("--n", type=int, default=20000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", help="a part of the names of what is compared")
    p.add_argument("--all", action="store_true", help="every code point too")
    p.add_argument("--gold", metavar="FOLDER")
    args = p.parse_args()
    import transformers
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if args.gold:
        return gold(args.gold)
    towers.load_library(args.lib)
    texts, bad, start = corpus(args.n, args.seed), 0, time.time()
    with tempfile.TemporaryDirectory() as root:
        for name, folder, reference, cleaning in folders(root):
            if args.only and args.only not in name:
                continue
            put_model(folder, reference("a"))
            lib = Encoder(folder, cleaning)
            some = [t.lower() for t in texts] if name == "gemma" else texts
            bad += compare(lib, name, reference, some)
            if args.all:
                bad += compare(lib, name, reference, list(known_points()))
            lib.close()
            if name != "xlm":
                padded = padded_references(name, folder, reference.tokenizer)
                bad += check_padded(name, folder, padded, reference.tokenizer.pad_token_id, cleaning, some[:4000])
            if name == "xlm":
                bad += check_metaclip2(folder, reference.tokenizer)
    print("%.0f s" % (time.time() - start))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
