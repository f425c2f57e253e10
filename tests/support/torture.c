/* SPDX-License-Identifier: MIT
 * torture.c - the failing allocator of the tests. */
#include "test.h"

#include <malloc.h>
#include <stdatomic.h>

#if defined(__GLIBC__)
#include <execinfo.h>
#else
/* Where nobody tells who called, eight allocations one after the other are one place. */
static int backtrace(void **calls, int n)
{
    static atomic_ullong asked;
    (void)n;
    calls[0] = (void *)(uintptr_t)(atomic_fetch_add(&asked, 1) / 8);
    return 1;
}
#endif

static atomic_long live_blocks;
static atomic_long calls_left; /* allocations that still succeed; negative: all do */
static atomic_long fail_in;    /* the allocation that fails alone; 0: none */
static atomic_size_t live_bytes, peak_bytes;

static bool allowed(void)
{
    if (atomic_load(&fail_in) > 0 && atomic_fetch_sub(&fail_in, 1) == 1) return false;
    long left = atomic_load(&calls_left);
    if (left < 0) return true;
    if (left == 0) return false;
    atomic_fetch_sub(&calls_left, 1);
    return true;
}

static atomic_long taken_blocks;

/* Where the allocations of a run were asked for, while they are noted: a hash of the calls that led there. */
enum { MOST_ALLOCATIONS = 100000, CALLS = 16 };
static uint64_t *places;
static long places_from;

static void note_place(long taken)
{
    void *calls[CALLS];
    const long at = taken - places_from;
    if (!places || at >= MOST_ALLOCATIONS) return;
    const int n = backtrace(calls, CALLS);
    uint64_t hash = 1;
    for (int i = 0; i < n; i++) hash = (hash ^ (uint64_t)(uintptr_t)calls[i]) * UINT64_C(0x9e3779b97f4a7c15);
    places[at] = hash;
}

static void count_bytes(void *block)
{
    const size_t now = atomic_fetch_add(&live_bytes, malloc_usable_size(block)) + malloc_usable_size(block);
    size_t peak = atomic_load(&peak_bytes);
    while (now > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, now)) {
    }
}

static void uncount_bytes(void *block)
{
    atomic_fetch_sub(&live_bytes, malloc_usable_size(block));
}

static void *counted_get(size_t n, void *context)
{
    (void)context;
    note_place(atomic_fetch_add(&taken_blocks, 1));
    if (!allowed()) return NULL;
    void *block = malloc(n);
    if (!block) return NULL;
    atomic_fetch_add(&live_blocks, 1);
    count_bytes(block);
    return block;
}

static void *counted_resize(void *old, size_t n, void *context)
{
    (void)context;
    note_place(atomic_fetch_add(&taken_blocks, 1));
    if (!allowed()) return NULL;
    const size_t before = malloc_usable_size(old);
    void *block = realloc(old, n);
    if (!block) return NULL;
    atomic_fetch_sub(&live_bytes, before);
    count_bytes(block);
    if (!old) atomic_fetch_add(&live_blocks, 1);
    return block;
}

static void counted_free(void *block, void *context)
{
    (void)context;
    if (block) atomic_fetch_sub(&live_blocks, 1);
    uncount_bytes(block);
    free(block);
}

void test_count_start(void)
{
    atomic_store(&calls_left, -1);
    mopd_allocator a = {counted_get, counted_resize, counted_free, NULL};
    assert_ok(mopd_runtime_set_allocator(&a));
}

void test_fail_once(long n)
{
    atomic_store(&fail_in, n);
}

long test_count_live(void)
{
    return atomic_load(&live_blocks);
}

size_t test_count_peak(void)
{
    const size_t peak = atomic_load(&peak_bytes);
    atomic_store(&peak_bytes, atomic_load(&live_bytes));
    return peak;
}

long test_count_taken(void)
{
    return atomic_load(&taken_blocks);
}

/* gcc's build without a sanitizer lets every allocation fail in turn.  Others ask each place, the calls that led there, once
 * more: its first allocation, with AddressSanitizer its last, too; the slowest ask one of STEP of them. */
#if defined(__has_feature)
#define UNDER(sanitizer) __has_feature(sanitizer)
#else
#define UNDER(sanitizer) 0
#endif
#if defined(__SANITIZE_THREAD__)
enum { BY_PLACES = 1, FIRST = 1, LAST = 0, STEP = 5 };
#elif defined(__clang__)
enum { BY_PLACES = 1, FIRST = 1, LAST = UNDER(address_sanitizer), STEP = UNDER(memory_sanitizer) ? 2 : 1 };
#else
enum { BY_PLACES = 0, FIRST = 0, LAST = 0, STEP = 1 };
#endif

/* Notes the places of all allocations of one run that succeeds; NULL where every allocation is to fail. */
static uint64_t *places_of(mopd_status (*body)(void *ctx), void *ctx, long *n)
{
    if (!BY_PLACES) return NULL;
    places_from = test_count_taken();
    places = calloc(MOST_ALLOCATIONS, sizeof *places);
    assert_non_null(places);
    assert_ok(body(ctx));
    *n = test_count_taken() - places_from;
    uint64_t *noted = places;
    places = NULL;
    return noted;
}

/* Whether the nth allocation is one that this build lets fail. */
static bool asked(const uint64_t *noted, long n_noted, long n)
{
    if (!noted || n >= n_noted) return true;
    long before = 0, after = 0;
    for (long i = 0; i < n; i++) before += noted[i] == noted[n];
    for (long i = n + 1; i < n_noted; i++) after += noted[i] == noted[n];
    return before < FIRST || (LAST && after == 0);
}

void test_torture(mopd_status (*body)(void *ctx), void *ctx)
{
    long n_noted = 0, n_asked = 0;
    test_count_start();
    uint64_t *noted = places_of(body, ctx, &n_noted);
    for (long n = 0;; n++) {
        if (n >= MOST_ALLOCATIONS) fail_msg("still failing after %ld allocations", n);
        if (!asked(noted, n_noted, n) || n_asked++ % STEP) continue;
        long before = test_count_live();
        atomic_store(&calls_left, n);
        mopd_status st = body(ctx);
        atomic_store(&calls_left, -1);
        if (test_count_live() != before)
            fail_msg("allocation %ld failed: %ld blocks leaked", n, test_count_live() - before);
        if (st == MOPD_OK) break;
        if (st != MOPD_E_NOMEM)
            fail_msg("allocation %ld failed: %s: %s", n, mopd_status_name(st), mopd_last_error());
    }
    free(noted);
}
