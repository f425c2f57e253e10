/* SPDX-License-Identifier: MIT
 * amx.c - asks the CPU and the system for AMX's tiles. */
#include "math/amx.h"

#if defined(MOPD_AMX)
#include <cpuid.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The instructions, and a system that keeps the registers. */
static bool cpu_has(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 24 & 1)) return false;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return false;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a >> 17 & 3) == 3;
}

/* Linux gives tiles to a process that asks, once for all of its threads. */
static bool system_gives(void)
{
    enum { REQUEST = 0x1023, TILES = 18 };
    return syscall(SYS_arch_prctl, REQUEST, TILES) == 0;
}

bool mo_amx_given(void)
{
    static atomic_int known; /* 1: no, 2: yes; whoever asks meanwhile finds the same */
    if (!atomic_load(&known)) atomic_store(&known, cpu_has() && system_gives() ? 2 : 1);
    return atomic_load(&known) == 2;
}
#else
bool mo_amx_given(void)
{
    return false;
}
#endif
