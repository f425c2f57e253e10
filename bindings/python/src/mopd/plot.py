# SPDX-License-Identifier: MIT
"""Pictures of a training, with matplotlib (the extra ``plot``): learning curves, gate heat map, confusion matrix."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._bank import Prompt
from ._trainer import Epoch


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
