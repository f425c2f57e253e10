/* SPDX-License-Identifier: MIT
 * vision.c - shares pictures out among threads.
 *
 * With pictures for every thread, each takes chunks of its own through the whole tower: no thread waits for
 * another between layers, and a chunk's rows stay near its processor.  A thread that finds no pictures any more
 * helps with the layers of the others.  All threads share each layer of what is left over, and of everything
 * where a chunk for each thread would take too much memory. */
#include "clip/vision.h"

#include <stdatomic.h>

#include "base/ints.h"
#include "base/limits.h"

#define LANE_LEAST                                                                                           \
    ((size_t)64 << 20) /* bytes that a lane may take even where all lanes then take more than one call may */

typedef struct lanes {
    const mo_vision *v;
    mo_pool *pool;
    const float *pixels;
    float *out;
    size_t n, chunk;
    void *work[MO_VISION_LANES];
    atomic_size_t next;
} lanes;

static void lane(void *ctx, size_t index)
{
    lanes *l = ctx;
    const size_t picture = 3 * l->v->image * l->v->image;
    for (;;) {
        const size_t first = atomic_fetch_add_explicit(&l->next, l->chunk, memory_order_relaxed);
        if (first >= l->n) return;
        const size_t n = mo_min(l->n - first, l->chunk);
        l->v->run(l->work[index], l->pool, l->pixels + first * picture, n, l->out + first * l->v->dim);
    }
}

/* l's pictures in n_lanes lanes, `chunk` at once in each. */
static mopd_status run_lanes(lanes *l, mo_pool *pool, size_t n_lanes)
{
    l->pool = pool;
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < n_lanes && st == MOPD_OK; i++) st = l->v->open(&l->work[i], l->v, pool, l->chunk);
    if (st == MOPD_OK && n_lanes > 1)
        mo_pool_run_lanes(pool, n_lanes, lane, l);
    else if (st == MOPD_OK)
        lane(l, 0);
    for (size_t i = 0; i < n_lanes; i++) l->v->close(l->work[i]);
    return st;
}

/* As many pictures at once, up to n, as take no more than `bytes`; one at least. */
static size_t fitting(const mo_vision *v, const mo_pool *pool, size_t n, size_t bytes)
{
    while (n > 1 && v->bytes(v, pool, n) > bytes) n = mo_ceil_div(n, 2);
    return n;
}

/* The largest chunk up to `most` that gives every lane as many as the others. */
static size_t even_chunk(size_t n, size_t n_lanes, size_t most)
{
    return mo_ceil_div(n, n_lanes * mo_ceil_div(n, n_lanes * most));
}

mopd_status mo_vision_fwd(const mo_vision *v, mo_pool *pool, const float *pixels, size_t n, float *out)
{
    const size_t threads = mo_pool_threads(pool), most = mo_min(v->most, MO_VISION_LANES);
    const size_t bytes = mo_limits_size(MO_LIMIT_TOWER), share = mo_max(bytes / threads, LANE_LEAST);
    const bool fits = threads <= most && v->bytes(v, pool, 1) <= share;
    const size_t apart = fits ? n - n % threads : 0;
    mopd_status st = MOPD_OK;
    if (apart) {
        lanes l = {.v = v, .pixels = pixels, .out = out, .n = apart};
        l.chunk = even_chunk(apart, threads, fitting(v, pool, v->lane, share));
        st = run_lanes(&l, pool, threads);
        pixels += apart * 3 * v->image * v->image;
        out += apart * v->dim;
        n -= apart;
    }
    if (st != MOPD_OK || !n) return st;
    lanes l = {.v = v, .pixels = pixels, .out = out, .n = n};
    l.chunk = fitting(v, pool, mo_min(n, v->chunk), bytes);
    return run_lanes(&l, pool, 1);
}

void mo_vision_free(mo_vision *v)
{
    if (v) v->free(v);
}
