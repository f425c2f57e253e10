/* SPDX-License-Identifier: MIT
 * os_wide_windows.c - paths in UTF-16, errors, and what lies at a path, by Windows. */
#include "base/os_wide.h"

#include <errno.h>
#include <io.h>
#include <string.h>
#include <wchar.h>

#define LONG_PREFIX L"\\\\?\\"
#define SHARE_PREFIX L"\\\\?\\UNC\\"
#define N_LONG 4
#define N_SHARE 8

/* EBUSY: somebody else has it; ETXTBSY: it is mapped (mo_os_error_text).  ENOSYS: a file system that has no such call. */
static const struct {
    DWORD code;
    int number;
} meanings[] = {{ERROR_FILE_NOT_FOUND, ENOENT}, {ERROR_PATH_NOT_FOUND, ENOENT}, {ERROR_INVALID_NAME, ENOENT},
    {ERROR_INVALID_DRIVE, ENOENT}, {ERROR_BAD_NETPATH, ENOENT}, {ERROR_BAD_NET_NAME, ENOENT},
    {ERROR_BAD_PATHNAME, ENOENT}, {ERROR_ACCESS_DENIED, EACCES}, {ERROR_SHARING_VIOLATION, EBUSY},
    {ERROR_LOCK_VIOLATION, EBUSY}, {ERROR_USER_MAPPED_FILE, ETXTBSY}, {ERROR_PRIVILEGE_NOT_HELD, EPERM},
    {ERROR_ALREADY_EXISTS, EEXIST}, {ERROR_FILE_EXISTS, EEXIST}, {ERROR_DISK_FULL, ENOSPC},
    {ERROR_HANDLE_DISK_FULL, ENOSPC}, {ERROR_FILE_TOO_LARGE, EFBIG}, {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
    {ERROR_OUTOFMEMORY, ENOMEM}, {ERROR_COMMITMENT_LIMIT, ENOMEM}, {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
    {ERROR_DIRECTORY, ENOTDIR}, {ERROR_DIR_NOT_EMPTY, ENOTEMPTY}, {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
    {ERROR_BUFFER_OVERFLOW, ENAMETOOLONG}, {ERROR_BROKEN_PIPE, EPIPE}, {ERROR_NO_DATA, EPIPE},
    {ERROR_WRITE_PROTECT, EROFS}, {ERROR_CANT_RESOLVE_FILENAME, ELOOP}, {ERROR_INVALID_PARAMETER, EINVAL},
    {ERROR_NO_UNICODE_TRANSLATION, EILSEQ}, {ERROR_NOT_READY, ENXIO}, {ERROR_NOT_SAME_DEVICE, EXDEV},
    {ERROR_INVALID_FUNCTION, ENOSYS}, {ERROR_NOT_SUPPORTED, ENOSYS}, {ERROR_CALL_NOT_IMPLEMENTED, ENOSYS}};

bool mo_os_failed(void)
{
    const DWORD code = GetLastError();
    errno = EIO;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].code == code) errno = meanings[i].number;
    return false;
}

/* -- names --------------------------------------------------------------------------------------------------- */

/* Paths that other functions of Windows take for too long get the prefix with which they do not. */
static bool lengthen(wchar_t out[MO_OS_PATH], const wchar_t *whole, size_t n)
{
    const bool share = !wcsncmp(whole, L"\\\\", 2), done = share && (whole[2] == L'?' || whole[2] == L'.');
    const wchar_t *prefix = n < MAX_PATH - 12 || done ? L"" : share ? SHARE_PREFIX : LONG_PREFIX;
    const wchar_t *rest = share && *prefix ? whole + 2 : whole;
    const size_t before = wcslen(prefix);
    if (before + wcslen(rest) >= MO_OS_PATH) {
        errno = ENAMETOOLONG;
        return false;
    }
    wcscpy(out, prefix);
    wcscpy(out + before, rest);
    return true;
}

bool mo_os_wide(wchar_t out[MO_OS_PATH], const char *path)
{
    wchar_t given[MO_OS_PATH], whole[MO_OS_PATH];
    if (!*path) {
        errno = ENOENT;
        return false;
    }
    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, given, MO_OS_PATH)) {
        errno = GetLastError() == ERROR_INSUFFICIENT_BUFFER ? ENAMETOOLONG : EILSEQ;
        return false;
    }
    const DWORD n = GetFullPathNameW(given, MO_OS_PATH, whole, NULL);
    if (!n) return mo_os_failed();
    if (n >= MO_OS_PATH) errno = ENAMETOOLONG;
    return n < MO_OS_PATH && lengthen(out, whole, n);
}

