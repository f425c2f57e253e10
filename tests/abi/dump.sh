#!/bin/sh
# SPDX-License-Identifier: MIT
# dump.sh OUT - what the public headers and lib/mopd.map promise, as an abidw dump (Debian: abigail-tools).
#
# A library of empty functions is compiled from the headers' own declarations, so the dump holds names, symbol versions,
# parameters and public structs, handles as opaque as a user sees them, and nothing of the inside.  That the real library
# defines exactly these functions is the compiler's and tests/install/run.sh's business.
set -eu
out=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
    echo '#include "mopd/mopd.h"'
    cat "$root"/include/mopd/*.h | awk '/^MOPD_API/ {on = 1} on {text = text $0 " "} on && /;$/ {
        sub(/^MOPD_API /, "", text); sub(/ *MOPD_DEPRECATED\("[^"]*"\)/, "", text); sub(/; $/, "", text)
        print text (text ~ /^void [a-z]/ ? " {}" : " { return 0; }"); text = ""; on = 0}'
} >"$work/mopd.c"
[ "$(grep -c '^[a-z].*{' "$work/mopd.c")" -gt 90 ]
(cd "$work" && gcc -std=c11 -g -gdwarf-4 -O0 -w -fPIC -shared -I"$root/include" -ffile-prefix-map="$root/= " \
    -Wl,-soname,libmopd.so.0 -Wl,--version-script="$root/lib/mopd.map" mopd.c -o libmopd.so)
abidw --no-elf-needed --no-corpus-path --no-comp-dir-path --no-show-locs --type-id-style hash "$work/libmopd.so" \
    --out-file "$out"
