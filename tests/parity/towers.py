# SPDX-License-Identifier: MIT
"""Image and text features against PyTorch: transformers, open_clip, EfficientNet-Lite, OpenAI checkpoints.

    python towers.py --lib build/libmopd.so [--mopd build/mopd] [--only WORD] [--full] [--work DIR] [--locked DIR]

Random weights of every shape are written as the layouts libmopd opens, features are compared: cosine >= 0.999999,
largest difference <= 2e-5 (both of rows of length 1).  --full: all layers of B/32, B/16 and L/14 (default: 3 of them).
--locked: a folder with the locked-tower model and its EfficientNet file; without it that check is left out.
With --mopd the same features are also asked of the command."""
import argparse
import ctypes
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
import vocabulary

torch.manual_seed(7)
torch.set_num_threads(2)
torch.set_grad_enabled(False)

WORDS = ["a photo of a cat.", "a photo of a dog.", "a photo of a", "", "The quick brown fox, jumping over 13 lazy dogs!",
         "a bad photo of the sea anemone", "caf\u00e9 \u732b \U0001f600", "x"]


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("precision", ctypes.c_int32),
                ("n_threads", ctypes.c_uint32)]


class Info(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("dim", ctypes.c_uint32), ("text_width", ctypes.c_uint32),
                ("context_length", ctypes.c_uint32), ("vocab_size", ctypes.c_uint32), ("image_size", ctypes.c_uint32),
                ("n_threads", ctypes.c_uint32), ("precision", ctypes.c_int32), ("logit_scale", ctypes.c_float),
                ("recommended_lr", ctypes.c_float), ("n_parameters", ctypes.c_uint64), ("weight_bytes", ctypes.c_uint64)]


class Encoder:
    """The few calls of libmopd this script needs."""
    lib = None

    def __init__(self, path, threads=2, precision=2):
        self.handle = ctypes.c_void_p()
        options = Options(16, 2, precision, threads)
        self.call("mopd_encoder_open", ctypes.byref(self.handle), os.fsencode(path), ctypes.byref(options))
        self.info = Info(ctypes.sizeof(Info))
        self.call("mopd_encoder_get_info", self.handle, ctypes.byref(self.info))

    def call(self, name, *args):
        if getattr(self.lib, name)(*args) != 0:
            raise RuntimeError(self.lib.mopd_last_error().decode())

    def texts(self, texts):
        out = np.empty((len(texts), self.info.dim), np.float32)
        array = (ctypes.c_char_p * len(texts))(*[t.encode() for t in texts])
        self.call("mopd_encoder_encode_texts", self.handle, array, ctypes.c_size_t(len(texts)), out.ctypes.data_as(ctypes.c_void_p))
        return out

    def pixels(self, x):
        x = np.ascontiguousarray(x, np.float32)
        out = np.empty((len(x), self.info.dim), np.float32)
        self.call("mopd_encoder_encode_pixels", self.handle, x.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(x)),
                  out.ctypes.data_as(ctypes.c_void_p))
        return out

    def ids(self, text):
        ids, n = ctypes.POINTER(ctypes.c_uint32)(), ctypes.c_size_t()
        self.call("mopd_encoder_tokenize", self.handle, text.encode(), ctypes.byref(ids), ctypes.byref(n))
        out = list(ids[:n.value])
        self.lib.mopd_free(ids)
        return out

    def pack(self, path, dtype):
        self.call("mopd_encoder_pack", self.handle, os.fsencode(path), ctypes.c_int32(dtype))

    def fingerprint(self):
        return self.lib.mopd_encoder_fingerprint(self.handle).decode()

    def close(self):
        self.lib.mopd_encoder_close(self.handle)


def load_library(path):
    lib = ctypes.CDLL(path)
    lib.mopd_last_error.restype = ctypes.c_char_p
    lib.mopd_encoder_fingerprint.restype = ctypes.c_char_p
    lib.mopd_encoder_fingerprint.argtypes = [ctypes.c_void_p]
    lib.mopd_free.argtypes = [ctypes.c_void_p]
    lib.mopd_encoder_close.argtypes = [ctypes.c_void_p]
    Encoder.lib = lib


