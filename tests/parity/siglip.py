# SPDX-License-Identifier: MIT
"""SigLIP, SigLIP 2 and Perception Encoders against PyTorch: transformers' folders, and open_clip's with towers of timm's.

    python siglip.py --lib build/libmopd.so [--only WORD] [--full] [--work DIR]

Random weights of the models' real shapes (text and image towers cut in depth without --full, which needs some 12 GB);
features within cosine 0.999999 and 2e-5, pictures as preprocessed to the bit.  Most texts there are token ids of a
small vocabulary of CLIP's kind; the whole way from texts to features goes through tokenizers of SigLIP's kinds, trained by pieces.py."""
import argparse
import ctypes
import json
import os
import shutil
import sys
import tempfile

import numpy as np
import torch
from PIL import Image

import towers
import vocabulary
from towers import WORDS, Encoder, compare


def described(encoder):
    """What mopd inspect says."""
    text = ctypes.c_char_p()
    encoder.call("mopd_encoder_describe", encoder.handle, ctypes.byref(text))
    return json.loads(text.value)


def ids_of(encoder, causal=False):
    """Token ids of all texts, filled up with what the model takes for pads."""
    config = described(encoder)["config"]["text"]
    assert causal or config["mask"] == "none" and config["end"] == "last", config
    rows = [encoder.ids(t) for t in WORDS]
    return torch.tensor([r + [config.get("pad_id", 0)] * (config["context_length"] - len(r)) for r in rows])


def good(condition, what):
    towers.failures += not condition
    print(f"{'ok  ' if condition else 'FAIL'} {what}", flush=True)


def shake(model):
    """Weights that no start has."""
    for p in model.parameters():
        if p.ndim > 1:
            p.normal_(0, 0.6 / p[0].numel() ** 0.5)
        elif p.numel() > 1:
            p.add_(torch.randn_like(p) * 0.1)


# -- pictures ----------------------------------------------------------------------------------------------------------

def some_pictures():
    r = np.random.default_rng(5)
    for h, w in ((31, 47), (224, 224), (500, 333), (97, 801), (384, 385), (1000, 700)):
        yield Image.fromarray(r.integers(0, 256, (h, w, 3), np.uint8))
        smooth = np.add.outer(np.linspace(0, 255, h), np.linspace(0, 90, w))[..., None] * np.array([1, 0.7, 0.4])
        yield Image.fromarray((smooth % 256).astype(np.uint8))


def seen(encoder, picture):
    """The pixels of mopd_encoder_preprocess."""
    image, x = ctypes.c_void_p(), np.ascontiguousarray(picture)
    side = encoder.info.image_size
    out = np.empty((3, side, side), np.float32)
    encoder.call("mopd_image_create", ctypes.byref(image), x.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(x.shape[0]),
                 ctypes.c_size_t(x.shape[1]), ctypes.c_size_t(3), ctypes.c_size_t(0))
    encoder.call("mopd_encoder_preprocess", encoder.handle, image, out.ctypes.data_as(ctypes.c_void_p))
    encoder.lib.mopd_image_close(image)
    return out


def check_pictures(name, encoder, reference):
    """The same bytes before rescaling, and floats as near as two ways of rounding are."""
    worst, bytes_same = 0.0, True
    for picture in some_pictures():
        got, want = seen(encoder, picture), reference(picture)
        worst = max(worst, float(np.abs(got - want).max()))
        bytes_same &= np.array_equal(np.rint((got * 0.5 + 0.5) * 255), np.rint((want * 0.5 + 0.5) * 255))
    good(bytes_same and worst <= 1e-6, f"{name}, preprocessed: same bytes, floats within {worst:.1e}")


# -- from text to feature ----------------------------------------------------------------------------------------------

SAYINGS = ["a photo of a cat.", "A photo of a Tabby_cat!", "wire-haired dog", "", "x", "  two   blanks ", "caf\u00e9 & tea",
           "a bad photo of the sea anemone, and of many other things that live there", "\u732b \U0001f600"]
ODD = dict(hidden_size=48, intermediate_size=100, num_attention_heads=3, num_hidden_layers=2, vocab_size=4000)


