#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [AMOUNT [TARGET...]] - builds the fuzz targets with clang, libFuzzer, ASan and UBSan in build-fuzz and runs them,
# all of them or those named, on tests/fuzz/corpus.
#
#     3000     so many inputs for each target, the same ones at every run (the default); nothing is kept
#     600s     so many seconds for each target; new inputs are kept in build-fuzz/found/TARGET and used by the next run
#     merge    puts what was found into tests/fuzz/corpus, as few files as still reach all lines
#
# An input that breaks a target is kept in build-fuzz/crash; its name is printed and the exit status is 1.  Behind a run by
# time stands a table.  JOBS targets run at once, 2 unless the environment says so.
set -eu
cd "$(dirname "$0")/../.."
here=tests/fuzz
build=build-fuzz

list() { for f in "$here"/fuzz_*.c; do f=${f##*/fuzz_}; echo "${f%.c}"; done; }

# Words that the readers know, and the lines that begin a file in an input of several.
words() {
    grep -ohE '"[A-Za-z_.<|>/]{2,40}"' -r --include="*.c" lib | grep -v '[.]h"'
    grep -ohE '"[a-z0-9_]+[.][a-z0-9_.]*"' "$here"/fuzz_*.c | grep -v '[.]h"' | sed 's/^"/"@@/; s/"$/\\x0a"/'
}

# The folders of a target's inputs.  libFuzzer does not see into the decoders of pictures: real ones lead it there.
inputs() {
    echo "$here/corpus/$1"
    case $1 in image | jpeg | png) echo tests/gold/pixels ;; esac
}

# fuzz TARGET FOLDER OPTION... - one run of libFuzzer over the corpus; new inputs go into the folder.
fuzz() {
    target=$1 folder=$2
    shift 2
    mkdir -p "$folder"
    if "$build/fuzz_$target" -seed=1 -dict="$build/words.dict" -rss_limit_mb=2048 -artifact_prefix="$build/crash/$target-" \
        -max_len=65536 "$@" "$folder" $(inputs "$target") >"$build/log/$target" 2>&1; then
        echo "fuzz: $target: $(grep -E '^(Done|INFO: .*files found)' "$build/log/$target" | tail -n 1)"
    else
        grep -vE '^(#|INFO|Recommended|\s*NEW_FUNC)' "$build/log/$target" | head -n 40
        echo "fuzz: $target: FAILED: $(sed -n 's/.*Test unit written to //p' "$build/log/$target")"
        return 1
    fi
}

# libFuzzer leaves out what reaches nothing new, merge.py chooses among the rest.
merge() {
    new=$build/merged/$1
    rm -rf "$new" && mkdir -p "$new" "$build/found/$1"
    "$build/fuzz_$1" -merge=1 -use_counters=0 -max_len=65536 "$new" $(inputs "$1") "$build/found/$1" \
        >"$build/log/$1" 2>&1
    python3 "$here/merge.py" "$build/fuzz_$1" "$new" "$here/corpus/$1" 50000
}

one() {
    case $1 in
    merge) merge "$2" ;;
    *s) fuzz "$2" "$build/found/$2" -max_total_time="${1%s}" -timeout=20 ;;
    *) rm -rf "$build/new/$2" && fuzz "$2" "$build/new/$2" -runs="$1" ;;
    esac
}

# What a corpus reaches, for readers.py.
reach() {
    for target in $(list); do
        "$build/fuzz_$target" -runs=0 -print_coverage=1 $(inputs "$target") >"$build/log/reach.$target" 2>&1
    done
    python3 "$here/readers.py" reached "$build/log/reach"
}

if [ "${1:-}" = --one ]; then
    one "$2" "$3"
    exit
fi
amount=${1:-3000}
[ $# = 0 ] || shift
scripts/setup.sh clang libclang-rt-dev llvm mold
export MOPD_CPU=avx2 # cmake/library.cmake: files for AVX-512 are not instrumented here
LDFLAGS=-fuse-ld=mold cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O1 -DCMAKE_C_COMPILER=clang \
    -DCMAKE_CXX_COMPILER=NOTFOUND -DMOPD_WERROR=ON \
    -DMOPD_FUZZ=ON -DMOPD_BUILD_TESTS=ON -DMOPD_SANITIZE=fuzzer-no-link,address,undefined,float-cast-overflow >/dev/null
cmake --build "$build" --target fuzz >$build/build.log || { tail -n 40 $build/build.log && exit 1; }
mkdir -p "$build/log" "$build/crash"
words | sort -u >"$build/words.$$" && mv "$build/words.$$" "$build/words.dict" # others may be reading it
work=/dev/shm
[ -w "$work" ] || work=$PWD/$build
TMPDIR=$(mktemp -d "$work/mopd-fuzz-XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
if [ $# = 0 ]; then targets=$(list); else targets=$*; fi
failed=0
# shellcheck disable=SC2086
printf '%s\n' $targets | xargs -P "${JOBS:-2}" -n 1 $here/run.sh --one "$amount" || failed=1
case $amount in *s) (cd "$build/log" && printf '%s\n' $targets | xargs python3 "../../$here/table.py") || failed=1 ;; esac
[ $failed = 0 ] || exit 1
if [ "$amount" != merge ] && [ $# = 0 ]; then reach; fi
