/* SPDX-License-Identifier: MIT
 * promptfile.c - prompt files read.  They come from anywhere: every array's shape is compared with what the
 * metadata says, and every number is checked. */
#include "prompt/promptfile.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/floats.h"
#include "base/mem.h"
#include "base/view.h"
#include "base/words.h"
#include "format/json.h"
#include "prompt/context.h"
#include "prompt/metadata.h"
#include "prompt/method.h"

bool mo_promptfile_is(const mo_tensors *file)
{
    const char *kind = mo_tensors_meta(file, MO_PROMPT_KIND);
    return kind && (!strcmp(kind, "prompt") || !strcmp(kind, "checkpoint"));
}

/* A whole number below 2^31 written as decimal digits. */
static mopd_status need_number(const mo_tensors *file, const char *key, uint32_t *out)
{
    const char *text;
    mopd_status st = mo_metadata_need(file, key, &text);
    if (st != MOPD_OK) return st;
    size_t n = strlen(text);
    bool digits = n && n <= 10 && strspn(text, "0123456789") == n;
    unsigned long long x = digits ? strtoull(text, NULL, 10) : ULLONG_MAX;
    if (x > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: metadata \"%s\" is \"%.40s\", not a number", mo_tensors_path(file),
            key, text);
    *out = (uint32_t)x;
    return MOPD_OK;
}

static mopd_status read_settings(const mo_tensors *file, mopd_prompt *p)
{
    const char *path = mo_tensors_path(file), *text, *position = NULL;
    mopd_status st = mo_metadata_need(file, "mopd.settings", &text);
    if (st != MOPD_OK) return st;
    if (!(p->settings = mo_mem_strdup(text))) return MOPD_E_NOMEM;
    const mo_json *root = NULL;
    st = mo_json_parse(&root, text, strlen(text), "mopd.settings");
    if (st != MOPD_OK) return mo_fail_at(st, "%s", path);
    int64_t top_k = 0;
    bool per_class = false;
    st = mo_json_need_string(root, "class_position", path, &position);
    if (st == MOPD_OK) st = mo_json_need_bool(root, "class_context", path, &per_class);
    if (st == MOPD_OK) st = mo_json_may_int(root, "top_k", path, &top_k);
    if (st == MOPD_OK) {
        p->info.class_position = mo_words_find(mo_context_positions, MO_CONTEXT_POSITIONS, position);
        if (p->info.class_position < 0)
            st = mo_fail(MOPD_E_FORMAT, "%s: class_position \"%.40s\" is unknown", path, position);
        if (top_k < 0 || top_k > INT32_MAX)
            st = mo_fail(MOPD_E_FORMAT, "%s: top_k is %lld", path, (long long)top_k);
        p->info.top_k = (uint32_t)top_k;
        if (per_class) p->info.flags |= MOPD_PROMPT_CLASS_CONTEXT;
    }
    mo_json_close(root);
    return st;
}

/* Data and gate use stay as they are written, as long as they are JSON. */
static mopd_status read_json(const mo_tensors *file, const char *key, char **out)
{
    const char *text = mo_tensors_meta(file, key);
    if (!text) return MOPD_OK;
    const mo_json *root = NULL;
    mopd_status st = mo_json_parse(&root, text, strlen(text), key);
    mo_json_close(root);
    if (st != MOPD_OK) return mo_fail_at(st, "%s", mo_tensors_path(file));
    return (*out = mo_mem_strdup(text)) ? MOPD_OK : MOPD_E_NOMEM;
}

static mopd_status read_notes(const mo_tensors *file, mopd_prompt *p)
{
    for (size_t i = 0; i < mo_tensors_n_meta(file); i++) {
        const char *key = mo_tensors_meta_key(file, i);
        if (strncmp(key, "note.", 5) != 0) continue;
        mopd_status st = mo_prompt_notes_add(&p->notes, key + 5, mo_tensors_meta_value(file, i));
        if (st != MOPD_OK) return st;
    }
    return MOPD_OK;
}

