# SPDX-License-Identifier: MIT
"""mopd.Encoder: pictures and texts to unit vectors of one space."""

from __future__ import annotations

import ctypes
import os
import weakref
from ctypes import POINTER, byref, c_size_t, c_uint32
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union, overload

import numpy as np
from numpy.typing import ArrayLike

from . import _abi
from ._abi import lib
from ._builtin import builtin_path
from ._core import (
    Floats,
    Handle,
    Interrupt,
    MopdError,
    Path,
    Status,
    c_strings,
    check,
    feature_rows,
    filled,
    float_pointer,
    patiently,
    path_bytes,
    plain_array,
    sized,
    take_json,
    text_bytes,
    text_list,
    thread_count,
    warn,
)
from ._pictures import Picture, Reading, is_path, open_picture, picture_runs
from ._progress import Progress, Wanted

_PRECISIONS = {
    "f32": _abi.MOPD_PRECISION_F32,
    "bf16": _abi.MOPD_PRECISION_BF16,
    "int8": _abi.MOPD_PRECISION_INT8,
    "auto": _abi.MOPD_PRECISION_AUTO,
}
_DTYPES = {
    "f32": _abi.MOPD_DTYPE_F32,
    "f16": _abi.MOPD_DTYPE_F16,
    "bf16": _abi.MOPD_DTYPE_BF16,
    "i8": _abi.MOPD_DTYPE_I8,
}
_GREY16 = {"cut": 0, "scale": _abi.MOPD_OPEN_SCALE_GREY16}
_ORIENTATION = {"exif": _abi.MOPD_OPEN_UPRIGHT, "ignore": 0}
_TEXT_CLEANING = {"model": 0, "clean": _abi.MOPD_TEXT_CLEAN, "as-is": _abi.MOPD_TEXT_AS_IS}
_BATCH = 16  # preprocessed pictures that go to the library at a time


