# SPDX-License-Identifier: MIT
"""Pictures of land from above, cut out of FlightGear's terrain textures (Debian's flightgear-data-base, GPL-2).

A texture is named for the land it shows.  Every picture is a random square of one, reduced to 64 to 224 pixels a side as a
satellite's are, turned, and changed a little in colour; water, roads and rivers, which are not land to a flight simulator,
are drawn over others.  The draw depends on nothing but the texture's name and the picture's number.
"""
import math
import subprocess
import zlib
from collections import namedtuple
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

Job = namedtuple("Job", "texture kind number")
PACKAGES = ("flightgear-data-base",)
FIELDS, GREEN = "*drycrop* *mixedcrop* irrcrop* countryside* uk_countryside* naturalcrop* cropgrass-hires* c*-crop*", \
    "cropgrass? *pasture* iceland_grass*"
TOWNS, WOODS = "Town1 *suburbs california-town* town-europe* town-caribbean", "deciduous* *evergreen* *forest* australia-bush-dense-hires"
CROPS = ["annual crops", "annual crop land", "arable land", "crop land", "cropland", "fields", "farmland", "farm fields", "cultivated land",
         "agricultural land", "mixed crops", "mixed crop land", "dry crop land", "irrigated crop land", "complex cultivation patterns"]
TREES = ["orchard", "orchards", "permanent crops", "permanent crop land", "plantation", "fruit trees", "tree crops"]
FOREST = ["forest", "forest land", "woodland", "woods", "trees", "tree cover", "deciduous forest", "evergreen forest",
          "coniferous forest", "mixed forest"]
HOMES = ["residential area", "residential buildings", "residential land", "houses", "suburb", "housing estate", "town"]
WORKS = ["industrial area", "industrial buildings", "industrial land", "factory buildings", "factories", "warehouses", "commercial area",
         "commercial buildings", "industrial or commercial units"]
WATER = ["sea", "lake", "ocean", "water", "open water", "sea and ocean", "inland water", "sea water", "water body", "reservoir"]
ROADS = ["road", "highway", "motorway", "freeway", "main road", "road network", "country road"]
KINDS = {       # what is seen: (its names, textures, what is drawn over them)
    "crops": (CROPS, FIELDS, None), "orchard": (TREES, "orchard", None),
    "rows": (TREES + ["vineyard", "olive grove"], FIELDS + " gravel_* dirtrock*", "rows"),
    "rice": (["rice fields", "rice paddy"], "rice1", None),
    "pasture": (["pasture", "pastures", "pasture land", "grazing land", "meadow", "grass fields"], GREEN, None),
    "cropwood": (["crops and woodland", "agroforestry"], "cropwood*", None),
    "grass": (["grassland", "natural grassland", "grass", "herbaceous vegetation", "herbaceous vegetation land", "herbaceous plants"],
              "airport-grass* airport california-grass* grass* *grassland* pampas-grass*", None),
    "savanna": (["savanna"], "savanna*", None),
    "shrub": (["shrub land", "shrubland", "scrub", "bushes", "heath", "shrub and herbaceous vegetation"],
              "shrub* california-shrub* *heath* *scrub* cerrado-generic pampas-shrub", None),
    "tundra": (["tundra", "herbaceous tundra", "herbaceous vegetation", "herbaceous vegetation land"], "herbtundra* tundra*", None),
    "marsh": (["marsh", "wetland", "inland marsh", "swamp"], "marsh* pantanal", None), "forest": (FOREST, WOODS, None),
    "town": (HOMES, TOWNS, None),
    "city": (["city", "urban area", "urban fabric", "built-up area", "city blocks", "buildings"],
             "18th* city* latin* mediterranean* town-middle-east", None),
    "industry": (WORKS, "industr* california-industry australia-commercial", None),
    "port": (["port area", "oil tanks", "railway yard"], "california-port transport", None),
    "cars": (["car park", "parking lot"], "carpark", None), "golf": (["golf course"], "*golf*", None),
    "graves": (["cemetery"], "cemetery", None),
    "rock": (["bare rock", "rock", "rocky land"], "rock* california-rock", None),
    "gravel": (["gravel", "dirt", "bare soil"], "gravel_* dirtrock*", None),
    "sand": (["sand", "desert", "beach"], "sand* california-sand desert-airport2", None),
    "dunes": (["dunes", "sand dunes"], "dunes*", None),
    "lava": (["lava"], "lava*", None), "cliffs": (["cliffs"], "*cliffs*", None),
    "snow": (["snow", "glacier", "ice"], "snow* glacier*", None),
    "floe": (["pack ice"], "packice*", None), "water": (WATER, "water* tidal", None),
    "pond": (["lake", "pond", "reservoir", "inland water"], f"{FIELDS} {WOODS} {GREEN} shrub*", "pond"),
    "coast": (["coastal water", "sea", "beach", "lake"], f"{WOODS} {GREEN} shrub* sand*", "coast"),
    "river": (["river", "stream", "watercourse", "winding river", "canal"], f"{FIELDS} {WOODS} {GREEN} {TOWNS} shrub*", "river"),
    "road": (ROADS, f"{FIELDS} {WOODS} {GREEN} {TOWNS} shrub*", "road")}
