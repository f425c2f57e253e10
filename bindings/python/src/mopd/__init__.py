# SPDX-License-Identifier: MIT
"""libmopd: zero-shot and few-shot picture classification with CLIP.

>>> enc = mopd.Encoder()                                     # the built-in model, or Encoder("a/clip/folder")
>>> bank = mopd.Bank(enc, ["cat", "dog"])
>>> bank.classify(enc.images(["a.jpg"]), top=2)              # [[("cat", 0.93), ("dog", 0.07)]]
>>> rec = mopd.Recognizer(enc).fit(pictures, labels)         # a scikit-learn estimator, fitted in a second
>>> rec.predict(others, none="none of these")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

from ._bank import GDA, Bank, Prompt
from ._core import MopdError, Status, build_info, inspect, limits, set_limits, set_threads, templates_for, version
from ._dataset import Dataset, Item, Remark
from ._encoder import Encoder
from ._frame import Frame
from ._settings import Setting, trainer_settings
from ._trainer import Epoch, Step, Trainer

if TYPE_CHECKING:
    from ._recognizer import Recognizer, Suspect
    from ._sklearn import ImageFeatures, MoPDClassifier

__version__ = "0.1.0"
__all__ = [
    "GDA",
    "Bank",
    "Dataset",
    "Encoder",
    "Epoch",
    "Frame",
    "ImageFeatures",
    "Item",
    "MoPDClassifier",
    "MopdError",
    "Prompt",
    "Recognizer",
    "Remark",
    "Setting",
    "Status",
    "Step",
    "Suspect",
    "Trainer",
    "build_info",
    "inspect",
    "limits",
    "set_limits",
    "set_threads",
    "templates_for",
    "trainer_settings",
    "version",
]


def __getattr__(name: str) -> Any:
    """The estimators at first use: scikit-learn takes a second to import."""
    if name in ("MoPDClassifier", "ImageFeatures"):
        from . import _sklearn

        return getattr(_sklearn, name)
    if name in ("Recognizer", "Suspect"):
        from . import _recognizer

        return getattr(_recognizer, name)
    raise AttributeError(f"module 'mopd' has no attribute {name!r}")


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})
