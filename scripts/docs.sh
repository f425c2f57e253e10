#!/bin/sh
# SPDX-License-Identifier: MIT
# docs.sh [FOLDER] - the documentation as HTML in FOLDER/html (default: build-docs): pages of docs/, every public header.
# A warning is an error.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
out=${1:-build-docs}
scripts/setup.sh doxygen
mkdir -p "$out"
version=$(sed -n 's/^#define MOPD_VERSION_STRING "\(.*\)"/\1/p' include/mopd/version.h)
{
    cat docs/Doxyfile
    echo "OUTPUT_DIRECTORY = \"$out\""
    echo "PROJECT_NUMBER = $version"
} | doxygen - >"$out/doxygen.log" 2>&1 || { cat "$out/doxygen.log" >&2; exit 1; }
[ ! -s "$out/doxygen.log" ] || { cat "$out/doxygen.log" >&2; exit 1; }
[ -s "$out/html/index.html" ]
echo "docs: $out/html/index.html, $(ls docs/*.md | wc -l) pages, no warning"
