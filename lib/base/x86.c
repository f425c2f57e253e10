/* SPDX-License-Identifier: MIT
 * x86.c - asks the processor by cpuid, and by xgetbv which registers the system keeps. */
#include "base/x86.h"

static bool has(unsigned word, unsigned bits)
{
    return (word & bits) == bits;
}

/* Leaf 1: FMA and AVX.  Leaf 7: AVX2; F, DQ, BW, VL; VNNI.  Bits 1 and 2 of what is kept are AVX's registers, 5 to 7 those of 512 bits. */
int mo_x86_sets(unsigned leaf_1c, unsigned kept, unsigned leaf_7b, unsigned leaf_7c)
{
    const unsigned avx = 1u << 12 | 1u << 28, avx2 = 1u << 5, vnni = 1u << 11,
                   wide = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    if (!has(leaf_1c, avx) || !has(kept, 0x6) || !has(leaf_7b, avx2)) return 0;
    if (!has(kept, 0xe6) || !has(leaf_7b, wide)) return MO_X86_AVX2;
    return MO_X86_AVX2 | MO_X86_AVX512 | (has(leaf_7c, vnni) ? MO_X86_VNNI : 0);
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>

/* Apple keeps the registers of 512 bits from a thread's first use of them on, and does not tell before. */
#ifdef __APPLE__
#define TOLD_LATER 0xe0u
#else
#define TOLD_LATER 0u
#endif

static unsigned kept_registers(void)
{
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low | TOLD_LATER;
}

/* Words of leaf 1 (c) and 7 (b, c), and what the system keeps. */
static int ask(void)
{
    enum { KEPT_IS_TOLD = 1u << 27 };
    unsigned a, b, c, d, first;
    if (!__get_cpuid(1, &a, &b, &first, &d) || !has(first, KEPT_IS_TOLD)) return 0;
    const unsigned kept = kept_registers();
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) ? mo_x86_sets(first, kept, b, c) : 0;
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
