/* SPDX-License-Identifier: MIT
 * gemm_i8.c - products over 8-bit integers (math/i8.h): weights quantized output by output, and the loops around the kernel.
 *
 *     rows      quantized side by side, all of their inputs, on the stack, or, where too few of them have room there, before all
 *               tasks in the caller's memory
 *       panels  of one tile
 *         tiles
 *
 * Panel j, inputs 4i .. 4i + 3: packed[((j * quads + i) * 16 + o) * 4 + 0 .. 3], zeros beyond n and k; quads are a multiple
 * of 16.  extra: scales [panels * 16], then the sums of each output's numbers. */
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "math/gemm_epilogue.h"
#include "math/i8.h"
#include "math/mat.h"
#include "math/races.h"

#define ROOM 57344 /* bytes of quantized rows on the stack: there are hosts whose threads have 128 KiB */
#define MOST_ROWS 128
#define TASK_ROWS 448
#define FEW_ROWS 64
#define SOME_ROWS 16

static size_t inputs_of(const mo_mat *mat)
{
    return mo_round_up(mat->k, MO_I8_STEP);
}

static size_t columns_of(const mo_mat *mat)
{
    return mo_round_up(mat->n, MO_PANEL);
}

/* What is known of a panel's outputs. */
typedef struct outputs {
    float to[MO_PANEL], back[MO_PANEL];
    int32_t sum[MO_PANEL];
} outputs;

static inline float above(float x)
{
    return x > 0 ? x : 0;
}

/* The largest of two neighbours together, as far as they have one sign; x - x is NaN where x is not finite. */
static void look_at_pair(float *most, float *odd, const float *a, const float *b)
{
    for (size_t o = 0; o < MO_PANEL; o++) {
        const float up = above(a[o]) + above(b[o]), down = above(-a[o]) + above(-b[o]);
        const float t = up > down ? up : down;
        most[o] = t > most[o] ? t : most[o];
        odd[o] += (a[o] - a[o]) + (b[o] - b[o]);
    }
}

static const float nothing[MO_PANEL];

static void find_scales(outputs *out, const float *w, size_t k)
{
    float most[MO_PANEL] = {0}, odd[MO_PANEL] = {0};
    for (size_t i = 0; i < k; i += 2)
        look_at_pair(most, odd, w + i * MO_PANEL, i + 1 < k ? w + (i + 1) * MO_PANEL : nothing);
    for (size_t o = 0; o < MO_PANEL; o++) {
        const bool finite = most[o] <= FLT_MAX && odd[o] == 0, some = finite && most[o] >= 1e-30f;
        out->to[o] = some ? 127.0f / most[o] : 0;
        out->back[o] = some ? most[o] / 127.0f : finite ? 0 : NAN;
        out->sum[o] = 0;
    }
}

