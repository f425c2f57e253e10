/* SPDX-License-Identifier: MIT
 * trainer.c - a trainer is set up once: settings, teachers, start, and one block for all steps. */
#include "train/trainer.h"

#include <string.h>

#include "base/hash.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/rng.h"
#include "base/wide.h"
#include "model/fingerprint.h"
#include "prompt/bank.h"
#include "prompt/loss.h"
#include "train/schedule.h"

const mopd_run mo_run_defaults = {.struct_size = sizeof(mopd_run), .n_views = 1};

/* Texts of our own instead of the caller's. */
static mopd_status keep_texts(mopd_trainer *t, const mo_trainer_args *args)
{
    mo_settings *set = &t->set;
    mopd_status st = mo_settings_json(set, &t->settings);
    if (st == MOPD_OK) st = mo_names_copy(&t->classes, args->classes, args->n_classes);
    if (st == MOPD_OK) st = mo_names_copy(&t->templates, set->templates, set->n_templates);
    if (st == MOPD_OK && set->o.context && !(t->words = mo_mem_strdup(set->o.context))) st = MOPD_E_NOMEM;
    set->o.context = t->words;
    set->o.templates = set->templates = (const char *const *)t->templates.name;
    return st;
}

static void set_weights(mopd_trainer *t)
{
    const mo_method *m = t->set.method;
    const mopd_trainer_options *o = &t->set.o;
    t->weights = (mo_loss_weights){
        .ce = m->distils ? (double)o->w : 1,
        .mpd = m->distils ? 1 - (double)o->w : 0,
        .mps = m->mps ? (double)o->w2 : 0,
        .kg = m->kg ? (double)o->lambda : 0,
        .temperature = (double)o->temperature,
    };
}

static void take_learned(mo_arena *a, mo_learned *learned, size_t n)
{
    learned->n = n;
    learned->p = mo_arena_floats(a, n);
    learned->v = mo_arena_floats(a, n);
    learned->g = mo_arena_floats(a, n);
    learned->next_p = mo_arena_floats(a, n);
    learned->next_v = mo_arena_floats(a, n);
}

static size_t gate_floats(const mopd_trainer *t)
{
    const mo_gate_kind gate = t->set.method->gate;
    return gate == MO_GATE_IMAGE    ? mo_times(t->dim, t->set.n_templates)
           : gate == MO_GATE_STATIC ? t->set.n_templates
                                    : 0;
}

/* Work for B pictures, C classes, M templates; second: the gradients that ProGrad needs beside. */
static void take_work(mopd_trainer *t, bool second)
{
    mo_arena *a = &t->block;
    mo_trainer_work *w = &t->work;
    size_t b = t->set.o.batch, c = t->n_classes, m = t->set.n_templates, k = t->set.kept;
    bool teachers = t->weights.mpd != 0 || t->weights.mps != 0 || second;
    w->s = mo_arena_take(a, mo_times(c, t->dim), sizeof *w->s);
    w->ds = mo_arena_take(a, mo_times(c, t->dim), sizeof *w->ds);
    w->ds2 = second ? mo_arena_take(a, mo_times(c, t->dim), sizeof *w->ds2) : NULL;
    w->d_context2 = second ? mo_arena_take(a, t->state.context.n, sizeof *w->d_context2) : NULL;
    w->z = mo_arena_take(a, b, c * sizeof *w->z);
    w->dz = mo_arena_take(a, b, c * sizeof *w->dz);
    w->dz2 = second ? mo_arena_take(a, b, c * sizeof *w->dz2) : NULL;
    w->u = teachers ? mo_arena_take(a, b * m, c * sizeof *w->u) : NULL;
    w->h = mo_arena_take(a, b, m * sizeof *w->h);
    w->dh = mo_arena_take(a, b, m * sizeof *w->dh);
    w->chosen = mo_arena_take(a, b, k * sizeof *w->chosen);
    w->alpha = mo_arena_take(a, b, k * sizeof *w->alpha);
    w->loss = mo_arena_take(a, mo_loss_work(b, k), sizeof *w->loss);
    w->features = mo_arena_take(a, b, t->dim * sizeof *w->features);
    w->labels = mo_arena_take(a, b, sizeof *w->labels);
}

