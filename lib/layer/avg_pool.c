/* SPDX-License-Identifier: MIT
 * avg_pool.c - four rows of channels added, and a quarter of them. */
#include "layer/avg_pool.h"

#include "math/kern.h"

typedef struct job {
    const mo_kern *kern;
    const float *x;
    float *y;
    size_t width, channels;
} job;

/* One output line: of the lines 2 task and 2 task + 1, counted through all pictures. */
static void do_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t c = j->channels, line = j->width * c;
    const float *a = j->x + 2 * task * line, *b = a + line;
    float *y = j->y + task * (j->width / 2) * c;
    for (size_t col = 0; col < j->width / 2; col++, a += 2 * c, b += 2 * c, y += c) {
        j->kern->add(y, a, a + c, c);
        j->kern->add(y, y, b, c);
        j->kern->add(y, y, b + c, c);
        j->kern->scale(y, 0.25f, y, c);
    }
}

void mo_avg_pool_fwd(mo_pool *pool, float *y, const float *x, const size_t shape[3], size_t channels)
{
    job j = {mo_kern_get(), x, y, shape[2], channels};
    mo_pool_run(pool, shape[0] * shape[1] / 2, do_line, &j);
}
