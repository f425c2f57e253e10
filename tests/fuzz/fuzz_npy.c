/* SPDX-License-Identifier: MIT
 * fuzz_npy.c - bytes as numpy's array file. */
#include "files.h"
#include "fuzz.h"

#include "format/npy.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_npy npy;
    if (fuzz_good(mo_npy_load(&npy, fuzz_file(data, n)))) {
        size_t count = 1;
        for (int i = 0; i < npy.n_dims; i++) count *= npy.shape[i];
        FUZZ_MUST(count == npy.n);
        fuzz_touch(npy.data, npy.n * sizeof *npy.data);
    }
    mo_npy_free(&npy);
}
