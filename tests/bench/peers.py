# SPDX-License-Identifier: MIT
"""libmopd beside PyTorch, ONNX Runtime, OpenVINO, open_clip and Pillow: same weights, same threads, one process.

    python tests/bench/peers.py --build BUILD [--threads 2] [--rounds 7] [--work DIR] [--only WORD,WORD] [--clock cpu] [--cpu avx2]
                                [--json docs/figures.json]

BUILD holds libmopd.so, the mopd command, bench_gemm and builtin.safetensors.  In every round each side does the same
work once; a ratio compares two times of one round; medians are printed, and between which values half of the rounds
lie.  Results are compared first: a side that computes something else is an error.  Rows: see ROWS at the end.
--json merges them into the file that the pages' tables are made from (record.py, tests/docs/figures.py).
requirements.txt names the peers.  DIR (about 2 GB) is kept for the next time."""
import argparse
import hashlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
warnings.filterwarnings("ignore")

import cpu  # noqa: E402
import record  # noqa: E402


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--work")
    p.add_argument("--only", default="", help="words; rows whose group is one of them")
    p.add_argument("--clock", default="auto", choices=["auto", "wall", "cpu"])
    cpu.add_argument(p)
    record.add_argument(p)
    p.add_argument("--builder-classes", type=int, default=20, help="our sample of the 1,000")
    return p.parse_args()


args = arguments()
work = args.work or os.path.join(tempfile.gettempdir(), "mopd-bench")
cpu.hold(args.cpu, work)
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(args.threads)

import numpy as np  # noqa: E402
import torch  # noqa: E402

import eight  # noqa: E402
import models  # noqa: E402
import ours  # noqa: E402
import timing  # noqa: E402
from timing import Row  # noqa: E402

torch.set_num_threads(args.threads)
torch.set_grad_enabled(False)
clock, clock_name = timing.clock_for(args.threads, args.clock)
rng = np.random.default_rng(1)


# -- peers -------------------------------------------------------------------------------------------------------------

def ort_session(path):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = args.threads, 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ort_run(path):
    session = ort_session(path)
    return lambda x: session.run(None, {"x": x})[0]


def openvino_run(path, precision="f32"):
    import openvino as ov
    options = {"INFERENCE_NUM_THREADS": args.threads, "INFERENCE_PRECISION_HINT": precision,
               "PERFORMANCE_HINT": "LATENCY"}
    model = ov.Core().compile_model(path, "CPU", options)
    return lambda x: model([x])[0]


def torch_run(module):
    return lambda x: module(torch.from_numpy(x)).numpy()


def torch_bf16_run(module):
    """Weights stay float32, products are in bfloat16: what PyTorch calls automatic mixed precision."""
    def run(x):
        with torch.autocast("cpu", torch.bfloat16):
            return module(torch.from_numpy(x)).float().numpy()
    return run


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def agree(name, got, want, cosine=0.99999):
    low = float((unit(got) * unit(want)).sum(-1).min())
    if not low >= cosine:
        raise SystemExit(f"{name}: cosine {low} to the peer's result")


class Clip:
    """One CLIP model on all sides."""
    made = {}

    def __init__(self, patch):
        folder = models.clip_folder(work, patch)
        self.folder, model = folder, models.clip_model(folder)
        self.onnx = models.clip_onnx(folder, model)
        self.packed = os.path.join(folder, "packed.safetensors")
        self.encoder = ours.Encoder(folder, args.threads)
        if not os.path.exists(self.packed):
            self.encoder.pack(self.packed)
        self.images = models.Image(model)
        self.image = {"PyTorch": torch_run(self.images), "ONNX Runtime": ort_run(self.onnx[0]),
                      "OpenVINO": openvino_run(self.onnx[0])}
        self.text = {"PyTorch": torch_run(models.Text(model)), "ONNX Runtime": ort_run(self.onnx[1]),
                     "OpenVINO": openvino_run(self.onnx[1])}

    @staticmethod
    def of(patch):
        if patch not in Clip.made:
            Clip.made[patch] = Clip(patch)
        return Clip.made[patch]


