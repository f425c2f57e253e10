# SPDX-License-Identifier: MIT
"""The settings of a training as the library holds them: their defaults and limits stand there, and nowhere here."""

from __future__ import annotations

import operator
from ctypes import byref
from typing import Any, Dict, NamedTuple, Optional, Tuple, Type, TypeVar

from . import _abi
from ._abi import lib
from ._core import sized

T = TypeVar("T")

_KINDS = {
    _abi.MOPD_SETTING_COUNT: "count",
    _abi.MOPD_SETTING_REAL: "real",
    _abi.MOPD_SETTING_CHOICE: "choice",
    _abi.MOPD_SETTING_FLAG: "flag",
    _abi.MOPD_SETTING_TEXT: "text",
}


class Setting(NamedTuple):
    """One setting of a training.

    Attributes
    ----------
    name : str
        As the library calls it; ``lambda`` is `reg` in Python.
    kind : str
        ``count``, ``real``, ``choice``, ``flag`` or ``text``.
    default : object
        None where it is left open.
    least, most : float
        The limits of a number, both allowed.
    open : str or None
        What a default that is left open becomes, in words.
    text : str
        What the setting does, in one line.
    choices : tuple of str
        The words of a choice.
    """

    name: str
    kind: str
    default: Any
    least: float
    most: float
    open: Optional[str]
    text: str
    choices: Tuple[str, ...]


def _default(struct: Any, choices: Tuple[str, ...]) -> Any:
    if struct.kind == _abi.MOPD_SETTING_COUNT:
        return int(struct.preset)
    if struct.kind == _abi.MOPD_SETTING_REAL:
        return None if struct.open is not None else struct.preset
    if struct.kind == _abi.MOPD_SETTING_CHOICE:
        return choices[int(struct.preset)]
    if struct.kind == _abi.MOPD_SETTING_FLAG:
        return bool(struct.preset)
    return None if struct.preset_text is None else struct.preset_text.decode()


def _setting(struct: Any) -> Setting:
    choices = tuple(struct.choices[i].decode() for i in range(int(struct.most) + 1)) if struct.choices else ()
    return Setting(
        struct.name.decode(),
        _KINDS[struct.kind],
        _default(struct, choices),
        struct.least,
        struct.most,
        None if struct.open is None else struct.open.decode(),
        struct.text.decode(),
        choices,
    )


def trainer_settings() -> Dict[str, Setting]:
    """All settings of a training by name, with the defaults and limits that the library holds.

    Returns
    -------
    dict
        `Setting` by name, in the order of a prompt file.
    """
    found: Dict[str, Setting] = {}
    struct = sized(_abi.mopd_setting)
    while lib.mopd_setting_get(len(found), byref(struct)) == _abi.MOPD_OK:
        setting = _setting(struct)
        found[setting.name] = setting
    return found


SETTINGS = trainer_settings()


def default(name: str) -> Any:
    """The default of a setting, for a signature."""
    return SETTINGS[name].default


def count(name: str, value: Any) -> int:
    """A whole number within the limits of its setting: ctypes would cut it to its bits without a word."""
    setting = SETTINGS[name]
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: a whole number is expected, not {value!r}") from None
    if number == setting.default and setting.open is not None:
        return number
    if not setting.least <= number <= min(int(setting.most), 2**64 - 1):
        raise ValueError(f"{name} is {number}, {setting.least:.0f} to {setting.most:.0f} are allowed")
    return number


def choice(name: str, word: str) -> int:
    """The number of a word among the choices of its setting."""
    choices = SETTINGS[name].choices
    if word not in choices:
        raise ValueError(f"{name} {word!r} is none of {', '.join(map(repr, choices))}")
    return choices.index(word)


def documented(cls: Type[T]) -> Type[T]:
    """Puts the library's defaults into a docstring: ``%(epochs)s``."""
    words = {name: s.open or repr(s.default) for name, s in SETTINGS.items()}
    words["methods"] = ", ".join(f"``{word}``" for word in SETTINGS["method"].choices)
    if cls.__doc__ is not None:  # python -OO has none
        cls.__doc__ %= words
    return cls
