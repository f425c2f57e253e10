#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh - installs what is missing, builds libmopd in build/, makes the built-in model, stages all in build/stage.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

scripts/setup.sh
echo "build: compiling in build/"
cmake --preset release -DBUILD_TESTING=OFF >build.log 2>&1 || { cat build.log >&2; exit 1; }
cmake --build --preset release >>build.log 2>&1 || { tail -n 50 build.log >&2; exit 1; }
mv build.log build/build.log
scripts/model.sh build
cmake --install build --prefix build/stage >/dev/null
echo "build: installed below build/stage (bin, include, lib, share)"
