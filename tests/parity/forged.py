# SPDX-License-Identifier: MIT
"""PNG and BMP files made by hand, most of which break a rule; yields (name, bytes)."""
import random
import struct
import zlib

MARK = b"\x89PNG\r\n\x1a\n"
W, H = 23, 17


def chunk(kind, data, crc=None):
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def header(depth, colour, width=W, height=H, interlaced=0, compression=0, filters=0):
    return struct.pack(">IIBBBBB", width, height, depth, colour, compression, filters, interlaced)


def image_data(row_bytes):
    r = random.Random(1)
    rows = b"".join(bytes([r.randrange(5)]) + bytes(r.randrange(256) for _ in range(row_bytes)) for _ in range(H))
    return zlib.compress(rows)


def with_window(z, bits):
    """The same data, said to need a window of 2^bits."""
    first, second = (bits - 8) << 4 | 8, z[1] & 0xe0
    return bytes([first, second + (31 - (first << 8 | second) % 31) % 31]) + z[2:]


def split(z, *at):
    return b"".join(chunk(b"IDAT", z[a:b]) for a, b in zip((0,) + at, at + (len(z),)))


def png_endings(base, z, end):
    data = chunk(b"IDAT", z)
    yield "plain", base + data + end
    yield "no end", base + data
    yield "end with a wrong sum", base + data + chunk(b"IEND", b"", 0)
    yield "end of another name", base + data + chunk(b"IE?D", b"")
    yield "end of a length", base + data + b"\0\1\0\0IEND"
    yield "junk behind the data", base + data + b"hello, this is junk"
    yield "junk behind the end", base + data + end + b"junk"
    yield "no sum", base + data[:-4]
    yield "no sum, end", base + data[:-4] + end
    for cut in range(1, 13):
        yield f"cut by {cut}", base + data[:-4 - cut]
    for cut in range(1, 9):
        yield f"data short by {cut}", base + chunk(b"IDAT", z[:-cut]) + end
    yield "unknown chunk cut", base + data + chunk(b"abCd", b"12345678")[:-7]
    yield "known chunk cut", base + data + chunk(b"tEXt", b"a\0bcdefgh")[:-7]


def png_data(base, z, end):
    wrong = z[:-4] + b"\1\2\3\4"
    yield "wrong sum", base + chunk(b"IDAT", z, 1) + end
    yield "wrong sums", base + chunk(b"IDAT", z[:40], 1) + chunk(b"IDAT", z[40:], 2) + end
    yield "wrong sum inside", base + chunk(b"IDAT", wrong) + end
    yield "wrong sum inside, apart", base + split(wrong, len(wrong) - 4) + end
    for bits in range(8, 16):
        yield f"window {bits}", base + chunk(b"IDAT", with_window(z, bits)) + end
    yield "wrong head inside", base + chunk(b"IDAT", b"\x78\x02" + z[2:]) + end
    yield "empty data", base + chunk(b"IDAT", b"") + chunk(b"IDAT", z) + chunk(b"IDAT", b"") + end
    yield "data apart", base + chunk(b"IDAT", z[:50]) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", z[50:]) + end
    yield "more data", base + chunk(b"IDAT", z + b"more and more") + end
    yield "more chunks", base + chunk(b"IDAT", z) + chunk(b"IDAT", b"more and more") + end
    yield "more chunks, cut", base + chunk(b"IDAT", z) + chunk(b"IDAT", b"more and more")[:-9]


def png_headers(kind, palette, z, end):
    data, good = chunk(b"IDAT", z), chunk(b"IHDR", header(*kind))
    yield "header with a wrong sum", MARK + chunk(b"IHDR", header(*kind), 5) + palette + data + end
    yield "text with a wrong sum", MARK + good + palette + chunk(b"tEXt", b"a\0b", 5) + data + end
    yield "two headers", MARK + chunk(b"IHDR", header(*kind, W + 1)) + good + palette + data + end
    yield "palette before the header", MARK + palette + good + data + end
    yield "long header", MARK + chunk(b"IHDR", header(*kind) + b"xx") + palette + data + end
    yield "interlaced 2", MARK + chunk(b"IHDR", header(*kind, interlaced=2)) + palette + data + end
    yield "compression 1", MARK + chunk(b"IHDR", header(*kind, compression=1)) + palette + data + end
    yield "filter 1", MARK + chunk(b"IHDR", header(*kind, filters=1)) + palette + data + end
    yield "unknown critical", MARK + good + palette + chunk(b"XYZW", b"1234") + data + end
    yield "fewer rows", MARK + chunk(b"IHDR", header(*kind, height=H + 3)) + palette + data + end
    yield "more rows", MARK + chunk(b"IHDR", header(*kind, height=H - 3)) + palette + data + end


