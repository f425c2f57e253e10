/* SPDX-License-Identifier: MIT
 * promptfile.c - prompt files written and read.
 *
 * A reader meets files of others: every array's shape is compared with what the metadata says. */
#include "prompt/promptfile.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/floats.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/view.h"
#include "base/words.h"
#include "format/json.h"
#include "mopd/version.h"
#include "prompt/context.h"
#include "prompt/method.h"

#define KIND "mopd.kind"

bool mo_promptfile_is(const mo_tensors *st)
{
    const char *kind = mo_tensors_meta(st, KIND);
    return kind && (!strcmp(kind, "prompt") || !strcmp(kind, "checkpoint"));
}

/* ---- writing ---- */

static mopd_status meta_list(mo_safetensors_writer *w, const char *key, const mo_names *list)
{
    mo_buf text = {0};
    mo_jsonw j;
    mo_jsonw_init(&j, &text);
    mo_jsonw_array(&j);
    for (size_t i = 0; i < list->n; i++) mo_jsonw_string(&j, list->name[i]);
    mo_jsonw_end(&j);
    mopd_status st = mo_jsonw_done(&j);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, key, text.data);
    mo_buf_free(&text);
    return st;
}

static mopd_status meta_number(mo_safetensors_writer *w, const char *key, double x)
{
    char text[32];
    mo_jsonw_double_text(text, x);
    return mo_safetensors_writer_meta(w, key, text);
}

static mopd_status meta_notes(mo_safetensors_writer *w, const mopd_prompt *p)
{
    mo_buf key = {0};
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < p->notes.key.n && st == MOPD_OK; i++) {
        key.size = 0;
        if ((st = mo_buf_addf(&key, "note.%s", p->notes.key.name[i])) != MOPD_OK) break;
        st = mo_safetensors_writer_meta(w, key.data, p->notes.text.name[i]);
    }
    mo_buf_free(&key);
    return st;
}

static mopd_status write_meta(mo_safetensors_writer *w, const mopd_prompt *p, const mo_checkpoint *checkpoint)
{
    const char *const texts[][2] = {
        {KIND, checkpoint ? "checkpoint" : "prompt"},
        {"mopd.version", MOPD_VERSION_STRING},
        {"mopd.method", mo_method_name(p->info.method)},
        {"mopd.fingerprint", p->fingerprint},
        {"mopd.vocabulary", *p->vocabulary ? p->vocabulary : NULL},
        {"mopd.settings", p->settings},
        {"mopd.data", p->data},
        {"mopd.gate_use", p->gate_use},
        {"mopd.position", checkpoint ? checkpoint->position : NULL},
    };
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && st == MOPD_OK; i++)
        if (texts[i][1]) st = mo_safetensors_writer_meta(w, texts[i][0], texts[i][1]);
    if (st == MOPD_OK) st = meta_number(w, "mopd.format", MO_PROMPT_FORMAT);
    if (st == MOPD_OK) st = meta_number(w, "mopd.dim", p->info.dim);
    if (st == MOPD_OK) st = meta_number(w, "mopd.epoch", p->info.epoch);
    if (st == MOPD_OK && p->info.accuracy >= 0) st = meta_number(w, "mopd.accuracy", p->info.accuracy);
    if (st == MOPD_OK) st = meta_list(w, "mopd.classes", &p->classes);
    if (st == MOPD_OK) st = meta_list(w, "mopd.templates", &p->templates);
    return st == MOPD_OK ? meta_notes(w, p) : st;
}

/* The shape of an array; how many dimensions. */
static int context_shape(const mopd_prompt *p, size_t shape[3])
{
    int at = 0;
    if (p->info.flags & MOPD_PROMPT_CLASS_CONTEXT) shape[at++] = p->info.n_classes;
    shape[at++] = p->info.n_context;
    shape[at++] = p->info.text_width;
    return at;
}

static int gate_shape(const mopd_prompt *p, size_t shape[3])
{
    int at = 0;
    if (!p->static_gate) shape[at++] = p->info.dim;
    shape[at++] = p->info.n_templates;
    return at;
}

static mopd_status declare(
    mo_safetensors_writer *w, const mopd_prompt *p, const char *context, const char *gate)
{
    size_t shape[3];
    int n = context_shape(p, shape);
    mopd_status st = mo_safetensors_writer_tensor(w, context, MO_F32, n, shape);
    if (st != MOPD_OK || !p->gate) return st;
    n = gate_shape(p, shape);
    return mo_safetensors_writer_tensor(w, gate, MO_F32, n, shape);
}

