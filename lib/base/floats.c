/* SPDX-License-Identifier: MIT
 * floats.c - rows of floats: stored as another type, checked. */
#include "base/floats.h"

#include <math.h>
#include <string.h>

#include "base/dtype.h"
#include "base/half.h"

void mo_floats_store(const float *x, size_t n, mo_dtype dtype, void *out)
{
    if (dtype == MO_F32) {
        memcpy(out, x, n * sizeof *x);
        return;
    }
    uint16_t (*convert)(float) = dtype == MO_F16 ? mo_half_f32_to_f16 : mo_half_f32_to_bf16;
    for (size_t i = 0; i < n; i++) {
        uint16_t h = convert(x[i]);
        memcpy((unsigned char *)out + 2 * i, &h, sizeof h);
    }
}

bool mo_floats_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}
