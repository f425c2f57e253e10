# SPDX-License-Identifier: MIT
from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
from conftest import COLOURS, PATIENCE, PICTURES, TOWERS
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from test_encoder import read_safetensors

import mopd

FAST = {"epochs": 4, "batch": 16, "lr": 0.02, "templates": ["a photo of a {}.", "the {}", "{}, a photo"]}


@pytest.fixture(scope="module")
def fitted(enc, shots):
    return mopd.MoPDClassifier(enc, **FAST).fit(*shots)


def test_learning_lowers_the_loss(enc, shots):
    clf = mopd.MoPDClassifier(enc, **{**FAST, "epochs": 30, "lr": 0.2}).fit(*shots)
    assert [e.epoch for e in clf.history_] == list(range(1, 31)) and clf.n_iter_ == 30
    assert clf.history_[-1].ce < 0.9 * clf.history_[0].ce
    assert clf.history_[-1].n_epochs == 30 and clf.history_[-1].seconds >= 0
    assert clf.history_[-1].accuracy == pytest.approx(100 * clf.score(*shots), abs=20)


def test_predictions_are_the_bank_s(fitted, enc, shots):
    pictures, labels = shots
    features = enc.images(pictures)
    assert fitted.classes_.tolist() == sorted(COLOURS)
    p = fitted.predict_proba(pictures)
    assert p.shape == (30, 3) and p.dtype == np.float32
    assert np.array_equal(p, fitted.prompt_.bank(enc, sorted(COLOURS)).probabilities(features))
    assert np.array_equal(fitted.predict(pictures), fitted.classes_[p.argmax(1)])
    assert np.array_equal(fitted.predict_proba(features), p)
    assert np.array_equal(fitted.logits(pictures).argmax(1), p.argmax(1))
    assert fitted.score(pictures, labels) == np.mean(fitted.predict(pictures) == labels)


def test_same_seed_same_prompt(fitted, enc, shots):
    pictures, labels = shots
    again = mopd.MoPDClassifier(enc, **FAST).fit(enc.images(pictures), labels)
    assert again.prompt_.to_bytes() == fitted.prompt_.to_bytes()
    assert again.n_features_in_ == enc.dim and not hasattr(fitted, "n_features_in_")
    other = clone(again).set_params(seed=2).fit(pictures, labels)
    assert other.prompt_.to_bytes() != fitted.prompt_.to_bytes()
    alone = mopd.Encoder(TOWERS / "hf", threads=1)
    assert mopd.MoPDClassifier(alone, **FAST).fit(*shots).prompt_.to_bytes() == fitted.prompt_.to_bytes()


def test_new_classes_need_no_training(fitted, enc, shots):
    wider = fitted.with_classes(["photo", "dog", "the"])
    assert set(wider.predict(shots[0])) <= {"photo", "dog", "the"}
    assert wider.classes_.tolist() == ["photo", "dog", "the"]
    assert wider.prompt_ is fitted.prompt_ and fitted.classes_.tolist() == sorted(COLOURS)
    dog = fitted.logits(shots[0])[:, fitted.classes_.tolist().index("dog")]
    assert np.array_equal(wider.logits(shots[0])[:, 1], dog)


def test_unseen_classes_take_part_of_the_context(fitted, enc, shots):
    names, prompt = ["photo", "dog"], fitted.prompt_
    half, whole = prompt.bank(enc, names, unseen=0.5), prompt.bank(enc, names)
    assert np.array_equal(half.features[1], whole.features[1]) and not np.array_equal(half.features[0], whole.features[0])
    words = mopd.Bank(enc, names)  # "a photo of a {}." is what the context starts from
    assert np.allclose(prompt.bank(enc, names, unseen=0).features[0], words.features[0], atol=1e-6)
    assert np.array_equal(fitted.with_classes(names).bank_.features, half.features)
    as_published = mopd.MoPDClassifier(enc, **FAST, unseen=1).fit(*shots).with_classes(names)
    assert np.array_equal(as_published.bank_.features, whole.features)
    assert np.array_equal(pickle.loads(pickle.dumps(as_published)).bank_.features, whole.features)
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(mopd.MopdError, match="share is"):
            prompt.bank(enc, names, unseen=wrong)


