# SPDX-License-Identifier: MIT
"""mopd.Dataset: labelled pictures and their features."""

from __future__ import annotations

import os
from ctypes import byref, c_size_t
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _abi
from ._abi import lib
from ._core import (
    Floats,
    Handle,
    Interrupt,
    Labels,
    MopdError,
    Path,
    Status,
    check,
    filled,
    float_pointer,
    handle_of,
    path_bytes,
    patiently,
    sized,
    text_bytes,
    text_list,
    view,
    warn,
)
from ._progress import Progress

if TYPE_CHECKING:
    from ._encoder import Encoder

_SPLITS = {
    None: _abi.MOPD_SPLIT_NONE,
    "train": _abi.MOPD_SPLIT_TRAIN,
    "val": _abi.MOPD_SPLIT_VAL,
    "test": _abi.MOPD_SPLIT_TEST,
}
_SPLIT_NAMES = {code: name for name, code in _SPLITS.items()}
_REMARKS = {
    _abi.MOPD_REMARK_PASSED_OVER: "passed over",
    _abi.MOPD_REMARK_TWO_CLASSES: "two classes",
    _abi.MOPD_REMARK_TWO_SPLITS: "two splits",
    _abi.MOPD_REMARK_LABELS: "labels",
    _abi.MOPD_REMARK_SAME_CLASSES: "same classes",
    _abi.MOPD_REMARK_CUT_WHITE: "cut white",
    _abi.MOPD_REMARK_OUTSIDE: "outside",
    _abi.MOPD_REMARK_UNREADABLE: "unreadable",
}
_SUBSETS = {"all": _abi.MOPD_SUBSET_ALL, "base": _abi.MOPD_SUBSET_BASE, "new": _abi.MOPD_SUBSET_NEW}


class Item(NamedTuple):
    """One picture of a dataset."""

    label: int
    split: Optional[str]
    path: str
    file: str
    hash: str


class Remark(NamedTuple):
    """What a user should know of data that opened all the same.

    Attributes
    ----------
    kind : str
        ``passed over`` (files or folders), ``two classes`` or ``two splits`` (the same picture in both), ``labels`` (numbers
        or ids without names), ``same classes`` (the same words to a model), ``cut white`` (16-bit grey above 255), ``outside`` (pictures that do not lie
        below the folder that paths start from).
    n : int
        Of files, pictures or classes.
    text : str
        A sentence that names one or a few of them.
    """

    kind: str
    n: int
    text: str


