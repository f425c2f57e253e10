/* SPDX-License-Identifier: MIT
 * test_tile.c - the micro-kernel of every CPU path: tiles of every size against double precision, what is added
 * as they are written, what stays untouched, and bits that depend on the row and the column alone. */
#include "test.h"

#include "support/near.h"
#include "support/paths.h"

enum { ROWS = 9, PANELS = 3, LDA = MO_TILE_K + 4, LDC = 56, PANEL = MO_TILE_K * 16 };

static float a[ROWS * LDA + 1], w[PANELS * PANEL], add[ROWS * LDC + 1], bias[PANELS * 16 + 1],
    c[ROWS * LDC + 1];

static void fill(void)
{
    test_random(a, sizeof a / sizeof *a, 1);
    test_random(w, sizeof w / sizeof *w, 2);
    test_random(add, sizeof add / sizeof *add, 3);
    test_random(bias, sizeof bias / sizeof *bias, 4);
    for (size_t i = 0; i < sizeof bias / sizeof *bias; i++) bias[i] *= 9;
}

/* From odd addresses. */
static mo_tile tile_of(size_t m, size_t n, size_t k)
{
    return (mo_tile){.m = m,
        .n = n,
        .k = k,
        .a = a + 1,
        .lda = LDA,
        .w = w,
        .panel = PANEL,
        .c = c + 1,
        .ldc = LDC,
        .ldadd = LDC,
        .next_every = 1};
}

static double element(const mo_tile *t, size_t i, size_t j)
{
    double sum = (t->add ? (double)t->add[i * t->ldadd + j] : 0) + (t->bias ? (double)t->bias[j] : 0);
    for (size_t p = 0; p < t->k; p++)
        sum += (double)t->a[i * t->lda + p] * (double)t->w[j / 16 * t->panel + p * 16 + j % 16];
    return !(t->top > 0) ? sum : sum < 0 ? 0 : sum > (double)t->top ? (double)t->top : sum;
}

static void check(const mo_tile *t)
{
    memset(c, 0x5a, sizeof c);
    mo_kern_get()->tile(t);
    for (size_t at = 0; at < sizeof c / sizeof *c; at++) {
        const size_t i = (at - 1) / LDC, j = (at - 1) % LDC;
        if (at && i < t->m && j < t->n)
            assert_near_at(
                c[at], element(t, i, j), 2e-5, "%zu x %zu x %zu at %zu, %zu", t->m, t->n, t->k, i, j);
        else
            assert_int_equal(((unsigned char *)(c + at))[0], 0x5a);
    }
}

static void every_size(void)
{
    static const size_t depths[] = {1, 15, 16, 17, 86, 171, 256};
    const mo_kern *kern = mo_kern_get();
    fill();
    for (size_t m = 1; m <= kern->tile_rows; m++)
        for (size_t n = 1; n <= 16 * kern->tile_panels; n++)
            for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
                mo_tile t = tile_of(m, n, depths[d]);
                const size_t what = m + n + d;
                t.add = what & 1 ? add + 1 : NULL;
                t.bias = what & 2 ? bias + 1 : NULL;
                t.top = !(what & 4) ? 0 : n % 2 ? 6 : INFINITY;
                t.next = what & 8 ? w : NULL; /* fetching ahead writes nothing */
                t.next_every = 1 + what % 20;
                check(&t);
            }
}

static void tiles_of_every_size_match_double(void **state)
{
    (void)state;
    test_each_path(every_size);
}

/* The sum, then what is added, then the bias, then the clamp: floats about 1e8 lie 8 apart and lose 3 twice. */
static void order(void)
{
    const size_t n = 16 * mo_kern_get()->tile_panels, m = mo_kern_get()->tile_rows;
    for (size_t part = 0; part < 2; part++) { /* whole panels and a part of one */
        mo_tile t = tile_of(m, n - part * 3, 4);
        for (size_t i = 0; i < sizeof a / sizeof *a; i++) a[i] = 0.75f;
        for (size_t i = 0; i < sizeof w / sizeof *w; i++) w[i] = 1;
        for (size_t i = 0; i < sizeof add / sizeof *add; i++) add[i] = 1e8f;
        for (size_t i = 0; i < sizeof bias / sizeof *bias; i++) bias[i] = 3;
        t.add = add, t.bias = bias;
        mo_kern_get()->tile(&t);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < t.n; j++) assert_true(t.c[i * LDC + j] == 1e8f);
        t.top = 6;
        mo_kern_get()->tile(&t);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < t.n; j++) assert_true(t.c[i * LDC + j] == 6);
    }
}

