/* SPDX-License-Identifier: MIT
 * bf16.h - for tests of bfloat16 products: on AMX, which is not on every machine, and in plain C. */
#ifndef MOPD_TESTS_SUPPORT_BF16_H
#define MOPD_TESTS_SUPPORT_BF16_H

#include "math/bf16.h"
#include "math/kern.h"
#include "test.h"

/* Before and after each test. */
static inline int test_bf16_default(void **state)
{
    (void)state;
    return mo_kern_cpu_set(NULL) == MOPD_OK && mo_bf16_set(NULL) == MOPD_OK ? 0 : -1;
}

/* As IEEE rounds: to the nearest, halves to even. */
static inline float test_rounded(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t low = bits & 0xffff, high = bits >> 16;
    bits = (high + (low > 0x8000 || (low == 0x8000 && (high & 1)))) << 16;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
