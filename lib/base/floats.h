/* SPDX-License-Identifier: MIT
 * floats.h - rows of floats: stored as another type, checked. */
#ifndef MO_BASE_FLOATS_H
#define MO_BASE_FLOATS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"

/* Writes n floats as dtype (F32, F16, BF16) to out, n x size bytes. */
void mo_floats_store(const float *x, size_t n, mo_dtype dtype, void *out);

bool mo_floats_finite(const float *x, size_t n);

#endif
