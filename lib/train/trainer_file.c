/* SPDX-License-Identifier: MIT
 * trainer_file.c - a trainer as a prompt, as a checkpoint, and back from one. */
#include <string.h>

#include "base/buf.h"
#include "base/floats.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/view.h"
#include "format/json.h"
#include "model/fingerprint.h"
#include "train/trainer.h"

static mopd_status copy_list(mo_names *out, const mo_names *in)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < in->n && st == MOPD_OK; i++)
        st = mo_names_add(out, in->name[i], strlen(in->name[i]));
    return st;
}

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

static void fill_info(const mopd_trainer *t, mopd_prompt_info *i)
{
    if (t->shape.per_class) i->flags |= MOPD_PROMPT_CLASS_CONTEXT;
    if (t->gate.n) i->flags |= MOPD_PROMPT_GATE;
    i->method = t->set.o.method;
    i->class_position = t->shape.position;
    i->n_context = (uint32_t)t->shape.n;
    i->text_width = (uint32_t)t->width;
    i->dim = (uint32_t)t->dim;
    i->n_classes = (uint32_t)t->n_classes;
    i->n_templates = (uint32_t)t->templates.n;
    i->top_k = (uint32_t)t->set.kept;
    i->epoch = (uint32_t)t->epoch;
    i->accuracy = t->accuracy;
}

mopd_status mo_trainer_prompt(const mopd_trainer *t, mopd_prompt **out)
{
    mopd_prompt *p = mo_prompt_create();
    if (!p) return MOPD_E_NOMEM;
    fill_info(t, &p->info);
    p->static_gate = t->set.method->gate == MO_GATE_STATIC;
    memcpy(p->fingerprint, t->encoder->fingerprint, sizeof p->fingerprint);
    mo_fingerprint_vocabulary(p->vocabulary, t->encoder->tokenizer);
    mopd_status st = copy_floats(&p->context, t->context.p, t->context.n);
    if (st == MOPD_OK) st = copy_floats(&p->gate, t->gate.p, t->gate.n);
    if (st == MOPD_OK) st = copy_text(&p->settings, t->settings);
    if (st == MOPD_OK) st = copy_text(&p->data, t->data);
    if (st == MOPD_OK) st = copy_text(&p->gate_use, t->gate_use);
    if (st == MOPD_OK) st = copy_list(&p->classes, &t->classes);
    if (st == MOPD_OK) st = copy_list(&p->templates, &t->templates);
    if (st == MOPD_OK) st = copy_list(&p->note_keys, &t->note_keys);
    if (st == MOPD_OK) st = copy_list(&p->notes, &t->notes);
    if (st != MOPD_OK) {
        mo_prompt_free(p);
        return st;
    }
    *out = p;
    return MOPD_OK;
}

static mopd_status position_json(const mopd_trainer *t, char **json)
{
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    mo_jsonw_object(&w);
    mo_jsonw_kint(&w, "epoch", (int64_t)t->epoch);
    mo_jsonw_kint(&w, "step", (int64_t)t->step);
    mo_jsonw_kint(&w, "total", (int64_t)t->total);
    mo_jsonw_kdouble(&w, "loss", t->sums.loss);
    mo_jsonw_kdouble(&w, "ce", t->sums.ce);
    mo_jsonw_kdouble(&w, "mpd", t->sums.mpd);
    mo_jsonw_kdouble(&w, "mps", t->sums.mps);
    mo_jsonw_kdouble(&w, "reg", t->sums.reg);
    mo_jsonw_kint(&w, "correct", (int64_t)t->sums.n_correct);
    mo_jsonw_kint(&w, "seen", (int64_t)t->sums.n_seen);
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) *json = mo_buf_take(&text);
    mo_buf_free(&text);
    return st;
}

mopd_status mo_trainer_checkpoint(const mopd_trainer *t, const char *path)
{
    mopd_prompt *p = NULL;
    char *position = NULL;
    mopd_status st = mo_trainer_prompt(t, &p);
    if (st == MOPD_OK) st = position_json(t, &position);
    if (st == MOPD_OK) st = mo_promptfile_save(p, &(mo_checkpoint){position, t->context.v, t->gate.v}, path);
    mo_mem_free(position);
    mo_prompt_free(p);
    return st;
}

/* ---- back from a checkpoint ---- */

static mopd_status same_list(const char *what, const mo_names *ours, const mo_names *theirs, const char *path)
{
    if (ours->n != theirs->n)
        return mo_fail(
            MOPD_E_MISMATCH, "%s: was made with %zu %s, the trainer has %zu", path, theirs->n, what, ours->n);
    for (size_t i = 0; i < ours->n; i++)
        if (strcmp(ours->name[i], theirs->name[i]) != 0)
            return mo_fail(MOPD_E_MISMATCH, "%s: %s %zu is \"%s\", the trainer has \"%s\"", path, what, i,
                theirs->name[i], ours->name[i]);
    return MOPD_OK;
}

static mopd_status check_same(const mopd_trainer *t, const mopd_prompt *p, const char *path)
{
    mopd_status st = mo_prompt_check(p, t->encoder, path);
    if (st == MOPD_OK) st = mo_settings_same(t->settings, p->settings, path);
    if (st == MOPD_OK) st = same_list("classes", &t->classes, &p->classes, path);
    if (st == MOPD_OK) st = same_list("templates", &t->templates, &p->templates, path);
    if (st != MOPD_OK) return st;
    if (mo_prompt_context_floats(p) != t->context.n || mo_prompt_gate_floats(p) != t->gate.n)
        return mo_fail(MOPD_E_MISMATCH, "%s: holds %zu and %zu numbers, the trainer %zu and %zu", path,
            mo_prompt_context_floats(p), mo_prompt_gate_floats(p), t->context.n, t->gate.n);
    return MOPD_OK;
}

