#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""planted.py - whether fuzzing finds a mistake: those of plants.py are planted, one at a time.

    planted.py                     the checks, as a unit test: every reader and every target has a plant, and the text that it
                                   replaces stands in the file once
    planted.py run [60s] [WORD...] plants them (those whose target or file has one of the words) and runs the target on its
                                   kept corpus, so many seconds of processor time at most; prints a table; the exit status is 1 when one is not found

Before a run tests/fuzz/run.sh must have built.  The sources stay as they are: a changed copy is compiled with the file's own
command and linked before the library, whose own is then left out."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build-fuzz"
SECONDS = 60
sys.path.insert(0, str(HERE))
from plants import PLANTS, WITHOUT  # noqa: E402
from readers import all_targets, table  # noqa: E402

FOUND = (re.compile(r"ERROR: AddressSanitizer: ([\w-]+)"), re.compile(r"runtime error: ([^\n]{5,60})"),
         re.compile(r"(\w+[.]c:\d+: .*) does not hold"), re.compile(r"ERROR: libFuzzer: ([\w -]+)"),
         re.compile(r"ERROR: LeakSanitizer: (detected memory leaks)"))


def planted(text, old, new):
    if text.count(old) != 1:
        raise ValueError(f"stands there {text.count(old)} times")
    return text.replace(old, new)


def readers():
    """The files of lib/ that readers.txt gives a target."""
    return {name for name, targets in table((HERE / "readers.txt").read_text()).items() if targets and name.startswith("lib/")}


def faults(plants, without, files, targets):
    for target, path, old, new in plants:
        try:
            if planted((ROOT / path).read_text(), old, new) == (ROOT / path).read_text():
                yield f"{path}: nothing is changed"
        except (OSError, ValueError) as why:
            yield f"{path}: {old!r}: {why}"
        if target not in targets:
            yield f"{path}: no target {target}"
    has = {path for _, path, _, _ in plants}
    yield from (f"{path}: a reader without a plant" for path in sorted(files - has - without.keys()))
    yield from (f"{path}: has a plant, and is among those that need none" for path in sorted(has & without.keys()))
    yield from (f"{target}: a target without a plant" for target in sorted(targets - {t for t, *_ in plants}))


class Plants(unittest.TestCase):
    def test_each_reader_has_one_whose_text_is_there(self):
        found = list(faults(PLANTS, WITHOUT, readers(), all_targets()))
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_sees_what_is_wrong(self):
        self.assertEqual(planted("a < b", "<", "<="), "a <= b")
        self.assertRaises(ValueError, planted, "a < b < c", "<", "<=")
        plant = ("json", "lib/format/json.c", "nothing that stands there", "x")
        self.assertEqual(len(list(faults([plant], {}, {"lib/format/json.c", "lib/format/zip.c"}, {"json", "zip"}))), 3)


# -- by hand --------------------------------------------------------------------------------------------------------------


def commands():
    """Object file -> its command, program -> its command."""
    out = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "fuzz"], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in out.splitlines():
        words = shlex.split(line.replace(": && ", "").replace(" && :", ""))
        if "-o" in words:
            found[words[words.index("-o") + 1]] = words
    return found


def build(known, target, path, text, work):
    """The target with another text for one file."""
    source, thing = work / pathlib.Path(path).name, work / "planted.o"
    source.write_text(text)
    objects = [name for name in known if name.endswith(f"mopd_objects.dir/{path}.o")]
    words = [w for w in known[objects[0]] if w != "-Werror"]
    words[words.index("-MF") + 1] = str(work / "planted.d")
    words = [str(thing) if w == objects[0] else str(source) if w.endswith("/" + path) else w for w in words]
    subprocess.run(words, check=True, cwd=BUILD)
    link, program = list(known[f"fuzz_{target}"]), work / "program"
    link[link.index("-o") + 1] = str(program)
    link.insert(link.index(str(program)) + 1, str(thing))
    subprocess.run(link, check=True, cwd=BUILD)
    return program


def busy(pid):
    """Seconds of processor time that a process has had."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def wait(process, most):
    """Until the process ends or has had its time; the processor time that it had."""
    seconds = 0.0
    while process.poll() is None and seconds < most:
        time.sleep(0.02)
        try:
            seconds = busy(process.pid)
        except (OSError, IndexError):
            break
    if process.poll() is None and seconds >= most:
        process.kill()
    process.wait()
    return seconds


def run(program, target, work, most):
    """Seconds, inputs and what was found; None where nothing was."""
    (work / "new").mkdir()
    arguments = ["-seed=1", "-timeout=60", "-rss_limit_mb=2048", "-max_len=65536", f"-dict={BUILD}/words.dict",
                 f"-artifact_prefix={work}/", "-print_final_stats=1"]
    inputs = [work / "new", HERE / "corpus" / target]
    if target in ("image", "jpeg", "png"):
        inputs.append(ROOT / "tests/gold/pixels")
    with open(work / "log", "wb") as log:
        process = subprocess.Popen([program, *arguments, *inputs], stderr=log, stdout=log,
                                   env={**os.environ, "TMPDIR": str(work), "MOPD_CPU": "avx2"})
        seconds = wait(process, most)
    text = (work / "log").read_text(errors="replace")
    executed = [int(n) for n in re.findall(r"^(?:#|stat::number_of_executed_units:\s*)(\d+)", text, re.M)]
    what = next((m[1] for m in (pattern.search(text) for pattern in FOUND) if m), f"exit status {process.returncode}")
    return seconds, max(executed, default=0), what if process.returncode not in (0, -9) else None


def try_plant(known, plant, most):
    target, path, old, new = plant
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as work:
        work = pathlib.Path(work)
        program = build(known, target, path, planted((ROOT / path).read_text(), old, new), work)
        seconds, executed, what = run(program, target, work, most)
    print(f"| `{path[4:]}` | {target} | {seconds:.1f} | {executed:,} | {what or 'NOT FOUND'} |", flush=True)
    return what is not None


def main(words):
    known = commands()
    most = int(words.pop(0)[:-1]) if words and re.fullmatch(r"\d+s", words[0]) else SECONDS
    chosen = [p for p in PLANTS if not words or any(w in (p[0], p[1]) or w in p[1] for w in words)]
    print("| reader | target | seconds | inputs | found as |\n| --- | --- | --- | --- | --- |")
    missed = [p for p in chosen if not try_plant(known, p, most)]
    print(f"planted: {len(chosen)}, found within {most} s of processor time: {len(chosen) - len(missed)}")
    return bool(missed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        sys.exit(main(sys.argv[2:]))
    unittest.main()
