/* SPDX-License-Identifier: MIT
 * recognizer_create.c - recognisers made, extended, withdrawn from, shown for other classes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "base/wide.h"
#include "model/encoder.h"
#include "prompt/bank.h"
#include "prompt/promptfile.h"
#include "prompt/recognizer_handle.h"
#include "prompt/template.h"
#include "token/fold.h"

/* Where many pictures are to say that views help, their mean loss falls by so much, and by so many standard errors. */
#define VIEWS_FALL 0.05
#define VIEWS_SURE 3.0

mopd_recognizer *mo_recognizer_new(void)
{
    mopd_recognizer *r = mo_mem_calloc(1, sizeof *r);
    if (r && mo_once_init(&r->once) != MOPD_OK) {
        mo_mem_free(r);
        return NULL;
    }
    if (r) r->sure = -1;
    return r;
}

void mo_recognizer_free(mopd_recognizer *r)
{
    if (!r) return;
    mo_mem_free(r->features);
    mo_mem_free(r->labels);
    mo_mem_free(r->text);
    mo_mem_free(r->shown);
    mo_names_free(&r->classes);
    mo_names_free(&r->templates);
    mo_prompt_free(r->prompt);
    mo_recognizer_sums_free(&r->sums);
    mo_recognizer_fit_free(&r->fit);
    mo_mem_free(r->loo);
    mo_mem_free(r->judgement.score);
    mo_mem_free(r->judgement.own);
    mo_once_end(&r->once);
    mo_mem_free(r);
}

/* Numbers of a picture: all its views. */
static size_t numbers(const mopd_recognizer *r)
{
    return mo_times(mo_recognizer_views(&r->data), r->data.dim);
}

/* Room for n pictures, which the caller fills. */
static mopd_status make_room(mopd_recognizer *r, size_t n)
{
    size_t bytes;
    if (!mo_mul(n, mo_times(numbers(r), sizeof *r->features), &bytes))
        return mo_fail(MOPD_E_ARG, "%zu pictures are too many", n);
    r->features = mo_mem_alloc(bytes, 1);
    r->labels = mo_mem_alloc(n, sizeof *r->labels);
    if (!r->features || !r->labels) return MOPD_E_NOMEM;
    r->data.n = n;
    r->data.features = r->features;
    r->data.labels = r->labels;
    return MOPD_OK;
}

/* n pictures behind the first `at`, of which there is room. */
static void put_pictures(
    mopd_recognizer *r, size_t at, const float *features, const int32_t *labels, size_t n)
{
    const size_t each = numbers(r);
    if (n) memcpy(r->features + at * each, features, n * each * sizeof *features);
    if (n) memcpy(r->labels + at, labels, n * sizeof *labels);
}

mopd_status mo_recognizer_set_pictures(
    mopd_recognizer *r, const float *features, const int32_t *labels, size_t n)
{
    mopd_status st = make_room(r, n);
    if (st == MOPD_OK) put_pictures(r, 0, features, labels, n);
    return st;
}

mopd_status mo_recognizer_set_text(mopd_recognizer *r, const float *text, size_t n_classes, size_t dim)
{
    r->text = mo_mem_alloc(n_classes, dim * sizeof *r->text);
    r->shown = mo_mem_alloc(n_classes, sizeof *r->shown);
    if (!r->text || !r->shown) return MOPD_E_NOMEM;
    memcpy(r->text, text, n_classes * dim * sizeof *text);
    r->data.text = r->text;
    r->data.n_classes = n_classes;
    r->data.dim = dim;
    r->n_shown = n_classes;
    for (size_t c = 0; c < n_classes; c++) r->shown[c] = (uint32_t)c;
    return MOPD_OK;
}

/* Only contexts of their own tell names apart that are the same words to a model. */
static bool has_contexts(const mopd_recognizer *r)
{
    return r->prompt && (r->prompt->info.flags & MOPD_PROMPT_CLASS_CONTEXT);
}

