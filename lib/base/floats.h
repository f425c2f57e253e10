/* SPDX-License-Identifier: MIT
 * floats.h - rows of floats: stored as another type, checked. */
#ifndef MO_BASE_FLOATS_H
#define MO_BASE_FLOATS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dtype.h"
#include "base/fail.h"

/* Writes n floats as dtype (F32, F16, BF16) to out, n x size bytes. */
void mo_floats_store(const float *x, size_t n, mo_dtype dtype, void *out);

bool mo_floats_finite(const float *x, size_t n);

/* n rows of dim floats must be finite and no longer than MO_FLOATS_LONGEST, so that products with other rows of some
 * thousand are finite: else NUMERIC.  The message names the row as "what" and its number. */
#define MO_FLOATS_LONGEST 1e6
mopd_status mo_floats_check_rows(const char *what, const float *rows, size_t n, size_t dim);

/* n rows of dim floats must have length 1, within 0.001 of the squared length: else ARG; NUMERIC when one is
 * not finite.  The message names the row as "what" and its number. */
mopd_status mo_floats_check_unit(const char *what, const float *rows, size_t n, size_t dim);

#endif
