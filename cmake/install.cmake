# SPDX-License-Identifier: MIT
# What `cmake --install` lays down, by component: runtime (the library), dev (headers, pkg-config file, CMake package,
# guides and examples), command (mopd, its pages and completion), data (the built-in model).  cmake/package.cmake makes a
# .deb of each.
include(CMakePackageConfigHelpers)

install(TARGETS mopd EXPORT mopdTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/mopd DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
if(TARGET mopd_cli)
    install(TARGETS mopd_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)
    include(cmake/pages.cmake)
endif()
install(FILES ${MOPD_BUILTIN_MODEL} DESTINATION ${CMAKE_INSTALL_DATADIR}/mopd RENAME builtin.safetensors
    COMPONENT data OPTIONAL)
install(CODE "if(NOT EXISTS \"${MOPD_BUILTIN_MODEL}\")
    message(STATUS \"without the built-in model, which scripts/model.sh makes: programs have to name one\")
endif()" COMPONENT data)

# The pages and the lessons beside each other as in the source, so that links between them hold.
set(doc ${CMAKE_INSTALL_DOCDIR})
if(MOPD_DEB)
    set(doc ${CMAKE_INSTALL_DATADIR}/doc/libmopd-dev)
else() # Debian's packages tell it in cmake/package.cmake
    install(FILES LICENSE DESTINATION ${doc} COMPONENT runtime)
    install(FILES cmake/debian/copyright DESTINATION ${doc} RENAME builtin-model.txt COMPONENT data)
endif()
file(GLOB pages CONFIGURE_DEPENDS docs/*.md docs/*.svg)
file(GLOB lessons CONFIGURE_DEPENDS examples/[0-9]*.c examples/[0-9]*.cpp)
install(FILES ${pages} DESTINATION ${doc}/docs COMPONENT dev)
install(FILES examples/README.md ${lessons} DESTINATION ${doc}/examples COMPONENT dev)

# The pkg-config file tells the tree by its own place: the tree may be moved, and `cmake --install --prefix` names another.
# In /usr paths are plain, so that pkg-config knows them for the system's and leaves them out; so are absolute folders.
set(MOPD_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(MOPD_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(MOPD_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
    set(MOPD_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(MOPD_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
    if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
        file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
        string(REGEX REPLACE "/$" "" up "${up}")
        set(MOPD_PC_PREFIX "\${pcfiledir}/${up}")
    endif()
endif()

# A static library tells what a program has to link beside it.
set(MOPD_PC_LIBS "-L\${libdir} -lmopd")
set(MOPD_PC_REQUIRES "")
if(MOPD_KIND STREQUAL STATIC)
    string(APPEND MOPD_PC_LIBS "${MOPD_FORMAT_LIBS}")
    if(MOPD_WITH_BLIS)
        get_filename_component(folder "${BLIS_LIBRARY}" DIRECTORY)
        if(NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
            string(APPEND MOPD_PC_LIBS " -L${folder}")
        endif()
        string(APPEND MOPD_PC_LIBS " -lblis")
    endif()
    string(APPEND MOPD_PC_LIBS " -lm -lpthread")
    if(CMAKE_DL_LIBS)
        string(APPEND MOPD_PC_LIBS " -l${CMAKE_DL_LIBS}")
    endif()
    set(MOPD_PC_REQUIRES "\nRequires: zlib libpng libjpeg jansson libutf8proc${MOPD_FORMAT_REQUIRES}")
endif()
configure_file(cmake/mopd.pc.in mopd.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mopd.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

# Every release of one SONAME runs the programs of earlier ones (docs/abi.md), and its number is the major version's.
install(EXPORT mopdTargets NAMESPACE mopd:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mopd COMPONENT dev)
configure_package_config_file(cmake/mopdConfig.cmake.in mopdConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mopd PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(mopdConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mopdConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/mopdConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mopd COMPONENT dev)
