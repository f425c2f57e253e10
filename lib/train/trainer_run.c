/* SPDX-License-Identifier: MIT
 * trainer_run.c - epochs over given features, or over fresh ones from a callback; at the end, what the prompt
 * file says of the training pictures. */
#include <string.h>

#include "base/buf.h"
#include "base/floats.h"
#include "base/ints.h"
#include "base/labels.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"
#include "format/json.h"
#include "prompt/gate.h"
#include "train/metrics.h"
#include "train/sampler.h"
#include "train/trainer.h"

/* What a run holds beside its trainer. */
typedef struct run_state {
    const mopd_run *run;
    size_t n, n_batches; /* pictures; batches of an epoch */
    uint32_t *order;     /* n: the pictures in the order of this epoch */
    float *fresh;        /* n x D: features from the callback `views`; else NULL */
    bool filled;         /* fresh holds those of an epoch */
} run_state;

/* The features of a picture in an epoch (from 0). */
static const float *feature_of(const mopd_trainer *t, const run_state *s, size_t picture, size_t epoch)
{
    if (s->fresh) return s->fresh + picture * t->dim;
    size_t views = (size_t)s->run->n_views;
    return s->run->features + (picture * views + epoch % views) * t->dim;
}

/* Asks the callback for fresh features, which must be the same on all ranks. */
static mopd_status fill(mopd_trainer *t, run_state *s, size_t epoch)
{
    if (!s->fresh) return MOPD_OK;
    mopd_status st = s->run->views(s->run->views_context, (uint32_t)epoch + 1, s->fresh);
    if (st == MOPD_OK) st = mo_floats_check_unit("feature", s->fresh, s->n, t->dim);
    s->filled = st == MOPD_OK;
    uint64_t bits = s->filled && t->group.ranks > 1 ? mo_trainer_bits(s->fresh, s->n * t->dim, NULL, 0) : 0;
    st = mo_group_agree(&t->group, st, (mo_group_check){bits, "their features"});
    return mo_fail_at(st, "fresh features of epoch %zu", epoch + 1);
}

static mopd_status save(const mopd_trainer *t, const run_state *s)
{
    return s->run->checkpoint && !t->group.rank ? mo_trainer_checkpoint(t, s->run->checkpoint) : MOPD_OK;
}

/* n pictures, index[i] or first + i when that is NULL, as they look in an epoch, into work's features. */
static void gather(
    mopd_trainer *t, const run_state *s, const uint32_t *index, size_t first, size_t n, size_t epoch)
{
    for (size_t i = 0; i < n; i++) {
        size_t picture = index ? index[first + i] : first + i;
        memcpy(t->work.features + i * t->dim, feature_of(t, s, picture, epoch), t->dim * sizeof(float));
        t->work.labels[i] = s->run->labels[picture];
    }
}

static mopd_status run_step(mopd_trainer *t, run_state *s)
{
    const mopd_run *run = s->run;
    const mo_trainer_state *state = &t->state;
    size_t batch = t->set.o.batch, n = mo_min(s->n, batch);
    gather(t, s, s->order, (size_t)state->step * batch, n, (size_t)state->epoch);
    mopd_step step;
    mopd_status st = mo_trainer_step(t, t->work.features, t->work.labels, n, &step);
    bool done = st == MOPD_OK;
    if (done && run->on_step && run->on_step(run->step_context, &step))
        st = mo_fail(MOPD_E_CANCELLED, "cancelled in epoch %u after step %u", (unsigned)step.epoch,
            (unsigned)step.step);
    if (done) st = mo_group_agree(&t->group, st, (mo_group_check){state->total, "steps"});
    if (st != MOPD_E_CANCELLED) return st;
    mopd_status saved = save(t, s);
    return saved == MOPD_OK ? st : saved;
}

