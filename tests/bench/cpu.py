# SPDX-License-Identifier: MIT
"""Holds a bench, and so every engine in it, to AVX2: see cpu_mask.c."""
import os
import pathlib
import subprocess
import sys

MARK = "MOPD_BENCH_CPU"


def add_argument(parser):
    parser.add_argument("--cpu", default="all", choices=["all", "avx2"],
                        help="avx2: let all sides see a CPU with AVX2 and nothing newer")


def hold(name, work):
    """Starts the program again under cpu_mask.so where that is asked for.  To be called before engines are imported."""
    if name == "all" or os.environ.get(MARK) == name:
        return
    os.makedirs(work, exist_ok=True)
    mask = os.path.join(work, "cpu_mask.so")
    source = pathlib.Path(__file__).resolve().with_name("cpu_mask.c")
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-o", mask, source], check=True)
    preload = ":".join(filter(None, (mask, os.environ.get("LD_PRELOAD"))))
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {MARK: name, "LD_PRELOAD": preload})


def check(name, ours):
    """Ends the bench when an engine still sees more than was asked for.  ours: mopd_build_info's text."""
    if name == "all":
        return
    import openvino
    import torch
    seen = torch.backends.cpu.get_cpu_capability()
    if seen != "AVX2" or "avx512" in ours or "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise SystemExit(f"the mask does not hold: PyTorch sees {seen}, libmopd says {ours}")
