/* SPDX-License-Identifier: MIT
 * fastvit_pack.c - a FastViT's branches merged into the layers that are run.
 *
 *     mixer       y = x + gamma (mixer(x) - norm(x))       one depthwise 3 x 3
 *     MLP         y = x + gamma fc2(gelu(fc1(7x7(x))))     gamma goes into fc2, a norm into the 7 x 7
 *     attention   y = x + gamma proj(attend(qkv(norm x)))  gamma goes into proj, a batch norm into qkv
 *     position    y = x + 7x7(x)                           one depthwise 7 x 7 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "clip/fastvit_inner.h"
#include "clip/merge.h"
#include "clip/tower.h"

typedef char name_text[MO_PARAM_NAME];

/* A layer in the making: its parameters' names begin with a prefix, the first failure is kept. */
typedef struct making {
    const mo_fastvit *v;
    const char *prefix;
    mo_merge merge;
    mopd_status st;
} making;

static making begin(const mo_fastvit *v, const char *prefix, const size_t shape[3])
{
    making m = {.v = v, .prefix = prefix};
    m.st = mo_merge_begin(&m.merge, v->frame.weights, v->config.eps, shape);
    return m;
}

static const char *name_of(name_text out, const making *m, const char *name)
{
    snprintf(out, sizeof(name_text), "%s%s", m->prefix, name);
    return out;
}

static void branch(making *m, const char *name)
{
    name_text full;
    if (m->st == MOPD_OK) m->st = mo_merge_branch(&m->merge, name_of(full, m, name));
}

static void layer(making *m, const char *name, bool bias)
{
    name_text full;
    if (m->st == MOPD_OK) m->st = mo_merge_layer(&m->merge, name_of(full, m, name), bias);
}

static void norm(making *m, const char *name, float times)
{
    name_text full;
    if (m->st == MOPD_OK) m->st = mo_merge_norm(&m->merge, name_of(full, m, name), times);
}

static void scale(making *m, const char *name)
{
    name_text full;
    if (m->st == MOPD_OK) m->st = mo_merge_scale(&m->merge, name_of(full, m, name));
}

static void through(making *m)
{
    if (m->st == MOPD_OK) mo_merge_through(&m->merge);
}

static mopd_status end_linear(mo_linear *out, making *m)
{
    if (m->st == MOPD_OK) m->st = mo_merge_linear(out, &m->merge, m->v->frame.precision);
    mo_merge_end(&m->merge);
    return m->st;
}

static mopd_status end_depthwise(mo_depthwise *out, making *m, size_t stride, mo_act act)
{
    if (m->st == MOPD_OK) m->st = mo_merge_depthwise(out, &m->merge, stride, act);
    mo_merge_end(&m->merge);
    return m->st;
}

static mopd_status pack_stem(mo_fastvit_packs *p, const mo_fastvit *v)
{
    const bool scales = mo_config_fastvit_traits(v->config.form)->stem_scale;
    const size_t n = v->config.width[0];
    p->stem = (mo_stem){.planes = 3, .kernel = 3, .stride = 2, .centred = true, .act = MO_ACT_GELU};
    making m = begin(v, "fastvit.stem.", (size_t[3]){n, 3, 3});
    branch(&m, "0.conv_kxk.0");
    if (scales) branch(&m, "0.conv_scale");
    mopd_status st = end_linear(&p->stem.linear, &m);
    if (st != MOPD_OK) return st;
    m = begin(v, "fastvit.stem.", (size_t[3]){n, 1, 3});
    branch(&m, "1.conv_kxk.0");
    if (scales) branch(&m, "1.conv_scale");
    if ((st = end_depthwise(&p->stem_depth, &m, 2, MO_ACT_GELU)) != MOPD_OK) return st;
    m = begin(v, "fastvit.stem.", (size_t[3]){n, n, 1});
    branch(&m, "2.conv_kxk.0");
    norm(&m, "2.identity", 1);
    return end_linear(&p->stem_mix, &m);
}

