#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh [BUILD] - installs what is missing, builds libmopd in BUILD (default: build, in the source), makes the built-in
# model, stages all in BUILD/stage.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$("$root/scripts/folder.sh" "${1:-$root/build}" build "scripts/build.sh FOLDER, scripts/demo.sh FOLDER")
"$root/scripts/setup.sh"
log=$build/build.log
echo "build: compiling in $build"
cmake -G Ninja -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cmake --build "$build" >>"$log" 2>&1 || { tail -n 50 "$log" >&2; exit 1; }
"$root/scripts/model.sh" "$build" || model=missing
cmake --install "$build" --prefix "$build/stage" >/dev/null
echo "build: installed below $build/stage (bin, include, lib, share)"
if [ -n "${model:-}" ]; then
    echo "build: all but the built-in model: programs have to name one (mopd -m), until scripts/model.sh can fetch its parts" >&2
    exit 1
fi
