/* SPDX-License-Identifier: MIT
 * api_frame.c - include/mopd/frame.h: what a frame claims is checked against the machine's addresses before it is read. */
#include <math.h>

#include "api/api.h"
#include "api/api_image.h"
#include "pixel/frame.h"

static const mopd_frame defaults = {.struct_size = sizeof(mopd_frame)};

mopd_status mopd_frame_init(mopd_frame *frame, size_t struct_size)
{
    MO_API_NEED(frame);
    return mo_api_init(__func__, MO_API_mopd_frame, frame, struct_size, &defaults);
}

#define REFUSE(...) mo_fail(MOPD_E_ARG, "mopd_image_create_frame: " __VA_ARGS__)

/* The region's columns, or rows: [at, at + *n) of `all`; *n 0: to the end. */
static mopd_status check_region(const char *what, size_t at, size_t *n, size_t all)
{
    if (at >= all || *n > all - at)
        return REFUSE("a region of %zu %s from %zu on, the frame has %zu", *n, what, at, all);
    if (*n == 0) *n = all - at;
    return MOPD_OK;
}

static mopd_status check_kind(const mopd_frame *f)
{
    if (!mo_frame_planes(f->layout, f->samples))
        return REFUSE("layout %d of samples %d is not known", (int)f->layout, (int)f->samples);
    if (f->width == 0 || f->height == 0) return REFUSE("%zu x %zu pixels", f->width, f->height);
    if (!isfinite(f->white) || f->white < 0) return REFUSE("white is %g", f->white);
    return MOPD_OK;
}

/* Whether `all` bytes from the plane on, or those in front of its first row that are above it, are addresses. */
static bool has_addresses(const void *plane, size_t others, size_t row, bool upward)
{
    const uintptr_t first = (uintptr_t)plane;
    if (upward) return first >= others && first <= UINTPTR_MAX - row;
    return others <= PTRDIFF_MAX - row && first <= UINTPTR_MAX - others - row;
}

/* Plane i: there, its rows long enough and all within memory. */
static mopd_status check_plane(mopd_frame *f, size_t i)
{
    size_t packed, n_rows, others;
    if (!f->planes[i]) return REFUSE("planes[%zu] is NULL", i);
    if (!mo_frame_plane(f, i, &packed, &n_rows) || packed > PTRDIFF_MAX)
        return REFUSE("a row of %zu pixels is too long", f->width);
    if (f->row_bytes[i] == 0) f->row_bytes[i] = (ptrdiff_t)packed;
    const bool upward = f->row_bytes[i] < 0;
    const size_t step = upward ? (size_t)0 - (size_t)f->row_bytes[i] : (size_t)f->row_bytes[i];
    if (step < packed)
        return REFUSE(
            "rows of planes[%zu] are %zu bytes apart, %zu pixels need %zu", i, step, f->width, packed);
    if (!mo_mul(step, n_rows - 1, &others) || others > PTRDIFF_MAX ||
        !has_addresses(f->planes[i], others, packed, upward))
        return REFUSE("planes[%zu]: %zu rows that are %zu bytes apart lie in no memory", i, n_rows, step);
    return MOPD_OK;
}

static mopd_status check_frame(mopd_frame *f)
{
    mopd_status st;
    if ((st = check_kind(f)) != MOPD_OK) return st;
    if ((st = check_region("columns", f->x, &f->region_width, f->width)) != MOPD_OK) return st;
    if ((st = check_region("rows", f->y, &f->region_height, f->height)) != MOPD_OK) return st;
    const size_t n_planes = mo_frame_planes(f->layout, f->samples);
    for (size_t i = 0; i < n_planes && st == MOPD_OK; i++) st = check_plane(f, i);
    return st;
}

mopd_status mopd_image_create_frame(mopd_image **out, const mopd_frame *frame)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(frame);
    mopd_frame f;
    mo_image picture;
    mopd_status st = mo_api_read(__func__, MO_API_mopd_frame, &f, frame, &defaults);
    if (st == MOPD_OK) st = check_frame(&f);
    if (st == MOPD_OK) st = mo_frame_read(&picture, &f);
    return st == MOPD_OK ? mo_api_image_wrap(out, &picture) : st;
}
