#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# debian.sh TREE - a Debian system for 64-bit ARM with all that the library, its tests and its users stand on, in TREE, by debootstrap:
# programs of that processor, which install the packages, run by the emulator.  Only root can.  It takes some minutes and 650 MB.
set -euo pipefail
tree=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh debootstrap gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
packages=ca-certificates,cmake,python3-minimal,libc6-dev,zlib1g-dev,libpng-dev,libjpeg62-turbo-dev,libjansson-dev,libutf8proc-dev
packages=$packages,libblis-serial-dev,libcmocka-dev,libgif-dev,libwebp-dev,libtiff-dev,libheif-dev
packages=$packages,gcc,libblis4,pkgconf,python3-venv # for who tries what was packed
[ "$(cat "$tree/complete" 2>/dev/null)" != "$packages" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "debian: only root can make another system" >&2 && exit 1; }
codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || codename=bookworm
log=build/log/arm64-debian.log
rm -rf "$tree"
mkdir -p build/log
scripts/within.sh /
echo "arm64: a Debian system for it"
debootstrap --arch=arm64 --variant=minbase --include="$packages" "$codename" "$tree" http://deb.debian.org/debian >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2 && exit 1; }
rm -rf "$tree"/var/cache/apt/archives/*.deb
echo "$packages" >"$tree/complete"
