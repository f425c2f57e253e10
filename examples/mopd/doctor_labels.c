/* SPDX-License-Identifier: MIT
 * doctor_labels.c - labels judged by a recogniser.  Pictures that it was fitted to are left out in their turn, the others
 * are new to it anyway: those of val and test, and all where a recogniser was given.
 *
 * Wrong labels speak for other wrong ones and make the recogniser unsure.  So those that are found are taken out and the rest
 * judges anew, a few times over: that finds nine of ten planted ones where one round finds half of them.  Where a recogniser
 * is unsure, doctor_noise.c finds more. */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "suspects.h"

enum { AT_ONCE = 256, FEWEST = 4, ROUNDS = 3 };

/* The pictures that are learned from, packed: their places in the data, features and labels. */
typedef struct learned {
    size_t n, *place;
    float *features;
    int32_t *label;
} learned;

static learned pack(const doctor *d)
{
    learned l = {.place = cli_alloc(d->n, sizeof *l.place),
        .features = cli_alloc(d->n * d->dim, sizeof *l.features),
        .label = cli_alloc(d->n, sizeof *l.label)};
    for (size_t i = 0; i < d->n; i++) {
        if (!doctor_trains(d, i)) continue;
        memcpy(l.features + l.n * d->dim, d->features + i * d->dim, d->dim * sizeof *l.features);
        l.label[l.n] = d->label[i];
        l.place[l.n++] = i;
    }
    return l;
}

static void unpack(learned *l)
{
    free(l->place);
    free(l->features);
    free(l->label);
}

/* The recogniser that was given, for the classes of the data, or one fitted to them. */
static mopd_status open_recognizer(doctor *d, const learned *l)
{
    const char *const *names = mopd_dataset_class_names(d->all);
    mopd_recognizer *given = NULL;
    mopd_status st;
    if (d->recognizer_path) {
        st = mopd_recognizer_open(&given, d->recognizer_path, d->encoder);
        if (st == MOPD_OK)
            st = mopd_recognizer_with_classes(&d->recognizer, given, d->encoder, names, d->n_classes);
        mopd_recognizer_close(given);
        return st;
    }
    mopd_recognizer_options o;
    st = mopd_recognizer_options_init(&o, sizeof o);
    o.templates = (const char *const *)d->prompts.templates.item;
    o.n_templates = d->prompts.templates.n;
    return st == MOPD_OK ? mopd_recognizer_create(&d->recognizer, d->encoder, names, d->n_classes,
                               l->features, l->label, l->n, &o)
                         : st;
}

/* What a row of probabilities says of picture i. */
static void judge(doctor *d, size_t i, const float *p)
{
    size_t best = 0;
    for (size_t c = 1; c < d->n_classes; c++) best = p[c] > p[best] ? c : best;
    d->best[i] = (mopd_match){(uint32_t)best, p[best], 0};
    d->own[i] = p[d->label[i]];
    memcpy(d->row + i * d->n_classes, p, d->n_classes * sizeof *p);
}

/* Those of l that r was fitted to: all but the n_gone that are named, which ascend. */
static mopd_status judge_left_out(
    doctor *d, const mopd_recognizer *r, const learned *l, const size_t *gone, size_t n_gone)
{
    float *p = cli_alloc((l->n - n_gone) * d->n_classes, sizeof *p);
    mopd_status st = mopd_recognizer_left_out(r, p);
    for (size_t k = 0, at = 0, row = 0; k < l->n && st == MOPD_OK; k++) {
        if (at < n_gone && gone[at] == k)
            at++;
        else
            judge(d, l->place[k], p + row++ * d->n_classes);
    }
    free(p);
    return st;
}

/* All pictures as new ones; those that are left out are judged again afterwards. */
static mopd_status judge_new(doctor *d, const mopd_recognizer *r)
{
    float *p = cli_alloc(AT_ONCE * d->n_classes, sizeof *p);
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < d->n && st == MOPD_OK; i += AT_ONCE) {
        const size_t n = d->n - i < AT_ONCE ? d->n - i : AT_ONCE;
        st = mopd_recognizer_probabilities(r, d->features + i * d->dim, n, p);
        for (size_t k = 0; k < n && st == MOPD_OK; k++) judge(d, i + k, p + k * d->n_classes);
    }
    free(p);
    return st;
}

static void count(doctor *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (!doctor_trains(d, i)) continue;
        doctor_class *c = d->class + d->label[i];
        c->n++;
        if (d->unjudged) continue;
        c->n_judged++;
        c->correct += d->best[i].index == (uint32_t)d->label[i];
        d->confusion[(size_t)d->label[i] * d->n_classes + d->best[i].index]++;
    }
}

