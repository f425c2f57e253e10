#!/bin/sh
# SPDX-License-Identifier: MIT
# docs.sh [FOLDER] - the documentation as HTML in FOLDER/html (default: build-docs): pages of docs/, every public header.
# A warning is an error.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
out=${1:-build-docs}
scripts/setup.sh doxygen
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
version=$(sed -n 's/^#define MOPD_VERSION_STRING "\(.*\)"/\1/p' include/mopd/version.h)

# Doxygen makes two words of a path with a blank: it reads a copy of the pages and headers, in a folder without.
tar -c -- *.md docs bindings/*/*.md examples/*.md examples/*/*.md include/mopd | tar -x -C "$work"
{
    cat docs/Doxyfile
    echo "OUTPUT_DIRECTORY = out"
    echo "PROJECT_NUMBER = $version"
} | (cd "$work" && mkdir out && doxygen -) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
[ ! -s "$work/log" ] || { cat "$work/log" >&2; exit 1; }
[ -s "$work/out/html/index.html" ]
mkdir -p "$out"
rm -rf "$out/html"
cp -R "$work/out/html" "$out/html"
echo "docs: $out/html/index.html, $(ls docs/*.md | wc -l) pages, no warning"
