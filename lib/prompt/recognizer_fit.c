/* SPDX-License-Identifier: MIT
 * recognizer_fit.c - settings by the likelihood of pictures left out, then the one fit that stays. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "prompt/blend.h"
#include "prompt/recognizer_inner.h"

#define FEW_PICTURES 100   /* below, kappa and lambda are not chosen */
#define FEWEST_PICTURES 40 /* below, one picture a class says nothing of the names, and no picture of views */

/* One picture a class: how far a picture's own logit is to be from the mean of the others, by the scores of pictures. */
#define APART 15.0
#define APART_NAMES 5.0 /* where names count most */
#define APART_FEW 8.0   /* with fewer than FEWEST_PICTURES */

/* Single precision is believed where losses differ by more than this share; it errs by a hundredth of it or less. */
#define CLOSE 1e-3

#define PULL 3.0 /* pictures that the weights of single pictures count for where others can be left out */

#define TELLING_MEDIAN 8 /* pictures of a class, below which their likelihood does not tell of views */

typedef struct candidate {
    double kappa, lambda;
} candidate;

/* What is tried for one setting: what was given, or one value for few pictures, or all three. */
static size_t values(double list[3], double given, double few, const double all[3])
{
    list[0] = given > 0 ? given : few;
    if (list[0] > 0) return 1;
    memcpy(list, all, 3 * sizeof *list);
    return 3;
}

/* The candidates that this many pictures can tell apart. */
static size_t candidates(candidate list[9], const mo_recognizer_parts *p, const mo_recognizer_settings *given)
{
    static const double kappas[] = {1, 3, 10}, lambdas[] = {0.25, 0.5, 0.85};
    const bool few = p->median < 3 || p->data->n < FEW_PICTURES;
    double kappa[3], lambda[3];
    const size_t n_kappas = values(kappa, given->kappa, few ? p->median < 3 ? 1 : 3 : 0, kappas);
    const size_t n_lambdas = values(lambda, given->lambda, few ? 0.85 : 0, lambdas);
    size_t n = 0;
    for (size_t k = 0; k < n_kappas; k++)
        for (size_t l = 0; l < n_lambdas; l++) list[n++] = (candidate){kappa[k], lambda[l]};
    return n;
}

typedef struct search {
    const mo_recognizer_parts *p;
    mo_recognizer_gauss gauss, trial; /* of the best candidate so far, of another */
    mo_recognizer_rough rough;
    double *scores; /* N x C */
    double *kept;   /* N x C: those of the best candidate */
    double loss;
    double start[2]; /* weights of the best candidate so far; 0: none yet */
    mo_recognizer_settings best;
} search;

static void swap_trial(search *s)
{
    const mo_recognizer_gauss other = s->gauss;
    s->gauss = s->trial;
    s->trial = other;
}

/* mo_blend_fit of what the parts hold; rough, and from a start, where candidates are compared. */
static mopd_status blend(double weights[2], double *loss, const mo_recognizer_parts *p, const double *scores,
    const double *start, bool rough)
{
    static const double centre[] = {0.3, 0.08};
    const mo_recognizer_data *d = p->data;
    return mo_blend_fit(weights, loss,
        &(mo_blend_rows){.pool = p->pool,
            .labels = d->labels,
            .n = d->n,
            .n_classes = d->n_classes,
            .text = p->text,
            .scores = scores,
            .centre = scores ? centre : NULL,
            .start = start,
            .rough = rough});
}

/* From 0 to 1: names that account for little of where pictures lie count less than pictures do, those that account for
 * more count most.  Few pictures cannot tell. */
static double trust_in_names(const mo_recognizer_parts *p)
{
    if (p->data->n < FEWEST_PICTURES) return 0;
    return fmin(1, fmax(0, (p->told - 0.07) / 0.02));
}

/* The b that sets pictures apart as much as is usually right: their own class's logit from the others'.  Where names count
 * most, pictures count for little. */
static double usual_weight(const search *s, double margin)
{
    const double trust = trust_in_names(s->p), apart = s->p->data->n < FEWEST_PICTURES
                                                           ? APART_FEW
                                                           : APART * pow(APART_NAMES / APART, trust);
    return margin > 0 ? fmin(1, apart / margin) : 1;
}

/* Rows of the pictures that are not the only ones of their class come first; how many these are. */
static size_t gather_others(int32_t *labels, double *text, double *scores, const mo_recognizer_parts *p)
{
    const mo_recognizer_data *d = p->data;
    const size_t c_all = d->n_classes;
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (p->sums->count[d->labels[i]] < 2) continue;
        labels[n] = d->labels[i];
        memcpy(text + n * c_all, p->text + i * c_all, c_all * sizeof *text);
        memmove(scores + n * c_all, scores + i * c_all, c_all * sizeof *scores);
        n++;
    }
    return n;
}