static mopd_status check_names(const mopd_recognizer *r, const char *const *names, size_t n)
{
    size_t same[2];
    return has_contexts(r) ? mo_bank_check_names(names, n) : mo_bank_check_words(names, n, same);
}

/* The text classifier of some names as this recogniser makes it. */
static mopd_status text_bank(mopd_bank **out, const mopd_recognizer *r, const mopd_encoder *encoder,
    const char *const *names, size_t n)
{
    if (r->prompt) return mo_prompt_bank_unseen(out, encoder, names, n, r->prompt, (float)r->unseen);
    return mo_bank_create(out, encoder, names, n, (const char *const *)r->templates.name, r->templates.n);
}

/* Are the losses of n pictures clearly smaller with views? */
static bool views_help(const double *one, const double *several, size_t n)
{
    double before = 0, fall = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        before += one[i] / (double)n;
        fall += (one[i] - several[i]) / (double)n;
    }
    for (size_t i = 0; i < n; i++) square += (one[i] - several[i] - fall) * (one[i] - several[i] - fall);
    return fall >= VIEWS_FALL * before && fall >= VIEWS_SURE * sqrt(square) / (double)n;
}

/* The fit to all views of each picture, where that makes the pictures left out clearly likelier, or these are too few to tell. */
static mopd_status try_views(mopd_recognizer *r, const mo_recognizer_settings *settings, mo_pool *pool)
{
    mo_recognizer_settings with = *settings;
    mo_recognizer_sums sums = {0};
    mo_recognizer_fit fit = {0};
    with.views = MOPD_VIEW_WEIGHT;
    mopd_status st = mo_recognizer_sums_create(&sums, &r->data, true, pool);
    if (st == MOPD_OK) st = mo_recognizer_fit_create(&fit, &r->data, &sums, &with, pool);
    const bool tell = r->fit.losses && fit.losses;
    const bool better = st == MOPD_OK && (!tell || views_help(r->fit.losses, fit.losses, r->data.n));
    mo_recognizer_sums_free(better ? &r->sums : &sums);
    mo_recognizer_fit_free(better ? &r->fit : &fit);
    if (better) r->sums = sums, r->fit = fit;
    return st;
}

/* Of each picture only the first view stays. */
static void drop_views(mopd_recognizer *r)
{
    const size_t each = numbers(r), dim = r->data.dim;
    for (size_t i = 1; i < r->data.n; i++)
        memmove(r->features + i * dim, r->features + i * each, dim * sizeof *r->features);
    float *fewer = mo_mem_realloc(r->features, r->data.n * dim, sizeof *fewer);
    if (fewer) r->data.features = r->features = fewer;
    r->data.n_views = 1;
}

/* settings->views below 0: several views are used where pictures are fewer than numbers of a feature, so that these alone do
 * not tell how features vary; with more, whether views help is found out. */
static mopd_status fit(mopd_recognizer *r, const mo_recognizer_settings *settings)
{
    mo_recognizer_settings given = *settings;
    const bool several = mo_recognizer_views(&r->data) > 1 && r->data.n, chosen = several && given.views < 0,
               ask = chosen && r->data.n >= r->data.dim;
    mo_pool *pool;
    mopd_status st = mo_pool_create(&pool, mo_pool_default_threads());
    if (st != MOPD_OK) return st;
    if (given.views < 0 || !several) given.views = chosen && !ask ? MOPD_VIEW_WEIGHT : 0;
    if (chosen) mo_recognizer_sums_free(&r->sums);
    if (!r->sums.count) st = mo_recognizer_sums_create(&r->sums, &r->data, given.views > 0, pool);
    if (st == MOPD_OK) st = mo_recognizer_fit_create(&r->fit, &r->data, &r->sums, &given, pool);
    if (st == MOPD_OK && ask) st = try_views(r, &given, pool);
    if (st == MOPD_OK && several && !r->sums.within) drop_views(r);
    mo_pool_free(pool);
    return st;
}

