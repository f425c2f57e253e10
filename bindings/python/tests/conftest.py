# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import mopd  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
TOWERS = ROOT / "tests/gold/towers"
PICTURES = sorted((ROOT / "tests/gold/pixels").glob("*.[pj][np]g"))
COLOURS = ["a", "dog", "cat"]
PATIENCE = 300  # seconds after which waiting for a thread or process is a failure: far more than a busy machine needs


def drawn(label, rng, side=24):
    """A noisy picture whose strongest channel is the label."""
    array = rng.integers(0, 60, (side, side, 3), dtype=np.uint8)
    array[..., label] += 180
    return array


def around_names(enc, names, each, noise=0.5, seed=0, template="a photo of a {}."):
    """Features that lie around those of their names, `each` of every name, and their labels: to a model that reads, the
    names say much."""
    rng = np.random.default_rng(seed)
    labels = np.asarray([name for name in names for _ in range(each)])
    texts = enc.texts([template.format(name) for name in names])
    middle = texts - texts.mean(axis=0)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    rows = np.repeat(middle, each, axis=0) + noise * rng.normal(size=(len(labels), enc.dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


@pytest.fixture(scope="session")
def enc():
    return mopd.Encoder(TOWERS / "hf")


@pytest.fixture(scope="session")
def pictures():
    return PICTURES


@pytest.fixture(scope="session")
def shots():
    """30 pictures as arrays, their labels as names."""
    rng = np.random.default_rng(5)
    labels = [i % 3 for i in range(30)]
    return [drawn(y, rng) for y in labels], [COLOURS[y] for y in labels]


@pytest.fixture(scope="session")
def folder(tmp_path_factory, shots):
    """The same as files: train/CLASS/NN.png."""
    Image = pytest.importorskip("PIL.Image")
    root = tmp_path_factory.mktemp("data")
    for i, (picture, label) in enumerate(zip(*shots)):
        path = root / ("train" if i < 21 else "test") / label / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return root


@pytest.fixture(scope="session")
def command():
    """Runs the mopd command of MOPD_COMMAND (bindings/python/test.sh sets it)."""
    program = os.environ.get("MOPD_COMMAND")
    if not program:
        pytest.skip("MOPD_COMMAND does not name the mopd command")

    def run(*words):
        out = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE)
        assert out.returncode == 0, out.stderr
        return out.stdout

    return run
