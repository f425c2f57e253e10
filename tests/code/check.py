#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py - reads every source of the library and refuses what docs/architecture.md forbids.

    includes    a folder of lib/ includes itself, lower ranks and include/mopd; a third-party header stands in one file,
                headers of the system in lib/base/os* and examples/mopd/sys*; examples, the command and public headers see include/mopd alone
    rings       no file (header and source of one name together) reaches itself through includes
    names       functions shared inside the library are called mo_ and the stem of their file; functions of the public
                interface are defined in lib/api and nowhere else
    lengths     the median and the ninetieth percentile of lines a function
    heads       every source begins with its licence and its own name

Each check has its counterpart below that shows it what is wrong (SeesWhatIsWrong)."""
import pathlib
import re
import statistics
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

RANKS = {"base": 0, "format": 1, "math": 1, "layer": 2, "token": 2, "pixel": 2, "clip": 3, "model": 4,
         "prompt": 5, "data": 5, "train": 6, "api": 7}

OWNERS = {"blis.h": "lib/math/ukernel.c", "png.h": "lib/format/png.c", "jpeglib.h": "lib/format/jpeg.c", "jerror.h": "lib/format/jpeg.c",
          "zlib.h": "lib/format/zip.c", "webp/decode.h": "lib/format/webp.c", "webp/demux.h": "lib/format/webp.c",
          "gif_lib.h": "lib/format/gif.c", "tiffio.h": "lib/format/tiff.c",
          "libheif/heif.h": "lib/format/heif.c", "jansson.h": "lib/format/json.c", "utf8proc.h": "lib/token/unicode.c"}

# What C11 has on every system and means the same on all: not its clocks, signals, locales and threads, which are lib/base/os*'s.
STANDARD = {f"{name}.h" for name in ("assert complex ctype errno fenv float inttypes limits math setjmp stdalign stdarg stdatomic "
                                     "stdbool stddef stdint stdio stdlib stdnoreturn string").split()}
OF_PROCESSORS = {"arm_neon.h", "cpuid.h", "immintrin.h", "wasm_simd128.h"}
SYSTEM = re.compile(r"lib/base/os(_\w+)?[.][ch]$")

# What the command has beside that: what C11 has of dates and signals, and two that mean the same on all.
OF_THE_COMMAND = STANDARD | {"getopt.h", "jansson.h", "signal.h", "time.h"}
COMMANDS_SYSTEM = re.compile(r"examples/mopd/sys(_\w+)?[.][ch]$")

# Arithmetic of sizes is written so often that its names are short.
SHORT_NAMES = {"mo_min", "mo_max", "mo_ceil_div", "mo_round_up", "mo_cut", "mo_mul", "mo_add", "mo_times", "mo_plus"}

MOST_LINES = {"median": 10, "p90": 22}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|^[ \t]*#(?:\\\n|[^\n])*', re.S | re.M)


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".c", ".h"):
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def folder_of(path):
    return path.split("/")[1]


def bad_include(path, quote, header):
    """Why `path` must not include `header`, or None."""
    if path.startswith("examples/mopd/") and quote == "<" and header not in OF_THE_COMMAND and not COMMANDS_SYSTEM.match(path):
        return "what the system has is asked for in examples/mopd/sys_*.c"
    if not path.startswith("lib/"):
        if quote != '"' or "/" not in header:
            return None
        if path.startswith("include/"):
            return "public headers include their own folder"
        return None if header.startswith("mopd/") else "examples see include/mopd alone"
    if quote == "<":
        owner = OWNERS.get(header)
        if owner:
            return None if path.startswith(owner) else "this header belongs to one file alone"
        known = header in STANDARD or header in OF_PROCESSORS or SYSTEM.match(path)
        return None if known or not path.startswith("lib/") else "what the system has is asked for in lib/base/os_*.c"
    if "/" not in header:
        return "own headers are named folder/file.h"
    if header.startswith("mopd/"):
        return None
    mine, theirs = folder_of(path), header.split("/")[0]
    if mine not in RANKS or theirs not in RANKS:
        return "an unknown folder"
    return "points upwards or to a sibling" if mine != theirs and RANKS[theirs] >= RANKS[mine] else None


def include_faults(files):
    for path, text in files:
        for quote, header in INCLUDE.findall(text):
            why = bad_include(path, quote, header)
            if why:
                yield f"{path} includes {header}: {why}"


def module(path):
    return re.sub(r"\.[ch]$", "", re.sub("^lib/", "", path))


def ring(files):
    """The files of one ring of includes, [] when there is none."""
    graph = {}
    for path, text in files:
        edges = graph.setdefault(module(path), set())
        edges |= {module(h) for q, h in INCLUDE.findall(text) if q == '"' and not h.startswith("mopd/")} - {module(path)}
    done, trail = set(), []

    def visit(node):
        if node in trail:
            return trail[trail.index(node):]
        if node in done:
            return []
        trail.append(node)
        for edge in sorted(graph.get(node, ())):
            found = visit(edge)
            if found:
                return found
        done.add(trail.pop())
        return []

    for node in sorted(graph):
        found = visit(node)
        if found:
            return found
    return []


def blank(match):
    """Comments, literals and directives as blanks, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", match.group(0))


