/* SPDX-License-Identifier: MIT
 * test_depthwise.c - one filter a channel: packed, against double precision at every edge of a picture, one
 * picture in company, threads. */
#include "test.h"

#include "layer/conv.h"
#include "layer/depthwise.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"
#include "support/plain.h"

typedef struct scene {
    size_t k, stride, h, w, oh, ow, channels, images;
    float *x, *y, *other, *weights, *bias;
    mo_depthwise dw;
} scene;

/* size: kernel, stride, height, width */
static scene open_scene(const size_t size[4], size_t channels)
{
    scene s = {
        .k = size[0], .stride = size[1], .h = size[2], .w = size[3], .channels = channels, .images = 2};
    s.oh = mo_conv_same_out(s.h, s.stride), s.ow = mo_conv_same_out(s.w, s.stride);
    s.x = test_floats(s.images * s.h * s.w * channels, 1);
    s.y = test_floats(s.images * s.oh * s.ow * channels, 2);
    s.other = test_floats(s.images * s.oh * s.ow * channels, 3);
    s.weights = test_floats(channels * s.k * s.k, 4);
    s.bias = test_floats(channels, 5);
    assert_ok(mo_depthwise_pack(&s.dw, s.weights, s.bias, (size_t[]){channels, s.k, s.stride}));
    assert_true(s.dw.act == MO_ACT_NONE && !s.dw.centred);
    return s;
}

static void close_scene(scene *s)
{
    mo_depthwise_free(&s->dw);
    mo_mem_free(s->x), mo_mem_free(s->y), mo_mem_free(s->other), mo_mem_free(s->weights),
        mo_mem_free(s->bias);
}

/* Channel c at row r of all pictures' lines. */
static double output(const scene *s, size_t r, size_t c)
{
    const size_t above = s->dw.centred ? s->k / 2 : mo_conv_same_before(s->h, s->k, s->stride),
                 left = s->dw.centred ? s->k / 2 : mo_conv_same_before(s->w, s->k, s->stride),
                 image = r / s->ow / s->oh;
    double sum = (double)s->bias[c];
    for (size_t i = 0; i < s->k * s->k; i++) {
        const size_t py = r / s->ow % s->oh * s->stride + i / s->k - above; /* wraps when < 0 */
        const size_t px = r % s->ow * s->stride + i % s->k - left;
        if (py >= s->h || px >= s->w) continue;
        sum += (double)s->weights[c * s->k * s->k + i] *
               (double)s->x[((image * s->h + py) * s->w + px) * s->channels + c];
    }
    return plain_act(sum, s->dw.act);
}

static void check(const size_t size[4], size_t channels, bool centred, mo_act act)
{
    scene s = open_scene(size, channels);
    const size_t rows = s.images * s.oh * s.ow, shape[3] = {s.images, s.h, s.w}, alone[3] = {1, s.h, s.w};
    s.dw.centred = centred;
    s.dw.act = act;
    mo_depthwise_fwd(NULL, s.y, s.x, &s.dw, shape);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++)
            assert_near_at(s.y[r * channels + c], output(&s, r, c), 1e-5,
                "%zu x %zu by %zu of %zu x %zu, row %zu, channel %zu", s.k, s.k, s.stride, s.h, s.w, r, c);
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        mo_depthwise_fwd(pool, s.other, s.x, &s.dw, shape);
        mo_pool_free(pool);
        assert_memory_equal(s.other, s.y, rows * channels * sizeof *s.y);
    }
    mo_depthwise_fwd(NULL, s.other, s.x + s.h * s.w * channels, &s.dw, alone);
    assert_memory_equal(s.other, s.y + rows / 2 * channels, rows / 2 * channels * sizeof *s.y);
    close_scene(&s);
}

static const size_t all[][4] = {{3, 1, 7, 9}, {3, 2, 12, 12}, {3, 2, 13, 11}, {5, 1, 7, 7}, {5, 2, 14, 9},
    {5, 2, 3, 2}, {3, 1, 1, 1}, {1, 1, 4, 5}, {3, 3, 10, 4}, {5, 1, 2, 30}, {3, 1, 30, 2}, {4, 2, 9, 8},
    {5, 1, 3, 3}, {7, 1, 8, 8}, {7, 2, 16, 17}, {7, 2, 4, 33}, {7, 1, 2, 3}, {3, 2, 8, 16}};

