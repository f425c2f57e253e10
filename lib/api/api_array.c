/* SPDX-License-Identifier: MIT
 * api_array.c - include/mopd/array.h: NumPy files for hosts that have no writer of their own. */
#include <string.h>

#include "api/api.h"
#include "base/view.h"
#include "format/npy.h"
#include "mopd/array.h"

mopd_status mopd_array_save(const char *path, const float *values, const size_t *shape, size_t n_dims)
{
    MO_API_NEED(path);
    MO_API_NEED(values);
    MO_API_NEED(shape);
    if (n_dims < 1 || n_dims > MO_MAX_DIMS)
        return mo_fail(MOPD_E_ARG, "%s: %zu dimensions, 1 to %d are allowed", __func__, n_dims, MO_MAX_DIMS);
    return mo_npy_save(path, values, (int)n_dims, shape);
}

_Static_assert(MOPD_ARRAY_DIMS == MO_MAX_DIMS, "the caller's shape has room for every array");

mopd_status mopd_array_load(const char *path, float **values, size_t *shape, size_t *n_dims)
{
    MO_API_NEED_OUT(values);
    MO_API_NEED(n_dims);
    *n_dims = 0;
    MO_API_NEED(path);
    MO_API_NEED(shape);
    mo_npy array;
    mopd_status st = MO_API_OPENING(mo_npy_load(&array, path));
    if (st != MOPD_OK) return st;
    memcpy(shape, array.shape, (size_t)array.n_dims * sizeof *shape);
    *n_dims = (size_t)array.n_dims;
    *values = array.data;
    return MOPD_OK;
}
