# SPDX-License-Identifier: MIT
"""TIFF files made by hand, of every kind of sample and some that no reader takes, and those that libtiff's tools make of
others; yields (name, bytes)."""
import itertools
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import zlib

W, H = 23, 17
SIZES = {1: 1, 3: 2, 4: 4, 5: 8}


def tiff(order, tags, blocks, big=False):
    """order "<" or ">"; tags {number: (type, values)}; blocks go where tag 273 or 324 says."""
    head = b"II" if order == "<" else b"MM"
    out = head + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HL", 42, 8))
    offsets, counts = (324, 325) if 322 in tags else (273, 279)
    tags = {**tags, offsets: (4, [0] * len(blocks)), counts: (4, [len(b) for b in blocks])}
    letters, at = {1: "B", 3: "H", 4: "L", 5: "L"}, len(out)
    size = (8 + 20 * len(tags) + 8) if big else (2 + 12 * len(tags) + 4)
    room, inline = at + size, 8 if big else 4
    values = {n: v if t != 5 else [x for y in v for x in y] for n, (t, v) in tags.items()}
    bodies = {n: struct.pack(order + letters[tags[n][0]] * len(v), *v) for n, v in values.items()}
    after = room + sum(len(b) + len(b) % 2 for b in bodies.values() if len(b) > inline)
    starts = [after + sum(len(b) for b in blocks[:i]) for i in range(len(blocks))]
    bodies[offsets] = struct.pack(order + "L" * len(starts), *starts)
    entries, behind = b"", b""
    for number in sorted(tags):
        kind, values = tags[number]
        body = bodies[number]
        entry = struct.pack(order + ("HHQ" if big else "HHL"), number, kind, len(values))
        if len(body) > inline:
            entry += struct.pack(order + ("Q" if big else "L"), room + len(behind))
            behind += body + b"\0" * (len(body) % 2)
        else:
            entry += body.ljust(inline, b"\0")
        entries += entry
    directory = struct.pack(order + ("Q" if big else "H"), len(tags)) + entries + b"\0" * inline
    return out + directory + behind + b"".join(blocks)


