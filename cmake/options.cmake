# SPDX-License-Identifier: MIT
# What can be chosen, and the flags of each target built here.  A project that takes this one in (add_subdirectory,
# FetchContent) gets the library alone, and nothing of its own is changed: no flag, standard or build type is set for a
# whole directory, and what is not the library is built when it is asked for.
if(MSVC AND NOT CMAKE_C_COMPILER_ID STREQUAL Clang)
    message(FATAL_ERROR "libmopd's inner loops are written in GNU's C, which ${CMAKE_C_COMPILER_ID} does not read: take clang-cl "
        "(-DCMAKE_C_COMPILER=clang-cl, part of Visual Studio), or mingw-w64")
endif()
set(programs ${PROJECT_IS_TOP_LEVEL})
if(MSVC) # whose C library has no getopt.h and unistd.h
    set(programs OFF)
endif()
option(MOPD_BUILD_COMMAND "build the mopd command" ${programs})
option(MOPD_BUILD_EXAMPLES "build the example programs" ${programs})
option(MOPD_INSTALL "let `cmake --install` lay down the library and its headers" ${PROJECT_IS_TOP_LEVEL})
option(MOPD_WERROR "treat warnings as errors" OFF)
option(MOPD_PYTHON "install what the Python package holds" OFF)
option(MOPD_DEB "lay the tree out for Debian packages: licence, changelog, overrides, compressed pages" OFF)
option(MOPD_HARDENED "guards of stacks, buffers, branches and tables of addresses, as far as the compiler has them" ON)
set(MOPD_SANITIZE "" CACHE STRING "sanitizers, for instance address,undefined or thread")
set(MOPD_PROGRAM_FLAGS "" CACHE STRING "flags of what is not the library: the command, examples and tests")
set(MOPD_BUILTIN_MODEL "${PROJECT_BINARY_DIR}/builtin.safetensors" CACHE FILEPATH
    "packed built-in model, installed as share/mopd/builtin.safetensors when it is there (scripts/model.sh)")

if(PROJECT_IS_TOP_LEVEL)
    include(CTest) # the option BUILD_TESTING
    set(MOPD_BUILD_TESTS AUTO CACHE STRING "tests: AUTO (with BUILD_TESTING, when cmocka is there), ON, OFF")
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
        set(CMAKE_BUILD_TYPE Release)
    endif()
    if(NOT BUILD_TESTING)
        set(MOPD_BUILD_TESTS OFF)
    endif()
else()
    set(MOPD_BUILD_TESTS OFF CACHE STRING "tests: AUTO (when cmocka is there), ON, OFF")
endif()
set_property(CACHE MOPD_BUILD_TESTS PROPERTY STRINGS AUTO ON OFF)

# As everywhere in CMake, BUILD_SHARED_LIBS=OFF asks for a static library; without a word it is a shared one.
set(MOPD_KIND SHARED)
if(EMSCRIPTEN) # it has no shared ones: tests of the interface link this
    set(MOPD_KIND STATIC)
elseif(DEFINED BUILD_SHARED_LIBS AND NOT BUILD_SHARED_LIBS)
    set(MOPD_KIND STATIC)
    if(MOPD_PYTHON OR MOPD_DEB OR MOPD_BUILD_TESTS STREQUAL ON)
        message(FATAL_ERROR "tests, the Python package and Debian packages need the shared library: not with BUILD_SHARED_LIBS=OFF")
    endif()
    set(MOPD_BUILD_TESTS OFF)
endif()

# C++ is for users of mopd.hpp (example, test): without a compiler the library is the same.
set(MOPD_CXX FALSE)
if((MOPD_BUILD_TESTS OR MOPD_BUILD_EXAMPLES) AND NOT EMSCRIPTEN)
    include(CheckLanguage)
    check_language(CXX)
    if(CMAKE_CXX_COMPILER)
        enable_language(CXX)
        set(MOPD_CXX TRUE)
    endif()
endif()

