#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Training in lockstep with an independent implementation: float64 PyTorch on transformers' CLIPModel.

A random CLIP model with the built-in model's tokenizer; the same features, batches and start on both sides; 20 steps.
Bars: the loss of each step within 1e-5 (relative), context and gate within 1e-4 of their largest entry.

    python3 tests/parity/lockstep.py build/libmopd.so [--folder models] [--methods mopd,coop,...]

Needs torch, transformers, numpy.  The reference shares no code with the library: PyTorch's autograd, SGD and losses.
"""
import argparse
import ctypes as ct
import json
import math
import pathlib
import shutil
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

SOURCE = pathlib.Path(__file__).resolve().parents[2]
METHODS = {"mopd": 0, "mopd-static": 1, "kd": 3, "coop": 4, "kgcoop": 5, "prograd": 6}
# The first is not the student's own start: there the divergence has no gradient but rounding, which ProGrad would follow.
TEMPLATES = ["a picture of a {}.", "a photo of a {}.", "an image of a {}.", "a photo, classified as {}.",
             "a picture, labeled as {}.", "a blurry {}, seen from far."]
CLASSES = ["cat", "sea_or_lake", "Boeing 737-200", "dog", "fire truck", "sunflower", "garlic bread"]


# ---- the library, through ctypes ----

class Options(ct.Structure):
    _fields_ = [("struct_size", ct.c_uint32), ("flags", ct.c_uint32), ("method", ct.c_int32),
                ("class_position", ct.c_int32), ("n_context", ct.c_uint32), ("epochs", ct.c_uint32),
                ("batch", ct.c_uint32), ("top_k", ct.c_uint32), ("lr", ct.c_float), ("warmup_lr", ct.c_float),
                ("momentum", ct.c_float), ("weight_decay", ct.c_float), ("w", ct.c_float), ("w2", ct.c_float),
                ("temperature", ct.c_float), ("lam", ct.c_float), ("seed", ct.c_uint64),
                ("memory_limit", ct.c_uint64), ("n_templates", ct.c_uint64),
                ("templates", ct.POINTER(ct.c_char_p)), ("context", ct.c_char_p)]


class Step(ct.Structure):
    _fields_ = [("struct_size", ct.c_uint32), ("epoch", ct.c_uint32), ("step", ct.c_uint32),
                ("n_correct", ct.c_uint32), ("lr", ct.c_double), ("loss", ct.c_double), ("ce", ct.c_double),
                ("mpd", ct.c_double), ("mps", ct.c_double), ("reg", ct.c_double)]


class Library:
    def __init__(self, path):
        self.c = ct.CDLL(path)
        self.c.mopd_last_error.restype = ct.c_char_p
        for name in ("context", "gate"):
            getattr(self.c, "mopd_prompt_" + name).restype = ct.POINTER(ct.c_float)

    def call(self, name, *args):
        if getattr(self.c, name)(*args):
            sys.exit(f"{name}: {self.c.mopd_last_error().decode()}")


def strings(texts):
    return (ct.c_char_p * len(texts))(*[t.encode() for t in texts])


def run_library(lib, folder, setting, batches):
    """Losses of each step, then context (n, W) and gate (D, M) or None."""
    encoder, trainer, prompt = ct.c_void_p(), ct.c_void_p(), ct.c_void_p()
    lib.call("mopd_encoder_open", ct.byref(encoder), str(folder).encode(), None)
    o = Options()
    lib.call("mopd_trainer_options_init", ct.byref(o), ct.c_size_t(ct.sizeof(o)))
    o.method, o.epochs, o.batch, o.top_k = METHODS[setting["method"]], setting["epochs"], setting["batch"], setting["k"]
    o.lr, o.w, o.w2, o.temperature = setting["lr"], setting["w"], setting["w2"], setting["t"]
    templates = strings(TEMPLATES)
    o.templates, o.n_templates, o.context = templates, len(TEMPLATES), b"a photo of a"
    lib.call("mopd_trainer_create", ct.byref(trainer), encoder, strings(CLASSES), ct.c_size_t(len(CLASSES)),
             ct.byref(o))
    losses = []
    for i, (f, y) in enumerate(batches):
        step = Step(struct_size=ct.sizeof(Step))
        lib.call("mopd_trainer_step", trainer, f.ctypes.data_as(ct.c_void_p), y.ctypes.data_as(ct.c_void_p),
                 ct.c_size_t(len(y)), ct.byref(step))
        losses.append({"loss": step.loss, "ce": step.ce, "mpd": step.mpd, "mps": step.mps, "reg": step.reg})
        if (i + 1) % setting["per_epoch"] == 0:
            lib.call("mopd_trainer_end_epoch", trainer)
    lib.call("mopd_prompt_create_trainer", trainer, ct.byref(prompt))
    context = np.ctypeslib.as_array(lib.c.mopd_prompt_context(prompt), (4, setting["width"])).copy()
    gate = lib.c.mopd_prompt_gate(prompt)
    gate = np.ctypeslib.as_array(gate, (setting["dim"], len(TEMPLATES))).copy() if gate else None
    lib.c.mopd_prompt_close(prompt)
    lib.c.mopd_trainer_free(trainer)
    lib.c.mopd_encoder_close(encoder)
    return losses, context, gate


# ---- the reference ----

class Reference:
    def __init__(self, folder):
        self.model = CLIPModel.from_pretrained(folder, attn_implementation="eager").double().eval()
        self.model.requires_grad_(False)
        self.tokenizer = CLIPTokenizer.from_pretrained(folder)
        self.scale = self.model.logit_scale.exp()
        self.vectors = None
        self.model.text_model.embeddings.token_embedding.register_forward_hook(self._replace)
        words = self.tokenizer("a photo of a", add_special_tokens=False)["input_ids"]
        assert len(words) == 4
        self.start = self.model.text_model.embeddings.token_embedding.weight[words].clone()

    def _replace(self, module, inputs, output):
        if self.vectors is None:
            return output
        n = self.vectors.shape[0]
        return torch.cat([output[:, :1], self.vectors.expand(output.shape[0], -1, -1), output[:, 1 + n:]], 1)

    def texts(self, texts, vectors=None):
        ids = self.tokenizer(texts, padding=True, return_tensors="pt")["input_ids"]
        self.vectors = vectors
        pooled = self.model.text_model(input_ids=ids).pooler_output
        self.vectors = None
        return F.normalize(self.model.text_projection(pooled), dim=-1)


def single_teacher_kl(z, u, t):
    return F.kl_div(F.log_softmax(z / t, -1), F.log_softmax(u / t, -1), log_target=True, reduction="batchmean") * t * t


def mixture(setting, f, y, z, teachers, gate, scale):
    """MPD and MPS, docs/method.md 3.4; ties of the gate go to the lowest index."""
    t, k = setting["t"], setting["k"]
    u = scale * torch.einsum("bd,mcd->bmc", f, teachers)
    h = f @ gate if gate.dim() == 2 else gate.expand(len(f), -1)
    order = torch.sort(h, dim=1, descending=True, stable=True).indices[:, :k]
    alpha = torch.softmax(torch.gather(h, 1, order), 1)
    u = torch.gather(u, 1, order[:, :, None].expand(-1, -1, u.shape[2]))
    log_q = F.log_softmax(z / t, -1)[:, None].expand_as(u)
    kl = F.kl_div(log_q, F.log_softmax(u / t, -1), log_target=True, reduction="none").sum(-1) * t * t
    ce = F.cross_entropy(u.reshape(-1, u.shape[2]), y.repeat_interleave(k), reduction="none").view(len(y), k)
    return (alpha * kl).sum(1).mean(), (alpha * ce).sum(1).mean()


def learning_rate(setting, epoch):
    if epoch == 0:
        return 1e-5
    return setting["lr"] * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / setting["epochs"]))


def run_reference(ref, setting, batches):
    method, names = setting["method"], [c.replace("_", " ") for c in CLASSES]
    with torch.no_grad():
        teachers = torch.stack([ref.texts([t.replace("{}", n) for n in names]) for t in TEMPLATES])
    frozen = [f"a photo of a {n}." for n in names]
    context = ref.start.clone().requires_grad_(True)
    gate = torch.zeros(len(TEMPLATES) if method == "mopd-static" else (setting["dim"], len(TEMPLATES)),
                       dtype=torch.double, requires_grad=True)
    learned = [context, gate] if method.startswith("mopd") else [context]
    optimiser = torch.optim.SGD(learned, lr=1, momentum=0.9, weight_decay=5e-4)
    losses = []
    for i, (f, y) in enumerate(batches):
        f, y = torch.from_numpy(f).double(), torch.from_numpy(y).long()
        optimiser.param_groups[0]["lr"] = learning_rate(setting, i // setting["per_epoch"])
        optimiser.zero_grad()
        s = ref.texts(frozen, context)
        z = ref.scale * f @ s.T
        ce = F.cross_entropy(z, y)
        mpd = mps = reg = torch.zeros((), dtype=torch.double)
        w = setting["w"]
        if method in ("mopd", "mopd-static"):
            mpd, mps = mixture(setting, f, y, z, teachers, gate, ref.scale)
            loss = w * ce + (1 - w) * mpd
            if method == "mopd":
                loss = loss + setting["w2"] * mps
        elif method == "kd":
            mpd = single_teacher_kl(z, ref.scale * f @ teachers[0].T, setting["t"])
            loss = w * ce + (1 - w) * mpd
        elif method == "kgcoop":
            reg = 1 - F.cosine_similarity(s, teachers[0], dim=1).mean()
            loss = ce + 8 * reg
        elif method == "prograd":
            reg = single_teacher_kl(z, ref.scale * f @ teachers[0].T, setting["t"])
            general = torch.autograd.grad(reg, context, retain_graph=True)[0]
            loss = ce
        else:
            loss = ce
        loss.backward()
        if method == "prograd":
            unit = general / general.norm()
            along = (context.grad * unit).sum()
            if along < 0:
                context.grad -= along * unit
        optimiser.step()
        losses.append({"loss": loss.item(), "ce": ce.item(), "mpd": mpd.item(),
                       "mps": mps.item() if method == "mopd" else 0.0, "reg": reg.item()})
    return losses, context.detach().numpy(), gate.detach().numpy()


# ---- the comparison ----

def make_model(folder, setting):
    torch.manual_seed(5)
    vocab = json.loads((SOURCE / "examples/model/builtin/vocab.json").read_text())
    start, end = vocab["<|startoftext|>"], vocab["<|endoftext|>"]
    text = dict(hidden_size=setting["width"], intermediate_size=4 * setting["width"], num_hidden_layers=4,
                num_attention_heads=4, max_position_embeddings=32, vocab_size=len(vocab), bos_token_id=start,
                eos_token_id=end, pad_token_id=end)
    vision = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, image_size=32,
                  patch_size=16)
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=setting["dim"],
                        initializer_factor=1.0)
    model = CLIPModel(config)
    with torch.no_grad():  # the library's initial weights are so small that every class looks the same
        for name, p in model.named_parameters():
            if p.dim() == 2:
                p.copy_(torch.randn_like(p) / math.sqrt(p.shape[1] if "embedding" not in name else 30))
            elif name != "logit_scale":
                p.add_(0.1 * torch.randn_like(p))
        model.logit_scale.fill_(math.log(30))
    model.save_pretrained(folder)
    for name in ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(SOURCE / "examples/model/builtin" / name, folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(dict(
        image_processor_type="CLIPImageProcessor", do_resize=True, size={"shortest_edge": 32}, resample=3,
        do_center_crop=True, crop_size={"height": 32, "width": 32}, do_rescale=True, rescale_factor=1 / 255,
        do_normalize=True, image_mean=[0.5] * 3, image_std=[0.5] * 3, do_convert_rgb=True)))


def make_batches(ref, setting, seed):
    """Features near their classes' frozen prompts, float32, rows of length 1."""
    rng = np.random.default_rng(seed)
    centres = ref.texts([f"a photo of a {c.replace('_', ' ')}." for c in CLASSES]).numpy()
    batches = []
    for _ in range(setting["steps"]):
        y = rng.integers(0, len(CLASSES), setting["batch"]).astype(np.int32)
        f = centres[y] + 0.12 * rng.standard_normal((len(y), setting["dim"]))
        batches.append(((f / np.linalg.norm(f, axis=1, keepdims=True)).astype(np.float32), y))
    return batches


