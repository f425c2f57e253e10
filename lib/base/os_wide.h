/* SPDX-License-Identifier: MIT
 * os_wide.h - what the files for Windows share: names in UTF-16, and its errors as numbers of errno. */
#ifndef MO_BASE_OS_WIDE_H
#define MO_BASE_OS_WIDE_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include "base/os.h"

#define MO_OS_SHARED (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* A path for the functions of Windows, as long as it may be. */
bool mo_os_wide(wchar_t out[MO_OS_PATH], const char *path);

/* A name of Windows as this library has paths: UTF-8, with "/", without the prefix of long ones. */
bool mo_os_narrow(char out[MO_OS_PATH], const wchar_t *name);

/* Sets errno to what GetLastError means; false. */
bool mo_os_failed(void);

/* What CreateFileW gives as a number of the C library's; below zero and errno on failure. */
int mo_os_number(HANDLE handle, int flags);

/* What is told of an open handle; `link`: of a link itself, if it is one. */
bool mo_os_tell(mo_os_info *info, HANDLE handle, bool link);

/* What lies at a wide path. */
bool mo_os_look(mo_os_info *info, const wchar_t *path, bool link);

/* A handle's path, behind all links. */
bool mo_os_final(wchar_t out[MO_OS_PATH], HANDLE handle);

#endif