static inline int32_t between(int32_t low, int32_t x, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* Two inputs of sixteen outputs.  Where two halves round up to 128 together, the second one rounds down. */
static void quantize_pair(int8_t *q, const float *a, const float *b, outputs *out)
{
    int32_t first[MO_PANEL], second[MO_PANEL];
    for (size_t o = 0; o < MO_PANEL; o++) {
        const float to = out->to[o];
        const int32_t x = to > 0 ? between(-127, mo_i8_round(a[o] * to), 127) : 0;
        first[o] = x;
        second[o] =
            to > 0 ? between(-127 - (x < 0 ? x : 0), mo_i8_round(b[o] * to), 127 - (x > 0 ? x : 0)) : 0;
        out->sum[o] += first[o] + second[o];
    }
    for (size_t o = 0; o < MO_PANEL; o++) {
        q[4 * o] = (int8_t)first[o];
        q[4 * o + 1] = (int8_t)second[o];
    }
}

static void quantize_panel(int8_t *q, outputs *out, const float *w, size_t k)
{
    find_scales(out, w, k);
    for (size_t i = 0; i < k; i += 2)
        quantize_pair(q + i / 4 * MO_I8_QUAD + i % 4, w + i * MO_PANEL,
            i + 1 < k ? w + (i + 1) * MO_PANEL : nothing, out);
}

static mopd_status quantize(mo_mat *out, const mo_mat *from)
{
    const size_t inputs = inputs_of(from), columns = columns_of(from);
    if (from->k > MO_I8_MOST) return MOPD_OK;
    /* Two scales of four bytes and a byte for each input: no more than 64 times the floats there are. */
    size_t bytes;
    if (!mo_mul(columns, inputs + 2 * sizeof(float), &bytes)) return MOPD_E_NOMEM;
    float *scale = mo_mem_calloc(bytes, 1);
    if (!scale) return MOPD_E_NOMEM;
    int32_t *sum = (int32_t *)(void *)(scale + columns);
    int8_t *q = (int8_t *)(void *)(sum + columns);
    for (size_t o = 0; o < columns; o += MO_PANEL) {
        outputs of;
        quantize_panel(q + o * inputs, &of, (const float *)from->packed + o * from->k, from->k);
        memcpy(scale + o, of.back, sizeof of.back);
        memcpy(sum + o, of.sum, sizeof of.sum);
    }
    *out = (mo_mat){
        .n = from->n, .k = from->k, .ops = &mo_gemm_i8_ops, .packed = q, .extra = scale, .owned = scale};
    return MOPD_OK;
}

/* Numbers of 8 bits with a scale for each output, which are used as they are: rounding them once more would change them. */
static bool has_numbers(const mo_mat_part *part, size_t k)
{
    const mo_view *v = part->view;
    const bool panels = v->panel_inputs && v->panel_inputs == k && v->panel_group == 4 && v->sum;
    return v->dtype == MO_I8 && v->scale && v->n_scales == v->n / k && !part->in_out &&
           (panels ? k % MO_I8_STEP == 0 : !v->panel_inputs);
}

static inline int32_t together(int32_t a, int32_t b)
{
    return (a ^ b) < 0 ? 0 : a + b;
}

/* A stored row as output o of a panel; false: its pairs are too large for what AVX2 adds. */
static bool place_row(int8_t *panel, int32_t *sum, const signed char *row, size_t o, size_t k)
{
    int32_t most = 0, all = 0;
    for (size_t i = 0; i < k; i++) {
        const int32_t pair = i % 2 ? together(row[i - 1], row[i]) : row[i];
        most = pair > most ? pair : -pair > most ? -pair : most;
        panel[i / 4 * MO_I8_QUAD + o * 4 + i % 4] = row[i];
        all += row[i];
    }
    *sum = all;
    return most <= 127;
}

/* One part from output o on; panels are in their order already. */
static bool place_part(const mo_mat *out, int8_t *q, int32_t *sum, size_t o, const mo_view *v)
{
    const size_t rows = v->n / out->k;
    if (v->panel_inputs && o % MO_PANEL) return false;
    if (v->panel_inputs) {
        memcpy(q + o * out->k, v->data, v->n);
        memcpy(sum + o, v->sum, rows * sizeof *sum);
        return true;
    }
    for (size_t r = 0; r < rows; r++) {
        const size_t at = o + r;
        if (!place_row(q + at / MO_PANEL * MO_PANEL * inputs_of(out), sum + at,
                (const signed char *)v->data + r * out->k, at % MO_PANEL, out->k))
            return false;
    }
    return true;
}

/* Numbers, scales and sums of all parts: the numbers where they lie, or copied behind the others. */
static mopd_status lay(mo_mat *out, const mo_mat_part *parts, size_t n_parts)
{
    for (size_t i = 0; i < n_parts; i++)
        if (out->k > MO_I8_MOST || !has_numbers(&parts[i], out->k)) return MOPD_OK;
    const bool lies = mo_mat_parts_lie(parts, n_parts, out->k, MO_I8, 4);
    const size_t columns = columns_of(out);
    size_t bytes;
    if (!mo_mul(columns, (lies ? 0 : inputs_of(out)) + 2 * sizeof(float), &bytes)) return MOPD_E_NOMEM;
    float *scale = mo_mem_calloc(bytes, 1);
    if (!scale) return MOPD_E_NOMEM;
    int32_t *sum = (int32_t *)(void *)(scale + columns);
    int8_t *q = (int8_t *)(void *)(sum + columns);
    bool fits = true;
    for (size_t i = 0, o = 0; i < n_parts && fits; o += parts[i++].view->n / out->k) {
        const mo_view *v = parts[i].view;
        memcpy(scale + o, v->scale, v->n / out->k * sizeof *scale);
        if (lies)
            memcpy(sum + o, v->sum, v->n / out->k * sizeof *sum);
        else
            fits = place_part(out, q, sum, o, v);
    }
    if (!fits) {
        mo_mem_free(scale);
        return MOPD_OK;
    }
    out->ops = &mo_gemm_i8_ops;
    out->packed = lies ? parts[0].view->data : q;
    out->extra = out->owned = scale;
    out->mapped = lies;
    return MOPD_OK;
}

static const int8_t *output_at(const mo_mat *mat, size_t o)
{
    return (const int8_t *)mat->packed + o / MO_PANEL * MO_PANEL * inputs_of(mat) + o % MO_PANEL * 4;
}

static void row_of(const mo_mat *mat, size_t o, float *row)
{
    const int8_t *q = output_at(mat, o);
    const float scale = ((const float *)mat->extra)[o];
    for (size_t i = 0; i < mat->k; i++) row[i] = scale * q[i / 4 * MO_I8_QUAD + i % 4];
}

mopd_status mo_gemm_i8_row(const mo_mat *mat, size_t o, int8_t *row, float *scale)
{
    if (mat->ops != &mo_gemm_i8_ops)
        return mo_fail(
            MOPD_E_INTERNAL, "matrix %zu x %zu of kind %s, not i8", mat->n, mat->k, mat->ops->name);
    const int8_t *q = output_at(mat, o);
    for (size_t i = 0; i < mat->k; i++) row[i] = q[i / 4 * MO_I8_QUAD + i % 4];
    *scale = ((const float *)mat->extra)[o];
    return MOPD_OK;
}

const int8_t *mo_gemm_i8_panels(const mo_mat *mat, size_t first)
{
    return output_at(mat, first);
}

const float *mo_gemm_i8_scales(const mo_mat *mat, size_t first)
{
    return (const float *)mat->extra + first;
}

const int32_t *mo_gemm_i8_sums(const mo_mat *mat, size_t first)
{
    return (const int32_t *)(const void *)((const float *)mat->extra + columns_of(mat)) + first;
}

/* Some rows of an area, quantized, in tiles. */
typedef struct block {
    const mo_gemm_job *job;
    const mo_i8_kern *kern;
    const mo_gemm_area *area;
    size_t r0, r1, tiles;
    mo_i8_rows rows;
    bool cold;           /* these weights were not touched before */
    const int8_t *after; /* the panels that come after these, NULL: not known */
} block;

/* Panels from column c, a multiple of 16, on. */
static const int8_t *weights(const mo_gemm_job *j, size_t c)
{
    return (const int8_t *)j->w->packed + (j->g.first + c) * inputs_of(j->w);
}

/* What all tiles of a strip, columns c .., have in common. */
static mo_i8_tile strip_of(const block *b, size_t c, size_t n)
{
    const mo_mat *w = b->job->w;
    const mo_gemm_args *g = &b->job->g;
    const float *scale = (const float *)w->extra + g->first + c;
    return (mo_i8_tile){.n = n,
        .quads = mo_ceil_div(w->k, 4),
        .lda = b->rows.ld,
        .w = weights(b->job, c),
        .panel = MO_PANEL * inputs_of(w),
        .w_scale = scale,
        .w_sum = (const int32_t *)(const void *)(scale + columns_of(w)),
        .ldc = g->ldc,
        .to = g->c16_to,
        .next_every = b->tiles};
}

static void do_strip(const block *b, size_t c)
{
    const mo_gemm_args *g = &b->job->g;
    const size_t width = MO_PANEL * b->kern->tile_panels, n = mo_min(width, b->area->c1 - c);
    const int8_t *ahead = c + n == b->area->c1 ? b->after : b->cold ? weights(b->job, c + n) : NULL;
    mo_i8_tile t = strip_of(b, c, n);
    for (size_t i = 0; i < b->tiles; i++) {
        const size_t from = mo_cut(b->r1 - b->r0, b->tiles, i), row = b->r0 + from;
        const mo_gemm_epilogue e = mo_gemm_epilogue_of(g, true, true, row, c);
        t.m = mo_cut(b->r1 - b->r0, b->tiles, i + 1) - from;
        t.a = b->rows.q + from * t.lda;
        t.a_scale = b->rows.scale + from;
        t.a_zero = b->rows.zero + from;
        if (g->c16)
            t.c16 = g->c16 + row * g->ldc + c;
        else
            t.c = g->c + row * g->ldc + c;
        t.add = e.add;
        t.ldadd = e.ldadd;
        t.bias = e.bias;
        t.top = e.top;
        t.next = ahead ? ahead + mo_cut(t.quads, b->tiles, i) * MO_I8_QUAD : NULL;
        MO_RACES_C(&t);
        b->kern->tile(&t);
    }
}

static void do_block(const block *b)
{
    const mo_gemm_args *g = &b->job->g;
    const float *from = g->a + b->r0 * g->lda;
    const size_t rows = b->r1 - b->r0, width = MO_PANEL * b->kern->tile_panels;
    if (!b->job->ready) {
        MO_RACES_READ(from, g->lda, rows, b->job->w->k);
        b->kern->quantize(&b->rows, from, g->lda, rows, b->job->w->k);
    }
    for (size_t c = b->area->c0; c < b->area->c1; c += width) do_strip(b, c);
    mo_gemm_epilogue_finish(b->job->kern, g, &(mo_gemm_area){b->r0, b->r1, b->area->c0, b->area->c1});
}

static size_t row_bytes(const mo_mat *w)
{
    return inputs_of(w) + MO_I8_STEP;
}

/* Rows in the caller's memory: those that there are, and as many as a tile may read behind them. */
static size_t room_rows(const mo_gemm_job *j)
{
    return j->g.m + mo_i8_get()->half;
}

/* Rows from r on. */
static mo_i8_rows rows_from(const mo_gemm_job *j, size_t r)
{
    const size_t ld = row_bytes(j->w);
    uint8_t *q = j->g.room;
    float *scale = (float *)(void *)(q + room_rows(j) * ld);
    return (mo_i8_rows){q + r * ld, ld, scale + r, (int32_t *)(void *)(scale + j->g.m) + r};
}

static void quantize_some(void *ctx, size_t task)
{
    const mo_gemm_job *j = ctx;
    const size_t from = task * SOME_ROWS, rows = mo_min(j->g.m - from, SOME_ROWS), k = j->w->k;
    const float *x = j->g.a + from * j->g.lda;
    const mo_i8_rows to = rows_from(j, from);
    MO_RACES_READ(x, j->g.lda, rows, k);
    mo_i8_get()->quantize(&to, x, j->g.lda, rows, k);
}

/* Where a tile's rows have no room on the stack. */
static void prepare_rows(mo_gemm_job *j, mo_pool *pool)
{
    const size_t ld = row_bytes(j->w);
    if (ROOM / ld >= mo_i8_get()->tile_rows || j->g.room_bytes / (ld + 2 * sizeof(float)) < room_rows(j))
        return;
    mo_pool_run(pool, mo_ceil_div(j->g.m, SOME_ROWS), quantize_some, j);
    j->ready = true;
}

/* The live kernel, or the next one where too few rows have room; rows of a tile, of a block. */
static const mo_i8_kern *kernel_for(const mo_gemm_job *j, size_t *height, size_t *most)
{
    const mo_i8_kern *kern = mo_i8_get();
    const size_t ld = row_bytes(j->w);
    if (j->ready) {
        *height = kern->tile_rows;
        *most = mo_min(mo_max(kern->room / ld, kern->tile_rows), MOST_ROWS);
        return kern;
    }
    if (kern->wider && ROOM / ld < kern->least) kern = kern->wider();
    *most = mo_min(mo_max(kern->room / ld, mo_min(ROOM / ld, kern->tile_rows)), MOST_ROWS);
    const size_t low = kern->half ? kern->half : kern->tile_rows;
    *height = *most >= kern->tile_rows ? kern->tile_rows : mo_min(*most, low);
    return kern;
}

static void run(const mo_gemm_job *j, const mo_gemm_area *area)
{
    _Alignas(64) uint8_t room[ROOM];
    float scale[MOST_ROWS];
    int32_t zero[MOST_ROWS];
    block b = {.job = j, .area = area};
    size_t height, most;
    b.rows = (mo_i8_rows){.q = room, .ld = row_bytes(j->w), .scale = scale, .zero = zero};
    b.kern = kernel_for(j, &height, &most);
    const size_t rows = area->r1 - area->r0, tiles = mo_ceil_div(rows, height);
    const size_t turns = mo_ceil_div(tiles, most / height);
    if (b.kern->begin) b.kern->begin(mo_min(height, b.kern->half));
    for (size_t i = 0; i < turns; i++) {
        const size_t t0 = mo_cut(tiles, turns, i), t1 = mo_cut(tiles, turns, i + 1);
        b.tiles = t1 - t0;
        b.r0 = area->r0 + mo_cut(rows, tiles, t0);
        b.r1 = area->r0 + mo_cut(rows, tiles, t1);
        if (j->ready) b.rows = rows_from(j, b.r0);
        b.cold = i == 0;
        b.after = i + 1 < turns || area->c1 == j->g.n ? NULL : weights(j, area->c1);
        do_block(&b);
    }
    if (b.kern->end) b.kern->end();
}

/* A row is quantized by every task that has some of its columns: many rows are cut by rows. */
static void plan(mo_gemm_job *j, size_t threads)
{
    j->row_parts = mo_ceil_div(j->g.m, TASK_ROWS);
    if (threads == 1) return;
    if (j->g.m >= FEW_ROWS * threads)
        j->row_parts = mo_max(j->row_parts, 2 * threads);
    else
        j->col_parts =
            mo_min(mo_ceil_div(2 * threads, j->row_parts), mo_ceil_div(mo_ceil_div(j->g.n, MO_PANEL), 4));
}

const mo_gemm_ops mo_gemm_i8_ops = {.name = "i8",
    .quantize = quantize,
    .lay = lay,
    .plan = plan,
    .prepare_rows = prepare_rows,
    .run = run,
    .row = row_of};