def test_length_is_epochs_or_steps(enc, shots):
    def epochs(**length):
        return mopd.MoPDClassifier(enc, **{**FAST, "epochs": 0, **length}).fit(*shots).n_iter_

    assert epochs() == 50 and epochs(epochs=3) == 3  # 30 pictures in batches of 16: a step an epoch
    assert epochs(steps=7) == 7 and epochs(steps=7, batch=8) == 3
    with pytest.raises(mopd.MopdError, match="epochs is 2 and steps is 2: give one of them"):
        epochs(epochs=2, steps=2)


def test_saved_loads_the_same(fitted, enc, shots, tmp_path):
    fitted.save(tmp_path / "p.safetensors")
    loaded = mopd.MoPDClassifier.load(enc, tmp_path / "p.safetensors")
    assert np.array_equal(loaded.predict_proba(shots[0]), fitted.predict_proba(shots[0]))
    assert loaded.templates == FAST["templates"] and loaded.method == "mopd"
    two = mopd.MoPDClassifier.load(enc, tmp_path / "p.safetensors", classes=["cat", "photo"])
    assert two.predict_proba(PICTURES[:2]).shape == (2, 2)
    with pytest.raises(mopd.MopdError) as caught:
        mopd.MoPDClassifier.load(mopd.Encoder(TOWERS / "openclip"), tmp_path / "p.safetensors")
    assert caught.value.status == mopd.Status.MISMATCH
    assert enc.fingerprint[:8] in str(caught.value)
    assert mopd.inspect(tmp_path / "p.safetensors")["kind"] == "prompt"


def test_pickled_is_the_same(fitted, shots):
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(shots[0]), fitted.predict_proba(shots[0]))
    assert again.prompt_.to_bytes() == fitted.prompt_.to_bytes()


def test_prompt_shows_what_it_holds(fitted, enc, shots):
    prompt, features = fitted.prompt_, enc.images(shots[0])
    assert (prompt.method, prompt.epoch, prompt.top_k) == ("mopd", 4, 2)
    assert prompt.classes == sorted(COLOURS) and prompt.templates == FAST["templates"]
    assert prompt.context.shape[1] == enc.text_width and prompt.gate.shape == (enc.dim, 3)
    assert prompt.describe()
    indices, weights = prompt.gate_select(features)
    assert indices.shape == weights.shape == (30, 2)
    assert np.allclose(weights.sum(1), 1, atol=1e-6)
    best = (features @ prompt.gate).argmax(1)
    assert np.array_equal(indices[:, 0], best)
    use = np.zeros(3)
    np.add.at(use, indices, weights)
    assert np.allclose(prompt.gate_use(features), use / 30, atol=1e-6)
    coop = mopd.MoPDClassifier(enc, method="coop", epochs=1).fit(*shots).prompt_
    assert coop.gate is None and coop.templates == []
    with pytest.raises(mopd.MopdError) as caught:
        coop.gate_use(features)
    assert caught.value.status == mopd.Status.STATE


@pytest.mark.parametrize("method", ["mopd-static", "mopd-random", "kd", "coop", "kgcoop", "prograd"])
def test_every_method_trains(enc, shots, method):
    clf = mopd.MoPDClassifier(enc, **{**FAST, "epochs": 2}, method=method).fit(*shots)
    assert clf.prompt_.method == method
    assert np.isfinite(clf.predict_proba(shots[0])).all()


def test_class_context_serves_its_classes_alone(enc, shots):
    clf = mopd.MoPDClassifier(enc, **{**FAST, "epochs": 1}, method="coop", class_context=True).fit(*shots)
    assert clf.prompt_.context.ndim == 3
    with pytest.raises(mopd.MopdError, match="photo") as caught:
        clf.with_classes(["photo"])
    assert caught.value.status == mopd.Status.STATE


def test_labels_of_any_type(enc, shots):
    pictures, names = shots
    numbers = [COLOURS.index(n) for n in names]
    words = dict(enumerate(COLOURS))
    by_name = mopd.MoPDClassifier(enc, **FAST, shuffle=False).fit(pictures, names)
    by_number = mopd.MoPDClassifier(enc, **FAST, shuffle=False, class_names=words).fit(pictures, numbers)
    assert by_number.classes_.tolist() == [0, 1, 2]
    assert by_number.prompt_.classes == COLOURS
    assert set(by_number.predict(pictures)) <= {0, 1, 2}
    order = [sorted(COLOURS).index(c) for c in COLOURS]
    assert np.allclose(by_number.logits(pictures), by_name.logits(pictures)[:, order], atol=0.05)


