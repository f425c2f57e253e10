# SPDX-License-Identifier: MIT
# Man pages and shell completion, made by running the command just built (cmake/pages.py).
find_package(Python3 COMPONENTS Interpreter QUIET)
if(NOT TARGET mopd_cli OR NOT Python3_Interpreter_FOUND OR MOPD_SANITIZE OR (CMAKE_CROSSCOMPILING AND NOT MOPD_DEB))
    return()
endif()

set(MOPD_PAGES ${PROJECT_BINARY_DIR}/pages)
set(MOPD_PAGES_KIND "1")
set(MOPD_ZSH_FOLDER zsh/site-functions)
if(MOPD_DEB)
    set(MOPD_PAGES_KIND "1.gz")
    set(MOPD_ZSH_FOLDER zsh/vendor-completions)
endif()
add_custom_command(OUTPUT ${MOPD_PAGES}/mopd.1
    COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/cmake/pages.py ${MOPD_PAGES} ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:mopd_cli>
    DEPENDS mopd_cli cmake/pages.py COMMENT "man pages and completion from --help" VERBATIM)
add_custom_target(mopd_pages ALL DEPENDS ${MOPD_PAGES}/mopd.1)

install(DIRECTORY ${MOPD_PAGES}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT command
    FILES_MATCHING PATTERN "*.${MOPD_PAGES_KIND}")
install(FILES ${MOPD_PAGES}/mopd.bash RENAME mopd COMPONENT command
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${MOPD_PAGES}/_mopd COMPONENT command DESTINATION ${CMAKE_INSTALL_DATADIR}/${MOPD_ZSH_FOLDER})