/* Its products stay floats: they are small. */
static mopd_status pack_squeeze(mo_squeeze *out, const mo_fastvit *v, const char *prefix)
{
    char name[MO_PARAM_NAME];
    snprintf(name, sizeof name, "%sse.fc1", prefix);
    mopd_status st = mo_tower_linear(&out->reduce, v->frame.weights, name, true, false);
    snprintf(name, sizeof name, "%sse.fc2", prefix);
    return st == MOPD_OK ? mo_tower_linear(&out->expand, v->frame.weights, name, true, false) : st;
}

/* Where stage s begins.  The activation follows the squeeze. */
static mopd_status pack_shrink(mo_fastvit_stage *out, const mo_fastvit *v, size_t s)
{
    const size_t n = v->config.width[s];
    const bool squeezes = mo_config_fastvit_traits(v->config.form)->squeeze && s >= 2;
    char prefix[48];
    snprintf(prefix, sizeof prefix, "fastvit.stages.%zu.downsample.proj.0.", s);
    making m = begin(v, prefix, (size_t[3]){n, 1, 7});
    branch(&m, "large_conv");
    branch(&m, "small_conv");
    mopd_status st = end_depthwise(&out->shrink, &m, 2, squeezes ? MO_ACT_NONE : MO_ACT_GELU);
    if (st == MOPD_OK && squeezes) st = pack_squeeze(&out->squeeze, v, prefix);
    if (st != MOPD_OK) return st;
    snprintf(prefix, sizeof prefix, "fastvit.stages.%zu.downsample.proj.1.", s);
    m = begin(v, prefix, (size_t[3]){n, n, 1});
    branch(&m, "conv_kxk.0");
    norm(&m, "identity", 1);
    return end_linear(&out->widen, &m);
}

static mopd_status pack_position(mo_fastvit_stage *out, const mo_fastvit *v, size_t s)
{
    char prefix[48];
    snprintf(prefix, sizeof prefix, "fastvit.stages.%zu.", s);
    making m = begin(v, prefix, (size_t[3]){v->config.width[s], 1, 7});
    layer(&m, "pos_emb.pos_enc", true);
    through(&m);
    return end_depthwise(&out->position, &m, 1, MO_ACT_NONE);
}

static mopd_status pack_mixer(mo_fastvit_block *b, const mo_fastvit *v, const char *prefix, size_t n)
{
    making m = begin(v, prefix, (size_t[3]){n, 1, 3});
    branch(&m, "token_mixer.mixer.conv_kxk.0");
    branch(&m, "token_mixer.mixer.conv_scale");
    norm(&m, "token_mixer.mixer.identity", 1);
    norm(&m, "token_mixer.norm.identity", -1);
    scale(&m, "token_mixer.layer_scale.gamma");
    through(&m);
    return end_depthwise(&b->mixer, &m, 1, MO_ACT_NONE);
}

static mopd_status pack_attention(mo_fastvit_block *b, const mo_fastvit *v, const char *prefix, size_t n)
{
    name_text name;
    making m = begin(v, prefix, (size_t[3]){3 * n, n, 1});
    layer(&m, "token_mixer.qkv", false);
    name_of(name, &m, "norm");
    if (mo_config_fastvit_traits(v->config.form)->layer_norm) {
        if (m.st == MOPD_OK)
            m.st = mo_tower_norm(&b->norm_floats, &b->norm, v->frame.weights, name, (float)v->config.eps);
    } else if (m.st == MOPD_OK) {
        m.st = mo_merge_after_norm(&m.merge, name);
    }
    mopd_status st = end_linear(&b->qkv, &m);
    if (st != MOPD_OK) return st;
    m = begin(v, prefix, (size_t[3]){n, n, 1});
    layer(&m, "token_mixer.proj", true);
    scale(&m, "layer_scale_1.gamma");
    return end_linear(&b->proj, &m);
}

