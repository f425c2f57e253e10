/* SPDX-License-Identifier: MIT
 * kern.h - the inner loops, one struct of functions per instruction set.
 *
 * kern_c.c is the plain version and always there; kern_avx2.c, kern_avx512.c, kern_neon.c and kern_simd128.c do the same with
 * wider registers (results may differ in the last bits, tests/math/test_kern.c says how little).  Pointers need
 * no alignment.  y may be x where both have the same type and length.  Within one path an element's bits do
 * not depend on n, on its position or on alignment, and a reduction's bits only on the values and n. */
#ifndef MO_MATH_KERN_H
#define MO_MATH_KERN_H

#include <stdbool.h>

#include "base/fail.h"
#include "base/map.h"
#include "math/tensor.h"

/* Longest sum of one tile; most of them one after the other (mo_kern.depth). */
#define MO_TILE_K 256
#define MO_TILE_DEPTH 3

/* A micro-kernel's work: c [m x n] = add + bias + a [m x k] panels.  See math/gemm.h. */
typedef struct mo_tile {
    size_t m, n, k; /* 1..tile_rows rows, 1..16 tile_panels columns, sums of 1..MO_TILE_K */
    const float *a; /* a[i * lda + p] */
    size_t lda;
    const float *w; /* w[j * panel + p * 16 + column], panel j */
    size_t panel;   /* floats from one panel to the next */
    float *c;       /* c[i * ldc + column] */
    size_t ldc;
    const float *add; /* NULL, or add[i * ldadd + column]; may be c */
    size_t ldadd;
    const float *bias; /* NULL, or n floats */
    float top;         /* 0, or clamp to 0..top before writing */
    const float *next; /* NULL, or panels that will be wanted soon, laid out as w, */
    size_t next_every; /* one step of them to be fetched every so many steps */
} mo_tile;

/* Output positions of a depthwise convolution, in n_groups groups of MO_DEPTHWISE_COLUMNS:
 *
 *     y[q][c] = bias[c] + sum over taps i of x[i][q % 4][(q / 4) step + c] w[i][c]
 *
 * clamped to 0..6 when relu6 is set.  A tap outside the picture points to zeros. */
#define MO_DEPTHWISE_COLUMNS 4

typedef struct mo_depthwise_taps {
    float *y; /* y[q * channels + c] */
    const float *(*x)[MO_DEPTHWISE_COLUMNS];
    const float *const *w;
    size_t n, channels, n_groups, step;
    size_t columns; /* of each group that are written */
    const float *bias;
    bool relu6;
} mo_depthwise_taps;

typedef void mo_map_fn(float *y, const float *x, size_t ld, size_t rows, size_t n);

typedef struct mo_kern {
    const char *name; /* "avx512", "avx2", "neon", "simd128", "plain" */

    /* rows of n */
    float (*max)(const float *x, size_t n);
    float (*dot)(const float *x, const float *y, size_t n);
    void (*axpy)(float *y, float a, const float *x, size_t n);       /* y += a x */
    void (*scale)(float *y, float a, const float *x, size_t n);      /* y = a x */
    void (*add)(float *y, const float *x, const float *z, size_t n); /* y = x + z */
    /* y = exp(a x - max(a x)) / sum, a > 0; returns log of sum(exp(a x)). */
    float (*softmax)(float *y, const float *x, float a, size_t n);

    /* element-wise: y = f(x) of rows of n, ld floats apart in both, and dx = dy f'(x) */
    mo_map_fn *quick_gelu; /* x / (1 + exp(-1.702 x)) */
    mo_map_fn *gelu;       /* x (1 + erf(x / sqrt 2)) / 2 */
    mo_map_fn *gelu_tanh;  /* x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 */
    mo_map_fn *relu6;
    mo_map_fn *relu;
    void (*quick_gelu_bwd)(float *dx, const float *dy, const float *x, size_t n);
    void (*gelu_bwd)(float *dx, const float *dy, const float *x, size_t n);
    void (*gelu_tanh_bwd)(float *dx, const float *dy, const float *x, size_t n);

    /* y = (x - mean) rstd gamma + beta; stats[0] = mean, stats[1] = rstd = 1 / sqrt(var + eps) */
    void (*norm)(float *y, const float *x, const float *gb[2], float eps, size_t n, float stats[2]);
    /* dx += gradient at x; gamma, the stats of the forward pass */
    void (*norm_bwd)(
        float *dx, const float *dy, const float *x, const float *gamma, const float stats[2], size_t n);

    /* attention by rows: n keys or values of d floats, ld floats apart */
    void (*dots)(
        float *s, const float *q, const float *keys, size_t ld, size_t n, size_t d); /* s[j] = q . key_j */
    void (*mix)(
        float *y, const float *p, const float *v, size_t ld, size_t n, size_t d); /* y += sum p[j] v_j */
    void (*spread)(
        float *rows, size_t ld, const float *p, const float *y, size_t n, size_t d); /* row_j += p[j] y */

    /* y[i] = sum over o < n of q[o] W[o][i], i < k: dx = dy W of one row; n outputs of W in panels, `panel`
     * floats apart; n and k are multiples of 16 */
    void (*product_transposed)(float *y, const float *q, const float *w, size_t panel, size_t n, size_t k);

    /* x [n x k], rows ld apart, as panels of 16 rows: to[(j / 16 * k + i) * 16 + j % 16] = x[j][i],
     * zeros beyond n */
    void (*pack)(float *to, const float *x, size_t ld, size_t n, size_t k);

    void (*depthwise)(const mo_depthwise_taps *t);

    /* products: rows and panels of a tile; columns of W, and blocks of k, whose data at work fit
     * the second cache */
    size_t tile_rows, tile_panels, group, depth;
    void (*tile)(const mo_tile *t);
    const char *tile_name; /* "avx512 9x48", for people; those of "plain" are BLIS's where the build has it */
} mo_kern;

/* The live table; the first call decides: mo_kern_cpu_set, else the environment's MOPD_CPU, else what
 * the CPU has. */
const mo_kern *mo_kern_get(void);

/* Chooses "avx512", "avx2", "neon", "simd128" (WebAssembly) or "plain"; NULL: what the CPU has.  ARG for another word, UNSUPPORTED when the
 * CPU lacks it.  Call while nothing is computing. */
mopd_status mo_kern_cpu_set(const char *name);

/* False when MOPD_CPU asks for what is not there (and mo_kern_cpu_set was not called); "" asks for nothing. */
bool mo_kern_cpu_as_wished(void);
/* The same as a status: ARG for another word, UNSUPPORTED when the CPU lacks it. */
mopd_status mo_kern_cpu_check(void);

/* The tables themselves, for tests: NULL when this CPU or build has none. */
const mo_kern *mo_kern_plain(void);
const mo_kern *mo_kern_avx2(void);
const mo_kern *mo_kern_avx512(void);
const mo_kern *mo_kern_neon(void);
const mo_kern *mo_kern_simd128(void);

#endif
