/* SPDX-License-Identifier: MIT
 * kernels.h - for tests of a table of kernels: all that this CPU has. */
#ifndef MOPD_TESTS_SUPPORT_KERNELS_H
#define MOPD_TESTS_SUPPORT_KERNELS_H

#include "support/paths.h"

/* `kernels`, n_kernels of them, and find_kernels, which looks for them before the tests: what `get` has on each path, once, and
 * what behind(kern) says that it stands in front of there, or NULL. */
#define TEST_KERNELS(type, get, behind)                                                                      \
    static const type *kernels[6];                                                                           \
    static size_t n_kernels;                                                                                 \
                                                                                                             \
    static int find_kernels(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        for (size_t i = 0; i < TEST_N_PATHS; i++) {                                                          \
            if (mo_kern_cpu_set(test_paths[i]) != MOPD_OK) continue;                                         \
            const type *kern = get();                                                                        \
            if (!n_kernels || kernels[n_kernels - 1] != kern) kernels[n_kernels++] = kern;                   \
            if (behind(kern)) kernels[n_kernels++] = behind(kern);                                           \
        }                                                                                                    \
        return mo_kern_cpu_set(NULL) == MOPD_OK ? 0 : -1;                                                    \
    }

#endif
