/* SPDX-License-Identifier: MIT
 * f64_avx512.c - double precision for CPUs with AVX-512. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "math/f64.h"

typedef __m512d vec;
#define LANES 8
#define VECS 2
#define ROWS 12
#define load _mm512_loadu_pd
#define store _mm512_storeu_pd
#define all _mm512_set1_pd
#define plus _mm512_add_pd
#define times _mm512_mul_pd
#define max _mm512_max_pd
#define fma _mm512_fmadd_pd
#define twice(x, n)                                                                                          \
    _mm512_castsi512_pd(                                                                                     \
        _mm512_add_epi64(_mm512_castpd_si512(x), _mm512_slli_epi64(_mm512_castpd_si512(n), 52)))

#include "math/f64_body.h"

const mo_f64_kern *mo_f64_avx512(void)
{
    static const mo_f64_kern kern = {ROWS, tile, pack, blend};
    return &kern;
}
#endif
