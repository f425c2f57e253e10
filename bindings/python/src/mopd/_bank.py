# SPDX-License-Identifier: MIT
"""mopd.Bank, mopd.Prompt, mopd.GDA: classes as features, learned prompts, the classifier without training."""

from __future__ import annotations

import ctypes
import math
from ctypes import POINTER, byref, c_double, c_uint32
from typing import TYPE_CHECKING, Any, ClassVar, Dict, List, Optional, Sequence, Tuple, Type, TypeVar, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi
from ._abi import lib
from ._core import (
    Floats,
    Handle,
    Path,
    check,
    feature_rows,
    float_pointer,
    handle_of,
    label_pointer,
    label_row,
    opened_bytes,
    patiently,
    path_bytes,
    plain_array,
    saved_bytes,
    sized,
    take_json,
    text_list,
    view,
)
from ._labels import warn_of_ids, warn_of_spelled

if TYPE_CHECKING:
    from ._encoder import Encoder

MATCH = np.dtype([("index", np.uint32), ("probability", np.float32), ("logit", np.float32)])


T = TypeVar("T", bound="_Classifier")


class _Classifier:
    """What banks and Gaussian heads have in common: classes, a file, logits of features.  Immutable."""

    _kind: ClassVar[str]  # of the C functions, mopd_KIND_...
    _handle: Handle
    _classes: List[str]

    @classmethod
    def _function(cls, name: str) -> Any:
        return getattr(lib, f"mopd_{cls._kind}_{name}")

    @classmethod
    def _new(cls) -> Handle:
        return Handle(getattr(_abi, f"mopd_{cls._kind}"), cls._function("free"))

    def _take(self: T, handle: Handle) -> T:
        self._handle = handle
        n, name = self._function("n_classes")(handle.pointer), self._function("class_name")
        self._classes = [name(handle.pointer, i).decode() for i in range(n)]
        return self

    @classmethod
    def _of(cls: Type[T], handle: Handle) -> T:
        return cls.__new__(cls)._take(handle)

    @classmethod
    def open(cls: Type[T], path: Path, encoder: Optional["Encoder"] = None) -> T:
        """What :meth:`save` wrote, bit for bit: a bank of 10,000 classes in some 30 milliseconds.

        Parameters
        ----------
        path : path
            A file of this kind.
        encoder : Encoder, optional
            The model it must have been made with.

        Raises
        ------
        MopdError
            MISMATCH: made with another model (both fingerprints are named); FORMAT: not a file of this kind.
        """
        out, model = cls._new(), None if encoder is None else handle_of(encoder)
        check(cls._function("open")(out.out, path_bytes(path), None if model is None else model.pointer))
        return cls._of(out)

    def save(self, path: Path) -> None:
        """Writes everything and the model's fingerprint as one safetensors file; the same gives the same bytes."""
        check(self._function("save")(self._handle.pointer, path_bytes(path)))

    @property
    def classes(self) -> List[str]:
        """The class names, as given."""
        return list(self._classes)

    @property
    def dim(self) -> int:
        """D, the width of a feature."""
        return int(self._function("dim")(self._handle.pointer))

    def __len__(self) -> int:
        return len(self._classes)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} classes>"

    def __copy__(self: T) -> T:
        return self

    def __deepcopy__(self: T, memo: Any) -> T:
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return _classifier_from_bytes, (type(self), saved_bytes(self.save))

    def _map(self, function: str, features: ArrayLike) -> Floats:
        rows = feature_rows(features, self.dim)
        out = np.empty((len(rows), len(self)), np.float32)
        check(self._function(function)(self._handle.pointer, float_pointer(rows), len(rows), float_pointer(out)))
        return out

    def logits(self, features: ArrayLike) -> Floats:
        """Logits, (n, C), of picture features (n, D)."""
        return self._map("logits", features)

    def probabilities(self, features: ArrayLike) -> Floats:
        """Softmax of the logits over the classes (a GDA's over its temperature), (n, C), of picture features (n, D)."""
        return self._map("probabilities", features)


