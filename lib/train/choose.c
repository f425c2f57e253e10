/* SPDX-License-Identifier: MIT
 * choose.c - short trainings on pretended new classes, compared. */
#include "train/choose.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/ints.h"
#include "base/labels.h"
#include "base/mem.h"
#include "format/json.h"
#include "train/choose_folds.h"
#include "train/metrics.h"
#include "train/sampler.h"

#define ROWS 256 /* pictures that are classified at once */

/* Tried in this order; the first of each, its default, stands beside the others until its turn comes. */
enum { N_TRIED = 3 };
static const float w_tried[N_TRIED] = {0.8f, 0.5f, 0.2f};
static const float w2_tried[N_TRIED] = {0.1f, 0.5f, 0.0005f};
static const uint32_t k_tried[N_TRIED] = {2, 3, 1};
static const double length_tried[N_TRIED] = {1, 0.25, 4}; /* times the epochs of the training */

typedef struct search {
    const mo_trainer_args *args;
    const mopd_run *run;
    mo_settings set;
    mo_group group;
    size_t dim;
    float *teachers; /* M x C x D of all classes, or NULL */
    mo_choose_fold folds[MO_CHOOSE_FOLDS];
    float *rows, *logits; /* ROWS x D, ROWS x C */
    float *start;         /* vectors x W: what the context starts from; NULL without words */
    float *half;          /* vectors x W: half-way from there to what was learned */
    mo_buf tried;         /* JSON array of what was tried, written by w */
    mo_jsonw w;
    double best;                  /* H of the best so far, negative at first */
    mopd_trainer_options first;   /* the defaults, which are tried first */
    double first_base, first_new; /* what they give, percent */
    bool lengths;                 /* epochs are tried too */
    uint32_t epochs, best_epochs; /* of the training that a trial stands for: those at hand, the best's */
} search;

static void free_search(search *s)
{
    mo_choose_folds_free(s->folds);
    mo_buf_free(&s->tried);
    mo_mem_free(s->teachers);
    mo_mem_free(s->group.values);
    mo_mem_free(s->half);
    mo_mem_free(s->start);
    mo_mem_free(s->rows);
    mo_mem_free(s->logits);
}

/* What give_views serves: a search, and those of its pictures that are trained on. */
typedef struct feed {
    const search *s;
    const mo_choose_pictures *p;
} feed;

/* Picture i of p in a view. */
static const float *feature_of(const search *s, const mo_choose_pictures *p, size_t i, size_t view)
{
    return s->run->features + (p->index[i] * (size_t)s->run->n_views + view) * s->dim;
}

/* Fresh features of an epoch: the pictures' views in turn. */
static mopd_status give_views(void *context, uint32_t epoch, float *features)
{
    const feed *f = context;
    size_t d = f->s->dim, view = (epoch - 1) % (size_t)f->s->run->n_views;
    for (size_t i = 0; i < f->p->n; i++)
        memcpy(features + i * d, feature_of(f->s, f->p, i, view), d * sizeof(float));
    return MOPD_OK;
}

/* Percent of the pictures, by their first view, that the class features (n_classes x D) classify rightly. */
static double accuracy(search *s, const mopd_trainer *t, const float *class_features, size_t n_classes,
    const mo_choose_pictures *p)
{
    size_t correct = 0, d = s->dim;
    for (size_t at = 0; at < p->n; at += ROWS) {
        size_t n = mo_min(p->n - at, ROWS);
        for (size_t i = 0; i < n; i++)
            memcpy(s->rows + i * d, feature_of(s, p, at + i, 0), d * sizeof(float));
        mo_trainer_logits(t, s->rows, n, class_features, n_classes, s->logits);
        correct += mo_metrics_correct(s->logits, n_classes, p->label + at, n);
    }
    return 100 * (double)correct / (double)p->n;
}

/* Rank 0's numbers for all, so that all choose the same. */
static mopd_status share_found(mo_group *group, mopd_status st, double found[2])
{
    if (group->ranks < 2) return st;
    double *payload = mo_group_payload(group, 2);
    if (!group->rank) memcpy(payload, found, 2 * sizeof *found);
    if ((st = mo_group_sum(group, st, (mo_group_check){0, "trials"}, 2)) == MOPD_OK)
        memcpy(found, payload, 2 * sizeof *found);
    return st;
}