def functions(text):
    """(name, is static, lines) of every function defined in a source."""
    text, start, depth, header = TOKEN.sub(blank, text), 0, 0, 0
    found = []
    for i, c in enumerate(text):
        if c == "{":
            if depth == 0:
                header, start = start, i
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                head = text[header:start]
                name = re.search(r"\b([A-Za-z_]\w*)\s*\(", head)
                if name and "=" not in head and not re.match(r"\s*typedef\b", head):
                    lines = text.count("\n", header + len(head) - len(head.lstrip()), i) + 1
                    found.append((name.group(1), bool(re.search(r"\bstatic\b", head)), lines))
                start = i + 1
        elif c == ";" and depth == 0:
            start = i + 1
    return found


def bad_name(path, name, is_static):
    stem = path.rsplit("/", 1)[1].split(".")[0]
    if name.startswith("mopd_"):
        return None if path.startswith("lib/api/api") else "public functions are defined in lib/api/api_*.c"
    if is_static and not name.startswith("mo_"):
        return None
    if name in SHORT_NAMES:
        return None
    if not name.startswith("mo_"):
        return "functions shared inside the library begin with mo_"
    wanted = (stem, stem.split("_")[0])
    carries = any(name == f"mo_{s}" or name.startswith(f"mo_{s}_") for s in wanted)
    return None if carries else f"does not carry its file's stem, mo_{stem}"


def name_faults(files):
    for path, text in files:
        for name, is_static, _ in functions(text):
            why = bad_name(path, name, is_static)
            if why:
                yield f"{path}: {name} {why}"


def head_faults(files):
    for path, text in files:
        name = path.rsplit("/", 1)[1]
        if not text.startswith("/* SPDX-License-Identifier: MIT\n") or not text.split("\n")[1].startswith(f" * {name} - "):
            yield f"{path}: begins with its licence and \" * {name} - what it is\""