class Bank(_Classifier):
    """Class features to compare pictures with.

    Parameters
    ----------
    encoder : Encoder
        The model.
    classes : list of str
        Class names; ``_`` becomes a space.
    templates : list of str, optional
        Sentences with ``{}`` for the name; ``["a photo of a {}."]`` without.  With several, a class is the mean of its
        sentences' features.

    Notes
    -----
    Immutable; any number of threads may use one.  It does not need the encoder after creation.
    """

    _kind = "bank"

    def __init__(self, encoder: "Encoder", classes: Sequence[str], templates: Optional[Sequence[str]] = None) -> None:
        model, out = handle_of(encoder), Bank._new()
        names, sentences = text_list(classes, "classes"), text_list(templates or [], "templates")
        patiently(
            lambda: check(
                lib.mopd_bank_create(out.out, model.pointer, names, len(names), sentences, len(sentences))
            )
        )
        self._take(out)
        warn_of_ids(classes)
        warn_of_spelled(encoder, classes)

    @classmethod
    def from_features(cls, classes: Sequence[str], features: ArrayLike, logit_scale: float) -> "Bank":
        """A bank of given class features.

        Parameters
        ----------
        classes : list of str
            Class names.
        features : array_like, (C, D)
            Normalised here.
        logit_scale : float
            cosine x this = logit.
        """
        array = np.ascontiguousarray(plain_array(features), np.float32)
        if array.ndim != 2 or len(array) != len(classes):
            raise ValueError(f"features of shape {array.shape} for {len(classes)} classes")
        out, names = Bank._new(), text_list(classes, "classes")
        check(
            lib.mopd_bank_create_features(
                out.out, names, len(names), float_pointer(array), array.shape[1], logit_scale
            )
        )
        return cls._of(out)

    def calibrated(self, features: ArrayLike, labels: ArrayLike) -> "Bank":
        """The same bank with the scale that makes its probabilities those of labelled pictures.

        Parameters
        ----------
        features : array_like, (n, D)
            Features of pictures that the bank has not learned from: some 50 will do.
        labels : array_like, (n,)
            Class indices, or class names.

        Returns
        -------
        Bank
            It ranks as this one; ``logit_scale`` tells the new scale.
        """
        rows = feature_rows(features, self.dim)
        own, out = label_row(_indices(labels, self.classes), len(rows)), Bank._new()
        at = self._handle.pointer
        check(lib.mopd_bank_create_calibrated(out.out, at, float_pointer(rows), label_pointer(own), len(rows)))
        return Bank._of(out)

    @property
    def logit_scale(self) -> float:
        """The factor that turns a cosine into a logit."""
        return float(lib.mopd_bank_logit_scale(self._handle.pointer))

    @property
    def logit_bias(self) -> Optional[float]:
        """What :meth:`sigmoids` adds to a logit; None for models that were not trained with a sigmoid loss."""
        bias = float(lib.mopd_bank_logit_bias(self._handle.pointer))
        return None if math.isnan(bias) else bias

    def sigmoids(self, features: ArrayLike) -> Floats:
        """Each class for itself, 1 / (1 + exp(-(logit + bias))), (n, C), of picture features (n, D).

        Raises
        ------
        MopdError
            UNSUPPORTED: a bank without :attr:`logit_bias`; SigLIP's and SigLIP 2's have one.
        """
        return self._map("sigmoids", features)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the model that made the features, "" for given features."""
        return str(lib.mopd_bank_fingerprint(self._handle.pointer).decode())

    @property
    def features(self) -> Floats:
        """The class features, (C, D) float32, rows of length 1; read-only, not copied."""
        return view(self._handle, lib.mopd_bank_features(self._handle.pointer), (len(self), self.dim))

    def matches(self, features: ArrayLike, top: int = 5) -> NDArray[Any]:
        """The best classes of each picture.

        Parameters
        ----------
        features : array_like, (n, D)
            Picture features.
        top : int, default 5
            How many classes.

        Returns
        -------
        ndarray, (n, min(top, C))
            Structured: ``index``, ``probability``, ``logit``; best first, ties to the lower index.
        """
        rows = feature_rows(features, self.dim)
        if top < 1:
            raise ValueError(f"top {top}: at least 1")
        out = np.empty((len(rows), min(top, len(self))), MATCH)
        matches = _pointer(out, _abi.mopd_match)
        check(lib.mopd_bank_top(self._handle.pointer, float_pointer(rows), len(rows), top, matches))
        return out

    def predict(self, features: ArrayLike) -> NDArray[Any]:
        """The name of the likeliest class of each picture, (n,), of features (n, D)."""
        out: NDArray[Any] = np.asarray(self._classes)[self.matches(features, 1)["index"][:, 0]]
        return out

    def classify(
        self, features: ArrayLike, top: int = 5, sigmoid: bool = False
    ) -> List[List[Tuple[str, float]]]:
        """The best classes of each picture by name: ``[[("cat", 0.93), ("dog", 0.07)], ...]``.

        Parameters
        ----------
        features : array_like, (n, D)
            Picture features.
        top : int, default 5
            How many classes.
        sigmoid : bool, default False
            Numbers of :meth:`sigmoids` instead of probabilities, which compare the classes with each other.

        Returns
        -------
        list of list of (str, float)
            Name and probability, best first.
        """
        names, best = self._classes, self.matches(features, top)
        numbers = best["probability"]
        if sigmoid:
            numbers = np.take_along_axis(self.sigmoids(features), best["index"].astype(np.intp), axis=1)
        return [
            [(names[i], float(x)) for i, x in zip(row["index"], said)] for row, said in zip(best, numbers)
        ]


class Prompt:
    """A learned prompt: context vectors and, where the method has one, the gate.

    Parameters
    ----------
    path : path
        A prompt file or a checkpoint.
    encoder : Encoder, optional
        The model it must have been made with.

    Raises
    ------
    MopdError
        MISMATCH: made with another model (both fingerprints are named); FORMAT: not a prompt file.
    """

    _handle: Handle
    _info: Any

    def __init__(self, path: Path, encoder: Optional["Encoder"] = None) -> None:
        out = _new_prompt()
        model = None if encoder is None else handle_of(encoder)
        check(lib.mopd_prompt_open(out.out, path_bytes(path), None if model is None else model.pointer))
        self._take(out)

    def _take(self, handle: Handle) -> "Prompt":
        self._handle = handle
        self._info = sized(_abi.mopd_prompt_info)
        check(lib.mopd_prompt_get_info(handle.pointer, byref(self._info)))
        return self

    @classmethod
    def _of(cls, handle: Handle) -> "Prompt":
        return cls.__new__(cls)._take(handle)

    def save(self, path: Path) -> None:
        """Writes the prompt file; the same prompt gives the same bytes."""
        check(lib.mopd_prompt_save(self._handle.pointer, path_bytes(path)))

    def to_bytes(self) -> bytes:
        """The prompt file as bytes."""
        return saved_bytes(self.save)

    @classmethod
    def from_bytes(cls, data: bytes, encoder: Optional["Encoder"] = None) -> "Prompt":
        """The prompt of a prompt file's bytes."""
        return opened_bytes(data, lambda path: cls(path, encoder))

    def __reduce__(self) -> Tuple[Any, ...]:
        return _prompt_from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        return f"<Prompt by {self.method}, epoch {self.epoch}, {len(self.classes)} classes>"

    @property
    def method(self) -> str:
        """How it was learned: "mopd", "coop", ..."""
        name: bytes = lib.mopd_method_name(self._info.method)
        return name.decode()

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return int(self._info.epoch)

    @property
    def top_k(self) -> int:
        """Teachers kept for a picture."""
        return int(self._info.top_k)

    @property
    def accuracy(self) -> Optional[float]:
        """On the training pictures in percent, where it was measured."""
        accuracy = float(self._info.accuracy)
        return None if accuracy < 0 else accuracy

    @property
    def classes(self) -> List[str]:
        """The classes trained on."""
        at = self._handle.pointer
        return [lib.mopd_prompt_class_name(at, i).decode() for i in range(self._info.n_classes)]

    @property
    def templates(self) -> List[str]:
        """The teachers."""
        at = self._handle.pointer
        return [lib.mopd_prompt_template(at, i).decode() for i in range(self._info.n_templates)]

    @property
    def context(self) -> Floats:
        """The context vectors, (n_context, W), or (C, n_context, W) where each class has its own; read-only."""
        shape: Tuple[int, ...] = (self._info.n_context, self._info.text_width)
        if self._info.flags & _abi.MOPD_PROMPT_CLASS_CONTEXT:
            shape = (self._info.n_classes, *shape)
        return view(self._handle, lib.mopd_prompt_context(self._handle.pointer), shape)

    @property
    def gate(self) -> Optional[Floats]:
        """The gate, (D, M), read-only; None where the method has none."""
        pointer = lib.mopd_prompt_gate(self._handle.pointer)
        if not pointer:
            return None
        return view(self._handle, pointer, (self._info.dim, self._info.n_templates))

    def describe(self) -> Dict[str, Any]:
        """Everything the file says: method, settings, templates, classes, data, accuracy, gate use, notes."""
        out: Dict[str, Any] = take_json(lambda out: lib.mopd_prompt_describe(self._handle.pointer, out))
        return out

    def bank(
        self, encoder: "Encoder", classes: Optional[Sequence[str]] = None, unseen: float = 1.0
    ) -> Bank:
        """A bank of any classes with this prompt.

        Parameters
        ----------
        encoder : Encoder
            The model that the prompt was made with.
        classes : list of str, optional
            Class names; without them those trained on.
        unseen : float, default 1.0
            How far classes that the prompt was not trained on take its context, from 0 (the words that it started from)
            to 1 (the published method); 0.5 serves new classes better.
        """
        model, out, names = handle_of(encoder), Bank._new(), text_list([] if classes is None else classes, "classes")
        if classes is not None and not len(names):
            raise ValueError("classes: no class")
        patiently(
            lambda: check(
                lib.mopd_bank_create_prompt_unseen(
                    out.out, model.pointer, names, len(names), self._handle.pointer, unseen
                )
            )
        )
        return Bank._of(out)

    def gate_select(self, features: ArrayLike) -> Tuple[NDArray[np.uint32], Floats]:
        """Which templates the gate chooses for pictures.

        Parameters
        ----------
        features : array_like, (n, D)
            Picture features.

        Returns
        -------
        indices : ndarray, (n, K) uint32
            Templates, best first.
        weights : ndarray, (n, K) float32
            What each counts; rows sum to 1.

        Raises
        ------
        MopdError
            STATE: the method learns no gate.
        """
        gate = Handle(_abi.mopd_gate, lib.mopd_gate_free)
        check(lib.mopd_gate_create(gate.out, self._handle.pointer))
        rows = feature_rows(features, self._info.dim)
        shape = (len(rows), lib.mopd_gate_top_k(gate.pointer))
        indices, weights = np.empty(shape, np.uint32), np.empty(shape, np.float32)
        at = _pointer(indices, c_uint32)
        check(lib.mopd_gate_select(gate.pointer, float_pointer(rows), len(rows), at, float_pointer(weights)))
        return indices, weights

    def gate_use(self, features: ArrayLike) -> NDArray[np.float64]:
        """The mean weight of each template over pictures, (M,), which sums to 1."""
        gate = Handle(_abi.mopd_gate, lib.mopd_gate_free)
        check(lib.mopd_gate_create(gate.out, self._handle.pointer))
        rows = feature_rows(features, self._info.dim)
        use = np.empty(self._info.n_templates, np.float64)
        check(lib.mopd_gate_use(gate.pointer, float_pointer(rows), len(rows), _pointer(use, c_double)))
        return use


