# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
from conftest import PICTURES

import mopd
from mopd._labels import warn_of_spelled


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.fixture(scope="module")
def features(enc):
    return enc.images(PICTURES[:12])


def test_bank_is_its_formula(enc, features):
    templates = ["a photo of a {}.", "the {}"]
    bank = mopd.Bank(enc, ["cat", "dog", "a"], templates)
    texts = np.stack([enc.texts([t.format(c) for t in templates]).mean(0) for c in bank.classes])
    expected = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    assert np.allclose(bank.features, expected, atol=1e-6)
    logits = bank.logits(features)
    assert np.allclose(logits, enc.logit_scale * features @ expected.T, atol=1e-3)
    assert np.allclose(bank.probabilities(features), softmax(logits), atol=1e-5)
    assert np.allclose(enc.similarity(features, expected) * enc.logit_scale, logits, atol=1e-3)


def test_classify_ranks_by_name(enc, features):
    bank = mopd.Bank(enc, ["cat", "dog", "a"])
    p = bank.probabilities(features)
    for row, ranked in zip(p, bank.classify(features, top=2)):
        order = np.argsort(-row, kind="stable")[:2]
        assert ranked == [(bank.classes[i], float(row[i])) for i in order]
    matches = bank.matches(features, top=9)
    assert matches.shape == (12, 3)
    assert np.array_equal(np.take_along_axis(p, matches["index"].astype(int), 1), matches["probability"])
    assert bank.classify(features[0], top=1) == bank.classify(features[:1], top=1)
    assert bank.classify(features[:0]) == []


def test_views_live_as_long_as_they_are_used(enc):
    bank = mopd.Bank(enc, ["cat", "dog"])
    rows = bank.features
    kept = rows.copy()
    assert not rows.flags.owndata and not rows.flags.writeable
    del bank
    for _ in range(20):
        mopd.Bank(enc, ["a", "the"])
    assert np.array_equal(rows, kept)


def test_bank_of_features(enc, features):
    bank = mopd.Bank(enc, ["cat", "dog"])
    other = mopd.Bank.from_features(["cat", "dog"], 3 * bank.features, enc.logit_scale)
    assert np.allclose(other.logits(features), bank.logits(features), atol=1e-4)
    with pytest.raises(mopd.MopdError) as caught:
        mopd.Bank.from_features(["cat"], np.zeros((1, enc.dim)), 1)
    assert caught.value.status == mopd.Status.NUMERIC


@pytest.mark.parametrize("classes", [[], ["cat", "cat"], [""]])
def test_wrong_classes_are_refused(enc, classes):
    with pytest.raises(mopd.MopdError) as caught:
        mopd.Bank(enc, classes)
    assert caught.value.status == mopd.Status.ARG


def test_wrong_features_are_refused(enc):
    bank = mopd.Bank(enc, ["cat", "dog"])
    with pytest.raises(ValueError, match="expected"):
        bank.logits(np.zeros((2, enc.dim + 1), np.float32))
    with pytest.raises(ValueError, match="top"):
        bank.classify(np.zeros((2, enc.dim), np.float32), top=0)
    with pytest.raises(TypeError, match="not one str"):
        mopd.Bank(enc, "cat")
    with pytest.raises(mopd.MopdError, match="{}"):
        mopd.Bank(enc, ["cat"], ["no place"])


def test_unicode_names(enc):
    names = ["café", "猫", "Straße_12"]
    assert mopd.Bank(enc, names).classes == names


def test_gda_fits_and_widens(enc, shots):
    pictures, names = shots
    f = enc.images(pictures)
    bank = mopd.Bank(enc, ["a", "dog", "cat"])
    y = np.asarray([bank.classes.index(n) for n in names])
    gda = mopd.GDA(bank, f, y)
    assert gda.alpha > 0 and gda.classes == bank.classes
    assert (gda.logits(f).argmax(1) == y).mean() == 1
    wider = gda.with_classes(mopd.Bank(enc, ["a", "dog", "cat", "photo"]))
    assert wider.logits(f).shape == (len(f), 4)
    with pytest.raises(ValueError, match="labels"):
        mopd.GDA(bank, f, y[:-1])


def copies(x):
    return [pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)]


def test_banks_are_copied_pickled_and_predict(enc, features, shots):
    prompt = mopd.MoPDClassifier(enc, epochs=1).fit(*shots).prompt_
    banks = [
        mopd.Bank(enc, ["cat", "dog", "猫"], ["a photo of a {}.", "the {}"]),
        mopd.Bank.from_features(["cat", "dog"], np.random.default_rng(0).normal(size=(2, enc.dim)), 7.3),
        prompt.bank(enc, ["cat", "photo", "the"]),
        mopd.Trainer(enc, ["a", "dog"], epochs=1).bank(),
    ]
    for bank in banks:
        logits = bank.logits(features)
        assert bank.predict(features).tolist() == [bank.classes[i] for i in logits.argmax(1)]
        assert np.allclose(logits, bank.logit_scale * features @ bank.features.T, atol=1e-4)
        for again in copies(bank):
            assert again.classes == bank.classes and np.array_equal(again.features, bank.features)
            assert np.array_equal(again.logits(features), logits) and again.logit_scale == bank.logit_scale
            assert again.fingerprint == bank.fingerprint
    assert banks[0].predict(features[:0]).shape == (0,)


