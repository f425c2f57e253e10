#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch_deb.sh PACKAGE=VERSION SHA256 PREFIX FOLDER <NAMES - the named files below PREFIX (usr/share/...) of a pinned Debian
# package into FOLDER.  Nothing is installed; what is there already is not fetched again.  The release that this system
# follows may have another version: the archive keeps that of each supported release beside it.
set -eu
[ $# = 4 ] || { echo "usage: scripts/fetch_deb.sh PACKAGE=VERSION SHA256 PREFIX FOLDER <NAMES" >&2; exit 2; }
package=$1 sha256=$2 prefix=$3 folder=$4

all_there() { while read -r name; do [ -f "$folder/$name" ] || return 1; done <"$names"; }
fail() { echo "fetch_deb: $*" >&2; exit 1; }
download() { { (cd "$temp" && apt-get download "$package") || from_pool; } >"$temp/log" 2>&1; }

# The pinned version from the place of the version that apt knows.
from_pool()
{
    name=${package%%=*} version=${package#*=}
    known=$(apt-get download --print-uris "$name" | sed -n "s/^'\([^']*\)'.*/\1/p")
    [ -n "$known" ] && /usr/lib/apt/apt-helper download-file \
        "${known%/*}/${name}_${version#*:}_${known##*_}" "$temp/pinned.deb" "SHA256:$sha256"
}

mkdir -p "$folder"
temp=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$temp"' EXIT
trap 'exit 130' INT TERM
names=$temp/names
cat >"$names"
! all_there || exit 0

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "$package: this system has no apt-get and dpkg-deb"
echo "fetch_deb: $package"
if ! download; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    $as_root apt-get update -qq >/dev/null 2>&1 || true
    download || fail "apt-get could not get $package: $(grep '^E:' "$temp/log" | head -n 1)"
fi
set -- "$temp"/*.deb
echo "$sha256  $1" | sha256sum --check --status || fail "$package has another SHA-256 than $sha256"
sed "s|^|./$prefix/|" "$names" >"$temp/members"
dpkg-deb --fsys-tarfile "$1" | tar -x -C "$temp" --no-same-owner -T "$temp/members" || fail "$package lacks some of the files"
cp -R "$temp/$prefix/." "$folder/"