def test_answers_of_all_kinds_agree(fitted, shots):
    logits, p = fitted.logits(shots[0]), fitted.predict_proba(shots[0])
    odds = fitted.decision_function(shots[0]).astype(float)
    assert np.allclose(1 / (1 + np.exp(-odds)), p, atol=1e-6) and np.array_equal(odds.argmax(1), logits.argmax(1))
    assert np.allclose(np.exp(fitted.predict_log_proba(shots[0])), p, atol=1e-6)
    two = fitted.with_classes(["dog", "cat"])
    assert np.array_equal(two.decision_function(shots[0]) > 0, two.predict(shots[0]) == "cat")
    weights = np.arange(30)
    right = fitted.predict(shots[0]) == np.asarray(shots[1])
    assert fitted.score(*shots, sample_weight=weights) == pytest.approx((weights * right).sum() / weights.sum())
    with pytest.raises(TypeError, match="sample_weight: each picture counts once"):
        fitted.fit(*shots, sample_weight=np.ones(30))


def test_random_state_stands_for_the_seed(enc, shots):
    settings = {"epochs": 2, "lr": 0.05, "batch": 8, "templates": FAST["templates"]}
    three = mopd.MoPDClassifier(enc, **settings, seed=3).fit(*shots).prompt_.to_bytes()
    assert mopd.MoPDClassifier(enc, **settings, random_state=3).fit(*shots).prompt_.to_bytes() == three
    drawn = [mopd.MoPDClassifier(enc, **settings, random_state=np.random.RandomState(s)).fit(*shots) for s in (7, 7, 8)]
    contexts = [clf.prompt_.context for clf in drawn]
    assert np.array_equal(contexts[0], contexts[1]) and not np.array_equal(contexts[0], contexts[2])


def test_one_template_needs_no_top_k(enc, shots):
    clf = mopd.MoPDClassifier(enc, epochs=1, templates=["the {}"]).fit(*shots)
    assert clf.prompt_.top_k == 1 and clf.top_k == 2
    with pytest.raises(mopd.MopdError, match="top_k is 3, there are 1 templates"):
        mopd.MoPDClassifier(enc, epochs=1, templates=["the {}"], top_k=3).fit(*shots)


def test_views_cycle_or_are_fresh(enc, shots):
    settings = {**FAST, "epochs": 3}
    once = mopd.MoPDClassifier(enc, **settings, views=3).fit(*shots)
    fresh = mopd.MoPDClassifier(enc, **settings, views="fresh").fit(*shots)
    plain = mopd.MoPDClassifier(enc, **settings).fit(*shots)
    assert np.array_equal(once.prompt_.context, fresh.prompt_.context)
    assert not np.array_equal(once.prompt_.context, plain.prompt_.context)
    features = enc.images(shots[0])
    same = mopd.MoPDClassifier(enc, **settings).fit(np.stack([features, features], 1), shots[1])
    assert np.array_equal(same.prompt_.context, plain.prompt_.context)
    with pytest.raises(ValueError, match="features"):
        mopd.MoPDClassifier(enc, views=2).fit(features, shots[1])
    with pytest.raises(ValueError, match="fresh"):
        mopd.MoPDClassifier(enc, views="new").fit(*shots)


def test_training_is_the_command_s(folder, enc, command, tmp_path):
    for views in (0, 2):
        words = ["--epochs", 4, "--batch", 8, "--lr", 0.02, "--seed", 3, "--views", views]
        out = tmp_path / f"{views}.safetensors"
        command("train", "-m", TOWERS / "hf", "--quiet", "-d", folder, *words, "-o", out)
        data = mopd.Dataset(folder).select(split="train")
        clf = mopd.MoPDClassifier(enc, epochs=4, batch=8, lr=0.02, seed=3, views=views).fit(data)
        clf.save(tmp_path / "p.safetensors")
        ours, theirs = read_safetensors(tmp_path / "p.safetensors"), read_safetensors(out)
        assert set(ours) == set(theirs) == {"context", "gate"}
        assert all(np.array_equal(ours[k], theirs[k]) for k in ours)
        loaded = mopd.MoPDClassifier.load(enc, out)
        test = mopd.Dataset(folder).select(split="test")
        assert loaded.score(test) == clf.score(test)
        assert np.array_equal(loaded.predict_proba(test.files), clf.predict_proba(test))


