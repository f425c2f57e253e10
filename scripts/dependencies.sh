#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# dependencies.sh SYSTEM TREE - builds what the library and its tests stand on as static libraries for SYSTEM (cmake/SYSTEM.cmake)
# into TREE, from the sources of Debian's packages, each checked.  Nothing is installed.  Who gives programs made with them away
# takes sources with the security fixes of the day instead.
set -euo pipefail
system=$1 tree=$(realpath -m "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/sources.sh
toolchain=$PWD/cmake/$system.cmake
log=$PWD/build/log/$system-dependencies.log
mkdir -p build/log
made=$(echo "${MOPD_ZIG_TARGET:-}" | cat - "$toolchain" scripts/dependencies.sh scripts/sources.sh | sha256sum)
[ "$(cat "$tree/complete" 2>/dev/null)" != "$made" ] || exit 0
rm -rf "$tree"
sources=$tree/source
mkdir -p "$sources"
export MOPD_TREE=$tree

# configure OPTION... - by the source's own CMake.
configure()
{
    cmake -S "$source" -B "$source/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE="$toolchain" \
        -DCMAKE_INSTALL_PREFIX="$tree" -DCMAKE_INSTALL_LIBDIR="$tree/lib" -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON "$@"
}

make()
{
    configure "$@"
    cmake --build "$source/build" --target install
}

# notice NAME FILE... - what has to go with programs that hold this library.
notice()
{
    mkdir -p "$tree/notices"
    (cd "$source" && cat "${@:2}") >"$tree/notices/$1.txt"
}

all()
{
    unpack zlib
    mkdir -p "$source/win32" "$tree/include" "$tree/lib"
    touch "$source/win32/zlib1.rc" # of a shared library, which CMake knows of
    configure
    cmake --build "$source/build" --target zlibstatic
    cp "$source"/build/libz*.a "$tree/lib/libz.a"
    cp "$source/zlib.h" "$source/build/zconf.h" "$tree/include/"
    sed -n '1,/^\*\//p' "$source/zlib.h" >"$source/NOTICE"
    notice zlib NOTICE
    unpack libpng
    make -DPNG_SHARED=OFF -DPNG_TESTS=OFF -DPNG_EXECUTABLES=OFF
    notice libpng LICENSE
    unpack libjpeg-turbo
    make -DENABLE_SHARED=OFF -DWITH_TURBOJPEG=OFF -DREQUIRE_SIMD="$simd"
    notice libjpeg-turbo "$source"/LICENSE* README.ijg
    unpack jansson
    make -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF -DJANSSON_BUILD_DOCS=OFF
    notice jansson LICENSE
    unpack utf8proc
    make
    notice utf8proc "$source"/LICENSE*
    [ "$system" != zig ] || [[ "$MOPD_ZIG_TARGET" = *-macos* ]] || return 0 # which builds no tests
    unpack cmocka
    make -DWITH_EXAMPLES=OFF -DWITH_STATIC_LIB=ON
    rm -f "$tree"/lib/libcmocka.* "$tree"/bin/*.dll
    mv "$tree/lib/libcmocka-static.a" "$tree/lib/libcmocka.a"
}

# Headers of Linux, which know no C library.
kernel_headers()
{
    ln -s /usr/include/linux /usr/include/asm-generic "/usr/include/$(uname -m)-linux-gnu/asm" "$tree/include/"
}

case $system in
musl) tools="musl-tools nasm" simd=ON ;;
mingw) tools="gcc-mingw-w64-x86-64-win32 nasm" simd=ON ;;
zig) tools="nasm" simd=ON ;; # for $MOPD_ZIG_TARGET: scripts/zig.sh
*) echo "dependencies: no cmake/$system.cmake that this script knows" >&2 && exit 2 ;;
esac
# shellcheck disable=SC2086
scripts/setup.sh $tools
echo "$system: what the library stands on, from source"
all >"$log" 2>&1 & # in a process of its own, which ends at its first failure
wait $! || { tail -n 30 "$log" >&2 && exit 1; }
[ "$system" != musl ] || kernel_headers
rm -rf "$sources"
echo "$made" >"$tree/complete"