class Dataset:
    """A folder ``DATA/[SPLIT/]CLASS/picture.jpg``, a CSV ``path,label[,split]``, or a feature store.

    A dataset never changes: what narrows or extends it gives a new one that shares the features.  Order is always the
    same: by class, then file name, in byte order.

    Parameters
    ----------
    path : path
        The folder, CSV or store.
    root : path, optional
        The folder that pictures lie in, where it is not the data's own, or not the one that a store remembers.
    unlabelled : bool, default False
        Take every picture below a folder, however its folders are nested, or of a CSV, without labels: all are then of
        the one class ``unlabelled``.
    names : path, list or mapping, optional
        Words for labels that are numbers or ids: a file (CSV ``label,name``, or one name a line in the order of the
        labels), a list in the order of the classes, or a mapping from label to words.

    Notes
    -----
    What was passed over and what looks wrong, such as the same picture in two classes, is a UserWarning when the data are
    opened or encoded, and stands in `remarks`.
    """

    _handle: Handle
    _info: Any

    def __init__(
        self,
        path: Path,
        *,
        root: Optional[Path] = None,
        unlabelled: bool = False,
        names: Union[Path, Sequence[str], Mapping[str, str], None] = None,
    ) -> None:
        options = filled(_abi.mopd_dataset_options, lib.mopd_dataset_options_init)
        options.root = None if root is None else path_bytes(root)
        options.flags = _abi.MOPD_DATASET_UNLABELLED if unlabelled else 0
        in_file = isinstance(names, (str, os.PathLike))
        options.names = path_bytes(names) if in_file else None  # type: ignore[arg-type]
        self._take(_opened(path, options))
        if names is not None and not in_file:
            self._take(self.with_names(names)._handle)  # type: ignore[arg-type]
        self._warn([])

    def _take(self, handle: Handle) -> "Dataset":
        self._handle = handle
        self._info = sized(_abi.mopd_dataset_info)
        check(lib.mopd_dataset_get_info(handle.pointer, byref(self._info)))
        return self

    @classmethod
    def _of(cls, handle: Handle) -> "Dataset":
        return cls.__new__(cls)._take(handle)

    def __len__(self) -> int:
        return int(self._info.n_items)

    def __repr__(self) -> str:
        encoded = f", {self.n_views} x {self.dim} features" if self.dim else ""
        return f"<Dataset of {len(self)} pictures in {len(self.classes)} classes{encoded}>"

    @property
    def classes(self) -> List[str]:
        """Class names for prompts, in byte order of the labels, which they are where no other names were given."""
        at = self._handle.pointer
        return [lib.mopd_dataset_class_name(at, i).decode() for i in range(self._info.n_classes)]

    @property
    def class_labels(self) -> List[str]:
        """The classes' labels as folder or CSV has them."""
        at = self._handle.pointer
        return [lib.mopd_dataset_label_name(at, i).decode() for i in range(self._info.n_classes)]

    @property
    def remarks(self) -> List[Remark]:
        """What was left out or looks wrong."""
        found: List[Remark] = []
        struct = sized(_abi.mopd_remark)
        while lib.mopd_dataset_get_remark(self._handle.pointer, len(found), byref(struct)) == _abi.MOPD_OK:
            found.append(Remark(_REMARKS.get(struct.kind, ""), int(struct.n), struct.text.decode("utf-8", "replace")))
        return found

    def _warn(self, known: List[Remark]) -> None:
        """Tells what is new.  That labels are no words is told where they become prompts; that pictures lie outside is the rule
        for lists that a program has made."""
        for remark in self.remarks:
            if remark not in known and remark.kind not in ("labels", "outside"):
                warn(remark.text)

    @property
    def labels(self) -> Labels:
        """The class index of each picture, (n,) int32; read-only, not copied."""
        return view(self._handle, lib.mopd_dataset_labels(self._handle.pointer), (len(self),), np.int32)

    @property
    def splits(self) -> Dict[str, int]:
        """Pictures of train, val and test; all 0 when the data has no splits."""
        return dict(zip(("train", "val", "test"), self._info.n_split))

    @property
    def dim(self) -> int:
        """D, 0 until encoded."""
        return int(self._info.dim)

    @property
    def n_views(self) -> int:
        """V, views of each picture, 0 until encoded."""
        return int(self._info.n_views)

    @property
    def augmented(self) -> bool:
        """Whether the views are random crops."""
        return bool(self._info.augmented)

    @property
    def fixed(self) -> bool:
        """Whether the views are the fixed ones that a Recognizer learns from."""
        return bool(self._info.fixed)

    @property
    def unlabelled(self) -> bool:
        """Whether there are no labels, and the one class stands for that."""
        return bool(self._info.unlabelled)

    @property
    def fingerprint(self) -> str:
        """Of the encoder whose features these are, "" until encoded."""
        text: bytes = lib.mopd_dataset_fingerprint(self._handle.pointer)
        return text.decode()

    def __getitem__(self, index: int) -> Item:
        if not -len(self) <= index < len(self):
            raise IndexError(f"picture {index} of {len(self)}")
        item = sized(_abi.mopd_item)
        check(lib.mopd_dataset_get_item(self._handle.pointer, index % len(self), byref(item)))
        texts = [t.decode("utf-8", "surrogateescape") for t in (item.path, item.file, item.hash)]
        return Item(item.label, _SPLIT_NAMES[item.split], *texts)

    @property
    def files(self) -> List[str]:
        """Where the pictures lie; those of a store, where they lay when it was made."""
        return [self[i].file for i in range(len(self))]

    def features(self, views: Optional[int] = None, *, first: int = 0) -> Floats:
        """Features of every picture.

        Parameters
        ----------
        views : int, optional
            How many views; without it the first alone, and the views' axis is left out.
        first : int, default 0
            The first view.

        Returns
        -------
        ndarray, (n, D) or (n, views, D) float32
        """
        out = np.empty((len(self), 1 if views is None else views, self.dim), np.float32)
        check(lib.mopd_dataset_gather(self._handle.pointer, first, out.shape[1], float_pointer(out)))
        return out[:, 0] if views is None else out

    def select(
        self, *, split: Optional[str] = None, subset: str = "all", shots: int = 0, seed: int = 1
    ) -> "Dataset":
        """A part of the data.

        Parameters
        ----------
        split : {"train", "val", "test"}, optional
            Without it all.
        subset : {"all", "base", "new"}
            Half of the classes: base is the first half, rounded up.
        shots : int, default 0
            Pictures a class, drawn at random; 0: all.
        seed : int, default 1
            Of the draw.
        """
        if split not in _SPLITS or subset not in _SUBSETS:
            raise ValueError(f"split {split!r}, subset {subset!r}: train, val, test; all, base, new")
        selection = filled(_abi.mopd_selection, lib.mopd_selection_init)
        selection.split, selection.subset = _SPLITS[split], _SUBSETS[subset]
        selection.shots, selection.seed = shots, seed
        out = _new()
        check(lib.mopd_dataset_select(out.out, self._handle.pointer, byref(selection)))
        return Dataset._of(out)

    def with_names(self, names: Union[Sequence[str], Mapping[str, str]]) -> "Dataset":
        """The same with other words for the classes in prompts.

        Parameters
        ----------
        names : list or mapping
            Words in the order of the classes, or by label; a label without words keeps those it has.
        """
        if isinstance(names, Mapping):
            unknown = [label for label in names if label not in self.class_labels]
            if unknown:
                raise ValueError(f"names: {unknown[0]!r} is no label; the labels are {', '.join(self.class_labels[:5])} ...")
            names = [names.get(label, word) for label, word in zip(self.class_labels, self.classes)]
        words, out = text_list(names, "names"), _new()
        check(lib.mopd_dataset_with_names(out.out, self._handle.pointer, words, len(words)))
        return Dataset._of(out)

    def pick(self, indices: Sequence[int], *, relabel: bool = False) -> "Dataset":
        """The pictures of ascending indices; with `relabel` classes without a picture go."""
        array = (c_size_t * len(indices))(*[int(i) for i in indices])
        out = _new()
        flags = _abi.MOPD_PICK_RELABEL if relabel else 0
        check(lib.mopd_dataset_pick(out.out, self._handle.pointer, array, len(indices), flags))
        return Dataset._of(out)

    def leave_out(self, index: int) -> "Dataset":
        """All but one picture; classes stay."""
        out = _new()
        check(lib.mopd_dataset_leave_out(out.out, self._handle.pointer, index))
        return Dataset._of(out)

    def withdraw(self, *, path: Optional[str] = None, class_name: Optional[str] = None) -> "Dataset":
        """All but the picture of a path, or all but a class."""
        out = _new()
        texts = [None if t is None else text_bytes(t) for t in (path, class_name)]
        check(lib.mopd_dataset_withdraw(out.out, self._handle.pointer, *texts))
        return Dataset._of(out)

    def encode(
        self,
        encoder: "Encoder",
        *,
        known: Optional["Dataset"] = None,
        views: int = 0,
        fixed: bool = False,
        seed: int = 1,
        skip_bad: bool = False,
        sync: bool = False,
        journal: Optional[Path] = None,
        bad: Optional[Callable[[str, str], object]] = None,
        progress: Union[bool, Callable[[int, int], object]] = False,
    ) -> "Dataset":
        """The dataset with its features.

        Parameters
        ----------
        encoder : Encoder
            The model.
        known : Dataset, optional
            An encoded dataset to join: what it holds is not encoded again.
        views : int, default 0
            0: the plain picture; V: V augmented views of training pictures.
        fixed : bool, default False
            The views are the first V, 1 to 5, that a Recognizer learns from, and not random: the picture, its mirror image,
            its middle, its upper left, its lower right.
        seed : int, default 1
            Of the views.
        skip_bad : bool, default False
            Leave unreadable pictures out instead of failing.
        sync : bool, default False
            Make the result what this dataset is: pictures of `known` that have moved are found by their content and have
            the class and path that they have here, those that are gone are left out.
        journal : path, optional
            A file that keeps what is encoded meanwhile, so that a process that is killed loses little: the same call goes
            on from it.  Remove it once the result is saved.
        bad : callable, optional
            Gets (path, message) of each unreadable picture.
        progress : bool or callable
            True shows a bar (tqdm); a callable gets (done, total).

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C; its attribute ``reached`` is then a Dataset of what was encoded, to be given as `known`.
        """
        options = filled(_abi.mopd_encode_options, lib.mopd_encode_options_init)
        options.flags = (_abi.MOPD_ENCODE_SKIP_BAD if skip_bad else 0) | (_abi.MOPD_ENCODE_SYNC if sync else 0)
        options.flags |= _abi.MOPD_ENCODE_FIXED if fixed else 0
        options.journal = None if journal is None else path_bytes(journal)
        options.n_views, options.seed = views, seed
        model, out = handle_of(encoder), _new()
        errors: List[BaseException] = []

        def on_progress(_: Any, done: int, total: int, path: Optional[bytes], message: Optional[bytes]) -> int:
            try:
                if path is not None and bad is not None:
                    bad(path.decode("utf-8", "surrogateescape"), (message or b"").decode("utf-8", "replace"))
                bar.update(done)
            except BaseException as error:
                errors.append(error)
                return 1
            return int(stop.wanted)

        options.fn = _abi.mopd_encode_fn(on_progress)
        other = None if known is None else known._handle.pointer
        try:
            with Progress(progress, len(self), "pictures") as bar, Interrupt() as stop:
                status = lib.mopd_dataset_encode(out.out, self._handle.pointer, other, model.pointer, byref(options))
                if errors:
                    raise errors[0]
                if not stop.wanted:
                    check(status)
        except KeyboardInterrupt as interrupt:
            interrupt.reached = Dataset._of(out) if out.pointer else None  # type: ignore[attr-defined]
            raise
        encoded = Dataset._of(out)
        encoded._warn(self.remarks)
        return encoded

    def save(self, path: Path) -> None:
        """Writes an encoded dataset as a feature store."""
        check(lib.mopd_dataset_save(self._handle.pointer, path_bytes(path)))

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("a Dataset cannot be pickled: save it as a feature store and open that")


def _opened(path: Path, options: Any) -> Handle:
    """Says so where data that do not open would without labels."""
    out, name = _new(), path_bytes(path)
    try:
        patiently(lambda: check(lib.mopd_dataset_open(out.out, name, byref(options))))
        return out
    except MopdError as error:
        if error.status != Status.FORMAT or options.flags & _abi.MOPD_DATASET_UNLABELLED:
            raise
        options.flags, options.names = _abi.MOPD_DATASET_UNLABELLED, None
        other = _new()
        if patiently(lambda: lib.mopd_dataset_open(other.out, name, byref(options))) != _abi.MOPD_OK:
            raise
        advice = "unlabelled=True takes pictures in whatever folders, without labels"
        raise MopdError(error.status, f"{error.message}; {advice}") from None


def _new() -> Handle:
    return Handle(_abi.mopd_dataset, lib.mopd_dataset_close)
