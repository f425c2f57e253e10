/* SPDX-License-Identifier: MIT
 * test_merge.c - what the sum of branches is as one layer: by hand, at the middle of a kernel, and what it says. */
#include "test.h"

#include "clip/merge.h"
#include "support/near.h"
#include "support/plain.h"
#include "support/towers.h"

static mo_config config;
static mo_weights *weights;

static int open_weights(void **state)
{
    (void)state;
    config = tower_fastvit_config(MO_FASTVIT_SMALL);
    weights = tower_weights(&config, 5);
    return 0;
}

static int free_weights(void **state)
{
    (void)state;
    mo_weights_free(weights);
    return 0;
}

/* scale [n] and shift [n] of a norm, in double; free scale. */
static double *norm_of(const char *name, size_t n)
{
    double *out = plain_make(2 * n), *gamma = plain_get(weights, name, ".weight"),
           *beta = plain_get(weights, name, ".bias"), *mean = plain_get(weights, name, ".running_mean"),
           *var = plain_get(weights, name, ".running_var");
    for (size_t i = 0; i < n; i++) {
        out[i] = gamma[i] / sqrt(var[i] + 1e-5);
        out[n + i] = beta[i] - mean[i] * out[i];
    }
    free(gamma), free(beta), free(mean), free(var);
    return out;
}

#define MIXER "fastvit.stages.0.blocks.0.token_mixer."

/* A filter a channel: 3 x 3, the 1 x 1 and two norms in its middle, times gamma, and what comes in. */
static void a_mixer_is_one_filter_a_channel(void **state)
{
    (void)state;
    enum { N = 4 };
    mo_merge m;
    assert_ok(mo_merge_begin(&m, weights, 1e-5, (size_t[]){N, 1, 3}));
    for (size_t i = 0; i < N * 9 + N; i++) assert_true(m.w[i] == 0); /* the bias stands behind */
    assert_ok(mo_merge_branch(&m, MIXER "mixer.conv_kxk.0"));
    assert_ok(mo_merge_branch(&m, MIXER "mixer.conv_scale"));
    assert_ok(mo_merge_norm(&m, MIXER "mixer.identity", 1));
    assert_ok(mo_merge_norm(&m, MIXER "norm.identity", -1));
    assert_ok(mo_merge_scale(&m, MIXER "layer_scale.gamma"));
    mo_merge_through(&m);
    double *kxk = plain_get(weights, MIXER "mixer.conv_kxk.0.conv", ".weight"),
           *one = plain_get(weights, MIXER "mixer.conv_scale.conv", ".weight"),
           *gamma = plain_get(weights, MIXER "layer_scale.gamma", ""),
           *n[4] = {norm_of(MIXER "mixer.conv_kxk.0.bn", N), norm_of(MIXER "mixer.conv_scale.bn", N),
               norm_of(MIXER "mixer.identity", N), norm_of(MIXER "norm.identity", N)};
    for (size_t c = 0; c < N; c++) {
        for (size_t t = 0; t < 9; t++) {
            const double middle = one[c] * n[1][c] + n[2][c] - n[3][c];
            const double want = gamma[c] * (kxk[c * 9 + t] * n[0][c] + (t == 4 ? middle : 0)) + (t == 4);
            assert_near_at(m.w[c * 9 + t], want, 2e-6, "channel %zu, tap %zu", c, t);
        }
        assert_near(m.bias[c], gamma[c] * (n[0][N + c] + n[1][N + c] + n[2][N + c] - n[3][N + c]), 2e-6);
    }
    mo_depthwise dw;
    assert_ok(mo_merge_depthwise(&dw, &m, 2, MO_ACT_GELU));
    assert_true(dw.centred && dw.act == MO_ACT_GELU && dw.stride == 2 && dw.kernel == 3);
    assert_true(dw.taps[4 * N + 1] == m.w[9 + 4]);
    mo_depthwise_free(&dw);
    mo_merge_end(&m);
    assert_null(m.w);
    free(kxk), free(one), free(gamma);
    for (size_t i = 0; i < 4; i++) free(n[i]);
}

#define STEM "fastvit.stem.2."

