/* SPDX-License-Identifier: MIT
 * test_residual_fix.c - inverted residuals whose maps are whole numbers: near those of floats, the same bits on every path, by any
 * number of threads, alone and in company; what cannot be reduced stays as it is. */
#include "test.h"

#include "layer/conv.h"
#include "support/paths.h"
#include "support/residuals.h"

/* In, expanded, out; kernel, stride; pictures, height, width.  The first four are large enough for lines. */
static const size_t all[][8] = {{16, 80, 24, 3, 2, 2, 40, 41}, {24, 72, 24, 5, 1, 2, 61, 33},
    {80, 480, 80, 3, 1, 2, 17, 19}, {64, 64, 16, 3, 1, 2, 47, 44}, {100, 700, 50, 5, 2, 1, 14, 14},
    {96, 672, 96, 5, 1, 2, 7, 7}, {16, 48, 24, 3, 1, 2, 7, 9}, {16, 16, 16, 5, 1, 3, 8, 8},
    {5, 9, 5, 3, 2, 2, 1, 1}};
#define N_ALL (sizeof all / sizeof *all)

typedef struct scene {
    mo_residual r;
    size_t shape[3], in, mid, out, outs; /* outs: numbers of a picture */
    float *x;
} scene;

static scene open_scene(const size_t size[8])
{
    const size_t stride = size[4];
    scene s = {.in = size[0], .mid = size[1], .out = size[2], .shape = {size[5], size[6], size[7]}};
    s.outs = mo_conv_same_out(s.shape[1], stride) * mo_conv_same_out(s.shape[2], stride) * s.out;
    s.r = test_residual(size, true);
    const size_t n = s.shape[0] * s.shape[1] * s.shape[2] * s.in;
    s.x = test_floats(n, 7);
    for (size_t i = 0; i < n && s.in == s.mid; i++) s.x[i] = 6 * fabsf(s.x[i]);
    return s;
}

static void close_scene(scene *s)
{
    mo_residual_free(&s->r);
    mo_mem_free(s->x);
}

/* No number that was there before is used, and none beyond the scratch is touched.  End with mo_mem_free. */
static float *forward(const scene *s, size_t threads)
{
    const size_t n = mo_residual_scratch(&s->r, s->shape, threads);
    float *scratch = mo_mem_alloc(n + 1, sizeof *scratch), *y = test_floats(s->shape[0] * s->outs, 9);
    mo_pool *pool;
    assert_non_null(scratch);
    for (size_t i = 0; i <= n; i++) scratch[i] = NAN;
    assert_ok(mo_pool_create(&pool, threads));
    mo_residual_fwd(pool, y, s->x, &s->r, scratch, s->shape);
    mo_pool_free(pool);
    assert_true(isnan(scratch[n]));
    mo_mem_free(scratch);
    return y;
}

static void check_near(const float *got, const float *want, size_t n, float bar)
{
    double off = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        off += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        size += (double)want[i] * (double)want[i];
    }
    if (!(sqrt(off / size) < (double)bar)) fail_msg("off by %g of the length", sqrt(off / size));
}

static void reduced_maps_lose_next_to_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ALL; i++) {
        scene s = open_scene(all[i]);
        const size_t floats = mo_residual_scratch(&s.r, s.shape, 2);
        float *want = forward(&s, 2);
        assert_ok(mo_residual_reduce(&s.r, true, i == 2));
        assert_non_null(s.r.fix.scale);
        if (s.in != s.mid)
            assert_true(mo_residual_scratch(&s.r, s.shape, 2) <= floats / 2 + 3 * 16 * s.shape[0]);
        float *got = forward(&s, 2);
        check_near(got, want, s.shape[0] * s.outs, i == 2 ? 1e-2f : 1e-3f);
        mo_mem_free(want);
        mo_mem_free(got);
        close_scene(&s);
    }
}

static float *plain_bits[N_ALL];

static void check_bits(void)
{
    for (size_t i = 0; i < N_ALL; i++) {
        scene s = open_scene(all[i]);
        assert_ok(mo_residual_reduce(&s.r, true, i == 2 || i == 5));
        for (size_t threads = 1; threads <= 3; threads++) {
            float *got = forward(&s, threads);
            if (!plain_bits[i])
                plain_bits[i] = got;
            else {
                assert_memory_equal(got, plain_bits[i], s.shape[0] * s.outs * sizeof *got);
                mo_mem_free(got);
            }
        }
        close_scene(&s);
    }
}

static void every_path_and_thread_has_the_same_bits(void **state)
{
    (void)state;
    test_each_path(check_bits);
    for (size_t i = 0; i < N_ALL; i++) mo_mem_free(plain_bits[i]);
}

/* The second picture of two, alone. */
static void company_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ALL; i++) {
        scene s = open_scene(all[i]);
        if (s.shape[0] == 2) {
            assert_ok(mo_residual_reduce(&s.r, true, i == 2));
            float *both = forward(&s, 2), *x = s.x;
            s.shape[0] = 1;
            s.x += s.shape[1] * s.shape[2] * s.in;
            float *one = forward(&s, 1);
            assert_memory_equal(one, both + s.outs, s.outs * sizeof *one);
            s.x = x;
            mo_mem_free(both);
            mo_mem_free(one);
        }
        close_scene(&s);
    }
}

