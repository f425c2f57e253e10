# SPDX-License-Identifier: MIT
"""mopd.Recognizer: what `mopd fit` and `mopd classify -r` give, and what it promises."""
from __future__ import annotations

import copy
import json
import pickle
import threading

import numpy as np
import pytest
from conftest import COLOURS, PICTURES, TOWERS, around_names
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score

import mopd

NAMES = ["a", "cat", "dog", "photo", "the"]


@pytest.fixture(scope="module")
def data(enc):
    """12 pictures of each name to learn from, 20 to test with."""
    return around_names(enc, NAMES, 12, noise=0.3), around_names(enc, NAMES, 20, noise=0.3, seed=1)


@pytest.fixture(scope="module")
def fitted(enc, data):
    return mopd.Recognizer(enc).fit(*data[0])


def close(a, b):
    assert np.allclose(a, b, rtol=1e-5, atol=1e-5)


def test_the_file_is_that_of_the_command(folder, enc, command, tmp_path):
    data = mopd.Dataset(folder).select(split="train")
    mopd.MoPDClassifier(enc, epochs=1).fit(data).save(tmp_path / "p.safetensors")
    for words, settings in (
        ([], {}),
        (["--keep", "0.9", "--also", "photo,the"], {"keep": 0.9, "also": ["photo", "the"]}),
        (["--template", "the {}", "--template", "{} a"], {"templates": ["the {}", "{} a"]}),
        (["-p", tmp_path / "p.safetensors"], {"prompt": tmp_path / "p.safetensors"}),
        (
            ["-p", tmp_path / "p.safetensors", "--also", "the", "--unseen", "0.25"],
            {"prompt": tmp_path / "p.safetensors", "also": ["the"], "unseen": 0.25},
        ),
    ):
        theirs, ours = tmp_path / "theirs", tmp_path / "ours"
        command("fit", "-m", TOWERS / "hf", "--quiet", "-d", folder, *words, "-o", theirs)
        rec = mopd.Recognizer(enc, **settings).fit(data)
        rec.save(ours)
        assert ours.read_bytes() == theirs.read_bytes()
        files = mopd.Dataset(folder).select(split="test").files
        words = ["classify", "-m", TOWERS / "hf", "--quiet", "-r", theirs, "--top", 9, "--format", "json", *files]
        said = json.loads(command(*words))["results"]
        logits = rec.logits(files)
        for row, one in zip(logits, said):
            assert {m["index"]: np.float32(m["logit"]) for m in one["top"]} == dict(enumerate(row))
        assert [one["top"][0]["class"] for one in said] == rec.predict(files).tolist()
        close([one["score"] for one in said], rec.energy(files))


def test_predictions_follow_from_the_logits(fitted, data):
    X, y = data[1]
    logits = fitted.logits(X)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    assert fitted.classes_.tolist() == NAMES and logits.shape == (100, 5) and logits.dtype == np.float32
    close(fitted.predict_proba(X), shares)
    close(fitted.predict_log_proba(X), np.log(shares))
    others = np.stack([np.log(np.exp(np.delete(logits.astype(float), c, 1)).sum(1)) for c in range(5)], 1)
    close(fitted.decision_function(X), logits - others)
    assert np.array_equal(fitted.decision_function(X).argmax(1), logits.argmax(1))
    assert np.array_equal(fitted.predict(X), np.asarray(NAMES)[logits.argmax(1)])
    close(fitted.energy(X), np.log(np.exp(logits.astype(float)).sum(1)))
    assert fitted.score(X, y) == np.mean(fitted.predict(X) == y) > 0.9
    two = fitted.with_classes(["cat", "dog"])
    assert np.array_equal(two.decision_function(X), two.logits(X)[:, 1] - two.logits(X)[:, 0])


