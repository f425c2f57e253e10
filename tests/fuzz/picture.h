/* SPDX-License-Identifier: MIT
 * picture.h - bytes through a decoder of pictures: what comes out is within the limit, and every sample is there. */
#ifndef MOPD_TESTS_FUZZ_PICTURE_H
#define MOPD_TESTS_FUZZ_PICTURE_H

#include "fuzz.h"

#include "format/image.h"

#define MAX_PIXELS 65536

/* As mo_png_decode and its sisters. */
typedef mopd_status (*fuzz_decoder)(
    mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);

/* Whether it was a picture.  rules: but for the limit, which is set here. */
static inline bool fuzz_picture(fuzz_decoder decode, const uint8_t *data, size_t n, mo_image_rules rules)
{
    mo_image image;
    rules.max_pixels = MAX_PIXELS;
    const bool good = fuzz_good(decode(&image, data, n, &rules));
    if (good) {
        FUZZ_MUST(image.width * image.height <= MAX_PIXELS);
        fuzz_touch(image.rgb, image.width * image.height * 3);
        if (image.alpha) fuzz_touch(image.alpha, image.width * image.height);
    }
    mo_image_free(&image);
    return good;
}

#endif
