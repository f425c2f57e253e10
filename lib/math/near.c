/* SPDX-License-Identifier: MIT
 * near.c - pairs of rows that point almost the same way: all products, a block of rows against a block of rows at a time. */
#include "math/near.h"

#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/pool.h"
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

static void compare_blocks(
    mo_pool *pool, float *cosines, const float *rows, const size_t shape[2], pairs *p, double least)
{
    const size_t dim = shape[1];
    for (size_t i = 0; i < shape[0]; i += ROWS)
        for (size_t k = i; k < shape[0]; k += COLUMNS) {
            const size_t n[2] = {mo_min(ROWS, shape[0] - i), mo_min(COLUMNS, shape[0] - k)}, at[2] = {i, k};
            mo_gemm_raw(pool, &(mo_gemm_raw_args){.c = cosines,
                                  .ldc = n[1],
                                  .a = rows + i * dim,
                                  .ars = dim,
                                  .acs = 1,
                                  .b = rows + k * dim,
                                  .brs = 1,
                                  .bcs = dim,
                                  .m = n[0],
                                  .n = n[1],
                                  .k = dim,
                                  .alpha = 1});
            add_pairs(p, cosines, at, n, least);
        }
}

mopd_status mo_near_find(
    const float *rows, const size_t shape[2], double least, mopd_pair *out, size_t *n_pairs)
{
    pairs p = {.room = *n_pairs};
    mo_pool *pool = NULL;
    mopd_status st = mo_pool_create(&pool, mo_pool_default_threads());
    if (st != MOPD_OK) return st;
    float *cosines = mo_mem_alloc((size_t)ROWS * COLUMNS, sizeof *cosines);
    p.pair = mo_mem_alloc(*n_pairs + SPARE, sizeof *p.pair);
    st = cosines && p.pair ? MOPD_OK : MOPD_E_NOMEM;
    if (st == MOPD_OK) {
        compare_blocks(pool, cosines, rows, shape, &p, least);
        cut_to_room(&p);
        *n_pairs = p.n;
        if (p.n) memcpy(out, p.pair, p.n * sizeof *out);
    }
    mo_mem_free(p.pair);
    mo_mem_free(cosines);
    mo_pool_free(pool);
    return st;
}
