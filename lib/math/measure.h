/* SPDX-License-Identifier: MIT
 * measure.h - lengths of rows after a triangle, in single precision, for what is only compared. */
#ifndef MO_MATH_MEASURE_H
#define MO_MATH_MEASURE_H

#include "base/fail.h"
#include "base/pool.h"

/* Floats from row to row beyond the row: their lines lie in different sets of the first cache. */
#define MO_MEASURE_GAP 16

/* With rows r_i and o_i of k floats, k + MO_MEASURE_GAP from one to the next, and a lower triangle T (k x k):
 *
 *     lengths[i] = |T r_i|^2     across[i] = <T o_i, T r_i> */
typedef struct mo_measure_args {
    const float *rows, *off; /* off NULL: none */
    size_t m, k;
    const double *triangle;  /* what lies above its diagonal is not read */
    float *lengths, *across; /* m; across is not touched without off */
} mo_measure_args;

/* The same bits at any thread count.  NOMEM. */
mopd_status mo_measure(mo_pool *pool, const mo_measure_args *args);

#endif
