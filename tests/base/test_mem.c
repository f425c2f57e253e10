/* SPDX-License-Identifier: MIT
 * test_mem.c - blocks of the one allocator: aligned, counted, resized, refused. */
#include "test.h"

#include "base/buf.h"
#include "base/fence.h"
#include "base/map.h"
#include "base/mem.h"

static void blocks_start_at_64_and_keep_their_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n += 7) {
        unsigned char *p = mo_mem_alloc(n, 1);
        assert_int_equal((uintptr_t)p % 64, 0);
        memset(p, 0xab, n);
        p = mo_mem_realloc(p, n + 1000, 1);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0xab);
        mo_mem_free(p);
    }
    assert_int_equal(mo_mem_live(), 0);
}

static void allocator_cannot_change_under_live_blocks(void **state)
{
    (void)state;
    const mopd_allocator half = {0};
    void *p = mo_mem_alloc(1, 1);
    assert_fails(mopd_runtime_set_allocator(NULL), MOPD_E_STATE, "1 blocks");
    mo_mem_free(p);
    assert_ok(mopd_runtime_set_allocator(NULL));
    assert_fails(mopd_runtime_set_allocator(&half), MOPD_E_ARG, "all needed");
}

static void products_and_sums_are_checked(void **state)
{
    (void)state;
    static const struct {
        size_t a, b;
        bool product, sum;
    } cases[] = {{0, SIZE_MAX, true, true}, {SIZE_MAX, 1, true, false}, {SIZE_MAX, 2, false, false},
        {SIZE_MAX / 2, 2, true, true}, {SIZE_MAX / 2 + 1, 2, false, true}, {3, 5, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t x = 77;
        assert_int_equal(mo_mul(cases[i].a, cases[i].b, &x), cases[i].product);
        if (cases[i].product) assert_int_equal(x, cases[i].a * cases[i].b);
        assert_int_equal(mo_add(cases[i].a, cases[i].b, &x), cases[i].sum);
        if (cases[i].sum) assert_int_equal(x, cases[i].a + cases[i].b);
    }
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    void *block = mo_mem_alloc(10, 1);
    memset(block, 5, 10);
    assert_null(mo_mem_alloc(SIZE_MAX / 2, 3));
    assert_non_null(strstr(mopd_last_error(), "out of memory"));
    assert_null(mo_mem_alloc(SIZE_MAX, 1)); /* the room in front of a block would not fit */
    assert_null(mo_mem_calloc(SIZE_MAX, 2));
    assert_null(mo_mem_realloc(block, SIZE_MAX, 2));
    assert_null(mo_mem_strndup("", SIZE_MAX));
    for (int i = 0; i < 10; i++)
        assert_int_equal(((unsigned char *)block)[i], 5); /* what there was is untouched */
    mo_mem_free(block);
    assert_int_equal(mo_mem_live(), 0);
}

static void cleared_blocks_are_zero(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 63, 64, 65, 4096, 100000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        unsigned char *dirty = mo_mem_alloc(sizes[s], 1);
        memset(dirty, 0xff, sizes[s]);
        mo_mem_free(dirty);
        unsigned char *p = mo_mem_calloc(sizes[s], 1);
        for (size_t i = 0; i < sizes[s]; i++) assert_int_equal(p[i], 0);
        mo_mem_free(p);
    }
}

static void nothing_is_a_block_too(void **state)
{
    (void)state;
    void *none = mo_mem_alloc(0, 8), *other = mo_mem_alloc(5, 0);
    assert_non_null(none);
    assert_non_null(other);
    assert_ptr_not_equal(none, other);
    assert_int_equal(mo_mem_live(), 2);
    none = mo_mem_realloc(none, 3, 100); /* and grows from there */
    memset(none, 1, 300);
    mo_mem_free(none);
    mo_mem_free(other);
    mo_mem_free(NULL);
    assert_int_equal(mo_mem_live(), 0);
}

static void resizing_null_allocates_and_shrinking_keeps_the_front(void **state)
{
    (void)state;
    unsigned char *p = mo_mem_realloc(NULL, 1000, 1);
    for (int i = 0; i < 1000; i++) p[i] = (unsigned char)i;
    p = mo_mem_realloc(p, 10, 1);
    for (int i = 0; i < 10; i++) assert_int_equal(p[i], i);
    mo_mem_free(p);
    assert_int_equal(mo_mem_live(), 0);
}