static void sizes(void)
{
    static const mo_act acts[] = {MO_ACT_NONE, MO_ACT_RELU6, MO_ACT_GELU};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        check(all[i], 1 + i * 7 % 40, false, acts[i % 3]);
        if (all[i][0] % 2) check(all[i], 1 + i * 11 % 40, true, acts[(i + 1) % 3]);
    }
}

static void pictures_match_double(void **state)
{
    (void)state;
    test_each_path(sizes);
}

/* Some output lines from a ring that holds what they reach, and nothing else of the picture. */
static void check_lines(const size_t size[4], size_t channels, bool centred)
{
    scene s = open_scene(size, channels);
    s.dw.centred = centred;
    const size_t line = s.w * channels, out = s.ow * channels;
    mo_depthwise_fwd(NULL, s.y, s.x, &s.dw, (const size_t[3]){1, s.h, s.w});
    for (size_t from = 0; from < s.oh; from++)
        for (size_t to = from + 1; to <= s.oh && to <= from + 3; to++) {
            mo_depthwise_part part = {.height = s.h, .width = s.w, .from = from, .to = to};
            size_t in[2];
            mo_depthwise_reach(in, &s.dw, &part);
            assert_true(in[0] < in[1] && in[1] <= s.h && in[1] - in[0] <= (to - from - 1) * s.stride + s.k);
            part.ring = in[1] - in[0];
            float *ring = test_floats(part.ring * line, 9);
            for (size_t i = in[0]; i < in[1]; i++)
                memcpy(ring + i % part.ring * line, s.x + i * line, line * sizeof *ring);
            part.x = ring;
            mo_depthwise_lines(s.other, &s.dw, &part);
            assert_memory_equal(s.other, s.y + from * out, (to - from) * out * sizeof *s.y);
            mo_mem_free(ring);
        }
    close_scene(&s);
}

static void lines_come_from_a_ring(void **state)
{
    (void)state;
    static const size_t sizes_of[][4] = {{3, 1, 7, 9}, {3, 2, 12, 12}, {3, 2, 13, 11}, {5, 1, 7, 7},
        {5, 2, 14, 9}, {5, 1, 2, 30}, {3, 1, 30, 2}, {7, 2, 16, 17}, {3, 1, 1, 1}};
    for (size_t i = 0; i < sizeof sizes_of / sizeof *sizes_of; i++) {
        check_lines(sizes_of[i], 5 + i, false);
        check_lines(sizes_of[i], 19, true);
    }
}

/* Taps lie side by side for all channels, then the bias, then zeros for what is outside. */
static void taps_are_turned(void **state)
{
    (void)state;
    enum { C = 5, K = 3 };
    float w[C * K * K], bias[C];
    test_random(w, C * K * K, 1);
    test_random(bias, C, 2);
    mo_depthwise dw;
    assert_ok(mo_depthwise_pack(&dw, w, bias, (size_t[]){C, K, 2}));
    for (size_t c = 0; c < C; c++) {
        for (size_t t = 0; t < K * K; t++) assert_true(dw.taps[t * C + c] == w[c * K * K + t]);
        assert_true(dw.taps[K * K * C + c] == bias[c]);
        assert_true(dw.taps[(K * K + 1) * C + c] == 0);
    }
    mo_depthwise_free(&dw);
    assert_null(dw.taps);
    mo_depthwise_free(&dw);
    mo_depthwise_free(NULL);
}

static void other_kernels_are_refused(void **state)
{
    (void)state;
    mo_depthwise dw;
    assert_fails(
        mo_depthwise_pack(&dw, NULL, NULL, (size_t[]){3, 8, 1}), MOPD_E_UNSUPPORTED, "8 x 8, stride 1");
    assert_fails(mo_depthwise_pack(&dw, NULL, NULL, (size_t[]){3, 0, 1}), MOPD_E_UNSUPPORTED, "0 x 0");
    assert_fails(mo_depthwise_pack(&dw, NULL, NULL, (size_t[]){3, 3, 0}), MOPD_E_UNSUPPORTED, "stride 0");
    assert_null(dw.taps);
}

static mopd_status pack_once(void *w)
{
    mo_depthwise dw;
    mopd_status st = mo_depthwise_pack(&dw, w, w, (size_t[]){1, 3, 1});
    mo_depthwise_free(&dw);
    return st;
}

static void packing_survives_lack_of_memory(void **state)
{
    (void)state;
    float w[9] = {0};
    test_torture(pack_once, w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_match_double),
        cmocka_unit_test(lines_come_from_a_ring),
        cmocka_unit_test(taps_are_turned),
        cmocka_unit_test(other_kernels_are_refused),
        cmocka_unit_test(packing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
