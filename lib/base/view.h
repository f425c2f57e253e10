/* SPDX-License-Identifier: MIT
 * view.h - tensors that lie in somebody's bytes. */
#ifndef MO_BASE_VIEW_H
#define MO_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"

#define MO_MAX_DIMS 8

#define MO_VIEW_PANEL 16

/* A tensor that lies in somebody's bytes: dense, possibly unaligned, row-major; or, where panel_inputs is k and not 0, a matrix
 * of n / k outputs, a multiple of 16, in panels: W[o][i] at data[((o / 16 * k / g + i / g) * 16 + o % 16) * g + i % g]. */
typedef struct mo_view {
    const void *data;
    mo_dtype dtype;
    int n_dims;
    size_t shape[MO_MAX_DIMS];
    size_t n; /* elements */
    size_t panel_inputs;
    size_t panel_group; /* g, inputs side by side in panels, which k is a multiple of; 0 is as 1 */
    const void
        *scale; /* of I8 that stand for floats: F32, one for each of n_scales equal parts; NULL: none */
    size_t n_scales;
    const void *sum; /* of I8 in panels: I32, the sum of each output's numbers; or NULL */
} mo_view;

/* n floats from elements [first, first + n), counted row by row, of a view of F32, F16, BF16, F64, or I8 with scales; false
 * for other types. */
bool mo_view_floats(const mo_view *view, size_t first, size_t n, float *out);

#endif
