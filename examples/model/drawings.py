# SPDX-License-Identifier: MIT
"""Drawings of things: Debian's openclipart (public domain; titles and keywords stand in its SVG files) and the colour emoji
of fonts-noto-color-emoji (OFL; a character's Unicode name says what it shows).

Every drawing is seen twice: on white, and turned round and smaller on some colour.
"""
import gzip
import re
import struct
import subprocess
import unicodedata
from collections import namedtuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Job = namedtuple("Job", "what view number")             # what: a file, or a character
PACKAGES = ("openclipart-png", "openclipart-svg", "fonts-noto-color-emoji")
PNG, SVG, FONT = "usr/share/openclipart/png", "usr/share/openclipart/svg", "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
FOLDERS = set("animals buildings containers decorations education electronics food geography office plants recreation science tools "
              "transportation people computer signs_and_symbols special unsorted".split())
NOT = re.compile("/(flags|icons|cards|led|roadsigns|aiga-symbols|gradients|patterns)/")
VAGUE = set("symbol shape sign roadsign mapsym icon menu cartoon people outline color background person object thing drawing picture clip "
            "clipart vector line black white author architect art recreation entertainment hash".split())
EMOJI = re.compile(r"\b(face with|face|symbol|sign|emoji|black|heavy|white|negative|squared|medium|large|small)\b")
TITLE = re.compile(r"\b(b and w|bw|clipart by .*|icon|stylized|simple|the|a|an|in|on|of|with|and)\b")
MARKUP = re.compile(rb"<dc:title[^>]*>(.*?)</dc:title>", re.S), re.compile(rb"<dc:subject[^>]*>(.*?)</dc:subject>", re.S)


def find(data, out):
    """The folder that has usr/share/..., below `data` or unpacked from the packages there; None if it is not to be had."""
    for base in (data / "drawings", out / "drawings"):
        if (base / PNG).is_dir() and (base / SVG).is_dir() and (base / FONT).is_file():
            return base
    debs = [next(iter(sorted(data.glob(f"{p}_*.deb"))), None) for p in PACKAGES]
    if None in debs:
        return None
    for deb in debs:
        subprocess.run(["dpkg-deb", "-x", deb, out / "drawings.part"], check=True)
    (out / "drawings.part").rename(out / "drawings")
    return find(data, out)


def plain(markup):
    return " ".join(re.sub("<[^>]*>", " ", markup.decode("utf-8", "replace")).split())


def described(path):
    """Title and keywords of an SVG file."""
    s = path.read_bytes()
    s = gzip.decompress(s) if s[:2] == b"\x1f\x8b" else s
    title, subject = (m.search(s) for m in MARKUP)
    words = re.findall(rb"<rdf:li[^>]*>(.*?)</rdf:li>", subject[1], re.S) if subject else []
    return plain(title[1]) if title else "", [plain(w) for w in words]


def named(text, wn):
    """The longest ending of a title, then the longest beginning, that is one visible noun."""
    w = text.split()
    parts = [" ".join(w[i:]) for i in range(len(w))] + [" ".join(w[:-i]) for i in range(1, len(w))]
    return next((p for p in parts if len(p) > 2 and wn.visible(p)), None)


def terms(title, keywords, wn):
    title = re.sub(r"\(.*?\)|[#\d_]+", " ", title).lower()
    out = [named(re.sub(r"[^a-z' -]", " ", TITLE.sub(" ", title)), wn)]
    for k in keywords:
        k = k.lower()
        out.append(k if wn.visible(k) else k[:-1] if k.endswith("s") and wn.visible(k[:-1]) else None)
    return [t for t in dict.fromkeys(out) if t and t not in VAGUE][:5]


def characters(font):
    from fontTools.ttLib import TTFont
    return [chr(c) for c in sorted(TTFont(font).getBestCmap())
            if 0x2190 <= c < 0xE0000 and not 0x1F1E6 <= c <= 0x1F1FF and not 0x1F3FB <= c <= 0x1F3FF]


def small(png):
    """Not one of the few that were drawn hundreds of megapixels large."""
    with open(png, "rb") as f:
        w, h = struct.unpack(">16xII", f.read(24))
    return w * h < 16_000_000


def listing(base, wn, every=1):
    """([job], [its words]); of every `every`th drawing."""
    found = []
    for f in sorted((base / SVG).rglob("*.svg*")):
        short = f.relative_to(base / SVG)
        picture = (base / PNG / short).with_suffix(".png")
        if short.parts[0] in FOLDERS and not NOT.search(f"/{short}") and picture.exists() and small(picture):
            found.append((picture, terms(*described(f), wn)))
    for c in characters(base / FONT):
        name = named(" ".join(EMOJI.sub(" ", unicodedata.name(c, "").lower().replace("-", " ")).split()), wn)
        found.append((c, [name] if name and name not in VAGUE else []))
    found = [(what, t) for what, t in found if t][::every]
    return ([Job(what, view, i) for i, (what, _) in enumerate(found) for view in (0, 1)],
            [t for _, t in found for _ in (0, 1)])


def load(what, font):
    """RGBA, cut to what is not transparent."""
    if isinstance(what, str):
        im = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
        ImageDraw.Draw(im).text((8, 8), what, font=font, embedded_color=True)
    else:
        im = Image.open(what).convert("RGBA")
        im.thumbnail((400, 400))
    return im.crop(im.getbbox() or (0, 0) + im.size)


def cut(job, side, font):
    """A job's picture, side x side."""
    im, rng = load(job.what, font), np.random.default_rng([job.number, job.view])
    room, colour = 1.1, (255, 255, 255)
    if job.view:
        room, colour = rng.uniform(1.05, 1.55), tuple(int(c) for c in rng.integers(120, 256, 3))
        im = im.transpose(Image.FLIP_LEFT_RIGHT)
    s = max(1, int(max(im.size) * room))
    out = Image.new("RGB", (s, s), colour)
    out.paste(im, ((s - im.size[0]) // 2, (s - im.size[1]) // 2), im)
    return out.resize((side, side), Image.BICUBIC)


def opened(base):
    """The font that cut() draws characters with, at the one size its pictures have."""
    return ImageFont.truetype(str(base / FONT), 109)
