/* SPDX-License-Identifier: MIT
 * fuzz_npy.c - bytes as numpy's array file. */
#include "files.h"
#include "fuzz.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    float *values = NULL;
    size_t shape[MOPD_ARRAY_DIMS], n_dims, count = 1;
    if (FUZZ_READ(mopd_array_load(fuzz_file(data, n), &values, shape, &n_dims), values)) {
        FUZZ_MUST(n_dims <= MOPD_ARRAY_DIMS);
        for (size_t i = 0; i < n_dims; i++) count *= shape[i];
        fuzz_touch(values, count * sizeof *values);
    } else {
        FUZZ_MUST(n_dims == 0);
    }
    mopd_free(values);
}
