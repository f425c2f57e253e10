/* SPDX-License-Identifier: MIT
 * config_json.c - the configuration in our own words, written and read back by the same tables. */
#include "model/config_json.h"

#include <string.h>

#define MAX_CHANNELS 65536 /* of a block of an EfficientNet */

static void write_stack(const mo_stack_config *s, mo_jsonw *w)
{
    mo_jsonw_kint(w, "width", s->width);
    mo_jsonw_kint(w, "layers", s->layers);
    mo_jsonw_kint(w, "heads", s->heads);
    mo_jsonw_kint(w, "hidden", s->hidden);
    mo_jsonw_kstring(w, "activation", mo_config_activation_name(s->act));
    mo_jsonw_kdouble(w, "norm_eps", s->eps);
}

static void write_effnet(const mo_effnet_config *e, mo_jsonw *w)
{
    mo_jsonw_kint(w, "stem", e->stem);
    mo_jsonw_kint(w, "features", e->features);
    mo_jsonw_kint(w, "classes", e->classes);
    mo_jsonw_kdouble(w, "norm_eps", e->eps);
    mo_jsonw_key(w, "blocks");
    mo_jsonw_array(w);
    for (uint32_t i = 0; i < e->n_blocks; i++) {
        const mo_effnet_block *b = &e->block[i];
        const uint32_t row[] = {b->in, b->expand, b->out, b->kernel, b->stride};
        mo_jsonw_array(w);
        for (int j = 0; j < 5; j++) mo_jsonw_int(w, row[j]);
        mo_jsonw_end(w);
    }
    mo_jsonw_end(w);
}

static void write_resnet(const mo_resnet_config *r, mo_jsonw *w)
{
    mo_jsonw_kint(w, "width", r->width);
    mo_jsonw_key(w, "layers");
    mo_jsonw_array(w);
    for (int i = 0; i < MO_RESNET_STAGES; i++) mo_jsonw_int(w, r->layers[i]);
    mo_jsonw_end(w);
    mo_jsonw_kint(w, "heads", r->heads);
    mo_jsonw_kdouble(w, "norm_eps", r->eps);
}

static void write_fastvit(const mo_fastvit_config *f, mo_jsonw *w)
{
    mo_jsonw_kstring(w, "form", mo_config_fastvit_traits(f->form)->word);
    mo_jsonw_key(w, "stages");
    mo_jsonw_array(w);
    for (uint32_t i = 0; i < f->n_stages; i++) {
        mo_jsonw_array(w);
        mo_jsonw_int(w, f->layers[i]);
        mo_jsonw_int(w, f->width[i]);
        mo_jsonw_end(w);
    }
    mo_jsonw_end(w);
    mo_jsonw_kint(w, "mlp_ratio", f->ratio);
    mo_jsonw_kdouble(w, "norm_eps", f->eps);
}

static const char *const fits[] = {"none", "shortest", "exact", "longest", "cover"};
static const char *const filters[] = {"nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"};
static const char *const centres[] = {"floor", "round"};
static const char *const alphas[] = {"white", "drop"};
static const char *const ends[] = {"largest", "first", "last"};
static const char *const masks[] = {"causal", "none"};

static void write_triple(mo_jsonw *w, const char *key, const double x[3])
{
    mo_jsonw_key(w, key);
    mo_jsonw_array(w);
    for (int i = 0; i < 3; i++) mo_jsonw_double(w, x[i]);
    mo_jsonw_end(w);
}

static void write_pixels(const mo_pixels *p, mo_jsonw *w)
{
    mo_jsonw_kstring(w, "resize", fits[p->fit]);
    mo_jsonw_kint(w, "resize_height", p->resize_h);
    mo_jsonw_kint(w, "resize_width", p->resize_w);
    mo_jsonw_kstring(w, "filter", filters[p->filter]);
    mo_jsonw_kint(w, "crop_height", p->crop_h);
    mo_jsonw_kint(w, "crop_width", p->crop_w);
    mo_jsonw_kstring(w, "centre", centres[p->centre]);
    mo_jsonw_kint(w, "fill", p->fill);
    mo_jsonw_kstring(w, "alpha", alphas[p->alpha]);
    mo_jsonw_kdouble(w, "rescale", p->rescale);
    mo_jsonw_kbool(w, "normalize", p->do_normalize != 0);
    write_triple(w, "mean", p->mean);
    write_triple(w, "std", p->std);
}

