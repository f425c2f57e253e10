# SPDX-License-Identifier: MIT
# tests/FOLDER/test_NAME.c is one program: inner folders link the static build, tests/api the shared library.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

file(GLOB MOPD_TESTS CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/*/test_*.c)
file(GLOB MOPD_TEST_HELPERS CONFIGURE_DEPENDS tests/support/*.c)
add_library(mopd_test_support STATIC ${MOPD_TEST_HELPERS})
target_include_directories(mopd_test_support PUBLIC tests include)
target_link_libraries(mopd_test_support PUBLIC PkgConfig::CMOCKA m)

foreach(source ${MOPD_TESTS})
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(folder ${folder} NAME)
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "test_" "" name ${name})
    add_executable(test_${folder}_${name} ${source})
    target_compile_definitions(test_${folder}_${name} PRIVATE MOPD_TEST_DIR="${CMAKE_SOURCE_DIR}/tests"
        MOPD_SOURCE_DIR="${CMAKE_SOURCE_DIR}" MOPD_BINARY_DIR="${CMAKE_BINARY_DIR}")
    if(folder STREQUAL "api" OR folder STREQUAL "abi")
        target_link_libraries(test_${folder}_${name} PRIVATE mopd_test_support mopd)
    else()
        target_link_libraries(test_${folder}_${name} PRIVATE mopd_test_support mopd_static)
    endif()
    add_test(NAME ${folder}.${name} COMMAND test_${folder}_${name})
endforeach()
