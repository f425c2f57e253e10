# SPDX-License-Identifier: MIT
"""The command: `mopd`, and `python -m mopd`.  Both become the C program that was built with this package (docs/tools.md)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import NoReturn

from ._builtin import builtin_path
from ._core import MopdError
from ._files import COMMAND, installed


def main() -> NoReturn:
    """Becomes the program, with the arguments of this process; the built-in model is the package's."""
    program = installed(COMMAND)
    if program is None:
        sys.exit("mopd: error: this package was built without the command: pip install it from the repository's root")
    try:
        model = builtin_path()
    except MopdError:
        model = None  # the program tells where it looked, if it needs that model at all
    if model is not None:
        os.environ["MOPD_MODEL"] = str(model)
    if sys.platform == "win32":  # where execv starts another process and does not wait for its end
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for that process
        sys.exit(subprocess.call([str(program), *sys.argv[1:]]))
    os.execv(program, ["mopd", *sys.argv[1:]])


if __name__ == "__main__":
    main()
