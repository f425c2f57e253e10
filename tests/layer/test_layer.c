/* SPDX-License-Identifier: MIT
 * test_layer.c - the small layers: linear, norm, activations, patches, convolutions, each against double
 * precision, every backward pass against central differences, all on every CPU path. */
#include "test.h"

#include "layer/conv.h"
#include "layer/depthwise.h"
#include "layer/act.h"
#include "layer/norm.h"
#include "layer/patch.h"
#include "support/paths.h"
#include "base/view.h"
#include "layer/l2.h"
#include "layer/mean_pool.h"

static mo_pool *pools[3]; /* 1, 2, 3 threads */

static int open_pools(void **state)
{
    (void)state;
    return mo_pool_create(&pools[1], 2) || mo_pool_create(&pools[2], 3);
}

static int close_pools(void **state)
{
    (void)state;
    mo_pool_free(pools[1]);
    mo_pool_free(pools[2]);
    return 0;
}

static void near(double got, double want, double most)
{
    if (!(fabs(got - want) <= most)) fail_msg("%.9g, not %.9g", got, want);
}

#define R 7
#define W 37
#define F 50

/* A layer as a function of rows: y [R x n] of x [R x k]; and its gradient. */
typedef struct layer_case {
    const char *name;
    size_t k, n;
    double most;
    void (*fwd)(float *y, const float *x);
    void (*bwd)(float *dx, const float *dy, const float *x);
} layer_case;

static mo_linear linear;
static mo_mat linear_t;
static float gamma_[W], beta_[W];
static const mo_norm norm = {gamma_, beta_, W, 1e-5f};

static void linear_fwd(float *y, const float *x)
{
    mo_linear_fwd(pools[1], y, x, &linear, &(mo_linear_call){.rows = R});
}
static void linear_bwd(float *dx, const float *dy, const float *x)
{
    (void)x;
    mo_linear_bwd(pools[1], dx, dy, &linear_t, R);
}
static void norm_fwd(float *y, const float *x)
{
    mo_norm_fwd(pools[1], y, x, &norm, NULL, R);
}
static void norm_bwd(float *dx, const float *dy, const float *x)
{
    float stats[2 * R], y[R * W];
    mo_norm_fwd(NULL, y, x, &norm, stats, R);
    memset(dx, 0, R * W * sizeof *dx);
    mo_norm_bwd(pools[1], &norm, &(mo_norm_grad){dx, dy, x, stats}, R);
}
static void l2_fwd(float *y, const float *x)
{
    mo_l2_fwd(y, x, NULL, R, W);
}
static void l2_bwd(float *dx, const float *dy, const float *x)
{
    float y[R * W], norms[R];
    mo_l2_fwd(y, x, norms, R, W);
    mo_l2_bwd(dx, dy, y, norms, R, W);
}
static void quick_fwd(float *y, const float *x)
{
    mo_act_fwd(pools[1], y, x, MO_ACT_QUICK_GELU, R * W);
}
static void quick_bwd(float *dx, const float *dy, const float *x)
{
    mo_act_bwd(pools[1], dx, dy, x, MO_ACT_QUICK_GELU, R * W);
}
static void gelu_fwd(float *y, const float *x)
{
    mo_act_fwd(pools[1], y, x, MO_ACT_GELU, R * W);
}
static void gelu_bwd(float *dx, const float *dy, const float *x)
{
    mo_act_bwd(pools[1], dx, dy, x, MO_ACT_GELU, R * W);
}

static const layer_case cases[] = {
    {"linear", W, F, 2e-3, linear_fwd, linear_bwd},
    {"norm", W, W, 4e-3, norm_fwd, norm_bwd},
    {"l2", W, W, 1e-3, l2_fwd, l2_bwd},
    {"quick_gelu", W, W, 2e-3, quick_fwd, quick_bwd},
    {"gelu", W, W, 2e-3, gelu_fwd, gelu_bwd},
};

/* d/dx_i of sum(y r) by central differences, against the backward pass given dy = r. */
static void check_gradient(const layer_case *c)
{
    float x[R * W], r[R * F], y[R * F], dx[R * W];
    test_random(x, R * c->k, 11);
    test_random(r, R * c->n, 12);
    c->bwd(dx, r, x);
    for (size_t i = 0; i < R * c->k; i += 3) {
        const float keep = x[i], h = 1.0f / 128;
        double sum = 0;
        x[i] = keep + h;
        c->fwd(y, x);
        for (size_t j = 0; j < R * c->n; j++) sum += (double)y[j] * r[j];
        x[i] = keep - h;
        c->fwd(y, x);
        for (size_t j = 0; j < R * c->n; j++) sum -= (double)y[j] * r[j];
        x[i] = keep;
        if (!(fabs(sum / (2 * h) - dx[i]) < c->most * (1 + fabs(dx[i]))))
            fail_msg("%s: dx[%zu] = %g, differences say %g", c->name, i, (double)dx[i], sum / (2 * h));
    }
}