def test_views_of_pictures_data_and_features_are_one(enc, shots, folder, tmp_path):
    views = enc.views(shots[0])
    assert views.shape == (len(shots[0]), 5, enc.dim) and np.array_equal(views[:, 0], enc.images(shots[0]))
    by_picture = mopd.Recognizer(enc, views=5).fit(*shots)
    by_feature = mopd.Recognizer(enc, views=5).fit(views, shots[1])
    assert by_picture.n_views_ == by_feature.n_views_ == 5 and by_picture.settings_["view_weight"] == 2
    assert np.array_equal(by_picture.logits(shots[0]), by_feature.logits(views[:, 0]))
    three = mopd.Recognizer(enc, views=3).fit(*shots)
    assert np.array_equal(three.logits(views[:, 0]), mopd.Recognizer(enc, views=3).fit(views[:, :3], shots[1]).logits(views[:, 0]))
    by_name = mopd.Dataset(folder).select(split="train")
    stored = by_name.encode(enc, views=5, fixed=True)
    assert stored.fixed and stored.n_views == 5 and not stored.augmented
    ones = mopd.Recognizer(enc, views=5).fit(by_name).logits(views[:, 0])
    assert np.array_equal(ones, mopd.Recognizer(enc, views=5).fit(stored).logits(views[:, 0]))
    assert mopd.Recognizer(enc, views="auto").fit(stored).n_views_ in (1, 5)
    assert mopd.Recognizer(enc, views="auto").fit(views[:, 0], shots[1]).n_views_ == 1
    again = mopd.Recognizer(enc, views=5, **by_picture.settings_).fit(*shots)
    assert np.array_equal(again.logits(views[:, 0]), by_picture.logits(views[:, 0]))
    assert mopd.Recognizer(enc, views=5, view_weight=0).fit(*shots).n_views_ == 1
    rest = by_picture.withdraw([0, 4])
    places = [0, 4]
    more = rest.extend([shots[0][i] for i in places], [shots[1][i] for i in places])
    assert np.allclose(more.logits(views[:, 0]), by_picture.logits(views[:, 0]), atol=1e-5)
    assert np.array_equal(more.logits(views[:, 0]), rest.extend(views[places], [shots[1][i] for i in places]).logits(views[:, 0]))
    assert rest.extend(views[places, 0], [shots[1][i] for i in places]).n_pictures_ == len(shots[0])
    more.save(tmp_path / "v.safetensors")
    assert mopd.Recognizer.load(enc, tmp_path / "v.safetensors").n_views_ == 5
    for wrong in (0, 6, "all", 2.5):
        with pytest.raises(ValueError, match="views .* is neither 'auto' nor a number from 1 to 5"):
            mopd.Recognizer(enc, views=wrong).fit(*shots)
    with pytest.raises(ValueError, match="views is 5, but X holds features of one view"):
        mopd.Recognizer(enc, views=5).fit(views[:, 0], shots[1])
    with pytest.raises(ValueError, match="views is 5, but there are features of 2 for each picture"):
        mopd.Recognizer(enc, views=5).fit(views[:, :2], shots[1])
    with pytest.raises(ValueError, match="views is 2, but there are features of 1 for each picture"):
        mopd.Recognizer(enc, views=2).fit(by_name.encode(enc))


def test_pictures_and_features_are_one(enc, shots, folder):
    by_picture = mopd.Recognizer(enc, views=1).fit(*shots)
    by_feature = mopd.Recognizer(enc).fit(enc.images(shots[0]), shots[1])
    assert np.array_equal(by_picture.logits(shots[0]), by_feature.logits(enc.images(shots[0])))
    assert by_feature.n_features_in_ == enc.dim and not hasattr(by_picture, "n_features_in_")
    data = mopd.Dataset(folder)
    assert mopd.Recognizer(enc).fit(data).score(data) == 1
    assert mopd.Recognizer(enc).fit(data.encode(enc)).score(data) == 1
    bare = mopd.Dataset(folder, unlabelled=True)
    for call in (mopd.Recognizer(enc).fit, by_picture.score, by_picture.extend):
        with pytest.raises(ValueError, match="no labels: give them as y"):
            call(bare)
    assert by_picture.predict(bare).shape == (30,)
    other = mopd.Encoder(TOWERS / "openclip")
    with pytest.raises(mopd.MopdError, match=enc.fingerprint) as caught:
        mopd.Recognizer(other).fit(data.encode(enc))
    assert caught.value.status == mopd.Status.MISMATCH


