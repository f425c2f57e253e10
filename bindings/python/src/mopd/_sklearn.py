# SPDX-License-Identifier: MIT
"""scikit-learn estimators: MoPDClassifier and the transformer ImageFeatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._bank import Bank, Prompt
from ._core import Floats, Path, plain_array
from ._dataset import Dataset
from ._estimator import PictureClassifier, refuse
from ._labels import Names, Words, label_array, label_list, words_for
from ._pictures import is_features, picture_list
from ._settings import default, documented
from ._trainer import Epoch, Trainer

if TYPE_CHECKING:
    from ._encoder import Encoder

_TRAINER = (
    "templates", "method", "epochs", "steps", "batch", "lr", "warmup_lr", "momentum", "weight_decay", "w", "w2", "top_k",
    "temperature", "reg", "context", "n_context", "class_position", "class_context", "shuffle", "seed", "memory_limit",
)  # fmt: skip


@documented
class MoPDClassifier(PictureClassifier):
    """Learns prompts from a few labelled pictures, and classifies with them.

    For classes of one's own with pictures of each, `Recognizer` answers better and takes a second (docs/few-shot.md); a
    prompt holds words alone and serves any list of classes.

    Pictures may be all that `Encoder.images` takes.  Instead of pictures, their features, (n, D) as it gives them, will
    do everywhere: encode once, then search and cross-validate quickly.
    `fit` also takes features of V views, (n, V, D), and an encoded or plain `Dataset`.

    Parameters
    ----------
    encoder : Encoder
        The model.
    templates : list of str, optional
        The teachers, each with ``{}`` for the class; the 12 general ones without.
    method : str, default %(method)s
        One of %(methods)s.
    epochs : int, default 0
        How often all pictures are seen; 0: %(epochs)s.
    batch : int, default %(batch)s
        Pictures in one step.
    lr : float, optional
        Learning rate; without it %(lr)s.
    w : float, default %(w)s
        Share of the labels in loss = w CE + (1 - w) MPD + w2 MPS.
    w2 : float, default %(w2)s
        Weight of the teachers' own cross-entropy, MPS.
    top_k : int, default %(top_k)s
        Teachers kept for a picture; the default is all templates where there are fewer.
    temperature : float, default %(temperature)s
        Temperature of the distillation.
    seed : int, default %(seed)s
        Seed of everything random: the same features, seed and options give the same prompt, bit for bit.
    views : int or "fresh", default 0
        0: the plain pictures; V: V augmented views of each, encoded once and cycled through the epochs; "fresh": every
        epoch encodes anew.
    auto : bool, default False
        Choose w, w2, top_k and, where neither epochs nor steps are given, epochs by held-out pictures and by trainings on
        half of the classes; the defaults stay where they are not clearly beaten, as with few pictures; no test picture
        is used.
    class_names : list or mapping, optional
        The words that stand for labels in prompts: a list in the order of the sorted labels, or a mapping from a label to
        its words; ``str(label)`` without.  Needed where labels are numbers or ids, also where a meta-estimator makes
        numbers of words (BaggingClassifier and others): ``class_names=sorted(set(y))``.
    checkpoint : path, optional
        Written after every epoch, and when Ctrl-C stops the training.
    resume : path, optional
        A checkpoint to go on from.
    callback : callable, optional
        Gets an `Epoch` after each; if it returns something true, training stops there.
    progress : bool, default False
        Show bars (tqdm).
    random_state : int, RandomState instance or None, default None
        In place of `seed`, for scikit-learn's tools; None: `seed`.
    steps : int, default 0
        The length of the training in steps instead, in whole epochs; 0: as `epochs` say.
    unseen : float, default 0.5
        How far classes that were not trained on take the learned context in `with_classes` and `load`, from 0 (the
        words that it started from) to 1 (the published method).
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

    Examples
    --------
    >>> clf = mopd.MoPDClassifier(enc).fit(pictures, labels)
    >>> clf.with_classes(["unseen", "names"]).predict(others)
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
        class_names: Names = None,
        checkpoint: Optional[Path] = None,
        resume: Optional[Path] = None,
        callback: Optional[Callable[[Epoch], object]] = None,
        progress: bool = False,
        random_state: Any = None,
        steps: int = default("steps"),
        unseen: float = 0.5,
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
        self.random_state = random_state
        self.steps = steps
        self.unseen = unseen
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

    # -- input -------------------------------------------------------------------------------------------

    def _seed(self) -> int:
        """The seed of a fit."""
        if self.random_state is None:
            return self.seed
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _view(self, pictures: List[Any], view: int, seed: int) -> Floats:
        """One augmented view of each picture."""
        side = self.encoder.image_size
        out = np.empty((len(pictures), self.encoder.dim), np.float32)
        for first in range(0, len(pictures), 16):
            part = pictures[first : first + 16]
            pixels = np.empty((len(part), 3, side, side), np.float32)
            for i, picture in enumerate(part):
                pixels[i] = self.encoder.preprocess(picture, view=_view_seed(seed, first + i, view))
            out[first : first + 16] = self.encoder.pixels(pixels)
        return out

    def _training_features(self, X: Any, seed: int) -> Any:
        """What Trainer.run takes: (n, D), (n, V, D), or a callable of the epoch."""
        fresh = isinstance(self.views, str)
        if fresh and self.views != "fresh":
            raise ValueError(f"views {self.views!r} is neither a number nor 'fresh'")
        if isinstance(X, Dataset):
            return self._dataset_features(X, seed)
        X = plain_array(X) if is_features(X) else X
        if isinstance(X, np.ndarray) and X.ndim == 3 and X.dtype.kind == "f":
            return self._check_features(X.reshape(-1, X.shape[2]), True).reshape(X.shape)
        if not self.views or is_features(X):
            if self.views:
                raise ValueError(f"views is {self.views!r}, but X holds features, not pictures")
            return self._features(X, reset=True)
        self._forget_width(True)
        pictures = picture_list(X)
        if not pictures:
            raise ValueError("no picture: at least 1 is required")
        if fresh:
            return lambda epoch: self._view(pictures, epoch - 1, seed)
        return np.stack([self._view(pictures, v, seed) for v in range(int(self.views))], axis=1)

    def _dataset_features(self, data: Dataset, seed: int) -> Any:
        if isinstance(self.views, str):
            return self._training_features(data.files, seed)
        data = self._encoded(data, views=self.views, seed=seed)
        return data.features(data.n_views)

    # -- scikit-learn ------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, **refused: Any) -> "MoPDClassifier":
        """Learns a prompt.

        Parameters
        ----------
        X : pictures, features (n, D) or (n, V, D), or Dataset
            What to learn from.
        y : array_like, (n,)
            Labels; a Dataset brings its own.
        **refused
            Nothing: a sample_weight is refused.

        Returns
        -------
        self
        """
        refuse("MoPDClassifier.fit", refused)
        classes, labels = self._labels(X, y)
        seed = self._seed()
        features = self._training_features(X, seed)
        self._check_lengths(features, labels)
        auto = (features, labels) if self.auto and not callable(features) else None
        if self.auto and auto is None:
            raise ValueError("auto needs features that stay: not views='fresh'")
        settings: Dict[str, Any] = {name: getattr(self, name) for name in _TRAINER}
        settings["seed"] = seed
        words = self._words_of(classes)
        trainer = Trainer(self.encoder, words, auto=auto, **settings)
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
            self._keep(trainer, classes, words, history)
            raise
        self._keep(trainer, classes, words, history)
        return self

    def _keep(self, trainer: Trainer, classes: NDArray[Any], words: Words, history: List[Epoch]) -> None:
        self.prompt_ = trainer.prompt()
        self.classes_, self._words = classes, words
        self.history_ = history
        self.n_iter_ = len(history)
        self.chosen_ = trainer.chosen
        self._bank: Optional[Bank] = trainer.bank()

    @property
    def bank_(self) -> Bank:
        """The classes' features by the learned prompt."""
        check_is_fitted(self, "prompt_")
        if self._bank is None:
            self._bank = self.prompt_.bank(self.encoder, self._words, self.unseen)
        return self._bank

    def _logits(self, features: Floats) -> Floats:
        return self.bank_.logits(features)

    def _probabilities(self, features: Floats) -> Floats:
        return self.bank_.probabilities(features)

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
        labels, words = self._asked(classes)
        new = type(self)(**self.get_params(deep=False))
        new.prompt_, new.history_, new.chosen_ = self.prompt_, list(self.history_), self.chosen_
        new.n_iter_, new.classes_ = self.n_iter_, label_array(labels)
        new._words = words
        new._bank = self.prompt_.bank(self.encoder, new._words, self.unseen)
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
        labels = prompt.classes if classes is None else label_list(classes)
        known = {name: name for name in prompt.classes}
        new.classes_, new._words = label_array(labels), words_for(labels, new.class_names, known)
        new._bank = prompt.bank(encoder, new._words, new.unseen)
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


def _view_seed(seed: int, picture: int, view: int) -> int:
    """One number from three (splitmix64's finish)."""
    x = (seed * 0x9E3779B97F4A7C15 + picture * 0xBF58476D1CE4E5B9 + view * 0x94D049BB133111EB) & (2**64 - 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = ((x ^ (x >> shift)) * factor) & (2**64 - 1)
    return x ^ (x >> 31)
