# SPDX-License-Identifier: MIT
"""Pictures of a training or a recogniser, with matplotlib (the extra ``plot``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._abi import lib
from ._bank import Prompt
from ._core import plain_array, view
from ._pictures import Picture, Reading, open_picture, picture_list
from ._trainer import Epoch

if TYPE_CHECKING:
    from ._recognizer import Recognizer


def _axes(ax: Any, width: float, height: float) -> Any:
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("mopd.plot needs matplotlib: pip install 'mopd[plot]'") from None
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def learning_curves(history: Union[Sequence[Epoch], Any], ax: Any = None) -> Any:
    """Losses and accuracy over the epochs.

    Parameters
    ----------
    history : list of Epoch, or a fitted MoPDClassifier
        What was trained.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    matplotlib Axes
        Of the losses; the accuracy has an axis of its own on the right.
    """
    epochs: List[Epoch] = list(getattr(history, "history_", history))
    if not epochs:
        raise ValueError("no epoch to draw")
    ax = _axes(ax, 6, 4)
    x = [e.epoch for e in epochs]
    for name, text in (("loss", "loss"), ("ce", "cross-entropy"), ("mpd", "distillation"), ("mps", "selection")):
        values = [getattr(e, name) for e in epochs]
        if any(values):
            ax.plot(x, values, label=text)
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss")
    right = ax.twinx()
    right.plot(x, [e.accuracy for e in epochs], color="black", linestyle=":", label="accuracy")
    right.set_ylabel("accuracy in %")
    right.set_ylim(0, 102)
    lines = ax.get_lines() + right.get_lines()
    ax.legend(lines, [line.get_label() for line in lines], loc="center right")
    return ax


def gate_weights(prompt: Prompt, features: ArrayLike, labels: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """The mean weight of each template over the pictures of each class, (C, M); NaN for a class without a picture."""
    rows = np.asarray(features, np.float32)
    own = np.asarray(labels)
    out = np.full((n_classes, len(prompt.templates)), np.nan)
    for c in range(n_classes):
        if (own == c).any():
            out[c] = prompt.gate_use(rows[own == c])
    return out


def gate_heat_map(
    prompt: Union[Prompt, Any],
    features: ArrayLike,
    labels: ArrayLike,
    classes: Optional[Sequence[Any]] = None,
    ax: Any = None,
) -> Any:
    """Which templates the gate chooses for the pictures of each class.

    Parameters
    ----------
    prompt : Prompt, or a fitted MoPDClassifier
        What was learned.
    features : array_like, (n, D)
        Picture features.
    labels : array_like, (n,)
        Class indices; with a classifier its labels.
    classes : list, optional
        Names of the classes; those of the prompt or classifier without.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    matplotlib Axes
    """
    own = np.asarray(labels)
    if not isinstance(prompt, Prompt):
        known = list(prompt.classes_)
        own = np.asarray([known.index(y) for y in own.tolist()])
        classes = known if classes is None else classes
        prompt = prompt.prompt_
    names = prompt.classes if classes is None else list(classes)
    weights = gate_weights(prompt, features, own, len(names))
    ax = _axes(ax, 3 + 0.4 * weights.shape[1], 2.5 + 0.25 * len(names))
    image = ax.imshow(weights, aspect="auto", vmin=0, cmap="viridis")
    ax.set_xticks(range(weights.shape[1]), prompt.templates, rotation=60, ha="right")
    ax.set_yticks(range(len(names)), [str(n) for n in names])
    ax.figure.colorbar(image, ax=ax, label="mean weight")
    return ax


def confusion_matrix(
    true: ArrayLike, predicted: ArrayLike, classes: Optional[Sequence[Any]] = None, ax: Any = None
) -> Any:
    """What was taken for what.

    Parameters
    ----------
    true, predicted : array_like, (n,)
        Labels.
    classes : list, optional
        The labels' order; sorted without.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    matplotlib Axes
    """
    from sklearn.metrics import confusion_matrix as count

    names = np.unique(np.concatenate([true, predicted])) if classes is None else np.asarray(classes)
    table = count(true, predicted, labels=names)
    ax = _axes(ax, 2.5 + 0.4 * len(names), 2 + 0.4 * len(names))
    ax.imshow(table, cmap="Blues")
    for (i, j), n in np.ndenumerate(table):
        if n:
            ax.text(j, i, str(n), ha="center", va="center", color="white" if 2 * n > table.max() else "black")
    ax.set_xticks(range(len(names)), [str(n) for n in names], rotation=60, ha="right")
    ax.set_yticks(range(len(names)), [str(n) for n in names])
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    return ax


def calibration(true: ArrayLike, probabilities: ArrayLike, classes: Sequence[Any], bins: int = 15) -> NDArray[np.float64]:
    """What was said and what was right, by how sure the answer was.

    Parameters
    ----------
    true : array_like, (n,)
        Labels.
    probabilities : array_like, (n, C)
        As `predict_proba` gives them.
    classes : list
        The labels of their columns.
    bins : int, default 15
        Bins of equal width.

    Returns
    -------
    ndarray, (bins, 3)
        Of each bin: how many answers, the mean of their probability, the share of them that is right; NaN where none is.
    """
    shares = np.asarray(probabilities, np.float64)
    labels = np.asarray(list(classes))
    own = np.asarray(true)
    if shares.ndim != 2 or shares.shape != (len(own), len(labels)):
        raise ValueError(f"probabilities of shape {shares.shape}: expected ({len(own)}, {len(labels)})")
    sure, right = shares.max(axis=1), labels[shares.argmax(axis=1)] == own
    place = np.minimum((sure * bins).astype(int), bins - 1)
    out = np.full((bins, 3), np.nan)
    for b in range(bins):
        inside = place == b
        out[b, 0] = inside.sum()
        if inside.any():
            out[b, 1:] = sure[inside].mean(), right[inside].mean()
    return out


def reliability_diagram(
    true: ArrayLike, probabilities: ArrayLike, classes: Sequence[Any], bins: int = 15, ax: Any = None
) -> Any:
    """How often answers are right, against how sure they are.  Honest probabilities lie on the diagonal.

    Parameters
    ----------
    true : array_like, (n,)
        Labels.
    probabilities : array_like, (n, C)
        As `predict_proba` gives them.
    classes : list
        The labels of their columns: ``estimator.classes_``.
    bins : int, default 15
        Bins of equal width.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    matplotlib Axes
    """
    table = calibration(true, probabilities, classes, bins)
    some = table[:, 0] > 0
    error = float(np.sum(table[some, 0] * np.abs(table[some, 2] - table[some, 1])) / max(table[:, 0].sum(), 1))
    ax = _axes(ax, 4.5, 4.5)
    middle = (np.arange(bins) + 0.5) / bins
    ax.bar(middle[some], table[some, 2], width=0.9 / bins, label="right")
    ax.plot(table[some, 1], table[some, 1], "o", color="black", markersize=4, label="said")
    ax.plot([0, 1], [0, 1], color="black", linestyle=":", linewidth=1)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel("probability of the answer")
    ax.set_ylabel("share of right answers")
    ax.set_title(f"calibration error {100 * error:.1f} %")
    ax.legend(loc="upper left")
    return ax


def _pixels(picture: Picture) -> NDArray[np.uint8]:
    """A picture as (height, width, 3)."""
    image = open_picture(picture, Reading(upright=True))
    shape = (int(lib.mopd_image_height(image.pointer)), int(lib.mopd_image_width(image.pointer)), 3)
    return view(image, lib.mopd_image_samples(image.pointer), shape, np.uint8)


def suspects(recognizer: "Recognizer", pictures: Sequence[Picture], most: int = 12, columns: int = 4) -> Any:
    """The pictures whose label is likely wrong, with the label and what it rather is.

    Parameters
    ----------
    recognizer : Recognizer
        A fitted one.
    pictures : list
        The pictures that it was fitted to, in that order.
    most : int, default 12
        How many are shown.
    columns : int, default 4
        How many stand side by side.

    Returns
    -------
    matplotlib Figure
    """
    items = picture_list(pictures)
    if len(items) != recognizer.n_pictures_:
        raise ValueError(f"{len(items)} pictures, but it was fitted to {recognizer.n_pictures_}")
    found = recognizer.suspects()[:most]
    rows = max(1, -(-len(found) // columns))
    figure = _axes(None, 2.2 * columns, 2.6 * rows).figure
    figure.clear()
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.axis("off")
    for ax, suspect in zip(axes, found):
        ax.imshow(_pixels(items[suspect.index]))
        ax.set_title(f"{suspect.label}, rather {suspect.other}\nnumber {suspect.index}", fontsize=8)
    if not found:
        figure.suptitle("no label looks wrong")
    return figure


def shots_accuracy(
    estimator: Any,
    train: Tuple[ArrayLike, ArrayLike],
    test: Tuple[ArrayLike, ArrayLike],
    shots: Sequence[int] = (1, 2, 4, 8, 16),
    seeds: Sequence[int] = (1, 2, 3),
) -> NDArray[np.float64]:
    """Accuracy by how many pictures of each class were learned from.

    Parameters
    ----------
    estimator : estimator
        Any classifier; it is cloned.
    train, test : (X, y)
        Features, (n, D), and labels to learn from and to test with.
    shots : list of int
        How many pictures of each class.
    seeds : list of int
        Of the draws.

    Returns
    -------
    ndarray, (len(shots), len(seeds))
        Shares of 1.
    """
    from sklearn.base import clone

    X, y = np.asarray(plain_array(train[0])), np.asarray(train[1])
    out = np.empty((len(shots), len(seeds)))
    for column, seed in enumerate(seeds):
        order = np.random.default_rng(seed).permutation(len(y))
        rank = np.empty(len(y), int)  # of each picture among those of its class
        for label in np.unique(y):
            own = order[y[order] == label]
            rank[own] = np.arange(len(own))
        for row, n in enumerate(shots):
            part = rank < n
            out[row, column] = clone(estimator).fit(X[part], y[part]).score(*test)
    return out


def learning_curve(
    estimator: Any,
    train: Tuple[ArrayLike, ArrayLike],
    test: Tuple[ArrayLike, ArrayLike],
    shots: Sequence[int] = (1, 2, 4, 8, 16),
    seeds: Sequence[int] = (1, 2, 3),
    ax: Any = None,
) -> Any:
    """What more pictures bring: accuracy by how many pictures of each class were learned from.

    Parameters
    ----------
    estimator : estimator
        Any classifier; it is cloned.
    train, test : (X, y)
        Features, (n, D), and labels to learn from and to test with.
    shots : list of int
        How many pictures of each class.
    seeds : list of int
        Of the draws; bars show the deviation over them.
    ax : matplotlib Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    matplotlib Axes
    """
    table = 100 * shots_accuracy(estimator, train, test, shots, seeds)
    ax = _axes(ax, 5, 3.5)
    ax.errorbar(range(len(shots)), table.mean(axis=1), yerr=table.std(axis=1), marker="o", capsize=3)
    ax.set_xticks(range(len(shots)), [str(n) for n in shots])
    ax.set_xlabel("pictures of each class")
    ax.set_ylabel("accuracy in %")
    return ax
