# SPDX-License-Identifier: MIT
"""Odd picture files, drawn and not taken from any data set, for pixels.py: all PNG types, all JPEG kinds."""
import io
import struct
import zlib

import numpy as np
from PIL import Image


def drawn(height, width, seed=0):
    """Circles, ramps, stripes and some noise: 8-bit RGB."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = x / max(width - 1, 1), y / max(height - 1, 1)
    r = 127 + 120 * np.sin(9 * u * (1 + seed % 3) + 4 * v)
    g = 255 * np.clip(1.4 - 2 * np.hypot(u - 0.4, v - 0.6), 0, 1)
    b = 255 * ((np.floor(11 * u) + np.floor(7 * v)) % 2)
    noise = np.random.default_rng(seed).normal(0, 12, (height, width, 3))
    return np.clip(np.stack([r, g, b], -1) + noise, 0, 255).astype(np.uint8)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def packed_rows(samples, depth):
    """Rows of a height x width x channels array of samples, each behind filter byte 0."""
    rows = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            data = flat.astype(">u2").tobytes()
        elif depth == 8:
            data = flat.astype(np.uint8).tobytes()
        else:
            bits = ((flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1).reshape(-1)
            data = np.packbits(bits.astype(np.uint8)).tobytes()
        rows += b"\0" + data
    return rows


def png(samples, depth, kind, interlaced=False, palette=None, trns=None):
    """A PNG of samples (height x width x channels); kind is the header's colour type."""
    height, width = samples.shape[:2]
    if interlaced:
        raw = b"".join(packed_rows(samples[y::dy, x::dx], depth) for x, y, dx, dy in ADAM7
                       if x < width and y < height)
    else:
        raw = packed_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if palette is not None:
        out += chunk(b"PLTE", np.asarray(palette, np.uint8).tobytes())
    if trns is not None:
        out += chunk(b"tRNS", trns)
    return out + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def as_ycck(data):
    """The same bytes declared YCCK: Adobe's transform byte from 0 to 2."""
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1:]


def odd_pngs(size=(37, 53)):
    """name -> bytes."""
    height, width = size
    rgb = drawn(height, width, 1)
    grey = drawn(height, width, 2)[..., :1].astype(np.uint16)
    alpha = drawn(height, width, 3)[..., 1:2].astype(np.uint16)
    deep = (drawn(height, width, 4).astype(np.uint16) << 8) | drawn(height, width, 5)
    deep_alpha = np.concatenate([deep, (alpha << 8) | 0x55], -1)
    ramp = np.arange(height * width).reshape(height, width, 1)
    colours = np.random.default_rng(7).integers(0, 256, (256, 3))
    out = {}
    for i in (False, True):
        tail = "-interlaced" if i else ""
        for depth in (1, 2, 4, 8):
            out[f"grey{depth}{tail}"] = png(grey >> (8 - depth), depth, 0, i)
            index = ramp % (1 << depth)
            out[f"palette{depth}{tail}"] = png(index, depth, 3, i, colours[:1 << depth])
            out[f"palette{depth}-trns{tail}"] = png(index, depth, 3, i, colours[:1 << depth], bytes(
                int(a) for a in np.linspace(0, 255, min(1 << depth, 100))))
        out[f"grey16{tail}"] = png(deep[..., :1], 16, 0, i)
        out[f"grey16-small{tail}"] = png(ramp % 300, 16, 0, i)
        out[f"la8{tail}"] = png(np.concatenate([grey, alpha], -1), 8, 4, i)
        out[f"la16{tail}"] = png(deep_alpha[..., 2:], 16, 4, i)
        out[f"rgb8{tail}"] = png(rgb, 8, 2, i)
        out[f"rgb16{tail}"] = png(deep, 16, 2, i)
        out[f"rgba8{tail}"] = png(np.concatenate([rgb, alpha.astype(np.uint8)], -1), 8, 6, i)
        out[f"rgba16{tail}"] = png(deep_alpha, 16, 6, i)
    out["palette8-short"] = png(ramp % 256, 8, 3, False, colours[:10])
    out["palette8-short-trns"] = png(ramp % 256, 8, 3, False, colours[:10], b"\x80\x40")
    out["palette8-one-clear"] = png(ramp % 256, 8, 3, False, colours, b"\xff\xff\xff\0\xff")
    out["palette8-one-clear-end"] = png(ramp % 256, 8, 3, False, colours, b"\xff\xff\xff\0")
    for depth, key in ((1, 1), (1, 0), (2, 1), (2, 85), (4, 51), (8, 77), (8, 77 + 256)):
        out[f"grey{depth}-key{key}"] = png(ramp % (1 << depth), depth, 0, False, None, struct.pack(">H", key))
    out["grey16-key"] = png(ramp % 300, 16, 0, False, None, struct.pack(">H", 0x1234))
    out["grey16-key255"] = png(ramp % 300, 16, 0, False, None, struct.pack(">H", 255))
    out["rgb8-key"] = png(rgb, 8, 2, False, None, struct.pack(">3H", *rgb[3, 4]))
    out["rgb16-key"] = png(deep, 16, 2, False, None, struct.pack(">3H", *(deep[3, 4] >> 8)))
    return out


def odd_jpegs(size=(37, 53)):
    image = Image.fromarray(drawn(*size, 6))
    out = {
        "grey": jpeg(image.convert("L"), quality=90),
        "cmyk": jpeg(image.convert("CMYK"), quality=90),
        "rgb": jpeg(image, quality=90, keep_rgb=True),
        "restarts": jpeg(image, restart_marker_blocks=3),
        "tail": jpeg(image) + b"more bytes behind the end mark",
    }
    out["ycck"] = as_ycck(out["cmyk"])
    for name, how in (("444", 0), ("422", 1), ("420", 2)):
        out[name] = jpeg(image, subsampling=how, quality=85)
        out[f"{name}-progressive"] = jpeg(image, subsampling=how, quality=85, progressive=True)
        out[f"{name}-coarse"] = jpeg(image, subsampling=how, quality=10, optimize=True)
    out["grey-progressive"] = jpeg(image.convert("L"), progressive=True)
    out["cmyk-progressive"] = jpeg(image.convert("CMYK"), progressive=True)
    return out


def odd_sizes():
    sides = ((1, 1), (1, 5000), (5000, 1), (2, 3), (3, 700), (224, 224), (224, 225), (225, 224), (224, 337),
             (339, 224), (223, 448), (448, 223), (500, 333), (640, 480), (1200, 901), (7, 224),
             (1000, 400), (901, 300), (800, 401), (2000, 500), (480, 100), (400, 1000))
    return {f"size-{h}x{w}": png(drawn(h, w, h + w), 8, 2) for h, w in sides}
