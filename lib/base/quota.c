/* SPDX-License-Identifier: MIT
 * quota.c - CPU quotas of Linux control groups: what `docker run --cpus 1.5` or a pod's limit sets.
 *
 *     /proc/self/cgroup    "0::/a/b" (version 2), "4:cpu,cpuacct:/a/b" (version 1): where this process is
 *     version 2            /sys/fs/cgroup/a/b/cpu.max: "150000 100000" or "max 100000"
 *     version 1            /sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us and cpu.cfs_period_us; -1: none
 *
 * Each group above limits too.  In a container the path may be the host's, which is not there: then the root of
 * the mount is the container's own group. */
#include "base/quota.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/os.h"

enum { PATH = 4096, TEXT = 8192 };

/* The beginning of a file, ended by a zero byte. */
static bool read_text(const char *path, char *text, size_t room)
{
    const int fd = mo_os_open(path);
    if (fd < 0) return false;
    size_t got = 0;
    for (int64_t n; got < room - 1 && (n = mo_os_read(fd, text + got, room - 1 - got)) > 0;) got += (size_t)n;
    mo_os_close(fd);
    text[got] = 0;
    return got > 0;
}

/* "DIR/NAME" begins with a whole number above zero. */
static bool read_number(const char *dir, const char *name, long long *number, char **rest)
{
    static _Thread_local char text[64];
    char path[PATH + 32];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!read_text(path, text, sizeof text)) return false;
    *number = strtoll(text, rest, 10);
    return *rest != text && *number > 0;
}

/* The quota of one group as processors, 0: none. */
static size_t group_quota(const char *dir, bool version_2)
{
    long long quota, period;
    char *rest;
    if (!read_number(dir, version_2 ? "cpu.max" : "cpu.cfs_quota_us", &quota, &rest)) return 0;
    if (version_2)
        period = strtoll(rest, NULL, 10);
    else if (!read_number(dir, "cpu.cfs_period_us", &period, &rest))
        return 0;
    return period > 0 ? (size_t)(quota / period + (quota % period > 0)) : 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a && b ? mo_min(a, b) : a + b;
}

/* The smallest quota of the group `path` below a mount and of those above it. */
static size_t climb(const char *mount, const char *path, bool version_2)
{
    char dir[PATH];
    size_t least = 0, top = strlen(mount);
    if ((size_t)snprintf(dir, sizeof dir, "%s%s", mount, path) >= sizeof dir) return 0;
    for (;;) {
        least = smaller(least, group_quota(dir, version_2));
        char *cut = strrchr(dir, '/');
        if (strlen(dir) <= top || !cut) return least;
        dir[(size_t)(cut - dir) < top ? top : (size_t)(cut - dir)] = 0;
    }
}

static bool has_word(const char *list, const char *end, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = list; at < end; at += strcspn(at, ",:") + 1)
        if (!strncmp(at, word, n) && (at[n] == ',' || at[n] == ':')) return true;
    return false;
}

/* One line of /proc/self/cgroup: "number:controllers:path". */
static size_t line_quota(const char *root, const char *line)
{
    static const char *const mounts[] = {"cpu", "cpu,cpuacct", "cpuacct,cpu"};
    char mount[PATH / 2];
    const char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
    size_t least = 0;
    if (!path) return 0;
    if (path == list + 1) {
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
        return climb(mount, path + 1, true);
    }
    if (!has_word(list + 1, path, "cpu")) return 0;
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts && !least; i++) {
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/%s", root, mounts[i]);
        least = climb(mount, path + 1, false);
    }
    return least;
}

size_t mo_quota_processors(const char *root)
{
    char path[PATH], text[TEXT];
    size_t least = 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (!read_text(path, text, sizeof text)) return 0;
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next) *next++ = 0;
        least = smaller(least, line_quota(root, line));
    }
    return least;
}