static void what_is_added_comes_before_the_bias(void **state)
{
    (void)state;
    test_each_path(order);
}

/* A number that is none is not clamped to one. */
static void nan_stays(void)
{
    fill();
    a[1] = NAN; /* of row 0 */
    for (size_t n = 13; n <= 16; n += 3) {
        mo_tile t = tile_of(2, n, 4);
        t.top = 6;
        mo_kern_get()->tile(&t);
        for (size_t j = 0; j < n; j++) assert_true(isnan(t.c[j]) && !isnan(t.c[LDC + j]));
    }
}

static void a_nan_is_not_clamped(void **state)
{
    (void)state;
    test_each_path(nan_stays);
}

static void in_place(void)
{
    const mo_kern *kern = mo_kern_get();
    fill();
    for (size_t n = 1; n <= 16 * kern->tile_panels; n += 5) {
        static float want[ROWS * LDC + 1];
        mo_tile t = tile_of(kern->tile_rows, n, 100);
        t.add = add + 1;
        kern->tile(&t);
        memcpy(want, c, sizeof c);
        memcpy(c, add, sizeof c);
        t.add = t.c;
        kern->tile(&t);
        for (size_t i = 0; i < t.m; i++)
            assert_memory_equal(t.c + i * LDC, want + 1 + i * LDC, n * sizeof *c);
    }
}

static void what_is_added_may_be_the_result(void **state)
{
    (void)state;
    test_each_path(in_place);
}

/* Each element alone, as the one row and column of a tile, has the bits that it has among others. */
static void alone(void)
{
    const mo_kern *kern = mo_kern_get();
    fill();
    for (size_t ahead = 0; ahead < 2; ahead++) {
        mo_tile t = tile_of(kern->tile_rows, 16 * kern->tile_panels, 131);
        t.bias = bias, t.next = ahead ? w : NULL;
        kern->tile(&t);
        for (size_t i = 0; i < t.m; i++)
            for (size_t j = 0; j < t.n; j += 16) {
                float one[16];
                const mo_tile part = {.m = 1,
                    .n = 1 + (i + j) % 16,
                    .k = t.k,
                    .a = t.a + i * LDA,
                    .lda = 1,
                    .w = w + j / 16 * PANEL,
                    .c = one,
                    .ldc = 1,
                    .bias = bias + j,
                    .next_every = 1};
                kern->tile(&part);
                assert_memory_equal(one, t.c + i * LDC + j, part.n * sizeof *one);
            }
    }
}

static void bits_depend_on_row_and_column_alone(void **state)
{
    (void)state;
    test_each_path(alone);
}

/* What gemm.c and attention_full.c count on. */
static void sizes(void)
{
    const mo_kern *kern = mo_kern_get();
    assert_true(kern->tile_rows >= 1 && kern->tile_rows <= ROWS);
    assert_true(kern->tile_panels >= 1 && kern->tile_panels <= PANELS);
    assert_true(kern->depth >= 1 && kern->depth <= MO_TILE_DEPTH);
    assert_true(kern->group >= 16 * kern->tile_panels && kern->group % 16 == 0);
}

static void sizes_are_what_their_users_have_room_for(void **state)
{
    (void)state;
    test_each_path(sizes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_of_every_size_match_double),
        cmocka_unit_test(what_is_added_comes_before_the_bias),
        cmocka_unit_test(a_nan_is_not_clamped),
        cmocka_unit_test(what_is_added_may_be_the_result),
        cmocka_unit_test(bits_depend_on_row_and_column_alone),
        cmocka_unit_test(sizes_are_what_their_users_have_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
