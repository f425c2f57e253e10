/* SPDX-License-Identifier: MIT
 * choose.c - short trainings on pretended new classes, compared. */
#include "train/choose.h"

#include <string.h>

#include "base/buf.h"
#include "base/labels.h"
#include "base/mem.h"
#include "base/rng.h"
#include "format/json.h"

#define PURPOSE UINT64_C(0x63686f6f7365) /* of the random stream: "choose" */
#define FOLDS 2
#define ROWS 256

static const float w_tried[] = {0.8f, 0.5f, 0.2f};
static const float w2_tried[] = {0.1f, 0.5f, 0.0005f};
static const uint32_t k_tried[] = {2, 3, 1};

/* Classes seen together: their names, and for the whole list of classes the place here or -1. */
typedef struct half {
    const char **name;
    int32_t *place; /* C */
    size_t n;
} half;

/* Pictures with labels in the numbering of a half. */
typedef struct pictures {
    uint32_t *index;
    int32_t *label;
    size_t n;
} pictures;

typedef struct fold {
    half base, fresh;
    pictures train, held, unseen;
    float *teachers;     /* M x C of base x D, or NULL */
    mo_student *student; /* of the fresh classes */
    float *s;            /* fresh classes x D */
} fold;

typedef struct search {
    const mo_trainer_args *args;
    const mopd_run *run;
    mo_settings set;
    mo_group group;
    size_t dim;
    float *teachers;      /* M x C x D of all classes, or NULL */
    uint32_t *order;      /* C: shuffled classes */
    float *rows, *logits; /* ROWS x D, ROWS x C */
    fold folds[FOLDS];
    mo_buf tried; /* JSON array, written by */
    mo_jsonw w;
    double best; /* H of the best so far, negative at first */
} search;

static void free_half(half *h)
{
    mo_mem_free(h->name);
    mo_mem_free(h->place);
}

static void free_pictures(pictures *p)
{
    mo_mem_free(p->index);
    mo_mem_free(p->label);
}

static void free_search(search *s)
{
    for (size_t i = 0; i < FOLDS; i++) {
        fold *f = &s->folds[i];
        free_half(&f->base);
        free_half(&f->fresh);
        free_pictures(&f->train);
        free_pictures(&f->held);
        free_pictures(&f->unseen);
        mo_mem_free(f->teachers);
        mo_student_free(f->student);
        mo_mem_free(f->s);
    }
    mo_buf_free(&s->tried);
    mo_mem_free(s->teachers);
    mo_mem_free(s->order);
    mo_mem_free(s->group.values);
    mo_mem_free(s->rows);
    mo_mem_free(s->logits);
}

/* The classes order[first] .. order[first + n - 1], in their old order. */
static mopd_status make_half(half *out, const search *s, size_t first, size_t n)
{
    size_t c = s->args->n_classes;
    out->name = mo_mem_alloc(n, sizeof *out->name);
    out->place = mo_mem_alloc(c, sizeof *out->place);
    if (!out->name || !out->place) return MOPD_E_NOMEM;
    for (size_t i = 0; i < c; i++) out->place[i] = -1;
    for (size_t i = 0; i < n; i++) out->place[s->order[first + i]] = 0;
    for (size_t i = 0; i < c; i++) {
        if (out->place[i] < 0) continue;
        out->place[i] = (int32_t)out->n;
        out->name[out->n++] = s->args->classes[i];
    }
    return MOPD_OK;
}

static mopd_status open_pictures(pictures *p, size_t n)
{
    p->index = mo_mem_alloc(n, sizeof *p->index);
    p->label = mo_mem_alloc(n, sizeof *p->label);
    return p->index && p->label ? MOPD_OK : MOPD_E_NOMEM;
}

static void add_picture(pictures *p, uint32_t index, int32_t label)
{
    p->index[p->n] = index;
    p->label[p->n++] = label;
}

/* Pictures of the half's classes; of each class with two or more a quarter, at least one, is held out, the
 * shuffled `order` says which. */
