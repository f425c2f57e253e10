# SPDX-License-Identifier: MIT
from __future__ import annotations

import numpy as np
import pytest
from conftest import PICTURES

import mopd


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
