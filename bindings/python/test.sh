#!/bin/sh
# SPDX-License-Identifier: MIT
# test.sh [BUILD] - installs the Python package with its test extras in BUILD/python-venv (BUILD: build), as a user would,
# and runs pytest and mypy.  PYTHON names the interpreter.  BUILD/mopd, where it is there, is what features and prompts are
# held against.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${1:-$root/build}
mkdir -p "$build" 2>/dev/null && [ -w "$build" ] || {
    echo "python: cannot write in $build; another folder will do: bindings/python/test.sh FOLDER" >&2
    exit 1
}
build=$(cd "$build" && pwd)

[ -n "${PYTHON:-}" ] || "$root/scripts/setup.sh" python3-venv
venv=$build/python-venv
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
echo "python: installing the package in $venv"
export SKBUILD_BUILD_DIR="$build/python-wheel"
if [ -f "$build/builtin.safetensors" ]; then
    export MOPD_PYTHON_MODEL="$build/builtin.safetensors"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --upgrade "$here[test]"

[ ! -x "$build/mopd" ] || export MOPD_COMMAND="$build/mopd"
cd "$here"
"$venv/bin/python" -X dev -W error -m pytest -q -p no:cacheprovider
"$venv/bin/mypy" --cache-dir "$build/mypy" --python-executable "$venv/bin/python"
