# SPDX-License-Identifier: MIT
# tests/FOLDER/test_NAME.c is one program: inner folders link the static build; tests/abi, api and examples the shared library.
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(NOT CMOCKA_FOUND AND MOPD_BUILD_TESTS STREQUAL AUTO)
    message(STATUS "Tests: none, cmocka not found")
    return()
elseif(NOT CMOCKA_FOUND)
    message(FATAL_ERROR "cmocka not found: install libcmocka-dev, or use -DMOPD_BUILD_TESTS=OFF")
endif()
enable_testing()

# A preset leaves out what other builds tell already: such tests are neither built nor run.
set(MOPD_TESTS_LEFT_OUT "^$" CACHE STRING "tests that this build has not: a regular expression of their names, as in ctest -E")

# mopd_script(NAME COMMAND...): a test that needs no program of its own.
function(mopd_script name)
    if(NOT name MATCHES "${MOPD_TESTS_LEFT_OUT}")
        add_test(NAME ${name} COMMAND ${ARGN})
    endif()
endfunction()

file(GLOB MOPD_TESTS CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} tests/*/test_*.c)
list(FILTER MOPD_TESTS EXCLUDE REGEX "_${other_system}\\.c$")
if(NOT MOPD_WITH_BLIS) # they test it and nothing else
    list(REMOVE_ITEM MOPD_TESTS tests/math/test_gemm_blis.c tests/math/test_ukernel.c)
endif()
file(GLOB MOPD_TEST_HELPERS CONFIGURE_DEPENDS tests/support/*.c)
list(FILTER MOPD_TEST_HELPERS EXCLUDE REGEX "/[a-z]+_${other_system}\\.c$")
add_library(mopd_test_support STATIC ${MOPD_TEST_HELPERS})
mopd_flags(mopd_test_support)
target_include_directories(mopd_test_support PUBLIC tests include $<$<BOOL:${APPLE}>:${PROJECT_SOURCE_DIR}/tests/support/darwin>)
target_link_libraries(mopd_test_support PUBLIC PkgConfig::CMOCKA m $<$<BOOL:${MINGW}>:-l:libpthread.a>)
target_compile_definitions(mopd_test_support PRIVATE MOPD_TEST_BINARY_DIR="${PROJECT_BINARY_DIR}"
    MOPD_TEST_LEFT_OUT="${PROJECT_SOURCE_DIR}/tests/support/windows.txt")
if(WIN32) # whole programs that the same list names
    file(STRINGS tests/support/windows.txt left_out REGEX "^[a-z]+[.][a-z0-9_]+ ")
    list(TRANSFORM left_out REPLACE " .*" "")
endif()
if(APPLE) # a library that glibc preloads, capabilities of Linux, its way to make a terminal
    set(left_out cli.kills cli.ordinary cli.shown)
endif()
if(EMSCRIPTEN) # unoptimised, a program is linked in a second; cmocka's header would else have a uintptr_t of its own
    target_link_options(mopd_test_support INTERFACE -O0 -sALLOW_MEMORY_GROWTH=1 -sTOTAL_STACK=4MB -sEXIT_RUNTIME=1)
    target_compile_definitions(mopd_test_support PUBLIC _UINTPTR_T_DEFINED)
endif()

foreach(source ${MOPD_TESTS})
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(folder ${folder} NAME)
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "test_" "" name ${name})
    if("${folder}.${name}" MATCHES "${MOPD_TESTS_LEFT_OUT}" OR "${folder}.${name}" IN_LIST left_out)
        continue()
    endif()
    add_executable(test_${folder}_${name} ${source})
    mopd_flags(test_${folder}_${name})
    target_compile_definitions(test_${folder}_${name} PRIVATE MOPD_TEST_DIR="${PROJECT_SOURCE_DIR}/tests"
        MOPD_SOURCE_DIR="${PROJECT_SOURCE_DIR}" MOPD_BINARY_DIR="${PROJECT_BINARY_DIR}")
    if(folder MATCHES "^(abi|api|examples)$")
        target_link_libraries(test_${folder}_${name} PRIVATE mopd_test_support mopd)
    else()
        target_link_libraries(test_${folder}_${name} PRIVATE mopd_test_support mopd_static)
    endif()
    if(EMSCRIPTEN)
        target_link_options(test_${folder}_${name} PRIVATE -sNODERAWFS=1) # it sees the system's files
    endif()
    add_test(NAME ${folder}.${name} COMMAND test_${folder}_${name})
    if(folder STREQUAL "cli")
        if(TARGET mopd_cli)
            add_dependencies(test_${folder}_${name} mopd_cli)
        else()
            set_tests_properties(${folder}.${name} PROPERTIES DISABLED ON)
        endif()
    elseif(folder STREQUAL "examples")
        if(MOPD_LESSONS)
            add_dependencies(test_${folder}_${name} ${MOPD_LESSONS})
        else()
            set_tests_properties(${folder}.${name} PROPERTIES DISABLED ON)
        endif()
    endif()
endforeach()

# Where only figures go in and out, a part of the command is tested by itself.
if(TARGET test_cli_doctor_noise)
    target_sources(test_cli_doctor_noise PRIVATE examples/mopd/doctor_noise.c)
    target_include_directories(test_cli_doctor_noise PRIVATE examples/mopd)
    target_link_libraries(test_cli_doctor_noise PRIVATE PkgConfig::JANSSON)
endif()

# tests/cli/test_kills.c has the command killed where this library says, which a sanitizer's own would have to come before.
if(TARGET test_cli_kills)
    add_library(kill_at MODULE tests/support/alone/kill_at.c)
    mopd_flags(kill_at)
    target_link_libraries(kill_at PRIVATE ${CMAKE_DL_LIBS})
    set_target_properties(kill_at PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    add_dependencies(test_cli_kills kill_at)
endif()

# Programs that run in Node.js and, by tests/web/programs.py, in a browser: what they read is in them.
if(EMSCRIPTEN)
    foreach(name format_image math_gemm math_kern_rows model_encoder pixel_pixels token_pieces token_tokenizer)
        string(REGEX MATCH "^[a-z]+" folder ${name})
        string(REPLACE "${folder}_" "" stem ${name})
        add_executable(web_${name} tests/${folder}/test_${stem}.c)
        mopd_flags(web_${name})
        target_compile_definitions(web_${name} PRIVATE MOPD_TEST_DIR="/tests" MOPD_SOURCE_DIR="" MOPD_BINARY_DIR="/")
        target_link_libraries(web_${name} PRIVATE mopd_test_support mopd_static)
        target_link_options(web_${name} PRIVATE -sINITIAL_MEMORY=64MB "SHELL:--embed-file ${PROJECT_SOURCE_DIR}/tests/gold@/tests/gold")
        foreach(file merges.txt vocab.json)
            target_link_options(web_${name} PRIVATE
                "SHELL:--embed-file ${PROJECT_SOURCE_DIR}/examples/model/builtin/${file}@/examples/model/builtin/${file}")
        endforeach()
        set_target_properties(web_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/web)
        add_test(NAME web.${name} COMMAND web_${name})
    endforeach()
endif()

# What docs/architecture.md forbids: includes upwards, rings, names without their file's stem.
find_package(Python3 COMPONENTS Interpreter QUIET)
if(Python3_Interpreter_FOUND)
    if(MOPD_GUARDS AND MOPD_KIND STREQUAL SHARED AND CMAKE_BUILD_TYPE STREQUAL Release AND NOT APPLE)
        set(guarded $<TARGET_FILE:mopd>)
        if(TARGET mopd_cli)
            list(APPEND guarded $<TARGET_FILE:mopd_cli>)
        endif()
        mopd_script(code.imports ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/code/imports.py $<TARGET_FILE:mopd>)
        mopd_script(code.guards ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/install/guards.py ${guarded})
    endif()
    mopd_script(code.check ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/code/check.py)
endif()

# mopd.hpp against the shared library.
if(MOPD_CXX)
    add_executable(test_api_cxx tests/api/cxx.cpp)
    mopd_flags(test_api_cxx)
    target_link_libraries(test_api_cxx PRIVATE mopd_test_support mopd)
    target_compile_definitions(test_api_cxx PRIVATE MOPD_TEST_DIR="${PROJECT_SOURCE_DIR}/tests")
    add_test(NAME api.cxx COMMAND test_api_cxx)
    mopd_script(api.refused sh ${PROJECT_SOURCE_DIR}/tests/api/refused.sh ${CMAKE_CXX_COMPILER})
endif()

# tests/abi/versions.c: programs of another release on this library, and all of them on a library whose structs have one
# field more, as that of the next release may have.
if(NOT "abi.today_program_newer_library" MATCHES "${MOPD_TESTS_LEFT_OUT}" AND Python3_Interpreter_FOUND AND NOT MOPD_SANITIZE AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(versions ${PROJECT_BINARY_DIR}/abi)
    file(GLOB MOPD_HEADERS CONFIGURE_DEPENDS include/mopd/*.h)
    add_custom_command(OUTPUT ${versions}/stamp VERBATIM
        COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/abi/versions.py ${versions}
        COMMAND ${CMAKE_COMMAND} -E touch ${versions}/stamp
        DEPENDS tests/abi/versions.py ${MOPD_HEADERS})
    add_custom_target(mopd_versions DEPENDS ${versions}/stamp)

    add_library(mopd_newer SHARED ${MOPD_SOURCES})
    mopd_flags(mopd_newer)
    target_compile_options(mopd_newer PRIVATE -O0 -w)
    target_include_directories(mopd_newer PRIVATE ${versions}/newer lib)
    target_include_directories(mopd_newer SYSTEM PRIVATE $<$<BOOL:${MOPD_WITH_BLIS}>:${BLIS_INCLUDE_DIR}>)
    target_compile_definitions(mopd_newer PRIVATE $<TARGET_PROPERTY:mopd_objects,COMPILE_DEFINITIONS>)
    target_link_libraries(mopd_newer PRIVATE $<TARGET_PROPERTY:mopd,LINK_LIBRARIES>)
    mopd_exports(mopd_newer)
    set_target_properties(mopd_newer PROPERTIES OUTPUT_NAME mopd VERSION ${PROJECT_VERSION} SOVERSION 0
        LIBRARY_OUTPUT_DIRECTORY ${versions})
    add_dependencies(mopd_newer mopd_versions)

    foreach(program today newer older)
        add_executable(versions_${program} tests/abi/versions.c)
        mopd_flags(versions_${program})
        string(TOUPPER ${program} kind)
        target_compile_definitions(versions_${program} PRIVATE PROGRAM_${kind}
            MOPD_TEST_DIR="${PROJECT_SOURCE_DIR}/tests")
        target_include_directories(versions_${program} BEFORE PRIVATE
            $<IF:$<STREQUAL:${program},today>,${PROJECT_SOURCE_DIR}/include,${versions}/${program}>)
        target_link_libraries(versions_${program} PRIVATE mopd ${CMAKE_DL_LIBS})
        set_target_properties(versions_${program} PROPERTIES SKIP_BUILD_RPATH ON)
        add_dependencies(versions_${program} mopd_versions)
        foreach(library today newer)
            set(folder $<IF:$<STREQUAL:${library},today>,$<TARGET_FILE_DIR:mopd>,${versions}>)
            add_test(NAME abi.${program}_program_${library}_library
                COMMAND versions_${program} ${folder} ${library})
            set_tests_properties(abi.${program}_program_${library}_library PROPERTIES
                ENVIRONMENT $<$<BOOL:${APPLE}>:DY>LD_LIBRARY_PATH=${folder})
        endforeach()
    endforeach()
endif()

# tests/fuzz/fuzz_NAME.c is a fuzz target.  With MOPD_FUZZ, libFuzzer makes its inputs (tests/fuzz/run.sh); without, the
# program runs the files of tests/fuzz/corpus/NAME and changed copies of each.
option(MOPD_FUZZ "link the fuzz targets with libFuzzer (clang)" OFF)
file(GLOB MOPD_FUZZ_TARGETS CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
add_library(mopd_fuzz STATIC EXCLUDE_FROM_ALL tests/fuzz/dataset.c tests/fuzz/files.c tests/fuzz/fuzz.c tests/fuzz/model.c
    tests/fuzz/mutate.c tests/fuzz/tensors.c tests/fuzz/tokens.c)
mopd_flags(mopd_fuzz)
target_include_directories(mopd_fuzz PRIVATE tests)
target_compile_definitions(mopd_fuzz PRIVATE MOPD_FUZZ_BASE="${PROJECT_SOURCE_DIR}/tests/fuzz/base")
target_link_libraries(mopd_fuzz PUBLIC mopd_static)
add_library(mopd_fuzz_driver STATIC EXCLUDE_FROM_ALL tests/fuzz/driver.c)
mopd_flags(mopd_fuzz_driver)
target_link_libraries(mopd_fuzz_driver PUBLIC mopd_static)
add_custom_target(fuzz)
foreach(source ${MOPD_FUZZ_TARGETS})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "fuzz_" "" stem ${name})
    if(fuzz.${stem} MATCHES "${MOPD_TESTS_LEFT_OUT}")
        continue()
    endif()
    add_executable(${name} ${source})
    mopd_flags(${name})
    target_include_directories(${name} PRIVATE tests)
    target_link_libraries(${name} PRIVATE mopd_fuzz)
    if(MOPD_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        set(inputs -runs=0)
    else()
        target_link_libraries(${name} PRIVATE mopd_fuzz_driver)
        set(inputs -mutations=100)
    endif()
    add_dependencies(fuzz ${name})
    list(APPEND inputs ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${stem})
    if(stem MATCHES "^(image|jpeg|png)$")
        list(APPEND inputs ${PROJECT_SOURCE_DIR}/tests/gold/pixels)
    endif()
    add_test(NAME fuzz.${stem} COMMAND ${name} ${inputs})
endforeach()

# tests/bench/bench_NAME.c: programs that measure, built only when asked for by name.
file(GLOB MOPD_BENCHES CONFIGURE_DEPENDS tests/bench/bench_*.c)
foreach(source ${MOPD_BENCHES})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    mopd_flags(${name})
    target_link_libraries(${name} PRIVATE mopd_static)
endforeach()

# tests/fuzz/readers.py: every reader of bytes from outside has a fuzz target; planted.py: and a mistake for it to find.
if(Python3_Interpreter_FOUND)
    mopd_script(fuzz.readers ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/fuzz/readers.py)
    mopd_script(fuzz.planted ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/fuzz/planted.py)
endif()

# tests/docs: what pages and comments point to, the one version, figures of one source.
if(Python3_Interpreter_FOUND)
    foreach(check links figures promises selftest)
        mopd_script(docs.${check} ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/docs/${check}.py)
    endforeach()
endif()
mopd_script(docs.version sh ${PROJECT_SOURCE_DIR}/scripts/version.sh)
