/* SPDX-License-Identifier: MIT
 * cluster.c - k-means with the starts of k-means++ (Arthur and Vassilvitskii 2007), the best of a few each time, and of each cluster the row nearest to its
 * middle.
 *
 * |x - c|^2 = |x|^2 - 2 (x'c - |c|^2 / 2): a row belongs to the middle c of largest x'c - |c|^2 / 2.  Sums are taken in the
 * order of the rows, so that no result depends on threads. */
#include "math/cluster.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "math/gemm.h"

enum { ROUNDS = 16, BLOCK = 256, MOST_TRIES = 24 };

typedef struct clusters {
    const float *rows; /* n x dim */
    size_t n, dim, k;
    float *centre;   /* k x dim */
    double *half;    /* k: |c|^2 / 2 */
    double *far;     /* n: |x - c|^2 of the row's own centre */
    uint32_t *whose; /* n */
    double *sum;     /* k x dim */
    size_t *count;   /* k */
    double *norm;    /* n: |x|^2 */
    float *tried;    /* n_tries x dim: rows that may become a centre */
    float *tries;    /* n x n_tries */
    size_t n_tries;
    float *products; /* BLOCK x k */
    mo_pool *pool;
} clusters;

static double product(const float *x, const float *y, size_t dim)
{
    double sum[8] = {0}; /* eight running sums: a fixed order that registers may hold */
    for (size_t k = 0; k < dim; k++) sum[k % 8] += (double)x[k] * (double)y[k];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static void free_all(clusters *c)
{
    mo_mem_free(c->centre);
    mo_mem_free(c->half);
    mo_mem_free(c->far);
    mo_mem_free(c->whose);
    mo_mem_free(c->sum);
    mo_mem_free(c->count);
    mo_mem_free(c->products);
    mo_mem_free(c->norm);
    mo_mem_free(c->tried);
    mo_mem_free(c->tries);
    mo_pool_free(c->pool);
}

static mopd_status alloc_all(clusters *c)
{
    c->centre = mo_mem_alloc(c->k, c->dim * sizeof *c->centre);
    c->half = mo_mem_alloc(c->k, sizeof *c->half);
    c->far = mo_mem_alloc(c->n, sizeof *c->far);
    c->whose = mo_mem_alloc(c->n, sizeof *c->whose);
    c->sum = mo_mem_alloc(c->k, c->dim * sizeof *c->sum);
    c->count = mo_mem_alloc(c->k, sizeof *c->count);
    c->products = mo_mem_alloc(c->k, BLOCK * sizeof *c->products);
    c->norm = mo_mem_alloc(c->n, sizeof *c->norm);
    c->tried = mo_mem_alloc(c->n_tries, c->dim * sizeof *c->tried);
    c->tries = mo_mem_alloc(c->n, c->n_tries * sizeof *c->tries);
    if (!c->centre || !c->half || !c->far || !c->whose || !c->sum || !c->count || !c->products || !c->norm ||
        !c->tried || !c->tries)
        return MOPD_E_NOMEM;
    return mo_pool_create(&c->pool, mo_pool_default_threads());
}

/* -- starts -------------------------------------------------------------------------------------------------- */

/* |x_i - x_row|^2, where the row was tried as number t. */
static double distance(const clusters *c, size_t i, size_t row, size_t t)
{
    return fmax(0, c->norm[i] + c->norm[row] - 2 * (double)c->tries[i * c->n_tries + t]);
}

/* tries (n x n_tries): products of all rows with those. */
static void try_rows(clusters *c, const size_t *row)
{
    for (size_t t = 0; t < c->n_tries; t++)
        memcpy(c->tried + t * c->dim, c->rows + row[t] * c->dim, c->dim * sizeof *c->tried);
    mo_gemm_raw(c->pool, &(mo_gemm_raw_args){.c = c->tries,
                             .ldc = c->n_tries,
                             .a = c->rows,
                             .ars = c->dim,
                             .acs = 1,
                             .b = c->tried,
                             .brs = 1,
                             .bcs = c->dim,
                             .m = c->n,
                             .n = c->n_tries,
                             .k = c->dim,
                             .alpha = 1});
}

/* Of the rows that were tried the one that leaves all others nearest to a centre becomes centre `to`. */
static void take_best(clusters *c, size_t to, const size_t *row)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t t = 0; t < c->n_tries; t++) {
        double sum = 0;
        for (size_t i = 0; i < c->n; i++) sum += fmin(c->far[i], distance(c, i, row[t], t));
        if (sum < least) least = sum, best = t;
    }
    for (size_t i = 0; i < c->n; i++) c->far[i] = fmin(c->far[i], distance(c, i, row[best], best));
    c->far[row[best]] = 0;
    c->half[to] = c->norm[row[best]] / 2;
    memcpy(c->centre + to * c->dim, c->rows + row[best] * c->dim, c->dim * sizeof *c->centre);
}

/* A row by chance, the likelier the farther it is from all centres. */
static size_t draw(const clusters *c, mo_rng *rng)
{
    double all = 0, at = 0;
    size_t last = 0;
    for (size_t i = 0; i < c->n; i++) all += c->far[i];
    const double goal = mo_rng_unit(rng) * all;
    for (size_t i = 0; i < c->n; i++) {
        if (!(c->far[i] > 0)) continue;
        last = i;
        if ((at += c->far[i]) > goal) break;
    }
    return last;
}

