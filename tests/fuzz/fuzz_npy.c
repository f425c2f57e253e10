/* SPDX-License-Identifier: MIT
 * fuzz_npy.c - bytes as numpy's array file. */
#include "files.h"
#include "fuzz.h"
#include "mutate.h"

/* What is read can be written, and is read as it was. */
static void save(const float *values, const size_t *shape, size_t n_dims)
{
    float *again = NULL;
    size_t its[MOPD_ARRAY_DIMS], n;
    const char *first = fuzz_beside("first"), *second = fuzz_beside("second");
    FUZZ_MUST(mopd_array_save(first, values, shape, n_dims) == MOPD_OK);
    FUZZ_MUST(mopd_array_load(first, &again, its, &n) == MOPD_OK && n == n_dims);
    FUZZ_MUST(mopd_array_save(second, again, its, n) == MOPD_OK);
    mopd_free(again);
    fuzz_same(first, second);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    float *values = NULL;
    size_t shape[MOPD_ARRAY_DIMS], n_dims, count = 1;
    if (FUZZ_READ(mopd_array_load(fuzz_file(data, n), &values, shape, &n_dims), values)) {
        FUZZ_MUST(n_dims <= MOPD_ARRAY_DIMS);
        for (size_t i = 0; i < n_dims; i++) count *= shape[i];
        fuzz_touch(values, count * sizeof *values);
        if (n_dims) save(values, shape, n_dims); /* a number without a shape is read, not written */
    } else {
        FUZZ_MUST(n_dims == 0);
    }
    mopd_free(values);
}

FUZZ_MUTATES_BYTES
