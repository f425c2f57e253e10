/* SPDX-License-Identifier: MIT
 * recognizer_file.c - a recogniser as one safetensors file.
 *
 *     features N x D, or N x V x D where it learned from several views, text C x D     F32
 *     labels N, shown                                                                  I32
 *     count C, average C x D, scatter D x D, prior, mean, weight C x D, bias C,
 *     loo N x C (where something can be left out), within D x D (with several views)   F64
 *     prompt.context (with a learned prompt)                                           F32
 *     metadata    mopd.kind, .format, .version, .fingerprint: plain texts; .orientation "exif" where pictures were turned,
 *                 .grey16 "scaled" where 16-bit grey was
 *                 mopd.classes, .templates, .settings, .prompt: JSON
 *
 * A reader meets files of others: shapes, labels and numbers are checked before they are used. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/floats.h"
#include "base/mem.h"
#include "format/json.h"
#include "format/safetensors.h"
#include "format/tensors.h"
#include "prompt/file_parts.h"
#include "prompt/metadata.h"
#include "prompt/promptfile.h"
#include "prompt/recognizer_handle.h"

enum { MOST_TENSORS = 14 };

#define WHOSE "a recogniser's"

/* The tensors of a recogniser whose sizes are known, in the file's order. */
static size_t list_parts(mo_file_part list[MOST_TENSORS], mopd_recognizer *r, bool loo)
{
    const size_t n = r->data.n, c = r->data.n_classes, d = r->data.dim, v = mo_recognizer_views(&r->data);
    const mo_file_part all[] = {
        {"features", MO_F32, v > 1 ? 3 : 2, {n, v > 1 ? v : d, d}, (void **)&r->features},
        {"labels", MO_I32, 1, {n, 0}, (void **)&r->labels},
        {"text", MO_F32, 2, {c, d}, (void **)&r->text},
        {"shown", MO_I32, 1, {r->n_shown, 0}, (void **)&r->shown},
        {"count", MO_F64, 1, {c, 0}, (void **)&r->sums.count},
        {"average", MO_F64, 2, {c, d}, (void **)&r->sums.average},
        {"scatter", MO_F64, 2, {d, d}, (void **)&r->sums.scatter},
        {"prior", MO_F64, 2, {c, d}, (void **)&r->fit.prior},
        {"mean", MO_F64, 2, {c, d}, (void **)&r->fit.mean},
        {"weight", MO_F64, 2, {c, d}, (void **)&r->fit.weight},
        {"bias", MO_F64, 1, {c, 0}, (void **)&r->fit.bias},
        {"within", MO_F64, 2, {d, d}, (void **)&r->sums.within},
        {"loo", MO_F64, 2, {n, c}, (void **)&r->loo},
    };
    size_t k = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if ((loo || strcmp(all[i].name, "loo") != 0) && (v > 1 || strcmp(all[i].name, "within") != 0))
            list[k++] = all[i];
    return k;
}

/* ---- writing ---- */

static mopd_status add_settings(mo_safetensors_writer *w, const mopd_recognizer *r)
{
    mo_buf text = {0};
    mo_jsonw j;
    mo_jsonw_init(&j, &text);
    mo_jsonw_object(&j);
    mo_jsonw_kdouble(&j, "kappa", r->fit.settings.kappa);
    mo_jsonw_kdouble(&j, "lambda", r->fit.settings.lambda);
    mo_jsonw_kdouble(&j, "a", r->fit.settings.a);
    mo_jsonw_kdouble(&j, "b", r->fit.settings.b);
    mo_jsonw_kdouble(&j, "keep", r->keep);
    mo_jsonw_kdouble(&j, "scale", r->data.scale);
    mo_jsonw_kdouble(&j, "shift", r->fit.shift);
    if (r->fit.settings.views > 0) mo_jsonw_kdouble(&j, "views", r->fit.settings.views);
    if (r->sure > 0) mo_jsonw_kdouble(&j, "sure", r->sure);
    mo_jsonw_end(&j);
    return mo_metadata_write(w, "mopd.settings", &j, &text);
}