/* Too unlikely for a right label, or rather wrong than right where many are. */
static bool looks_wrong(const doctor *d, size_t i)
{
    return d->best[i].index != (uint32_t)d->label[i] &&
           ((double)d->own[i] < d->below || doctor_noise_of(d, i) > 0.5);
}

static int most_suspicious_first(const void *a, const void *b)
{
    const doctor_suspect *x = a, *y = b;
    if (x->probability < y->probability) return -1;
    if (x->probability > y->probability) return 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void find_suspects(doctor *d)
{
    d->suspect = cli_alloc(d->n, sizeof *d->suspect);
    for (size_t i = 0; i < d->n; i++) {
        if (!looks_wrong(d, i)) continue;
        d->suspect[d->n_suspects++] = (doctor_suspect){
            i, d->label[i], (int32_t)d->best[i].index, (double)d->own[i], (double)d->best[i].probability};
    }
    qsort(d->suspect, d->n_suspects, sizeof *d->suspect, most_suspicious_first);
}

static mopd_status judge_all(doctor *d, const learned *l)
{
    mopd_status st = cli_suspects_limit(d->recognizer, &d->below, &d->alarms);
    if (st == MOPD_E_STATE) {
        d->unjudged = d->recognizer_path ? "the recogniser has less than two pictures a class"
                                         : "it takes at least two pictures a class to tell";
        return MOPD_OK;
    }
    if (st == MOPD_OK) st = judge_new(d, d->recognizer);
    if (st == MOPD_OK && !d->recognizer_path) st = judge_left_out(d, d->recognizer, l, NULL, 0);
    if (st != MOPD_OK) return st;
    doctor_noise_fit(d);
    d->has_more = mopd_recognizer_more(d->recognizer, &d->more_low, &d->more_high) == MOPD_OK;
    return MOPD_OK;
}

/* All pictures judged by those whose label does not look wrong; *before is how many do. */
static mopd_status judge_again(doctor *d, const learned *l, size_t *before)
{
    mopd_recognizer *rest = NULL;
    size_t n = 0, *gone = cli_alloc(l->n, sizeof *gone);
    double below = 0, alarms = 0;
    for (size_t k = 0; k < l->n; k++)
        if (looks_wrong(d, l->place[k])) gone[n++] = k;
    mopd_status st = MOPD_OK;
    if (n > *before) {
        st = mopd_recognizer_withdraw(&rest, d->recognizer, gone, n, MOPD_RECOGNIZER_CHOOSE);
        if (st == MOPD_OK) st = cli_suspects_limit(rest, &below, &alarms);
        if (st == MOPD_OK) st = judge_new(d, rest);
        if (st == MOPD_OK) st = judge_left_out(d, rest, l, gone, n);
        if (st == MOPD_OK) d->below = below, d->alarms = alarms;
        if (st == MOPD_OK) doctor_noise_fit(d);
    }
    *before = n > *before ? n : SIZE_MAX; /* nothing new: enough */
    mopd_recognizer_close(rest);
    free(gone);
    return st == MOPD_E_STATE ? MOPD_OK : st; /* too few are left: the last word stands */
}

int doctor_labels(doctor *d)
{
    learned l = pack(d);
    d->best = cli_alloc(d->n, sizeof *d->best);
    d->own = cli_alloc(d->n, sizeof *d->own);
    d->row = cli_alloc(d->n, d->n_classes * sizeof *d->row);
    d->confusion = cli_alloc(d->n_classes * d->n_classes, sizeof *d->confusion);
    d->class = cli_alloc(d->n_classes, sizeof *d->class);
    d->info.struct_size = sizeof d->info;
    cli_interrupt_ends(true);
    mopd_status st = open_recognizer(d, &l);
    if (st == MOPD_OK) st = mopd_recognizer_get_info(d->recognizer, &d->info);
    if (st == MOPD_OK) st = judge_all(d, &l);
    if (st == MOPD_OK) count(d); /* what the first round says */
    for (size_t round = 1, n = 0; round < ROUNDS && st == MOPD_OK && !d->unjudged && !d->recognizer_path;
         round++)
        st = judge_again(d, &l, &n);
    cli_interrupt_ends(false);
    unpack(&l);
    if (st != MOPD_OK) return cli_fail_status(st);
    if (!d->unjudged) find_suspects(d);
    return -1;
}

bool doctor_is_few(const doctor *d, size_t c)
{
    return d->class[c].n < FEWEST;
}
