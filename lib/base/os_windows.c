/* SPDX-License-Identifier: MIT
 * os_windows.c - pages, clocks, chance, texts and what else is asked of Windows. */
#define _CRT_RAND_S
#include <stdlib.h>

#include <errno.h>
#include <io.h>
#include <string.h>

#include "base/os_wide.h"

/* -- memory -------------------------------------------------------------------------------------------------- */

size_t mo_os_page(void)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
}

void *mo_os_map(int file, size_t n)
{
    HANDLE mapping = CreateFileMappingW((HANDLE)_get_osfhandle(file), NULL, PAGE_READONLY, 0, 0, NULL);
    void *start = mapping ? MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, n) : NULL;
    if (!start) mo_os_failed();
    if (mapping) CloseHandle(mapping);
    return start;
}

void mo_os_unmap(void *start, size_t n)
{
    (void)n;
    UnmapViewOfFile(start);
}

/* Pages that are not locked leave the working set. */
void mo_os_forget(void *start, size_t n)
{
    VirtualUnlock(start, n);
}

bool mo_os_has_room(size_t n)
{
    void *start = VirtualAlloc(NULL, n, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (start) VirtualFree(start, 0, MEM_RELEASE);
    return start != NULL;
}

/* -- clocks and chance --------------------------------------------------------------------------------------- */

double mo_os_clock(void)
{
    LARGE_INTEGER ticks, a_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&a_second);
    return (double)ticks.QuadPart / (double)a_second.QuadPart;
}

void mo_os_now(int64_t now[2])
{
    FILETIME t; /* steps of 100 ns since 1601 */
    GetSystemTimePreciseAsFileTime(&t);
    const int64_t steps = (int64_t)((uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime);
    now[0] = steps / 10000000 - INT64_C(11644473600);
    now[1] = steps % 10000000 * 100;
}

uint64_t mo_os_process(void)
{
    return GetCurrentProcessId();
}

bool mo_os_random(uint64_t *out)
{
    unsigned low, high;
    if (rand_s(&low) || rand_s(&high)) return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}

/* -- where this runs ----------------------------------------------------------------------------------------- */

size_t mo_os_machine(char *out, size_t room)
{
    DWORD n = (DWORD)room;
    return GetComputerNameA(out, &n) ? n : 0;
}

bool mo_os_loaded_from(char out[MO_OS_PATH], const void *address)
{
    wchar_t name[MO_OS_PATH];
    HMODULE module;
    const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExW(flags, (const wchar_t *)address, &module)) return false;
    const DWORD n = GetModuleFileNameW(module, name, MO_OS_PATH);
    return n > 0 && n < MO_OS_PATH && mo_os_narrow(out, name);
}

bool mo_os_setting(char out[MO_OS_PATH], const char *name)
{
    wchar_t wide[64], value[MO_OS_PATH];
    if (!MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, 64)) return false;
    const DWORD n = GetEnvironmentVariableW(wide, value, MO_OS_PATH);
    if (n >= MO_OS_PATH) snprintf(out, MO_OS_PATH, "%s", name); /* which leads to nothing, and is told then */
    return n >= MO_OS_PATH || (n > 0 && mo_os_narrow(out, value));
}

/* Windows has another call for it, which was not tried. */
bool mo_os_ask_tiles(void)
{
    return false;
}

/* -- texts --------------------------------------------------------------------------------------------------- */

/* What its C library has no words for, or others. */
void mo_os_error_text(int code, char *out, size_t room)
{
    const char *own = code == EBUSY     ? "another program has the file open"
                      : code == ETXTBSY ? "a program has the file mapped"
                      : code == ELOOP   ? "Too many levels of symbolic links"
                                        : NULL;
    if (own)
        snprintf(out, room, "%s", own);
    else if (strerror_s(out, room, code))
        snprintf(out, room, "error %d", code);
}

/* A thread would get a locale of its own by setlocale alone, which is the host's to call.  Nothing is lost: jansson asks for the
 * host's decimal point and puts it into what it hands to strtod. */
bool mo_os_locale_plain(mo_os_locale *locale)
{
    *locale = (mo_os_locale){0};
    return true;
}

void mo_os_locale_back(mo_os_locale *locale)
{
    (void)locale;
}