MERGES = vocabulary.SMALL
V = len(vocabulary.words(MERGES))


# -- comparing ---------------------------------------------------------------------------------------------------------

failures = 0


def unit(x):
    x = np.asarray(x, np.float64)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def compare(name, got, want, cosine=0.999999, largest=2e-5):
    global failures
    want = unit(want)
    cos = float((unit(got) * want).sum(-1).min())
    diff = float(np.abs(got.astype(np.float64) - want).max())
    good = cos >= cosine and diff <= largest
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'} {name:58s} cosine {cos:.9f}  largest difference {diff:.2e}", flush=True)


def pad(ids, length, end):
    return ids + [end] * (length - len(ids))


# -- transformers ------------------------------------------------------------------------------------------------------

def hf_model(text, vision, dim):
    from transformers import CLIPConfig, CLIPModel
    text = dict(vocab_size=V, bos_token_id=V - 2, eos_token_id=V - 1, pad_token_id=V - 1) | text
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=dim)).eval()
    for p in model.parameters():             # transformers' start is so small that features hardly differ
        if p.ndim > 1:
            p.normal_(0, 0.6 / p[0].numel() ** 0.5)
        elif p.ndim == 1:
            p.add_(torch.randn_like(p) * 0.1)
    return model


def hf_save(model, folder, side, dtype=torch.float32, shard=None):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    os.makedirs(folder, exist_ok=True)
    copy = model.to(dtype)
    copy.save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))
    CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side}).save_pretrained(folder)
    vocabulary.write(folder, MERGES)
    return copy.float()


def hf_features(model, encoder, pixels):
    end = V - 1
    ids = [encoder.ids(t) for t in WORDS]
    longest = max(map(len, ids))
    tokens = torch.tensor([pad(i, longest, end) for i in ids])
    text = model.text_projection(model.text_model(input_ids=tokens).pooler_output)
    image = model.visual_projection(model.vision_model(pixel_values=torch.tensor(pixels)).pooler_output)
    return text.numpy(), image.numpy()


def check_hf(args, name, text, vision, dim, n=3, dtype=torch.float32, shard=None):
    folder = os.path.join(args.work, name)
    side = vision.get("image_size", 224)
    model = hf_save(hf_model(text, vision, dim), folder, side, dtype, shard)
    pixels = np.random.default_rng(1).normal(size=(n, 3, side, side)).astype(np.float32)
    encoder = Encoder(folder)
    t, i = hf_features(model, encoder, pixels)
    compare(name + ", texts", encoder.texts(WORDS), t)
    compare(name + ", pictures", encoder.pixels(pixels), i)
    check_pack(args, name, encoder, pixels)
    check_command(args, name, folder, encoder)
    encoder.close()
    shutil.rmtree(folder)


def check_pack(args, name, encoder, pixels):
    """A packed f32 file gives the same bits and the same fingerprint; in bf16, features near those of f32."""
    global failures
    path = os.path.join(args.work, "packed.safetensors")
    encoder.pack(path, 0)
    packed = Encoder(path, threads=1)
    same = (np.array_equal(packed.texts(WORDS), encoder.texts(WORDS)) and
            np.array_equal(packed.pixels(pixels), encoder.pixels(pixels)) and
            packed.fingerprint() == encoder.fingerprint())
    packed.close()
    reduced = Encoder(path, precision=1)
    compare(name + ", bf16, texts", reduced.texts(WORDS), encoder.texts(WORDS), 0.9995, 1)
    compare(name + ", bf16, pictures", reduced.pixels(pixels), encoder.pixels(pixels), 0.9995, 1)
    reduced.close()
    os.remove(path)
    failures += not same
    print(f"{'ok  ' if same else 'FAIL'} {name + ', packed: same bits, same fingerprint'}", flush=True)


