/* SPDX-License-Identifier: MIT
 * encoder.c - texts, pixels and pictures to unit vectors, in chunks of bounded memory. */
#include "model/encoder.h"

#include <math.h>
#include <string.h>

#include "base/floats.h"
#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "layer/l2.h"

#define TEXT_ROWS 4096 /* of one plan, before sharing */
#define TOLD_ROWS 1024 /* the same where somebody watches */
#define PICTURES 16    /* preprocessed at once */

size_t mo_encoder_at_once(const mopd_encoder *encoder, size_t most, size_t copies)
{
    const size_t side = encoder->config.image, each = 3 * side * side * sizeof(float) * copies;
    return mo_max(1, mo_min(most, mo_limits_size(MO_LIMIT_TOWER) / each));
}

mopd_status mo_encoder_check_picture(const mopd_encoder *encoder)
{
    const mo_vision *v = encoder->vision;
    const size_t side = encoder->config.image, pixels = 3 * side * side * sizeof(float);
    const char *path = encoder->path, *what = "bytes of memory for one picture";
    mopd_status st = mo_limits_check(MO_LIMIT_TOWER, pixels, path, what);
    if (st == MOPD_OK) st = v->prepare(v);
    return st == MOPD_OK ? mo_limits_check(MO_LIMIT_TOWER, v->bytes(v, encoder->pool, 1), path, what) : st;
}

mopd_status mo_encoder_normalise(float *x, size_t n, size_t dim, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        float norm;
        mo_l2_fwd(x + i * dim, x + i * dim, &norm, 1, dim);
        if (!(norm > 0) || !isfinite(norm) || !mo_floats_finite(x + i * dim, dim))
            return mo_fail(MOPD_E_NUMERIC, "%s %zu: its feature is zero or not finite", what, i);
    }
    return MOPD_OK;
}

mopd_status mo_encoder_tokens(const mopd_encoder *encoder, const char *text, mo_tokens *tokens)
{
    return mo_tokenizer_encode(
        encoder->tokenizer, text, strlen(text), encoder->config.text.context, encoder->truncate, tokens);
}

/* Token ids of all texts, one behind the other; start[i] is where text i begins. */
static mopd_status tokenize(
    const mopd_encoder *e, const char *const *texts, size_t n, mo_tokens *tokens, size_t *start)
{
    for (size_t i = 0; i < n; i++) {
        if (!texts[i]) return mo_fail(MOPD_E_ARG, "text %zu is NULL", i);
        start[i] = tokens->n;
        mopd_status st = mo_encoder_tokens(e, texts[i], tokens);
        if (st != MOPD_OK) return mo_fail_at(st, "text %zu", i);
    }
    start[n] = tokens->n;
    return MOPD_OK;
}

static mopd_status check_text(const mopd_encoder *e, const mo_text_plan *plan)
{
    return mo_limits_check(
        MO_LIMIT_TOWER, mo_text_bytes(e->text, e->pool, plan), e->path, "bytes of memory for one text");
}

/* Texts that take too much together go by halves. */
static mopd_status encode_tokens(
    const mopd_encoder *e, const uint32_t *tokens, const size_t *start, size_t n, float *features)
{
    mo_text_plan *plan;
    mopd_status st = mo_text_plan_create(&plan, e->text, tokens, start, n);
    if (st != MOPD_OK) return st;
    if ((st = mo_text_prepare(e->text, false)) == MOPD_OK) st = check_text(e, plan);
    if (st == MOPD_OK) st = mo_text_fwd(e->text, e->pool, plan, NULL, NULL, features);
    mo_text_plan_free(plan);
    if (st != MOPD_E_UNSUPPORTED || n == 1) return st;
    st = encode_tokens(e, tokens, start, n / 2, features);
    if (st != MOPD_OK) return st;
    return encode_tokens(e, tokens, start + n / 2, n - n / 2, features + n / 2 * e->config.dim);
}

