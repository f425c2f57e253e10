/* SPDX-License-Identifier: MIT
 * amx.c - asks the CPU and the system for AMX's tiles. */
#include "math/amx.h"

#if defined(MOPD_AMX)
#include <cpuid.h>
#include <stdatomic.h>

#include "base/os.h"

/* Which products there are, on a CPU and a system that keep the registers. */
static int cpu_has(void)
{
    unsigned a, b, c, d, more;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 24 & 1)) return 0;
    const bool bf16 = d >> 22 & 1, int8 = d >> 25 & 1 && c >> 11 & 1; /* and VNNI */
    const bool rounds = __get_cpuid_count(7, 1, &more, &b, &c, &d) && more >> 5 & 1;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    if ((a >> 17 & 3) != 3) return 0;
    return (bf16 && rounds ? MO_AMX_BF16 : 0) | (int8 ? MO_AMX_INT8 : 0);
}

bool mo_amx_has(mo_amx_products products)
{
    enum { ASKED = 4 };
    static atomic_int known; /* whoever asks meanwhile finds the same */
    if (!atomic_load(&known)) {
        const int there = cpu_has();
        atomic_store(&known, ASKED | (there && mo_os_ask_tiles() ? there : 0));
    }
    return atomic_load(&known) & (int)products;
}
#else
bool mo_amx_has(mo_amx_products products)
{
    (void)products;
    return false;
}
#endif
