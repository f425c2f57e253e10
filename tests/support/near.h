/* SPDX-License-Identifier: MIT
 * near.h - for tests of arithmetic: numbers that must agree within a bound. */
#ifndef MOPD_TESTS_SUPPORT_NEAR_H
#define MOPD_TESTS_SUPPORT_NEAR_H

#include "test.h"

/* |got - want| <= most; a NaN is near to nothing. */
#define assert_near(got, want, most)                                                                         \
    do {                                                                                                     \
        const double got_ = (got), want_ = (want), most_ = (most);                                           \
        if (!(fabs(got_ - want_) <= most_))                                                                  \
            fail_msg("%s: %.9g, not %.9g (within %.2g)", #got, got_, want_, most_);                          \
    } while (0)

/* The same with the place where it failed: a printf format and its numbers. */
#define assert_near_at(got, want, most, ...)                                                                 \
    do {                                                                                                     \
        const double got_ = (got), want_ = (want), most_ = (most);                                           \
        if (!(fabs(got_ - want_) <= most_)) {                                                                \
            char where_[200];                                                                                \
            snprintf(where_, sizeof where_, __VA_ARGS__);                                                    \
            fail_msg("%s: %.9g, not %.9g (within %.2g)", where_, got_, want_, most_);                        \
        }                                                                                                    \
    } while (0)

/* Sum of products, and the length of a row, in double. */
static inline double test_dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static inline double test_length(const float *a, size_t n)
{
    return sqrt(test_dot(a, a, n));
}

#endif
