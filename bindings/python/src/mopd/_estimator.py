# SPDX-License-Identifier: MIT
"""What classifiers of pictures share as scikit-learn's estimators: what they take, their labels, answers from logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ._core import Floats, Labels, MopdError, Status, plain_array
from ._dataset import Dataset
from ._labels import Names, Words, label_list, words_for, words_of
from ._pictures import is_features, is_tensor

if TYPE_CHECKING:
    from ._encoder import Encoder


def unit_rows(rows: Floats) -> Floats:
    """rows of length 1; those that have it are left as they are, bit for bit."""
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    if not length.all():
        raise ValueError(f"features: row {int(np.argmin(length))} is all zeros")
    off = np.abs(length - 1) > 1e-4
    if off.any():
        rows = rows.copy()
        rows[off] = rows[off] / length[off, None]
    return rows


def log_softmax(logits: Floats) -> Floats:
    """Logarithms of the softmax over the columns."""
    x = logits.astype(np.float64)
    x -= x.max(axis=1, keepdims=True)
    x -= np.log(np.exp(x).sum(axis=1, keepdims=True))
    return x.astype(np.float32)


def log_odds(logits: Floats) -> Floats:
    """ln (p / (1 - p)) of each class's probability p, (n, C), finite where p rounds to 1: its logit less the logarithm of
    the sum of the others' exponentials."""
    x = logits.astype(np.float64)
    x -= x.max(axis=1, keepdims=True)
    rows, best = np.arange(len(x)), x.argmax(axis=1)
    parts = np.exp(x)
    rest: NDArray[np.float64] = parts.sum(axis=1, keepdims=True) - parts
    rest[rows, best] = 1  # what is left there may be all rounding: below
    odds = x - np.log(rest)
    x[rows, best] = -np.inf
    second = x.max(axis=1)
    odds[rows, best] = -second - np.log(np.exp(x - second[:, None]).sum(axis=1))
    return odds.astype(np.float32)


def refuse(method: str, unknown: Any) -> None:
    """Keywords that a fit does not take; it has none of its own, so that scikit-learn offers it no weights."""
    if "sample_weight" in unknown:
        raise TypeError(
            f"{method} takes no sample_weight: each picture counts once; leave out what should not count (score takes it)"
        )
    if unknown:
        raise TypeError(f"{method} got an unexpected keyword argument {next(iter(unknown))!r}")


class PictureClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of pictures, or of their features; what it answers follows from its logits.

    A subclass has the parameters `encoder`, `class_names` and `progress`, and sets `classes_` and `_words` when fitted."""

    encoder: "Encoder"
    class_names: Names
    progress: bool
    classes_: NDArray[Any]
    _words: Words

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # pictures; features of exactly D columns
        tags.input_tags.string = True
        tags.target_tags.single_output = True
        return tags

    # -- input -------------------------------------------------------------------------------------------

    def _check_features(self, X: Any, reset: bool) -> Floats:
        """Features, (n, D), checked and of length 1."""
        if isinstance(X, (list, tuple)) and len(X) and is_tensor(X[0]):
            X = [plain_array(row) for row in X]
        rows: Floats = validate_data(self, plain_array(X), reset=reset, dtype=np.float32, order="C")
        if rows.shape[1] != self.encoder.dim:
            raise ValueError(f"X has {rows.shape[1]} features, but the encoder's are {self.encoder.dim} wide")
        return unit_rows(rows)

    def _features(self, X: Any, reset: bool = False) -> Floats:
        """Features of pictures as they are, or those given."""
        if isinstance(X, Dataset):
            return self._encoded(X).features()
        if is_features(X):
            return self._check_features(X, reset)
        self._forget_width(reset)
        features = self.encoder.images(X, progress=self.progress)
        if not len(features):
            raise ValueError("no picture: at least 1 is required")
        return features

    def _encoded(self, data: Dataset, **settings: Any) -> Dataset:
        """A Dataset with features of this encoder."""
        if not data.dim:
            return data.encode(self.encoder, progress=self.progress, **settings)
        if data.fingerprint != self.encoder.fingerprint:
            raise MopdError(
                Status.MISMATCH,
                f"the Dataset was encoded with the model {data.fingerprint}, this one is {self.encoder.fingerprint}",
            )
        return data

    def _forget_width(self, reset: bool) -> None:
        """Fitted to pictures, it has no number of columns."""
        if reset and hasattr(self, "n_features_in_"):
            del self.n_features_in_

    def _labels(self, X: Any, y: Any) -> Tuple[NDArray[Any], Labels]:
        """The classes, and each picture's index among them."""
        if y is None and isinstance(X, Dataset):
            return np.asarray(self._classes_of(X)), X.labels
        if y is None:
            raise ValueError("This estimator requires y to be passed, but the target y is None")
        labels = column_or_1d(plain_array(y), warn=True)
        check_classification_targets(labels)
        classes, own = np.unique(labels, return_inverse=True)
        return classes, own.astype(np.int32)

    @staticmethod
    def _classes_of(data: Dataset) -> List[str]:
        """The classes that a Dataset's labels count."""
        if data.unlabelled:
            raise ValueError("the Dataset has no labels: give them as y")
        return data.classes

    @staticmethod
    def _check_lengths(features: Any, labels: Labels) -> None:
        if not callable(features) and len(features) != len(labels):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: {[len(features), len(labels)]}"
            )

    def _words_of(self, classes: NDArray[Any]) -> Words:
        """The words that stand for the labels of a fit in prompts."""
        return words_of(classes.tolist(), self.class_names)

    def _asked(self, classes: Sequence[Any]) -> Tuple[List[Any], Words]:
        """Labels of other classes than those of the fit, and the words that stand for them in prompts."""
        check_is_fitted(self, "classes_")
        labels = label_list(classes)
        return labels, words_for(labels, self.class_names, dict(zip(self.classes_.tolist(), self._words)))

    # -- answers -----------------------------------------------------------------------------------------

    def _logits(self, features: Floats) -> Floats:
        raise NotImplementedError

    def _probabilities(self, features: Floats) -> Floats:
        raise NotImplementedError

    def logits(self, X: Any) -> Floats:
        """Logits, (n, C), of pictures or features, columns as `classes_`."""
        check_is_fitted(self, "classes_")
        return self._logits(self._features(X))

    def decision_function(self, X: Any) -> Floats:
        """Log-odds of each class against all others, (n, C): ln (p / (1 - p)) of its probability, so that 0 is even.

        For two classes, as scikit-learn has it, of the second alone, (n,).  What looks at one column by itself, as
        CalibratedClassifierCV with "sigmoid" does, can compare pictures by them, which it could not by logits."""
        logits = self.logits(X)
        if logits.shape[1] == 2:
            return logits[:, 1] - logits[:, 0]
        return log_odds(logits) if logits.shape[1] > 2 else logits

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities, (n, C), of pictures or features, columns as `classes_`."""
        check_is_fitted(self, "classes_")
        return self._probabilities(self._features(X))

    def predict_log_proba(self, X: Any) -> Floats:
        """Logarithms of the probabilities, (n, C), finite where a probability is too small for its number."""
        return log_softmax(self.logits(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest label of each picture."""
        best = self.logits(X).argmax(axis=1)
        out: NDArray[Any] = self.classes_[best]
        return out

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy on pictures or features, a share of 1; a Dataset brings its own labels."""
        if y is None and isinstance(X, Dataset):
            y = np.asarray(self._classes_of(X))[X.labels]
        return float(super().score(X, plain_array(y), sample_weight))