class OpenClip:
    """One model of open_clip's list on all sides."""

    def __init__(self, name):
        self.name = name
        self.folder, self.model = models.open_clip_tower(work, name)
        self.encoder = ours.Encoder(self.folder, args.threads)

    def sides(self, module, example, file):
        path = models.onnx_file(module, example, os.path.join(self.folder, file), {0: "b"})
        return {"PyTorch": torch_run(module), "ONNX Runtime": ort_run(path), "OpenVINO": openvino_run(path)}

    def pictures(self, counts, must, aim):
        side = self.encoder.info.image_size
        peers = self.sides(models.Pictures(self.model), torch.randn(2, 3, side, side), "image.onnx")
        for n in counts:
            x = rng.standard_normal((n, 3, side, side), np.float32)
            yield same_input(f"{self.name}, {n} picture{'s' * (n > 1)}", lambda x=x: self.encoder.pixels(x), peers, x, must=must,
                             aim=aim)

    def texts(self, what, these, length=None, pad=0, **bars):
        """Texts filled up to the length that the tower sees; a causal one need not see more than the longest of them has."""
        ids = [self.encoder.ids(t) for t in these]
        length = length or max(map(len, ids))
        x = np.array([i + [pad] * (length - len(i)) for i in ids], np.int64)
        peers = self.sides(models.Ids(self.model, length), torch.from_numpy(x[:2]), f"text-{length}.onnx")
        yield same_input(f"{self.name}, {what} ({length} tokens)", lambda: self.encoder.texts(these), peers, x, **bars)

    def named(self, n, length):
        """n class names of length(i) words in one template."""
        return [f"a photo of a {x}." for x in names(self.encoder, n, length)]


# -- rows --------------------------------------------------------------------------------------------------------------

def same_input(name, mine, peers, x, cosine=0.99999, **bars):
    """A row whose sides take x; their results must agree."""
    want = mine()
    for peer, call in peers.items():
        agree(f"{name}, {peer}", want, call(x), cosine)
    sides = {"libmopd": mine} | {peer: (lambda call=call: call(x)) for peer, call in peers.items()}
    return Row(name, sides, **bars)


def pictures(patch, n, must, aim):
    clip = Clip.of(patch)
    x = rng.standard_normal((n, 3, 224, 224), np.float32)
    yield same_input(f"ViT-B/{patch}, {n} picture{'s' * (n > 1)}", lambda: clip.encoder.pixels(x), clip.image, x,
                     must=must, aim=aim)


def rows_b16():
    yield from pictures(16, 1, 0.90, 0.75)
    yield from pictures(16, 16, 0.88, 0.78)


def rows_bf16():
    """ONNX Runtime has no bf16 of its own on CPUs."""
    clip = Clip.of(16)
    encoder = ours.Encoder(clip.folder, args.threads, 1)
    peers = {"PyTorch": torch_bf16_run(clip.images), "OpenVINO": openvino_run(clip.onnx[0], "bf16")}
    for n in (1, 16):
        x = rng.standard_normal((n, 3, 224, 224), np.float32)
        agree("bf16 and f32", encoder.pixels(x), clip.encoder.pixels(x), 0.9995)
        yield same_input(f"ViT-B/16 bf16, {n} picture{'s' * (n > 1)}", lambda x=x: encoder.pixels(x), peers, x, 0.999,
                         must=1.0, aim=0.8)
    encoder.close()


def rows_b32():
    yield from pictures(32, 1, 0.92, 0.75)
    yield from pictures(32, 16, 0.92, 0.75)


def names(encoder, n, length):
    """n different names, the i-th of length(i) common words of one token each."""
    words = [w for w in ("red blue green black white small large old new big little long short young fine open early "
                         "late cat dog bird fish horse house tree river road car train boat table chair book door wall "
                         "garden kitchen window flower apple bread milk coffee paper glass stone water fire").split()
             if len(encoder.ids(w)) == 3]
    made = [" ".join(words[(i * 7 + j * (11 + i % 5)) % len(words)] for j in range(length(i))) for i in range(9 * n)]
    return list(dict.fromkeys(made))[:n]


def texts(name, these, **bars):
    clip = Clip.of(16)
    ids = [clip.encoder.ids(t) for t in these]
    longest = max(map(len, ids))
    x = np.array([i + [49407] * (longest - len(i)) for i in ids], np.int64)
    name = f"{name} ({longest} tokens)"
    return same_input(name, lambda: clip.encoder.texts(these), clip.text, x, **bars)


