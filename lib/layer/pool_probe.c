/* SPDX-License-Identifier: MIT
 * pool_probe.c - the probe folded into one row a head; then, a head and a sequence at a time, weights and mixed rows. */
#include "layer/pool_probe.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "base/view.h"
#include "math/kern.h"

void mo_pool_probe_free(mo_pool_probe *p)
{
    if (!p) return;
    for (size_t h = 0; p->value && h < p->n_heads; h++) mo_linear_free(&p->value[h]);
    mo_mem_free(p->value);
    mo_mem_free(p->ask);
    mo_mem_free(p->norm_block);
    mo_linear_free(&p->out);
    mo_linear_free(&p->fc1);
    mo_linear_free(&p->fc2);
    *p = (mo_pool_probe){0};
}

static mopd_status check(const mo_pool_probe_parts *parts)
{
    const size_t w = parts->width;
    const mo_linear_part *const all[] = {&parts->q, &parts->k, &parts->v};
    if (!w || !parts->n_heads || w % parts->n_heads)
        return mo_fail(MOPD_E_MISMATCH, "width %zu cannot be split into %zu heads", w, parts->n_heads);
    if (parts->probe->n != w)
        return mo_fail(MOPD_E_MISMATCH, "a probe of %zu numbers, the width is %zu", parts->probe->n, w);
    for (size_t i = 0; i < 3; i++)
        if (all[i]->weight->n != w * w || all[i]->bias->n != w || all[i]->in_out)
            return mo_fail(MOPD_E_MISMATCH, "the pool's %c is not %zu x %zu with a bias", "qkv"[i], w, w);
    return MOPD_OK;
}

static mopd_status floats_of(float *to, const mo_view *from, size_t first, size_t n)
{
    if (mo_view_floats(from, first, n, to)) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED, "the pool has a tensor of type %s", mo_dtype_name(from->dtype));
}

/* *q = W_q[o] probe + b_q[o]; room: 2 W floats. */
static mopd_status query(double *q, const mo_pool_probe_parts *parts, size_t o, float *room)
{
    const size_t w = parts->width;
    float bias;
    mopd_status st = floats_of(room, parts->probe, 0, w);
    if (st == MOPD_OK) st = floats_of(room + w, parts->q.weight, o * w, w);
    if (st == MOPD_OK) st = floats_of(&bias, parts->q.bias, o, 1);
    if (st != MOPD_OK) return st;
    *q = (double)bias;
    for (size_t i = 0; i < w; i++) *q += (double)room[i] * (double)room[w + i];
    return MOPD_OK;
}

/* ask[h] = sum over the head's outputs o of q_o W_k[o] / sqrt d, summed in float64; room: 2 W floats, sum: W. */
static mopd_status fold_head(
    mo_pool_probe *p, const mo_pool_probe_parts *parts, size_t head, float *room, double *sum)
{
    const size_t w = parts->width, d = w / parts->n_heads;
    memset(sum, 0, w * sizeof *sum);
    for (size_t o = head * d; o < (head + 1) * d; o++) {
        double q = 0;
        mopd_status st = query(&q, parts, o, room);
        if (st == MOPD_OK) st = floats_of(room, parts->k.weight, o * w, w);
        if (st != MOPD_OK) return st;
        for (size_t i = 0; i < w; i++) sum[i] += q * (double)room[i];
    }
    for (size_t i = 0; i < w; i++) p->ask[head * w + i] = (float)(sum[i] / sqrt((double)d));
    return MOPD_OK;
}

/* Outputs of one head alone: heads need not begin with a panel. */
static mopd_status pack_value(mo_pool_probe *p, const mo_pool_probe_parts *parts, size_t head, float *room)
{
    const size_t w = parts->width, d = w / parts->n_heads;
    mopd_status st = floats_of(room, parts->v.weight, head * d * w, d * w);
    if (st == MOPD_OK) st = floats_of(room + d * w, parts->v.bias, head * d, d);
    if (st != MOPD_OK) return st;
    const mo_view weight = {.data = room, .dtype = MO_F32, .n_dims = 2, .shape = {d, w}, .n = d * w},
                  bias = {.data = room + d * w, .dtype = MO_F32, .n_dims = 1, .shape = {d}, .n = d};
    return mo_linear_pack(&p->value[head], &(mo_linear_part){.weight = &weight, .bias = &bias}, 1);
}

