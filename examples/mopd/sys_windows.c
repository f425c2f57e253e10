/* SPDX-License-Identifier: MIT
 * sys_windows.c - what the command asks of Windows. */
#include "sys.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <psapi.h>
#include <shellapi.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { LONGEST = 32768, SHARED = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE };

/* -- texts ---------------------------------------------------------------------------------------------------- */

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* To be freed. */
static char *narrow(const wchar_t *text)
{
    const int n = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *out = malloc((size_t)n + 1);
    if (!out) return no_memory();
    WideCharToMultiByte(CP_UTF8, 0, text, -1, out, n, NULL, NULL);
    return out;
}

/* A whole path, made good at any length by a prefix: into room with some more before it. */
static wchar_t *lengthen(wchar_t *whole, size_t n)
{
    const bool share = !wcsncmp(whole, L"\\\\", 2), done = share && (whole[2] == L'?' || whole[2] == L'.');
    const wchar_t *prefix = n < MAX_PATH - 12 || done ? L"" : share ? L"\\\\?\\UNC" : L"\\\\?\\";
    wchar_t *rest = share && *prefix ? whole + 1 : whole;
    return wmemcpy(rest - wcslen(prefix), prefix, wcslen(prefix));
}

/* As the library takes it (lib/base/os_wide_windows.c); to be freed. */
static wchar_t *wide(const char *path)
{
    enum { MOST = LONGEST / 8, BEFORE = 8 };
    wchar_t given[MOST], *out = malloc((MOST + BEFORE) * sizeof *out);
    if (!out) return no_memory();
    const bool told = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, given, MOST) > 0;
    const DWORD why = GetLastError(), n = told ? GetFullPathNameW(given, MOST, out + BEFORE, NULL) : 0;
    if (n && n < MOST) {
        const wchar_t *begin = lengthen(out + BEFORE, n);
        return wmemmove(out, begin, wcslen(begin) + 1);
    }
    free(out);
    errno = !*path ? ENOENT : !told && why == ERROR_NO_UNICODE_TRANSLATION ? EILSEQ : ENAMETOOLONG;
    return NULL;
}

/* Those of lib/base/os_wide_windows.c that paths and streams come to here. */
static const struct {
    DWORD code;
    int number;
} meanings[] = {{ERROR_FILE_NOT_FOUND, ENOENT}, {ERROR_PATH_NOT_FOUND, ENOENT}, {ERROR_INVALID_NAME, ENOENT},
    {ERROR_INVALID_DRIVE, ENOENT}, {ERROR_BAD_NETPATH, ENOENT}, {ERROR_BAD_NET_NAME, ENOENT},
    {ERROR_BAD_PATHNAME, ENOENT}, {ERROR_ACCESS_DENIED, EACCES}, {ERROR_SHARING_VIOLATION, EBUSY},
    {ERROR_LOCK_VIOLATION, EBUSY}, {ERROR_USER_MAPPED_FILE, ETXTBSY}, {ERROR_DISK_FULL, ENOSPC},
    {ERROR_HANDLE_DISK_FULL, ENOSPC}, {ERROR_NOT_ENOUGH_MEMORY, ENOMEM}, {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
    {ERROR_DIRECTORY, ENOTDIR}, {ERROR_BROKEN_PIPE, EPIPE}, {ERROR_NO_DATA, EPIPE},
    {ERROR_WRITE_PROTECT, EROFS}, {ERROR_CANT_RESOLVE_FILENAME, ELOOP}, {ERROR_NOT_READY, ENXIO}};

/* Sets errno to what GetLastError means. */
static void tell_errno(void)
{
    const DWORD code = GetLastError();
    errno = EIO;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].code == code) errno = meanings[i].number;
}

void sys_arguments(int *argc, char ***argv)
{
    int n = 0;
    wchar_t **words = CommandLineToArgvW(GetCommandLineW(), &n);
    char **all = words ? calloc((size_t)n + 1, sizeof *all) : NULL;
    for (int i = 0; all && i < n; i++)
        if (!(all[i] = narrow(words[i]))) all = NULL;
    LocalFree(words);
    if (!all) return; /* the words of main are better than none */
    *argc = n;
    *argv = all;
}

/* -- the console ---------------------------------------------------------------------------------------------- */

static void (*call_interrupted)(void);
static UINT its_code;     /* 0: no console */
static DWORD its_mode[3]; /* of streams 1 and 2 */

static HANDLE handle_of(int stream)
{
    return (HANDLE)_get_osfhandle(stream);
}

bool sys_is_shown(int number)
{
    DWORD mode;
    return GetConsoleMode(handle_of(number), &mode);
}

