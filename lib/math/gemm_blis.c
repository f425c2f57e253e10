/* SPDX-License-Identifier: MIT
 * gemm_blis.c - BLIS's own product on one thread: the yardstick of the bench, and a witness in the tests.
 *
 * The only file that sees blis.h.  The native call aborts the process on a bad size, so sizes are checked
 * here. */
#include <limits.h>
#include <string.h>

#include <blis.h>

#include "math/gemm.h"

mopd_status mo_gemm_blis(float *c, const float *a, const float *b, size_t m, size_t n, size_t k)
{
    if (!m || !n || !k || m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return mo_fail(MOPD_E_ARG, "product of %zu x %zu x %zu", m, n, k);
    rntm_t rntm = BLIS_RNTM_INITIALIZER;
    bli_rntm_set_num_threads(1, &rntm);
    bli_rntm_disable_l3_sup(&rntm);
    float one = 1, zero = 0, *pa, *pb;
    memcpy(&pa, &a, sizeof pa); /* BLIS only reads them */
    memcpy(&pb, &b, sizeof pb);
    bli_sgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, (dim_t)m, (dim_t)n, (dim_t)k, &one, pa, (inc_t)k, 1,
        pb, (inc_t)n, 1, &zero, c, (inc_t)n, 1, NULL, &rntm);
    return MOPD_OK;
}
