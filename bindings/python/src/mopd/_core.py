# SPDX-License-Identifier: MIT
"""What every wrapper needs: errors from statuses, handles that free themselves, arrays without copies, Ctrl-C."""

from __future__ import annotations

import ctypes
import enum
import json
import operator
import os
import re
import signal
import sys
import tempfile
import threading
import warnings
from ctypes import POINTER, byref, c_char_p, c_float, c_int32, c_size_t, sizeof
from types import FrameType, TracebackType
from typing import Any, Callable, List, Optional, Sequence, Tuple, Type, TypeVar, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi
from ._abi import lib

Path = Union[str, "os.PathLike[str]"]
Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
T = TypeVar("T")


class Status(enum.IntEnum):
    """Why a call failed (``mopd/status.h``); the values never change."""

    OK = _abi.MOPD_OK
    ARG = _abi.MOPD_E_ARG
    NOMEM = _abi.MOPD_E_NOMEM
    IO = _abi.MOPD_E_IO
    FORMAT = _abi.MOPD_E_FORMAT
    VERSION = _abi.MOPD_E_VERSION
    MISMATCH = _abi.MOPD_E_MISMATCH
    UNSUPPORTED = _abi.MOPD_E_UNSUPPORTED
    STATE = _abi.MOPD_E_STATE
    CANCELLED = _abi.MOPD_E_CANCELLED
    NUMERIC = _abi.MOPD_E_NUMERIC
    INTERNAL = _abi.MOPD_E_INTERNAL


class MopdError(Exception):
    """A call of the library failed.

    Attributes
    ----------
    status : Status
        The kind of failure, for programs: ``error.status == mopd.Status.FORMAT``.
    message : str
        File, place and reason, for people.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = Status(status)
        self.message = message

    def __str__(self) -> str:
        return self.message


def last_error() -> str:
    text: bytes = lib.mopd_last_error()
    return text.decode("utf-8", "replace")


def in_python(message: str) -> str:
    """A message about an argument, in Python's words: it names no function of C, and NULL is None."""
    return re.sub(r"\bNULL\b", "None", re.sub(r"^mopd_\w+: ", "", message))


def check(status: int) -> None:
    """Raises MopdError unless status is 0; to be called on the thread of the failed call."""
    if status != _abi.MOPD_OK:
        message = last_error() or lib.mopd_status_text(status).decode()
        if status == _abi.MOPD_E_ARG:
            message = in_python(message)
        if status == _abi.MOPD_E_NOMEM:
            raise MemoryError(message)
        raise MopdError(status, message)


class Handle:
    """Owns one C object: freed when nothing uses it any more, so that no call meets a freed one."""

    __slots__ = ("_free", "_keep", "pointer")

    def __init__(self, kind: Any, free: Any, keep: Any = None) -> None:
        self.pointer = POINTER(kind)()
        self._free = free
        self._keep = keep  # what must outlive the object

    @property
    def out(self) -> Any:
        return byref(self.pointer)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("memory of the library cannot be pickled")

    def __del__(self) -> None:
        if self.pointer:
            self._free(self.pointer)


class _Foreign:
    """Memory of a C object as numpy takes it: read-only, the owner kept alive."""

    def __init__(self, owner: Any, address: int, shape: Tuple[int, ...], kind: str) -> None:
        self.owner = owner
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": kind, "data": (address, True)}


def view(owner: Any, pointer: Any, shape: Tuple[int, ...], dtype: Any = np.float32) -> NDArray[Any]:
    """A read-only array over `pointer`, which belongs to `owner`; nothing is copied."""
    if 0 in shape:
        return np.empty(shape, dtype)
    address = ctypes.cast(pointer, ctypes.c_void_p).value
    assert address
    return np.asarray(_Foreign(owner, address, shape, np.dtype(dtype).str))


def float_pointer(array: Floats) -> Any:
    return ctypes.cast(array.ctypes.data, POINTER(c_float))


def label_pointer(array: Labels) -> Any:
    return ctypes.cast(array.ctypes.data, POINTER(c_int32))


def number(name: str, value: Any) -> float:
    """An argument as a number; ctypes would refuse it without its name."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: a number is expected, not {value!r}") from None


def warn(message: str) -> None:
    """A UserWarning at the line outside of this package that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "mopd":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)


def plain_array(x: Any) -> Any:
    """A tensor of torch as numpy's array, wherever it lies; anything else as it is."""
    if hasattr(x, "detach") and hasattr(x, "cpu") and hasattr(x, "numpy"):
        x = x.detach().cpu()
        return (x.float() if "bfloat16" in str(x.dtype) else x).numpy()
    return x


