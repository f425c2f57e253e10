/* SPDX-License-Identifier: MIT
 * norm.c - layer normalisation forward and backward, row by row through the kernel table; L2 normalisation.
 * */
#include "layer/norm.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "math/kern.h"

#define TASK_ROWS 32

typedef struct job {
    const mo_kern *kern;
    const mo_norm *norm;
    float *out;
    const float *x, *dy;
    float *stats;
    const float *kept;
    size_t rows;
} job;

static size_t last_row(const job *j, size_t task)
{
    return mo_min((task + 1) * TASK_ROWS, j->rows);
}

static void fwd_task(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t dim = j->norm->dim;
    const float *gb[2] = {j->norm->gamma, j->norm->beta};
    for (size_t r = task * TASK_ROWS; r < last_row(j, task); r++) {
        float stats[2];
        j->kern->norm(j->out + r * dim, j->x + r * dim, gb, j->norm->eps, dim, stats);
        if (j->stats) memcpy(j->stats + 2 * r, stats, sizeof stats);
    }
}

void mo_norm_fwd(mo_pool *pool, float *y, const float *x, const mo_norm *norm, float *stats, size_t rows)
{
    job j = {.kern = mo_kern_get(), .norm = norm, .out = y, .x = x, .stats = stats, .rows = rows};
    mo_pool_run(pool, mo_ceil_div(rows, TASK_ROWS), fwd_task, &j);
}

static void bwd_task(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t dim = j->norm->dim;
    for (size_t r = task * TASK_ROWS; r < last_row(j, task); r++)
        j->kern->norm_bwd(
            j->out + r * dim, j->dy + r * dim, j->x + r * dim, j->norm->gamma, j->kept + 2 * r, dim);
}

void mo_norm_bwd(mo_pool *pool, const mo_norm *norm, const mo_norm_grad *g, size_t rows)
{
    job j = {.kern = mo_kern_get(),
        .norm = norm,
        .out = g->dx,
        .x = g->x,
        .dy = g->dy,
        .kept = g->stats,
        .rows = rows};
    mo_pool_run(pool, mo_ceil_div(rows, TASK_ROWS), bwd_task, &j);
}