/* A number that is none, or beyond all others, in the first picture: its numbers are none, the other picture's are as they were. */
static void a_picture_that_is_no_number_stays_none(void **state)
{
    (void)state;
    static const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, -1e20f};
    for (size_t i = 0; i < N_ALL; i++)
        for (size_t o = 0; o < sizeof odd / sizeof *odd; o++) {
            scene s = open_scene(all[i]);
            assert_ok(mo_residual_reduce(&s.r, true, i == 2));
            float *want = forward(&s, 1);
            s.x[s.in / 2] = odd[o];
            float *got = forward(&s, 2);
            assert_true(isnan(got[0]));
            for (size_t p = s.outs; p < s.shape[0] * s.outs; p++) assert_true(got[p] == want[p]);
            mo_mem_free(want);
            mo_mem_free(got);
            close_scene(&s);
        }
}

static bool reduces(const size_t size[8], bool clamped, void (*change)(mo_residual *r))
{
    scene s = open_scene(size);
    if (change) change(&s.r);
    assert_ok(mo_residual_reduce(&s.r, clamped, false));
    const bool done = s.r.fix.scale != NULL;
    assert_true(done == !mo_mat_has_floats(&s.r.project.w) || s.r.project.w.ops == &mo_gemm_i16_ops);
    close_scene(&s);
    return done;
}

static void odd_weight(mo_residual *r)
{
    r->depth.taps[3] = NAN;
}

static void large_weight(mo_residual *r)
{
    r->depth.taps[3] = 1e7f;
}

static void odd_bias(mo_residual *r)
{
    r->expand.bias[1] = INFINITY;
}

static void large_project(mo_residual *r)
{
    ((float *)r->project.w.owned)[5] = -1e7f;
}

static void other_act(mo_residual *r)
{
    r->depth.act = MO_ACT_NONE;
}

static void no_floats(mo_residual *r)
{
    assert_ok(mo_mat_quantize_finely(&r->project.w, MO_PRECISION_8));
}

static void no_floats_first(mo_residual *r)
{
    assert_ok(mo_mat_quantize_finely(&r->expand.w, MO_PRECISION_8));
}

static void other_kernel(mo_residual *r)
{
    r->depth.kernel = 7;
}

static void other_stride(mo_residual *r)
{
    r->depth.stride = 3;
}

static void what_cannot_be_reduced_stays(void **state)
{
    (void)state;
    assert_true(reduces(all[0], false, NULL));
    assert_true(reduces(all[3], true, NULL));
    assert_false(reduces(all[3], false, NULL)); /* nothing expanded, x not clamped */
    assert_false(
        reduces((const size_t[8]){513, 514, 8, 3, 1, 1, 3, 3}, true, NULL)); /* wider than one scale serves */
    static void (*const changes[])(mo_residual * r) = {odd_weight, large_weight, odd_bias, large_project,
        other_act, no_floats, no_floats_first, other_kernel, other_stride};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        assert_false(reduces(all[0], true, changes[i]));
}

/* A filter of zeros, and one of next to nothing. */
static void empty_filters_give_their_bias(void **state)
{
    (void)state;
    scene s = open_scene(all[6]);
    for (size_t c = 0; c < s.mid; c++)
        for (size_t t = 0; t < 9; t++) s.r.depth.taps[t * s.mid + c] = c % 2 ? 0 : 1e-35f;
    float *want = forward(&s, 1);
    assert_ok(mo_residual_reduce(&s.r, false, false));
    float *got = forward(&s, 1);
    check_near(got, want, s.shape[0] * s.outs, 1e-3f);
    mo_mem_free(want);
    mo_mem_free(got);
    close_scene(&s);
}

static mopd_status reduce_body(void *ctx)
{
    (void)ctx;
    scene s = {.in = 16, .mid = 48};
    float x[48 * 16] = {1}, bias[48] = {0};
    const mo_view up = test_view(x, 48, 16), down = test_view(x, 16, 48);
    mopd_status st = mo_linear_pack(&s.r.expand, &(mo_linear_part){&up, NULL, false}, 1);
    if (st == MOPD_OK) st = mo_linear_pack(&s.r.project, &(mo_linear_part){&down, NULL, false}, 1);
    if (st == MOPD_OK) st = mo_depthwise_pack(&s.r.depth, x, bias, (const size_t[3]){48, 3, 1});
    s.r.depth.act = MO_ACT_RELU6;
    if (st == MOPD_OK) st = mo_residual_reduce(&s.r, false, true);
    mo_residual_free(&s.r);
    return st;
}

static void reducing_survives_lack_of_memory(void **state)
{
    (void)state;
    test_torture(reduce_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduced_maps_lose_next_to_nothing),
        cmocka_unit_test(every_path_and_thread_has_the_same_bits),
        cmocka_unit_test(company_changes_nothing),
        cmocka_unit_test(a_picture_that_is_no_number_stays_none),
        cmocka_unit_test(what_cannot_be_reduced_stays),
        cmocka_unit_test(empty_filters_give_their_bias),
        cmocka_unit_test(reducing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
