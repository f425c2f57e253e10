# SPDX-License-Identifier: MIT
"""Progress of a long call: a tqdm bar, a callable, or nothing."""

from __future__ import annotations

from typing import Any, Callable, Union


class Progress:
    """`wanted` True: a bar; a callable: called with (done, total); False: nothing."""

    def __init__(self, wanted: Union[bool, Callable[[int, int], object]], total: int, unit: str) -> None:
        self._total, self._bar = total, None  # type: int, Any
        self._call = wanted if callable(wanted) else None
        if wanted is True:
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
