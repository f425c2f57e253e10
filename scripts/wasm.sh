#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# wasm.sh TREE - installs Emscripten, and builds the libraries that libmopd stands on for WebAssembly into TREE, which the preset wasm
# takes.  Their sources are those of scripts/sources.sh.
set -eEuo pipefail
tree=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh emscripten nodejs
[ ! -e "$tree/complete" ] || exit 0
export NODE_PATH=/usr/share/nodejs # where Debian keeps what Emscripten asks other builds of Node.js for
. scripts/sources.sh
sources=$tree/sources log=build/log/wasm-tree.log
rm -rf "$tree"
mkdir -p "$sources" "$tree/lib/pkgconfig" build/log

# library NAME [OPTION...] - built with its own CMake files, from $sources/NAME
library()
{
    echo "== $1"
    unpack "$1"
    emcmake cmake -S "$sources/$1" -B "$sources/$1/build-wasm" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS=-msimd128 \
        -DCMAKE_INSTALL_PREFIX="$tree" -DCMAKE_FIND_ROOT_PATH="$tree" -DBUILD_SHARED_LIBS=OFF "${@:2}"
    cmake --build "$sources/$1/build-wasm" --parallel "$(nproc)" --target install
}

# plain NAME PACKAGE VERSION FLAGS FILE... - of a few files, which ask nothing of the system: lib$NAME.a, and what pkg-config calls PACKAGE
plain()
{
    echo "== $1"
    unpack "$1"
    cd "$sources/$1"
    rm -f ./*.o
    # shellcheck disable=SC2086,SC2068
    emcc -O3 -msimd128 $4 -c ${@:5}
    emar rc "$tree/lib/lib$1.a" ./*.o
    printf 'Name: %s\nDescription: for WebAssembly\nVersion: %s\nCflags: -I%s/include\nLibs: -L%s/lib -l%s\n' "$2" "$3" "$tree" "$tree" "$1" \
        >"$tree/lib/pkgconfig/$2.pc"
    cd -
}

# Debian's sources lack the part for Windows that zlib's own CMake file wants.
zlib()
{
    echo "== zlib"
    unpack zlib
    cd "$sources/zlib"
    CFLAGS="-O3 -msimd128" emconfigure ./configure --static --prefix="$tree"
    emmake make --jobs="$(nproc)" libz.a
    emmake make install
    cd -
}

build_all()
{
    zlib
    library libpng -DPNG_SHARED=OFF -DPNG_TESTS=OFF -DPNG_HARDWARE_OPTIMIZATIONS=OFF
    library libjpeg-turbo -DENABLE_SHARED=OFF -DWITH_SIMD=OFF -DWITH_TURBOJPEG=OFF \
        -DHAVE_SIZE_T=TRUE -DSIZE_T=4 -DHAVE_UNSIGNED_LONG=TRUE -DUNSIGNED_LONG=4 # its check reads them from a program for the system
    mkdir "$sources/none" && touch "$sources/none/jansson_private_config.h"
    plain jansson jansson 2.14 "-I$sources/none -Iandroid -Isrc -DHAVE_STDINT_H -DHAVE_UNISTD_H -DHAVE_SYS_TIME_H -DHAVE_GETTIMEOFDAY
        -DHAVE_GETPID -DHAVE_ATOMIC_BUILTINS -DINITIAL_HASHTABLE_ORDER=3" "src/*.c" # its header for Android is right for every system with 32 bits
    cp "$sources/jansson/src/jansson.h" "$sources/jansson/android/jansson_config.h" "$tree/include/"
    plain utf8proc libutf8proc 2.8.0 -DUTF8PROC_STATIC utf8proc.c
    cp "$sources/utf8proc/utf8proc.h" "$tree/include/"
    plain cmocka cmocka 1.1.5 "-Iinclude -D_UINTPTR_T_DEFINED -DHAVE_INTTYPES_H -DHAVE_STDINT_H -DHAVE_STRINGS_H -DHAVE_SIGNAL_H -DHAVE_TIME_H
        -DHAVE_STRUCT_TIMESPEC -DHAVE_CLOCK_GETTIME -DHAVE_CLOCK_REALTIME" src/cmocka.c
    cp "$sources"/cmocka/include/*.h "$tree/include/"
}

echo "wasm: the libraries below, from their sources"
exec 3>&2
trap 'tail -n 20 "$log" >&3' ERR
build_all >"$log" 2>&1
rm -rf "$sources"
touch "$tree/complete"