/* What its banks need of the prompt, beside its vectors. */
static mopd_status add_prompt(mo_safetensors_writer *w, const mopd_recognizer *r)
{
    const mopd_prompt *p = r->prompt;
    mo_buf text = {0};
    mo_jsonw j;
    mo_jsonw_init(&j, &text);
    mo_jsonw_object(&j);
    mo_jsonw_kint(&j, "n_context", p->info.n_context);
    mo_jsonw_kint(&j, "text_width", p->info.text_width);
    mo_jsonw_kint(&j, "class_position", p->info.class_position);
    mo_jsonw_kbool(&j, "class_context", (p->info.flags & MOPD_PROMPT_CLASS_CONTEXT) != 0);
    mo_jsonw_kstring(&j, "vocabulary", p->vocabulary);
    mo_jsonw_kdouble(&j, "unseen", r->unseen);
    mo_jsonw_kstring(&j, "settings", p->settings);
    mo_jsonw_key(&j, "classes");
    mo_jsonw_strings(&j, p->classes.name, p->classes.n);
    mo_jsonw_end(&j);
    return mo_metadata_write(w, "mopd.prompt", &j, &text);
}

static mopd_status declare(mo_safetensors_writer *w, mopd_recognizer *r)
{
    mopd_status st = mo_metadata_write_head(w, "recognizer", r->fingerprint);
    if (st == MOPD_OK && r->upright) st = mo_safetensors_writer_meta(w, "mopd.orientation", "exif");
    if (st == MOPD_OK && r->scaled16) st = mo_safetensors_writer_meta(w, "mopd.grey16", "scaled");
    if (st == MOPD_OK) st = add_settings(w, r);
    if (st == MOPD_OK) st = mo_metadata_write_names(w, "mopd.classes", &r->classes);
    if (st == MOPD_OK) st = mo_metadata_write_names(w, "mopd.templates", &r->templates);
    if (st == MOPD_OK && r->prompt) st = add_prompt(w, r);
    mo_file_part list[MOST_TENSORS];
    const size_t n = list_parts(list, r, r->loo != NULL);
    if (st == MOPD_OK) st = mo_file_parts_declare(w, list, n);
    if (st != MOPD_OK || !r->prompt) return st;
    return mo_safetensors_writer_tensor(
        w, "prompt.context", MO_F32, 1, (const size_t[]){mo_prompt_context_floats(r->prompt)});
}

static mopd_status write_parts(mo_safetensors_writer *w, mopd_recognizer *r)
{
    mo_file_part list[MOST_TENSORS];
    const size_t n = list_parts(list, r, r->loo != NULL);
    mopd_status st = mo_file_parts_write(w, list, n);
    if (st != MOPD_OK || !r->prompt) return st;
    return mo_safetensors_writer_floats(w, r->prompt->context, mo_prompt_context_floats(r->prompt));
}

mopd_status mo_recognizer_save(const mopd_recognizer *recognizer, const char *path)
{
    mo_safetensors_writer *w = NULL;
    mopd_recognizer *r = (mopd_recognizer *)(uintptr_t)recognizer; /* read only */
    mopd_status st = mo_recognizer_judge(r);
    if (st == MOPD_OK) st = mo_safetensors_writer_create(&w);
    if (st == MOPD_OK) st = declare(w, r);
    if (st == MOPD_OK) st = mo_safetensors_writer_begin(w, path);
    if (st == MOPD_OK) st = write_parts(w, r);
    if (st == MOPD_OK) st = mo_safetensors_writer_commit(w);
    mo_safetensors_writer_free(w);
    return st;
}

/* ---- reading ---- */

static mopd_status read_settings(mopd_recognizer *r, const mo_tensors *f)
{
    const mo_json *root = NULL;
    const char *path = mo_tensors_path(f);
    mo_recognizer_settings *s = &r->fit.settings;
    const struct {
        const char *key;
        double *to, most;
        bool zero;
    } numbers[] = {{"kappa", &s->kappa, 1e9, false}, {"lambda", &s->lambda, 1, false},
        {"a", &s->a, 1e9, false}, {"b", &s->b, 1e9, true}, {"keep", &r->keep, 1, false},
        {"scale", &r->data.scale, 1e9, false}, {"shift", &r->fit.shift, 1e9, true}};
    mopd_status st = mo_metadata_json(f, "mopd.settings", &root);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && st == MOPD_OK; i++) {
        double *x = numbers[i].to;
        st = mo_json_need_number(root, numbers[i].key, path, x);
        if (st == MOPD_OK && !(*x > 0 && *x <= numbers[i].most) &&
            !(numbers[i].zero && *x >= 0 && *x <= numbers[i].most))
            st = mo_fail(MOPD_E_FORMAT, "%s: %s is %g", path, numbers[i].key, *x);
    }
    if (st == MOPD_OK) st = mo_json_may_number(root, "views", path, &s->views);
    if (st == MOPD_OK && !(s->views >= 0 && s->views <= 1e9))
        st = mo_fail(MOPD_E_FORMAT, "%s: views is %g", path, s->views);
    r->sure = 0; /* of a library that knew energy alone */
    if (st == MOPD_OK) st = mo_json_may_number(root, "sure", path, &r->sure);
    if (st == MOPD_OK && !(r->sure >= 0 && r->sure <= 1e9))
        st = mo_fail(MOPD_E_FORMAT, "%s: sure is %g", path, r->sure);
    mo_json_close(root);
    return st;
}

