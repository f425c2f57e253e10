# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy
import gc
import io
import json
import pickle
import sys
import threading
import time

import numpy as np
import pytest
from conftest import PATIENCE, PICTURES, TOWERS

import mopd


@pytest.mark.parametrize("layout", ["hf", "hf-largest", "openclip", "openai", "locked"])
def test_every_layout_gives_the_reference_features(layout):
    """Texts as PyTorch computes them (tests/gold/towers.py); pictures are the C tests' affair."""
    golden = read_safetensors(TOWERS / layout / "golden.safetensors")["texts"]
    texts = ["a photo of a cat.", "a photo of a dog.", "a photo of a cat.", "", "The 13 dogs!", "a"]
    texts.append("a photo of the cat, a dog")
    path = TOWERS / layout / "tiny.pt" if layout == "openai" else TOWERS / layout
    features = mopd.Encoder(path).texts(texts)
    assert features.dtype == np.float32
    assert np.abs(features - golden).max() < 2e-5


def test_texts_are_cleaned_as_asked():
    curly, straight = "men\u2019s &amp; co", "men's & co"
    for layout, cleaning, same in [
        ("hf", "model", False),
        ("hf", "clean", True),
        ("openclip", "model", True),
        ("openclip", "as-is", False),
    ]:
        encoder = mopd.Encoder(TOWERS / layout, text_cleaning=cleaning)
        one, other = pickle.loads(pickle.dumps(encoder)).tokenize([curly, straight])
        assert (one == other) == same
    with pytest.raises(ValueError, match="text_cleaning 'ftfy' is none of 'model', 'clean', 'as-is'"):
        mopd.Encoder(TOWERS / "hf", text_cleaning="ftfy")


def read_safetensors(path):
    data = path.read_bytes()
    n = int.from_bytes(data[:8], "little")
    out = {}
    for name, entry in json.loads(data[8 : 8 + n]).items():
        if name != "__metadata__":
            first, end = (8 + n + offset for offset in entry["data_offsets"])
            out[name] = np.frombuffer(data[first:end], "<f4").reshape(entry["shape"])
    return out


def test_features_are_those_of_the_command(enc, command, tmp_path):
    command("encode", "-m", TOWERS / "hf", "--quiet", "--image", *PICTURES, "-o", tmp_path / "i.npy")
    assert np.array_equal(enc.images(PICTURES), np.load(tmp_path / "i.npy"))
    texts = ["a photo of a cat.", "dogs and cats", "13"]
    command("encode", "-m", TOWERS / "hf", "--quiet", "--text", *texts, "-o", tmp_path / "t.npy")
    assert np.array_equal(enc.texts(texts), np.load(tmp_path / "t.npy"))
    command("preprocess", "-m", TOWERS / "hf", "--quiet", PICTURES[0], "-o", tmp_path / "p.npy")
    assert np.array_equal(enc.preprocess(PICTURES[0]), np.load(tmp_path / "p.npy"))
    tokens = command("tokenize", "-m", TOWERS / "hf", "--format", "json", "a cat", "dogs")
    assert json.loads(tokens) == enc.tokenize(["a cat", "dogs"])


@pytest.mark.filterwarnings("ignore:a picture of mode I.16:UserWarning")  # test_pictures.py
def test_every_kind_of_picture_gives_the_file_s_features(enc):
    Image = pytest.importorskip("PIL.Image")
    files = enc.images(PICTURES)
    assert files.shape == (len(PICTURES), enc.dim)
    assert np.allclose(np.linalg.norm(files, axis=1), 1, atol=1e-6)
    read = [p.read_bytes() for p in PICTURES]
    assert np.array_equal(enc.images(map(str, PICTURES)), files)
    assert np.array_equal(enc.images(read), files)
    assert np.array_equal(enc.images([bytearray(b) for b in read[:3]] + [memoryview(b) for b in read[3:5]]), files[:5])
    same = enc.images([Image.open(io.BytesIO(b)) for b in read])
    assert [p.name for p, a, b in zip(PICTURES, files, same) if not np.array_equal(a, b)] == []
    rgba = [np.asarray(Image.open(io.BytesIO(b)).convert("RGBA")) for b in read]
    opaque = [a[..., :3] if (a[..., 3] == 255).all() else a for a in rgba]
    assert np.array_equal(enc.images(opaque), files)


def test_alpha_is_kept_from_memory():
    """The Hugging Face preset puts transparent pictures over white: RGBA arrays are not RGB with something dropped."""
    enc = mopd.Encoder(TOWERS / "hf")
    clear = np.zeros((20, 20, 4), np.uint8)
    white = np.full((20, 20, 3), 255, np.uint8)
    assert np.array_equal(enc.images([clear]), enc.images([white]))


