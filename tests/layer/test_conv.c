/* SPDX-License-Identifier: MIT
 * test_conv.c - padding, batch norm folded into weights, and the stem's convolution against double precision. */
#include "test.h"

#include "layer/conv.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

/* As TensorFlow pads: what is missing to the last window, the smaller half of it before. */
static void padding_is_same(void **state)
{
    (void)state;
    for (size_t in = 1; in <= 40; in++)
        for (size_t k = 1; k <= 7; k++)
            for (size_t stride = 1; stride <= 4; stride++) {
                const size_t out = mo_conv_same_out(in, stride), before = mo_conv_same_before(in, k, stride);
                assert_true(out * stride >= in && (out - 1) * stride < in);
                const size_t reach = (out - 1) * stride + k; /* of the last window */
                assert_int_equal(before, reach > in ? (reach - in) / 2 : 0);
            }
    assert_int_equal(mo_conv_same_out(224, 2), 112);
    assert_int_equal(mo_conv_same_before(224, 3, 2), 0); /* 0 before, 1 behind */
    assert_int_equal(mo_conv_same_before(112, 5, 2), 1); /* 1 before, 2 behind */
    assert_int_equal(mo_conv_same_before(56, 3, 1), 1);
    assert_int_equal(mo_conv_same_before(7, 5, 2), 2);
    assert_int_equal(mo_conv_same_before(8, 1, 2), 0);
}

static void batch_norm_by_hand(void **state)
{
    (void)state;
    float w[4] = {1, 2, 3, 4}, b[2];
    const float gamma[2] = {2, 3}, beta[2] = {1, -1}, mean[2] = {0.5f, -2}, var[2] = {3.999f, 8.999f};
    mo_conv_fold_batch_norm(w, b, &(mo_batch_norm){gamma, beta, mean, var, 1e-3f}, 2, 2);
    for (size_t i = 0; i < 4; i++) assert_near(w[i], (double)i + 1, 1e-6); /* 2 / sqrt(4), 3 / sqrt(9) */
    assert_near(b[0], 0.5, 1e-6);
    assert_near(b[1], 1, 1e-6);
}

/* The folded layer says what the layer and its batch norm say one after the other. */
static void batch_norm_folds_into_weights(void **state)
{
    (void)state;
    enum { N = 13, K = 9 };
    float w[N * K], folded[N * K], b[N], gamma[N], beta[N], mean[N], var[N], x[K];
    test_random(w, N * K, 1), test_random(gamma, N, 2), test_random(beta, N, 3), test_random(mean, N, 4);
    test_random(var, N, 5), test_random(x, K, 6);
    for (size_t o = 0; o < N; o++) var[o] = var[o] * var[o] + 0.01f;
    memcpy(folded, w, sizeof w);
    mo_conv_fold_batch_norm(folded, b, &(mo_batch_norm){gamma, beta, mean, var, 1e-3f}, N, K);
    for (size_t o = 0; o < N; o++) {
        const double plain = test_dot(w + o * K, x, K);
        const double want =
            (plain - (double)mean[o]) / sqrt((double)var[o] + 1e-3) * (double)gamma[o] + (double)beta[o];
        assert_near(test_dot(folded + o * K, x, K) + (double)b[o], want, 3e-6);
    }
}

typedef struct scene {
    size_t k, stride, h, w, oh, ow, images;
    float *x, *y, *other, *weights, *bias, *scratch;
    mo_stem stem;
} scene;

enum { PLANES = 3, OUTPUTS = 10 };

static scene open_scene(size_t k, size_t stride, size_t h, size_t w)
{
    scene s = {.k = k, .stride = stride, .h = h, .w = w, .images = 2};
    s.oh = mo_conv_same_out(h, stride), s.ow = mo_conv_same_out(w, stride);
    s.x = test_floats(s.images * PLANES * h * w, 1);
    s.y = test_floats(s.images * s.oh * s.ow * OUTPUTS, 2);
    s.other = test_floats(s.images * s.oh * s.ow * OUTPUTS, 3);
    s.weights = test_floats(OUTPUTS * PLANES * k * k, 4);
    s.bias = test_floats(OUTPUTS, 5);
    const mo_view wv = {.data = s.weights,
        .dtype = MO_F32,
        .n_dims = 4,
        .shape = {OUTPUTS, PLANES, k, k},
        .n = OUTPUTS * PLANES * k * k};
    const mo_view bv = {.data = s.bias, .dtype = MO_F32, .n_dims = 1, .shape = {OUTPUTS}, .n = OUTPUTS};
    s.stem = (mo_stem){.planes = PLANES, .kernel = k, .stride = stride, .act = MO_ACT_RELU6};
    assert_ok(mo_linear_pack(&s.stem.linear, &(mo_linear_part){&wv, &bv, false}, 1));
    assert_int_equal(mo_conv_stem_scratch(&s.stem, s.images, h, w), s.images * s.oh * s.ow * PLANES * k * k);
    s.scratch = test_floats(s.images * s.oh * s.ow * PLANES * k * k, 6);
    return s;
}