def whole_hf(folder, reference, pad, texts):
    """Small towers beside a tokenizer of the kind, its ids filled up to 64 as transformers' pipeline does."""
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    model = SiglipModel(SiglipConfig(text_config=ODD, vision_config=ODD | {"image_size": 32})).eval()
    shake(model)
    model.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    ids = torch.tensor([(i + [pad] * 64)[:64] for i in map(reference, texts)])
    out = model.get_text_features(input_ids=ids)
    return getattr(out, "pooler_output", out).numpy()


def check_whole(name, folder, want, texts):
    encoder = Encoder(folder)
    compare(name + ", from texts to features", encoder.texts(texts), want)
    encoder.close()


def run_whole(args):
    import pieces
    root = os.path.join(args.work, "pieces")
    os.makedirs(root)
    for name, folder, reference, cleaning in pieces.folders(root):
        if name == "siglip":
            check_whole("SigLIP, spiece.model", folder, whole_hf(folder, reference, 1, SAYINGS), SAYINGS)
        if name == "siglip2":
            check_whole("SigLIP 2, tokenizer.json", folder, whole_hf(folder, reference, 0, SAYINGS), SAYINGS)
        if name in ("t5 canonicalize", "gemma canonicalize"):
            whole_open_clip(name, folder)


def whole_open_clip(name, folder):
    """open_clip's tokenizer with its cleaning, on a text tower of its own."""
    import open_clip
    from safetensors.torch import save_file
    config = open_clip.get_model_config("ViT-B-16-SigLIP2" if "gemma" in name else "ViT-B-16-SigLIP")
    config["text_cfg"] |= dict(layers=2, vocab_size=4000)
    saved = json.loads(json.dumps(config))
    config.pop("custom_text")
    model = open_clip.CustomTextCLIP(**config).eval()
    shake(model)
    with open(os.path.join(folder, "open_clip_config.json"), "w") as f:
        json.dump({"model_cfg": saved, "preprocess_cfg": {"resize_mode": "squash", "mean": 0.5, "std": 0.5}}, f)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, os.path.join(folder, "open_clip_model.safetensors"))
    tokenizer = open_clip.tokenizer.HFTokenizer(folder, context_length=64, clean="canonicalize")
    texts = [t.lower() for t in SAYINGS]
    check_whole("open_clip, " + name, folder, model.encode_text(tokenizer(texts)).numpy(), texts)
    os.remove(os.path.join(folder, "open_clip_config.json"))
    os.remove(os.path.join(folder, "open_clip_model.safetensors"))


# -- transformers ------------------------------------------------------------------------------------------------------

def check_hf(args, name, text, vision, resample=3, binary=False, n=2):
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    folder = os.path.join(args.work, "hf")
    config = SiglipConfig(text_config=text, vision_config=vision)
    model = SiglipModel(config).eval()
    shake(model)
    model.logit_scale.fill_(4.7)
    model.logit_bias.fill_(-12.9)
    model.save_pretrained(folder)
    if binary:
        os.remove(os.path.join(folder, "model.safetensors"))
        torch.save(model.state_dict(), os.path.join(folder, "pytorch_model.bin"))
    side = config.vision_config.image_size
    processor = SiglipImageProcessorPil(size={"height": side, "width": side}, resample=resample)
    processor.save_pretrained(folder)
    vocabulary.write(folder, vocabulary.SMALL)
    encoder = Encoder(folder)
    pixels = np.random.default_rng(1).normal(size=(n, 3, side, side)).astype(np.float32)
    text_features = model.get_text_features(input_ids=ids_of(encoder))
    image_features = model.get_image_features(pixel_values=torch.tensor(pixels))
    t, i = (getattr(x, "pooler_output", x).numpy() for x in (text_features, image_features))
    compare(name + ", texts", encoder.texts(WORDS), t)
    compare(name + ", pictures", encoder.pixels(pixels), i)
    check_pictures(name, encoder, lambda p: processor(p, return_tensors="np")["pixel_values"][0])
    towers.check_pack(args, name, encoder, pixels)
    encoder.close()
    shutil.rmtree(folder)


