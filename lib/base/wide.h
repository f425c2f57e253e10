/* SPDX-License-Identifier: MIT
 * wide.h - numbers of 64 bits, which files have on every machine, and the sizes of this one. */
#ifndef MO_BASE_WIDE_H
#define MO_BASE_WIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number of a file as a size; false where this machine has none so large. */
static inline bool mo_wide_size(size_t *out, uint64_t n)
{
    *out = (size_t)n;
    return n <= SIZE_MAX;
}

/* The largest size there is for what no size can be as large as. */
static inline size_t mo_wide_size_most(uint64_t n)
{
    return n < SIZE_MAX ? (size_t)n : SIZE_MAX;
}

static inline uint64_t mo_wide_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t mo_wide_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline uint64_t mo_wide_ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

#endif
