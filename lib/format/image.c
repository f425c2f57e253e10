/* SPDX-License-Identifier: MIT
 * image.c - a picture in memory: room for it, a part of it, and whether its size is allowed. */
#include "format/image.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

#define MOST_EACH 16 /* bytes of a pixel, in any file and on the way */

uint64_t mo_image_most(uint64_t max_pixels)
{
    return max_pixels ? max_pixels : mo_limits_get(MO_LIMIT_PIXELS);
}

mopd_status mo_image_check(uint64_t width, uint64_t height, uint64_t max_pixels)
{
    max_pixels = mo_image_most(max_pixels);
    if (width == 0 || height == 0)
        return mo_fail(MOPD_E_FORMAT, "a picture of %" PRIu64 " x %" PRIu64 " pixels", width, height);
    if (height > max_pixels / width)
        return mo_fail(MOPD_E_UNSUPPORTED,
            "%" PRIu64 " x %" PRIu64 " pixels are more than the limit of %" PRIu64 " pixels", width, height,
            max_pixels);
    if (height > SIZE_MAX / MOST_EACH / width) /* what memory cannot have with 32 bits, whatever the limit */
        return mo_fail(MOPD_E_NOMEM, "%" PRIu64 " x %" PRIu64 " pixels do not fit in memory", width, height);
    return MOPD_OK;
}

mopd_status mo_image_create(mo_image *out, size_t width, size_t height, bool alpha)
{
    *out = (mo_image){.width = width, .height = height};
    size_t row, n;
    if (!mo_mul(width, 3, &row) || !mo_mul(row, height, &n))
        return mo_fail(MOPD_E_NOMEM, "%zu x %zu pixels do not fit in memory", width, height);
    out->rgb = mo_mem_alloc(height, row);
    if (out->rgb && alpha) out->alpha = mo_mem_alloc(height, width);
    if (out->rgb && (out->alpha || !alpha)) return MOPD_OK;
    mo_image_free(out);
    return MOPD_E_NOMEM;
}

mopd_status mo_image_crop(mo_image *out, const mo_image *from, size_t x, size_t y)
{
    mopd_status st = mo_image_create(out, out->width, out->height, from->alpha != NULL);
    if (st != MOPD_OK) return st;
    const size_t row_bytes = mo_image_row_bytes(from);
    for (size_t i = 0; i < out->height; i++) {
        memcpy(out->rgb + i * out->width * 3, from->rgb + (y + i) * row_bytes + 3 * x, out->width * 3);
        if (out->alpha)
            memcpy(out->alpha + i * out->width, from->alpha + (y + i) * from->width + x, out->width);
    }
    out->cut = from->cut;
    return MOPD_OK;
}

void mo_image_free(mo_image *picture)
{
    if (!picture->borrowed) mo_mem_free(picture->rgb);
    mo_mem_free(picture->alpha);
    *picture = (mo_image){0};
}