/* The console is its shell's, too.  Where both streams are one, the first was asked before anything was changed. */
static void give_back_console(void)
{
    if (its_code) SetConsoleOutputCP(its_code);
    for (int i = 2; i > 0; i--)
        if (its_mode[i]) SetConsoleMode(handle_of(i), its_mode[i]);
}

/* Whole lines go to it, so that no character comes in two pieces. */
static void take_console(int number, FILE *stream)
{
    DWORD mode;
    if (!GetConsoleMode(handle_of(number), &mode)) return;
    if (!its_code) its_code = GetConsoleOutputCP();
    SetConsoleOutputCP(CP_UTF8);
    if (SetConsoleMode(
            handle_of(number), mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING))
        its_mode[number] = mode;
    setvbuf(stream, NULL, _IOFBF, 1 << 16);
}

/* Whoever closes the window or logs off lets nobody live longer than this function, and some seconds. */
static BOOL WINAPI on_control(DWORD what)
{
    call_interrupted();
    if (what != CTRL_C_EVENT && what != CTRL_BREAK_EVENT) Sleep(INFINITE);
    return TRUE;
}

void sys_prepare(void (*interrupted)(void))
{
    call_interrupted = interrupted;
    for (int i = 0; i < 3; i++) _setmode(i, _O_BINARY);
    take_console(1, stdout);
    take_console(2, stderr);
    atexit(give_back_console);
    SetConsoleCtrlHandler(on_control, TRUE);
}

const char *sys_error_text(int code)
{
    if (code == EBUSY) return "another program has the file open";
    if (code == ETXTBSY) return "a program has the file mapped";
    if (code == ELOOP) return "Too many levels of symbolic links";
    return strerror(code == EINVAL && _doserrno == ERROR_NO_DATA ? EPIPE : code);
}

/* Without the ends of libraries: another thread may be anywhere. */
void sys_end(int status)
{
    give_back_console();
    TerminateProcess(GetCurrentProcess(), (UINT)status);
    abort();
}

double sys_seconds(void)
{
    LARGE_INTEGER ticks, a_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&a_second);
    return (double)ticks.QuadPart / (double)a_second.QuadPart;
}

double sys_peak_mb(void)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof counters};
    GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters);
    return (double)counters.PeakWorkingSetSize / 1048576.0;
}

/* -- what lies at a path -------------------------------------------------------------------------------------- */

static HANDLE open_path(const char *path, DWORD access, DWORD flags)
{
    wchar_t *name = wide(path);
    if (!name) return INVALID_HANDLE_VALUE;
    HANDLE handle = CreateFileW(name, access, SHARED, NULL, OPEN_EXISTING, flags, NULL);
    if (handle == INVALID_HANDLE_VALUE) tell_errno();
    free(name);
    return handle;
}

static sys_kind kind_of(HANDLE handle, BY_HANDLE_FILE_INFORMATION *info)
{
    if (handle == INVALID_HANDLE_VALUE) return SYS_NOTHING;
    const DWORD type = GetFileType(handle);
    if (type == FILE_TYPE_PIPE) return SYS_PIPE;
    if (type != FILE_TYPE_DISK || !GetFileInformationByHandle(handle, info)) return SYS_DEVICE;
    return info->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? SYS_FOLDER : SYS_FILE;
}

static sys_kind look(const char *path, BY_HANDLE_FILE_INFORMATION *info)
{
    HANDLE handle = open_path(path, 0, FILE_FLAG_BACKUP_SEMANTICS);
    const sys_kind kind = kind_of(handle, info);
    if (kind != SYS_NOTHING) CloseHandle(handle);
    return kind;
}

sys_kind sys_kind_of(const char *path)
{
    BY_HANDLE_FILE_INFORMATION info;
    return look(path, &info);
}

bool sys_same(const char *a, const char *b)
{
    BY_HANDLE_FILE_INFORMATION x, y;
    return look(a, &x) == SYS_FILE && look(b, &y) == SYS_FILE &&
           x.dwVolumeSerialNumber == y.dwVolumeSerialNumber && x.nFileIndexHigh == y.nFileIndexHigh &&
           x.nFileIndexLow == y.nFileIndexLow;
}

void sys_slashes(char *path)
{
    for (; *path; path++)
        if (*path == '\\') *path = '/';
}

char *sys_real(const char *path)
{
    HANDLE handle = open_path(path, 0, FILE_FLAG_BACKUP_SEMANTICS);
    if (handle == INVALID_HANDLE_VALUE) return NULL;
    wchar_t name[LONGEST / 8];
    const DWORD n = GetFinalPathNameByHandleW(handle, name, LONGEST / 8, FILE_NAME_NORMALIZED);
    CloseHandle(handle);
    const bool share = !wcsncmp(name, L"\\\\?\\UNC\\", 8), prefixed = !wcsncmp(name, L"\\\\?\\", 4);
    if (share) name[6] = L'\\';
    char *out = n && n < LONGEST / 8 ? narrow(name + (share ? 6 : prefixed ? 4 : 0)) : NULL;
    if (out) sys_slashes(out);
    return out;
}

