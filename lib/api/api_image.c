/* SPDX-License-Identifier: MIT
 * api_image.c - include/mopd/image.h. */
#include "api/api_image.h"

#include "api/api.h"
#include "base/mem.h"
#include "format/image_decode.h"
#include "math/near.h"
#include "pixel/frame.h"
#include "pixel/look.h"

static const mopd_image_options defaults = {.struct_size = sizeof(mopd_image_options)};

mopd_status mopd_image_options_init(mopd_image_options *options, size_t struct_size)
{
    MO_API_NEED(options);
    return mo_api_init(__func__, MO_API_mopd_image_options, options, struct_size, &defaults);
}

mopd_status mo_api_image_rules(const char *function, mo_image_rules *rules, const mopd_image_options *options)
{
    mopd_image_options o;
    mopd_status st = mo_api_read(function, MO_API_mopd_image_options, &o, options, &defaults);
    if (st != MOPD_OK) return st;
    *rules = (mo_image_rules){.max_pixels = o.max_pixels,
        .scale16 = (o.flags & MOPD_IMAGE_SCALE_GREY16) != 0,
        .upright = (o.flags & MOPD_IMAGE_UPRIGHT) != 0};
    return MOPD_OK;
}

mopd_status mo_api_image_wrap(mopd_image **out, mo_image *picture)
{
    const bool scattered = picture->borrowed && mo_image_row_bytes(picture) != 3 * picture->width;
    mopd_image *image = mo_mem_calloc(1, sizeof *image);
    if (image && scattered && !(image->packed = mo_mem_calloc(1, sizeof *image->packed))) {
        mo_mem_free(image);
        image = NULL;
    }
    if (!image) {
        mo_image_free(picture);
        return MOPD_E_NOMEM;
    }
    image->picture = *picture;
    *out = image;
    return MOPD_OK;
}

int mopd_image_takes(const char *path)
{
    return path && mo_image_takes(path);
}

mopd_status mopd_image_open(mopd_image **out, const char *path, const mopd_image_options *options)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(path);
    mo_image_rules rules;
    mo_image picture;
    mopd_status st;
    if ((st = mo_api_image_rules(__func__, &rules, options)) != MOPD_OK) return st;
    if ((st = mo_image_decode_file(&picture, path, &rules)) != MOPD_OK) return st;
    return mo_api_image_wrap(out, &picture);
}

mopd_status mopd_image_decode(
    mopd_image **out, const void *bytes, size_t n_bytes, const mopd_image_options *options)
{
    MO_API_NEED_OUT(out);
    mo_image_rules rules;
    mo_image picture;
    mopd_status st = mo_api_check_list(__func__, "bytes", bytes, (const size_t[3]){n_bytes, 1, 1});
    if (st != MOPD_OK) return st;
    if ((st = mo_api_image_rules(__func__, &rules, options)) != MOPD_OK) return st;
    if ((st = mo_image_decode(&picture, bytes, n_bytes, &rules)) != MOPD_OK) return st;
    return mo_api_image_wrap(out, &picture);
}

/* Where the rows that the caller describes lie; 1, 3 and 4 samples a pixel. */
static mopd_frame frame_of(const uint8_t *samples, size_t height, size_t width, size_t n_channels)
{
    static const int32_t layouts[] = {[1] = MOPD_LAYOUT_GREY, [3] = MOPD_LAYOUT_RGB, [4] = MOPD_LAYOUT_RGBA};
    return (mopd_frame){.flags = MOPD_FRAME_NO_ALPHA,
        .layout = layouts[n_channels],
        .width = width,
        .height = height,
        .planes = {samples},
        .region_width = width,
        .region_height = height};
}

