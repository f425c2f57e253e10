# SPDX-License-Identifier: MIT
"""scikit-learn estimators: MoPDClassifier and the transformer ImageFeatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ._bank import Bank, Prompt
from ._core import Floats, Labels, Path
from ._dataset import Dataset
from ._pictures import is_picture, picture_list
from ._settings import default, documented
from ._trainer import Epoch, Trainer

if TYPE_CHECKING:
    from ._encoder import Encoder

_TRAINER = (
    "templates", "method", "epochs", "batch", "lr", "warmup_lr", "momentum", "weight_decay", "w", "w2", "top_k",
    "temperature", "reg", "context", "n_context", "class_position", "class_context", "shuffle", "seed", "memory_limit",
)  # fmt: skip


def is_features(x: Any) -> bool:
    """Whether x holds features, (n, D) or (n, V, D), rather than pictures."""
    if hasattr(x, "toarray") or hasattr(x, "iloc") and getattr(x, "ndim", 1) == 2:
        return True
    if isinstance(x, np.ndarray):
        if x.dtype.kind in "OUS" and x.ndim == 1:
            return False
        return not (x.dtype == np.uint8 and x.ndim == 4)
    if not isinstance(x, (list, tuple)) and hasattr(x, "__array__"):
        return is_features(np.asarray(x))
    if isinstance(x, (list, tuple)) and len(x):
        first = x[0]
        return not is_picture(first) and not isinstance(first, str) and (
            isinstance(first, (list, tuple, float, int, np.number)) or np.ndim(first) == 1
        )
    return False


@documented
class MoPDClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Learns prompts from a few labelled pictures, and classifies with them.

    Pictures may be paths, bytes of JPEG or PNG files, PIL images or uint8 arrays.  Instead of pictures, their features,
    (n, D) as `Encoder.images` gives them, will do everywhere: encode once, then search and cross-validate quickly.
    `fit` also takes features of V views, (n, V, D), and an encoded or plain `Dataset`.

    Parameters
    ----------
    encoder : Encoder
        The model.
    templates : list of str, optional
        The teachers, each with ``{}`` for the class; the 12 general ones without.
    method : str, default %(method)s
        One of %(methods)s.
    epochs : int, default %(epochs)s
        How often all pictures are seen.
    batch : int, default %(batch)s
        Pictures in one step.
    lr : float, optional
        Learning rate; without it %(lr)s.
    w : float, default %(w)s
        Share of the labels in loss = w CE + (1 - w) MPD + w2 MPS.
    w2 : float, default %(w2)s
        Weight of the teachers' own cross-entropy, MPS.
    top_k : int, default %(top_k)s
        Teachers kept for a picture.
    temperature : float, default %(temperature)s
        Temperature of the distillation.
    seed : int, default %(seed)s
        Seed of everything random: the same features, seed and options give the same prompt, bit for bit.
    views : int or "fresh", default 0
        0: the plain pictures; V: V augmented views of each, encoded once and cycled through the epochs; "fresh": every
        epoch encodes anew.
    auto : bool, default False
        Choose w, w2 and top_k by trainings on half of the classes; no test picture is used.
    class_names : mapping, optional
        From a label to the words that stand for it in prompts; ``str(label)`` where there is none.
    checkpoint : path, optional
        Written after every epoch, and when Ctrl-C stops the training.
    resume : path, optional
        A checkpoint to go on from.
    callback : callable, optional
        Gets an `Epoch` after each; if it returns something true, training stops there.
    progress : bool, default False
        Show bars (tqdm).
    warmup_lr, momentum, weight_decay, reg, context, n_context, class_position, class_context, shuffle, memory_limit
        As in `Trainer`.

    Attributes
    ----------
    classes_ : ndarray, (C,)
        The labels.
    prompt_ : Prompt
        What was learned.
    history_ : list of Epoch
        What each epoch did.
    chosen_ : object
        What `auto` tried, else None.
    n_features_in_ : int
        D, where features were given.

    Notes
    -----
    Ctrl-C during `fit` stops after the step at work and is then raised as KeyboardInterrupt; the estimator holds what
    was reached, can predict and be saved.
    """

    def __init__(
        self,
        encoder: "Encoder",
        *,
        templates: Optional[Sequence[str]] = None,
        method: str = default("method"),
        epochs: int = default("epochs"),
        batch: int = default("batch"),
        lr: Optional[float] = default("lr"),
        w: float = default("w"),
        w2: float = default("w2"),
        top_k: int = default("top_k"),
        temperature: float = default("temperature"),
        seed: int = default("seed"),
        views: Union[int, str] = 0,
        auto: bool = False,
        class_names: Optional[Mapping[Any, str]] = None,
        checkpoint: Optional[Path] = None,
        resume: Optional[Path] = None,
        callback: Optional[Callable[[Epoch], object]] = None,
        progress: bool = False,
        warmup_lr: float = default("warmup_lr"),
        momentum: float = default("momentum"),
        weight_decay: float = default("weight_decay"),
        reg: Optional[float] = default("lambda"),
        context: Optional[str] = default("context"),
        n_context: int = default("n_context"),
        class_position: str = default("class_position"),
        class_context: bool = default("class_context"),
        shuffle: bool = default("shuffle"),
        memory_limit: int = default("memory_limit"),
    ) -> None:
        self.encoder = encoder
        self.templates = templates
        self.method = method
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.w = w
        self.w2 = w2
        self.top_k = top_k
        self.temperature = temperature
        self.seed = seed
        self.views = views
        self.auto = auto
        self.class_names = class_names
        self.checkpoint = checkpoint
        self.resume = resume
        self.callback = callback
        self.progress = progress
        self.warmup_lr = warmup_lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.reg = reg
        self.context = context
        self.n_context = n_context
        self.class_position = class_position
        self.class_context = class_context
        self.shuffle = shuffle
        self.memory_limit = memory_limit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # pictures; features of exactly D columns
        tags.input_tags.string = True
        tags.target_tags.single_output = True
        return tags

    # -- input -------------------------------------------------------------------------------------------

    def _check_features(self, X: Any, reset: bool) -> Floats:
        """Features, (n, D), checked and of length 1."""
        rows: Floats = validate_data(self, X, reset=reset, dtype=np.float32, order="C")
        if rows.shape[1] != self.encoder.dim:
            raise ValueError(f"X has {rows.shape[1]} features, but the encoder's are {self.encoder.dim} wide")
        return unit_rows(rows)

    def _plain(self, X: Any, reset: bool = False) -> Floats:
        """Features of pictures as they are, or those given."""
        if isinstance(X, Dataset):
            return (X if X.dim else X.encode(self.encoder, progress=self.progress)).features()
        if is_features(X):
            return self._check_features(X, reset)
        if reset and hasattr(self, "n_features_in_"):
            del self.n_features_in_
        pictures = picture_list(X)
        if not pictures:
            raise ValueError("no picture: at least 1 is required")
        return self.encoder.images(pictures, progress=self.progress)

    def _view(self, pictures: List[Any], view: int) -> Floats:
        """One augmented view of each picture."""
        side = self.encoder.image_size
        out = np.empty((len(pictures), self.encoder.dim), np.float32)
        for first in range(0, len(pictures), 16):
            part = pictures[first : first + 16]
            pixels = np.empty((len(part), 3, side, side), np.float32)
            for i, picture in enumerate(part):
                pixels[i] = self.encoder.preprocess(picture, view=_view_seed(self.seed, first + i, view))
            out[first : first + 16] = self.encoder.pixels(pixels)
        return out

    def _training_features(self, X: Any) -> Any:
        """What Trainer.run takes: (n, D), (n, V, D), or a callable of the epoch."""
        fresh = isinstance(self.views, str)
        if fresh and self.views != "fresh":
            raise ValueError(f"views {self.views!r} is neither a number nor 'fresh'")
        if isinstance(X, Dataset):
            return self._dataset_features(X)
        if isinstance(X, np.ndarray) and X.ndim == 3 and X.dtype.kind == "f":
            return self._check_features(X.reshape(-1, X.shape[2]), True).reshape(X.shape)
        if not self.views or is_features(X):
            if self.views:
                raise ValueError(f"views is {self.views!r}, but X holds features, not pictures")
            return self._plain(X, reset=True)
        if hasattr(self, "n_features_in_"):
            del self.n_features_in_
        pictures = picture_list(X)
        if not pictures:
            raise ValueError("no picture: at least 1 is required")
        if fresh:
            return lambda epoch: self._view(pictures, epoch - 1)
        return np.stack([self._view(pictures, v) for v in range(int(self.views))], axis=1)

    def _dataset_features(self, data: Dataset) -> Any:
        if isinstance(self.views, str):
            return self._training_features(data.files)
        if not data.dim:
            data = data.encode(self.encoder, views=self.views, seed=self.seed, progress=self.progress)
        return data.features(data.n_views)

    def _names(self, labels: Any) -> List[str]:
        """The words that stand for labels in prompts."""
        names: Mapping[Any, str] = self.class_names or {}
        return [names[x] if x in names else str(x) for x in np.asarray(labels).tolist()]

    def _labels(self, X: Any, y: Any) -> Tuple[NDArray[Any], Labels]:
        """The classes, and each picture's index among them."""
        if y is None and isinstance(X, Dataset):
            return np.asarray(X.classes), X.labels
        if y is None:
            raise ValueError("This estimator requires y to be passed, but the target y is None")
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        classes, own = np.unique(labels, return_inverse=True)
        return classes, own.astype(np.int32)

    # -- scikit-learn ------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> "MoPDClassifier":
        """Learns a prompt.

        Parameters
        ----------
        X : pictures, features (n, D) or (n, V, D), or Dataset
            What to learn from.
        y : array_like, (n,)
            Labels; a Dataset brings its own.

        Returns
        -------
        self
        """
        classes, labels = self._labels(X, y)
        features = self._training_features(X)
        if not callable(features) and len(features) != len(labels):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: {[len(features), len(labels)]}"
            )
        auto = (features, labels) if self.auto and not callable(features) else None
        if self.auto and auto is None:
            raise ValueError("auto needs features that stay: not views='fresh'")
        settings: Dict[str, Any] = {name: getattr(self, name) for name in _TRAINER}
        trainer = Trainer(self.encoder, self._names(classes), auto=auto, **settings)
        if self.resume is not None:
            trainer.resume(self.resume)
        history: List[Epoch] = []

        def ended(epoch: Epoch) -> object:
            history.append(epoch)
            return self.callback(epoch) if self.callback is not None else None

        try:
            trainer.run(
                features, labels, on_epoch=ended, checkpoint=self.checkpoint, progress=self.progress
            )
        except KeyboardInterrupt:
            self._keep(trainer, classes, history)
            raise
        self._keep(trainer, classes, history)
        return self

    def _keep(self, trainer: Trainer, classes: NDArray[Any], history: List[Epoch]) -> None:
        self.prompt_ = trainer.prompt()
        self.classes_ = classes
        self.history_ = history
        self.n_iter_ = len(history)
        self.chosen_ = trainer.chosen
        self._bank: Optional[Bank] = trainer.bank()

    @property
    def bank_(self) -> Bank:
        """The classes' features by the learned prompt."""
        check_is_fitted(self, "prompt_")
        if self._bank is None:
            self._bank = self.prompt_.bank(self.encoder, self._names(self.classes_))
        return self._bank

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities, (n, C), of pictures or features, columns as `classes_`."""
        check_is_fitted(self, "prompt_")
        return self.bank_.probabilities(self._plain(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest label of each picture."""
        check_is_fitted(self, "prompt_")
        best = self.bank_.matches(self._plain(X), 1)["index"][:, 0]
        out: NDArray[Any] = self.classes_[best]
        return out

    def logits(self, X: Any) -> Floats:
        """Logits, (n, C), of pictures or features."""
        check_is_fitted(self, "prompt_")
        return self.bank_.logits(self._plain(X))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy on pictures or features, a share of 1; a Dataset brings its own labels."""
        if y is None and isinstance(X, Dataset):
            y = np.asarray(X.classes)[X.labels]
        return float(super().score(X, y, sample_weight))

    # -- other classes, files ----------------------------------------------------------------------------

    def with_classes(self, classes: Sequence[Any]) -> "MoPDClassifier":
        """The same learned prompt for other classes, seen in training or not; nothing is trained again.

        Parameters
        ----------
        classes : list
            Labels, in the order of the columns of `predict_proba`; their words as in `class_names`.

        Returns
        -------
        MoPDClassifier
            A fitted one that shares the prompt.
        """
        check_is_fitted(self, "prompt_")
        new = type(self)(**self.get_params(deep=False))
        new.prompt_, new.history_, new.chosen_ = self.prompt_, list(self.history_), self.chosen_
        new.n_iter_, new.classes_ = self.n_iter_, np.asarray(classes)
        new._bank = self.prompt_.bank(self.encoder, self._names(classes))
        if hasattr(self, "n_features_in_"):
            new.n_features_in_ = self.n_features_in_
        return new

    def save(self, path: Path) -> None:
        """Writes the prompt file.  It holds class names, not the labels where these differ (`class_names`)."""
        check_is_fitted(self, "prompt_")
        self.prompt_.save(path)

    @classmethod
    def load(
        cls, encoder: "Encoder", path: Path, classes: Optional[Sequence[Any]] = None, **settings: Any
    ) -> "MoPDClassifier":
        """A fitted classifier of a prompt file.

        Parameters
        ----------
        encoder : Encoder
            The model that the prompt was made with.
        path : path
            A prompt file or checkpoint, of this package or of ``mopd train``.
        classes : list, optional
            Any labels; those trained on without.
        **settings
            Of the constructor; method and teachers come from the file.
        """
        prompt = Prompt(path, encoder)
        new = cls(encoder, **{"method": prompt.method, "templates": prompt.templates or None, **settings})
        new.prompt_, new.history_, new.chosen_, new._bank = prompt, [], None, None
        new.n_iter_ = prompt.epoch
        new.classes_ = np.asarray(prompt.classes if classes is None else classes)
        new._bank = prompt.bank(encoder, new._names(new.classes_))
        return new

    def __getstate__(self) -> Any:
        state = dict(super().__getstate__())
        if "_bank" in state:
            state["_bank"] = None  # made again from the prompt at first use
        return state


class ImageFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Pictures to features, as a step of a Pipeline.

    Parameters
    ----------
    encoder : Encoder
        The model.
    progress : bool, default False
        Show a bar (tqdm).
    """

    def __init__(self, encoder: "Encoder", *, progress: bool = False) -> None:
        self.encoder = encoder
        self.progress = progress

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.requires_fit = False
        return tags

    def fit(self, X: Any, y: Any = None) -> "ImageFeatures":
        """Nothing to learn."""
        return self

    def transform(self, X: Any) -> Floats:
        """Features, (n, D), of pictures."""
        return self.encoder.images(X, progress=self.progress)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """``clip0`` ... of the D columns."""
        return np.asarray([f"clip{i}" for i in range(self.encoder.dim)], dtype=object)


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


def _view_seed(seed: int, picture: int, view: int) -> int:
    """One number from three (splitmix64's finish)."""
    x = (seed * 0x9E3779B97F4A7C15 + picture * 0xBF58476D1CE4E5B9 + view * 0x94D049BB133111EB) & (2**64 - 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = ((x ^ (x >> shift)) * factor) & (2**64 - 1)
    return x ^ (x >> 31)
