/* SPDX-License-Identifier: MIT
 * view.c - floats of a stored tensor, whatever its element type. */
#include "base/view.h"

#include <string.h>

#include "base/half.h"

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
    case MO_F32:
        memcpy(out, p, n * sizeof *out);
        return true;
    case MO_F16:
        read_halves(p, n, out, mo_half_f16_to_f32);
        return true;
    case MO_BF16:
        read_halves(p, n, out, mo_half_bf16_to_f32);
        return true;
    case MO_F64:
        for (size_t i = 0; i < n; i++) {
            double d;
            memcpy(&d, p + sizeof d * i, sizeof d);
            out[i] = (float)d;
        }
        return true;
    default:
        return false;
    }
}