/* The means of the epoch that is about to end. */
static mopd_epoch summary(const mopd_trainer *t, double seconds)
{
    const mo_trainer_state *state = &t->state;
    const mo_sums *sums = &state->sums;
    double n = state->step ? (double)state->step : 1, seen = sums->n_seen ? (double)sums->n_seen : 1;
    return (mopd_epoch){.struct_size = sizeof(mopd_epoch),
        .epoch = (uint32_t)state->epoch + 1,
        .n_epochs = t->set.o.epochs,
        .n_steps = (uint32_t)state->step,
        .lr = mo_trainer_lr(t, state->epoch),
        .loss = sums->loss / n,
        .ce = sums->ce / n,
        .mpd = sums->mpd / n,
        .mps = sums->mps / n,
        .reg = sums->reg / n,
        .accuracy = 100 * (double)sums->n_correct / seen,
        .seconds = seconds};
}

static mopd_status run_epoch(mopd_trainer *t, run_state *s)
{
    double start = mo_os_clock();
    mopd_status st = fill(t, s, (size_t)t->state.epoch);
    if (st != MOPD_OK) return st;
    mo_sampler_order(
        t->set.o.seed, (size_t)t->state.epoch, !(t->set.o.flags & MOPD_TRAIN_NO_SHUFFLE), s->order, s->n);
    while (t->state.step < s->n_batches)
        if ((st = run_step(t, s)) != MOPD_OK) return st;
    mopd_epoch epoch = summary(t, mo_os_clock() - start);
    mo_trainer_end_epoch(t);
    st = save(t, s);
    if (st == MOPD_OK && s->run->on_epoch && s->run->on_epoch(s->run->epoch_context, &epoch))
        st = mo_fail(MOPD_E_CANCELLED, "cancelled after epoch %u", (unsigned)epoch.epoch);
    return mo_group_agree(&t->group, st, (mo_group_check){t->state.epoch, "epochs"});
}

/* How often the gate took each template, as shares of n pictures. */
static mopd_status note_gate_use(mo_trainer_notes *notes, const double *use, size_t n_templates, size_t n)
{
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    mo_jsonw_array(&w);
    for (size_t m = 0; m < n_templates; m++) mo_jsonw_double(&w, use[m] / (double)n);
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) {
        mo_mem_free(notes->gate_use);
        notes->gate_use = mo_buf_take(&text);
    }
    mo_buf_free(&text);
    return st;
}

/* Accuracy on the training pictures (their first view) and use of the gate, for the prompt file. */
static mopd_status measure(mopd_trainer *t, run_state *s)
{
    const mo_trainer_work *w = &t->work;
    size_t correct = 0, batch = t->set.o.batch, m = t->set.n_templates, c = t->n_classes;
    mopd_gate gate = {t->set.method->gate == MO_GATE_IMAGE ? t->dim : 0, m, t->set.kept, t->state.gate.p};
    mopd_status st = s->fresh && !s->filled ? fill(t, s, (size_t)t->state.epoch - 1) : MOPD_OK;
    if ((st = mo_trainer_features(t, st)) != MOPD_OK) return st;
    double *use = NULL;
    if (t->state.gate.n && !(use = mo_mem_calloc(m, sizeof *use))) return MOPD_E_NOMEM;
    for (size_t at = 0; at < s->n && st == MOPD_OK; at += batch) {
        size_t n = mo_min(s->n - at, batch);
        gather(t, s, NULL, at, n, 0);
        mo_trainer_logits(t, w->features, n, w->s, c, w->z);
        correct += mo_metrics_correct(w->z, c, w->labels, n);
        if (use) st = mo_gate_use(&gate, w->features, n, use);
    }
    if (st == MOPD_OK) t->notes.accuracy = 100 * (double)correct / (double)s->n;
    if (st == MOPD_OK && use) st = note_gate_use(&t->notes, use, m, s->n);
    mo_mem_free(use);
    return st;
}

