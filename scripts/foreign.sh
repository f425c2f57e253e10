#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# foreign.sh ARCHITECTURE TREE - installs a cross compiler for arm64, armhf or i386, for the first two an emulator, and unpacks
# Debian's libraries for that processor into TREE, which cmake/ARCHITECTURE.cmake takes as MOPD_SYSROOT.  The system's own packages
# stay of one architecture; nothing in TREE is installed.  TREE/DEBIAN tells dpkg-shlibdeps (its -S) which packages these are.
set -euo pipefail
arch=$1 tree=$(realpath -m "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case $arch in
arm64) more=libheif-dev tools="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static" ;;
armhf) more="" tools="gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user-static" ;;
i386) more="" tools="gcc-i686-linux-gnu libc6-dev-i386-cross" ;;
*) echo "foreign: $arch is not arm64, armhf or i386" >&2 && exit 2 ;;
esac
# shellcheck disable=SC2086
scripts/setup.sh $tools
made=$(sha256sum <scripts/foreign.sh)
[ "$(cat "$tree/complete" 2>/dev/null)" != "$made" ] || exit 0
codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || codename=bookworm
rm -rf "$tree"
state=$tree/apt log=build/log/$arch-tree.log
mkdir -p "$state/lists/partial" "$state/archives/partial" build/log
touch "$state/status"
echo "deb [arch=$arch] http://deb.debian.org/debian $codename main" >"$state/sources.list"

foreign_apt()
{
    apt-get -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$state" -o Dir::State::status="$state/status" \
        -o Dir::State::lists=lists -o Dir::Cache="$state" -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=- \
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root -o Acquire::Languages=none -qq "$@"
}

echo "$arch: Debian's libraries for it"
{
    foreign_apt update
    # shellcheck disable=SC2086
    foreign_apt --download-only --yes install libc6-dev zlib1g-dev libpng-dev libjpeg62-turbo-dev libjansson-dev libutf8proc-dev \
        libblis-serial-dev libcmocka-dev libgif-dev libwebp-dev libtiff-dev $more
} >"$log" 2>&1 || { tail -n 20 "$log" >&2 && exit 1; }
mkdir "$tree/DEBIAN"
for package in "$state"/archives/*.deb; do
    dpkg -x "$package" "$tree"
    for kind in symbols shlibs; do dpkg-deb --info "$package" $kind >>"$tree/DEBIAN/$kind" 2>/dev/null || true; done
done
[ -e "$tree/lib" ] || ln -s usr/lib "$tree/lib" # since Debian 13 no package of these brings it
find "$tree" -type l -lname '/*' | while read -r link; do ln -sfnr "$tree$(readlink "$link")" "$link"; done # else libz.a is taken
rm -rf "$state"
echo "$made" >"$tree/complete"