static mopd_status share_out(fold *f, const search *s, const uint32_t *order)
{
    size_t n = (size_t)s->run->n, c = s->args->n_classes;
    mopd_status st = open_pictures(&f->train, n);
    if (st == MOPD_OK) st = open_pictures(&f->held, n);
    if (st == MOPD_OK) st = open_pictures(&f->unseen, n);
    if (st != MOPD_OK) return st;
    size_t *left = mo_mem_calloc(c, sizeof *left); /* to hold out */
    if (!left) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n; i++) left[s->run->labels[i]]++;
    for (size_t i = 0; i < c; i++) left[i] = left[i] < 2 ? 0 : left[i] < 8 ? 1 : left[i] / 4;
    for (size_t i = 0; i < n; i++) {
        size_t label = (size_t)s->run->labels[order[i]];
        int32_t base = f->base.place[label];
        if (base < 0)
            add_picture(&f->unseen, order[i], f->fresh.place[label]);
        else if (left[label])
            left[label]--, add_picture(&f->held, order[i], base);
        else
            add_picture(&f->train, order[i], base);
    }
    mo_mem_free(left);
    if (f->train.n && f->held.n && f->unseen.n) return MOPD_OK;
    return mo_fail(MOPD_E_ARG,
        "choosing settings: %zu pictures to train on, %zu held out, %zu of pretended new classes", f->train.n,
        f->held.n, f->unseen.n);
}

static mopd_status slice_teachers(fold *f, const search *s)
{
    size_t d = s->dim, c = s->args->n_classes, m = s->set.n_templates;
    if (!s->teachers) return MOPD_OK;
    if (!(f->teachers = mo_mem_alloc(m * f->base.n, d * sizeof(float)))) return MOPD_E_NOMEM;
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i < c; i++)
            if (f->base.place[i] >= 0)
                memcpy(f->teachers + (j * f->base.n + (size_t)f->base.place[i]) * d,
                    s->teachers + (j * c + i) * d, d * sizeof(float));
    return MOPD_OK;
}

static mopd_status make_fold(fold *f, search *s, size_t first, size_t n, const uint32_t *order)
{
    size_t c = s->args->n_classes;
    mopd_status st = make_half(&f->base, s, first, n);
    if (st == MOPD_OK) st = make_half(&f->fresh, s, first ? 0 : n, c - n);
    if (st == MOPD_OK) st = share_out(f, s, order);
    if (st == MOPD_OK) st = slice_teachers(f, s);
    if (st != MOPD_OK) return st;
    if (!(f->s = mo_mem_alloc(f->fresh.n, s->dim * sizeof(float)))) return MOPD_E_NOMEM;
    const mopd_trainer_options *o = &s->set.o;
    mo_student_args args = {s->args->encoder, {o->n_context, o->class_position, false}, f->fresh.name,
        f->fresh.n, (size_t)o->memory_limit, false};
    return mo_student_create(&f->student, &args);
}

static mopd_status make_folds(search *s)
{
    size_t c = s->args->n_classes, n = (size_t)s->run->n, half_n = (c + 1) / 2;
    uint32_t *order = mo_mem_alloc(n, sizeof *order);
    if (!order || !(s->order = mo_mem_alloc(c, sizeof *s->order))) {
        mo_mem_free(order);
        return MOPD_E_NOMEM;
    }
    mo_rng rng;
    mo_rng_seed(&rng, mo_rng_mix(s->set.o.seed, PURPOSE));
    for (size_t i = 0; i < c; i++) s->order[i] = (uint32_t)i;
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    mo_rng_shuffle(&rng, s->order, c);
    mo_rng_shuffle(&rng, order, n);
    mopd_status st = make_fold(&s->folds[0], s, 0, half_n, order);
    if (st == MOPD_OK) st = make_fold(&s->folds[1], s, half_n, c - half_n, order);
    mo_mem_free(order);
    return st;
}

/* One epoch's view of the pictures trained on. */
typedef struct feed {
    const search *s;
    const pictures *p;
} feed;

static mopd_status give_views(void *ctx, uint32_t epoch, float *features)
{
    const feed *f = ctx;
    size_t d = f->s->dim, views = (size_t)f->s->run->n_views;
    for (size_t i = 0; i < f->p->n; i++)
        memcpy(features + i * d, f->s->run->features + (f->p->index[i] * views + (epoch - 1) % views) * d,
            d * sizeof(float));
    return MOPD_OK;
}

