/* SPDX-License-Identifier: MIT
 * api_image.c - include/mopd/image.h. */
#include "api/api_image.h"

#include <string.h>

#include "base/mem.h"
#include "base/opts.h"
#include "format/image_decode.h"

#define FIRST_BYTES 16 /* of mopd_image_options in 0.1 */

static const mopd_image_options defaults = {.struct_size = sizeof(mopd_image_options)};

_Static_assert(sizeof(mopd_image_options) == 16, "no holes in mopd_image_options");

mopd_status mopd_image_options_init(mopd_image_options *options, size_t struct_size)
{
    if (!options) return mo_fail(MOPD_E_ARG, "mopd_image_options_init: options is NULL");
    return mo_opts_init(options, struct_size, &defaults, sizeof defaults, FIRST_BYTES);
}

static mopd_status read_options(mopd_image_options *out, const mopd_image_options *options)
{
    mopd_status st =
        mo_opts_read(out, options, &defaults, sizeof defaults, FIRST_BYTES, "mopd_image_options");
    if (st != MOPD_OK) return st;
    if (out->flags)
        return mo_fail(
            MOPD_E_VERSION, "mopd_image_options: flags 0x%x are unknown here", (unsigned)out->flags);
    return MOPD_OK;
}

/* Moves the picture into a new handle, or frees it. */
static mopd_status wrap(mopd_image **out, mo_image *picture)
{
    mopd_image *image = mo_mem_alloc(1, sizeof *image);
    if (!image) {
        mo_image_free(picture);
        return MOPD_E_NOMEM;
    }
    image->picture = *picture;
    *out = image;
    return MOPD_OK;
}

mopd_status mopd_image_open(mopd_image **out, const char *path, const mopd_image_options *options)
{
    if (!out) return mo_fail(MOPD_E_ARG, "mopd_image_open: out is NULL");
    *out = NULL;
    if (!path) return mo_fail(MOPD_E_ARG, "mopd_image_open: path is NULL");
    mopd_image_options o;
    mo_image picture;
    mopd_status st;
    if ((st = read_options(&o, options)) != MOPD_OK) return st;
    if ((st = mo_image_decode_file(&picture, path, o.max_pixels)) != MOPD_OK) return st;
    return wrap(out, &picture);
}

mopd_status mopd_image_decode(
    mopd_image **out, const void *bytes, size_t n_bytes, const mopd_image_options *options)
{
    if (!out) return mo_fail(MOPD_E_ARG, "mopd_image_decode: out is NULL");
    *out = NULL;
    if (!bytes && n_bytes) return mo_fail(MOPD_E_ARG, "mopd_image_decode: bytes is NULL");
    mopd_image_options o;
    mo_image picture;
    mopd_status st;
    if ((st = read_options(&o, options)) != MOPD_OK) return st;
    if ((st = mo_image_decode(&picture, bytes, n_bytes, o.max_pixels)) != MOPD_OK) return st;
    return wrap(out, &picture);
}

static void copy_row(uint8_t *rgb, const uint8_t *in, size_t width, size_t n_channels)
{
    if (n_channels == 3)
        memcpy(rgb, in, width * 3);
    else if (n_channels == 1)
        for (size_t x = 0; x < width; x++) memset(rgb + 3 * x, in[x], 3);
    else
        for (size_t x = 0; x < width; x++) memcpy(rgb + 3 * x, in + 4 * x, 3);
}

mopd_status mopd_image_create(mopd_image **out, const uint8_t *samples, size_t height, size_t width,
    size_t n_channels, size_t row_bytes)
{
    if (!out) return mo_fail(MOPD_E_ARG, "mopd_image_create: out is NULL");
    *out = NULL;
    if (!samples) return mo_fail(MOPD_E_ARG, "mopd_image_create: samples is NULL");
    if (height == 0 || width == 0)
        return mo_fail(MOPD_E_ARG, "mopd_image_create: %zu x %zu pixels", width, height);
    if (n_channels != 1 && n_channels != 3 && n_channels != 4)
        return mo_fail(MOPD_E_ARG, "mopd_image_create: %zu channels: 1, 3 and 4 are known", n_channels);
    size_t packed;
    if (!mo_mul(width, n_channels, &packed))
        return mo_fail(MOPD_E_ARG, "mopd_image_create: a row of %zu pixels is too long", width);
    if (row_bytes == 0) row_bytes = packed;
    if (row_bytes < packed)
        return mo_fail(MOPD_E_ARG, "mopd_image_create: rows are %zu bytes apart, %zu pixels need %zu",
            row_bytes, width, packed);
    mo_image picture;
    mopd_status st = mo_image_create(&picture, width, height, false);
    if (st != MOPD_OK) return st;
    for (size_t y = 0; y < height; y++)
        copy_row(picture.rgb + y * width * 3, samples + y * row_bytes, width, n_channels);
    return wrap(out, &picture);
}

size_t mopd_image_width(const mopd_image *image)
{
    return image ? image->picture.width : 0;
}

size_t mopd_image_height(const mopd_image *image)
{
    return image ? image->picture.height : 0;
}

const uint8_t *mopd_image_samples(const mopd_image *image)
{
    return image ? image->picture.rgb : NULL;
}

void mopd_image_free(mopd_image *image)
{
    if (!image) return;
    mo_image_free(&image->picture);
    mo_mem_free(image);
}
