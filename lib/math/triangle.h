/* SPDX-License-Identifier: MIT
 * triangle.h - symmetric positive definite matrices in double precision, by blocks: A = L L^T, and the inverse of L, and what solves with it.
 *
 * Dense; A and L are n x n.  The same bits at any thread count. */
#ifndef MO_MATH_TRIANGLE_H
#define MO_MATH_TRIANGLE_H

#include "base/fail.h"
#include "base/pool.h"

/* l = L of a, whose lower triangle is read; zeros above the diagonal.  l may be a.  NUMERIC: not positive definite; NOMEM. */
mopd_status mo_triangle_factor(mo_pool *pool, double *l, const double *a, size_t n);

/* inverse = inv(L), zeros above the diagonal; it does not overlap l.  NOMEM. */
mopd_status mo_triangle_invert(mo_pool *pool, double *inverse, const double *l, size_t n);

/* For few rows, where the inverse would take longer than its use.  Each row of x (m x n) becomes the z of L z = row; back: of L^T z = row.  x does not overlap l.  NOMEM. */
mopd_status mo_triangle_solve(mo_pool *pool, double *x, size_t m, const double *l, size_t n, bool back);

#endif
