/* SPDX-License-Identifier: MIT
 * patch.c - patches of a picture gathered into rows [L x 3pp] and multiplied by the patch weights. */
#include "layer/patch.h"

#include <string.h>

#include "base/ints.h"
#include "math/kern.h"

size_t mo_patch_rows(const mo_patch *patch)
{
    const size_t n = patch->side / patch->patch;
    return n * n + !patch->no_class;
}

size_t mo_patch_scratch(const mo_patch *patch, size_t n_images)
{
    return mo_times(mo_times(n_images, mo_patch_rows(patch)), patch->linear.w.k);
}

typedef struct job {
    const mo_patch *patch;
    const mo_kern *kern;
    const float *pixels, *first, *pos;
    float *x, *rows;
    size_t n_rows, before; /* of a picture; of these, those before the patches */
} job;

/* One line of patches of one picture; the row of the class token is made of zeros. */
static void gather_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t p = j->patch->patch, side = j->patch->side, n = side / p, k = 3 * p * p;
    const size_t image = task / n, line = task % n;
    const float *from = j->pixels + image * 3 * side * side + line * p * side;
    float *to = j->rows + image * j->n_rows * k;
    if (!line) memset(to, 0, j->before * k * sizeof *to);
    to += (j->before + line * n) * k;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++)
            for (size_t y = 0; y < p; y++)
                memcpy(to + i * k + (c * p + y) * p, from + (c * side + y) * side + i * p, p * sizeof *to);
}

/* Positions onto one picture's rows. */
static void add_positions(void *ctx, size_t image)
{
    const job *j = ctx;
    const size_t w = j->patch->linear.w.n;
    float *x = j->x + image * j->n_rows * w;
    if (j->before) j->kern->add(x, j->first, j->pos, w);
    for (size_t r = j->before; r < j->n_rows; r++) j->kern->add(x + r * w, x + r * w, j->pos + r * w, w);
}

void mo_patch_fwd(
    mo_pool *pool, float *x, const float *pixels, const mo_patch *patch, const mo_patch_call *call)
{
    job j = {.patch = patch,
        .kern = mo_kern_get(),
        .pixels = pixels,
        .first = call->first,
        .pos = call->pos,
        .x = x,
        .rows = call->scratch,
        .n_rows = mo_patch_rows(patch),
        .before = !patch->no_class};
    mo_pool_run(pool, call->n_images * (patch->side / patch->patch), gather_line, &j);
    mo_linear_fwd(
        pool, x, call->scratch, &patch->linear, &(mo_linear_call){.rows = call->n_images * j.n_rows});
    mo_pool_run(pool, call->n_images, add_positions, &j);
}
