# SPDX-License-Identifier: MIT
"""mopd.Trainer: learning a prompt from picture features and labels."""

from __future__ import annotations

import ctypes
import json
from ctypes import POINTER, byref, c_char_p, c_int32
from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi
from ._abi import lib
from ._bank import Bank, Prompt, _new_prompt
from ._core import (
    Floats,
    Handle,
    Interrupt,
    Labels,
    Path,
    check,
    feature_rows,
    filled,
    float_pointer,
    handle_of,
    label_pointer,
    label_row,
    number,
    patiently,
    path_bytes,
    plain_array,
    sized,
    text_bytes,
    text_list,
)
from ._labels import warn_of_ids
from ._progress import Progress
from ._settings import choice, count, default, documented

if TYPE_CHECKING:
    from ._encoder import Encoder


class Step(NamedTuple):
    """What a step of training did; losses are of the weights before the update."""

    epoch: int
    step: int
    n_correct: int
    lr: float
    loss: float
    ce: float
    mpd: float
    mps: float
    reg: float


class Epoch(NamedTuple):
    """What an epoch did: means over its steps; accuracy in percent."""

    epoch: int
    n_epochs: int
    n_steps: int
    lr: float
    loss: float
    ce: float
    mpd: float
    mps: float
    reg: float
    accuracy: float
    seconds: float


class _Run(NamedTuple):
    """What a run holds on to while C works with it."""

    struct: Any
    keep: Tuple[Any, ...]
    errors: List[BaseException]


