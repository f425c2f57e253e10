/* SPDX-License-Identifier: MIT
 * fuzz_image.c - a picture's whole way: bytes, decoded by content, to what a vision tower sees and to a training view.
 *
 * The model's settings are one way.  The others, of other models, come from the number of bytes. */
#include "files.h"
#include "fuzz.h"
#include "model.h"

#include <math.h>

#include "format/image_decode.h"
#include "pixel/pixels.h"

#define MAX_PIXELS 65536
#define MAX_FLOATS 4096

static void check_floats(const float *x, size_t n)
{
    FUZZ_MUST(n <= MAX_FLOATS);
    for (size_t i = 0; i < n; i++) FUZZ_MUST(isfinite(x[i]));
}

/* As the model asks. */
static void preprocess(const mopd_image *image)
{
    const mopd_encoder *encoder = fuzz_encoder();
    mopd_encoder_info info = {.struct_size = sizeof info};
    float pixels[MAX_FLOATS];
    FUZZ_MUST(mopd_encoder_get_info(encoder, &info) == MOPD_OK);
    size_t n = 3 * (size_t)info.image_size * info.image_size;
    if (fuzz_good(mopd_encoder_preprocess(encoder, image, pixels))) check_floats(pixels, n);
    if (fuzz_good(mopd_encoder_preprocess_view(encoder, image, 7, pixels))) check_floats(pixels, n);
}

/* As another model may ask. */
static void preprocess_otherwise(const uint8_t *data, size_t n)
{
    mo_image image;
    mo_pixels p;
    float pixels[MAX_FLOATS];
    size_t height, width;
    uint32_t k = (uint32_t)n;
    mo_pixels_openai(&p, 3 + k % 16);
    p.fit = k % 5;
    p.filter = k / 5 % 6;
    p.alpha = k / 30 % 2;
    p.centre = k / 60 % 2;
    if (p.fit != MO_FIT_SHORTEST) p.resize_w = 5 + k % 11;
    if (mo_pixels_check(&p) != MOPD_OK || !mo_pixels_size(&p, &height, &width)) return;
    if (!fuzz_good(mo_image_decode(&image, data, n, &(mo_image_rules){.max_pixels = MAX_PIXELS}))) return;
    if (fuzz_good(mo_pixels_run(&p, &image, pixels))) check_floats(pixels, 3 * height * width);
    if (fuzz_good(mo_pixels_view(&p, &image, n, pixels))) check_floats(pixels, 3 * height * width);
    mo_image_free(&image);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mopd_image *image = NULL, *again = NULL;
    mopd_image_options options;
    FUZZ_MUST(mopd_image_options_init(&options, sizeof options) == MOPD_OK);
    options.max_pixels = MAX_PIXELS;
    options.flags = n % 4; /* MOPD_IMAGE_SCALE_GREY16, MOPD_IMAGE_UPRIGHT */
    if (!FUZZ_READ(mopd_image_decode(&image, data, n, &options), image)) return;
    FUZZ_MUST(mopd_image_width(image) * mopd_image_height(image) <= MAX_PIXELS);
    preprocess(image);
    preprocess_otherwise(data, n);
    FUZZ_MUST(mopd_image_open(&again, fuzz_file(data, n), &options) == MOPD_OK);
    FUZZ_MUST(mopd_image_width(image) == mopd_image_width(again));
    mopd_image_close(again);
    mopd_image_close(image);
}