/* A number from 0 to 100.  It is read as JSON, which no locale changes. */
static mopd_status read_accuracy(const mo_tensors *file, double *out)
{
    const char *text = mo_tensors_meta(file, "mopd.accuracy");
    if (!text) return MOPD_OK;
    char list[48];
    const mo_json *root = NULL;
    snprintf(list, sizeof list, "[%.40s]", text);
    mopd_status st = mo_json_parse(&root, list, strlen(list), "mopd.accuracy");
    if (st == MOPD_E_NOMEM) return st;
    bool good =
        mo_json_count(root) == 1 && mo_json_as_number(mo_json_item(root, 0), out) && *out >= 0 && *out <= 100;
    mo_json_close(root);
    return good ? MOPD_OK : mo_fail(MOPD_E_FORMAT, "%s: accuracy is \"%.40s\"", mo_tensors_path(file), text);
}

static mopd_status take_digits(char out[65], const char *text, const char *what, const mo_tensors *file)
{
    if (strlen(text) > 64)
        return mo_fail(
            MOPD_E_FORMAT, "%s: a %s of %zu digits, 64 are usual", mo_tensors_path(file), what, strlen(text));
    memcpy(out, text, strlen(text) + 1);
    return MOPD_OK;
}

static mopd_status read_meta(const mo_tensors *file, mopd_prompt *p)
{
    const char *text, *path = mo_tensors_path(file);
    const char *kind = mo_tensors_meta(file, MO_PROMPT_KIND);
    if (!kind)
        return mo_fail(MOPD_E_FORMAT, "%s: not a prompt file: \"" MO_PROMPT_KIND "\" is missing", path);
    if (!mo_promptfile_is(file))
        return mo_fail(MOPD_E_FORMAT, "%s: not a prompt file, but one of kind '%s'", path, kind);
    mopd_status st = need_number(file, "mopd.format", &p->info.format);
    if (st != MOPD_OK) return st;
    if (p->info.format != MO_PROMPT_FORMAT)
        return mo_fail(p->info.format ? MOPD_E_VERSION : MOPD_E_FORMAT,
            "%s: prompt file of format %u, this library reads format %d", path, (unsigned)p->info.format,
            MO_PROMPT_FORMAT);
    if ((st = mo_metadata_need(file, "mopd.method", &text)) != MOPD_OK) return st;
    if (mo_method_find(text, &p->info.method) != MOPD_OK)
        return mo_fail(MOPD_E_FORMAT, "%s: method \"%.40s\" is unknown", path, text);
    if ((st = mo_metadata_need(file, "mopd.fingerprint", &text)) != MOPD_OK) return st;
    if ((st = take_digits(p->fingerprint, text, "fingerprint", file)) != MOPD_OK) return st;
    text = mo_tensors_meta(file, "mopd.vocabulary");
    if (text && (st = take_digits(p->vocabulary, text, "vocabulary", file)) != MOPD_OK) return st;
    if ((st = mo_metadata_need(file, "mopd.version", &text)) != MOPD_OK) return st;
    if (!(p->version = mo_mem_strdup(text))) return MOPD_E_NOMEM;
    if ((st = read_accuracy(file, &p->info.accuracy)) != MOPD_OK) return st;
    if (!strcmp(mo_tensors_meta(file, MO_PROMPT_KIND), "checkpoint")) p->info.flags |= MOPD_PROMPT_CHECKPOINT;
    if ((st = need_number(file, "mopd.dim", &p->info.dim)) != MOPD_OK) return st;
    if ((st = need_number(file, "mopd.epoch", &p->info.epoch)) != MOPD_OK) return st;
    if ((st = read_settings(file, p)) != MOPD_OK) return st;
    if ((st = mo_metadata_read_names(&p->classes, file, "mopd.classes")) != MOPD_OK) return st;
    if ((st = mo_metadata_read_names(&p->templates, file, "mopd.templates")) != MOPD_OK) return st;
    if ((st = read_json(file, "mopd.data", &p->data)) != MOPD_OK) return st;
    if ((st = read_json(file, "mopd.gate_use", &p->gate_use)) != MOPD_OK) return st;
    p->info.n_classes = (uint32_t)p->classes.n;
    p->info.n_templates = (uint32_t)p->templates.n;
    return read_notes(file, p);
}

