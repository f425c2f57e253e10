/* SPDX-License-Identifier: MIT
 * gemm_blis.h - BLIS itself: its name here, and its plain product. */
#ifndef MO_MATH_GEMM_BLIS_H
#define MO_MATH_GEMM_BLIS_H

#include "base/fail.h"

/* c [m x n] = a [m x k] b [k x n] by BLIS on one thread (small-matrix path off): what the bench compares
 * with.  ARG for a size BLIS would abort on. */
mopd_status mo_gemm_blis(float *c, const float *a, const float *b, size_t m, size_t n, size_t k);

/* "BLIS penryn": the set of kernels it has chosen. */
const char *mo_gemm_blis_name(void);

#endif
