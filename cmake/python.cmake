# SPDX-License-Identifier: MIT
# The Python wheel's component (bindings/python/pyproject.toml): the library, and the built-in model: packed where
# scripts/model.sh has made it (MOPD_PYTHON_MODEL, else build/builtin.safetensors), else our parts of it, which the
# package joins with the weights of its extra `model`.
option(MOPD_PYTHON "install what the Python package holds" OFF)
set(MOPD_PYTHON_MODEL "" CACHE FILEPATH "packed built-in model for the wheel")
if(NOT MOPD_PYTHON)
    return()
endif()

install(FILES $<TARGET_FILE:mopd> DESTINATION mopd RENAME libmopd.so COMPONENT python)
install(FILES LICENSE DESTINATION mopd COMPONENT python)
if(NOT MOPD_PYTHON_MODEL)
    set(MOPD_PYTHON_MODEL ${PROJECT_SOURCE_DIR}/build/builtin.safetensors)
endif()
if(EXISTS ${MOPD_PYTHON_MODEL})
    install(FILES ${MOPD_PYTHON_MODEL} DESTINATION mopd RENAME builtin.safetensors COMPONENT python)
else()
    install(DIRECTORY examples/model/builtin DESTINATION mopd COMPONENT python)
endif()
