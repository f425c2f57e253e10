# SPDX-License-Identifier: MIT
"""Pictures, what one process says of them, and a job's run that a test may disturb."""
from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
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
GATE = "folder 1/225.jpg"  # a picture of the ninth part
FIFO = Path(tempfile.mkdtemp()) / "gate"
PATIENCE = 900  # seconds, to end what hangs; a busy machine takes minutes to start Spark


# All processes that the tests start get these: waiting/sitecustomize.py.
os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).with_name("waiting")), *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ["MOPD_TEST_GATE"], os.environ["MOPD_TEST_PICTURE"] = str(FIFO), GATE


@pytest.fixture(scope="session", autouse=True)
def no_trace():
    yield
    shutil.rmtree(FIFO.parent)


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
def gate(alone):
    """Keeps the jobs of a test from ending."""
    gate = Gate(FIFO)
    yield gate
    with gate.opened():
        pass


class Gate:
    """A FIFO for which the process that is to encode the picture GATE waits, until it is opened."""

    def __init__(self, path):
        self.path, self.writer = path, None
        os.mkfifo(path)

    def reader(self):
        """The process that waits here, once there is one."""
        until(self._open_writer, "a reader")
        until(self._readers, "the reader's file to show")  # its open() ends after the writer's
        (reader,) = self._readers()
        return reader

    def _open_writer(self):
        with contextlib.suppress(OSError):  # there is no reader yet
            self.writer = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        return self.writer is not None

    def _readers(self):
        return [pid for pid in processes() if pid != os.getpid() and self._is_open_in(pid)]

    def _is_open_in(self, pid):
        with contextlib.suppress(OSError):  # it ended meanwhile
            return any(os.readlink(fd) == str(self.path) for fd in Path(f"/proc/{pid}/fd").iterdir())
        return False

    @contextlib.contextmanager
    def opened(self):
        """From now on nobody waits any more; who waits already goes on after the with block."""
        self.path.unlink(missing_ok=True)
        yield
        if self.writer is not None:
            os.close(self.writer)
            self.writer = None


def processes():
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


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

    def n_rows(self):
        """Pictures in the finished parts."""
        return sum(pq.read_metadata(path).num_rows for path in self.out.glob("parts/part-*.parquet"))

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
