#!/bin/sh
# SPDX-License-Identifier: MIT
# compare.sh [--refresh] - compares what the headers promise with the dump stored at the last release (mopd-0.1.abi):
# additions are named and allowed, anything else fails.  --refresh writes the dump anew: before 0.1 leaves the house, and
# at each release after it under a new name.
. "$(dirname "$0")/../support/shell.sh"
"$root/scripts/setup.sh" abigail-tools
stored=$(ls "$here"/mopd-*.abi | sort -V | tail -n 1)
if [ "${1:-}" = --refresh ]; then
    "$here/dump.sh" "$stored"
    echo "abi: $stored written"
    exit 0
fi
"$here/dump.sh" "$work/now.abi"
compare() { abidiff --no-added-syms --suppressions "$here/appended.abignore" "$stored" "$1"; }
if ! compare "$work/now.abi"; then
    echo "abi: not what $(basename "$stored") promises; see docs/abi.md" >&2
    exit 1
fi
abidiff "$stored" "$work/now.abi" | sed -n 's/^ *\[A\]/added:/p'

# The comparison must see what it is for: a name less, a struct grown, a parameter less.  (Fields that only change places
# are test_abi.c's: it pins every offset.)
for damage in "s/name='mopd_bank_dim'/name='mopd_bank_dam'/g" "s/name='mopd_match' size-in-bits='96'/name='mopd_match' size-in-bits='128'/" \
    "/function-decl name='mopd_gate_use'/,/return/{/parameter/{N;s/.*\n//}}"; do
    sed "$damage" "$stored" >"$work/other.abi"
    if cmp -s "$stored" "$work/other.abi" || compare "$work/other.abi" >/dev/null; then
        echo "abi: the comparison is blind to $damage" >&2
        exit 1
    fi
done
pass "the headers promise what they did, or more"
all_passed
