/* SPDX-License-Identifier: MIT
 * picture.h - bytes through a decoder of pictures: what comes out is within the limit, and every sample is there.
 *
 * The limit is low, so that an input costs little.  Numbers of a header for which it is too low are tried once more with that of
 * a process, whose products a size of 32 bits may not hold. */
#ifndef MOPD_TESTS_FUZZ_PICTURE_H
#define MOPD_TESTS_FUZZ_PICTURE_H

#include "fuzz.h"

#include "format/image.h"

#define MAX_PIXELS 65536

/* As mo_png_decode and its sisters. */
typedef mopd_status (*fuzz_decoder)(
    mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

/* What has a wrong size ends in a message, or in a picture of that size, whose last samples are there. */
static inline void fuzz_large_picture(
    fuzz_decoder decode, const uint8_t *data, size_t n, mo_image_rules rules)
{
    mo_image image;
    rules.max_pixels = 0;
    const mopd_status st = decode(&image, data, n, &rules);
    FUZZ_MUST(st != MOPD_E_INTERNAL && (st == MOPD_OK || *mopd_last_error()));
    if (st == MOPD_OK) {
        const size_t n_pixels = image.width * image.height,
                     some = n_pixels < MAX_PIXELS ? n_pixels : MAX_PIXELS;
        FUZZ_MUST(image.height <= mo_image_most(0) / image.width);
        fuzz_touch(image.rgb + 3 * (n_pixels - some), 3 * some);
        if (image.alpha) fuzz_touch(image.alpha + n_pixels - some, some);
    }
    mo_image_free(&image);
}

/* Whether it was a picture.  rules: but for the limit, which is set here. */
static inline bool fuzz_picture(fuzz_decoder decode, const uint8_t *data, size_t n, mo_image_rules rules)
{
    mo_image image;
    rules.max_pixels = MAX_PIXELS;
    const mopd_status st = decode(&image, data, n, &rules);
    if (fuzz_good(st)) {
        FUZZ_MUST(image.width * image.height <= MAX_PIXELS);
        fuzz_touch(image.rgb, image.width * image.height * 3);
        if (image.alpha) fuzz_touch(image.alpha, image.width * image.height);
    }
    mo_image_free(&image);
    if (st == MOPD_E_UNSUPPORTED) fuzz_large_picture(decode, data, n, rules);
    return st == MOPD_OK;
}

#endif
