# SPDX-License-Identifier: MIT
# The modules of the JavaScript package (bindings/js): the functions that mopd.js calls, and malloc beside them.  One has no threads, the
# other, of the preset wasm-threads, starts as many workers as mopd.js says before it is there.
file(READ bindings/js/mopd.js text)
string(REGEX MATCHALL "_mopd_[a-z0-9_]+" names "${text}")
list(REMOVE_DUPLICATES names)
list(JOIN names "," names)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS bindings/js/mopd.js)

set(MOPD_JS_DIR "${PROJECT_BINARY_DIR}/js" CACHE PATH "where the JavaScript package is put together")
set(module mopd-module)
set(takes wasmBinary,instantiateWasm)
set(places -sENVIRONMENT=web,worker -sMAXIMUM_MEMORY=4GB)
if(MOPD_WASM_THREADS) # Emscripten 3.1's terser knows neither import.meta nor what pointers beyond 2 GB make of it
    set(module mopd-threads)
    set(takes wasmBinary,instantiateWasm,wasmMemory)
    set(places -sENVIRONMENT=worker -sUSE_ES6_IMPORT_META=0 -sMAXIMUM_MEMORY=2GB -sPTHREAD_POOL_SIZE=Module.workers -sPTHREAD_POOL_SIZE_STRICT=2 -sDEFAULT_PTHREAD_STACK_SIZE=1048576
        "SHELL:--pre-js ${PROJECT_SOURCE_DIR}/bindings/js/threads-pre.js")
endif()

add_executable(mopd_module bindings/js/layout.c)
mopd_flags(mopd_module)
set_target_properties(mopd_module PROPERTIES OUTPUT_NAME ${module} SUFFIX .mjs RUNTIME_OUTPUT_DIRECTORY ${MOPD_JS_DIR}
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/bindings/js/threads-pre.js)
target_link_libraries(mopd_module PRIVATE mopd)
target_link_options(mopd_module PRIVATE -O3 --no-entry -sMODULARIZE=1 -sEXPORT_ES6=1 -sEXPORT_NAME=createModule ${places}
    -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=33554432 -sTOTAL_STACK=1048576
    -sEXPORTED_FUNCTIONS=${names},_malloc,_free -sEXPORTED_RUNTIME_METHODS=FS,HEAP32,HEAPU8,HEAPU32,HEAPF32,UTF8ToString,stringToUTF8,lengthBytesUTF8
    -sFORCE_FILESYSTEM=1 -sINCOMING_MODULE_JS_API=${takes} -sASSERTIONS=0)

# The package as it is published: the module beside what is written by hand.
file(GLOB parts CONFIGURE_DEPENDS bindings/js/*.js bindings/js/*.d.ts bindings/js/package.json bindings/js/README.md)
list(FILTER parts EXCLUDE REGEX "/threads-pre[.]js$")
add_custom_target(mopd_js ALL DEPENDS mopd_module
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${parts} ${PROJECT_SOURCE_DIR}/LICENSE ${MOPD_JS_DIR})