static mo_view view_of(const float *x, size_t n, size_t k)
{
    return (mo_view){.data = x, .dtype = MO_F32, .n_dims = k ? 2 : 1, .shape = {n, k}, .n = k ? n * k : n};
}

static void all_gradients(void)
{
    static float w[F * W], bias[F];
    test_random(w, F * W, 1);
    test_random(bias, F, 2);
    test_random(gamma_, W, 3);
    test_random(beta_, W, 4);
    const mo_view wv = view_of(w, F, W), bv = view_of(bias, F, 0);
    assert_ok(mo_linear_pack(&linear, &(mo_linear_part){&wv, &bv, false}, 1));
    assert_ok(mo_mat_transpose(&linear_t, &linear.w));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_gradient(&cases[i]);
    mo_linear_free(&linear);
    mo_mat_free(&linear_t);
}

static void backward_passes_match_differences(void **state)
{
    (void)state;
    test_each_path(all_gradients);
}

static void l2_leaves_zeros(void **state)
{
    (void)state;
    float x[4] = {0, 0, 3, 4}, y[4], norms[2], dx[4] = {1, 1, 1, 1};
    mo_l2_fwd(y, x, norms, 2, 2);
    assert_true(y[0] == 0 && y[1] == 0 && norms[0] == 0 && fabsf(y[3] - 0.8f) < 1e-6f && norms[1] == 5);
    mo_l2_bwd(dx, dx, y, norms, 2, 2);
    assert_true(dx[0] == 0 && dx[1] == 0);
    near(dx[2], (1 - 0.6 * 1.4) / 5, 1e-6);
    near(dx[3], (1 - 0.8 * 1.4) / 5, 1e-6);
}

/* Three parts stacked, biases where they are, one orientation turned. */
static void linear_stacks_parts(void **state)
{
    (void)state;
    float a[2 * 3] = {1, 2, 3, 4, 5, 6}, b[3 * 2] = {1, 4, 2, 5, 3, 6}, bias[2] = {10, 20}, y[4];
    const mo_view av = view_of(a, 2, 3), bv = view_of(b, 3, 2), biasv = view_of(bias, 2, 0),
                  wrong = view_of(a, 3, 0);
    mo_linear l;
    assert_ok(mo_linear_pack(&l, (mo_linear_part[]){{&av, NULL, false}, {&bv, &biasv, true}}, 2));
    mo_linear_fwd(NULL, y, (float[]){1, 0, -1}, &l, &(mo_linear_call){.rows = 1, .act = MO_ACT_RELU6});
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 6 && y[3] == 6);
    mo_linear_free(&l);
    assert_fails(
        mo_linear_pack(&l, (mo_linear_part[]){{&av, &wrong, false}}, 1), MOPD_E_MISMATCH, "bias of 3 for 2");
}

static mopd_status pack_linear(void *ctx)
{
    mo_linear l;
    const mo_linear_part *part = ctx;
    mopd_status st = mo_linear_pack(&l, part, 1);
    mo_linear_free(&l);
    return st;
}

static void packing_survives_lack_of_memory(void **state)
{
    (void)state;
    float a[6] = {0}, bias[2] = {0};
    const mo_view av = view_of(a, 2, 3), bv = view_of(bias, 2, 0);
    mo_linear_part part = {&av, &bv, false};
    test_torture(pack_linear, &part);
}

