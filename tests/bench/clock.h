/* SPDX-License-Identifier: MIT
 * clock.h - what the benches share: a clock in milliseconds and the order of medians. */
#ifndef MOPD_BENCH_CLOCK_H
#define MOPD_BENCH_CLOCK_H

#include <time.h>

static clockid_t clock_used = CLOCK_PROCESS_CPUTIME_ID;

static double now(void)
{
    struct timespec t;
    clock_gettime(clock_used, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
