# SPDX-License-Identifier: MIT
# The command and the example programs: they see include/mopd/ alone.
option(MOPD_BUILD_COMMAND "build the mopd command" ON)
file(GLOB MOPD_CLI_SOURCES CONFIGURE_DEPENDS examples/mopd/*.c)
if(MOPD_BUILD_COMMAND AND MOPD_CLI_SOURCES)
    add_executable(mopd_cli ${MOPD_CLI_SOURCES})
    set_target_properties(mopd_cli PROPERTIES OUTPUT_NAME mopd)
    if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr") # there the system finds the library by itself
        set_target_properties(mopd_cli PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    endif()
    target_link_libraries(mopd_cli PRIVATE mopd PkgConfig::JANSSON m)
endif()

file(GLOB MOPD_EXAMPLES CONFIGURE_DEPENDS examples/[0-9]*.c)
if(CMAKE_CXX_COMPILER)
    file(GLOB MOPD_CXX_EXAMPLES CONFIGURE_DEPENDS examples/[0-9]*.cpp)
    list(APPEND MOPD_EXAMPLES ${MOPD_CXX_EXAMPLES})
endif()
foreach(source ${MOPD_EXAMPLES})
    get_filename_component(name ${source} NAME_WE)
    add_executable(example_${name} ${source})
    set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY examples)
    target_link_libraries(example_${name} PRIVATE mopd m)
endforeach()