# What a mistake in the code would then cost is the process and not the machine.  A sanitizer finds more, and has guards of
# its own; without optimisation glibc has no guarded functions.
set(MOPD_GUARDS "")
set(MOPD_GUARDED_LINK "")
if(MOPD_HARDENED AND NOT MOPD_SANITIZE AND NOT WIN32) # mingw-w64 has no such functions, and puts programs anywhere by itself
    include(CheckCCompilerFlag)
    include(CheckLinkerFlag)
    set(guards -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    if(APPLE) # for whose systems clang knows the others and has nothing behind them
        set(guards -fstack-protector-strong)
    endif()
    foreach(flag ${guards})
        string(MAKE_C_IDENTIFIER "MOPD_HAS${flag}" known)
        check_c_compiler_flag(${flag} ${known})
        if(${known})
            list(APPEND MOPD_GUARDS ${flag})
        endif()
    endforeach()
    foreach(flag relro now noexecstack)
        check_linker_flag(C -Wl,-z,${flag} MOPD_HAS_Z_${flag})
        if(MOPD_HAS_Z_${flag})
            list(APPEND MOPD_GUARDED_LINK -Wl,-z,${flag})
        endif()
    endforeach()
    list(APPEND MOPD_GUARDS $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
        $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=2>)
endif()

# With 32 bits: sizes of files, their numbers and times have 64 there too; and x86 computes in the precision that was written, as
# everywhere, in SSE2's registers.
set(MOPD_NARROW_DEFINITIONS "")
set(MOPD_NARROW_OPTIONS "")
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
    set(MOPD_NARROW_DEFINITIONS _FILE_OFFSET_BITS=64 _TIME_BITS=64)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(i.86|x86|x86_64|AMD64|amd64)$" AND NOT EMSCRIPTEN) # which says that it is one
        set(MOPD_NARROW_OPTIONS -msse2 -mfpmath=sse)
    endif()
endif()

# The same in each driver's words.  Contraction of a*b+c would make results differ between compilers and flags: kernels ask for fma by
# name.
set(MOPD_WARNINGS -Wall -Wextra -Wconversion -Wshadow $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> -Wvla)
set(MOPD_ARITHMETIC -ffp-contract=off -fno-math-errno)
set(MOPD_MATH m)
if(MSVC) # clang-cl, which takes -Wall for all that there is
    list(TRANSFORM MOPD_WARNINGS REPLACE "^-Wall$" /W3)
    set(MOPD_ARITHMETIC /fp:precise /clang:-ffp-contract=off /clang:-fno-math-errno)
    set(MOPD_MATH "") # in the C library
endif()

set(MOPD_PIC ON)
if(EMSCRIPTEN) # which loads nothing later
    set(MOPD_PIC OFF)
endif()

# mopd_flags(TARGET...): language level, warnings, sanitizers.
function(mopd_flags)
    foreach(target ${ARGN})
        set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
            CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
            POSITION_INDEPENDENT_CODE ${MOPD_PIC} C_VISIBILITY_PRESET hidden)
        target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE $<$<BOOL:${APPLE}>:_DARWIN_C_SOURCE>
            $<$<BOOL:${MSVC}>:_CRT_SECURE_NO_WARNINGS> ${MOPD_NARROW_DEFINITIONS})
        target_compile_options(${target} PRIVATE ${MOPD_WARNINGS} ${MOPD_ARITHMETIC}
            $<$<C_COMPILER_ID:Clang,AppleClang>:-Wno-enum-float-conversion> # enumerators are constants here
            $<$<BOOL:${MINGW}>:-Wno-float-conversion> # which its isfinite brings
            ${MOPD_NARROW_OPTIONS} ${MOPD_GUARDS} $<$<BOOL:${MOPD_WERROR}>:-Werror> $<$<BOOL:${MOPD_DEB}>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.>)
        target_link_options(${target} PRIVATE ${MOPD_GUARDED_LINK})
        if(MOPD_SANITIZE)
            target_compile_definitions(${target} PRIVATE MOPD_SANITIZED)
            target_compile_options(${target} PRIVATE
                -fsanitize=${MOPD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
            target_link_options(${target} PRIVATE -fsanitize=${MOPD_SANITIZE})
        endif()
        if(NOT target MATCHES "^mopd(_objects|_newer)?$")
            target_compile_options(${target} PRIVATE ${MOPD_PROGRAM_FLAGS})
        endif()
        get_target_property(type ${target} TYPE)
        if(MOPD_SANITIZE MATCHES memory AND type MATCHES "EXECUTABLE|SHARED") # see tests/support/msan/edges.c
            file(GLOB edges ${PROJECT_SOURCE_DIR}/tests/support/msan/*.c)
            set(names "")
            foreach(edge ${edges})
                file(STRINGS ${edge} some REGEX "__wrap_[a-zA-Z0-9_]+\\(")
                list(APPEND names "${some}")
            endforeach()
            list(TRANSFORM names REPLACE ".*__wrap_([a-zA-Z0-9_]+)\\(.*" "-Wl,--wrap=\\1")
            list(REMOVE_DUPLICATES names)
            target_link_options(${target} PRIVATE ${names})
            target_link_libraries(${target} PRIVATE mopd_msan_edges)
        endif()
    endforeach()
endfunction()
