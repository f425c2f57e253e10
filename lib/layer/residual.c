/* SPDX-License-Identifier: MIT
 * residual.c - an inverted residual, whole or some lines at a time.
 *
 *     part      some output lines of one picture, in a place of its own
 *       step    as many output lines as fill a product: the input lines that they need and no step before had are expanded
 *               into a ring, filtered, projected */
#include "layer/residual.h"

#include "base/ints.h"
#include "layer/conv.h"

#define LARGE ((size_t)128 * 1024) /* floats of an expanded map */
#define STEP_ROWS 56               /* positions of a step, about */
#define MOST_PARTS 16
#define LEAST_LINES 4 /* of a part */

void mo_residual_free(mo_residual *r)
{
    if (!r) return;
    mo_linear_free(&r->expand);
    mo_linear_free(&r->project);
    mo_depthwise_free(&r->depth);
}

typedef struct job {
    const mo_residual *r;
    const float *x;
    float *y, *scratch;
    size_t images, height, width, out_h, out_w;
    size_t in, mid, out;      /* channels */
    size_t step, ring, place; /* output lines of a step, lines that are kept, floats of a part's place */
    size_t parts;             /* of a picture */
    bool skip;
} job;

static bool expands(const job *j)
{
    return j->r->expand.w.k != 0;
}

static bool is_large(const job *j)
{
    return j->height * j->width * j->mid >= LARGE;
}

static job job_of(const mo_residual *r, const size_t shape[3])
{
    const size_t stride = r->depth.stride;
    job j = {.r = r, .images = shape[0], .height = shape[1], .width = shape[2]};
    j.out_h = mo_conv_same_out(j.height, stride);
    j.out_w = mo_conv_same_out(j.width, stride);
    j.mid = r->depth.channels;
    j.in = expands(&j) ? r->expand.w.k : j.mid;
    j.out = r->project.w.n;
    j.skip = stride == 1 && j.in == j.out;
    j.step = mo_min(mo_ceil_div(STEP_ROWS, j.out_w), j.out_h);
    j.ring = expands(&j) ? mo_min((j.step - 1) * stride + r->depth.kernel, j.height) : 0;
    j.place = j.ring * j.width * j.mid + j.step * j.out_w * j.mid;
    return j;
}

static size_t parts_of(const job *j, size_t threads)
{
    return mo_max(1, mo_min(mo_min(threads, MOST_PARTS), j->out_h / LEAST_LINES));
}

size_t mo_residual_scratch(const mo_residual *r, const size_t shape[3], size_t threads)
{
    const job j = job_of(r, shape);
    if (is_large(&j)) return j.images * parts_of(&j, threads) * j.place;
    return j.images * (expands(&j) * j.height * j.width + j.out_h * j.out_w) * j.mid;
}

/* Lines from..to of a picture into the ring. */
static void expand_lines(const job *j, float *ring, const float *x, size_t from, size_t to)
{
    for (size_t n; from < to; from += n) {
        const size_t at = from % j->ring;
        n = mo_min(to - from, j->ring - at);
        const mo_linear_call call = {.rows = n * j->width, .act = MO_ACT_RELU6};
        mo_linear_fwd(NULL, ring + at * j->width * j->mid, x + from * j->width * j->in, &j->r->expand, &call);
    }
}

/* Output lines from..to; lines from *have on are not in the ring yet. */
static void do_step(const job *j, size_t image, float *place, const size_t lines[2], size_t *have)
{
    const float *x = j->x + image * j->height * j->width * j->in;
    float *depth = place + j->ring * j->width * j->mid;
    mo_depthwise_part part = {.x = x, .height = j->height, .width = j->width, .ring = j->height};
    part.from = lines[0];
    part.to = lines[1];
    if (expands(j)) {
        size_t need[2];
        mo_depthwise_reach(need, &j->r->depth, &part);
        expand_lines(j, place, x, mo_max(*have, need[0]), need[1]);
        *have = need[1];
        part.x = place;
        part.ring = j->ring;
    }
    mo_depthwise_lines(depth, &j->r->depth, &part);
    const size_t at = (image * j->out_h + lines[0]) * j->out_w * j->out;
    const mo_linear_call call = {
        .rows = (lines[1] - lines[0]) * j->out_w, .residual = j->skip ? j->x + at : NULL};
    mo_linear_fwd(NULL, j->y + at, depth, &j->r->project, &call);
}

static void do_part(void *ctx, size_t task)
{
    const job *j = ctx;
    const size_t image = task / j->parts, part = task % j->parts, end = mo_cut(j->out_h, j->parts, part + 1);
    size_t have = 0, lines[2] = {mo_cut(j->out_h, j->parts, part)};
    for (; lines[0] < end; lines[0] = lines[1]) {
        lines[1] = mo_min(lines[0] + j->step, end);
        do_step(j, image, j->scratch + task * j->place, lines, &have);
    }
}

/* All layers over all pictures, one after the other. */
static void run_whole(mo_pool *pool, const job *j)
{
    const float *in = j->x;
    float *depth = j->scratch;
    const size_t rows = j->images * j->height * j->width;
    if (expands(j)) {
        const mo_linear_call call = {.rows = rows, .act = MO_ACT_RELU6};
        mo_linear_fwd(pool, j->scratch, in, &j->r->expand, &call);
        in = j->scratch;
        depth = j->scratch + rows * j->mid;
    }
    mo_depthwise_fwd(pool, depth, in, &j->r->depth, (const size_t[3]){j->images, j->height, j->width});
    const mo_linear_call call = {.rows = j->images * j->out_h * j->out_w, .residual = j->skip ? j->x : NULL};
    mo_linear_fwd(pool, j->y, depth, &j->r->project, &call);
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
