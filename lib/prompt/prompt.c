/* SPDX-License-Identifier: MIT
 * prompt.c - a learned prompt in memory: its parts, its description, its encoder. */
#include <string.h>

#include "base/buf.h"
#include "base/lookup.h"
#include "base/mem.h"
#include "base/names.h"
#include "format/json.h"
#include "model/fingerprint.h"
#include "mopd/version.h"
#include "prompt/context.h"
#include "prompt/method.h"
#include "prompt/promptfile.h"

mopd_prompt *mo_prompt_create(void)
{
    mopd_prompt *p = mo_mem_calloc(1, sizeof *p);
    if (!p) return NULL;
    p->info.struct_size = sizeof p->info;
    p->info.format = MO_PROMPT_FORMAT;
    p->info.accuracy = -1;
    return p;
}

void mo_prompt_free(mopd_prompt *p)
{
    if (!p) return;
    mo_prompt_notes_free(&p->notes);
    mo_names_free(&p->templates);
    mo_names_free(&p->classes);
    mo_mem_free(p->version);
    mo_mem_free(p->gate_use);
    mo_mem_free(p->data);
    mo_mem_free(p->settings);
    mo_mem_free(p->gate);
    mo_mem_free(p->context);
    mo_mem_free(p);
}

mopd_status mo_prompt_copy(mopd_prompt **out, const mopd_prompt *from)
{
    mopd_prompt *p = mo_prompt_create();
    const size_t n = mo_prompt_context_floats(from);
    mopd_status st = p ? MOPD_OK : MOPD_E_NOMEM;
    if (st != MOPD_OK) return st;
    p->info = from->info;
    p->info.n_templates = 0;
    memcpy(p->fingerprint, from->fingerprint, sizeof p->fingerprint);
    memcpy(p->vocabulary, from->vocabulary, sizeof p->vocabulary);
    p->context = mo_mem_alloc(n, sizeof *p->context);
    p->settings = mo_mem_strdup(from->settings);
    if (!p->context || !p->settings) st = MOPD_E_NOMEM;
    if (st == MOPD_OK) memcpy(p->context, from->context, n * sizeof *p->context);
    if (st == MOPD_OK)
        st = mo_names_copy(&p->classes, (const char *const *)from->classes.name, from->classes.n);
    if (st != MOPD_OK)
        mo_prompt_free(p);
    else
        *out = p;
    return st;
}

size_t mo_prompt_context_floats(const mopd_prompt *p)
{
    size_t n = (size_t)p->info.n_context * p->info.text_width;
    return p->info.flags & MOPD_PROMPT_CLASS_CONTEXT ? n * p->info.n_classes : n;
}

size_t mo_prompt_gate_floats(const mopd_prompt *p)
{
    if (!p->gate) return 0;
    return (p->static_gate ? 1 : (size_t)p->info.dim) * p->info.n_templates;
}

static size_t find_note(const mo_prompt_notes *notes, const char *key)
{
    size_t i = 0;
    while (i < notes->key.n && strcmp(notes->key.name[i], key) != 0) i++;
    return i;
}

const char *mo_prompt_notes_get(const mo_prompt_notes *notes, const char *key)
{
    const size_t at = find_note(notes, key);
    return at < notes->key.n ? notes->text.name[at] : NULL;
}

mopd_status mo_prompt_notes_add(mo_prompt_notes *notes, const char *key, const char *text)
{
    mo_names *keys = &notes->key;
    mopd_status st = mo_names_add(keys, key, strlen(key));
    if (st != MOPD_OK) return st;
    if ((st = mo_names_add(&notes->text, text, strlen(text))) != MOPD_OK) mo_mem_free(keys->name[--keys->n]);
    return st;
}

mopd_status mo_prompt_notes_set(mo_prompt_notes *notes, const char *key, const char *text)
{
    mo_names *keys = &notes->key, *texts = &notes->text;
    size_t at = find_note(notes, key);
    if (at < keys->n) {
        char *copy = mo_mem_strdup(text);
        if (!copy) return MOPD_E_NOMEM;
        mo_mem_free(texts->name[at]);
        texts->name[at] = copy;
        return MOPD_OK;
    }
    return mo_prompt_notes_add(notes, key, text);
}

