/* SPDX-License-Identifier: MIT
 * rope.c - one table of cosines and sines for all heads and layers; rows turned one by one. */
#include "layer/rope.h"

#include <math.h>

#include "base/mem.h"

#define TEMPERATURE 10000.0

void mo_rope_free(mo_rope *rope)
{
    if (!rope) return;
    mo_mem_free(rope->turn);
    *rope = (mo_rope){0};
}

/* The reference rounds positions' speeds and angles to float before it takes the sine: so does this. */
static void fill_half(float *to, size_t position, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float speed = 1.0f / (float)pow(TEMPERATURE, (double)((float)i / (float)n));
        const double angle = (double)((float)position * speed);
        to[2 * i] = (float)cos(angle);
        to[2 * i + 1] = (float)sin(angle);
    }
}

mopd_status mo_rope_make(mo_rope *out, size_t grid, size_t d, size_t before)
{
    *out = (mo_rope){.grid = grid, .d = d, .before = before};
    out->turn = mo_mem_alloc(grid * grid, d * sizeof *out->turn);
    if (!out->turn) return MOPD_E_NOMEM;
    for (size_t p = 0; p < grid * grid; p++) {
        fill_half(out->turn + p * d, p % grid + 1, d / 4);
        fill_half(out->turn + p * d + d / 2, p / grid + 1, d / 4);
    }
    return MOPD_OK;
}

/* The pairs of one head. */
static void turn_head(float *x, const float *turn, size_t d)
{
    for (size_t i = 0; i < d; i += 2) {
        const float a = x[i], b = x[i + 1], c = turn[i], s = turn[i + 1];
        x[i] = a * c - b * s;
        x[i + 1] = b * c + a * s;
    }
}

typedef struct job {
    float *qkv;
    const mo_rope *rope;
    size_t width;
} job;

/* A line of patches of one sequence. */
static void turn_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const mo_rope *r = j->rope;
    const size_t line = task % r->grid, seq = task / r->grid;
    float *row = j->qkv + (seq * (r->before + r->grid * r->grid) + r->before + line * r->grid) * 3 * j->width;
    for (size_t i = 0; i < r->grid; i++, row += 3 * j->width)
        for (size_t at = 0; at < 2 * j->width; at += r->d)
            turn_head(row + at, r->turn + (line * r->grid + i) * r->d, r->d);
}

void mo_rope_apply(mo_pool *pool, float *qkv, const mo_rope *rope, size_t n_seqs, size_t width)
{
    job j = {qkv, rope, width};
    mo_pool_run(pool, n_seqs * rope->grid, turn_line, &j);
}
