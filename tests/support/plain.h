/* SPDX-License-Identifier: MIT
 * plain.h - the towers' arithmetic in double and in the plainest loops, from parameters by name: nothing is
 * packed, shared, blocked or kept. */
#ifndef MOPD_TESTS_SUPPORT_PLAIN_H
#define MOPD_TESTS_SUPPORT_PLAIN_H

#include "test.h"
#include "clip/weights.h"

/* Zeros. */
static inline double *plain_make(size_t n)
{
    double *x = calloc(n ? n : 1, sizeof *x);
    assert_non_null(x);
    return x;
}

/* A parameter's numbers, [outputs][inputs]. */
static inline double *plain_get(const mo_weights *w, const char *stem, const char *end)
{
    char name[200];
    const mo_weight *p;
    snprintf(name, sizeof name, "%s%s", stem, end);
    assert_ok(mo_weights_get(w, name, &p));
    float *x = malloc(p->view.n * sizeof *x);
    mo_weights_floats(p, 0, p->view.n, x);
    double *out = plain_make(p->view.n);
    for (size_t i = 0; i < p->view.n; i++) out[i] = (double)x[i];
    free(x);
    return out;
}

static inline double plain_act(double x, mo_act act)
{
    switch (act) {
    case MO_ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case MO_ACT_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case MO_ACT_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case MO_ACT_RELU6:
        return x < 0 ? 0 : x > 6 ? 6 : x;
    case MO_ACT_RELU:
        return x < 0 ? 0 : x;
    default:
        return x;
    }
}

/* y [rows x n] = x [rows x k] W' + b; b may be NULL. */
static inline void plain_product(
    double *y, const double *x, const double *w, const double *b, const size_t size[3])
{
    const size_t rows = size[0], n = size[1], k = size[2];
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < n; o++) {
            double sum = b ? b[o] : 0;
            for (size_t i = 0; i < k; i++) sum += x[r * k + i] * w[o * k + i];
            y[r * n + o] = sum;
        }
}

/* The same with "STEM.weight" and, when there is one, "STEM.bias". */
static inline void plain_linear(
    double *y, const double *x, const mo_weights *weights, const char *stem, bool bias, const size_t size[3])
{
    double *w = plain_get(weights, stem, ".weight"), *b = bias ? plain_get(weights, stem, ".bias") : NULL;
    plain_product(y, x, w, b, size);
    free(w);
    free(b);
}

static inline void plain_norm(
    double *y, const double *x, const mo_weights *weights, const char *stem, double eps, const size_t size[2])
{
    double *g = plain_get(weights, stem, ".weight"), *b = plain_get(weights, stem, ".bias");
    const size_t n = size[1];
    for (size_t r = 0; r < size[0]; r++) {
        double mean = 0, var = 0;
        for (size_t i = 0; i < n; i++) mean += x[r * n + i] / (double)n;
        for (size_t i = 0; i < n; i++) var += (x[r * n + i] - mean) * (x[r * n + i] - mean) / (double)n;
        for (size_t i = 0; i < n; i++) y[r * n + i] = (x[r * n + i] - mean) / sqrt(var + eps) * g[i] + b[i];
    }
    free(g);
    free(b);
}

/* out [rows x W]: every head's softmax over the rows it may see. */
static inline void plain_attention(
    double *out, const double *const qkv[3], size_t rows, const mo_stack_config *s, bool causal)
{
    const size_t w = s->width, d = w / s->heads;
    double *p = plain_make(rows);
    for (size_t h = 0; h < s->heads; h++)
        for (size_t r = 0; r < rows; r++) {
            const size_t seen = causal ? r + 1 : rows;
            double sum = 0;
            for (size_t j = 0; j < seen; j++) {
                double dot = 0;
                for (size_t i = 0; i < d; i++) dot += qkv[0][r * w + h * d + i] * qkv[1][j * w + h * d + i];
                sum += p[j] = exp(dot / sqrt((double)d));
            }
            for (size_t i = 0; i < d; i++) {
                double mixed = 0;
                for (size_t j = 0; j < seen; j++) mixed += p[j] / sum * qkv[2][j * w + h * d + i];
                out[r * w + h * d + i] = mixed;
            }
        }
    free(p);
}

/* Whether texts are those of a tower without a mask. */
static bool plain_unmasked;

/* What turns queries and keys of an image tower, or NULL. */
static void (*plain_turn)(double *x, size_t rows, const mo_stack_config *s);

