/* SPDX-License-Identifier: MIT
 * residual.c - an inverted residual, whole or some lines at a time.
 *
 *     part      some output lines of one picture, in a place of its own
 *       step    as many output lines as fill a product: the input lines that they need and no step before had are expanded
 *               into a ring, filtered, projected */
#include "layer/residual.h"

#include <math.h>

#include "base/ints.h"
#include "layer/conv.h"
#include "math/fix.h"
#include "math/i16.h"
#include "math/kern.h"

#define LARGE ((size_t)128 * 1024) /* numbers of an expanded map */
#define STEP_ROWS 56               /* positions of a step, about */
#define MOST_PARTS 16
#define LEAST_LINES 4 /* of a part */
#define LINE 16       /* floats from one map in the scratch to the next begin at multiples of it */

void mo_residual_free(mo_residual *r)
{
    if (!r) return;
    mo_linear_free(&r->expand);
    mo_linear_free(&r->project);
    mo_depthwise_free(&r->depth);
    mo_depthwise_fix_free(&r->fix);
}

static bool has_expand(const mo_residual *r)
{
    return r->expand.w.k != 0;
}

/* Sums over tame weights and rows stay finite. */
static bool is_tame(const mo_linear *l)
{
    const float *w = l->w.packed;
    for (size_t i = 0; i < mo_mat_floats(l->w.n, l->w.k); i++)
        if (!(fabsf(w[i]) <= 1e6f)) return false;
    for (size_t i = 0; l->bias && i < l->w.n; i++)
        if (!(fabsf(l->bias[i]) <= 1e6f)) return false;
    return true;
}

static bool may_reduce(const mo_residual *r, bool clamped)
{
    if (!mo_depthwise_fix_may(&r->depth) || !mo_mat_has_floats(&r->project.w) || !is_tame(&r->project))
        return false;
    if (!has_expand(r)) return clamped;
    return mo_mat_has_floats(&r->expand.w) && is_tame(&r->expand) && r->expand.w.k <= MO_I16_K;
}

mopd_status mo_residual_reduce(mo_residual *r, bool clamped, bool eight)
{
    if (!may_reduce(r, clamped)) return MOPD_OK;
    mopd_status st = mo_depthwise_fix_pack(&r->fix, &r->depth, mo_i16_most(r->project.w.k));
    if (st == MOPD_OK) st = mo_mat_quantize_finely(&r->project.w, MO_PRECISION_8);
    if (st != MOPD_OK || !has_expand(r)) return st;
    return (eight ? mo_mat_quantize : mo_mat_quantize_finely)(&r->expand.w, MO_PRECISION_8);
}

/* A map between the layers: floats, or whole numbers of 16 bits. */
typedef union map {
    float *f;
    int16_t *q;
} map;

typedef struct job {
    const mo_residual *r;
    const float *x;
    float *y, *scratch;
    size_t images, height, width, out_h, out_w;
    size_t in, mid, out;      /* channels */
    size_t step, ring, place; /* output lines of a step, lines that are kept, floats of a part's place */
    size_t parts;             /* of a picture */
    bool skip;
    bool fixed;  /* reduced */
    bool copies; /* a first map stands between x and the filters */
} job;

static bool is_large(const job *j)
{
    return mo_times(j->height * j->width, j->mid) >= LARGE;
}

/* What so many positions of a map take in the scratch. */
static size_t floats_of(const job *j, size_t positions)
{
    const size_t n = mo_times(positions, j->mid);
    return j->fixed ? mo_times(mo_ceil_div(mo_ceil_div(n, 2), LINE), LINE) : n;
}

static map map_at(const job *j, float *scratch)
{
    map m;
    if (j->fixed)
        m.q = (int16_t *)(void *)scratch;
    else
        m.f = scratch;
    return m;
}

/* From position p on. */
static map from_position(const job *j, map m, size_t p)
{
    if (j->fixed)
        m.q += p * j->mid;
    else
        m.f += p * j->mid;
    return m;
}

