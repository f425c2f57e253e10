/* SPDX-License-Identifier: MIT
 * x86.c - asks the processor by cpuid, and by xgetbv which registers the system keeps. */
#include "base/x86.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>

/* The registers that the system keeps: bits 1 and 2 are AVX's, 5 to 7 those of 512 bits.  Apple keeps the latter from a thread's first
 * use of them on, and does not tell before. */
#ifdef __APPLE__
#define TOLD_LATER 0xe0u
#else
#define TOLD_LATER 0u
#endif

static bool has(unsigned word, unsigned bits)
{
    return (word & bits) == bits;
}

static unsigned kept_registers(void)
{
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low | TOLD_LATER;
}

/* The bits are those of leaf 1 (c: FMA, OSXSAVE, AVX) and leaf 7 (b: AVX2; F, DQ, BW, VL; c: VNNI). */
static int ask(void)
{
    enum { LEAF_1 = 1u << 12 | 1u << 27 | 1u << 28, AVX2 = 1u << 5, VNNI = 1u << 11 };
    const unsigned wide = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, LEAF_1)) return 0;
    const unsigned kept = kept_registers();
    if (!has(kept, 6) || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has(b, AVX2)) return 0;
    if (!has(kept, 0xe6) || !has(b, wide)) return MO_X86_AVX2;
    return MO_X86_AVX2 | MO_X86_AVX512 | (has(c, VNNI) ? MO_X86_VNNI : 0);
}

bool mo_x86_has(mo_x86_set set)
{
    enum { ASKED = 8 };
    static atomic_int known; /* whoever asks meanwhile finds the same */
    int there = atomic_load_explicit(&known, memory_order_relaxed);
    if (!there) {
        there = ASKED | ask();
        atomic_store_explicit(&known, there, memory_order_relaxed);
    }
    return (there & (int)set) != 0;
}
#else
bool mo_x86_has(mo_x86_set set)
{
    (void)set;
    return false;
}
#endif