mopd_status mopd_image_create(mopd_image **out, const uint8_t *samples, size_t height, size_t width,
    size_t n_channels, size_t row_bytes)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(samples);
    if (height == 0 || width == 0)
        return mo_fail(MOPD_E_ARG, "%s: %zu x %zu pixels", __func__, width, height);
    if (n_channels != 1 && n_channels != 3 && n_channels != 4)
        return mo_fail(MOPD_E_ARG, "%s: %zu channels: 1, 3 and 4 are known", __func__, n_channels);
    size_t packed;
    if (!mo_mul(width, n_channels, &packed))
        return mo_fail(MOPD_E_ARG, "%s: a row of %zu pixels is too long", __func__, width);
    if (row_bytes == 0) row_bytes = packed;
    if (row_bytes < packed)
        return mo_fail(MOPD_E_ARG, "%s: rows are %zu bytes apart, %zu pixels need %zu", __func__, row_bytes,
            width, packed);
    size_t all;
    if (row_bytes > PTRDIFF_MAX || !mo_mul(row_bytes, height - 1, &all) || !mo_add(all, packed, &all))
        return mo_fail(MOPD_E_ARG,
            "%s: %zu rows that are %zu bytes apart lie in no memory; rows that go upwards (a negative "
            "distance) "
            "are to be turned over first",
            __func__, height, row_bytes);
    mo_image picture;
    mopd_frame frame = frame_of(samples, height, width, n_channels);
    frame.row_bytes[0] = (ptrdiff_t)row_bytes;
    mopd_status st = mo_frame_read(&picture, &frame);
    return st == MOPD_OK ? mo_api_image_wrap(out, &picture) : st;
}

mopd_status mopd_image_crop(
    mopd_image **out, const mopd_image *image, size_t x, size_t y, size_t width, size_t height)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(image);
    const mo_image *from = &image->picture;
    if (width == 0 || height == 0 || x > from->width || width > from->width - x || y > from->height ||
        height > from->height - y)
        return mo_fail(MOPD_E_ARG,
            "%s: %zu x %zu pixels from column %zu and row %zu on, the image has %zu x %zu", __func__, width,
            height, x, y, from->width, from->height);
    mo_image picture = {.width = width, .height = height};
    mopd_status st = mo_image_crop(&picture, from, x, y);
    return st == MOPD_OK ? mo_api_image_wrap(out, &picture) : st;
}

size_t mopd_image_width(const mopd_image *image)
{
    return image ? image->picture.width : 0;
}

size_t mopd_image_height(const mopd_image *image)
{
    return image ? image->picture.height : 0;
}

/* A packed copy of borrowed rows, made by the first who asks; of two at once one throws his away. */
static const uint8_t *pack(const mopd_image *image)
{
    uint8_t *packed = atomic_load(image->packed), *none = NULL;
    mo_image copy = {.width = image->picture.width, .height = image->picture.height};
    if (packed || mo_image_crop(&copy, &image->picture, 0, 0) != MOPD_OK) return packed;
    if (atomic_compare_exchange_strong(image->packed, &none, copy.rgb)) return copy.rgb;
    mo_image_free(&copy);
    return none;
}

const uint8_t *mopd_image_samples(const mopd_image *image)
{
    if (!image) return NULL;
    return image->packed ? pack(image) : image->picture.rgb;
}

static mo_look look(const mopd_image *image)
{
    const mo_image *p = &image->picture;
    return (mo_look){p->rgb, p->height, p->width, mo_image_row_bytes(p)};
}

mopd_status mopd_image_sharpness(const mopd_image *image, double *sharpness)
{
    MO_API_NEED(image);
    MO_API_NEED(sharpness);
    const mo_look picture = look(image);
    return mo_look_sharpness(sharpness, &picture);
}

mopd_status mopd_image_signature(const mopd_image *image, float *signature)
{
    MO_API_NEED(image);
    MO_API_NEED(signature);
    const mo_look picture = look(image);
    mo_look_signature(signature, &picture);
    return MOPD_OK;
}

mopd_status mopd_pairs_find(
    const float *rows, size_t n, size_t dim, double least, mopd_pair *pairs, size_t *n_pairs)
{
    MO_API_NEED_SOME(dim);
    MO_API_NEED_ROWS(rows, n, dim);
    MO_API_NEED(n_pairs);
    MO_API_NEED_LIST(pairs, *n_pairs);
    if (least != least) return mo_fail(MOPD_E_ARG, "%s: least is not a number", __func__);
    return mo_near_find(rows, (const size_t[2]){n, dim}, least, pairs, n_pairs);
}

void mopd_image_close(mopd_image *image)
{
    if (!image) return;
    if (image->packed) mo_mem_free(atomic_load(image->packed));
    mo_mem_free(image->packed);
    mo_image_free(&image->picture);
    mo_mem_free(image);
}
