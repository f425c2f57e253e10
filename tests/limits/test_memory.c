/* SPDX-License-Identifier: MIT
 * test_memory.c - what opening a hostile file takes: 16 bytes of memory for each of the file's at most, or 256 MB.
 *
 * Counted are the blocks that the library asks its allocator for and, where the C library lets a program do so, all
 * others of the process: jansson's values and what sorting takes.
 *
 * test_limits_memory make N FOLDER NAME... writes such files of N entries, for growth.py, and with open for make it opens
 * them; without a name all. */
#include "limits/hostile.h"

#include <malloc.h>

static size_t live, peak;

static void count(size_t more, size_t less)
{
    live += more;
    live -= less < live ? less : live;
    if (live > peak) peak = live;
}

#if defined(__GLIBC__) && !defined(MOPD_SANITIZED)
#define EXPORTED __attribute__((visibility("default")))

/* glibc's own. NOLINTBEGIN(bugprone-reserved-identifier) */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t n);
extern void __libc_free(void *block);
/* NOLINTEND(bugprone-reserved-identifier) */

EXPORTED void *malloc(size_t n)
{
    void *block = __libc_malloc(n);
    if (block) count(malloc_usable_size(block), 0);
    return block;
}

EXPORTED void *calloc(size_t n, size_t size)
{
    void *block = __libc_calloc(n, size);
    if (block) count(malloc_usable_size(block), 0);
    return block;
}

EXPORTED void *realloc(void *block, size_t n)
{
    const size_t before = block ? malloc_usable_size(block) : 0;
    void *moved = __libc_realloc(block, n);
    if (moved) count(malloc_usable_size(moved), before);
    return moved;
}

EXPORTED void free(void *block)
{
    if (!block) return;
    count(0, malloc_usable_size(block));
    __libc_free(block);
}

#define COUNT(more, less) (void)0
#else
#define COUNT(more, less) count(more, less)
#endif

static void *get(size_t n, void *context)
{
    (void)context;
    void *block = malloc(n);
    if (block) COUNT(malloc_usable_size(block), 0);
    return block;
}

static void *resize(void *block, size_t n, void *context)
{
    (void)context;
    const size_t before = block ? malloc_usable_size(block) : 0;
    void *moved = realloc(block, n);
    if (moved) COUNT(malloc_usable_size(moved), before);
    (void)before;
    return moved;
}

static void give(void *block, void *context)
{
    (void)context;
    if (block) COUNT(0, malloc_usable_size(block));
    free(block);
}

static const mopd_allocator counting = {get, resize, give, NULL};

static void check(const hostile *h)
{
    char path[600], folder[600];
    snprintf(folder, sizeof folder, "%s", test_path(h->name));
    const size_t size = hostile_make(h, TEST_TIMES(h->n, h->n / 10), folder, path), before = live;
    peak = live;
    const mopd_status st = h->open(path);
    const size_t taken = peak - before;
    if (getenv("MOPD_SHOW"))
        printf("%-14s %9zu bytes %10zu taken, %5.1f for each  %s %.120s\n", h->name, size, taken,
            (double)taken / (double)size, mopd_status_name(st), st == MOPD_OK ? "" : mopd_last_error());
    if (taken > 16 * size && taken > (size_t)256 << 20)
        fail_msg("%s: %zu bytes of memory for a file of %zu: %s", h->name, taken, size, mopd_status_name(st));
}

static void no_file_takes_more_than_its_budget(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_HOSTILES; i++) check(hostiles + i);
}

/* growth.py counts up to each call of this. */
extern void hostile_opened(const char *name, mopd_status st);
__attribute__((noinline)) void hostile_opened(const char *name, mopd_status st)
{
    printf("%s %s%s%s\n", name, mopd_status_name(st), st == MOPD_OK ? "" : ": ",
        st == MOPD_OK ? "" : mopd_last_error());
}

/* Each file in a folder of its own. */
static void make_or_open(const hostile *h, bool make, size_t n, const char *below)
{
    char path[600], folder[512];
    snprintf(folder, sizeof folder, "%s/%s", below, h->name);
    snprintf(path, sizeof path, "%.500s/%s", folder, h->file);
    if (make)
        hostile_make(h, n, folder, path);
    else
        hostile_opened(h->name, h->open(path));
}

static int by_hand(int argc, char **argv)
{
    const bool make = argc > 3 && !strcmp(argv[1], "make");
    if (argc < 4) return 2;
    hostile_opened("start", MOPD_OK);
    for (size_t i = 0; i < N_HOSTILES; i++) {
        bool wanted = argc == 4;
        for (int k = 4; k < argc; k++) wanted |= !strcmp(hostiles[i].name, argv[k]);
        if (wanted) make_or_open(hostiles + i, make, strtoul(argv[2], NULL, 10), argv[3]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) return by_hand(argc, argv);
    if (mopd_runtime_set_allocator(&counting) != MOPD_OK) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_file_takes_more_than_its_budget)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
