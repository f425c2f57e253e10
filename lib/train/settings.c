/* SPDX-License-Identifier: MIT
 * settings.c - the limits of every option. */
#include "train/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "format/json.h"
#include "prompt/context.h"
#include "prompt/template.h"

#define DEFAULT_LR 0.002f
#define MAX_COUNT (1u << 20)

const mopd_trainer_options mo_settings_defaults = {
    .struct_size = sizeof(mopd_trainer_options),
    .method = MOPD_METHOD_MOPD,
    .class_position = MOPD_CLASS_END,
    .epochs = 50,
    .batch = 128,
    .top_k = 2,
    .warmup_lr = 1e-5f,
    .momentum = 0.9f,
    .weight_decay = 5e-4f,
    .w = 0.8f,
    .w2 = 0.1f,
    .temperature = 1,
    .lambda = -1,
    .seed = 1,
    .context = "a photo of a",
};

static mopd_status count(const char *name, uint32_t x, uint32_t least)
{
    if (x >= least && x <= MAX_COUNT) return MOPD_OK;
    return mo_fail(
        MOPD_E_ARG, "%s is %u, %u to %u are allowed", name, (unsigned)x, (unsigned)least, MAX_COUNT);
}

static mopd_status range(const char *name, float x, float least, float most)
{
    if (x >= least && x <= most) return MOPD_OK;
    return mo_fail(
        MOPD_E_ARG, "%s is %g, %g to %g are allowed", name, (double)x, (double)least, (double)most);
}

static mopd_status check_numbers(const mopd_trainer_options *o)
{
    const float tiny = 1e-12f, huge = 1e6f;
    mopd_status st;
    if (!mo_method_get(o->method))
        return mo_fail(MOPD_E_ARG, "method is %d, 0 to 6 are known", (int)o->method);
    if (o->class_position < 0 || o->class_position > MOPD_CLASS_FRONT)
        return mo_fail(MOPD_E_ARG, "class_position is %d, 0 to 2 are known", (int)o->class_position);
    if ((st = count("n_context", o->n_context, 0)) != MOPD_OK) return st;
    if ((st = count("epochs", o->epochs, 1)) != MOPD_OK) return st;
    if ((st = count("batch", o->batch, 1)) != MOPD_OK) return st;
    if ((st = count("top_k", o->top_k, 1)) != MOPD_OK) return st;
    if ((st = range("lr", o->lr, tiny, huge)) != MOPD_OK) return st;
    if ((st = range("warmup_lr", o->warmup_lr, 0, huge)) != MOPD_OK) return st;
    if ((st = range("momentum", o->momentum, 0, 1)) != MOPD_OK) return st;
    if ((st = range("weight_decay", o->weight_decay, 0, huge)) != MOPD_OK) return st;
    if ((st = range("w", o->w, 0, 1)) != MOPD_OK) return st;
    if ((st = range("w2", o->w2, 0, huge)) != MOPD_OK) return st;
    if ((st = range("temperature", o->temperature, 1e-3f, huge)) != MOPD_OK) return st;
    return range("lambda", o->lambda, 0, huge);
}

