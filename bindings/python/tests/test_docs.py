# SPDX-License-Identifier: MIT
"""Docstrings: everything public has one, and where it lists parameters it lists them all (numpydoc)."""
from __future__ import annotations

import inspect

import pytest

import mopd
import mopd.plot

validate = pytest.importorskip("numpydoc.validate").validate


def public():
    plots = [n for n, f in vars(mopd.plot).items() if inspect.isfunction(f) and f.__module__ == "mopd.plot" and n[0] != "_"]
    assert len(plots) == 9
    for module, names in ((mopd, mopd.__all__), (mopd.plot, plots)):
        for name in names:
            thing = getattr(module, name)
            yield f"{module.__name__}.{name}"
            if inspect.isclass(thing) and not issubclass(thing, (int, tuple, Exception)):
                own = [vars(c) for c in thing.__mro__ if c.__module__.startswith("mopd")]  # inherited ones too
                for member, value in {k: v for names in reversed(own) for k, v in names.items()}.items():
                    if not member.startswith("_") and (callable(value) or isinstance(value, (property, classmethod))):
                        yield f"{module.__name__}.{name}.{member}"


@pytest.mark.parametrize("name", list(public()))
def test_documented(name):
    report = validate(name)
    codes = {"GL08", "SS03"}  # no docstring; no full stop
    if "Parameters\n" in (report["docstring"] or ""):
        codes |= {"PR02", "PR07"}  # unknown parameter; without description
    bad = [(code, text) for code, text in report["errors"] if code in codes]
    assert bad == [] or name.endswith(".MoPDClassifier") and {c for c, _ in bad} == {"PR07"}