def test_a_bank_takes_the_scale_of_labelled_pictures(enc, shots):
    pictures, names = shots
    f, bank = enc.images(pictures), mopd.Bank(enc, ["a", "dog", "cat"])
    tuned = bank.calibrated(f, names)
    y = [bank.classes.index(name) for name in names]
    assert tuned.logit_scale == bank.calibrated(f, y).logit_scale != bank.logit_scale
    assert np.array_equal(tuned.features, bank.features) and tuned.classes == bank.classes
    rows = np.arange(len(y))

    def loss(bank, scale):
        p = softmax(scale * f @ bank.features.T)
        return -np.log(p[rows, y]).mean() + np.log(bank.logit_scale / scale) ** 2 / len(y)

    best = loss(bank, tuned.logit_scale)
    assert all(best <= loss(bank, tuned.logit_scale * k) + 1e-6 for k in (0.5, 0.9, 1.1, 2))
    with pytest.raises(ValueError, match="'bird' is no class of the bank"):
        bank.calibrated(f, ["bird"] * len(f))
    with pytest.raises(ValueError, match="indices of classes"):
        bank.calibrated(f, np.asarray(y) + 2**32)  # not cut to 32 bits
    with pytest.raises(ValueError, match="zero character"):
        tuned.save("a\0b")


def test_gda_is_copied_pickled_and_predicts(enc, shots, tmp_path):
    f = enc.images(shots[0])
    bank = mopd.Bank(enc, ["a", "dog", "cat"])
    by_name = mopd.GDA(bank, f, shots[1])
    gda = mopd.GDA(bank, f, [bank.classes.index(y) for y in shots[1]])
    assert np.array_equal(by_name.logits(f), gda.logits(f))
    assert gda.predict(f).tolist() == shots[1]
    assert np.allclose(gda.probabilities(f), softmax(gda.logits(f) / gda.temperature), atol=1e-6)
    wider = gda.with_classes(mopd.Bank(enc, ["a", "dog", "cat", "photo"]))
    for one in (gda, wider, mopd.GDA(bank, f, shots[1], alpha=0.3)):
        for again in copies(one):
            assert again.alpha == one.alpha and np.array_equal(again.logits(f), one.logits(f))
            assert again.classes == one.classes and np.array_equal(again.probabilities(f), one.probabilities(f))
    gda.save(tmp_path / "head.safetensors")
    opened = mopd.GDA.open(tmp_path / "head.safetensors", enc)
    assert np.array_equal(opened.logits(f), gda.logits(f)) and opened.temperature == gda.temperature
    with pytest.raises(mopd.MopdError, match="a gda, not a bank"):
        mopd.Bank.open(tmp_path / "head.safetensors")
    kept = f.copy()
    gda = mopd.GDA(bank, kept, shots[1])
    kept[:] = 0  # what the caller does with his array later is his affair
    assert np.array_equal(pickle.loads(pickle.dumps(gda)).logits(f), by_name.logits(f))
    with pytest.raises(ValueError, match="'bird' is no class of the bank"):
        mopd.GDA(bank, f, ["bird"] * len(f))
    with pytest.raises(TypeError, match="a Bank of the classes is expected, not list"):
        gda.with_classes(["cat"])


def test_what_cannot_be_pickled_says_so(enc, capfd):
    trainer = mopd.Trainer(enc, ["cat", "dog"])
    for thing, words in ((trainer, "checkpoint"), (trainer._handle, "memory of the library")):
        for call in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match=words):
                call(thing)
    del thing, trainer
    assert capfd.readouterr().err == ""


def test_one_text_is_no_list(enc, shots):
    """Refused at once and not by the letters; a comma reads like several."""
    clf = mopd.MoPDClassifier(enc, epochs=1).fit(*shots)
    for call in (clf.with_classes, lambda c: mopd.Bank(enc, c), lambda c: clf.prompt_.bank(enc, c)):
        with pytest.raises(TypeError, match=r"classes: .* not one str: write \['cat', 'dog'\]"):
            call("cat, dog")
    for wrong in ("the {}", ""):
        with pytest.raises(TypeError, match="templates: a list"):
            mopd.Trainer(enc, ["cat"], templates=wrong)


