/* SPDX-License-Identifier: MIT
 * settings.c - options checked against the table of settings, and what they leave open filled in. */
#include "train/settings.h"

#include <stdio.h>

#include "base/ints.h"
#include "base/wide.h"
#include "prompt/context.h"
#include "prompt/template.h"

#define MOST_TEMPLATES (1 << 20)

/* Numbers for a message: whole ones in digits, reals as short as they are read. */
static void show(char out[32], const mo_setting *row, double x)
{
    snprintf(out, 32, row->info.kind == MOPD_SETTING_REAL ? "%g" : "%.0f", x);
}

static mopd_status refuse(const mo_setting *row, double x)
{
    char is[32], least[32], most[32];
    show(is, row, x);
    show(least, row, row->info.least);
    show(most, row, row->info.most);
    return mo_fail(MOPD_E_ARG, "%s is %s, %s to %s are allowed", row->info.name, is, least, most);
}

static mopd_status check_row(const mo_setting *row, const mopd_trainer_options *o)
{
    if (row->info.kind == MOPD_SETTING_TEXT || row->info.kind == MOPD_SETTING_FLAG) return MOPD_OK;
    if (row->info.kind == MOPD_SETTING_REAL) { /* limits are rounded as values are */
        float x = mo_settings_real(row, o);
        return x >= (float)row->info.least && x <= (float)row->info.most ? MOPD_OK : refuse(row, (double)x);
    }
    uint64_t whole = mo_settings_whole(row, o);
    if (!whole && row->info.open) return MOPD_OK; /* left open, and filled in later */
    double x = row->info.kind == MOPD_SETTING_CHOICE ? (double)(int32_t)whole : (double)whole;
    return x >= row->info.least && x <= row->info.most ? MOPD_OK : refuse(row, x);
}

static mopd_status check_rows(const mopd_trainer_options *o)
{
    const mo_setting *row;
    for (size_t i = 0; (row = mo_settings_row(i)); i++) {
        mopd_status st = check_row(row, o);
        if (st != MOPD_OK) return st;
    }
    return MOPD_OK;
}

static mopd_status read_templates(mo_settings *s)
{
    if (s->method->teachers == MO_TEACHERS_NONE) return MOPD_OK;
    s->templates = s->o.templates;
    s->n_templates = mo_wide_size_most(s->o.n_templates);
    if (!s->n_templates) {
        mopd_status st = mo_template_pool("imagenet", &s->templates, &s->n_templates);
        if (st != MOPD_OK) return st;
    } else if (!s->templates) {
        return mo_fail(MOPD_E_ARG, "templates is NULL, n_templates is %zu", s->n_templates);
    }
    if (s->n_templates > MOST_TEMPLATES)
        return mo_fail(
            MOPD_E_ARG, "n_templates is %zu, at most %d are allowed", s->n_templates, MOST_TEMPLATES);
    if (s->method->teachers == MO_TEACHERS_FIRST) s->n_templates = 1;
    for (size_t i = 0; i < s->n_templates; i++) {
        mopd_status st = mo_template_check(s->templates[i], i);
        if (st != MOPD_OK) return st;
    }
    s->kept = s->method->gate == MO_GATE_NONE ? 1 : s->o.top_k;
    if (s->kept > s->n_templates)
        return mo_fail(MOPD_E_ARG, "top_k is %zu, there are %zu templates", s->kept, s->n_templates);
    return MOPD_OK;
}

/* What the options leave to the model and to the method. */
static void fill_open(mo_settings *s, const mopd_encoder *encoder)
{
    mopd_trainer_options *o = &s->o;
    s->open_epochs = !o->epochs;
    if (!o->epochs) o->epochs = MO_SETTINGS_EPOCHS;
    if (o->lr == 0) o->lr = encoder->recommended_lr > 0 ? encoder->recommended_lr : (float)MO_SETTINGS_LR;
    if (s->method && o->lambda < 0) o->lambda = s->method->lambda;
}

mopd_status mo_settings_read(
    mo_settings *out, const mopd_encoder *encoder, const mopd_trainer_options *options)
{
    *out = (mo_settings){.o = *options, .method = mo_method_get(options->method)};
    mopd_trainer_options *o = &out->o;
    if (o->epochs && o->steps)
        return mo_fail(MOPD_E_ARG, "epochs is %u and steps is %llu: give one of them", (unsigned)o->epochs,
            (unsigned long long)o->steps);
    fill_open(out, encoder);
    mopd_status st = check_rows(o);
    if (st != MOPD_OK) return st;
    if ((st = read_templates(out)) != MOPD_OK) return st;
    size_t n;
    if ((st = mo_context_count(encoder, o->context, o->n_context, &n)) != MOPD_OK) return st;
    o->n_context = (uint32_t)n;
    return check_rows(o);
}

uint32_t mo_settings_epochs(const mo_settings *s, size_t n_classes, size_t n_batches)
{
    if (!s->open_epochs || !n_batches) return s->o.epochs;
    if (s->o.steps) return (uint32_t)mo_wide_ceil_div(s->o.steps, n_batches);
    const size_t few = mo_min(n_classes, MO_SETTINGS_STEPS), pairs = few * (few - 1) / 2;
    const size_t least = mo_min(MO_SETTINGS_PAIR_STEPS * pairs, MO_SETTINGS_STEPS);
    return (uint32_t)mo_max(MO_SETTINGS_EPOCHS, mo_ceil_div(least, n_batches));
}
