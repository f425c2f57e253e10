/* SPDX-License-Identifier: MIT
 * api_recognizer.c - include/mopd/recognizer.h. */
#include <math.h>
#include <string.h>

#include "api/api.h"
#include "base/floats.h"
#include "base/labels.h"
#include "base/mem.h"
#include "model/encoder.h"
#include "prompt/bank.h"
#include "prompt/promptfile.h"
#include "prompt/recognizer_handle.h"
#include "train/metrics.h"

static const mopd_recognizer_options standard = {.struct_size = sizeof standard, .keep = 0.95, .unseen = 0.5};

mopd_status mopd_recognizer_options_init(mopd_recognizer_options *options, size_t struct_size)
{
    MO_API_NEED(options);
    return mo_api_init(__func__, MO_API_mopd_recognizer_options, options, struct_size, &standard);
}

/* Within (0, 1), or 0 where that means "chosen". */
static mopd_status check_share(const char *name, double x, bool zero)
{
    if ((x > 0 && x < 1) || (zero && x == 0)) return MOPD_OK;
    return mo_fail(
        MOPD_E_ARG, "mopd_recognizer_options: %s is %g, allowed is more than 0 and less than 1", name, x);
}

static mopd_status check_weight(const char *name, double x)
{
    if (x >= 0 && x <= 1e6) return MOPD_OK;
    return mo_fail(MOPD_E_ARG, "mopd_recognizer_options: %s is %g, allowed is 0 (chosen) to 1e6", name, x);
}

static mopd_status check_options(const mopd_recognizer_options *o, const mopd_encoder *encoder)
{
    mopd_status st = check_share("keep", o->keep, false);
    if (st == MOPD_OK) st = check_share("lambda", o->lambda, true);
    if (st == MOPD_OK && o->kappa != 0 && !(o->kappa >= 1 && o->kappa <= 1e6))
        st = mo_fail(
            MOPD_E_ARG, "mopd_recognizer_options: kappa is %g, allowed is 0 (chosen) or 1 to 1e6", o->kappa);
    if (st == MOPD_OK) st = check_weight("text_weight", o->text_weight);
    if (st == MOPD_OK) st = check_weight("picture_weight", o->picture_weight);
    if (st == MOPD_OK) st = check_weight("view_weight", o->view_weight);
    if (st == MOPD_OK && o->n_views > MO_RECOGNIZER_VIEWS)
        st = mo_fail(MOPD_E_ARG, "mopd_recognizer_options: n_views is %llu, at most %d are possible",
            (unsigned long long)o->n_views, MO_RECOGNIZER_VIEWS);
    if (st == MOPD_OK && !(o->unseen >= 0 && o->unseen <= 1))
        st = mo_fail(MOPD_E_ARG, "mopd_recognizer_options: unseen is %g, 0 to 1 are allowed", o->unseen);
    if (st == MOPD_OK && o->n_templates && !o->templates)
        st = mo_fail(MOPD_E_ARG, "mopd_recognizer_options: templates is NULL, their number %llu",
            (unsigned long long)o->n_templates);
    if (st == MOPD_OK && o->n_templates && o->prompt)
        st = mo_fail(MOPD_E_ARG, "mopd_recognizer_options: templates and a prompt exclude each other");
    if (st == MOPD_OK && o->prompt) st = mo_prompt_check(o->prompt, encoder, "prompt");
    return st;
}

mopd_status mopd_recognizer_create(mopd_recognizer **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const float *features, const int32_t *labels, size_t n,
    const mopd_recognizer_options *options)
{
    mopd_recognizer_options o;
    MO_API_NEED_OUT(out);
    MO_API_NEED(encoder);
    MO_API_NEED_SOME(n_classes);
    MO_API_NEED_LIST(classes, n_classes);
    mopd_status st = mo_api_read(__func__, MO_API_mopd_recognizer_options, &o, options, &standard);
    if (st == MOPD_OK) st = check_options(&o, encoder);
    if (st != MOPD_OK) return st;
    const size_t n_views = o.n_views ? (size_t)o.n_views : 1;
    MO_API_NEED_ROWS(features, n, n_views * mo_text_dim(encoder->text));
    MO_API_NEED_LIST(labels, n);
    st = mo_labels_check(labels, n, n_classes);
    if (st == MOPD_OK)
        st = mo_floats_check_unit("feature", features, n * n_views, mo_text_dim(encoder->text));
    return st == MOPD_OK ? mo_recognizer_create(out, encoder, classes, n_classes, features, labels, n, &o)
                         : st;
}

/* More pictures, of n_views views each. */
typedef struct pictures {
    const float *features; /* n x n_views x D */
    const int32_t *labels;
    size_t n, n_views;
} pictures;

