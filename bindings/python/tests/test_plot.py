# SPDX-License-Identifier: MIT
from __future__ import annotations

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402

import mopd  # noqa: E402
import mopd.plot  # noqa: E402


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