static mopd_status read_templates(mo_settings *s)
{
    if (s->method->teachers == MO_TEACHERS_NONE) return MOPD_OK;
    s->templates = s->o.templates;
    s->n_templates = (size_t)s->o.n_templates;
    if (!s->n_templates) {
        mopd_status st = mo_template_pool("imagenet", &s->templates, &s->n_templates);
        if (st != MOPD_OK) return st;
    } else if (!s->templates) {
        return mo_fail(MOPD_E_ARG, "templates: NULL, n_templates is %zu", s->n_templates);
    }
    if (s->n_templates > MAX_COUNT)
        return mo_fail(MOPD_E_ARG, "n_templates is %zu, at most %u are allowed", s->n_templates, MAX_COUNT);
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

mopd_status mo_settings_read(
    mo_settings *out, const mopd_encoder *encoder, const mopd_trainer_options *options)
{
    *out = (mo_settings){0};
    mopd_trainer_options *o = &out->o;
    mopd_status st;
    *o = *options;
    if (o->lr == 0) o->lr = encoder->recommended_lr > 0 ? encoder->recommended_lr : DEFAULT_LR;
    out->method = mo_method_get(o->method);
    if (out->method && o->lambda < 0) o->lambda = out->method->lambda;
    if ((st = check_numbers(o)) != MOPD_OK) return st;
    if ((st = read_templates(out)) != MOPD_OK) return st;
    size_t n;
    if ((st = mo_context_count(encoder, o->context, o->n_context, &n)) != MOPD_OK) return st;
    o->n_context = (uint32_t)n;
    return count("n_context", o->n_context, 1);
}

/* A float as people write it: the shortest text that reads back as the same float. */
static void number(mo_jsonw *w, const char *key, float x)
{
    mo_jsonw_key(w, key);
    mo_jsonw_float(w, x);
}

mopd_status mo_settings_json(const mo_settings *s, char **json)
{
    static const char *const positions[] = {"end", "middle", "front"};
    const mopd_trainer_options *o = &s->o;
    mo_buf text = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &text);
    mo_jsonw_object(&w);
    mo_jsonw_kstring(&w, "method", s->method->name);
    mo_jsonw_kint(&w, "n_context", o->n_context);
    mo_jsonw_kstring(&w, "context", o->context);
    mo_jsonw_kstring(&w, "class_position", positions[o->class_position]);
    mo_jsonw_kbool(&w, "class_context", (o->flags & MOPD_TRAIN_CLASS_CONTEXT) != 0);
    mo_jsonw_kbool(&w, "shuffle", !(o->flags & MOPD_TRAIN_NO_SHUFFLE));
    mo_jsonw_kint(&w, "epochs", o->epochs);
    mo_jsonw_kint(&w, "batch", o->batch);
    number(&w, "lr", o->lr);
    number(&w, "warmup_lr", o->warmup_lr);
    number(&w, "momentum", o->momentum);
    number(&w, "weight_decay", o->weight_decay);
    if (s->method->distils) {
        number(&w, "w", o->w);
        number(&w, "temperature", o->temperature);
    }
    if (s->method->mps) number(&w, "w2", o->w2);
    if (s->method->gate != MO_GATE_NONE) mo_jsonw_kint(&w, "top_k", o->top_k);
    if (s->method->kg || s->method->project) number(&w, "lambda", o->lambda);
    if (s->method->project) number(&w, "temperature", o->temperature);
    mo_jsonw_key(&w, "seed");
    if (o->seed <= INT64_MAX) {
        mo_jsonw_uint(&w, o->seed);
    } else {
        char digits[24];
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)o->seed);
        mo_jsonw_string(&w, digits);
    }
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) *json = mo_buf_take(&text);
    mo_buf_free(&text);
    return st;
}

/* The text of a single value as we write it. */
static void show(const mo_json *value, char out[64])
{
    const char *text = NULL;
    double x = 0;
    bool yes = false;
    if (mo_json_as_string(value, &text))
        snprintf(out, 64, "\"%.60s\"", text);
    else if (mo_json_as_number(value, &x))
        mo_jsonw_double_text(out, x);
    else if (mo_json_as_bool(value, &yes))
        snprintf(out, 64, "%s", yes ? "true" : "false");
    else
        snprintf(out, 64, "%s", value ? "null" : "nothing");
}

mopd_status mo_settings_same(const char *ours, const char *theirs, const char *path)
{
    if (!strcmp(ours, theirs)) return MOPD_OK;
    const mo_json *a = NULL, *b = NULL;
    mopd_status st = mo_json_parse(&a, ours, strlen(ours), "settings");
    if (st == MOPD_OK) st = mo_json_parse(&b, theirs, strlen(theirs), "mopd.settings");
    for (void *it = mo_json_first(a); it && st == MOPD_OK; it = mo_json_next(a, it)) {
        char x[64], y[64];
        show(mo_json_value(it), x);
        show(mo_json_get(b, mo_json_key(it)), y);
        if (strcmp(x, y) != 0)
            st = mo_fail(
                MOPD_E_MISMATCH, "%s: was made with %s %s, the trainer has %s", path, mo_json_key(it), y, x);
    }
    mo_json_close(a);
    mo_json_close(b);
    return st != MOPD_OK ? st
                         : mo_fail(MOPD_E_MISMATCH, "%s: was made with other settings: %s", path, theirs);
}
