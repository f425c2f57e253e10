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

/* Columns first .. first+block-1 of m rows of x, each less what stands in minus (m x block), or nothing. */
typedef struct rows_job {
    double *x;
    const double *minus; /* or NULL */
    const double *l;
    size_t m, n, first, block;
    bool back;
    double across[BLOCK * BLOCK]; /* L_bb^T, or L_bb on the way back: its rows are read, not its columns */
} rows_job;

/* L_bb z = row; back: L_bb^T z = row. */
static void solve_row(void *ctx, size_t row)
{
    const rows_job *j = ctx;
    double *x = j->x + row * j->n + j->first;
    for (size_t p = 0; p < j->block && j->minus; p++) x[p] -= j->minus[row * j->block + p];
    for (size_t k = 0; k < j->block; k++) {
        const size_t p = j->back ? j->block - 1 - k : k, from = j->back ? 0 : p + 1,
                     to = j->back ? p : j->block;
        const double *d = j->across + p * BLOCK;
        x[p] /= d[p];
        for (size_t c = from; c < to; c++) x[c] -= x[p] * d[c];
    }
}

static void solve_rows(mo_pool *pool, rows_job *j)
{
    for (size_t c = 0; c < j->block; c++)
        for (size_t p = 0; p <= c; p++)
            j->across[j->back ? c * BLOCK + p : p * BLOCK + c] = j->l[(j->first + c) * j->n + j->first + p];
    mo_pool_run(pool, j->m, solve_row, j);
}

mopd_status mo_triangle_factor(mo_pool *pool, double *l, const double *a, size_t n)
{
    if (l != a) memcpy(l, a, n * n * sizeof *l);
    double *minus = mo_mem_alloc(n * BLOCK, sizeof *minus);
    if (!minus) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    for (size_t b = 0; b < n && st == MOPD_OK; b += BLOCK) {
        const size_t w = mo_min(BLOCK, n - b);
        double *at = l + b * n;
        st = mo_gemm_f64(pool, &(mo_gemm_f64_args){.c = minus,
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
        for (size_t i = 0; i < n - b && st == MOPD_OK; i++)
            for (size_t c = 0; c < w; c++) at[i * n + b + c] -= minus[i * w + c];
        if (st == MOPD_OK && !factor_block(at + b, w, n))
            st = mo_fail(MOPD_E_NUMERIC, "the matrix is not positive definite at row %zu of %zu", b, n);
        if (st == MOPD_OK)
            solve_rows(pool,
                &(rows_job){.x = l + (b + w) * n, .l = l, .m = n - b - w, .n = n, .first = b, .block = w});
    }
    mo_mem_free(minus);
    for (size_t i = 0; i < n; i++) memset(l + i * n + i + 1, 0, (n - i - 1) * sizeof *l);
    return st;
}

/* Rows first .. first+w-1 of the inverse from what is to be subtracted from the identity. */
static void invert_block(double *x, const double *l, const double *minus, size_t n, size_t first, size_t w)
{
    for (size_t i = first; i < first + w; i++) {
        double *row = x + i * n;
        for (size_t c = 0; c < i; c++) row[c] = c < first ? -minus[(i - first) * n + c] : 0;
        row[i] = 1;
        memset(row + i + 1, 0, (n - i - 1) * sizeof *row);
        for (size_t p = first; p < i; p++)
            for (size_t c = 0; c <= p; c++) row[c] -= l[i * n + p] * x[p * n + c];
        for (size_t c = 0; c <= i; c++) row[c] /= l[i * n + i];
    }
}

mopd_status mo_triangle_invert(mo_pool *pool, double *inverse, const double *l, size_t n)
{
    double *minus = mo_mem_alloc(n * BLOCK, sizeof *minus);
    if (!minus) return MOPD_E_NOMEM;
    mopd_status st = MOPD_OK;
    for (size_t b = 0; b < n && st == MOPD_OK; b += BLOCK) {
        const size_t w = mo_min(BLOCK, n - b);
        st = mo_gemm_f64(pool, &(mo_gemm_f64_args){.c = minus,
                                   .ldc = n,
                                   .a = l + b * n,
                                   .ars = n,
                                   .acs = 1,
                                   .b = inverse,
                                   .brs = n,
                                   .bcs = 1,
                                   .m = w,
                                   .n = b,
                                   .k = b});
        if (st == MOPD_OK) invert_block(inverse, l, minus, n, b, w);
    }
    mo_mem_free(minus);
    return st;
}

/* minus (m x block) = what the columns that are solved contribute to those of the block. */
static mopd_status contribute(mo_pool *pool, double *minus, const rows_job *j)
{
    const size_t end = j->first + j->block, n = j->n;
    mo_gemm_f64_args g = {
        .c = minus, .ldc = j->block, .a = j->x, .ars = n, .acs = 1, .m = j->m, .n = j->block};
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
    return mo_gemm_f64(pool, &g);
}

mopd_status mo_triangle_solve(mo_pool *pool, double *x, size_t m, const double *l, size_t n, bool back)
{
    double *minus = mo_mem_alloc(m, BLOCK * sizeof *minus);
    if (!minus) return MOPD_E_NOMEM;
    rows_job j = {.x = x, .minus = minus, .l = l, .m = m, .n = n, .back = back};
    mopd_status st = MOPD_OK;
    const size_t blocks = mo_ceil_div(n, BLOCK);
    for (size_t b = 0; b < blocks && st == MOPD_OK; b++) {
        j.first = (back ? blocks - 1 - b : b) * BLOCK;
        j.block = mo_min(BLOCK, n - j.first);
        st = contribute(pool, minus, &j);
        if (st == MOPD_OK) solve_rows(pool, &j);
    }
    mo_mem_free(minus);
    return st;
}