static mopd_status write_pair(
    mo_safetensors_writer *w, const mopd_prompt *p, const float *context, const float *gate)
{
    mopd_status st = mo_safetensors_writer_floats(w, context, mo_prompt_context_floats(p));
    return st == MOPD_OK && p->gate ? mo_safetensors_writer_floats(w, gate, mo_prompt_gate_floats(p)) : st;
}

mopd_status mo_promptfile_save(const mopd_prompt *p, const mo_checkpoint *checkpoint, const char *path)
{
    mo_safetensors_writer *w = NULL;
    mopd_status st = mo_safetensors_writer_create(&w);
    if (st != MOPD_OK) return st;
    if ((st = write_meta(w, p, checkpoint)) != MOPD_OK) goto done;
    if ((st = declare(w, p, "context", "gate")) != MOPD_OK) goto done;
    if (checkpoint && (st = declare(w, p, "velocity.context", "velocity.gate")) != MOPD_OK) goto done;
    if ((st = mo_safetensors_writer_begin(w, path)) != MOPD_OK) goto done;
    if ((st = write_pair(w, p, p->context, p->gate)) != MOPD_OK) goto done;
    if (checkpoint && (st = write_pair(w, p, checkpoint->context, checkpoint->gate)) != MOPD_OK) goto done;
    st = mo_safetensors_writer_commit(w);
done:
    mo_safetensors_writer_free(w);
    return st;
}

/* ---- reading ---- */

static mopd_status need_meta(const mo_tensors *st, const char *key, const char **out)
{
    *out = mo_tensors_meta(st, key);
    return *out ? MOPD_OK
                : mo_fail(MOPD_E_FORMAT, "%s: metadata \"%s\" is missing", mo_tensors_path(st), key);
}

/* A whole number below 2^31 written as decimal digits. */
static mopd_status need_number(const mo_tensors *st, const char *key, uint32_t *out)
{
    const char *text;
    mopd_status status = need_meta(st, key, &text);
    if (status != MOPD_OK) return status;
    size_t n = strlen(text);
    uint64_t x = 0;
    for (size_t i = 0; i < n && n <= 10; i++) {
        if (text[i] < '0' || text[i] > '9') x = UINT64_MAX / 16;
        x = x * 10 + (uint64_t)(text[i] - '0');
        if (x > INT32_MAX) x = UINT32_MAX;
    }
    if (!n || n > 10 || x > INT32_MAX)
        return mo_fail(
            MOPD_E_FORMAT, "%s: metadata \"%s\" is \"%.40s\", not a number", mo_tensors_path(st), key, text);
    *out = (uint32_t)x;
    return MOPD_OK;
}

static mopd_status read_list(const mo_tensors *st, const char *key, mo_names *out)
{
    const char *text;
    mopd_status status = need_meta(st, key, &text);
    if (status != MOPD_OK) return status;
    const mo_json *root = NULL;
    status = mo_json_parse(&root, text, strlen(text), key);
    if (status == MOPD_E_FORMAT) return mo_fail_at(status, "%s", mo_tensors_path(st));
    if (status != MOPD_OK) return status;
    if (mo_json_kind(root) != MO_JSON_ARRAY)
        status = mo_fail(MOPD_E_FORMAT, "%s: metadata \"%s\" is no list", mo_tensors_path(st), key);
    for (size_t i = 0; i < mo_json_count(root) && status == MOPD_OK; i++) {
        const mo_json *item = mo_json_item(root, i);
        const char *name = NULL;
        if (!mo_json_as_string(item, &name) || strlen(name) != mo_json_string_bytes(item))
            status = mo_fail(MOPD_E_FORMAT, "%s: item %zu of \"%s\" is no text", mo_tensors_path(st), i, key);
        else
            status = mo_names_add(out, name, strlen(name));
    }
    mo_json_close(root);
    return status;
}

static mopd_status read_settings(const mo_tensors *st, mopd_prompt *p)
{
    const char *path = mo_tensors_path(st), *text, *position = NULL;
    mopd_status status = need_meta(st, "mopd.settings", &text);
    if (status != MOPD_OK) return status;
    if (!(p->settings = mo_mem_strdup(text))) return MOPD_E_NOMEM;
    const mo_json *root = NULL;
    status = mo_json_parse(&root, text, strlen(text), "mopd.settings");
    if (status != MOPD_OK) return mo_fail_at(status, "%s", path);
    int64_t top_k = 0;
    bool per_class = false;
    status = mo_json_need_string(root, "class_position", path, &position);
    if (status == MOPD_OK) status = mo_json_need_bool(root, "class_context", path, &per_class);
    if (status == MOPD_OK) status = mo_json_may_int(root, "top_k", path, &top_k);
    if (status == MOPD_OK) {
        p->info.class_position = mo_words_find(mo_context_positions, MO_CONTEXT_POSITIONS, position);
        if (p->info.class_position < 0)
            status = mo_fail(MOPD_E_FORMAT, "%s: class_position \"%.40s\" is unknown", path, position);
        if (top_k < 0 || top_k > INT32_MAX)
            status = mo_fail(MOPD_E_FORMAT, "%s: top_k is %lld", path, (long long)top_k);
        p->info.top_k = (uint32_t)top_k;
        if (per_class) p->info.flags |= MOPD_PROMPT_CLASS_CONTEXT;
    }
    mo_json_close(root);
    return status;
}

