/* SPDX-License-Identifier: MIT
 * mean_pool.c - the mean over the positions of feature maps. */
#include "layer/mean_pool.h"

#include <string.h>

#include "math/kern.h"

typedef struct mean_job {
    const mo_kern *kern;
    const float *x;
    float *y;
    size_t positions, channels;
} mean_job;

static void mean_of(void *ctx, size_t image)
{
    const mean_job *j = ctx;
    float *y = j->y + image * j->channels;
    memset(y, 0, j->channels * sizeof *y);
    for (size_t p = 0; p < j->positions; p++)
        j->kern->add(y, y, j->x + (image * j->positions + p) * j->channels, j->channels);
    j->kern->scale(y, 1.0f / (float)j->positions, y, j->channels);
}

void mo_mean_pool_fwd(mo_pool *pool, float *y, const float *x, const size_t shape[3], size_t channels)
{
    mean_job j = {mo_kern_get(), x, y, shape[1] * shape[2], channels};
    mo_pool_run(pool, shape[0], mean_of, &j);
}
