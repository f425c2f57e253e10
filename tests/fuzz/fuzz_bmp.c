/* SPDX-License-Identifier: MIT
 * fuzz_bmp.c - bytes as a BMP picture. */
#include "fuzz.h"

#include "format/bmp.h"

#define MAX_PIXELS 65536

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_image image;
    const mo_image_rules rules = {.max_pixels = MAX_PIXELS, .scale16 = n % 2, .upright = n / 2 % 2};
    if (fuzz_good(mo_bmp_decode(&image, data, n, &rules))) {
        FUZZ_MUST(mo_bmp_is(data, n));
        FUZZ_MUST(image.width * image.height <= MAX_PIXELS);
        fuzz_touch(image.rgb, image.width * image.height * 3);
        if (image.alpha) fuzz_touch(image.alpha, image.width * image.height);
    }
    mo_image_free(&image);
}
