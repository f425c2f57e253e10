# SPDX-License-Identifier: MIT
# Language level, warnings, sanitizers.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG")

# C++ is for users of mopd.hpp (example, test): without a compiler the library is the same.
include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER)
    set(CMAKE_CXX_STANDARD 17)
    set(CMAKE_CXX_STANDARD_REQUIRED ON)
    set(CMAKE_CXX_EXTENSIONS OFF)
    enable_language(CXX)
endif()

option(MOPD_WERROR "treat warnings as errors" OFF)
set(MOPD_SANITIZE "" CACHE STRING "sanitizers, for instance address,undefined or thread")
set(MOPD_BUILTIN_MODEL "${CMAKE_BINARY_DIR}/builtin.safetensors" CACHE FILEPATH
    "packed built-in model, installed as share/mopd/builtin.safetensors when it is there (scripts/model.sh)")

# Contraction of a*b+c would make results differ between compilers and flags: kernels ask for fma by name.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
    -Wvla -ffp-contract=off -fno-math-errno)
if(MOPD_WERROR)
    add_compile_options(-Werror)
endif()
if(MOPD_SANITIZE)
    add_compile_options(-fsanitize=${MOPD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g)
    add_link_options(-fsanitize=${MOPD_SANITIZE})
endif()
add_compile_definitions(_POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)
