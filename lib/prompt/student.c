/* SPDX-License-Identifier: MIT
 * student.c - plans of chunks, forward and back. */
#include "prompt/student.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "layer/l2.h"

/* Classes first .. first + n - 1. */
typedef struct chunk {
    size_t first, n;
    mo_text_plan *plan;
} chunk;

#define TOLD_CLASSES 64 /* of a chunk, where somebody watches */

struct mo_student {
    const mopd_encoder *encoder;
    mo_context_shape shape;
    size_t n_classes, dim, width;
    char **name; /* C, for messages */
    float *norm; /* C: lengths of the raw features */
    bool for_training;
    mo_progress *progress;
    mo_text_cache *cache; /* of the chunk computed last; NULL when not training */
    int (*stop)(void *context);
    void *stop_context;
    float *raw; /* features of a chunk computed again, largest chunk x D */
    size_t n_chunks;
    chunk *chunks;
};

static void free_chunks(mo_student *s)
{
    for (size_t i = 0; s->chunks && i < s->n_chunks; i++) mo_text_plan_free(s->chunks[i].plan);
    mo_mem_free(s->chunks);
    s->chunks = NULL;
    s->n_chunks = 0;
}

void mo_student_free(mo_student *s)
{
    if (!s) return;
    mo_text_cache_free(s->cache);
    mo_mem_free(s->raw);
    free_chunks(s);
    for (size_t c = 0; s->name && c < s->n_classes; c++) mo_mem_free(s->name[c]);
    mo_mem_free(s->name);
    mo_mem_free(s->norm);
    mo_mem_free(s);
}

size_t mo_student_chunks(const mo_student *s)
{
    return s->n_chunks;
}

static mopd_status plan_chunk(const mo_student *s, const char *const *classes, chunk *out)
{
    mo_tokens tokens = {0};
    size_t *start = mo_mem_alloc(out->n + 1, sizeof *start);
    if (!start) return MOPD_E_NOMEM;
    mopd_status st = mo_context_tokens(s->encoder, &s->shape, classes + out->first, out->n, &tokens, start);
    if (st == MOPD_OK) st = mo_text_plan_create(&out->plan, s->encoder->text, tokens.id, start, out->n);
    mo_mem_free(tokens.id);
    mo_mem_free(start);
    return st;
}

/* What a chunk needs at once in training, whatever the number of threads: what is kept for the way back, and
 * the work memory of the pass that takes more. */
static size_t chunk_bytes(const mo_student *s, const mo_text_plan *plan)
{
    size_t kept = mo_text_cache_bytes(s->encoder->text, plan),
           work = mo_text_work_bytes(s->encoder->text, plan);
    return mo_add(kept, work, &kept) ? kept : SIZE_MAX;
}

/* Cuts the classes into n chunks of nearly equal size; *largest = bytes of the one that needs most. */
static mopd_status cut(mo_student *s, const char *const *classes, size_t n, size_t *largest)
{
    free_chunks(s);
    if (!(s->chunks = mo_mem_calloc(n, sizeof *s->chunks))) return MOPD_E_NOMEM;
    s->n_chunks = n;
    *largest = 0;
    for (size_t i = 0, first = 0; i < n; i++) {
        chunk *c = &s->chunks[i];
        c->first = first;
        c->n = s->n_classes / n + (i < s->n_classes % n);
        first += c->n;
        mopd_status st = plan_chunk(s, classes, c);
        if (st != MOPD_OK) return st;
        size_t bytes = chunk_bytes(s, c->plan);
        if (bytes > *largest) *largest = bytes;
    }
    return MOPD_OK;
}

/* As few chunks as stay within the limit. */
static mopd_status cut_to_limit(mo_student *s, const mo_student_args *args)
{
    size_t limit = args->limit ? args->limit : MO_STUDENT_MEMORY, largest;
    size_t n = mo_progress_told(s->progress) ? mo_ceil_div(s->n_classes, TOLD_CLASSES) : 1;
    for (;;) {
        mopd_status st = cut(s, args->classes, n, &largest);
        if (st != MOPD_OK || largest <= limit) return st;
        if (n == s->n_classes)
            return mo_fail(
                MOPD_E_ARG, "memory limit: one class needs %zu bytes, %zu are allowed", largest, limit);
        size_t more = n * (largest / limit + (largest % limit != 0)); /* at least n + 1 */
        n = mo_min(mo_max(more, n + 1), s->n_classes);
    }
}

void mo_student_watch(mo_student *s, int (*stop)(void *context), void *context)
{
    s->stop = stop;
    s->stop_context = context;
    if (s->cache) mo_text_cache_watch(s->cache, stop, context);
}

/* The cache of a chunk: the one there is, when it is large enough. */
static mopd_status need_cache(mo_student *s, const chunk *c)
{
    if (!s->for_training || (s->cache && mo_text_cache_fits(s->cache, c->plan))) return MOPD_OK;
    mo_text_cache_free(s->cache);
    s->cache = NULL;
    mopd_status st = mo_text_cache_create(&s->cache, s->encoder->text, c->plan);
    if (st == MOPD_OK) mo_text_cache_watch(s->cache, s->stop, s->stop_context);
    return st;
}

