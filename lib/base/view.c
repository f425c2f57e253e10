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

static void read_scaled(const mo_view *v, const signed char *p, size_t first, size_t n, float *out)
{
    const size_t part = v->n / v->n_scales;
    for (size_t i = 0; i < n;) {
        const size_t at = (first + i) % part, end = n - i < part - at ? n : i + part - at;
        float scale;
        memcpy(&scale, (const unsigned char *)v->scale + (first + i) / part * sizeof scale, sizeof scale);
        for (; i < end; i++) out[i] = scale * p[i];
    }
}

/* In the order they lie in. */
static bool read_stored(const mo_view *view, size_t first, size_t n, float *out)
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
    case MO_I8:
        if (view->scale) read_scaled(view, (const signed char *)p, first, n, out);
        return view->scale != NULL;
    default:
        return false;
    }
}

static size_t stored_at(size_t element, size_t k)
{
    const size_t o = element / k, i = element % k;
    return (o / MO_VIEW_PANEL * k + i) * MO_VIEW_PANEL + o % MO_VIEW_PANEL;
}

bool mo_view_floats(const mo_view *view, size_t first, size_t n, float *out)
{
    if (!view->panel_inputs) return read_stored(view, first, n, out);
    bool known = true;
    for (size_t i = 0; i < n && known; i++)
        known = read_stored(view, stored_at(first + i, view->panel_inputs), 1, out + i);
    return known;
}
