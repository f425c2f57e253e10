# SPDX-License-Identifier: MIT
"""Frames of cameras, films and other programs: raw samples of any layout, read where they lie."""

from __future__ import annotations

import ctypes
import operator
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union, cast

import numpy as np
from numpy.typing import NDArray

from . import _abi
from ._abi import lib
from ._core import Handle, check, filled


class _Layout(NamedTuple):
    code: int
    channels: int  # samples a pixel; 0: luma and colour
    planes: int = 1


_LAYOUTS: Dict[str, _Layout] = {
    "grey": _Layout(_abi.MOPD_LAYOUT_GREY, 1),
    "rgb": _Layout(_abi.MOPD_LAYOUT_RGB, 3),
    "bgr": _Layout(_abi.MOPD_LAYOUT_BGR, 3),
    "rgba": _Layout(_abi.MOPD_LAYOUT_RGBA, 4),
    "bgra": _Layout(_abi.MOPD_LAYOUT_BGRA, 4),
    "argb": _Layout(_abi.MOPD_LAYOUT_ARGB, 4),
    "nv12": _Layout(_abi.MOPD_LAYOUT_NV12, 0, 2),
    "i420": _Layout(_abi.MOPD_LAYOUT_I420, 0, 3),
    "yuyv": _Layout(_abi.MOPD_LAYOUT_YUYV, 0),
}
_SAMPLES = {
    np.dtype(np.uint8): _abi.MOPD_SAMPLES_U8,
    np.dtype(np.uint16): _abi.MOPD_SAMPLES_U16,
    np.dtype(np.float32): _abi.MOPD_SAMPLES_F32,
}


def _array(plane: Any) -> NDArray[Any]:
    """A plane as an array over the same memory, each of its rows without gaps."""
    array = np.asarray(plane) if hasattr(plane, "shape") else np.frombuffer(plane, np.uint8)
    if array.dtype not in _SAMPLES:
        raise TypeError(f"a frame's samples are uint8, uint16 or float32; these are {array.dtype}")
    if not array.ndim or not array.size:
        raise ValueError(f"a plane of shape {array.shape}")
    row: NDArray[Any] = array[:1]
    apart = array.shape[0] == 1 or abs(array.strides[0]) >= row.nbytes  # not so in what was broadcast
    return array if row.flags.c_contiguous and apart else np.ascontiguousarray(array)


