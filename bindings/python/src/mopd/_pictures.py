# SPDX-License-Identifier: MIT
"""Pictures of any kind as the library's: paths, encoded bytes, PIL images, uint8 arrays.

mopd_image_create drops alpha, while a file's alpha is kept for models that want it over white.  So that a transparent
picture gives the same features from memory as from a file, its pixels go through a PNG in memory."""

from __future__ import annotations

import ctypes
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, Iterable, List, Union

import numpy as np
from numpy.typing import NDArray

from . import _abi
from ._abi import lib
from ._core import Handle, check, path_bytes

if TYPE_CHECKING:
    import PIL.Image
    from typing_extensions import TypeGuard

    Picture = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, NDArray[np.uint8], PIL.Image.Image]
else:
    Picture = Any

_KINDS = "a path, bytes of a JPEG or PNG file, a PIL image or a uint8 array (height, width[, 1, 3 or 4])"


def is_path(picture: Any) -> "TypeGuard[Union[str, os.PathLike[str]]]":
    return isinstance(picture, (str, os.PathLike))


def is_pil(picture: Any) -> bool:
    """Told without importing Pillow, which need not be there."""
    return hasattr(picture, "convert") and hasattr(picture, "getbands") and hasattr(picture, "mode")


def is_picture(x: Any) -> bool:
    """Whether x is one picture, which a list of pictures was expected for."""
    if is_path(x) or is_pil(x) or isinstance(x, (bytes, bytearray, memoryview)):
        return True
    return isinstance(x, np.ndarray) and x.dtype == np.uint8 and x.ndim in (2, 3)


def picture_list(pictures: Iterable[Picture]) -> List[Picture]:
    if is_picture(pictures):
        raise TypeError("a list of pictures is expected, not one picture: write [picture]")
    return list(pictures)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(rgba: NDArray[np.uint8]) -> bytes:
    """rgba, height x width x 4, as a PNG file, hardly compressed."""
    height, width = rgba.shape[:2]
    rows = np.zeros((height, 1 + 4 * width), np.uint8)  # each row: filter type 0, samples
    rows[:, 1:] = rgba.reshape(height, 4 * width)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _decode(data: Any) -> Handle:
    image = Handle(_abi.mopd_image, lib.mopd_image_close)
    if isinstance(data, bytes):
        check(lib.mopd_image_decode(image.out, data, len(data), None))
    else:
        flat = np.frombuffer(data, np.uint8)
        check(lib.mopd_image_decode(image.out, flat.ctypes.data, flat.size, None))
    return image


def _from_array(array: NDArray[Any]) -> Handle:
    if array.dtype != np.uint8:
        raise TypeError(f"a picture as an array must be uint8, not {array.dtype}")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(f"a picture of shape {array.shape}: expected (height, width[, 1, 3 or 4])")
    height, width, channels = array.shape
    if channels == 4:
        return _decode(_png(array))
    if array.strides[1:] != (channels, 1) or array.strides[0] < width * channels:
        array = np.ascontiguousarray(array)
    image = Handle(_abi.mopd_image, lib.mopd_image_close)
    samples = ctypes.cast(array.ctypes.data, ctypes.POINTER(ctypes.c_uint8))
    check(lib.mopd_image_create(image.out, samples, height, width, channels, array.strides[0]))
    return image


def _from_pil(picture: Any) -> Handle:
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        return _from_array(np.asarray(picture.convert("RGBA")))
    if picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    return _from_array(np.asarray(picture))


def open_picture(picture: Picture) -> Handle:
    """A mopd_image of one picture of any kind."""
    if is_path(picture):
        image = Handle(_abi.mopd_image, lib.mopd_image_close)
        check(lib.mopd_image_open(image.out, path_bytes(picture), None))
        return image
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return _decode(picture)
    if is_pil(picture):
        return _from_pil(picture)
    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    raise TypeError(f"a picture is {_KINDS}; this is {type(picture).__name__}")
