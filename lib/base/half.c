/* SPDX-License-Identifier: MIT
 * half.c - half-precision conversions. */
#include "base/half.h"

#include <math.h>

#include "base/bits.h"

float mo_half_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = (h >> 10) & 31, m = h & 1023;
    if (e == 31) return mo_bits_float(sign | 0x7f800000u | m << 13);
    if (e) return mo_bits_float(sign | (e + 112) << 23 | m << 13);
    float small = (float)m * 0x1p-24f;
    return sign ? -small : small;
}

uint16_t mo_half_f32_to_f16(float f)
{
    uint32_t bits = mo_bits_of(f), sign = bits >> 16 & 0x8000, a = bits & 0x7fffffff;
    if (a > 0x7f800000u) return (uint16_t)(sign | 0x7e00 | (a >> 13 & 0x3ff));
    if (a >= 0x477ff000u) return (uint16_t)(sign | 0x7c00); /* rounds to 65536 or more */
    if (a < 0x38800000u) {                                  /* subnormal: units of 2^-24, nearest even */
        return (uint16_t)(sign | (uint32_t)nearbyintf(mo_bits_float(a) * 0x1p24f));
    }
    uint32_t odd = a >> 13 & 1;
    return (uint16_t)(sign | (a - 0x38000000u + 0xfff + odd) >> 13);
}

float mo_half_bf16_to_f32(uint16_t b)
{
    return mo_bits_float((uint32_t)b << 16);
}

uint16_t mo_half_f32_to_bf16(float f)
{
    uint32_t bits = mo_bits_of(f);
    if ((bits & 0x7fffffff) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
