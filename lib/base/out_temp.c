/* SPDX-License-Identifier: MIT
 * out_temp.c - unfinished files.
 *
 *     .mopd-KKKKKKKK-RRRRRRRRRRRRRRRR.part      K: mark of the running kernel, R: random
 *
 * Who writes one holds a lock on it (flock), which the kernel takes back when the program ends, however it ends.  So a
 * file that can be locked is nobody's any more, and process numbers, which come again, say nothing.  Locks of another
 * machine's programs may not be seen here, nor do those from before the last start tell: files with another mark go
 * when they are a day old as well. */
#include "base/out_temp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

#define BEGINNING ".mopd-"
#define ENDING ".part"
#define DAY 86400
#define MARK_DIGITS 8
#define RANDOM_DIGITS 16

/* A folder with more names is not searched to its end: that would take longer than writing. */
enum { MOST_NAMES = 16384, MOST_TRIES = 64 };

/* Of the kernel that locks, as it runs since its start. */
static uint32_t kernel_mark(void)
{
    char id[64];
    return (uint32_t)mo_hash_bytes(id, mo_os_machine(id, sizeof id));
}

/* -- what is left behind ------------------------------------------------------------------------------------- */

static bool are_digits(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!memchr("0123456789abcdef", text[i], 16)) return false;
    return true;
}

static bool is_ours(const char *name)
{
    const size_t mark = strlen(BEGINNING), random = mark + MARK_DIGITS + 1, end = random + RANDOM_DIGITS;
    return strlen(name) == end + strlen(ENDING) && !memcmp(name, BEGINNING, mark) &&
           are_digits(name + mark, MARK_DIGITS) && name[random - 1] == '-' &&
           are_digits(name + random, RANDOM_DIGITS) && !strcmp(name + end, ENDING);
}

static bool is_a_day_old(const mo_os_info *info)
{
    int64_t now[2];
    mo_os_now(now);
    return now[0] - info->written[0] >= DAY;
}

static void remove_left(mo_os_dir folder, const char *name, uint32_t mark)
{
    char own[MARK_DIGITS + 1];
    mo_os_info info;
    if (!mo_os_dir_info(folder, &info, name) || info.kind != MO_OS_REGULAR || !mo_os_info_is_own(&info))
        return;
    snprintf(own, sizeof own, "%08x", mark);
    const bool here = !memcmp(name + strlen(BEGINNING), own, MARK_DIGITS);
    if (!here && !is_a_day_old(&info)) return;
    const int fd = mo_os_dir_open_left(folder, name);
    if (fd < 0) return;
    if (mo_os_hold(fd) == MO_OS_HELD) mo_os_dir_remove(folder, name);
    mo_os_close(fd);
}

static void clean(mo_os_dir folder, uint32_t mark)
{
    mo_os_names *names = mo_os_names_open_dir(folder);
    const char *name;
    if (!names) return;
    for (int n = 0; n < MOST_NAMES && (name = mo_os_names_next(names)); n++)
        if (is_ours(name)) remove_left(folder, name, mark);
    mo_os_names_close(names);
}

/* -- a new one ----------------------------------------------------------------------------------------------- */

/* False where another program has taken the file for left behind, before it was locked.  Files that cannot be locked
 * are not taken for that. */
static bool hold(int fd)
{
    mo_os_info info;
    const mo_os_lock lock = mo_os_hold(fd);
    if (lock != MO_OS_HELD) return lock == MO_OS_NO_LOCKS;
    return !mo_os_info_file(&info, fd) || info.n_links > 0;
}

int mo_out_temp_open(mo_os_dir folder, char name[MO_OUT_TEMP], uint32_t mode)
{
    const uint32_t mark = kernel_mark();
    clean(folder, mark);
    for (int i = 0; i < MOST_TRIES; i++) {
        snprintf(
            name, MO_OUT_TEMP, BEGINNING "%08x-%016llx" ENDING, mark, (unsigned long long)mo_hash_random());
        const int fd = mo_os_dir_create(folder, name, mode);
        if (fd < 0 && errno != EEXIST) return -1;
        if (fd >= 0 && hold(fd)) return fd;
        if (fd >= 0) mo_os_close(fd);
    }
    errno = EEXIST;
    return -1;
}
