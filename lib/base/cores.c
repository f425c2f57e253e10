/* SPDX-License-Identifier: MIT
 * cores.c - capacities of processors: /sys/devices/system/cpu/cpu0/cpu_capacity holds "1024" for the best of a machine, less for others. */
#include "base/cores.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"

enum { MOST = 1024, PATH = 4096 };

/* 0: it is not told. */
static unsigned long capacity(const char *root, size_t processor)
{
    char path[PATH], text[16];
    snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%zu/cpu_capacity", root, processor);
    const int fd = mo_os_open(path);
    if (fd < 0) return 0;
    const int64_t n = mo_os_read(fd, text, sizeof text - 1);
    mo_os_close(fd);
    text[n > 0 ? n : 0] = 0;
    return strtoul(text, NULL, 10);
}

size_t mo_cores_fast(const char *root, size_t n, bool (*mine)(size_t processor))
{
    unsigned long of[MOST], best = 0;
    size_t seen = 0, fast = 0;
    for (size_t i = 0; i < MOST && seen < n; i++) {
        if (!mine(i)) continue;
        if (!(of[seen] = capacity(root, i))) return 0;
        best = of[seen] > best ? of[seen] : best;
        seen++;
    }
    for (size_t i = 0; i < seen; i++) fast += of[i] >= best - best / 2;
    return fast;
}
