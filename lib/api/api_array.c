/* SPDX-License-Identifier: MIT
 * api_array.c - include/mopd/array.h: NumPy files for hosts that have no writer of their own. */
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