/* Keys of format 2 are written only where they say something: what format 1 can say stays as it was, byte for byte, so
 * that fingerprints do. */
static void write_vit(const mo_vit_config *v, mo_jsonw *w)
{
    write_stack(&v->stack, w);
    mo_jsonw_kint(w, "patch", v->patch);
    if (v->form) mo_jsonw_kstring(w, "form", mo_config_vit_traits(v->form)->word);
}

static void write_text(const mo_text_config *t, mo_jsonw *w)
{
    write_stack(&t->stack, w);
    mo_jsonw_kint(w, "context_length", t->context);
    mo_jsonw_kint(w, "vocab_size", t->vocab);
    mo_jsonw_kstring(w, "end", ends[t->end_rule]);
    if (t->end_rule == MO_END_FIRST) mo_jsonw_kint(w, "end_id", t->end_id);
    if (t->mask) mo_jsonw_kstring(w, "mask", masks[t->mask]);
    if (t->mask) mo_jsonw_kint(w, "pad_id", t->pad_id);
    if (t->proj_bias) mo_jsonw_kbool(w, "projection_bias", true);
}

static int format_of(const mo_config *c)
{
    const bool vit = c->vision_kind == MO_VISION_VIT && c->vit.form;
    const bool newer = vit || c->vision_kind == MO_VISION_FASTVIT;
    return newer || c->text.mask || c->text.proj_bias || c->logit_bias ? 2 : 1;
}

void mo_config_json_write(const mo_config *config, mo_jsonw *w)
{
    mo_jsonw_object(w);
    mo_jsonw_kint(w, "format", format_of(config));
    mo_jsonw_kint(w, "dim", config->dim);
    mo_jsonw_kint(w, "image_size", config->image);
    mo_jsonw_key(w, "vision");
    mo_jsonw_object(w);
    mo_jsonw_kstring(w, "kind", mo_config_vision_name(config->vision_kind));
    if (config->vision_kind == MO_VISION_EFFNET) {
        write_effnet(&config->effnet, w);
    } else if (config->vision_kind == MO_VISION_RESNET) {
        write_resnet(&config->resnet, w);
    } else if (config->vision_kind == MO_VISION_FASTVIT) {
        write_fastvit(&config->fastvit, w);
    } else {
        write_vit(&config->vit, w);
    }
    mo_jsonw_end(w);
    mo_jsonw_key(w, "text");
    mo_jsonw_object(w);
    write_text(&config->text, w);
    mo_jsonw_end(w);
    if (config->logit_bias) mo_jsonw_kbool(w, "logit_bias", true);
    mo_jsonw_key(w, "preprocess");
    mo_jsonw_object(w);
    write_pixels(&config->pixels, w);
    mo_jsonw_end(w);
    mo_jsonw_end(w);
}

/* Reading the same back. */

typedef struct reader {
    const char *path;
    mopd_status st; /* the first failure */
} reader;

static uint32_t read_int(reader *r, const mo_json *o, const char *key)
{
    int64_t x = 0;
    if (r->st == MOPD_OK) r->st = mo_json_need_int(o, key, r->path, &x);
    if (r->st == MOPD_OK && (x < 0 || x > INT32_MAX))
        r->st = mo_fail(MOPD_E_FORMAT, "%s: %s is %lld", r->path, key, (long long)x);
    return r->st == MOPD_OK ? (uint32_t)x : 0;
}

static double read_number(reader *r, const mo_json *o, const char *key)
{
    double x = 0;
    if (r->st == MOPD_OK) r->st = mo_json_need_number(o, key, r->path, &x);
    return x;
}

static uint32_t read_word(reader *r, const mo_json *o, const char *key, const char *const *words, size_t n)
{
    const char *word = "";
    if (r->st == MOPD_OK) r->st = mo_json_need_string(o, key, r->path, &word);
    if (r->st != MOPD_OK) return 0;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(word, words[i])) return (uint32_t)i;
    r->st = mo_fail(MOPD_E_UNSUPPORTED, "%s: %s is \"%s\", unknown here", r->path, key, word);
    return 0;
}

