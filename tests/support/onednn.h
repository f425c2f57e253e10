/* SPDX-License-Identifier: MIT
 * onednn.h - for tests of bfloat16 products by oneDNN, which is not on every machine. */
#ifndef MOPD_TESTS_SUPPORT_ONEDNN_H
#define MOPD_TESTS_SUPPORT_ONEDNN_H

#include "math/bf16.h"
#include "math/onednn.h"
#include "test.h"

/* Where there is none there is nothing to test, except that nothing breaks. */
#define TEST_NEED_ONEDNN()                                                                                   \
    do {                                                                                                     \
        if (mo_bf16_set("onednn") != MOPD_OK) {                                                              \
            print_message("%s\n", mopd_last_error());                                                        \
            skip();                                                                                          \
        }                                                                                                    \
    } while (0)

/* Before and after each test. */
static inline int test_onednn_default(void **state)
{
    (void)state;
    mo_onednn_set_library(NULL);
    return mo_bf16_set(NULL) == MOPD_OK ? 0 : -1;
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
