/* SPDX-License-Identifier: MIT
 * view.h - tensors that lie in somebody's bytes. */
#ifndef MO_BASE_VIEW_H
#define MO_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"

#define MO_MAX_DIMS 8

/* A tensor that lies in somebody's bytes: dense, row-major, possibly unaligned. */
typedef struct mo_view {
    const void *data;
    mo_dtype dtype;
    int n_dims;
    size_t shape[MO_MAX_DIMS];
    size_t n; /* elements */
} mo_view;

/* n floats from elements [first, first + n) of a view of F32, F16, BF16 or F64; false for other types. */
bool mo_view_floats(const mo_view *view, size_t first, size_t n, float *out);

#endif