/* Of labels that nobody balanced some classes have more pictures than one.  These can be left out, and move the weights
 * of single pictures towards what suits them. */
static mopd_status heed_others(search *s, const mo_recognizer_settings *given)
{
    const mo_recognizer_data *d = s->p->data;
    const double usual[] = {s->best.a, s->best.b};
    int32_t *labels = mo_mem_alloc(d->n, sizeof *labels);
    double *text = mo_mem_alloc(d->n, d->n_classes * sizeof *text), weights[] = {given->a, given->b}, loss;
    mopd_status st = labels && text ? mo_recognizer_leave_pictures(s->kept, &s->gauss, s->p) : MOPD_E_NOMEM;
    const size_t n = st == MOPD_OK ? gather_others(labels, text, s->kept, s->p) : 0;
    if (n)
        st = mo_blend_fit(weights, &loss,
            &(mo_blend_rows){.pool = s->p->pool,
                .labels = labels,
                .n = n,
                .n_classes = d->n_classes,
                .text = text,
                .scores = s->kept,
                .centre = usual,
                .pull = PULL});
    if (n && st == MOPD_OK) s->best.a = weights[0], s->best.b = weights[1];
    mo_mem_free(labels);
    mo_mem_free(text);
    return st;
}

static bool has_others(const mo_recognizer_parts *p)
{
    bool others = false;
    for (size_t c = 0; c < p->data->n_classes; c++) others |= p->sums->count[c] > 1;
    return others;
}

/* One picture a class leaves nothing when it is left out: the text is judged alone and b is what suits most. */
static mopd_status weights_of_single_pictures(search *s, const mo_recognizer_settings *given)
{
    double weights[2] = {0}, margin;
    mopd_status st = mo_recognizer_gauss_fit(&s->gauss, s->p, s->best.kappa, s->best.lambda);
    if (st == MOPD_OK) st = mo_recognizer_margin(&margin, &s->gauss, s->p);
    if (st == MOPD_OK) st = blend(weights, &s->loss, s->p, NULL, NULL, false);
    if (st != MOPD_OK) return st;
    s->best.a = given->a > 0 ? given->a : pow(0.25, 1 - trust_in_names(s->p)) * weights[0];
    s->best.b = given->b > 0 ? given->b : usual_weight(s, margin);
    return has_others(s->p) ? heed_others(s, given) : MOPD_OK;
}

/* The candidate's classes in s->trial. */
static mopd_status fit_trial(search *s, const candidate *c)
{
    if (s->gauss.kappa != c->kappa || s->gauss.lambda != c->lambda)
        return mo_recognizer_gauss_fit(&s->trial, s->p, c->kappa, c->lambda);
    swap_trial(s);
    return MOPD_OK;
}

/* The candidate's weights and loss, of scores in s->scores, from the weights of the best candidate so far. */
static mopd_status weigh(double weights[2], double *loss, search *s, const mo_recognizer_settings *given)
{
    weights[0] = given->a;
    weights[1] = given->b;
    return blend(weights, loss, s->p, s->scores, s->start[0] > 0 ? s->start : NULL, true);
}

static void start_from(search *s, const double weights[2])
{
    memcpy(s->start, weights, sizeof s->start);
    swap_trial(s);
}

static mopd_status try_candidate(search *s, const candidate *c, const mo_recognizer_settings *given)
{
    double weights[2], loss = 0, *scores = s->scores;
    mopd_status st = fit_trial(s, c);
    if (st == MOPD_OK) st = mo_recognizer_leave_out(scores, &s->trial, s->p);
    if (st == MOPD_OK) st = weigh(weights, &loss, s, given);
    if (st != MOPD_OK || !(loss < s->loss)) return st;
    s->loss = loss;
    s->best = (mo_recognizer_settings){c->kappa, c->lambda, weights[0], weights[1], s->p->views};
    s->scores = s->kept;
    s->kept = scores;
    start_from(s, weights);
    return MOPD_OK;
}

/* The losses of candidates in single precision; s->gauss is that of the least one. */
static mopd_status compare_roughly(
    double *losses, search *s, const candidate *list, size_t n, const mo_recognizer_settings *given)
{
    double least = INFINITY;
    mopd_status st = mo_recognizer_rough_create(&s->rough, s->p);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        double weights[2];
        st = mo_recognizer_gauss_fit(&s->trial, s->p, list[i].kappa, list[i].lambda);
        if (st == MOPD_OK) st = mo_recognizer_leave_roughly(s->scores, &s->rough, &s->trial, s->p);
        if (st == MOPD_OK) st = weigh(weights, &losses[i], s, given);
        if (st != MOPD_OK || !(losses[i] < least)) continue;
        least = losses[i];
        start_from(s, weights);
    }
    mo_recognizer_rough_free(&s->rough);
    return st;
}

