# SPDX-License-Identifier: MIT
# For cmake/zig.cmake: CMake asks the machine that builds for its macOS, and where there is none takes it for one of before 2007, which
# had no @rpath.
set(CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG -Wl,-rpath,)
set(CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG_SEP "")
set(CMAKE_LINK_DEPENDENT_LIBRARY_FILES "")
