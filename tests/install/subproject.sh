#!/bin/sh
# SPDX-License-Identifier: MIT
# subproject.sh - the source as others take it: by add_subdirectory; by FetchContent without a network, as a static library;
# and alone on a system with neither cmocka nor a C++ compiler, where a debug build has no warning either, with folders
# of its own.
. "$(dirname "$0")/../support/shell.sh"
# Flags as of the preset ci: a compiler cache has it.
parent() { quietly cmake -G Ninja -S "$here/parent" -DMOPD_ROOT="$root" -DCMAKE_BUILD_TYPE=Release -DMOPD_WERROR=ON "$@"; }

parent -B "$work/sub"
quietly cmake --build "$work/sub"
"$work/sub/c-consumer" && "$work/sub/cxx17-consumer"
quietly cmake --install "$work/sub" --prefix "$work/sub-prefix"
[ "$(cd "$work/sub-prefix" && find . -type f)" = ./bin/c-consumer ]
pass "add_subdirectory builds the library alone, changes nothing of the parent's and installs nothing"

parent -B "$work/fetch" -DPARENT_FETCH=ON -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DMOPD_INSTALL=ON -DBUILD_SHARED_LIBS=OFF
quietly cmake --build "$work/fetch"
"$work/fetch/c-consumer"
quietly cmake --install "$work/fetch" --prefix "$work/static"
[ -f "$work/static/include/mopd/mopd.h" ] && [ -n "$(find "$work/static" -name libmopd.a)" ]
[ -z "$(find "$work/static" "$work/fetch" -name 'libmopd.so*')" ]
pass "so does FetchContent, which installs the library where it is asked to, a static one"

# pkg-config and CMake name what a static library needs beside it.
pc=$(dirname "$(find "$work/static" -name mopd.pc)")
for static in "" --static; do
    quietly gcc "$here/c/consumer.c" $(PKG_CONFIG_PATH=$pc pkg-config $static --cflags --libs mopd) -o "$work/static-c"
    "$work/static-c"
done
quietly cmake -S "$here/c" -B "$work/static-cmake" -DCMAKE_PREFIX_PATH="$work/static"
quietly cmake --build "$work/static-cmake"
"$work/static-cmake/consumer"
if ldd "$work/static-c" | grep libmopd; then exit 1; fi
pass "programs link it by pkg-config and by the CMake package"

# Only the modules that the library needs, and no C++.
mkdir "$work/modules"
for module in jansson libutf8proc; do
    ln -s "$(pkg-config --variable=pcfiledir $module)/$module.pc" "$work/modules"
done
export PKG_CONFIG_LIBDIR="$work/modules" CXX="$work/no-such-compiler"
unset PKG_CONFIG_PATH
quietly cmake -G Ninja -S "$root" -B "$work/alone" -DCMAKE_BUILD_TYPE=Debug -DMOPD_WERROR=ON -DCMAKE_INSTALL_PREFIX="$work/one" \
    -DCMAKE_INSTALL_LIBDIR="$work/two/libs" -DCMAKE_INSTALL_INCLUDEDIR="$work/three/include" -DCMAKE_INSTALL_BINDIR=programs
grep -q "Tests: none, cmocka not found" "$work/log"
quietly cmake --build "$work/alone"
"$work/alone/mopd" --version >/dev/null
pass "without cmocka and C++ all but the tests is built, for debugging and with warnings as errors"
quietly cmake --install "$work/alone"
"$work/one/programs/mopd" --version >/dev/null
[ "$(PKG_CONFIG_PATH=$work/two/libs/pkgconfig pkg-config --cflags --libs mopd | sed 's/ *$//')" \
    = "-I$work/three/include -L$work/two/libs -lmopd" ]
quietly cmake -S "$here/c" -B "$work/folders" -Dmopd_DIR="$work/two/libs/cmake/mopd" -DCOMPONENTS=command
quietly cmake --build "$work/folders"
"$work/folders/consumer"
rm "$work/one/programs/mopd"
if cmake -S "$here/c" -B "$work/none" -Dmopd_DIR="$work/two/libs/cmake/mopd" -DCOMPONENTS=command >"$work/log" 2>&1 ||
    ! tr -s ' \n' ' ' <"$work/log" | grep -q "component command: there is no $work/one/programs/mopd"; then
    cat "$work/log" >&2
    echo "subproject: the missing component is not named" >&2
    exit 1
fi
pass "folders may be absolute and have other names"
if cmake -S "$root" -B "$work/alone" -DMOPD_BUILD_TESTS=ON >"$work/log" 2>&1; then
    echo "subproject: tests are asked for, cmocka is missing, and nobody complains" >&2
    exit 1
fi
grep -q "cmocka not found: install" "$work/log"
pass "tests that are asked for are not silently left out"
all_passed
