#!/bin/sh
# SPDX-License-Identifier: MIT
# c.sh BUILD - a newcomer who writes C and C++: types what README, docs/getting-started.md and docs/c-guide.md say, word for
# word, in an empty folder where the demonstration has left its build/stage (here: BUILD, installed), and looks at the
# answers.  What says /usr/local goes to a folder that stands for it.
. "$(dirname "$0")/../support/shell.sh"
build=$(cd "$1" && pwd)
block() { python3 "$here/block.py" "$@"; }
type_in() { sed "s|/usr/local|$work/local|g; s| && ldconfig||" | sh -eu; }

[ -f "$build/builtin.safetensors" ] || fail "there is no model in $build: scripts/model.sh makes it"
unset MOPD_MODEL PKG_CONFIG_PATH LD_LIBRARY_PATH CMAKE_PREFIX_PATH
cd "$work"
cmake --install "$build" --prefix build/stage >/dev/null
cp "$root/tests/gold/pixels/420.jpg" photo.jpg

# looks PROGRAM - one of the classes and its probability, the same as the command says
looks()
{
    "$@" >answer || fail "$* ends with status $?"
    grep -qE '^(cat|dog|bicycle) (0[.][0-9]{2}|1[.]00)$' answer || fail "$* says: $(cat answer)"
    [ "$(cat answer)" = "$expected" ] || fail "$* says $(cat answer), the command $expected"
}

expected=$(build/stage/bin/mopd classify --classes "cat,dog,bicycle" --format json photo.jpg >json &&
    python3 -c 'import json; t = json.load(open("json"))["results"][0]["top"][0]; print(t["class"], "%.2f" % t["probability"])')

block README.md C c >program.c
{ block README.md C sh && echo ./program; } >typed
looks sh -eu typed
pass "README's program in C, by the lines below it"

ln -s "$build" tree
{ echo "cd '$work'; rm -rf build; ln -s tree build"; block README.md Install sh; } | type_in >/dev/null
[ -x local/bin/mopd ] && [ -f local/share/mopd/builtin.safetensors ] && [ -f local/share/doc/mopd/LICENSE ]
pass "README's line for the whole system"

# As on a system where that was /usr/local, and ldconfig was told.
export PKG_CONFIG_PATH="$work/local/lib/pkgconfig" LD_LIBRARY_PATH="$work/local/lib" PATH="$work/local/bin:$PATH"
block docs/getting-started.md "From a program" sh | sh -eu
looks ./a.out
pass "the line of getting started for a program in C"

block docs/getting-started.md "From a program" cpp >program.cpp
{
    echo 'cmake_minimum_required(VERSION 3.19)
project(newcomer C CXX)
add_executable(program program.c)
add_executable(program17 program.cpp)'
    block docs/getting-started.md "From a program" cmake 1 find_package
} >CMakeLists.txt
cmake -S . -B made -DCMAKE_PREFIX_PATH="$work/local" >log 2>&1 && cmake --build made >>log 2>&1 || { cat log >&2; exit 1; }
looks made/program
looks made/program17
pass "its lines for CMake, in C and in C++17"

block docs/c-guide.md Memory c >memory.c
cc memory.c $(pkg-config --cflags --libs mopd) -o memory
./memory || fail "the guide's program with an allocator ends with status $?"
pass "the guide's program with an allocator"

block docs/getting-started.md "First answers" sh | grep -v forest/ >typed
sh -eu typed >answer
grep -q "photo.jpg" answer && grep -q "${expected% *}" answer || fail "the command says: $(cat answer)"
pass "the first answers of getting started"
all_passed