/* Percent of the pictures, by their first view, that the class features s classify rightly. */
static double accuracy(search *q, const mopd_trainer *t, const float *s, size_t n_classes, const pictures *p)
{
    size_t correct = 0, d = q->dim, views = (size_t)q->run->n_views;
    for (size_t at = 0; at < p->n; at += ROWS) {
        size_t n = p->n - at < ROWS ? p->n - at : ROWS;
        for (size_t i = 0; i < n; i++)
            memcpy(q->rows + i * d, q->run->features + p->index[at + i] * views * d, d * sizeof(float));
        mo_trainer_logits(t, q->rows, n, s, n_classes, q->logits);
        for (size_t i = 0; i < n; i++) {
            const float *z = q->logits + i * n_classes;
            size_t best = 0;
            for (size_t c = 1; c < n_classes; c++)
                if (z[c] > z[best]) best = c;
            correct += best == (size_t)p->label[at + i];
        }
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

/* Trains one fold with these options: accuracy on held-out pictures and on pretended new classes. */
static mopd_status try_fold(search *s, fold *f, const mopd_trainer_options *o, double *base, double *fresh)
{
    mopd_trainer *t = NULL;
    mopd_trainer_options scaled = *o; /* as many steps an epoch as the real training */
    scaled.teachers = NULL;
    scaled.batch = (uint32_t)((uint64_t)o->batch * f->train.n / s->run->n);
    if (!scaled.batch) scaled.batch = 1;
    mo_trainer_args args = {s->args->encoder, f->base.name, f->base.n, &scaled, f->teachers};
    mopd_status st = mo_trainer_create(&t, &args);
    if (st != MOPD_OK) return st;
    feed source = {s, &f->train};
    mopd_run run = mo_run_defaults;
    run.n = f->train.n;
    run.labels = f->train.label;
    run.views = give_views;
    run.views_context = &source;
    run.on_step = s->run->on_step;
    run.step_context = s->run->step_context;
    run.stop = s->run->stop;
    run.stop_context = s->run->stop_context;
    if ((st = mo_trainer_run(t, &run)) == MOPD_OK) {
        double found[2] = {0};
        st = mo_student_fwd(f->student, t->context.p, f->s);
        if (st == MOPD_OK) {
            found[0] = accuracy(s, t, t->s, f->base.n, &f->held); /* t->s: as the run measured it last */
            found[1] = accuracy(s, t, f->s, f->fresh.n, &f->unseen);
        }
        st = share_found(&s->group, st, found);
        *base += found[0] / FOLDS;
        *fresh += found[1] / FOLDS;
    }
    mo_trainer_free(t);
    return st;
}

static void write_setting(const search *s, mo_jsonw *w, const mopd_trainer_options *o)
{
    mo_jsonw_kfloat(w, "w", o->w);
    if (s->set.method->mps) mo_jsonw_kfloat(w, "w2", o->w2);
    if (s->set.method->gate != MO_GATE_NONE) mo_jsonw_kint(w, "top_k", o->top_k);
}

/* Tries options; when they are the best so far they become `best`. */
static mopd_status try_options(search *s, const mopd_trainer_options *o, mopd_trainer_options *best)
{
    double base = 0, fresh = 0;
    for (size_t i = 0; i < FOLDS; i++) {
        mopd_status st = try_fold(s, &s->folds[i], o, &base, &fresh);
        if (st != MOPD_OK) return st;
    }
    double h = base + fresh > 0 ? 2 * base * fresh / (base + fresh) : 0;
    mo_jsonw_object(&s->w);
    write_setting(s, &s->w, o);
    mo_jsonw_kdouble(&s->w, "base", base);
    mo_jsonw_kdouble(&s->w, "new", fresh);
    mo_jsonw_kdouble(&s->w, "h", h);
    mo_jsonw_end(&s->w);
    if (h > s->best) {
        s->best = h;
        *best = *o;
    }
    return MOPD_OK;
}

/* w, then K, then w2, each with the best of the others; a value tried already is not tried again. */
static mopd_status try_all(search *s, mopd_trainer_options *best)
{
    mopd_trainer_options o = s->set.o;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < 3 && st == MOPD_OK; i++) {
        o.w = w_tried[i];
        o.top_k = s->set.n_templates < k_tried[0] ? 1 : k_tried[0];
        o.w2 = w2_tried[0];
        st = try_options(s, &o, best);
    }
    for (size_t i = 0; i < 3 && st == MOPD_OK && s->set.method->gate != MO_GATE_NONE; i++) {
        o = *best;
        if (k_tried[i] == best->top_k || k_tried[i] > s->set.n_templates) continue;
        o.top_k = k_tried[i];
        st = try_options(s, &o, best);
    }
    for (size_t i = 0; i < 3 && st == MOPD_OK && s->set.method->mps; i++) {
        o = *best;
        if (w2_tried[i] == best->w2) continue;
        o.w2 = w2_tried[i];
        st = try_options(s, &o, best);
    }
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
    write_setting(s, &w, best);
    mo_jsonw_end(&w);
    mo_jsonw_kint(&w, "folds", FOLDS);
    mo_jsonw_kint(&w, "epochs", s->set.o.epochs);
    mo_jsonw_kint(&w, "base_classes", (int64_t)s->folds[0].base.n);
    mo_jsonw_kint(&w, "new_classes", (int64_t)s->folds[0].fresh.n);
    mo_jsonw_kint(&w, "train", (int64_t)s->folds[0].train.n);
    mo_jsonw_kint(&w, "held_out", (int64_t)s->folds[0].held.n);
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
        return mo_fail(
            MOPD_E_ARG, "choosing settings: method %s has neither w, w2 nor top_k", mo_method_name(s->set.o.method));
    if (s->set.o.flags & MOPD_TRAIN_CLASS_CONTEXT)
        return mo_fail(
            MOPD_E_ARG, "choosing settings: a class-specific context cannot meet the pretended new classes");
    if (s->args->n_classes < 4)
        return mo_fail(MOPD_E_ARG, "choosing settings: %zu classes, 4 are needed", s->args->n_classes);
    if (!run->features || !run->labels || run->views || !run->n_views)
        return mo_fail(MOPD_E_ARG, "choosing settings: features and labels are needed");
    if (run->n < 1 || run->n > UINT32_MAX)
        return mo_fail(MOPD_E_ARG, "mopd_run: %llu pictures", (unsigned long long)run->n);
    return mo_labels_check(run->labels, (size_t)run->n, s->args->n_classes);
}

static mopd_status open_search(search *s)
{
    size_t c = s->args->n_classes, n, room;
    if (!mo_mul(c, s->dim, &n) || (room = mo_group_room(&s->group, n)) == SIZE_MAX)
        return mo_fail(MOPD_E_NOMEM, "choosing settings: %zu classes", c);
    if (!(s->rows = mo_mem_alloc(ROWS, s->dim * sizeof *s->rows))) return MOPD_E_NOMEM;
    if (!(s->logits = mo_mem_alloc(ROWS, c * sizeof *s->logits))) return MOPD_E_NOMEM;
    if (room && !(s->group.values = mo_mem_alloc(room, sizeof *s->group.values))) return MOPD_E_NOMEM;
    return MOPD_OK;
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
    s.set.o.epochs = (s.set.o.epochs + 1) / 2; /* half a training tells the settings apart */
    mopd_trainer_options best = s.set.o;
    st = mo_trainer_teachers(&s.teachers, args, &s.set, &s.group);
    if (st == MOPD_OK) st = mo_group_agree(&s.group, make_folds(&s), (mo_group_check){0, "folds"});
    mo_jsonw_init(&s.w, &s.tried);
    mo_jsonw_array(&s.w);
    if (st == MOPD_OK) st = try_all(&s, &best);
    if (st == MOPD_OK && report) st = write_report(&s, &best, report);
    if (st != MOPD_OK) goto done;
    options->w = best.w;
    options->w2 = best.w2;
    options->top_k = best.top_k;
done:
    free_search(&s);
    return st;
}
