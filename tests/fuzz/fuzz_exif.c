/* SPDX-License-Identifier: MIT
 * fuzz_exif.c - bytes as EXIF data; then a picture is turned as they say. */
#include "fuzz.h"
#include "mutate.h"

#include <string.h>

#include "format/exif.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_image picture;
    FUZZ_MUST(mo_image_create(&picture, 3, 2, n % 2) == MOPD_OK);
    memset(picture.rgb, 1, 3 * 2 * 3);
    if (picture.alpha) memset(picture.alpha, 2, 3 * 2);
    picture.orientation = (uint8_t)mo_exif_orientation(data, n);
    FUZZ_MUST(picture.orientation <= 8);
    FUZZ_MUST(mo_exif_turn(&picture) == MOPD_OK);
    FUZZ_MUST(picture.width * picture.height == 3 * 2);
    fuzz_touch(picture.rgb, 3 * 2 * 3);
    mo_image_free(&picture);
}

FUZZ_MUTATES_BYTES