def handle_of(encoder: Any) -> Handle:
    """An encoder's handle, which the caller keeps during its call; refuses what is no encoder by its place."""
    if not hasattr(encoder, "_live"):
        raise TypeError(f"encoder: a mopd.Encoder is expected, not {encoder!r}")
    handle: Handle = encoder._live()
    return handle


def feature_rows(features: ArrayLike, dim: int) -> Floats:
    """features as n x dim, float32 and packed; copied only where it is not that already.  One row may come flat."""
    try:
        array = np.ascontiguousarray(plain_array(features), dtype=np.float32)
    except (TypeError, ValueError) as error:
        made = "Encoder.images makes features of pictures"
        raise type(error)(f"features, numbers (n, {dim}), are expected; {made} ({error})") from None
    if array.ndim == 1 and array.size == dim:
        array = array.reshape(1, dim)
    if array.ndim != 2 or array.shape[1] != dim:
        raise ValueError(f"features of shape {array.shape}: expected (n, {dim})")
    return array


def label_row(labels: ArrayLike, n: int) -> Labels:
    array = np.ascontiguousarray(labels)
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise ValueError(f"labels of type {array.dtype} and shape {array.shape}: expected {n} integers")
    if array.size and not -(2**31) <= int(array.min()) <= int(array.max()) < 2**31:
        raise ValueError(f"labels from {array.min()} to {array.max()}: they are indices of classes")
    return array.astype(np.int32, copy=False)


def thread_count(name: str, value: Any) -> int:
    """ctypes would cut it to its bits without a word."""
    try:
        n = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: a whole number is expected, not {value!r}") from None
    if not 0 <= n < 2**32:
        raise ValueError(f"{name} {n}: at least 1 is expected, or 0 for the number of processors")
    return n


def path_bytes(path: Path) -> bytes:
    name = os.fsencode(path)
    if b"\0" in name:
        raise ValueError(f"a path holds a zero character: {name!r}")
    return name


def text_bytes(text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"expected str, got {type(text).__name__}")
    if "\0" in text:
        raise ValueError(f"a text holds a zero character: {text!r}")
    return text.encode("utf-8")


def as_list(one: Any) -> str:
    """For a refusal: the type of what is no list, and how to write it as one; commas look like several."""
    several = [part.strip() for part in one.split(",")] if isinstance(one, str) else [one]
    return f"{type(one).__name__}: write {several!r}"


def text_list(texts: Sequence[str], what: str) -> Any:
    """A C array of UTF-8 texts, which it keeps alive; its length is that of the list."""
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"{what}: a list of str is expected, not one {as_list(texts)}")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"{what}: expected str, but number {i} is {text!r}, {type(text).__name__}")
    return c_strings([text_bytes(t) for t in texts])


def c_strings(items: List[bytes]) -> Any:
    return (c_char_p * len(items))(*items)


def saved_bytes(save: Callable[[str], object]) -> bytes:
    """What `save` writes to a path, as bytes."""
    with tempfile.TemporaryDirectory(prefix="mopd-") as folder:
        path = os.path.join(folder, "file.safetensors")
        save(path)
        with open(path, "rb") as file:
            return file.read()


def opened_bytes(data: bytes, load: Callable[[str], T]) -> T:
    """What `load` makes of a path where these bytes lie."""
    with tempfile.TemporaryDirectory(prefix="mopd-") as folder:
        path = os.path.join(folder, "file.safetensors")
        with open(path, "wb") as file:
            file.write(data)
        return load(path)


def filled(kind: Any, init: Any) -> Any:
    """An options struct with the library's defaults."""
    options = kind()
    check(init(byref(options), sizeof(options)))
    return options


def sized(kind: Any) -> Any:
    """A struct for the library to fill."""
    out = kind()
    out.struct_size = sizeof(out)
    return out


def take_json(call: Callable[[Any], int]) -> Any:
    """The JSON text that a call hands out, parsed; the text is freed."""
    text = c_char_p()
    check(call(byref(text)))
    try:
        return json.loads(text.value or b"null")
    finally:
        lib.mopd_free(text)


def templates_for(name: str) -> List[str]:
    """The method's hard prompts for a kind of pictures.

    Parameters
    ----------
    name : str
        ``imagenet``, ``caltech101``, ``oxfordpets``, ``stanfordcars``, ``flowers102``, ``food101``,
        ``fgvcaircraft``, ``sun397``, ``dtd``, ``eurosat`` or ``ucf101``, in any case.

    Returns
    -------
    list of str
        Templates that hold ``{}`` for the class name.
    """
    out, n = POINTER(c_char_p)(), c_size_t()
    check(lib.mopd_templates_for(text_bytes(name), byref(out), byref(n)))
    return [out[i].decode("utf-8") for i in range(n.value)]


