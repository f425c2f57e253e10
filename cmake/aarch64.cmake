# SPDX-License-Identifier: MIT
# Toolchain for 64-bit ARM by Debian's cross compiler; -DMOPD_SYSROOT=TREE names a Debian arm64 tree with the libraries, and what
# was built runs there under qemu (scripts/arm64.sh makes the tree).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MOPD_SYSROOT)
set(CMAKE_SYSROOT ${MOPD_SYSROOT})
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH ${MOPD_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${MOPD_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${MOPD_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${MOPD_SYSROOT}/usr/share/pkgconfig)
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64-static;-L;${MOPD_SYSROOT}")