/* Several views are used, or there are none. */
static mopd_status check_views(const mopd_recognizer *r, const char *path)
{
    if (r->data.n_views > MO_RECOGNIZER_VIEWS)
        return mo_fail(MOPD_E_FORMAT, "%s: %zu views of each picture, at most %d are possible", path,
            r->data.n_views, MO_RECOGNIZER_VIEWS);
    if ((mo_recognizer_views(&r->data) > 1) == (r->fit.settings.views > 0)) return MOPD_OK;
    return mo_fail(MOPD_E_FORMAT, "%s: %zu views of each picture, which count %g times", path,
        mo_recognizer_views(&r->data), r->fit.settings.views);
}

/* N, C, D and how many are shown, from the shapes of three tensors. */
static mopd_status read_sizes(mopd_recognizer *r, const mo_tensors *f)
{
    const mo_view *features, *text, *shown;
    mopd_status st = mo_tensors_need(f, "features", &features);
    if (st == MOPD_OK) st = mo_tensors_need(f, "text", &text);
    if (st == MOPD_OK) st = mo_tensors_need(f, "shown", &shown);
    if (st != MOPD_OK) return st;
    if ((features->n_dims != 2 && features->n_dims != 3) || text->n_dims != 2 || shown->n_dims != 1 ||
        !text->shape[0] || !text->shape[1] || !shown->shape[0])
        return mo_fail(MOPD_E_FORMAT, "%s: features, text or shown has another shape than a recogniser's",
            mo_tensors_path(f));
    r->data.n = features->shape[0];
    r->data.n_views = features->n_dims == 3 ? features->shape[1] : 1;
    r->data.n_classes = text->shape[0];
    r->data.dim = text->shape[1];
    r->n_shown = shown->shape[0];
    if (r->classes.n != r->data.n_classes)
        return mo_fail(MOPD_E_FORMAT, "%s: %zu classes are named, text has %zu", mo_tensors_path(f),
            r->classes.n, r->data.n_classes);
    return check_views(r, mo_tensors_path(f));
}

/* Labels and classes shown are places among the classes, shown ones each once; counts are what the labels say. */
static mopd_status check_places(const mopd_recognizer *r, const char *path)
{
    const size_t c_all = r->data.n_classes;
    double *count = mo_mem_calloc(c_all, sizeof *count);
    mopd_status st = count ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t i = 0; i < r->data.n && st == MOPD_OK; i++) {
        if (r->labels[i] < 0 || (size_t)r->labels[i] >= c_all)
            st = mo_fail(MOPD_E_FORMAT, "%s: label %zu is %d of %zu classes", path, i, r->labels[i], c_all);
        else
            count[r->labels[i]]++;
    }
    for (size_t c = 0; c < c_all && st == MOPD_OK; c++) {
        if (count[c] != r->sums.count[c])
            st = mo_fail(MOPD_E_FORMAT, "%s: class %zu has %g pictures, its count says %g", path, c, count[c],
                r->sums.count[c]);
        count[c] = 0;
    }
    for (size_t i = 0; i < r->n_shown && st == MOPD_OK; i++) {
        if (r->shown[i] >= c_all || count[r->shown[i]]++ > 0)
            st = mo_fail(MOPD_E_FORMAT, "%s: shown %zu is %u of %zu classes, or twice", path, i,
                (unsigned)r->shown[i], c_all);
    }
    mo_mem_free(count);
    return st;
}

static mopd_status take_prompt(mopd_prompt *p, const mo_json *o, const char *path)
{
    int64_t n_context = 0, width = 0, position = 0;
    bool per_class = false;
    const char *vocabulary = "", *settings = "";
    mopd_status st = mo_json_need_int(o, "n_context", path, &n_context);
    if (st == MOPD_OK) st = mo_json_need_int(o, "text_width", path, &width);
    if (st == MOPD_OK) st = mo_json_need_int(o, "class_position", path, &position);
    if (st == MOPD_OK) st = mo_json_need_bool(o, "class_context", path, &per_class);
    if (st == MOPD_OK) st = mo_json_need_string(o, "vocabulary", path, &vocabulary);
    if (st == MOPD_OK) st = mo_json_need_string(o, "settings", path, &settings);
    if (st == MOPD_OK)
        st = mo_metadata_take_names(&p->classes, mo_json_get(o, "classes"), "mopd.prompt: classes", path);
    if (st != MOPD_OK) return st;
    if (n_context < 1 || n_context > 10000 || width < 1 || width > 1000000 || position < 0 || position > 2 ||
        strlen(vocabulary) > 64)
        return mo_fail(MOPD_E_FORMAT, "%s: its prompt does not hold together", path);
    p->info.n_context = (uint32_t)n_context;
    p->info.text_width = (uint32_t)width;
    p->info.class_position = (int32_t)position;
    p->info.n_classes = (uint32_t)p->classes.n;
    if (per_class) p->info.flags |= MOPD_PROMPT_CLASS_CONTEXT;
    strcpy(p->vocabulary, vocabulary);
    return (p->settings = mo_mem_strdup(settings)) ? MOPD_OK : MOPD_E_NOMEM;
}

