# SPDX-License-Identifier: MIT
# Toolchain for 64-bit ARM by Debian's cross compiler; what was built runs in MOPD_SYSROOT under qemu.
set(processor aarch64)
set(triple aarch64-linux-gnu)
set(compiler aarch64-linux-gnu-gcc)
include(${CMAKE_CURRENT_LIST_DIR}/foreign.cmake)
if(NOT MOPD_WITHIN) # ON: tests are started inside of the tree, where the kernel knows the emulator
    set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64-static;-L;${MOPD_SYSROOT}")
endif()
