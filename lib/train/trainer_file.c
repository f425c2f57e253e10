/* SPDX-License-Identifier: MIT
 * trainer_file.c - a trainer as a prompt, and as a checkpoint. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/names.h"
#include "format/json.h"
#include "model/fingerprint.h"
#include "train/trainer.h"

static mopd_status copy_text(char **out, const char *text)
{
    return !text || (*out = mo_mem_strdup(text)) ? MOPD_OK : MOPD_E_NOMEM;
}

static mopd_status copy_floats(float **out, const float *x, size_t n)
{
    if (!n) return MOPD_OK;
    if (!(*out = mo_mem_alloc(n, sizeof **out))) return MOPD_E_NOMEM;
    memcpy(*out, x, n * sizeof *x);
    return MOPD_OK;
}

static mopd_status copy_list(mo_names *out, const mo_names *in)
{
    return mo_names_copy(out, (const char *const *)in->name, in->n);
}

static void fill_info(const mopd_trainer *t, mopd_prompt_info *i)
{
    if (t->shape.per_class) i->flags |= MOPD_PROMPT_CLASS_CONTEXT;
    if (t->state.gate.n) i->flags |= MOPD_PROMPT_GATE;
    i->method = t->set.o.method;
    i->class_position = t->shape.position;
    i->n_context = (uint32_t)t->shape.n;
    i->text_width = (uint32_t)t->width;
    i->dim = (uint32_t)t->dim;
    i->n_classes = (uint32_t)t->n_classes;
    i->n_templates = (uint32_t)t->templates.n;
    i->top_k = (uint32_t)t->set.kept;
    i->epoch = (uint32_t)t->state.epoch;
    i->accuracy = t->notes.accuracy;
}

static mopd_status copy_learned(const mo_trainer_state *state, mopd_prompt *p)
{
    mopd_status st = copy_floats(&p->context, state->context.p, state->context.n);
    return st == MOPD_OK ? copy_floats(&p->gate, state->gate.p, state->gate.n) : st;
}

static mopd_status copy_notes(const mo_trainer_notes *notes, mopd_prompt *p)
{
    mopd_status st = copy_text(&p->data, notes->data);
    if (st == MOPD_OK) st = copy_text(&p->gate_use, notes->gate_use);
    return st == MOPD_OK ? mo_prompt_notes_adopt(&p->notes, &notes->host) : st;
}

mopd_status mo_trainer_prompt(const mopd_trainer *t, mopd_prompt **out)
{
    mopd_prompt *p = mo_prompt_create();
    if (!p) return MOPD_E_NOMEM;
    fill_info(t, &p->info);
    p->static_gate = t->set.method->gate == MO_GATE_STATIC;
    memcpy(p->fingerprint, t->encoder->fingerprint, sizeof p->fingerprint);
    mo_fingerprint_vocabulary(p->vocabulary, t->encoder->tokenizer);
    mopd_status st = copy_learned(&t->state, p);
    if (st == MOPD_OK) st = copy_text(&p->settings, t->settings);
    if (st == MOPD_OK) st = copy_list(&p->classes, &t->classes);
    if (st == MOPD_OK) st = copy_list(&p->templates, &t->templates);
    if (st == MOPD_OK) st = copy_notes(&t->notes, p);
    if (st != MOPD_OK) {
        mo_prompt_free(p);
        return st;
    }
    *out = p;
    return MOPD_OK;
}

static mopd_status position_json(const mo_trainer_state *state, char **json)
{
    const mo_trainer_position *row;
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    mo_jsonw_object(&w);
    for (size_t i = 0; (row = mo_trainer_position_row(i)); i++) {
        const char *field = (const char *)state + row->at;
        double real;
        uint64_t whole;
        memcpy(&real, field, sizeof real);
        memcpy(&whole, field, sizeof whole);
        if (row->real)
            mo_jsonw_kdouble(&w, row->key, real);
        else
            mo_jsonw_kint(&w, row->key, (int64_t)whole);
    }
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) *json = mo_buf_take(&text);
    mo_buf_free(&text);
    return st;
}

mopd_status mo_trainer_checkpoint(const mopd_trainer *t, const char *path)
{
    const mo_trainer_state *state = &t->state;
    mopd_prompt *p = NULL;
    char *position = NULL;
    mopd_status st = mo_trainer_prompt(t, &p);
    if (st == MOPD_OK) st = position_json(state, &position);
    if (st == MOPD_OK)
        st = mo_promptfile_save(p, &(mo_checkpoint){position, state->context.v, state->gate.v}, path);
    mo_mem_free(position);
    mo_prompt_free(p);
    return st;
}