/* x [rows x W] = "PREFIX.encoder.layers.N." of it. */
static inline void plain_block(
    double *x, size_t rows, const mo_weights *weights, const char *prefix, const mo_stack_config *s)
{
    const size_t w = s->width;
    const bool causal = !strncmp(prefix, "text", 4) && !plain_unmasked;
    double *norm = plain_make(rows * w), *out = plain_make(rows * w), *hidden = plain_make(rows * s->hidden);
    double *q = plain_make(rows * w), *k = plain_make(rows * w), *v = plain_make(rows * w);
    char stem[160];
#define AT(name) (snprintf(stem, sizeof stem, "%s.%s", prefix, name), stem)
    plain_norm(norm, x, weights, AT("layer_norm1"), s->eps, (size_t[]){rows, w});
    plain_linear(q, norm, weights, AT("self_attn.q_proj"), true, (size_t[]){rows, w, w});
    plain_linear(k, norm, weights, AT("self_attn.k_proj"), true, (size_t[]){rows, w, w});
    plain_linear(v, norm, weights, AT("self_attn.v_proj"), true, (size_t[]){rows, w, w});
    if (plain_turn && !causal) plain_turn(q, rows, s), plain_turn(k, rows, s);
    plain_attention(norm, (const double *const[]){q, k, v}, rows, s, causal);
    plain_linear(out, norm, weights, AT("self_attn.out_proj"), true, (size_t[]){rows, w, w});
    for (size_t i = 0; i < rows * w; i++) x[i] += out[i];
    plain_norm(norm, x, weights, AT("layer_norm2"), s->eps, (size_t[]){rows, w});
    plain_linear(hidden, norm, weights, AT("mlp.fc1"), true, (size_t[]){rows, s->hidden, w});
    for (size_t i = 0; i < rows * s->hidden; i++) hidden[i] = plain_act(hidden[i], s->act);
    plain_linear(out, hidden, weights, AT("mlp.fc2"), true, (size_t[]){rows, w, s->hidden});
    for (size_t i = 0; i < rows * w; i++) x[i] += out[i];
#undef AT
    free(norm);
    free(out);
    free(hidden);
    free(q);
    free(k);
    free(v);
}

static inline void plain_blocks(
    double *x, size_t rows, const mo_weights *weights, const char *tower, const mo_stack_config *s)
{
    for (uint32_t i = 0; i < s->layers; i++) {
        char prefix[80];
        snprintf(prefix, sizeof prefix, "%s.encoder.layers.%u", tower, i);
        plain_block(x, rows, weights, prefix, s);
    }
}

/* y [W] = the pool of rows x: the probe queries all of them, then an MLP ("STEM.attention." and so on). */
static inline void plain_probe(double *y, const double *x, size_t rows, const mo_weights *weights,
    const char *stem, const mo_stack_config *s)
{
    const size_t w = s->width;
    double *probe = plain_get(weights, stem, ".probe"), *all[3], *mixed = plain_make((rows + 1) * w),
           *hidden = plain_make(s->hidden), *seen = plain_make((rows + 1) * w);
    static const char *const parts[] = {".attention.q_proj", ".attention.k_proj", ".attention.v_proj"};
    char name[160];
#define AT(end) (snprintf(name, sizeof name, "%s%s", stem, end), name)
    memcpy(seen, x, rows * w * sizeof *x);
    for (int i = 0; i < 3; i++) {
        all[i] = plain_make((rows + 1) * w);
        plain_linear(all[i], i ? seen : probe, weights, AT(parts[i]), true, (size_t[]){i ? rows : 1, w, w});
    }
    for (size_t r = 1; r < rows; r++) memcpy(all[0] + r * w, all[0], w * sizeof *x);
    plain_attention(mixed, (const double *const[]){all[0], all[1], all[2]}, rows, s, false);
    plain_linear(y, mixed, weights, AT(".attention.out_proj"), true, (size_t[]){1, w, w});
    plain_norm(mixed, y, weights, AT(".layernorm"), s->eps, (size_t[]){1, w});
    plain_linear(hidden, mixed, weights, AT(".mlp.fc1"), true, (size_t[]){1, s->hidden, w});
    for (size_t i = 0; i < s->hidden; i++) hidden[i] = plain_act(hidden[i], s->act);
    plain_linear(mixed, hidden, weights, AT(".mlp.fc2"), true, (size_t[]){1, w, s->hidden});
    for (size_t i = 0; i < w; i++) y[i] += mixed[i];
#undef AT
    for (int i = 0; i < 3; i++) free(all[i]);
    free(seen);
    free(hidden);
    free(mixed);
    free(probe);
}

/* Largest difference of floats from what they should be. */
static inline double plain_worst(const float *got, const double *want, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - want[i]);
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

#endif
