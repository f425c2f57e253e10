# SPDX-License-Identifier: MIT
# libmopd.so (libmopd.a with BUILD_SHARED_LIBS=OFF), and the same objects as a static library for the inner tests.
file(GLOB_RECURSE MOPD_SOURCES CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} lib/*.c)
set(other_system "(windows|darwin)") # lib/base/os.h: files of one system
if(WIN32)
    set(other_system "(posix|darwin)")
elseif(APPLE)
    set(other_system windows)
endif()
list(FILTER MOPD_SOURCES EXCLUDE REGEX "^lib/base/os_([a-z]+_)?${other_system}\\.c$")
if(APPLE) # which is of POSIX's kind but for what it has a file of its own for
    foreach(source ${MOPD_SOURCES})
        string(REPLACE _darwin.c _posix.c twin ${source})
        if(NOT twin STREQUAL source)
            list(REMOVE_ITEM MOPD_SOURCES ${twin})
        endif()
    endforeach()
endif()
foreach(format GIF WEBP TIFF HEIF)
    if(NOT MOPD_${format})
        string(TOLOWER ${format} name)
        list(FILTER MOPD_SOURCES EXCLUDE REGEX "^lib/format/${name}(_[a-z]+)?\\.c$")
    endif()
endforeach()
if(NOT MOPD_WITH_BLIS)
    list(REMOVE_ITEM MOPD_SOURCES lib/math/gemm_blis.c lib/math/ukernel.c)
endif()

add_library(mopd_objects OBJECT ${MOPD_SOURCES})
mopd_flags(mopd_objects)
target_include_directories(mopd_objects PUBLIC include lib)
if(MOPD_WITH_BLIS)
    target_include_directories(mopd_objects SYSTEM PRIVATE ${BLIS_INCLUDE_DIR})
    target_compile_definitions(mopd_objects PUBLIC MOPD_BLIS)
endif()
target_link_libraries(mopd_objects PUBLIC ZLIB::ZLIB PNG::PNG JPEG::JPEG PkgConfig::JANSSON PkgConfig::UTF8PROC
    ${MOPD_FORMAT_LIBRARIES} ${MOPD_BLIS_LIBRARIES} Threads::Threads ${MOPD_MATH} ${CMAKE_DL_LIBS})
foreach(format ${MOPD_FORMATS})
    target_compile_definitions(mopd_objects PUBLIC MOPD_${format})
endforeach()
# One file knows the prefix.  A wheel has none: the folder that it is packed from has a name that anybody may take afterwards.
if(NOT MOPD_PYTHON)
    set_property(SOURCE lib/model/builtin.c PROPERTY COMPILE_DEFINITIONS MOPD_INSTALL_DATADIR="${CMAKE_INSTALL_FULL_DATADIR}")
endif()

if(MOPD_BLIS_1)
    target_compile_definitions(mopd_objects PRIVATE MOPD_BLIS_1)
endif()
include(CheckCCompilerFlag)
set(MOPD_X86 FALSE) # another processor's compiler knows no such flags, and the files are empty there
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(MOPD_X86 TRUE)
    if(NOT WIN32) # where GCC's intrinsics take strides for 32 bits, and nobody asks for the registers yet
        check_c_compiler_flag("-mamx-bf16 -mamx-int8" MOPD_HAS_AMX_FLAGS)
    endif()
    check_c_compiler_flag("-mavxvnni" MOPD_HAS_AVXVNNI_FLAG)
endif()
set(wide "-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq")
if(MOPD_X86 AND CMAKE_C_COMPILER_ID STREQUAL Clang) # as zig calls it, its versions 18 and 19 leave out registers of 512 bits otherwise
    check_c_compiler_flag("-mevex512" MOPD_HAS_EVEX512_FLAG)
    if(MOPD_HAS_EVEX512_FLAG)
        list(APPEND wide -mevex512)
    endif()
endif()
if(MOPD_HAS_AVXVNNI_FLAG)
    target_compile_definitions(mopd_objects PUBLIC MOPD_AVXVNNI)
    set_source_files_properties(lib/math/i8_avxvnni.c lib/math/i16_avxvnni.c lib/math/fix_avxvnni.c PROPERTIES
        COMPILE_OPTIONS "-mavx2;-mfma;-mf16c;-mavxvnni")
endif()
if(MOPD_HAS_AMX_FLAGS)
    target_compile_definitions(mopd_objects PUBLIC MOPD_AMX)
    set_source_files_properties(lib/math/bf16_amx.c PROPERTIES COMPILE_OPTIONS
        "-mamx-tile;-mamx-bf16;${wide};-mavx512bf16;-mavx2;-mfma;-mf16c")
    set_source_files_properties(lib/math/i8_amx.c PROPERTIES COMPILE_OPTIONS
        "-mamx-tile;-mamx-int8;${wide};-mavx512vnni;-mavx2;-mfma;-mf16c")
endif()

# One file per instruction set, told by its name.
foreach(source ${MOPD_SOURCES})
    if(NOT MOPD_X86)
        break()
    elseif(source MATCHES "_avx2\\.c$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c")
    elseif(source MATCHES "_avx512\\.c$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
            "${wide};-mavx2;-mfma;-mf16c")
    elseif(source MATCHES "_vnni\\.c$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
            "${wide};-mavx512vnni;-mavx2;-mfma;-mf16c")
    endif()
endforeach()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(dot -march=armv8.2-a+dotprod)
    check_c_compiler_flag(${dot} MOPD_HAS_DOT_FLAG)
    if(NOT MOPD_HAS_DOT_FLAG) # zig has processors alone
        set(dot -mcpu=generic+dotprod)
    endif()
    set_source_files_properties(lib/math/i8_dot.c PROPERTIES COMPILE_OPTIONS ${dot})
endif()

# GCC 12 for ARM falls over its eight running sums ("in vect_transform_reduction").
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$" AND CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_C_COMPILER_VERSION VERSION_LESS 13)
    set_source_files_properties(lib/prompt/recognizer_judge.c PROPERTIES COMPILE_OPTIONS -fno-tree-vectorize)
endif()

# Sanitizers look at what is run: MemorySanitizer at the plain path, a fuzz target at AVX2 (tests/fuzz/run.sh).
set(unseen "^$")
if(MOPD_SANITIZE MATCHES memory)
    set(unseen "lib/math/.*_(avx2|avxvnni|avx512|vnni|amx)\\.c$") # tests hold the AVX2 of lib/pixel against the plain one
elseif(MOPD_FUZZ)
    set(unseen "_(avxvnni|avx512|vnni|amx)\\.c$")
endif()
foreach(source ${MOPD_SOURCES})
    if(source MATCHES "${unseen}")
        set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -fno-sanitize=all -fno-sanitize=fuzzer-no-link)
    endif()
endforeach()

if(MOPD_SANITIZE MATCHES thread) # lib/math/races.h speaks for them
    file(GLOB tiles RELATIVE ${PROJECT_SOURCE_DIR} lib/math/tile_*.c lib/math/i16_*.c lib/math/i8_*.c)
    set_property(SOURCE ${tiles} APPEND PROPERTY COMPILE_OPTIONS -fno-sanitize=thread)
endif()

if(MOPD_SANITIZE MATCHES memory)
    add_library(mopd_msan_edges OBJECT tests/support/msan/edges.c)
    foreach(format ${MOPD_FORMATS})
        string(TOLOWER ${format} name)
        target_sources(mopd_msan_edges PRIVATE tests/support/msan/${name}.c)
    endforeach()
    target_include_directories(mopd_msan_edges SYSTEM PRIVATE ${BLIS_INCLUDE_DIR})
    target_include_directories(mopd_msan_edges PRIVATE include lib)
    target_link_libraries(mopd_msan_edges PUBLIC ZLIB::ZLIB PNG::PNG JPEG::JPEG PkgConfig::JANSSON PkgConfig::UTF8PROC
        ${MOPD_FORMAT_LIBRARIES} ${MOPD_BLIS_LIBRARIES})
    mopd_flags(mopd_msan_edges)
    set_target_properties(mopd_msan_edges PROPERTIES C_VISIBILITY_PRESET default) # shared libraries may be sent there too
endif()

# mopd_exports(TARGET): the names in lib/mopd.map and no other, in the words of the system's linker.
function(mopd_exports target)
    set(map ${PROJECT_SOURCE_DIR}/lib/mopd.map)
    if(NOT APPLE AND NOT MSVC)
        target_link_options(${target} PRIVATE -Wl,--version-script=${map})
        return()
    endif()
    file(STRINGS ${map} names REGEX "^ *mopd_[a-z0-9_]+;$")
    list(TRANSFORM names REPLACE "^ *(mopd_[a-z0-9_]+).*" "\\1")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${map})
    if(MSVC)
        list(PREPEND names EXPORTS)
        set(list ${PROJECT_BINARY_DIR}/mopd.def)
        target_sources(${target} PRIVATE ${list})
    else()
        list(TRANSFORM names PREPEND _)
        set(list ${PROJECT_BINARY_DIR}/mopd.exports)
        target_link_options(${target} PRIVATE -Wl,-exported_symbols_list,${list})
    endif()
    list(JOIN names "\n" names)
    file(CONFIGURE OUTPUT ${list} CONTENT "${names}\n" @ONLY)
endfunction()

add_library(mopd_static STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:mopd_objects>)
target_link_libraries(mopd_static PUBLIC mopd_objects)

add_library(mopd ${MOPD_KIND} $<TARGET_OBJECTS:mopd_objects>)
add_library(mopd::mopd ALIAS mopd)
mopd_flags(mopd)
target_include_directories(mopd PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(mopd PRIVATE ZLIB::ZLIB PNG::PNG JPEG::JPEG PkgConfig::JANSSON PkgConfig::UTF8PROC
    ${MOPD_FORMAT_LIBRARIES} ${MOPD_BLIS_LIBRARIES} Threads::Threads ${MOPD_MATH} ${CMAKE_DL_LIBS})
set(MOPD_SOVERSION 0)
if(MOPD_KIND STREQUAL SHARED)
    set_target_properties(mopd PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${MOPD_SOVERSION}
        LINK_DEPENDS ${PROJECT_SOURCE_DIR}/lib/mopd.map)
    if(WIN32) # mopd.dll, and libmopd.dll.a to link with
        set_target_properties(mopd PROPERTIES RUNTIME_OUTPUT_NAME mopd PREFIX "" IMPORT_PREFIX lib)
    endif()
    mopd_exports(mopd)
endif()
if(PROJECT_IS_TOP_LEVEL AND NOT MOPD_SANITIZE AND NOT APPLE AND NOT MSVC) # a sanitizer's own names, a parent's too, come with the program
    target_link_options(mopd PRIVATE -Wl,--no-undefined)
endif()

# The same for C++17 with mopd.hpp, under the name that it has in the installed package.
add_library(mopd_cxx INTERFACE)
add_library(mopd::cxx ALIAS mopd_cxx)
set_target_properties(mopd_cxx PROPERTIES INTERFACE_LINK_LIBRARIES mopd INTERFACE_COMPILE_FEATURES cxx_std_17)
