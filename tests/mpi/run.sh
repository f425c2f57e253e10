#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh BUILD - installs OpenMPI, builds examples/06_train_mpi and trains with it, on the model BUILD/builtin.safetensors:
# one process and two must learn the same prompt, on unlike processors too, and one that fails must not leave the other
# waiting.
. "$(dirname "$0")/../support/shell.sh"
build=$(cd "$1" && pwd)

"$root/scripts/setup.sh" libopenmpi-dev openmpi-bin
cmake "$build" >/dev/null
cmake --build "$build" --target example_06_train_mpi >/dev/null

# 16 views of five odd kinds of pictures.
for kind in 420 422 444 grey rgb; do
    mkdir -p "$work/pictures/$kind"
    cp "$root/tests/gold/pixels/$kind"* "$work/pictures/$kind"
done

export MOPD_MODEL="$build/builtin.safetensors" OMPI_MCA_btl_vader_single_copy_mechanism=none
[ "$(id -u)" != 0 ] || as_root=--allow-run-as-root
train() { timeout 900 mpirun ${as_root:-} --oversubscribe --bind-to none -n "$@"; }
program=$build/examples/06_train_mpi

for n in 1 2; do
    train $n "$program" "$work/pictures" "$work/$n.safetensors" >"$work/$n.txt"
    grep -q "^$n processes, 5 classes" "$work/$n.txt"
    [ "$(grep -c '^epoch .* steps/s$' "$work/$n.txt")" = 70 ] # seven steps for each of the ten pairs of classes, one an epoch
done
python3 "$here/compare.py" "$work/1.safetensors" "$work/2.safetensors"
pass "two processes learn the prompt of one"

train 2 sh -c '[ "$OMPI_COMM_WORLD_RANK" = 0 ] || export MOPD_CPU=plain; exec "$@"' sh \
    "$program" "$work/pictures" "$work/mixed.safetensors" >"$work/mixed.txt" # they compare their prompts in every step
python3 "$here/compare.py" "$work/1.safetensors" "$work/mixed.safetensors"
pass "so do two that compute with different instructions"

echo "no picture" >"$work/pictures/420/420.jpg"
if train 2 "$program" "$work/pictures" "$work/none.safetensors" >"$work/out" 2>"$work/err"; then
    echo "a broken picture did not end the program" >&2
    exit 1
fi
grep -q '^rank [01] of 2: .*420.jpg' "$work/err"
[ ! -e "$work/none.safetensors" ]
pass "a picture that one process cannot read ends both"
all_passed
