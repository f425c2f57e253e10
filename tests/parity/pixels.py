#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Decoding and preprocessing against Pillow, transformers and open_clip.

    pixels.py --mopd build/mopd --library build/libmopd.so [--pictures DIR] [--count 200]

Checks, on odd files made by pictures.py and on COUNT pictures of DIR:
  * mopd_image_open       = Image.open(f).convert("RGB"), every byte
  * mopd preprocess -m M  = CLIPImageProcessorPil of M: bytes before rescaling identical, floats within 1e-6
  * the same on an open_clip directory = open_clip's own transform
M are tiny random models that the script makes.  Pillow 13.0 or later: earlier ones resize tall pictures
in another order.  JPEG agrees for Pillow's bundled libjpeg-turbo 3.2 and Debian's 2.1.5; where another one
does not, use Debian's python3-pil.

    pixels.py --gold tests/gold/pixels    writes the small files that the C tests read, with Pillow's answers
"""
import argparse
import ctypes
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from PIL import Image

import pictures

warnings.simplefilter("ignore")


def all_odd():
    out = {f"png-{k}.png": v for k, v in pictures.odd_pngs().items()}
    out.update({f"{k}.png": v for k, v in pictures.odd_sizes().items()})
    out.update({f"jpeg-{k}.jpg": v for k, v in pictures.odd_jpegs().items()})
    return out


class Library:
    """mopd_image_open through ctypes."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(str(path))
        self.lib.mopd_image_open.argtypes = [
            ctypes.POINTER(ctypes.c_void_p), ctypes.c_char_p, ctypes.c_void_p]
        self.lib.mopd_image_samples.argtypes = [ctypes.c_void_p]
        self.lib.mopd_image_samples.restype = ctypes.POINTER(ctypes.c_uint8)
        for f in (self.lib.mopd_image_width, self.lib.mopd_image_height):
            f.argtypes = [ctypes.c_void_p]
            f.restype = ctypes.c_size_t
        self.lib.mopd_image_close.argtypes = [ctypes.c_void_p]
        self.lib.mopd_last_error.restype = ctypes.c_char_p

    def decode(self, path):
        image = ctypes.c_void_p()
        if self.lib.mopd_image_open(ctypes.byref(image), str(path).encode(), None):
            raise OSError(self.lib.mopd_last_error().decode())
        shape = self.lib.mopd_image_height(image), self.lib.mopd_image_width(image), 3
        samples = np.ctypeslib.as_array(self.lib.mopd_image_samples(image), shape).copy()
        self.lib.mopd_image_close(image)
        return samples


