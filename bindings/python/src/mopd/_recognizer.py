# SPDX-License-Identifier: MIT
"""mopd.Recognizer: classes from a few pictures of each, in closed form, as a scikit-learn estimator."""

from __future__ import annotations

import ctypes
import json
from ctypes import POINTER, byref, c_char_p, c_double, c_size_t, c_uint8
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from . import _abi
from ._abi import lib
from ._bank import Prompt
from ._core import (
    Floats,
    Handle,
    Labels,
    Path,
    check,
    filled,
    float_pointer,
    handle_of,
    label_pointer,
    number,
    opened_bytes,
    patiently,
    path_bytes,
    plain_array,
    saved_bytes,
    sized,
    text_list,
    warn,
)
from ._dataset import Dataset
from ._estimator import PictureClassifier, refuse
from ._labels import Names, Words, label_array, label_list, words_for
from ._pictures import is_features

if TYPE_CHECKING:
    from ._encoder import Encoder

_FEW = "fewer than 40 pictures are too few to tell that a picture is none of the classes: all count as known"
_CHOSEN = {
    "kappa": "kappa",
    "lambda": "shrinkage",
    "text_weight": "text_weight",
    "picture_weight": "picture_weight",
    "view_weight": "view_weight",
}


@dataclass(frozen=True)
class Suspect:
    """A picture whose label is likely wrong.

    Attributes
    ----------
    index : int
        Of the picture, in the order of fitting.
    label : object
        As given.
    other : object
        The likelier label.
    probability : float
        Of the given label, when the picture is left out.
    """

    index: int
    label: Any
    other: Any
    probability: float


