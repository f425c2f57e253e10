/* SPDX-License-Identifier: MIT
 * encoder_open.c - a path to an open model: what lies there, then its parts, then the towers.  And shares of
 * one: the same parts, which the last of them frees. */
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "model/builtin.h"
#include "model/encoder.h"
#include "model/fingerprint.h"
#include "model/layouts/hub_cache.h"
#include "model/layouts/layouts.h"
#include "model/layouts/packed.h"

/* In a cache of the hub the model is a folder further down. */
static mopd_status enter_cache(mopd_encoder *e)
{
    char *inner;
    mopd_status st = mo_hub_cache_find(&inner, e->path);
    if (st != MOPD_OK || !inner) return st;
    mo_mem_free(e->path);
    e->path = inner;
    return MOPD_OK;
}

static mopd_status open_parts(mopd_encoder *e, bool read)
{
    const mo_layout *layout;
    mopd_status st = enter_cache(e);
    if (st == MOPD_OK) st = mo_layouts_find(&layout, e->path);
    if (st != MOPD_OK) return st;
    e->layout = layout->name;
    return layout->open(e, e->path, read);
}

/* Tokenizer and text tower must mean the same ids. */
static mopd_status check_tokenizer(const mopd_encoder *e)
{
    const mo_text_config *t = &e->config.text;
    size_t ids = mo_tokenizer_n_ids(e->tokenizer);
    uint32_t end = mo_tokenizer_end(e->tokenizer);
    if (ids > t->vocab)
        return mo_fail(MOPD_E_MISMATCH, "%s: the tokenizer has %zu ids, the token embedding %u rows", e->path,
            ids, t->vocab);
    if (t->mask == MO_MASK_NONE && t->pad_id >= t->vocab)
        return mo_fail(MOPD_E_MISMATCH,
            "%s: the tokenizer fills up with id %u, the token embedding has %u rows", e->path, t->pad_id,
            t->vocab);
    if (t->end_rule == MO_END_FIRST && end != t->end_id)
        return mo_fail(MOPD_E_MISMATCH, "%s: the configuration's end token is %u, the tokenizer's %u",
            e->path, t->end_id, end);
    return MOPD_OK;
}

static mopd_status read_scale(mopd_encoder *e)
{
    const mo_weight *p;
    mopd_status st = mo_weights_get(e->weights, "logit_scale", &p);
    if (st != MOPD_OK) return st;
    float stored;
    mo_weights_floats(p, 0, 1, &stored);
    e->logit_scale = expf(stored);
    if (!isfinite(e->logit_scale))
        return mo_fail(MOPD_E_NUMERIC, "%s: logit_scale is %g", e->path, (double)stored);
    return MOPD_OK;
}

static mopd_status read_bias(mopd_encoder *e)
{
    const mo_weight *p;
    if (!e->config.logit_bias) return MOPD_OK;
    mopd_status st = mo_weights_get(e->weights, "logit_bias", &p);
    if (st != MOPD_OK) return st;
    mo_weights_floats(p, 0, 1, &e->logit_bias);
    if (!isfinite(e->logit_bias))
        return mo_fail(MOPD_E_NUMERIC, "%s: logit_bias is %g", e->path, (double)e->logit_bias);
    return MOPD_OK;
}

/* The layout's own way with texts, unless another is asked for. */
static void choose_cleaning(mopd_encoder *e, uint32_t flags)
{
    const bool cleans = e->cleaning != MO_CLEANING_TRANSFORMERS && e->cleaning != MO_CLEANING_APOSTROPHES;
    if (flags & MOPD_TEXT_CLEAN && !cleans) e->cleaning = mo_tokenizer_cleaned(e->tokenizer);
    if (flags & MOPD_TEXT_AS_IS) e->cleaning = MO_CLEANING_TRANSFORMERS;
    mo_tokenizer_set_cleaning(e->tokenizer, e->cleaning);
}

static const struct precision {
    int32_t value;
    mo_precision products;
    const char *word;
} precisions[] = {{MOPD_PRECISION_F32, MO_PRECISION_F32, "f32"},
    {MOPD_PRECISION_BF16, MO_PRECISION_16, "bf16"}, {MOPD_PRECISION_INT8, MO_PRECISION_8, "int8"}};
#define N_PRECISIONS (sizeof precisions / sizeof *precisions)

static const struct precision *precision_of(int32_t value)
{
    size_t i = N_PRECISIONS - 1;
    while (i && precisions[i].value != value) i--;
    return &precisions[i];
}

const char *mo_encoder_precision_name(int32_t precision)
{
    return precision_of(precision)->word;
}

bool mo_encoder_precision_find(int32_t *precision, const char *word)
{
    for (size_t i = 1; i < N_PRECISIONS; i++)
        if (!strcmp(precisions[i].word, word)) {
            *precision = precisions[i].value;
            return true;
        }
    return false;
}

mo_precision mo_encoder_products(const mopd_encoder *encoder)
{
    return precision_of(encoder->precision)->products;
}