/* A file without it is of a library that gave every class the whole context. */
static mopd_status take_unseen(mopd_recognizer *r, const mo_json *o, const char *path)
{
    r->unseen = 1;
    mopd_status st = mo_json_may_number(o, "unseen", path, &r->unseen);
    if (st != MOPD_OK || (r->unseen >= 0 && r->unseen <= 1)) return st;
    return mo_fail(MOPD_E_FORMAT, "%s: unseen is %g, 0 to 1 are possible", path, r->unseen);
}

static mopd_status read_prompt(mopd_recognizer *r, const mo_tensors *f)
{
    const mo_json *root = NULL;
    if (!mo_tensors_meta(f, "mopd.prompt")) return MOPD_OK;
    mopd_prompt *p = r->prompt = mo_prompt_create();
    mopd_status st = p ? mo_metadata_json(f, "mopd.prompt", &root) : MOPD_E_NOMEM;
    if (st == MOPD_OK) st = take_prompt(p, root, mo_tensors_path(f));
    if (st == MOPD_OK) st = take_unseen(r, root, mo_tensors_path(f));
    mo_json_close(root);
    if (st != MOPD_OK) return st;
    p->info.dim = (uint32_t)r->data.dim;
    memcpy(p->fingerprint, r->fingerprint, sizeof p->fingerprint);
    const mo_file_part context = {
        "prompt.context", MO_F32, 1, {mo_prompt_context_floats(p), 0}, (void **)&p->context};
    return mo_file_parts_read(&context, 1, f, WHOSE);
}

static mopd_status read_head(mopd_recognizer *r, const mo_tensors *f)
{
    mopd_status st = mo_metadata_read_head(f, "recognizer", "recogniser", r->fingerprint);
    if (st == MOPD_OK) st = mo_tensors_meta_word(&r->upright, f, "mopd.orientation", "exif");
    if (st == MOPD_OK) st = mo_tensors_meta_word(&r->scaled16, f, "mopd.grey16", "scaled");
    if (st == MOPD_OK) st = read_settings(r, f);
    if (st == MOPD_OK) st = mo_metadata_read_names(&r->classes, f, "mopd.classes");
    if (st == MOPD_OK) st = mo_metadata_read_names(&r->templates, f, "mopd.templates");
    return st == MOPD_OK ? read_sizes(r, f) : st;
}

static mopd_status read_all(mopd_recognizer *r, const mo_tensors *f)
{
    mo_file_part list[MOST_TENSORS];
    mopd_status st = read_head(r, f);
    if (st != MOPD_OK) return st;
    const size_t n = list_parts(list, r, mo_tensors_find(f, "loo") != NULL);
    st = mo_file_parts_read(list, n, f, WHOSE);
    if (st == MOPD_OK) st = check_places(r, mo_tensors_path(f));
    if (st == MOPD_OK) st = read_prompt(r, f);
    if (st == MOPD_OK && !r->prompt && !r->templates.n)
        st = mo_fail(MOPD_E_FORMAT, "%s: neither templates nor a prompt", mo_tensors_path(f));
    r->data.features = r->features;
    r->data.labels = r->labels;
    r->data.text = r->text;
    r->sums.n_classes = r->data.n_classes;
    r->sums.dim = r->data.dim;
    r->sums.n = r->data.n;
    return st;
}

mopd_status mo_recognizer_open(mopd_recognizer **out, const char *path)
{
    mo_tensors *file = NULL;
    mopd_recognizer *r = mo_recognizer_new();
    if (!r) return MOPD_E_NOMEM;
    mopd_status st = mo_tensors_open(&file, path, true);
    if (st == MOPD_OK) st = read_all(r, file);
    mo_tensors_close(file);
    if (st != MOPD_OK)
        mo_recognizer_free(r);
    else
        *out = r;
    return st;
}
