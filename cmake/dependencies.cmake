# SPDX-License-Identifier: MIT
# What the library stands on; all of it in Debian (scripts/packages.txt).  Whatever is missing is told at once.
set(missing "")
set(packages "")
macro(mopd_need found words package)
    if(NOT ${found})
        string(APPEND missing "\n  ${words} (Debian: ${package})")
        string(APPEND packages " ${package}")
    endif()
endmacro()

if(CMAKE_C_BYTE_ORDER STREQUAL BIG_ENDIAN)
    message(FATAL_ERROR "libmopd needs a little-endian system: its files are, and they are mapped, not read")
endif()

find_package(Threads REQUIRED)
find_package(ZLIB QUIET)
find_package(PNG QUIET)
find_package(JPEG QUIET)
find_package(PkgConfig QUIET)
mopd_need(ZLIB_FOUND zlib zlib1g-dev)
mopd_need(PNG_FOUND libpng libpng-dev)
mopd_need(JPEG_FOUND libjpeg-turbo libjpeg-dev)
mopd_need(PKG_CONFIG_FOUND pkg-config pkg-config)
if(PKG_CONFIG_FOUND)
    pkg_check_modules(JANSSON QUIET IMPORTED_TARGET jansson)
    pkg_check_modules(UTF8PROC QUIET IMPORTED_TARGET libutf8proc)
endif()
mopd_need(JANSSON_FOUND jansson libjansson-dev)
mopd_need(UTF8PROC_FOUND utf8proc libutf8proc-dev)

# BLIS multiplies where our kernels have no instructions of the processor to use: on the plain path.  Debian names the serial
# build's folder; its library carries every CPU's kernels.
option(MOPD_WITH_BLIS "large products of the plain path by BLIS; OFF: by plain C" ON)
if(MOPD_WITH_BLIS)
    find_path(BLIS_INCLUDE_DIR blis.h PATH_SUFFIXES blis-serial blis-pthread blis-openmp blis
        PATHS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
    find_library(BLIS_LIBRARY blis PATH_SUFFIXES blis-serial blis-pthread blis-openmp)
    if(BLIS_INCLUDE_DIR AND BLIS_LIBRARY)
        set(BLIS_FOUND TRUE)
    endif()
    mopd_need(BLIS_FOUND "BLIS, or -DMOPD_WITH_BLIS=OFF" libblis-serial-dev)
endif()

if(missing)
    message(FATAL_ERROR "libmopd needs what is not found here:${missing}\n"
        "On Debian and Ubuntu: apt-get install${packages}\n"
        "(scripts/setup.sh installs all that the build and its tests need)")
endif()

# lib/math/ukernel.c takes the micro-kernel from BLIS's tables, which version 1 calls by other names than 0.9.
set(MOPD_BLIS_LIBRARIES "")
if(MOPD_WITH_BLIS)
    set(MOPD_BLIS_LIBRARIES ${BLIS_LIBRARY})
    include(CheckCSourceCompiles)
    set(CMAKE_REQUIRED_INCLUDES ${BLIS_INCLUDE_DIR})
    set(CMAKE_REQUIRED_LIBRARIES ${BLIS_LIBRARY} Threads::Threads m)
    check_c_source_compiles("#include <blis.h>
    int main(void) { return bli_cntx_get_ukr_dt(BLIS_FLOAT, BLIS_GEMM_UKR, bli_gks_query_cntx()) == 0; }" MOPD_BLIS_1)
    if(NOT MOPD_BLIS_1)
        check_c_source_compiles("#include <blis.h>
    int main(void) { float x = 0; sgemm_ukr_ft f = 0; f(1, 1, 1, &x, &x, &x, &x, &x, 1, 1, 0, bli_gks_query_cntx()); return 0; }"
            MOPD_BLIS_0_9)
        if(NOT MOPD_BLIS_0_9)
            message(FATAL_ERROR "BLIS in ${BLIS_INCLUDE_DIR} is older than 0.9, or its library does not link")
        endif()
    endif()
    unset(CMAKE_REQUIRED_INCLUDES)
    unset(CMAKE_REQUIRED_LIBRARIES)
endif()

# Pictures of kinds that are read where their library is there: lib/format/NAME.c, which MOPD_NAME tells the table of kinds
# of.  MemorySanitizer knows these libraries by tests/support/msan/NAME.c.
set(MOPD_FORMATS "")         # names
set(MOPD_FORMAT_LIBRARIES "") # targets
set(MOPD_FORMAT_REQUIRES "") # what pkg-config knows them as
set(MOPD_FORMAT_LIBS "")     # what it does not know
macro(mopd_format name what found target package)
    set(MOPD_WITH_${name} AUTO CACHE STRING "pictures by ${what}: AUTO (when it is there), ON, OFF")
    set_property(CACHE MOPD_WITH_${name} PROPERTY STRINGS AUTO ON OFF)
    set(MOPD_${name} FALSE)
    if(MOPD_WITH_${name} AND ${found})
        set(MOPD_${name} TRUE)
        list(APPEND MOPD_FORMATS ${name})
        list(APPEND MOPD_FORMAT_LIBRARIES ${target})
    elseif(MOPD_WITH_${name} AND NOT MOPD_WITH_${name} STREQUAL AUTO)
        message(FATAL_ERROR "${what} not found: install ${package}, or use -DMOPD_WITH_${name}=OFF")
    endif()
    message(STATUS "${what}: ${MOPD_${name}}")
endmacro()

find_package(GIF 5 QUIET)
pkg_check_modules(WEBP QUIET IMPORTED_TARGET libwebp libwebpdemux)
mopd_format(GIF giflib GIF_FOUND GIF::GIF libgif-dev)
mopd_format(WEBP libwebp WEBP_FOUND PkgConfig::WEBP libwebp-dev)
pkg_check_modules(TIFF QUIET IMPORTED_TARGET libtiff-4>=4.5) # before, errors went to handlers of the whole process
mopd_format(TIFF "libtiff 4.5" TIFF_FOUND PkgConfig::TIFF libtiff-dev)
pkg_check_modules(HEIF QUIET IMPORTED_TARGET libheif>=1.15) # since when the decoder may be chosen
mopd_format(HEIF "libheif 1.15" HEIF_FOUND PkgConfig::HEIF libheif-dev)
if(MOPD_GIF)
    string(APPEND MOPD_FORMAT_LIBS " -lgif")
endif()
if(MOPD_WEBP)
    string(APPEND MOPD_FORMAT_REQUIRES " libwebpdemux libwebp")
endif()
if(MOPD_TIFF)
    string(APPEND MOPD_FORMAT_REQUIRES " libtiff-4")
endif()
if(MOPD_HEIF)
    string(APPEND MOPD_FORMAT_REQUIRES " libheif")
endif()
