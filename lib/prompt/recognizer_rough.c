/* SPDX-License-Identifier: MIT
 * recognizer_rough.c - the scores of pictures left out in single precision, which takes half the time, for candidates that are
 * only compared.  Whatever is near the best is compared again in double precision (recognizer_fit.c).
 *
 * Differences from the class means are taken in double precision, r = z - mu_y, so that what is lost later is small beside q
 * and u: x'P mu_c = r'P mu_c + mu_y'P mu_c + o'P mu_c. */
#include "base/mem.h"
#include "math/gemm.h"
#include "math/measure.h"
#include "prompt/recognizer_inner.h"

static size_t row_floats(const mo_recognizer_parts *p)
{
    return p->data->dim + MO_MEASURE_GAP;
}

mopd_status mo_recognizer_rough_create(mo_recognizer_rough *out, const mo_recognizer_parts *p)
{
    const size_t n = p->data->n, c_all = p->data->n_classes;
    const bool views = p->off.packed != NULL;
    *out = (mo_recognizer_rough){.views = views};
    out->r = mo_mem_alloc(n, row_floats(p) * sizeof(float));
    out->u = mo_mem_alloc(n, c_all * sizeof(float));
    out->means = mo_mem_alloc(c_all, c_all * sizeof(double));
    out->small = mo_mem_alloc(n, 2 * sizeof(float));
    out->length = mo_mem_alloc(n, 2 * sizeof(double));
    if (views) out->off = mo_mem_alloc(n, row_floats(p) * sizeof(float));
    if (views) out->more = mo_mem_alloc(n, c_all * sizeof(double));
    if (out->r && out->u && out->means && out->small && out->length && (!views || (out->off && out->more)))
        return MOPD_OK;
    mo_recognizer_rough_free(out);
    return MOPD_E_NOMEM;
}

void mo_recognizer_rough_free(mo_recognizer_rough *r)
{
    mo_mem_free(r->r);
    mo_mem_free(r->off);
    mo_mem_free(r->u);
    mo_mem_free(r->more);
    mo_mem_free(r->means);
    mo_mem_free(r->small);
    mo_mem_free(r->length);
    *r = (mo_recognizer_rough){0};
}

typedef struct job {
    const mo_recognizer_rough *of;
    const mo_recognizer_gauss *g;
    const mo_recognizer_parts *p;
    double *scores; /* N x C */
} job;

/* r and o of a picture. */
static void fill(void *ctx, size_t i)
{
    const job *j = ctx;
    const mo_recognizer_data *d = j->p->data;
    const size_t n_views = j->of->views ? d->n_views : 1;
    const float *x = mo_recognizer_picture(d, i);
    const double *mean = j->g->mean + (size_t)d->labels[i] * d->dim;
    float *r = j->of->r + i * row_floats(j->p),
          *off = j->of->views ? j->of->off + i * row_floats(j->p) : NULL;
    for (size_t k = 0; k < d->dim; k++) {
        double z = (double)x[k];
        for (size_t v = 1; v < n_views; v++) z += (double)x[v * d->dim + k];
        z /= (double)n_views;
        r[k] = (float)(z - mean[k]);
        if (off) off[k] = (float)((double)x[k] - z);
    }
}

/* What single precision gave becomes what recognizer_gauss.c has. */
static void widen(void *ctx, size_t i)
{
    const job *j = ctx;
    const size_t c_all = j->p->data->n_classes, n = j->p->data->n;
    const float *u = j->of->u + i * c_all;
    const double *near = j->of->means + (size_t)j->p->data->labels[i] * c_all;
    double *v = j->scores + i * c_all;
    for (size_t c = 0; c < c_all; c++) v[c] = (double)u[c] + near[c];
    j->of->length[i] = (double)j->of->small[i];
    if (!j->of->views) return;
    j->of->length[n + i] = (double)j->of->small[n + i];
    for (size_t c = 0; c < c_all; c++) v[c] += j->of->more[i * c_all + c];
}

/* u (N x C) = rows times P mu. */
static void multiply(const job *j, const mo_mat *toward, const float *rows)
{
    const mo_recognizer_data *d = j->p->data;
    mo_gemm(j->p->pool, toward,
        &(mo_gemm_args){.c = j->of->u, .ldc = d->n_classes, .a = rows, .lda = row_floats(j->p), .m = d->n});
}

/* u of r, and o'P mu. */
static mopd_status multiply_all(const job *j)
{
    const mo_recognizer_data *d = j->p->data;
    const size_t nc = d->n * d->n_classes;
    const mo_view view = {.data = j->g->toward,
        .dtype = MO_F64,
        .n_dims = 2,
        .shape = {d->n_classes, d->dim},
        .n = d->n_classes * d->dim};
    mo_mat toward = {0};
    mopd_status st = mo_mat_pack(&toward, &(mo_mat_part){&view, false}, 1);
    if (st != MOPD_OK) return st;
    if (j->of->views) multiply(j, &toward, j->of->off);
    for (size_t i = 0; i < nc && j->of->views; i++) j->of->more[i] = (double)j->of->u[i];
    multiply(j, &toward, j->of->r);
    mo_mat_free(&toward);
    return MOPD_OK;
}

mopd_status mo_recognizer_leave_roughly(
    double *scores, mo_recognizer_rough *rough, const mo_recognizer_gauss *g, const mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    const job j = {rough, g, p, scores};
    if (rough->kappa != g->kappa) mo_pool_run(p->pool, d->n, fill, (void *)(uintptr_t)&j);
    rough->kappa = g->kappa;
    mopd_status st = mo_measure(p->pool, &(mo_measure_args){rough->r, rough->off, d->n, d->dim, g->inverse,
                                             rough->small, rough->small + d->n});
    if (st == MOPD_OK) st = multiply_all(&j);
    if (st == MOPD_OK) st = mo_recognizer_multiply_means(rough->means, g, p);
    if (st != MOPD_OK) return st;
    mo_pool_run(p->pool, d->n, widen, (void *)(uintptr_t)&j);
    mo_recognizer_leave_rows(&(mo_recognizer_rows){
        g, p, rough->length, rough->length + d->n, rough->views ? rough->more : NULL, rough->means, scores});
    return MOPD_OK;
}
