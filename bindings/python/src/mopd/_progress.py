# SPDX-License-Identifier: MIT
"""Progress of a long call: a tqdm bar, a callable, or nothing."""

from __future__ import annotations

import warnings
from typing import Any, Callable, Optional, Union

Wanted = Union[bool, Callable[[int, int], object], Callable[[int, Optional[int]], object]]


class Progress:
    """`wanted` True: a bar; a callable: called with (done, total); False: nothing.  A total of None is not known."""

    def __init__(self, wanted: Wanted, total: Optional[int], unit: str) -> None:
        self._total, self._bar = total, None  # type: Optional[int], Any
        self._call: Any = wanted if callable(wanted) else None
        if wanted is True:
            with warnings.catch_warnings():  # in a notebook without its widgets tqdm shows text, and need not say so
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm
            self._bar = tqdm(total=total, unit=unit.rstrip("s"), desc=unit)

    def update(self, done: int, **figures: float) -> None:
        if self._call is not None:
            self._call(done, self._total)
        if self._bar is not None:
            if figures:
                self._bar.set_postfix(figures, refresh=False)
            self._bar.update(done - self._bar.n)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
