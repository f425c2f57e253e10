#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh BUILD - installs BUILD into a fresh prefix and meets it as users do: each header alone in C and C++, a C and a C++
# program by pkg-config and by CMake, the command, the exported names.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" >/dev/null
libdir=$(dirname "$(find "$prefix" -name mopd.pc)")
export PKG_CONFIG_PATH="$libdir" LD_LIBRARY_PATH="${libdir%/pkgconfig}"
flags="-Wall -Wextra -Werror -pedantic"
passed=0
pass() { passed=$((passed + 1)); echo "ok: $1"; }

for header in "$prefix"/include/mopd/*.h; do
    name=$(basename "$header")
    echo "#include <mopd/$name>" >"$work/one.c"
    cp "$work/one.c" "$work/one.cc"
    for std in c99 c11; do gcc -std=$std $flags -I"$prefix/include" -fsyntax-only "$work/one.c"; done
    for std in c++98 c++11 c++17 c++20; do g++ -std=$std $flags -I"$prefix/include" -fsyntax-only "$work/one.cc"; done
done
for std in c++17 c++20; do
    g++ -std=$std $flags -Wconversion -Wshadow -I"$prefix/include" -fsyntax-only "$root"/examples/*.cpp
done
pass "every header compiles alone as C99, C11, C++98, C++11, C++17 and C++20, mopd.hpp as C++17 and C++20"

gcc -std=c99 $flags "$here/c/consumer.c" $(pkg-config --cflags --libs mopd) -o "$work/c-pkg"
g++ -std=c++11 $flags "$here/cxx/consumer.cc" $(pkg-config --cflags --libs mopd) -o "$work/cxx-pkg"
"$work/c-pkg" && "$work/cxx-pkg"
pass "a C and a C++ program build by pkg-config and run"

cmake -S "$here" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/consumer" >/dev/null
"$work/consumer/c-consumer" && "$work/consumer/cxx-consumer"
pass "the same by the CMake package"

"$prefix/bin/mopd" --version >/dev/null
"$prefix/bin/mopd" inspect --format json >/dev/null
pass "the installed command finds the library and the built-in model"

nm -D --defined-only "$libdir/../libmopd.so" | awk '$2 == "T" {sub("@.*", "", $3); print $3}' | sort >"$work/exported"
sed -n '/global:/,/local:/{s/^ *\(mopd_[a-z0-9_]*\);.*/\1/p}' "$root/lib/mopd.map" | sort >"$work/listed"
grep -ho '^MOPD_API [^;(]*(' "$prefix"/include/mopd/*.h | sed 's/($//; s/.*[ *]//' | sort >"$work/declared"
diff "$work/exported" "$work/listed"
diff "$work/declared" "$work/listed"
pass "exported, listed and declared names are the same"
echo "$passed passed, 0 failed"