def rows_text():
    encoder = Clip.of(16).encoder
    for what, length in (("5", lambda i: 5), ("1 to 3", lambda i: 1 + i % 3)):
        these = [f"a photo of a {n}." for n in names(encoder, 64, length)]
        yield texts(f"64 class names of {what} words in one template", these, must=0.50, aim=0.35)
    yield texts("1 text", ["a photo of a cat."])
    yield texts("1 long text", [" ".join(["cat"] * 75)])


def rows_builder():
    import open_clip
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES, OPENAI_IMAGENET_TEMPLATES
    folder, model = models.open_clip_folder(work)
    encoder = ours.Encoder(folder, args.threads)
    tokenizer = open_clip.get_tokenizer("ViT-B-16")
    templates = [t("{}") for t in OPENAI_IMAGENET_TEMPLATES]
    mine, few = IMAGENET_CLASSNAMES[::1000 // args.builder_classes], IMAGENET_CLASSNAMES[100:102]

    def builder():
        return open_clip.build_zero_shot_classifier(model, tokenizer, few, OPENAI_IMAGENET_TEMPLATES, 10).numpy().T

    agree("classifier", encoder.bank(few, templates), builder())
    yield Row("1,000 classes in 80 templates each",
              {"libmopd": lambda: encoder.bank(mine, templates), "open_clip": builder}, 1 / 15, 1 / 30,
              {"libmopd": 1000 / len(mine), "open_clip": 1000 / len(few)}, rounds=3,
              note=f"{len(mine)} of the 1,000 classes timed for libmopd, {len(few)} for the other side")
    encoder.close()


def lite_onnx(path):
    """The tower of the built-in model as PyTorch has it, and as a file for other engines."""
    net = models.Lite(path)
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()[:16]
    return net, models.onnx_file(net, torch.rand(2, 3, 224, 224), os.path.join(work, f"lite0-{digest}.onnx"), {0: "b"})


def rows_lite():
    path = os.path.join(args.build, "builtin.safetensors")
    encoder, (net, onnx) = ours.Encoder(path, args.threads), lite_onnx(path)
    peers = {"ONNX Runtime": ort_run(onnx), "OpenVINO": openvino_run(onnx)}
    for n in (1, 16):
        x = rng.uniform(-1, 1, (n, 3, 224, 224)).astype(np.float32)
        agree("Lite0, PyTorch", encoder.pixels(x), torch_run(net)(x))
        row = same_input(f"EfficientNet-Lite0, {n} picture{'s' * (n > 1)}", lambda x=x: encoder.pixels(x), peers, x,
                         must=1.0, aim=0.7)
        row.rounds, row.against = 3 * args.rounds, "ONNX Runtime"
        yield row
    encoder.close()


def same_input_in_8(name, encoders, onnx, x, call, **bars):
    """A row in 8 bits: ours, our f32 in the same rounds, and what others do without data.  encoders: int8, f32; call(encoder, x).
    The note has the least cosine of each to our f32."""
    want = call(encoders[1], x)
    sides = {"libmopd": lambda: call(encoders[0], x), "libmopd f32": lambda: call(encoders[1], x)}
    for peer, run in (("ONNX Runtime", ort_run(eight.onnx_int8(onnx))), ("OpenVINO", eight.openvino_int8_run(onnx, args.threads))):
        sides[peer] = lambda run=run: run(x)
    cosines = {side: float((unit(work()) * unit(want)).sum(-1).min()) for side, work in sides.items() if side != "libmopd f32"}
    if not min(cosines.values()) > 0.95:
        raise SystemExit(f"{name}: cosines {cosines} to f32")
    return Row(name, sides, note=", ".join(f"{c:.4f}" for c in cosines.values()), **bars)


def rows_int8():
    for patch in (16, 32):
        clip = Clip.of(patch)
        encoders = ours.Encoder(clip.folder, args.threads, 3), clip.encoder
        for n in (1, 16):
            x = rng.standard_normal((n, 3, 224, 224), np.float32)
            yield same_input_in_8(f"ViT-B/{patch} int8, {n} picture{'s' * (n > 1)}", encoders, clip.onnx[0], x,
                                  ours.Encoder.pixels, must=0.90, aim=0.70)
        if patch == 16:
            yield texts_in_8(clip, encoders)
        encoders[0].close()
    yield from lite_in_8()


def texts_in_8(clip, encoders):
    these = [f"a photo of a {n}." for n in names(clip.encoder, 64, lambda i: 5)]
    ids = [clip.encoder.ids(t) for t in these]
    longest = max(map(len, ids))
    x = np.array([i + [49407] * (longest - len(i)) for i in ids], np.int64)
    return same_input_in_8(f"64 class names of 5 words in one template ({longest} tokens), int8", encoders, clip.onnx[1], x,
                           lambda encoder, _: encoder.texts(these), must=0.90, aim=0.70)


def lite_in_8():
    path = os.path.join(args.build, "builtin.safetensors")
    encoders, onnx = [ours.Encoder(path, args.threads, p) for p in (3, 0)], lite_onnx(path)[1]
    for n in (1, 16):
        x = rng.uniform(-1, 1, (n, 3, 224, 224)).astype(np.float32)
        yield same_input_in_8(f"EfficientNet-Lite0 int8, {n} picture{'s' * (n > 1)}", encoders, onnx, x, ours.Encoder.pixels,
                              must=0.90, aim=0.70)
    for encoder in encoders:
        encoder.close()


def peak_of(*words):
    return int(subprocess.check_output([sys.executable, os.path.join(HERE, "eight.py"), *words]))


def rows_int8size():
    """A file and a process of ViT-B/16 in 8 bits; the other side's are the picture's tower alone, without texts."""
    clip = Clip.of(16)
    path, onnx = os.path.join(clip.folder, "packed-i8.safetensors"), eight.onnx_int8(clip.onnx[0])
    subprocess.check_call([os.path.join(args.build, "mopd"), "pack", "-m", clip.folder, "--dtype", "i8", "-o", path])
    both = onnx, eight.onnx_int8(clip.onnx[1])
    yield said(record.single("file of ViT-B/16 in int8", "int8size", "MB", {
        "libmopd": os.path.getsize(path) / 1e6, "ONNX Runtime": sum(map(os.path.getsize, both)) / 1e6}, 1.0, 0.9))
    library = os.path.join(args.build, "libmopd.so")
    yield said(record.single("peak memory of a process that encodes one picture by ViT-B/16 in int8", "int8size", "MB", {
        "libmopd": peak_of("ours", library, path) / 1e6, "ONNX Runtime": peak_of("onnx", onnx) / 1e6}, 1.0, 0.9))
    os.remove(path)


def rows_threads():
    clip = Clip.of(16)
    alone = ours.Encoder(clip.folder, 1)
    x = rng.standard_normal((8, 3, 224, 224), np.float32)
    if not np.array_equal(alone.pixels(x), clip.encoder.pixels(x)):
        raise SystemExit("one thread and more give other bits")
    yield Row(f"ViT-B/16, 8 pictures, {args.threads} threads against 1", {"libmopd": lambda: clip.encoder.pixels(x),
              "1 thread": lambda: alone.pixels(x)}, 1 / 1.8, 1 / 1.95)
    alone.close()


def drawn(path, width, height):
    """A picture with detail of all sizes, as photographs have."""
    from PIL import Image
    total = np.zeros((height, width, 3), np.float32)
    side = 4
    while side < max(width, height):
        grid = rng.standard_normal((max(2, side * height // width), side, 3)).astype(np.float32)
        for c in range(3):
            plane = Image.fromarray(grid[:, :, c]).resize((width, height), Image.Resampling.BICUBIC)
            total[:, :, c] += np.asarray(plane) / side ** 0.5
        side *= 3
    low, high = np.percentile(total, (1, 99))
    Image.fromarray(np.clip((total - low) / (high - low) * 255, 0, 255).astype(np.uint8)).save(path, quality=90)


MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def pillow_pixels(path):
    from PIL import Image
    with Image.open(path) as image:
        image = image.convert("RGB")
    w, h = image.size
    w, h = (224, int(224 * h / w)) if w <= h else (int(224 * w / h), 224)
    image = image.resize((w, h), Image.Resampling.BICUBIC)
    left, top = (w - 224) // 2, (h - 224) // 2
    x = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32)
    x *= np.float32(1 / 255)
    x -= MEAN
    x /= STD
    return np.ascontiguousarray(x.transpose(2, 0, 1))


def rows_jpeg():
    encoder = ours.Encoder(models.clip_folder(work, 32), args.threads)
    for name, size, must, aim in (("640 x 480", (640, 480), 0.8, 0.5), ("12-megapixel", (4000, 3000), 0.7, 0.4)):
        path = os.path.join(work, f"{size[0]}.jpg")
        if not os.path.exists(path):
            drawn(path, *size)
        off = np.abs(encoder.file_pixels(path) - pillow_pixels(path)).max()
        if off > 1e-5:
            raise SystemExit(f"{name}: a pixel differs by {off}")
        yield Row(f"{name} JPEG to tensor", {"libmopd": lambda path=path: encoder.file_pixels(path),
                  "Pillow": lambda path=path: pillow_pixels(path)}, must, aim, rounds=3 * args.rounds)
    encoder.close()


def warm(*paths):
    for path in paths:
        with open(path, "rb") as f:
            while f.read(1 << 22):
                pass


def rows_open():
    clip = Clip.of(32)
    warm(clip.packed, *clip.onnx)
    x = rng.standard_normal((1, 3, 224, 224), np.float32)

    def mine(first):
        encoder = ours.Encoder(clip.packed, args.threads)
        if first:
            encoder.pixels(x)
        encoder.close()

    yield Row("open a cached ViT-B/32 model", {"libmopd": lambda: mine(False),
              "ONNX Runtime": lambda: [ort_session(p) for p in clip.onnx]}, 1 / 10, 1 / 30, rounds=3)
    yield Row("open it and encode the first picture", {"libmopd": lambda: mine(True),
              "ONNX Runtime": lambda: ort_session(clip.onnx[0]).run(None, {"x": x})}, rounds=3)
    yield from rows_panels(clip, x)


def rows_panels(clip, x):
    """What a process of one picture pays beside the picture."""
    path = os.path.join(work, "panels.safetensors")
    encoder = ours.Encoder(clip.packed, args.threads)
    encoder.pack(path, panels=True)
    encoder.pixels(x)

    def first():
        opened = ours.Encoder(path, args.threads)
        opened.pixels(x)
        opened.close()

    yield Row("open a ViT-B/32 in panels and encode the first picture", {"libmopd": first,
              "the picture alone": lambda: encoder.pixels(x)}, 1.5, 1.15)
    encoder.close()
    os.remove(path)


# -- what is not a time against a peer's time --------------------------------------------------------------------------

def said(row):
    """Prints a row of single measurements as timing.line does, and hands it on."""
    (mine, theirs), unit = row["sides"].items(), row["unit"]
    share = row["ratios"][theirs[0]]["median"]
    better = (lambda bar: share >= bar) if unit == "GFLOP/s" else (lambda bar: share <= bar)
    kept = "aim" if better(row["aim"]) else "must" if better(row["must"]) else "missed"
    print(f"| {row['name']} | {mine[1]['median']} {unit} | {theirs[0]} {theirs[1]['median']} {unit} | {share:.3f} "
          f"| {row['must']} | {row['aim']} | {kept} |", flush=True)
    return row


def rows_memory():
    """Peak memory of `mopd classify`, over the size of the model file.  In a process of its own started by a small one:
    a child's peak as the kernel counts it starts from its parent's."""
    folder = models.clip_folder(work, 32)
    path = os.path.join(work, "640.jpg")
    if not os.path.exists(path):
        drawn(path, 640, 480)
    small = ("import os, subprocess, sys; c = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL); "
             "_, s, u = os.wait4(c.pid, 0); print(u.ru_maxrss); sys.exit(s != 0)")
    for name, model in (("directory", folder), ("packed file", os.path.join(folder, "packed.safetensors"))):
        if not os.path.exists(model):
            continue
        size = os.path.getsize(model if os.path.isfile(model) else os.path.join(folder, "model.safetensors"))
        command = [os.path.join(args.build, "mopd"), "classify", "-m", model, "--classes", "cat,dog,bicycle", path]
        peak = int(subprocess.check_output([sys.executable, "-c", small, *command])) * 1024
        yield said(record.single(f"peak memory of one ViT-B/32 classification, {name}", "memory", "MB",
                                 {"libmopd": peak / 1e6, "model file": size / 1e6}, 1.15, 1.05))


def rows_gemm():
    """bench_gemm on one thread: B/16's shapes (197 rows), ours over BLIS with the kernels of this CPU's features."""
    program = os.path.join(args.build, "bench_gemm")
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        wide = args.cpu == "all" and "avx512f" in f.read()
    # BLIS tells CPUs by their models and takes a guest's for a smaller one: 0 is its skx, 3 its haswell set.
    environment = {"BLIS_ARCH_TYPE": "0" if wide else "3"} | os.environ
    text = subprocess.check_output([program, "1", "7"], text=True, env=environment)
    got = re.findall(r"^ *197 x +(\d+) x +(\d+) +([\d.]+) +([\d.]+) +([\d.]+)$", text, re.M)
    work_of = [int(n) * int(k) for n, k, *_ in got]
    mine, blis = [sum(work_of) / sum(w / float(g[i]) for w, g in zip(work_of, got)) for i in (2, 3)]
    yield said(record.single("matrix products of ViT-B/16, 1 thread", "gemm", "GFLOP/s",
                             {"libmopd": mine, "BLIS": blis}, 0.85, 0.95))


def tower_share(row):
    """The rate of the whole tower: 16.35 G multiply-adds a picture at B/16, 4.11 at B/32; the last block makes class rows only."""
    found = re.match(r"ViT-B/(16|32), (\d+) picture", row.name)
    if found:
        gflop = 2 * {"16": 16.35, "32": 4.11}[found[1]] * int(found[2])
        return f" {row.name}: {gflop / statistics.median(row.times['libmopd']):.0f} GFLOP/s over the whole tower."
    return ""


def rows_siglip():
    model = OpenClip("ViT-B-16-SigLIP")
    yield from model.pictures((1, 16), 0.90, 0.75)
    these = model.named(64, lambda i: 1 + i % 3)
    yield from model.texts("64 texts", these, 64, model.encoder.pad(), must=0.95, aim=0.80)


def rows_pe():
    model = OpenClip("PE-Core-B-16")
    yield from model.pictures((1, 16), 0.90, 0.75)
    yield from model.texts("64 class names of 5 words in one template", model.named(64, lambda i: 5), must=0.50, aim=0.35)


def rows_resnet():
    for name in ("RN50", "RN101"):
        yield from OpenClip(name).pictures((1, 16), 1.0, 0.8)


def rows_mobile():
    yield from OpenClip("MobileCLIP2-S0").pictures((1, 16), 1.0, 0.8)


def prompt_step(encoder):
    """A step of learning a prompt for ten classes from 32 cached pictures."""
    templates = ["a photo of a {}.", "a picture of a {}.", "an image of a {}.", "a good photo of a {}."]
    trainer = ours.Trainer(encoder, names(encoder, 10, lambda i: 1 + i % 3), templates, 32)
    features = unit(rng.standard_normal((32, encoder.info.dim), np.float32))
    labels = (np.arange(32) % 10).astype(np.int32)
    return lambda: trainer.step(features, labels)


def rows_soft():
    """What a text tower without a mask costs: SigLIP's beside CLIP's, both ours."""
    siglip, clip = OpenClip("ViT-B-16-SigLIP"), Clip.of(16)
    yield Row("a step of learning prompts for ten classes, SigLIP B/16 beside CLIP B/16",
              {"libmopd": prompt_step(siglip.encoder), "CLIP B/16": prompt_step(clip.encoder)})


ROWS = {"b32": rows_b32, "b16": rows_b16, "bf16": rows_bf16, "text": rows_text, "siglip": rows_siglip, "pe": rows_pe,
        "resnet": rows_resnet, "mobile": rows_mobile, "soft": rows_soft, "builder": rows_builder, "lite": rows_lite, "int8": rows_int8,
        "int8size": rows_int8size, "threads": rows_threads,
        "jpeg": rows_jpeg, "open": rows_open, "memory": rows_memory, "gemm": rows_gemm}


def measured(group, rows, found):
    """Measures and prints the rows of a group; what they say of the whole tower's rate."""
    rates = ""
    for row in rows():
        if isinstance(row, Row):
            print(timing.line(timing.run(row, args.rounds, clock)), flush=True)
            rates += tower_share(row)
            row = record.row(row, group)
        found.append(row)
    return rates


def main():
    os.makedirs(work, exist_ok=True)
    ours.load(os.path.join(args.build, "libmopd.so"))
    cpu.check(args.cpu, ours.build_info())
    only = [w for w in args.only.split(",") if w]
    rates, found = "", []
    print(f"{timing.machine(args.threads, clock_name)}\n{ours.build_info()}\n\n{timing.HEAD}", flush=True)
    for group, rows in ROWS.items():
        if only and group not in only or group == "threads" and args.threads == 1:
            continue
        rates += measured(group, rows, found)
        if args.json:  # after each group: what is measured is kept whatever comes later
            record.merge(args.json, args, clock_name, ours.build_info(), found)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}.{rates}")


if __name__ == "__main__":
    main()
