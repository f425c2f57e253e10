# SPDX-License-Identifier: MIT
# Toolchain for WebAssembly by Debian's Emscripten; -DMOPD_SYSROOT=TREE names the libraries, which scripts/wasm.sh builds;
# with -DMOPD_WASM_THREADS=ON those of `scripts/wasm.sh TREE -pthread`.
include(/usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MOPD_SYSROOT MOPD_WASM_THREADS)
list(APPEND CMAKE_FIND_ROOT_PATH ${MOPD_SYSROOT})
set(CMAKE_C_FLAGS_INIT -msimd128)
if(MOPD_WASM_THREADS)
    string(APPEND CMAKE_C_FLAGS_INIT " -pthread")
endif()
set(CMAKE_HAVE_LIBC_PTHREAD TRUE) # its functions are there; without -pthread, a thread is not
set(ENV{PKG_CONFIG_LIBDIR} ${MOPD_SYSROOT}/lib/pkgconfig) # newer versions of Emscripten set it anew, so:
set(ENV{PKG_CONFIG_PATH} ${MOPD_SYSROOT}/lib/pkgconfig)
set(CMAKE_CROSSCOMPILING_EMULATOR "node;--no-experimental-fetch") # which Emscripten 3.1 would take for a browser's

# A file is compiled by clang as emcc calls it: what emcc needs to find that out is as much again as the compiling.
if(NOT MOPD_EMCC_CLANG)
    execute_process(COMMAND em-config LLVM_ROOT OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_C_COMPILER} --cflags OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    set(MOPD_EMCC_CLANG "${folder}/clang ${flags}" CACHE INTERNAL "")
endif()
set(CMAKE_C_COMPILE_OBJECT "${MOPD_EMCC_CLANG} <DEFINES> <INCLUDES> <FLAGS> -o <OBJECT> -c <SOURCE>")
