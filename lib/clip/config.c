/* SPDX-License-Identifier: MIT
 * config.c - what all layouts share: checks, activations, and our own JSON of a configuration. */
#include "clip/config.h"

#include <string.h>

#define MAX_WIDTH 65536u
#define MAX_LAYERS 1024u
#define MAX_SIDE 8192u
#define MAX_CONTEXT 65536u
#define MAX_VOCAB (1u << 28)

mopd_status mo_config_read_u32(
    const mo_json *o, const char *key, const char *path, uint32_t standard, uint32_t *out)
{
    size_t x = standard;
    mopd_status st = mo_json_may_size(o, key, path, &x);
    *out = (uint32_t)x; /* at most 2^31 - 1 */
    return st;
}

mopd_status mo_config_read_side(
    const mo_json *o, const char *key, const char *path, uint32_t standard, uint32_t *out)
{
    const mo_json *v = mo_json_get(o, key);
    if (mo_json_kind(v) != MO_JSON_ARRAY) return mo_config_read_u32(o, key, path, standard, out);
    int64_t a = 0, b = 0;
    if (mo_json_count(v) != 2 || !mo_json_as_int(mo_json_item(v, 0), &a) ||
        !mo_json_as_int(mo_json_item(v, 1), &b) || a < 1 || a > INT32_MAX)
        return mo_fail(MOPD_E_FORMAT, "%s: %s: a side or two expected", path, key);
    if (a != b) return mo_fail(MOPD_E_UNSUPPORTED, "%s: %s is not square", path, key);
    *out = (uint32_t)a;
    return MOPD_OK;
}

mopd_status mo_config_activation(mo_act *act, const char *word, const char *path, const char *key)
{
    if (!strcmp(word, "quick_gelu"))
        *act = MO_ACT_QUICK_GELU;
    else if (!strcmp(word, "gelu"))
        *act = MO_ACT_GELU;
    else
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: %s is \"%s\"; quick_gelu and gelu are known", path, key, word);
    return MOPD_OK;
}

const char *mo_config_activation_name(mo_act act)
{
    return act == MO_ACT_GELU ? "gelu" : "quick_gelu";
}

size_t mo_config_vit_rows(const mo_config *config)
{
    size_t grid = config->image / config->vit.patch;
    return grid * grid + 1;
}

static mopd_status check_stack(const mo_stack_config *s, const char *tower, const char *path)
{
    if (!s->width || s->width > MAX_WIDTH || !s->hidden || s->hidden > 16 * MAX_WIDTH)
        return mo_fail(
            MOPD_E_FORMAT, "%s: %s tower of width %u and MLP width %u", path, tower, s->width, s->hidden);
    if (!s->layers || s->layers > MAX_LAYERS)
        return mo_fail(MOPD_E_FORMAT, "%s: %s tower of %u layers", path, tower, s->layers);
    if (!s->heads || s->width % s->heads)
        return mo_fail(MOPD_E_FORMAT, "%s: %s tower of width %u cannot be split into %u heads", path, tower,
            s->width, s->heads);
    if (!(s->eps >= 0 && s->eps < 1))
        return mo_fail(MOPD_E_FORMAT, "%s: %s tower: layer norm epsilon is %g", path, tower, s->eps);
    return MOPD_OK;
}

static mopd_status check_effnet(const mo_effnet_config *e, const char *path)
{
    if (!e->n_blocks || e->n_blocks > MO_EFFNET_MAX_BLOCKS || !e->stem || !e->features || !e->classes)
        return mo_fail(MOPD_E_FORMAT, "%s: EfficientNet of %u blocks, %u to %u channels, %u classes", path,
            e->n_blocks, e->stem, e->features, e->classes);
    uint32_t in = e->stem;
    for (uint32_t i = 0; i < e->n_blocks; i++) {
        const mo_effnet_block *b = &e->block[i];
        if (b->in != in || !b->out || !b->expand || b->expand > MAX_WIDTH || b->out > MAX_WIDTH ||
            (b->kernel != 3 && b->kernel != 5) || b->stride < 1 || b->stride > 2)
            return mo_fail(MOPD_E_FORMAT,
                "%s: EfficientNet block %u: %u to %u to %u channels after %u, kernel %u, stride %u", path, i,
                b->in, b->expand, b->out, in, b->kernel, b->stride);
        in = b->out;
    }
    return MOPD_OK;
}