/* -- files ---------------------------------------------------------------------------------------------------- */

int sys_open(const char *path, sys_kind *kind)
{
    BY_HANDLE_FILE_INFORMATION info;
    HANDLE handle = open_path(path, GENERIC_READ, FILE_FLAG_BACKUP_SEMANTICS);
    *kind = kind_of(handle, &info);
    if (handle == INVALID_HANDLE_VALUE) return -1;
    const int file = _open_osfhandle((intptr_t)handle, _O_RDONLY | _O_BINARY);
    if (file < 0) CloseHandle(handle);
    return file;
}

void sys_close(int file)
{
    _close(file);
}

/* What is typed.  Four bytes are the most that a unit of UTF-16 becomes; Ctrl-Z at the beginning of a line is its end. */
static ptrdiff_t read_console(HANDLE console, char *out, size_t n)
{
    wchar_t typed[1024];
    DWORD got = 0;
    const DWORD most = (DWORD)(n / 4 < 1024 ? n / 4 : 1024);
    if (!ReadConsoleW(console, typed, most, &got, NULL)) return tell_errno(), -1;
    if (!got || typed[0] == 26) return 0;
    return WideCharToMultiByte(CP_UTF8, 0, typed, (int)got, out, (int)n, NULL, NULL);
}

ptrdiff_t sys_read(int file, void *out, size_t n)
{
    DWORD mode;
    if (n >= 4 && GetConsoleMode(handle_of(file), &mode)) return read_console(handle_of(file), out, n);
    return _read(file, out, (unsigned)(n < INT_MAX ? n : INT_MAX));
}

void sys_remove(const char *path)
{
    wchar_t *name = wide(path);
    if (name && !DeleteFileW(name)) tell_errno();
    free(name);
}

/* `pattern` up to its last separator, and a name behind it; to be freed. */
static char *beside(const char *pattern, const wchar_t *name)
{
    size_t n = strlen(pattern);
    while (n && !strchr("/\\:", pattern[n - 1])) n--;
    char *last = narrow(name), *path = last ? malloc(n + strlen(last) + 1) : NULL;
    if (path) memcpy(path, pattern, n);
    if (path) strcpy(path + n, last);
    free(last);
    return path;
}

/* No file has such a sign in its name. */
size_t sys_each_match(const char *pattern, void (*fn)(void *context, const char *path), void *context)
{
    WIN32_FIND_DATAW found;
    wchar_t *name = strpbrk(pattern, "*?") ? wide(pattern) : NULL;
    HANDLE search = name ? FindFirstFileW(name, &found) : INVALID_HANDLE_VALUE;
    size_t n = 0;
    free(name);
    if (search == INVALID_HANDLE_VALUE) return 0;
    do {
        char *path =
            found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? NULL : beside(pattern, found.cFileName);
        if (path) fn(context, path), n++;
        free(path);
    } while (FindNextFileW(search, &found));
    FindClose(search);
    return n;
}

/* -- what is printed ------------------------------------------------------------------------------------------ */

/* A file that is gone when it is closed. */
static FILE *open_scratch(void)
{
    wchar_t folder[MAX_PATH + 1], name[MAX_PATH + 1];
    if (!GetTempPathW(MAX_PATH + 1, folder) || !GetTempFileNameW(folder, L"mop", 0, name))
        return tell_errno(), NULL;
    HANDLE handle = CreateFileW(name, GENERIC_READ | GENERIC_WRITE | DELETE, 0, NULL, CREATE_ALWAYS,
        FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (handle == INVALID_HANDLE_VALUE) return tell_errno(), NULL;
    const int file = _open_osfhandle((intptr_t)handle, _O_RDWR | _O_BINARY);
    if (file < 0) CloseHandle(handle);
    return file < 0 ? NULL : _fdopen(file, "w+b");
}

char *sys_printed(void (*body)(FILE *f, const void *context), const void *context, size_t *n)
{
    FILE *f = open_scratch();
    if (!f) return NULL;
    body(f, context);
    const bool good = !fflush(f) && !ferror(f);
    *n = (size_t)_ftelli64(f);
    char *text = good ? malloc(*n + 1) : NULL;
    rewind(f);
    if (text && fread(text, 1, *n, f) != *n) {
        free(text);
        text = NULL;
    }
    fclose(f);
    return text;
}
