/* SPDX-License-Identifier: MIT
 * gemm_blis.c - products by BLIS: what CPUs compute with for which there is no micro-kernel here, and the
 * yardstick of the bench.
 *
 * The only file that sees blis.h.  The native call aborts the process on a bad size, so sizes are checked
 * here.  It runs on one thread, with the small-matrix path off: then the bits of a row do not depend on which
 * rows stand beside it.  BLIS tells the CPU itself; its other kernel sets cannot be asked for from outside
 * (the environment's BLIS_ARCH_TYPE can). */
#include "math/gemm_blis.h"

#include <blis.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/ints.h"
#include "math/gemm_epilogue.h"
#include "math/mat.h"

#define WIDTH 64   /* columns of W laid out as a plain matrix at once */
#define FEW_ROWS 8 /* up to here copying W costs more than a call for each panel */

/* c [m x n] (+)= a [m x k] b [k x n], columns of b side by side. */
typedef struct product {
    float *c;
    const float *a, *b;
    size_t ldc, lda, ldb, m, n, k;
    bool add;
} product;

static void multiply(const product *p)
{
    rntm_t rntm = BLIS_RNTM_INITIALIZER;
    bli_rntm_set_num_threads(1, &rntm);
    bli_rntm_disable_l3_sup(&rntm);
    float one = 1, beta = p->add ? 1 : 0, *a, *b;
    memcpy(&a, &p->a, sizeof a); /* BLIS only reads them */
    memcpy(&b, &p->b, sizeof b);
    bli_sgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, (dim_t)p->m, (dim_t)p->n, (dim_t)p->k, &one, a,
        (inc_t)p->lda, 1, b, (inc_t)p->ldb, 1, &beta, p->c, (inc_t)p->ldc, 1, NULL, &rntm);
}

mopd_status mo_gemm_blis(float *c, const float *a, const float *b, size_t m, size_t n, size_t k)
{
    if (!m || !n || !k || m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return mo_fail(MOPD_E_ARG, "product of %zu x %zu x %zu", m, n, k);
    multiply(&(product){.c = c, .a = a, .b = b, .ldc = n, .lda = k, .ldb = n, .m = m, .n = n, .k = k});
    return MOPD_OK;
}

const char *mo_gemm_blis_name(void)
{
    static _Thread_local char name[32];
    bli_init(); /* before it BLIS would abort where the environment names a kernel set */
    snprintf(name, sizeof name, "BLIS %s", bli_arch_string(bli_arch_query_id()));
    return name;
}

/* Columns c .. c+n of sums p .. p+k as a matrix of WIDTH columns. */
static void unpack(float *to, const mo_mat *w, const size_t at[2], size_t k, size_t n)
{
    for (size_t j = 0; j < n; j += MO_PANEL) {
        const float *from = (const float *)w->packed + (at[0] + j) * w->k + at[1] * MO_PANEL;
        for (size_t i = 0; i < k; i++) memcpy(to + i * WIDTH + j, from + i * MO_PANEL, MO_PANEL * sizeof *to);
    }
}

/* m rows, at most WIDTH columns: the sums of one block of k, added to those before. */
static void do_block(const mo_gemm_job *j, product *p, const size_t at[2])
{
    const mo_mat *w = j->w;
    if (p->m > FEW_ROWS) {
        _Alignas(64) float block[MO_TILE_K * WIDTH];
        unpack(block, w, at, p->k, p->n);
        p->b = block, p->ldb = WIDTH;
        multiply(p);
        return;
    }
    product few = *p;
    for (size_t i = 0; i < p->n; i += MO_PANEL) {
        few.c = p->c + i;
        few.b = (const float *)w->packed + (at[0] + i) * w->k + at[1] * MO_PANEL;
        few.ldb = MO_PANEL, few.n = mo_min(MO_PANEL, p->n - i);
        multiply(&few);
    }
}

static void do_columns(const mo_gemm_job *j, const mo_gemm_area *area, bool add)
{
    const mo_gemm_args *g = &j->g;
    product p = {.c = g->c + area->r0 * g->ldc + area->c0, .ldc = g->ldc, .lda = g->lda, .add = add};
    p.m = area->r1 - area->r0, p.n = area->c1 - area->c0;
    for (size_t at = 0; at < j->w->k; at += p.k, p.add = true) {
        p.k = mo_min(j->w->k - at, MO_TILE_K);
        p.a = g->a + area->r0 * g->lda + at;
        do_block(j, &p, (size_t[2]){g->first + area->c0, at});
    }
}

/* BLIS adds to what is in c, so what comes before the sums is put there, and what comes after them follows. */
static void run(const mo_gemm_job *j, const mo_gemm_area *area)
{
    const mo_gemm_args *g = &j->g;
    const size_t n = area->c1 - area->c0, rows = area->r1 - area->r0;
    mo_gemm_epilogue e = mo_gemm_epilogue_of(g, true, true, area->r0, area->c0);
    const float *add = e.add;
    float *c = g->c + area->r0 * g->ldc + area->c0;
    for (size_t i = 0; add && add != c && i < rows; i++)
        memcpy(c + i * g->ldc, add + i * e.ldadd, n * sizeof *c);
    mo_gemm_area part = *area;
    for (part.c0 = area->c0; part.c0 < area->c1; part.c0 = part.c1) {
        part.c1 = mo_min(part.c0 + WIDTH, area->c1);
        do_columns(j, &part, add);
    }
    e.add = NULL;
    for (size_t i = 0; i < rows; i++, c += g->ldc) mo_gemm_epilogue_row(j->kern, c, c, &e, n);
    mo_gemm_epilogue_finish(j->kern, g, area);
}

static bool takes(size_t n, size_t k)
{
    return mo_kern_get() == mo_kern_plain() && n >= MO_PANEL && k >= MO_PANEL && n <= INT_MAX && k <= INT_MAX;
}

static void plan(mo_gemm_job *j, size_t threads)
{
    mo_gemm_f32_plan(j, threads, 4);
}

const mo_gemm_ops mo_gemm_blis_ops = {.name = "blis",
    .takes = takes,
    .plan = plan,
    .run = run,
    .row = mo_gemm_f32_row,
    .free = mo_gemm_f32_free};