def test_leaving_one_out_says_what_a_test_says(fitted, data):
    low, high = fitted.loo_interval_
    assert 0 < low < fitted.loo_accuracy_ < high < 1 and fitted.n_pictures_ == 60
    assert low - 0.05 < fitted.score(*data[1]) < high + 0.05
    assert 0 <= fitted.loo_ece_ < 0.2
    settings = fitted.settings_
    assert settings["keep"] == 0.95 and set(settings) == {"kappa", "shrinkage", "text_weight", "picture_weight", "view_weight", "keep"}
    again = mopd.Recognizer(fitted.encoder, **settings).fit(*data[0])
    assert np.array_equal(again.logits(data[1][0]), fitted.logits(data[1][0]))


def test_pictures_left_out_tell_more(enc, fitted, data):
    X, y = data[0]
    p = fitted.left_out_proba()
    assert p.shape == (60, 5)
    close(p.sum(axis=1), 1)
    assert np.mean(fitted.classes_[p.argmax(axis=1)] == y) == pytest.approx(fitted.loo_accuracy_)
    without = fitted.withdraw([7])
    assert np.allclose(p[7], without.predict_proba(X[7:8])[0], atol=0.05)
    own = p[np.arange(60), np.searchsorted(NAMES, y)]
    assert 0 <= fitted.alarms(0.1) <= fitted.alarms(0.5) <= fitted.alarms(1) <= 1
    assert {s.index for s in fitted.suspects()} == set(np.flatnonzero(fitted.classes_[p.argmax(axis=1)] != y))
    assert all(s.probability == pytest.approx(own[s.index], abs=1e-6) for s in fitted.suspects())
    low, high = fitted.more()
    assert 0 <= low <= high < 0.5
    few = mopd.Recognizer(enc).fit(X[::12], y[::12])
    for call in (few.left_out_proba, few.more, lambda: few.alarms(0.5)):
        with pytest.raises(mopd.MopdError) as caught:
            call()
        assert caught.value.status == mopd.Status.STATE
    with pytest.raises(mopd.MopdError, match="^probability is 2"):
        fitted.alarms(2)


def test_what_is_none_of_the_classes(enc, fitted, data):
    X, y = data[1]
    known = fitted.known(X)
    assert known.dtype == bool and 0.85 < known.mean() <= 1
    assert np.array_equal(known, fitted.energy(X) >= fitted.cutoff_)
    far = np.random.default_rng(0).normal(size=(100, enc.dim))
    assert fitted.known(far).mean() < 0.6
    answers = fitted.predict(far, none="none of these")
    assert np.array_equal(answers == "none of these", ~fitted.known(far))
    assert np.array_equal(answers[fitted.known(far)], fitted.predict(far)[fitted.known(far)])
    numbers = mopd.Recognizer(enc, class_names=NAMES).fit(data[0][0], [NAMES.index(c) for c in data[0][1]])
    assert set(numbers.predict(far, none=-1).tolist()) <= {-1, 0, 1, 2, 3, 4}
    assert "?" in numbers.predict(far, none="?").tolist()
    half = mopd.Recognizer(enc, keep=0.5).fit(*data[0])
    assert 0.3 < half.known(X).mean() < 0.7
    few = mopd.Recognizer(enc).fit(X[::5], y[::5])
    assert few.cutoff_ == -np.inf
    with pytest.warns(UserWarning, match="fewer than 40"):
        assert few.known(X).all()
    with pytest.warns(UserWarning, match="fewer than 40"):
        assert np.array_equal(few.predict(X, none="x"), few.predict(X))


