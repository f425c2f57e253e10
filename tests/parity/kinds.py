#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pictures of every kind against Pillow: files that Pillow writes, files by each format's own programs (by_tools.py), files made by hand,
cut and changed ones.

    kinds.py --library build/libmopd.so [--pictures DIR] [--count 200]

mopd_image_decode gives the bytes of Image.open(...).convert("RGB"), with MOPD_IMAGE_UPRIGHT those of
ImageOps.exif_transpose, and refuses what Pillow refuses.  The exceptions are named in ALLOWED; docs/exactness.md gives the
reasons.  Kinds that the library was built without are left out."""
import argparse
import collections
import ctypes
import io
import pathlib
import random
import re
import sys
import warnings

import numpy as np
from PIL import Image, ImageOps

import pillow_heif

import by_tools
import forged
import forged_tiff

pillow_heif.register_heif_opener()

warnings.simplefilter("ignore")
UPRIGHT = 2
ALLOWED = {
    "PNG by hand": r"fewer rows|no palette|text with a wrong sum|palette .: palette before the header",
    "TIFF by hand": r"photometric 8|photometric 6, 1|'apart'|> .'big'|'fill'|type [23].*> ",
    "TIFF by tools": r"lsb2msb",
    "TIFF, cut and changed": r"changed",  # Pillow reads tags itself
    "GIF, cut and changed": r"changed",  # Pillow has a decoder of its own
    "HEIF, cut and changed": r"changed",  # pillow-heif brings a newer libheif
    "AVIF, cut and changed": r"changed",  # Pillow uses libavif
    "AVIF by Pillow": r"4:2:",  # which smooths colours between pixels
    "AVIF, upright": r"4:2:",
    "AVIF by tools": r"4:2:|-d 12|limited|9/16/9",  # and rounds otherwise: by up to 3 levels
    "AVIF by tools, upright": r"4:2:|-d 12|limited|9/16/9",
    "HEIF by tools": r"odd|overlay (\d|beyond)",  # layers that begin outside of the canvas are refused
    "HEIF by tools, upright": r"odd|overlay (\d|beyond)",
    "HEIF by Pillow": r"odd",  # libheif 1.15 turns halved colours of odd sizes otherwise than newer ones
    "HEIF, upright": r"odd",
}
NEAR = {"HEIF": 1, "AVIF": 1}  # levels that another version, or another library, may round differently


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("max_pixels", ctypes.c_uint64)]


class Library:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.mopd_image_decode.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
        for name, result in (("width", ctypes.c_size_t), ("height", ctypes.c_size_t), ("samples", ctypes.c_void_p), ("close", None)):
            function = getattr(self.lib, "mopd_image_" + name)
            function.argtypes, function.restype = [ctypes.c_void_p], result
        self.lib.mopd_build_info.restype = self.lib.mopd_last_error.restype = ctypes.c_char_p

    def kinds(self):
        return self.lib.mopd_build_info().decode().split("pictures ")[1].split(",")[0].split()

    def decode(self, data, flags):
        """The samples, or why there are none."""
        image, options = ctypes.c_void_p(), Options(ctypes.sizeof(Options), flags, 0)
        if self.lib.mopd_image_decode(ctypes.byref(image), data, len(data), ctypes.byref(options)):
            return self.lib.mopd_last_error().decode()
        shape = self.lib.mopd_image_height(image), self.lib.mopd_image_width(image), 3
        samples = ctypes.string_at(self.lib.mopd_image_samples(image), shape[0] * shape[1] * 3)
        self.lib.mopd_image_close(image)
        return np.frombuffer(samples, np.uint8).reshape(shape)


def pillow(data, flags):
    try:
        picture = Image.open(io.BytesIO(data))
        return np.asarray((ImageOps.exif_transpose(picture) if flags & UPRIGHT else picture).convert("RGB"))
    except Exception as error:
        return str(error)


def judge(ours, theirs, near):
    if isinstance(ours, str) or isinstance(theirs, str):
        both = isinstance(ours, str) and isinstance(theirs, str)
        return "refused by both" if both else "refused here" if isinstance(ours, str) else "refused by Pillow"
    if ours.shape != theirs.shape:
        return "another size"
    worst = int(np.abs(ours.astype(int) - theirs).max())
    return "identical" if not worst else f"within {near}" if worst <= near else "other bytes"


def compare(library, what, files, flags=0):
    counts, faults, near = collections.Counter(), [], NEAR.get(what.split()[0].strip(","), 0)
    for name, data in files:
        ours = library.decode(data, flags)
        verdict = judge(ours, pillow(data, flags), near)
        counts[verdict] += 1
        allowed = re.search(ALLOWED[what], name) if what in ALLOWED else None
        if verdict not in ("identical", "refused by both", f"within {near}") and not allowed:
            faults.append(f"{name}: {verdict}: {ours if isinstance(ours, str) else ''}")
    print(f"{what}: {dict(counts)}", *faults[:10], sep="\n    ")
    return not faults


def photographs(folder, count):
    """COUNT pictures of a folder, or as many that look like clouds."""
    if folder:
        paths = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        random.Random(1).shuffle(paths)
        for path in paths[:count]:
            picture = Image.open(path).convert("RGB")
            picture.thumbnail((240, 240))
            yield picture
    r = np.random.RandomState(1)
    for _ in range(0 if folder else count):
        width, height = r.randint(20, 200, 2)
        yield Image.fromarray(r.randint(0, 256, (7, 9, 3), np.uint8)).resize((int(width), int(height)), Image.Resampling.BICUBIC)


MODES = {"JPEG": ("RGB", "L", "RGB", "CMYK"), "PNG": ("RGB", "L", "RGBA", "P", "LA", "1"), "BMP": ("RGB", "L", "P", "1", "RGBA"),
         "GIF": ("P", "L", "1", "RGBA"), "WebP": ("RGB", "RGBA", "L"),
         "TIFF": ("RGB", "L", "1", "RGBA", "P", "CMYK", "LA", "I;16", "YCbCr", "F", "I", "PA"), "HEIF": ("RGB", "L", "RGBA"), "AVIF": ("RGB", "L", "RGBA")}
TIFF_WAYS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma", "tiff_deflate", "group4")


def tiff_way(i, mode):
    """A compression that Pillow's libtiff has for this mode."""
    way = TIFF_WAYS[i // 2 % len(TIFF_WAYS)]
    if way == "jpeg" and mode not in ("RGB", "L", "CMYK", "YCbCr") or way == "group4" and mode != "1" or mode in ("I;16", "F", "I"):
        return ("raw", "tiff_lzw", "tiff_adobe_deflate")[i % 3]
    return way


def written(kind, pictures):
    for i, picture in enumerate(pictures):
        mode = MODES[kind][i % len(MODES[kind])]
        exif = Image.Exif()
        exif.endian = "<>"[i % 2]
        exif[0x112] = i % 10
        picture = picture.convert(mode)
        name = f"{kind} {i} {mode}"
        if mode in ("RGBA", "LA"):
            picture.putalpha(picture.convert("L"))
        more = {"exif": exif.tobytes()} if kind in ("JPEG", "PNG", "WebP", "HEIF", "AVIF") else {}
        if kind == "HEIF":
            name += " odd" if (picture.width | picture.height) & 1 else ""
            more.update(quality=(-1, 10 + i % 90)[i % 5 > 0], chroma=(420, 444)[i % 2])
        if kind == "AVIF":
            more.update(quality=10 + i % 91, subsampling=("4:4:4", "4:2:0", "4:2:2")[i // 3 % 3] if mode != "L" else "4:0:0", speed=10)
            name += " " + more["subsampling"]
        if kind == "WebP":
            more.update(lossless=i % 4 == 0, quality=5 + i % 90)
        if kind == "TIFF":
            more.update(tiffinfo={274: 1 + i % 8}, compression=tiff_way(i, mode))
        if kind == "GIF":
            more.update(interlace=i % 2)
        if kind in ("GIF", "WebP", "TIFF") and i % 5 == 0:  # Pillow 13 crashes when it writes some films in AVIF
            more.update(save_all=True, append_images=[picture.rotate(180)])
        out = io.BytesIO()
        picture.save(out, kind, **more)
        yield name, out.getvalue()


def damaged(kind):
    """Small files, cut at each byte, and with bytes changed."""
    r = random.Random(7)
    small = [p.resize((23, 17)) for p in photographs(None, 5)]
    for name, data in written(kind, small):
        for n in range(12, len(data), 7 if kind in NEAR else 1):
            yield f"{name}, cut to {n}", data[:n]
        for i in range(150):
            changed = bytearray(data)
            for _ in range(1 + i % 3):
                changed[r.randrange(12, len(data))] ^= 1 + r.randrange(255)
            yield f"{name}, changed {i}", bytes(changed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--pictures")
    parser.add_argument("--count", type=int, default=200)
    args = parser.parse_args()
    library = Library(args.library)
    good = compare(library, "PNG by hand", forged.pngs()) & compare(library, "BMP by hand", forged.bmps())
    for kind in library.kinds():
        good &= compare(library, f"{kind} by Pillow", written(kind, photographs(args.pictures, args.count)))
        if kind == "TIFF":
            good &= compare(library, "TIFF by hand", forged_tiff.tiffs())
        good &= compare(library, f"{kind} by tools", by_tools.files(kind, photographs(args.pictures, args.count)))
        if kind in ("JPEG", "PNG", "WebP", "TIFF", "HEIF", "AVIF"):
            good &= compare(library, f"{kind}, upright", written(kind, photographs(args.pictures, args.count)), UPRIGHT)
        if kind in ("JPEG", "WebP", "TIFF", "HEIF", "AVIF"):
            good &= compare(library, f"{kind} by tools, upright", by_tools.files(kind, photographs(args.pictures, args.count)), UPRIGHT)
        if kind in ("GIF", "WebP", "TIFF", "HEIF", "AVIF"):
            good &= compare(library, f"{kind}, cut and changed", damaged(kind))
    if by_tools.MISSING:
        print("not installed, so their files were left out:", *sorted(by_tools.MISSING))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