static void close_scene(scene *s)
{
    mo_linear_free(&s->stem.linear);
    mo_mem_free(s->x), mo_mem_free(s->y), mo_mem_free(s->other), mo_mem_free(s->weights);
    mo_mem_free(s->bias), mo_mem_free(s->scratch);
}

/* Output o at row r of all pictures' lines. */
static double output(const scene *s, size_t r, size_t o)
{
    const size_t above = mo_conv_same_before(s->h, s->k, s->stride),
                 left = mo_conv_same_before(s->w, s->k, s->stride);
    const size_t image = r / s->ow / s->oh, area = s->k * s->k;
    double sum = (double)s->bias[o];
    for (size_t i = 0; i < PLANES * area; i++) {
        const size_t py = r / s->ow % s->oh * s->stride + i % area / s->k - above; /* wraps when < 0 */
        const size_t px = r % s->ow * s->stride + i % s->k - left;
        if (py >= s->h || px >= s->w) continue;
        sum += (double)s->weights[o * PLANES * area + i] *
               (double)s->x[((image * PLANES + i / area) * s->h + py) * s->w + px];
    }
    return sum < 0 ? 0 : sum > 6 ? 6 : sum;
}

static void check(size_t k, size_t stride, size_t h, size_t w)
{
    scene s = open_scene(k, stride, h, w);
    const size_t rows = s.images * s.oh * s.ow;
    mo_conv_stem_fwd(NULL, s.y, s.x, &s.stem, s.scratch, (size_t[]){s.images, h, w});
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < OUTPUTS; o++)
            assert_near_at(s.y[r * OUTPUTS + o], output(&s, r, o), 1e-5,
                "%zu x %zu by %zu of %zu x %zu, row %zu", k, k, stride, h, w, r);
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        mo_conv_stem_fwd(pool, s.other, s.x, &s.stem, s.scratch, (size_t[]){s.images, h, w});
        mo_pool_free(pool);
        assert_memory_equal(s.other, s.y, rows * OUTPUTS * sizeof *s.y);
    }
    mo_conv_stem_fwd(NULL, s.other, s.x + PLANES * h * w, &s.stem, s.scratch, (size_t[]){1, h, w});
    assert_memory_equal(s.other, s.y + rows / 2 * OUTPUTS, rows / 2 * OUTPUTS * sizeof *s.y);
    close_scene(&s);
}

static void sizes(void)
{
    static const size_t all[][4] = {{3, 2, 12, 12}, {3, 2, 13, 11}, {3, 1, 7, 9}, {5, 1, 7, 7}, {5, 2, 14, 9},
        {5, 2, 3, 2}, {3, 1, 1, 1}, {1, 1, 4, 5}, {1, 3, 7, 8}, {5, 3, 2, 17}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) check(all[i][0], all[i][1], all[i][2], all[i][3]);
}

static void the_stem_matches_double(void **state)
{
    (void)state;
    test_each_path(sizes);
}

static void a_scratch_beyond_all_sizes_is_none(void **state)
{
    (void)state;
    const mo_stem stem = {.linear.w.k = 27, .planes = 3, .kernel = 3, .stride = 2};
    const size_t side = (size_t)1 << sizeof(size_t) * 4; /* whose square is one more than the largest size */
    assert_true(mo_conv_stem_scratch(&stem, 4, side, side) == SIZE_MAX);
    assert_true(mo_conv_stem_scratch(&stem, 1, side, side / 4) == SIZE_MAX);
    assert_true(mo_conv_stem_scratch(&stem, 1, side, side / 8) == (SIZE_MAX / 32 + 1) * 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_is_same),
        cmocka_unit_test(batch_norm_by_hand),
        cmocka_unit_test(batch_norm_folds_into_weights),
        cmocka_unit_test(the_stem_matches_double),
        cmocka_unit_test(a_scratch_beyond_all_sizes_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