mopd_status mo_config_check(const mo_config *config, const char *path)
{
    const mo_text_config *t = &config->text;
    mopd_status st = check_stack(&t->stack, "text", path);
    if (st != MOPD_OK) return st;
    if (t->context < 2 || t->context > MAX_CONTEXT || t->vocab < 2 || t->vocab > MAX_VOCAB)
        return mo_fail(MOPD_E_FORMAT, "%s: %u positions, vocabulary of %u", path, t->context, t->vocab);
    if (!config->dim || config->dim > MAX_WIDTH)
        return mo_fail(MOPD_E_FORMAT, "%s: features of width %u", path, config->dim);
    if (!config->image || config->image > MAX_SIDE)
        return mo_fail(MOPD_E_FORMAT, "%s: pictures of side %u", path, config->image);
    if (config->vision_kind == MO_VISION_EFFNET) {
        if ((st = check_effnet(&config->effnet, path)) != MOPD_OK) return st;
    } else {
        if ((st = check_stack(&config->vit.stack, "vision", path)) != MOPD_OK) return st;
        if (!config->vit.patch || config->image % config->vit.patch)
            return mo_fail(MOPD_E_UNSUPPORTED, "%s: a side of %u pixels is no multiple of the patch, %u",
                path, config->image, config->vit.patch);
    }
    if ((st = mo_pixels_check(&config->pixels)) != MOPD_OK) return mo_fail_at(st, "%s", path);
    size_t height, width;
    if (!mo_pixels_size(&config->pixels, &height, &width))
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: the preprocessing neither crops nor resizes to a fixed size", path);
    if (height != config->image || width != config->image)
        return mo_fail(MOPD_E_MISMATCH,
            "%s: the preprocessing makes %zu x %zu pixels, the vision tower sees %u x %u", path, height,
            width, config->image, config->image);
    return MOPD_OK;
}

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

static const char *const fits[] = {"none", "shortest", "exact", "longest", "cover"};
static const char *const filters[] = {"nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"};
static const char *const centres[] = {"floor", "round"};
static const char *const alphas[] = {"white", "drop"};

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

void mo_config_write(const mo_config *config, mo_jsonw *w)
{
    const mo_text_config *t = &config->text;
    mo_jsonw_object(w);
    mo_jsonw_kint(w, "format", 1);
    mo_jsonw_kint(w, "dim", config->dim);
    mo_jsonw_kint(w, "image_size", config->image);
    mo_jsonw_key(w, "vision");
    mo_jsonw_object(w);
    mo_jsonw_kstring(w, "kind", config->vision_kind == MO_VISION_EFFNET ? "efficientnet-lite" : "vit");
    if (config->vision_kind == MO_VISION_EFFNET) {
        write_effnet(&config->effnet, w);
    } else {
        write_stack(&config->vit.stack, w);
        mo_jsonw_kint(w, "patch", config->vit.patch);
    }
    mo_jsonw_end(w);
    mo_jsonw_key(w, "text");
    mo_jsonw_object(w);
    write_stack(&t->stack, w);
    mo_jsonw_kint(w, "context_length", t->context);
    mo_jsonw_kint(w, "vocab_size", t->vocab);
    mo_jsonw_kstring(w, "end", t->end_rule == MO_END_LARGEST ? "largest" : "first");
    if (t->end_rule == MO_END_FIRST) mo_jsonw_kint(w, "end_id", t->end_id);
    mo_jsonw_end(w);
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

static void read_stack(reader *r, const mo_json *o, mo_stack_config *s)
{
    static const char *const acts[] = {"quick_gelu", "gelu"};
    s->width = read_int(r, o, "width");
    s->layers = read_int(r, o, "layers");
    s->heads = read_int(r, o, "heads");
    s->hidden = read_int(r, o, "hidden");
    s->act = read_word(r, o, "activation", acts, 2) ? MO_ACT_GELU : MO_ACT_QUICK_GELU;
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
                x[j] > (int64_t)MAX_WIDTH)
                r->st = mo_fail(MOPD_E_FORMAT, "%s: blocks: item %zu is not five sizes", r->path, i);
        e->block[i] =
            (mo_effnet_block){(uint32_t)x[0], (uint32_t)x[1], (uint32_t)x[2], (uint32_t)x[3], (uint32_t)x[4]};
    }
    e->n_blocks = (uint32_t)n;
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

mopd_status mo_config_packed(mo_config *config, const mo_json *root, const char *path)
{
    reader r = {path, MOPD_OK};
    memset(config, 0, sizeof *config);
    uint32_t format = read_int(&r, root, "format");
    if (r.st == MOPD_OK && format != 1)
        return mo_fail(MOPD_E_VERSION, "%s: model format %u; this library reads 1", path, format);
    config->dim = read_int(&r, root, "dim");
    config->image = read_int(&r, root, "image_size");
    static const char *const kinds[] = {"vit", "efficientnet-lite"}, *const ends[] = {"largest", "first"};
    const mo_json *vision = mo_json_get(root, "vision"), *text = mo_json_get(root, "text");
    config->vision_kind = read_word(&r, vision, "kind", kinds, 2);
    if (config->vision_kind == MO_VISION_EFFNET) {
        read_effnet(&r, vision, &config->effnet);
    } else {
        read_stack(&r, vision, &config->vit.stack);
        config->vit.patch = read_int(&r, vision, "patch");
    }
    read_stack(&r, text, &config->text.stack);
    config->text.context = read_int(&r, text, "context_length");
    config->text.vocab = read_int(&r, text, "vocab_size");
    config->text.end_rule = read_word(&r, text, "end", ends, 2);
    if (config->text.end_rule == MO_END_FIRST) config->text.end_id = read_int(&r, text, "end_id");
    read_pixels(&r, mo_json_get(root, "preprocess"), &config->pixels);
    return r.st;
}
