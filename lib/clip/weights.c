/* SPDX-License-Identifier: MIT
 * weights.c - binds stored tensors to the parameters of a configuration. */
#include "clip/weights.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/view.h"
#include "clip/leftover.h"
#include "clip/wrap.h"

#define SCALES 256    /* looked at at once */
#define MAX_FILES 256 /* shards of one model */

typedef struct entry {
    const char *name;
    const mo_weight *param;
} entry;

struct mo_weights {
    mo_tensors **file;
    size_t n_files;
    mo_weight *param;     /* in the order of params.h */
    const mo_view **used; /* the stored tensor of each, sorted after binding */
    size_t n_params, cap;
    entry *by_name;     /* sorted */
    const char **extra; /* names of stored tensors that nothing uses */
    size_t n_extra;
    char prefix[MO_WRAP_LONGEST]; /* before every stored name */
};

mopd_status mo_weights_create(mo_weights **out)
{
    *out = mo_mem_calloc(1, sizeof **out);
    return *out ? MOPD_OK : MOPD_E_NOMEM;
}

void mo_weights_free(mo_weights *weights)
{
    if (!weights) return;
    for (size_t i = 0; i < weights->n_files; i++) mo_tensors_close(weights->file[i]);
    mo_mem_free(weights->file);
    mo_mem_free(weights->param);
    mo_mem_free((void *)weights->used);
    mo_mem_free(weights->by_name);
    mo_mem_free((void *)weights->extra);
    mo_mem_free(weights);
}

mopd_status mo_weights_add(mo_weights *weights, mo_tensors *file)
{
    mo_tensors **grown = NULL;
    mopd_status st = MOPD_E_NOMEM;
    if (weights->n_files == MAX_FILES)
        st = mo_fail(MOPD_E_UNSUPPORTED, "%s: more than %d weight files", mo_tensors_path(file), MAX_FILES);
    else
        grown = mo_mem_realloc(weights->file, weights->n_files + 1, sizeof(mo_tensors *));
    if (!grown) {
        mo_tensors_close(file);
        return st;
    }
    weights->file = grown;
    weights->file[weights->n_files++] = file;
    return MOPD_OK;
}

mopd_status mo_weights_unwrap(mo_weights *weights)
{
    return mo_wrap_find(weights->prefix, weights->file, weights->n_files);
}

static const mo_view *find(const mo_weights *w, const char *stored, size_t *file)
{
    char whole[MO_WRAP_LONGEST + MO_NAMING_LONGEST];
    if (*w->prefix) {
        if (snprintf(whole, sizeof whole, "%s%s", w->prefix, stored) >= (int)sizeof whole) return NULL;
        stored = whole;
    }
    for (size_t i = 0; i < w->n_files; i++) {
        const mo_view *v = mo_tensors_find(w->file[i], stored);
        if (!v) continue;
        *file = i;
        return v;
    }
    return NULL;
}

const mo_view *mo_weights_raw(const mo_weights *weights, const char *stored)
{
    size_t file;
    return find(weights, stored, &file);
}