/* What is trained on, for the prompt file.  A run that is resumed half way must be given the same. */
static mopd_status note_data(mopd_trainer *t, const run_state *s)
{
    mo_trainer_notes *notes = &t->notes;
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    mo_jsonw_object(&w);
    mo_jsonw_kint(&w, "classes", (int64_t)t->n_classes);
    mo_jsonw_kint(&w, "pictures", (int64_t)s->n);
    mo_jsonw_kint(&w, "views", (int64_t)s->run->n_views);
    mo_jsonw_kbool(&w, "fresh_views", s->fresh != NULL);
    mo_jsonw_kint(&w, "steps_per_epoch", (int64_t)s->n_batches);
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK && t->state.total && notes->data && strcmp(notes->data, text.data) != 0)
        st = mo_fail(MOPD_E_MISMATCH, "the run began with the data %s, now it is %s", notes->data, text.data);
    if (st == MOPD_OK) {
        mo_mem_free(notes->data);
        notes->data = mo_buf_take(&text);
    }
    mo_buf_free(&text);
    return st;
}

static mopd_status check_run(const mopd_trainer *t, const mopd_run *run)
{
    if (!run->n || run->n > UINT32_MAX)
        return mo_fail(MOPD_E_ARG, "mopd_run: %llu pictures", (unsigned long long)run->n);
    if (!run->labels) return mo_fail(MOPD_E_ARG, "mopd_run: labels is NULL");
    if (!run->features == !run->views)
        return mo_fail(MOPD_E_ARG, "mopd_run: either features or a views callback");
    if (run->n_views < 1 || run->n_views > UINT32_MAX || (run->views && run->n_views != 1))
        return mo_fail(MOPD_E_ARG, "mopd_run: n_views is %llu", (unsigned long long)run->n_views);
    size_t floats;
    if (!mo_mul((size_t)run->n, (size_t)run->n_views, &floats) || !mo_mul(floats, t->dim, &floats))
        return mo_fail(MOPD_E_ARG, "mopd_run: %llu pictures x %llu views", (unsigned long long)run->n,
            (unsigned long long)run->n_views);
    mopd_status st = mo_labels_check(run->labels, (size_t)run->n, t->n_classes);
    if (st != MOPD_OK || !run->features) return st;
    return mo_floats_check_unit("feature", run->features, (size_t)(run->n * run->n_views), t->dim);
}

static mopd_status open_run(run_state *s, mopd_trainer *t, const mopd_run *run)
{
    mopd_status st = check_run(t, run);
    if (st != MOPD_OK) return st;
    s->n = (size_t)run->n;
    s->n_batches = mo_sampler_batches(s->n, t->set.o.batch);
    if (!(s->order = mo_mem_alloc(s->n, sizeof *s->order))) return MOPD_E_NOMEM;
    if (run->views && !(s->fresh = mo_mem_alloc(s->n, t->dim * sizeof *s->fresh))) return MOPD_E_NOMEM;
    st = note_data(t, s);
    return st == MOPD_OK ? mo_trainer_count_epochs(t, s->n_batches) : st;
}

/* What all ranks must begin with: the same data at the same position. */
static mo_group_check begin(const mopd_trainer *t, const run_state *s)
{
    const mopd_run *run = s->run;
    size_t floats = s->fresh ? 0 : s->n * (size_t)run->n_views * t->dim;
    uint64_t bits = mo_trainer_bits(run->features, floats, run->labels, s->n);
    bits = mo_rng_mix(mo_rng_mix(bits, run->n_views), t->set.o.epochs);
    return (mo_group_check){mo_rng_mix(bits, t->state.total), "their features, labels, steps or position"};
}

mopd_status mo_trainer_run(mopd_trainer *t, const mopd_run *run)
{
    run_state s = {.run = run};
    mopd_status st = open_run(&s, t, run);
    mo_group_check check = st == MOPD_OK && t->group.ranks > 1 ? begin(t, &s) : (mo_group_check){0, ""};
    st = mo_group_agree(&t->group, st, check);
    if (t->student) mo_student_watch(t->student, run->stop, run->stop_context);
    while (st == MOPD_OK && t->state.epoch < t->set.o.epochs) st = run_epoch(t, &s);
    if (st == MOPD_OK) st = mo_group_agree(&t->group, measure(t, &s), (mo_group_check){0, "runs"});
    if (t->student) mo_student_watch(t->student, NULL, NULL);
    mo_mem_free(s.fresh);
    mo_mem_free(s.order);
    return st;
}
