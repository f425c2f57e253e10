# SPDX-License-Identifier: MIT
"""Labels that are no words: told, given words, and kept right inside scikit-learn's meta-estimators, which make numbers of
words.  Features lie around their names here, so an estimator that does not know the names is far worse."""
from __future__ import annotations

import sklearn
import numpy as np
import pytest
from conftest import around_names
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.semi_supervised import SelfTrainingClassifier

import mopd
from mopd._labels import are_ids, words_for, words_of

NAMES = ["a", "cat", "dog", "of", "photo", "the"]
IDS = ["n02", "n11", "n25", "n33", "n41", "n59"]
TWO_POINTS = 0.02


@pytest.fixture(scope="module")
def data(enc):
    return around_names(enc, NAMES, 4, noise=0.2), around_names(enc, NAMES, 50, noise=0.2, seed=1)


def mopd_classifier(enc, **settings):
    return mopd.MoPDClassifier(enc, epochs=3, lr=0.01, method="coop", **settings)


def recognizer(enc, **settings):
    return mopd.Recognizer(enc, **settings)


MAKERS = [mopd_classifier, recognizer]

META = {
    "sigmoid": lambda clf: CalibratedClassifierCV(clf, method="sigmoid", cv=2),
    "temperature": lambda clf: CalibratedClassifierCV(clf, method="temperature", cv=2),
    "bagging": lambda clf: BaggingClassifier(clf, n_estimators=3, max_samples=1.0, random_state=0),
    "stacking": lambda clf: StackingClassifier([("one", clf)], LogisticRegression(C=10, max_iter=1000), cv=2),
    "voting": lambda clf: VotingClassifier([("one", clf), ("two", clf)], voting="soft"),
    "search": lambda clf: GridSearchCV(clf, {"templates": [None, ["the {}"]]}, cv=2),
}


@pytest.mark.filterwarnings("ignore:.*lbfgs.*", "ignore:.*penalty.*")
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("meta", META)
def test_meta_estimators_are_as_good_as_names(enc, data, make, meta):
    (X, y), (T, t) = data
    if meta == "temperature" and tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 8):
        pytest.skip("scikit-learn 1.8 brought it")
    plain = make(enc).fit(X, y).score(T, t)
    assert plain > 0.8
    least = plain - TWO_POINTS
    assert META[meta](make(enc, class_names=NAMES)).fit(X, y).score(T, t) >= least
    by_id = np.asarray(IDS)[np.searchsorted(NAMES, y)], np.asarray(IDS)[np.searchsorted(NAMES, t)]
    assert META[meta](make(enc, class_names=NAMES)).fit(X, by_id[0]).score(T, by_id[1]) >= least


@pytest.mark.parametrize("make", MAKERS)
def test_numbers_are_told_and_words_mend_them(enc, data, make):
    (X, y), (T, t) = data
    numbers = np.searchsorted(NAMES, y)
    plain = make(enc).fit(X, y)
    for labels in (numbers, numbers.astype(float), np.asarray(IDS)[numbers]):
        with pytest.warns(UserWarning, match="numbers or ids .*class_names") as caught:
            blind = make(enc).fit(X, labels)
        assert len(caught) == 1 and caught[0].filename == __file__
        assert not np.array_equal(blind.logits(T), plain.logits(T))
    if make is mopd_classifier:  # to a Recognizer the pictures themselves say enough
        assert blind.score(T, np.asarray(IDS)[np.searchsorted(NAMES, t)]) < 0.5
    for labels, names in (
        (numbers, NAMES),
        (numbers + 1, NAMES),
        (numbers * 10, NAMES),
        (np.asarray(IDS)[numbers], NAMES),
        (numbers, dict(enumerate(NAMES))),
        (np.asarray(IDS)[numbers], dict(zip(IDS, NAMES))),
        (y, None),
        (y, NAMES[::-1]),  # they are the names: their order does not matter
    ):
        seeing = make(enc, class_names=names).fit(X, labels)
        assert np.array_equal(seeing.logits(T), plain.logits(T))
        assert seeing.classes_.tolist() == sorted(set(labels.tolist()))
        wider = seeing.with_classes([*seeing.classes_.tolist()[:2], "new"])
        assert np.allclose(wider.logits(T)[:, :2], plain.logits(T)[:, :2], atol=1e-5)


