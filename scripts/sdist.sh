#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sdist.sh [FOLDER] - the Python package's source as pip takes it, with the C library that it is compiled from: FOLDER/mopd-*.tar.gz
# (default: build/sdist).  bindings/python alone is no such source: what it compiles lies two folders above it.
set -euo pipefail
out=$(realpath -m "${1:-build/sdist}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh python3-venv
tools=$PWD/build/sdist-tools
[ -x "$tools/bin/pip" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check 'scikit-build-core>=0.10'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z CMakeLists.txt LICENSE CHANGELOG.md cmake lib include examples/mopd examples/model/builtin bindings/python/src |
    xargs -0 cp --parents --target-directory="$work"
cp bindings/python/README.md "$work/"
sed 's|^cmake.source-dir = .*|cmake.source-dir = "."|; s|"src/mopd"|"bindings/python/src/mopd"|; s|^mypy_path = "src"|mypy_path = "bindings/python/src"|' \
    bindings/python/pyproject.toml >"$work/pyproject.toml"
mkdir -p "$out" build/log
log=$PWD/build/log/sdist.log
rm -f "$out"/mopd-*.tar.gz
(cd "$work" && "$tools/bin/python" -c 'import sys; from scikit_build_core.build import build_sdist; build_sdist(sys.argv[1])' "$out" >"$log" 2>&1) ||
    { tail -n 30 "$log" >&2 && exit 1; }
ls "$out"/mopd-*.tar.gz