static void read_triple(reader *r, const mo_json *o, const char *key, double x[3])
{
    const mo_json *a = mo_json_get(o, key);
    if (r->st != MOPD_OK) return;
    for (size_t i = 0; i < 3; i++)
        if (mo_json_count(a) != 3 || !mo_json_as_number(mo_json_item(a, i), &x[i])) {
            r->st = mo_fail(MOPD_E_FORMAT, "%s: %s: three numbers expected", r->path, key);
            return;
        }
}

static mo_act read_activation(reader *r, const mo_json *o)
{
    const char *word = "";
    mo_act act = MO_ACT_NONE;
    if (r->st == MOPD_OK) r->st = mo_json_need_string(o, "activation", r->path, &word);
    if (r->st == MOPD_OK && !mo_config_activation_find(&act, word))
        r->st = mo_fail(MOPD_E_UNSUPPORTED, "%s: activation is \"%s\", unknown here", r->path, word);
    return act;
}

static void read_stack(reader *r, const mo_json *o, mo_stack_config *s)
{
    s->width = read_int(r, o, "width");
    s->layers = read_int(r, o, "layers");
    s->heads = read_int(r, o, "heads");
    s->hidden = read_int(r, o, "hidden");
    s->act = read_activation(r, o);
    s->eps = read_number(r, o, "norm_eps");
}

static void read_effnet(reader *r, const mo_json *o, mo_effnet_config *e)
{
    e->stem = read_int(r, o, "stem");
    e->features = read_int(r, o, "features");
    e->classes = read_int(r, o, "classes");
    e->eps = read_number(r, o, "norm_eps");
    const mo_json *blocks = mo_json_get(o, "blocks");
    size_t n = mo_json_count(blocks);
    if (r->st == MOPD_OK && (n == 0 || n > MO_EFFNET_MAX_BLOCKS))
        r->st = mo_fail(MOPD_E_FORMAT, "%s: blocks: %zu of them", r->path, n);
    for (size_t i = 0; i < n && r->st == MOPD_OK; i++) {
        int64_t x[5] = {0};
        for (size_t j = 0; j < 5; j++)
            if (!mo_json_as_int(mo_json_item(mo_json_item(blocks, i), j), &x[j]) || x[j] < 1 ||
                x[j] > (int64_t)MAX_CHANNELS)
                r->st = mo_fail(MOPD_E_FORMAT, "%s: blocks: item %zu is not five sizes", r->path, i);
        e->block[i] =
            (mo_effnet_block){(uint32_t)x[0], (uint32_t)x[1], (uint32_t)x[2], (uint32_t)x[3], (uint32_t)x[4]};
    }
    e->n_blocks = (uint32_t)n;
}

static void read_resnet(reader *r, const mo_json *o, mo_resnet_config *c)
{
    c->width = read_int(r, o, "width");
    c->heads = read_int(r, o, "heads");
    c->eps = read_number(r, o, "norm_eps");
    const mo_json *layers = mo_json_get(o, "layers");
    for (size_t i = 0; i < MO_RESNET_STAGES && r->st == MOPD_OK; i++) {
        int64_t x = 0;
        if (mo_json_count(layers) != MO_RESNET_STAGES || !mo_json_as_int(mo_json_item(layers, i), &x) ||
            x < 1 || x > INT32_MAX)
            r->st = mo_fail(MOPD_E_FORMAT, "%s: layers: four counts expected", r->path);
        c->layers[i] = (uint32_t)x;
    }
}

static void read_fastvit(reader *r, const mo_json *o, mo_fastvit_config *f)
{
    const char *forms[MO_FASTVIT_FORMS];
    for (uint32_t i = 0; i < MO_FASTVIT_FORMS; i++) forms[i] = mo_config_fastvit_traits(i)->word;
    const mo_json *stages = mo_json_get(o, "stages");
    const size_t n = mo_json_count(stages);
    f->form = read_word(r, o, "form", forms, MO_FASTVIT_FORMS);
    f->ratio = read_int(r, o, "mlp_ratio");
    f->eps = read_number(r, o, "norm_eps");
    if (r->st == MOPD_OK && n > MO_FASTVIT_STAGES)
        r->st = mo_fail(MOPD_E_FORMAT, "%s: stages: %zu of them", r->path, n);
    for (size_t i = 0; i < n && r->st == MOPD_OK; i++) {
        int64_t x[2] = {0};
        for (size_t j = 0; j < 2; j++)
            if (!mo_json_as_int(mo_json_item(mo_json_item(stages, i), j), &x[j]) || x[j] < 1 ||
                x[j] > (int64_t)MAX_CHANNELS)
                r->st = mo_fail(MOPD_E_FORMAT, "%s: stages: item %zu is not two sizes", r->path, i);
        f->layers[i] = (uint32_t)x[0];
        f->width[i] = (uint32_t)x[1];
    }
    f->n_stages = (uint32_t)n;
}

