# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# zig.sh - to be read by others: clang and the C libraries' headers of PyPI's ziglang, as $tools, and programs of one word for a target.
work=$PWD/build/wheels
tools=$work/tools
mkdir -p "$work/log"
scripts/setup.sh ccache python3-venv
[ -x "$tools/bin/wheel" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check ziglang==0.13.0 wheel==0.45.1

# compiler TARGET - `cc`, `ar` and `ranlib` for it, in $MOPD_ZIG.
compiler()
{
    export MOPD_ZIG_TARGET=$1 MOPD_ZIG=$work/zig-$1
    [ ! -d "$MOPD_ZIG" ] || return 0 # ccache asks how old they are
    mkdir -p "$MOPD_ZIG"
    zig=$(echo "$tools"/lib/python3*/site-packages/ziglang/zig)
    # shellcheck disable=SC2016
    for tool in cc ar ranlib; do
        target=$([ $tool != cc ] || echo "-target $1")
        printf '#!/bin/sh\nexec "%s" %s %s "$@"\n' "$zig" "$tool" "$target" >"$MOPD_ZIG/$tool"
        chmod +x "$MOPD_ZIG/$tool"
    done
    [[ "$1" != *-macos* ]] || apples_linker "$1"
}

# apples_linker TARGET - zig's own linker has neither lists of public names nor versions for macOS, LLVM's knows what Apple's does.
apples_linker()
{
    scripts/setup.sh clang lld llvm
    apple=${1/aarch64/arm64}
    apple=${apple/-macos./-apple-macos}
    mv "$MOPD_ZIG/cc" "$MOPD_ZIG/compile"
    sed -i 's/ "\$@"$/ -fno-define-target-os-macros&/' "$MOPD_ZIG/compile" # by which zlib and libpng take it for the Mac OS of 1999
    for name in System m pthread dl; do # one library under four names, as in Apple's folder
        ln -s "${zig%/*}/lib/libc/darwin/libSystem.tbd" "$MOPD_ZIG/lib$name.tbd"
    done
    cat >"$MOPD_ZIG/cc" <<CC
#!/bin/sh
compiles=false
for word; do
    case \$word in -c | -E | -S | *.c) compiles=true ;; esac
done
\$compiles || exec clang --target=$apple -fuse-ld=lld "-L$MOPD_ZIG" "\$@"
for word; do
    shift
    case \$word in -Wl,*) ;; *) set -- "\$@" "\$word" ;; esac # CMake has words for the linker everywhere
done
exec "$MOPD_ZIG/compile" "\$@"
CC
    chmod +x "$MOPD_ZIG/cc"
}
