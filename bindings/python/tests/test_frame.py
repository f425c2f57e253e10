# SPDX-License-Identifier: MIT
"""Frames: every layout is the picture that numpy makes of it, wherever its samples lie; what does not fit is told."""
from __future__ import annotations

import numpy as np
import pytest

import mopd
from mopd._abi import lib
from mopd._core import view
from mopd._pictures import open_picture

H, W = 6, 8
RNG = np.random.default_rng(3)
RGB = RNG.integers(0, 256, (H, W, 3), np.uint8)
LUMA = RNG.integers(0, 256, (H, W), np.uint8)
CB, CR = RNG.integers(0, 256, (2, H // 2, W // 2), np.uint8)


def pixels(picture):
    image = open_picture(picture)
    shape = (lib.mopd_image_height(image.pointer), lib.mopd_image_width(image.pointer), 3)
    return view(image, lib.mopd_image_samples(image.pointer), shape, np.uint8).copy()


def of_luma(luma, cb, cr, kr=0.299, kb=0.114, full=False):
    """The formula, with coefficients in 16-bit fixed point."""
    kg, span = 1 - kr - kb, 1.0 if full else 255 / 224
    cb, cr = (np.repeat(c.astype(np.int64) - 128, 2, -1).repeat(2, 0)[: luma.shape[0], : luma.shape[1]] for c in (cb, cr))
    fixed = [round(65536 * k * span) for k in (2 * (1 - kr), 2 * kb * (1 - kb) / kg, 2 * kr * (1 - kr) / kg, 2 * (1 - kb))]
    y = (luma.astype(np.int64) - (0 if full else 16)) * round(65536 * (1 if full else 255 / 219))
    out = np.stack([y + fixed[0] * cr, y - fixed[1] * cb - fixed[2] * cr, y + fixed[3] * cb], -1)
    return ((out + 32768) >> 16).clip(0, 255).astype(np.uint8)


def yuyv():
    out = np.empty((H, W, 2), np.uint8)
    out[..., 0] = LUMA
    out[:, 0::2, 1], out[:, 1::2, 1] = CB.repeat(2, 0), CR.repeat(2, 0)
    return out


COLOURS = of_luma(LUMA, CB, CR)
PAIRS = np.stack([CB, CR], -1)
ALPHA = np.full((H, W, 1), 255, np.uint8)
DEEP = RNG.integers(0, 65536, (H, W, 3), np.uint16)
REAL = RNG.uniform(-30, 290, (H, W, 3)).astype(np.float32)

FRAMES = {
    "rgb": (lambda: mopd.Frame(RGB, "rgb"), RGB),
    "bgr": (lambda: mopd.Frame(RGB[..., ::-1].copy(), "bgr"), RGB),
    "upside down": (lambda: mopd.Frame(RGB[::-1].copy()[::-1], "rgb"), RGB),
    "every second row": (lambda: mopd.Frame(RGB[::2], "rgb"), RGB[::2]),
    "mirrored": (lambda: mopd.Frame(RGB[:, ::-1], "rgb"), RGB[:, ::-1]),
    "broadcast": (lambda: mopd.Frame(np.broadcast_to(RGB[:1], RGB.shape), "rgb"), np.repeat(RGB[:1], H, 0)),
    "a part of an array": (lambda: mopd.Frame(RGB[1:5, 2:7], "rgb"), RGB[1:5, 2:7]),
    "a region": (lambda: mopd.Frame(RGB, "rgb", region=(2, 1, 5, 4)), RGB[1:5, 2:7]),
    "bytes": (lambda: mopd.Frame(RGB.tobytes(), "rgb", W, H), RGB),
    "a memoryview": (lambda: mopd.Frame(memoryview(RGB), "rgb"), RGB),
    "a flat memoryview": (lambda: mopd.Frame(memoryview(RGB.tobytes()), "rgb", W, H), RGB),
    "padded rows": (
        lambda: mopd.Frame(np.pad(RGB.reshape(H, -1), ((0, 0), (0, 5))).tobytes(), "rgb", W, H, row_bytes=3 * W + 5),
        RGB,
    ),
    "a step of numpy": (lambda: mopd.Frame(RGB.tobytes(), "rgb", W, H, row_bytes=np.int64(3 * W)), RGB),
    "rgba": (lambda: mopd.Frame(np.concatenate([RGB, ALPHA], 2), "rgba"), RGB),
    "bgra": (lambda: mopd.Frame(np.concatenate([RGB[..., ::-1], ALPHA], 2), "bgra"), RGB),
    "argb": (lambda: mopd.Frame(np.concatenate([ALPHA, RGB], 2), "argb"), RGB),
    "grey": (lambda: mopd.Frame(LUMA, "grey"), LUMA[..., None].repeat(3, 2)),
    "uint16": (lambda: mopd.Frame(DEEP, "rgb"), (DEEP >> 8).astype(np.uint8)),
    "grey of uint16": (lambda: mopd.Frame(DEEP[..., 0], "grey"), DEEP[..., :1].clip(0, 255).repeat(3, 2)),
    "scaled": (lambda: mopd.Frame(DEEP[..., 0], "grey", scale_grey16=True), (DEEP[..., :1] >> 8).repeat(3, 2)),
    "float32": (lambda: mopd.Frame(REAL, "rgb"), REAL.clip(0, 255).astype(np.uint8)),
    "floats to 1": (
        lambda: mopd.Frame(REAL / np.float32(255), "rgb", white=1),
        ((REAL / np.float32(255)) * np.float32(255)).clip(0, 255).astype(np.uint8),
    ),
    "nv12": (lambda: mopd.Frame([LUMA, PAIRS], "nv12"), COLOURS),
    "nv12 in one": (lambda: mopd.Frame(np.concatenate([LUMA, PAIRS.reshape(H // 2, W)]), "nv12"), COLOURS),
    "i420": (lambda: mopd.Frame([LUMA, CB, CR], "i420"), COLOURS),
    "i420 in one": (
        lambda: mopd.Frame(LUMA.tobytes() + CB.tobytes() + CR.tobytes(), "i420", W, H),
        COLOURS,
    ),
    "yuyv": (lambda: mopd.Frame(yuyv(), "yuyv"), of_luma(LUMA, CB, CR)),
    "yuyv of one row a row": (lambda: mopd.Frame(yuyv().reshape(H, -1), "yuyv"), of_luma(LUMA, CB, CR)),
    "bt709": (
        lambda: mopd.Frame([LUMA, CB, CR], "i420", matrix="bt709", full_range=True),
        of_luma(LUMA, CB, CR, 0.2126, 0.0722, True),
    ),
    "odd sizes": (
        lambda: mopd.Frame([LUMA[:5, :7], CB, CR], "i420"),
        of_luma(LUMA[:5, :7], CB, CR),
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_its_picture(enc, name):
    make, expected = FRAMES[name]
    assert np.array_equal(pixels(make()), expected)
    assert np.array_equal(enc.images([make()]), enc.images([np.ascontiguousarray(expected).astype(np.uint8)]))


def test_samples_are_read_in_place_and_kept():
    """What is RGB already is not copied, and lives as long as the picture."""
    array = RGB.copy()
    image = open_picture(array)
    shape = array.shape
    samples = view(image, lib.mopd_image_samples(image.pointer), shape, np.uint8)
    assert samples.ctypes.data == array.ctypes.data
    array[0, 0] = 77
    del array
    assert samples[0, 0].tolist() == [77] * 3


def test_alpha_counts_as_that_of_a_file(enc):
    clear = np.zeros((H, W, 4), np.uint8)
    white = enc.images([np.full((H, W, 3), 255, np.uint8)])
    black = enc.images([np.zeros((H, W, 3), np.uint8)])
    assert np.array_equal(enc.images([clear]), white)
    assert np.array_equal(enc.images([mopd.Frame(clear, "bgra")]), white)
    assert np.array_equal(enc.images([mopd.Frame(clear, "bgra", alpha=False)]), black)


WRONG = [
    (lambda: mopd.Frame(RGB, "gbr"), ValueError, "'gbr' is none of 'grey'"),
    (lambda: mopd.Frame(RGB, "rgb", matrix="bt2020"), ValueError, "bt2020"),
    (lambda: mopd.Frame(RGB.astype(np.int32), "rgb"), TypeError, "int32"),
    (lambda: mopd.Frame(RGB, "bgra"), ValueError, r"bgra of shape \(6, 8, 3\)"),
    (lambda: mopd.Frame(RGB.reshape(H, -1), "rgb"), ValueError, r"\(height, width, 3\)"),
    (lambda: mopd.Frame(RGB.tobytes(), "rgb"), ValueError, "width and height"),
    (lambda: mopd.Frame(RGB.tobytes(), "rgb", W, H + 1).open(), ValueError, "does not hold 7 rows of 24"),
    (lambda: mopd.Frame(RGB.tobytes(), "rgb", W, H, row_bytes=23).open(), ValueError, "rows 23 bytes apart"),
    (lambda: mopd.Frame(RGB.tobytes(), "rgb", W, H, row_bytes=-24).open(), ValueError, "rows -24 bytes apart"),
    (lambda: mopd.Frame(RGB.tobytes(), "rgb", 0, H), ValueError, "0 x 6"),
    (lambda: mopd.Frame([LUMA, CB], "i420"), ValueError, "2 planes: i420 has 3"),
    (lambda: mopd.Frame([LUMA, CB[:2], CR], "i420").open(), ValueError, "does not hold 3 rows of 4"),
    (lambda: mopd.Frame([LUMA, CB, CR.astype(np.uint16)], "i420"), TypeError, "different types"),
    (lambda: mopd.Frame(LUMA.tobytes() * 2, "nv12", W, H - 7), ValueError, "-1"),
    (lambda: mopd.Frame(RGB, "rgb", region=(0, 0, 0, 2)), ValueError, "region"),
    (lambda: mopd.Frame(RGB, "rgb", region=(2, 0, 7, 2)).open(), mopd.MopdError, "7 columns from 2 on"),
    (lambda: mopd.Frame(RGB, "rgb", region=(2**64, 0, 1, 1)), ValueError, "beyond a frame of 8 x 6"),
    (lambda: mopd.Frame(RGB.tobytes(), "rgb", W, H, row_bytes=(24, 24)), ValueError, "row_bytes of 2 planes: rgb has 1"),
    (lambda: mopd.Frame(RGB.tobytes(), "rgb", W, H, row_bytes=(24.0,)), TypeError, "float"),
    (lambda: mopd.Frame(np.full((2, 2), np.nan, np.float32), "grey").open(), mopd.MopdError, "not a number"),
    (lambda: mopd.Frame([LUMA.astype(np.uint16)] * 3, "i420", W, H).open(), mopd.MopdError, "layout 8 of samples 1"),
    (lambda: mopd.Frame(np.zeros((0, 4), np.uint8), "grey"), ValueError, r"\(0, 4\)"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_does_not_fit_is_told(number):
    make, kind, words = WRONG[number]
    with pytest.raises(kind, match=words):
        make()


def test_frames_are_pictures_everywhere(enc):
    frames = [mopd.Frame(RGB[..., ::-1], "bgr"), mopd.Frame([LUMA, PAIRS], "nv12")]
    rec = mopd.Recognizer(enc).fit(frames * 3, ["a", "b"] * 3)
    assert rec.predict(frames).tolist() == ["a", "b"]
    assert repr(frames[1]) == "Frame('nv12', 8, 6)"
    with pytest.raises(TypeError, match="a list of pictures"):
        enc.images(frames[0])
