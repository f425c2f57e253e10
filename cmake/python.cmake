# SPDX-License-Identifier: MIT
# The Python wheel's component (bindings/python/pyproject.toml): the library, the command, licences, and the built-in
# model: packed where scripts/model.sh has made it (MOPD_PYTHON_MODEL, else build/builtin.safetensors), else our parts of
# it, which the package joins with the weights of another package that it needs.
set(MOPD_PYTHON_MODEL "" CACHE FILEPATH "packed built-in model for the wheel")
if(NOT MOPD_PYTHON)
    return()
endif()

# In a wheel there are no links: the library has the name that the command asks for.  Windows looks for it beside the command.
if(WIN32)
    install(FILES $<TARGET_FILE:mopd> $<TARGET_FILE:mopd_cli> DESTINATION mopd COMPONENT python)
else()
    install(FILES $<TARGET_FILE:mopd> DESTINATION mopd RENAME $<TARGET_SONAME_FILE_NAME:mopd> COMPONENT python)
    install(TARGETS mopd_cli RUNTIME DESTINATION mopd/bin COMPONENT python)
endif()

set(licences mopd)
if(DEFINED SKBUILD_METADATA_DIR)
    set(licences ${SKBUILD_METADATA_DIR}/licenses)
endif()
install(FILES LICENSE DESTINATION ${licences} COMPONENT python)

if(NOT MOPD_PYTHON_MODEL)
    set(MOPD_PYTHON_MODEL ${PROJECT_SOURCE_DIR}/build/builtin.safetensors)
endif()
if(EXISTS ${MOPD_PYTHON_MODEL})
    install(FILES ${MOPD_PYTHON_MODEL} DESTINATION mopd RENAME builtin.safetensors COMPONENT python)
    install(FILES cmake/debian/copyright RENAME builtin-model.txt DESTINATION ${licences} COMPONENT python)
else()
    install(DIRECTORY examples/model/builtin DESTINATION mopd COMPONENT python)
endif()
