/* SPDX-License-Identifier: MIT
 * test_buffer_pool.c - kept working memory: given again, bounded, one caller each. */
#include "test.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/mem.h"
#include "support/needs.h"

static void a_block_comes_back(void **state)
{
    (void)state;
    mo_buffer_pool s = {.limit = 10000};
    void *a = mo_buffer_pool_take(&s, 4000), *b = mo_buffer_pool_take(&s, 5000);
    assert_true(a && b && a != b);
    assert_int_equal((uintptr_t)a % 64, 0);
    mo_buffer_pool_give(&s, a);
    mo_buffer_pool_give(&s, b);
    mo_buffer_pool_give(&s, NULL);
    assert_ptr_equal(mo_buffer_pool_take(&s, 4500), b); /* the first is too small */
    assert_ptr_equal(mo_buffer_pool_take(&s, 100), a);
    void *c = mo_buffer_pool_take(&s, 100);
    assert_true(c && c != a && c != b);
    mo_buffer_pool_give(&s, a);
    mo_buffer_pool_give(&s, b);
    mo_buffer_pool_give(&s, c);
    mo_buffer_pool_end(&s);
    assert_int_equal(mo_mem_live(), 0);
}

static void no_more_is_kept_than_the_limit(void **state)
{
    (void)state;
    mo_buffer_pool s = {.limit = 1000};
    void *block[MO_BUFFER_POOL_BLOCKS + 4];
    for (size_t i = 0; i < MO_BUFFER_POOL_BLOCKS + 4; i++) block[i] = mo_buffer_pool_take(&s, 20);
    for (size_t i = 0; i < MO_BUFFER_POOL_BLOCKS + 4; i++) mo_buffer_pool_give(&s, block[i]);
    assert_int_equal(mo_mem_live(), MO_BUFFER_POOL_BLOCKS); /* places */
    mo_buffer_pool_give(&s, mo_buffer_pool_take(&s, 1001)); /* too large to keep */
    assert_int_equal(mo_mem_live(), MO_BUFFER_POOL_BLOCKS);
    mo_buffer_pool_give(&s, mo_buffer_pool_take(&s, 1000)); /* newer ones push older ones out */
    assert_int_equal(mo_mem_live(), 1);
    void *large = mo_buffer_pool_take(&s, 900);
    assert_int_equal(mo_mem_live(), 1);
    mo_buffer_pool_give(&s, large);
    assert_null(mo_buffer_pool_take(&s, SIZE_MAX));
    mo_buffer_pool_end(&s);
    assert_int_equal(mo_mem_live(), 0);
}

static void an_arena_gives_its_block_back(void **state)
{
    (void)state;
    mo_buffer_pool s = {.limit = 1 << 20};
    float *first = NULL;
    for (int i = 0; i < 3; i++) {
        mo_arena a = {.pool = &s};
        mo_arena_floats(&a, 100);
        assert_ok(mo_arena_open(&a));
        float *x = mo_arena_floats(&a, 100);
        if (!first) first = x;
        assert_ptr_equal(x, first);
        mo_arena_close(&a);
    }
    mo_buffer_pool_end(&s);
    assert_int_equal(mo_mem_live(), 0);
}

enum { CALLERS = 4, ROUNDS = 3000 };

/* Each caller writes its mark over its block and finds it there. */
static void *caller(void *arg)
{
    mo_buffer_pool *s = arg;
    long bad = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        const size_t n = 64 + 64 * (i % 7);
        volatile unsigned char *block = mo_buffer_pool_take(s, n);
        const unsigned char mark = (unsigned char)(i ^ (uintptr_t)&bad >> 4);
        for (size_t j = 0; j < n; j += 16) block[j] = mark;
        for (size_t j = 0; j < n; j += 16) bad += block[j] != mark;
        mo_buffer_pool_give(s, (void *)(uintptr_t)block);
    }
    return (void *)(uintptr_t)bad;
}

static void callers_never_share_a_block(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    mo_buffer_pool s = {.limit = 1000};
    pthread_t thread[CALLERS];
    for (int i = 0; i < CALLERS; i++) assert_int_equal(pthread_create(&thread[i], NULL, caller, &s), 0);
    for (int i = 0; i < CALLERS; i++) {
        void *bad;
        pthread_join(thread[i], &bad);
        assert_null(bad);
    }
    assert_true(atomic_load(&s.bytes) <= s.limit);
    mo_buffer_pool_end(&s);
    assert_int_equal(atomic_load(&s.bytes), 0);
    assert_int_equal(mo_mem_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_comes_back),
        cmocka_unit_test(no_more_is_kept_than_the_limit),
        cmocka_unit_test(an_arena_gives_its_block_back),
        cmocka_unit_test(callers_never_share_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
