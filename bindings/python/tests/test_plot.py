# SPDX-License-Identifier: MIT
from __future__ import annotations

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402

import mopd  # noqa: E402
import mopd.plot  # noqa: E402
from conftest import around_names  # noqa: E402

NAMES = ["a", "cat", "dog", "photo"]


@pytest.fixture(scope="module")
def fitted(enc, shots):
    return mopd.MoPDClassifier(enc, epochs=3, batch=10, lr=0.02).fit(*shots)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_learning_curves_show_the_history(fitted):
    ax = mopd.plot.learning_curves(fitted)
    lines = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    assert np.array_equal(lines["loss"], [e.loss for e in fitted.history_])
    assert set(lines) == {"loss", "cross-entropy", "distillation", "selection"}
    mopd.plot.learning_curves(fitted.history_, ax=plt.subplots()[1]).figure.canvas.draw()
    with pytest.raises(ValueError):
        mopd.plot.learning_curves([])


def test_gate_heat_map_shows_mean_weights(fitted, enc, shots):
    features, labels = enc.images(shots[0]), np.asarray(shots[1])
    ax = mopd.plot.gate_heat_map(fitted, features, labels)
    shown = ax.get_images()[0].get_array()
    assert shown.shape == (3, 12) and np.allclose(shown.sum(1), 1, atol=1e-6)
    dog = fitted.classes_.tolist().index("dog")
    assert np.allclose(shown[dog], fitted.prompt_.gate_use(features[labels == "dog"]))
    assert [t.get_text() for t in ax.get_yticklabels()] == fitted.classes_.tolist()
    indices = [fitted.classes_.tolist().index(y) for y in labels]
    again = mopd.plot.gate_heat_map(fitted.prompt_, features, indices, classes=["x", "y", "z"])
    assert np.array_equal(again.get_images()[0].get_array(), shown)
    ax.figure.canvas.draw()


def test_confusion_matrix_counts():
    ax = mopd.plot.confusion_matrix(["a", "a", "b"], ["a", "b", "b"])
    assert ax.get_images()[0].get_array().tolist() == [[1, 1], [0, 1]]
    assert sorted(t.get_text() for t in ax.texts) == ["1", "1", "1"]
    ax.figure.canvas.draw()


def test_reliability_diagram_shows_what_was_said_and_what_was_right():
    classes = ["a", "b"]
    shares = [[0.9, 0.1], [0.95, 0.05], [0.4, 0.6], [0.4, 0.6], [0.35, 0.65], [1.0, 0.0]]
    true = ["a", "b", "b", "b", "a", "a"]
    table = mopd.plot.calibration(true, shares, classes, bins=10)
    assert table[:, 0].tolist() == [0, 0, 0, 0, 0, 0, 3, 0, 0, 3]
    assert table[6, 1:] == pytest.approx([1.85 / 3, 2 / 3]) and table[9, 1:] == pytest.approx([2.85 / 3, 2 / 3])
    assert np.isnan(table[0, 1:]).all()
    ax = mopd.plot.reliability_diagram(true, shares, classes, bins=10)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([2 / 3, 2 / 3])
    error = (abs(2 - 1.85) + abs(2 - 2.85)) / 6
    assert ax.get_title() == f"calibration error {100 * error:.1f} %"
    ax.figure.canvas.draw()
    with pytest.raises(ValueError, match="shape"):
        mopd.plot.calibration(true, shares, ["a", "b", "c"])


def test_suspects_show_their_pictures(enc, shots):
    pictures, labels = shots
    wrong = list(labels)
    wrong[4] = "cat" if labels[4] != "cat" else "dog"
    rec = mopd.Recognizer(enc).fit(pictures, wrong)
    found = rec.suspects()
    assert found[0].index == 4
    figure = mopd.plot.suspects(rec, pictures, most=3)
    shown = [ax for ax in figure.axes if ax.get_images()]
    assert len(shown) == min(3, len(found))
    assert np.array_equal(shown[0].get_images()[0].get_array(), pictures[4])
    assert shown[0].get_title().startswith(f"{wrong[4]}, rather {labels[4]}")
    figure.canvas.draw()
    clean = mopd.plot.suspects(mopd.Recognizer(enc).fit(*shots), pictures)
    assert not [ax for ax in clean.axes if ax.get_images()] and "no label" in clean._suptitle.get_text()
    with pytest.raises(ValueError, match="29 pictures, but it was fitted to 30"):
        mopd.plot.suspects(rec, pictures[:-1])


def test_learning_curve_shows_accuracy_by_pictures(enc):
    train, test = around_names(enc, NAMES, 9), around_names(enc, NAMES, 20, seed=1)
    table = mopd.plot.shots_accuracy(mopd.Recognizer(enc), train, test, shots=(1, 2, 9), seeds=(1, 2))
    assert table.shape == (3, 2)
    whole = mopd.Recognizer(enc).fit(*train).score(*test)
    assert table[2].tolist() == [whole, whole]  # all pictures, whatever the draw
    assert table[0].mean() < whole
    ax = mopd.plot.learning_curve(mopd.Recognizer(enc), train, test, shots=(1, 2, 9), seeds=(1, 2))
    assert np.allclose(ax.get_lines()[0].get_ydata(), 100 * table.mean(axis=1))
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2", "9"]
    ax.figure.canvas.draw()
