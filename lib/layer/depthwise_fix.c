/* SPDX-License-Identifier: MIT
 * depthwise_fix.c - filters reduced to whole numbers, and where a group of four outputs finds its pixels. */
#include "layer/depthwise_fix.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "layer/conv.h"
#include "math/fix.h"

#define LARGEST 1e6f

static bool are_tame(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(x[i]) <= LARGEST)) return false;
    return true;
}

bool mo_depthwise_fix_may(const mo_depthwise *dw)
{
    const size_t k = dw->kernel;
    if ((k != 3 && k != 5) || (dw->stride != 1 && dw->stride != 2) || dw->act != MO_ACT_RELU6) return false;
    return are_tame(dw->taps, (k * k + 1) * dw->channels);
}

/* The filter of channel c; returns what turned its weights into whole numbers, 0: they are next to nothing. */
static double reduce(int16_t *w, const mo_depthwise *dw, size_t c)
{
    const size_t k = dw->kernel, n = dw->channels, width = mo_round_up(n, MO_FIX_CHUNK);
    double sum = 0, most = 0;
    for (size_t i = 0; i < k * k; i++) {
        const double size = fabs((double)dw->taps[i * n + c]);
        sum += size;
        most = size > most ? size : most;
    }
    if (sum < 1e-30) return 0;
    const double to = fmin((MO_FIX_SUM - 32) / sum, INT16_MAX / most); /* 25 halves are lost or won */
    for (size_t i = 0; i < k * k; i++)
        w[mo_fix_weight(k, width, i / k, i % k, c)] = (int16_t)nearbyint((double)dw->taps[i * n + c] * to);
    return to;
}

mopd_status mo_depthwise_fix_pack(mo_depthwise_fix *out, const mo_depthwise *dw, int32_t top)
{
    const size_t k = dw->kernel, n = dw->channels, width = mo_round_up(n, MO_FIX_CHUNK);
    const size_t weights = (k + 1) / 2 * k * width * 2;
    /* No more than three times the filters, and a chunk: no overflow. */
    float *block = mo_mem_calloc(2 * width + (weights + width) / 2, sizeof *block);
    *out = (mo_depthwise_fix){0};
    if (!block) return MOPD_E_NOMEM;
    *out = (mo_depthwise_fix){.scale = block, .shift = block + width, .top = top};
    out->w = (int16_t *)(void *)(block + 2 * width);
    out->zeros = out->w + weights;
    for (size_t c = 0; c < n; c++) {
        const double to = reduce(out->w, dw, c);
        out->scale[mo_fix_number(c)] = to > 0 ? (float)(top / (MO_FIX_ONE * to)) : 0;
        out->shift[mo_fix_number(c)] = (float)((double)dw->taps[k * k * n + c] * top / 6);
    }
    return MOPD_OK;
}

void mo_depthwise_fix_free(mo_depthwise_fix *fix)
{
    mo_mem_free(fix->scale);
    *fix = (mo_depthwise_fix){0};
}

/* One output line; taps->x is found anew for each run of groups. */
typedef struct line {
    const mo_depthwise_fix_part *part;
    size_t y, left, above; /* output line; columns and rows of padding */
    bool inside;           /* all rows lie in the picture */
} line;

static void point(mo_fix_taps *t, const line *l, size_t col)
{
    const mo_depthwise_fix_part *p = l->part;
    for (size_t r = 0; r < t->kernel; r++) {
        const size_t py = l->y * t->stride + r - l->above; /* wraps when < 0 */
        const int16_t *row = py < p->height ? p->x + py % p->ring * p->width * t->channels : NULL;
        for (size_t j = 0; j < t->stride * (MO_FIX_COLUMNS - 1) + t->kernel; j++) {
            const size_t px = col * t->stride + j - l->left; /* wraps when < 0 */
            t->x[r][j] = row && px < p->width ? row + px * t->channels : p->fix->zeros;
        }
    }
}

/* How many whole groups from column col on see no zeros; 1 for a group at an edge. */
static size_t groups_from(const mo_fix_taps *t, const line *l, size_t col)
{
    const size_t width = l->part->width, k = t->kernel;
    if (!l->inside || col * t->stride < l->left || width < k) return 1;
    const size_t inner = (width - k + l->left) / t->stride + 1;
    return inner > col ? mo_max(1, (inner - col) / MO_FIX_COLUMNS) : 1;
}

static void do_line(int16_t *y, mo_fix_taps *t, const line *l)
{
    const size_t out_w = mo_conv_same_out(l->part->width, t->stride);
    void (*const filter)(const mo_fix_taps *t) = mo_fix_get()->filter;
    for (size_t col = 0; col < out_w; col += t->n_groups * MO_FIX_COLUMNS) {
        t->n_groups = groups_from(t, l, col);
        t->columns = mo_min(out_w - col, MO_FIX_COLUMNS);
        t->y = y + col * t->channels;
        point(t, l, col);
        filter(t);
    }
}

void mo_depthwise_fix_lines(int16_t *y, const mo_depthwise_fix_part *part)
{
    const mo_depthwise *dw = part->dw;
    mo_fix_taps t = {.kernel = dw->kernel,
        .stride = dw->stride,
        .channels = dw->channels,
        .step = MO_FIX_COLUMNS * dw->stride * dw->channels,
        .w = part->fix->w,
        .scale = part->fix->scale,
        .shift = part->fix->shift,
        .top = (float)part->fix->top};
    line l = {.part = part,
        .left = mo_depthwise_before(dw, part->width),
        .above = mo_depthwise_before(dw, part->height)};
    const size_t n = mo_conv_same_out(part->width, dw->stride) * dw->channels;
    for (l.y = part->from; l.y < part->to; l.y++, y += n) {
        const size_t first = l.y * dw->stride;
        l.inside = first >= l.above && first - l.above + dw->kernel <= part->height;
        do_line(y, &t, &l);
    }
}