static void shape_text(char *text, size_t size, int n_dims, const size_t *shape)
{
    size_t at = 0;
    text[at++] = '[';
    for (int i = 0; i < n_dims && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%zu", i ? ", " : "", shape[i]);
    if (at < size) snprintf(text + at, size - at, "]");
}

/* The stored shape that a spec asks for: all parts of a tensor that holds several, turned round when in_out, behind
 * ones when led.  Returns its dimensions. */
static int stored_shape(const mo_param_spec *s, const mo_naming_place *at, size_t shape[8])
{
    size_t *to = shape + at->led;
    for (int i = 0; i < at->led; i++) shape[i] = 1;
    memcpy(to, s->shape, 4 * sizeof *to);
    if (at->parts) to[0] = s->shape[0] * (size_t)at->parts;
    if (at->in_out) {
        to[0] = s->shape[1];
        to[1] = s->shape[0];
    }
    return s->n_dims + at->led;
}

static bool shape_fits(const mo_view *v, int n_dims, const size_t *shape)
{
    if (n_dims == 0) return v->n == 1;
    if (v->n_dims != n_dims) return false;
    for (int i = 0; i < n_dims; i++)
        if (v->shape[i] != shape[i]) return false;
    return true;
}

/* A matrix of panels of groups of g: its inputs, or 0. */
static size_t panel_inputs(const mo_view *v, const mo_param_spec *s, size_t g)
{
    size_t k = 1;
    for (int i = 1; i < s->n_dims; i++) k *= s->shape[i];
    const bool cut = s->n_dims > 1 && s->shape[0] % MO_VIEW_PANEL == 0 && k % g == 0;
    const bool dims = v->n_dims == (g == 1 ? 3 : 4) && (g == 1 || v->shape[3] == g);
    const bool fits = cut && dims && v->shape[0] == s->shape[0] / MO_VIEW_PANEL && v->shape[1] == k / g &&
                      v->shape[2] == MO_VIEW_PANEL;
    return fits ? k : 0;
}

static void cut_part(mo_weight *p, const mo_param_spec *s, int part)
{
    size_t n = 1;
    for (int i = 0; i < s->n_dims; i++) n *= s->shape[i];
    p->view.data = (const unsigned char *)p->view.data + (size_t)part * n * mo_dtype_size(p->view.dtype);
    p->view.shape[0] = s->shape[0];
    p->view.n = n;
}

static bool grow(mo_weights *w)
{
    size_t cap = w->cap ? 2 * w->cap : 256;
    mo_weight *params = mo_mem_realloc(w->param, cap, sizeof *params);
    if (!params) return false;
    w->param = params;
    const mo_view **used = mo_mem_realloc((void *)w->used, cap, sizeof *used);
    if (!used) return false;
    w->used = used;
    w->cap = cap;
    return true;
}

/* The view of panels has the shape that was asked for. */
static void see_panels(mo_weight *p, const mo_param_spec *s, size_t g)
{
    p->view.panel_inputs = panel_inputs(&p->view, s, g);
    if (!p->view.panel_inputs) return;
    p->view.panel_group = g;
    p->view.n_dims = s->n_dims;
    memcpy(p->view.shape, s->shape, sizeof s->shape);
}

typedef struct binding {
    mo_weights *weights;
    const mo_naming *naming;
} binding;

/* The scales of 8-bit numbers, one for each row or equal part of it, beside them in their file. */
static mopd_status check_scale(const char *path, const char *name, const mo_view *scale, const mo_view *v)
{
    const size_t rows = v->shape[0], parts = scale->n_dims == 2 ? scale->shape[1] : 1;
    if (v->panel_inputs && parts != 1)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor %s has several scales an output, which panels cannot have",
            path, name);
    if (scale->dtype != MO_F32 || scale->n_dims < 1 || scale->n_dims > 2 || scale->shape[0] != rows ||
        !parts || v->n / rows % parts)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor %s is not F32 [%zu] or [%zu, equal parts of %zu]", path,
            name, rows, rows, v->n / rows);
    for (size_t i = 0; i < scale->n; i += SCALES) {
        float x[SCALES];
        const size_t n = scale->n - i < SCALES ? scale->n - i : SCALES;
        mo_view_floats(scale, i, n, x);
        for (size_t j = 0; j < n; j++)
            if (!(x[j] >= 0 && x[j] <= FLT_MAX))
                return mo_fail(MOPD_E_FORMAT, "%s: tensor %s has the scale %g", path, name, (double)x[j]);
    }
    return MOPD_OK;
}

/* The sums of panels: as they are no larger than numbers of 8 bits can make them, no product of theirs overflows. */
static mopd_status check_sum(const char *path, const char *name, const mo_view *sum, const mo_view *v)
{
    const size_t rows = v->shape[0], most = 128 * v->panel_inputs;
    if (sum->dtype != MO_I32 || sum->n_dims != 1 || sum->shape[0] != rows)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor %s is not I32 [%zu]", path, name, rows);
    for (size_t i = 0; i < rows; i++) {
        int32_t x;
        memcpy(&x, (const unsigned char *)sum->data + i * sizeof x, sizeof x);
        if (x > (int64_t)most || x < -(int64_t)most)
            return mo_fail(MOPD_E_FORMAT, "%s: tensor %s has the sum %d of %zu numbers of 8 bits", path, name,
                (int)x, v->panel_inputs);
    }
    return MOPD_OK;
}