def test_sets_hold_the_true_label_as_often_as_promised(enc):
    fitted = mopd.Recognizer(enc).fit(*around_names(enc, NAMES, 20, noise=0.6))
    X, y = around_names(enc, NAMES, 40, noise=0.6, seed=1)
    assert fitted.score(X, y) < 0.9
    sizes = []
    for coverage in (0.5, 0.8, 0.95):
        sets = fitted.predict_set(X, coverage)
        assert all(s[0] == best for s, best in zip(sets, fitted.predict(X)))
        assert all(len(set(s)) == len(s) >= 1 and set(s) <= set(NAMES) for s in sets)
        assert np.mean([label in s for label, s in zip(y, sets)]) > coverage - 0.08
        sizes.append(np.mean([len(s) for s in sets]))
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]
    with pytest.raises(ValueError, match="coverage is 1.5"):
        fitted.predict_set(X, 1.5)
    with pytest.raises(mopd.MopdError, match="10 pictures are too few") as caught:
        mopd.Recognizer(enc).fit(X[::20], y[::20]).predict_set(X)
    assert caught.value.status == mopd.Status.STATE


def test_wrong_labels_are_found(enc, data):
    X, y = data[0]
    wrong = y.copy()
    wrong[[3, 17, 40]] = ["dog", "the", "a"]
    found = mopd.Recognizer(enc).fit(X, wrong).suspects()
    assert {s.index for s in found[:3]} == {3, 17, 40}
    assert all(s.label == wrong[s.index] and s.other != s.label and 0 <= s.probability < 1 for s in found)
    assert [s.probability for s in found] == sorted(s.probability for s in found)
    numbers = [NAMES.index(name) for name in wrong]
    by_number = mopd.Recognizer(enc, class_names=NAMES).fit(X, numbers).suspects()
    assert [(s.index, NAMES[s.label], NAMES[s.other]) for s in by_number] == [(s.index, s.label, s.other) for s in found]
    with pytest.raises(mopd.MopdError, match="left out"):
        mopd.Recognizer(enc).fit(X[::12], y[::12]).suspects()
    assert np.isnan(mopd.Recognizer(enc).fit(X[::12], y[::12]).loo_accuracy_)


def test_extended_and_withdrawn_are_fits_of_those_pictures(enc, fitted, data):
    (X, y), (T, t) = data
    same = fitted.settings_
    more = fitted.extend(T[:30], t[:30])
    assert more.n_pictures_ == 90 and fitted.n_pictures_ == 60 and more.settings_ == same
    close(more.logits(T), mopd.Recognizer(enc, **same).fit(np.vstack([X, T[:30]]), [*y, *t[:30]]).logits(T))
    back = more.withdraw(range(60, 90))
    close(back.logits(T), fitted.logits(T))
    mask = np.arange(60) % 3 == 0
    close(fitted.withdraw(mask).logits(T), mopd.Recognizer(enc, **same).fit(X[~mask], y[~mask]).logits(T))
    chosen = fitted.extend(T, t, choose=True)
    assert np.array_equal(chosen.logits(T), mopd.Recognizer(enc).fit(np.vstack([X, T]), [*y, *t]).logits(T))
    for wrong in ([-1], [0.5], [[1]], ["a"]):
        with pytest.raises(ValueError, match="whole numbers"):
            fitted.withdraw(wrong)
    with pytest.raises(ValueError, match="mask"):
        fitted.withdraw(mask[:-1])
    with pytest.raises(mopd.MopdError, match="picture 60 of 60"):
        fitted.withdraw([60])
    with pytest.raises(ValueError, match="inconsistent"):
        fitted.extend(T, t[:-1])


