# SPDX-License-Identifier: MIT
"""Pictures of any kind as the library's: paths, encoded bytes, open files, PIL images, arrays, tensors.

An array is height x width, or height x width x channels with 1, 3 or 4 channels.  Its samples are whole numbers from
0 to 255, or floats from 0 to 1, which are multiplied by 255 and rounded; anything else is refused, because nobody can
tell what it means.  A tensor whose first size is 1, 3 or 4 has its channels first, as torchvision's have.

The fourth channel is transparency, which is kept for models that want a picture over white, as that of a file.  What lies in
another order, in planes or in a buffer is a `mopd.Frame`."""

from __future__ import annotations

import ctypes
import os
from typing import IO, TYPE_CHECKING, Any, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _abi
from ._abi import lib
from ._core import Handle, check, filled, path_bytes, plain_array, warn
from ._frame import Frame

if TYPE_CHECKING:
    import PIL.Image
    from typing_extensions import TypeGuard

    Picture = Union[
        str, "os.PathLike[str]", bytes, bytearray, memoryview, IO[bytes], NDArray[Any], PIL.Image.Image, Frame
    ]
else:
    Picture = Any

_KINDS = (
    "a path, bytes of a picture file, an open file, a PIL image, a Frame, or an array or tensor (height, width[, 1, 3 or 4])"
)
_CHANNELS = (1, 3, 4)
_LAYOUT_OF = {1: "grey", 3: "rgb", 4: "rgba"}
_PATHS_AT_ONCE = 512  # of a stream: enough for all threads, few enough to hear of progress
_PICTURES_AT_ONCE = 16  # decoded at a time when they are not files


def is_path(picture: Any) -> "TypeGuard[Union[str, os.PathLike[str]]]":
    return isinstance(picture, (str, os.PathLike))


def is_pil(picture: Any) -> bool:
    """Told without importing Pillow, which need not be there."""
    return hasattr(picture, "convert") and hasattr(picture, "getbands") and hasattr(picture, "mode")


def is_tensor(x: Any) -> bool:
    """Told without importing torch."""
    return hasattr(x, "detach") and hasattr(x, "cpu") and hasattr(x, "numpy")


def is_table(x: Any) -> bool:
    """A data frame of pandas, polars and the like."""
    return hasattr(x, "columns") and hasattr(x, "shape") and len(x.shape) == 2


def is_array(x: Any) -> bool:
    """An array of numpy, torch or another library; neither a picture of PIL nor a part of a table."""
    if isinstance(x, np.ndarray) or is_tensor(x):
        return True
    return hasattr(x, "__array__") and hasattr(x, "shape") and not (is_pil(x) or is_table(x) or hasattr(x, "iloc"))


def is_picture(x: Any) -> bool:
    """Whether x is one picture, where a list of pictures was expected."""
    if is_path(x) or is_pil(x) or isinstance(x, (bytes, bytearray, memoryview, Frame)) or hasattr(x, "read"):
        return True
    if not is_array(x):
        return False
    if len(x.shape) == 2:
        return str(x.dtype).endswith("uint8")
    return len(x.shape) == 3 and (x.shape[2] in _CHANNELS or is_tensor(x) and x.shape[0] in _CHANNELS)


def is_features(x: Any) -> bool:
    """Whether x holds features, (n, D) or (n, V, D), rather than pictures."""
    if hasattr(x, "toarray"):
        return True
    if is_table(x):
        return bool(x.shape[1] != 1)
    if isinstance(x, np.ndarray) or is_tensor(x):
        return not (is_picture(x) or _is_batch(x) or _is_column(x))
    if isinstance(x, (list, tuple)):
        return len(x) > 0 and not is_picture(x[0]) and _is_row(x[0])
    return hasattr(x, "__array__") and not is_pil(x) and is_features(np.asarray(x))


def _is_row(x: Any) -> bool:
    return isinstance(x, (list, tuple, float, int, np.number)) or np.ndim(plain_array(x)) == 1


def _is_batch(x: Any) -> bool:
    """n pictures of one size: (n, H, W, C), or grey ones, (n, H, W), of 8 bits."""
    return len(x.shape) == 4 or len(x.shape) == 3 and str(x.dtype).endswith("uint8")


def _is_column(x: Any) -> bool:
    """An array of objects or texts, (n,) or (n, 1)."""
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "OUS":
        return False
    return x.ndim == 1 or x.ndim == 2 and x.shape[1] == 1 and (not len(x) or is_picture(x[0, 0]))


def pictures_of(x: Any) -> Any:
    """What holds pictures, as an iterable of them."""
    if is_picture(x):
        raise TypeError("a list of pictures is expected, not one picture: write [picture]")
    if is_table(x):
        if x.shape[1] != 1:
            raise TypeError(f"a table of {x.shape[1]} columns: choose the one that holds the pictures")
        return list(x[x.columns[0]])
    if isinstance(x, np.ndarray) and x.dtype.kind in "OUS":
        return x.ravel().tolist() if _is_column(x) else np.array(x.tolist())
    return list(x) if hasattr(x, "iloc") else x


def picture_list(pictures: Iterable[Picture]) -> List[Picture]:
    return list(pictures_of(pictures))


def picture_runs(pictures: Iterable[Picture]) -> Tuple[Iterator[List[Picture]], Optional[int]]:
    """Pictures in runs that are encoded at once, and how many there are, None where a stream does not say.  A run
    holds paths, or no path.  What is a list already is not cut where it holds paths alone."""
    items = pictures_of(pictures)
    if isinstance(items, (list, tuple)) and items and all(is_path(p) for p in items):
        return iter([list(items)]), len(items)
    return _runs(items), len(items) if hasattr(items, "__len__") else None