/* The tensor NAME and what it ends with; NULL, or `name` says its whole name. */
static const mo_view *find_beside(
    char name[MO_NAMING_LONGEST + 8], const mo_tensors *t, const char *stored, const char *end)
{
    snprintf(name, MO_NAMING_LONGEST + 8, "%s%s", stored, end);
    return mo_tensors_find(t, name);
}

static mopd_status find_sum(const mo_tensors *t, const mo_naming_place *at, mo_view *v)
{
    char name[MO_NAMING_LONGEST + 8];
    const mo_view *sum = find_beside(name, t, at->name, MO_WEIGHTS_SUM);
    if (!sum)
        return mo_fail(
            MOPD_E_MISMATCH, "%s: tensor %s is missing; panels of I8 need it", mo_tensors_path(t), name);
    v->sum = sum->data;
    return check_sum(mo_tensors_path(t), name, sum, v);
}

/* Packed files have tensors of 8-bit numbers; others mean something else by them. */
static mopd_status find_scale(const binding *b, const mo_naming_place *at, size_t file, mo_view *v)
{
    char name[MO_NAMING_LONGEST + 8];
    const mo_tensors *t = b->weights->file[file];
    const mo_view *scale = b->naming->scaled ? find_beside(name, t, at->name, MO_WEIGHTS_SCALE) : NULL;
    if (!scale)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: tensor %s is I8; F32, F16, BF16 or F64 can be used",
            mo_tensors_path(t), at->name);
    v->scale = scale->data;
    v->n_scales = scale->n;
    const mopd_status st = check_scale(mo_tensors_path(t), name, scale, v);
    return st == MOPD_OK && v->panel_inputs ? find_sum(t, at, v) : st;
}

/* The stored tensor of a parameter, checked. */
static mopd_status find_stored(const mo_weights *w, const mo_param_spec *spec, const mo_naming_place *at,
    const mo_view **out, size_t *file)
{
    char have[128], want[128];
    size_t shape[8];
    const int n_dims = stored_shape(spec, at, shape);
    shape_text(want, sizeof want, n_dims, shape);
    const mo_view *v = find(w, at->name, file);
    if (!v)
        return mo_fail(MOPD_E_MISMATCH, "%s: tensor %s%s is missing; the configuration asks for shape %s",
            mo_tensors_path(w->file[w->n_files - 1]), w->prefix, at->name, want);
    const char *path = mo_tensors_path(w->file[*file]);
    if (!shape_fits(v, n_dims, shape) && !(at->panels && panel_inputs(v, spec, at->panels))) {
        shape_text(have, sizeof have, v->n_dims, v->shape);
        return mo_fail(MOPD_E_MISMATCH, "%s: tensor %s has shape %s; the configuration says %s", path,
            at->name, have, want);
    }
    if (v->dtype != MO_F32 && v->dtype != MO_F16 && v->dtype != MO_BF16 && v->dtype != MO_F64 &&
        !(v->dtype == MO_I8 && v->n_dims > 1))
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: tensor %s is %s; F32, F16, BF16 or F64 can be used", path,
            at->name, mo_dtype_name(v->dtype));
    *out = v;
    return MOPD_OK;
}

static mopd_status bind_one(void *ctx, const mo_param_spec *spec)
{
    const binding *b = ctx;
    mo_weights *w = b->weights;
    mo_naming_place at;
    const mo_view *v = NULL;
    size_t file = 0;
    mo_naming_find(&at, b->naming, spec->name);
    mopd_status st = find_stored(w, spec, &at, &v, &file);
    if (st != MOPD_OK) return st;
    if (w->n_params == w->cap && !grow(w)) return MOPD_E_NOMEM;
    w->used[w->n_params] = v;
    mo_weight *p = &w->param[w->n_params++];
    *p = (mo_weight){.view = *v, .in_out = at.in_out, .n_dims = spec->n_dims, .file = file};
    memcpy(p->name, spec->name, sizeof p->name);
    memcpy(p->shape, spec->shape, sizeof p->shape);
    if (at.panels) see_panels(p, spec, at.panels);
    if (p->view.dtype == MO_I8) return find_scale(b, &at, file, &p->view);
    if (at.parts) cut_part(p, spec, at.part);
    return MOPD_OK;
}

