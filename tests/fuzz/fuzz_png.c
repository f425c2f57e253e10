/* SPDX-License-Identifier: MIT
 * fuzz_png.c - bytes as a PNG picture. */
#include "fuzz.h"

#include "format/png.h"

#define MAX_PIXELS 65536

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_image image;
    const mo_image_rules rules = {.max_pixels = MAX_PIXELS, .scale16 = n % 2, .upright = n / 2 % 2};
    if (fuzz_good(mo_png_decode(&image, data, n, &rules))) {
        FUZZ_MUST(mo_png_is(data, n));
        FUZZ_MUST(image.width * image.height <= MAX_PIXELS);
        fuzz_touch(image.rgb, image.width * image.height * 3);
        if (image.alpha) fuzz_touch(image.alpha, image.width * image.height);
    }
    mo_image_free(&image);
}