static mopd_status take_text_side(
    mopd_recognizer *r, const mopd_encoder *encoder, const mopd_recognizer_options *o)
{
    static const char *const standard[] = {MO_TEMPLATE_DEFAULT};
    memcpy(r->fingerprint, encoder->fingerprint, sizeof r->fingerprint);
    r->upright = encoder->rules.upright;
    r->scaled16 = encoder->rules.scale16;
    r->keep = o->keep;
    r->unseen = o->unseen;
    if (o->prompt) return mo_prompt_copy(&r->prompt, o->prompt);
    return mo_names_copy(&r->templates, o->n_templates ? o->templates : standard,
        o->n_templates ? mo_wide_size_most(o->n_templates) : 1);
}

mopd_status mo_recognizer_create(mopd_recognizer **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const float *features, const int32_t *labels, size_t n,
    const mopd_recognizer_options *o)
{
    mopd_bank *bank = NULL;
    mopd_recognizer *r = mo_recognizer_new();
    if (!r) return MOPD_E_NOMEM;
    mopd_status st = take_text_side(r, encoder, o);
    if (st == MOPD_OK) st = check_names(r, classes, n_classes);
    if (st == MOPD_OK) st = text_bank(&bank, r, encoder, classes, n_classes);
    if (st == MOPD_OK) st = mo_names_copy(&r->classes, classes, n_classes);
    if (st == MOPD_OK) st = mo_recognizer_set_text(r, bank->feature, n_classes, bank->dim);
    r->data.n_views = o->n_views ? mo_wide_size_most(o->n_views) : 1;
    if (st == MOPD_OK) st = mo_recognizer_set_pictures(r, features, labels, n);
    if (st == MOPD_OK) {
        const double views = o->view_weight > 0 ? o->view_weight : -1;
        r->data.scale = (double)bank->scale;
        st = fit(r, &(mo_recognizer_settings){o->kappa, o->lambda, o->text_weight, o->picture_weight, views});
    }
    mo_bank_free(bank);
    if (st != MOPD_OK)
        mo_recognizer_free(r);
    else
        *out = r;
    return st;
}

/* A new handle with the classes, the text side and the sums of another; pictures and fit are still missing. */
static mopd_status start_from(mopd_recognizer **out, const mopd_recognizer *from)
{
    mopd_recognizer *r = mo_recognizer_new();
    if (!r) return MOPD_E_NOMEM;
    r->keep = from->keep;
    r->unseen = from->unseen;
    memcpy(r->fingerprint, from->fingerprint, sizeof r->fingerprint);
    r->upright = from->upright;
    r->scaled16 = from->scaled16;
    mopd_status st = mo_names_copy(&r->classes, (const char *const *)from->classes.name, from->classes.n);
    if (st == MOPD_OK)
        st = mo_names_copy(&r->templates, (const char *const *)from->templates.name, from->templates.n);
    if (st == MOPD_OK && from->prompt) st = mo_prompt_copy(&r->prompt, from->prompt);
    if (st == MOPD_OK) st = mo_recognizer_set_text(r, from->text, from->data.n_classes, from->data.dim);
    if (st == MOPD_OK) st = mo_recognizer_sums_copy(&r->sums, &from->sums);
    if (st != MOPD_OK) {
        mo_recognizer_free(r);
        return st;
    }
    r->data.scale = from->data.scale;
    r->data.n_views = from->data.n_views;
    r->n_shown = from->n_shown;
    memcpy(r->shown, from->shown, from->n_shown * sizeof *r->shown);
    *out = r;
    return MOPD_OK;
}

/* The fit of a handle whose pictures and sums are there; it goes to out, or is freed. */
static mopd_status finish(
    mopd_recognizer **out, mopd_recognizer *r, const mopd_recognizer *from, mopd_status st, bool choose)
{
    static const mo_recognizer_settings chosen = {.views = -1};
    if (st == MOPD_OK) st = fit(r, choose ? &chosen : &from->fit.settings);
    if (st != MOPD_OK)
        mo_recognizer_free(r);
    else
        *out = r;
    return st;
}

