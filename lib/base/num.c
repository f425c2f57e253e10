/* SPDX-License-Identifier: MIT
 * num.c - half-precision formats (IEEE 754 binary16, bfloat16) and views of stored tensors. */
#include "base/num.h"

#include <math.h>
#include <string.h>

size_t mo_dtype_size(mo_dtype dtype)
{
    static const size_t size[] = {4, 2, 2, 8, 8, 4, 2, 1, 1, 1};
    return size[dtype];
}

const char *mo_dtype_name(mo_dtype dtype)
{
    static const char *const name[] = {"F32", "F16", "BF16", "F64", "I64", "I32", "I16", "I8", "U8", "BOOL"};
    return name[dtype];
}

static float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t to_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

float mo_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = (h >> 10) & 31, m = h & 1023;
    if (e == 31) return from_bits(sign | 0x7f800000u | m << 13);
    if (e) return from_bits(sign | (e + 112) << 23 | m << 13);
    float small = (float)m * 0x1p-24f;
    return sign ? -small : small;
}

uint16_t mo_f32_to_f16(float f)
{
    uint32_t bits = to_bits(f), sign = bits >> 16 & 0x8000, a = bits & 0x7fffffff;
    if (a > 0x7f800000u) return (uint16_t)(sign | 0x7e00 | (a >> 13 & 0x3ff));
    if (a >= 0x477ff000u) return (uint16_t)(sign | 0x7c00); /* rounds to 65536 or more */
    if (a < 0x38800000u) {                                  /* subnormal: units of 2^-24, nearest even */
        return (uint16_t)(sign | (uint32_t)nearbyintf(from_bits(a) * 0x1p24f));
    }
    uint32_t odd = a >> 13 & 1;
    return (uint16_t)(sign | (a - 0x38000000u + 0xfff + odd) >> 13);
}

float mo_bf16_to_f32(uint16_t b) { return from_bits((uint32_t)b << 16); }

uint16_t mo_f32_to_bf16(float f)
{
    uint32_t bits = to_bits(f);
    if ((bits & 0x7fffffff) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void read_halves(const unsigned char *p, size_t n, float *out, float (*convert)(uint16_t))
{
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, p + 2 * i, sizeof h);
        out[i] = convert(h);
    }
}

bool mo_view_floats(const mo_view *view, size_t first, size_t n, float *out)
{
    const unsigned char *p = (const unsigned char *)view->data + first * mo_dtype_size(view->dtype);
    switch (view->dtype) {
    case MO_F32: memcpy(out, p, n * sizeof *out); return true;
    case MO_F16: read_halves(p, n, out, mo_f16_to_f32); return true;
    case MO_BF16: read_halves(p, n, out, mo_bf16_to_f32); return true;
    case MO_F64:
        for (size_t i = 0; i < n; i++) {
            double d;
            memcpy(&d, p + sizeof d * i, sizeof d);
            out[i] = (float)d;
        }
        return true;
    default: return false;
    }
}

void mo_floats_store(const float *x, size_t n, mo_dtype dtype, void *out)
{
    if (dtype == MO_F32) {
        memcpy(out, x, n * sizeof *x);
        return;
    }
    uint16_t (*convert)(float) = dtype == MO_F16 ? mo_f32_to_f16 : mo_f32_to_bf16;
    for (size_t i = 0; i < n; i++) {
        uint16_t h = convert(x[i]);
        memcpy((unsigned char *)out + 2 * i, &h, sizeof h);
    }
}

bool mo_all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}
