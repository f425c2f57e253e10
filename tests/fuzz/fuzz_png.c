/* SPDX-License-Identifier: MIT
 * fuzz_png.c - bytes as a PNG picture. */
#include "mutate.h"
#include "picture.h"

#include "format/png.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    const mo_image_rules rules = {.scale16 = n % 2, .upright = n / 2 % 2};
    if (fuzz_picture(mo_png_decode, data, n, rules)) FUZZ_MUST(mo_png_is(data, n));
}

FUZZ_MUTATES_PNG
