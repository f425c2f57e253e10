# SPDX-License-Identifier: MIT
"""Pictures made by each format's own programs, for kinds.py: cwebp, img2webp, webpmux and gif2webp (Debian: webp), gifsicle, ppmtogif
and ppmtobmp (netpbm), tiffcp and tiffset (libtiff-tools), heif-enc (libheif-examples), avifenc (libavif-bin), cjpeg and jpegtran
(libjpeg-turbo-progs), pnmtopng (netpbm), convert (imagemagick).  Each function yields (name, bytes); MISSING has the programs that are
not installed, whose files are left out."""
import pathlib
import shutil
import subprocess
import tempfile

from PIL import Image

import forged_heif
import forged_tiff

MISSING = set()


class Bench:
    """A folder for inputs and outputs of programs."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def save(self, picture, name, **more):
        picture.save(self.folder / name, **more)
        return name

    def write(self, name, data):
        (self.folder / name).write_bytes(data)
        return name

    def run(self, command, out):
        """The bytes of the file that a command writes, or of its standard output (out: None); None: it failed."""
        program = shutil.which(command[0])
        if not program:
            MISSING.add(command[0])
            return None
        if out:
            (self.folder / out).unlink(missing_ok=True)
        done = subprocess.run([program, *map(str, command[1:])], cwd=self.folder, capture_output=True)
        if done.returncode or out and not (self.folder / out).exists():
            return None
        return (self.folder / out).read_bytes() if out else done.stdout


def exif(orientation, endian="<"):
    e = Image.Exif()
    e.endian = endian
    e[0x112] = orientation
    return e.tobytes()


def in_mode(picture, mode):
    """A picture of this mode; with alpha, one that varies; `RGBA clear`: some pixels all clear."""
    name = mode.split()[0]
    out = picture.convert(name)
    if name in ("RGBA", "LA"):
        alpha = picture.convert("L")
        out.putalpha(alpha.point(lambda v: 0 if v < 90 else v) if "clear" in mode else alpha)
    return out


CWEBP = [["-q", "1"], ["-q", "50"], ["-q", "75"], ["-q", "100"], ["-lossless"], ["-lossless", "-exact"], ["-near_lossless", "40"], ["-m", "0"],
         ["-m", "6", "-segments", "4"], ["-sns", "80", "-f", "60", "-sharpness", "3"], ["-nostrong", "-f", "90"], ["-partition_limit", "60"],
         ["-pass", "3", "-size", "900"], ["-crop", "3", "5", "15", "11"], ["-resize", "31", "17"], ["-alpha_q", "20"],
         ["-alpha_method", "0"], ["-alpha_filter", "best"], ["-noalpha"], ["-preset", "photo"], ["-preset", "drawing"], ["-preset", "icon"],
         ["-preset", "text"], ["-lossless", "-z", "6"], ["-lossless", "-z", "0"], ["-jpeg_like"], ["-sharp_yuv"], ["-blend_alpha", "0xff00ff"],
         ["-lossless", "-hint", "graph"], ["-low_memory"]]


def webp(bench, pictures):
    for i, picture in enumerate(pictures):
        mode = ("RGB", "RGBA", "RGBA clear", "L", "P")[i % 5]
        options = CWEBP[i % len(CWEBP)]
        source = bench.save(in_mode(picture, mode), "a.png")
        data = bench.run(["cwebp", "-quiet", *options, source, "-o", "a.webp"], "a.webp")
        if data:
            yield f"cwebp {' '.join(options)} of {mode} {i}", data
        if data and i % 3 == 0:
            orientation = 1 + i // 3 % 8
            bench.write("a.exif", exif(orientation, "<>"[i % 2]))
            data = bench.run(["webpmux", "-set", "exif", "a.exif", "a.webp", "-o", "b.webp"], "b.webp")
            yield f"webpmux, exif {orientation} {i}", data
        if i % 6 == 1:
            yield from webp_films(bench, picture, i)


def webp_films(bench, picture, i):
    for n, turn in enumerate((0, 90, 180)):
        bench.save(in_mode(picture, "RGBA clear").resize((40, 40)).rotate(turn), f"{n}.png")
        bench.run(["cwebp", "-quiet", "-lossless", f"{n}.png", "-o", f"{n}.webp"], f"{n}.webp")
    way = (["-lossless"], ["-lossy", "-q", "60"], ["-mixed", "-min_size"], ["-kmax", "0"])[i % 4]
    data = bench.run(["img2webp", "-loop", "1", *way, "0.png", "-d", "50", "1.png", "2.png", "-o", "f.webp"], "f.webp")
    if data:
        yield f"img2webp {' '.join(way)} {i}", data
    place, blend = ("+0+0", "+10+6", "+2+30")[i % 3], "+-"[i % 2]
    frames = ["-frame", "0.webp", f"+100{place}+{i % 2}{blend}b", "-frame", "1.webp", "+100+4+4+1+b", "-bgcolor", "255,1,2,3"]
    data = bench.run(["webpmux", *frames, "-o", "g.webp"], "g.webp")
    if data:
        yield f"webpmux, frames at {place}{blend} {i}", data
    bench.save(in_mode(picture, "P"), "a.gif", save_all=True, append_images=[in_mode(picture, "P").rotate(90)])
    data = bench.run(["gif2webp", "-quiet", *([["-lossy"], ["-mixed"], []][i % 3]), "a.gif", "-o", "h.webp"], "h.webp")
    if data:
        yield f"gif2webp {i}", data


GIFSICLE = [["--interlace"], ["--colors", "16", "--dither"], ["-O3"], ["--resize", "31x40"], ["--crop", "2,3+15x9"], ["--rotate-90"],
            ["--flip-horizontal"], ["--lossy=80"], ["--use-colormap", "web"], ["--use-colormap", "gray"], ["--use-colormap", "bw"],
            ["--logical-screen", "300x280"], ["--logical-screen", "10x10"], ["--position", "7,9"], ["--conserve-memory"], ["--careful"],
            ["--change-color", "#000000", "#123456"], ["--gamma", "1.0"], ["--comment", "a text"], ["--colors", "2"], ["--colors", "256", "-O1"]]
PPMTOGIF = [[], ["-interlace"], ["-nolzw"], ["-sort"], ["-transparent=black"], ["-transparent=rgb:ff/ff/ff"]]


def gif(bench, pictures):
    for i, picture in enumerate(pictures):
        small = picture.quantize((2, 4, 7, 16, 200, 256)[i % 6])
        bench.save(small, "a.gif", **({"transparency": 1} if i % 4 == 0 else {}))
        options = GIFSICLE[i % len(GIFSICLE)]
        data = bench.run(["gifsicle", "--no-warnings", *options, "a.gif", "-o", "b.gif"], "b.gif")
        if data:
            yield f"gifsicle {' '.join(options)} {i}", data
        if i % 3 == 0:
            bench.save(small.rotate(90).resize((20, 30)), "c.gif")
            way = (["--disposal=background"], ["--disposal=previous"], ["--delay=5", "-O2"], ["--interlace"])[i // 3 % 4]
            data = bench.run(["gifsicle", "--no-warnings", "--merge", *way, "--position", f"{i % 9},{i % 7}", "c.gif", "a.gif", "-o", "b.gif"], "b.gif")
            if data:
                yield f"gifsicle --merge {' '.join(way)} {i}", data
        if i % 2 == 0:
            bench.save(small.convert("RGB"), "a.ppm")
            options = PPMTOGIF[i // 2 % len(PPMTOGIF)]
            data = bench.run(["ppmtogif", *options, "a.ppm"], None)
            if data:
                yield f"ppmtogif {' '.join(options)} {i}", data


CONVERT_TIFF = [["-compress", "None", "-endian", "MSB"], ["-compress", "LZW", "-depth", "16"], ["-compress", "Zip", "-define", "tiff:tile-geometry=32x32"],
                ["-compress", "JPEG", "-quality", "70"], ["-compress", "RLE", "-type", "Palette"], ["-compress", "Group4", "-type", "Bilevel"],
                ["-compress", "Fax", "-type", "Bilevel"], ["-colorspace", "CMYK", "-compress", "LZW"], ["-interlace", "plane", "-compress", "Zip"],
                ["-type", "Grayscale", "-depth", "16", "-compress", "None"], ["-type", "Grayscale", "-depth", "4"], ["-define", "tiff:rows-per-strip=3"],
                ["-define", "tiff:fill-order=lsb", "-compress", "LZW"], ["-define", "tiff:alpha=associated", "-type", "TrueColorAlpha"],
                ["-define", "tiff:alpha=unassociated", "-type", "TrueColorAlpha", "-compress", "Zip"], ["-define", "tiff:endian=msb", "-type", "Palette"],
                ["-type", "GrayscaleAlpha"], ["-compress", "ZSTD"], ["-compress", "LZMA"], ["-define", "quantum:format=floating-point", "-depth", "32", "-type", "Grayscale"]]


def tiff(bench, pictures):
    pictures = list(pictures)
    yield from forged_tiff.of_tools(pictures)
    for i, picture in enumerate(pictures):
        if i % 3 == 0:
            bench.save(in_mode(picture, ("RGB", "L", "RGBA", "P")[i // 3 % 4]), "a.tif")
            orientation = 1 + i // 3 % 8
            data = set_orientation(bench, orientation)
            if data:
                yield f"tiffset, orientation {orientation} {i}", data
        options = CONVERT_TIFF[i % len(CONVERT_TIFF)]
        bench.save(in_mode(picture, "RGBA" if "Alpha" in " ".join(options) else "RGB"), "a.png")
        data = bench.run(["convert", "a.png", *options, "b.tif"], "b.tif")
        if data:
            yield f"convert {' '.join(options)} {i}", data


def set_orientation(bench, orientation):
    """tiffset changes its file in place."""
    if bench.run(["tiffset", "-s", "274", orientation, "a.tif"], None) is None:
        return None
    return (bench.folder / "a.tif").read_bytes()


HEIF_ENC = [["-q", "20"], ["-q", "60"], ["-q", "95"], ["-L", "-p", "chroma=444"], ["-p", "chroma=444", "-q", "70"], ["-p", "chroma=422", "-q", "80"],
            ["-t", "32"], ["--no-alpha"], ["-b", "10", "-q", "60"], ["-b", "10", "-p", "chroma=444"], ["-E"], ["--full_range_flag", "0", "-q", "80"],
            ["--matrix_coefficients", "1", "-q", "80"], ["--matrix_coefficients", "0", "-p", "chroma=444", "-q", "90"], ["--enable-two-colr-boxes"]]


def even(picture, step=2):
    return picture.resize((max(step, picture.width // step * step), max(step, picture.height // step * step)))


def heif(bench, pictures):
    """One file a picture by heif-enc, with one in three the parts of several put together otherwise."""
    parts = []
    for i, picture in enumerate(pictures):
        mode = ("RGB", "RGBA", "L")[i % 3]
        options = HEIF_ENC[i % len(HEIF_ENC)]
        odd = (picture.width | picture.height) & 1
        bench.save(in_mode(picture, mode), "a.png")
        data = bench.run(["heif-enc", *options, "a.png", "-o", "a.heic"], "a.heic")
        if data:
            yield f"heif-enc {' '.join(options)} of {mode} {i}{' odd' if odd else ''}", data
        if i % 8 == 1:
            even(picture).save(bench.folder / "a.jpg", exif=exif(1 + i // 8 % 8))
            data = bench.run(["heif-enc", "-q", "90", "a.jpg", "-o", "b.heic"], "b.heic")
            if data:
                yield f"heif-enc of a JPEG, orientation {1 + i // 8 % 8} {i}", data
        if i % 2 == 0:
            even(picture, 64).resize((64, 64)).save(bench.folder / "t.png")
            data = bench.run(["heif-enc", "-L", "-p", "chroma=444", "t.png", "-o", "t.heic"], "t.heic")
            parts = (parts + [data] if data else parts)[-6:]
        if len(parts) == 6 and i % 3 == 0:
            yield from forged_heif.together(parts, i)


AVIFENC = [["-y", "444", "--min", "10", "--max", "40"], ["-y", "420", "--min", "20", "--max", "50"], ["-y", "422"], ["-y", "400"], ["-l"], ["-d", "10", "-y", "444"],
           ["-d", "12", "-y", "444"], ["-r", "limited", "-y", "444"], ["--irot", "1", "-y", "444"], ["--irot", "2", "-y", "444"], ["--irot", "3", "-y", "444"],
           ["--imir", "0", "-y", "444"], ["--imir", "1", "-y", "444"], ["--irot", "1", "--imir", "0", "-y", "444"], ["-p", "-y", "444"],
           ["--cicp", "1/13/1", "-y", "444"], ["--cicp", "9/16/9", "-y", "444", "-d", "10"], ["--pasp", "2,1", "-y", "444"],
           ["--clap", "20,1,16,1,0,1,0,1", "-y", "444"], ["-a", "end-usage=q", "-a", "cq-level=20", "-y", "444"], ["--minalpha", "30", "--maxalpha", "50", "-y", "444"]]


def avif(bench, pictures):
    for i, picture in enumerate(pictures):
        mode = ("RGB", "RGBA", "L")[i % 3]
        options = AVIFENC[i % len(AVIFENC)]
        bench.save(in_mode(picture, mode), "a.png")
        data = bench.run(["avifenc", "-s", "10", *options, "a.png", "a.avif"], "a.avif")
        halved = " 4:2:0" if options[:2] == ["-y", "420"] else " 4:2:2" if options[:2] == ["-y", "422"] else ""
        if data:
            yield f"avifenc {' '.join(options)}{halved} of {mode} {i}", data
        if i % 8 == 3:
            for n in range(4):
                bench.save(picture.resize((64, 64)).rotate(90 * n).convert("RGB"), f"{n}.png")
            data = bench.run(["avifenc", "-s", "10", "-y", "444", "--grid", "2x2", "0.png", "1.png", "2.png", "3.png", "g.avif"], "g.avif")
            if data:
                yield f"avifenc --grid 2x2 {i}", data


PPMTOBMP = [["-windows"], ["-os2"], ["-bpp=24"], ["-bpp=24", "-os2"]]
CONVERT_BMP = [["BMP2:b.bmp"], ["BMP3:b.bmp"], ["b.bmp"], ["-type", "Palette", "-compress", "RLE", "BMP3:b.bmp"], ["-type", "Palette", "-compress", "None", "BMP3:b.bmp"],
               ["-type", "Bilevel", "BMP3:b.bmp"], ["-type", "Bilevel", "BMP2:b.bmp"], ["-colors", "16", "-type", "Palette", "BMP3:b.bmp"],
               ["-type", "TrueColorAlpha", "b.bmp"], ["-type", "TrueColorAlpha", "BMP3:b.bmp"], ["-define", "bmp:subtype=RGB555", "b.bmp"],
               ["-define", "bmp:subtype=RGB565", "b.bmp"], ["-type", "Grayscale", "b.bmp"], ["-type", "Grayscale", "-compress", "RLE", "b.bmp"]]


def bmp(bench, pictures):
    for i, picture in enumerate(pictures):
        colours = (2, 5, 16, 60, 256)[i % 5]
        bench.save(picture.quantize(colours).convert("RGB") if i % 2 else picture.convert("RGB"), "a.ppm")
        options = PPMTOBMP[i // 2 % len(PPMTOBMP)]
        data = bench.run(["ppmtobmp", *options, "a.ppm"], None)
        if data:
            yield f"ppmtobmp {' '.join(options)} {i}", data
        bench.save(in_mode(picture, "RGBA" if i % 3 == 0 else "RGB"), "a.png")
        options = CONVERT_BMP[i % len(CONVERT_BMP)]
        data = bench.run(["convert", "a.png", *options], "b.bmp")
        if data:
            yield f"convert {' '.join(options)} {i}", data


CJPEG = [["-quality", "95"], ["-quality", "20"], ["-progressive"], ["-grayscale"], ["-sample", "1x1"], ["-sample", "2x1"], ["-sample", "1x2"],
         ["-sample", "4x1"], ["-sample", "4x2"], ["-restart", "1"], ["-restart", "3B"], ["-rgb"], ["-optimize", "-smooth", "30"], ["-dct", "fast"],
         ["-dct", "float"], ["-arithmetic"], ["-progressive", "-restart", "2"], ["-baseline", "-quality", "1"], ["-progressive", "-grayscale"]]
JPEGTRAN = [["-rotate", "90"], ["-flip", "horizontal"], ["-transpose"], ["-progressive"], ["-arithmetic"], ["-grayscale"], ["-crop", "17x13+3+2"],
            ["-rotate", "180", "-perfect"], ["-optimize", "-copy", "none"]]


def jpeg(bench, pictures):
    for i, picture in enumerate(pictures):
        bench.save(picture.convert("RGB"), "a.ppm")
        options = CJPEG[i % len(CJPEG)]
        data = bench.run(["cjpeg", *options, "a.ppm"], None)
        if data:
            yield f"cjpeg {' '.join(options)} {i}", data
        if i % 2 == 0:
            bench.save(picture.convert("RGB"), "a.jpg", exif=exif(1 + i // 2 % 8, "<>"[i // 2 % 2]), subsampling=i % 3)
            options = JPEGTRAN[i // 2 % len(JPEGTRAN)]
            data = bench.run(["jpegtran", "-copy", "all", *options, "a.jpg"], None)
            if data:
                yield f"jpegtran {' '.join(options)}, orientation {1 + i // 2 % 8} {i}", data


PNMTOPNG = [[], ["-interlace"], ["-force"], ["-transparent=black"], ["-gamma=0.45"], ["-compression=9"], ["-background=white"], ["-nofilter"],
            ["-paeth"], ["-interlace", "-transparent==rgb:ff/ff/ff"]]
CONVERT_PNG = [["PNG8:b.png"], ["PNG24:b.png"], ["PNG32:b.png"], ["PNG48:b.png"], ["PNG64:b.png"], ["-interlace", "PNG", "b.png"], ["-type", "Bilevel", "b.png"],
               ["-type", "Grayscale", "-depth", "2", "b.png"], ["-type", "GrayscaleAlpha", "b.png"], ["-colors", "7", "-type", "Palette", "b.png"],
               ["-colors", "3", "-interlace", "PNG", "b.png"]]


def png(bench, pictures):
    for i, picture in enumerate(pictures):
        bench.save(picture.quantize((2, 4, 16, 256)[i % 4]).convert("RGB") if i % 2 else picture.convert("L" if i % 3 else "RGB"), "a.ppm")
        options = PNMTOPNG[i % len(PNMTOPNG)]
        data = bench.run(["pnmtopng", *options, "a.ppm"], None)
        if data:
            yield f"pnmtopng {' '.join(options)} {i}", data
        if i % 2 == 0:
            bench.save(in_mode(picture, "RGBA clear"), "a.png")
            options = CONVERT_PNG[i // 2 % len(CONVERT_PNG)]
            data = bench.run(["convert", "a.png", *options], "b.png")
            if data:
                yield f"convert {' '.join(options)} {i}", data


MAKERS = {"JPEG": jpeg, "PNG": png, "BMP": bmp, "GIF": gif, "WebP": webp, "TIFF": tiff, "HEIF": heif, "AVIF": avif}


def files(kind, pictures):
    with tempfile.TemporaryDirectory() as folder:
        yield from MAKERS[kind](Bench(folder), pictures)
