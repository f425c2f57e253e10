#!/bin/sh
# SPDX-License-Identifier: MIT
# test.sh [BUILD [ENV]] - installs the Python package with its test extras in BUILD/python-venv (BUILD: build), as a user would,
# and runs pytest and mypy.  ENV is an environment that has the package: only the extras are added there.  PYTHON names the
# interpreter.  BUILD/mopd, where it is there, is what features and prompts are held against.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$("$root/scripts/folder.sh" "${1:-$root/build}" python "bindings/python/test.sh FOLDER")

export PIP_DISABLE_PIP_VERSION_CHECK=1
if [ $# = 2 ]; then
    venv=$(cd "$2" && pwd)
    "$venv/bin/python" -c '
from importlib.metadata import requires
print(*(line.split(";")[0] for line in requires("mopd") if "extra ==" in line and "test" in line), sep="\n")' >"$build/python-extras"
    "$venv/bin/pip" install --quiet --no-compile -r "$build/python-extras" # most of it is never imported
else
    [ -n "${PYTHON:-}" ] || "$root/scripts/setup.sh" python3-venv
    venv=$build/python-venv
    [ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
    echo "python: installing the package in $venv"
    export SKBUILD_BUILD_DIR="$build/python-wheel"
    [ ! -f "$build/builtin.safetensors" ] || export MOPD_PYTHON_MODEL="$build/builtin.safetensors"
    "$venv/bin/pip" install --quiet --upgrade "$here[test]"
fi

export MOPD_CACHE="$build/python-cache" # of a built-in model that is not packed in the package
[ ! -x "$build/mopd" ] || export MOPD_COMMAND="$build/mopd"
cd "$here"
"$venv/bin/python" -X dev -W error -m pytest -q -p no:cacheprovider
"$venv/bin/mypy" --cache-dir "$build/mypy" --python-executable "$venv/bin/python"
