/* SPDX-License-Identifier: MIT
 * triangle.c - by halves, so that almost all of it is products of matrices (gemm_f64.c). */
#include "math/triangle.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/f64.h"
#include "math/gemm_f64.h"

enum { BLOCK = 48 };

/* The block's own triangle; false when it is not positive definite. */
static bool factor_block(double *l, size_t n, size_t ld)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double x = l[i * ld + j];
            for (size_t p = 0; p < j; p++) x -= l[i * ld + p] * l[j * ld + p];
            if (i != j)
                l[i * ld + j] = x / l[j * ld + j];
            else if (x > 0 && isfinite(x))
                l[i * ld + i] = sqrt(x);
            else
                return false;
        }
    return true;
}

/* inverse (n x n) of the lower triangle l, zeros above the diagonal; rows of both ld long. */
static void invert_block(double *inverse, const double *l, size_t n, size_t ld)
{
    for (size_t i = 0; i < n; i++) {
        double *row = inverse + i * ld;
        memset(row, 0, n * sizeof *row);
        for (size_t p = 0; p < i; p++)
            for (size_t c = 0; c <= p; c++) row[c] -= l[i * ld + p] * inverse[p * ld + c];
        row[i] = 1;
        for (size_t c = 0; c <= i; c++) row[c] /= l[i * ld + i];
    }
}

typedef struct job {
    mo_pool *pool;
    double *l, *inverse; /* n x n */
    double *middle;      /* a quarter of that */
    size_t n;
} job;

/* The half that begins at `first`: L11 of h rows and L21 of `rest`, and the same parts of the inverse. */
typedef struct half {
    double *l11, *l21, *l22, *x11, *x21, *x22;
    size_t h, rest;
} half;

static half halve(const job *j, size_t first, size_t m)
{
    const size_t h = mo_ceil_div(m / 2, MO_F64_COLS) * MO_F64_COLS, n = j->n, at = first * (n + 1);
    double *l = j->l + at, *x = j->inverse + at;
    return (half){l, l + h * n, l + h * (n + 1), x, x + h * n, x + h * (n + 1), h, m - h};
}

/* L21 = A21 inv(L11)', which goes to middle, negated, too. */
static mopd_status solve(const job *j, const half *f)
{
    const size_t n = j->n, h = f->h;
    mopd_status st = mo_gemm_f64(j->pool, &(mo_gemm_f64_args){.c = j->middle,
                                              .ldc = h,
                                              .a = f->l21,
                                              .ars = n,
                                              .acs = 1,
                                              .b = f->x11,
                                              .brs = 1,
                                              .bcs = n,
                                              .m = f->rest,
                                              .n = h,
                                              .k = h,
                                              .triangle = true});
    for (size_t i = 0; i < f->rest && st == MOPD_OK; i++)
        for (size_t k = 0; k < h; k++) {
            double *x = j->middle + i * h + k;
            f->l21[i * n + k] = *x;
            *x = -*x;
        }
    return st;
}

/* A22 - L21 L21'. */
static mopd_status subtract(const job *j, const half *f)
{
    const size_t n = j->n;
    return mo_gemm_f64(j->pool, &(mo_gemm_f64_args){.c = f->l22,
                                    .ldc = n,
                                    .a = j->middle,
                                    .ars = f->h,
                                    .acs = 1,
                                    .b = f->l21,
                                    .brs = 1,
                                    .bcs = n,
                                    .m = f->rest,
                                    .n = f->rest,
                                    .k = f->h,
                                    .add = true,
                                    .lower = true});
}

/* x21 = inv(L22) middle, or middle inv(L11). */
static mopd_status below(const job *j, const half *f, bool second)
{
    return mo_gemm_f64(j->pool, &(mo_gemm_f64_args){.c = f->x21,
                                    .ldc = j->n,
                                    .a = second ? f->x22 : j->middle,
                                    .ars = second ? j->n : f->h,
                                    .acs = 1,
                                    .b = second ? j->middle : f->x11,
                                    .brs = second ? f->h : j->n,
                                    .bcs = 1,
                                    .m = f->rest,
                                    .n = f->h,
                                    .k = second ? f->rest : f->h,
                                    .low_a = second,
                                    .low_b = !second});
}

/* - inv(L22) of what stands in x21. */
static mopd_status finish(const job *j, const half *f)
{
    for (size_t i = 0; i < f->rest; i++)
        memcpy(j->middle + i * f->h, f->x21 + i * j->n, f->h * sizeof *j->middle);
    for (size_t i = 0; i < f->h; i++) memset(f->x11 + i * j->n + f->h, 0, f->rest * sizeof *f->x11);
    return below(j, f, true);
}

/* Rows and columns first .. first+m-1: with the inverse of the first half the second half follows, and what lies below the
 * diagonal is - inv(L22) L21 inv(L11). */
static mopd_status invert(const job *j, size_t first, size_t m)
{
    if (m <= BLOCK) {
        double *l = j->l + first * (j->n + 1);
        if (!factor_block(l, m, j->n))
            return mo_fail(
                MOPD_E_NUMERIC, "the matrix is not positive definite at row %zu of %zu", first, j->n);
        invert_block(j->inverse + first * (j->n + 1), l, m, j->n);
        return MOPD_OK;
    }
    const half f = halve(j, first, m);
    mopd_status st = invert(j, first, f.h);
    if (st == MOPD_OK) st = solve(j, &f);
    if (st == MOPD_OK) st = subtract(j, &f);
    if (st == MOPD_OK) st = below(j, &f, false);
    if (st == MOPD_OK) st = invert(j, first + f.h, f.rest);
    return st == MOPD_OK ? finish(j, &f) : st;
}

mopd_status mo_triangle_invert(mo_pool *pool, double *inverse, double *a, size_t n)
{
    job j = {pool, a, inverse, mo_mem_alloc(n, (n / 4 + 1) * sizeof(double)), n};
    mopd_status st = j.middle ? invert(&j, 0, n) : MOPD_E_NOMEM;
    mo_mem_free(j.middle);
    return st;
}
