/* SPDX-License-Identifier: MIT
 * array.h - float arrays as NumPy files. */
#ifndef MOPD_ARRAY_H
#define MOPD_ARRAY_H

#include "status.h"

MOPD_BEGIN_DECLS

/* Writes values, row-major, of the given shape (n_dims sizes, 1 to 8) as a float32 .npy file at path, which
 * numpy.load and many other programs read: features, logits, pixels.  It is written beside path, synced and
 * renamed, so that a failure leaves what was there.  ARG: no or too many dimensions, a product that
 * overflows.  IO: cannot be written, with the system's reason.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_array_save(
    const char *path, const float *values, const size_t *shape, size_t n_dims);

/* The most dimensions of an array. */
#define MOPD_ARRAY_DIMS 8

/* Reads such a file, by mopd_array_save or numpy.save of a float32 array: *values, row-major, to be freed with
 * mopd_free; *n_dims sizes in shape, which has room for MOPD_ARRAY_DIMS (0 of them for a single number).  IO:
 * cannot be read, with the system's reason; FORMAT: no .npy file, or its sizes and bytes disagree; UNSUPPORTED:
 * other elements than little-endian float32, or columns first; VERSION: newer than numpy's format 3.  On failure
 * *values is NULL and *n_dims 0.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_array_load(const char *path, float **values, size_t *shape, size_t *n_dims);

MOPD_END_DECLS

#endif
