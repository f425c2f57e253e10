/* SPDX-License-Identifier: MIT
 * f64_c.c - double precision in plain C, and which table is used. */
#include <math.h>
#include <string.h>

#include "math/f64.h"
#include "math/kern.h"

typedef double vec;
#define LANES 1
#define VECS 16
#define ROWS 2
#define load(p) (*(p))
#define store(p, x) (*(p) = (x))
#define all(x) (x)
#define plus(a, b) ((a) + (b))
#define times(a, b) ((a) * (b))
#define max fmax
#define exp_of exp
#define fma(a, b, c) ((a) * (b) + (c))

#include "math/f64_body.h"

const mo_f64_kern *mo_f64_plain(void)
{
    static const mo_f64_kern kern = {ROWS, tile, pack, blend};
    return &kern;
}

const mo_f64_kern *mo_f64_get(void)
{
#if defined(__x86_64__)
    const mo_kern *live = mo_kern_get();
    if (live == mo_kern_avx512()) return mo_f64_avx512();
    if (live == mo_kern_avx2()) return mo_f64_avx2();
#endif
    return mo_f64_plain();
}

#if !defined(__x86_64__)
const mo_f64_kern *mo_f64_avx2(void)
{
    return NULL;
}

const mo_f64_kern *mo_f64_avx512(void)
{
    return NULL;
}
#endif
