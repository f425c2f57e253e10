# SPDX-License-Identifier: MIT
# Toolchain for x86-64 Linux with musl, by Debian's musl-gcc; the environment's MOPD_TREE, or -DMOPD_TREE=, names the folder with the
# libraries that scripts/dependencies.sh makes.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER musl-gcc)
include(${CMAKE_CURRENT_LIST_DIR}/tree.cmake)
set(CMAKE_CROSSCOMPILING_EMULATOR "/usr/bin/env") # none: the machine runs what was built
