/* SPDX-License-Identifier: MIT
 * ints.h - arithmetic of sizes: the smaller and the larger one, products and sums, rounding up, equal cuts. */
#ifndef MO_BASE_INTS_H
#define MO_BASE_INTS_H

#include <stddef.h>
#include <stdint.h>

static inline size_t mo_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t mo_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* SIZE_MAX where no size is so large: no memory has that, so who asks for it is refused. */
static inline size_t mo_times(size_t a, size_t b)
{
    size_t product;
    return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

static inline size_t mo_plus(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static inline size_t mo_ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

/* The next multiple of `step`, or n itself. */
static inline size_t mo_round_up(size_t n, size_t step)
{
    return mo_ceil_div(n, step) * step;
}

/* Start of part i of n things cut into parts as equal as can be. */
static inline size_t mo_cut(size_t n, size_t parts, size_t i)
{
    return n / parts * i + mo_min(i, n % parts);
}

#endif