mopd_status mo_encoder_texts(
    const mopd_encoder *encoder, const char *const *texts, size_t n, float *features, mo_progress *progress)
{
    mo_tokens tokens = {0};
    const size_t rows = mo_progress_told(progress) ? TOLD_ROWS : TEXT_ROWS;
    size_t *start = mo_mem_alloc(n + 1, sizeof *start), dim = encoder->config.dim;
    if (!start) return MOPD_E_NOMEM;
    mopd_status st = tokenize(encoder, texts, n, &tokens, start);
    for (size_t i = 0, end; i < n && st == MOPD_OK; i = end) {
        size_t taken = mo_text_plan_most(encoder->text, start[i + 1] - start[i]);
        for (end = i + 1; end < n; end++) {
            taken += mo_text_plan_most(encoder->text, start[end + 1] - start[end]);
            if (taken > rows) break;
        }
        st = encode_tokens(encoder, tokens.id, start + i, end - i, features + i * dim);
        if (st == MOPD_OK) st = mo_progress_add(progress, end - i);
    }
    if (st == MOPD_OK) st = mo_encoder_normalise(features, n, dim, "text");
    mo_mem_free(tokens.id);
    mo_mem_free(start);
    return st;
}

mopd_status mo_encoder_pixels_raw(const mopd_encoder *encoder, const float *pixels, size_t n, float *features)
{
    const mo_vision *v = encoder->vision;
    mopd_status st = mo_encoder_check_picture(encoder);
    return st == MOPD_OK ? mo_vision_fwd(v, encoder->pool, pixels, n, features) : st;
}

mopd_status mo_encoder_pixels(
    const mopd_encoder *encoder, const float *pixels, size_t n, float *features, mo_progress *progress)
{
    size_t picture = 3 * (size_t)encoder->config.image * encoder->config.image, dim = encoder->config.dim;
    const size_t chunk = mo_progress_told(progress) ? PICTURES : n;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n; i++)
        if (!mo_floats_finite(pixels + i * picture, picture))
            return mo_fail(MOPD_E_NUMERIC, "picture %zu: its pixels are not finite", i);
    for (size_t i = 0; i < n && st == MOPD_OK; i += chunk) {
        const size_t now = mo_min(n - i, chunk);
        st = mo_encoder_pixels_raw(encoder, pixels + i * picture, now, features + i * dim);
        if (st == MOPD_OK) st = mo_progress_add(progress, now);
    }
    return st == MOPD_OK ? mo_encoder_normalise(features, n, dim, "picture") : st;
}

typedef struct preprocess {
    const mo_pixels *settings;
    const mo_image *const *pictures;
    size_t n_views, first; /* of each picture; view that task 0 is, counted through */
    mopd_status st[PICTURES];
    float *pixels;
    size_t floats;
} preprocess;

static mopd_status preprocess_view(const preprocess *p, size_t task)
{
    const size_t view = p->first + task;
    return mo_pixels_fixed(
        p->settings, p->pictures[view / p->n_views], view % p->n_views, p->pixels + task * p->floats);
}

static void preprocess_one(void *ctx, size_t task)
{
    preprocess *p = ctx;
    p->st[task] = preprocess_view(p, task);
}

/* Pictures to pixels on all threads.  A failure is made again here, where its message belongs. */
static mopd_status preprocess_all(preprocess *p, mo_pool *pool, size_t n)
{
    mo_pool_run(pool, n, preprocess_one, p);
    for (size_t i = 0; i < n; i++) {
        if (p->st[i] == MOPD_OK) continue;
        mopd_status st = preprocess_view(p, i);
        if (st != MOPD_OK) return mo_fail_at(st, "picture %zu", (p->first + i) / p->n_views);
    }
    return MOPD_OK;
}

mopd_status mo_encoder_pictures(const mopd_encoder *encoder, const mo_image *const *pictures,
    const size_t shape[2], float *features, mo_progress *progress)
{
    const size_t n = shape[0] * shape[1];
    size_t picture = 3 * (size_t)encoder->config.image * encoder->config.image, dim = encoder->config.dim;
    size_t chunk = mo_min(n, mo_encoder_at_once(encoder, PICTURES, 1));
    mopd_status st = mo_encoder_check_picture(encoder);
    if (st != MOPD_OK) return st;
    preprocess p = {
        .settings = &encoder->config.pixels, .pictures = pictures, .n_views = shape[1], .floats = picture};
    p.pixels = mo_mem_alloc(chunk * picture, sizeof *p.pixels);
    if (!p.pixels) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n && st == MOPD_OK; i += chunk) {
        size_t now = mo_min(n - i, chunk);
        p.first = i;
        st = preprocess_all(&p, encoder->pool, now);
        if (st == MOPD_OK) st = mo_encoder_pixels_raw(encoder, p.pixels, now, features + i * dim);
        if (st == MOPD_OK) st = mo_progress_add(progress, now);
    }
    if (st == MOPD_OK) st = mo_encoder_normalise(features, n, dim, "picture");
    mo_mem_free(p.pixels);
    return st;
}