/* What a fold's training is given: its own pictures, the caller's callbacks. */
static mopd_run run_of(const search *s, const mo_choose_fold *f, feed *source)
{
    mopd_run run = mo_run_defaults;
    *source = (feed){s, &f->train};
    run.n = f->train.n;
    run.labels = f->train.label;
    run.views = give_views;
    run.views_context = source;
    run.on_step = s->run->on_step;
    run.step_context = s->run->step_context;
    run.stop = s->run->stop;
    run.stop_context = s->run->stop_context;
    return run;
}

/* The context for classes that were not trained on: half-way back to its words, as the command's banks have it. */
static const float *context_of_others(search *s, const mopd_trainer *t)
{
    const float *learned = t->state.context.p;
    if (!s->start) return learned;
    for (size_t i = 0; i < t->state.context.n; i++) s->half[i] = (s->start[i] + learned[i]) / 2;
    return s->half;
}

/* found = accuracy on held-out pictures, or on pretended new classes, after a run, whose features work's s still holds. */
static mopd_status judge(search *s, mo_choose_fold *f, const mopd_trainer *t, double found[2])
{
    mopd_status st = f->student ? mo_student_fwd(f->student, context_of_others(s, t), f->s) : MOPD_OK;
    if (!f->student) found[0] = accuracy(s, t, t->work.s, f->base.n, &f->held);
    if (f->student && st == MOPD_OK) found[1] = accuracy(s, t, f->s, f->fresh.n, &f->unseen);
    return share_found(&s->group, st, found);
}

/* Trains one fold with these options and adds what it found: on new classes the mean of both halves. */
static mopd_status try_fold(
    search *s, mo_choose_fold *f, const mopd_trainer_options *o, double *base, double *fresh)
{
    mopd_trainer *t = NULL;
    feed source;
    double found[2] = {0};
    mopd_trainer_options scaled = *o; /* as many steps an epoch as the real training */
    scaled.teachers = NULL;
    scaled.batch = (uint32_t)((uint64_t)o->batch * f->train.n / s->run->n);
    if (!scaled.batch) scaled.batch = 1;
    mo_trainer_args args = {s->args->encoder, f->base.name, f->base.n, &scaled, f->teachers};
    mopd_status st = mo_trainer_create(&t, &args);
    if (st != MOPD_OK) return st;
    mopd_run run = run_of(s, f, &source);
    if ((st = mo_trainer_run(t, &run)) == MOPD_OK) st = judge(s, f, t, found);
    *base += found[0];
    *fresh += found[1] / MO_CHOOSE_HALVES;
    mo_trainer_free(t);
    return st;
}

/* epochs: of the training that these options stand for. */
static void write_setting(const search *s, mo_jsonw *w, const mopd_trainer_options *o, uint32_t epochs)
{
    mo_jsonw_kfloat(w, "w", o->w);
    if (s->set.method->mps) mo_jsonw_kfloat(w, "w2", o->w2);
    if (s->set.method->gate != MO_GATE_NONE) mo_jsonw_kint(w, "top_k", o->top_k);
    if (s->lengths) mo_jsonw_kint(w, "epochs", epochs);
}

/* Tries options; when they are the best so far, and give up nothing on trained classes, they become `best`. */
static mopd_status try_options(search *s, const mopd_trainer_options *o, mopd_trainer_options *best)
{
    double base = 0, fresh = 0;
    for (size_t i = 0; i < MO_CHOOSE_FOLDS; i++) {
        mopd_status st = try_fold(s, &s->folds[i], o, &base, &fresh);
        if (st != MOPD_OK) return st;
    }
    const double h = mo_metrics_harmonic(base, fresh);
    mo_jsonw_object(&s->w);
    write_setting(s, &s->w, o, s->epochs);
    mo_jsonw_kdouble(&s->w, "base", base);
    mo_jsonw_kdouble(&s->w, "new", fresh);
    mo_jsonw_kdouble(&s->w, "h", h);
    mo_jsonw_end(&s->w);
    if (s->best < 0) {
        s->first = *o;
        s->first_base = base;
        s->first_new = fresh;
    }
    if (h > s->best && base >= s->first_base) {
        s->best = h;
        s->best_epochs = s->epochs;
        *best = *o;
    }
    return MOPD_OK;
}

/* Half a training tells settings apart. */
static uint32_t trial_epochs(uint32_t epochs)
{
    return epochs / 2 + epochs % 2;
}

/* Other lengths of the training, with the best of the settings. */
static mopd_status try_lengths(search *s, mopd_trainer_options *best)
{
    mopd_trainer_options o = *best;
    const uint32_t whole = s->epochs;
    mopd_status st = MOPD_OK;
    for (size_t i = 1; i < N_TRIED && st == MOPD_OK; i++) {
        s->epochs = (uint32_t)(length_tried[i] * (double)whole);
        if (!s->epochs) continue;
        o.epochs = trial_epochs(s->epochs);
        st = try_options(s, &o, best);
    }
    return st;
}

