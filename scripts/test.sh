#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh [PART...] - every check of the project, or the named parts; `quick` is the first of them, `platforms` are those of other
# systems, which are not in the run of all; --help lists them.
# Each part installs and builds what it needs, and its logs are in build/log.  A part that fails does not stop the others:
# the table at the end tells which, and the exit status is 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
self=scripts/test.sh
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-2}

# Several parts compile the same files with the same options: packages, sub-projects, environments of Python.
export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
own_cache=$PWD/build/ccache
export CCACHE_DIR=${CCACHE_DIR:-$own_cache} CCACHE_NOHASHDIR=1

# A part is a line "#: NAME  what it checks" and a function of that name; they run in this order.

#: release      gcc with warnings as errors, every test on the best this CPU has
part_release()
{
    build ci
    run_tests ci
}

#: paths        the same build on the plain and the AVX2 path (math and layer tests walk through all paths themselves)
part_paths()
{
    build ci
    for path in plain avx2; do
        with_ignored_as MOPD_CPU $path '^(api|clip|model|pixel|prompt|train)[.]|^cli[.](classify|eval|fit|train)$'
    done
}

#: bfloat       bf16 by bfloat16 as on CPUs with AMX: in plain C where there is none, with the same bits
part_bfloat()
{
    build ci
    with_ignored_as MOPD_BF16 bfloat16 '^(api|clip|model)[.]|^cli[.]classify$'
}

# What one build has told is not asked of the next.  MOPD_TESTS_LEFT_OUT in CMakePresets.json names what a build has not: what
# does not run the library; the fuzz targets, which the part fuzz runs with clang and sanitizers; with ThreadSanitizer also
# what starts no thread.