mopd_status mo_prompt_notes_adopt(mo_prompt_notes *notes, const mo_prompt_notes *from)
{
    mo_lookup known;
    mopd_status st = mo_lookup_open(&known, notes->key.n + from->key.n);
    for (size_t i = 0; i < notes->key.n && st == MOPD_OK; i++) mo_lookup_add(&known, notes->key.name[i], i);
    for (size_t i = 0; i < from->key.n && st == MOPD_OK; i++)
        if (mo_lookup_add(&known, from->key.name[i], i) == SIZE_MAX)
            st = mo_prompt_notes_add(notes, from->key.name[i], from->text.name[i]);
    mo_lookup_close(&known);
    return st;
}

void mo_prompt_notes_free(mo_prompt_notes *notes)
{
    mo_names_free(&notes->text);
    mo_names_free(&notes->key);
}

static void write_names(mo_jsonw *w, const char *key, const mo_names *names)
{
    mo_jsonw_key(w, key);
    mo_jsonw_strings(w, names->name, names->n);
}

static void write_raw(mo_jsonw *w, const char *key, const char *json)
{
    if (!json) return;
    mo_jsonw_key(w, key);
    mo_jsonw_raw(w, json);
}

mopd_status mo_prompt_describe(const mopd_prompt *p, char **json)
{
    const mopd_prompt_info *i = &p->info;
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    mo_jsonw_object(&w);
    mo_jsonw_kstring(&w, "kind", i->flags & MOPD_PROMPT_CHECKPOINT ? "checkpoint" : "prompt");
    mo_jsonw_kint(&w, "format", i->format);
    mo_jsonw_kstring(&w, "version", p->version ? p->version : MOPD_VERSION_STRING);
    mo_jsonw_kstring(&w, "method", mo_method_name(i->method));
    mo_jsonw_kint(&w, "n_context", i->n_context);
    mo_jsonw_kint(&w, "text_width", i->text_width);
    mo_jsonw_kint(&w, "dim", i->dim);
    mo_jsonw_kstring(&w, "class_position", mo_context_positions[i->class_position]);
    mo_jsonw_kbool(&w, "class_context", (i->flags & MOPD_PROMPT_CLASS_CONTEXT) != 0);
    mo_jsonw_kbool(&w, "gate", p->gate != NULL);
    mo_jsonw_kint(&w, "epoch", i->epoch);
    if (i->accuracy >= 0) mo_jsonw_kdouble(&w, "accuracy", i->accuracy);
    mo_jsonw_kstring(&w, "fingerprint", p->fingerprint);
    if (*p->vocabulary) mo_jsonw_kstring(&w, "vocabulary", p->vocabulary);
    write_raw(&w, "settings", p->settings);
    write_raw(&w, "data", p->data);
    write_names(&w, "templates", &p->templates);
    write_raw(&w, "gate_use", p->gate_use);
    write_names(&w, "classes", &p->classes);
    mo_jsonw_key(&w, "notes");
    mo_jsonw_object(&w);
    for (size_t n = 0; n < p->notes.key.n; n++)
        mo_jsonw_kstring(&w, p->notes.key.name[n], p->notes.text.name[n]);
    mo_jsonw_end(&w);
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) *json = mo_buf_take(&text);
    mo_buf_free(&text);
    return st;
}

mopd_status mo_prompt_check(const mopd_prompt *p, const mopd_encoder *encoder, const char *path)
{
    if (strcmp(p->fingerprint, encoder->fingerprint) != 0)
        return mo_fail(MOPD_E_MISMATCH, "%s: learned with the model %s, this one is %s", path, p->fingerprint,
            encoder->fingerprint);
    char vocabulary[65];
    mo_fingerprint_vocabulary(vocabulary, encoder->tokenizer);
    if (*p->vocabulary && strcmp(p->vocabulary, vocabulary) != 0)
        return mo_fail(MOPD_E_MISMATCH, "%s: learned with the vocabulary %s, this model's is %s", path,
            p->vocabulary, vocabulary);
    size_t width = mo_text_width(encoder->text), dim = mo_text_dim(encoder->text);
    if (p->info.text_width != width || p->info.dim != dim)
        return mo_fail(MOPD_E_MISMATCH,
            "%s: vectors of %u and features of %u numbers, the model has %zu and %zu", path,
            (unsigned)p->info.text_width, (unsigned)p->info.dim, width, dim);
    return MOPD_OK;
}