/* All channels in: what comes in stands on the diagonal. */
static void a_product_has_the_norm_on_its_diagonal(void **state)
{
    (void)state;
    enum { N = 4 };
    mo_merge m;
    mo_linear out;
    assert_ok(mo_merge_begin(&m, weights, 1e-5, (size_t[]){N, N, 1}));
    assert_ok(mo_merge_branch(&m, STEM "conv_kxk.0"));
    assert_ok(mo_merge_norm(&m, STEM "identity", 1));
    double *w = plain_get(weights, STEM "conv_kxk.0.conv", ".weight"), *a = norm_of(STEM "conv_kxk.0.bn", N),
           *b = norm_of(STEM "identity", N);
    for (size_t o = 0; o < N; o++)
        for (size_t i = 0; i < N; i++)
            assert_near(m.w[o * N + i], w[o * N + i] * a[o] + (o == i ? b[o] : 0), 2e-6);
    assert_ok(mo_merge_linear(&out, &m, false));
    assert_int_equal(out.w.n, N);
    assert_int_equal(out.w.k, N);
    assert_memory_equal(out.bias, m.bias, N * sizeof *m.bias);
    mo_linear_free(&out);
    mo_merge_end(&m);
    free(w), free(a), free(b);
}

#define BLOCK "fastvit.stages.3.blocks.0."

/* w (s x + t) = (w s) x + w t */
static void a_norm_before_a_product_goes_into_it(void **state)
{
    (void)state;
    enum { N = 32 };
    mo_merge m;
    assert_ok(mo_merge_begin(&m, weights, 1e-5, (size_t[]){3 * N, N, 1}));
    assert_ok(mo_merge_layer(&m, BLOCK "token_mixer.qkv", false));
    assert_ok(mo_merge_after_norm(&m, BLOCK "norm"));
    double *w = plain_get(weights, BLOCK "token_mixer.qkv", ".weight"), *norm = norm_of(BLOCK "norm", N);
    for (size_t o = 0; o < 3 * N; o += 7) {
        double bias = 0;
        for (size_t i = 0; i < N; i++) {
            assert_near(m.w[o * N + i], w[o * N + i] * norm[i], 1e-6);
            bias += w[o * N + i] * norm[N + i];
        }
        assert_near(m.bias[o], bias, 1e-6);
    }
    mo_merge_end(&m);
    free(w), free(norm);
}

/* A layer of one size and its bias, added twice. */
static void layers_add_up(void **state)
{
    (void)state;
    enum { N = 32 };
    mo_merge m;
    assert_ok(mo_merge_begin(&m, weights, 1e-5, (size_t[]){N, N, 1}));
    for (int i = 0; i < 2; i++) assert_ok(mo_merge_layer(&m, BLOCK "token_mixer.proj", true));
    double *w = plain_get(weights, BLOCK "token_mixer.proj", ".weight"),
           *b = plain_get(weights, BLOCK "token_mixer.proj", ".bias");
    for (size_t i = 0; i < N * N; i++) assert_near(m.w[i], 2 * w[i], 0);
    for (size_t i = 0; i < N; i++) assert_near(m.bias[i], 2 * b[i], 0);
    mo_merge_end(&m);
    free(w), free(b);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    mo_merge m;
    assert_ok(mo_merge_begin(&m, weights, 1e-5, (size_t[]){4, 1, 1}));
    assert_fails(mo_merge_branch(&m, MIXER "mixer.conv_kxk.0"), MOPD_E_INTERNAL,
        "mixer.conv_kxk.0: 4 x 1 of 3 x 3 into 4 x 1 of 1 x 1");
    assert_fails(mo_merge_branch(&m, STEM "conv_kxk.0"), MOPD_E_INTERNAL, "4 x 4 of 1 x 1 into 4 x 1");
    assert_fails(mo_merge_branch(&m, "fastvit.none"), MOPD_E_INTERNAL, "fastvit.none.conv.weight");
    assert_fails(mo_merge_layer(&m, "fastvit.head.fc", true), MOPD_E_INTERNAL, "head.fc: 12 x 64");
    assert_fails(mo_merge_norm(&m, "fastvit.none", 1), MOPD_E_INTERNAL, "fastvit.none.weight");
    assert_fails(mo_merge_scale(&m, "fastvit.gamma"), MOPD_E_INTERNAL, "fastvit.gamma");
    mo_merge_end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mixer_is_one_filter_a_channel),
        cmocka_unit_test(a_product_has_the_norm_on_its_diagonal),
        cmocka_unit_test(a_norm_before_a_product_goes_into_it),
        cmocka_unit_test(layers_add_up),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, open_weights, free_weights);
}
