/* SPDX-License-Identifier: MIT
 * describe.c - what a model, or another file of this library, holds, as one JSON object. */
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/view.h"
#include "format/safetensors.h"
#include "math/bf16.h"
#include "model/config_json.h"
#include "model/encoder.h"
#include "model/layouts/layouts.h"
#include "model/layouts/packed.h"

#define LONG_LIST 1000 /* items beyond which a list in the metadata is only counted */
#define MAX_UNUSED 100 /* tensors named that the model does not use */

static void write_types(const mo_weights *weights, mo_jsonw *w)
{
    uint64_t count[MO_BOOL + 1] = {0};
    for (size_t i = 0; i < mo_weights_count(weights); i++) count[mo_weights_at(weights, i)->view.dtype]++;
    mo_jsonw_key(w, "types");
    mo_jsonw_object(w);
    for (int i = 0; i <= MO_BOOL; i++)
        if (count[i]) mo_jsonw_kint(w, mo_dtype_name((mo_dtype)i), (int64_t)count[i]);
    mo_jsonw_end(w);
}

/* What the files hold and the model does not use: how many, and the first of them. */
static void write_extra(const mo_weights *weights, mo_jsonw *w)
{
    const size_t n = mo_weights_n_extra(weights);
    if (*mo_weights_prefix(weights)) mo_jsonw_kstring(w, "tensor_prefix", mo_weights_prefix(weights));
    if (!n) return;
    mo_jsonw_kint(w, "unused_tensors", (int64_t)n);
    mo_jsonw_key(w, "unused");
    mo_jsonw_array(w);
    for (size_t i = 0; i < n && i < MAX_UNUSED; i++) mo_jsonw_string(w, mo_weights_extra(weights, i));
    mo_jsonw_end(w);
}

static const mo_view *first_panels(const mo_weights *weights)
{
    for (size_t i = 0; i < mo_weights_count(weights); i++) {
        const mo_view *v = &mo_weights_at(weights, i)->view;
        if (v->panel_inputs) return v;
    }
    return NULL;
}

/* What panels are for. */
static int32_t precision_for(const mo_view *v)
{
    return v->panel_group == 4   ? MOPD_PRECISION_INT8
           : v->panel_group == 2 ? MOPD_PRECISION_BF16
                                 : MOPD_PRECISION_F32;
}

/* Why panels are not used where they lie; NULL: they are. */
static const char *why_not(const mopd_encoder *e, const mo_view *v)
{
    if (e->precision != precision_for(v)) return "the model is open in another precision";
    if (v->panel_group == 2 && !mo_bf16_get()) return "this processor does not multiply in bfloat16";
    return v->panel_group <= 1 && v->dtype != MO_F32 ? "f32 needs weights of 32 bits" : NULL;
}

static void write_panels(const mopd_encoder *e, mo_jsonw *w)
{
    const mo_view *v = first_panels(e->weights);
    if (!v) return;
    const char *why = why_not(e, v);
    mo_jsonw_key(w, "panels");
    mo_jsonw_object(w);
    mo_jsonw_kstring(w, "for", v->panel_group <= 1 ? "f32" : mo_encoder_precision_name(precision_for(v)));
    mo_jsonw_kbool(w, "used", !why);
    if (why) mo_jsonw_kstring(w, "why", why);
    mo_jsonw_end(w);
}

mopd_status mo_describe_encoder(const mopd_encoder *encoder, char **json)
{
    const mo_config *c = &encoder->config;
    mo_buf buf = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &buf);
    mo_jsonw_object(&w);
    mo_jsonw_kstring(&w, "kind", "model");
    mo_jsonw_kstring(&w, "path", encoder->path);
    mo_jsonw_kstring(&w, "layout", encoder->layout);
    mo_jsonw_kstring(&w, "fingerprint", encoder->fingerprint);
    mo_jsonw_kstring(&w, "vision", mo_config_vision_name(c->vision_kind));
    mo_jsonw_kint(&w, "dim", c->dim);
    mo_jsonw_kint(&w, "text_width", c->text.stack.width);
    mo_jsonw_kint(&w, "context_length", c->text.context);
    mo_jsonw_kint(&w, "vocab_size", c->text.vocab);
    mo_jsonw_kint(&w, "image_size", c->image);
    mo_jsonw_kstring(&w, "text_cleaning", mo_tokenizer_cleaning_name(encoder->cleaning));
    mo_jsonw_kstring(&w, "activation", mo_config_activation_name(c->text.stack.act));
    if (c->vision_kind == MO_VISION_VIT && c->vit.stack.act != c->text.stack.act)
        mo_jsonw_kstring(&w, "vision_activation", mo_config_activation_name(c->vit.stack.act));
    mo_jsonw_kfloat(&w, "logit_scale", encoder->logit_scale);
    if (c->logit_bias) mo_jsonw_kfloat(&w, "logit_bias", encoder->logit_bias);
    mo_jsonw_kfloat(&w, "recommended_lr", encoder->recommended_lr);
    mo_jsonw_kint(&w, "parameters", (int64_t)mo_weights_parameters(encoder->weights));
    mo_jsonw_kint(&w, "weight_bytes", (int64_t)mo_weights_bytes(encoder->weights));
    write_types(encoder->weights, &w);
    write_panels(encoder, &w);
    write_extra(encoder->weights, &w);
    mo_jsonw_key(&w, "config");
    mo_config_json_write(c, &w);
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    if (st == MOPD_OK) *json = mo_buf_take(&buf);
    mo_buf_free(&buf);
    return st;
}

