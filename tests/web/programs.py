#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""programs.py FOLDER - every test program of FOLDER (cmake/tests.cmake: web_NAME.js) in a Chromium without a window.  Node.js runs the same
files by ctest."""
import os
import re
import shutil
import sys

from chromium import Chromium
from server import serve


def run(page, url, name):
    """How many tests have passed."""
    page.open(f"{url}program.html?{name}")
    page.wait("ended !== null", 300)
    told = page.run("document.getElementById('told').textContent")
    passed = re.findall(r"\[  PASSED  \] (\d+) test", told)
    if page.run("ended") or not passed or page.errors:
        raise SystemExit(f"{name} in Chromium:\n{told[-4000:]}\n{page.errors}")
    return int(passed[-1])


def main():
    folder = os.path.abspath(sys.argv[1])
    names = sorted(name[:-3] for name in os.listdir(folder) if name.startswith("web_") and name.endswith(".js"))
    if not names:
        raise SystemExit(f"no programs in {folder}")
    shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "program.html"), folder)
    server, url = serve(folder)
    with Chromium() as page:
        passed = sum(run(page, url, name) for name in names)
    server.shutdown()
    print(f"programs: {len(names)} in Chromium, {passed} tests passed")


main()