def write_tokenizer(folder):
    """CLIP's byte alphabet and nothing merged."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode
    letters = list(bytes_to_unicode().values())
    words = letters + [c + "</w>" for c in letters] + ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return len(words)


def make_hf(folder, **settings):
    """A random CLIP of a few thousand weights with transformers; returns its processor."""
    import torch
    from transformers import CLIPConfig, CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    folder.mkdir()
    n = write_tokenizer(folder)
    processor = CLIPImageProcessorPil(**settings)
    side = processor.crop_size["height"] if processor.do_center_crop else processor.size["height"]
    small = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2)
    torch.manual_seed(1)
    config = CLIPConfig(projection_dim=16, text_config=dict(small, vocab_size=n, max_position_embeddings=16,
        bos_token_id=n - 2, eos_token_id=n - 1, pad_token_id=n - 1),
        vision_config=dict(small, image_size=side, patch_size=side // 2))
    CLIPModel(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return processor


def make_open_clip(folder, **settings):
    """A random open_clip model of one layer; returns its test transform."""
    import open_clip
    import torch
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from safetensors.torch import save_file
    folder.mkdir()
    n = write_tokenizer(folder)
    torch.manual_seed(1)
    model = dict(embed_dim=16, vision_cfg=dict(image_size=settings["size"], layers=1, width=64, head_width=32,
        patch_size=settings["size"] // 2), text_cfg=dict(context_length=16, vocab_size=n, width=16, heads=2,
        layers=1))
    weights = open_clip.CLIP(**model).state_dict()
    save_file({k: v.contiguous() for k, v in weights.items()}, folder / "open_clip_model.safetensors")
    config = {"model_cfg": model, "preprocess_cfg": settings}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return image_transform_v2(PreprocessCfg(**settings), is_train=False)


def run_mopd(mopd, model, picture, out):
    words = [mopd, "preprocess", "-m", model, picture, "-o", out]
    call = subprocess.run(words, capture_output=True, text=True)
    if call.returncode:
        raise OSError(call.stderr.strip())
    return np.load(out)


def bytes_of(pixels, mean, std, scale=1 / 255):
    """The 8-bit picture that these floats came from."""
    shape = (3, 1, 1)
    values = pixels.astype(np.float64) * np.reshape(std, shape) + np.reshape(mean, shape)
    return np.rint(values / scale).astype(int)


class Count:
    def __init__(self, name):
        self.name, self.n, self.bad, self.worst = name, 0, [], 0.0

    def add(self, what, same, distance=0.0):
        self.n += 1
        self.worst = max(self.worst, distance)
        if not same:
            self.bad.append(what)

    def show(self):
        agree = self.n - len(self.bad)
        print(f"{self.name}: {agree} of {self.n} agree, largest float difference {self.worst:.3g}")
        for what in self.bad[:20]:
            print("   differs:", what)
        return not self.bad


def check_decoding(library, files):
    count = Count("decoded bytes")
    for path in files:
        ours = library.decode(path)
        theirs = np.asarray(Image.open(path).convert("RGB"))
        count.add(path.name, ours.shape == theirs.shape and bool((ours == theirs).all()))
    return count.show()


def check_hf(mopd, scratch, files, name, **settings):
    count = Count(f"transformers {name}")
    processor = make_hf(scratch / name, **settings)
    for path in files:
        try:
            theirs = np.asarray(processor(Image.open(path), return_tensors="np")["pixel_values"][0])
        except (ValueError, MemoryError):
            continue
        ours = run_mopd(mopd, scratch / name, path, scratch / "out.npy")
        mean, std = processor.image_mean, processor.image_std
        same = ours.shape == theirs.shape and (bytes_of(ours, mean, std) == bytes_of(theirs, mean, std)).all()
        far = float(np.abs(ours - theirs).max()) if ours.shape == theirs.shape else np.inf
        count.add(f"{path.name} ({far:.3g})", same and far <= 1e-6, far)
    return count.show()


def check_open_clip(mopd, scratch, files, name, **settings):
    count = Count(f"open_clip {name}")
    transform = make_open_clip(scratch / name, **settings)
    for path in files:
        try:
            theirs = transform(Image.open(path).convert("RGB")).numpy()
        except (ValueError, MemoryError):
            continue
        ours = run_mopd(mopd, scratch / name, path, scratch / "out.npy")
        far = float(np.abs(ours - theirs).max()) if ours.shape == theirs.shape else np.inf
        count.add(f"{path.name} ({far:.3g})", far <= 1e-6, far)
    return count.show()


def check(args):
    good = True
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        for file, data in all_odd().items():
            (scratch / file).write_bytes(data)
        files = sorted(scratch.iterdir())
        if args.pictures:
            kinds = (".jpg", ".jpeg", ".png")
            found = sorted(p for p in pathlib.Path(args.pictures).rglob("*") if p.suffix in kinds)
            files += random.Random(1).sample(found, min(args.count, len(found)))
        if args.library:
            good &= check_decoding(Library(args.library), files)
        if args.mopd:
            odd = files[:len(files) - min(args.count, len(files))] if args.pictures else files
            good &= check_hf(args.mopd, scratch, files, "hf")
            good &= check_hf(args.mopd, scratch, odd, "hf-pad", size={"shortest_edge": 60},
                             crop_size={"height": 96, "width": 96}, resample=2)
            good &= check_hf(args.mopd, scratch, odd, "hf-square", size={"height": 64, "width": 64},
                             do_center_crop=False, resample=1)
            good &= check_open_clip(args.mopd, scratch, files, "openclip", size=224)
            good &= check_open_clip(args.mopd, scratch, odd, "openclip-squash", size=64, resize_mode="squash",
                                    interpolation="bilinear", mean=[0.5] * 3, std=[0.5] * 3)
            good &= check_open_clip(args.mopd, scratch, odd, "openclip-longest", size=64,
                                    resize_mode="longest", fill_color=7)
    return 0 if good else 1


def sha(array):
    """The first 16 digits of SHA-256."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


GOLD_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


def gold(folder):
    """Small files and answers.txt: 'decode FILE w h sha(rgb)', 'resize FILE filter w h sha',
    'clip FILE side sha(float)', 'openai FILE side sha(float)'."""
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{k}.png": v for k, v in pictures.odd_pngs((7, 11)).items()}
    files.update({f"{k}.jpg": v for k, v in pictures.odd_jpegs((15, 22)).items()})
    files["drawn.png"] = pictures.png(pictures.drawn(41, 61, 9), 8, 2)
    files["tall.png"] = pictures.png(pictures.drawn(97, 21, 11), 8, 2)
    files["strip.png"] = pictures.png(pictures.drawn(1, 300, 10), 8, 2)
    lines = []
    for name, data in sorted(files.items()):
        path = folder / name
        path.write_bytes(data)
        image = Image.open(path)
        rgb = image.convert("RGB")
        lines.append(f"decode {name} {rgb.width} {rgb.height} {sha(np.asarray(rgb))}")
        for side in (32, 9):
            square = {"height": side, "width": side}
            clip = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size=square)
            pixels = clip(Image.open(path), return_tensors="np")["pixel_values"][0]
            lines.append(f"clip {name} {side} {sha(pixels)}")
            plain = image_transform_v2(PreprocessCfg(size=side), is_train=False)
            lines.append(f"openai {name} {side} {sha(plain(rgb).numpy())}")
    for name in ("drawn.png", "tall.png", "strip.png"):
        image = Image.open(folder / name)
        for filter, word in GOLD_FILTERS.items():
            for w, h in ((20, 13), (61, 10), (17, 41), (150, 97), (1, 1), (3, 200), (333, 2)):
                resized = np.asarray(image.resize((w, h), filter))
                lines.append(f"resize {name} {filter} {w} {h} {sha(resized)}")
    (folder / "answers.txt").write_text("\n".join(lines) + "\n")
    return 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mopd")
    parser.add_argument("--library")
    parser.add_argument("--pictures")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--gold", type=pathlib.Path)
    args = parser.parse_args()
    return gold(args.gold) if args.gold else check(args)


if __name__ == "__main__":
    sys.exit(main())
