#!/bin/sh
# SPDX-License-Identifier: MIT
# setup.sh [PACKAGE...] - installs the Debian packages libmopd needs (packages.txt and those named) that are missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

missing=""
for package in $(cat "$here/packages.txt") "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup: this system has no apt-get; install these yourself:$missing" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null; then
    as_root="sudo"
else
    echo "setup: neither root nor sudo; ask an administrator for: apt-get install$missing" >&2
    exit 1
fi
echo "setup: installing$missing"
exec 9>"${TMPDIR:-/tmp}/mopd-setup-$(id -u).lock" # scripts beside each other wait here; other programs' locks are apt's
flock 9
# install - by the lists of packages that are there
install()
{
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $as_root apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends $missing
}
install >/dev/null 2>&1 && exit # lists that are missing or too old name no package that could be fetched
$as_root apt-get update -qq
install >/dev/null