#: tsan         ThreadSanitizer, every test of code that runs in threads; those it has not start none
part_tsan()
{
    build tsan
    run_tests tsan
    build ci
    cc -shared -fPIC -O1 -o build/no_threads.so tests/support/alone/no_threads.c
    left_out=$(python3 -c 'import json
print(*(p["cacheVariables"]["MOPD_TESTS_LEFT_OUT"] for p in json.load(open("CMakePresets.json"))["configurePresets"] if p["name"] == "tsan"))')
    other='^(code|docs|fuzz)[.]|^abi[.].*_program|^api[.]refused|^format[.](heif|kinds|starved)$|^cli[.]kills$|^clip[.]published$'
    # libde265 has a thread; kills has a preloaded library of its own; what is published is clip.vit, and wide
    LD_PRELOAD=$PWD/build/no_threads.so run_tests ci -R "$left_out" -E "$other"
}

#: msan         MemorySanitizer, every test in C on the plain path; other libraries end at tests/support/msan
part_msan()
{
    if ! grep -qx VERSION_CODENAME=bookworm /etc/os-release; then
        echo "msan: tests/support/msan knows the edges of Debian 12's libraries; newer ones are taken for faults"
        return
    fi
    scripts/setup.sh clang libclang-rt-dev llvm
    build msan
    run_tests msan
}

#: clang        clang with warnings as errors, sanitizers of addresses and undefined behaviour, every test; shares of branches
part_clang()
{
    scripts/setup.sh clang libclang-rt-dev llvm
    build clang
    rm -rf build-clang/profile
    LLVM_PROFILE_FILE=$PWD/build-clang/profile/%2m.profraw run_tests clang
    python3 tests/code/coverage.py build-clang
}

#: tidy         clang-tidy has nothing to say of the checks in .clang-tidy
part_tidy()
{
    scripts/setup.sh clang clang-tidy
    build clang
    sources '*.c' '*.cpp' | grep -vE '(_mpi[.]c|_(windows|darwin)[.]c|/msan/.*[.]c|^tests/install/.*|^tests/abi/.*)$' >build/log/tidy.files
    quietly xargs -P "$(nproc)" -n 8 clang-tidy -p build-clang --quiet <build/log/tidy.files
    echo "tidy: $(wc -l <build/log/tidy.files) files, nothing found"
}

#: arm64        64-bit ARM by emulation: kernels, layers, towers, pictures, tokens and files; the other tests know no processor
part_arm64()
{
    ! off_x86 "; the other parts test what it is" || return 0
    scripts/foreign.sh arm64 build/arm64-tree
    build arm64
    run_tests arm64
}

#: arm64-all    64-bit ARM, every test in C that knows no compiler, in a Debian system for it: long, only for root, not in the run of all
part_arm64-all()
{
    ! off_x86 "; the other parts test what it is" || return 0
    scripts/debian.sh build/arm64-debian
    build ci # for the built-in model
    build arm64-all
    quietly scripts/within.sh build/arm64-debian ctest --test-dir build-arm64-all --parallel "$(nproc)" --output-on-failure --no-tests=error
    grep -E '^[0-9]+% tests passed' "$log"
}

#: armhf        32-bit ARM by emulation, without BLIS: kernels, towers, pictures, tokens and training: not in the run of all
part_armhf()
{
    ! off_x86 "; nobody has tried the emulator there" || return 0
    scripts/foreign.sh armhf build/armhf-tree
    build armhf
    run_tests armhf
}

#: i386         32-bit x86 without BLIS, every test in C that knows no compiler: not in the run of all
part_i386()
{
    ! off_x86 ", which runs such programs" || return 0
    scripts/foreign.sh i386 build/i386-tree
    build ci # for the built-in model
    build i386
    run_tests i386
}

#: musl         the suite with musl, which Alpine has, and the command as one static program: not in the run of all
part_musl()
{
    ! off_x86 ", which Debian's musl-gcc builds for" || return 0
    scripts/dependencies.sh musl build/musl-tree
    build ci # for the built-in model
    build musl
    run_tests musl
    build static
    quietly readelf -l build-static/mopd
    if grep INTERP "$log"; then exit 1; fi # a loader, which a static program has no need of
    for kind in musl static; do
        quietly build-$kind/mopd encode --quiet -m build/builtin.safetensors --text "a photo of a cat." -o build/log/$kind.npy
    done
    cmp build/log/musl.npy build/log/static.npy
    echo "musl: the static command has $(stat -c %s build-static/mopd) bytes"
}

#: wasm-quick   WebAssembly in Node.js: products, kernels, towers, pictures, tokens and files with their golden numbers, and the JavaScript package
part_wasm-quick()
{
    scripts/wasm.sh build/wasm-tree
    build ci # to compare with
    tests='^(math[.](fix|gemm|i16|i8|kern_depthwise|kern_rows|tile)|layer[.](block|depthwise)|model[.](encoder|mobileclip|resnet)|pixel[.](pixels|resample)|token[.](pieces|tokenizer)|format[.](image|tensors|torchfile))$'
    mapfile -t programs < <(sources 'tests/*/test_*.c' | sed -E 's|tests/(.*)/test_(.*)[.]c|\1.\2|' | grep -E "$tests" | sed 's/[.]/_/; s/^/test_/')
    build wasm mopd_js "${programs[@]}"
    run_tests wasm -R "$tests"
    wasm_package
}

#: wasm         WebAssembly: the tests in Node.js, some in Chromium too, the JavaScript package, with threads too, and the example page: not in the run of all
part_wasm()
{
    scripts/setup.sh chromium
    scripts/wasm.sh build/wasm-tree
    build ci
    build wasm
    run_tests wasm
    python3 -B tests/web/programs.py build-wasm/web
    scripts/wasm.sh build/wasm-threads-tree -pthread
    build wasm-threads mopd_js
    wasm_package
    python3 -B tests/web/page.py build/site build/mopd build/web-photographs
}

#: windows      mopd.dll and the command by mingw-w64: names, and the suite but for tests/support/windows.txt under wine: not in the run of all
part_windows()
{
    ! off_x86 ", which wine needs for such programs" || return 0
    scripts/setup.sh wine64
    scripts/dependencies.sh mingw build/mingw-tree
    build ci # for the built-in model
    build mingw
    x86_64-w64-mingw32-objdump -p build-mingw/mopd.dll | sed -n 's/^\t\[ *[0-9]*\].* \(mopd_[a-z0-9_]*\)$/\1/p' | sort >build/log/windows.names
    sed -n 's/^ *\(mopd_[a-z0-9_]*\);$/\1/p' lib/mopd.map | sort | diff - build/log/windows.names
    export WINEPREFIX=$PWD/build/wine WINEDEBUG=-all
    quietly /usr/lib/wine/wine64 cmd /c "echo a folder for wine"
    mkdir -p build/wine-share/mopd/share # \\mopd\share for wine
    ln -sfn "$PWD/build/wine-share" build/wine/dosdevices/unc
    run_tests mingw
}

#: macos        both kinds of Mac: all is compiled and linked, and the files are read; nothing is run: not in the run of all
part_macos()
{
    ! off_x86 ", where nobody has tried it" || return 0
    . scripts/zig.sh
    for kind in arm64:aarch64-macos.11.0 x86_64:x86_64-macos.10.13; do
        preset=macos-${kind%%:*}
        compiler "${kind#*:}"
        scripts/dependencies.sh zig "build/$preset-tree"
        build "$preset"
        python3 -B tests/install/macho.py "${kind%%:*}" @loader_path/../lib "build-$preset/libmopd.0.dylib" "build-$preset/mopd"
    done
}

#: deb-arm64    the Debian packages for 64-bit ARM, by the cross compiler; root tries them in a Debian for ARM: not in the run of all
part_deb-arm64()
{
    ! off_x86 ", which the cross compiler is for" || return 0
    build ci # for the built-in model, and to compare with
    scripts/package.sh build-deb-arm64 arm64 >/dev/null
    tests/install/deb_arm64.sh build-deb-arm64 build/arm64-debian build/libmopd.so
}

#: wheels       Python wheels of other systems (scripts/wheels.sh), tried where they can be, and the package's source: not in the run of all
part_wheels()
{
    ! off_x86 ", which the script needs" || return 0
    build ci # for the built-in model, and to compare with
    scripts/wheels.sh
    scripts/sdist.sh >/dev/null
    tests/install/sdist.sh build/sdist/mopd-*.tar.gz
}

#: format       clang-format would change nothing
part_format()
{
    formatter=clang-format # other versions than 14 break lines elsewhere: PyPI has it where the system has another
    if ! clang-format --version 2>/dev/null | grep -q 'version 14[.]'; then
        scripts/setup.sh python3-venv
        [ -x build/format-venv/bin/pip ] || python3 -m venv build/format-venv
        build/format-venv/bin/pip install --quiet --disable-pip-version-check clang-format==14.0.6
        formatter=build/format-venv/bin/clang-format
    fi
    sources '*.c' '*.h' '*.cpp' '*.hpp' '*.cc' | xargs "$formatter" --dry-run -Werror
    echo "format: $(sources '*.c' '*.h' '*.cpp' '*.hpp' '*.cc' | wc -l) files, none would change"
}

#: fuzz         every reader on its corpus and for some seconds beyond it
part_fuzz()
{
    tests/fuzz/run.sh
}

#: growth       twice the entries of a hostile file take no more than 2.3 times the work, counted by callgrind
part_growth()
{
    scripts/setup.sh valgrind
    build ci
    quietly python3 tests/limits/growth.py build/test_limits_memory
    tail -n 1 "$log"
}

#: abi          what the headers promise against the last release's dump
part_abi()
{
    tests/abi/compare.sh
}

#: install      the installed tree and the source as a sub-project, as users meet them, and what the pages tell C programmers
part_install()
{
    scripts/setup.sh libnuma-dev # libheif's x265 names it to whoever asks pkg-config for a static link
    tests/install/refusals.sh
    build ci
    tests/install/run.sh build
    tests/install/subproject.sh
    tests/newcomer/c.sh build
}

#: deb          the Debian packages
part_deb()
{
    build ci
    clone
    cp build/builtin.safetensors "$clone/build/"
    "$clone/scripts/package.sh" >/dev/null
    tests/install/deb.sh "$clone/build-deb"
}

#: mpi          training over MPI
part_mpi()
{
    build ci
    tests/mpi/run.sh build
}

#: python       the Python package: its tests and types, what the pages tell Python programmers, and whether the benches load it
part_python()
{
    build ci
    tests/newcomer/python.sh build build/python-venv
    bindings/python/test.sh build build/python-venv
    PYTHONPATH=tests/bench build/python-venv/bin/python -B -c '
import cpu, ours, recognition, timing # the others want PyTorch
ours.load("build/libmopd.so")'
}

#: distributed  the examples with Dask and Spark on clusters of two workers
part_distributed()
{
    python_env
    tests/distributed/run.sh build
}

#: docs         the pages: code in them, links, citations, figures, and HTML without a warning
part_docs()
{
    python_env
    build/python-venv/bin/pip install --quiet --disable-pip-version-check pyarrow # code in docs/distributed.md
    python3 tests/docs/check.py build build/python-venv/bin/python
    clone
    "$clone/scripts/docs.sh"
}

# off_x86 WHY - whether this is no x86-64, which is said then.
off_x86()
{
    [ "$(uname -m)" != x86_64 ] && echo "$part: this is no x86-64$1"
}

# faults FILE - its last lines that name a fault, or its last lines: who sees only the end of a long run needs them.
faults()
{
    grep -E '\[ +(ERROR|FAILED) +\]|(^|[^a-z])(ERROR|[Ee]rror|warning):|\((Failed|Timeout|.*Exception.*)\)|^(FAILED|not ok)' "$1" | tail -n 12 || tail -n 12 "$1"
}

# quietly COMMAND... - output goes to the part's log; its end and its faults are shown when the command fails.
quietly()
{
    "$@" >"$log" 2>&1 || { tail -n 100 "$log" && faults "$log" && exit 1; }
}

# build PRESET [TARGET...] - warnings are errors, except of gcc with a sanitizer: it warns there of what cannot be.  The built-in model is
# in build/ with the preset ci: tests, pages and packages take it from there.
build()
{
    scripts/setup.sh mold
    echo "$part: building preset $1"
    linker=""
    # GNU ld takes four times as long; a cross compiler does not find another
    [[ "$1" =~ ^(arm64|arm64-all|armhf|i386|musl|static|mingw|wasm|wasm-threads|macos-.*)$ ]] || ! cc -fuse-ld=mold -Wl,--version >/dev/null 2>&1 || linker=-fuse-ld=mold
    cache=CCACHE_DIR=$CCACHE_DIR # which serves no other build than ci's unless the caller keeps it
    [ "$1" = ci ] || [ "$CCACHE_DIR" != "$own_cache" ] || cache=CCACHE_DISABLE=1
    exec 8>"build/log/$1.lock" # parts beside each other ask for the same build
    flock 8
    quietly env LDFLAGS="${LDFLAGS:-} $linker" cmake --preset "$1"
    quietly env "$cache" cmake --build --preset "$1" --parallel "$(nproc)" ${2:+--target "${@:2}"} -- --quiet
    [ "$1" != ci ] || scripts/model.sh build
    exec 8>&-
}

# clone - the source in a folder whose name holds a blank, as any may: $clone.
clone()
{
    clone="build/clone for $part"
    rm -rf "$clone"
    mkdir -p "$clone/build"
    git ls-files -z | xargs -0 cp --parents --target-directory="$clone"
}

# run_tests PRESET [OPTION...]
run_tests()
{
    quietly ctest --preset "$1" --no-tests=error "${@:2}"
    grep -E '^[0-9]+% tests passed' "$log"
}

# with_ignored_as VARIABLE VALUE TESTS - the tests with that variable, unless this machine ignores the value or does the same
# without it, as the part release has seen.
with_ignored_as()
{
    usual=$(build/mopd --version)
    export "$1=$2"
    told=$(build/mopd --version)
    if grep -q "$1 ignored" <<<"$told"; then
        echo "$part: $1=$2 is not for this CPU"
    elif [ "$told" = "$usual" ]; then
        echo "$part: $1=$2 is what this CPU has without it"
    else
        echo "$part: $1=$2"
        run_tests ci -R "$3"
    fi
    unset "$1"
}

# build/python-venv, made by the part python.
python_env()
{
    [ -e build/python-venv/bin/mypy ] || bash "$self" --part python
}

# wasm_package - the example page, and the JavaScript package's tests in Node.js.
wasm_package()
{
    scripts/web.sh build/site
    quietly env MOPD_JS=build-wasm/js MOPD_MODEL=build/site/model.safetensors MOPD_COMMAND=build/mopd node --test bindings/js/tests/
    grep -E '^# (pass|fail) ' "$log"
}

sources()
{
    git ls-files "$@"
}

# Parts that are run by name, or all of them as `platforms`.
platforms="armhf i386 macos musl wasm windows deb-arm64 wheels"
by_name="arm64-all" # in neither list
parts=$(sed -n 's/^#: \([a-z0-9-]*\) .*/\1/p' "$self")
case ${1:-} in
--help)
    sed -n '3,6s/^# //p; s/^#: /    /p' "$self"
    exit
    ;;