static void large_blocks_are_whole(void **state)
{
    (void)state;
    const size_t n = ((size_t)5 << 20) + 13; /* more than two huge pages and not a multiple */
    unsigned char *p = mo_mem_alloc(n, 1);
    assert_non_null(p);
    for (size_t i = 0; i < n; i += 4093) p[i] = (unsigned char)i;
    p[n - 1] = 9;
    p = mo_mem_realloc(p, 2 * n, 1);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (size_t i = 0; i < n - 1; i += 4093) assert_int_equal(p[i], (unsigned char)i);
    assert_int_equal(p[n - 1], 9);
    mo_mem_free(p);
}

/* A size that the system refuses; where sanitizers would end the program for asking, one that is refused before. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__) ||                   \
    SIZE_MAX == UINT32_MAX
#define LARGEST (SIZE_MAX / 2 + 1)
#else
#define LARGEST (SIZE_MAX / 4)
#endif

/* Sizes around a huge page, grown and shrunk across it, keep their bytes; the system is asked for no more than
 * it has. */
static void blocks_grow_and_shrink_across_a_huge_page(void **state)
{
    (void)state;
    const size_t huge = (size_t)2 << 20;
    const size_t sizes[] = {huge - 200, huge - 64, huge, huge + 1, 3 * huge + 5, 100, 5 * huge, 1};
    for (size_t from = 0; from < 8; from++)
        for (size_t to = 0; to < 8; to++) {
            unsigned char *p = mo_mem_alloc(sizes[from], 1);
            assert_non_null(p);
            const size_t kept = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
            for (size_t i = 0; i < sizes[from]; i += 997) p[i] = (unsigned char)(i / 997);
            p = mo_mem_realloc(p, sizes[to], 1);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 64, 0);
            for (size_t i = 0; i < kept; i += 997) assert_int_equal(p[i], (unsigned char)(i / 997));
            memset(p, 1, sizes[to]);
            mo_mem_free(p);
        }
    assert_null(mo_mem_alloc(LARGEST, 1));
    assert_null(mo_mem_alloc(SIZE_MAX / 2 + 7, 1));
    unsigned char *p = mo_mem_alloc(3 * huge, 1);
    p[3 * huge - 1] = 7;
    assert_null(mo_mem_realloc(p, LARGEST, 1));
    assert_null(mo_mem_realloc(p, SIZE_MAX - 100, 1));
    assert_int_equal(p[3 * huge - 1], 7); /* is as it was */
    mo_mem_free(p);
    assert_int_equal(mo_mem_live(), 0);
}

/* Bytes of memory that this process has, 0 where the system does not tell. */
static size_t resident(void)
{
    unsigned long long all = 0, here = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%llu %llu", &all, &here) != 2) here = 0;
    if (f) fclose(f);
    return (size_t)here * 4096;
}

/* malloc would keep what it once had for its next blocks. */
static void large_blocks_go_back_to_the_system(void **state)
{
    (void)state;
    enum { N = 16 };
    const size_t size = (size_t)8 << 20;
    void *block[N], *small[N];
    const size_t before = resident();
    if (!before) skip();
    for (int i = 0; i < N; i++) {
        block[i] = mo_mem_alloc(size, 1);
        small[i] = mo_mem_alloc(100, 1);
        assert_true(block[i] && small[i]);
        memset(block[i], 1, size);
    }
    const size_t full = resident();
    for (int i = 0; i < N; i++) mo_mem_free(block[i]);
    const size_t after = resident();
    for (int i = 0; i < N; i++) mo_mem_free(small[i]);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
    assert_true(full >= before + N * size / 2);
    assert_true(after < before + size);
#else
    (void)full, (void)after;
#endif
}

static void texts_are_copied_to_their_length(void **state)
{
    (void)state;
    char *whole = mo_mem_strdup("caf\xc3\xa9"), *part = mo_mem_strndup("abcdef", 3),
         *empty = mo_mem_strndup("x", 0);
    assert_string_equal(whole, "caf\xc3\xa9");
    assert_string_equal(part, "abc");
    assert_string_equal(empty, "");
    mo_mem_free(whole);
    mo_mem_free(part);
    mo_mem_free(empty);
}

/* An allocator of a host that aligns to 8 bytes only, as malloc may. */
typedef struct host {
    size_t live, shift, size;
} host;