class Frame:
    """A picture from raw samples, wherever a picture may stand: ``enc.images([Frame(buffer, "nv12", 1280, 720)])``.

    Parameters
    ----------
    data : array, memoryview, bytes or any other buffer, or a sequence of one for each plane
        uint8, uint16 or float32; of luma and colour uint8.  Arrays have (height, width) or (height, width, channels); their
        rows may be any distance apart and go upwards, as those of ``array[::-1]``.  What has one dimension holds rows
        `row_bytes` apart.  The planes of ``"nv12"`` and ``"i420"`` may also stand behind each other in one array without
        gaps.  Nothing is copied before the library reads the samples, so leave them as they are until then.
    layout : str
        ``"grey"``, ``"rgb"``, ``"bgr"`` (OpenCV), ``"rgba"``, ``"bgra"``, ``"argb"``, ``"nv12"``, ``"i420"``, ``"yuyv"``.
    width, height : int, optional
        In pixels, where the shape of `data` does not tell them.
    row_bytes : int or sequence of int, optional
        From each row to the next, of each plane of one dimension; packed rows without.
    region : (x, y, width, height), optional
        What of the frame is the picture.
    white : float, optional
        Of float32: what is white.  255 without, as in Pillow; 1 for samples from 0 to 1.
    matrix : "bt601" or "bt709"
        The standard by which luma and colour become red, green and blue: "bt709" for films in HD.
    full_range : bool
        Luma and colour go from 0 to 255 instead of 16 to 235 and 240.
    alpha : bool
        Whether the fourth sample is transparency; if not, it means nothing.
    scale_grey16 : bool
        16-bit grey over its whole range, instead of white above 255.
    """

    def __init__(
        self,
        data: Any,
        layout: str,
        width: Optional[int] = None,
        height: Optional[int] = None,
        *,
        row_bytes: Union[int, Sequence[int], None] = None,
        region: Optional[Tuple[int, int, int, int]] = None,
        white: float = 0.0,
        matrix: str = "bt601",
        full_range: bool = False,
        alpha: bool = True,
        scale_grey16: bool = False,
    ) -> None:
        if layout not in _LAYOUTS:
            raise ValueError(f"layout {layout!r} is none of {', '.join(map(repr, _LAYOUTS))}")
        if matrix not in ("bt601", "bt709"):
            raise ValueError(f"matrix {matrix!r} is none of 'bt601', 'bt709'")
        self.layout = layout
        self._kind = _LAYOUTS[layout]
        self._planes = [_array(plane) for plane in (data if isinstance(data, (list, tuple)) else [data])]
        self._set_size(width, height)
        self._row_bytes: List[int] = [0] * 3
        if row_bytes is not None:
            each = isinstance(row_bytes, (int, np.integer))
            given: List[Any] = [row_bytes] * self._kind.planes if each else list(cast(Sequence[int], row_bytes))
            if len(given) > self._kind.planes:
                raise ValueError(f"row_bytes of {len(given)} planes: {layout} has {self._kind.planes}")
            self._row_bytes[: len(given)] = map(operator.index, given)
        if len(self._planes) == 1 < self._kind.planes:
            self._planes = self._cut(self._planes[0])
        if len(self._planes) != self._kind.planes:
            raise ValueError(f"{len(self._planes)} planes: {layout} has {self._kind.planes}")
        if any(plane.dtype != self._planes[0].dtype for plane in self._planes):
            raise TypeError("planes of different types")
        self.region = None if region is None else tuple(int(v) for v in region)
        if self.region is not None and (len(self.region) != 4 or min(self.region) < 0 or 0 in self.region[2:]):
            raise ValueError(f"region {region}: x, y, width and height are expected")
        if self.region is not None and max(self.region) > sys.maxsize:  # ctypes would take its lower bits
            raise ValueError(f"region {region} reaches beyond a frame of {self.width} x {self.height} pixels")
        self.white = float(white)
        self._flags = _abi.MOPD_FRAME_BORROW
        self._flags |= _abi.MOPD_FRAME_BT709 if matrix == "bt709" else 0
        self._flags |= _abi.MOPD_FRAME_FULL_RANGE if full_range else 0
        self._flags |= 0 if alpha else _abi.MOPD_FRAME_NO_ALPHA
        self._flags |= _abi.MOPD_FRAME_SCALE_GREY16 if scale_grey16 else 0

    def __repr__(self) -> str:
        return f"Frame({self.layout!r}, {self.width}, {self.height})"

    def _set_size(self, width: Optional[int], height: Optional[int]) -> None:
        first = self._planes[0]
        if first.ndim > 1:
            channels = first.shape[2] if first.ndim == 3 else 1
            samples = first.shape[1] * channels
            each = self._kind.channels or (2 if self.layout == "yuyv" else 1)
            if first.ndim > 3 or samples % each or (first.ndim == 3 and channels != each):
                raise ValueError(f"{self.layout} of shape {first.shape}")
            if first.ndim == 2 and each > 1 and self._kind.channels:
                raise ValueError(f"{self.layout} of shape {first.shape}: (height, width, {each}) is expected")
            one = len(self._planes) == 1 < self._kind.planes
            height = (first.shape[0] * 2 // 3 if one else first.shape[0]) if height is None else height
            width = samples // each if width is None else width
        if width is None or height is None:
            raise ValueError("width and height of a frame: its samples do not tell them")
        if width < 1 or height < 1:
            raise ValueError(f"a frame of {width} x {height} pixels")
        self.width, self.height = int(width), int(height)

    def _plane(self, i: int) -> Tuple[int, int]:
        """Samples of a row, and rows, of plane i."""
        if self.layout == "yuyv":
            return (self.width + 1) // 2 * 4, self.height
        if not self._kind.channels:
            across, down = (self.width + 1) // 2, (self.height + 1) // 2
            return (across * (2 if self.layout == "nv12" else 1), down) if i else (self.width, self.height)
        return self.width * self._kind.channels, self.height

    def _cut(self, array: NDArray[Any]) -> List[NDArray[Any]]:
        """Planes that stand behind each other."""
        flat, out = np.ascontiguousarray(array).ravel(), []
        for i in range(self._kind.planes):
            samples, rows = self._plane(i)
            n = (self._row_bytes[i] or samples) * rows
            out.append(flat[:n])
            flat = flat[n:]
        return out

    def _step(self, i: int) -> int:
        """From row to row of plane i in bytes; an error where it does not hold them."""
        array, (samples, rows) = self._planes[i], self._plane(i)
        line, step = samples * array.itemsize, self._row_bytes[i]
        if array.ndim > 1:
            there, step = array[0].nbytes, array.strides[0] if array.shape[0] > 1 else line
            enough = array.shape[0] >= rows and there >= line
        else:
            step = step or line
            enough = step >= line and (rows - 1) * step + line <= array.size * array.itemsize
        if not enough:
            shape = f"{array.shape}, {array.dtype}" + ("" if array.ndim > 1 else f", rows {step} bytes apart")
            raise ValueError(f"a plane of {shape} does not hold {rows} rows of {samples} samples")
        return step if rows > 1 else line

    def open(self, scale_grey16: bool = False) -> Handle:
        """A mopd_image that reads these samples in place where it can, and keeps them."""
        f = filled(_abi.mopd_frame, lib.mopd_frame_init)
        f.flags = self._flags | (_abi.MOPD_FRAME_SCALE_GREY16 if scale_grey16 else 0)
        f.layout, f.samples, f.white = self._kind.code, _SAMPLES[self._planes[0].dtype], self.white
        f.width, f.height = self.width, self.height
        for i, plane in enumerate(self._planes):
            f.planes[i], f.row_bytes[i] = plane.ctypes.data, self._step(i)
        if self.region is not None:
            f.x, f.y, f.region_width, f.region_height = self.region
        image = Handle(_abi.mopd_image, lib.mopd_image_close, keep=self._planes)
        check(lib.mopd_image_create_frame(image.out, ctypes.byref(f)))
        return image
