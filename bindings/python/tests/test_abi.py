# SPDX-License-Identifier: MIT
"""mopd/_abi.py against the headers: every constant, struct, callback and function, both ways."""
from __future__ import annotations

import ctypes
import re

import pytest
from conftest import ROOT
from headers import read_headers

from mopd import _abi

HEADERS = read_headers(ROOT / "include/mopd")
PLAIN = {
    "void": None,
    "float": ctypes.c_float,
    "double": ctypes.c_double,
    "int": ctypes.c_int,
    "char": ctypes.c_char,
    "size_t": ctypes.c_size_t,
    "ptrdiff_t": ctypes.c_ssize_t,
    "uint8_t": ctypes.c_uint8,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "char *": ctypes.c_char_p,
    "void *": ctypes.c_void_p,
}


def twin(kind):
    """The ctypes type that a C type of the headers has to have."""
    if kind in HEADERS.aliases:
        return twin(HEADERS.aliases[kind])
    if kind in PLAIN:
        return PLAIN[kind]
    if kind.startswith("("):
        return ctypes.CFUNCTYPE(*[twin(k) for k in kind[1:-1].split(", ")])
    count = re.fullmatch(r"(.*)\[(\d+)\]", kind)
    if count:
        return twin(count[1]) * int(count[2])
    if kind.endswith("*"):
        return ctypes.POINTER(twin(kind[:-1].rstrip()))
    return getattr(_abi, kind)


def test_headers_are_read_whole():
    text = "".join(p.read_text() for p in sorted((ROOT / "include/mopd").glob("*.h")) if p.name != "export.h")
    assert len(HEADERS.functions) == text.count("\nMOPD_API ") > 90
    assert len(HEADERS.structs) + len(HEADERS.opaque) == len(re.findall(r"^typedef struct ", text, flags=re.M))
    assert len(HEADERS.callbacks) == len(re.findall(r"^typedef [\w ]+\(\*", text, flags=re.M))


def test_functions_are_those_of_the_headers():
    assert set(_abi.FUNCTIONS) == set(HEADERS.functions)


@pytest.mark.parametrize("name", sorted(HEADERS.functions))
def test_function_has_the_headers_types(name):
    expected = [twin(kind) for kind in HEADERS.functions[name]]
    assert list(_abi.FUNCTIONS[name]) == expected
    assert getattr(_abi.lib, name).argtypes == expected[1:]
    assert getattr(_abi.lib, name).restype == expected[0]


def test_structs_are_those_of_the_headers():
    ours = {
        name: kind
        for name, kind in vars(_abi).items()
        if isinstance(kind, type) and issubclass(kind, ctypes.Structure) and kind is not ctypes.Structure
    }
    assert set(ours) == set(HEADERS.structs) | HEADERS.opaque
    for name, fields in HEADERS.structs.items():
        assert list(ours[name]._fields_) == [(field, twin(kind)) for field, kind in fields], name
    for name in HEADERS.opaque:
        assert not hasattr(ours[name], "_fields_"), name


def test_callbacks_are_those_of_the_headers():
    for name, kinds in HEADERS.callbacks.items():
        assert getattr(_abi, name) is ctypes.CFUNCTYPE(*[twin(k) for k in kinds]), name


def test_constants_are_those_of_the_headers():
    ours = {name: value for name, value in vars(_abi).items() if name.startswith("MOPD_")}
    assert ours == HEADERS.constants


def test_a_changed_header_is_found(tmp_path):
    """The comparison above can fail: a changed argument, field, constant and callback are all seen."""
    for path in (ROOT / "include/mopd").glob("*.h"):
        text = path.read_text()
        text = text.replace("size_t top,", "uint32_t top,").replace("float logit_scale;", "double logit_scale;")
        text = text.replace("#define MOPD_METHOD_KD 3 ", "#define MOPD_METHOD_KD 4 ")
        text = text.replace("uint32_t epoch, float *features);", "uint64_t epoch, float *features);")
        (tmp_path / path.name).write_text(text)
    changed = read_headers(tmp_path)
    differ = [n for n in HEADERS.functions if changed.functions[n] != HEADERS.functions[n]]
    assert differ == ["mopd_bank_top", "mopd_recognizer_top"]
    assert [n for n in HEADERS.structs if changed.structs[n] != HEADERS.structs[n]] == ["mopd_encoder_info"]
    assert changed.callbacks != HEADERS.callbacks
    assert changed.constants["MOPD_METHOD_KD"] == 4