class GDA(_Classifier):
    """A classifier without training: Gaussian discriminant on features, blended with the text classifier.

    `Recognizer` does the same job better from few pictures, and takes pictures.  This one is for comparing with what others
    published.

    Parameters
    ----------
    bank : Bank
        The text classifier.
    features : array_like, (n, D)
        Picture features.
    labels : array_like, (n,)
        Class indices into the bank, or class names.
    alpha : float, optional
        What the discriminant counts; chosen by cross-validation where it is not given.

    Notes
    -----
    Immutable; any number of threads may use one.
    """

    _kind = "gda"

    def __init__(self, bank: Bank, features: ArrayLike, labels: ArrayLike, alpha: Optional[float] = None) -> None:
        rows = feature_rows(features, bank.dim)
        own = label_row(_indices(labels, bank.classes), len(rows))
        factor = -1.0 if alpha is None else alpha
        if factor < 0 and alpha is not None:
            raise ValueError(f"alpha {alpha} is negative")
        out = GDA._new()
        at = bank._handle
        patiently(
            lambda: check(
                lib.mopd_gda_create(out.out, at.pointer, float_pointer(rows), label_pointer(own), len(rows), factor)
            )
        )
        self._take(out)

    @property
    def alpha(self) -> float:
        """The factor in use."""
        return float(lib.mopd_gda_alpha(self._handle.pointer))

    @property
    def temperature(self) -> float:
        """T of softmax(logits / T), under which held-out pictures are likeliest; 1 where a class has one picture."""
        return float(lib.mopd_gda_temperature(self._handle.pointer))

    def with_classes(self, bank: Bank) -> "GDA":
        """The same head for the classes of another bank."""
        if not isinstance(bank, Bank):
            raise TypeError(f"a Bank of the classes is expected, not {type(bank).__name__}: Bank(encoder, classes)")
        out = GDA._new()
        check(lib.mopd_gda_create_classes(out.out, self._handle.pointer, bank._handle.pointer))
        return GDA._of(out)

    def predict(self, features: ArrayLike) -> NDArray[Any]:
        """The name of the likeliest class of each picture, (n,), of features (n, D)."""
        out: NDArray[Any] = np.asarray(self._classes)[self.logits(features).argmax(axis=1)]
        return out


def _indices(labels: ArrayLike, classes: List[str]) -> ArrayLike:
    """Labels by name as places among the classes; numbers as they are."""
    array = np.asarray(plain_array(labels))
    if array.dtype.kind not in "OUS":
        return array
    places = {name: i for i, name in enumerate(classes)}
    unknown = [x for x in array.ravel().tolist() if x not in places]
    if unknown:
        raise ValueError(f"label {unknown[0]!r} is no class of the bank")
    return np.asarray([places[x] for x in array.ravel().tolist()], np.int32).reshape(array.shape)


def _new_prompt() -> Handle:
    return Handle(_abi.mopd_prompt, lib.mopd_prompt_close)


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, POINTER(kind))


def _classifier_from_bytes(cls: Type[T], data: bytes) -> T:
    return opened_bytes(data, cls.open)


def _prompt_from_bytes(data: bytes) -> Prompt:
    return Prompt.from_bytes(data)