/* What all steps use, for the chunk of most rows. */
static mopd_status open_cache(mo_student *s)
{
    const chunk *most = &s->chunks[0]; /* the first has as many classes as any */
    if (!s->for_training) return MOPD_OK;
    if (!(s->raw = mo_mem_alloc(most->n, s->dim * sizeof *s->raw))) return MOPD_E_NOMEM;
    for (size_t i = 1; i < s->n_chunks; i++)
        if (mo_text_plan_rows(s->chunks[i].plan) > mo_text_plan_rows(most->plan)) most = &s->chunks[i];
    return need_cache(s, most);
}

mopd_status mo_student_create(mo_student **out, const mo_student_args *args)
{
    mo_student *s = mo_mem_calloc(1, sizeof *s);
    if (!s) return MOPD_E_NOMEM;
    mopd_status st = MOPD_E_NOMEM;
    s->encoder = args->encoder;
    s->shape = args->shape;
    s->n_classes = args->n_classes;
    s->dim = mo_text_dim(args->encoder->text);
    s->width = mo_text_width(args->encoder->text);
    s->for_training = args->for_training;
    s->progress = args->progress;
    if (!(s->name = mo_mem_calloc(s->n_classes, sizeof *s->name))) goto fail;
    if (!(s->norm = mo_mem_calloc(s->n_classes, sizeof *s->norm))) goto fail;
    for (size_t c = 0; c < s->n_classes; c++)
        if (!(s->name[c] = mo_mem_strdup(args->classes[c]))) goto fail;
    if ((st = mo_text_prepare(s->encoder->text, args->for_training)) != MOPD_OK) goto fail;
    if ((st = cut_to_limit(s, args)) != MOPD_OK) goto fail;
    if ((st = open_cache(s)) != MOPD_OK) goto fail;
    *out = s;
    return MOPD_OK;
fail:
    mo_student_free(s);
    return st;
}

/* Where a chunk's vectors stand among all. */
static size_t vectors_at(const mo_student *s, const chunk *c)
{
    return s->shape.per_class ? c->first * s->shape.n * s->width : 0;
}

static mopd_status chunk_fwd(mo_student *s, const chunk *c, const float *ctx, float *raw)
{
    mopd_status st = need_cache(s, c);
    if (st != MOPD_OK) return st;
    return mo_text_fwd(s->encoder->text, s->encoder->pool, c->plan, ctx + vectors_at(s, c), s->cache, raw);
}

mopd_status mo_student_fwd(mo_student *s, const float *ctx, float *features)
{
    for (size_t i = 0; i < s->n_chunks; i++) {
        const chunk *c = &s->chunks[i];
        mopd_status st = chunk_fwd(s, c, ctx, features + c->first * s->dim);
        if (st == MOPD_OK) st = mo_progress_add(s->progress, c->n);
        if (st != MOPD_OK) return st;
    }
    mo_l2_fwd(features, features, s->norm, s->n_classes, s->dim);
    for (size_t c = 0; c < s->n_classes; c++) {
        if (!(s->norm[c] > 0) || !isfinite(s->norm[c]))
            return mo_fail(MOPD_E_NUMERIC, "the text feature of class %zu (\"%s\") is zero or not finite", c,
                s->name[c]);
    }
    return MOPD_OK;
}

/* The gradients of one chunk, whose forward pass is in the cache, added to d_ctx. */
static mopd_status chunk_bwd(
    mo_student *s, const chunk *c, size_t n_grads, float *const *d_features, float *const *d_ctx)
{
    mopd_status st = MOPD_OK;
    for (size_t g = 0; g < n_grads && st == MOPD_OK; g++)
        st = mo_text_bwd(s->encoder->text, s->encoder->pool, c->plan, s->cache,
            d_features[g] + c->first * s->dim, d_ctx[g] + vectors_at(s, c));
    return st;
}

mopd_status mo_student_bwd(mo_student *s, const float *ctx, const float *features, size_t n_grads,
    float *const *d_features, float *const *d_ctx)
{
    for (size_t g = 0; g < n_grads; g++) {
        mo_l2_bwd(d_features[g], d_features[g], features, s->norm, s->n_classes, s->dim);
        memset(d_ctx[g], 0, mo_context_vectors(&s->shape, s->n_classes) * s->width * sizeof(float));
    }
    for (size_t i = s->n_chunks; i-- > 0;) { /* the forward pass ended with the last one */
        const chunk *c = &s->chunks[i];
        mopd_status st = i + 1 == s->n_chunks ? MOPD_OK : chunk_fwd(s, c, ctx, s->raw);
        if (st == MOPD_OK) st = chunk_bwd(s, c, n_grads, d_features, d_ctx);
        if (st != MOPD_OK) return st;
    }
    return MOPD_OK;
}
