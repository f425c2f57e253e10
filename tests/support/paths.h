/* SPDX-License-Identifier: MIT
 * paths.h - for tests of internals: a body run on every CPU path. */
#ifndef MOPD_TESTS_SUPPORT_PATHS_H
#define MOPD_TESTS_SUPPORT_PATHS_H

#include "math/kern.h"
#include "test.h"

static const char *const test_paths[] = {"plain", "avx2", "avx512", "neon", "simd128"};
#define TEST_N_PATHS (sizeof test_paths / sizeof *test_paths)

/* Runs body once for every CPU path this machine has. */
static inline void test_each_path(void (*body)(void))
{
    int done = 0;
    for (size_t i = 0; i < TEST_N_PATHS; i++) {
        if (mo_kern_cpu_set(test_paths[i]) != MOPD_OK) continue;
        assert_string_equal(mo_kern_get()->name, test_paths[i]);
        body();
        done++;
    }
    assert_true(done >= 1);
    assert_ok(mo_kern_cpu_set(NULL));
}

#endif