@documented
class Trainer:
    """A training of prompts on features.  One thread at a time.

    Parameters
    ----------
    encoder : Encoder
        The model.
    classes : list of str
        Class names.
    templates : list of str, optional
        The teachers, each with ``{}``; the 12 general ones without (``templates_for("imagenet")``).
    method : str, default %(method)s
        One of %(methods)s.
    epochs : int, default 0
        How often all pictures are seen; 0: %(epochs)s.
    steps : int, default 0
        The length of a training in steps instead, in whole epochs; 0: as `epochs` say.
    batch : int, default %(batch)s
        Pictures in one step.
    lr : float, optional
        Learning rate; without it %(lr)s.
    warmup_lr : float, default %(warmup_lr)s
        Learning rate of the first epoch.
    momentum : float, default %(momentum)s
        Share of the last step that the next one repeats.
    weight_decay : float, default %(weight_decay)s
        How strongly parameters are drawn to 0.
    w : float, default %(w)s
        Share of the labels in loss = w CE + (1 - w) MPD + w2 MPS.
    w2 : float, default %(w2)s
        Weight of the teachers' own cross-entropy, MPS.
    top_k : int, default %(top_k)s
        Teachers kept for a picture; the default is all templates where there are fewer.
    temperature : float, default %(temperature)s
        Temperature of the distillation.
    reg : float, optional
        Weight of the regulariser (lambda); without it %(lambda)s.
    context : str or None, default %(context)s
        Words that the context vectors start from; None: random vectors.
    n_context : int, default 0
        Number of context vectors; 0: %(n_context)s.
    class_position : str, default %(class_position)s
        Where the class name stands among the vectors: end, middle or front.
    class_context : bool, default %(class_context)s
        Each class has vectors of its own, which then serve no other class.
    shuffle : bool, default %(shuffle)s
        False: pictures in the order given, every epoch.
    seed : int, default %(seed)s
        Seed of everything random.
    memory_limit : int, default 0
        Bytes for the text tower's work, beyond which classes go in chunks; 0: %(memory_limit)s.
    teachers : array_like, (M, C, D), optional
        The templates' features, rows of length 1, where several trainings share them; encoded here without.
    auto : (features, labels), optional
        Choose w, w2, top_k and, where neither epochs nor steps are given, epochs on these first, by trainings on half of
        the classes; `chosen` then says what was tried.
    rank, ranks : int
        Which of how many processes that train together, each its share of the classes, all on the same pictures.
    reduce : callable, optional
        Called with an array of float64 that it replaces, in place, by its sum over all ranks, on the thread of the call:
        ``lambda sums: comm.Allreduce(MPI.IN_PLACE, sums)`` with mpi4py.  All ranks make the same calls of `Trainer`,
        `run` and `step` in the same order.
    """

    def __init__(
        self,
        encoder: "Encoder",
        classes: Sequence[str],
        *,
        templates: Optional[Sequence[str]] = None,
        method: str = default("method"),
        epochs: int = default("epochs"),
        steps: int = default("steps"),
        batch: int = default("batch"),
        lr: Optional[float] = default("lr"),
        warmup_lr: float = default("warmup_lr"),
        momentum: float = default("momentum"),
        weight_decay: float = default("weight_decay"),
        w: float = default("w"),
        w2: float = default("w2"),
        top_k: int = default("top_k"),
        temperature: float = default("temperature"),
        reg: Optional[float] = default("lambda"),
        context: Optional[str] = default("context"),
        n_context: int = default("n_context"),
        class_position: str = default("class_position"),
        class_context: bool = default("class_context"),
        shuffle: bool = default("shuffle"),
        seed: int = default("seed"),
        memory_limit: int = default("memory_limit"),
        teachers: Optional[ArrayLike] = None,
        auto: Optional[Tuple[ArrayLike, ArrayLike]] = None,
        rank: int = 0,
        ranks: int = 1,
        reduce: Optional[Callable[[NDArray[np.float64]], object]] = None,
    ) -> None:
        options = filled(_abi.mopd_trainer_options, lib.mopd_trainer_options_init)
        code = c_int32()
        check(lib.mopd_method_find(text_bytes(method), byref(code)))
        sentences = text_list([] if templates is None else templates, "templates")
        if top_k == default("top_k") and len(sentences):
            top_k = min(top_k, len(sentences))
        options.method, options.class_position = code, choice("class_position", class_position)
        for name, value in (
            ("epochs", epochs), ("steps", steps), ("batch", batch), ("top_k", top_k), ("n_context", n_context), ("seed", seed),
            ("memory_limit", memory_limit),
        ):  # fmt: skip
            setattr(options, name, count(name, value))
        for name, field, real in (
            ("lr", "lr", lr), ("warmup_lr", "warmup_lr", warmup_lr), ("momentum", "momentum", momentum),
            ("weight_decay", "weight_decay", weight_decay), ("w", "w", w), ("w2", "w2", w2),
            ("temperature", "temperature", temperature), ("reg", "lambda", reg),
        ):  # fmt: skip
            if real is not None:
                setattr(options, field, number(name, real))
        options.n_templates = len(sentences)
        options.templates = ctypes.cast(sentences, POINTER(c_char_p)) if len(sentences) else None
        if context is not None and not context.strip():
            raise ValueError(f"context {context!r} has no word; None starts from random vectors")
        options.context = None if context is None else text_bytes(context)
        options.flags = (_abi.MOPD_TRAIN_CLASS_CONTEXT if class_context else 0) | (
            0 if shuffle else _abi.MOPD_TRAIN_NO_SHUFFLE
        )
        names, model = text_list(classes, "classes"), handle_of(encoder)
        warn_of_ids(classes)
        if teachers is not None:
            known = np.ascontiguousarray(teachers, np.float32)
            if known.shape != (len(sentences), len(names), encoder.dim):
                raise ValueError(f"teachers of shape {known.shape}: expected ({len(sentences)}, {len(names)}, {encoder.dim})")
            options.teachers = float_pointer(known)
        for name, value in (("rank", rank), ("ranks", ranks)):
            if not 0 <= value < 1 << 31:
                raise ValueError(f"{name} {value}: not below 0")
        options.rank, options.ranks = rank, ranks
        self._reduce_errors: List[BaseException] = []
        self._reduce = self._reducer(reduce) if reduce is not None else _abi.mopd_reduce_fn()
        options.reduce = self._reduce
        self._model, self._dim = model, encoder.dim
        self.chosen: Any = None
        if auto is not None:
            self.chosen = self._choose(options, names, auto)
        self.w, self.w2, self.top_k = float(options.w), float(options.w2), int(options.top_k)
        out = Handle(_abi.mopd_trainer, lib.mopd_trainer_free, keep=model)

        def create() -> None:
            self._check(lib.mopd_trainer_create(out.out, model.pointer, names, len(names), byref(options)))

        if reduce is None:
            patiently(create)
        else:
            create()
        self._handle = out
        if self.chosen is not None:
            self.note("auto", json.dumps(self.chosen))
        del sentences

    def _reducer(self, reduce: Callable[[NDArray[np.float64]], object]) -> Any:
        """What C calls to sum over the ranks; an exception ends the call there and is raised after it."""
        errors = self._reduce_errors

        def add(_: Any, values: Any, n: int) -> int:
            try:
                reduce(np.ctypeslib.as_array(values, (n,)))
            except BaseException as error:
                errors.append(error)
                return _abi.MOPD_E_CANCELLED
            return _abi.MOPD_OK

        return _abi.mopd_reduce_fn(add)

    def _check(self, status: int) -> None:
        if self._reduce_errors:
            raise self._reduce_errors.pop()
        check(status)

    def _choose(self, options: Any, names: Any, auto: Tuple[ArrayLike, ArrayLike]) -> Any:
        features, labels = self._features(auto[0]), auto[1]
        report = c_char_p()
        with Interrupt() as stop:
            run = self._run(features, label_row(labels, len(features)), None, None, None, None, stop)
            status = lib.mopd_trainer_options_choose(
                byref(options), self._model.pointer, names, len(names), byref(run.struct), byref(report)
            )
            if not stop.wanted:
                self._check(status)
        try:
            return json.loads(report.value or b"null")
        finally:
            lib.mopd_free(report)

    def _features(self, features: ArrayLike) -> Floats:
        """As n x V x D."""
        array = np.ascontiguousarray(plain_array(features), np.float32)
        if array.ndim == 3 and array.shape[2] == self._dim and array.shape[1]:
            return array
        return feature_rows(array, self._dim)[:, None]

    def _run(
        self,
        features: Union[Floats, Callable[[int], ArrayLike]],
        labels: Labels,
        on_step: Optional[Callable[[Step], object]],
        on_epoch: Optional[Callable[[Epoch], object]],
        checkpoint: Optional[Path],
        bar: Optional[Progress],
        stop: Interrupt,
    ) -> _Run:
        run, errors = filled(_abi.mopd_run, lib.mopd_run_init), []  # type: Any, List[BaseException]

        def stepped(_: Any, step: Any) -> int:
            try:
                if on_step is not None and on_step(Step(*_values(step.contents))):
                    return 1
            except BaseException as error:
                errors.append(error)
                return 1
            return int(stop.wanted)

        def ended(_: Any, at: Any) -> int:
            try:
                epoch = Epoch(*_values(at.contents))
                if bar is not None:
                    bar.update(epoch.epoch, loss=epoch.loss, accuracy=epoch.accuracy)
                if on_epoch is not None and on_epoch(epoch):
                    return 1
            except BaseException as error:
                errors.append(error)
                return 1
            return int(stop.wanted)

        def fresh(_: Any, epoch: int, out: Any) -> int:
            try:
                assert callable(features)
                rows = feature_rows(features(epoch), self._dim)
                if len(rows) != len(labels):
                    raise ValueError(f"{len(rows)} rows of features for {len(labels)} labels")
                ctypes.memmove(out, rows.ctypes.data, rows.nbytes)
            except BaseException as error:
                errors.append(error)
                return _abi.MOPD_E_CANCELLED
            return _abi.MOPD_E_CANCELLED if stop.wanted else _abi.MOPD_OK

        run.n, run.n_views = len(labels), 1
        if callable(features):
            run.views = _abi.mopd_views_fn(fresh)
        else:
            run.n_views, run.features = features.shape[1], float_pointer(features)
        run.labels = label_pointer(labels)
        run.stop = _abi.mopd_stop_fn(lambda _: int(stop.wanted))
        run.on_step, run.on_epoch = _abi.mopd_step_fn(stepped), _abi.mopd_epoch_fn(ended)
        run.checkpoint = None if checkpoint is None else path_bytes(checkpoint)
        return _Run(run, (features, labels), errors)

    def run(
        self,
        features: Union[ArrayLike, Callable[[int], ArrayLike]],
        labels: ArrayLike,
        *,
        on_step: Optional[Callable[[Step], object]] = None,
        on_epoch: Optional[Callable[[Epoch], object]] = None,
        checkpoint: Optional[Path] = None,
        progress: bool = False,
    ) -> bool:
        """All epochs that are left.

        Parameters
        ----------
        features : array_like (n, D) or (n, V, D), or callable
            Picture features; of V views, epoch e sees view (e - 1) mod V.  A callable gets the epoch, from 1, and
            gives (n, D).
        labels : array_like, (n,)
            Class indices.
        on_step, on_epoch : callable, optional
            Get a `Step` or an `Epoch`; what they return, if true, stops the training.
        checkpoint : path, optional
            Written after every epoch and when stopped.
        progress : bool
            Show a bar (tqdm).

        Returns
        -------
        bool
            False when a callback stopped it.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C, after the step at work.  The trainer holds what was reached and may run on.
        MopdError
            NUMERIC: the loss is not finite.
        """
        rows = features if callable(features) else self._features(features)
        own = label_row(labels, np.size(labels) if callable(rows) else len(rows))
        total = int(lib.mopd_trainer_n_epochs(self._handle.pointer, len(own)))
        with Progress(progress, total, "epochs") as bar, Interrupt() as stop:
            run = self._run(rows, own, on_step, on_epoch, checkpoint, bar, stop)
            status = lib.mopd_trainer_run(self._handle.pointer, byref(run.struct))
            if run.errors:
                raise run.errors[0]
            if status != _abi.MOPD_E_CANCELLED or self._reduce_errors:
                self._check(status)
        return bool(status == _abi.MOPD_OK)

    def step(self, features: ArrayLike, labels: ArrayLike) -> Step:
        """One step on features, (n, D), with labels, (n,), for hosts with their own loop."""
        rows = feature_rows(features, self._dim)
        own = label_row(labels, len(rows))
        out = sized(_abi.mopd_step)
        self._check(
            lib.mopd_trainer_step(
                self._handle.pointer, float_pointer(rows), label_pointer(own), len(rows), byref(out)
            )
        )
        return Step(*_values(out))

    def end_epoch(self) -> None:
        """Ends an epoch driven by `step`: the next one has its own learning rate."""
        check(lib.mopd_trainer_end_epoch(self._handle.pointer))

    def lr(self, epoch: int) -> float:
        """The learning rate of an epoch, from 1."""
        return float(lib.mopd_trainer_lr(self._handle.pointer, epoch))

    def note(self, key: str, text: str) -> None:
        """A text that goes into the prompt file."""
        check(lib.mopd_trainer_note(self._handle.pointer, text_bytes(key), text_bytes(text)))

    def prompt(self) -> Prompt:
        """The prompt as it is now."""
        out = _new_prompt()
        check(lib.mopd_prompt_create_trainer(out.out, self._handle.pointer))
        return Prompt._of(out)

    def bank(self, classes: Optional[Sequence[str]] = None) -> Bank:
        """A bank of any classes with the prompt as it is now; without `classes` those trained on."""
        out, names = Bank._new(), text_list([] if classes is None else classes, "classes")
        patiently(lambda: check(lib.mopd_bank_create_trainer(out.out, self._handle.pointer, names, len(names))))
        return Bank._of(out)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Trainer cannot be pickled: write a checkpoint, or pickle its prompt")

    def checkpoint(self, path: Path) -> None:
        """Writes prompt, optimiser and position."""
        check(lib.mopd_trainer_checkpoint(self._handle.pointer, path_bytes(path)))

    def resume(self, path: Path) -> None:
        """Goes back to a checkpoint of the same model, classes and options: what follows is what would have followed."""
        check(lib.mopd_trainer_resume(self._handle.pointer, path_bytes(path)))


def _values(struct: Any) -> List[Any]:
    """All fields but struct_size."""
    return [getattr(struct, name) for name, _ in struct._fields_[1:]]
