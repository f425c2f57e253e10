/* SPDX-License-Identifier: MIT
 * test_squeeze.c - a map times gates of its own means, against double precision; one picture in company, threads. */
#include "test.h"

#include "layer/squeeze.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"
#include "support/plain.h"

typedef struct scene {
    size_t images, height, width, channels, reduced;
    float *x, *y, *scratch, *w[2], *bias[2];
    mo_squeeze squeeze;
} scene;

static void pack(mo_linear *out, float **w, float **bias, size_t n, size_t k, uint32_t seed)
{
    *w = test_floats(n * k, seed);
    *bias = test_floats(n, seed + 1);
    const mo_view weight = {.data = *w, .dtype = MO_F32, .n_dims = 2, .shape = {n, k}, .n = n * k},
                  b = {.data = *bias, .dtype = MO_F32, .n_dims = 1, .shape = {n}, .n = n};
    assert_ok(mo_linear_pack(out, &(mo_linear_part){.weight = &weight, .bias = &b}, 1));
}

static scene open_scene(const size_t size[5])
{
    scene s = {
        .images = size[0], .height = size[1], .width = size[2], .channels = size[3], .reduced = size[4]};
    const size_t n = s.images * s.height * s.width * s.channels;
    s.x = test_floats(n, 1);
    s.y = test_floats(n, 2);
    pack(&s.squeeze.reduce, &s.w[0], &s.bias[0], s.reduced, s.channels, 3);
    pack(&s.squeeze.expand, &s.w[1], &s.bias[1], s.channels, s.reduced, 5);
    const size_t floats = mo_squeeze_scratch(&s.squeeze, s.images);
    assert_int_equal(floats, s.images * (s.channels + s.reduced));
    s.scratch = test_floats(floats, 7);
    return s;
}

static void close_scene(scene *s)
{
    mo_squeeze_free(&s->squeeze);
    assert_null(s->squeeze.reduce.bias);
    mo_mem_free(s->x), mo_mem_free(s->y), mo_mem_free(s->scratch);
    for (int i = 0; i < 2; i++) mo_mem_free(s->w[i]), mo_mem_free(s->bias[i]);
}

/* gate [C] of one picture */
static void gates(const scene *s, double *gate, const float *x)
{
    const size_t positions = s->height * s->width, c = s->channels;
    double *mean = plain_make(c), *small = plain_make(s->reduced);
    for (size_t i = 0; i < positions * c; i++) mean[i % c] += (double)x[i] / (double)positions;
    for (size_t r = 0; r < s->reduced; r++) {
        double sum = (double)s->bias[0][r];
        for (size_t i = 0; i < c; i++) sum += (double)s->w[0][r * c + i] * mean[i];
        small[r] = sum > 0 ? sum : 0;
    }
    for (size_t i = 0; i < c; i++) {
        double sum = (double)s->bias[1][i];
        for (size_t r = 0; r < s->reduced; r++) sum += (double)s->w[1][i * s->reduced + r] * small[r];
        gate[i] = 1 / (1 + exp(-sum));
    }
    free(mean), free(small);
}

static void matches_double(const scene *s, mo_act act)
{
    const size_t picture = s->height * s->width * s->channels;
    double *gate = plain_make(s->channels);
    for (size_t i = 0; i < s->images * picture; i++) {
        if (i % picture == 0) gates(s, gate, s->x + i);
        assert_near_at(s->y[i], plain_act((double)s->x[i] * gate[i % s->channels], act), 2e-6,
            "number %zu of %zu x %zu x %zu", i, s->height, s->width, s->channels);
    }
    free(gate);
}

static void run(scene *s, float *y, mo_pool *pool, mo_act act, size_t first, size_t n)
{
    const size_t picture = s->height * s->width * s->channels;
    memcpy(y, s->x + first * picture, n * picture * sizeof *y);
    mo_squeeze_fwd(pool, y, &s->squeeze, act, s->scratch, (size_t[]){n, s->height, s->width});
}

static void check(const size_t size[5], mo_act act)
{
    scene s = open_scene(size);
    const size_t picture = s.height * s.width * s.channels;
    run(&s, s.y, NULL, act, 0, s.images);
    matches_double(&s, act);
    float *other = test_floats(s.images * picture, 8);
    for (size_t threads = 2; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        run(&s, other, pool, act, 0, s.images);
        mo_pool_free(pool);
        assert_memory_equal(other, s.y, s.images * picture * sizeof *other);
    }
    run(&s, other, NULL, act, s.images - 1, 1);
    assert_memory_equal(other, s.y + (s.images - 1) * picture, picture * sizeof *other);
    mo_mem_free(other);
    close_scene(&s);
}

static void sizes(void)
{
    check((size_t[]){3, 4, 5, 24, 6}, MO_ACT_GELU);
    check((size_t[]){2, 1, 1, 7, 1}, MO_ACT_NONE);
    check((size_t[]){1, 3, 2, 33, 8}, MO_ACT_GELU);
}

static void maps_match_double(void **state)
{
    (void)state;
    test_each_path(sizes);
}

static void nothing_is_freed_twice(void **state)
{
    (void)state;
    mo_squeeze none = {0};
    mo_squeeze_free(&none);
    mo_squeeze_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_match_double),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
