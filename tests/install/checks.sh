# SPDX-License-Identifier: MIT
# checks.sh - what run.sh and deb.sh ask of an installed tree; sourced, after tests/support/shell.sh and with prefix set.
flags="-Wall -Wextra -Werror -pedantic"

# The tree under $prefix, wherever its library folder is.
find_tree()
{
    pkgconfig=$(dirname "$(find "$prefix" -name mopd.pc)")
    libdir=${pkgconfig%/pkgconfig}
    export PKG_CONFIG_PATH="$pkgconfig" LD_LIBRARY_PATH="$libdir"
}

# What pkg-config says of a tree that will be /usr, and is under $prefix now.
pc_flags() { pkg-config ${1:-} --define-variable=prefix="$prefix" --cflags --libs mopd; }

check_headers()
{
    for header in "$prefix"/include/mopd/*.h; do
        echo "#include <mopd/$(basename "$header")>" >"$work/one.c"
        cp "$work/one.c" "$work/one.cc"
        for std in c99 c11; do gcc -std=$std $flags -I"$prefix/include" -fsyntax-only "$work/one.c"; done
        for std in c++98 c++11 c++17 c++20; do g++ -std=$std $flags -I"$prefix/include" -fsyntax-only "$work/one.cc"; done
    done
    for compiler in $(compilers); do
        for std in c++17 c++20 c++23; do
            ! echo 'int main() {}' | "$compiler" -std=$std -x c++ -fsyntax-only - 2>/dev/null ||
                "$compiler" -std=$std $flags -Wconversion -Wshadow -I"$prefix/include" -fsyntax-only "$root"/examples/*.cpp
        done
    done
    pass "every header compiles alone as C99, C11, C++98, C++11, C++17 and C++20, mopd.hpp from C++17 on by $(compilers | tr '\n' ' ')"
}

# The compilers of C++ at hand, each once: the usual ones, and those that have a version in their name.
compilers()
{
    for name in g++ clang++ $(bash -c 'compgen -c' | grep -E '^(g|clang)[+][+]-[0-9]+$'); do
        program=$(command -v "$name") && echo "$(readlink -f "$program") $name"
    done | sort -u -k 1,1 | cut -d' ' -f2
}

check_programs()
{
    gcc -std=c99 $flags "$here/c/consumer.c" $(pc_flags) -o "$work/c-pkg"
    g++ -std=c++11 $flags "$here/cxx/consumer.cc" $(pc_flags) -o "$work/cxx-pkg"
    "$work/c-pkg" && "$work/cxx-pkg"
    for example in "$root"/examples/[0-9]*.c "$root"/examples/[0-9]*.cpp; do
        case $example in
        *.cpp) compile="g++ -std=c++17" ;;
        *) compile="gcc -std=c11 -D_POSIX_C_SOURCE=200809L" ;;
        esac
        grep -q '<mpi.h>' "$example" || $compile "$example" $(pc_flags) -lm -o "$work/example"
    done
    pass "a C and a C++ program and all examples build by pkg-config"
    cmake -S "$here" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" -DMOPD_EXAMPLES="$root/examples" >/dev/null
    cmake --build "$work/consumer" >/dev/null
    "$work/consumer/c-consumer" && "$work/consumer/cxx-consumer" && "$work/consumer/cxx17-consumer"
    pass "the same by the CMake package, which tells what it has not"
    guide=$(find "$prefix/share/doc" -path '*/docs/c-guide.*')
    if [ -z "$guide" ] && [ "$prefix" = /usr ]; then
        echo "deb: this system leaves documentation out" >&2
        return
    fi
    doc=$(dirname "$guide")/..
    [ -f "$doc/examples/README.md" ] && [ -f "$doc/examples/01_classify.c" ] && [ -f "$doc/docs/getting-started.md" ]
    pass "guides and examples lie beside each other"
}

check_command()
{
    "$prefix/bin/mopd" --version >/dev/null
    "$prefix/bin/mopd" inspect --format json >/dev/null
    pass "the installed command finds the library and the built-in model"
    for sub in $("$prefix/bin/mopd" --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p'); do
        page=$(find "$prefix/share/man/man1" -name "mopd-$sub.1*")
        case $page in *.gz) gzip -dc "$page" ;; *) cat "$page" ;; esac >"$work/page.1"
        groff -man -Tascii -ww "$work/page.1" 2>"$work/warnings" | sed 's/.\x08//g' >"$work/page"
        [ ! -s "$work/warnings" ] || { cat "$work/warnings" >&2; exit 1; }
        "$prefix/bin/mopd" "$sub" --help | sed -n 's/^  ....--\([a-z0-9-]*\).*/\1/p' >"$work/options"
        [ -s "$work/options" ]
        while read -r option; do
            grep -q -e "--$option" "$work/page" || { echo "$page: --$option is missing" >&2; exit 1; }
            completion "$sub" "--$option" | grep -qx -e "--$option" || { echo "no completion of $sub --$option" >&2; exit 1; }
        done <"$work/options"
    done
    completion train --method mopd-s | grep -qx mopd-static
    completion tr | grep -qx train
    script=$(find "$prefix/share/zsh" -name _mopd)
    [ -s "$script" ]
    ! command -v zsh >/dev/null || zsh -n "$script"
    pass "each subcommand has a page and completion with all its options"
}

# What bash offers after `mopd WORD...`.
completion()
{
    bash -c 'source "$1"; shift; COMP_WORDS=(mopd "$@"); COMP_CWORD=$#; _mopd; printf "%s\n" "${COMPREPLY[@]}"' \
        bash "$prefix/share/bash-completion/completions/mopd" "$@" 2>/dev/null
}
