/* SPDX-License-Identifier: MIT
 * npy.h - numpy's array file: float32, rows first (format 1.0 of numpy.lib.format). */
#ifndef MO_FORMAT_NPY_H
#define MO_FORMAT_NPY_H

#include "base/fail.h"
#include "base/view.h"

typedef struct mo_npy {
    float *data; /* n floats */
    int n_dims;
    size_t shape[MO_MAX_DIMS];
    size_t n;
} mo_npy;

/* Writes x (product of shape) beside path, then renames. */
mopd_status mo_npy_save(const char *path, const float *x, int n_dims, const size_t *shape);

/* Reads an array of <f4.  FORMAT: no such file; UNSUPPORTED: another type or columns first. */
mopd_status mo_npy_load(mo_npy *out, const char *path);
void mo_npy_free(mo_npy *npy);

#endif
