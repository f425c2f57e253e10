/* SPDX-License-Identifier: MIT
 * os_dir_windows.c - folders by Windows: an open one is a handle, whose path is asked for where something is done in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/os_wide.h"

static bool path_in(wchar_t out[MO_OS_PATH], mo_os_dir dir, const char *name)
{
    if (!mo_os_final(out, (HANDLE)dir)) return false;
    size_t n = wcslen(out);
    if (n + 1 < MO_OS_PATH && out[n - 1] != L'\\') out[n++] = L'\\';
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, out + n, (int)(MO_OS_PATH - n)))
        return true;
    errno = GetLastError() == ERROR_INSUFFICIENT_BUFFER ? ENAMETOOLONG : EILSEQ;
    return false;
}

static HANDLE open_folder(const wchar_t *path, DWORD access)
{
    return CreateFileW(path, access, MO_OS_SHARED, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

mo_os_dir mo_os_dir_open(const char *path)
{
    wchar_t wide[MO_OS_PATH];
    mo_os_info info;
    if (!mo_os_wide(wide, path)) return MO_OS_NO_DIR;
    HANDLE handle = open_folder(wide, FILE_READ_ATTRIBUTES);
    if (handle == INVALID_HANDLE_VALUE) return mo_os_failed() - 1;
    if (mo_os_tell(&info, handle, false) && info.kind == MO_OS_DIR) return (mo_os_dir)handle;
    CloseHandle(handle);
    errno = ENOTDIR;
    return MO_OS_NO_DIR;
}

void mo_os_dir_close(mo_os_dir dir)
{
    CloseHandle((HANDLE)dir);
}

bool mo_os_dir_writable(mo_os_dir dir)
{
    wchar_t path[MO_OS_PATH];
    if (!mo_os_final(path, (HANDLE)dir)) return false;
    HANDLE handle = open_folder(path, FILE_ADD_FILE);
    if (handle == INVALID_HANDLE_VALUE) return mo_os_failed();
    CloseHandle(handle);
    return true;
}

/* mo_os_dir_replace returns when it is on the disk. */
bool mo_os_dir_sync(mo_os_dir dir)
{
    (void)dir;
    return true;
}

int mo_os_dir_create(mo_os_dir dir, const char *name, uint32_t mode)
{
    wchar_t path[MO_OS_PATH];
    (void)mode;
    if (!path_in(path, dir, name)) return -1;
    return mo_os_number(
        CreateFileW(path, GENERIC_WRITE, MO_OS_SHARED, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL),
        _O_WRONLY | _O_BINARY);
}

int mo_os_dir_open_left(mo_os_dir dir, const char *name)
{
    wchar_t path[MO_OS_PATH];
    if (!path_in(path, dir, name)) return -1;
    return mo_os_number(CreateFileW(path, GENERIC_WRITE, MO_OS_SHARED, NULL, OPEN_EXISTING,
                            FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL),
        _O_WRONLY | _O_BINARY);
}

bool mo_os_dir_info(mo_os_dir dir, mo_os_info *info, const char *name)
{
    wchar_t path[MO_OS_PATH];
    return path_in(path, dir, name) && mo_os_look(info, path, true);
}

bool mo_os_dir_remove(mo_os_dir dir, const char *name)
{
    wchar_t path[MO_OS_PATH];
    return path_in(path, dir, name) && (DeleteFileW(path) || mo_os_failed());
}

/* -- one file in the place of another ------------------------------------------------------------------------ */

/* What FILE_RENAME_INFO is since Windows 10. */
typedef struct renaming {
    DWORD flags;
    HANDLE root;
    DWORD n_bytes;
    wchar_t name[MO_OS_PATH];
} renaming;

/* Also where somebody has the old file open: he keeps it, as POSIX has it.  Windows since 10, on its own file systems. */
static bool replace_open(const wchar_t *from, const wchar_t *to)
{
    enum { RENAME_INFO_EX = 22, REPLACES = 1, AS_POSIX = 2 };
    renaming r = {.flags = REPLACES | AS_POSIX, .n_bytes = (DWORD)(wcslen(to) * sizeof *to)};
    wcscpy(r.name, to);
    HANDLE handle = CreateFileW(from, DELETE | SYNCHRONIZE, MO_OS_SHARED, NULL, OPEN_EXISTING, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE) return false;
    const bool done =
        SetFileInformationByHandle(handle, (FILE_INFO_BY_HANDLE_CLASS)RENAME_INFO_EX, &r, sizeof r);
    CloseHandle(handle);
    return done;
}

/* Windows says "access denied" also where a program has the old file open and lets nobody remove it. */
static DWORD reason(const wchar_t *old, DWORD why)
{
    if (why != ERROR_ACCESS_DENIED) return why;
    HANDLE handle = CreateFileW(old, DELETE, MO_OS_SHARED, NULL, OPEN_EXISTING, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_SHARING_VIOLATION ? GetLastError() : why;
    CloseHandle(handle);
    return why;
}

bool mo_os_dir_replace(mo_os_dir dir, const char *from, const char *to)
{
    wchar_t old[MO_OS_PATH], new[MO_OS_PATH];
    if (!path_in(old, dir, from) || !path_in(new, dir, to)) return false;
    if (MoveFileExW(old, new, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) return true;
    const DWORD why = GetLastError();
    if (replace_open(old, new)) return true;
    SetLastError(reason(new, why)); /* that of a Windows without the other way says nothing */
    return mo_os_failed();
}

/* -- names --------------------------------------------------------------------------------------------------- */

struct mo_os_names {
    HANDLE search;
    bool has_next;
    WIN32_FIND_DATAW next;
    char name[MO_OS_PATH];
};

static mo_os_names *start(wchar_t pattern[MO_OS_PATH])
{
    mo_os_names *names = malloc(sizeof *names);
    if (!names) return NULL;
    names->search = FindFirstFileW(pattern, &names->next);
    names->has_next = names->search != INVALID_HANDLE_VALUE;
    if (names->has_next || GetLastError() == ERROR_FILE_NOT_FOUND)
        return names; /* the latter: an empty drive */
    free(names);
    mo_os_failed();
    return NULL;
}

mo_os_names *mo_os_names_open(const char *path)
{
    const mo_os_dir dir = mo_os_dir_open(path);
    if (dir == MO_OS_NO_DIR) return NULL;
    mo_os_names *names = mo_os_names_open_dir(dir);
    mo_os_dir_close(dir);
    return names;
}

mo_os_names *mo_os_names_open_dir(mo_os_dir dir)
{
    wchar_t pattern[MO_OS_PATH];
    return path_in(pattern, dir, "*") ? start(pattern) : NULL;
}

/* The next one as UTF-8; false at the end, then errno is 0. */
static bool take(mo_os_names *names)
{
    errno = 0;
    if (!names->has_next) return false;
    if (!mo_os_narrow(names->name, names->next.cFileName)) return false;
    names->has_next = FindNextFileW(names->search, &names->next);
    return true;
}

const char *mo_os_names_next(mo_os_names *names)
{
    while (take(names))
        if (strcmp(names->name, ".") != 0 && strcmp(names->name, "..") != 0) return names->name;
    return NULL;
}

void mo_os_names_close(mo_os_names *names)
{
    if (names->search != INVALID_HANDLE_VALUE) FindClose(names->search);
    free(names);
}
