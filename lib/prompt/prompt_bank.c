/* SPDX-License-Identifier: MIT
 * prompt_bank.c - banks of a learned prompt: classes that it was trained on, and others.
 *
 *     V       for a class that was trained on
 *     V0 + share (V - V0)   for another, V0 the embeddings of the words that the context started from
 *
 * A shared context is learned from some classes and fits them best; part of the way back to its start it serves
 * others better (docs/method.md 7).  Share 1 is the published method. */
#include <string.h>

#include "base/lookup.h"
#include "base/mem.h"
#include "format/json.h"
#include "prompt/bank.h"
#include "prompt/promptfile.h"
#include "prompt/student.h"
#include "token/fold.h"

/* The rows of a class-specific context that belong to these classes. */
static mopd_status gather_context(
    const mopd_prompt *p, const char *const *classes, size_t n_classes, float *out)
{
    size_t n = (size_t)p->info.n_context * p->info.text_width;
    mo_lookup trained;
    mopd_status st = mo_lookup_names(&trained, (const char *const *)p->classes.name, p->classes.n);
    for (size_t c = 0; c < n_classes && st == MOPD_OK; c++) {
        const size_t from = mo_lookup_find(&trained, classes[c]);
        if (from == SIZE_MAX)
            st = mo_fail(MOPD_E_STATE,
                "class \"%s\": a class-specific prompt meets only the classes it was trained on", classes[c]);
        else
            memcpy(out + c * n, p->context + from * n, n * sizeof *out);
    }
    mo_lookup_close(&trained);
    return st;
}

/* V0, n_context x W, by the words of the settings; *known: there are words.  FORMAT: they are not as many tokens as
 * there are vectors. */
static mopd_status read_start(const mopd_prompt *p, const mopd_encoder *encoder, float *start, bool *known)
{
    const mo_json *root = NULL;
    const char *words = NULL;
    size_t n = 0;
    mopd_status st = mo_json_parse(&root, p->settings, strlen(p->settings), "mopd.settings");
    if (st != MOPD_OK) return mo_fail_at(st, "prompt");
    *known = mo_json_as_string(mo_json_get(root, "context"), &words);
    if (*known) {
        const mo_context_shape shape = {p->info.n_context, p->info.class_position, false};
        st = mo_context_count(encoder, words, 0, &n);
        if (st == MOPD_OK && n != shape.n)
            st = mo_fail(MOPD_E_FORMAT, "prompt: its context of %zu vectors began with \"%.40s\", %zu tokens",
                shape.n, words, n);
        if (st == MOPD_OK) st = mo_context_start(encoder, &shape, 1, words, 0, start);
    }
    mo_json_close(root);
    return st;
}

/* A prompt met by an encoder, and how far its classes have come. */
typedef struct meeting {
    const mopd_prompt *p;
    const mopd_encoder *encoder;
    mo_progress progress;
} meeting;

/* Features, n x D, of classes with a context. */
static mopd_status encode(
    meeting *m, const char *const *classes, size_t n, const float *context, float *features)
{
    const mopd_prompt *p = m->p;
    const bool per_class = (p->info.flags & MOPD_PROMPT_CLASS_CONTEXT) != 0;
    mo_student *student = NULL;
    mo_student_args args = {m->encoder, {p->info.n_context, p->info.class_position, per_class}, classes, n, 0,
        false, &m->progress};
    mopd_status st = mo_student_create(&student, &args);
    if (st == MOPD_OK) st = mo_student_fwd(student, context, features);
    mo_student_free(student);
    return st;
}

static mopd_status encode_own(meeting *m, const char *const *classes, size_t n, float *features)
{
    const mopd_prompt *p = m->p;
    if (!(p->info.flags & MOPD_PROMPT_CLASS_CONTEXT)) return encode(m, classes, n, p->context, features);
    float *own = mo_mem_alloc(n, (size_t)p->info.n_context * p->info.text_width * sizeof *own);
    mopd_status st = own ? gather_context(p, classes, n, own) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = encode(m, classes, n, own, features);
    mo_mem_free(own);
    return st;
}

