/* SPDX-License-Identifier: MIT
 * choose_folds.c - halves of the classes, and pictures to learn from, held out and of pretended new classes. */
#include "train/choose_folds.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/wide.h"

#define PURPOSE UINT64_C(0x63686f6f7365) /* of the random stream: "choose" */

static void free_half(mo_choose_half *h)
{
    mo_mem_free(h->name);
    mo_mem_free(h->number);
}

static void free_pictures(mo_choose_pictures *p)
{
    mo_mem_free(p->index);
    mo_mem_free(p->label);
}

void mo_choose_folds_free(mo_choose_fold folds[MO_CHOOSE_FOLDS])
{
    for (size_t i = 0; i < MO_CHOOSE_FOLDS; i++) {
        mo_choose_fold *f = &folds[i];
        free_half(&f->base);
        free_half(&f->fresh);
        free_pictures(&f->train);
        free_pictures(&f->held);
        free_pictures(&f->unseen);
        mo_mem_free(f->teachers);
        mo_student_free(f->student);
        mo_mem_free(f->s);
    }
}

/* The n classes that `chosen` lists, in the order of the whole list. */
static mopd_status make_half(
    mo_choose_half *out, const mo_trainer_args *args, const uint32_t *chosen, size_t n)
{
    size_t c = args->n_classes;
    out->name = mo_mem_alloc(n, sizeof *out->name);
    out->number = mo_mem_alloc(c, sizeof *out->number);
    if (!out->name || !out->number) return MOPD_E_NOMEM;
    for (size_t i = 0; i < c; i++) out->number[i] = -1;
    for (size_t i = 0; i < n; i++) out->number[chosen[i]] = 0;
    for (size_t i = 0; i < c; i++) {
        if (out->number[i] < 0) continue;
        out->number[i] = (int32_t)out->n;
        out->name[out->n++] = args->classes[i];
    }
    return MOPD_OK;
}

static mopd_status open_pictures(mo_choose_pictures *p, size_t n)
{
    p->index = mo_mem_alloc(n, sizeof *p->index);
    p->label = mo_mem_alloc(n, sizeof *p->label);
    return p->index && p->label ? MOPD_OK : MOPD_E_NOMEM;
}

static void add_picture(mo_choose_pictures *p, uint32_t index, int32_t label)
{
    p->index[p->n] = index;
    p->label[p->n++] = label;
}

/* How many pictures of each class are held out; mo_mem_free it.  NULL: no memory. */
static size_t *count_held(const mopd_run *run, size_t n_classes)
{
    size_t *held = mo_mem_calloc(n_classes, sizeof *held);
    if (!held) return NULL;
    for (size_t i = 0; i < run->n; i++) held[run->labels[i]]++;
    for (size_t i = 0; i < n_classes; i++) held[i] = held[i] < 2 ? 0 : held[i] < 8 ? 1 : held[i] / 4;
    return held;
}

/* Shares out all pictures of a run, taken in a shuffled order: the first ones of each class are held out. */
static mopd_status share_out(mo_choose_fold *f, const mo_choose_whole *whole, const uint32_t *order)
{
    const mopd_run *run = whole->run;
    size_t n = (size_t)run->n;
    mopd_status st = open_pictures(&f->train, n);
    if (st == MOPD_OK) st = open_pictures(&f->held, n);
    if (st == MOPD_OK) st = open_pictures(&f->unseen, n);
    if (st != MOPD_OK) return st;
    size_t *left = count_held(run, whole->args->n_classes);
    if (!left) return MOPD_E_NOMEM;
    const bool holds = !f->fresh.n;
    for (size_t i = 0; i < n; i++) {
        size_t label = (size_t)run->labels[order[i]];
        int32_t base = f->base.number[label];
        if (base < 0)
            add_picture(&f->unseen, order[i], f->fresh.number[label]);
        else if (holds && left[label])
            left[label]--, add_picture(&f->held, order[i], base);
        else
            add_picture(&f->train, order[i], base);
    }
    mo_mem_free(left);
    if (f->train.n && (holds ? f->held.n : f->unseen.n)) return MOPD_OK;
    return mo_fail(MOPD_E_ARG, "choosing settings: %zu pictures to train on, %zu %s", f->train.n,
        holds ? f->held.n : f->unseen.n, holds ? "held out" : "of pretended new classes");
}

/* The teachers' features of the base classes. */
static mopd_status slice_teachers(mo_choose_fold *f, const mo_choose_whole *whole)
{
    size_t d = whole->dim, c = whole->args->n_classes, m = whole->set->n_templates;
    if (!whole->teachers) return MOPD_OK;
    if (!(f->teachers = mo_mem_alloc(mo_times(m, f->base.n), d * sizeof(float)))) return MOPD_E_NOMEM;
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i < c; i++)
            if (f->base.number[i] >= 0)
                memcpy(f->teachers + (j * f->base.n + (size_t)f->base.number[i]) * d,
                    whole->teachers + (j * c + i) * d, d * sizeof(float));
    return MOPD_OK;
}

static mopd_status open_student(mo_choose_fold *f, const mo_choose_whole *whole)
{
    const mopd_trainer_options *o = &whole->set->o;
    if (!f->fresh.n) return MOPD_OK;
    if (!(f->s = mo_mem_alloc(f->fresh.n, whole->dim * sizeof(float)))) return MOPD_E_NOMEM;
    mo_student_args args = {whole->args->encoder, {o->n_context, o->class_position, false}, f->fresh.name,
        f->fresh.n, mo_wide_size_most(o->memory_limit), false, NULL};
    return mo_student_create(&f->student, &args);
}

/* Fold k; classes and pictures are the shuffled lists. */
static mopd_status make_fold(mo_choose_fold *f, const mo_choose_whole *whole, size_t k,
    const uint32_t *classes, const uint32_t *pictures)
{
    size_t c = whole->args->n_classes, half = (c + 1) / 2;
    const uint32_t *part[MO_CHOOSE_FOLDS] = {classes, classes + half, classes};
    const size_t n[MO_CHOOSE_FOLDS] = {half, c - half, c};
    mopd_status st = make_half(&f->base, whole->args, part[k], n[k]);
    if (st == MOPD_OK && k != MO_CHOOSE_ALL) st = make_half(&f->fresh, whole->args, part[1 - k], n[1 - k]);
    if (st == MOPD_OK) st = share_out(f, whole, pictures);
    if (st == MOPD_OK) st = slice_teachers(f, whole);
    return st == MOPD_OK ? open_student(f, whole) : st;
}

mopd_status mo_choose_folds_make(mo_choose_fold folds[MO_CHOOSE_FOLDS], const mo_choose_whole *whole)
{
    size_t c = whole->args->n_classes, n = (size_t)whole->run->n;
    uint32_t *classes = mo_mem_alloc(c, sizeof *classes), *pictures = mo_mem_alloc(n, sizeof *pictures);
    mopd_status st = classes && pictures ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) {
        mo_rng rng;
        mo_rng_seed(&rng, mo_rng_mix(whole->set->o.seed, PURPOSE));
        for (size_t i = 0; i < c; i++) classes[i] = (uint32_t)i;
        for (size_t i = 0; i < n; i++) pictures[i] = (uint32_t)i;
        mo_rng_shuffle(&rng, classes, c);
        mo_rng_shuffle(&rng, pictures, n);
    }
    for (size_t k = 0; k < MO_CHOOSE_FOLDS && st == MOPD_OK; k++)
        st = make_fold(&folds[k], whole, k, classes, pictures);
    mo_mem_free(pictures);
    mo_mem_free(classes);
    return st;
}