mopd_status mo_pool_probe_pack(mo_pool_probe *p, const mo_pool_probe_parts *parts)
{
    mopd_status st = check(parts);
    if (st != MOPD_OK) return st;
    const size_t w = parts->width, d = w / parts->n_heads;
    p->width = w;
    p->n_heads = parts->n_heads;
    p->ask = mo_mem_alloc(mo_times(p->n_heads, w), sizeof *p->ask);
    p->value = mo_mem_calloc(p->n_heads, sizeof *p->value);
    float *room = mo_mem_alloc((d + 2) * w + d, sizeof *room);
    double *sum = mo_mem_alloc(w, sizeof *sum);
    st = p->ask && p->value && room && sum ? MOPD_OK : MOPD_E_NOMEM;
    for (size_t h = 0; h < p->n_heads && st == MOPD_OK; h++) {
        st = fold_head(p, parts, h, room, sum);
        if (st == MOPD_OK) st = pack_value(p, parts, h, room);
    }
    mo_mem_free(sum);
    mo_mem_free(room);
    return st;
}

void mo_pool_probe_take(
    mo_pool_probe_work *work, mo_arena *arena, const mo_pool_probe *p, size_t n, size_t rows)
{
    work->weight = mo_arena_rows(arena, mo_times(n, p->n_heads), rows);
    work->mixed = mo_arena_rows(arena, mo_times(p->n_heads, n), p->width);
    work->a = mo_arena_rows(arena, n, p->width);
    work->norm = mo_arena_rows(arena, n, p->width);
    work->hidden = mo_arena_rows(arena, n, p->fc1.w.n);
}

typedef struct job {
    const mo_kern *kern;
    const mo_pool_probe *p;
    const mo_pool_probe_work *work;
    const float *x;
    size_t n, rows;
} job;

/* Sequence i's rows mixed as one head weighs them. */
static void mix_one(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t w = j->p->width, head = task % j->p->n_heads, i = task / j->p->n_heads;
    const float *x = j->x + i * j->rows * w;
    float *weight = j->work->weight + task * j->rows, *to = j->work->mixed + (head * j->n + i) * w;
    j->kern->dots(weight, j->p->ask + head * w, x, w, j->rows, w);
    j->kern->softmax(weight, weight, 1, j->rows);
    memset(to, 0, w * sizeof *to);
    j->kern->mix(to, weight, x, w, j->rows, w);
}

/* One head's values of all sequences. */
static void value_one(void *ctx, size_t head)
{
    const job *j = ctx;
    const mo_linear *v = &j->p->value[head];
    const size_t w = j->p->width;
    mo_gemm(NULL, &v->w,
        &(mo_gemm_args){.c = j->work->a + head * v->w.n,
            .ldc = w,
            .a = j->work->mixed + head * j->n * w,
            .lda = w,
            .m = j->n,
            .bias = v->bias});
}

void mo_pool_probe_fwd(mo_pool *pool, float *y, const float *x, const mo_pool_probe *p, const size_t shape[2],
    const mo_pool_probe_work *work)
{
    const size_t n = shape[0];
    job j = {mo_kern_get(), p, work, x, n, shape[1]};
    mo_pool_run(pool, n * p->n_heads, mix_one, &j);
    mo_pool_run(pool, p->n_heads, value_one, &j);
    mo_linear_fwd(pool, y, work->a, &p->out, &(mo_linear_call){.rows = n});
    mo_norm_fwd(pool, work->norm, y, &p->norm, NULL, n);
    mo_linear_fwd(pool, work->hidden, work->norm, &p->fc1, &(mo_linear_call){.rows = n, .act = p->act});
    mo_linear_fwd(pool, y, work->hidden, &p->fc2, &(mo_linear_call){.rows = n, .residual = y});
}