def check_command(args, name, folder, encoder):
    global failures
    if not args.mopd:
        return
    out = os.path.join(args.work, "out.npy")
    words = [w for w in WORDS if w]
    subprocess.run([args.mopd, "encode", "-m", folder, "--quiet", "-o", out, "--text"] + words, check=True)
    same = np.array_equal(np.load(out), encoder.texts(words))
    failures += not same
    print(f"{'ok  ' if same else 'FAIL'} {name + ', mopd encode: same bits'}", flush=True)


def run_hf(args):
    layers = (lambda n: {} if args.full else {"num_hidden_layers": min(n, 3)})
    text512 = dict(hidden_size=512, intermediate_size=2048, num_attention_heads=8) | layers(12)
    base = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12) | layers(12)
    large = dict(hidden_size=1024, intermediate_size=4096, num_attention_heads=16, patch_size=14,
                 **({"num_hidden_layers": 24} if args.full else {"num_hidden_layers": 3}))
    text768 = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12) | layers(12)
    check_hf(args, "transformers B/32", text512, base | {"patch_size": 32}, 512)
    check_hf(args, "transformers B/16", text512, base | {"patch_size": 16}, 512)
    check_hf(args, "transformers L/14", text768, large, 768, n=2)
    check_hf(args, "transformers L/14@336", text768, large | {"image_size": 336, "num_hidden_layers": 2}, 768, n=1)
    check_hf(args, "transformers H/14, gelu", dict(hidden_size=1024, intermediate_size=4096, num_attention_heads=16,
             num_hidden_layers=2, hidden_act="gelu"), dict(hidden_size=1280, intermediate_size=5120, patch_size=14,
             num_attention_heads=16, num_hidden_layers=2, hidden_act="gelu"), 1024, n=1)
    check_hf(args, "transformers g/14, gelu", dict(hidden_size=1024, intermediate_size=4096, num_attention_heads=16,
             num_hidden_layers=1, hidden_act="gelu"), dict(hidden_size=1408, intermediate_size=6144, patch_size=14,
             num_attention_heads=16, num_hidden_layers=2, hidden_act="gelu"), 1024, n=1)
    odd_text = dict(hidden_size=40, intermediate_size=72, num_attention_heads=5, num_hidden_layers=3,
                    max_position_embeddings=70)
    odd = dict(hidden_size=48, intermediate_size=100, num_attention_heads=3, num_hidden_layers=3, patch_size=7,
               image_size=35)
    check_hf(args, "transformers odd sizes, width 48, 3 heads", odd_text, odd, 24, n=21)
    check_hf(args, "transformers odd sizes, largest id ends", odd_text | {"eos_token_id": 2}, odd, 24)
    check_hf(args, "transformers odd sizes, one layer", odd_text | {"num_hidden_layers": 1}, odd |
             {"num_hidden_layers": 1}, 24)
    check_hf(args, "transformers odd sizes, f16 file", odd_text, odd, 24, dtype=torch.float16)
    check_hf(args, "transformers odd sizes, bf16 file", odd_text, odd, 24, dtype=torch.bfloat16)
    check_hf(args, "transformers odd sizes, four shards", odd_text, odd, 24, shard="60KB")


# -- open_clip ---------------------------------------------------------------------------------------------------------

def open_clip_config(name, quick, layers):
    import open_clip
    config = open_clip.get_model_config(name)
    config["text_cfg"]["vocab_size"] = V
    if layers:
        config["text_cfg"]["layers"] = layers
        if not isinstance(config["vision_cfg"]["layers"], list):
            config["vision_cfg"]["layers"] = layers
    if quick:
        config["quick_gelu"] = True
    return config


