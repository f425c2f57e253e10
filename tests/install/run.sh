#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh BUILD - installs BUILD into a fresh prefix and meets it as users do: each header alone in C and C++, programs in
# both by pkg-config and by CMake, the command with its pages and completion, the exported names.
. "$(dirname "$0")/../support/shell.sh"
build=$(cd "$1" && pwd)
prefix=$work/prefix
. "$here/checks.sh"
"$root/scripts/setup.sh" bash groff-base
cmake --install "$build" --prefix "$prefix" >/dev/null
find_tree
check_headers
check_programs
check_command

[ -f "$prefix/share/doc/mopd/LICENSE" ]
gcc $flags "$here/c/elsewhere.c" $(pkg-config --cflags --libs mopd) -o "$work/elsewhere"
(cd "$prefix" && LD_LIBRARY_PATH=${libdir#"$prefix"/} "$work/elsewhere")
mv "$prefix" "$work/other tree"
prefix="$work/other tree"
find_tree
"$work/elsewhere"
eval "gcc $flags '$here/c/elsewhere.c' $(pkg-config --cflags --libs mopd) -o '$work/elsewhere'" # it quotes the blank
"$work/elsewhere"
"$prefix/bin/mopd" --version >/dev/null
pass "the licence is there, a relative library path serves a program that changes its folder, and the tree may be moved"

nm -D --defined-only "$libdir/libmopd.so" | awk '$2 == "T" {sub("@.*", "", $3); print $3}' | sort >"$work/exported"
sed -n '/global:/,/local:/{s/^ *\(mopd_[a-z0-9_]*\);.*/\1/p}' "$root/lib/mopd.map" | sort >"$work/listed"
grep -ho '^MOPD_API [^;(]*(' "$prefix"/include/mopd/*.h | sed 's/($//; s/.*[ *]//' | sort >"$work/declared"
diff "$work/exported" "$work/listed"
diff "$work/declared" "$work/listed"
pass "exported, listed and declared names are the same"
all_passed
