/* SPDX-License-Identifier: MIT
 * pixels.h - a picture to what the vision tower sees: resize, crop, rescale, normalise.
 *
 * As transformers' CLIPImageProcessorPil with a preprocessor_config.json, or as open_clip's and OpenAI's
 * torchvision transforms; the settings say which. */
#ifndef MO_PIXEL_PIXELS_H
#define MO_PIXEL_PIXELS_H

#include "format/image.h"
#include "pixel/resample.h"

typedef enum mo_fit {
    MO_FIT_NONE = 0,     /* do_resize false */
    MO_FIT_SHORTEST = 1, /* shorter side to resize_h, the other int(resize_h x long / short) */
    MO_FIT_EXACT = 2,    /* to resize_h x resize_w: size {height, width}, open_clip "squash" */
    MO_FIT_LONGEST = 3,  /* open_clip "longest": inside resize_h x resize_w, sides rounded to even halves */
    MO_FIT_COVER = 4     /* open_clip "shortest" to a target that is not square */
} mo_fit;

typedef enum mo_centre {
    MO_CENTRE_FLOOR = 0, /* transformers: first row floor((h - crop) / 2) */
    MO_CENTRE_ROUND = 1  /* torchvision: first row round((h - crop) / 2), halves to even */
} mo_centre;

typedef enum mo_alpha {
    MO_ALPHA_WHITE = 0, /* transformers: over white */
    MO_ALPHA_DROP = 1   /* open_clip, OpenAI: convert("RGB") */
} mo_alpha;

typedef struct mo_pixels {
    uint32_t fit;    /* mo_fit */
    uint32_t filter; /* mo_filter */
    uint32_t centre; /* mo_centre */
    uint32_t alpha;  /* mo_alpha */
    uint32_t resize_h, resize_w;
    uint32_t crop_h, crop_w; /* 0 x 0: no crop; where the resized picture is smaller, `fill` around it */
    uint32_t fill;           /* 0 to 255 */
    uint32_t do_normalize;
    double rescale; /* x times this before mean and std; 1: do_rescale false; 1/255 as the files write it */
    double mean[3], std[3];
} mo_pixels;

/* CLIPImageProcessorPil's defaults at side S; SiglipImageProcessorPil's (EXACT, mean and std 1/2); OpenAI's and
 * open_clip's (ROUND, DROP); EfficientNet-Lite's ((x - 127) / 128).  The caller then changes what its files say
 * otherwise. */
void mo_pixels_clip(mo_pixels *p, uint32_t side);
void mo_pixels_siglip(mo_pixels *p, uint32_t side);
void mo_pixels_openai(mo_pixels *p, uint32_t side);
void mo_pixels_effnet(mo_pixels *p, uint32_t side);

/* Settings that no picture could pass (sizes 0 or above 16384, std 0, unknown filter): FORMAT with
 * the field's name. */
mopd_status mo_pixels_check(const mo_pixels *p);

/* Height and width of what mo_pixels_run writes; false when they depend on the picture (no crop, not EXACT).
 */
bool mo_pixels_size(const mo_pixels *p, size_t *height, size_t *width);

/* out, 3 x height x width.  The settings have a fixed size.  NOMEM; UNSUPPORTED for a picture that
 * rounds to nothing. */
mopd_status mo_pixels_run(const mo_pixels *p, const mo_image *picture, float *out);

/* The same of one of the fixed views of a picture: 0 is what mo_pixels_run gives, 1 its mirror image, 2 what the middle
 * of the picture gives, 3 and 4 its upper left and lower right, each with 0.8 of the sides. */
mopd_status mo_pixels_fixed(const mo_pixels *p, const mo_image *picture, size_t number, float *out);

/* The 8-bit picture before rescaling: out, height x width x 3. */
mopd_status mo_pixels_bytes(const mo_pixels *p, const mo_image *picture, uint8_t *out);

/* A training view: random resized crop and flip drawn from seed alone; out as mo_pixels_run. */
mopd_status mo_pixels_view(const mo_pixels *p, const mo_image *picture, uint64_t seed, float *out);

/* What the view of this seed is: rows [top, top + h), columns [left, left + w) of the picture, flipped or not. */
typedef struct mo_crop {
    size_t top, left, h, w;
    bool flip;
} mo_crop;

void mo_pixels_draw(const mo_image *picture, uint64_t seed, mo_crop *crop);

#endif
