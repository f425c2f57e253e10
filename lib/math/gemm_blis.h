/* SPDX-License-Identifier: MIT
 * gemm_blis.h - products over packed weights by BLIS, for CPUs without a micro-kernel of ours; gemm.c calls it. */
#ifndef MO_MATH_GEMM_BLIS_H
#define MO_MATH_GEMM_BLIS_H

#include <stdbool.h>

#include "math/gemm.h"
#include "math/kern.h"

/* Are these weights BLIS's to multiply with, where there is no micro-kernel?  Tiny ones are not. */
bool mo_gemm_blis_wanted(const mo_mat *w);

/* All rows of g on this thread, outputs g->first .. + g->n (n not 0). */
void mo_gemm_blis_packed(const mo_kern *kern, const mo_mat *w, const mo_gemm_args *g);

/* "BLIS penryn": the set of kernels it has chosen. */
const char *mo_gemm_blis_name(void);

#endif