/* Those of list stay whose loss is not clearly above the least one; how many. */
static size_t keep_near(candidate *list, const double *losses, size_t n)
{
    double least = INFINITY;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) least = fmin(least, losses[i]);
    for (size_t i = 0; i < n; i++)
        if (!(losses[i] > least + CLOSE * (fabs(least) + CLOSE))) list[kept++] = list[i];
    return kept;
}

static mopd_status fit_best(search *s)
{
    if (s->gauss.kappa == s->best.kappa && s->gauss.lambda == s->best.lambda) return MOPD_OK;
    return mo_recognizer_gauss_fit(&s->gauss, s->p, s->best.kappa, s->best.lambda);
}

/* The best candidate's weights to the last digit, by pictures left out with all their views. */
static mopd_status settle_weights(search *s, const mo_recognizer_settings *given)
{
    const double start[] = {s->best.a, s->best.b};
    double weights[2] = {given->a, given->b};
    mopd_status st = fit_best(s);
    if (st == MOPD_OK && s->p->off.packed) st = mo_recognizer_leave_pictures(s->kept, &s->gauss, s->p);
    if (st == MOPD_OK) st = blend(weights, &s->loss, s->p, s->kept, start, false);
    s->best.a = weights[0];
    s->best.b = weights[1];
    return st;
}

static mopd_status choose(search *s, const mo_recognizer_settings *given)
{
    candidate list[9];
    double losses[9];
    size_t n = candidates(list, s->p, given);
    s->loss = INFINITY;
    if (s->p->median < 2) {
        s->best = (mo_recognizer_settings){list[0].kappa, list[0].lambda, 0, 0, s->p->views};
        return weights_of_single_pictures(s, given);
    }
    mopd_status st = n > 1 ? compare_roughly(losses, s, list, n, given) : MOPD_OK;
    if (st == MOPD_OK && n > 1) n = keep_near(list, losses, n);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) st = try_candidate(s, &list[i], given);
    return st == MOPD_OK && isfinite(s->loss) ? settle_weights(s, given) : st;
}

/* weight = a sigma t + b P mu;  bias = b mu'P mu / 2. */
static void finish(mo_recognizer_fit *f, const search *s)
{
    const mo_recognizer_data *d = s->p->data;
    const size_t cd = d->n_classes * d->dim;
    for (size_t i = 0; i < cd; i++)
        f->weight[i] = f->settings.a * d->scale * (double)d->text[i] + f->settings.b * s->gauss.toward[i];
    for (size_t c = 0; c < d->n_classes; c++) f->bias[c] = f->settings.b * s->gauss.half[c];
    memcpy(f->mean, s->gauss.mean, cd * sizeof *f->mean);
    memcpy(f->prior, s->p->prior, cd * sizeof *f->prior);
}

static mopd_status fit_alloc(mo_recognizer_fit *f, const mo_recognizer_parts *p)
{
    const size_t cd = p->data->n_classes * p->data->dim;
    *f = (mo_recognizer_fit){.shift = p->shift, .settings.views = p->views};
    f->prior = mo_mem_alloc(cd, sizeof(double));
    f->mean = mo_mem_alloc(cd, sizeof(double));
    f->weight = mo_mem_alloc(cd, sizeof(double));
    f->bias = mo_mem_alloc(p->data->n_classes, sizeof(double));
    return f->prior && f->mean && f->weight && f->bias ? MOPD_OK : MOPD_E_NOMEM;
}

/* Without pictures: the text classifier as it is. */
static void text_alone(mo_recognizer_fit *f, const mo_recognizer_data *d)
{
    const size_t cd = d->n_classes * d->dim;
    f->settings = (mo_recognizer_settings){1, 0.85, 1, 0, f->settings.views};
    memset(f->prior, 0, cd * sizeof *f->prior);
    memset(f->mean, 0, cd * sizeof *f->mean);
    memset(f->bias, 0, d->n_classes * sizeof *f->bias);
    for (size_t i = 0; i < cd; i++) f->weight[i] = d->scale * (double)d->text[i];
}

static bool all_given(const mo_recognizer_settings *s)
{
    return s->kappa > 0 && s->lambda > 0 && s->a > 0 && s->b > 0;
}

static mopd_status alloc_search(search *s)
{
    const mo_recognizer_data *d = s->p->data;
    s->scores = mo_mem_alloc(d->n, d->n_classes * sizeof *s->scores);
    s->kept = mo_mem_alloc(d->n, d->n_classes * sizeof *s->kept);
    if (!s->scores || !s->kept) return MOPD_E_NOMEM;
    return mo_recognizer_gauss_create(&s->trial, d->n_classes, d->dim);
}

