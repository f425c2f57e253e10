# SPDX-License-Identifier: MIT
"""Files that were installed with the package: the library, the command, parts of the built-in model.

In an editable install they are in another folder than the sources; the package's `__path__` has both."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Optional

# Windows looks for a program's library beside it.
COMMAND = "mopd.exe" if sys.platform == "win32" else "bin/mopd"
LIBRARY = {"win32": "mopd.dll", "darwin": "libmopd.0.dylib"}.get(sys.platform, "libmopd.so.0")


def installed(name: str) -> Optional[Path]:
    """The file or folder of that name in the package, None where it was installed without."""
    for folder in sys.modules[__package__].__path__:
        path = Path(folder) / name
        if path.exists():
            return path
    return None