def test_auto_chooses_settings(enc):
    rng = np.random.default_rng(0)
    words = ["a", "dog", "cat", "photo", "the", "of"]
    features = rng.normal(size=(36, enc.dim)).astype(np.float32)
    labels = [words[i % 6] for i in range(36)]
    clf = mopd.MoPDClassifier(enc, **{**FAST, "epochs": 2}, auto=True).fit(features, labels)
    assert clf.chosen_
    assert "auto" in str(clf.prompt_.describe())


def test_a_callback_stops_training_and_a_checkpoint_goes_on(enc, shots, tmp_path):
    whole = mopd.MoPDClassifier(enc, **{**FAST, "epochs": 6}).fit(*shots)
    path = tmp_path / "c.safetensors"
    part = mopd.MoPDClassifier(enc, **{**FAST, "epochs": 6}, checkpoint=path, callback=lambda e: e.epoch == 3)
    assert part.fit(*shots).n_iter_ == 3
    part.set_params(callback=None, resume=path).fit(*shots)
    assert [e.epoch for e in part.history_] == [4, 5, 6]
    assert part.prompt_.to_bytes() == whole.prompt_.to_bytes()


def test_a_failing_callback_is_raised(enc, shots):
    def fail(epoch):
        raise ZeroDivisionError

    clf = mopd.MoPDClassifier(enc, **FAST, callback=fail)
    with pytest.raises(ZeroDivisionError):
        clf.fit(*shots)
    with pytest.raises(NotFittedError):
        clf.predict(shots[0])


def test_wrong_input_is_told(enc, shots, fitted):
    clf = mopd.MoPDClassifier(enc, **FAST)
    with pytest.raises(NotFittedError):
        clf.predict_proba(shots[0])
    with pytest.raises(NotFittedError):
        clf.bank_
    with pytest.raises(ValueError, match="inconsistent"):
        clf.fit(shots[0], shots[1][:-1])
    with pytest.raises(ValueError, match="y to be passed"):
        clf.fit(shots[0])
    with pytest.raises(ValueError, match="wide"):
        clf.fit(np.ones((4, enc.dim + 1), np.float32), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="zeros"):
        clf.fit(np.zeros((4, enc.dim), np.float32), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="NaN"):
        clf.fit(np.full((4, enc.dim), np.nan), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="no picture"):
        clf.fit([], [])
    with pytest.raises(TypeError, match="a list of pictures"):
        fitted.predict("a.jpg")
    with pytest.raises(mopd.MopdError, match="mopd-static"):
        clf.set_params(method="magic").fit(*shots)
    with pytest.raises(ValueError, match="class_position"):
        mopd.MoPDClassifier(enc, class_position="below").fit(*shots)


def test_pipelines_searches_and_folds(enc, shots, folder):
    pictures, labels = shots
    features = enc.images(pictures)
    clf = mopd.MoPDClassifier(enc, **FAST)
    scores = cross_val_score(clf, pictures, labels, cv=3)
    assert np.array_equal(scores, cross_val_score(clf, features, labels, cv=3))
    search = GridSearchCV(clf, {"w": [0.5, 0.8], "top_k": [1, 2]}, cv=2, error_score="raise").fit(features, labels)
    assert set(search.best_params_) == {"w", "top_k"} and search.predict(pictures).shape == (30,)
    pipe = make_pipeline(mopd.ImageFeatures(enc), clf).fit(pictures, labels)
    assert np.array_equal(pipe.predict_proba(pictures), clone(clf).fit(*shots).predict_proba(pictures))
    linear = make_pipeline(mopd.ImageFeatures(enc), LogisticRegression(max_iter=500)).fit(pictures, labels)
    assert linear.score(pictures, labels) > 0.9
    files = mopd.Dataset(folder).files
    assert cross_val_score(linear, files, mopd.Dataset(folder).labels, cv=3).shape == (3,)


def test_search_in_other_processes(enc, shots):
    search = GridSearchCV(mopd.MoPDClassifier(enc, **FAST), {"w": [0.5, 0.8]}, cv=2, n_jobs=2, error_score="raise")
    alone = GridSearchCV(mopd.MoPDClassifier(enc, **FAST), {"w": [0.5, 0.8]}, cv=2, error_score="raise")
    features = enc.images(shots[0])
    found, expected = search.fit(features, shots[1]), alone.fit(features, shots[1])
    assert np.array_equal(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])


