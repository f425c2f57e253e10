# SPDX-License-Identifier: MIT
# Toolchain for 32-bit x86 by Debian's cross compiler.  An x86-64 runs what was built, with the loader and the libraries of MOPD_SYSROOT.
set(processor i686)
set(triple i386-linux-gnu)
set(compiler i686-linux-gnu-gcc)
include(${CMAKE_CURRENT_LIST_DIR}/foreign.cmake)
set(folders ${MOPD_SYSROOT}/lib/${triple}:${MOPD_SYSROOT}/usr/lib/${triple}:${MOPD_SYSROOT}/usr/lib/${triple}/blis-serial)
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-Wl,--dynamic-linker=${MOPD_SYSROOT}/lib/ld-linux.so.2 -Wl,--disable-new-dtags -Wl,-rpath,${folders}")
set(CMAKE_CROSSCOMPILING_EMULATOR "/usr/bin/env") # none: so that CMake knows that they can be run