class Encoder:
    """A CLIP model.

    Immutable: any number of threads may use one, and copying gives the same object.  Pickling remembers where the
    model lies; it is opened anew, once per process, and must be the same model (joblib, Dask, Spark).

    Parameters
    ----------
    path : path, optional
        A Hugging Face or open_clip CLIP folder, an OpenAI ``.pt`` checkpoint, or a file that ``mopd pack`` wrote.
        Without it the built-in model.
    threads : int, default 0
        Threads to compute with; 0: the number of processors.  Results do not depend on it.
    precision : {"f32", "bf16", "int8", "auto"}, default "auto"
        Arithmetic of the towers; "auto" is "f32".  "bf16": products in 16 bits a number, half the memory, faster on
        CPUs with AVX-512 and VNNI.  "int8": the blocks' products in 8 bits a number, a quarter of the memory, faster
        on all CPUs with AVX2.  Training stays in float32.
    read : bool, default False
        Read the weights instead of mapping the file, which may then change.
    truncate : bool, default False
        Cut over-long texts instead of refusing them.
    grey16 : {"cut", "scale"}, default "cut"
        How picture files of 16-bit grey (and PIL images of mode I;16) are read: white above 255, as Pillow does, or
        over their whole range, as 16-bit colours are.
    orientation : {"exif", "ignore"}, default "exif"
        Whether picture files (paths, bytes, open files) are turned upright as their EXIF data say, as Pillow's
        ``ImageOps.exif_transpose`` does.  PIL images and arrays are taken as they are.
    text_cleaning : {"model", "clean", "as-is"}, default "model"
        Whether texts are cleaned (entities of HTML, curly quotes, ligatures, widths, control characters) before they
        are cut into tokens: as the model's own users get them, as OpenAI's and open_clip's tokenizers do, or not at
        all, as in transformers.  With SigLIP's tokenizers "clean" is open_clip's "canonicalize", and "as-is" what
        transformers' own classes make of a text.

    Raises
    ------
    MopdError
        IO: a file is missing; FORMAT: a file lies; MISMATCH: configuration and weights disagree; UNSUPPORTED: an
        architecture or arithmetic that is not known here.
    """

    def __init__(
        self,
        path: Optional[Path] = None,
        *,
        threads: int = 0,
        precision: str = "auto",
        read: bool = False,
        truncate: bool = False,
        grey16: str = "cut",
        orientation: str = "exif",
        text_cleaning: str = "model",
    ) -> None:
        options = filled(_abi.mopd_encoder_options, lib.mopd_encoder_options_init)
        options.precision = _code(_PRECISIONS, "precision", precision)
        options.n_threads = thread_count("threads", threads)
        options.flags = (_abi.MOPD_OPEN_READ if read else 0) | (_abi.MOPD_TEXT_TRUNCATE if truncate else 0)
        grey_flag, upright_flag = _code(_GREY16, "grey16", grey16), _code(_ORIENTATION, "orientation", orientation)
        options.flags |= grey_flag | upright_flag | _code(_TEXT_CLEANING, "text_cleaning", text_cleaning)
        self._reading = Reading(scale_grey16=grey_flag != 0, upright=upright_flag != 0)
        self._arguments = (path, threads, precision, read, truncate, grey16, orientation, text_cleaning)
        where = builtin_path() if path is None else path
        handle = Handle(_abi.mopd_encoder, lib.mopd_encoder_close)
        name = None if where is None else path_bytes(where)
        patiently(lambda: check(lib.mopd_encoder_open(handle.out, name, byref(options))))
        self._handle: Optional[Handle] = handle
        self._info = sized(_abi.mopd_encoder_info)
        check(lib.mopd_encoder_get_info(handle.pointer, byref(self._info)))
        self._fingerprint: str = lib.mopd_encoder_fingerprint(handle.pointer).decode()

    # -- life --------------------------------------------------------------------------------------------

    def _live(self) -> Handle:
        """The handle, which the caller keeps during its call."""
        if self._handle is None:
            raise ValueError("the encoder is closed")
        return self._handle

    def close(self) -> None:
        """Gives the memory back once no running call and no trainer uses it; closing twice is allowed."""
        self._handle = None

    def __enter__(self) -> "Encoder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __copy__(self) -> "Encoder":
        return self

    def __deepcopy__(self, memo: Any) -> "Encoder":
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return _reopen, (self._arguments, self._fingerprint)

    def __repr__(self) -> str:
        path = self._arguments[0]
        return f"Encoder({'' if path is None else repr(str(path))})"

    # -- what it is --------------------------------------------------------------------------------------

    @property
    def dim(self) -> int:
        """D, the width of a feature."""
        return int(self._info.dim)

    @property
    def text_width(self) -> int:
        """W, the width of the text tower and of a context vector."""
        return int(self._info.text_width)

    @property
    def context_length(self) -> int:
        """The longest text in tokens, start and end included."""
        return int(self._info.context_length)

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return int(self._info.vocab_size)

    @property
    def image_size(self) -> int:
        """S, the side in pixels of what the vision tower sees."""
        return int(self._info.image_size)

    @property
    def n_threads(self) -> int:
        """Threads it computes with."""
        return int(self._info.n_threads)

    @property
    def precision(self) -> str:
        """Arithmetic of the towers: "f32", "bf16" or "int8"."""
        return next(name for name, code in _PRECISIONS.items() if code == self._info.precision)

    @property
    def logit_scale(self) -> float:
        """cosine x this = logit."""
        return float(self._info.logit_scale)

    @property
    def logit_bias(self) -> Optional[float]:
        """What models trained with a sigmoid loss (SigLIP) add to a logit; None where there is none."""
        return float(self._info.logit_bias) if self._info.has_logit_bias else None

    @property
    def recommended_lr(self) -> Optional[float]:
        """The learning rate that the model file recommends for prompts, if it names one."""
        return float(self._info.recommended_lr) or None

    @property
    def n_parameters(self) -> int:
        """Weights of both towers."""
        return int(self._info.n_parameters)

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights as stored."""
        return int(self._info.weight_bytes)

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that name configuration and weights."""
        return self._fingerprint

    def describe(self) -> Dict[str, Any]:
        """Sizes, types and configuration, as ``mopd inspect`` shows them."""
        handle = self._live()
        out: Dict[str, Any] = take_json(lambda out: lib.mopd_encoder_describe(handle.pointer, out))
        return out

    def pack(
        self,
        path: Path,
        dtype: str = "f32",
        *,
        panels: bool = False,
        calibrate: Optional[Iterable[Path]] = None,
    ) -> None:
        """Writes weights, configuration and vocabulary as one file.

        Parameters
        ----------
        path : path
            The file, ``.safetensors``.
        dtype : {"f32", "f16", "bf16", "i8"}
            Type of the stored weights.
        panels : bool
            Weights of layers in the order in which products read them: those of "f32", of "i8" where the model is opened
            with ``precision="int8"``, and of "bf16" on processors with AMX are used where they lie in the file, so that the
            first picture comes at once and processes share them.
        calibrate : iterable of path, optional
            With "i8": picture files, of which up to 64 are read, spread evenly over the list.  What the image tower computes
            from them tells which of its channels are far larger than the others; without them the weights alone tell.
        """
        handle, name, code = self._live(), path_bytes(path), _code(_DTYPES, "dtype", dtype)
        code |= _abi.MOPD_PACK_PANELS if panels else 0
        if calibrate is not None:
            files = [path_bytes(p) for p in calibrate]
            pictures = c_strings(files)
            patiently(
                lambda: check(lib.mopd_encoder_pack_calibrated(handle.pointer, name, code, pictures, len(files)))
            )
            return
        patiently(lambda: check(lib.mopd_encoder_pack(handle.pointer, name, code)))

    # -- pictures ----------------------------------------------------------------------------------------

    def images(
        self,
        pictures: Iterable[Picture],
        *,
        errors: str = "raise",
        progress: Wanted = False,
    ) -> Floats:
        """Features of pictures.

        Parameters
        ----------
        pictures : iterable
            Paths, bytes of picture files, open files, PIL images, arrays or tensors, mixed as you like; or one array
            (n, height, width, channels), or a table with one column.  An array is (height, width[, 1, 3 or 4]): whole
            numbers from 0 to 255, or floats from 0 to 1, which are multiplied by 255 and rounded.  A tensor may have
            its channels first.  A generator is read as it is needed, a batch at a time.
        errors : {"raise", "nan"}
            What happens with an unreadable picture: an exception, or a row of NaN.
        progress : bool or callable
            True shows a bar (tqdm); a callable gets (done, total), a total of None where a generator gives the pictures.

        Returns
        -------
        ndarray, (n, D) float32
            Rows of length 1.  A picture's row does not depend on what else is in the list.

        Raises
        ------
        MopdError
            A picture cannot be read; the message names it.
        KeyboardInterrupt
            Ctrl-C, within a picture or two.
        """
        if errors not in ("raise", "nan"):
            raise ValueError(f"errors {errors!r} is none of 'raise', 'nan'")
        runs, total = picture_runs(pictures)
        parts: List[Floats] = []
        done = 0
        with Progress(progress, total, "pictures") as bar:
            for items in runs:
                encode = self._encode_files if is_path(items[0]) else self._encode_images
                parts.append(np.empty((len(items), self.dim), np.float32))
                encode(items, done, parts[-1], errors, bar)
                done += len(items)
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)

    def views(
        self, pictures: Iterable[Picture], n_views: int = _abi.MOPD_FIXED_VIEWS, *, progress: Wanted = False
    ) -> Floats:
        """Features of several views of each picture: as it is, mirrored, its middle, its upper left, its lower right.

        For a Recognizer, which learns more from few pictures so; it makes them itself of pictures that it is given.

        Parameters
        ----------
        pictures : iterable
            As in `images`.
        n_views : int, default 5
            The first so many of them.
        progress : bool or callable
            As in `images`.

        Returns
        -------
        ndarray, (n, n_views, D) float32
            Rows of length 1; the first of a picture is what `images` gives.
        """
        runs, total = picture_runs(pictures)
        parts: List[Floats] = [np.empty((0, n_views, self.dim), np.float32)]
        done = 0
        with Progress(progress, total, "pictures") as bar, Interrupt() as stop:
            for items in runs:
                for first in range(0, len(items), _BATCH):
                    part = items[first : first + _BATCH]
                    images = [self._opened_at(done + i, picture) for i, picture in enumerate(part)]
                    if stop.wanted:
                        break
                    parts.append(self._encode_views(images, n_views))
                    done += len(part)
                    bar.update(done)
        stop.insist()
        return np.concatenate(parts)

    def _opened_at(self, index: int, picture: Picture) -> Handle:
        try:
            return open_picture(picture, self._reading)
        except (MopdError, ValueError, TypeError) as error:
            raise _at(index, error) from None

    def _encode_views(self, images: List[Handle], n_views: int) -> Floats:
        features = np.empty((len(images), n_views, self.dim), np.float32)
        pointers = (POINTER(_abi.mopd_image) * len(images))(*[image.pointer for image in images])
        check(
            lib.mopd_encoder_encode_views(
                self._live().pointer, pointers, len(images), n_views, float_pointer(features)
            )
        )
        return features

    def _encode_files(self, paths: List[Any], first: int, out: Floats, errors: str, bar: Progress) -> None:
        """Pictures in files, the first of them number `first`."""
        handle, failed = self._live(), _Failure()
        names = c_strings([path_bytes(p) for p in paths])
        remarks: List[str] = []  # of the first picture that there is something to say of
        row_bytes = out.itemsize * self.dim

        def encoded(_: Any, index: int, status: int, message: Optional[bytes], feature: Any) -> int:
            try:
                if status == _abi.MOPD_OK:
                    if message and not remarks:
                        remarks.append(f"{os.fsdecode(paths[index])}: {message.decode('utf-8', 'replace')}")
                    ctypes.memmove(out.ctypes.data + index * row_bytes, feature, row_bytes)
                elif errors == "nan":
                    out[index] = np.nan
                else:
                    failed.error = MopdError(status, (message or b"").decode("utf-8", "replace"))
                    return 1
                bar.update(first + index + 1)
            except BaseException as error:
                failed.error = error
                return 1
            return int(stop.wanted)

        with Interrupt() as stop:
            status = lib.mopd_encoder_encode_files(
                handle.pointer, names, len(paths), _abi.mopd_encoded_fn(encoded), None
            )
            failed.settle(status)
        stop.insist()
        for text in remarks:
            warn(f"{text}, or open the model with grey16='scale'")

    def _encode_images(self, items: List[Any], first: int, out: Floats, errors: str, bar: Progress) -> None:
        """Pictures in memory, the first of them number `first`."""
        images: List[Handle] = []
        rows: List[int] = []
        with Interrupt() as stop:
            for i, picture in enumerate(items):
                if stop.wanted:
                    break
                try:
                    images.append(self._opened_at(first + i, picture))
                    rows.append(i)
                except (MopdError, ValueError, TypeError):
                    if errors == "raise":
                        raise
                    out[i] = np.nan
            if rows and not stop.wanted:
                out[rows] = self._encode_views(images, 1)[:, 0]
            if not stop.wanted:
                bar.update(first + len(items))
        stop.insist()

    def preprocess(self, picture: Picture, *, view: Optional[int] = None) -> Floats:
        """What the vision tower sees of a picture.

        Parameters
        ----------
        picture : path, bytes, PIL image or uint8 array
            The picture.
        view : int, optional
            The seed of an augmented training view (random resized crop and flip) instead of the plain picture.

        Returns
        -------
        ndarray, (3, S, S) float32
        """
        handle, image = self._live(), open_picture(picture, self._reading)
        out = np.empty((3, self.image_size, self.image_size), np.float32)
        if view is None:
            check(lib.mopd_encoder_preprocess(handle.pointer, image.pointer, float_pointer(out)))
        else:
            check(lib.mopd_encoder_preprocess_view(handle.pointer, image.pointer, view, float_pointer(out)))
        return out

    def pixels(self, pixels: ArrayLike) -> Floats:
        """Features of preprocessed pictures.

        Parameters
        ----------
        pixels : array_like, (n, 3, S, S)
            As `preprocess` gives them.

        Returns
        -------
        ndarray, (n, D) float32
        """
        handle, side = self._live(), self.image_size
        array = np.ascontiguousarray(plain_array(pixels), np.float32)
        if array.ndim != 4 or array.shape[1:] != (3, side, side):
            raise ValueError(f"pixels of shape {array.shape}: expected (n, 3, {side}, {side})")
        out = np.empty((len(array), self.dim), np.float32)
        for i in range(0, len(array), _BATCH):
            part = array[i : i + _BATCH]
            check(
                lib.mopd_encoder_encode_pixels(
                    handle.pointer, float_pointer(part), len(part), float_pointer(out[i : i + _BATCH])
                )
            )
        return out

    # -- texts -------------------------------------------------------------------------------------------

    def texts(self, texts: Sequence[str]) -> Floats:
        """Features of texts.

        Parameters
        ----------
        texts : list of str
            For instance ``["a photo of a cat."]``.

        Returns
        -------
        ndarray, (n, D) float32
            Rows of length 1.
        """
        handle, items = self._live(), text_list(texts, "texts")
        out = np.empty((len(items), self.dim), np.float32)

        def encode() -> None:
            check(lib.mopd_encoder_encode_texts(handle.pointer, items, len(items), float_pointer(out)))

        if len(items) > 16:
            patiently(encode)
        elif len(items):
            encode()
        return out

    @overload
    def tokenize(self, text: str) -> List[int]: ...

    @overload
    def tokenize(self, text: List[str]) -> List[List[int]]: ...

    def tokenize(self, text: Union[str, List[str]]) -> Union[List[int], List[List[int]]]:
        """Token ids with start and end, of one text or of each in a list."""
        if not isinstance(text, str):
            return [self.tokenize(t) for t in text]
        handle, ids, n = self._live(), POINTER(c_uint32)(), c_size_t()
        check(lib.mopd_encoder_tokenize(handle.pointer, text_bytes(text), byref(ids), byref(n)))
        try:
            return [int(i) for i in ids[: n.value]]
        finally:
            lib.mopd_free(ids)

    def similarity(self, images: ArrayLike, texts: ArrayLike) -> Floats:
        """Cosines, (n, m), of picture features (n, D) and text features (m, D)."""
        out: Floats = feature_rows(images, self.dim) @ feature_rows(texts, self.dim).T
        return out