def test_a_picture_does_not_depend_on_its_neighbours(enc, shots):
    rng = np.random.default_rng(1)
    big = rng.integers(0, 255, (40, 90, 3), dtype=np.uint8)
    mixed = [PICTURES[0], PICTURES[1].read_bytes(), big, big[:, :, 0], big[..., :1], big[:, ::-1], big[5:, 3:77]]
    together = enc.images(mixed * 3)
    for i, picture in enumerate(mixed):
        assert np.array_equal(enc.images([picture])[0], together[i])
        assert np.array_equal(together[i], together[i + 7])
    assert np.array_equal(enc.images([np.ascontiguousarray(big[5:, 3:77])])[0], together[6])
    assert np.array_equal(enc.images(np.stack(shots[0])), enc.images(shots[0]))
    assert enc.images([]).shape == enc.texts([])[:0].shape == (0, enc.dim)


def test_pixels_and_images_agree(enc):
    pixels = np.stack([enc.preprocess(p) for p in PICTURES[:20]])
    assert pixels.shape[1:] == (3, enc.image_size, enc.image_size)
    assert np.array_equal(enc.pixels(pixels), enc.images(PICTURES[:20]))
    views = [enc.preprocess(PICTURES[0], view=s) for s in (1, 1, 2)]
    assert np.array_equal(views[0], views[1]) and not np.array_equal(views[0], views[2])


def test_bad_pictures_are_named(enc, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    with pytest.raises(mopd.MopdError, match="bad.png") as caught:
        enc.images([PICTURES[0], bad])
    assert caught.value.status == mopd.Status.FORMAT == -4
    with pytest.raises(mopd.MopdError, match="picture 1: ") as caught:
        enc.images([PICTURES[0], b"no picture"])
    with pytest.raises(mopd.MopdError, match="nowhere") as caught:
        enc.images([tmp_path / "nowhere.png"])
    assert caught.value.status is mopd.Status.IO
    for mixed in ([PICTURES[0], bad, PICTURES[1]], [PICTURES[0].read_bytes(), b"x", PICTURES[1]]):
        rows = enc.images(mixed, errors="nan")
        assert np.isnan(rows).all(1).tolist() == [False, True, False]
        assert np.array_equal(rows[[0, 2]], enc.images(PICTURES[:2]))
    assert np.isnan(enc.images([b"x"], errors="nan")).all()


def test_wrong_arguments_are_told(enc):
    with pytest.raises(TypeError, match="a list of pictures"):
        enc.images("a.jpg")
    with pytest.raises(TypeError, match="a list of pictures"):
        enc.images(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=r"\(4, 4, 2\)"):
        enc.images([np.zeros((4, 4, 2), np.uint8)])
    with pytest.raises(TypeError, match="a picture is .* this is dict"):
        enc.images([{}])
    with pytest.raises(TypeError, match="not one str"):
        enc.texts("a cat")
    with pytest.raises(TypeError, match="expected str"):
        enc.texts([b"a cat"])
    with pytest.raises(ValueError, match="zero character"):
        enc.texts(["a\0b"])
    with pytest.raises(ValueError, match="expected"):
        enc.pixels(np.zeros((1, 3, 1, 1)))
    with pytest.raises(ValueError, match="precision"):
        mopd.Encoder(TOWERS / "hf", precision="f64")
    with pytest.raises(ValueError, match="errors"):
        enc.images([], errors="ignore")


def test_bf16_is_near_f32() -> None:
    texts = ["a photo of a cat.", "a dog"]
    with mopd.Encoder(TOWERS / "hf", precision="bf16") as reduced, mopd.Encoder(TOWERS / "hf") as exact:
        assert (reduced.precision, exact.precision) == ("bf16", "f32")
        assert reduced.fingerprint == exact.fingerprint
        a, b = reduced.texts(texts), exact.texts(texts)
    assert not np.array_equal(a, b)
    assert (a * b).sum(-1).min() > 0.99999


def test_int8_is_near_f32(tmp_path) -> None:
    texts = ["a photo of a cat.", "a dog"]
    with mopd.Encoder(TOWERS / "hf") as exact:
        exact.pack(tmp_path / "small.safetensors", dtype="i8")
        b = exact.texts(texts)
    for path in (TOWERS / "hf", tmp_path / "small.safetensors"):
        with mopd.Encoder(path, precision="int8") as reduced:
            assert reduced.precision == "int8"
            a = reduced.texts(texts)
        assert not np.array_equal(a, b)
        assert (a * b).sum(-1).min() > 0.999


def test_packing_is_calibrated_by_pictures(tmp_path) -> None:
    with mopd.Encoder(TOWERS / "hf") as exact:
        exact.pack(tmp_path / "small.safetensors", dtype="i8", calibrate=PICTURES[:5])
        exact.pack(tmp_path / "again.safetensors", dtype="i8", calibrate=iter(PICTURES[:5]))
        with pytest.raises(mopd.MopdError, match="only I8 is calibrated"):
            exact.pack(tmp_path / "no", calibrate=PICTURES[:5])
        with pytest.raises(mopd.MopdError, match="no picture"):
            exact.pack(tmp_path / "no", dtype="i8", calibrate=[])
        with pytest.raises(mopd.MopdError, match="absent"):
            exact.pack(tmp_path / "no", dtype="i8", calibrate=[tmp_path / "absent.png"])
        exact.pack(tmp_path / "panels.safetensors", dtype="i8", panels=True, calibrate=PICTURES[:5])
        b = exact.images(PICTURES[5:9])
    assert (tmp_path / "small.safetensors").read_bytes() == (tmp_path / "again.safetensors").read_bytes()
    assert not (tmp_path / "no").exists()
    with mopd.Encoder(tmp_path / "small.safetensors", precision="int8") as reduced:
        assert (reduced.images(PICTURES[5:9]) * b).sum(-1).min() > 0.998


def test_errors_have_status_and_place(tmp_path):
    with pytest.raises(mopd.MopdError) as caught:
        mopd.Encoder(tmp_path / "no-model")
    assert caught.value.status == mopd.Status.IO and "no-model" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.status, str(again)) == (caught.value.status, str(caught.value))


