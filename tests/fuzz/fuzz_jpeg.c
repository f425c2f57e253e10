/* SPDX-License-Identifier: MIT
 * fuzz_jpeg.c - bytes as a JPEG picture. */
#include "picture.h"

#include "format/jpeg.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    (void)fuzz_picture(mo_jpeg_decode, data, n, (mo_image_rules){.upright = n % 2});
}
