/* SPDX-License-Identifier: MIT
 * os_file_windows.c - files by Windows: open, read, write, lock.
 *
 * Whoever has a file open lets others read, write, rename and remove it, as POSIX does.  A file has a number of the C library's, so
 * that a stream can be made of it. */
#include <errno.h>
#include <fcntl.h>
#include <io.h>

#include "base/os_wide.h"

#define MOST ((size_t)1 << 30) /* bytes that the C library's functions take at a time */

static HANDLE handle_of(int file)
{
    return (HANDLE)_get_osfhandle(file);
}

bool mo_os_info_path(mo_os_info *info, const char *path)
{
    wchar_t wide[MO_OS_PATH];
    return mo_os_wide(wide, path) && mo_os_look(info, wide, false);
}

bool mo_os_info_link(mo_os_info *info, const char *path)
{
    wchar_t wide[MO_OS_PATH];
    return mo_os_wide(wide, path) && mo_os_look(info, wide, true);
}

bool mo_os_info_file(mo_os_info *info, int file)
{
    return mo_os_tell(info, handle_of(file), false);
}

bool mo_os_info_is_own(const mo_os_info *info)
{
    (void)info;
    return true; /* what is not, cannot be removed */
}

bool mo_os_real(char out[MO_OS_PATH], const char *path)
{
    wchar_t wide[MO_OS_PATH];
    if (!mo_os_wide(wide, path)) return false;
    HANDLE handle = CreateFileW(wide, 0, MO_OS_SHARED, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (handle == INVALID_HANDLE_VALUE) return mo_os_failed();
    const bool told = mo_os_final(wide, handle);
    CloseHandle(handle);
    return told && mo_os_narrow(out, wide);
}

/* -- files --------------------------------------------------------------------------------------------------- */

/* A folder opens, too, and is then told for one. */
int mo_os_open(const char *path)
{
    wchar_t wide[MO_OS_PATH];
    if (!mo_os_wide(wide, path)) return -1;
    return mo_os_number(CreateFileW(wide, GENERIC_READ, MO_OS_SHARED, NULL, OPEN_EXISTING,
                            FILE_ATTRIBUTE_NORMAL | FILE_FLAG_BACKUP_SEMANTICS, NULL),
        _O_RDONLY | _O_BINARY);
}

int mo_os_open_device(const char *path)
{
    wchar_t wide[MO_OS_PATH];
    if (!mo_os_wide(wide, path)) return -1;
    HANDLE handle = CreateFileW(wide, GENERIC_WRITE, MO_OS_SHARED, NULL, OPEN_EXISTING, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE || GetFileType(handle) != FILE_TYPE_DISK)
        return mo_os_number(handle, _O_WRONLY | _O_BINARY);
    CloseHandle(handle);
    errno = EBUSY; /* it was a device a moment ago */
    return -1;
}

int mo_os_open_growing(const char *path)
{
    wchar_t wide[MO_OS_PATH];
    mo_os_info info;
    if (!mo_os_wide(wide, path)) return -1;
    if (mo_os_look(&info, wide, true) && info.kind == MO_OS_LINK) {
        errno = ELOOP;
        return -1;
    }
    return mo_os_number(CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, MO_OS_SHARED, NULL, OPEN_ALWAYS,
                            FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL),
        _O_RDWR | _O_BINARY);
}

int mo_os_twin(int file)
{
    const int twin = _dup(file);
    if (twin >= 0) _setmode(twin, _O_BINARY);
    return twin;
}

void mo_os_close(int file)
{
    _close(file);
}

int64_t mo_os_read(int file, void *out, size_t n)
{
    return _read(file, out, (unsigned)(n < MOST ? n : MOST));
}

bool mo_os_write(int file, const void *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        const size_t most = n - done < MOST ? n - done : MOST;
        const int more = _write(file, (const char *)bytes + done, (unsigned)most);
        if (more < 0) return false;
        done += (size_t)more;
    }
    return true;
}

bool mo_os_cut(int file, uint64_t size)
{
    const LARGE_INTEGER at = {.QuadPart = (int64_t)size};
    HANDLE handle = handle_of(file);
    return (SetFilePointerEx(handle, at, NULL, FILE_BEGIN) && SetEndOfFile(handle)) || mo_os_failed();
}

bool mo_os_sync(int file)
{
    return FlushFileBuffers(handle_of(file)) || mo_os_failed();
}

bool mo_os_remove(const char *path)
{
    wchar_t wide[MO_OS_PATH];
    return mo_os_wide(wide, path) && (DeleteFileW(wide) || mo_os_failed());
}

/* Bytes that are locked cannot be read by others: one far behind all is. */
mo_os_lock mo_os_hold(int file)
{
    OVERLAPPED at = {.OffsetHigh = 0x40000000};
    if (LockFileEx(handle_of(file), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at))
        return MO_OS_HELD;
    const DWORD why = GetLastError();
    return why == ERROR_LOCK_VIOLATION || why == ERROR_IO_PENDING ? MO_OS_TAKEN : MO_OS_NO_LOCKS;
}

FILE *mo_os_stream(int file)
{
    return _fdopen(file, "wb");
}

int mo_os_stream_file(FILE *stream)
{
    return _fileno(stream);
}

/* A new file has the rights that its folder gives. */
void mo_os_keep_rights(int file, const mo_os_info *of)
{
    (void)file, (void)of;
}