def run_hf(args):
    def tower(width, heads, hidden, layers, cut=3):
        return dict(hidden_size=width, num_attention_heads=heads, intermediate_size=hidden,
                    num_hidden_layers=layers if args.full else min(layers, cut))
    base, large, so400m = tower(768, 12, 3072, 12), tower(1024, 16, 4096, 24), tower(1152, 16, 4304, 27, 2)
    if args.full:
        so400m["num_hidden_layers"] = 4
    check_hf(args, "transformers B/16-224", base, base)
    check_hf(args, "transformers B/16-224, .bin", base, base, binary=True)
    check_hf(args, "transformers B/16-384", base, base | {"image_size": 384}, n=1)
    check_hf(args, "transformers L/16-256", large, large | {"image_size": 256}, n=1)
    check_hf(args, "transformers so400m-14-384", so400m, so400m | {"image_size": 384, "patch_size": 14}, n=1)
    check_hf(args, "transformers SigLIP2 B/16-256", base | {"vocab_size": 256000}, base | {"image_size": 256}, resample=2)
    odd = dict(hidden_size=48, intermediate_size=100, num_attention_heads=3, num_hidden_layers=2)
    check_hf(args, "transformers odd sizes", odd | {"projection_size": 40, "max_position_embeddings": 16, "vocab_size": 1000,
             "hidden_act": "gelu"}, odd | {"hidden_size": 40, "num_attention_heads": 5, "image_size": 37, "patch_size": 7}, n=9)


# -- open_clip ---------------------------------------------------------------------------------------------------------

def check_open_clip(args, name, interpolation="bicubic", n=2, causal=False):
    import open_clip
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from safetensors.torch import save_file
    folder = os.path.join(args.work, "open_clip")
    os.makedirs(folder)
    config = open_clip.get_model_config(name)
    side = config["vision_cfg"]["image_size"]
    pre = dict(size=side, mean=(0.5,) * 3, std=(0.5,) * 3, interpolation=interpolation, resize_mode="squash")
    if not args.full:
        config["text_cfg"]["layers"] = 3
    config["text_cfg"].pop("tokenizer_kwargs", None)     # of the tokenizer that is not compared here
    saved = json.loads(json.dumps(config))
    config.pop("custom_text")
    model = open_clip.CustomTextCLIP(**config).eval()
    shake(model)
    with open(os.path.join(folder, "open_clip_config.json"), "w") as f:
        json.dump({"model_cfg": saved, "preprocess_cfg": pre}, f)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, os.path.join(folder, "open_clip_model.safetensors"))
    vocabulary.write(folder, vocabulary.SMALL)
    encoder = Encoder(folder)
    pixels = np.random.default_rng(2).normal(size=(n, 3, side, side)).astype(np.float32)
    label = "open_clip " + name
    compare(label + ", texts", encoder.texts(WORDS), model.encode_text(ids_of(encoder, causal)).numpy())
    compare(label + ", pictures", encoder.pixels(pixels), model.encode_image(torch.tensor(pixels)).numpy())
    transform = image_transform_v2(PreprocessCfg(**pre), is_train=False)
    check_pictures(label, encoder, lambda p: transform(p).numpy())
    towers.check_pack(args, label, encoder, pixels)
    encoder.close()
    shutil.rmtree(folder)


def run_open_clip(args):
    check_open_clip(args, "ViT-B-16-SigLIP")
    check_open_clip(args, "ViT-B-32-SigLIP2-256")
    check_open_clip(args, "ViT-B-16-SigLIP2-256", n=1)
    if args.full:
        check_open_clip(args, "ViT-B-16-SigLIP-384", n=1)
        check_open_clip(args, "ViT-L-16-SigLIP-256", n=1)
        check_open_clip(args, "ViT-SO400M-14-SigLIP-384", n=1)


def run_pe(args):
    for name in ("PE-Core-T-16-384", "PE-Core-S-16-384", "PE-Core-B-16", "PE-Core-L-14-336"):
        check_open_clip(args, name, "bilinear", n=1, causal=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--work")
    args = parser.parse_args()
    towers.load_library(args.lib)
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        args.work = work
        for run in (run_whole, run_hf, run_open_clip, run_pe):
            if args.only in run.__name__:
                run(args)
    print(f"{towers.failures} failures")
    return towers.failures > 0


if __name__ == "__main__":
    sys.exit(main())