@pytest.mark.parametrize("make", MAKERS)
def test_self_training(enc, data, make):
    (X, y), (T, t) = data
    some = np.where(np.arange(len(y)) % 4 == 3, -1, np.searchsorted(NAMES, y))
    least = make(enc).fit(X[some >= 0], y[some >= 0]).score(T, t) - TWO_POINTS
    clf = SelfTrainingClassifier(make(enc, class_names=NAMES), threshold=0.9).fit(X, some)
    assert clf.score(T, np.searchsorted(NAMES, t)) >= least
    names = np.where(some < 0, -1, y.astype(object))
    assert SelfTrainingClassifier(make(enc), threshold=0.9).fit(X, names).score(T, t.astype(object)) >= least


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("meta", [OneVsRestClassifier, OneVsOneClassifier])
def test_one_against_the_rest_is_refused_clearly(enc, data, make, meta):
    with pytest.raises(ValueError, match="OneVsRestClassifier.*use it without them"):
        meta(make(enc, class_names=NAMES)).fit(*data[0])
    with pytest.warns(UserWarning, match="numbers or ids"):
        meta(make(enc)).fit(*data[0])
    two = np.isin(data[0][1], ["cat", "dog"])
    X, y = data[0][0][two], data[0][1][two]
    pair = OneVsRestClassifier(make(enc, class_names=["cat", "dog"])).fit(X, y)
    assert np.array_equal(pair.predict(X), make(enc).fit(X, y).predict(X))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", MAKERS)
def test_bagging_that_misses_a_class_keeps_the_others_names(enc, data, make):
    X, y = data[0]
    bag = BaggingClassifier(make(enc, class_names=NAMES), n_estimators=8, max_samples=0.3, random_state=1)
    bag.fit(X, y)
    assert any(len(one.classes_) < 6 for one in bag.estimators_)
    for one in bag.estimators_:
        assert [NAMES[c] for c in one.classes_] == list(one._words)


@pytest.mark.parametrize("make", MAKERS)
def test_folds_and_searches_by_number(enc, data, make):
    X, y = data[0]
    numbers = np.searchsorted(NAMES, y)
    by_name = cross_val_score(make(enc), X, y, cv=2)
    assert np.array_equal(cross_val_score(make(enc, class_names=NAMES), X, numbers, cv=2), by_name)
    assert np.array_equal(cross_val_score(make(enc, class_names=dict(enumerate(NAMES))), X, numbers, cv=2), by_name)


def test_words_that_cannot_be_told_are_refused():
    for labels, names, words in (
        ([0, 1, 7], {0: "a", 1: "b"}, "no words for the labels 7"),
        ([0, 1], {"x": "a", "y": "b", "z": "c"}, "no words for the labels 0, 1.*sorted"),
        ([1, 2], {2: "a", 3: "b"}, "no words for the labels 1"),
        (["x", "y", "z"], ["a", "b"], "2 class_names for 3 labels"),
        ([3, 4], ["a", "b", "c"], "3 class_names for 2 labels"),
        ([0.5, 1.0], ["a", "b", "c"], "3 class_names for 2 labels"),
        ([0, 1], ["a", "b", "c"], "OneVsRestClassifier"),
        ([0, 1], {0: "a", 1: "b", 2: "c"}, "OneVsRestClassifier"),
    ):
        with pytest.raises(ValueError, match=words):
            words_of(labels, names)
    with pytest.raises(TypeError, match="'x' stands for 0"):
        words_of(["x"], {"x": 0})
    with pytest.raises(TypeError, match="not one str"):
        words_of(["x"], "x")
    with pytest.warns(UserWarning, match="count from 0"):
        assert words_of([1, 2], ["a", "b", "c"]) == ["b", "c"]
    assert words_of([0, 1], {"y": "b", "x": "a"}) == ["a", "b"]
    assert words_of(["x", "z"], {"x": "a"}) == ["a", "z"]
    assert words_for(["q", 0, "x"], ["a", "b"], {"x": "known"}) == ["q", "a", "known"]
    assert words_for(["q", "x"], {"q": "a"}, {}) == ["a", "x"]


@pytest.mark.parametrize("names", [
    ["0", "1"], ["3"], ["1.0", "2.0"], ["n01440001", "n01443537"], ["class_1", "class_22"], ["c1", "c2"],
    ["7f3a9c21", "00ff12ab"], ["label-0", "label-1"],
])  # fmt: skip
def test_ids_are_known(enc, names):
    assert are_ids(names)
    for make in (mopd.Bank, mopd.Trainer):
        with pytest.warns(UserWarning, match="numbers or ids") as caught:
            make(enc, names, templates=["{}"])
        assert [w.filename for w in caught] == [__file__]


@pytest.mark.parametrize("names", [
    ["cat"], ["cat", "dog"], ["707-320", "A320", "F-16"], ["Boeing_707", "Boeing_737"], ["mp3 player", "4x4 car"], [],
    ["B747", "A320"], ["2CV", "beetle"], ["1", "one"], ["facade"],
])  # fmt: skip
def test_words_are_no_ids(names):
    assert not are_ids(names)
