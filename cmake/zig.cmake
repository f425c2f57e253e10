# SPDX-License-Identifier: MIT
# Toolchain for wheels and for macOS: clang and the C libraries' headers of PyPI's ziglang.  The environment's MOPD_ZIG_TARGET says what for
# (x86_64-linux-gnu.2.17), MOPD_ZIG where `cc`, `ar` and `ranlib` for it lie, which scripts/zig.sh writes, and MOPD_TREE names
# the folder with the libraries that scripts/dependencies.sh makes.
string(REGEX MATCH "^[a-z0-9_]+" CMAKE_SYSTEM_PROCESSOR "$ENV{MOPD_ZIG_TARGET}")
set(CMAKE_SYSTEM_NAME Linux)
if("$ENV{MOPD_ZIG_TARGET}" MATCHES macos)
    set(CMAKE_SYSTEM_NAME Darwin)
    set(CMAKE_USER_MAKE_RULES_OVERRIDE ${CMAKE_CURRENT_LIST_DIR}/darwin.cmake)
    set(CMAKE_OSX_SYSROOT "")
    set(CMAKE_INSTALL_NAME_TOOL /usr/bin/llvm-install-name-tool) # CMake wants one; it is not run, because what it changes loses its signature:
    set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
endif()
set(CMAKE_C_COMPILER $ENV{MOPD_ZIG}/cc)
set(CMAKE_ASM_COMPILER $ENV{MOPD_ZIG}/cc)
set(CMAKE_AR $ENV{MOPD_ZIG}/ar)
set(CMAKE_RANLIB $ENV{MOPD_ZIG}/ranlib)
set(CMAKE_STRIP "")
include(${CMAKE_CURRENT_LIST_DIR}/tree.cmake)
