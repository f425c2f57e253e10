# SPDX-License-Identifier: MIT
"""HEIF files put together by hand from pictures that heif-enc coded: several pictures, grids, overlays, identities, alpha, turned and
mirrored; and some that break a rule.  `together` yields (name, bytes); `coded` and `build` are for other uses."""
import random
import struct


def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind, version, flags, body):
    return box(kind, struct.pack(">I", version << 24 | flags) + body)


def boxes(data):
    """(kind, body) of the boxes that stand in these bytes."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + size if size else None]
        at += size or len(data)


class Item:
    def __init__(self, kind, data, properties=(), hidden=False, refers=()):
        """properties: whole boxes; refers: (kind, [numbers of items, from 1 on])."""
        self.kind, self.data, self.properties = kind, data, list(properties)
        self.hidden, self.refers = hidden, list(refers)

    def but(self, *properties, hidden=False, refers=()):
        """The same data with more properties."""
        return Item(self.kind, self.data, [*self.properties, *properties], hidden, refers)


def coded(data):
    """The primary item of a file as it was written, with its properties but those that turn it."""
    meta = dict(boxes(next(body for kind, body in boxes(data) if kind == b"meta")[4:]))
    primary = struct.unpack_from(">H", meta[b"pitm"], 4)[0]
    iprp = dict(boxes(meta[b"iprp"]))
    every = [box(kind, body) for kind, body in boxes(iprp[b"ipco"])]
    own = [every[n - 1] for item, n in associations(iprp[b"ipma"]) if item == primary]
    place, size = places(meta[b"iloc"])[primary]
    kinds = {struct.unpack_from(">H", body, 4)[0]: body[8:12] for kind, body in boxes(meta[b"iinf"][6:]) if kind == b"infe"}
    return Item(kinds[primary], data[place:place + size], [p for p in own if p[4:8] not in (b"irot", b"imir", b"clap")])


def associations(body):
    version, wide = body[0], body[3] & 1
    n, at = struct.unpack_from(">I", body, 4)[0], 8
    for _ in range(n):
        item = struct.unpack_from(">H" if version < 1 else ">I", body, at)[0]
        at += 2 if version < 1 else 4
        count, at = body[at], at + 1
        for _ in range(count):
            x = struct.unpack_from(">H", body, at)[0] & 0x7fff if wide else body[at] & 0x7f
            at += 2 if wide else 1
            yield item, x


def places(body):
    """{item: (place, size)} of the first extent of each."""
    version, sizes = body[0], struct.unpack_from(">H", body, 4)[0]
    offset, length, base, index = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0
    n, at = struct.unpack_from(">H" if version < 2 else ">I", body, 6)[0], 8 if version < 2 else 10
    number = lambda at, size: int.from_bytes(body[at:at + size], "big")
    out = {}
    for _ in range(n):
        item, at = number(at, 2 if version < 2 else 4), at + (2 if version < 2 else 4)
        at += (2 if version else 0) + 2
        start, at = number(at, base), at + base
        extents, at = number(at, 2), at + 2
        for k in range(extents):
            at += index
            if k == 0:
                out[item] = start + number(at, offset), number(at + offset, length)
            at += offset + length
    return out


def build(items, primary=1):
    """A file of these items, numbered from 1 on."""
    pool = []
    for item in items:
        pool += [p for p in item.properties if p not in pool]
    ipma = struct.pack(">I", len(items))
    for n, item in enumerate(items, 1):
        ipma += struct.pack(">HB", n, len(item.properties))
        ipma += b"".join(bytes([pool.index(p) + 1 | (0x80 if p[4:8] in (b"irot", b"imir", b"clap", b"hvcC") else 0)]) for p in item.properties)
    infe = b"".join(full(b"infe", 2, int(item.hidden), struct.pack(">HH4s", n, 0, item.kind) + b"\0") for n, item in enumerate(items, 1))
    iref = b"".join(box(kind, struct.pack(">HH", n, len(to)) + struct.pack(f">{len(to)}H", *to))
                    for n, item in enumerate(items, 1) for kind, to in item.refers)
    start = 0
    for _ in range(2):  # the second time with the places that the first has shown
        iloc, at = struct.pack(">HH", 0x4400, len(items)), start
        for n, item in enumerate(items, 1):
            iloc += struct.pack(">HHHII", n, 0, 1, at, len(item.data))
            at += len(item.data)
        meta = full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"pict") + b"\0") + full(b"pitm", 0, 0, struct.pack(">H", primary))
        meta += full(b"iloc", 0, 0, iloc) + full(b"iinf", 0, 0, struct.pack(">H", len(items)) + infe)
        meta += (full(b"iref", 0, 0, iref) if iref else b"") + box(b"iprp", box(b"ipco", b"".join(pool)) + full(b"ipma", 0, 0, ipma))
        head = box(b"ftyp", b"heic\0\0\0\0mif1heic") + full(b"meta", 0, 0, meta)
        start = len(head) + 8
    return head + box(b"mdat", b"".join(item.data for item in items))


def ispe(width, height):
    return full(b"ispe", 0, 0, struct.pack(">II", width, height))


def irot(quarters):
    return box(b"irot", bytes([quarters]))


def imir(axis):
    return box(b"imir", bytes([axis]))


def grid(rows, columns, width, height, tiles):
    body = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    return Item(b"grid", body, [ispe(width, height)], refers=[(b"dimg", tiles)])


def overlay(width, height, colour, placed):
    """placed: (item, x, y)."""
    body = struct.pack(">BB4HHH", 0, 0, *colour, width, height) + b"".join(struct.pack(">hh", x, y) for _, x, y in placed)
    return Item(b"iovl", body, [ispe(width, height)], refers=[(b"dimg", [n for n, _, _ in placed])])


def identity(of, width, height, *properties):
    return Item(b"iden", b"", [ispe(width, height), *properties], refers=[(b"dimg", [of])])


def together(parts, seed):
    """parts: six files of 64 x 64 pixels."""
    r = random.Random(seed)
    tiles = [coded(data) for data in parts]
    hidden = [t.but(hidden=True) for t in tiles]
    n = len(tiles)
    turns = [irot(seed % 4), imir(seed % 2)][::r.choice((1, -1))]
    width, height = r.randrange(129, 193), r.randrange(65, 129)
    yield f"several, the second {seed}", build(tiles, 2)
    yield f"turned and mirrored {seed}", build([tiles[0].but(*turns), *tiles[1:]])
    yield f"grid 2 x 3 {seed}", build([*hidden, grid(2, 3, width & ~1, height & ~1, [1, 2, 3, 4, 5, 6])], n + 1)
    yield f"grid 2 x 3, {width} x {height} {seed}", build([*hidden, grid(2, 3, width, height, [6, 5, 4, 3, 2, 1])], n + 1)
    yield f"grid 3 x 2, turned {seed}", build([*hidden, grid(3, 2, 128, 192, [1, 2, 3, 4, 5, 6]).but(*turns, refers=[(b"dimg", [1, 2, 3, 4, 5, 6])])], n + 1)
    yield f"grid 1 x 1 {seed}", build([*hidden, grid(1, 1, 64, 64, [3])], n + 1)
    colour = [r.choice((0, 65535, r.randrange(65536))) for _ in range(3)] + [65535]
    placed = [(1 + k, r.randrange(-40, 120), r.randrange(-40, 90)) for k in range(4)]
    yield f"overlay {seed}", build([*hidden, overlay(150, 110, colour, placed)], n + 1)
    yield f"overlay within {seed}", build([*hidden, overlay(192, 64, colour, [(1, 0, 0), (2, 64, 0), (3, 128, 0)])], n + 1)
    yield f"overlay beyond {seed}", build([*hidden, overlay(50, 50, colour, [(1, 10, 10), (2, 60, 60), (3, -70, 0)])], n + 1)
    yield f"overlay of a grid {seed}", build([*hidden, grid(1, 2, 128, 64, [1, 2]), overlay(140, 80, colour, [(n + 1, 5, 5), (3, 0, 0)])], n + 2)
    yield f"identity {seed}", build([*hidden, identity(1, 64, 64, *turns)], n + 1)
    alpha = full(b"auxC", 0, 0, b"urn:mpeg:hevc:2015:auxid:1\0")
    yield f"alpha {seed}", build([tiles[0], tiles[1].but(alpha, hidden=True, refers=[(b"auxl", [1])])])
    yield f"thumbnail {seed}", build([tiles[0], tiles[1].but(hidden=True, refers=[(b"thmb", [1])])])
    yield f"grid with a tile too few {seed}", build([*hidden, grid(2, 3, 192, 128, [1, 2, 3, 4, 5])], n + 1)
    yield f"grid of an unknown tile {seed}", build([*hidden, grid(1, 2, 128, 64, [1, 60])], n + 1)
    yield f"grid too small {seed}", build([*hidden, grid(1, 1, 100, 100, [1])], n + 1)
    yield f"overlay cut {seed}", build([*hidden, Item(b"iovl", struct.pack(">BB4HHH", 0, 0, 0, 0, 0, 0, 9, 9), [ispe(9, 9)],
                                                      refers=[(b"dimg", [1, 2])])], n + 1)


def rings():
    """Pictures that are made of themselves; nothing in them is coded."""
    yield "identity of itself", build([identity(1, 64, 64)])
    yield "identities of each other", build([identity(2, 64, 64), identity(1, 64, 64)])
    yield "grid of itself", build([grid(1, 1, 64, 64, [1])])
    yield "overlay of itself", build([overlay(64, 64, [0, 0, 0, 65535], [(1, 0, 0)])])
    yield "grids of each other", build([grid(1, 2, 128, 64, [2, 2]), grid(1, 1, 64, 64, [1])])
    chain = [overlay(64, 64, [0, 0, 0, 65535], [(n + 1, 0, 0), (n + 1, 0, 0)]) for n in range(1, 60)]
    yield "overlays that double", build([*chain, overlay(64, 64, [0, 0, 0, 65535], [])])
