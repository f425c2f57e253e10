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

#include "math/gemm.h"
#include "math/kern.h"

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

/* Depends on the weights alone, so that a row's bits are the same in any company. */
bool mo_gemm_blis_wanted(const mo_mat *w)
{
    return w->n >= MO_PANEL && w->k >= MO_PANEL && w->n <= INT_MAX && w->k <= INT_MAX;
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
        const float *from = w->panels + (at[0] + j) * w->k + at[1] * MO_PANEL;
        for (size_t i = 0; i < k; i++) memcpy(to + i * WIDTH + j, from + i * MO_PANEL, MO_PANEL * sizeof *to);
    }
}

/* The columns of one block of W, at most WIDTH. */
static void do_columns(const mo_mat *w, const mo_gemm_args *g, size_t c, size_t n, bool add)
{
    _Alignas(64) float block[MO_TILE_K * WIDTH];
    product p = {.c = g->c + c, .ldc = g->ldc, .lda = g->lda, .m = g->m, .add = add};
    for (size_t at = 0; at < w->k; at += p.k, p.add = true) {
        p.k = w->k - at < MO_TILE_K ? w->k - at : MO_TILE_K;
        p.a = g->a + at;
        if (g->m > FEW_ROWS) {
            unpack(block, w, (size_t[2]){g->first + c, at}, p.k, n);
            p.b = block, p.ldb = WIDTH, p.n = n;
            multiply(&p);
            continue;
        }
        product few = p;
        for (size_t j = 0; j < n; j += MO_PANEL) {
            few.c = p.c + j;
            few.b = w->panels + (g->first + c + j) * w->k + at * MO_PANEL;
            few.ldb = MO_PANEL, few.n = n - j < MO_PANEL ? n - j : MO_PANEL;
            multiply(&few);
        }
    }
}

/* Bias, activation, and a residual that comes after it. */
static void finish(const mo_kern *kern, const mo_gemm_args *g)
{
    for (size_t i = 0; i < g->m && g->bias; i++)
        kern->add(g->c + i * g->ldc, g->c + i * g->ldc, g->bias, g->n);
    if (g->act == MO_ACT_RELU6) kern->relu6(g->c, g->c, g->ldc, g->m, g->n);
    mo_gemm_finish(kern, g, (size_t[2]){0, g->m}, (size_t[2]){0, g->n});
}

void mo_gemm_blis_packed(const mo_kern *kern, const mo_mat *w, const mo_gemm_args *g)
{
    const bool add = g->residual && g->act == MO_ACT_NONE;
    for (size_t i = 0; add && g->residual != g->c && i < g->m; i++)
        memcpy(g->c + i * g->ldc, g->residual + i * g->ldr, g->n * sizeof(float));
    for (size_t c = 0; c < g->n; c += WIDTH) do_columns(w, g, c, g->n - c < WIDTH ? g->n - c : WIDTH, add);
    finish(kern, g);
}