def png_palettes(base, palette, z, end):
    data, many = chunk(b"IDAT", z), bytes(range(256)) * 4
    for n in (0, 1, 2, 3, 4, 46, 47, 49, 50, 765, 766, 767, 768, 769, 770, 771, 774, 800):
        yield f"palette of {n}", base + chunk(b"PLTE", many[:n]) + data + end
    yield "no palette", base + data + end
    yield "palette with a wrong sum", base + chunk(b"PLTE", many[:48], 7) + data + end
    yield "two palettes", base + chunk(b"PLTE", many[:48]) + palette + data + end
    yield "palette behind", base + palette + data + chunk(b"PLTE", many[:48]) + end
    yield "transparency first", base + chunk(b"tRNS", b"\xff\0\x80") + palette + data + end
    yield "long transparency", base + palette + chunk(b"tRNS", bytes(300)) + data + end


def pngs():
    palette, end = chunk(b"PLTE", bytes(range(30, 78))), chunk(b"IEND", b"")
    kinds = {"rgb": (8, 2, W * 3), "grey": (8, 0, W), "palette 4": (4, 3, (W + 1) // 2), "palette 8": (8, 3, W),
             "rgba": (8, 6, W * 4), "grey 16": (16, 0, W * 2), "rgb 16": (16, 2, W * 6), "grey 1": (1, 0, (W + 7) // 8)}
    for name, (depth, colour, row_bytes) in kinds.items():
        kind, z, own = (depth, colour), image_data(row_bytes), palette if colour == 3 else b""
        bare = MARK + chunk(b"IHDR", header(*kind))
        parts = [png_endings(bare + own, z, end), png_data(bare + own, z, end), png_headers(kind, own, z, end)]
        if colour == 3:
            parts.append(png_palettes(bare, palette, z, end))
        for part in parts:
            for what, data in part:
                yield f"{name}: {what}", data


def bmp(bits, rows, size=40, compression=0, palette=b"", colours=0, masks=(), at=None, flip=False, width=37, height=23):
    if size == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack("<IIiHHIIIIII", size, width, -height if flip else height, 1, bits, compression, len(rows), 0, 0,
                           colours, 0)
        extra = struct.pack(f"<{len(masks)}I", *masks)
        head += (extra + bytes(200))[:size - 40] if size > 40 else extra
    at = 14 + len(head) + len(palette) if at is None else at
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(palette) + len(rows), 0, 0, at) + head + palette + rows


def runs(half, seed, width=37, height=23):
    r, out = random.Random(seed), b""
    for _ in range(height):
        x = 0
        while x < width:
            if r.randrange(4) == 0 and width - x >= 3:
                n = r.randrange(3, min(width - x, 20) + 1)
                body = bytes(r.randrange(256) for _ in range((n + 1) // 2 if half else n))
                out += bytes([0, n]) + body + bytes(len(body) % 2)
            else:
                n = r.randrange(1, min(width - x, 30) + 1)
                out += bytes([n, r.randrange(256)])
            x += n
        out += b"\0\0"
    return out + b"\0\1"


MASKS = ((0xFF0000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0), (0xFF000000, 0xFF00, 0xFF, 0),
         (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
         (0xFF000000, 0xFF00, 0xFF, 0xFF0000), (0, 0, 0, 0), (0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0), (1, 2, 3, 4))


def bmps():
    r = random.Random(9)
    for bits in (1, 4, 8, 16, 24, 32, 2, 3):
        rows = bytes(r.randrange(256) for _ in range((37 * bits + 31 >> 3 & ~3) * 23))
        palette = bytes(r.randrange(256) for _ in range(4 << bits)) if bits <= 8 else b""
        whole = bmp(bits, rows, palette=palette)
        for size in (40, 52, 56, 64, 108, 124, 16):
            yield f"{bits} bits, header {size}", bmp(bits, rows, size, palette=palette)
            yield f"{bits} bits, header {size}, from the top", bmp(bits, rows, size, palette=palette, flip=True)
            for mask in MASKS if bits > 8 and size > 16 else ():
                yield f"{bits} bits, header {size}, {mask}", bmp(bits, rows, size, 3, masks=mask[:3] if size == 40 else mask)
        yield f"{bits} bits, old header", bmp(bits, rows, 12, palette=b"".join(palette[i:i + 3] for i in range(0, len(palette), 4)))
        yield f"{bits} bits, samples at 0", bmp(bits, rows, palette=palette, at=0)
        yield f"{bits} bits, half a palette", bmp(bits, rows, palette=palette[:len(palette) // 2], colours=1 << bits >> 1)
        for cut in (1, 2, 3, 4, 5, 8, 40, 500):
            yield f"{bits} bits, cut by {cut}", whole[:-cut]
    for seed in range(40):
        for compression, bits in ((1, 8), (2, 4)):
            palette = bytes(r.randrange(256) for _ in range(4 << bits))
            data = bmp(bits, runs(compression == 2, seed), 40, compression, palette)
            changed = bytearray(data)
            changed[r.randrange(54 + len(palette), len(data))] ^= 1 + r.randrange(255)
            yield f"runs {bits}, {seed}", data
            yield f"runs {bits}, {seed}, cut", data[:-r.randrange(1, 60)]
            yield f"runs {bits}, {seed}, changed", bytes(changed)