/* All arrays of the trainer; run twice, to count and to hand out. */
static void take_arrays(mopd_trainer *t)
{
    mo_trainer_state *state = &t->state;
    bool second = t->set.method->project;
    take_learned(&t->block, &state->context, mo_times(mo_context_vectors(&t->shape, t->n_classes), t->width));
    take_learned(&t->block, &state->gate, gate_floats(t));
    take_work(t, second);
    const size_t both = mo_times(state->context.n, second ? 2 : 1);
    const size_t gradients = mo_plus(mo_plus(both, state->gate.n), MO_GROUP_STEP);
    size_t most = mo_max(gradients, mo_times(t->n_classes, t->dim));
    t->group.values = mo_arena_take(&t->block, mo_group_room(&t->group, most), sizeof(double));
}

/* B, M are at most 2^20 and names and widths below 2^31: only the largest product can pass the size of memory. */
static mopd_status check_sizes(const mopd_trainer *t)
{
    size_t n, m = t->set.n_templates ? t->set.n_templates : 1;
    if (mo_mul(t->set.o.batch, m, &n) && mo_mul(n, t->n_classes, &n) && mo_mul(n, 64, &n)) return MOPD_OK;
    return mo_fail(MOPD_E_NOMEM, "trainer: batch %u x %zu templates x %zu classes", (unsigned)t->set.o.batch,
        m, t->n_classes);
}

/* The context's values are set later; all else that learns begins with zeros. */
static mopd_status open_arrays(mopd_trainer *t)
{
    mopd_status st = check_sizes(t);
    if (st != MOPD_OK) return st;
    take_arrays(t);
    if ((st = mo_arena_open(&t->block)) != MOPD_OK) return st;
    take_arrays(t);
    const mo_learned *context = &t->state.context, *gate = &t->state.gate;
    memset(context->v, 0, context->n * sizeof(float));
    if (gate->n) {
        memset(gate->p, 0, gate->n * sizeof(float));
        memset(gate->v, 0, gate->n * sizeof(float));
    }
    return MOPD_OK;
}

static mopd_status set_up(mopd_trainer *t, const mo_trainer_args *args)
{
    const mopd_encoder *e = args->encoder;
    const mopd_trainer_options *o = &t->set.o;
    mopd_status st = keep_texts(t, args);
    if (st != MOPD_OK) return st;
    set_weights(t);
    t->shape =
        (mo_context_shape){o->n_context, o->class_position, (o->flags & MOPD_TRAIN_CLASS_CONTEXT) != 0};
    mo_student_args sa = {e, t->shape, args->classes + t->group.first, t->group.n,
        mo_wide_size_most(o->memory_limit), true, NULL};
    if (sa.n_classes && (st = mo_student_create(&t->student, &sa)) != MOPD_OK) return st;
    if ((st = open_arrays(t)) != MOPD_OK) return st;
    return mo_context_start(e, &t->shape, t->n_classes, t->words, o->seed, t->state.context.p);
}

static uint64_t mix_list(uint64_t bits, const mo_names *list)
{
    for (size_t i = 0; i < list->n; i++)
        bits = mo_rng_mix(bits, mo_hash_bytes(list->name[i], strlen(list->name[i])));
    return mo_rng_mix(bits, list->n);
}

/* All that decides the result but the data. */
static mo_group_check identity(const mopd_trainer *t, const mo_trainer_args *args)
{
    const float *given = args->teachers ? args->teachers : t->set.o.teachers;
    char words[65];
    mo_fingerprint_vocabulary(words, t->encoder->tokenizer);
    uint64_t bits =
        mo_rng_mix(mo_hash_bytes(t->settings, strlen(t->settings)), mo_hash_bytes(words, strlen(words)));
    bits = mo_rng_mix(bits, mo_hash_bytes(t->encoder->fingerprint, strlen(t->encoder->fingerprint)));
    bits = mix_list(mix_list(bits, &t->classes), &t->templates);
    if (given && t->templates.n)
        bits = mo_rng_mix(bits, mo_hash_bytes(given, t->templates.n * t->n_classes * t->dim * sizeof *given));
    return (mo_group_check){bits, "model, classes, options or teachers"};
}

