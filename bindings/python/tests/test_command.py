# SPDX-License-Identifier: MIT
"""The command that comes with the package: `mopd` and `python -m mopd` are the C program, with the package's model."""
from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, PICTURES, TOWERS

from mopd._files import COMMAND, installed

SCRIPT = Path(sys.executable).with_name("mopd")

pytestmark = pytest.mark.skipif(installed(COMMAND) is None, reason="the package is not installed: no command in it")


def run(*words, **environment):
    keep = {k: v for k, v in os.environ.items() if not k.startswith("MOPD_") and k != "LD_LIBRARY_PATH"}
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=PATIENCE, env={**keep, **environment})


@pytest.mark.parametrize("words", [[sys.executable, "-m", "mopd"], [SCRIPT]], ids=["module", "script"])
def test_both_names_are_the_program(words):
    out = run(*words, "--version")
    assert (out.returncode, out.stderr) == (0, "") and "0.1.0" in out.stdout
    wrong = run(*words, "classfy")
    assert wrong.returncode == 2 and wrong.stderr.startswith("mopd: error: ")


def test_it_classifies():
    out = run(SCRIPT, "classify", "-m", TOWERS / "hf", "--classes", "a,dog", "--top", "2", "--format", "json", PICTURES[0])
    assert out.returncode == 0, out.stderr
    top = json.loads(out.stdout)["results"][0]["top"]
    assert {match["class"] for match in top} == {"a", "dog"} and abs(sum(m["probability"] for m in top) - 1) < 1e-5


def test_its_model_is_that_of_the_package(tmp_path):
    code = "import mopd; print(mopd.Encoder().fingerprint)"
    library = run(sys.executable, "-c", code, MOPD_CACHE=str(tmp_path))
    program = run(SCRIPT, "inspect", "--format", "json", MOPD_CACHE=str(tmp_path))
    assert library.returncode == program.returncode, program.stderr
    if program.returncode == 0:
        assert json.loads(program.stdout)["fingerprint"] == library.stdout.strip()
    named = run(SCRIPT, "inspect", "--format", "json", MOPD_MODEL=str(TOWERS / "hf"))
    assert named.returncode == 0 and json.loads(named.stdout)["fingerprint"] != library.stdout.strip()


def test_licences_are_told():
    files = {str(path) for path in importlib.metadata.files("mopd") or []}
    assert any(path.endswith(".dist-info/licenses/LICENSE") for path in files)
    assert installed("builtin.safetensors") is None or any(path.endswith("licenses/builtin-model.txt") for path in files)
