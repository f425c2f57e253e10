/* SPDX-License-Identifier: MIT
 * merge.c - branches folded one by one (fold.h) and added at the middle of the kernel. */
#include "clip/merge.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "clip/fold.h"
#include "clip/tower.h"

mopd_status mo_merge_begin(mo_merge *out, const mo_weights *weights, double eps, const size_t shape[3])
{
    const size_t k = shape[1] * shape[2] * shape[2];
    *out = (mo_merge){.weights = weights, .eps = eps, .n = shape[0], .in = shape[1], .kernel = shape[2]};
    out->w = mo_mem_calloc(shape[0], (k + 1) * sizeof *out->w);
    if (!out->w) return MOPD_E_NOMEM;
    out->bias = out->w + shape[0] * k;
    return MOPD_OK;
}

void mo_merge_end(mo_merge *m)
{
    mo_mem_free(m->w);
    m->w = m->bias = NULL;
}

/* The numbers of one output: in x k x k. */
static size_t per_output(const mo_merge *m)
{
    return m->in * m->kernel * m->kernel;
}

/* w [n x in x k x k] in the middle. */
static void add(mo_merge *m, const float *w, size_t k)
{
    const size_t edge = (m->kernel - k) / 2;
    for (size_t i = 0; i < m->n * m->in; i++)
        for (size_t y = 0; y < k; y++)
            for (size_t x = 0; x < k; x++)
                m->w[(i * m->kernel + edge + y) * m->kernel + edge + x] += w[(i * k + y) * k + x];
}

static mopd_status check_fits(const mo_merge *m, const size_t shape[4], const char *name)
{
    const size_t k = shape[2] ? shape[2] : 1;
    if (shape[0] == m->n && shape[1] == m->in && k <= m->kernel && (m->kernel - k) % 2 == 0) return MOPD_OK;
    return mo_fail(MOPD_E_INTERNAL, "%s: %zu x %zu of %zu x %zu into %zu x %zu of %zu x %zu", name, shape[0],
        shape[1], k, k, m->n, m->in, m->kernel, m->kernel);
}

mopd_status mo_merge_branch(mo_merge *m, const char *branch)
{
    char conv[MO_PARAM_NAME], norm[MO_PARAM_NAME];
    mo_fold f;
    snprintf(conv, sizeof conv, "%s.conv", branch);
    snprintf(norm, sizeof norm, "%s.bn", branch);
    mopd_status st = mo_fold_read(&f, m->weights, conv, norm, m->eps);
    if (st != MOPD_OK) return st;
    if ((st = check_fits(m, f.shape, branch)) == MOPD_OK) {
        add(m, f.w, f.shape[2]);
        for (size_t i = 0; i < m->n; i++) m->bias[i] += f.bias[i];
    }
    mo_fold_free(&f);
    return st;
}

mopd_status mo_merge_layer(mo_merge *m, const char *name, bool bias)
{
    char full[MO_PARAM_NAME];
    const mo_weight *p;
    float *x;
    snprintf(full, sizeof full, "%s.weight", name);
    mopd_status st = mo_weights_get(m->weights, full, &p);
    if (st == MOPD_OK) st = check_fits(m, p->shape, name);
    if (st == MOPD_OK) st = mo_tower_floats(&x, m->weights, full);
    if (st != MOPD_OK) return st;
    add(m, x, p->n_dims > 2 ? p->shape[2] : 1);
    mo_mem_free(x);
    if (!bias) return MOPD_OK;
    snprintf(full, sizeof full, "%s.bias", name);
    if ((st = mo_tower_floats(&x, m->weights, full)) != MOPD_OK) return st;
    for (size_t i = 0; i < m->n; i++) m->bias[i] += x[i];
    mo_mem_free(x);
    return MOPD_OK;
}

/* Where output o's own input stands. */
static float *own(mo_merge *m, size_t o)
{
    return m->w + o * per_output(m) + (o % m->in * m->kernel + m->kernel / 2) * m->kernel + m->kernel / 2;
}

/* scale [n] and, behind it, shift [n] of a norm; free it. */
static mopd_status read_norm(float **out, const mo_merge *m, const char *norm, size_t n)
{
    float *x = mo_mem_alloc(n, 2 * sizeof *x);
    if (!x) return MOPD_E_NOMEM;
    mopd_status st = mo_fold_norm(x, x + n, m->weights, norm, n, m->eps);
    if (st == MOPD_OK)
        *out = x;
    else
        mo_mem_free(x);
    return st;
}

mopd_status mo_merge_norm(mo_merge *m, const char *norm, float times)
{
    float *scale;
    mopd_status st = read_norm(&scale, m, norm, m->n);
    if (st != MOPD_OK) return st;
    for (size_t o = 0; o < m->n; o++) {
        *own(m, o) += times * scale[o];
        m->bias[o] += times * scale[m->n + o];
    }
    mo_mem_free(scale);
    return MOPD_OK;
}

void mo_merge_through(mo_merge *m)
{
    for (size_t o = 0; o < m->n; o++) *own(m, o) += 1;
}

mopd_status mo_merge_scale(mo_merge *m, const char *gamma)
{
    const size_t k = per_output(m);
    float *x;
    mopd_status st = mo_tower_floats(&x, m->weights, gamma);
    if (st != MOPD_OK) return st;
    for (size_t o = 0; o < m->n; o++) {
        for (size_t i = 0; i < k; i++) m->w[o * k + i] *= x[o];
        m->bias[o] *= x[o];
    }
    mo_mem_free(x);
    return MOPD_OK;
}

/* w (s x + t) = (w s) x + w t */
mopd_status mo_merge_after_norm(mo_merge *m, const char *norm)
{
    float *scale;
    mopd_status st = read_norm(&scale, m, norm, m->in);
    if (st != MOPD_OK) return st;
    for (size_t o = 0; o < m->n; o++) {
        double shift = (double)m->bias[o];
        for (size_t i = 0; i < m->in; i++) {
            float *w = m->w + o * m->in + i;
            shift += (double)*w * (double)scale[m->in + i];
            *w *= scale[i];
        }
        m->bias[o] = (float)shift;
    }
    mo_mem_free(scale);
    return MOPD_OK;
}

mopd_status mo_merge_linear(mo_linear *out, const mo_merge *m, mo_precision precision)
{
    const size_t k = per_output(m);
    const mo_view w = {.data = m->w, .dtype = MO_F32, .n_dims = 2, .shape = {m->n, k}, .n = m->n * k},
                  b = {.data = m->bias, .dtype = MO_F32, .n_dims = 1, .shape = {m->n}, .n = m->n};
    mopd_status st = mo_linear_pack(out, &(mo_linear_part){.weight = &w, .bias = &b}, 1);
    return st == MOPD_OK ? mo_mat_quantize_edge(&out->w, precision) : st;
}

mopd_status mo_merge_depthwise(mo_depthwise *out, const mo_merge *m, size_t stride, mo_act act)
{
    mopd_status st = mo_depthwise_pack(out, m->w, m->bias, (const size_t[3]){m->n, m->kernel, stride});
    if (st != MOPD_OK) return st;
    out->centred = true;
    out->act = act;
    return MOPD_OK;
}
