#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh [BUILD [DATA]] - every comparison with the reference implementations, in a Python environment of its own.
#
# BUILD (default: build) holds the built library, command and the model of scripts/model.sh.  DATA, when given, is a folder
# DATA/test/CLASS NAME/*.jpg: 200 of its pictures are decoded and preprocessed, all of them classified.  Packages are those
# of requirements.txt, from PyPI; the environment is made once in BUILD/cache/parity.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${1:-$root/build}
data=${2:-}
venv=$build/cache/parity
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
python=$venv/bin/python
command=$build/mopd library=$build/libmopd.so locked=$build/cache/locked-tower
failed=0
run() {
    echo "== $*"
    "$python" "$here/$@" || failed=$((failed + 1))
}

if [ -n "$data" ]; then
    run pixels.py --mopd "$command" --library "$library" --pictures "$data" --count 200
    run kinds.py --library "$library" --pictures "$data" --count 200
else
    run pixels.py --mopd "$command" --library "$library"
    run kinds.py --library "$library"
fi
run tokens.py --lib "$library" --command "$command" --n 20000
run pieces.py --lib "$library"
run towers.py --lib "$library" --mopd "$command" --locked "$locked" --full
run siglip.py --lib "$library" --full
run mobile.py --lib "$library" --full
run lockstep.py "$library"
run size.py --mopd "$command"
if [ -n "$data" ]; then run eval.py --mopd "$command" --locked "$locked" --data "$data"; fi
echo "$failed of the comparisons failed"
exit "$failed"
