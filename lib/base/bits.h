/* SPDX-License-Identifier: MIT
 * bits.h - the bits of a float, and the float of bits. */
#ifndef MO_BASE_BITS_H
#define MO_BASE_BITS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t mo_bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float mo_bits_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