def test_classes_come_and_go(enc, fitted, data):
    (X, y), (T, t) = data
    wider = fitted.with_classes([*NAMES, "of"])
    assert wider.classes_.tolist() == [*NAMES, "of"] and wider.logits(T).shape == (100, 6)
    close(wider.logits(T)[:, :5], fitted.logits(T))
    assert np.array_equal(mopd.Recognizer(enc, also=["of"], **fitted.settings_).fit(X, y).logits(T), wider.logits(T))
    two = wider.with_classes(["the", "cat"])
    close(two.logits(T), fitted.logits(T)[:, [4, 1]])
    assert np.array_equal(two.with_classes([*NAMES, "of"]).logits(T), wider.logits(T))
    shown = two.extend(T[:2], ["a", "dog"])  # classes that are not answered any more are, once they get pictures
    assert shown.classes_.tolist() == ["the", "cat", "a", "dog"]
    close(shown.logits(T), fitted.extend(T[:2], ["a", "dog"]).logits(T)[:, [4, 1, 0, 2]])
    new = fitted.extend(T[:4], ["of"] * 4)
    assert new.classes_.tolist() == [*NAMES, "of"] and new.n_pictures_ == 64
    assert all(s.label in two.classes_ and s.other in two.classes_ for s in two.suspects())
    for wrong in ("cat,dog", "cat", b"cat", 3):
        with pytest.raises(TypeError, match="a list of labels"):
            fitted.with_classes(wrong)
    with pytest.raises(ValueError, match="no class"):
        fitted.with_classes([])
    with pytest.raises(mopd.MopdError, match="already"):
        fitted.with_classes(["cat", "cat"])


def test_names_that_are_one_to_the_model_are_refused(enc, fitted, data):
    X, y = data[0]
    for call in (
        lambda: fitted.with_classes(["Photo_Of", "photo of"]),
        lambda: fitted.with_classes([*NAMES, "photo of", "Photo_Of"]),
        lambda: mopd.Recognizer(enc, also=["photo of", "Photo_Of"]).fit(X, y),
        lambda: fitted.extend(X[:2], ["photo of", "Photo_Of"]),
    ):
        with pytest.raises(mopd.MopdError, match="same words to a model") as caught:
            call()
        assert '"photo of"' in str(caught.value) and '"Photo_Of"' in str(caught.value)
    with pytest.raises(mopd.MopdError, match='"Cat" is the same words to a model as "cat", which the recogniser knows'):
        fitted.with_classes(["Cat", "dog"])


def test_saved_loaded_copied_and_pickled_are_the_same(enc, fitted, data, tmp_path):
    T = data[1][0]
    two = fitted.with_classes(["the", "cat"])
    for rec in (fitted, two):
        rec.save(tmp_path / "r")
        loaded = mopd.Recognizer.load(enc, tmp_path / "r")
        for again in (loaded, pickle.loads(pickle.dumps(rec)), copy.deepcopy(rec), copy.copy(rec)):
            assert again.classes_.tolist() == rec.classes_.tolist()
            assert np.array_equal(again.logits(T), rec.logits(T))
            assert again.suspects() == rec.suspects() and again.settings_ == rec.settings_
            close(again.extend(T[:2], ["a", "of"]).logits(T), rec.extend(T[:2], ["a", "of"]).logits(T))
            again.save(tmp_path / "again")
            assert (tmp_path / "again").read_bytes() == (tmp_path / "r").read_bytes()
    fitted.save(tmp_path / "r")
    words = {1: "cat", 2: "dog"}
    numbered = mopd.Recognizer.load(enc, tmp_path / "r", classes=[2, 1], class_names=words)
    close(numbered.logits(T), fitted.logits(T)[:, [2, 1]])
    assert set(numbered.predict(T).tolist()) == {1, 2}
    with pytest.raises(mopd.MopdError) as caught:
        mopd.Recognizer.load(mopd.Encoder(TOWERS / "openclip"), tmp_path / "r")
    assert caught.value.status == mopd.Status.MISMATCH
    (tmp_path / "no").write_bytes(b"no recogniser")
    with pytest.raises(mopd.MopdError) as caught:
        mopd.Recognizer.load(enc, tmp_path / "no")
    assert caught.value.status == mopd.Status.FORMAT


def test_it_is_a_scikit_learn_estimator(enc, data):
    X, y = data[0]
    rec = mopd.Recognizer(enc, keep=0.9)
    assert clone(rec).get_params() == rec.get_params()
    with pytest.raises(NotFittedError):
        rec.predict(X)
    for name in ("loo_accuracy_", "cutoff_", "settings_", "n_pictures_"):
        with pytest.raises(NotFittedError):
            getattr(rec, name)
    for call in (rec.suspects, rec.left_out_proba, rec.more, lambda: rec.alarms(0.5), lambda: rec.withdraw([0])):
        with pytest.raises(NotFittedError):
            call()
    assert cross_val_score(rec, X, y, cv=3).mean() > 0.7
    templates = [["a photo of a {}."], ["the {}"]]
    search = GridSearchCV(rec, {"templates": templates}, cv=3, error_score="raise", n_jobs=2).fit(X, y)
    assert search.best_params_["templates"] in templates and search.predict(X).shape == (60,)