def compare(method, ours, theirs):
    losses, context, gate = ours
    want, want_context, want_gate, start = theirs
    worst = 0.0
    for a, b in zip(losses, want):
        worst = max(worst, abs(a["loss"] - b["loss"]) / abs(b["loss"]))
        for part in ("ce", "mpd", "mps", "reg"):  # small numbers: against the loss
            worst = max(worst, abs(a[part] - b[part]) / max(abs(b[part]), abs(b["loss"])))
    off = np.abs(context - want_context).max() / np.abs(want_context).max()
    moved = np.abs(want_context - start).max() / np.abs(want_context).max()
    gate_off = np.abs(gate - want_gate).max() / np.abs(want_gate).max() if gate is not None else None
    ok = worst <= 1e-5 and off <= 1e-4 and (gate_off or 0) <= 1e-4
    print(f"{method:12} loss {want[0]['loss']:.4f} -> {want[-1]['loss']:.4f}   worst loss {worst:.1e}   "
          f"context {off:.1e} (moved {moved:.1e})   gate {'-' if gate_off is None else f'{gate_off:.1e}'}   {'ok' if ok else 'FAILED'}")
    return ok


def main():
    p = argparse.ArgumentParser()
    p.add_argument("library")
    p.add_argument("--folder", help="keep the model here")
    p.add_argument("--methods", default=",".join(METHODS))
    args = p.parse_args()
    torch.set_num_threads(1)
    folder = pathlib.Path(args.folder or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    base = dict(width=128, dim=64, batch=32, epochs=5, per_epoch=4, steps=20, lr=0.05, w=0.8, w2=0.1, t=1.0, k=2)
    make_model(folder, base)
    lib, ref, ok = Library(args.library), Reference(folder), True
    for i, method in enumerate(args.methods.split(",")):
        for t in (1.0, 2.0) if method in ("mopd", "kd") else (1.0,):
            setting = dict(base, method=method, t=t)
            batches = make_batches(ref, setting, 10 + i)
            ours = run_library(lib, folder, setting, batches)
            theirs = (*run_reference(ref, setting, batches), ref.start.numpy())
            ok &= compare(method + (f" T={t:g}" if t != 1 else ""), ours, theirs)
    if not args.folder:
        shutil.rmtree(folder)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
