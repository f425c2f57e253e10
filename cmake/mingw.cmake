# SPDX-License-Identifier: MIT
# Toolchain for x86-64 Windows by Debian's mingw-w64; the environment's MOPD_TREE, or -DMOPD_TREE=, names the folder with the libraries
# that scripts/dependencies.sh makes.  What was built runs under wine.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-win32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
include(${CMAKE_CURRENT_LIST_DIR}/tree.cmake)
string(APPEND CMAKE_C_FLAGS_INIT " -D__USE_MINGW_ANSI_STDIO=1 -D_WIN32_WINNT=0x0A00 -DUTF8PROC_STATIC") # C99's formats; Windows 10
set(CMAKE_EXE_LINKER_FLAGS_INIT -static-libgcc)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -static-libgcc)
set(CMAKE_CROSSCOMPILING_EMULATOR "/usr/lib/wine/wine64")