class Recognizer(PictureClassifier):
    """Recognises classes from a few pictures of each.  Nothing is trained: it takes a second.

    Each class is a Gaussian around its pictures, pulled towards where its name says that it lies; all share one
    covariance, and the text classifier is blended in.  Settings are chosen so that the pictures, each left out in its
    turn, are as likely as can be; so the probabilities need no calibration, and the same rows say how accurate it is,
    which pictures are none of the classes, and which labels are likely wrong.

    Pictures may be all that `Encoder.images` takes, features (n, D) as it gives them, or a `Dataset`.

    Parameters
    ----------
    encoder : Encoder
        The model.
    templates : list of str, optional
        Sentences with ``{}`` for the class, of the text side; ``["a photo of a {}."]`` without.
    prompt : Prompt or path, optional
        A learned prompt in place of templates.
    keep : float, default 0.95
        The share of pictures of the known classes that stays known when others are refused.
    also : list, optional
        Labels of classes that have no pictures: their names alone are known.
    class_names : list or mapping, optional
        The words that stand for labels in prompts: a list in the order of the sorted labels, or a mapping from a label to
        its words; ``str(label)`` without.  Needed where labels are numbers or ids, also where a meta-estimator makes
        numbers of words (BaggingClassifier and others): ``class_names=sorted(set(y))``.
    kappa : float, optional
        How many pictures a class's name counts for; without it chosen by the pictures, as are the next three.
    shrinkage : float, optional
        How far the covariance is shrunk, between 0 and 1 (lambda).
    text_weight, picture_weight : float, optional
        What the text classifier and the pictures count.
    views : "auto" or int, default "auto"
        How many views of each picture are learned from, 1 to 5: the picture, its mirror image, its middle, its upper left,
        its lower right.  "auto": all five, unless many pictures say that it does not help.  Encoding for the fit takes
        so many times as long; a picture is recognised by one view.  Features (n, D) are of one view.
    view_weight : float, optional
        How many times the differences between views count; without it 2.  0: views are not used.
    unseen : float, default 0.5
        How far classes that `prompt` was not trained on take its context, from 0 (the words that it started from) to 1
        (the published method).
    progress : bool, default False
        Show bars (tqdm) while pictures are encoded.

    Attributes
    ----------
    classes_ : ndarray, (C,)
        The labels.
    n_features_in_ : int
        D, where features were given.

    Notes
    -----
    A fitted one is not changed by `extend`, `withdraw` and `with_classes`: each gives another.  Any number of threads may
    use one.

    Examples
    --------
    >>> rec = mopd.Recognizer(enc).fit(pictures, labels)
    >>> rec.predict(others, none="none of these")
    >>> rec.suspects()[:5]
    >>> rec.extend(more_pictures, more_labels).save("r.safetensors")
    """

    _handle: Handle
    _known: List[str]  # words of all classes as the library counts them: those answered, and those that were once

    def __init__(
        self,
        encoder: "Encoder",
        templates: Optional[Sequence[str]] = None,
        prompt: Optional[Union[Prompt, Path]] = None,
        keep: float = 0.95,
        *,
        also: Optional[Sequence[Any]] = None,
        class_names: Names = None,
        kappa: Optional[float] = None,
        shrinkage: Optional[float] = None,
        text_weight: Optional[float] = None,
        picture_weight: Optional[float] = None,
        views: Union[int, str] = "auto",
        view_weight: Optional[float] = None,
        unseen: float = 0.5,
        progress: bool = False,
    ) -> None:
        self.encoder = encoder
        self.templates = templates
        self.prompt = prompt
        self.keep = keep
        self.also = also
        self.class_names = class_names
        self.kappa = kappa
        self.shrinkage = shrinkage
        self.text_weight = text_weight
        self.picture_weight = picture_weight
        self.views = views
        self.view_weight = view_weight
        self.unseen = unseen
        self.progress = progress

    # -- fitting -----------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, **refused: Any) -> "Recognizer":
        """Fits to pictures.

        Parameters
        ----------
        X : pictures, features (n, D) or (n, V, D) of V views, or Dataset
            What to learn from.
        y : array_like, (n,)
            Labels; a Dataset brings its own.
        **refused
            Nothing: a sample_weight is refused.

        Returns
        -------
        self
        """
        refuse("Recognizer.fit", refused)
        classes, labels = self._labels(X, y)
        features = self._views_of(X, self._wanted_views(), reset=True)
        self._check_lengths(features, labels)
        words = self._words_of(classes)
        if self.also is not None:
            more = label_list(self.also, "also")
            words = Words([*words, *words_for(more, self.class_names, {})])
            classes = label_array([*classes.tolist(), *more])
        self._take(self._create(words, features, labels), classes, words, list(words))
        return self

    def _wanted_views(self) -> int:
        """How many views, 0: as many as there are where they help."""
        if self.view_weight == 0:
            return 1
        if isinstance(self.views, str) and self.views == "auto":
            return 0
        if isinstance(self.views, (int, np.integer)) and 1 <= self.views <= _abi.MOPD_FIXED_VIEWS:
            return int(self.views)
        raise ValueError(f"views {self.views!r} is neither 'auto' nor a number from 1 to {_abi.MOPD_FIXED_VIEWS}")

    def _views_of(self, X: Any, wanted: int, reset: bool = False) -> Floats:
        """Features, (n, D), or (n, V, D) of several views; `wanted` as `_wanted_views`."""
        if isinstance(X, Dataset):
            return self._dataset_views(X, wanted)
        X = plain_array(X) if is_features(X) else X
        if isinstance(X, np.ndarray) and X.ndim == 3 and X.dtype.kind == "f":
            rows = self._check_features(X.reshape(-1, X.shape[2]), reset).reshape(X.shape)
            return np.ascontiguousarray(_first_views(rows, wanted or X.shape[1]))
        if is_features(X) or wanted == 1:
            if wanted > 1:
                raise ValueError(f"views is {wanted}, but X holds features of one view, not pictures")
            return self._features(X, reset)
        self._forget_width(reset)
        features = self.encoder.views(X, wanted or _abi.MOPD_FIXED_VIEWS, progress=self.progress)
        if not len(features):
            raise ValueError("no picture: at least 1 is required")
        return features

    def _dataset_views(self, data: Dataset, wanted: int) -> Floats:
        if not data.dim and wanted != 1:
            data = self._encoded(data, views=wanted or _abi.MOPD_FIXED_VIEWS, fixed=True)
        data = self._encoded(data)
        held = data.n_views if data.fixed else 1
        return _first_views(data.features(held), wanted or held)

    def _options(self) -> Tuple[Any, Tuple[Any, ...]]:
        """The library's options, and what they point to."""
        options = filled(_abi.mopd_recognizer_options, lib.mopd_recognizer_options_init)
        sentences = text_list([] if self.templates is None else self.templates, "templates")
        prompt = self.prompt
        if prompt is not None and not isinstance(prompt, Prompt):
            prompt = Prompt(prompt, self.encoder)
        for field, name in {"keep": "keep", "unseen": "unseen", **_CHOSEN}.items():
            if getattr(self, name) is not None:
                setattr(options, field, number(name, getattr(self, name)))
        options.n_templates = len(sentences)
        options.templates = ctypes.cast(sentences, POINTER(c_char_p)) if len(sentences) else None
        if prompt is not None:
            options.prompt = prompt._handle.pointer
        if self._wanted_views() > 1 and self.view_weight is None:
            options.view_weight = _abi.MOPD_VIEW_WEIGHT
        return options, (sentences, prompt)

    def _create(self, words: Words, features: Floats, labels: Labels) -> Handle:
        options, keep = self._options()
        names, model, out = text_list(words, "classes"), handle_of(self.encoder), _new()
        own = np.ascontiguousarray(labels, np.int32)
        options.n_views = features.shape[1] if features.ndim == 3 else 1
        patiently(
            lambda: check(
                lib.mopd_recognizer_create(
                    out.out, model.pointer, names, len(names), float_pointer(features), label_pointer(own), len(own),
                    byref(options),
                )  # fmt: skip
            )
        )
        del keep
        return out

    def _take(self, handle: Handle, classes: NDArray[Any], words: Words, known: List[str]) -> "Recognizer":
        self._handle, self.classes_, self._words, self._known = handle, classes, words, known
        return self

    def _like(self, handle: Handle, classes: NDArray[Any], words: Words, known: List[str]) -> "Recognizer":
        """Another one of the same settings."""
        new = type(self)(**self.get_params(deep=False))
        if hasattr(self, "n_features_in_"):
            new.n_features_in_ = self.n_features_in_
        return new._take(handle, classes, words, known)

    # -- what leaving one out says -----------------------------------------------------------------------

    def _fitted(self) -> Handle:
        """The handle, which the caller keeps during its call."""
        check_is_fitted(self, "classes_")
        return self._handle

    def _info(self) -> Any:
        info, handle = sized(_abi.mopd_recognizer_info), self._fitted()
        patiently(lambda: check(lib.mopd_recognizer_get_info(handle.pointer, byref(info))))
        return info

    @property
    def loo_accuracy_(self) -> float:
        """Accuracy on the pictures, each left out in its turn, a share of 1; NaN with one picture a class."""
        return _share(self._info().loo_accuracy)

    @property
    def loo_interval_(self) -> Tuple[float, float]:
        """The 95 % interval of that accuracy."""
        info = self._info()
        return _share(info.loo_low), _share(info.loo_high)

    @property
    def loo_ece_(self) -> float:
        """How far the probabilities of the pictures left out are from being right, a share of 1 (15 bins)."""
        return _share(self._info().loo_ece)

    @property
    def cutoff_(self) -> float:
        """The `energy` below which a picture is none of the classes; minus infinity with fewer than 40 pictures."""
        return float(self._info().cutoff)

    @property
    def n_pictures_(self) -> int:
        """How many pictures it was fitted to."""
        return int(self._info().n_pictures)

    @property
    def n_views_(self) -> int:
        """How many views of each picture it learned from; 1 where more would not have helped."""
        return int(self._info().n_views)

    @property
    def settings_(self) -> Dict[str, float]:
        """What was given or chosen: kappa, shrinkage, text_weight, picture_weight, view_weight (0 with one view), keep.  They
        repeat a fit."""
        info = self._info()
        return {**{name: float(getattr(info, field)) for field, name in _CHOSEN.items()}, "keep": float(info.keep)}

    def left_out_proba(self) -> Floats:
        """Probabilities of each picture of the fit when it is left out, (n, C): confusions and classes that are weak follow
        from them without test pictures.

        Raises
        ------
        MopdError
            STATE: with one picture a class nothing can be left out.
        """
        out = np.empty((self.n_pictures_, len(self.classes_)), np.float32)
        check(lib.mopd_recognizer_left_out(self._handle.pointer, float_pointer(out)))
        return out

    def more(self) -> Tuple[float, float]:
        """What twice as many pictures of each class would add to the accuracy, roughly: the least and the most, shares of 1.

        Raises
        ------
        MopdError
            STATE: fewer than four pictures a class.
        """
        low, high, handle = c_double(), c_double(), self._fitted()
        patiently(lambda: check(lib.mopd_recognizer_more(handle.pointer, byref(low), byref(high))))
        return low.value, high.value

    def alarms(self, probability: float) -> float:
        """Of pictures with right labels, the share that would have less than this probability for their own label.

        Parameters
        ----------
        probability : float
            A limit for `suspects`, from 0 to 1.

        Returns
        -------
        float
            So many of the right labels are false alarms below that limit.
        """
        share, handle = c_double(), self._fitted()
        check(lib.mopd_recognizer_alarms(handle.pointer, probability, byref(share)))
        return share.value

    def suspects(self) -> List[Suspect]:
        """Pictures whose label is likely wrong, the most suspicious first.

        Returns
        -------
        list of Suspect
            Those for which another class is likelier when they are left out.

        Raises
        ------
        MopdError
            STATE: with one picture a class nothing can be left out.
        """
        n = c_size_t(self.n_pictures_)
        found = (_abi.mopd_suspect * n.value)()
        handle = self._handle
        check(lib.mopd_recognizer_suspects(handle.pointer, found, byref(n)))
        labels = dict(zip(self._words, self.classes_.tolist()))

        def label(index: int) -> Any:
            return labels[self._known[index]]

        return [Suspect(s.index, label(s.label), label(s.other), s.probability) for s in found[: n.value]]

    # -- answers -----------------------------------------------------------------------------------------

    def _rows(self, function: Any, features: Floats) -> Floats:
        out = np.empty((len(features), len(self.classes_)), np.float32)
        check(function(self._handle.pointer, float_pointer(features), len(features), float_pointer(out)))
        return out

    def _logits(self, features: Floats) -> Floats:
        return self._rows(lib.mopd_recognizer_logits, features)

    def _probabilities(self, features: Floats) -> Floats:
        return self._rows(lib.mopd_recognizer_probabilities, features)

    def predict(self, X: Any, none: Any = None) -> NDArray[Any]:
        """The likeliest label of each picture.

        Parameters
        ----------
        X : pictures, features (n, D), or Dataset
            What to tell.
        none : object, optional
            The answer for pictures of none of the classes; without it each gets its likeliest label.

        Returns
        -------
        ndarray, (n,)
            Labels.
        """
        check_is_fitted(self, "classes_")
        features = self._features(X)
        labels: NDArray[Any] = self.classes_[self._logits(features).argmax(axis=1)]
        if none is None:
            return labels
        unknown = ~self._is_known(features)
        if not unknown.any():
            return labels
        return label_array([none if u else label for u, label in zip(unknown, labels.tolist())])

    def energy(self, X: Any) -> Floats:
        """How well each picture fits the classes as a whole, (n,): the logarithm of the sum of exponentials of its
        logits, and where that tells pictures of classes left out better 1 or 3 times the logarithm of its largest
        probability.  Below `cutoff_` it is none of them."""
        check_is_fitted(self, "classes_")
        return self._energy(self._features(X))

    def _energy(self, features: Floats) -> Floats:
        out = np.empty(len(features), np.float32)
        check(lib.mopd_recognizer_scores(self._handle.pointer, float_pointer(features), len(features), float_pointer(out)))
        return out

    def known(self, X: Any) -> NDArray[np.bool_]:
        """Which pictures are of one of the classes, (n,) bool.

        Parameters
        ----------
        X : pictures, features (n, D), or Dataset
            What to tell.

        Returns
        -------
        ndarray, (n,) bool
            Of pictures of the known classes, the share `keep` is True; how many others are False is not promised.
        """
        check_is_fitted(self, "classes_")
        return self._is_known(self._features(X))

    def _is_known(self, features: Floats) -> NDArray[np.bool_]:
        cutoff = self.cutoff_
        if cutoff == -np.inf:
            warn(_FEW)
        out: NDArray[np.bool_] = self._energy(features).astype(np.float64) >= cutoff
        return out

    def predict_set(self, X: Any, coverage: float = 0.9) -> List[List[Any]]:
        """Labels that hold the true one with a promised probability.

        Parameters
        ----------
        X : pictures, features (n, D), or Dataset
            What to tell.
        coverage : float, default 0.9
            How often, among pictures of the known classes, the true label is in the set.

        Returns
        -------
        list of list
            Of each picture the labels of its set, at least one, the likeliest first.

        Raises
        ------
        MopdError
            STATE: fewer than 40 pictures.
        """
        check_is_fitted(self, "classes_")
        if not 0 < coverage < 1:
            raise ValueError(f"coverage is {coverage}, allowed is more than 0 and less than 1")
        features, handle = self._features(X), self._handle
        inside = np.empty((len(features), len(self.classes_)), np.uint8)
        at = ctypes.cast(inside.ctypes.data, POINTER(c_uint8))
        patiently(
            lambda: check(
                lib.mopd_recognizer_sets(handle.pointer, float_pointer(features), len(features), coverage, at)
            )
        )
        labels = self.classes_.tolist()
        order = np.argsort(-self._logits(features), axis=1, kind="stable")
        return [[labels[c] for c in best if row[c]] for best, row in zip(order, inside)]

    # -- more or fewer pictures and classes --------------------------------------------------------------

    def extend(self, X: Any, y: Any = None, *, choose: bool = False) -> "Recognizer":
        """Another one, fitted to more pictures.

        Parameters
        ----------
        X : pictures, features (n, D) or (n, V, D) of V views, or Dataset
            The pictures that are new; one view stands for all where it learned from several.
        y : array_like, (n,)
            Their labels, of classes it knows or others; a Dataset brings its own.
        choose : bool, default False
            Choose all settings anew, as `fit` does; without, they stay as they are.

        Returns
        -------
        Recognizer
            Its logits are those of fitting anew with the same settings.
        """
        check_is_fitted(self, "classes_")
        classes, labels = self._labels(X, y)
        features = self._more_views(X)
        self._check_lengths(features, labels)
        answered = set(self.classes_.tolist())
        seen = [classes.tolist()[i] for i in np.unique(labels)]
        more = [label for label in seen if label not in answered]
        wider = self.with_classes([*self.classes_.tolist(), *more]) if more else self
        word = dict(zip(wider.classes_.tolist(), wider._words))
        place = {name: i for i, name in enumerate(wider._known)}
        at = [place[word[label]] if label in word else -1 for label in classes.tolist()]
        own = np.asarray(at, np.int32)[labels]
        out, before, flags, at = _new(), wider._handle, _flags(choose), float_pointer(features)
        several = [features.shape[1]] if features.ndim == 3 else []
        call = lib.mopd_recognizer_extend_views if several else lib.mopd_recognizer_extend
        patiently(
            lambda: check(call(out.out, before.pointer, at, *several, label_pointer(own), len(own), flags))
        )
        return wider._like(out, wider.classes_, wider._words, wider._known)

    def _more_views(self, X: Any) -> Floats:
        """Features of further pictures, of as many views as were learned from where there are so many."""
        n_views = self.n_views_
        if is_features(X) and np.ndim(plain_array(X)) == 2 or isinstance(X, Dataset) and X.dim and not X.fixed:
            return self._features(X)
        features = self._views_of(X, n_views)
        return features[:, 0].copy() if features.ndim == 3 and n_views == 1 else features

    def withdraw(self, indices: ArrayLike, *, choose: bool = False) -> "Recognizer":
        """Another one, without some of its pictures.

        Parameters
        ----------
        indices : array_like of int, or of bool, (n,)
            Which, in the order of fitting; those behind move up.
        choose : bool, default False
            Choose all settings anew.

        Returns
        -------
        Recognizer
            Its logits are those of fitting to the others with the same settings.
        """
        check_is_fitted(self, "classes_")
        array = np.atleast_1d(np.asarray(indices))
        if array.dtype == bool:
            if array.shape != (self.n_pictures_,):
                raise ValueError(f"indices: a mask of shape {array.shape} for {self.n_pictures_} pictures")
            array = np.flatnonzero(array)
        if array.size and (array.dtype.kind not in "iu" or array.ndim != 1 or array.min() < 0):
            raise ValueError("indices: whole numbers from 0 are expected")
        gone = np.ascontiguousarray(array, np.uintp)
        out, before, flags = _new(), self._handle, _flags(choose)
        at = ctypes.cast(gone.ctypes.data, POINTER(c_size_t))
        patiently(lambda: check(lib.mopd_recognizer_withdraw(out.out, before.pointer, at, len(gone), flags)))
        return self._like(out, self.classes_, self._words, self._known)

    def with_classes(self, classes: Sequence[Any]) -> "Recognizer":
        """Another one for other classes: those it knows keep their pictures, others are answered by their name alone.

        Parameters
        ----------
        classes : list
            Labels, in the order of the columns of `predict_proba`; their words as in `class_names`.

        Returns
        -------
        Recognizer
            A fitted one.
        """
        labels, words = self._asked(classes)
        names, model = text_list(words, "classes"), handle_of(self.encoder)
        out, before = _new(), self._handle
        patiently(
            lambda: check(
                lib.mopd_recognizer_with_classes(out.out, before.pointer, model.pointer, names, len(names))
            )
        )
        known = self._known + [word for word in words if word not in set(self._known)]
        return self._like(out, label_array(labels), words, known)

    # -- files -------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Writes one safetensors file, as ``mopd fit`` does.  It holds class names, not the labels where these differ
        (`class_names`)."""
        check_is_fitted(self, "classes_")
        handle, name = self._handle, path_bytes(path)
        patiently(lambda: check(lib.mopd_recognizer_save(handle.pointer, name)))

    @classmethod
    def load(
        cls, encoder: "Encoder", path: Path, classes: Optional[Sequence[Any]] = None, **settings: Any
    ) -> "Recognizer":
        """A fitted recogniser of a file.

        Parameters
        ----------
        encoder : Encoder
            The model that it was fitted with.
        path : path
            A file of `save` or of ``mopd fit``.
        classes : list, optional
            Other labels to answer, as `with_classes`; those of the file without.
        **settings
            Of the constructor; templates and keep come from the file.

        Raises
        ------
        MopdError
            MISMATCH: it was fitted with another model; FORMAT: it is no recogniser.
        """
        handle = _open(path, encoder)
        known, templates = _names_in(path)
        words = Words(_class_names(handle))
        new = cls(encoder, **{"templates": templates or None, **settings})
        new._take(handle, np.asarray(words), words, known)
        new.keep = settings.get("keep", float(new._info().keep))
        return new if classes is None else new.with_classes(classes)

    def __getstate__(self) -> Any:
        state = dict(super().__getstate__())
        if "_handle" in state:
            del state["_handle"]
            state["_file"] = saved_bytes(self.save)
        return state

    def __setstate__(self, state: Any) -> None:
        data = state.pop("_file", None)
        super().__setstate__(state)
        if data is not None:
            self._handle = opened_bytes(data, lambda path: _open(path, self.encoder))


def _new() -> Handle:
    return Handle(_abi.mopd_recognizer, lib.mopd_recognizer_close)


def _first_views(features: Floats, n_views: int) -> Floats:
    """The first n_views of V views, (n, n_views, D), or (n, D) of one."""
    if n_views > features.shape[1]:
        raise ValueError(f"views is {n_views}, but there are features of {features.shape[1]} for each picture")
    return features[:, 0].copy() if n_views == 1 else np.ascontiguousarray(features[:, :n_views])


def _flags(choose: bool) -> int:
    return _abi.MOPD_RECOGNIZER_CHOOSE if choose else 0


def _share(x: float) -> float:
    return float(x) if x >= 0 else float("nan")


def _open(path: Path, encoder: "Encoder") -> Handle:
    out, model, name = _new(), handle_of(encoder), path_bytes(path)
    patiently(lambda: check(lib.mopd_recognizer_open(out.out, name, model.pointer)))
    return out


def _class_names(handle: Handle) -> List[str]:
    """The classes that are answered."""
    names: List[str] = []
    while True:
        name: Optional[bytes] = lib.mopd_recognizer_class_name(handle.pointer, len(names))
        if name is None:
            return names
        names.append(name.decode())


def _names_in(path: Path) -> Tuple[List[str], List[str]]:
    """All classes of a recogniser's file, whether they are answered or not, and its templates.  The library has read
    and checked the file before."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    notes = header["__metadata__"]
    return json.loads(notes["mopd.classes"]), json.loads(notes.get("mopd.templates", "[]"))