/* The best settings; s->gauss is fitted with them. */
static mopd_status settle(search *s, mo_recognizer_parts *p, const mo_recognizer_settings *given)
{
    mopd_status st = MOPD_OK;
    s->best = *given;
    if (!all_given(given)) {
        st = mo_recognizer_parts_rows(p);
        if (st == MOPD_OK) st = alloc_search(s);
        if (st == MOPD_OK) st = choose(s, given);
    }
    return st == MOPD_OK ? fit_best(s) : st;
}

/* Those of the pictures left out, where they tell of views. */
static mopd_status keep_losses(mo_recognizer_fit *f, const search *s)
{
    const mo_recognizer_data *d = s->p->data;
    const double weights[2] = {s->best.a, s->best.b};
    if (s->p->median < TELLING_MEDIAN || d->n < FEWEST_PICTURES || !isfinite(s->loss)) return MOPD_OK;
    if (!(f->losses = mo_mem_alloc(d->n, sizeof *f->losses))) return MOPD_E_NOMEM;
    mo_blend_losses(f->losses, weights,
        &(mo_blend_rows){.labels = d->labels,
            .n = d->n,
            .n_classes = d->n_classes,
            .text = s->p->text,
            .scores = s->kept});
    return MOPD_OK;
}

mopd_status mo_recognizer_fit_create(mo_recognizer_fit *out, const mo_recognizer_data *data,
    const mo_recognizer_sums *sums, const mo_recognizer_settings *settings, mo_pool *pool)
{
    *out = (mo_recognizer_fit){0};
    mo_recognizer_parts parts;
    mopd_status st = mo_recognizer_parts_create(&parts, data, sums, settings->views, pool);
    if (st != MOPD_OK) return st;
    search s = {.p = &parts};
    st = fit_alloc(out, &parts);
    if (st == MOPD_OK) st = mo_recognizer_gauss_create(&s.gauss, data->n_classes, data->dim);
    if (st == MOPD_OK && !data->n) text_alone(out, data);
    if (st == MOPD_OK && data->n) {
        st = settle(&s, &parts, settings);
        out->settings = s.best;
        if (st == MOPD_OK && !all_given(settings)) st = keep_losses(out, &s);
        if (st == MOPD_OK) finish(out, &s);
    }
    mo_recognizer_gauss_free(&s.gauss);
    mo_recognizer_gauss_free(&s.trial);
    mo_mem_free(s.scores);
    mo_mem_free(s.kept);
    mo_recognizer_parts_free(&parts);
    if (st != MOPD_OK) mo_recognizer_fit_free(out);
    return st;
}

/* The fit of the settings by which pictures were left out. */
static mopd_status keep_fit(mo_recognizer_fit *f, const search *s)
{
    const mopd_status st = fit_alloc(f, s->p);
    f->settings = s->best;
    if (st == MOPD_OK)
        finish(f, s);
    else
        mo_recognizer_fit_free(f);
    return st;
}

mopd_status mo_recognizer_fit_leave_out(double **out, mo_recognizer_fit *fit, const mo_recognizer_data *data,
    const mo_recognizer_sums *sums, const mo_recognizer_settings *settings, mo_pool *pool)
{
    *out = NULL;
    if (fit) *fit = (mo_recognizer_fit){0};
    mo_recognizer_parts p;
    search s = {.p = &p, .best = *settings};
    mopd_status st = mo_recognizer_parts_create(&p, data, sums, settings->views, pool);
    if (st != MOPD_OK) return st;
    double *logits = NULL;
    if (p.median < 2) goto done;
    st = MOPD_E_NOMEM;
    if (!(logits = mo_mem_alloc(data->n, data->n_classes * sizeof *logits))) goto done;
    if ((st = mo_recognizer_parts_rows(&p)) != MOPD_OK) goto done;
    if ((st = mo_recognizer_gauss_create(&s.gauss, data->n_classes, data->dim)) != MOPD_OK) goto done;
    if ((st = mo_recognizer_gauss_fit(&s.gauss, &p, settings->kappa, settings->lambda)) != MOPD_OK) goto done;
    if ((st = mo_recognizer_leave_pictures(logits, &s.gauss, &p)) != MOPD_OK) goto done;
    if (fit && (st = keep_fit(fit, &s)) != MOPD_OK) goto done;
    for (size_t i = 0; i < data->n * data->n_classes; i++)
        logits[i] = settings->a * p.text[i] + settings->b * logits[i];
    *out = logits;
done:
    if (!*out) mo_mem_free(logits);
    mo_recognizer_gauss_free(&s.gauss);
    mo_recognizer_parts_free(&p);
    return st;
}

void mo_recognizer_fit_free(mo_recognizer_fit *f)
{
    mo_mem_free(f->prior);
    mo_mem_free(f->mean);
    mo_mem_free(f->weight);
    mo_mem_free(f->bias);
    mo_mem_free(f->losses);
    *f = (mo_recognizer_fit){0};
}