def test_over_long_text_is_refused_or_cut(enc):
    text = "cat " * 1000
    with pytest.raises(mopd.MopdError) as caught:
        enc.texts([text])
    assert caught.value.status == mopd.Status.ARG
    cut = mopd.Encoder(TOWERS / "hf", truncate=True)
    assert len(cut.tokenize(text)) == enc.context_length
    assert cut.texts([text]).shape == (1, enc.dim)


def test_threads_and_reading_change_nothing(enc):
    for threads in (1, 2, 3):
        other = mopd.Encoder(TOWERS / "hf", threads=threads, read=threads == 2)
        assert other.n_threads == threads
        assert np.array_equal(other.images(PICTURES[:9]), enc.images(PICTURES[:9]))


def test_copies_and_pickles_are_the_same_model(enc):
    assert copy.deepcopy(enc) is enc and copy.copy(enc) is enc
    data = pickle.dumps(enc)
    first, second = pickle.loads(data), pickle.loads(data)
    assert first is second is not enc
    assert first.fingerprint == enc.fingerprint
    assert len(enc.fingerprint) == 64


def test_closing_waits_for_nobody_and_breaks_nothing(enc):
    with mopd.Encoder(TOWERS / "hf") as other:
        bank = mopd.Bank(other, ["cat", "dog"])
        features = bank.features
    with pytest.raises(ValueError, match="closed"):
        other.texts(["a"])
    del bank
    gc.collect()
    assert np.array_equal(features, mopd.Bank(enc, ["cat", "dog"]).features)
    assert other.dim == enc.dim


def test_calls_from_threads_agree(enc):
    expected = enc.images(PICTURES[:12])
    wrong = []

    def work():
        for _ in range(5):
            if not np.array_equal(enc.images(PICTURES[:12]), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_calls_release_the_gil(enc):
    """The interpreter is told to take its lock from no thread, so another thread runs only while a call has given the
    lock up, and the calls go on until it has run."""
    gate, ran = threading.Lock(), []
    gate.acquire()
    thread = threading.Thread(target=lambda: gate.acquire() and ran.append(True), daemon=True)
    pixels = np.zeros((64, 3, enc.image_size, enc.image_size), np.float32)
    interval, patience = sys.getswitchinterval(), time.monotonic() + PATIENCE
    thread.start()
    sys.setswitchinterval(3600)
    try:
        gate.release()
        while not ran and time.monotonic() < patience:
            enc.pixels(pixels)
        ran_during_calls = bool(ran)
    finally:
        sys.setswitchinterval(interval)
    thread.join()
    assert ran_during_calls


def test_progress_is_reported(enc):
    seen = []
    enc.images(PICTURES[:5], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 5) for i in range(1, 6)]
    seen.clear()
    enc.images([p.read_bytes() for p in PICTURES[:20]], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(16, 20), (20, 20)]


def test_a_failing_callback_is_raised(enc):
    def fail(done, total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        enc.images(PICTURES[:5], progress=fail)


@pytest.mark.parametrize("panels", [False, True])
def test_packed_model_is_the_same(enc, tmp_path, panels):
    enc.pack(tmp_path / "m.safetensors", panels=panels)
    packed = mopd.Encoder(tmp_path / "m.safetensors")
    assert packed.fingerprint == enc.fingerprint
    assert np.array_equal(packed.images(PICTURES[:5]), enc.images(PICTURES[:5]))
    assert mopd.inspect(tmp_path / "m.safetensors")["kind"] == "model"
    assert enc.describe()
    with pytest.raises(ValueError, match="dtype"):
        enc.pack(tmp_path / "m", dtype="f8")


def test_module_functions():
    assert mopd.version() == mopd.__version__ in mopd.build_info()
    assert all("{}" in t for t in mopd.templates_for("EuroSAT"))
    with pytest.raises(mopd.MopdError, match="eurosat"):
        mopd.templates_for("nothing")
    assert set(mopd.__all__) <= set(dir(mopd))
    with pytest.raises(AttributeError, match="nothing"):
        mopd.nothing
    mopd.set_threads(2)
    mopd.set_threads(0)