static void write_tensors(const mo_tensors *file, mo_jsonw *w)
{
    mo_jsonw_key(w, "tensors");
    mo_jsonw_object(w);
    for (size_t i = 0; i < mo_tensors_count(file); i++) {
        const mo_view *v = mo_tensors_view(file, i);
        mo_jsonw_key(w, mo_tensors_name(file, i));
        mo_jsonw_object(w);
        mo_jsonw_kstring(w, "type", mo_dtype_name(v->dtype));
        mo_jsonw_key(w, "shape");
        mo_jsonw_array(w);
        for (int d = 0; d < v->n_dims; d++) mo_jsonw_uint(w, v->shape[d]);
        mo_jsonw_end(w);
        mo_jsonw_end(w);
    }
    mo_jsonw_end(w);
}

/* A value that is JSON (a number, a list, an object) goes in as such, a long list as its length, the
 * rest as text. */
static mopd_status write_value(mo_jsonw *w, const char *text)
{
    mo_buf list = {0};
    const mo_json *root = NULL;
    mopd_status st = mo_buf_addf(&list, "[%s]", text);
    if (st == MOPD_OK) st = mo_json_parse(&root, list.data, list.size, "metadata");
    const mo_json *value = mo_json_count(root) == 1 ? mo_json_item(root, 0) : NULL;
    mo_json_type kind = mo_json_kind(value);
    if (st == MOPD_OK && kind == MO_JSON_ARRAY && mo_json_count(value) > LONG_LIST)
        mo_jsonw_uint(w, mo_json_count(value));
    else if (st == MOPD_OK && kind != MO_JSON_NONE && kind != MO_JSON_STRING)
        mo_jsonw_raw(w, text);
    else
        mo_jsonw_string(w, text);
    mo_json_close(root);
    mo_buf_free(&list);
    return st == MOPD_E_NOMEM || st == MOPD_E_CANCELLED ? st : MOPD_OK;
}

/* How the pictures of a store or a recogniser were read, in the words of the command's options.  Their metadata say only
 * what is not the oldest way. */
static void write_reading(mo_jsonw *w, const mo_tensors *file, const char *kind)
{
    const bool store = !strcmp(kind, "store");
    if (!store && strcmp(kind, "recognizer") != 0) return;
    const char *orientation = mo_tensors_meta(file, store ? "orientation" : "mopd.orientation");
    const char *grey16 = mo_tensors_meta(file, store ? "grey16" : "mopd.grey16");
    mo_jsonw_kstring(w, "orientation", orientation ? orientation : "ignore");
    mo_jsonw_kstring(w, "grey16", !grey16 ? "cut" : !strcmp(grey16, "scaled") ? "scale" : grey16);
}

static bool is_told(const char *name)
{
    static const char *const told[] = {"kind", "path", "bytes", "tensors", "orientation", "grey16"};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (!strcmp(name, told[i])) return true;
    return false;
}

static mopd_status describe_file(const mo_tensors *file, const char *path, char **json)
{
    mo_buf buf = {0};
    mo_jsonw w;
    mopd_status st = MOPD_OK;
    mo_jsonw_init(&w, &buf);
    mo_jsonw_object(&w);
    mo_jsonw_kstring(&w, "kind", mo_tensors_meta(file, MO_PACKED_KIND));
    mo_jsonw_kstring(&w, "path", path);
    mo_jsonw_kint(&w, "bytes", (int64_t)mo_tensors_file_bytes(file));
    write_reading(&w, file, mo_tensors_meta(file, MO_PACKED_KIND));
    for (size_t i = 0; i < mo_tensors_n_meta(file) && st == MOPD_OK; i++) {
        const char *key = mo_tensors_meta_key(file, i), *name = strncmp(key, "mopd.", 5) ? key : key + 5;
        if (is_told(name)) continue;
        mo_jsonw_key(&w, name);
        st = write_value(&w, mo_tensors_meta_value(file, i));
    }
    write_tensors(file, &w);
    mo_jsonw_end(&w);
    mopd_status end = mo_jsonw_done(&w);
    if (st == MOPD_OK) st = end;
    if (st == MOPD_OK) *json = mo_buf_take(&buf);
    mo_buf_free(&buf);
    return st;
}

static mopd_status describe_model(const char *path, char **json)
{
    mopd_encoder *e;
    const mopd_encoder_options options = {.struct_size = sizeof options, .n_threads = 1};
    mopd_status st = mo_encoder_open(&e, path, &options);
    if (st != MOPD_OK) return st;
    st = mo_describe_encoder(e, json);
    mo_encoder_close(e);
    return st;
}

mopd_status mo_describe_file(const char *path, char **json)
{
    const mo_layout *layout;
    mo_tensors *file;
    if (!path || mo_file_is_dir(path)) return describe_model(path, json);
    mopd_status st = mo_layouts_find(&layout, path);
    if (st != MOPD_OK) return st;
    if (layout != &mo_layout_packed) return describe_model(path, json);
    if ((st = mo_safetensors_open(&file, path, false)) != MOPD_OK) return st;
    const char *what = mo_tensors_meta(file, MO_PACKED_KIND);
    if (!what)
        st = mo_packed_not_ours(file, path);
    else if (strcmp(what, "model") != 0)
        st = describe_file(file, path, json);
    else
        st = describe_model(path, json);
    mo_tensors_close(file);
    return st;
}
