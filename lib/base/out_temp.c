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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, id, sizeof id);
    if (fd >= 0) close(fd);
    if (n <= 0) n = gethostname(id, sizeof id) ? 0 : (ssize_t)strnlen(id, sizeof id);
    return (uint32_t)mo_hash_bytes(id, (size_t)n);
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

/* Also those that may be read or written only, whatever is given is enough to lock them. */
static int open_left(int folder, const char *name)
{
    const int flags = O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
    const int fd = openat(folder, name, O_WRONLY | flags);
    return fd < 0 && errno == EACCES ? openat(folder, name, O_RDONLY | flags) : fd;
}

static void remove_left(int folder, const char *name, uint32_t mark)
{
    char own[MARK_DIGITS + 1];
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) || !S_ISREG(info.st_mode) ||
        info.st_uid != geteuid())
        return;
    snprintf(own, sizeof own, "%08x", mark);
    const bool here = !memcmp(name + strlen(BEGINNING), own, MARK_DIGITS);
    if (!here && time(NULL) - info.st_mtime < DAY) return;
    const int fd = open_left(folder, name);
    if (fd < 0) return;
    if (!flock(fd, LOCK_EX | LOCK_NB)) unlinkat(folder, name, 0);
    close(fd);
}

static void clean(int folder, uint32_t mark)
{
    const int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !dir) close(fd);
    const struct dirent *entry;
    for (int n = 0; dir && n < MOST_NAMES && (entry = readdir(dir)); n++)
        if (is_ours(entry->d_name)) remove_left(folder, entry->d_name, mark);
    if (dir) closedir(dir);
}

/* -- a new one ----------------------------------------------------------------------------------------------- */

/* False where another program has taken the file for left behind, before it was locked.  Files that cannot be locked
 * are not taken for that. */
static bool hold(int fd)
{
    struct stat info;
    if (flock(fd, LOCK_EX | LOCK_NB)) return errno != EWOULDBLOCK;
    return fstat(fd, &info) || info.st_nlink > 0;
}

int mo_out_temp_open(int folder, char name[MO_OUT_TEMP], mode_t mode)
{
    const uint32_t mark = kernel_mark();
    clean(folder, mark);
    for (int i = 0; i < MOST_TRIES; i++) {
        snprintf(
            name, MO_OUT_TEMP, BEGINNING "%08x-%016llx" ENDING, mark, (unsigned long long)mo_hash_random());
        const int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0 && errno != EEXIST) return -1;
        if (fd >= 0 && hold(fd)) return fd;
        if (fd >= 0) close(fd);
    }
    errno = EEXIST;
    return -1;
}
