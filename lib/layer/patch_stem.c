/* SPDX-License-Identifier: MIT
 * patch_stem.c - cells in the order in which they become patches, so that each of the three is one product over rows
 * that lie as they were written.
 *
 *     of a patch     quarters 0 1   of a quarter   cells 0 1      rows: patch, quarter, cell
 *                             2 3                        2 3
 *
 * Four rows of cells, side by side, are one row of a quarter's inputs, and four of quarters one of a patch's. */
#include "layer/patch_stem.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"

/* to [n x k x k x in] = from [n x in x k x k], for inputs whose neighbours lie side by side. */
static void reorder(float *to, const mo_patch_stem_part *p)
{
    const size_t taps = p->k * p->k;
    for (size_t o = 0; o < p->n; o++)
        for (size_t i = 0; i < p->in; i++)
            for (size_t t = 0; t < taps; t++)
                to[(o * taps + t) * p->in + i] = p->w[(o * p->in + i) * taps + t];
}

static mopd_status pack_part(mo_linear *out, const mo_patch_stem_part *p, bool pixels, mo_precision precision)
{
    const size_t k = p->in * p->k * p->k;
    float *w = mo_mem_alloc(p->n * k, sizeof *w);
    if (!w) return MOPD_E_NOMEM;
    if (pixels)
        memcpy(w, p->w, p->n * k * sizeof *w);
    else
        reorder(w, p);
    const mo_view view = {.data = w, .dtype = MO_F32, .n_dims = 2, .shape = {p->n, k}, .n = p->n * k},
                  bias = {.data = p->bias, .dtype = MO_F32, .n_dims = 1, .shape = {p->n}, .n = p->n};
    mopd_status st = mo_linear_pack(out, &(mo_linear_part){.weight = &view, .bias = &bias}, 1);
    mo_mem_free(w);
    return st == MOPD_OK ? mo_mat_quantize_edge(&out->w, precision) : st;
}

mopd_status mo_patch_stem_pack(
    mo_patch_stem *out, const mo_patch_stem_part part[3], const size_t size[2], mo_precision precision)
{
    *out = (mo_patch_stem){.side = size[0], .patch = size[1]};
    mopd_status st = pack_part(&out->cell, &part[0], true, precision);
    if (st == MOPD_OK) st = pack_part(&out->quarter, &part[1], false, precision);
    if (st == MOPD_OK) st = pack_part(&out->whole, &part[2], false, precision);
    if (st != MOPD_OK) mo_patch_stem_free(out);
    return st;
}

void mo_patch_stem_free(mo_patch_stem *stem)
{
    if (!stem) return;
    mo_linear_free(&stem->cell);
    mo_linear_free(&stem->quarter);
    mo_linear_free(&stem->whole);
}

/* Patches of a picture, and floats of each of the three products' inputs and results that are kept. */
static size_t patches_of(const mo_patch_stem *s)
{
    return (s->side / s->patch) * (s->side / s->patch);
}

size_t mo_patch_stem_scratch(const mo_patch_stem *s)
{
    return mo_times(patches_of(s), 16 * (s->cell.w.k + s->cell.w.n) + 4 * s->quarter.w.n);
}

typedef struct job {
    const mo_patch_stem *stem;
    const float *pixels;
    float *rows; /* [patches x 16 x 3 c c] */
} job;

/* One patch's sixteen cells. */
static void gather_patch(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t side = j->stem->side, p = j->stem->patch, c = p / 4, n = side / p;
    float *to = j->rows + task * 16 * j->stem->cell.w.k;
    for (size_t cell = 0; cell < 16; cell++) {
        const size_t y = task / n * p + (cell / 8 * 2 + cell / 2 % 2) * c,
                     x = task % n * p + (cell / 4 % 2 * 2 + cell % 2) * c;
        for (size_t plane = 0; plane < 3; plane++)
            for (size_t line = 0; line < c; line++, to += c)
                memcpy(to, j->pixels + (plane * side + y + line) * side + x, c * sizeof *to);
    }
}

/* x [patches x W] of one picture. */
static void do_picture(mo_pool *pool, float *x, const job *j, const float *pos)
{
    const mo_patch_stem *s = j->stem;
    const size_t n = patches_of(s);
    float *cells = j->rows + n * 16 * s->cell.w.k, *quarters = cells + n * 16 * s->cell.w.n;
    mo_pool_run(pool, n, gather_patch, (void *)j);
    mo_linear_fwd(pool, cells, j->rows, &s->cell, &(mo_linear_call){.rows = n * 16, .act = MO_ACT_GELU});
    mo_linear_fwd(pool, quarters, cells, &s->quarter, &(mo_linear_call){.rows = n * 4, .act = MO_ACT_GELU});
    mo_linear_fwd(pool, x, quarters, &s->whole, &(mo_linear_call){.rows = n, .residual = pos});
}

void mo_patch_stem_fwd(
    mo_pool *pool, float *x, const float *pixels, const mo_patch_stem *stem, const mo_patch_stem_call *call)
{
    const size_t w = stem->whole.w.n, rows = patches_of(stem) + 1;
    for (size_t i = 0; i < call->n_images; i++, x += rows * w) {
        const job j = {stem, pixels + i * 3 * stem->side * stem->side, call->scratch};
        memcpy(x, call->first, w * sizeof *x);
        do_picture(pool, x + w, &j, call->pos);
    }
}
