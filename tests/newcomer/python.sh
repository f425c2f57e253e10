#!/bin/sh
# SPDX-License-Identifier: MIT
# python.sh [BUILD [ENV]] - a newcomer who writes Python: installs the package into a fresh environment as README says, without
# a built-in model that somebody has made before, and types what README, docs/getting-started.md and the package's page say.
# BUILD/python-wheel (BUILD: build) keeps what was compiled.  ENV, made anew, stays for others: bindings/python/test.sh.
# PYTHON names the interpreter.
. "$(dirname "$0")/../support/shell.sh"
mkdir -p "${1:-$root/build}"
build=$(cd "${1:-$root/build}" && pwd)
fresh=${2:-$work/fresh}
block() { python3 "$here/block.py" "$@"; }

[ -n "${PYTHON:-}" ] || "$root/scripts/setup.sh" python3-venv
unset MOPD_MODEL MOPD_LIBRARY MOPD_COMMAND
export SKBUILD_BUILD_DIR="$build/python-wheel" MOPD_PYTHON_MODEL="$work/none" MOPD_CACHE="$work/cache"
export PIP_DISABLE_PIP_VERSION_CHECK=1
export SKBUILD_CMAKE_DEFINE="MOPD_WERROR=ON;MOPD_PROGRAM_FLAGS=-O1" # as the preset ci: a compiler cache has it

"${PYTHON:-python3}" -m venv --clear "$fresh"
fresh=$(cd "$fresh" && pwd)
site=$(echo "$fresh"/lib/python3*/site-packages)
PATH=$fresh/bin:$PATH
(cd "$root" && block README.md Python sh | sh -eu) >"$work/log" 2>&1 || { tail -n 50 "$work/log" >&2; exit 1; }
pass "README's line installs the package"

cd "$work"
for name in photo a; do cp "$root/tests/gold/pixels/420.jpg" $name.jpg; done
cp "$root/tests/gold/pixels/grey.jpg" b.jpg
block README.md Python python >readme.py
python readme.py >answer
python - <<'CHECK'
import ast
(first, second), = ast.literal_eval(open("answer").read())
assert {first[0], second[0]} < {"cat", "dog", "bicycle"} and 1 >= first[1] >= second[1] >= 0, (first, second)
CHECK
pass "README's code answers"

mopd classify --classes "cat,dog,bicycle" --format json photo.jpg >json
python - <<'CHECK'
import ast, json
(first, second), = ast.literal_eval(open("answer").read())
top = json.load(open("json"))["results"][0]["top"][0]
assert top["class"] == first[0] and abs(top["probability"] - first[1]) < 1e-5, (top, first)
CHECK
python -m mopd --version | grep -q '0[.]1'
pass "the command mopd came with it and answers the same"

block bindings/python/README.md Use python >use.py
python use.py >answer
[ "$(grep -cE 'cat|dog|fox' answer)" -ge 3 ] && [ -s r.safetensors ] && [ -s p.safetensors ] || fail "the page's code says: $(cat answer)"
mopd classify -r r.safetensors photo.jpg | grep -qE 'cat|dog'
mopd classify -p p.safetensors photo.jpg | grep -qE 'cat|dog'
pass "the code of the package's page; the command reads what it has saved"

ls "$site"/mopd-*.dist-info/licenses/LICENSE >/dev/null
pass "the licence came with it"

! grep -qF /platlib/ "$site"/mopd/libmopd.so.0 || fail "the library looks for a model where its wheel was packed"
pass "the library looks in no folder of the build"

python3 "$root/tests/install/guards.py" "$site/mopd/libmopd.so.0" "$site"/mopd/bin/mopd >answer || fail "$(cat answer)"
pass "library and command are guarded as those of a build are"

# With a built-in model that was made before, where there is one; pip is the other environment's.
[ ! -f "$build/builtin.safetensors" ] || export MOPD_PYTHON_MODEL="$build/builtin.safetensors"
"${PYTHON:-python3}" -m venv --without-pip "$work/editable"
"$work/editable/bin/python" "$site/pip" install --quiet --no-deps --editable "$root/bindings/python"
PYTHONPATH=$site "$work/editable/bin/python" -c "
import mopd
assert mopd.__file__ == '$root/bindings/python/src/mopd/__init__.py', mopd.__file__
assert mopd.Encoder().images(['photo.jpg']).shape[0] == 1 and mopd.version()"
PYTHONPATH=$site "$work/editable/bin/mopd" --version >/dev/null
pass "an editable install imports its sources, and finds library, command and model"
all_passed
