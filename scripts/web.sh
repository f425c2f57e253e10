#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# web.sh OUT [MODEL] - the example page (examples/web) with the JavaScript package and a model, as a folder of static files: OUT.
# MODEL is a packed file; without it, the built-in model in 16 bits.  The page computes in threads where the preset wasm-threads was built, too, and
# the server sends `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp` with each file.
set -euo pipefail
out=$(realpath -m "$1") model=$(realpath -m "${2:-build/web-model.safetensors}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
js=build-wasm/js
[ -e "$js/mopd-module.wasm" ] || { echo "web: no $js; build the preset wasm first" >&2 && exit 1; }
if [ -z "${2:-}" ] && [ ! -e "$model" ]; then
    [ -x build/mopd ] || { echo "web: no build/mopd to pack a model with; build the preset ci or name a packed file" >&2 && exit 1; }
    build/mopd pack -m build/builtin.safetensors --dtype f16 -o "$model"
fi
mkdir -p "$out/mopd"
cp examples/web/*.html examples/web/*.css examples/web/*.js "$out/"
cp "$js"/mopd*.js "$js"/mopd*.mjs "$js"/mopd*.wasm "$js"/LICENSE "$out/mopd/"
cp "$model" "$out/model.safetensors"
echo "web: $out; any server of static files will do, for instance: python3 -m http.server -d '$out'"
