# SPDX-License-Identifier: MIT
"""Pictures, what one process says of them, and a job's run that a test may disturb."""
from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mopd
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/distributed"
CLASSES = ["cat", "dog", "bicycle", "a red square", "grass", "night sky"]
GOOD, PART = 360, 10
PATIENCE = 400  # seconds; a busy machine takes minutes to start Spark


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """GOOD small pictures of all sizes in folders, and three that are none."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(7)
    for i in range(GOOD):
        height, width = rng.integers(40, 160, 2)
        coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        path = root / f"folder {i % 7}" / f"{i:03}.{('jpg', 'png', 'JPEG')[i % 3]}"
        path.parent.mkdir(exist_ok=True)
        coarse.resize((int(width), int(height))).save(path)
    whole = (root / "folder 0/000.jpg").read_bytes()
    (root / "folder 0/cut.jpg").write_bytes(whole[: len(whole) // 20])
    (root / "folder 3/empty.png").write_bytes(b"")
    (root / "folder 6/text.jpg").write_text("no picture\n")
    return root


@pytest.fixture(scope="session")
def alone(pictures):
    """What mopd says in this process, without anything of examples/distributed: path -> feature, class, probability."""
    encoder = mopd.Encoder(threads=2)
    paths = sorted((str(p) for p in pictures.rglob("*.*")), key=os.fsencode)
    features = encoder.images(paths, errors="nan")
    best = mopd.Bank(encoder, CLASSES).matches(np.nan_to_num(features), top=1)[:, 0]
    return {
        path: None if np.isnan(f).any() else (f.tobytes(), CLASSES[m["index"]], m["probability"].tobytes())
        for path, f, m in zip(paths, features, best)
    }


@pytest.fixture
def job(pictures, alone, tmp_path):
    job = RunningJob(pictures, alone, tmp_path / "job")
    yield job
    job.stop()


class RunningJob:
    def __init__(self, pictures, alone, out):
        self.pictures, self.alone, self.out = pictures, alone, out
        self.process = None

    def start(self, program, *words):
        command = [sys.executable, EXAMPLES / program, self.pictures, "--classes", ",".join(CLASSES), "-o", self.out]
        command += ["--part-size", PART, *words]
        with open(self.out.with_suffix(".err"), "w") as errors:
            self.process = subprocess.Popen(
                list(map(str, command)), stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
            )
        return self.process

    def errors(self):
        return self.out.with_suffix(".err").read_text()

    def parts(self):
        """Names and inodes of the finished parts: a part that is written again has another inode."""
        return {p.name: p.stat().st_ino for p in self.out.glob("parts/part-*.parquet")}

    def wait_for_parts(self, n):
        until(lambda: len(self.parts()) >= n or self.process.poll() is not None, "parts")
        assert self.process.poll() is None, self.errors()
        return self.parts()

    def finish(self):
        """Its report, a line of JSON."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, self.errors()
        return json.loads(out)

    def stop(self):
        if self.process:
            kill_group(self.process)

    def check(self):
        """All pictures once, in order, with the bits and classes of one process."""
        tables = [pq.read_table(path) for path in sorted(self.out.glob("parts/*"))]
        assert len(tables) == -(-len(self.alone) // PART)
        rows = [row for table in tables for row in table.to_pylist()]
        assert [row["path"] for row in rows] == list(self.alone)
        for row, expected in zip(rows, self.alone.values()):
            if expected is None:
                assert row["class"] is row["probability"] is row["feature"] is None
                assert row["path"] in row["error"]
            else:
                floats = [np.array(row[name], np.float32).tobytes() for name in ("feature", "probability")]
                assert (floats[0], row["class"], floats[1]) == expected
                assert row["error"] is None
        assert sum(expected is None for expected in self.alone.values()) == 3
        assert not list(self.out.glob("parts/.*"))


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.01)


def kill_group(process):
    """The process, which leads a session of its own, and what it started there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