--part) # one part as a process of its own, so that `set -e` holds in it
    part=$2 log=build/log/$2.log
    mkdir -p build/log
    scripts/setup.sh ccache
    "part_$part"
    exit
    ;;
esac

wanted=""
for name in "${@:-all}"; do
    case $name in
    all) wanted="$wanted $(grep -vxFf <(tr ' ' '\n' <<<"$platforms $by_name") <<<"$parts")" ;;
    platforms) wanted="$wanted $platforms" ;;
    quick) wanted="$wanted release" ;;
    *)
        grep -qx -e "$name" <<<"$parts" || { echo "test: no part '$name'; scripts/test.sh --help lists them" >&2 && exit 2; }
        wanted="$wanted $name"
        ;;
    esac
done

# What ended children of this shell have used of the processors, in seconds, as `cpu`: `times` counts anew in a pipe.
count_cpu()
{
    times >"$clock"
    cpu=$(awk 'NR == 2 {gsub(/[ms]/, " "); print $1 * 60 + $2 + $3 * 60 + $4}' "$clock")
}

# run_parts OUTPUT PART... - one after the other; OUTPUT is "show", or "keep" for what runs beside others: then a part's lines
# come together when it has ended.
run_parts()
{
    output=$1 clock=$results/clock.$1
    shift
    for part in "$@"; do
        count_cpu
        began=$(date +%s.%N) before=$cpu result=passed
        if [ "$output" = show ]; then
            echo "== $part"
            bash "$self" --part "$part" </dev/null 2>&1 | tee "$results/$part" || result=FAILED
        else
            bash "$self" --part "$part" </dev/null >"$results/$part" 2>&1 || result=FAILED
            echo "== $part" | cat - "$results/$part"
        fi
        count_cpu
        awk -v "took=$(date +%s.%N) $began $cpu $before" -v "name=$part $result" 'BEGIN {
            split(took, t, " "); split(name, n, " ")
            printf "%-14s%-8s%8.0f%8.0f\n", n[1], n[2], t[1] - t[2], t[3] - t[4]
        }' >>"$results/table"
    done
}

# Parts that keep one processor busy run beside each other, in two rows, when the others are done.
row_a="" row_b="" first=""
for part in $wanted; do
    case $part in
    fuzz | abi | install | deb | mpi) row_a="$row_a $part" ;;
    python | distributed | docs | growth) row_b="$row_b $part" ;;
    *) first="$first $part" ;;
    esac
done
mkdir -p build/log
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
touch "$results/table"
start=$(date +%s)
# shellcheck disable=SC2086
{
    run_parts show $first
    run_parts keep $row_a &
    run_parts show $row_b
    wait
}
printf '%-14s%-8s%8s%8s\n' part result seconds "cpu s"
cat "$results/table"
for part in $(sed -n 's/ *FAILED.*//p' "$results/table"); do
    echo "-- $part"
    faults "$results/$part"
done
failed=$(grep -c FAILED "$results/table") || true
echo "parts: $(($(wc -l <"$results/table") - failed)) passed, $failed failed, $(($(date +%s) - start)) s"
[ "$failed" = 0 ]
