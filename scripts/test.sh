#!/bin/sh
# SPDX-License-Identifier: MIT
# test.sh - installs what is missing, builds with warnings as errors, runs every test: release, then ASan and UBSan, then
# the installed tree and the Debian packages as a user would meet them, training over MPI, clusters of two workers, the
# documentation and the code in it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

scripts/setup.sh
for preset in ci asan; do
    echo "test: building preset $preset"
    cmake --preset "$preset" >/dev/null
    cmake --build --preset "$preset" -- -k 0 | tail -n 1
done
scripts/model.sh build
ctest --preset ci -j 2
for path in plain avx2; do # the best this CPU has is tested above; math and layer tests walk through all paths themselves
    case $(MOPD_CPU=$path build/mopd --version) in
    *"MOPD_CPU ignored"*) echo "test: this CPU has no $path" ;;
    *) echo "test: MOPD_CPU=$path" && MOPD_CPU=$path ctest --preset ci -j 2 -R '^(api|cli|clip|prompt|train)[.]' ;;
    esac
done
case $(MOPD_BF16=onednn build/mopd --version) in # what bf16 is on CPUs with AMX, by AVX-512's bfloat16
*"MOPD_BF16 ignored"*) echo "test: no oneDNN with bfloat16 here" ;;
*) echo "test: MOPD_BF16=onednn" && MOPD_BF16=onednn ctest --preset ci -j 2 -R '^(api|cli|clip)[.]' ;;
esac
ctest --preset asan -j 2
tests/abi/compare.sh
tests/install/run.sh build
tests/install/subproject.sh
tests/mpi/run.sh build
bindings/python/test.sh build
tests/distributed/run.sh build
scripts/package.sh build-deb >/dev/null
tests/install/deb.sh build-deb
python3 tests/docs/check.py build build/python-venv/bin/python
scripts/docs.sh