/* Data, gate use: kept as they are, after a look whether they are JSON. */
static mopd_status read_json(const mo_tensors *st, const char *key, char **out)
{
    const char *text = mo_tensors_meta(st, key);
    if (!text) return MOPD_OK;
    const mo_json *root = NULL;
    mopd_status status = mo_json_parse(&root, text, strlen(text), key);
    mo_json_close(root);
    if (status != MOPD_OK) return mo_fail_at(status, "%s", mo_tensors_path(st));
    return (*out = mo_mem_strdup(text)) ? MOPD_OK : MOPD_E_NOMEM;
}

static mopd_status read_notes(const mo_tensors *st, mopd_prompt *p)
{
    for (size_t i = 0; i < mo_tensors_n_meta(st); i++) {
        const char *key = mo_tensors_meta_key(st, i);
        if (strncmp(key, "note.", 5) != 0) continue;
        mopd_status status = mo_prompt_notes_set(&p->notes, key + 5, mo_tensors_meta_value(st, i));
        if (status != MOPD_OK) return status;
    }
    return MOPD_OK;
}

/* A number from 0 to 100, read as JSON: no locale has a say. */
static mopd_status read_accuracy(const mo_tensors *st, double *out)
{
    const char *text = mo_tensors_meta(st, "mopd.accuracy");
    if (!text) return MOPD_OK;
    char list[48];
    const mo_json *root = NULL;
    snprintf(list, sizeof list, "[%.40s]", text);
    mopd_status status = mo_json_parse(&root, list, strlen(list), "mopd.accuracy");
    if (status == MOPD_E_NOMEM) return status;
    bool good = mo_json_as_number(mo_json_item(root, 0), out) && *out >= 0 && *out <= 100;
    mo_json_close(root);
    return good ? MOPD_OK : mo_fail(MOPD_E_FORMAT, "%s: accuracy is \"%.40s\"", mo_tensors_path(st), text);
}

static mopd_status take_digits(char out[65], const char *text, const char *what, const mo_tensors *st)
{
    if (strlen(text) > 64)
        return mo_fail(
            MOPD_E_FORMAT, "%s: a %s of %zu digits, 64 are usual", mo_tensors_path(st), what, strlen(text));
    memcpy(out, text, strlen(text) + 1);
    return MOPD_OK;
}

static mopd_status read_meta(const mo_tensors *st, mopd_prompt *p)
{
    const char *text, *path = mo_tensors_path(st);
    if (!mo_promptfile_is(st))
        return mo_fail(MOPD_E_FORMAT, "%s: not a prompt file: \"" KIND "\" is missing", path);
    mopd_status status = need_number(st, "mopd.format", &p->info.format);
    if (status != MOPD_OK) return status;
    if (p->info.format != MO_PROMPT_FORMAT)
        return mo_fail(p->info.format ? MOPD_E_VERSION : MOPD_E_FORMAT,
            "%s: prompt file of format %u, this library reads format %d", path, (unsigned)p->info.format,
            MO_PROMPT_FORMAT);
    if ((status = need_meta(st, "mopd.method", &text)) != MOPD_OK) return status;
    if (mo_method_find(text, &p->info.method) != MOPD_OK)
        return mo_fail(MOPD_E_FORMAT, "%s: method \"%.40s\" is unknown", path, text);
    if ((status = need_meta(st, "mopd.fingerprint", &text)) != MOPD_OK) return status;
    if ((status = take_digits(p->fingerprint, text, "fingerprint", st)) != MOPD_OK) return status;
    text = mo_tensors_meta(st, "mopd.vocabulary");
    if (text && (status = take_digits(p->vocabulary, text, "vocabulary", st)) != MOPD_OK) return status;
    if ((status = need_meta(st, "mopd.version", &text)) != MOPD_OK) return status;
    if (!(p->version = mo_mem_strdup(text))) return MOPD_E_NOMEM;
    if ((status = read_accuracy(st, &p->info.accuracy)) != MOPD_OK) return status;
    if (!strcmp(mo_tensors_meta(st, KIND), "checkpoint")) p->info.flags |= MOPD_PROMPT_CHECKPOINT;
    if ((status = need_number(st, "mopd.dim", &p->info.dim)) != MOPD_OK) return status;
    if ((status = need_number(st, "mopd.epoch", &p->info.epoch)) != MOPD_OK) return status;
    if ((status = read_settings(st, p)) != MOPD_OK) return status;
    if ((status = read_list(st, "mopd.classes", &p->classes)) != MOPD_OK) return status;
    if ((status = read_list(st, "mopd.templates", &p->templates)) != MOPD_OK) return status;
    if ((status = read_json(st, "mopd.data", &p->data)) != MOPD_OK) return status;
    if ((status = read_json(st, "mopd.gate_use", &p->gate_use)) != MOPD_OK) return status;
    p->info.n_classes = (uint32_t)p->classes.n;
    p->info.n_templates = (uint32_t)p->templates.n;
    return read_notes(st, p);
}

