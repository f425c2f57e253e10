/* SPDX-License-Identifier: MIT
 * fastvit_params.c - names and shapes, with timm's words behind "fastvit.", in the order in which they are used. */
#include "clip/fastvit_params.h"

#include <stdio.h>
#include <string.h>

typedef struct walk {
    const mo_fastvit_config *config;
    const mo_fastvit_traits *traits;
    mo_param_fn fn;
    void *ctx;
    char prefix[48]; /* before the names of one block */
    mopd_status st;  /* the first failure */
} walk;

static void visit(walk *w, const char *name, const char *end, int n_dims, const size_t *shape)
{
    mo_param_spec s = {.n_dims = n_dims};
    if (w->st != MOPD_OK) return;
    snprintf(s.name, sizeof s.name, "fastvit.%.30s%.44s%.13s", w->prefix, name, end);
    memcpy(s.shape, shape, (size_t)n_dims * sizeof *shape);
    w->st = w->fn(w->ctx, &s);
}

static void visit_norm(walk *w, const char *name, size_t n)
{
    static const char *const ends[] = {".weight", ".bias", ".running_mean", ".running_var"};
    for (size_t i = 0; i < 4; i++) visit(w, name, ends[i], 1, &n);
}

/* A convolution [n x in x k x k] and its norm. */
static void visit_branch(walk *w, const char *name, const size_t shape[3])
{
    char part[64];
    snprintf(part, sizeof part, "%s.conv", name);
    visit(w, part, ".weight", 4, (size_t[4]){shape[0], shape[1], shape[2], shape[2]});
    snprintf(part, sizeof part, "%s.bn", name);
    visit_norm(w, part, shape[0]);
}

/* A layer with a bias: a matrix, or a convolution of k x k. */
static void visit_layer(walk *w, const char *name, int n_dims, const size_t shape[3])
{
    visit(w, name, ".weight", n_dims, (size_t[4]){shape[0], shape[1], shape[2], shape[2]});
    visit(w, name, ".bias", 1, shape);
}

static void visit_squeeze(walk *w, const char *name, size_t n, size_t reduced)
{
    char part[64];
    snprintf(part, sizeof part, "%s.fc1", name);
    visit_layer(w, part, 4, (size_t[3]){reduced, n, 1});
    snprintf(part, sizeof part, "%s.fc2", name);
    visit_layer(w, part, 4, (size_t[3]){n, reduced, 1});
}

static void visit_gamma(walk *w, const char *name, size_t n)
{
    visit(w, name, ".gamma", 3, (size_t[4]){n, 1, 1});
}

static void visit_stem(walk *w)
{
    const size_t n = w->config->width[0];
    visit_branch(w, "stem.0.conv_kxk.0", (size_t[3]){n, 3, 3});
    if (w->traits->stem_scale) visit_branch(w, "stem.0.conv_scale", (size_t[3]){n, 3, 1});
    visit_branch(w, "stem.1.conv_kxk.0", (size_t[3]){n, 1, 3});
    if (w->traits->stem_scale) visit_branch(w, "stem.1.conv_scale", (size_t[3]){n, 1, 1});
    visit_branch(w, "stem.2.conv_kxk.0", (size_t[3]){n, n, 1});
    visit_norm(w, "stem.2.identity", n);
}

static void visit_shrink(walk *w, size_t s)
{
    const size_t n = w->config->width[s];
    visit_branch(w, "downsample.proj.0.large_conv", (size_t[3]){n, 1, 7});
    visit_branch(w, "downsample.proj.0.small_conv", (size_t[3]){n, 1, 3});
    if (w->traits->squeeze && s >= 2)
        visit_squeeze(w, "downsample.proj.0.se", n, mo_config_fastvit_reduced(n));
    visit_branch(w, "downsample.proj.1.conv_kxk.0", (size_t[3]){n, n, 1});
    visit_norm(w, "downsample.proj.1.identity", n);
}

static void visit_mixer(walk *w, size_t n)
{
    visit_norm(w, "token_mixer.norm.identity", n);
    visit_branch(w, "token_mixer.mixer.conv_kxk.0", (size_t[3]){n, 1, 3});
    visit_branch(w, "token_mixer.mixer.conv_scale", (size_t[3]){n, 1, 1});
    visit_norm(w, "token_mixer.mixer.identity", n);
    visit_gamma(w, "token_mixer.layer_scale", n);
}

static void visit_attention(walk *w, size_t n)
{
    if (w->traits->layer_norm) {
        visit(w, "norm", ".weight", 1, &n);
        visit(w, "norm", ".bias", 1, &n);
    } else {
        visit_norm(w, "norm", n);
    }
    visit(w, "token_mixer.qkv", ".weight", 2, (size_t[4]){3 * n, n});
    visit_layer(w, "token_mixer.proj", 2, (size_t[3]){n, n, 1});
    visit_gamma(w, "layer_scale_1", n);
}

static void visit_block(walk *w, size_t s, size_t i)
{
    const size_t n = w->config->width[s], hidden = n * w->config->ratio;
    const bool attends = s >= MO_FASTVIT_MIXING;
    snprintf(w->prefix, sizeof w->prefix, "stages.%zu.blocks.%zu.", s, i);
    if (attends)
        visit_attention(w, n);
    else
        visit_mixer(w, n);
    visit_branch(w, "mlp.conv", (size_t[3]){n, 1, 7});
    visit_layer(w, "mlp.fc1", 4, (size_t[3]){hidden, n, 1});
    visit_layer(w, "mlp.fc2", 4, (size_t[3]){n, hidden, 1});
    visit_gamma(w, attends ? "layer_scale_2" : "layer_scale", n);
}

static void visit_stage(walk *w, size_t s)
{
    const size_t n = w->config->width[s];
    snprintf(w->prefix, sizeof w->prefix, "stages.%zu.", s);
    if (s) visit_shrink(w, s);
    if (s >= MO_FASTVIT_MIXING) visit_layer(w, "pos_emb.pos_enc", 4, (size_t[3]){n, 1, 7});
    for (size_t i = 0; i < w->config->layers[s]; i++) visit_block(w, s, i);
}

mopd_status mo_fastvit_params_each(const mo_config *config, mo_param_fn fn, void *ctx)
{
    const mo_fastvit_config *c = &config->fastvit;
    const size_t n = 2 * (size_t)c->width[c->n_stages - 1];
    walk w = {.config = c, .traits = mo_config_fastvit_traits(c->form), .fn = fn, .ctx = ctx};
    visit_stem(&w);
    for (size_t s = 0; s < c->n_stages && w.st == MOPD_OK; s++) visit_stage(&w, s);
    *w.prefix = '\0';
    visit_branch(&w, "final_conv.conv_kxk.0", (size_t[3]){n, 1, 3});
    visit_branch(&w, "final_conv.conv_scale", (size_t[3]){n, 1, 1});
    visit_squeeze(&w, "final_conv.se", n, mo_config_fastvit_reduced_last(n));
    visit_layer(&w, "head.fc", 2, (size_t[3]){config->dim, n, 1});
    return w.st;
}