NOT = ("*mask*", "*relief*", "*overlay*", "*colors*", "crop", "cropgrass", "grain*", "gravel", "grass_structure*")
LEFT_OUT = ("rice", "savanna", "golf", "graves", "dunes", "cars")        # kinds to choose settings on, besides every fourth texture


def find(data, out):
    """The folder of the textures, below `data` or unpacked from the package there; None if it is not to be had."""
    for base in (data / "flightgear", out / "flightgear"):
        found = sorted(base.rglob("Textures/Terrain")) if base.is_dir() else []
        if found:
            return found[0]
    for deb in sorted(data.glob(f"{PACKAGES[0]}_*.deb")):
        part = out / "flightgear.part"
        part.mkdir(parents=True, exist_ok=True)
        tar = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", part, "--wildcards", "*/Textures/Terrain/*.png"], stdin=tar.stdout, check=True)
        if tar.wait():
            raise SystemExit(f"{deb}: dpkg-deb failed")
        part.rename(out / "flightgear")
        return find(data, out)
    return None


def textures(folder):
    """{kind: sorted texture files}"""
    all_ = [f for f in sorted(Path(folder).glob("*.png")) if not any(fnmatch(f.stem, n) for n in NOT)]
    return {k: [f for f in all_ if any(fnmatch(f.stem, p) for p in files.split())] for k, (_, files, _) in KINDS.items()}


def water(rng):
    r = rng.uniform(10, 60)
    return tuple(int(v) for v in (r, r + rng.uniform(5, 50), r + rng.uniform(15, 75)))


def curve(rng, bend):
    """A line across a square of 256, turned anyhow."""
    t, a, x0 = np.linspace(-60, 316, 48), rng.uniform(0, math.pi), rng.uniform(70, 186)
    y = x0 + sum(bend / (k + 1) * rng.normal() * np.sin(t / 256 * math.pi * (k + 1) + rng.uniform(0, 6.3)) for k in range(4))
    c, s = math.cos(a), math.sin(a)
    return [(128 + c * (u - 128) - s * (v - 128), 128 + s * (u - 128) + c * (v - 128)) for u, v in zip(t, y)]


def draw_over(im, what, rng):
    """im: 256 x 256."""
    d = ImageDraw.Draw(im)
    if what == "river":
        d.line(curve(rng, 50), fill=water(rng), width=int(rng.uniform(10, 64)), joint="curve")
    elif what == "road":
        for _ in range(1 + (rng.random() < 0.4) + (rng.random() < 0.2)):
            line, g, width = curve(rng, 14), rng.uniform(95, 215), rng.uniform(4, 14)
            d.line(line, fill=tuple(int(g + e) for e in rng.uniform(-8, 8, 3)), width=int(width), joint="curve")
            if rng.random() < 0.4:
                d.line(line, fill=(90, 105, 80), width=max(1, int(width / 4)), joint="curve")
    elif what == "rows":
        step, size, g = rng.uniform(7, 22), rng.uniform(0.3, 0.9), rng.uniform(35, 80)
        along = step * (0.4 if rng.random() < 0.3 else 1)
        for y in np.arange(-60, 320, step):
            for x in np.arange(-60, 320, along):
                r = step * size / 2 * rng.uniform(0.8, 1.2)
                d.ellipse([x - r, y - r, x + r, y + r], fill=(int(g * 0.8), int(g * 1.15), int(g * 0.6)))
        im = im.rotate(rng.uniform(-30, 30), Image.BICUBIC).crop((40, 40, 216, 216)).resize((256, 256), Image.BICUBIC)
    else:
        phase, size = rng.uniform(0, 6.3, 4), rng.uniform(35, 100)
        if what == "pond":
            a, (cx, cy) = np.linspace(0, 2 * math.pi, 60), rng.uniform(80, 176, 2)
            r = size * (1 + sum(0.25 / (k + 1) * np.sin((k + 1) * a + phase[k]) for k in range(4)))
            d.polygon([(cx + p * math.cos(q), cy + p * math.sin(q)) for p, q in zip(r, a)], fill=water(rng))
        else:
            far = 900 if rng.random() < 0.5 else -900
            d.polygon(curve(rng, 40) + [(900, far), (-900, far)], fill=water(rng))
    return im


def listing(folder, count):
    """`count` pictures a kind, the kind's textures in turn."""
    return sorted(Job(files[i % len(files)], k, i) for k, files in enumerate(textures(folder).values()) for i in range(count))


def held(job):
    """Whether the picture is one that settings are chosen on: a kind left out, or a fourth of the other kinds' textures."""
    kind, (_, files, _) = list(KINDS.items())[job.kind]
    return kind in LEFT_OUT or ("*" in files and zlib.crc32(job.texture.stem.encode()) % 4 == 0)


def cut(job, side, textures_open):
    """A job's picture, side x side."""
    if job.texture not in textures_open:
        textures_open[job.texture] = Image.open(job.texture).convert("RGB")
        for old in list(textures_open)[:-8]:
            textures_open.pop(old, None)
    texture, rng = textures_open[job.texture], np.random.default_rng([zlib.crc32(job.texture.stem.encode()), job.kind, job.number])
    least = min(texture.size)
    c = int(math.exp(rng.uniform(math.log(min(least, 150)), math.log(least))))
    x, y = (int(rng.integers(0, s - c + 1)) for s in texture.size)
    im = texture.crop((x, y, x + c, y + c)).resize((256, 256), Image.BICUBIC)
    for turn in (Image.FLIP_LEFT_RIGHT, Image.FLIP_TOP_BOTTOM, Image.TRANSPOSE):
        if rng.random() < 0.5:
            im = im.transpose(turn)
    what = list(KINDS.values())[job.kind][2]
    if what:
        im = draw_over(im, what, rng)
    r = int(rng.choice([64, 64, 96, 224]))
    a = np.asarray(im.resize((r, r), Image.BICUBIC), np.float32)
    grey = a.mean(2, keepdims=True)
    a = grey + (a - grey) * rng.uniform(0.6, 1.3)                                           # colour
    a = (a - a.mean()) * rng.uniform(0.6, 1.3) + a.mean() * rng.uniform(0.7, 1.4)             # contrast, light
    a = a * rng.uniform(0.9, 1.1, 3) + rng.uniform(0, 0.25) * (np.array([90, 105, 125]) - a)   # tint, haze
    a += rng.normal(0, rng.uniform(0, 3), a.shape)
    return Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)).resize((side, side), Image.BICUBIC)