static mopd_status read_floats(const mo_tensors *st, const char *name, const mo_view *view, float **out)
{
    if (!(*out = mo_mem_alloc(view->n, sizeof **out))) return MOPD_E_NOMEM;
    if (!mo_view_floats(view, 0, view->n, *out))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" is %s, not F32", mo_tensors_path(st), name,
            mo_dtype_name(view->dtype));
    if (!mo_floats_finite(*out, view->n))
        return mo_fail(
            MOPD_E_FORMAT, "%s: tensor \"%s\" holds a number that is not finite", mo_tensors_path(st), name);
    return MOPD_OK;
}

static mopd_status read_context(const mo_tensors *st, mopd_prompt *p)
{
    const mo_view *v;
    mopd_status status = mo_tensors_need(st, "context", &v);
    if (status != MOPD_OK) return status;
    int per_class = (p->info.flags & MOPD_PROMPT_CLASS_CONTEXT) != 0;
    if (v->n_dims != 2 + per_class || !v->n || v->shape[per_class] > INT32_MAX ||
        v->shape[1 + per_class] > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"context\" has %d dimensions, %d are needed",
            mo_tensors_path(st), v->n_dims, 2 + per_class);
    if (per_class && v->shape[0] != p->info.n_classes)
        return mo_fail(MOPD_E_FORMAT, "%s: context of %zu classes, %u are listed", mo_tensors_path(st),
            v->shape[0], (unsigned)p->info.n_classes);
    p->info.n_context = (uint32_t)v->shape[per_class];
    p->info.text_width = (uint32_t)v->shape[1 + per_class];
    return read_floats(st, "context", v, &p->context);
}

static mopd_status read_gate(const mo_tensors *st, mopd_prompt *p)
{
    mo_gate_kind kind = mo_method_get(p->info.method)->gate;
    if (kind != MO_GATE_IMAGE && kind != MO_GATE_STATIC) return MOPD_OK;
    const mo_view *v;
    mopd_status status = mo_tensors_need(st, "gate", &v);
    if (status != MOPD_OK) return status;
    p->static_gate = kind == MO_GATE_STATIC;
    size_t want[3];
    int n = gate_shape(p, want);
    bool fits = v->n_dims == n && v->n;
    for (int i = 0; i < n && fits; i++) fits = v->shape[i] == want[i];
    if (!fits)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"gate\" has %zu numbers, %u x %u templates are needed",
            mo_tensors_path(st), v->n, p->static_gate ? 1 : (unsigned)p->info.dim,
            (unsigned)p->info.n_templates);
    if (p->info.top_k < 1 || p->info.top_k > p->info.n_templates)
        return mo_fail(MOPD_E_FORMAT, "%s: top_k is %u of %u templates", mo_tensors_path(st),
            (unsigned)p->info.top_k, (unsigned)p->info.n_templates);
    p->info.flags |= MOPD_PROMPT_GATE;
    return read_floats(st, "gate", v, &p->gate);
}

mopd_status mo_promptfile_read(mopd_prompt **out, const mo_tensors *st)
{
    mopd_prompt *p = mo_prompt_create();
    if (!p) return MOPD_E_NOMEM;
    mopd_status status = read_meta(st, p);
    if (status == MOPD_OK) status = read_context(st, p);
    if (status == MOPD_OK) status = read_gate(st, p);
    if (status != MOPD_OK) {
        mo_prompt_free(p);
        return status;
    }
    *out = p;
    return MOPD_OK;
}

mopd_status mo_promptfile_open(mopd_prompt **out, const char *path)
{
    mo_tensors *st = NULL;
    mopd_status status = mo_safetensors_open(&st, path, true);
    if (status != MOPD_OK) return status;
    status = mo_promptfile_read(out, st);
    mo_tensors_close(st);
    return status;
}
