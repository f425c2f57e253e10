# SPDX-License-Identifier: MIT
"""Defaults and limits stand once, in the library: signatures, docstrings, refusals and the command's help agree with it."""
from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from sklearn.base import clone

import mopd
from mopd import _settings

SETTINGS = mopd.trainer_settings()
IN_PYTHON = {"lambda": "reg"}
TAKERS = [mopd.Trainer, mopd.MoPDClassifier]
WORDS = ["a", "dog", "cat", "photo"]


def parameter(name):
    return IN_PYTHON.get(name, name)


def test_settings_are_whole():
    assert list(SETTINGS)[:2] == ["method", "n_context"] and len(SETTINGS) == 20
    for s in SETTINGS.values():
        assert s.text and not s.text.endswith(".")
        assert s.least <= s.most
        assert bool(s.choices) == (s.kind == "choice")
        if s.kind == "choice":
            assert s.default in s.choices and len(s.choices) == s.most + 1
        elif s.kind in ("count", "real") and s.default is not None:
            assert s.open or s.least <= s.default <= s.most
        elif s.default is None:
            assert s.open


@pytest.mark.parametrize("taker", TAKERS)
def test_signatures_have_the_library_s_defaults(taker):
    parameters = inspect.signature(taker).parameters
    for name, s in SETTINGS.items():
        default = parameters[parameter(name)].default
        assert default == s.default and type(default) is type(s.default), name
    source = inspect.getsource(taker.__init__)
    for name in SETTINGS:  # no number of its own that happens to be the same
        assert re.search(rf'\b{parameter(name)}: [^=\n]* = default\("{name}"\),', source), name


@pytest.mark.parametrize("taker", TAKERS)
def test_docstrings_show_them(taker):
    doc = inspect.cleandoc(taker.__doc__)  # Python 3.13 takes the indentation off itself
    assert "%" not in doc
    for name in ("epochs", "steps", "batch", "w", "w2", "top_k", "temperature", "seed", "method"):
        entry = re.search(rf"^{name} : .*, default (.*)$", doc, flags=re.M)
        assert entry and entry[1] == repr(SETTINGS[name].default), name
    assert SETTINGS["lr"].open in taker.__doc__
    for method in SETTINGS["method"].choices:
        assert f"``{method}``" in taker.__doc__


def test_the_estimator_holds_and_clones_them(enc):
    params = mopd.MoPDClassifier(enc).get_params()
    assert {n: params[parameter(n)] for n in SETTINGS} == {n: s.default for n, s in SETTINGS.items()}
    changed = mopd.MoPDClassifier(enc, w=0.25, epochs=3, reg=2.0)
    assert clone(changed).get_params() == changed.get_params()
    assert mopd.MoPDClassifier(enc).set_params(w=0.5).w == 0.5


def test_a_trainer_of_defaults_records_them(enc):
    recorded = mopd.Trainer(enc, WORDS).prompt().describe()["settings"]
    assert set(recorded) <= set(SETTINGS)
    for name, value in recorded.items():
        if SETTINGS[name].open is None:
            assert value == pytest.approx(SETTINGS[name].default) if SETTINGS[name].kind == "real" else (
                value == SETTINGS[name].default
            ), name


@pytest.mark.parametrize("name", [n for n, s in SETTINGS.items() if s.kind == "count"])
def test_counts_outside_their_limits_are_refused(enc, name):
    s = SETTINGS[name]
    for value in {int(s.least) - 1, int(s.most) + 1, -1, 2**64} - ({s.default} if s.open else set()):
        with pytest.raises(ValueError, match=f"{name} is {value}, {int(s.least)} to"):
            mopd.Trainer(enc, WORDS, **{name: value})
    with pytest.raises(TypeError, match=f"^{name}: a whole number is expected, not 2.5"):
        mopd.Trainer(enc, WORDS, **{name: 2.5})
    assert _settings.count(name, np.int64(s.least)) == s.least
    assert _settings.count(name, min(int(s.most), 2**64 - 1)) <= s.most


@pytest.mark.parametrize("name", [n for n, s in SETTINGS.items() if s.kind == "real"])
def test_reals_outside_their_limits_are_refused(enc, name):
    s = SETTINGS[name]
    below = [] if name == "lambda" else [-1.0]  # a negative lambda leaves it to the method
    for value in (*below, s.most * 2, float("nan"), float("inf")):
        with pytest.raises(mopd.MopdError, match=rf"^{name} is .* are allowed$") as caught:
            mopd.Trainer(enc, WORDS, method="kgcoop", **{parameter(name): value})
        assert caught.value.status == mopd.Status.ARG


@pytest.mark.parametrize("name", [n for n, s in SETTINGS.items() if s.kind == "real"])
def test_words_for_numbers_are_named(enc, name):
    with pytest.raises(TypeError, match=f"^{parameter(name)}: a number is expected, not 'x'"):
        mopd.Trainer(enc, WORDS, **{parameter(name): "x"})


def test_words_that_are_no_choice_are_named(enc):
    with pytest.raises(ValueError, match="class_position 'below' is none of 'end', 'middle', 'front'"):
        mopd.Trainer(enc, WORDS, class_position="below")
    with pytest.raises(mopd.MopdError, match=", ".join(SETTINGS["method"].choices)):
        mopd.Trainer(enc, WORDS, method="magic")


def test_the_command_s_help_shows_them(command):
    for subcommand in ("train", "bench-new"):
        text = command(subcommand, "--help")
        shown = 0
        for name, s in SETTINGS.items():
            line = re.search(rf"^ +--{name.replace('_', '-')} .*$", text, flags=re.M)
            if line is None or name == "seed":  # of --seed the command says what it draws beside
                continue
            shown += 1
            assert s.text in line[0]
            if s.kind == "count" or s.kind == "real":
                default = s.open if s.open else f"{s.default:g}"
                assert f"(default: {default}; from {s.least:.7g} to {s.most:.7g})" in line[0]
            elif s.kind == "choice":
                assert f": {', '.join(s.choices)} (default: {s.default})" in line[0]
        assert shown >= 8
