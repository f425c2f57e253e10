/* SPDX-License-Identifier: MIT
 * fuzz_tiff.c - bytes as a TIFF picture, which a build without its library refuses. */
#include "picture.h"

#include "format/image_decode.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    (void)fuzz_picture(mo_image_decode, data, n, (mo_image_rules){.upright = n % 2, .scale16 = n % 3 == 0});
}
