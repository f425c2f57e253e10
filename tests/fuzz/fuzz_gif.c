/* SPDX-License-Identifier: MIT
 * fuzz_gif.c - bytes as a GIF picture, which a build without its library refuses. */
#include "fuzz.h"

#include "format/image_decode.h"

#define MAX_PIXELS 65536

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_image image;
    const mo_image_rules rules = {.max_pixels = MAX_PIXELS, .upright = n % 2};
    if (fuzz_good(mo_image_decode(&image, data, n, &rules))) {
        FUZZ_MUST(image.width * image.height <= MAX_PIXELS);
        fuzz_touch(image.rgb, image.width * image.height * 3);
        if (image.alpha) fuzz_touch(image.alpha, image.width * image.height);
    }
    mo_image_free(&image);
}
