#!/bin/sh
# SPDX-License-Identifier: MIT
# package.sh [BUILD [arm64]] - Debian packages of libmopd in BUILD (default: build-deb), with Debian's compiler flags:
# libmopd0, libmopd-dev, mopd, mopd-data; for this system's processor, or on x86-64 for 64-bit ARM by the cross compiler.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$("$root/scripts/folder.sh" "${1:-$root/build-deb}" package "scripts/package.sh FOLDER")
cd "$root"
scripts/setup.sh file dpkg-dev # cpack asks file, then dpkg-shlibdeps, what the packages depend on
set -- "${2:-}"
if [ -n "$1" ]; then
    [ "$1" = arm64 ] || { echo "package: $1 is not arm64" >&2; exit 2; }
    tree=$root/build/arm64-tree triple=aarch64-linux-gnu
    scripts/foreign.sh arm64 "$tree"
    export DEB_HOST_ARCH="$1" # which dpkg's tools ask for
    mkdir -p "$build/tools"
    printf '#!/bin/sh\nexec /usr/bin/dpkg-shlibdeps "-S%s" "-l%s" "$@"\n' "$tree" "$tree/usr/lib/$triple/blis-serial" >"$build/tools/dpkg-shlibdeps"
    chmod +x "$build/tools/dpkg-shlibdeps"
    export PATH="$build/tools:$PATH"
    set -- -DCMAKE_TOOLCHAIN_FILE=cmake/arm64.cmake -DMOPD_SYSROOT="$tree" -DCMAKE_INSTALL_LIBDIR="lib/$triple" \
        -DCMAKE_CXX_COMPILER=NOTFOUND -DCPACK_DEBIAN_PACKAGE_ARCHITECTURE="$1"
else
    set --
fi
export DEB_BUILD_MAINT_OPTIONS=reproducible=-fixfilepath,-fixdebugpath # the build itself maps paths (MOPD_DEB), also with blanks
CFLAGS="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS)"
LDFLAGS=$(dpkg-buildflags --get LDFLAGS)
cmake -G Ninja -S . -B "$build" "$@" -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DMOPD_BUILD_EXAMPLES=OFF -DMOPD_DEB=ON \
    -DCMAKE_C_FLAGS="$CFLAGS" -DCMAKE_SHARED_LINKER_FLAGS="$LDFLAGS -Wl,-z,now" \
    -DCMAKE_EXE_LINKER_FLAGS="$LDFLAGS -Wl,-z,now" >"$build/package.log" 2>&1 || { cat "$build/package.log" >&2; exit 1; }
cmake --build "$build" >>"$build/package.log" 2>&1 || { tail -n 50 "$build/package.log" >&2; exit 1; }
if [ -e build/builtin.safetensors ]; then cp build/builtin.safetensors "$build/"; else scripts/model.sh "$build"; fi
rm -f "$build"/*.deb
(cd "$build" && cpack -G DEB >>package.log 2>&1) || { tail -n 50 "$build/package.log" >&2; exit 1; }
ls "$build"/*.deb
