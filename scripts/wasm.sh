#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# wasm.sh TREE [FLAG...] - installs Emscripten, and builds the libraries that libmopd stands on for WebAssembly into TREE, which the preset
# wasm takes; with -pthread, those of the preset wasm-threads.  Their sources are those of scripts/sources.sh.
set -eEuo pipefail
tree=$(realpath -m "$1")
flags="-O3 -msimd128 ${*:2}"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh emscripten nodejs clang # by its plain name, which emscripten does not need
made=$(echo "$flags" | cat - scripts/wasm.sh scripts/sources.sh | sha256sum)
[ "$(cat "$tree/complete" 2>/dev/null)" != "$made" ] || exit 0
export NODE_PATH=/usr/share/nodejs # where Debian keeps what Emscripten asks other builds of Node.js for
. scripts/sources.sh
sources=$tree/sources log=build/log/$(basename "$tree").log
rm -rf "$tree"
mkdir -p "$sources" "$tree/lib/pkgconfig" "$tree/include" build/log
# clang as emcc calls it (cmake/wasm.cmake); none of these libraries needs to be configured by programs.
clang="$(em-config LLVM_ROOT)/clang $(emcc --cflags) $flags"

# library NAME PACKAGE VERSION FLAGS FILE... - of what was unpacked, with its $headers: lib$NAME.a, and what pkg-config calls PACKAGE
library()
{
    cd "$source"
    # shellcheck disable=SC2086,SC2154
    printf '%s\n' "${@:5}" | xargs -P "$(nproc)" -n 6 $clang -w $4 -c
    emar rc "$tree/lib/lib$1.a" ./*.o
    printf 'Name: %s\nDescription: for WebAssembly\nVersion: %s\nCflags: -I%s/include\nLibs: -L%s/lib -l%s\n' "$2" "$3" "$tree" "$tree" "$1" \
        >"$tree/lib/pkgconfig/$2.pc"
    cp "${headers[@]}" "$tree/include/"
    cd - >/dev/null
}

build_zlib()
{
    unpack zlib
    sed -i '/^#ifdef HAVE_[A-Z]*_H.*configure/s/def HAVE_[A-Z]*_H/ 1/' "$source/zconf.h"
    headers=(zlib.h zconf.h)
    library z zlib 1.2.13 "-D_LARGEFILE64_SOURCE=1 -DHAVE_HIDDEN" {adler32,crc32,deflate,infback,inffast,inflate,inftrees,trees,zutil}.c \
        {compress,uncompr,gzclose,gzlib,gzread,gzwrite}.c
}

build_png()
{
    unpack libpng
    sed 's/^#define PNG_ZLIB_VERNUM 0 .*/#define PNG_ZLIB_VERNUM 0x12d0/' "$source/scripts/pnglibconf.h.prebuilt" >"$source/pnglibconf.h"
    headers=(png.h pngconf.h pnglibconf.h)
    library png libpng 1.6.39 "-I$tree/include" png{,error,get,mem,pread,read,rio,rtran,rutil,set,trans,wio,write,wtran,wutil}.c
}

build_jpeg()
{
    unpack libjpeg-turbo
    for header in jconfig jconfigint jversion; do
        sed -E 's/@JPEG_LIB_VERSION@/62/; s/@VERSION@/2.1.5/; s/@LIBJPEG_TURBO_VERSION_NUMBER@/2001005/; s/@BITS_IN_JSAMPLE@/8/
            s/@INLINE@/__inline__ __attribute__((always_inline))/; s/@THREAD_LOCAL@/__thread/; s/@SIZE_T@/4/; s/@COPYRIGHT_YEAR@/1991-2023/
            s/@CMAKE_PROJECT_NAME@/libjpeg-turbo/; s/@BUILD@/wasm/
            s/^#cmakedefine ([CD]_ARITH|MEM_SRCDST|HAVE_BUILTIN_CTZL)/#define \1/; s/^#cmakedefine .*//' "$source/$header.h.in" >"$source/$header.h"
    done
    headers=(jpeglib.h jmorecfg.h jerror.h jconfig.h)
    # shellcheck disable=SC2046
    library jpeg libjpeg 2.1.5 "" $(sed -n '/^set(JPEG_SOURCES/,/)/p' "$source/CMakeLists.txt" | grep -o 'j[a-z0-9]*[.]c') j{aricom,carith,darith}.c jsimd_none.c
}

build_others()
{
    unpack jansson
    touch "$source/src/jansson_private_config.h"
    headers=(src/jansson.h android/jansson_config.h) # which is right for every system with 32 bits
    library jansson jansson 2.14 "-Iandroid -Isrc -DHAVE_STDINT_H -DHAVE_UNISTD_H -DHAVE_SYS_TIME_H -DHAVE_GETTIMEOFDAY
        -DHAVE_GETPID -DHAVE_ATOMIC_BUILTINS -DINITIAL_HASHTABLE_ORDER=3" src/{dump,error,hashtable,hashtable_seed,load,memory,pack_unpack,strbuffer,strconv,utf,value,version}.c
    unpack utf8proc
    headers=(utf8proc.h)
    library utf8proc libutf8proc 2.8.0 -DUTF8PROC_STATIC utf8proc.c
    unpack cmocka
    headers=(include/cmocka.h)
    library cmocka cmocka 1.1.5 "-Iinclude -D_UINTPTR_T_DEFINED -DHAVE_INTTYPES_H -DHAVE_STDINT_H -DHAVE_STRINGS_H -DHAVE_SIGNAL_H -DHAVE_TIME_H
        -DHAVE_STRUCT_TIMESPEC -DHAVE_CLOCK_GETTIME -DHAVE_CLOCK_REALTIME" src/cmocka.c
}

build_all()
{
    build_zlib
    build_png
    build_jpeg
    build_others
}

echo "wasm: the libraries below, from their sources"
exec 3>&2
trap 'tail -n 20 "$log" >&3' ERR
build_all >"$log" 2>&1
rm -rf "$sources"
echo "$made" >"$tree/complete"
