/* SPDX-License-Identifier: MIT
 * test_vision.c - how pictures are shared out among threads, seen by a tower that only notes what it is given;
 * and the memory of the real ones, counted and taken. */
#include "test.h"

#include <stdatomic.h>

#include "base/pool.h"
#include "clip/vision_inner.h"
#include "support/folders.h"
#include "support/needs.h"

enum { SIDE = 2, PICTURE = 3 * SIDE * SIDE, MOST = 40 };

/* A tower of one feature: the sum of a picture's pixels. */
typedef struct notes {
    mo_vision base;
    atomic_size_t n_open, n_closed, n_runs, largest;
    size_t fail_at; /* which open fails; 0: none */
    size_t asked;   /* pictures that work memory was asked for */
} notes;

static size_t note_bytes(const mo_vision *v, const mo_pool *pool, size_t n)
{
    (void)v, (void)pool;
    return n;
}

static mopd_status note_open(void **work, const mo_vision *v, const mo_pool *pool, size_t n)
{
    notes *t = (notes *)(uintptr_t)v;
    (void)pool;
    *work = NULL;
    t->asked = n;
    if (atomic_fetch_add(&t->n_open, 1) + 1 == t->fail_at) return MOPD_E_NOMEM;
    *work = t;
    return MOPD_OK;
}

static void note_run(void *work, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    notes *t = work;
    (void)pool;
    atomic_fetch_add(&t->n_runs, 1);
    size_t largest = atomic_load(&t->largest);
    while (n > largest && !atomic_compare_exchange_weak(&t->largest, &largest, n)) {
    }
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (size_t k = 0; k < PICTURE; k++) sum += pixels[i * PICTURE + k];
        out[i] += sum; /* a picture that is run twice shows */
    }
}

static void note_close(void *work)
{
    if (work) atomic_fetch_add(&((notes *)work)->n_closed, 1);
}

static notes make_notes(size_t chunk, size_t lane, size_t most)
{
    return (notes){.base = {.image = SIDE,
                       .dim = 1,
                       .chunk = chunk,
                       .lane = lane,
                       .most = most,
                       .bytes = note_bytes,
                       .open = note_open,
                       .run = note_run,
                       .close = note_close}};
}

static void check_sums(const float *pixels, const float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (size_t k = 0; k < PICTURE; k++) sum += pixels[i * PICTURE + k];
        assert_true(out[i] == sum);
    }
}

static void every_picture_is_run_once(void **state)
{
    (void)state;
    static float pixels[MOST * PICTURE];
    static const size_t sizes[][3] = {
        {1, 1, 16}, {8, 1, 16}, {8, 3, 16}, {4, 4, 2}, {5, 2, 1}, {3, 100, 100}};
    test_random(pixels, MOST * PICTURE, 3);
    for (size_t threads = 1; threads <= 4; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (size_t n = 1; n <= MOST; n++) {
                float out[MOST] = {0};
                notes t = make_notes(sizes[s][0], sizes[s][1], sizes[s][2]);
                assert_ok(mo_vision_fwd(&t.base, pool, pixels, n, out));
                check_sums(pixels, out, n);
                assert_int_equal(t.n_open, t.n_closed);
                const size_t limit = sizes[s][0] > sizes[s][1] ? sizes[s][0] : sizes[s][1];
                assert_in_range(t.largest, 1, limit);
                assert_true(t.n_open <= MO_VISION_LANES + 1);
            }
        }
        mo_pool_free(pool);
    }
}

/* Threads of their own only where each has pictures, and no more of them than the tower allows. */
static void lanes_are_opened_where_they_help(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    static const struct {
        size_t threads, chunk, lane, most, n, opened;
    } cases[] = {
        {4, 8, 2, 16, 3, 1},  /* fewer pictures than threads */
        {4, 8, 2, 16, 4, 4},  /* one each */
        {4, 8, 2, 16, 8, 4},  /* two each */
        {4, 8, 2, 16, 9, 5},  /* and one left over */
        {4, 8, 2, 3, 8, 1},   /* memory for three lanes only */
        {4, 8, 2, 100, 8, 4}, /* the limit of lanes is not reached */
        {1, 8, 2, 16, 8, 1},
    };
    static float pixels[9 * PICTURE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_pool *pool;
        float out[9] = {0};
        notes t = make_notes(cases[i].chunk, cases[i].lane, cases[i].most);
        assert_ok(mo_pool_create(&pool, cases[i].threads));
        assert_ok(mo_vision_fwd(&t.base, pool, pixels, cases[i].n, out));
        if (t.n_open != cases[i].opened) fail_msg("case %zu: %zu opened", i, (size_t)t.n_open);
        mo_pool_free(pool);
    }
}