/* A picture's n_views views behind the first `at` pictures; one view stands for all. */
static void put_picture(mopd_recognizer *r, size_t at, const float *views, size_t n_views, int32_t label)
{
    const size_t dim = r->data.dim, all = mo_recognizer_views(&r->data);
    float *to = r->features + at * all * dim;
    for (size_t v = 0; v < all; v++) memcpy(to + v * dim, views + v % n_views * dim, dim * sizeof *to);
    r->labels[at] = label;
    mo_recognizer_sums_add(&r->sums, to, all, (size_t)label);
}

mopd_status mo_recognizer_extend(mopd_recognizer **out, const mopd_recognizer *from, const float *features,
    size_t n_views, const int32_t *labels, size_t n, bool choose)
{
    const size_t before = from->data.n;
    mopd_recognizer *r;
    mopd_status st = start_from(&r, from);
    if (st != MOPD_OK) return st;
    if ((st = make_room(r, before + n)) == MOPD_OK) {
        put_pictures(r, 0, from->features, from->labels, before);
        for (size_t i = 0; i < n; i++)
            put_picture(r, before + i, features + i * n_views * r->data.dim, n_views, labels[i]);
    }
    return finish(out, r, from, st, choose || !before);
}

/* gone[i]: picture i is named; ARG for one that is not there or named twice. */
static mopd_status mark_gone(uint8_t *gone, const mopd_recognizer *from, const size_t *indices, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (indices[i] >= from->data.n)
            return mo_fail(MOPD_E_ARG, "picture %zu of %zu", indices[i], from->data.n);
        if (gone[indices[i]]) return mo_fail(MOPD_E_ARG, "picture %zu is named twice", indices[i]);
        gone[indices[i]] = 1;
    }
    return MOPD_OK;
}

/* The pictures of from but those that are gone; these leave the sums. */
static void put_rest(mopd_recognizer *r, const mopd_recognizer *from, const uint8_t *gone)
{
    const size_t n_views = mo_recognizer_views(&r->data);
    size_t left = 0;
    for (size_t i = 0; i < from->data.n; i++) {
        const float *x = mo_recognizer_picture(&from->data, i);
        if (gone[i])
            mo_recognizer_sums_remove(&r->sums, x, n_views, (size_t)from->labels[i]);
        else
            put_pictures(r, left++, x, from->labels + i, 1);
    }
}

mopd_status mo_recognizer_withdraw(
    mopd_recognizer **out, const mopd_recognizer *from, const size_t *indices, size_t n, bool choose)
{
    mopd_recognizer *r;
    mopd_status st = start_from(&r, from);
    if (st != MOPD_OK) return st;
    uint8_t *gone = mo_mem_calloc(from->data.n, 1);
    st = gone ? mark_gone(gone, from, indices, n) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = make_room(r, from->data.n - n);
    if (st == MOPD_OK) put_rest(r, from, gone);
    mo_mem_free(gone);
    return finish(out, r, from, st, choose);
}

/* at[i]: place of name i among the classes; those that are new, *n_new of them, stand behind, in the order of
 * new_names. */
static mopd_status place_names(uint32_t *at, const char **new_names, size_t *n_new,
    const mopd_recognizer *from, const char *const *names, size_t n)
{
    mo_lookup known;
    mopd_status st = mo_lookup_names(&known, (const char *const *)from->classes.name, from->classes.n);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        size_t c = mo_lookup_find(&known, names[i]);
        if (c == SIZE_MAX) {
            c = from->classes.n + *n_new;
            new_names[(*n_new)++] = names[i];
        }
        at[i] = (uint32_t)c;
    }
    mo_lookup_close(&known);
    return st;
}

/* Names that are new, but the same words to a model as a class that is known: it would be answered without its
 * pictures. */
