#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# within.sh TREE COMMAND... - runs a command inside TREE, a Debian system of another processor (scripts/debian.sh), where this folder has the
# path that it has here.  The kernel starts programs of that processor by the emulator, those that they start too.  Only root can.
# What is mounted is seen by this command alone.  Without a command the kernel is told of the emulator and nothing is run.
set -euo pipefail
tree=$(realpath "$1")
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ "$(id -u)" = 0 ] || { echo "within: only root can enter another system" >&2 && exit 1; }
[ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
if [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
    tr -d '\n' </usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register
fi
[ $# != 0 ] || exit 0
mkdir -p "$tree$PWD"
export tree
# shellcheck disable=SC2016
exec unshare --mount bash -euc '
mount --bind "$PWD" "$tree$PWD"
mount --bind /dev "$tree/dev"
mount -t proc proc "$tree/proc"
mount -t tmpfs tmpfs "$tree/tmp"
exec chroot "$tree" env --chdir="$PWD" PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"' within "$@"
