/* SPDX-License-Identifier: MIT
 * cholesky.h - symmetric positive definite systems in float64: A = L L^T. */
#ifndef MO_MATH_CHOLESKY_H
#define MO_MATH_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

/* Replaces the lower triangle of a (n x n) with L; the upper one is not read.  false: a is
 * not positive definite. */
bool mo_cholesky(double *a, size_t n);

/* x (n) = inv(L L^T) x. */
void mo_cholesky_solve(const double *l, size_t n, double *x);

#endif
