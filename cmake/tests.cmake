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

# tests/fuzz/fuzz_NAME.c is a libFuzzer entry point; without libFuzzer a driver runs the files named to it.
option(MOPD_FUZZ "link the fuzz programs with libFuzzer (clang)" OFF)
file(GLOB MOPD_FUZZERS CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
file(GLOB MOPD_FUZZ_SEEDS CONFIGURE_DEPENDS tests/gold/*.pt tests/gold/*.pth tests/gold/*.zip tests/gold/*.gz)
foreach(source ${MOPD_FUZZERS})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE mopd_static)
    if(MOPD_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(${name} PRIVATE tests/fuzz/driver.c)
    endif()
    add_test(NAME fuzz.${name} COMMAND ${name} ${MOPD_FUZZ_SEEDS})
endforeach()

# tests/bench/bench_NAME.c: programs that measure, built only when asked for by name.
file(GLOB MOPD_BENCHES CONFIGURE_DEPENDS tests/bench/bench_*.c)
foreach(source ${MOPD_BENCHES})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${name} PRIVATE mopd_static)
endforeach()
