/* SPDX-License-Identifier: MIT
 * test.h - cmocka with its includes, and what the tests share. */
#ifndef MOPD_TEST_H
#define MOPD_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#ifdef _WIN32
#include "support/windows.h"
#elif defined(__APPLE__)
#include "support/darwin/barrier.h"
#endif
#include "mopd/mopd.h"

/* Seconds after which a test that waits for another thread or process fails instead of hanging.  Nothing else
 * hangs on it, so it is far longer than the busiest machine needs. */
#define TEST_PATIENCE 300

/* A pause of a millisecond in a loop that waits since `begun`; false when patience is over. */
bool test_pause(time_t begun);

/* How often a test repeats something with other numbers: sanitizers are slow, and see the same each time. */
#if defined(MOPD_SANITIZED)
#define TEST_TIMES(usual, sanitized) (sanitized)
#else
#define TEST_TIMES(usual, sanitized) (usual)
#endif

/* Asserts MOPD_OK and shows the library's message otherwise. */
#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        mopd_status st_ = (call);                                                                            \
        if (st_ != MOPD_OK) fail_msg("%s: %s: %s", #call, mopd_status_name(st_), mopd_last_error());         \
    } while (0)

/* Asserts that a call fails with `want` and that its message contains `words`. */
#define assert_fails(call, want, words)                                                                      \
    do {                                                                                                     \
        mopd_status st_ = (call);                                                                            \
        if (st_ != (want) || !strstr(mopd_last_error(), words))                                              \
            fail_msg("%s: %s: %s; expected %s with \"%s\"", #call, mopd_status_name(st_), mopd_last_error(), \
                #want, words);                                                                               \
    } while (0)

/* name below a temporary folder of this test program, removed when it ends; the text lives as long. */
const char *test_path(const char *name);

/* Writes n bytes as test_path(name) and returns that path. */
const char *test_write(const char *name, const void *bytes, size_t n);

/* A text file's bytes and a zero byte behind them, to be freed. */
char *test_read(const char *path);

/* Torture: runs body(ctx) with the 1st, 2nd, 3rd ... allocation failing until it returns MOPD_OK.  Every
 * other run must return NOMEM and leave no block alive.  Goes through mopd_runtime_set_allocator, so it works
 * in all folders.  Only gcc's build without a sanitizer asks every allocation: torture.c. */
void test_torture(mopd_status (*body)(void *ctx), void *ctx);

/* The nth allocation from now on fails, and no other; 0: none does.  After test_count_start. */
void test_fail_once(long n);

/* Blocks of the library alive now, counted by an allocator that test_count_start installs. */
void test_count_start(void);
long test_count_live(void);
/* The most bytes of the library that were alive at once since the last call. */
size_t test_count_peak(void);
/* Blocks asked for since the program began, by that allocator. */
long test_count_taken(void);

/* Largest |a - b|. */
double test_max_diff(const float *a, const float *b, size_t n);

/* Repeatable floats in [-1, 1). */
void test_random(float *x, size_t n, uint32_t seed);

#endif
