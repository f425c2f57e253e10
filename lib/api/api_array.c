/* SPDX-License-Identifier: MIT
 * api_array.c - NumPy files for hosts that have no writer of their own. */
#include "base/view.h"
#include "format/npy.h"
#include "mopd/array.h"

mopd_status mopd_array_save(const char *path, const float *values, const size_t *shape, size_t n_dims)
{
    if (!path) return mo_fail(MOPD_E_ARG, "array: path is NULL");
    if (!shape || n_dims < 1 || n_dims > MO_MAX_DIMS)
        return mo_fail(MOPD_E_ARG, "array: %zu dimensions, 1 to %d are allowed", n_dims, MO_MAX_DIMS);
    if (!values) return mo_fail(MOPD_E_ARG, "array: values is NULL");
    return mo_npy_save(path, values, (int)n_dims, shape);
}
