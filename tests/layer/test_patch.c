/* SPDX-License-Identifier: MIT
 * test_patch.c - patches of pictures as rows: each against its convolution written out, the class
 * token, positions, threads. */
#include "test.h"

#include "layer/patch.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

typedef struct scene {
    size_t p, side, n, k, rows, width, images;
    float *pixels, *w, *first, *pos, *scratch, *x, *other;
    mo_patch patch;
} scene;

static scene open_scene(size_t p, size_t side, size_t width, bool class_row)
{
    scene s = {.p = p, .side = side, .n = side / p, .k = 3 * p * p, .width = width, .images = 2};
    s.rows = s.n * s.n + class_row;
    s.pixels = test_floats(s.images * 3 * side * side, 1);
    s.w = test_floats(width * s.k, 2);
    s.first = test_floats(width, 3);
    s.pos = test_floats(s.rows * width, 4);
    s.scratch = test_floats(s.images * s.rows * s.k, 5);
    s.x = test_floats(s.images * s.rows * width, 6);
    s.other = test_floats(s.images * s.rows * width, 7);
    const mo_view v = {
        .data = s.w, .dtype = MO_F32, .n_dims = 4, .shape = {width, 3, p, p}, .n = width * s.k};
    s.patch = (mo_patch){.side = side, .patch = p, .no_class = !class_row};
    assert_ok(mo_linear_pack(&s.patch.linear, &(mo_linear_part){&v, NULL, false}, 1));
    return s;
}

static void close_scene(scene *s)
{
    mo_linear_free(&s->patch.linear);
    mo_mem_free(s->pixels), mo_mem_free(s->w), mo_mem_free(s->first), mo_mem_free(s->pos);
    mo_mem_free(s->scratch), mo_mem_free(s->x), mo_mem_free(s->other);
}

static void run(const scene *s, mo_pool *pool, float *x, size_t from, size_t n)
{
    mo_patch_fwd(pool, x, s->pixels + from * 3 * s->side * s->side, &s->patch,
        &(mo_patch_call){s->first, s->pos, s->scratch, n});
}

/* Output o of patch `at` of a picture: line by line, plane by plane. */
static double output(const scene *s, size_t image, size_t at, size_t o)
{
    double sum = 0;
    for (size_t i = 0; i < s->k; i++) {
        const size_t c = i / (s->p * s->p), row = at / s->n * s->p + i % (s->p * s->p) / s->p,
                     col = at % s->n * s->p + i % s->p;
        sum +=
            (double)s->w[o * s->k + i] * (double)s->pixels[((image * 3 + c) * s->side + row) * s->side + col];
    }
    return sum;
}

static void check(size_t p, size_t side, size_t width, bool class_row)
{
    scene s = open_scene(p, side, width, class_row);
    assert_int_equal(mo_patch_rows(&s.patch), s.rows);
    assert_int_equal(mo_patch_scratch(&s.patch, s.images), s.images * s.rows * s.k);
    run(&s, NULL, s.x, 0, s.images);
    for (size_t b = 0; b < s.images; b++)
        for (size_t l = 0; l < s.rows; l++)
            for (size_t o = 0; o < width; o++) {
                const bool token = class_row && !l;
                const double own = token ? (double)s.first[o] : output(&s, b, l - class_row, o);
                assert_near_at(s.x[(b * s.rows + l) * width + o], own + (double)s.pos[l * width + o], 1e-5,
                    "patches of %zu in %zu: picture %zu, row %zu", p, side, b, l);
            }
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        run(&s, pool, s.other, 0, s.images);
        mo_pool_free(pool);
        assert_memory_equal(s.other, s.x, s.images * s.rows * width * sizeof *s.x);
    }
    run(&s, NULL, s.other, 1, 1); /* the second picture alone */
    assert_memory_equal(s.other, s.x + s.rows * width, s.rows * width * sizeof *s.x);
    close_scene(&s);
}

static void sizes(void)
{
    for (int class_row = 0; class_row < 2; class_row++) {
        check(3, 12, 20, class_row);
        check(1, 5, 7, class_row);
        check(4, 4, 33, class_row); /* one patch */
        check(5, 35, 16, class_row);
    }
}

/* 27 whole patches in 384 pixels: what lies beyond is not seen. */
static void pixels_beyond_whole_patches_are_not_seen(void **state)
{
    (void)state;
    check(4, 11, 9, false);
    check(3, 14, 9, true);
    scene s = open_scene(4, 11, 9, false);
    run(&s, NULL, s.x, 0, s.images);
    for (size_t i = 0; i < s.images * 3 * 11; i++)
        for (size_t e = 8; e < 11; e++) s.pixels[i * 11 + e] = NAN; /* columns beyond */
    for (size_t c = 0; c < s.images * 3; c++)
        for (size_t e = 8 * 11; e < 11 * 11; e++) s.pixels[c * 121 + e] = NAN; /* lines beyond */
    run(&s, NULL, s.other, 0, s.images);
    assert_memory_equal(s.other, s.x, s.images * s.rows * s.width * sizeof *s.x);
    close_scene(&s);
}

static void rows_match_the_convolution(void **state)
{
    (void)state;
    test_each_path(sizes);
}

/* The token's row is `first` and its position to the last bit, whatever lay in the scratch before. */
static void the_first_row_is_the_token(void **state)
{
    (void)state;
    scene s = open_scene(2, 6, 19, true);
    for (size_t i = 0; i < s.images * s.rows * s.k; i++) s.scratch[i] = NAN;
    run(&s, NULL, s.x, 0, s.images);
    for (size_t b = 0; b < s.images; b++)
        for (size_t o = 0; o < s.width; o++)
            assert_true(s.x[b * s.rows * s.width + o] == s.first[o] + s.pos[o]);
    for (size_t i = 0; i < s.images * s.rows * s.width; i++) assert_true(isfinite(s.x[i]));
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_match_the_convolution),
        cmocka_unit_test(pixels_beyond_whole_patches_are_not_seen),
        cmocka_unit_test(the_first_row_is_the_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
