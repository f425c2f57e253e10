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

static size_t stored_at(const mo_view *v, size_t o, size_t i)
{
    const size_t g = v->panel_group ? v->panel_group : 1,
                 row = o / MO_VIEW_PANEL * (v->panel_inputs / g) + i / g;
    return (row * MO_VIEW_PANEL + o % MO_VIEW_PANEL) * g + i % g;
}

/* One of panels; 8 bits have a scale for each output. */
static bool read_one(const mo_view *v, size_t element, float *out)
{
    const size_t o = element / v->panel_inputs, at = stored_at(v, o, element % v->panel_inputs);
    float scale;
    if (v->dtype != MO_I8) return read_stored(v, at, 1, out);
    if (!v->scale) return false;
    memcpy(&scale, (const unsigned char *)v->scale + o * sizeof scale, sizeof scale);
    *out = scale * ((const signed char *)v->data)[at];
    return true;
}

bool mo_view_floats(const mo_view *view, size_t first, size_t n, float *out)
{
    if (!view->panel_inputs) return read_stored(view, first, n, out);
    bool known = true;
    for (size_t i = 0; i < n && known; i++) known = read_one(view, first + i, out + i);
    return known;
}
