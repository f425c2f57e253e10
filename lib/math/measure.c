/* SPDX-License-Identifier: MIT
 * measure.c - tiles of the product are summed while they are in the first cache; nobody stores it. */
#include "math/measure.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/kern.h"
#include "math/mat.h"

enum { ROWS = 96, MOST_PANELS = 4, MOST_ROWS = 16, WIDE = MOST_PANELS * MO_PANEL };

typedef struct job {
    const mo_kern *kern;
    const mo_measure_args *of;
    float *panels;                  /* panel j: k x 16 */
    size_t n_panels, width, height; /* panels and rows of a tile */
} job;

/* Rows 16 j .. 16 j + 15 of the triangle as a panel, zeros beyond. */
static void pack_panel(void *ctx, size_t j)
{
    const job *p = ctx;
    const size_t k = p->of->k, first = j * MO_PANEL, n = mo_min(MO_PANEL, k - first);
    float *to = p->panels + j * k * MO_PANEL;
    memset(to, 0, k * MO_PANEL * sizeof *to);
    for (size_t c = 0; c < n; c++) {
        const double *row = p->of->triangle + (first + c) * k;
        for (size_t i = 0; i <= first + c; i++) to[i * MO_PANEL + c] = (float)row[i];
    }
}

/* Sixteen running sums of a row: a fixed order that registers may hold. */
typedef struct sums {
    float length[MO_PANEL], across[MO_PANEL];
} sums;

/* c (m x WIDE) = rows first .. first+m-1 by the panels from `panel` on. */
static void multiply(const job *j, float *c, const float *rows, size_t first, size_t m, size_t panel)
{
    const size_t k = j->of->k, ld = k + MO_MEASURE_GAP, width = mo_min(j->width, j->n_panels - panel),
                 deep = mo_min(k, (panel + width) * MO_PANEL);
    mo_tile t = {
        .m = m, .n = width * MO_PANEL, .lda = ld, .panel = k * MO_PANEL, .c = c, .ldc = WIDE, .ldadd = WIDE};
    for (size_t p = 0; p < deep; p += MO_TILE_K) {
        t.k = mo_min(MO_TILE_K, deep - p);
        t.a = rows + first * ld + p;
        t.w = j->panels + panel * k * MO_PANEL + p * MO_PANEL;
        t.add = p ? c : NULL;
        j->kern->tile(&t);
    }
}

static void add_tile(sums *sum, const float *r, const float *off, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++, r += WIDE)
        for (size_t c = 0; c < n; c += MO_PANEL)
            for (size_t k = 0; k < MO_PANEL; k++) {
                sum[i].length[k] += r[c + k] * r[c + k];
                if (off) sum[i].across[k] += r[c + k] * off[i * WIDE + c + k];
            }
}

static float total(const float sum[MO_PANEL])
{
    float all = 0;
    for (size_t k = 0; k < MO_PANEL; k++) all += sum[k];
    return all;
}

static void measure_rows(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t block = ROWS / j->height * j->height, first = task * block,
                 end = mo_min(first + block, j->of->m);
    _Alignas(64) float r[MOST_ROWS * WIDE], off[MOST_ROWS * WIDE];
    sums sum[ROWS] = {0};
    for (size_t panel = 0; panel < j->n_panels; panel += j->width)
        for (size_t i = first; i < end; i += j->height) {
            const size_t m = mo_min(j->height, end - i), n = mo_min(j->width, j->n_panels - panel) * MO_PANEL;
            multiply(j, r, j->of->rows, i, m, panel);
            if (j->of->off) multiply(j, off, j->of->off, i, m, panel);
            add_tile(sum + (i - first), r, j->of->off ? off : NULL, m, n);
        }
    for (size_t i = first; i < end; i++) {
        j->of->lengths[i] = total(sum[i - first].length);
        if (j->of->off) j->of->across[i] = total(sum[i - first].across);
    }
}

mopd_status mo_measure(mo_pool *pool, const mo_measure_args *args)
{
    job j = {.kern = mo_kern_get(), .of = args, .n_panels = mo_ceil_div(args->k, MO_PANEL)};
    size_t each;
    if (!args->m) return MOPD_OK;
    if (!mo_mul(args->k, MO_PANEL * sizeof(float), &each)) each = SIZE_MAX;
    if (!(j.panels = mo_mem_alloc(j.n_panels, each))) return MOPD_E_NOMEM;
    j.width = mo_min(j.kern->tile_panels, MOST_PANELS);
    j.height = mo_min(j.kern->tile_rows, MOST_ROWS);
    mo_pool_run(pool, j.n_panels, pack_panel, &j);
    mo_pool_run(pool, mo_ceil_div(args->m, ROWS / j.height * j.height), measure_rows, &j);
    mo_mem_free(j.panels);
    return MOPD_OK;
}
