#!/bin/sh
# SPDX-License-Identifier: MIT
# subproject.sh - the source as others take it: by add_subdirectory, by FetchContent without a network, and alone on a
# system with neither cmocka nor a C++ compiler, where a debug build has no warning either.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
pass() { passed=$((passed + 1)); echo "ok: $1"; }
quietly() { "$@" >"$work/log" 2>&1 || { tail -n 50 "$work/log" >&2; exit 1; }; }
parent() { quietly cmake -G Ninja -S "$here/parent" -DMOPD_ROOT="$root" "$@"; }

parent -B "$work/sub"
quietly cmake --build "$work/sub"
"$work/sub/c-consumer" && "$work/sub/cxx17-consumer"
quietly cmake --install "$work/sub" --prefix "$work/sub-prefix"
[ "$(cd "$work/sub-prefix" && find . -type f)" = ./bin/c-consumer ]
pass "add_subdirectory builds the library alone, changes nothing of the parent's and installs nothing"

parent -B "$work/fetch" -DPARENT_FETCH=ON -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DMOPD_INSTALL=ON
quietly cmake --build "$work/fetch"
"$work/fetch/c-consumer"
quietly cmake --install "$work/fetch" --prefix "$work/fetch-prefix"
[ -f "$work/fetch-prefix/include/mopd/mopd.h" ] && [ -n "$(find "$work/fetch-prefix" -name libmopd.so)" ]
pass "so does FetchContent, which installs the library where it is asked to"

# Only the modules that the library needs, and no C++.
mkdir "$work/modules"
for module in jansson libutf8proc; do
    ln -s "$(pkg-config --variable=pcfiledir $module)/$module.pc" "$work/modules"
done
export PKG_CONFIG_LIBDIR="$work/modules" CXX="$work/no-such-compiler"
unset PKG_CONFIG_PATH
quietly cmake -G Ninja -S "$root" -B "$work/alone" -DCMAKE_BUILD_TYPE=Debug -DMOPD_WERROR=ON
grep -q "Tests: none, cmocka not found" "$work/log"
quietly cmake --build "$work/alone"
"$work/alone/mopd" --version >/dev/null
pass "without cmocka and C++ all but the tests is built, for debugging and with warnings as errors"
if cmake -S "$root" -B "$work/alone" -DMOPD_BUILD_TESTS=ON >"$work/log" 2>&1; then
    echo "subproject: tests are asked for, cmocka is missing, and nobody complains" >&2
    exit 1
fi
grep -q "cmocka not found: install" "$work/log"
pass "tests that are asked for are not silently left out"
echo "$passed passed, 0 failed"
