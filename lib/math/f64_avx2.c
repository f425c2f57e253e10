/* SPDX-License-Identifier: MIT
 * f64_avx2.c - double precision for CPUs with AVX2. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "math/f64.h"

typedef __m256d vec;
#define LANES 4
#define VECS 4
#define ROWS 3
#define load _mm256_loadu_pd
#define store _mm256_storeu_pd
#define all _mm256_set1_pd
#define plus _mm256_add_pd
#define times _mm256_mul_pd
#define max _mm256_max_pd
#define fma _mm256_fmadd_pd
#define twice(x, n)                                                                                          \
    _mm256_castsi256_pd(                                                                                     \
        _mm256_add_epi64(_mm256_castpd_si256(x), _mm256_slli_epi64(_mm256_castpd_si256(n), 52)))

#include "math/f64_body.h"

const mo_f64_kern *mo_f64_avx2(void)
{
    static const mo_f64_kern kern = {ROWS, tile, pack, blend};
    return &kern;
}
#endif
