#!/bin/sh
# SPDX-License-Identifier: MIT
# deb.sh FOLDER [--install] - the Debian packages in FOLDER (scripts/package.sh): linted, then unpacked into a fresh root
# (or really installed, for a throw-away system) and met as users do.
. "$(dirname "$0")/../support/shell.sh"
folder=$(cd "$1" && pwd)
. "$here/checks.sh"

"$root/scripts/setup.sh" bash groff-base
[ "$(ls "$folder"/*.deb | wc -l)" = 4 ]
. "$here/lint.sh"

if [ "${2:-}" = --install ]; then
    prefix=/usr
    apt-get install -y -qq --no-install-recommends "$folder"/*.deb >/dev/null
    man_ok=$(find /usr/share/man/man1 -name 'mopd*.1.gz' | wc -l)
    [ "$man_ok" -gt 0 ] || echo "deb: this system leaves manual pages out" >&2
else
    prefix=$work/unpacked/usr
    for package in "$folder"/*.deb; do dpkg-deb -x "$package" "$work/unpacked"; done
fi
find_tree
[ "${2:-}" != --install ] || unset LD_LIBRARY_PATH PKG_CONFIG_PATH
[ "$(pkg-config --cflags --libs mopd | tr -d ' ')" = -lmopd ]
pass "pkg-config leaves out the system's folders"
check_programs
check_command
if [ "${2:-}" = --install ]; then
    apt-get purge -y -qq mopd mopd-data libmopd-dev libmopd0 >/dev/null
    [ -z "$(find /usr -name '*mopd*' -not -path '/usr/share/doc/*')" ]
    pass "nothing is left after purging"
fi
all_passed