/* Work of a bank that has classes of both kinds. */
typedef struct parts {
    const char **name; /* those trained on, then the others */
    size_t *at;        /* their places in the list */
    bool *known;       /* of the list: trained on */
    float *some;       /* features in this order */
    float *context;    /* of the others */
    size_t n_known;
} parts;

static void free_parts(parts *x)
{
    mo_mem_free(x->context);
    mo_mem_free(x->some);
    mo_mem_free(x->known);
    mo_mem_free(x->at);
    mo_mem_free((void *)x->name);
}

static mopd_status make_parts(parts *x, const mopd_prompt *p, const char *const *classes, size_t n)
{
    size_t n_other = 0;
    x->name = mo_mem_alloc(n, sizeof *x->name);
    x->at = mo_mem_alloc(n, sizeof *x->at);
    x->known = mo_mem_alloc(n, sizeof *x->known);
    x->some = mo_mem_alloc(n, p->info.dim * sizeof *x->some);
    x->context = mo_mem_alloc(p->info.n_context, p->info.text_width * sizeof *x->context);
    if (!x->name || !x->at || !x->known || !x->some || !x->context) return MOPD_E_NOMEM;
    mopd_status st = mo_fold_among(classes, n, (const char *const *)p->classes.name, p->classes.n, x->known);
    for (size_t c = 0; c < n && st == MOPD_OK; c++) {
        const size_t i = x->known[c] ? x->n_known++ : n - ++n_other;
        x->name[i] = classes[c];
        x->at[i] = c;
    }
    return st;
}

/* features of the classes trained on as they are, of the others with part of what was learned. */
static mopd_status encode_parts(meeting *m, const parts *x, size_t n, float share, float *features)
{
    const mopd_prompt *p = m->p;
    const size_t dim = p->info.dim, n_floats = mo_prompt_context_floats(p);
    bool words;
    mopd_status st = read_start(p, m->encoder, x->context, &words);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < n_floats && words; i++) x->context[i] += share * (p->context[i] - x->context[i]);
    if (x->n_known) st = encode(m, x->name, x->n_known, p->context, x->some);
    if (st == MOPD_OK && x->n_known < n)
        st = encode(m, x->name + x->n_known, n - x->n_known, words ? x->context : p->context,
            x->some + x->n_known * dim);
    for (size_t i = 0; i < n && st == MOPD_OK; i++)
        memcpy(features + x->at[i] * dim, x->some + i * dim, dim * sizeof *features);
    return st;
}

mopd_status mo_prompt_bank_unseen(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const mopd_prompt *p, float share)
{
    const bool per_class = (p->info.flags & MOPD_PROMPT_CLASS_CONTEXT) != 0;
    if (!n_classes) {
        classes = (const char *const *)p->classes.name;
        n_classes = p->classes.n;
    }
    size_t same[2];
    mopd_status st =
        per_class ? mo_bank_check_names(classes, n_classes) : mo_bank_check_words(classes, n_classes, same);
    meeting m = {.p = p, .encoder = encoder};
    if (st == MOPD_OK) st = mo_progress_begin(&m.progress, encoder->watcher, "texts", n_classes);
    if (st != MOPD_OK) return st;
    parts x = {0};
    float *features = mo_mem_alloc(n_classes, p->info.dim * sizeof *features);
    if (!features) return MOPD_E_NOMEM;
    if (per_class || share == 1) {
        st = encode_own(&m, classes, n_classes, features);
    } else {
        st = make_parts(&x, p, classes, n_classes);
        if (st == MOPD_OK) st = encode_parts(&m, &x, n_classes, share, features);
    }
    if (st == MOPD_OK)
        st = mo_bank_create_features(out, classes, n_classes, features, p->info.dim, encoder->logit_scale);
    if (st == MOPD_OK) {
        strcpy((*out)->fingerprint, encoder->fingerprint);
        mo_bank_take_bias(*out, encoder);
    }
    free_parts(&x);
    mo_mem_free(features);
    return st;
}

mopd_status mo_prompt_bank(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const mopd_prompt *p)
{
    return mo_prompt_bank_unseen(out, encoder, classes, n_classes, p, 1);
}