class Code(unittest.TestCase):
    def none_of(self, faults):
        faults = list(faults)
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_there_is_something_to_read(self):
        self.assertGreater(sum(1 for _ in sources("lib", "include", "examples")), 150)

    def test_includes_point_downward(self):
        self.none_of(include_faults(sources("lib", "include", "examples")))

    def test_includes_make_no_ring(self):
        self.assertEqual(ring(sources("lib")), [])

    def test_names_carry_the_stem_of_their_file(self):
        self.none_of(name_faults(sources("lib")))

    def test_files_begin_with_licence_and_name(self):
        self.none_of(head_faults(sources("lib", "include", "examples", "tests")))

    def test_functions_are_short(self):
        lines = sorted(n for _, text in sources("lib") for _, _, n in functions(text))
        p90 = lines[len(lines) * 9 // 10]
        print(f"functions: {len(lines)}, median {statistics.median(lines):g}, p90 {p90}, longest {lines[-1]} lines")
        self.assertLessEqual(statistics.median(lines), MOST_LINES["median"])
        self.assertLessEqual(p90, MOST_LINES["p90"])


class SeesWhatIsWrong(unittest.TestCase):
    def test_includes(self):
        wrong = [("lib/layer/norm.c", '#include "train/trainer.h"\n'), ("lib/format/zip.c", ' # include "math/gemm.h"\n'),
                 ("lib/format/jpeg.c", "#include <png.h>\n"), ("lib/math/gemm_bf16.c", "#include <blis.h>\n"),
                 ("examples/01_classify.c", '#include "base/mem.h"\n'), ("lib/base/mem.c", '#include "fail.h"\n'),
                 ("lib/data/csv.c", '#include "prompt/bank.h"\n'), ("include/mopd/image.h", '#include "base/mem.h"\n'),
                 ("lib/model/layouts/hf.c", '#include "prompt/bank.h"\n'), ("lib/base/file.c", "#include <sys/stat.h>\n"),
                 ("lib/data/csv.c", "#  include <windows.h>\n"), ("lib/base/hash.c", "#include <time.h>\n"),
                 ("lib/base/osmosis.c", "#include <unistd.h>\n"), ("examples/mopd/main.c", "#include <unistd.h>\n")]
        for case in wrong:
            self.assertEqual(len(list(include_faults([case]))), 1, case)
        right = [("lib/layer/norm.c", '#include "base/mem.h"\n'), ("lib/format/png.c", "#include <png.h>\n"),
                 ("examples/01_classify.c", "#include <mopd/mopd.h>\n"), ("lib/model/layouts/hf.c", '#include "clip/config.h"\n'),
                 ("lib/base/os_file_posix.c", "#include <sys/stat.h>\n"), ("lib/base/os.h", "#include <pthread.h>\n"),
                 ("examples/mopd/sys_posix.c", "#include <unistd.h>\n"), ("lib/math/mat.c", "#include <math.h>\n")]
        self.assertEqual(list(include_faults(right)), [])

    def test_rings(self):
        files = [("lib/base/a.h", '#include "base/b.h"\n'), ("lib/base/b.c", '#include "base/c.h"\n'), ("lib/base/c.h", '#include "base/a.h"\n')]
        self.assertEqual(len(ring(files)), 3)
        self.assertEqual(ring(files[:2]), [])
        self.assertEqual(ring([("lib/base/a.c", '#include "base/a.h"\n')]), [])

    def test_names(self):
        text = ('/* mo_wrong() { */\nvoid mo_norm_fwd(float *y)\n{\n    const char *s = "}";\n}\n'
                "static int helper(void) { return '{'; }\nint table[] = {1};\n#define X(a) { a }\nint mo_other(int (*f)(int))\n{\n    return f(1);\n}\n")
        self.assertEqual(functions(text), [("mo_norm_fwd", False, 4), ("helper", True, 1), ("mo_other", False, 4)])
        self.assertEqual(list(name_faults([("lib/layer/norm.c", text)])), ["lib/layer/norm.c: mo_other does not carry its file's stem, mo_norm"])
        for path, name in (("lib/base/mem.c", "mopd_free"), ("lib/base/mem.c", "alloc")):
            self.assertIsNotNone(bad_name(path, name, False))
        self.assertIsNone(bad_name("lib/base/pool_run.c", "mo_pool_create", False))

    def test_heads(self):
        self.assertEqual(len(list(head_faults([("lib/base/mem.c", "/* mem.c - no licence */\n")]))), 1)
        self.assertEqual(len(list(head_faults([("lib/base/mem.c", "/* SPDX-License-Identifier: MIT\n * buf.c - another name\n")]))), 1)


if __name__ == "__main__":
    unittest.main()
