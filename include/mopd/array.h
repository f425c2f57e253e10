/* SPDX-License-Identifier: MIT
 * array.h - float arrays as NumPy files. */
#ifndef MOPD_ARRAY_H
#define MOPD_ARRAY_H

#include "status.h"

MOPD_BEGIN_DECLS

/* Writes values, row-major, of the given shape (1 to 8 sizes) as a float32 .npy file at path: beside, fsynced, renamed,
 * so that a failure leaves what was there.  IO: cannot be written, with the system's reason.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_array_save(
    const char *path, const float *values, const size_t *shape, size_t n_dims);

MOPD_END_DECLS

#endif