/* Patches: every row against the convolution written out. */
static void patches(void)
{
    enum { P = 3, S = 12, N = 4, K = 27, B = 2, L = 17, C = 20 };
    static float pixels[B * 3 * S * S], w[C * K], first[C], pos[L * C], x[B * L * C], other[B * L * C];
    static float scratch[B * L * K];
    test_random(pixels, B * 3 * S * S, 1);
    test_random(w, C * K, 2);
    test_random(first, C, 3);
    test_random(pos, L * C, 4);
    mo_view wv = {.data = w, .dtype = MO_F32, .n_dims = 4, .shape = {C, 3, P, P}, .n = C * K};
    mo_patch patch = {.side = S, .patch = P};
    assert_ok(mo_linear_pack(&patch.linear, &(mo_linear_part){&wv, NULL, false}, 1));
    assert_int_equal(mo_patch_rows(&patch), L);
    assert_int_equal(mo_patch_scratch(&patch, B), B * L * K);
    const mo_patch_call call = {first, pos, scratch, B};
    mo_patch_fwd(NULL, x, pixels, &patch, &call);
    for (size_t t = 1; t < 3; t++) {
        mo_patch_fwd(pools[t], other, pixels, &patch, &call);
        assert_memory_equal(x, other, sizeof x);
    }
    for (size_t b = 0; b < B; b++)
        for (size_t l = 0; l < L; l++)
            for (size_t o = 0; o < C; o++) {
                double want = pos[l * C + o] + (l ? 0 : first[o]);
                for (size_t i = 0; i < K && l; i++) {
                    const size_t c = i / 9, row = (l - 1) / N * P + i % 9 / 3, col = (l - 1) % N * P + i % 3;
                    want += (double)w[o * K + i] * pixels[((b * 3 + c) * S + row) * S + col];
                }
                near(x[(b * L + l) * C + o], want, 1e-5);
            }
    mo_linear_free(&patch.linear);
}

static void patches_match_the_convolution(void **state)
{
    (void)state;
    test_each_path(patches);
}

static void same_padding_is_uneven_at_stride_two(void **state)
{
    (void)state;
    assert_int_equal(mo_conv_same_out(224, 2), 112);
    assert_int_equal(mo_conv_same_before(224, 3, 2), 0); /* 0 before, 1 behind */
    assert_int_equal(mo_conv_same_before(112, 5, 2), 1); /* 1 before, 2 behind */
    assert_int_equal(mo_conv_same_before(56, 3, 1), 1);
    assert_int_equal(mo_conv_same_before(7, 5, 2), 2);
    assert_int_equal(mo_conv_same_before(8, 1, 2), 0);
}

/* x at [b][y][x] of H x W, zero outside; channel c of n fastest, or planes. */
static double at(const float *x, const size_t place[4], const size_t size[3], bool planes)
{
    const size_t b = place[0], y = place[1], i = place[2], c = place[3];
    if (y >= size[0] || i >= size[1]) return 0;
    return planes ? x[((b * size[2] + c) * size[0] + y) * size[1] + i]
                  : x[((b * size[0] + y) * size[1] + i) * size[2] + c];
}

static void stem_case(size_t k, size_t stride, size_t h, size_t w)
{
    enum { B = 2, C = 3, O = 10 };
    static float x[B * C * 400], y[B * O * 400], weights[O * C * 25], bias[O], scratch[B * 400 * C * 25];
    test_random(x, B * C * h * w, 1);
    test_random(weights, O * C * k * k, 2);
    test_random(bias, O, 3);
    const mo_view wv = {
        .data = weights, .dtype = MO_F32, .n_dims = 4, .shape = {O, C, k, k}, .n = O * C * k * k};
    const mo_view bv = view_of(bias, O, 0);
    mo_stem stem = {.planes = C, .kernel = k, .stride = stride, .act = MO_ACT_RELU6};
    assert_ok(mo_linear_pack(&stem.linear, &(mo_linear_part){&wv, &bv, false}, 1));
    assert_true(mo_conv_stem_scratch(&stem, B, h, w) <= sizeof scratch / sizeof *scratch);
    mo_conv_stem_fwd(pools[2], y, x, &stem, scratch, (size_t[]){B, h, w});
    const size_t oh = mo_conv_same_out(h, stride), ow = mo_conv_same_out(w, stride), size[3] = {h, w, C};
    for (size_t r = 0; r < B * oh * ow; r++)
        for (size_t o = 0; o < O; o++) {
            double want = bias[o];
            for (size_t i = 0; i < C * k * k; i++) {
                const size_t py = r / ow % oh * stride + i % (k * k) / k - mo_conv_same_before(h, k, stride);
                const size_t px = r % ow * stride + i % k - mo_conv_same_before(w, k, stride);
                want += weights[o * C * k * k + i] *
                        at(x, (size_t[]){r / ow / oh, py, px, i / k / k}, size, true);
            }
            near(y[r * O + o], want < 0 ? 0 : want > 6 ? 6 : want, 1e-5);
        }
    mo_linear_free(&stem.linear);
}