def test_wrong_settings_are_told(enc, data):
    X, y = data[0]
    for settings, words in (
        ({"keep": 2}, "^keep is 2"),
        ({"shrinkage": 1.5}, "lambda is 1.5"),
        ({"kappa": -1.0}, "^kappa is -1"),
        ({"text_weight": -1.0}, "^text_weight is -1"),
        ({"unseen": 2.0}, "^unseen is 2"),
        ({"templates": ["no place"]}, "{}"),
        ({"templates": ["the {}"], "prompt": mopd.MoPDClassifier(enc, epochs=1).fit(X, y).prompt_}, "exclude"),
        ({"also": ["cat"]}, "already"),
    ):
        with pytest.raises(mopd.MopdError, match=words) as caught:
            mopd.Recognizer(enc, **settings).fit(X, y)
        assert caught.value.status == mopd.Status.ARG and "mopd_" not in str(caught.value)
    with pytest.raises(TypeError, match="also: a list"):
        mopd.Recognizer(enc, also="cat,dog").fit(X, y)
    with pytest.raises(TypeError, match="templates: a list"):
        mopd.Recognizer(enc, templates="the {}").fit(X, y)
    for name in ("keep", "kappa", "shrinkage", "text_weight", "unseen"):
        with pytest.raises(TypeError, match=f"^{name}: a number is expected, not 'x'"):
            mopd.Recognizer(enc, **{name: "x"}).fit(X, y)
    with pytest.raises(TypeError, match="^templates: expected str, but number 1 is 3, int"):
        mopd.Recognizer(enc, templates=["{}", 3]).fit(X, y)
    with pytest.raises(TypeError, match="sample_weight: each picture counts once"):
        mopd.Recognizer(enc).fit(X, y, sample_weight=np.ones(len(y)))
    with pytest.raises(TypeError, match="unexpected keyword argument 'weight'"):
        mopd.Recognizer(enc).fit(X, y, weight=1)


def test_a_learned_prompt_is_a_text_side(enc, data):
    X, y = data[0]
    prompt = mopd.MoPDClassifier(enc, epochs=2, lr=0.05).fit(X, y).prompt_
    rec = mopd.Recognizer(enc, prompt=prompt).fit(X, y)
    assert not np.array_equal(rec.logits(X), mopd.Recognizer(enc).fit(X, y).logits(X))
    again = pickle.loads(pickle.dumps(clone(rec).fit(X, y)))
    assert np.array_equal(again.logits(X), rec.logits(X))


def test_edges(enc, data):
    X, y = data[0]
    one = mopd.Recognizer(enc).fit(X[:3], ["cat"] * 3)
    assert one.predict(X).tolist() == ["cat"] * 60 and np.array_equal(one.predict_proba(X), np.ones((60, 1)))
    single = mopd.Recognizer(enc, also=["dog"]).fit(X[:1], ["cat"])
    assert set(single.predict(X)) <= {"cat", "dog"}
    same = mopd.Recognizer(enc).fit(np.repeat(X[:1], 4, axis=0), ["cat", "cat", "dog", "dog"])
    assert np.isfinite(same.predict_proba(X)).all()
    with pytest.raises(ValueError):
        mopd.Recognizer(enc).fit([], [])
    assert mopd.Recognizer(enc).fit(PICTURES[:4], COLOURS + ["a"]).predict(PICTURES[:2]).shape == (2,)


def test_threads_share_one(fitted, data):
    expected = fitted.logits(data[1][0])
    wrong = []

    def work():
        for _ in range(5):
            if not np.array_equal(fitted.logits(data[1][0]), expected) or fitted.loo_accuracy_ < 0.5:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