static mopd_status make_towers(mopd_encoder *e, size_t n_threads)
{
    mopd_status st;
    e->recommended_lr = (float)e->config.recommended_lr;
    const uint64_t side = e->config.image;
    st = mo_limits_check(
        MO_LIMIT_TOWER, 3 * side * side * sizeof(float), e->path, "bytes of pixels for one picture");
    if (st != MOPD_OK || (st = check_tokenizer(e)) != MOPD_OK) return st;
    if ((st = read_scale(e)) != MOPD_OK) return st;
    if ((st = read_bias(e)) != MOPD_OK) return st;
    if ((st = mo_fingerprint_model(e->fingerprint, &e->config, e->weights)) != MOPD_OK) return st;
    mo_towers *towers;
    if ((st = mo_towers_get(&towers, e->weights, &e->config, mo_encoder_products(e), e->fingerprint)) !=
        MOPD_OK)
        return st;
    e->core->towers = towers;
    e->weights = towers->weights;
    e->vision = towers->vision;
    e->text = towers->text;
    st = mo_pool_create(&e->core->pool, n_threads ? n_threads : mo_pool_default_threads());
    e->pool = e->core->pool;
    return st;
}

/* An encoder of one user with empty weights and no other part; NULL: no memory. */
static mopd_encoder *begin(const mopd_encoder_options *options)
{
    mopd_encoder *e = mo_mem_calloc(1, sizeof *e);
    if (!e) return NULL;
    if (!(e->core = mo_mem_calloc(1, sizeof *e->core))) {
        mo_mem_free(e);
        return NULL;
    }
    atomic_init(&e->core->users, 1);
    e->truncate = (options->flags & MOPD_TEXT_TRUNCATE) != 0;
    e->rules.scale16 = (options->flags & MOPD_OPEN_SCALE_GREY16) != 0;
    e->rules.upright = (options->flags & MOPD_OPEN_UPRIGHT) != 0;
    e->precision = options->precision == MOPD_PRECISION_AUTO ? MOPD_PRECISION_F32 : options->precision;
    if (mo_weights_create(&e->weights) == MOPD_OK) return e;
    mo_encoder_close(e);
    return NULL;
}

static mopd_status finish(
    mopd_encoder **out, mopd_encoder *e, mopd_status st, const mopd_encoder_options *options)
{
    if (st == MOPD_OK) choose_cleaning(e, options->flags);
    if (st == MOPD_OK) st = make_towers(e, options->n_threads);
    if (st == MOPD_OK)
        *out = e;
    else
        mo_encoder_close(e);
    return st;
}

mopd_status mo_encoder_open(mopd_encoder **out, const char *path, const mopd_encoder_options *options)
{
    mopd_encoder *e = begin(options);
    mopd_status st = MOPD_OK;
    *out = NULL;
    if (!e) return MOPD_E_NOMEM;
    if (path)
        st = (e->path = mo_mem_strdup(path)) ? MOPD_OK : MOPD_E_NOMEM;
    else
        st = mo_builtin_path(&e->path);
    if (st == MOPD_OK) st = open_parts(e, (options->flags & MOPD_OPEN_READ) != 0);
    return finish(out, e, st, options);
}

mopd_status mo_encoder_open_memory(
    mopd_encoder **out, const void *bytes, size_t n, const mopd_encoder_options *options)
{
    mopd_encoder *e = begin(options);
    *out = NULL;
    if (!e) return MOPD_E_NOMEM;
    mopd_status st = (e->path = mo_mem_strdup("model in memory")) ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK && options->flags & MOPD_OPEN_READ) {
        e->core->bytes = mo_mem_alloc(n, 1);
        if (e->core->bytes)
            bytes = memcpy(e->core->bytes, bytes, n);
        else
            st = MOPD_E_NOMEM;
    }
    e->layout = mo_layout_packed.name;
    if (st == MOPD_OK) st = mo_packed_open_bytes(e, bytes, n);
    return finish(out, e, st, options);
}

mopd_status mo_encoder_share(
    mopd_encoder **out, const mopd_encoder *encoder, const mopd_share_options *options)
{
    mo_pool *own = NULL;
    mopd_encoder *e = mo_mem_alloc(1, sizeof *e);
    mopd_status st = e ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK && options->n_threads) st = mo_pool_create(&own, options->n_threads);
    if (st != MOPD_OK) {
        mo_mem_free(e);
        return st;
    }
    *e = *encoder;
    e->pool = own ? own : e->core->pool;
    e->watcher = (mo_progress_watcher){options->progress, options->context};
    atomic_fetch_add(&e->core->users, 1);
    *out = e;
    return MOPD_OK;
}

static void free_parts(mopd_encoder *e)
{
    mo_pool_free(e->core->pool);
    if (!e->core->towers) mo_weights_free(e->weights);
    mo_towers_release(e->core->towers);
    mo_tokenizer_free(e->tokenizer);
    mo_mem_free(e->path);
    mo_mem_free(e->core->bytes);
    mo_mem_free(e->core);
}

void mo_encoder_close(mopd_encoder *encoder)
{
    if (!encoder) return;
    if (encoder->pool != encoder->core->pool) mo_pool_free(encoder->pool);
    if (atomic_fetch_sub(&encoder->core->users, 1) == 1) free_parts(encoder);
    mo_mem_free(encoder);
}