static mopd_status pack_mlp(mo_fastvit_block *b, const mo_fastvit *v, const char *prefix, size_t s)
{
    const size_t n = v->config.width[s], hidden = n * v->config.ratio;
    making m = begin(v, prefix, (size_t[3]){n, 1, 7});
    branch(&m, "mlp.conv");
    mopd_status st = end_depthwise(&b->depth, &m, 1, MO_ACT_NONE);
    if (st != MOPD_OK) return st;
    m = begin(v, prefix, (size_t[3]){hidden, n, 1});
    layer(&m, "mlp.fc1", true);
    if ((st = end_linear(&b->fc1, &m)) != MOPD_OK) return st;
    m = begin(v, prefix, (size_t[3]){n, hidden, 1});
    layer(&m, "mlp.fc2", true);
    scale(&m, s >= MO_FASTVIT_MIXING ? "layer_scale_2.gamma" : "layer_scale.gamma");
    return end_linear(&b->fc2, &m);
}

static mopd_status pack_block(mo_fastvit_block *b, const mo_fastvit *v, size_t s, size_t i)
{
    const size_t n = v->config.width[s];
    char prefix[48];
    snprintf(prefix, sizeof prefix, "fastvit.stages.%zu.blocks.%zu.", s, i);
    mopd_status st = s >= MO_FASTVIT_MIXING ? pack_attention(b, v, prefix, n) : pack_mixer(b, v, prefix, n);
    return st == MOPD_OK ? pack_mlp(b, v, prefix, s) : st;
}

static mopd_status pack_stage(mo_fastvit_stage *out, const mo_fastvit *v, size_t s)
{
    const size_t layers = v->config.layers[s];
    mopd_status st = MOPD_OK;
    out->block = mo_mem_calloc(layers, sizeof *out->block);
    if (!out->block) return MOPD_E_NOMEM;
    if (s) st = pack_shrink(out, v, s);
    if (s >= MO_FASTVIT_MIXING && st == MOPD_OK) st = pack_position(out, v, s);
    for (size_t i = 0; i < layers && st == MOPD_OK; i++) st = pack_block(&out->block[i], v, s, i);
    return st;
}

static mopd_status pack_end(mo_fastvit_packs *p, const mo_fastvit *v)
{
    const char *const prefix = "fastvit.final_conv.";
    making m = begin(v, prefix, (size_t[3]){2 * (size_t)v->config.width[v->config.n_stages - 1], 1, 3});
    branch(&m, "conv_kxk.0");
    branch(&m, "conv_scale");
    mopd_status st = end_depthwise(&p->last, &m, 1, MO_ACT_NONE);
    if (st == MOPD_OK) st = pack_squeeze(&p->squeeze, v, prefix);
    return st == MOPD_OK
               ? mo_tower_linear(&p->head, v->frame.weights, "fastvit.head.fc", true, v->frame.precision)
               : st;
}

mopd_status mo_fastvit_pack(const void *tower)
{
    const mo_fastvit *v = tower;
    mo_fastvit_packs *p = v->frame.packs;
    mopd_status st = pack_stem(p, v);
    for (size_t s = 0; s < v->config.n_stages && st == MOPD_OK; s++) st = pack_stage(&p->stage[s], v, s);
    return st == MOPD_OK ? pack_end(p, v) : st;
}

static void free_block(mo_fastvit_block *b)
{
    mo_depthwise_free(&b->mixer);
    mo_mem_free(b->norm_floats);
    mo_linear_free(&b->qkv);
    mo_linear_free(&b->proj);
    mo_depthwise_free(&b->depth);
    mo_linear_free(&b->fc1);
    mo_linear_free(&b->fc2);
}

static void free_stage(mo_fastvit_stage *s, size_t layers)
{
    for (size_t i = 0; s->block && i < layers; i++) free_block(&s->block[i]);
    mo_mem_free(s->block);
    s->block = NULL;
    mo_depthwise_free(&s->shrink);
    mo_squeeze_free(&s->squeeze);
    mo_linear_free(&s->widen);
    mo_depthwise_free(&s->position);
}

void mo_fastvit_unpack(const void *tower)
{
    const mo_fastvit *v = tower;
    mo_fastvit_packs *p = v->frame.packs;
    for (size_t s = 0; s < v->config.n_stages; s++) free_stage(&p->stage[s], v->config.layers[s]);
    mo_linear_free(&p->stem.linear);
    mo_depthwise_free(&p->stem_depth);
    mo_linear_free(&p->stem_mix);
    mo_depthwise_free(&p->last);
    mo_squeeze_free(&p->squeeze);
    mo_linear_free(&p->head);
}
