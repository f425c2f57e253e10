/* SPDX-License-Identifier: MIT
 * asked.h - for tests of openings: a callback that says stop at the question number `at`. */
#ifndef MOPD_TESTS_SUPPORT_ASKED_H
#define MOPD_TESTS_SUPPORT_ASKED_H

#include <stddef.h>

typedef struct asked {
    size_t n, at;
} asked;

static inline int answer(void *context)
{
    asked *a = context;
    return ++a->n == a->at;
}

#endif