static void depthwise_case(size_t k, size_t stride, size_t h, size_t w)
{
    enum { B = 2, C = 19 };
    static float x[B * C * 400], y[B * C * 400], other[B * C * 400], weights[C * 25], bias[C];
    test_random(x, B * C * h * w, 1);
    test_random(weights, C * k * k, 2);
    test_random(bias, C, 3);
    mo_depthwise dw;
    assert_ok(mo_depthwise_pack(&dw, weights, bias, (size_t[]){C, k, stride}));
    dw.relu6 = stride == 1;
    const size_t oh = mo_conv_same_out(h, stride), ow = mo_conv_same_out(w, stride), size[3] = {h, w, C};
    mo_depthwise_fwd(NULL, y, x, &dw, (size_t[]){B, h, w});
    mo_depthwise_fwd(pools[2], other, x, &dw, (size_t[]){B, h, w});
    assert_memory_equal(y, other, B * oh * ow * C * sizeof *y);
    mo_depthwise_fwd(NULL, other, x + h * w * C, &dw, (size_t[]){1, h, w}); /* the second picture alone */
    assert_memory_equal(y + oh * ow * C, other, oh * ow * C * sizeof *y);
    for (size_t r = 0; r < B * oh * ow; r++)
        for (size_t c = 0; c < C; c++) {
            double want = bias[c];
            for (size_t i = 0; i < k * k; i++) {
                const size_t py = r / ow % oh * stride + i / k - mo_conv_same_before(h, k, stride);
                const size_t px = r % ow * stride + i % k - mo_conv_same_before(w, k, stride);
                want += weights[c * k * k + i] * at(x, (size_t[]){r / ow / oh, py, px, c}, size, false);
            }
            near(y[r * C + c], !dw.relu6 ? want : want < 0 ? 0 : want > 6 ? 6 : want, 1e-5);
        }
    mo_depthwise_free(&dw);
}

static void convolutions(void)
{
    const size_t sizes[][4] = {{3, 2, 12, 12}, {3, 2, 13, 11}, {3, 1, 7, 9}, {5, 1, 7, 7}, {5, 2, 14, 9},
        {5, 2, 3, 2}, {3, 1, 1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        stem_case(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
        depthwise_case(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
    }
}

static void convolutions_match_double(void **state)
{
    (void)state;
    test_each_path(convolutions);
    mo_depthwise dw;
    assert_fails(mo_depthwise_pack(&dw, NULL, NULL, (size_t[]){3, 7, 1}), MOPD_E_UNSUPPORTED, "7 x 7");
}

static mopd_status pack_depthwise(void *ctx)
{
    mo_depthwise dw;
    mopd_status st = mo_depthwise_pack(&dw, ctx, ctx, (size_t[]){1, 3, 1});
    mo_depthwise_free(&dw);
    return st;
}

static void depthwise_survives_lack_of_memory(void **state)
{
    (void)state;
    float w[9] = {0};
    test_torture(pack_depthwise, w);
}

static void batch_norm_folds_into_weights(void **state)
{
    (void)state;
    float w[4] = {1, 2, 3, 4}, b[2];
    const float gamma[2] = {2, 3}, beta[2] = {1, -1}, mean[2] = {0.5f, -2}, var[2] = {3.999f, 8.999f};
    mo_conv_fold_batch_norm(w, b, &(mo_batch_norm){gamma, beta, mean, var, 1e-3f}, 2, 2);
    near(w[0], 1, 1e-6), near(w[1], 2, 1e-6), near(w[2], 3, 1e-6), near(w[3], 4, 1e-6);
    near(b[0], 0.5, 1e-6), near(b[1], 1, 1e-6);
}

static void mean_pool_is_the_mean(void **state)
{
    (void)state;
    float x[2 * 6 * 5], y[10];
    test_random(x, 60, 1);
    mo_mean_pool_fwd(pools[1], y, x, (size_t[]){2, 2, 3}, 5);
    for (size_t b = 0; b < 2; b++)
        for (size_t c = 0; c < 5; c++) {
            double want = 0;
            for (size_t p = 0; p < 6; p++) want += x[(b * 6 + p) * 5 + c] / 6.0;
            near(y[b * 5 + c], want, 1e-6);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backward_passes_match_differences),
        cmocka_unit_test(l2_leaves_zeros),
        cmocka_unit_test(linear_stacks_parts),
        cmocka_unit_test(patches_match_the_convolution),
        cmocka_unit_test(same_padding_is_uneven_at_stride_two),
        cmocka_unit_test(convolutions_match_double),
        cmocka_unit_test(batch_norm_folds_into_weights),
        cmocka_unit_test(mean_pool_is_the_mean),
    };
    const struct CMUnitTest torture[] = {
        /* apart: the allocator can change only while nothing lives */
        cmocka_unit_test(packing_survives_lack_of_memory),
        cmocka_unit_test(depthwise_survives_lack_of_memory),
    };
    const int failed = cmocka_run_group_tests_name("torture", torture, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, open_pools, close_pools);
}
