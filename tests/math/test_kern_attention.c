/* SPDX-License-Identifier: MIT
 * test_kern_attention.c - kernels over rows of keys, values and panels, on every CPU path: against double
 * precision, the same bits one row at a time, nothing touched beside. */
#include "test.h"

#include "base/ints.h"
#include "support/near.h"
#include "support/paths.h"

enum { MOST_D = 90, MOST_N = 14 };

/* Queries and keys of d floats, keys ld apart, at odd addresses. */
typedef struct scene {
    size_t d, n, ld;
    float q_room[MOST_D + 1], keys_room[MOST_N * (MOST_D + 3) + 2], p[MOST_N];
    float *q, *keys;
} scene;

static void fill(scene *s, size_t d, size_t n)
{
    *s = (scene){.d = d, .n = n, .ld = d + 3};
    s->q = s->q_room + 1;
    s->keys = s->keys_room + 1;
    test_random(s->q_room, MOST_D + 1, 1);
    test_random(s->keys_room, MOST_N * (MOST_D + 3) + 2, 2);
    test_random(s->p, MOST_N, 3);
}

static void (*body)(const scene *s);

static void on_live_path(void)
{
    static scene s;
    for (size_t d = 1; d < MOST_D; d += d < 20 ? 1 : 7)
        for (size_t n = 0; n < MOST_N; n++) {
            fill(&s, d, n);
            body(&s);
        }
}

/* Of every size on every path. */
static void test_each(void (*fn)(const scene *s))
{
    body = fn;
    test_each_path(on_live_path);
}

static void dots(const scene *s)
{
    const mo_kern *k = mo_kern_get();
    float got[MOST_N + 1], one;
    got[s->n] = 77;
    k->dots(got, s->q, s->keys, s->ld, s->n, s->d);
    for (size_t j = 0; j < s->n; j++) {
        assert_near(got[j], test_dot(s->q, s->keys + j * s->ld, s->d), 1e-5);
        k->dots(&one, s->q, s->keys + j * s->ld, s->ld, 1, s->d); /* a key alone: the same bits */
        assert_true(one == got[j]);
    }
    assert_true(got[s->n] == 77);
}

static void scores_match_double(void **state)
{
    (void)state;
    test_each(dots);
}

static void mix(const scene *s)
{
    const mo_kern *k = mo_kern_get();
    float y[MOST_D + 1], z[MOST_D];
    test_random(z, s->d, 4);
    memcpy(y, z, sizeof z);
    y[s->d] = 77;
    k->mix(y, s->p, s->keys, s->ld, s->n, s->d);
    for (size_t i = 0; i < s->d; i++) {
        double want = (double)z[i];
        for (size_t j = 0; j < s->n; j++) want += (double)s->p[j] * (double)s->keys[j * s->ld + i];
        assert_near(y[i], want, 5e-6);
    }
    assert_true(y[s->d] == 77);
    for (size_t j = 0; j < s->n; j++) k->mix(z, s->p + j, s->keys + j * s->ld, s->ld, 1, s->d);
    assert_memory_equal(y, z, s->d * sizeof *y); /* values one after the other: the same bits */
}

static void sums_of_values_match_double(void **state)
{
    (void)state;
    test_each(mix);
}

static void spread(const scene *s)
{
    static float rows[MOST_N * (MOST_D + 3) + 2];
    memcpy(rows, s->keys_room, sizeof rows);
    mo_kern_get()->spread(rows + 1, s->ld, s->p, s->q, s->n, s->d);
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        const size_t j = (at - 1) / s->ld, i = (at - 1) % s->ld;
        if (at && j < s->n && i < s->d)
            assert_near(rows[at], (double)s->keys_room[at] + (double)s->p[j] * (double)s->q[i], 2e-7);
        else
            assert_true(rows[at] == s->keys_room[at]); /* between the rows and about them nothing changes */
    }
}

static void rows_are_added_to(void **state)
{
    (void)state;
    test_each(spread);
}

enum { PANELS = 6, INPUTS = 96 };

static float weights[PANELS * 16 * INPUTS];

/* One row times weights in panels, whose outputs are added up. */
static void from_the_left(void)
{
    static float q[16 * PANELS + 1], y[INPUTS + 2];
    test_random(weights, sizeof weights / sizeof *weights, 1);
    test_random(q, sizeof q / sizeof *q, 2);
    for (size_t n = 16; n <= 16 * PANELS; n += 16)
        for (size_t k = 16; k <= INPUTS; k += 16) {
            y[k + 1] = 77;
            mo_kern_get()->product_transposed(y + 1, q + 1, weights, INPUTS * 16, n, k);
            for (size_t i = 0; i < k; i++) {
                double want = 0;
                for (size_t o = 0; o < n; o++)
                    want += (double)q[1 + o] * (double)weights[o / 16 * INPUTS * 16 + i * 16 + o % 16];
                assert_near_at(y[1 + i], want, 1e-5, "%zu outputs, input %zu of %zu", n, i, k);
            }
            assert_true(y[k + 1] == 77);
        }
}

static void products_from_the_left_match_double(void **state)
{
    (void)state;
    test_each_path(from_the_left);
}

/* An input's sum has the same bits however many inputs there are. */
static void inputs_alone(void)
{
    static float q[16 * PANELS], all[INPUTS], some[16];
    test_random(weights, sizeof weights / sizeof *weights, 1);
    test_random(q, sizeof q / sizeof *q, 2);
    mo_kern_get()->product_transposed(all, q, weights, INPUTS * 16, 16 * PANELS, INPUTS);
    for (size_t i = 0; i < INPUTS; i += 16) {
        mo_kern_get()->product_transposed(some, q, weights + i * 16, INPUTS * 16, 16 * PANELS, 16);
        assert_memory_equal(some, all + i, sizeof some);
    }
}

static void products_from_the_left_keep_their_bits(void **state)
{
    (void)state;
    test_each_path(inputs_alone);
}

static void packed(void)
{
    enum { LD = 75 };
    static float x[40 * LD + 1], to[48 * 70 + 1];
    test_random(x, 40 * LD + 1, 5);
    for (size_t n = 1; n <= 40; n++)
        for (size_t k = 1; k <= 70; k += 3) {
            const size_t floats = mo_round_up(n, 16) * k;
            memset(to, 0x5a, sizeof to);
            mo_kern_get()->pack(to, x + 1, LD, n, k);
            for (size_t j = 0; j < mo_round_up(n, 16); j++)
                for (size_t i = 0; i < k; i++)
                    assert_true(to[(j / 16 * k + i) * 16 + j % 16] == (j < n ? x[1 + j * LD + i] : 0));
            assert_int_equal(((unsigned char *)(to + floats))[0], 0x5a);
        }
}

static void rows_are_packed_with_zeros_behind(void **state)
{
    (void)state;
    test_each_path(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_match_double),
        cmocka_unit_test(sums_of_values_match_double),
        cmocka_unit_test(rows_are_added_to),
        cmocka_unit_test(products_from_the_left_match_double),
        cmocka_unit_test(products_from_the_left_keep_their_bits),
        cmocka_unit_test(rows_are_packed_with_zeros_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