def shake(model, side):
    """Weights that no start has, and a ResNet's norms as a training leaves them: by what goes through them."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for p in model.parameters():
        p.add_(torch.randn_like(p) * 0.02)
    for name, m in model.named_modules():
        if m in norms:                       # a block adds little to what goes around it, or rounding would grow with depth
            m.weight.uniform_(*((0.1, 0.3) if name.endswith("bn3") and "layer" in name else (0.3, 1)))
    for m in norms:
        m.bias.uniform_(-0.3, 0.3)
        m.momentum = 1.0
    if norms:
        model.train().encode_image(torch.randn(2, 3, side, side))
        model.eval()


def check_open_clip(args, label, name, quick, layers, custom=False):
    import open_clip
    from safetensors.torch import save_file
    config = open_clip_config(name, quick, layers)
    folder = os.path.join(args.work, "open_clip")
    os.makedirs(folder)
    kind = open_clip.CustomTextCLIP if custom else open_clip.CLIP
    model = kind(**config).eval()
    side = config["vision_cfg"]["image_size"]
    shake(model, side)
    if custom:
        config["custom_text"] = True
    with open(os.path.join(folder, "open_clip_config.json"), "w") as f:
        json.dump({"model_cfg": config, "preprocess_cfg": {"size": side, "mode": "RGB",
                   "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711],
                   "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}}, f)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, os.path.join(folder, "open_clip_model.safetensors"))
    vocabulary.write(folder, MERGES)
    encoder = Encoder(folder)
    pixels = np.random.default_rng(2).normal(size=(2, 3, side, side)).astype(np.float32)
    ids = torch.tensor([pad(encoder.ids(t), 77, 0) for t in WORDS])
    compare(label + ", texts", encoder.texts(WORDS), model.encode_text(ids).numpy())
    compare(label + ", pictures", encoder.pixels(pixels), model.encode_image(torch.tensor(pixels)).numpy())
    check_pack(args, label, encoder, pixels)
    encoder.close()
    shutil.rmtree(folder)


def run_open_clip(args):
    layers = 0 if args.full else 3
    check_open_clip(args, "open_clip ViT-B-32", "ViT-B-32", False, layers)
    check_open_clip(args, "open_clip ViT-B-32, quickgelu", "ViT-B-32", True, layers)
    check_open_clip(args, "open_clip ViT-B-32, custom text", "ViT-B-32", False, layers, custom=True)
    check_open_clip(args, "open_clip ViT-H-14", "ViT-H-14", False, 2)


def run_resnet(args):
    layers = 0 if args.full else 1
    check_open_clip(args, "open_clip RN50", "RN50", False, layers)
    check_open_clip(args, "open_clip RN50, quickgelu", "RN50", True, layers)
    check_open_clip(args, "open_clip RN101", "RN101", True, layers)
    check_open_clip(args, "open_clip RN50x4", "RN50x4", True, layers)
    if args.full:
        check_open_clip(args, "open_clip RN50x16", "RN50x16", True, 1)
        check_open_clip(args, "open_clip RN50x64", "RN50x64", True, 1)
    check_openai(args, False, "RN50")
    check_openai(args, True, "RN101")


# -- an OpenAI checkpoint ----------------------------------------------------------------------------------------------

class Holder(torch.nn.Module):
    """Modules and parameters under given dotted names, as a TorchScript archive of OpenAI's has them."""

    def forward(self, x):
        return x


def holder(state, config):
    """The archive of a state dict, with the three counts that OpenAI's have."""
    root = Holder()
    for name, value in (("input_resolution", config["vision_cfg"]["image_size"]),
                        ("context_length", config["text_cfg"]["context_length"]),
                        ("vocab_size", config["text_cfg"]["vocab_size"])):
        root.register_buffer(name, torch.tensor(value))
    for name, value in state.items():
        at = root
        *path, last = name.split(".")
        for part in path:
            if not hasattr(at, part):
                setattr(at, part, Holder())
            at = getattr(at, part)
        if value.is_floating_point():
            at.register_parameter(last, torch.nn.Parameter(value, requires_grad=False))
        else:
            at.register_buffer(last, value)
    return root


def write_simple_vocab(path):
    """The first line is a comment; OpenAI's file has more merges than are used."""
    with gzip.open(path, "wt", encoding="utf-8") as f:
        f.write('"bpe_simple_vocab_16e6.txt#version: 0.2\n' + "\n".join(MERGES) + "\n")