static mopd_status open_trainer(
    mopd_trainer **out, const mo_trainer_args *args, const mo_settings *set, const mo_group *group)
{
    mopd_trainer *t = *out = mo_mem_calloc(1, sizeof *t);
    if (!t) return MOPD_E_NOMEM;
    t->encoder = args->encoder;
    t->set = *set;
    t->group = *group;
    t->n_classes = args->n_classes;
    t->dim = mo_text_dim(args->encoder->text);
    t->width = mo_text_width(args->encoder->text);
    t->notes.accuracy = -1;
    return set_up(t, args);
}

/* Names that are one to the model are told apart only by contexts of their own. */
static mopd_status check_names(const mo_trainer_args *args, const mo_settings *set)
{
    size_t same[2];
    if (set->o.flags & MOPD_TRAIN_CLASS_CONTEXT) return mo_bank_check_names(args->classes, args->n_classes);
    return mo_bank_check_words(args->classes, args->n_classes, same);
}

mopd_status mo_trainer_create(mopd_trainer **out, const mo_trainer_args *args)
{
    mopd_trainer *t = NULL;
    mo_settings set;
    mo_group group; /* known before all that may fail on one rank alone */
    mopd_status st = mo_settings_read(&set, args->encoder, args->options);
    mopd_status other = mo_group_read(&group, &set.o, args->n_classes);
    if (st == MOPD_OK) st = other;
    if (st == MOPD_OK) st = check_names(args, &set);
    if (st == MOPD_OK) st = mo_trainer_check_teachers(args, &set);
    if (st == MOPD_OK) st = open_trainer(&t, args, &set, &group);
    mo_group_check check = st == MOPD_OK && group.ranks > 1 ? identity(t, args) : (mo_group_check){0, ""};
    if ((st = mo_group_agree(&group, st, check)) == MOPD_OK)
        st = mo_trainer_teachers(&t->teachers, args, &t->set, &t->group);
    if (t) t->set.o.teachers = NULL; /* the caller's */
    if (st != MOPD_OK) {
        mo_trainer_free(t);
        return st;
    }
    *out = t;
    return MOPD_OK;
}

void mo_trainer_free(mopd_trainer *t)
{
    if (!t) return;
    mo_arena_close(&t->block);
    mo_mem_free(t->teachers);
    mo_student_free(t->student);
    mo_prompt_notes_free(&t->notes.host);
    mo_names_free(&t->templates);
    mo_names_free(&t->classes);
    mo_mem_free(t->notes.gate_use);
    mo_mem_free(t->notes.data);
    mo_mem_free(t->settings);
    mo_mem_free(t->words);
    mo_mem_free(t);
}

mopd_status mo_trainer_count_epochs(mopd_trainer *t, size_t n_batches)
{
    mo_settings set = t->set;
    char *json = NULL;
    set.o.epochs = mo_settings_epochs(&t->set, t->n_classes, n_batches);
    if (set.o.epochs == t->set.o.epochs) return MOPD_OK;
    if (t->state.epoch || t->state.total)
        return mo_fail(MOPD_E_MISMATCH, "the run began with %u epochs, its options now make %u",
            (unsigned)t->set.o.epochs, (unsigned)set.o.epochs);
    mopd_status st = mo_settings_json(&set, &json);
    if (st != MOPD_OK) return st;
    mo_mem_free(t->settings);
    t->settings = json;
    t->set = set;
    return MOPD_OK;
}

mopd_status mo_trainer_fix_epochs(mopd_trainer *t)
{
    if (t->set.open_epochs && t->set.o.steps)
        return mo_fail(MOPD_E_STATE, "steps are counted by mopd_trainer_run alone: give epochs");
    t->set.open_epochs = false;
    return MOPD_OK;
}

double mo_trainer_lr(const mopd_trainer *t, uint64_t epoch)
{
    const mopd_trainer_options *o = &t->set.o;
    return mo_schedule_lr((double)o->lr, (double)o->warmup_lr, o->epochs, (size_t)epoch);
}

void mo_trainer_end_epoch(mopd_trainer *t)
{
    t->state.epoch++;
    t->state.step = 0;
    t->state.sums = (mo_sums){0};
}
