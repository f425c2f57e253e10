/* SPDX-License-Identifier: MIT
 * test_residual.c - inverted residuals, some lines at a time and whole, have the bits of their three layers. */
#include "test.h"

#include "layer/conv.h"
#include "support/paths.h"
#include "support/residuals.h"

/* In, expanded, out; kernel, stride; pictures, height, width.  The first ones are large enough for lines. */
static const size_t all[][8] = {{16, 80, 24, 3, 2, 1, 40, 41}, {24, 72, 24, 5, 1, 2, 61, 33},
    {8, 64, 24, 5, 2, 1, 33, 65}, {64, 64, 16, 3, 1, 2, 47, 44}, {20, 66, 20, 3, 1, 1, 130, 17},
    {3, 700, 5, 3, 2, 1, 14, 14}, {12, 9000, 12, 5, 1, 1, 3, 5}, {16, 48, 24, 5, 1, 2, 7, 9},
    {16, 16, 16, 3, 1, 3, 8, 8}, {5, 9, 5, 3, 2, 1, 1, 1}};
#define N_ALL (sizeof all / sizeof *all)

typedef struct scene {
    mo_residual r;
    size_t shape[3], in, mid, out, out_h, out_w;
    float *x, *want, *got;
} scene;

static scene open_scene(const size_t size[8])
{
    const size_t stride = size[4];
    scene s = {.in = size[0], .mid = size[1], .out = size[2], .shape = {size[5], size[6], size[7]}};
    s.out_h = mo_conv_same_out(s.shape[1], stride);
    s.out_w = mo_conv_same_out(s.shape[2], stride);
    s.r = test_residual(size, false);
    s.x = test_floats(s.shape[0] * s.shape[1] * s.shape[2] * s.in, 7);
    s.want = test_floats(s.shape[0] * s.out_h * s.out_w * s.out, 8);
    s.got = test_floats(s.shape[0] * s.out_h * s.out_w * s.out, 9);
    return s;
}

static void close_scene(scene *s)
{
    mo_residual_free(&s->r);
    mo_mem_free(s->x);
    mo_mem_free(s->want);
    mo_mem_free(s->got);
}

static void three_layers(scene *s)
{
    const size_t rows = s->shape[0] * s->shape[1] * s->shape[2], outs = s->shape[0] * s->out_h * s->out_w;
    float *mid = test_floats(rows * s->mid, 1), *depth = test_floats(outs * s->mid, 1);
    const bool expands = s->in != s->mid, skip = s->r.depth.stride == 1 && s->in == s->out;
    if (expands)
        mo_linear_fwd(NULL, mid, s->x, &s->r.expand, &(mo_linear_call){.rows = rows, .act = MO_ACT_RELU6});
    mo_depthwise_fwd(NULL, depth, expands ? mid : s->x, &s->r.depth, s->shape);
    mo_linear_fwd(
        NULL, s->want, depth, &s->r.project, &(mo_linear_call){.rows = outs, .residual = skip ? s->x : NULL});
    mo_mem_free(mid);
    mo_mem_free(depth);
}

/* No number that was there before is used, and none beyond the scratch is touched. */
static void check_threads(scene *s, size_t threads)
{
    const size_t n = mo_residual_scratch(&s->r, s->shape, threads);
    float *scratch = mo_mem_alloc(n + 1, sizeof *scratch);
    mo_pool *pool;
    assert_non_null(scratch);
    for (size_t i = 0; i <= n; i++) scratch[i] = NAN;
    assert_ok(mo_pool_create(&pool, threads));
    mo_residual_fwd(pool, s->got, s->x, &s->r, scratch, s->shape);
    mo_pool_free(pool);
    assert_memory_equal(s->got, s->want, s->shape[0] * s->out_h * s->out_w * s->out * sizeof *s->got);
    assert_true(isnan(scratch[n]));
    mo_mem_free(scratch);
}

static void check_all(void)
{
    for (size_t i = 0; i < N_ALL; i++) {
        scene s = open_scene(all[i]);
        three_layers(&s);
        for (size_t threads = 1; threads <= 3; threads++) check_threads(&s, threads);
        close_scene(&s);
    }
}

static void bits_are_those_of_three_layers(void **state)
{
    (void)state;
    test_each_path(check_all);
}

/* A large map needs the room of some of its lines, for each thread. */
static void lines_take_little_room(void **state)
{
    (void)state;
    scene s = open_scene(all[0]);
    const size_t whole = s.shape[1] * s.shape[2] * s.mid, one = mo_residual_scratch(&s.r, s.shape, 1);
    assert_true(one < whole / 4);
    assert_int_equal(mo_residual_scratch(&s.r, s.shape, 3), 3 * one);
    assert_int_equal(mo_residual_scratch(&s.r, s.shape, 1000), 5 * one); /* 20 output lines, 4 of a part */
    close_scene(&s);
    mo_residual_free(NULL);
}

/* Of maps whose numbers are more than the largest size, also where two of 16 bits take one float's place. */
static void a_scratch_beyond_all_sizes_is_none(void **state)
{
    (void)state;
    const size_t size[5] = {16, 64, 16, 3, 1}, half = (size_t)1 << sizeof(size_t) * 4;
    mo_residual r = test_residual(size, false);
    for (int reduced = 0; reduced < 2; reduced++) {
        for (size_t threads = 1; threads < 5; threads += 3)
            assert_true(mo_residual_scratch(&r, (size_t[3]){half / 4, 4, half / 16}, threads) > SIZE_MAX / 4);
        assert_true(mo_residual_scratch(&r, (size_t[3]){1, half / 64, half / 16}, 1) < SIZE_MAX / 16);
        if (!reduced) assert_ok(mo_residual_reduce(&r, true, false));
    }
    mo_residual_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_those_of_three_layers),
        cmocka_unit_test(lines_take_little_room),
        cmocka_unit_test(a_scratch_beyond_all_sizes_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
