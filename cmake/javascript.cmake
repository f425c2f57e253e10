# SPDX-License-Identifier: MIT
# The module of the JavaScript package (bindings/js): the functions that mopd.js calls, and malloc beside them.
file(READ bindings/js/mopd.js text)
string(REGEX MATCHALL "_mopd_[a-z0-9_]+" names "${text}")
list(REMOVE_DUPLICATES names)
list(JOIN names "," names)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS bindings/js/mopd.js)

add_executable(mopd_module bindings/js/layout.c)
mopd_flags(mopd_module)
set_target_properties(mopd_module PROPERTIES OUTPUT_NAME mopd-module SUFFIX .mjs RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/js)
target_link_libraries(mopd_module PRIVATE mopd)
target_link_options(mopd_module PRIVATE -O3 --no-entry -sMODULARIZE=1 -sEXPORT_ES6=1 -sEXPORT_NAME=createModule
    -sENVIRONMENT=web,worker -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=33554432 -sTOTAL_STACK=1048576 -sMAXIMUM_MEMORY=4GB
    -sEXPORTED_FUNCTIONS=${names},_malloc,_free -sEXPORTED_RUNTIME_METHODS=FS,HEAP32,HEAPU8,HEAPU32,HEAPF32,UTF8ToString,stringToUTF8,lengthBytesUTF8
    -sFORCE_FILESYSTEM=1 -sINCOMING_MODULE_JS_API=wasmBinary,instantiateWasm -sASSERTIONS=0)

# The package as it is published: the module beside what is written by hand.
file(GLOB parts CONFIGURE_DEPENDS bindings/js/*.js bindings/js/*.d.ts bindings/js/package.json bindings/js/README.md)
add_custom_target(mopd_js ALL DEPENDS mopd_module
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${parts} ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_BINARY_DIR}/js)