static mopd_status extend(mopd_recognizer **out, const mopd_recognizer *from, const pictures *p,
    const char *function, uint32_t flags)
{
    mopd_status st = mo_api_check_flags(function, flags, MOPD_RECOGNIZER_CHOOSE);
    if (st == MOPD_OK) st = mo_labels_check(p->labels, p->n, from->data.n_classes);
    if (st == MOPD_OK) st = mo_floats_check_unit("feature", p->features, p->n * p->n_views, from->data.dim);
    return st == MOPD_OK ? mo_recognizer_extend(out, from, p->features, p->n_views, p->labels, p->n,
                               flags & MOPD_RECOGNIZER_CHOOSE)
                         : st;
}

mopd_status mopd_recognizer_extend(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const float *features, const int32_t *labels, size_t n, uint32_t flags)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(recognizer);
    MO_API_NEED_ROWS(features, n, recognizer->data.dim);
    MO_API_NEED_LIST(labels, n);
    return extend(out, recognizer, &(pictures){features, labels, n, 1}, __func__, flags);
}

mopd_status mopd_recognizer_extend_views(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const float *features, size_t n_views, const int32_t *labels, size_t n, uint32_t flags)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(recognizer);
    if (n_views != mo_recognizer_views(&recognizer->data))
        return mo_fail(MOPD_E_ARG, "%s: n_views is %zu, the recogniser learned from %zu of each picture",
            __func__, n_views, mo_recognizer_views(&recognizer->data));
    MO_API_NEED_ROWS(features, n, n_views * recognizer->data.dim);
    MO_API_NEED_LIST(labels, n);
    return extend(out, recognizer, &(pictures){features, labels, n, n_views}, __func__, flags);
}

mopd_status mopd_recognizer_withdraw(
    mopd_recognizer **out, const mopd_recognizer *recognizer, const size_t *indices, size_t n, uint32_t flags)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(recognizer);
    MO_API_NEED_LIST(indices, n);
    mopd_status st = mo_api_check_flags(__func__, flags, MOPD_RECOGNIZER_CHOOSE);
    return st == MOPD_OK ? mo_recognizer_withdraw(out, recognizer, indices, n, flags & MOPD_RECOGNIZER_CHOOSE)
                         : st;
}

mopd_status mopd_recognizer_with_classes(mopd_recognizer **out, const mopd_recognizer *recognizer,
    const mopd_encoder *encoder, const char *const *classes, size_t n_classes)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(recognizer);
    MO_API_NEED(encoder);
    MO_API_NEED_SOME(n_classes);
    MO_API_NEED_LIST(classes, n_classes);
    return mo_recognizer_with_classes(out, recognizer, encoder, classes, n_classes);
}

mopd_status mopd_recognizer_save(const mopd_recognizer *recognizer, const char *path)
{
    MO_API_NEED(recognizer);
    MO_API_NEED(path);
    return mo_recognizer_save(recognizer, path);
}

mopd_status mopd_recognizer_open(mopd_recognizer **out, const char *path, const mopd_encoder *encoder)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(path);
    mopd_recognizer *r = NULL;
    mopd_status st = MO_API_OPENING(mo_recognizer_open(&r, path));
    if (st == MOPD_OK && encoder) st = mo_bank_check_model(r->fingerprint, r->data.dim, encoder, path);
    if (st != MOPD_OK)
        mo_recognizer_free(r);
    else
        *out = r;
    return st;
}

void mopd_recognizer_close(mopd_recognizer *recognizer)
{
    mo_recognizer_free(recognizer);
}

/* The accuracy of the pictures left out with its interval, as shares. */
static void give_accuracy(mopd_recognizer_info *i, const mo_recognizer_judgement *j)
{
    i->loo_accuracy = j->accuracy;
    i->loo_ece = j->ece;
    mo_metrics_interval(&i->loo_low, &i->loo_high, (uint64_t)llround(j->accuracy * (double)j->n), j->n);
    i->loo_low /= 100;
    i->loo_high /= 100;
}

mopd_status mopd_recognizer_get_info(const mopd_recognizer *recognizer, mopd_recognizer_info *info)
{
    MO_API_NEED(recognizer);
    MO_API_NEED(info);
    const mopd_recognizer *r = recognizer;
    mopd_status st = mo_recognizer_judge(r);
    if (st != MOPD_OK) return st;
    const mo_recognizer_settings *s = &r->fit.settings;
    mopd_recognizer_info i = {.struct_size = sizeof i,
        .dim = (uint32_t)r->data.dim,
        .n_pictures = r->data.n,
        .n_classes = r->n_shown,
        .kappa = s->kappa,
        .lambda = s->lambda,
        .text_weight = s->a,
        .picture_weight = s->b,
        .keep = r->keep,
        .loo_accuracy = -1,
        .loo_low = -1,
        .loo_high = -1,
        .loo_ece = -1,
        .upright = r->upright,
        .scaled16 = r->scaled16,
        .n_views = mo_recognizer_views(&r->data),
        .view_weight = s->views};
    mo_recognizer_cutoff(r, r->keep, &i.cutoff);
    if (r->judgement.n) give_accuracy(&i, &r->judgement);
    return mo_api_give(__func__, MO_API_mopd_recognizer_info, info, &i);
}

