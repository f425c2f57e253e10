/* SPDX-License-Identifier: MIT
 * triangle.c - a block of columns after the other; what has to be subtracted comes from products (gemm_f64.c). */
#include "math/triangle.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/gemm_f64.h"

#define BLOCK 48

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

/* inverse (n x n) of the lower triangle l (rows ld long), zeros above the diagonal. */
static void invert_block(double *inverse, size_t to, const double *l, size_t n, size_t ld)
{
    for (size_t i = 0; i < n; i++) {
        double *row = inverse + i * to;
        memset(row, 0, n * sizeof *row);
        for (size_t p = 0; p < i; p++)
            for (size_t c = 0; c <= p; c++) row[c] -= l[i * ld + p] * inverse[p * to + c];
        row[i] = 1;
        for (size_t c = 0; c <= i; c++) row[c] /= l[i * ld + i];
    }
}

/* Columns first .. first+block-1 of m rows of x, which become those of the solution; left (m x block): what the columns that
 * are solved contribute, or nothing. */
typedef struct rows_job {
    mo_pool *pool;
    double *x, *left;
    const double *l;
    size_t m, n, first, block;
    bool back;
} rows_job;

/* Each row r becomes the z of L_bb z = r - left; back: of L_bb^T z = r - left. */
static mopd_status solve_rows(const rows_job *j)
{
    const size_t w = j->block, n = j->n;
    double inverse[BLOCK * BLOCK], *x = j->x + j->first;
    invert_block(inverse, w, j->l + j->first * n + j->first, w, n);
    for (size_t i = 0; i < j->m; i++)
        for (size_t c = 0; c < w; c++) j->left[i * w + c] = x[i * n + c] - j->left[i * w + c];
    return mo_gemm_f64(j->pool, &(mo_gemm_f64_args){.c = x,
                                    .ldc = n,
                                    .a = j->left,
                                    .ars = w,
                                    .acs = 1,
                                    .b = inverse,
                                    .brs = j->back ? w : 1,
                                    .bcs = j->back ? 1 : w,
                                    .m = j->m,
                                    .n = w,
                                    .k = w,
                                    .triangle = !j->back});
}

mopd_status mo_triangle_factor(mo_pool *pool, double *l, const double *a, size_t n)
{
    if (l != a) memcpy(l, a, n * n * sizeof *l);
    double *left = mo_mem_alloc(n * BLOCK, sizeof *left);
    if (!left) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    for (size_t b = 0; b < n && st == MOPD_OK; b += BLOCK) {
        const size_t w = mo_min(BLOCK, n - b);
        double *at = l + b * n;
        st = mo_gemm_f64(pool, &(mo_gemm_f64_args){.c = left,
                                   .ldc = w,
                                   .a = at,
                                   .ars = n,
                                   .acs = 1,
                                   .b = at,
                                   .brs = 1,
                                   .bcs = n,
                                   .m = n - b,
                                   .n = w,
                                   .k = b});
        for (size_t i = 0; i < w && st == MOPD_OK; i++)
            for (size_t c = 0; c < w; c++) at[i * n + b + c] -= left[i * w + c];
        if (st == MOPD_OK && !factor_block(at + b, w, n))
            st = mo_fail(MOPD_E_NUMERIC, "the matrix is not positive definite at row %zu of %zu", b, n);
        if (st == MOPD_OK)
            st = solve_rows(&(rows_job){pool, at + w * n, left + w * w, l, n - b - w, n, b, w, false});
    }
    mo_mem_free(left);
    for (size_t i = 0; i < n; i++) memset(l + i * n + i + 1, 0, (n - i - 1) * sizeof *l);
    return st;
}

/* c (m x k) = a b, all with rows n long but c, where it is k. */
static mopd_status product(mo_pool *pool, double *c, size_t ldc, const double *a, size_t m, size_t k,
    const double *b, size_t ldb, size_t columns, size_t n)
{
    return mo_gemm_f64(pool, &(mo_gemm_f64_args){.c = c,
                                 .ldc = ldc,
                                 .a = a,
                                 .ars = n,
                                 .acs = 1,
                                 .b = b,
                                 .brs = ldb,
                                 .bcs = 1,
                                 .m = m,
                                 .n = columns,
                                 .k = k});
}

/* The inverse of m of n rows and columns by halves: below the diagonal it is - inv(L22) L21 inv(L11). */
static mopd_status invert(mo_pool *pool, double *x, const double *l, size_t m, size_t n, double *middle)
{
    if (m <= BLOCK) {
        invert_block(x, n, l, m, n);
        return MOPD_OK;
    }
    const size_t h = m / 2, rest = m - h;
    double *low = x + h * n;
    mopd_status st = invert(pool, x, l, h, n, middle);
    if (st == MOPD_OK) st = invert(pool, low + h, l + h * n + h, rest, n, middle);
    if (st == MOPD_OK) st = product(pool, middle, h, l + h * n, rest, h, x, n, h, n);
    for (size_t i = 0; i < rest * h && st == MOPD_OK; i++) middle[i] = -middle[i];
    if (st == MOPD_OK) st = product(pool, low, n, low + h, rest, rest, middle, h, h, n);
    for (size_t i = 0; i < h; i++) memset(x + i * n + h, 0, rest * sizeof *x);
    return st;
}

mopd_status mo_triangle_invert(mo_pool *pool, double *inverse, const double *l, size_t n)
{
    double *middle = mo_mem_alloc(n, mo_ceil_div(n, 2) * sizeof *middle);
    if (!middle) return MOPD_E_NOMEM;
    mopd_status st = invert(pool, inverse, l, n, n, middle);
    mo_mem_free(middle);
    return st;
}

/* left (m x block) = what the columns that are solved contribute to those of the block. */
static mopd_status contribute(const rows_job *j)
{
    const size_t end = j->first + j->block, n = j->n;
    mo_gemm_f64_args g = {
        .c = j->left, .ldc = j->block, .a = j->x, .ars = n, .acs = 1, .m = j->m, .n = j->block};
    if (j->back) { /* columns behind it, times L below it */
        g.a += end;
        g.b = j->l + (end < n ? end : 0) * n + j->first;
        g.brs = n;
        g.bcs = 1;
        g.k = n - end;
    } else { /* columns before it, times L beside it, transposed */
        g.b = j->l + j->first * n;
        g.brs = 1;
        g.bcs = n;
        g.k = j->first;
    }
    return mo_gemm_f64(j->pool, &g);
}

mopd_status mo_triangle_solve(mo_pool *pool, double *x, size_t m, const double *l, size_t n, bool back)
{
    double *left = mo_mem_alloc(m, BLOCK * sizeof *left);
    if (!left) return MOPD_E_NOMEM;
    rows_job j = {.pool = pool, .x = x, .left = left, .l = l, .m = m, .n = n, .back = back};
    mopd_status st = MOPD_OK;
    const size_t blocks = mo_ceil_div(n, BLOCK);
    for (size_t b = 0; b < blocks && st == MOPD_OK; b++) {
        j.first = (back ? blocks - 1 - b : b) * BLOCK;
        j.block = mo_min(BLOCK, n - j.first);
        st = contribute(&j);
        if (st == MOPD_OK) st = solve_rows(&j);
    }
    mo_mem_free(left);
    return st;
}
