/* SPDX-License-Identifier: MIT
 * f64_avx512.c - products in double precision for CPUs with AVX-512. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "math/f64.h"

typedef __m512d vec;
#define LANES 8
#define VECS 2
#define ROWS 12
#define load _mm512_loadu_pd
#define store _mm512_storeu_pd
#define all _mm512_set1_pd
#define fma _mm512_fmadd_pd

#include "math/f64_body.h"

const mo_f64_kern *mo_f64_avx512(void)
{
    static const mo_f64_kern kern = {ROWS, tile};
    return &kern;
}
#endif