static job job_of(const mo_residual *r, const size_t shape[3])
{
    const size_t stride = r->depth.stride;
    job j = {
        .r = r, .images = shape[0], .height = shape[1], .width = shape[2], .fixed = r->fix.scale != NULL};
    j.out_h = mo_conv_same_out(j.height, stride);
    j.out_w = mo_conv_same_out(j.width, stride);
    j.mid = r->depth.channels;
    j.in = has_expand(r) ? r->expand.w.k : j.mid;
    j.out = r->project.w.n;
    j.skip = stride == 1 && j.in == j.out;
    j.copies = has_expand(r) || j.fixed;
    j.step = mo_min(mo_ceil_div(STEP_ROWS, j.out_w), j.out_h);
    j.ring = j.copies ? mo_min((j.step - 1) * stride + r->depth.kernel, j.height) : 0;
    j.place = mo_plus(floats_of(&j, j.ring * j.width), floats_of(&j, j.step * j.out_w));
    return j;
}

static size_t parts_of(const job *j, size_t threads)
{
    return mo_max(1, mo_min(mo_min(threads, MOST_PARTS), j->out_h / LEAST_LINES));
}

size_t mo_residual_scratch(const mo_residual *r, const size_t shape[3], size_t threads)
{
    const job j = job_of(r, shape);
    if (is_large(&j)) return mo_times(mo_times(j.images, parts_of(&j, threads)), j.place);
    return mo_plus(
        floats_of(&j, j.copies * j.images * j.height * j.width), floats_of(&j, j.images * j.out_h * j.out_w));
}

/* Positions of x into the first map. */
static void expand(const job *j, mo_pool *pool, map to, const float *x, size_t rows)
{
    const mo_linear *l = &j->r->expand;
    const float one = (float)MO_FIX_ONE / 6;
    mo_gemm_args args = {
        .lda = l->w.k, .a = x, .ldc = j->mid, .m = rows, .bias = l->bias, .act = MO_ACT_RELU6};
    if (j->fixed) {
        args.c16 = to.q;
        args.c16_to = one;
    } else {
        args.c = to.f;
    }
    if (has_expand(j->r))
        mo_gemm(pool, &l->w, &args);
    else
        mo_fix_get()->reduce(&(mo_fix_rows){to.q, j->mid, x, j->mid, rows, j->mid, one});
}

static void project(const job *j, mo_pool *pool, float *y, map from, const float *residual, size_t rows)
{
    const mo_linear *l = &j->r->project;
    mo_gemm_args args = {.c = y,
        .ldc = j->out,
        .lda = j->mid,
        .m = rows,
        .bias = l->bias,
        .residual = residual,
        .ldr = j->out};
    if (j->fixed) {
        args.a16 = from.q;
        args.a16_scale = 6 / (float)j->r->fix.top;
    } else {
        args.a = from.f;
    }
    mo_gemm(pool, &l->w, &args);
}

/* Numbers whose products stay finite: whole numbers cannot say of others that they are none. */
static bool are_tame(const job *j, const float *x, size_t n)
{
    return !j->fixed || mo_kern_get()->dot(x, x, n) <= 1e30f;
}

static void spoil(float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = NAN;
}

/* Lines from..to of a picture into the ring; false: a number among them was not tame. */
static bool expand_lines(const job *j, map ring, const float *x, size_t from, size_t to)
{
    bool tame = true;
    for (size_t n; from < to; from += n) {
        const size_t at = from % j->ring;
        const float *lines = x + from * j->width * j->in;
        n = mo_min(to - from, j->ring - at);
        tame = are_tame(j, lines, n * j->width * j->in) && tame;
        expand(j, NULL, from_position(j, ring, at * j->width), lines, n * j->width);
    }
    return tame;
}

static void filter_lines(const job *j, map to, map ring, const float *x, const size_t lines[2])
{
    const mo_depthwise *dw = &j->r->depth;
    const size_t height = j->height, width = j->width, kept = j->copies ? j->ring : j->height;
    if (j->fixed)
        mo_depthwise_fix_lines(
            to.q, &(mo_depthwise_fix_part){dw, &j->r->fix, ring.q, height, width, kept, lines[0], lines[1]});
    else
        mo_depthwise_lines(
            to.f, dw, &(mo_depthwise_part){j->copies ? ring.f : x, height, width, kept, lines[0], lines[1]});
}