static void *host_get(size_t n, void *context)
{
    host *h = context;
    h->live++;
    h->size = n;
    h->shift = (h->shift + 8) % 64; /* another alignment each time */
    unsigned char *raw = malloc(n + 72);
    size_t at = 8 + h->shift;
    raw[at - 1] = (unsigned char)at;
    return raw + at;
}

static void host_free(void *block, void *context)
{
    host *h = context;
    if (!block) return;
    h->live--;
    unsigned char *p = block;
    free(p - p[-1]);
}

static void *host_resize(void *block, size_t n, void *context)
{
    const size_t old = ((host *)context)->size; /* of the only block there is */
    unsigned char *to = host_get(n, context);
    memcpy(to, block, n < old ? n : old);
    host_free(block, context);
    return to;
}

static void an_allocator_of_the_host_may_align_to_8(void **state)
{
    (void)state;
    host h = {0};
    assert_ok(mo_mem_set_allocator(&(mopd_allocator){host_get, host_resize, host_free, &h}));
    for (size_t n = 1; n < 100; n++) {
        unsigned char *p = mo_mem_alloc(n, 1);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++) p[i] = (unsigned char)(i * 3);
        p = mo_mem_realloc(p, n + 30, 1);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++) assert_int_equal(p[i], (unsigned char)(i * 3));
        assert_int_equal(h.live, 1);
        mo_mem_free(p);
    }
    assert_int_equal(h.live, 0);
    assert_ok(mo_mem_set_allocator(NULL));
}

#if MO_FENCE
/* The sanitizer's own. NOLINTNEXTLINE(bugprone-reserved-identifier) */
extern int __asan_address_is_poisoned(void const volatile *address);
#define FENCED(address) __asan_address_is_poisoned(address)

/* Before a block and behind it, whatever lies there to align it; in a text's spare room; behind a file in its last page. */
static void steps_beyond_an_end_are_seen(void **state)
{
    (void)state;
    for (size_t n = 1; n < 200; n++) {
        unsigned char *block = mo_mem_alloc(n, 1);
        assert_true(FENCED(block - 1) && !FENCED(block) && !FENCED(block + n - 1) && FENCED(block + n));
        block = mo_mem_realloc(block, 2 * n, 1);
        assert_true(FENCED(block - 1) && !FENCED(block + 2 * n - 1) && FENCED(block + 2 * n));
        mo_mem_free(block);
    }
    mo_buf text = {0};
    for (size_t i = 0; i < 300; i++) {
        assert_ok(mo_buf_adds(&text, "ab"));
        assert_true(!FENCED(text.data + text.size) &&
                    (text.size + 1 == text.cap || FENCED(text.data + text.size + 1)));
    }
    mo_buf_free(&text);
    mo_map map;
    assert_ok(mo_map_open(&map, test_write("ten", "0123456789", 10), false));
    assert_true(!FENCED(map.data + 9) && FENCED(map.data + 10) && FENCED(map.data + 4095));
    mo_map_close(&map);
}
#else
static void steps_beyond_an_end_are_seen(void **state)
{
    (void)state;
    skip();
}
#endif

static void memory_that_is_left_is_told(void **state)
{
    (void)state;
    assert_true(mo_mem_left(0) && mo_mem_left(1) && mo_mem_left((size_t)1 << 20));
    assert_false(mo_mem_left(SIZE_MAX));
    assert_false(mo_mem_left(SIZE_MAX > UINT32_MAX ? SIZE_MAX / 4 : SIZE_MAX / 8 * 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_start_at_64_and_keep_their_bytes),
        cmocka_unit_test(allocator_cannot_change_under_live_blocks),
        cmocka_unit_test(products_and_sums_are_checked),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(cleared_blocks_are_zero),
        cmocka_unit_test(nothing_is_a_block_too),
        cmocka_unit_test(resizing_null_allocates_and_shrinking_keeps_the_front),
        cmocka_unit_test(large_blocks_are_whole),
        cmocka_unit_test(blocks_grow_and_shrink_across_a_huge_page),
        cmocka_unit_test(large_blocks_go_back_to_the_system),
        cmocka_unit_test(texts_are_copied_to_their_length),
        cmocka_unit_test(an_allocator_of_the_host_may_align_to_8),
        cmocka_unit_test(steps_beyond_an_end_are_seen),
        cmocka_unit_test(memory_that_is_left_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
