/* SPDX-License-Identifier: MIT
 * os_posix.c - pages, clocks, chance and what else is asked of a system of POSIX's kind. */
#define _GNU_SOURCE /* mremap, syscall, dladdr */
#include "base/os.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#include <sys/random.h>
#endif

#ifdef __linux__
#include <sys/syscall.h>

#define NO_WAITING 1u /* GRND_NONBLOCK: a C library of 2014 knows neither that nor the function */
#endif

/* -- memory -------------------------------------------------------------------------------------------------- */

size_t mo_os_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void *mo_os_map(int file, size_t n)
{
    void *start = mmap(NULL, n, PROT_READ, MAP_PRIVATE, file, 0);
    return start == MAP_FAILED ? NULL : start;
}

void mo_os_unmap(void *start, size_t n)
{
    munmap(start, n);
}

void mo_os_forget(void *start, size_t n)
{
    madvise(start, n, MADV_DONTNEED);
}

static char *map_room(size_t n)
{
    char *start = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

bool mo_os_has_room(size_t n)
{
    char *start = map_room(n);
    if (start) munmap(start, n);
    return start != NULL;
}

#if MO_OS_BLOCKS_RESIZE
static size_t whole_pages(size_t n)
{
    return (n + mo_os_page() - 1) / mo_os_page() * mo_os_page();
}

void *mo_os_block_get(size_t n)
{
    n = whole_pages(n);
    char *all = map_room(n + MO_OS_HUGE_PAGE);
    if (!all) return NULL;
    const size_t before = (MO_OS_HUGE_PAGE - (uintptr_t)all % MO_OS_HUGE_PAGE) % MO_OS_HUGE_PAGE;
    if (before) munmap(all, before);
    if (before < MO_OS_HUGE_PAGE) munmap(all + before + n, MO_OS_HUGE_PAGE - before);
    madvise(all + before, n, MADV_HUGEPAGE); /* all of it: mremap takes no mapping of two kinds */
    return all + before;
}

void *mo_os_block_resize(void *block, size_t n_before, size_t n)
{
    void *moved = mremap(block, whole_pages(n_before), whole_pages(n), MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? NULL : moved;
}

void mo_os_block_free(void *block, size_t n)
{
    munmap(block, whole_pages(n));
}
#endif

/* -- clocks and chance --------------------------------------------------------------------------------------- */

double mo_os_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void mo_os_now(int64_t now[2])
{
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    now[0] = t.tv_sec;
    now[1] = t.tv_nsec;
}

uint64_t mo_os_process(void)
{
    return (uint64_t)getpid();
}

bool mo_os_random(uint64_t *out)
{
#ifdef __linux__
    *out = 0;
    return syscall(SYS_getrandom, out, sizeof *out, NO_WAITING) == (long)sizeof *out;
#else
    return !getentropy(out, sizeof *out);
#endif
}

/* -- where this runs ----------------------------------------------------------------------------------------- */

bool mo_os_loaded_from(char out[MO_OS_PATH], const void *address)
{
    Dl_info info;
    if (dladdr(address, &info) && info.dli_fname)
        return (size_t)snprintf(out, MO_OS_PATH, "%s", info.dli_fname) < MO_OS_PATH;
    const ssize_t n = readlink("/proc/self/exe", out, MO_OS_PATH - 1); /* a static program of musl's */
    if (n > 0) out[n] = 0;
    return n > 0;
}

bool mo_os_setting(char out[MO_OS_PATH], const char *name)
{
    const char *value = getenv(name);
    if (value) snprintf(out, MO_OS_PATH, "%s", value);
    return value && *value;
}
