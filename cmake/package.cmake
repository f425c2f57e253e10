# SPDX-License-Identifier: MIT
# `cpack -G DEB` (scripts/package.sh): libmopd0, libmopd-dev, mopd and mopd-data, one a component of cmake/install.cmake.
# As Debian's own tools ask: who packages is told by DEBFULLNAME and DEBEMAIL, else it is this user of this machine.
if(DEFINED ENV{DEBEMAIL})
    set(packager "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
else()
    cmake_host_system_information(RESULT machine QUERY FQDN)
    set(packager "local build <root@${machine}>")
endif()
set(MOPD_PACKAGER "${packager}" CACHE STRING "maintainer named in Debian packages: NAME <ADDRESS>")

set(MOPD_DEB_RELEASE 1)
set(MOPD_DEB_VERSION ${PROJECT_VERSION}-${MOPD_DEB_RELEASE})
set(MOPD_DEB_NAME_runtime libmopd0)
set(MOPD_DEB_NAME_dev libmopd-dev)
set(MOPD_DEB_NAME_command mopd)
set(MOPD_DEB_NAME_data mopd-data)

if(MOPD_DEB)
    set(debian ${PROJECT_BINARY_DIR}/debian)
    file(MAKE_DIRECTORY ${debian})
    configure_file(cmake/debian/changelog ${debian}/changelog @ONLY)
    execute_process(COMMAND gzip -9nc ${debian}/changelog OUTPUT_FILE ${debian}/changelog.Debian.gz
        COMMAND_ERROR_IS_FATAL ANY)
    foreach(component runtime dev command data)
        set(name ${MOPD_DEB_NAME_${component}})
        install(FILES cmake/debian/copyright ${debian}/changelog.Debian.gz
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component})
        if(EXISTS ${PROJECT_SOURCE_DIR}/cmake/debian/${name}.lintian-overrides)
            install(FILES cmake/debian/${name}.lintian-overrides RENAME ${name}
                DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides COMPONENT ${component})
        endif()
    endforeach()

    # The symbols file: each name with the first release that had it, told by its node in the map.
    file(STRINGS lib/mopd.map lines)
    set(symbols "libmopd.so.0 libmopd0 #MINVER#\n* Build-Depends-Package: libmopd-dev\n")
    foreach(line ${lines})
        if(line MATCHES "^MOPD_([0-9]+\\.[0-9]+) {")
            set(node ${CMAKE_MATCH_1})
            string(APPEND symbols " MOPD_${node}@MOPD_${node} ${node}.0\n")
        elseif(line MATCHES "^ +(mopd_[a-z0-9_]+)")
            string(APPEND symbols " ${CMAKE_MATCH_1}@MOPD_${node} ${node}.0\n")
        endif()
    endforeach()
    file(WRITE ${debian}/symbols "${symbols}")
    file(WRITE ${debian}/shlibs "libmopd 0 libmopd0 (>= ${PROJECT_VERSION})\n")
    file(WRITE ${debian}/triggers "activate-noawait ldconfig\n")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mopd)
set(CPACK_PACKAGE_CONTACT "${MOPD_PACKAGER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each component says its own
set(CPACK_STRIP_FILES ON)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian/finish.cmake)
set(CPACK_COMPONENTS_ALL runtime dev command data)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${MOPD_DEB_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libmopd0)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "libblis4-serial | libblis4") # our own threads share out the rows
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "mopd-data (= ${MOPD_DEB_VERSION})")
if(MOPD_DEB)
    set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${debian}/symbols ${debian}/shlibs ${debian}/triggers)
endif()
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "few-shot prompt learning with CLIP - shared library
libmopd tells which of your classes a picture shows, and learns from a few
pictures a class a prompt that tells it better and still serves new classes
(Mixture-of-Prompts Distillation, arXiv 2412.19087).  It opens CLIP models in
the layouts of Hugging Face, open_clip and OpenAI and needs neither a GPU nor
Python.

This package holds the shared library.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libmopd-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libmopd0 (= ${MOPD_DEB_VERSION})")
set(CPACK_COMPONENT_DEV_DESCRIPTION "few-shot prompt learning with CLIP - development files
libmopd tells which of your classes a picture shows, and learns from a few
pictures a class a prompt that tells it better and still serves new classes
(Mixture-of-Prompts Distillation, arXiv 2412.19087).

This package holds the C headers, the C++17 layer mopd.hpp, and the files for
pkg-config and CMake.")

set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME mopd)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS "libmopd0 (= ${MOPD_DEB_VERSION}), mopd-data (= ${MOPD_DEB_VERSION})")
set(CPACK_COMPONENT_COMMAND_DESCRIPTION "few-shot prompt learning with CLIP - command
The command mopd classifies pictures by class names alone, learns prompts from
a few pictures a class, evaluates them, and makes features of pictures and
texts, with a small model of its own or any CLIP in the layouts of Hugging
Face, open_clip and OpenAI.")

set(CPACK_DEBIAN_DATA_PACKAGE_NAME mopd-data)
set(CPACK_DEBIAN_DATA_PACKAGE_SECTION science)
set(CPACK_DEBIAN_DATA_PACKAGE_ARCHITECTURE all)
set(CPACK_COMPONENT_DATA_DESCRIPTION "few-shot prompt learning with CLIP - built-in model
libmopd tells which of your classes a picture shows, and learns from a few
pictures a class a prompt that tells it better and still serves new classes.

This package holds the model that is used where no other is named: the image
tower of EfficientNet-Lite0 joined with a small text tower.")
include(CPack)