static mopd_status check_new_names(const mopd_recognizer *from, const char *const *new_names, size_t n)
{
    const size_t known = from->classes.n;
    size_t same[2] = {0, 0};
    const char **all = mo_mem_alloc(known + n, sizeof *all);
    if (!all) return MOPD_E_NOMEM;
    memcpy(all, from->classes.name, known * sizeof *all);
    memcpy(all + known, new_names, n * sizeof *all);
    mopd_status st = mo_fold_find(all, known + n, same);
    if (st == MOPD_OK && same[1] >= known && same[1] < known + n)
        st = mo_fail(MOPD_E_ARG,
            "class \"%.200s\" is the same words to a model as \"%.200s\", which the recogniser knows: write "
            "both alike",
            all[same[1]], all[same[0]]);
    mo_mem_free(all);
    return st;
}

/* Sums with n more classes, all without pictures. */
static mopd_status widen_sums(mo_recognizer_sums *s, size_t n)
{
    const size_t all = s->n_classes + n;
    double *count = mo_mem_realloc(s->count, all, sizeof *count);
    if (!count) return MOPD_E_NOMEM;
    s->count = count;
    double *average = mo_mem_realloc(s->average, all, s->dim * sizeof *average);
    if (!average) return MOPD_E_NOMEM;
    s->average = average;
    memset(count + s->n_classes, 0, n * sizeof *count);
    memset(average + s->n_classes * s->dim, 0, n * s->dim * sizeof *average);
    s->n_classes = all;
    return MOPD_OK;
}

static mopd_status add_classes(
    mopd_recognizer *r, const mopd_encoder *encoder, const char *const *names, size_t n)
{
    const size_t dim = r->data.dim, before = r->data.n_classes;
    mopd_bank *bank = NULL;
    mopd_status st = text_bank(&bank, r, encoder, names, n);
    if (st == MOPD_OK) st = mo_names_copy(&r->classes, names, n);
    if (st == MOPD_OK) st = widen_sums(&r->sums, n);
    float *text = st == MOPD_OK ? mo_mem_realloc(r->text, before + n, dim * sizeof *text) : NULL;
    if (st == MOPD_OK && !text) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) {
        memcpy(text + before * dim, bank->feature, n * dim * sizeof *text);
        r->data.text = r->text = text;
        r->data.n_classes = before + n;
    }
    mo_bank_free(bank);
    return st;
}

static mopd_status show(mopd_recognizer *r, const uint32_t *at, size_t n)
{
    uint32_t *shown = mo_mem_realloc(r->shown, n, sizeof *shown);
    if (!shown) return MOPD_E_NOMEM;
    memcpy(shown, at, n * sizeof *shown);
    r->shown = shown;
    r->n_shown = n;
    return MOPD_OK;
}

mopd_status mo_recognizer_with_classes(mopd_recognizer **out, const mopd_recognizer *from,
    const mopd_encoder *encoder, const char *const *classes, size_t n_classes)
{
    mopd_status st = mo_bank_check_model(from->fingerprint, from->data.dim, encoder, "recogniser");
    if (st != MOPD_OK) return st;
    mopd_recognizer *r = NULL;
    const char **new_names = mo_mem_alloc(n_classes, sizeof *new_names);
    uint32_t *at = mo_mem_alloc(n_classes, sizeof *at);
    st = new_names && at ? check_names(from, classes, n_classes) : MOPD_E_NOMEM;
    size_t n_new = 0;
    if (st == MOPD_OK) st = place_names(at, new_names, &n_new, from, classes, n_classes);
    if (st == MOPD_OK && n_new && !has_contexts(from)) st = check_new_names(from, new_names, n_new);
    if (st == MOPD_OK) st = start_from(&r, from);
    if (st == MOPD_OK) {
        if (n_new) st = add_classes(r, encoder, new_names, n_new);
        if (st == MOPD_OK) st = show(r, at, n_classes);
        if (st == MOPD_OK) st = mo_recognizer_set_pictures(r, from->features, from->labels, from->data.n);
        st = finish(out, r, from, st, false);
    }
    mo_mem_free(new_names);
    mo_mem_free(at);
    return st;
}
