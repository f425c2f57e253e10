/* SPDX-License-Identifier: MIT
 * gradient.h - for tests of backward passes: central differences. */
#ifndef MOPD_TESTS_SUPPORT_GRADIENT_H
#define MOPD_TESTS_SUPPORT_GRADIENT_H

#include "base/mem.h"
#include "test.h"

/* y [n_y] of x [n_x]; r [n_y] weighs the outputs; dx [n_x] is what the backward pass says for dy = r. */
typedef struct test_gradient {
    const char *name;
    void (*fwd)(float *y, const float *x, void *ctx);
    void *ctx;
    float *x; /* as it was when the test is over */
    size_t n_x, n_y;
    const float *r, *dx;
    size_t step; /* every so many elements of x are tried */
    double most; /* allowed beside one part of dx */
} test_gradient;

/* sum(y r) at x[i] = value. */
static inline double test_gradient_sum(const test_gradient *g, float *y, size_t i, float value)
{
    const float keep = g->x[i];
    double sum = 0;
    g->x[i] = value;
    g->fwd(y, g->x, g->ctx);
    g->x[i] = keep;
    for (size_t j = 0; j < g->n_y; j++) sum += (double)y[j] * (double)g->r[j];
    return sum;
}

static inline void test_gradient_check(const test_gradient *g)
{
    const float h = 1.0f / 128;
    float *y = mo_mem_alloc(g->n_y, sizeof *y);
    assert_non_null(y);
    for (size_t i = 0; i < g->n_x; i += g->step) {
        const double up = test_gradient_sum(g, y, i, g->x[i] + h),
                     down = test_gradient_sum(g, y, i, g->x[i] - h);
        const double want = (up - down) / (2 * (double)h);
        if (!(fabs(want - (double)g->dx[i]) <= g->most * (1 + fabs(want))))
            fail_msg("%s: dx[%zu] = %g, differences say %g", g->name, i, (double)g->dx[i], want);
    }
    mo_mem_free(y);
}

#endif