def test_shared_teachers_change_nothing(enc, shots):
    templates, features = FAST["templates"], enc.images(shots[0])
    labels = [COLOURS.index(y) for y in shots[1]]
    teachers = np.stack([enc.texts([t.format(c) for c in COLOURS]) for t in templates])
    settings = {"epochs": 2, "batch": 10, "lr": 0.02, "templates": templates}
    own, shared = mopd.Trainer(enc, COLOURS, **settings), mopd.Trainer(enc, COLOURS, **settings, teachers=teachers)
    own.run(features, labels)
    shared.run(features, labels)
    assert np.array_equal(own.prompt().context, shared.prompt().context)
    other = mopd.Trainer(enc, COLOURS, **settings, teachers=teachers[:, ::-1])
    other.run(features, labels)
    assert not np.array_equal(own.prompt().context, other.prompt().context)
    with pytest.raises(ValueError, match="teachers"):
        mopd.Trainer(enc, COLOURS, **settings, teachers=teachers[0])


class Sum:
    """Adds arrays of several threads, as MPI_Allreduce does those of processes."""

    def __init__(self, ranks):
        self.parts, self.barrier = [None] * ranks, threading.Barrier(ranks, timeout=PATIENCE)

    def of(self, rank):
        def add(values):
            assert values.dtype == np.float64
            self.parts[rank] = values.copy()
            self.barrier.wait()
            values[:] = sum(self.parts)
            self.barrier.wait()

        return add


def test_ranks_train_as_one(enc, shots):
    features = enc.images(shots[0])
    labels = [COLOURS.index(y) for y in shots[1]]
    settings = {"epochs": 2, "batch": 10, "lr": 0.02, "templates": FAST["templates"]}
    alone = mopd.Trainer(enc, COLOURS, **settings)
    assert alone.run(features, labels)
    total, contexts = Sum(2), [None, None]

    def train(rank):
        own = mopd.Trainer(enc, COLOURS, **settings, rank=rank, ranks=2, reduce=total.of(rank))
        if own.run(features, labels):
            contexts[rank] = own.prompt().context

    threads = [threading.Thread(target=train, args=(rank,)) for rank in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert np.array_equal(contexts[0], contexts[1])
    assert np.abs(contexts[0] - alone.prompt().context).max() < 1e-5
    assert not np.array_equal(alone.prompt().context, mopd.Trainer(enc, COLOURS, **settings).prompt().context)


def test_a_failing_sum_is_raised(enc):
    def fail(values):
        raise ZeroDivisionError("the network is gone")

    with pytest.raises(ZeroDivisionError, match="network"):
        mopd.Trainer(enc, COLOURS, rank=0, ranks=2, reduce=fail)
    with pytest.raises(mopd.MopdError, match="added up 1 ranks"):
        mopd.Trainer(enc, COLOURS, rank=0, ranks=2, reduce=lambda values: None)
    with pytest.raises(mopd.MopdError, match="reduce is None"):
        mopd.Trainer(enc, COLOURS, rank=0, ranks=2)
    with pytest.raises(ValueError, match="ranks -1"):
        mopd.Trainer(enc, COLOURS, ranks=-1)


def test_trainer_step_by_step_is_a_run(enc, shots):
    features = enc.images(shots[0])
    labels = np.asarray([COLOURS.index(y) for y in shots[1]])
    settings = {"epochs": 3, "batch": 30, "lr": 0.02, "templates": FAST["templates"], "shuffle": False}
    run, own = mopd.Trainer(enc, COLOURS, **settings), mopd.Trainer(enc, COLOURS, **settings)
    steps = []
    assert run.run(features, labels, on_step=lambda s: steps.append(s))
    for expected in steps:
        assert own.lr(expected.epoch) == expected.lr
        assert own.step(features, labels) == expected
        own.end_epoch()
    assert np.array_equal(own.prompt().context, run.prompt().context)
    assert np.array_equal(own.prompt().gate, run.prompt().gate)
    assert own.bank(["dog"]).classes == ["dog"]
    assert not mopd.Trainer(enc, COLOURS, **settings).run(features, labels, on_step=lambda s: True)
    with pytest.raises(ValueError, match="labels"):
        run.run(features, labels / 2)
    with pytest.raises(ValueError, match="rows of features"):
        mopd.Trainer(enc, COLOURS, **settings).run(lambda epoch: features[:3], labels)
