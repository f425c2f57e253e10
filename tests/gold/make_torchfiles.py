#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the small PyTorch files that tests/format/test_torchfile.c reads, and what PyTorch itself reads from them.

    python3 make_torchfiles.py            (needs torch; results stand beside this script)

torch_zip.pt      torch.save of a state dict: all element types, shared and sliced storages, a parameter, a 0-d tensor
torch_nested.pt   {"epoch": 3, "state_dict": {...}, "steps": [tensor, tensor]}
torch_legacy.pth  the same state dict in the format before 1.6
torch_strided.pt  transposed, permuted and strided tensors
torch_expand.pt   a tensor that repeats elements (stride 0)
torch_script.pt   torch.jit.script of a small two-level module, without debug entries
torch_evil.pt     a state dict whose pickle calls os.system
torchfiles.txt    for each tensor: file, name, type, shape, values (floats as C hexadecimal)
Values come from a fixed seed; the legacy file's storage keys are memory addresses, so its bytes differ from run to run.
"""
import collections
import os
import pathlib
import zipfile

import torch

HERE = pathlib.Path(__file__).resolve().parent
torch.manual_seed(7)


def state_dict():
    base = torch.randn(24)
    return collections.OrderedDict(
        [
            ("f32", torch.randn(3, 4)),
            ("f16", torch.randn(5).half()),
            ("bf16", torch.randn(2, 3).bfloat16()),
            ("f64", torch.randn(2, dtype=torch.float64)),
            ("i64", torch.tensor([1, -2, 1 << 40])),
            ("i32", torch.tensor([[7], [-8]], dtype=torch.int32)),
            ("i16", torch.tensor([-300, 300], dtype=torch.int16)),
            ("i8", torch.tensor([-3], dtype=torch.int8)),
            ("u8", torch.tensor([0, 255], dtype=torch.uint8)),
            ("bool", torch.tensor([True, False, True])),
            ("scalar", torch.tensor(2.6592)),
            ("empty", torch.zeros(0, 4)),
            ("parameter", torch.nn.Parameter(torch.randn(2, 2))),
            ("shared.all", base),
            ("shared.part", base[8:20].view(3, 4)),
            ("shared.one_wide", base.view(24, 1)[3:7]),
        ]
    )


class Inner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(2, 3).half())
        self.register_buffer("count", torch.tensor([4, 5]))
        self.sizes = [1, 2]

    def forward(self, x):
        return x @ self.weight.float()


class Outer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = torch.nn.Sequential(Inner(), torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
        self.logit_scale = torch.nn.Parameter(torch.tensor(4.6052))
        self.pair = (torch.randn(2), 3)

    def forward(self, x):
        return self.visual(x) * self.logit_scale.exp()


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


def drop_sources(path):
    """Rewrites the archive without its debug entries, which hold the paths of the machine that made it."""
    with zipfile.ZipFile(path) as z:
        kept = [(name, z.read(name)) for name in z.namelist() if not name.endswith(".debug_pkl")]
    with zipfile.ZipFile(path, "w") as z:
        for name, data in kept:
            z.writestr(zipfile.ZipInfo(name), data)


def text_of(t):
    t = t.detach().contiguous().view(-1)
    if t.dtype.is_floating_point:
        return " ".join(float(x).hex() for x in t.tolist())
    return " ".join(str(int(x)) for x in t.tolist())


def line(file, name, t):
    dtype = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64",
             torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
             torch.bool: "BOOL"}[t.dtype]
    shape = "x".join(map(str, t.shape)) or "-"
    return f"{file} {name} {dtype} {shape} {text_of(t)}".rstrip() + "\n"


def main():
    sd = state_dict()
    torch.save(sd, HERE / "torch_zip.pt")
    nested = {"epoch": 3, "lr": 0.5, "name": "x", "state_dict": collections.OrderedDict(a=torch.randn(2)),
              "steps": [torch.randn(1), torch.randn(2)], 7: {"deep": torch.randn(1)}}
    torch.save(nested, HERE / "torch_nested.pt")
    torch.save(sd, HERE / "torch_legacy.pth", _use_new_zipfile_serialization=False)
    wide = torch.randn(4, 6)
    torch.save({"plain": torch.randn(2, 3), "turned": torch.randn(2, 3).t(), "columns": wide[1:, 1:5:2],
                "permuted": torch.randn(2, 3, 4).half().permute(2, 0, 1), "bytes": torch.arange(6).byte().view(2, 3).t()},
               HERE / "torch_strided.pt")
    torch.save({"w": torch.randn(1).expand(5)}, HERE / "torch_expand.pt")
    module = Outer()
    module.eval()
    torch.jit.script(module).save(str(HERE / "torch_script.pt"))
    drop_sources(HERE / "torch_script.pt")
    torch.save({"w": torch.randn(1), "x": Evil()}, HERE / "torch_evil.pt")

    lines = []
    for file in ("torch_zip.pt", "torch_legacy.pth", "torch_strided.pt"):
        for name, t in torch.load(HERE / file, weights_only=True).items():
            lines.append(line(file, name, t))
    got = torch.load(HERE / "torch_nested.pt", weights_only=True)
    lines.append(line("torch_nested.pt", "state_dict.a", got["state_dict"]["a"]))
    lines.append(line("torch_nested.pt", "steps.0", got["steps"][0]))
    lines.append(line("torch_nested.pt", "steps.1", got["steps"][1]))
    lines.append(line("torch_nested.pt", "7.deep", got[7]["deep"]))
    script = torch.jit.load(str(HERE / "torch_script.pt"), map_location="cpu")
    for name, t in script.state_dict().items():
        lines.append(line("torch_script.pt", name, t))
    lines.append(line("torch_script.pt", "pair.0", script.pair[0]))
    (HERE / "torchfiles.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
