# SPDX-License-Identifier: MIT
# libmopd.so, and the same objects as a static library for the inner tests.
file(GLOB_RECURSE MOPD_SOURCES CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} lib/*.c)

add_library(mopd_objects OBJECT ${MOPD_SOURCES})
target_include_directories(mopd_objects PUBLIC include lib)
target_include_directories(mopd_objects SYSTEM PRIVATE ${BLIS_INCLUDE_DIR})
target_link_libraries(mopd_objects PUBLIC ZLIB::ZLIB PNG::PNG JPEG::JPEG PkgConfig::JANSSON PkgConfig::UTF8PROC
    ${BLIS_LIBRARY} Threads::Threads m ${CMAKE_DL_LIBS})
target_compile_definitions(mopd_objects PRIVATE
    MOPD_INSTALL_DATADIR="${CMAKE_INSTALL_FULL_DATADIR}" MOPD_INSTALL_RELDATADIR="${CMAKE_INSTALL_DATADIR}")

if(MOPD_ONEDNN)
    target_include_directories(mopd_objects SYSTEM PRIVATE ${ONEDNN_INCLUDE_DIR})
    target_compile_definitions(mopd_objects PUBLIC MOPD_ONEDNN="libdnnl.so.2")
endif()

# One file per instruction set, told by its name.
foreach(source ${MOPD_SOURCES})
    if(source MATCHES "_avx2\\.c$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c")
    elseif(source MATCHES "_avx512\\.c$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
            "-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx2;-mfma;-mf16c")
    elseif(source MATCHES "_vnni\\.c$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
            "-mavx512f;-mavx512bw;-mavx512vl;-mavx512dq;-mavx512vnni;-mavx2;-mfma;-mf16c")
    endif()
endforeach()

add_library(mopd_static STATIC $<TARGET_OBJECTS:mopd_objects>)
target_link_libraries(mopd_static PUBLIC mopd_objects)

add_library(mopd SHARED $<TARGET_OBJECTS:mopd_objects>)
add_library(mopd::mopd ALIAS mopd)
target_include_directories(mopd PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(mopd PRIVATE ZLIB::ZLIB PNG::PNG JPEG::JPEG PkgConfig::JANSSON PkgConfig::UTF8PROC
    ${BLIS_LIBRARY} Threads::Threads m ${CMAKE_DL_LIBS})
set_target_properties(mopd PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/lib/mopd.map)
target_link_options(mopd PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/lib/mopd.map)
if(NOT MOPD_SANITIZE)
    target_link_options(mopd PRIVATE -Wl,--no-undefined)
endif()