def check_refused(name, state, path):
    """A state dict tells no activation: opening it must fail and name what to do."""
    global failures
    torch.save(state, path)
    try:
        Encoder(path).close()
        said = "it was opened"
    except RuntimeError as error:
        said = str(error)
    good = "open_clip_config.json" in said
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'} {name:58s} {'refused' if good else said}", flush=True)


def check_openai(args, half, name="ViT-B-32"):
    import open_clip
    config = open_clip_config(name, True, 2)
    config["text_cfg"]["width"], config["text_cfg"]["heads"] = 192, 3
    if name == "ViT-B-32":
        config["vision_cfg"]["width"] = 128
    model = open_clip.CLIP(**config).eval()
    shake(model, config["vision_cfg"]["image_size"])
    for p in list(model.parameters()) + list(model.buffers()):
        if half and p.is_floating_point() and p.isfinite().all():
            p.copy_(p.half().float())
    folder = os.path.join(args.work, "openai")
    os.makedirs(folder)
    state = {k: v.half() if half and v.is_floating_point() else v.clone() for k, v in model.state_dict().items()}
    torch.jit.script(holder(state, config)).save(os.path.join(folder, name + ".pt"))
    write_simple_vocab(os.path.join(folder, "bpe_simple_vocab_16e6.txt.gz"))
    encoder = Encoder(os.path.join(folder, name + ".pt"))
    pixels = np.random.default_rng(3).normal(size=(2, 3, 224, 224)).astype(np.float32)
    ids = torch.tensor([pad(encoder.ids(t), 77, 0) for t in WORDS])
    label = "OpenAI TorchScript " + name + (", f16" if half else "")
    compare(label + ", texts", encoder.texts(WORDS), model.encode_text(ids).numpy())
    compare(label + ", pictures", encoder.pixels(pixels), model.encode_image(torch.tensor(pixels)).numpy())
    check_pack(args, label, encoder, pixels)
    encoder.close()
    check_refused(label + ", a plain state dict", state, os.path.join(folder, "open_clip_pytorch_model.bin"))
    shutil.rmtree(folder)


def run_openai(args):
    check_openai(args, False)
    check_openai(args, True)


# -- checkpoints of a training -----------------------------------------------------------------------------------------

def checkpoints(model):
    """What training programs write, by name: PyTorch's two containers, words before names, an optimiser's state beside."""
    optimiser = torch.optim.AdamW(model.parameters())
    with torch.enable_grad():
        sum(p.square().sum() for p in model.parameters()).backward()
    plain = {k: v.clone() for k, v in model.state_dict().items()}
    optimiser.step()
    before = (lambda words: {words + k: v for k, v in plain.items()})
    return {
        "zip": plain,
        "legacy": plain,
        "DistributedDataParallel": before("module."),
        "torch.compile": before("_orig_mod."),
        "open_clip's": {"epoch": 3, "name": "run", "state_dict": before("module."), "optimizer": optimiser.state_dict()},
        "lightning's": {"epoch": 3, "global_step": 12, "pytorch-lightning_version": "2.5.0", "state_dict": before("model."),
                        "optimizer_states": [optimiser.state_dict()], "lr_schedulers": [], "loops": {"fit": {"done": True}}},
        "model and optimiser": {"model": plain, "optimizer": optimiser.state_dict(), "scaler": {"scale": 65536.0}},
        "half": {k: v.half() if v.is_floating_point() else v for k, v in plain.items()},
        "parameters": {k: torch.nn.Parameter(v, requires_grad=False) if v.is_floating_point() else v for k, v in plain.items()},
    }


def check_checkpoints(folder, file, wanted, made):
    global failures
    for name, state in made.items():
        torch.save(state, os.path.join(folder, file), _use_new_zipfile_serialization=name != "legacy")
        encoder = Encoder(folder)
        same = encoder.fingerprint() == wanted or name == "half"
        encoder.close()
        failures += not same
        print(f"{'ok  ' if same else 'FAIL'} {file}, {name}", flush=True)
    os.remove(os.path.join(folder, file))