/* Where a part of a picture stands. */
typedef struct part {
    size_t image, have; /* lines from `have` on are not in the ring yet */
    float *place;
    bool tame;
} part;

/* Output lines from..to. */
static void do_step(const job *j, part *p, const size_t lines[2])
{
    const float *x = j->x + p->image * j->height * j->width * j->in;
    const map ring = map_at(j, p->place), depth = map_at(j, p->place + floats_of(j, j->ring * j->width));
    if (j->copies) {
        size_t need[2];
        mo_depthwise_reach(
            need, &j->r->depth, &(mo_depthwise_part){.height = j->height, .from = lines[0], .to = lines[1]});
        p->tame = expand_lines(j, ring, x, mo_max(p->have, need[0]), need[1]) && p->tame;
        p->have = need[1];
    }
    filter_lines(j, depth, ring, x, lines);
    const size_t at = (p->image * j->out_h + lines[0]) * j->out_w * j->out,
                 rows = (lines[1] - lines[0]) * j->out_w;
    project(j, NULL, j->y + at, depth, j->skip ? j->x + at : NULL, rows);
    if (!p->tame) spoil(j->y + at, rows * j->out);
}

static void do_part(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t i = task % j->parts, end = mo_cut(j->out_h, j->parts, i + 1);
    part p = {.image = task / j->parts, .place = j->scratch + task * j->place, .tame = true};
    size_t lines[2] = {mo_cut(j->out_h, j->parts, i)};
    for (; lines[0] < end; lines[0] = lines[1]) {
        lines[1] = mo_min(lines[0] + j->step, end);
        do_step(j, &p, lines);
    }
}

/* An output line of all pictures together. */
static void filter_line(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t image = task / j->out_h, line = task % j->out_h;
    const map from = from_position(j, map_at(j, j->scratch), image * j->height * j->width);
    float *depth = j->scratch + floats_of(j, j->images * j->height * j->width);
    mo_depthwise_fix_lines(from_position(j, map_at(j, depth), task * j->out_w).q,
        &(mo_depthwise_fix_part){
            &j->r->depth, &j->r->fix, from.q, j->height, j->width, j->height, line, line + 1});
}

static void spoil_pictures(const job *j)
{
    const size_t in = j->height * j->width * j->in, out = j->out_h * j->out_w * j->out;
    for (size_t i = 0; i < j->images; i++)
        if (!are_tame(j, j->x + i * in, in)) spoil(j->y + i * out, out);
}

/* All layers over all pictures, one after the other. */
static void run_whole(mo_pool *pool, const job *j)
{
    const size_t rows = j->images * j->height * j->width, outs = j->images * j->out_h * j->out_w;
    const map first = map_at(j, j->scratch), depth = map_at(j, j->scratch + floats_of(j, j->copies * rows));
    if (j->copies) expand(j, pool, first, j->x, rows);
    if (j->fixed)
        mo_pool_run(pool, j->images * j->out_h, filter_line, (void *)j);
    else
        mo_depthwise_fwd(pool, depth.f, j->copies ? first.f : j->x, &j->r->depth,
            (const size_t[3]){j->images, j->height, j->width});
    project(j, pool, j->y, depth, j->skip ? j->x : NULL, outs);
    spoil_pictures(j);
}

void mo_residual_fwd(
    mo_pool *pool, float *y, const float *x, const mo_residual *r, float *scratch, const size_t shape[3])
{
    job j = job_of(r, shape);
    j.x = x;
    j.y = y;
    j.scratch = scratch;
    j.parts = parts_of(&j, mo_pool_now(pool));
    if (is_large(&j))
        mo_pool_run(pool, j.images * j.parts, do_part, &j);
    else
        run_whole(pool, &j);
}
