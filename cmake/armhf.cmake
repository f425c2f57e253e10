# SPDX-License-Identifier: MIT
# Toolchain for 32-bit ARM by Debian's cross compiler; what was built runs in MOPD_SYSROOT under qemu.
set(processor armv7l)
set(triple arm-linux-gnueabihf)
set(compiler arm-linux-gnueabihf-gcc)
include(${CMAKE_CURRENT_LIST_DIR}/foreign.cmake)
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-arm-static;-L;${MOPD_SYSROOT}")