def run_checkpoints(args):
    import open_clip
    text = dict(hidden_size=64, intermediate_size=128, num_attention_heads=4, num_hidden_layers=2)
    vision = dict(hidden_size=48, intermediate_size=96, num_attention_heads=3, num_hidden_layers=2, patch_size=16, image_size=32)
    folder = os.path.join(args.work, "checkpoints")
    model = hf_save(hf_model(text, vision, 24), folder, 32)
    encoder = Encoder(folder)
    wanted = encoder.fingerprint()
    encoder.close()
    os.remove(os.path.join(folder, "model.safetensors"))
    check_checkpoints(folder, "pytorch_model.bin", wanted, checkpoints(model))
    shutil.rmtree(folder)
    config = open_clip_config("ViT-B-32", True, 2)
    config["vision_cfg"]["width"], config["text_cfg"]["width"], config["text_cfg"]["heads"] = 128, 192, 3
    model = open_clip.CLIP(**config).eval()
    os.makedirs(folder)
    with open(os.path.join(folder, "open_clip_config.json"), "w") as f:
        json.dump({"model_cfg": config, "preprocess_cfg": {}}, f)
    vocabulary.write(folder, MERGES)
    from safetensors.torch import save_file
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, os.path.join(folder, "open_clip_model.safetensors"))
    encoder = Encoder(folder)
    wanted = encoder.fingerprint()
    encoder.close()
    os.remove(os.path.join(folder, "open_clip_model.safetensors"))
    made = checkpoints(model)
    for file in ("open_clip_pytorch_model.bin", "epoch_3.pt"):
        check_checkpoints(folder, file, wanted, made)
    shutil.rmtree(folder)


# -- the locked tower --------------------------------------------------------------------------------------------------

def run_locked(args):
    if not args.locked:
        print("---- locked tower: no --locked FOLDER given")
        return
    from efficientnet_lite_pytorch import EfficientNet
    from safetensors.torch import load_file
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection
    at = (lambda name: os.path.join(args.locked, name))
    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load([at(n) for n in os.listdir(args.locked) if n.endswith(".pth")][0], weights_only=True))
    net.eval()
    config = CLIPTextConfig(**json.load(open(at("text_config.json"))))
    text = CLIPTextModelWithProjection(config).eval()
    text.load_state_dict({k: v.float() for k, v in load_file(at("text.safetensors")).items()})
    head = {k: v.float() for k, v in load_file(at("projection.safetensors")).items()}
    encoder = Encoder(args.locked)
    side, end = encoder.info.image_size, config.eos_token_id
    pixels = np.random.default_rng(4).normal(size=(21, 3, side, side)).clip(-1, 1).astype(np.float32)
    h = torch.cat([net.extract_features(p).mean((2, 3)) for p in torch.tensor(pixels).split(4)])
    norm = torch.nn.functional.normalize
    image = norm(torch.softmax(net._fc(h), -1) @ head["names.weight"], dim=-1) + head["mix"] * norm(
        h @ head["projection.weight"].T + head["projection.bias"], dim=-1)
    ids = [encoder.ids(t) for t in WORDS]
    tokens = torch.tensor([pad(i, max(map(len, ids)), end) for i in ids])
    compare("locked tower, texts", encoder.texts(WORDS), text(input_ids=tokens).text_embeds.numpy())
    compare("locked tower, pictures", encoder.pixels(pixels), image.numpy())
    check_pack(args, "locked tower", encoder, pixels)
    encoder.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lib", required=True)
    parser.add_argument("--mopd")
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--work")
    parser.add_argument("--locked")
    args = parser.parse_args()
    load_library(args.lib)
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        args.work = work
        for run in (run_hf, run_open_clip, run_openai, run_resnet, run_checkpoints, run_locked):
            if args.only in run.__name__:
                run(args)
    print(f"{failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