def _runs(items: Iterable[Picture]) -> Iterator[List[Picture]]:
    run: List[Picture] = []
    files = False
    for item in items:
        if run and (is_path(item) != files or len(run) == (_PATHS_AT_ONCE if files else _PICTURES_AT_ONCE)):
            yield run
            run = []
        files = is_path(item)
        run.append(item)
    if run:
        yield run


# -- one picture -----------------------------------------------------------------------------------------------


class Reading(NamedTuple):
    """How picture files are read."""

    scale_grey16: bool = False  # 16-bit grey over its whole range instead of white above 255
    upright: bool = False  # turned as EXIF says

    def options(self) -> Any:
        options = filled(_abi.mopd_image_options, lib.mopd_image_options_init)
        options.flags = _abi.MOPD_IMAGE_SCALE_GREY16 if self.scale_grey16 else 0
        options.flags |= _abi.MOPD_IMAGE_UPRIGHT if self.upright else 0
        return ctypes.byref(options)


def _decode(data: Any, reading: Reading = Reading()) -> Handle:
    image, options = Handle(_abi.mopd_image, lib.mopd_image_close), reading.options()
    if isinstance(data, bytes):
        check(lib.mopd_image_decode(image.out, data, len(data), options))
    else:
        flat = np.frombuffer(data, np.uint8)
        check(lib.mopd_image_decode(image.out, flat.ctypes.data, flat.size, options))
    return image


def _read(file: Any) -> bytes:
    """All bytes of an open file, which is left where it was, so that it can be given again."""
    rewinds = hasattr(file, "seek") and (not hasattr(file, "seekable") or file.seekable())
    place = file.tell() if rewinds else 0
    if rewinds:
        file.seek(0)
    data = file.read()
    if rewinds:
        file.seek(place)
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError("a file that is open as text: open it with mode 'rb'")
    return bytes(data)


def _samples(array: NDArray[Any]) -> NDArray[np.uint8]:
    """8-bit samples of an array: the rule at the top."""
    kind = array.dtype.kind
    if array.dtype == np.uint8 or not array.size:
        return array.astype(np.uint8, copy=False)
    if kind == "b":
        return np.where(array, 255, 0).astype(np.uint8)
    if kind not in "iuf":
        raise TypeError(f"a picture as an array of {array.dtype}: whole numbers or floats are expected")
    least, most = array.min(), array.max()
    if kind != "f":
        if least < 0 or most > 255:
            raise ValueError(f"whole numbers from {least} to {most}: a picture's are 0 to 255; scale them first")
        return array.astype(np.uint8)
    if not (least >= -1e-6 and most <= 1 + 1e-6):  # also where one is NaN
        raise ValueError(
            f"floats from {least:.4g} to {most:.4g}: a picture's are 0 to 1; write array.astype(numpy.uint8) where they "
            "go to 255, and give a picture as it was before its mean and deviation were taken out"
        )
    out: NDArray[np.uint8] = np.rint(np.clip(array.astype(np.float64), 0, 1) * 255).astype(np.uint8)
    return out


def _from_array(array: NDArray[Any]) -> Handle:
    shape = array.shape
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in _CHANNELS or 0 in array.shape:
        first = len(shape) == 3 and shape[0] in _CHANNELS
        hint = "; its channels come first: write array.transpose(1, 2, 0)" if first else ""
        raise ValueError(f"a picture of shape {shape}: expected (height, width[, 1, 3 or 4]){hint}")
    return Frame(_samples(array), _LAYOUT_OF[array.shape[2]]).open()


def _from_pil(picture: Any, scale_grey16: bool) -> Handle:
    if scale_grey16 and picture.mode.startswith("I;16"):
        return _from_array((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode in ("La", "I;16B", "I;16L", "I;16N"):  # Pillow has no direct way from these to colours
        picture = picture.convert("LA" if picture.mode == "La" else "I")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        return _from_array(np.asarray(picture.convert("RGBA")))
    if picture.mode[0] in "IF" and picture.getextrema()[1] > 255:
        warn(
            f"a picture of mode {picture.mode} goes up to {picture.getextrema()[1]:g}, and all above 255 becomes white: "
            "scale it first, for instance to an array of floats from 0 to 1"
        )
    if picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    return _from_array(np.asarray(picture))


def open_picture(picture: Picture, reading: Reading = Reading()) -> Handle:
    """A mopd_image of one picture of any kind."""
    if is_path(picture):
        image = Handle(_abi.mopd_image, lib.mopd_image_close)
        check(lib.mopd_image_open(image.out, path_bytes(picture), reading.options()))
        return image
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return _decode(picture, reading)
    if isinstance(picture, Frame):
        return picture.open(reading.scale_grey16)
    if is_pil(picture):
        return _from_pil(picture, reading.scale_grey16)
    if hasattr(picture, "read"):
        return _decode(_read(picture), reading)
    if is_array(picture):
        array = np.asarray(plain_array(picture))
        if is_tensor(picture) and array.ndim == 3 and array.shape[0] in _CHANNELS:
            array = array.transpose(1, 2, 0)
        return _from_array(array)
    raise TypeError(f"a picture is {_KINDS}; this is {type(picture).__name__}")
