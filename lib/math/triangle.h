/* SPDX-License-Identifier: MIT
 * triangle.h - symmetric positive definite matrices in double precision: A = L L^T and the inverse of L. */
#ifndef MO_MATH_TRIANGLE_H
#define MO_MATH_TRIANGLE_H

#include "base/fail.h"
#include "base/pool.h"

/* inverse = inv(L), zeros above the diagonal, of a (both n x n), whose lower triangle is read and becomes L.  The same bits at
 * any thread count.  NUMERIC: not positive definite; NOMEM. */
mopd_status mo_triangle_invert(mo_pool *pool, double *inverse, double *a, size_t n);

#endif
