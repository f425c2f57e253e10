# SPDX-License-Identifier: MIT
# What `cmake --install` lays down, by component: runtime (the library), dev (headers, pkg-config file, CMake package),
# command (mopd, its pages and completion), data (the built-in model).  cmake/package.cmake makes a .deb of each.
include(CMakePackageConfigHelpers)

install(TARGETS mopd EXPORT mopdTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/mopd DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
if(TARGET mopd_cli)
    install(TARGETS mopd_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)
    include(cmake/pages.cmake)
endif()
install(FILES ${MOPD_BUILTIN_MODEL} DESTINATION ${CMAKE_INSTALL_DATADIR}/mopd RENAME builtin.safetensors
    COMPONENT data OPTIONAL)

# Relative to the file itself: an installed tree may be moved, and `cmake --install --prefix` names another one.
file(RELATIVE_PATH MOPD_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH MOPD_PC_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH MOPD_PC_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/mopd.pc.in mopd.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mopd.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

install(EXPORT mopdTargets NAMESPACE mopd:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mopd COMPONENT dev)
configure_package_config_file(cmake/mopdConfig.cmake.in mopdConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mopd)
write_basic_package_version_file(mopdConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mopdConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/mopdConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mopd COMPONENT dev)