static mopd_status read_floats(const mo_tensors *file, const char *name, const mo_view *view, float **out)
{
    if (!(*out = mo_mem_alloc(view->n, sizeof **out))) return MOPD_E_NOMEM;
    if (!mo_view_floats(view, 0, view->n, *out))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" is %s, not F32", mo_tensors_path(file), name,
            mo_dtype_name(view->dtype));
    if (!mo_floats_finite(*out, view->n))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" holds a number that is not finite",
            mo_tensors_path(file), name);
    return MOPD_OK;
}

static mopd_status read_context(const mo_tensors *file, mopd_prompt *p)
{
    const mo_view *v;
    mopd_status st = mo_tensors_need(file, "context", &v);
    if (st != MOPD_OK) return st;
    int per_class = (p->info.flags & MOPD_PROMPT_CLASS_CONTEXT) != 0;
    if (v->n_dims != 2 + per_class || !v->n || v->shape[per_class] > INT32_MAX ||
        v->shape[1 + per_class] > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"context\" has %d dimensions, %d are needed",
            mo_tensors_path(file), v->n_dims, 2 + per_class);
    if (per_class && v->shape[0] != p->info.n_classes)
        return mo_fail(MOPD_E_FORMAT, "%s: context of %zu classes, %u are listed", mo_tensors_path(file),
            v->shape[0], (unsigned)p->info.n_classes);
    p->info.n_context = (uint32_t)v->shape[per_class];
    p->info.text_width = (uint32_t)v->shape[1 + per_class];
    return read_floats(file, "context", v, &p->context);
}

static mopd_status read_gate(const mo_tensors *file, mopd_prompt *p)
{
    mo_gate_kind kind = mo_method_get(p->info.method)->gate;
    if (kind != MO_GATE_IMAGE && kind != MO_GATE_STATIC) return MOPD_OK;
    const mo_view *v;
    mopd_status st = mo_tensors_need(file, "gate", &v);
    if (st != MOPD_OK) return st;
    p->static_gate = kind == MO_GATE_STATIC;
    size_t want[3];
    int n = mo_promptfile_gate_shape(p, want);
    bool fits = v->n_dims == n && v->n;
    for (int i = 0; i < n && fits; i++) fits = v->shape[i] == want[i];
    if (!fits)
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"gate\" has %zu numbers, %u x %u templates are needed",
            mo_tensors_path(file), v->n, p->static_gate ? 1 : (unsigned)p->info.dim,
            (unsigned)p->info.n_templates);
    if (p->info.top_k < 1 || p->info.top_k > p->info.n_templates)
        return mo_fail(MOPD_E_FORMAT, "%s: top_k is %u of %u templates", mo_tensors_path(file),
            (unsigned)p->info.top_k, (unsigned)p->info.n_templates);
    p->info.flags |= MOPD_PROMPT_GATE;
    return read_floats(file, "gate", v, &p->gate);
}

mopd_status mo_promptfile_read(mopd_prompt **out, const mo_tensors *file)
{
    mopd_prompt *p = mo_prompt_create();
    if (!p) return MOPD_E_NOMEM;
    mopd_status st = read_meta(file, p);
    if (st == MOPD_OK) st = read_context(file, p);
    if (st == MOPD_OK) st = read_gate(file, p);
    if (st != MOPD_OK) {
        mo_prompt_free(p);
        return st;
    }
    *out = p;
    return MOPD_OK;
}

mopd_status mo_promptfile_open(mopd_prompt **out, const char *path)
{
    mo_tensors *file = NULL;
    mopd_status st = mo_safetensors_open(&file, path, true);
    if (st != MOPD_OK) return st;
    st = mo_promptfile_read(out, file);
    mo_tensors_close(file);
    return st;
}
