#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py BUILD [PYTHON] - everything in the repository's pages that claims to be code is held to it.

c, cpp: a block with main is compiled, linked and, where the built-in model is there, run beside a photo.jpg; a block of
functions is compiled; anything else is compiled as the inside of a function that has the usual handles and arrays.  json: parses.
python: parses, and runs in PYTHON (an interpreter with the package `mopd`), except with PyTorch or transformers, which are not there.
sh: each option given to a mopd subcommand is one that its --help knows; scripts of the repository exist.  Every public
function stands in a c block or in examples/.  links.py looks after what the pages point to, figures.py after their figures.
"""
import ast
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import links

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WARN = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-unused-variable", "-pedantic"]
INSIDE = """#include <stdio.h>
#include <stdlib.h>
#include {header}
void fragment(const mopd_encoder *encoder, const mopd_bank *bank, const mopd_prompt *prompt, mopd_trainer *trainer,
    const mopd_dataset *data, const mopd_image *image, const void *bytes, size_t n_bytes, const char *const *classes,
    size_t n_classes, float *features, const int32_t *labels, size_t n, size_t dim, float *pixels);
void fragment(const mopd_encoder *encoder, const mopd_bank *bank, const mopd_prompt *prompt, mopd_trainer *trainer,
    const mopd_dataset *data, const mopd_image *image, const void *bytes, size_t n_bytes, const char *const *classes,
    size_t n_classes, float *features, const int32_t *labels, size_t n, size_t dim, float *pixels)
{{
    {{
{code}
    }}
}}
"""


class Checker:
    def __init__(self, build, work, interpreter):
        self.build, self.work, self.interpreter = build, work, interpreter
        self.passed, self.failed = 0, []
        self.model = os.path.join(build, "builtin.safetensors")
        self.env = dict(os.environ, LD_LIBRARY_PATH=build, MOPD_MODEL=self.model)
        self.env["PYTHONPATH"] = os.path.join(ROOT, "examples/distributed")

    def note(self, where, problem):
        if problem:
            self.failed.append(f"{where}: {problem}")
        else:
            self.passed += 1

    def run(self, *words, cwd=None):
        done = subprocess.run(words, capture_output=True, text=True, env=self.env, cwd=cwd or self.work, check=False)
        return done.returncode, done.stdout + done.stderr

    def mopd(self, *words):
        """What the pages' Python reads, made by the command."""
        status, text = self.run(os.path.join(self.build, "mopd"), *words)
        self.note("mopd " + words[0], text if status else None)

    def compiled(self, code, suffix, compiler):
        header = "<mopd/mopd.hpp>" if suffix == ".cpp" else "<mopd/mopd.h>"
        whole = re.search(r"^int main\(", code, re.M)
        functions = re.search(r"^[a-z].*\)\n?\{", code, re.M)
        if not whole and not functions:
            code = INSIDE.format(header=header, code=code)
        source = os.path.join(self.work, "block" + suffix)
        with open(source, "w", encoding="utf-8") as out:
            out.write(code)
        extra = ["-Wno-missing-field-initializers"] if suffix == ".cpp" else []
        goal = ["-o", "block", "-L" + self.build, "-lmopd", "-lm"] if whole else ["-fsyntax-only"]
        status, text = self.run(*compiler, *WARN, *extra, "-I" + os.path.join(ROOT, "include"), source, *goal)
        if status == 0 and whole and os.path.exists(self.model):
            status, text = self.run("./block")
        return text or "exit status is not 0" if status else None

    def c(self, code):
        return self.compiled(code, ".c", ["gcc", "-std=c11"])

    def cpp(self, code):
        return self.compiled(code, ".cpp", ["g++", "-std=c++17"])

    def json(self, code):
        try:
            json.loads(code)
        except ValueError as error:
            return str(error)
        return None

    def python(self, code):
        try:
            ast.parse(code)
        except SyntaxError as error:
            return str(error)
        if not self.interpreter or re.search(r"^(?:import|from) (?:torch|transformers)\b", code, re.M):
            return None
        status, text = self.run(self.interpreter, "-c", code)
        return text or "exit status is not 0" if status else None

    def sh(self, code):
        for line in code.splitlines():
            words = line.split("#")[0].split()
            if words and words[0].startswith("scripts/") and not os.path.exists(os.path.join(ROOT, words[0])):
                return f"{words[0]} does not exist"
            if len(words) < 2 or words[0] != "mopd":
                continue
            status, known = self.run(os.path.join(self.build, "mopd"), words[1], "--help")
            if status:
                return f"mopd {words[1]}: {known}"
            for option in re.findall(r"(?<!\S)(--[a-z0-9-]+|-[a-z])(?!\S)", line.split("#")[0]):
                if not re.search(rf"(?:^|\s){option}[\s,]", known):
                    return f"mopd {words[1]} has no {option}"
        return None


def blocks(path):
    with open(path, encoding="utf-8") as page:
        text = page.read()
    for found in re.finditer(r"^```([a-z]+)\n(.*?)^```$", text, re.M | re.S):
        yield text.count("\n", 0, found.start()) + 1, found.group(1), found.group(2)


def functions_without_example(c_code):
    used = set(re.findall(r"\bmopd_[a-z0-9_]+(?=\()", c_code))
    missing = []
    for header in sorted(glob.glob(os.path.join(ROOT, "include/mopd/*.h"))):
        with open(header, encoding="utf-8") as text:
            declared = re.findall(r"^MOPD_API [^;(]*?(mopd_\w+)\(([^;]*);", text.read(), re.M)
            missing += [name for name, rest in declared if name not in used and "MOPD_DEPRECATED" not in rest]
    return missing


def prepare(work):
    """What the examples name: photo.jpg and a folder of pictures."""
    pixels = os.path.join(ROOT, "tests/gold/pixels")
    shutil.copy(os.path.join(pixels, "420.jpg"), os.path.join(work, "photo.jpg"))
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(os.path.join(pixels, "444.jpg"), os.path.join(work, name))
    for kind, picture in (("maple", "420.jpg"), ("oak", "drawn.png")):
        os.makedirs(os.path.join(work, "pictures", kind))
        for i in range(2):
            shutil.copy(os.path.join(pixels, picture), os.path.join(work, "pictures", kind, f"{i}{picture[-4:]}"))


def main():
    with tempfile.TemporaryDirectory() as work:
        check = Checker(os.path.abspath(sys.argv[1]), work, os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None)
        prepare(work)
        if check.interpreter:
            check.mopd("features", "-d", "pictures", "-o", "pictures.safetensors")
            check.mopd("train", "-d", "pictures.safetensors", "--epochs", "1", "-o", "prompt.safetensors")
        c_code = ""
        for page in links.pages(ROOT):
            for line, language, code in blocks(page):
                if language == "c":
                    c_code += code
                if hasattr(Checker, language):
                    check.note(f"{os.path.relpath(page, ROOT)}:{line} ({language})", getattr(check, language)(code))
        for example in glob.glob(os.path.join(ROOT, "examples/[0-9]*.c")):
            with open(example, encoding="utf-8") as text:
                c_code += text.read()
        missing = functions_without_example(c_code)
        check.note("public functions", "no example of " + ", ".join(missing) if missing else None)
    for problem in check.failed:
        print(problem, file=sys.stderr)
    print(f"{check.passed} passed, {len(check.failed)} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
