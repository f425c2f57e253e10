/* SPDX-License-Identifier: MIT
 * fold.c - reads the five parameters, folds, and gives the file's pages back. */
#include "clip/fold.h"

#include <stdio.h>
#include <string.h>

#include "base/floats.h"
#include "base/mem.h"
#include "layer/conv.h"

/* A norm's numbers are finite, its variances not negative. */
static mopd_status check_norm(const float *x, size_t n, const char *name, bool variances)
{
    if (!mo_floats_finite(x, n))
        return mo_fail(MOPD_E_NUMERIC, "tensor \"%s\" has a number that is not finite", name);
    for (size_t i = 0; i < n && variances; i++)
        if (x[i] < 0) return mo_fail(MOPD_E_NUMERIC, "tensor \"%s\" has the variance %g", name, (double)x[i]);
    return MOPD_OK;
}

static mopd_status read_norm(float *to, const mo_weights *weights, const char *norm, size_t n)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (size_t i = 0; i < 4; i++) {
        char name[MO_PARAM_NAME];
        const mo_weight *p;
        snprintf(name, sizeof name, "%s.%s", norm, parts[i]);
        mopd_status st = mo_weights_get(weights, name, &p);
        if (st != MOPD_OK) return st;
        mo_weights_floats(p, 0, n, to + i * n);
        if ((st = check_norm(to + i * n, n, name, i == 3)) != MOPD_OK) return st;
    }
    return MOPD_OK;
}

mopd_status mo_fold_read(
    mo_fold *out, const mo_weights *weights, const char *conv, const char *norm, double eps)
{
    char name[MO_PARAM_NAME];
    const mo_weight *p;
    memset(out, 0, sizeof *out);
    snprintf(name, sizeof name, "%s.weight", conv);
    mopd_status st = mo_weights_get(weights, name, &p);
    if (st != MOPD_OK) return st;
    const size_t n = p->shape[0], k = p->view.n / n;
    float *x = mo_mem_alloc(n * k + 5 * n, sizeof *x);
    if (!x) return MOPD_E_NOMEM;
    float *gb = x + n * k + n;
    mo_weights_floats(p, 0, n * k, x);
    mo_weights_release(weights, p);
    if ((st = read_norm(gb, weights, norm, n)) != MOPD_OK) {
        mo_mem_free(x);
        return st;
    }
    const mo_batch_norm bn = {gb, gb + n, gb + 2 * n, gb + 3 * n, (float)eps};
    out->w = x;
    out->bias = x + n * k;
    memcpy(out->shape, p->shape, sizeof out->shape);
    mo_conv_fold_batch_norm(out->w, out->bias, &bn, n, k);
    out->view = (mo_view){.data = out->w, .dtype = MO_F32, .n_dims = 2, .shape = {n, k}, .n = n * k};
    out->bias_view = (mo_view){.data = out->bias, .dtype = MO_F32, .n_dims = 1, .shape = {n}, .n = n};
    return MOPD_OK;
}

mopd_status mo_fold_norm(
    float *scale, float *shift, const mo_weights *weights, const char *norm, size_t n, double eps)
{
    float *gb = mo_mem_alloc(n, 4 * sizeof *gb);
    if (!gb) return MOPD_E_NOMEM;
    mopd_status st = read_norm(gb, weights, norm, n);
    const mo_batch_norm bn = {gb, gb + n, gb + 2 * n, gb + 3 * n, (float)eps};
    for (size_t i = 0; i < n; i++) scale[i] = 1;
    if (st == MOPD_OK) mo_conv_fold_batch_norm(scale, shift, &bn, n, 1);
    mo_mem_free(gb);
    return st;
}

void mo_fold_free(mo_fold *fold)
{
    mo_mem_free(fold->w);
    fold->w = fold->bias = NULL;
}

mopd_status mo_fold_pack(
    mo_linear *out, const mo_weights *weights, const char *const names[2], double eps, mo_precision precision)
{
    mo_fold f;
    mopd_status st = mo_fold_read(&f, weights, names[0], names[1], eps);
    if (st != MOPD_OK) return st;
    const mo_linear_part part = {.weight = &f.view, .bias = &f.bias_view};
    st = mo_linear_pack(out, &part, 1);
    if (st == MOPD_OK) st = mo_mat_quantize(&out->w, precision);
    mo_fold_free(&f);
    return st;
}