def picture(order, photometric, bits, n, kind=1, extra=(), seed=1, **more):
    """One file: apart (planes), tile (its side), rows (a strip), compression, fill (order of bits), orientation, big."""
    r = random.Random(seed)
    apart, tile, rows = more.get("apart", False), more.get("tile"), more.get("rows", 6)
    across, down = (tile, tile) if tile else (W, rows)
    line = (across * bits * (1 if apart else n) + 7) // 8
    blocks = []
    for _ in range(n if apart else 1):
        for y in range(0, H, down):
            for _ in range(0, W, across):
                lines = down if tile else min(down, H - y)
                if kind == 3:
                    values = [r.choice([r.uniform(-50, 300), 0.0, 255.0, 254.999]) for _ in range(line * lines // 4)]
                    blocks.append(struct.pack(f"{order}{len(values)}f", *values))
                elif bits in (16, 32) and n == 1:
                    values = [r.choice([r.randrange(300), r.getrandbits(bits)]) for _ in range(line * lines * 8 // bits)]
                    blocks.append(struct.pack(order + {16: "H", 32: "L"}[bits] * len(values), *values))
                else:
                    blocks.append(bytes(r.randrange(256) for _ in range(line * lines)))
    compression = more.get("compression", 1)
    if compression == 8:
        blocks = [zlib.compress(b) for b in blocks]
    tags = {256: (3, [W]), 257: (3, [H]), 258: (3, [bits] * n), 259: (3, [compression]), 262: (3, [photometric]), 277: (3, [n]),
            284: (3, [2 if apart else 1]), 339: (3, [kind] * n)}
    tags.update({322: (3, [tile]), 323: (3, [tile])} if tile else {278: (3, [rows])})
    if extra:
        tags[338] = (3, list(extra))
    if photometric == 3:
        tags[320] = (3, [r.randrange(65536) for _ in range(3 << bits)])
    if photometric == 6 and n == 3:
        tags[530] = (3, [1, 1])
    for number, name in ((266, "fill"), (274, "orientation")):
        if name in more:
            tags[number] = (3, [more[name]])
    return tiff(order, tags, blocks, more.get("big", False))


KINDS = [(0, b, 1, 1, ()) for b in (1, 2, 4, 8, 16)] + [(1, b, 1, 1, ()) for b in (1, 2, 4, 8, 12, 16, 32)]
KINDS += [(1, b, 1, 2, ()) for b in (8, 16, 32)] + [(0, 32, 1, 3, ()), (1, 32, 1, 3, ())]
KINDS += [(1, 8, 2, 1, (e,)) for e in (0, 1, 2)] + [(2, b, 3, 1, ()) for b in (8, 16)]
KINDS += [(2, 8, 3 + len(e), 1, e) for e in ((0,), (1,), (2,), (0, 0), (1, 0), (2, 0), (0, 0, 0), (1, 0, 0), (2, 0, 0), (999,), (2, 2))]
KINDS += [(2, 8, 4, 1, ()), (2, 16, 4, 1, ())] + [(2, 16, 4, 1, (e,)) for e in (0, 1, 2)]
KINDS += [(3, b, 1, 1, ()) for b in (1, 2, 4, 8)] + [(3, 8, 2, 1, (e,)) for e in (0, 2)]
KINDS += [(5, 8, 4, 1, ()), (5, 8, 5, 1, (0,)), (5, 8, 6, 1, (0, 0)), (5, 16, 4, 1, ()), (6, 8, 3, 1, ()), (6, 8, 1, 1, ()), (8, 8, 3, 1, ())]
KINDS += [(2, 32, 3, 3, ()), (1, 64, 1, 3, ()), (2, 4, 3, 1, ()), (4, 1, 1, 1, ()), (1, 24, 1, 1, ())]  # nobody's


def tiffs():
    for number, (photometric, bits, n, kind, extra) in enumerate(KINDS):
        name = f"photometric {photometric}, {n} x {bits} bits, type {kind}, extra {extra}"
        ways = [{}, {"compression": 8}, {"tile": 16, "compression": 8}, {"tile": 16}, {"rows": 17}, {"big": True, "compression": 8}]
        ways += [{"orientation": 1 + number % 8}, {"orientation": 1 + (number + 3) % 8, "compression": 8}]
        if n > 1:
            ways += [{"apart": True, "compression": 8}, {"apart": True, "compression": 8, "tile": 16}]
        if bits <= 8:
            ways += [{"fill": 2}, {"fill": 2, "compression": 8}]
        for order, way in itertools.product("<>", ways):
            yield f"{name}, {order} {way}", picture(order, photometric, bits, n, kind, extra, number, **way)


TOOLS = [["-c", c] for c in ("none", "lzw", "zip", "packbits", "jpeg", "zstd", "lzma")] + [
    ["-c", "lzw:2"], ["-c", "zip:2", "-t", "-w", "16", "-l", "32"], ["-c", "jpeg:r:50", "-t", "-w", "16", "-l", "16"],
    ["-p", "separate", "-c", "lzw"], ["-p", "separate", "-c", "zip", "-t", "-w", "32", "-l", "16"], ["-B", "-c", "lzw"],
    ["-L", "-c", "zip", "-r", "3"], ["-f", "lsb2msb", "-c", "packbits"], ["-8", "-c", "zip"], ["-r", "1000", "-c", "jpeg:50"]]
BILEVEL = [["-c", c] for c in ("g3", "g3:2d", "g4", "g3:fill", "lzw")] + [["-f", "lsb2msb", "-c", "g4"], ["-t", "-w", "16", "-l", "16", "-c", "g4"]]


def of_tools(pictures):
    """What tiffcp makes of pictures that Pillow wrote."""
    if not shutil.which("tiffcp"):
        return
    with tempfile.TemporaryDirectory() as folder:
        source, result = pathlib.Path(folder, "a.tif"), pathlib.Path(folder, "b.tif")
        for i, image in enumerate(pictures):
            mode = ("RGB", "L", "1", "RGB", "RGBA", "CMYK", "P")[i % 7]
            image.convert(mode).save(source)
            options = (BILEVEL if mode == "1" else TOOLS)[i % len(BILEVEL if mode == "1" else TOOLS)]
            if not subprocess.run(["tiffcp", *options, source, result], capture_output=True).returncode:
                yield f"tiffcp {' '.join(options)} of {mode} {i}", result.read_bytes()