bool mo_os_narrow(char out[MO_OS_PATH], const wchar_t *name)
{
    size_t at = 0;
    if (!wcsncmp(name, SHARE_PREFIX, N_SHARE)) {
        name += N_SHARE;
        out[at++] = '/', out[at++] = '/';
    } else if (!wcsncmp(name, LONG_PREFIX, N_LONG)) {
        name += N_LONG;
    }
    if (!WideCharToMultiByte(CP_UTF8, 0, name, -1, out + at, (int)(MO_OS_PATH - at), NULL, NULL)) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *slash = out; (slash = strchr(slash, '\\'));) *slash = '/';
    return true;
}

bool mo_os_final(wchar_t out[MO_OS_PATH], HANDLE handle)
{
    const DWORD n = GetFinalPathNameByHandleW(handle, out, MO_OS_PATH, FILE_NAME_NORMALIZED);
    if (!n) return mo_os_failed();
    if (n >= MO_OS_PATH) errno = ENAMETOOLONG;
    return n < MO_OS_PATH;
}

int mo_os_number(HANDLE handle, int flags)
{
    if (handle == INVALID_HANDLE_VALUE) return mo_os_failed() - 1;
    const int file = _open_osfhandle((intptr_t)handle, flags);
    if (file < 0) CloseHandle(handle);
    return file;
}

/* -- what lies at a path ------------------------------------------------------------------------------------- */

/* From 1601 on, in steps of 100 ns. */
static void tell_time(int64_t out[2], int64_t steps)
{
    out[0] = steps / 10000000 - INT64_C(11644473600);
    out[1] = steps % 10000000 * 100;
}

static bool is_link(HANDLE handle)
{
    FILE_ATTRIBUTE_TAG_INFO tag;
    return GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof tag) &&
           tag.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT &&
           (tag.ReparseTag == IO_REPARSE_TAG_SYMLINK || tag.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT);
}

bool mo_os_tell(mo_os_info *info, HANDLE handle, bool link)
{
    const DWORD type = GetFileType(handle);
    BY_HANDLE_FILE_INFORMATION all;
    FILE_BASIC_INFO times;
    *info = (mo_os_info){.kind = type == FILE_TYPE_PIPE ? MO_OS_PIPE : MO_OS_CHARS, .mode = 0666};
    if (type == FILE_TYPE_PIPE || type == FILE_TYPE_CHAR) return true;
    if (!GetFileInformationByHandle(handle, &all)) return mo_os_failed();
    if (!GetFileInformationByHandleEx(handle, FileBasicInfo, &times, sizeof times)) return mo_os_failed();
    info->kind = link && is_link(handle)                           ? MO_OS_LINK
                 : all.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? MO_OS_DIR
                                                                   : MO_OS_REGULAR;
    info->size = (uint64_t)all.nFileSizeHigh << 32 | all.nFileSizeLow;
    info->device = all.dwVolumeSerialNumber;
    info->number = (uint64_t)all.nFileIndexHigh << 32 | all.nFileIndexLow;
    info->n_links = all.nNumberOfLinks;
    tell_time(info->written, times.LastWriteTime.QuadPart);
    tell_time(info->changed, times.ChangeTime.QuadPart);
    return true;
}

bool mo_os_look(mo_os_info *info, const wchar_t *path, bool link)
{
    const DWORD flags = FILE_FLAG_BACKUP_SEMANTICS | (link ? FILE_FLAG_OPEN_REPARSE_POINT : 0);
    HANDLE handle = CreateFileW(path, FILE_READ_ATTRIBUTES, MO_OS_SHARED, NULL, OPEN_EXISTING, flags, NULL);
    if (handle == INVALID_HANDLE_VALUE) return mo_os_failed();
    const bool told = mo_os_tell(info, handle, link);
    CloseHandle(handle);
    return told;
}
