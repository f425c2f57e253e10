#!/bin/sh
# SPDX-License-Identifier: MIT
# sdist.sh ARCHIVE - the Python package's source (scripts/sdist.sh): a wheel is made of it alone, in a folder of its own and a fresh environment, and used.
. "$(dirname "$0")/../support/shell.sh"
archive=$(realpath "$1")

python3 -m venv "$work/venv"
cd "$work"
export MOPD_CACHE="$work/cache"
unset MOPD_PYTHON_MODEL
quietly venv/bin/pip wheel --disable-pip-version-check --no-deps --wheel-dir "$work" "$archive"
pass "the source compiles where there is nothing else of the repository"
wheel=$(echo mopd-*.whl)
python3 -m zipfile --list "$wheel" >names
for name in 'mopd/libmopd[.]so' 'mopd/bin/mopd' 'mopd/py[.]typed' 'mopd/builtin/' 'licenses/LICENSE'; do grep -q "$name" names; done
tar -tf "$archive" | grep -q '^mopd-[0-9.]*/LICENSE$'
pass "library, command, types, the model's parts and the licence are in the wheel"
quietly venv/bin/pip install --disable-pip-version-check "$wheel"
cd "$root"
"$work/venv/bin/python" tests/install/wheel.py "$work/features.npy"
pass "the command and Python give the same"
all_passed
