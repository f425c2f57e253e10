/* SPDX-License-Identifier: MIT
 * near.c - pairs of pictures with almost the same feature: all cosines, a block of rows against a block of rows at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/pool.h"
#include "data/dataset.h"
#include "math/gemm.h"

enum { ROWS = 256, COLUMNS = 2048, SPARE = 1024 };

/* The pairs found so far; beyond room the least alike are dropped now and then. */
typedef struct pairs {
    mopd_pair *pair;
    size_t n, room;
} pairs;

static int most_alike_first(const void *a, const void *b)
{
    const mopd_pair *x = a, *y = b;
    if (x->cosine > y->cosine) return -1;
    if (x->cosine < y->cosine) return 1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return (x->second > y->second) - (x->second < y->second);
}

static void cut_to_room(pairs *p)
{
    qsort(p->pair, p->n, sizeof *p->pair, most_alike_first);
    p->n = mo_min(p->n, p->room);
}

static void gather(float *rows, const mopd_dataset *d, size_t first, size_t n)
{
    const size_t dim = d->source->dim;
    for (size_t i = 0; i < n; i++)
        memcpy(rows + i * dim, mo_dataset_feature(d, first + i, 0), dim * sizeof *rows);
}

/* cosines: n_rows x n_columns, of pictures row + i and column + k; each pair once. */
static void add_pairs(pairs *p, const float *cosines, const size_t at[2], const size_t n[2], double least)
{
    for (size_t i = 0; i < n[0]; i++)
        for (size_t k = 0; k < n[1]; k++) {
            const double cosine = (double)cosines[i * n[1] + k];
            if (cosine < least || at[1] + k <= at[0] + i) continue;
            if (p->n == p->room + SPARE) cut_to_room(p);
            p->pair[p->n++] = (mopd_pair){at[0] + i, at[1] + k, cosine};
        }
}

static void compare_blocks(mo_pool *pool, float *work, const mopd_dataset *d, pairs *p, double least)
{
    const size_t dim = d->source->dim;
    float *rows = work, *columns = rows + ROWS * dim, *cosines = columns + COLUMNS * dim;
    for (size_t i = 0; i < d->n; i += ROWS) {
        const size_t n_rows = mo_min(ROWS, d->n - i);
        gather(rows, d, i, n_rows);
        for (size_t k = i; k < d->n; k += COLUMNS) {
            const size_t n[2] = {n_rows, mo_min(COLUMNS, d->n - k)}, at[2] = {i, k};
            gather(columns, d, k, n[1]);
            mo_gemm_raw(pool, &(mo_gemm_raw_args){.c = cosines,
                                  .ldc = n[1],
                                  .a = rows,
                                  .ars = dim,
                                  .acs = 1,
                                  .b = columns,
                                  .brs = 1,
                                  .bcs = dim,
                                  .m = n[0],
                                  .n = n[1],
                                  .k = dim,
                                  .alpha = 1});
            add_pairs(p, cosines, at, n, least);
        }
    }
}

mopd_status mo_near_find(const mopd_dataset *d, double least, mopd_pair *out, size_t *n)
{
    const size_t floats = (ROWS + COLUMNS) * d->source->dim + (size_t)ROWS * COLUMNS;
    pairs p = {.room = *n};
    mo_pool *pool = NULL;
    if (!d->source->features) return mo_fail(MOPD_E_STATE, "the pictures are not encoded yet");
    mopd_status st = mo_pool_create(&pool, mo_pool_default_threads());
    if (st != MOPD_OK) return st;
    float *work = mo_mem_alloc(floats, sizeof *work);
    p.pair = mo_mem_alloc(*n + SPARE, sizeof *p.pair);
    st = work && p.pair ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) {
        compare_blocks(pool, work, d, &p, least);
        cut_to_room(&p);
        *n = p.n;
        if (p.n) memcpy(out, p.pair, p.n * sizeof *out);
    }
    mo_mem_free(p.pair);
    mo_mem_free(work);
    mo_pool_free(pool);
    return st;
}
