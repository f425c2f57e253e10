#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# musl_python.sh TREE - a Python for musl to try a wheel with (scripts/wheels.sh), TREE/bin/python3.11: by musl-gcc, from the sources of
# Debian's Python and libffi, since no package of Debian has one.  It has what NumPy and mopd ask for: no TLS, no databases.
set -euo pipefail
tree=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/sources.sh

scripts/dependencies.sh musl build/musl-tree # musl-gcc, zlib, and the kernel's headers
libraries=$PWD/build/musl-tree log=$PWD/build/log/musl-python.log
made=$(cat scripts/musl_python.sh scripts/sources.sh | sha256sum)
[ "$(cat "$tree/complete" 2>/dev/null)" != "$made" ] || exit 0
rm -rf "$tree"
sources=$tree/source
mkdir -p "$sources" "$tree/bin" "$tree/lib/python3.11/lib-dynload" build/log

# Modules of C are parts of the program: those that need nothing but the system, but for some that take long, and two more.
modules()
{
    echo "*static*"
    sed -n '/^#_asyncio/,/^#termios/p; /^#_ctypes /p; /^#zlib /p' Modules/Setup |
        grep -vE '^#(_decimal|audioop|_elementtree|pyexpat|_codecs_.*|_multibytecodec|ossaudiodev|spwd) ' | sed -n 's/^#\([a-z_]\)/\1/p'
}

make_all()
{
    export CC=musl-gcc CFLAGS=-O1 CPPFLAGS="-I$tree/include -isystem $libraries/include" LDFLAGS="-L$tree/lib -L$libraries/lib"
    unpack libffi
    (cd "$source" && ./configure --disable-shared --with-pic --disable-docs --disable-multi-os-directory --prefix="$tree" &&
        make -j"$(nproc)" && make install)
    unpack python
    cd "$source"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n[ "$1" != --print-multiarch ] && exec musl-gcc "$@"\n' >cc # which would say that it is glibc's
    chmod +x cc
    CC=$source/cc ./configure --prefix="$tree" --without-ensurepip
    modules >Modules/Setup.local
    make -j"$(nproc)" python
    make pybuilddir.txt
    cp python "$tree/bin/python3.11"
    cp "$(cat pybuilddir.txt)"/_sysconfigdata*.py "$tree/lib/python3.11/"
    rm -rf Lib/test Lib/idlelib Lib/lib2to3
    cp -R Lib/. "$tree/lib/python3.11/"
}

echo "musl: a Python for it, from source"
make_all >"$log" 2>&1 & # in a process of its own, which ends at its first failure
wait $! || { tail -n 30 "$log" >&2 && exit 1; }
rm -rf "$sources"
"$tree/bin/python3.11" -c 'import ctypes, zlib, hashlib, random'
echo "$made" >"$tree/complete"