class _Failure:
    """What went wrong inside a callback, raised after the call."""

    error: Optional[BaseException] = None

    def settle(self, status: int) -> None:
        if self.error is not None:
            raise self.error
        if status != _abi.MOPD_E_CANCELLED:  # cancelled: by Ctrl-C, which is raised on leaving
            check(status)


def _at(index: int, error: Exception) -> Exception:
    """The same error with the picture's number in front."""
    if isinstance(error, MopdError):
        return MopdError(error.status, f"picture {index}: {error}")
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"picture {index}: {error}")


def _code(codes: Mapping[str, int], what: str, name: str) -> int:
    if name not in codes:
        raise ValueError(f"{what} {name!r} is none of {', '.join(map(repr, codes))}")
    return codes[name]


_opened: "weakref.WeakValueDictionary[Tuple[Any, ...], Encoder]" = weakref.WeakValueDictionary()


def _reopen(arguments: Tuple[Any, ...], fingerprint: str) -> Encoder:
    """Unpickles: the encoder of this process that is the same, else opens it."""
    path, threads, precision, read, truncate, grey16, orientation, text_cleaning = arguments
    key = (None if path is None else str(path), *arguments[1:], fingerprint)
    encoder = _opened.get(key)
    if encoder is None or encoder._handle is None:
        encoder = Encoder(
            path,
            threads=threads,
            precision=precision,
            read=read,
            truncate=truncate,
            grey16=grey16,
            orientation=orientation,
            text_cleaning=text_cleaning,
        )
        if encoder.fingerprint != fingerprint:
            raise MopdError(
                Status.MISMATCH, f"{path}: the model is {encoder.fingerprint}, pickled was {fingerprint}"
            )
        _opened[key] = encoder
    return encoder