def version() -> str:
    """The version of the library that runs."""
    text: bytes = lib.mopd_version_string()
    return text.decode()


def build_info() -> str:
    """One line: version, matrix product, instruction set, threads."""
    text: bytes = lib.mopd_build_info()
    return text.decode()


def set_threads(n_threads: int) -> None:
    """How many threads an encoder uses that is opened without ``threads``; 0: the number of processors."""
    check(lib.mopd_runtime_set_threads(thread_count("n_threads", n_threads)))


def _limit_names() -> list[str]:
    return [field[0] for field in _abi.mopd_limits._fields_[2:]]


def limits() -> dict[str, int]:
    """What files may be and may take before they are refused, in this process: see :func:`set_limits`."""
    now = _abi.mopd_limits(struct_size=sizeof(_abi.mopd_limits))
    check(lib.mopd_runtime_get_limits(byref(now)))
    return {name: getattr(now, name) for name in _limit_names()}


def set_limits(**values: Union[int, str]) -> None:
    """Holds files that are opened from now on to other limits; those that are not given go back to their defaults.

    Parameters
    ----------
    **values : int or str
        ``max_pixels`` (width x height of a picture: 178,956,970), ``picture_file_bytes`` (4 GiB), ``text_file_bytes``
        (of JSON, vocabularies, lists: 1 GiB), ``header_bytes`` (of what describes the tensors of a file: 100,000,000),
        ``tensors`` (in one file: 262,144), ``reading_memory`` (for a file that is no picture, where 14 bytes for each of
        its own are less: 192 MiB), ``tower_memory`` (for one picture or text in a model: 256 MiB); numbers, or texts as
        ``"50M"`` and ``"64Mi"``.

    Raises
    ------
    MopdError
        ``Status.ARG`` for a limit that there is not, or no number above 0.
    """
    new = _abi.mopd_limits()
    check(lib.mopd_limits_init(byref(new), sizeof(new)))
    for name, value in values.items():
        check(lib.mopd_limits_set(byref(new), name.encode(), str(value).encode()))
    check(lib.mopd_runtime_set_limits(byref(new)))


def inspect(path: Optional[Path] = None) -> Any:
    """What a model, prompt file, checkpoint or feature store holds, as ``mopd inspect`` says it.

    Parameters
    ----------
    path : path, optional
        The file or folder; without it the built-in model.

    Returns
    -------
    dict
        With ``kind`` and what belongs to it.
    """
    if path is None:
        from ._builtin import builtin_path

        path = builtin_path()
    name = None if path is None else path_bytes(path)
    return patiently(lambda: take_json(lambda out: lib.mopd_inspect(name, out)))


class Interrupt:
    """While a call with callbacks runs, Ctrl-C is noted in `wanted` instead of being raised inside a callback, where
    it would be lost; on leaving, what the former handler does with it happens (KeyboardInterrupt).  Only the main
    thread gets signals: elsewhere this does nothing."""

    def __init__(self) -> None:
        self.wanted = False
        self._former: Any = None

    def _note(self, signum: int, frame: Optional[FrameType]) -> None:
        self.wanted = True

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self._former = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Any, trace: Optional[TracebackType]) -> None:
        if self._former is None:
            return
        signal.signal(signal.SIGINT, self._former)
        if self.wanted:
            self._former(signal.SIGINT, None)

    def insist(self) -> None:
        """After leaving, where half an answer is none: KeyboardInterrupt although the former handler raised nothing."""
        if self.wanted:
            raise KeyboardInterrupt


def patiently(call: Callable[[], T]) -> T:
    """call(), for calls that may be long and have no callback: on the main thread another thread does the work, so that
    Ctrl-C is heard at once (what was begun then ends unseen, and an opening is stopped)."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    results: List[T] = []
    errors: List[BaseException] = []
    done, left = threading.Event(), threading.Event()
    stop = _abi.mopd_stop_fn(lambda _: int(left.is_set()))

    def work() -> None:
        lib.mopd_runtime_set_stop(stop, None)
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    try:
        threading.Thread(target=work, name="mopd", daemon=True).start()
        done.wait()
    except BaseException:
        left.set()
        raise
    if errors:
        raise errors[0]
    return results[0]
