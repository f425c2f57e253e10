#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readers.py - checks that readers.txt lists every reader of bytes from outside and that their fuzz targets are there.

    readers.py                    the checks, as a unit test
    readers.py reached REPORT     whether a target reached what it is listed for; REPORT.TARGET: libFuzzer's list of the
                                  functions that the corpus of TARGET covered (-print_coverage=1), for every target

A file of lib/ is a reader when it opens files, lists folders, asks a tree that was made of a file (JSON, pickle, zip,
tensors), walks through UTF-8 or takes bytes from its caller.  A public function is one when it takes a path, bytes or
samples and does not write them."""
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "code"))
from check import TOKEN, blank, sources  # noqa: E402

CALLS = re.compile(r"(?<![\w.>])(?:mo_file_(?:read|open)\w*|mo_map_open|mo_names_dir|mo_os_(?:open|names_open)\w*|open|fopen|fread|mmap|opendir"
                   r"|mo_json_(?:parse|open|get|item|need\w*|may\w*)|mo_tensors_(?:open|find|need|meta\w*)"
                   r"|mo_(?:safetensors_(?:open|read)|torchfile|zip|pickle)\w*|mo_weights_raw|mo_utf8_(?:next|prefix|valid))\(")
TAKES = re.compile(r"\bconst (?:void|uint8_t|unsigned char) \*\w*bytes\b")
DECLARES = re.compile(r"\bMOPD_API\s+[\w\s*]+?\b(mopd_\w+)\(([^;]*)\);", re.S)
PUBLIC_TAKES = re.compile(r"\bconst (?:char \*(?:const \*)?(?:path|paths|text)|(?:void|uint8_t) \*(?:bytes|samples))\b")
WRITERS = re.compile(r"_(save|pack|checkpoint|note|withdraw|set_cpu)$")  # of what takes a path or a text


def is_reader(text):
    text = TOKEN.sub(blank, text)
    return bool(CALLS.search(text) or TAKES.search(text))


def public_readers(text):
    text = TOKEN.sub(blank, text)
    return [name for name, takes in DECLARES.findall(text) if PUBLIC_TAKES.search(takes) and not WRITERS.search(name)]


def table(text):
    """Name -> list of targets, empty where none is needed."""
    rows = {}
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] in rows or len(words) < 2 + (words[1:2] == ["-"]):
            raise ValueError(f"readers.txt: {line}")
        rows[words[0]] = [] if words[1] == "-" else words[1:]
    return rows


def table_faults(rows, readers, targets):
    for name in sorted(readers - rows.keys()):
        yield f"{name} reads bytes from outside and is not in readers.txt"
    for name in sorted(rows.keys() - readers):
        yield f"{name} is in readers.txt and is no reader"
    listed = {t for row in rows.values() for t in row}
    for target in sorted(listed - targets):
        yield f"{target}: no tests/fuzz/fuzz_{target}.c"
    for target in sorted(targets - listed):
        yield f"{target}: a target that readers.txt does not name"


def all_readers():
    found = {path for path, text in sources("lib") if path.endswith(".c") and is_reader(text)}
    return found | {name for _, text in sources("include") for name in public_readers(text)}


def all_targets():
    return {path.stem[5:] for path in HERE.glob("fuzz_*.c")}


NEVER_READ = {"adapter_config.json", "model_index.json"}  # their being there is spoken of


def file_names(text):
    """Names of files that a source looks for in a folder."""
    return set(re.findall(r'"([A-Za-z][\w.]*[.](?:json|safetensors|bin|pth?|txt|gz))"', text))


def reached(report):
    """Files and functions of a list that libFuzzer printed."""
    return {word for line in report.splitlines() if line.startswith("COVERED_FUNC")
            for word in re.findall(r"\bmo(?:pd)?_\w+|\blib/[a-z/]+\w+\.c", line)}


def reach_faults(rows, reports):
    for name, targets in rows.items():
        for target in targets:
            if name not in reports[target]:
                yield f"{name} is not reached by tests/fuzz/corpus/{target}"


class Readers(unittest.TestCase):
    def none_of(self, faults):
        faults = list(faults)
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_every_reader_has_its_target(self):
        self.assertGreater(len(all_readers()), 40)
        self.none_of(table_faults(table((HERE / "readers.txt").read_text()), all_readers(), all_targets()))

    def test_every_target_has_its_corpus(self):
        corpora = {path.name for path in (HERE / "corpus").iterdir() if any(path.iterdir())}
        self.assertEqual(corpora, all_targets())

    def test_every_file_of_a_model_folder_is_in_a_target(self):
        asked = set().union(*(file_names(text) for path, text in sources("lib/model/layouts", "lib/token")))
        self.assertGreater(len(asked), 10)
        self.assertEqual(asked - NEVER_READ - set().union(*(file_names(p.read_text()) for p in HERE.glob("fuzz_*.c"))), set())

    def test_the_corpus_is_small(self):
        self.assertLess(sum(p.stat().st_size for p in (HERE / "corpus").rglob("*") if p.is_file()), 1 << 20)


class SeesWhatIsWrong(unittest.TestCase):
    def test_readers(self):
        for line in ("f = fopen(path, \"rb\");", "st = mo_json_need_int(root, key, path, &x);", "mo_zip_open(&zip, p, n, path);",
                     "mopd_status mo_webp_decode(mo_image *out, const void *bytes, size_t n_bytes)\n{"):
            self.assertTrue(is_reader(line), line)
        for line in ("/* fopen(path) */", "x = \"mo_zip_open(\";", "mo_fail(st, path);", "mo_norm_fwd(x, y, n);"):
            self.assertFalse(is_reader(line), line)
        text = ("MOPD_API mopd_status mopd_list_open(mopd_list **out,\n    const char *path);\n"
                "MOPD_API mopd_status mopd_list_save(const mopd_list *list, const char *path);\n"
                "MOPD_API size_t mopd_list_size(const mopd_list *list);\n")
        self.assertEqual(public_readers(text), ["mopd_list_open"])

    def test_table(self):
        rows = table("# words\nlib/a.c json zip\nlib/b.c - writes\n")
        self.assertEqual(rows, {"lib/a.c": ["json", "zip"], "lib/b.c": []})
        self.assertEqual(list(table_faults(rows, {"lib/a.c", "lib/b.c"}, {"json", "zip"})), [])
        self.assertEqual(len(list(table_faults(rows, {"lib/a.c", "lib/c.c"}, {"json", "png"}))), 4)
        for wrong in ("lib/a.c\n", "lib/a.c -\n", "lib/a.c json\nlib/a.c zip\n"):
            self.assertRaises(ValueError, table, wrong)

    def test_file_names(self):
        self.assertEqual(file_names('f("config.json", "x: %s.json", "a.h", ".pth", "m.bin.index.json")'), {"config.json", "m.bin.index.json"})

    def test_reach(self):
        report = reached("COVERED_FUNC: hits: 1 edges: 5/9 mo_zip_open /x/lib/format/zip.c:12\nUNCOVERED_FUNC: hits: 0 mo_zip_is /x/lib/a.c:1\n")
        self.assertEqual(report, {"mo_zip_open", "lib/format/zip.c"})
        self.assertEqual(list(reach_faults({"lib/format/zip.c": ["zip"]}, {"zip": report})), [])
        self.assertEqual(len(list(reach_faults({"lib/format/png.c": ["zip"]}, {"zip": report}))), 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["reached"] and len(sys.argv) == 3:
        reports = {t: reached(pathlib.Path(f"{sys.argv[2]}.{t}").read_text(errors="replace")) for t in all_targets()}
        faults = list(reach_faults(table((HERE / "readers.txt").read_text()), reports))
        sys.exit("\n".join(faults) or None)
    unittest.main()
