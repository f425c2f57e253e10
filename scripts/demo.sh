#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh [BUILD] - from a fresh clone to classified photographs and a recogniser of one's own: installs, builds, fetches
# pictures, classifies; then learns from half of the classes in demo-pictures.csv by all methods and tests on both halves;
# at last fits a recogniser to all classes, which refuses pictures of something else.  In that list every second picture
# of a class, in the order of the names, is for testing.  All goes into BUILD (default: build, in the source).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=build
[ $# = 0 ] || { mkdir -p "$1" && build=$(cd "$1" && pwd); }
cd "$root"
scripts/build.sh "$build"

pictures=$build/cache/pictures
echo "demo: photographs from the PyPI package scikit-image"
scripts/fetch.sh scikit-image==0.26.0 "$pictures" \
    skimage/data/chelsea.png 596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb \
    skimage/data/coffee.png cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7 \
    skimage/data/rocket.jpg c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c \
    skimage/data/motorcycle_left.png db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179 \
    skimage/data/astronaut.png 88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5 \
    skimage/data/page.png 341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3 \
    skimage/data/brick.png 7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf \
    skimage/data/clock_motion.png f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955 \
    skimage/data/camera.png b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a

show() { echo; echo "\$ $*"; "$@"; }
mopd=$build/stage/bin/mopd
show "$mopd" classify --class-file scripts/demo-classes.txt "$pictures"

stamps=$build/cache/stamps
echo
echo "demo: 224 cut-out photographs of 19 classes from the Debian package tuxpaint-stamps-default (160 MB, not installed)"
if ! cut -d, -f1 scripts/demo-pictures.csv | tail -n +2 | scripts/fetch_deb.sh tuxpaint-stamps-default=2022.06.04-1 \
    6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34 usr/share/tuxpaint/stamps "$stamps"; then
    echo "demo: without these pictures there is no training to show; the classification above needed none of them" >&2
    exit 1
fi

out=$build/demo
mkdir -p "$out"
show "$mopd" features -d scripts/demo-pictures.csv --pictures "$stamps" --views fixed -o "$out/pictures.safetensors"
show "$mopd" train -d "$out/pictures.safetensors" --pictures "$stamps" --subset base --report "$out/report.html" \
    -o "$out/prompt.safetensors" >"$out/train.log"
sed -n '2p;$p' "$out/train.log"
show "$mopd" bench-new -d "$out/pictures.safetensors" --methods zero-shot,fit,gda,coop,mopd --seeds 1
echo
echo "demo: base: the classes trained on; new: classes that no training saw, each half against its own names; mixed: all at once"
echo "demo: curves, classes, gate and confused pictures of the training: $(cd "$out" && pwd)/report.html"

show "$mopd" fit -d "$out/pictures.safetensors" -o "$out/recognizer.safetensors"
show "$mopd" eval -d "$out/pictures.safetensors" -r "$out/recognizer.safetensors" | sed -n '1p;2p;/^accuracy/,$p'
echo
echo "demo: most photographs of other things are told from all 19 classes; what is promised is that known ones are kept"
show "$mopd" classify -r "$out/recognizer.safetensors" --none "$pictures"

planted=$out/planted.csv # one flower called a coin
sed 's#^\(plants/flowers/adeenia.png\),flower,#\1,coin,#' scripts/demo-pictures.csv >"$planted"
echo
echo "demo: one picture gets a wrong label; the doctor is to find it"
show "$mopd" doctor -d "$planted" --pictures "$stamps" | sed -n '1,/adeenia/p'
