# SPDX-License-Identifier: MIT
from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest
from conftest import PICTURES, TOWERS

import mopd


def test_dataset_lists_a_folder(folder, enc):
    data = mopd.Dataset(folder)
    assert data.classes == ["a", "cat", "dog"] and len(data) == 30
    assert data.splits == {"train": 21, "val": 0, "test": 9}
    assert data[0].path == "train/a/00.png" or data[0].path == "test/a/21.png"
    assert data[-1].label == 2 and data[-1].split in ("train", "test")
    with pytest.raises(IndexError):
        data[30]
    assert np.bincount(data.labels).tolist() == [10, 10, 10]
    test = data.select(split="test")
    assert len(test) == 9 and {i.split for i in (test[j] for j in range(9))} == {"test"}
    assert len(data.select(split="train", shots=2)) == 6
    assert data.select(subset="base").classes == ["a", "cat"]
    assert data.pick([0, 1], relabel=True).classes == ["a"]
    assert len(data.leave_out(3)) == 29
    assert data.withdraw(class_name="dog").classes == ["a", "cat"]
    with pytest.raises(mopd.MopdError):
        data.features()
    with pytest.raises(ValueError):
        data.select(split="all")
    assert "30 pictures" in repr(data)


def test_encoded_features_are_the_encoder_s(folder, enc, tmp_path):
    data = mopd.Dataset(folder)
    seen = []
    part = data.select(split="train").encode(enc)
    store = data.encode(enc, known=part, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert np.array_equal(store.features(), enc.images(data.files))
    assert store.features(1).shape == (30, 1, enc.dim)
    store.save(tmp_path / "s.safetensors")
    again = mopd.Dataset(tmp_path / "s.safetensors")
    assert again.fingerprint == enc.fingerprint and again.n_views == 1 and not again.augmented
    assert np.array_equal(again.features(), store.features())
    with pytest.raises(TypeError, match="save"):
        pickle.dumps(again)
    with pytest.raises(mopd.MopdError) as caught:
        again.encode(mopd.Encoder(TOWERS / "openclip"))
    assert caught.value.status == mopd.Status.MISMATCH
    views = data.select(split="train").encode(enc, views=2, seed=3)
    assert views.augmented and views.features(2).shape == (21, 2, enc.dim)


def test_store_is_the_command_s(folder, enc, command, tmp_path):
    command("features", "-m", TOWERS / "hf", "--quiet", "-d", folder, "-o", tmp_path / "c.safetensors")
    mopd.Dataset(folder).encode(enc).save(tmp_path / "p.safetensors")
    assert (tmp_path / "c.safetensors").read_bytes() == (tmp_path / "p.safetensors").read_bytes()


def test_bad_pictures_are_skipped_when_asked(folder, enc, tmp_path):
    lines = ["path,label"] + [f"{folder}/train/cat/{i:02}.png,cat" for i in (2, 5)]
    (tmp_path / "bad.png").write_bytes(b"x")
    (tmp_path / "d.csv").write_text("\n".join([*lines, "bad.png,cat"]) + "\n")
    data = mopd.Dataset(tmp_path / "d.csv")
    assert [(r.kind, r.n) for r in data.remarks] == [("outside", 2)]
    with pytest.raises(mopd.MopdError, match="bad.png"):
        data.encode(enc)
    told = []
    assert len(data.encode(enc, skip_bad=True, bad=lambda path, message: told.append(path))) == 2
    assert len(told) == 1 and told[0].endswith("bad.png")


def test_a_failing_callback_is_raised(folder, enc):
    def fail(done, total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        mopd.Dataset(folder).encode(enc, progress=fail)


def test_pictures_without_labels(folder, enc, tmp_path):
    data = mopd.Dataset(folder, unlabelled=True)
    assert data.unlabelled and data.classes == ["unlabelled"] and len(data) == 30
    data.encode(enc).save(tmp_path / "all.safetensors")
    store = mopd.Dataset(tmp_path / "all.safetensors")
    assert store.unlabelled and sorted(store.files) == sorted(str(p) for p in folder.rglob("*.png"))
    assert not mopd.Dataset(folder).unlabelled


def test_data_that_unlabelled_would_open(folder, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "a.png").write_bytes(PICTURES[0].read_bytes())
    with pytest.raises(mopd.MopdError, match="no class folder.*; unlabelled=True takes pictures") as caught:
        mopd.Dataset(flat)
    assert caught.value.status == mopd.Status.FORMAT
    (tmp_path / "none").mkdir()
    with pytest.raises(mopd.MopdError, match="no class folder[^;]*$"):
        mopd.Dataset(tmp_path / "none")


def test_a_store_follows_its_folder(folder, enc, tmp_path):
    place = tmp_path / "mine"
    shutil.copytree(folder, place)
    mopd.Dataset(place).encode(enc).save(tmp_path / "mine.safetensors")
    known = mopd.Dataset(tmp_path / "mine.safetensors")
    first, *_, last = sorted((place / "train" / "cat").iterdir())
    first.rename(place / "train" / "dog" / "moved.png")
    last.unlink()
    with pytest.raises(mopd.MopdError, match="from class 'cat' to 'dog'"):
        mopd.Dataset(place).encode(enc, known=known)
    synced = mopd.Dataset(place).encode(enc, known=known, sync=True)
    synced.save(tmp_path / "synced.safetensors")
    mopd.Dataset(place).encode(enc).save(tmp_path / "anew.safetensors")
    assert (tmp_path / "synced.safetensors").read_bytes() == (tmp_path / "anew.safetensors").read_bytes()


def test_a_journal_keeps_what_was_encoded(folder, enc, tmp_path):
    data, journal = mopd.Dataset(folder), tmp_path / "j"

    def stop(done, total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        data.encode(enc, journal=journal, progress=stop)
    before = journal.read_bytes()
    assert len(before) > 256
    store = data.encode(enc, journal=journal)
    assert journal.read_bytes().startswith(before) and journal.stat().st_size > len(before)
    assert np.array_equal(store.features(), data.encode(enc).features())
    journal.write_text("notes of mine")
    with pytest.raises(mopd.MopdError, match="not a journal"):
        data.encode(enc, journal=journal)


@pytest.fixture
def ids(tmp_path, shots):
    """Folders named by ids, a file that no reader opens, and one picture in two classes."""
    Image = pytest.importorskip("PIL.Image")
    for i, (picture, label) in enumerate(zip(*shots)):
        path = tmp_path / "ids" / f"n0{['a', 'cat', 'dog'].index(label)}" / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return tmp_path / "ids"


NAMES = ["a", "cat", "dog"]


def test_names_give_words_to_labels(enc, ids, shots, tmp_path):
    (tmp_path / "names.csv").write_text("label,name\nn02,dog\nn00,a\nn01,cat\n")
    (tmp_path / "names.txt").write_text("a\ncat\ndog\n")
    plain = mopd.Dataset(ids)
    assert plain.classes == plain.class_labels == ["n00", "n01", "n02"]
    assert [r.kind for r in plain.remarks] == ["labels"]
    expected = mopd.Recognizer(enc).fit(plain.files, [NAMES[y] for y in plain.labels])
    for names in (tmp_path / "names.csv", str(tmp_path / "names.txt"), NAMES, dict(zip(plain.classes, NAMES))):
        data = mopd.Dataset(ids, names=names)
        assert data.classes == NAMES and data.class_labels == plain.classes and data.remarks == []
        rec = mopd.Recognizer(enc).fit(data)
        assert rec.classes_.tolist() == NAMES and np.array_equal(rec.logits(data), expected.logits(data))
    some = plain.with_names({"n01": "photo"})
    assert some.classes == ["n00", "photo", "n02"]
    with pytest.warns(UserWarning, match="numbers or ids"):
        mopd.Recognizer(enc).fit(plain)
    with pytest.raises(ValueError, match="'n7' is no label; the labels are n00, n01"):
        plain.with_names({"n7": "x"})
    with pytest.raises(mopd.MopdError):
        plain.with_names(["a", "b"])
    with pytest.raises(TypeError, match="names: a list"):
        plain.with_names("a,b")


def test_what_was_left_out_is_told(enc, ids):
    (ids / "n00" / "notes.docx").write_text("no picture")
    with pytest.warns(UserWarning, match="docx") as caught:
        data = mopd.Dataset(ids, names=NAMES)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert [(r.kind, r.n) for r in data.remarks] == [("passed over", 1)] and "docx" in data.remarks[0].text
    (ids / "n00" / "notes.docx").unlink()
    shutil.copy(next((ids / "n01").iterdir()), ids / "n02" / "same.png")
    data = mopd.Dataset(ids, names=NAMES)
    with pytest.warns(UserWarning, match="same.png|n01|n02") as caught:
        encoded = data.encode(enc)
    assert len(caught) == 1 and [r.kind for r in encoded.remarks] == ["two classes"]