def test_messages_speak_python(enc):
    with pytest.raises(ValueError, match="context '' has no word; None starts from random vectors"):
        mopd.Trainer(enc, ["cat"], context="")
    with pytest.raises(mopd.MopdError, match="^ranks is 2, but reduce is None"):
        mopd.Trainer(enc, ["cat"], rank=0, ranks=2)
    with pytest.raises(mopd.MopdError) as caught:
        mopd.Encoder("model", threads=5000)
    assert "mopd_" not in str(caught.value) and "5000 threads" in str(caught.value)
    with pytest.raises(ValueError, match="threads -1: at least 1"):
        mopd.Encoder("model", threads=-1)
    with pytest.raises(TypeError, match="threads: a whole number is expected, not '2'"):
        mopd.Encoder("model", threads="2")
    with pytest.raises(ValueError, match="n_threads -1"):
        mopd.set_threads(-1)


def test_what_is_no_encoder_and_no_feature_is_told(enc, tmp_path):
    path = str(tmp_path / "r.safetensors")
    calls = (
        lambda: mopd.Bank("cat", ["cat", "dog"]),
        lambda: mopd.Bank.open(path, path),
        lambda: mopd.Prompt(path, path),
        lambda: mopd.Recognizer.load(path, enc),
        lambda: mopd.MoPDClassifier.load(path, enc),
        lambda: mopd.Trainer(path, ["cat", "dog"]),
    )
    for call in calls:
        with pytest.raises(TypeError, match="encoder: a mopd.Encoder is expected, not '"):
            call()
    bank = mopd.Bank(enc, ["cat", "dog"])
    with pytest.raises(ValueError, match=r"features, numbers \(n, 12\), are expected; Encoder.images makes"):
        bank.classify(["a.jpg"])


def test_words_that_the_vocabulary_spells_are_told(enc):
    class Reader:
        vocab_size = 40000

        @staticmethod
        def tokenize(word):
            return [0] * (len(word) + 2 if word == "xqzzt" else 3)

    with pytest.warns(UserWarning, match="spells them letter by letter: xqzzt$"):
        warn_of_spelled(Reader(), ["cat", "xqzzt 7", "house_boat"])
    warn_of_spelled(enc, ["xqzzt"])  # so small a vocabulary has hardly a word


def test_a_bank_is_kept_in_a_file(enc, features, tmp_path):
    bank = mopd.Bank(enc, ["cat", "dog"], ["the {}"])
    bank.save(tmp_path / "bank.safetensors")
    kept = mopd.Bank.open(tmp_path / "bank.safetensors", enc)
    assert kept.classes == bank.classes
    assert (kept.features == bank.features).all() and (kept.logits(features) == bank.logits(features)).all()
    assert kept.logit_scale == bank.logit_scale == pytest.approx(enc.logit_scale)
    assert kept.fingerprint == enc.fingerprint
    given = mopd.Bank.from_features(["a"], np.ones((1, 3)), kept.logit_scale)
    given.save(tmp_path / "given.safetensors")
    assert given.fingerprint == ""
    with pytest.raises(mopd.MopdError, match="features of 3 numbers") as caught:
        mopd.Bank.open(tmp_path / "given.safetensors", enc)
    assert caught.value.status == mopd.Status.MISMATCH


def with_bias(path, bias):
    """The bank's file with a logit bias, as a model with one would have written it."""
    data = path.read_bytes()
    n = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + n])
    settings = json.loads(header["__metadata__"]["mopd.settings"])
    header["__metadata__"]["mopd.settings"] = json.dumps({**settings, "logit_bias": bias})
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + n :])


def test_sigmoids_are_of_each_class_alone(enc, features, tmp_path):
    bank = mopd.Bank(enc, ["cat", "dog", "猫"])
    assert enc.logit_bias is None and bank.logit_bias is None
    with pytest.raises(mopd.MopdError, match="no logit bias"):
        bank.sigmoids(features)
    with pytest.raises(mopd.MopdError, match="no logit bias"):
        bank.classify(features, sigmoid=True)
    bank.save(tmp_path / "bank.safetensors")
    with_bias(tmp_path / "bank.safetensors", -2.5)
    own = mopd.Bank.open(tmp_path / "bank.safetensors", enc)
    assert own.logit_bias == -2.5 and np.array_equal(own.probabilities(features), bank.probabilities(features))
    want = 1 / (1 + np.exp(2.5 - own.logits(features).astype(np.float64)))
    assert np.allclose(own.sigmoids(features), want, atol=1e-6)
    for row, said, shares in zip(own.sigmoids(features), own.classify(features, 2, sigmoid=True), own.classify(features, 2)):
        assert [name for name, _ in said] == [name for name, _ in shares]
        assert [x for _, x in said] == [float(row[own.classes.index(name)]) for name, _ in said]
