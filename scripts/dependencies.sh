#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# dependencies.sh SYSTEM TREE - builds what the library and its tests stand on as static libraries for SYSTEM (cmake/SYSTEM.cmake)
# into TREE, from the sources of Debian's packages, each checked.  Nothing is installed.  Who gives programs made with them away
# takes sources with the security fixes of the day instead.
set -euo pipefail
system=$1 tree=$(realpath -m "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
toolchain=$PWD/cmake/$system.cmake archives=$PWD/build/sources
log=$PWD/build/log/$system-dependencies.log
mkdir -p "$archives/partial" build/log
made=$(cat "$toolchain" scripts/dependencies.sh | sha256sum)
[ "$(cat "$tree/complete" 2>/dev/null)" != "$made" ] || exit 0
rm -rf "$tree"
mkdir -p "$tree/source"
export MOPD_TREE=$tree

# unpack PATH SHA256 - the archive below Debian's pool/main, as $source.
unpack()
{
    archive=$archives/${1##*/}
    if ! sha256sum --check --status <<<"$2  $archive" 2>/dev/null; then
        /usr/lib/apt/apt-helper download-file "http://deb.debian.org/debian/pool/main/$1" "$archive" "SHA256:$2" >&2
    fi
    source=$tree/source/${1##*/}
    mkdir -p "$source"
    tar -xf "$archive" -C "$source" --strip-components=1 --no-same-owner
}

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

all()
{
    unpack z/zlib/zlib_1.2.13.dfsg.orig.tar.bz2 71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1
    mkdir -p "$source/win32" "$tree/include" "$tree/lib"
    touch "$source/win32/zlib1.rc" # of a shared library, which CMake knows of
    configure
    cmake --build "$source/build" --target zlibstatic
    cp "$source"/build/libz*.a "$tree/lib/libz.a"
    cp "$source/zlib.h" "$source/build/zconf.h" "$tree/include/"
    unpack libp/libpng1.6/libpng1.6_1.6.39.orig.tar.gz a00e9d2f2f664186e4202db9299397f851aea71b36a35e74910b8820e380d441
    make -DPNG_SHARED=OFF -DPNG_TESTS=OFF -DPNG_EXECUTABLES=OFF
    unpack libj/libjpeg-turbo/libjpeg-turbo_2.1.5.orig.tar.gz 254f3642b04e309fee775123133c6464181addc150499561020312ec61c1bf7c
    make -DENABLE_SHARED=OFF -DWITH_TURBOJPEG=OFF -DREQUIRE_SIMD="$simd"
    unpack j/jansson/jansson_2.14.orig.tar.gz c739578bf6b764aa0752db9a2fdadcfe921c78f1228c7ec0bb47fa804c55d17b
    make -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF -DJANSSON_BUILD_DOCS=OFF
    unpack u/utf8proc/utf8proc_2.8.0.orig.tar.gz a0a60a79fe6f6d54e7d411facbfcc867a6e198608f2cd992490e46f04b1bcecc
    make
    unpack c/cmocka/cmocka_1.1.5.orig.tar.xz f0ccd8242d55e2fd74b16ba518359151f6f8383ff8aef4976e48393f77bba8b6
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
*) echo "dependencies: no cmake/$system.cmake that this script knows" >&2 && exit 2 ;;
esac
# shellcheck disable=SC2086
scripts/setup.sh $tools
echo "$system: what the library stands on, from source"
all >"$log" 2>&1 & # in a process of its own, which ends at its first failure
wait $! || { tail -n 30 "$log" >&2 && exit 1; }
[ "$system" != musl ] || kernel_headers
rm -rf "$tree/source"
echo "$made" >"$tree/complete"