typedef struct position {
    int64_t epoch, step, total, correct, seen;
    mo_sums sums;
} position;

static mopd_status read_position(const mo_tensors *file, position *out)
{
    const char *path = mo_tensors_path(file), *text = mo_tensors_meta(file, "mopd.position");
    if (!text) return mo_fail(MOPD_E_STATE, "%s: a prompt file, not a checkpoint: nothing to resume", path);
    const mo_json *root = NULL;
    mopd_status st = mo_json_parse(&root, text, strlen(text), "mopd.position");
    if (st != MOPD_OK) return mo_fail_at(st, "%s", path);
    *out = (position){0};
    struct {
        const char *key;
        int64_t *to;
    } whole[] = {{"epoch", &out->epoch}, {"step", &out->step}, {"total", &out->total},
        {"correct", &out->correct}, {"seen", &out->seen}};
    struct {
        const char *key;
        double *to;
    } real[] = {{"loss", &out->sums.loss}, {"ce", &out->sums.ce}, {"mpd", &out->sums.mpd},
        {"mps", &out->sums.mps}, {"reg", &out->sums.reg}};
    for (size_t i = 0; i < 5 && st == MOPD_OK; i++) {
        st = mo_json_need_int(root, whole[i].key, path, whole[i].to);
        if (st == MOPD_OK) st = mo_json_need_number(root, real[i].key, path, real[i].to);
        if (st == MOPD_OK && (*whole[i].to < 0 || *whole[i].to > INT64_MAX / 2))
            st = mo_fail(
                MOPD_E_FORMAT, "%s: position \"%s\" is %lld", path, whole[i].key, (long long)*whole[i].to);
    }
    mo_json_close(root);
    out->sums.n_correct = (uint64_t)out->correct;
    out->sums.n_seen = (uint64_t)out->seen;
    return st;
}

/* A velocity into `out` (n floats). */
static mopd_status read_velocity(const mo_tensors *file, const char *name, float *out, size_t n)
{
    const mo_view *v;
    if (!n) return MOPD_OK;
    mopd_status st = mo_tensors_need(file, name, &v);
    if (st != MOPD_OK) return st;
    if (v->n != n || !mo_view_floats(v, 0, n, out) || !mo_floats_finite(out, n))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" holds %zu numbers, %zu finite ones are needed",
            mo_tensors_path(file), name, v->n, n);
    return MOPD_OK;
}

/* Notes of the file that the host has not written anew. */
static mopd_status adopt_notes(mopd_trainer *t, const mopd_prompt *p)
{
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < p->notes.n && st == MOPD_OK; i++) {
        bool known = false;
        for (size_t j = 0; j < t->notes.n && !known; j++)
            known = !strcmp(t->note_keys.name[j], p->note_keys.name[i]);
        if (!known) st = mo_prompt_note(&t->note_keys, &t->notes, p->note_keys.name[i], p->notes.name[i]);
    }
    return st;
}

/* Everything that may fail happens before this. */
static void take_over(mopd_trainer *t, mopd_prompt *p, const position *at, const float *velocity)
{
    memcpy(t->context.p, p->context, t->context.n * sizeof(float));
    memcpy(t->context.v, velocity, t->context.n * sizeof(float));
    if (t->gate.n) {
        memcpy(t->gate.p, p->gate, t->gate.n * sizeof(float));
        memcpy(t->gate.v, velocity + t->context.n, t->gate.n * sizeof(float));
    }
    t->epoch = (uint64_t)at->epoch;
    t->step = (uint64_t)at->step;
    t->total = (uint64_t)at->total;
    t->sums = at->sums;
    t->accuracy = p->info.accuracy;
    char *data = t->data, *use = t->gate_use; /* swapped, so that freeing the prompt frees ours */
    t->data = p->data;
    t->gate_use = p->gate_use;
    p->data = data;
    p->gate_use = use;
}

mopd_status mo_trainer_resume(mopd_trainer *t, const char *path)
{
    mo_tensors *file = NULL;
    mopd_prompt *p = NULL;
    float *velocity = NULL;
    position at;
    mopd_status st = mo_safetensors_open(&file, path, true);
    if (st != MOPD_OK) return st;
    if ((st = mo_promptfile_read(&p, file)) != MOPD_OK) goto done;
    if ((st = check_same(t, p, path)) != MOPD_OK) goto done;
    if ((st = read_position(file, &at)) != MOPD_OK) goto done;
    if (at.epoch > t->set.o.epochs)
        st = mo_fail(MOPD_E_FORMAT, "%s: %lld epochs of %u are done", path, (long long)at.epoch,
            (unsigned)t->set.o.epochs);
    if (st != MOPD_OK) goto done;
    st = MOPD_E_NOMEM;
    if (!(velocity = mo_mem_alloc(t->context.n + t->gate.n, sizeof *velocity))) goto done;
    if ((st = read_velocity(file, "velocity.context", velocity, t->context.n)) != MOPD_OK) goto done;
    if ((st = read_velocity(file, "velocity.gate", velocity + t->context.n, t->gate.n)) != MOPD_OK) goto done;
    if ((st = adopt_notes(t, p)) != MOPD_OK) goto done;
    take_over(t, p, &at, velocity);
done:
    mo_mem_free(velocity);
    mo_prompt_free(p);
    mo_tensors_close(file);
    return st;
}