/* w, then K, then w2, each with the best of the others; a value tried already is not tried again. */
static mopd_status try_settings(search *s, mopd_trainer_options *best)
{
    mopd_trainer_options o = s->set.o;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < N_TRIED && st == MOPD_OK; i++) {
        o.w = w_tried[i];
        o.top_k = s->set.n_templates < k_tried[0] ? 1 : k_tried[0];
        o.w2 = w2_tried[0];
        st = try_options(s, &o, best);
    }
    for (size_t i = 0; i < N_TRIED && st == MOPD_OK && s->set.method->gate != MO_GATE_NONE; i++) {
        o = *best;
        if (k_tried[i] == best->top_k || k_tried[i] > s->set.n_templates) continue;
        o.top_k = k_tried[i];
        st = try_options(s, &o, best);
    }
    for (size_t i = 0; i < N_TRIED && st == MOPD_OK && s->set.method->mps; i++) {
        o = *best;
        if (w2_tried[i] == best->w2) continue;
        o.w2 = w2_tried[i];
        st = try_options(s, &o, best);
    }
    return st;
}

/* The standard error of H = 2 b f / (b + f) for accuracies b of n_b and f of n_f pictures, all in percent. */
static double error_of_h(double b, double n_b, double f, double n_f)
{
    if (!(b + f > 0)) return 0;
    const double to_b = 2 * f * f / ((b + f) * (b + f)), to_f = 2 * b * b / ((b + f) * (b + f));
    return sqrt(to_b * to_b * b * (100 - b) / n_b + to_f * to_f * f * (100 - f) / n_f);
}

/* The defaults stay where the best is not more than a standard error above them (Breiman et al. 1984): of few pictures
 * one or two decide who is first. */
static void prefer_defaults(search *s, mopd_trainer_options *best, uint32_t epochs)
{
    const double held = (double)s->folds[MO_CHOOSE_ALL].held.n,
                 unseen = (double)(s->folds[0].unseen.n + s->folds[1].unseen.n);
    const double error = error_of_h(s->first_base, held, s->first_new, unseen);
    if (s->best > mo_metrics_harmonic(s->first_base, s->first_new) + error) return;
    *best = s->first;
    s->best_epochs = epochs;
}

static mopd_status try_all(search *s, mopd_trainer_options *best)
{
    const uint32_t epochs = s->epochs;
    mopd_status st = try_settings(s, best);
    if (st == MOPD_OK && s->lengths) st = try_lengths(s, best);
    if (st == MOPD_OK) prefer_defaults(s, best, epochs);
    return st;
}

static mopd_status write_report(search *s, const mopd_trainer_options *best, char **report)
{
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_end(&s->w);
    mopd_status st = mo_jsonw_done(&s->w);
    if (st != MOPD_OK) return st;
    mo_jsonw_init(&w, &text);
    mo_jsonw_object(&w);
    mo_jsonw_key(&w, "chosen");
    mo_jsonw_object(&w);
    write_setting(s, &w, best, s->best_epochs);
    mo_jsonw_end(&w);
    mo_jsonw_kint(&w, "folds", MO_CHOOSE_FOLDS);
    if (!s->lengths) mo_jsonw_kint(&w, "epochs", s->set.o.epochs);
    mo_jsonw_kint(&w, "base_classes", (int64_t)s->folds[0].base.n);
    mo_jsonw_kint(&w, "new_classes", (int64_t)s->folds[0].fresh.n);
    mo_jsonw_kint(&w, "train", (int64_t)s->folds[MO_CHOOSE_ALL].train.n);
    mo_jsonw_kint(&w, "held_out", (int64_t)s->folds[MO_CHOOSE_ALL].held.n);
    mo_jsonw_key(&w, "tried");
    mo_jsonw_raw(&w, s->tried.data);
    mo_jsonw_end(&w);
    st = mo_jsonw_done(&w);
    if (st == MOPD_OK) *report = mo_buf_take(&text);
    mo_buf_free(&text);
    return st;
}

