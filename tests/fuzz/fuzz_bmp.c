/* SPDX-License-Identifier: MIT
 * fuzz_bmp.c - bytes as a BMP picture. */
#include "picture.h"

#include "format/bmp.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    const mo_image_rules rules = {.scale16 = n % 2, .upright = n / 2 % 2};
    if (fuzz_picture(mo_bmp_decode, data, n, rules)) FUZZ_MUST(mo_bmp_is(data, n));
}
