/* SPDX-License-Identifier: MIT
 * fuzz_jpeg.c - bytes as a JPEG picture. */
#include "fuzz.h"

#include "format/jpeg.h"

#define MAX_PIXELS 65536

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_image image;
    if (fuzz_good(
            mo_jpeg_decode(&image, data, n, &(mo_image_rules){.max_pixels = MAX_PIXELS, .upright = n % 2}))) {
        FUZZ_MUST(image.width * image.height <= MAX_PIXELS);
        fuzz_touch(image.rgb, image.width * image.height * 3);
    }
    mo_image_free(&image);
}
