# SPDX-License-Identifier: MIT
"""MobileCLIP's towers against open_clip with timm: FastViT pictures, texts without a mask.

    python mobile.py --lib build/libmopd.so [--mopd build/mopd] [--only WORD] [--full] [--work DIR]

Random weights of every shape are written as open_clip's folders, features are compared as in towers.py.  The published
layer scales begin at 1e-5, where a block would hardly show: here they are of the size that training leaves.
--full: the larger ones as well, and all layers of the text towers (default: three)."""
import argparse
import json
import os
import shutil
import sys
import tempfile

import numpy as np
import open_clip
import timm
import torch
from safetensors.torch import save_file

import towers
import vocabulary
from towers import MERGES, V, WORDS, Encoder, compare

SMALL = ("MobileCLIP2-S0", "MobileCLIP-S1", "MobileCLIP2-S2", "MobileCLIP2-B")
LARGE = ("MobileCLIP2-S3", "MobileCLIP2-S4", "MobileCLIP2-L-14")


def shake(model, side):
    """Weights as a training leaves them: norms by what goes through them, layer scales that count."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for name, p in model.named_parameters():
        if name.endswith("gamma"):
            p.uniform_(-0.3, 0.3)
        elif p.ndim == 1:
            p.add_(torch.randn_like(p) * 0.1)
    for m in norms:
        m.weight.uniform_(0.3, 1)
        m.bias.uniform_(-0.3, 0.3)
        m.momentum = 1.0
    model.train().encode_image(torch.rand(2, 3, side, side))
    model.eval()


def check(args, name):
    config = open_clip.get_model_config(name)
    config["text_cfg"]["vocab_size"] = V
    if not args.full:
        config["text_cfg"]["layers"] = 3
    cfg = {k: v for k, v in config.items() if k != "custom_text"}
    model = open_clip.CustomTextCLIP(**cfg).eval()
    side = config["vision_cfg"]["image_size"]
    shake(model, side)
    folder = os.path.join(args.work, "mobile")
    os.makedirs(folder)
    with open(os.path.join(folder, "open_clip_config.json"), "w") as f:
        json.dump({"model_cfg": config, "preprocess_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1], "interpolation": "bilinear",
                                                           "resize_mode": "shortest"}}, f)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, os.path.join(folder, "open_clip_model.safetensors"))
    vocabulary.write(folder, MERGES)
    encoder = Encoder(folder)
    pixels = np.random.default_rng(2).random(size=(3, 3, side, side)).astype(np.float32)
    ids = torch.tensor([towers.pad(encoder.ids(t), config["text_cfg"]["context_length"], 0) for t in WORDS])
    compare(name + ", texts", encoder.texts(WORDS), model.encode_text(ids).numpy())
    compare(name + ", pictures", encoder.pixels(pixels), model.encode_image(torch.tensor(pixels)).numpy())
    towers.check_pack(args, name, encoder, pixels)
    towers.check_command(args, name, folder, encoder)
    encoder.close()
    shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--mopd")
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--work")
    args = parser.parse_args()
    towers.load_library(args.lib)
    print(f"open_clip {open_clip.__version__}, timm {timm.__version__}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        args.work = work
        for name in SMALL + (LARGE if args.full else ()):
            if args.only in name:
                check(args, name)
    print(f"{towers.failures} failures")
    return towers.failures > 0


if __name__ == "__main__":
    sys.exit(main())