const char *mopd_recognizer_class_name(const mopd_recognizer *recognizer, size_t index)
{
    return recognizer && index < recognizer->n_shown ? recognizer->classes.name[recognizer->shown[index]]
                                                     : NULL;
}

mopd_status mopd_recognizer_logits(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *logits)
{
    MO_API_NEED(recognizer);
    MO_API_NEED_FEATURES(features, n, recognizer->data.dim);
    MO_API_NEED_ROWS(logits, n, recognizer->n_shown);
    mo_recognizer_logits(recognizer, features, n, logits);
    return MOPD_OK;
}

mopd_status mopd_recognizer_probabilities(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *probabilities)
{
    MO_API_NEED(recognizer);
    MO_API_NEED_FEATURES(features, n, recognizer->data.dim);
    MO_API_NEED_ROWS(probabilities, n, recognizer->n_shown);
    mo_recognizer_logits(recognizer, features, n, probabilities);
    mo_bank_softmax(probabilities, n, recognizer->n_shown);
    return MOPD_OK;
}

mopd_status mopd_recognizer_top(
    const mopd_recognizer *recognizer, const float *features, size_t n, size_t top, mopd_match *matches)
{
    MO_API_NEED(recognizer);
    MO_API_NEED_FEATURES(features, n, recognizer->data.dim);
    MO_API_NEED_SOME(top);
    const size_t c = recognizer->n_shown, each = top < c ? top : c;
    MO_API_NEED_ROWS(matches, n, each);
    float *logits = mo_mem_alloc(2 * c, sizeof *logits);
    if (!logits) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        mo_recognizer_logits(recognizer, features + i * recognizer->data.dim, 1, logits);
        memcpy(logits + c, logits, c * sizeof *logits);
        mo_bank_softmax(logits + c, 1, c);
        mo_bank_best(logits, logits + c, c, each, matches + i * each);
    }
    mo_mem_free(logits);
    return MOPD_OK;
}

mopd_status mopd_recognizer_scores(
    const mopd_recognizer *recognizer, const float *features, size_t n, float *scores)
{
    MO_API_NEED(recognizer);
    MO_API_NEED_FEATURES(features, n, recognizer->data.dim);
    MO_API_NEED_LIST(scores, n);
    return mo_recognizer_scores(recognizer, features, n, scores);
}

mopd_status mopd_recognizer_sets(
    const mopd_recognizer *recognizer, const float *features, size_t n, double coverage, uint8_t *in)
{
    MO_API_NEED(recognizer);
    MO_API_NEED_FEATURES(features, n, recognizer->data.dim);
    MO_API_NEED_ROWS(in, n, recognizer->n_shown);
    if (!(coverage > 0 && coverage < 1))
        return mo_fail(
            MOPD_E_ARG, "%s: coverage is %g, allowed is more than 0 and less than 1", __func__, coverage);
    return mo_recognizer_sets(recognizer, features, n, coverage, in);
}

mopd_status mopd_recognizer_suspects(const mopd_recognizer *recognizer, mopd_suspect *suspects, size_t *n)
{
    MO_API_NEED(recognizer);
    MO_API_NEED(n);
    MO_API_NEED_LIST(suspects, *n);
    return mo_recognizer_suspects(recognizer, suspects, n);
}

mopd_status mopd_recognizer_left_out(const mopd_recognizer *recognizer, float *probabilities)
{
    MO_API_NEED(recognizer);
    MO_API_NEED(probabilities);
    return mo_recognizer_left_out(recognizer, probabilities);
}

mopd_status mopd_recognizer_alarms(const mopd_recognizer *recognizer, double probability, double *share)
{
    MO_API_NEED(recognizer);
    MO_API_NEED(share);
    if (!(probability >= 0 && probability <= 1))
        return mo_fail(MOPD_E_ARG, "%s: probability is %g, allowed is 0 to 1", __func__, probability);
    return mo_recognizer_alarms(recognizer, probability, share);
}

mopd_status mopd_recognizer_more(const mopd_recognizer *recognizer, double *low, double *high)
{
    MO_API_NEED(recognizer);
    MO_API_NEED(low);
    MO_API_NEED(high);
    return mo_recognizer_more(recognizer, low, high);
}