/* The first centre is any row: all are as far as can be, and as likely. */
static void start(clusters *c, uint64_t seed)
{
    size_t row[MOST_TRIES];
    mo_rng rng;
    mo_rng_seed(&rng, seed);
    for (size_t i = 0; i < c->n; i++) {
        c->norm[i] = product(c->rows + i * c->dim, c->rows + i * c->dim, c->dim);
        c->far[i] = DBL_MAX / (double)c->n;
    }
    for (size_t k = 0; k < c->k; k++) {
        for (size_t t = 0; t < c->n_tries; t++) row[t] = k ? draw(c, &rng) : (size_t)mo_rng_below(&rng, c->n);
        try_rows(c, row);
        take_best(c, k, row);
    }
}

/* -- rounds -------------------------------------------------------------------------------------------------- */

static void assign_row(clusters *c, size_t i, const float *products)
{
    size_t best = 0;
    double most = -INFINITY;
    for (size_t k = 0; k < c->k; k++) {
        const double score = (double)products[k] - c->half[k];
        if (score > most) most = score, best = k;
    }
    c->whose[i] = (uint32_t)best;
    c->far[i] = fmax(0, c->norm[i] - 2 * most);
}

static void assign(clusters *c)
{
    for (size_t i = 0; i < c->n; i += BLOCK) {
        const size_t n = mo_min(BLOCK, c->n - i);
        mo_gemm_raw(c->pool, &(mo_gemm_raw_args){.c = c->products,
                                 .ldc = c->k,
                                 .a = c->rows + i * c->dim,
                                 .ars = c->dim,
                                 .acs = 1,
                                 .b = c->centre,
                                 .brs = 1,
                                 .bcs = c->dim,
                                 .m = n,
                                 .n = c->k,
                                 .k = c->dim,
                                 .alpha = 1});
        for (size_t r = 0; r < n; r++) assign_row(c, i + r, c->products + r * c->k);
    }
}

static void count_rows(clusters *c)
{
    memset(c->count, 0, c->k * sizeof *c->count);
    for (size_t i = 0; i < c->n; i++) c->count[c->whose[i]]++;
}

/* A centre without rows stays where it is. */
static void move(clusters *c)
{
    memset(c->sum, 0, c->k * c->dim * sizeof *c->sum);
    count_rows(c);
    for (size_t i = 0; i < c->n; i++)
        for (size_t d = 0; d < c->dim; d++)
            c->sum[c->whose[i] * c->dim + d] += (double)c->rows[i * c->dim + d];
    for (size_t k = 0; k < c->k; k++) {
        if (!c->count[k]) continue;
        float *centre = c->centre + k * c->dim;
        for (size_t d = 0; d < c->dim; d++) centre[d] = (float)(c->sum[k * c->dim + d] / (double)c->count[k]);
        c->half[k] = product(centre, centre, c->dim) / 2;
    }
}

/* -- one row of each ----------------------------------------------------------------------------------------- */

typedef struct ranked {
    size_t row, count; /* SIZE_MAX: none */
} ranked;

/* The largest cluster first. */
static int largest_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The row that is farthest from its centre and not yet chosen. */
static size_t farthest(const clusters *c, const ranked *list)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < c->n; i++) {
        bool taken = false;
        for (size_t k = 0; k < c->k && !taken; k++) taken = list[k].row == i;
        if (!taken && (best == SIZE_MAX || c->far[i] > c->far[best])) best = i;
    }
    return best;
}

static mopd_status choose(size_t *chosen, clusters *c)
{
    ranked *list = mo_mem_alloc(c->k, sizeof *list);
    if (!list) return MOPD_E_NOMEM;
    count_rows(c);
    for (size_t k = 0; k < c->k; k++) list[k] = (ranked){SIZE_MAX, c->count[k]};
    for (size_t i = 0; i < c->n; i++) {
        ranked *own = list + c->whose[i];
        if (own->row == SIZE_MAX || c->far[i] < c->far[own->row]) own->row = i;
    }
    for (size_t k = 0; k < c->k; k++) /* rows that are alike leave clusters without one */
        if (list[k].row == SIZE_MAX) list[k].row = farthest(c, list);
    qsort(list, c->k, sizeof *list, largest_first);
    for (size_t k = 0; k < c->k; k++) chosen[k] = list[k].row;
    mo_mem_free(list);
    return MOPD_OK;
}

mopd_status mo_cluster_choose(
    size_t *chosen, const float *rows, const size_t shape[2], size_t n_clusters, uint64_t seed)
{
    clusters c = {.rows = rows, .n = shape[0], .dim = shape[1], .k = n_clusters};
    c.n_tries = mo_min(2 + (size_t)log((double)n_clusters), MOST_TRIES);
    mopd_status st = alloc_all(&c);
    if (st == MOPD_OK) {
        start(&c, seed);
        assign(&c);
        for (int round = 0; round < ROUNDS; round++) {
            move(&c);
            assign(&c);
        }
        st = choose(chosen, &c);
    }
    free_all(&c);
    return st;
}
