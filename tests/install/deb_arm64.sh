#!/bin/sh
# SPDX-License-Identifier: MIT
# deb_arm64.sh FOLDER TREE LIBRARY - the Debian packages for 64-bit ARM in FOLDER (scripts/package.sh): linted, looked into, and installed, used
# and removed inside TREE, a Debian for that processor (scripts/debian.sh), which only root can enter.  LIBRARY is this machine's own build.
. "$(dirname "$0")/../support/shell.sh"
folder=$(cd "$1" && pwd)
tree=$2
library=$3

"$root/scripts/setup.sh" file
. "$here/lint.sh"

for package in libmopd0 libmopd-dev mopd; do [ "$(dpkg-deb --field "$folder/$package"_*_arm64.deb Architecture)" = arm64 ]; done
[ "$(dpkg-deb --field "$folder"/mopd-data_*_all.deb Architecture)" = all ]
for package in "$folder"/*.deb; do dpkg-deb -x "$package" "$work/unpacked"; done
find "$work/unpacked" -type f -exec file {} + | grep ELF >"$work/programs"
[ "$(wc -l <"$work/programs")" = 2 ] && [ "$(grep -c "ELF 64-bit LSB .*ARM aarch64" "$work/programs")" = 2 ]
pass "the library and the command are for ARM, and nothing else is for a processor"

needed() { readelf --dynamic "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v '^ld-linux' | sort; }
needed "$work"/unpacked/usr/lib/aarch64-linux-gnu/libmopd.so.0 >"$work/needed"
needed "$library" | diff - "$work/needed"
pass "the library needs the libraries that this machine's does: none is inside"

if [ "$(id -u)" != 0 ]; then
    echo "NOT RUN: only root can install them in a Debian for ARM"
else
    "$root/scripts/debian.sh" "$tree"
    "$root/scripts/within.sh" "$tree" sh "$here/deb_inside.sh" "$folder"
    pass "installed, used and removed inside a Debian for ARM"
    own=$(dirname "$library")
    "$own/mopd" encode --quiet -m "$own/builtin.safetensors" --image tests/gold/pixels/420.jpg -o "$work/own.npy"
    python3 "$root/tests/support/near.py" "$folder/inside.npy" "$work/own.npy" 1e-6
    pass "a picture's features are this machine's, but for the last places"
fi
all_passed