static mopd_status check(const search *s)
{
    const mopd_run *run = s->run;
    if (!s->set.method->distils)
        return mo_fail(MOPD_E_ARG, "choosing settings: method %s has neither w, w2 nor top_k",
            mo_method_name(s->set.o.method));
    if (s->set.o.flags & MOPD_TRAIN_CLASS_CONTEXT)
        return mo_fail(
            MOPD_E_ARG, "choosing settings: a class-specific context cannot meet the pretended new classes");
    if (s->args->n_classes < 4)
        return mo_fail(MOPD_E_ARG, "choosing settings: %zu classes, 4 are needed", s->args->n_classes);
    if (!run->features || !run->labels || run->views || !run->n_views)
        return mo_fail(MOPD_E_ARG, "choosing settings: features and labels are needed");
    if (run->n < 1 || run->n > UINT32_MAX)
        return mo_fail(MOPD_E_ARG, "mopd_run: %llu pictures", (unsigned long long)run->n);
    if (run->n_views > UINT32_MAX)
        return mo_fail(MOPD_E_ARG, "mopd_run: n_views is %llu", (unsigned long long)run->n_views);
    return mo_labels_check(run->labels, (size_t)run->n, s->args->n_classes);
}

static mopd_status open_start(search *s)
{
    const mopd_encoder *e = s->args->encoder;
    const mopd_trainer_options *o = &s->set.o;
    const mo_context_shape shape = {o->n_context, o->class_position, false};
    const size_t width = mo_text_width(e->text);
    s->start = mo_mem_alloc(shape.n, width * sizeof *s->start);
    s->half = mo_mem_alloc(shape.n, width * sizeof *s->half);
    if (!s->start || !s->half) return MOPD_E_NOMEM;
    return mo_context_start(e, &shape, 1, o->context, o->seed, s->start);
}

static mopd_status open_search(search *s)
{
    size_t c = s->args->n_classes, n, room;
    if (!mo_mul(c, s->dim, &n) || (room = mo_group_room(&s->group, n)) == SIZE_MAX)
        return mo_fail(MOPD_E_NOMEM, "choosing settings: %zu classes", c);
    if (!(s->rows = mo_mem_alloc(ROWS, s->dim * sizeof *s->rows))) return MOPD_E_NOMEM;
    if (!(s->logits = mo_mem_alloc(ROWS, c * sizeof *s->logits))) return MOPD_E_NOMEM;
    if (room && !(s->group.values = mo_mem_alloc(room, sizeof *s->group.values))) return MOPD_E_NOMEM;
    return s->set.o.context ? open_start(s) : MOPD_OK;
}

/* Teachers of all classes, and the folds. */
static mopd_status share_out(search *s)
{
    mopd_status st = mo_trainer_teachers(&s->teachers, s->args, &s->set, &s->group);
    if (st != MOPD_OK) return st;
    mo_choose_whole whole = {s->args, s->run, &s->set, s->teachers, s->dim};
    return mo_group_agree(&s->group, mo_choose_folds_make(s->folds, &whole), (mo_group_check){0, "folds"});
}

/* The length of the training that is asked for, and that of the trials. */
static void count_epochs(search *s)
{
    mopd_trainer_options *o = &s->set.o;
    s->lengths = s->set.open_epochs && !o->steps;
    s->epochs =
        mo_settings_epochs(&s->set, s->args->n_classes, mo_sampler_batches((size_t)s->run->n, o->batch));
    o->epochs = trial_epochs(s->epochs);
    o->steps = 0;
}

mopd_status mo_choose_settings(
    const mo_trainer_args *args, mopd_trainer_options *options, const mopd_run *run, char **report)
{
    search s = {.args = args, .run = run, .dim = mo_text_dim(args->encoder->text), .best = -1};
    mopd_status st = mo_settings_read(&s.set, args->encoder, args->options);
    mopd_status other = mo_group_read(&s.group, &s.set.o, args->n_classes);
    if (st == MOPD_OK) st = other;
    if (st == MOPD_OK) st = check(&s);
    if (st == MOPD_OK) st = mo_trainer_check_teachers(args, &s.set);
    if (st == MOPD_OK) st = open_search(&s);
    st = mo_group_agree(&s.group, st, (mo_group_check){run->n, "the number of pictures"});
    if (st != MOPD_OK) goto done;
    count_epochs(&s);
    mopd_trainer_options best = s.set.o;
    st = share_out(&s);
    mo_jsonw_init(&s.w, &s.tried);
    mo_jsonw_array(&s.w);
    if (st == MOPD_OK) st = try_all(&s, &best);
    if (st == MOPD_OK && report) st = write_report(&s, &best, report);
    if (st != MOPD_OK) goto done;
    options->w = best.w;
    options->w2 = best.w2;
    options->top_k = best.top_k;
    if (s.lengths) options->epochs = s.best_epochs;
done:
    free_search(&s);
    return st;
}
