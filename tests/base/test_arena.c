/* SPDX-License-Identifier: MIT
 * test_arena.c - working memory of a call: what is counted is what is handed out. */
#include "test.h"

#include "base/arena.h"
#include "base/mem.h"

static void arena_hands_out_what_it_counted(void **state)
{
    (void)state;
    mo_arena a = {0};
    assert_null(mo_arena_floats(&a, 5));
    assert_null(mo_arena_floats(&a, 33));
    assert_ok(mo_arena_open(&a));
    float *x = mo_arena_floats(&a, 5), *y = mo_arena_floats(&a, 33);
    assert_int_equal((char *)y - (char *)x, 64);
    assert_null(mo_arena_floats(&a, 1)); /* more than was counted */
    mo_arena_close(&a);
    assert_int_equal(mo_mem_live(), 0);
}

static void sizes_that_overflow_stay_overflowed(void **state)
{
    (void)state;
    mo_arena a = {0};
    assert_null(mo_arena_floats(&a, SIZE_MAX / 2));
    assert_null(mo_arena_floats(&a, 1)); /* nothing after it makes the size good again */
    assert_fails(mo_arena_open(&a), MOPD_E_NOMEM, "overflows");
    mo_arena b = {0};
    assert_null(mo_arena_take(&b, SIZE_MAX - 200, 1));
    assert_null(mo_arena_take(&b, 300, 1)); /* the sum overflows, each alone does not */
    assert_fails(mo_arena_open(&b), MOPD_E_NOMEM, "overflows");
    assert_int_equal(mo_mem_live(), 0);
}

typedef struct pieces {
    float *f;
    uint32_t *u;
    unsigned char *b;
    double *none;
} pieces;

/* The same lines count and take. */
static void take(pieces *p, mo_arena *a, size_t n)
{
    p->f = mo_arena_floats(a, n);
    p->u = mo_arena_take(a, 2 * n + 1, sizeof *p->u);
    p->b = mo_arena_take(a, n % 7, 1);
    p->none = mo_arena_take(a, 0, sizeof *p->none);
}

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    for (size_t n = 1; n < 200; n += 13) {
        mo_arena a = {0};
        pieces p;
        take(&p, &a, n);
        const size_t counted = a.used;
        assert_ok(mo_arena_open(&a));
        take(&p, &a, n);
        assert_int_equal(a.used, counted);
        assert_int_equal((uintptr_t)p.f % 64, 0);
        assert_int_equal((uintptr_t)p.u % 64, 0);
        assert_int_equal((uintptr_t)p.b % 64, 0);
        memset(p.f, 1, n * sizeof *p.f);
        memset(p.u, 2, (2 * n + 1) * sizeof *p.u);
        memset(p.b, 3, n % 7);
        for (size_t i = 0; i < n * sizeof *p.f; i++) assert_int_equal(((unsigned char *)p.f)[i], 1);
        for (size_t i = 0; i < (2 * n + 1) * sizeof *p.u; i++) assert_int_equal(((unsigned char *)p.u)[i], 2);
        mo_arena_close(&a);
    }
    assert_int_equal(mo_mem_live(), 0);
}

static void blocks_come_from_a_pool_and_go_back(void **state)
{
    (void)state;
    mo_buffer_pool pool = {.limit = 1 << 20};
    void *first = NULL;
    for (int round = 0; round < 3; round++) {
        mo_arena a = {.pool = &pool};
        mo_arena_floats(&a, 1000);
        assert_ok(mo_arena_open(&a));
        if (!first) first = a.base;
        assert_ptr_equal(a.base, first); /* the block of the round before */
        assert_non_null(mo_arena_floats(&a, 1000));
        mo_arena_close(&a);
        assert_int_equal(mo_mem_live(), 1);
    }
    mo_buffer_pool_end(&pool);
    assert_int_equal(mo_mem_live(), 0);
}

static void closing_twice_or_unopened_is_nothing(void **state)
{
    (void)state;
    mo_arena a = {0};
    mo_arena_floats(&a, 10);
    mo_arena_close(&a);
    mo_arena_close(&a);
    assert_int_equal(a.used, 0);
    assert_int_equal(mo_mem_live(), 0);
}

/* Takes through the arena's own loop. */
static void take_some(mo_arena *a, void *ctx)
{
    take(ctx, a, 50);
}

static void filling_counts_and_takes(void **state)
{
    (void)state;
    mo_arena a = {0};
    pieces p = {0};
    const size_t bytes = mo_arena_count(take_some, &p);
    assert_int_equal(bytes, 4 * 64 + 7 * 64 + 64); /* 200, 404, 1 and 0 bytes */
    assert_null(p.f);
    assert_ok(mo_arena_fill(&a, take_some, &p));
    assert_int_equal(a.cap, bytes);
    assert_ptr_equal(p.f, a.base);
    assert_ptr_equal(p.b, a.base + 11 * 64);
    mo_arena_close(&a);
    assert_null(a.base);
}

/* Another number of bytes each time. */
static void take_unevenly(mo_arena *a, void *ctx)
{
    size_t *n = ctx;
    mo_arena_take(a, *n *= 2, 1);
}

static void takes_that_differ_are_a_failure(void **state)
{
    (void)state;
    mo_arena a = {0};
    size_t n = 100, huge = SIZE_MAX / 2;
    assert_fails(mo_arena_fill(&a, take_unevenly, &n), MOPD_E_INTERNAL, "256 bytes counted, 448 taken");
    assert_null(a.base);
    assert_int_equal(a.used, 0);
    assert_true(mo_arena_count(take_unevenly, &huge) == SIZE_MAX);
    huge = SIZE_MAX / 2;
    assert_fails(mo_arena_fill(&a, take_unevenly, &huge), MOPD_E_NOMEM, "overflows");
    assert_int_equal(a.used, 0);
    assert_int_equal(mo_mem_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_hands_out_what_it_counted),
        cmocka_unit_test(sizes_that_overflow_stay_overflowed),
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(blocks_come_from_a_pool_and_go_back),
        cmocka_unit_test(closing_twice_or_unopened_is_nothing),
        cmocka_unit_test(filling_counts_and_takes),
        cmocka_unit_test(takes_that_differ_are_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
