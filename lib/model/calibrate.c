/* SPDX-License-Identifier: MIT
 * calibrate.c - pictures one after the other through a tower of its own, which is told to show its rows. */
#include "model/calibrate.h"

#include <math.h>
#include <string.h>

#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "format/image_decode.h"

#define ROWS 256 /* of each place that are kept, from all pictures together */

/* One picture at work. */
typedef struct observer {
    mo_calibrate *to;
    size_t quota; /* rows of each place that are kept of a picture */
} observer;

/* Some rows of a picture, spread evenly from the first on. */
static void keep(mo_balance_seen *seen, const float *x, size_t rows, size_t width, size_t quota)
{
    const size_t n = mo_min(rows, quota);
    for (size_t i = 0; i < n; i++)
        memcpy(seen->rows + (seen->n_rows + i) * width, x + i * rows / n * width, width * sizeof *x);
    seen->n_rows += n;
}

static void look(void *context, size_t layer, mo_block_place place, const float *x, size_t rows)
{
    const observer *o = context;
    const size_t width = o->to->width;
    mo_balance_seen *seen = &o->to->seen[layer][place];
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < width; i++) {
            const float size = fabsf(x[r * width + i]);
            if (size > seen->most[i]) seen->most[i] = size;
        }
    keep(seen, x, rows, width, o->quota);
}

static mopd_status make_room(mo_calibrate *c, size_t rows)
{
    const size_t places = c->layers * MO_BLOCK_PLACES;
    size_t each;
    c->seen = mo_mem_calloc(c->layers, sizeof *c->seen);
    c->room = mo_mul(rows + 1, c->width, &each) ? mo_mem_calloc(places, each * sizeof *c->room) : NULL;
    if (!c->seen || !c->room) return MOPD_E_NOMEM;
    float *at = c->room;
    for (size_t i = 0; i < places; i++, at += each)
        c->seen[i / MO_BLOCK_PLACES][i % MO_BLOCK_PLACES] =
            (mo_balance_seen){.most = at, .rows = at + c->width};
    return MOPD_OK;
}

static mopd_status read_pixels(float *pixels, const mopd_encoder *e, const char *path)
{
    mo_image picture = {0};
    if (!path) return mo_fail(MOPD_E_ARG, "a picture's path is NULL");
    mopd_status st = mo_image_decode_file(&picture, path, &e->rules);
    if (st != MOPD_OK) return st;
    st = mo_pixels_run(&e->config.pixels, &picture, pixels);
    mo_image_free(&picture);
    return st == MOPD_OK ? MOPD_OK : mo_fail_at(st, "%s", path);
}

/* `taken` of n pictures, evenly. */
static mopd_status see(
    const mo_vision *v, const mopd_encoder *e, const char *const *paths, const size_t counts[2])
{
    const size_t side = e->config.image, n = counts[0], taken = counts[1];
    float *pixels = mo_mem_alloc(3 * side * side + e->config.dim, sizeof *pixels);
    if (!pixels) return MOPD_E_NOMEM;
    mo_progress progress;
    mopd_status st = mo_progress_begin(&progress, e->watcher, "pictures", taken);
    for (size_t i = 0; i < taken && st == MOPD_OK; i++) {
        st = read_pixels(pixels, e, paths[mo_cut(n, taken, i)]);
        if (st == MOPD_OK) st = mo_vision_fwd(v, e->pool, pixels, 1, pixels + 3 * side * side);
        if (st == MOPD_OK) st = mo_progress_add(&progress, 1);
    }
    mo_mem_free(pixels);
    return st;
}

mopd_status mo_calibrate_run(
    mo_calibrate *out, const mopd_encoder *encoder, const char *const *paths, size_t n)
{
    const size_t taken = mo_min(n, MO_CALIBRATE_MOST);
    const mo_stack_config *stack = &encoder->config.vit.stack;
    *out = (mo_calibrate){0};
    if (!n) return mo_fail(MOPD_E_ARG, "no picture to calibrate with");
    if (encoder->config.vision_kind != MO_VISION_VIT)
        return mo_fail(MOPD_E_UNSUPPORTED,
            "%s: only image towers that are transformers are calibrated; in this one there is nothing to "
            "balance",
            encoder->path);
    mopd_status st = MOPD_OK;
    mo_vision *v = NULL;
    observer o = {out, mo_ceil_div(ROWS, taken)};
    const mo_block_watch watch = {look, &o};
    out->layers = stack->layers;
    out->width = stack->width;
    if (st == MOPD_OK) st = make_room(out, o.quota * taken);
    if (st == MOPD_OK) st = mo_vision_create(&v, &encoder->config, encoder->weights, MO_PRECISION_F32);
    if (st == MOPD_OK) {
        v->watch = &watch;
        st = v->prepare(v);
    }
    if (st == MOPD_OK)
        st = mo_limits_check(
            MO_LIMIT_TOWER, v->bytes(v, encoder->pool, 1), encoder->path, "bytes of memory for one picture");
    if (st == MOPD_OK) st = see(v, encoder, paths, (const size_t[2]){n, taken});
    mo_vision_free(v);
    if (st != MOPD_OK) mo_calibrate_free(out);
    return st;
}

void mo_calibrate_free(mo_calibrate *calibration)
{
    mo_mem_free(calibration->seen);
    mo_mem_free(calibration->room);
    *calibration = (mo_calibrate){0};
}
