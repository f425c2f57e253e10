#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# arm64.sh TREE - installs a cross compiler and an emulator for 64-bit ARM, and unpacks Debian's libraries for it into TREE, which
# cmake/aarch64.cmake takes as MOPD_SYSROOT.  The system's own packages stay of one architecture; nothing in TREE is installed.
set -euo pipefail
tree=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
[ ! -e "$tree/complete" ] || exit 0
codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || codename=bookworm
rm -rf "$tree"
state=$tree/apt
mkdir -p "$state/lists/partial" "$state/archives/partial" build/log
touch "$state/status"
echo "deb [arch=arm64] http://deb.debian.org/debian $codename main" >"$state/sources.list"

arm_apt()
{
    apt-get -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$state" -o Dir::State::status="$state/status" \
        -o Dir::State::lists=lists -o Dir::Cache="$state" -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=- \
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root -o Acquire::Languages=none -qq "$@"
}

echo "arm64: Debian's libraries for it"
{
    arm_apt update
    arm_apt --download-only --yes install libc6-dev zlib1g-dev libpng-dev libjpeg62-turbo-dev libjansson-dev libutf8proc-dev \
        libblis-serial-dev libcmocka-dev libgif-dev libwebp-dev libtiff-dev
} >build/log/arm64-tree.log 2>&1 || { tail -n 20 build/log/arm64-tree.log >&2 && exit 1; }
for package in "$state"/archives/*.deb; do dpkg -x "$package" "$tree"; done
rm -rf "$state"
touch "$tree/complete"