static void read_pixels(reader *r, const mo_json *o, mo_pixels *p)
{
    p->fit = read_word(r, o, "resize", fits, 5);
    p->resize_h = read_int(r, o, "resize_height");
    p->resize_w = read_int(r, o, "resize_width");
    p->filter = read_word(r, o, "filter", filters, 6);
    p->crop_h = read_int(r, o, "crop_height");
    p->crop_w = read_int(r, o, "crop_width");
    p->centre = read_word(r, o, "centre", centres, 2);
    p->fill = read_int(r, o, "fill");
    p->alpha = read_word(r, o, "alpha", alphas, 2);
    p->rescale = read_number(r, o, "rescale");
    bool normalize = true;
    if (r->st == MOPD_OK) r->st = mo_json_need_bool(o, "normalize", r->path, &normalize);
    p->do_normalize = normalize;
    read_triple(r, o, "mean", p->mean);
    read_triple(r, o, "std", p->std);
}

/* A word that may be missing: the first of the list then. */
static uint32_t may_word(reader *r, const mo_json *o, const char *key, const char *const *words, size_t n)
{
    return mo_json_get(o, key) ? read_word(r, o, key, words, n) : 0;
}

static bool may_bool(reader *r, const mo_json *o, const char *key)
{
    bool x = false;
    if (r->st == MOPD_OK) r->st = mo_json_may_bool(o, key, r->path, &x);
    return x;
}

static void read_vit(reader *r, const mo_json *o, mo_vit_config *v)
{
    const char *forms[MO_VIT_FORMS];
    for (uint32_t i = 0; i < MO_VIT_FORMS; i++) forms[i] = mo_config_vit_traits(i)->word;
    read_stack(r, o, &v->stack);
    v->patch = read_int(r, o, "patch");
    v->form = may_word(r, o, "form", forms, MO_VIT_FORMS);
}

static void read_text(reader *r, const mo_json *o, mo_text_config *t)
{
    read_stack(r, o, &t->stack);
    t->context = read_int(r, o, "context_length");
    t->vocab = read_int(r, o, "vocab_size");
    t->end_rule = read_word(r, o, "end", ends, 3);
    if (t->end_rule == MO_END_FIRST) t->end_id = read_int(r, o, "end_id");
    t->mask = may_word(r, o, "mask", masks, 2);
    if (t->mask) t->pad_id = read_int(r, o, "pad_id");
    t->proj_bias = may_bool(r, o, "projection_bias");
}

mopd_status mo_config_json_read(mo_config *config, const mo_json *root, const char *path)
{
    reader r = {path, MOPD_OK};
    memset(config, 0, sizeof *config);
    uint32_t format = read_int(&r, root, "format");
    if (r.st == MOPD_OK && (format < 1 || format > 2))
        return mo_fail(MOPD_E_VERSION, "%s: model format %u; this library reads 1 and 2", path, format);
    config->dim = read_int(&r, root, "dim");
    config->image = read_int(&r, root, "image_size");
    const char *kinds[MO_VISION_KINDS];
    for (uint32_t i = 0; i < MO_VISION_KINDS; i++) kinds[i] = mo_config_vision_name(i);
    const mo_json *vision = mo_json_get(root, "vision"), *text = mo_json_get(root, "text");
    config->vision_kind = read_word(&r, vision, "kind", kinds, MO_VISION_KINDS);
    if (config->vision_kind == MO_VISION_EFFNET) {
        read_effnet(&r, vision, &config->effnet);
    } else if (config->vision_kind == MO_VISION_RESNET) {
        read_resnet(&r, vision, &config->resnet);
    } else if (config->vision_kind == MO_VISION_FASTVIT) {
        read_fastvit(&r, vision, &config->fastvit);
    } else {
        read_vit(&r, vision, &config->vit);
    }
    read_text(&r, text, &config->text);
    config->logit_bias = may_bool(&r, root, "logit_bias");
    read_pixels(&r, mo_json_get(root, "preprocess"), &config->pixels);
    return r.st;
}
