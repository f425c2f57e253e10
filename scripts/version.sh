#!/bin/sh
# SPDX-License-Identifier: MIT
# version.sh [ROOT] - prints the version, and fails when two places of the repository disagree about it.
# docs/release.md says when to change them.
set -eu
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$root"

first() { sed -n "s/$2/\1/p" "$1" | head -n 1; }
header() { first include/mopd/version.h "^#define MOPD_VERSION_$1 \([0-9]*\)$"; }
binding() { first bindings/python/src/mopd/_abi.py "^MOPD_VERSION_$1 = \([0-9]*\)$"; }

version=$(first CMakeLists.txt '^project(mopd VERSION \([0-9.]*\).*')
minor=${version%.*}
wrong=0

# place, what stands there, what should
same() {
    [ "$2" = "$3" ] && return
    echo "version: $1 says \"$2\", CMakeLists.txt says $version" >&2
    wrong=1
}

same "include/mopd/version.h (numbers)" "$(header MAJOR).$(header MINOR).$(header PATCH)" "$version"
same "include/mopd/version.h (text)" "$(first include/mopd/version.h '^#define MOPD_VERSION_STRING "\(.*\)"$')" "$version"
same bindings/python/src/mopd/_abi.py "$(binding MAJOR).$(binding MINOR).$(binding PATCH)" "$version"
same bindings/python/src/mopd/__init__.py "$(first bindings/python/src/mopd/__init__.py '^__version__ = "\(.*\)"$')" "$version"
same bindings/python/pyproject.toml "$(first bindings/python/pyproject.toml '^version = "\(.*\)"$')" "$version"
same bindings/js/package.json "$(first bindings/js/package.json '^  "version": "\(.*\)",$')" "$version"
same cmake/debian/changelog "$(first cmake/debian/changelog '^mopd (\(.*\)-[0-9]*) .*')" "$version"
same CHANGELOG.md "$(first CHANGELOG.md '^## \[\([0-9.]*\)\].*')" "$version"
same "lib/mopd.map (last node)" "$(sed -n 's/^MOPD_\([0-9.]*\) {$/\1/p' lib/mopd.map | tail -n 1)" "$minor"
same "docs/getting-started.md (find_package)" "$(first docs/getting-started.md '^find_package(mopd \([0-9.]*\) .*')" "$minor"
same "tests/install/CMakeLists.txt (find_package)" "$(first tests/install/CMakeLists.txt '^find_package(mopd \([0-9.]*\) .*')" "$minor"

[ "$wrong" = 0 ] && echo "$version"
exit "$wrong"