static int compare_views(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const mo_view *const *)a, y = (uintptr_t) * (const mo_view *const *)b;
    return (x > y) - (x < y);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

mopd_status mo_weights_bind(mo_weights *weights, const mo_config *config, const mo_naming *naming)
{
    binding b = {weights, naming};
    mopd_status st = mo_params_each(config, bind_one, &b);
    if (st != MOPD_OK) return st;
    qsort((void *)weights->used, weights->n_params, sizeof *weights->used, compare_views);
    const mo_leftover rest = {
        weights->file, weights->n_files, weights->used, weights->n_params, naming, weights->prefix};
    if ((st = mo_leftover_find(&rest, &weights->extra, &weights->n_extra)) != MOPD_OK) return st;
    weights->by_name = mo_mem_alloc(weights->n_params, sizeof *weights->by_name);
    if (!weights->by_name) return MOPD_E_NOMEM;
    for (size_t i = 0; i < weights->n_params; i++)
        weights->by_name[i] = (entry){weights->param[i].name, &weights->param[i]};
    qsort(weights->by_name, weights->n_params, sizeof *weights->by_name, compare_entries);
    return MOPD_OK;
}

mopd_status mo_weights_get(const mo_weights *weights, const char *name, const mo_weight **out)
{
    entry key = {name, NULL};
    const entry *e = bsearch(&key, weights->by_name, weights->n_params, sizeof *e, compare_entries);
    if (!e) return mo_fail(MOPD_E_INTERNAL, "parameter %s was never bound", name);
    *out = e->param;
    return MOPD_OK;
}

size_t mo_weights_n_extra(const mo_weights *weights)
{
    return weights->n_extra;
}

const char *mo_weights_extra(const mo_weights *weights, size_t i)
{
    return weights->extra[i];
}

const char *mo_weights_prefix(const mo_weights *weights)
{
    return weights->prefix;
}

size_t mo_weights_count(const mo_weights *weights)
{
    return weights->n_params;
}
const mo_weight *mo_weights_at(const mo_weights *weights, size_t i)
{
    return &weights->param[i];
}

void mo_weights_floats(const mo_weight *param, size_t first, size_t n, float *out)
{
    if (!param->in_out) {
        mo_view_floats(&param->view, first, n, out);
        return;
    }
    size_t outputs = param->shape[0], inputs = param->shape[1];
    for (size_t i = 0; i < n; i++) {
        size_t at = first + i;
        mo_view_floats(&param->view, at % inputs * outputs + at / inputs, 1, out + i);
    }
}

void mo_weights_release(const mo_weights *weights, const mo_weight *param)
{
    mo_tensors_release(weights->file[param->file], &param->view);
}

uint64_t mo_weights_parameters(const mo_weights *weights)
{
    uint64_t n = 0;
    for (size_t i = 0; i < weights->n_params; i++) n += weights->param[i].view.n;
    return n;
}

static uint64_t bytes_of(const mo_view *v)
{
    const uint64_t scales = v->scale ? v->n_scales * (v->sum ? 2 : 1) * sizeof(float) : 0;
    return (uint64_t)v->n * mo_dtype_size(v->dtype) + scales;
}

uint64_t mo_weights_bytes(const mo_weights *weights)
{
    uint64_t n = 0;
    for (size_t i = 0; i < weights->n_params; i++) n += bytes_of(&weights->param[i].view);
    return n;
}

bool mo_weights_same(const mo_weights *a, const mo_weights *b)
{
    bool same = a->n_files == b->n_files;
    for (size_t i = 0; i < a->n_files && same; i++) same = mo_tensors_same(a->file[i], b->file[i]);
    return same;
}