/* Chunks are equal: seven pictures by at most four are 4 + 3 in one lane, never 4 + 2 + 1. */
static void chunks_are_even(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    static float pixels[MOST * PICTURE];
    static const size_t cases[][4] = {/* threads, lane, n; runs */
        {1, 4, 7, 2}, {1, 4, 8, 2}, {1, 4, 9, 3}, {2, 4, 10, 4}, {2, 4, 16, 4}, {3, 5, 30, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_pool *pool;
        float out[MOST] = {0};
        notes t = make_notes(4, cases[i][1], 16);
        assert_ok(mo_pool_create(&pool, cases[i][0]));
        assert_ok(mo_vision_fwd(&t.base, pool, pixels, cases[i][2], out));
        if (t.n_runs != cases[i][3]) fail_msg("case %zu: %zu runs", i, (size_t)t.n_runs);
        assert_int_equal(t.largest, (cases[i][2] + cases[i][3] - 1) / cases[i][3]);
        mo_pool_free(pool);
    }
}

/* Whichever lane has no memory: nothing runs, and the others are closed. */
static void a_lane_without_memory_ends_the_call(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    static float pixels[9 * PICTURE];
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, 4));
    for (size_t fail_at = 1; fail_at <= 5; fail_at++) {
        float out[9] = {0};
        notes t = make_notes(8, 2, 16);
        t.fail_at = fail_at;
        assert_int_equal(mo_vision_fwd(&t.base, pool, pixels, 9, out), MOPD_E_NOMEM);
        assert_int_equal(t.n_closed, fail_at - 1);
        assert_int_equal(t.n_open, fail_at);
        assert_int_equal(t.n_runs, fail_at == 5 ? 4 : 0); /* the fifth is for what is left over */
    }
    mo_pool_free(pool);
}

/* ---- the real towers ---- */

static size_t last_asked; /* bytes of the last block that the library asked for */

static void *asked_get(size_t n, void *context)
{
    (void)context;
    last_asked = n;
    return malloc(n);
}

static void *asked_resize(void *block, size_t n, void *context)
{
    (void)context;
    return realloc(block, n);
}

static void asked_free(void *block, void *context)
{
    (void)context;
    free(block);
}

/* What is counted is what is taken: every block asked for is the bytes counted and the allocator's own few. */
static void work_memory_is_known_before(void **state)
{
    (void)state;
    static const char *const models[] = {
        FOLDERS_GOLD "hf", FOLDERS_GOLD "openclip", FOLDERS_GOLD "openai/tiny.pt", FOLDERS_GOLD "locked"};
    const mopd_allocator a = {asked_get, asked_resize, asked_free, NULL};
    size_t own = 0;
    assert_ok(mopd_runtime_set_allocator(&a));
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        for (uint32_t threads = 1; threads <= 3; threads++) {
            mopd_encoder *e = folder_open(models[m], threads);
            const mo_vision *v = e->vision;
            assert_ok(v->prepare(v));
            for (size_t n = 1; n <= 3; n++) {
                void *work;
                const size_t bytes = v->bytes(v, e->pool, n);
                last_asked = 0;
                assert_ok(v->open(&work, v, e->pool, n));
                if (!own) own = last_asked - bytes;
                assert_in_range(own, 1, 255);
                assert_int_equal(last_asked, bytes + own);
                v->close(work);
            }
            v->close(NULL);
            mo_encoder_close(e);
        }
    }
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_picture_is_run_once),
        cmocka_unit_test(lanes_are_opened_where_they_help),
        cmocka_unit_test(chunks_are_even),
        cmocka_unit_test(a_lane_without_memory_ends_the_call),
        cmocka_unit_test(work_memory_is_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
