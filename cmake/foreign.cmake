# SPDX-License-Identifier: MIT
# What the toolchains for Debian's other processors have in common; -DMOPD_SYSROOT=TREE names a Debian tree with the libraries, which
# scripts/foreign.sh makes.  The including file has said `processor`, `triple` (of Debian's folders) and `compiler`.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${processor})
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MOPD_SYSROOT)
set(CMAKE_SYSROOT ${MOPD_SYSROOT})
set(CMAKE_C_COMPILER ${compiler})
set(CMAKE_LIBRARY_ARCHITECTURE ${triple})
set(CMAKE_FIND_ROOT_PATH ${MOPD_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${MOPD_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${MOPD_SYSROOT}/usr/lib/${triple}/pkgconfig:${MOPD_SYSROOT}/usr/share/pkgconfig)
