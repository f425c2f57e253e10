/* SPDX-License-Identifier: MIT
 * tiff_pixel.h - what the samples of a TIFF mean: which kinds there are, and their pixels. */
#ifndef MO_FORMAT_TIFF_PIXEL_H
#define MO_FORMAT_TIFF_PIXEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MO_TIFF_SAMPLES 4 /* of a pixel that are looked at */

typedef enum mo_tiff_colour {
    MO_TIFF_GREY,
    MO_TIFF_INVERTED, /* 0 is white */
    MO_TIFF_PALETTE,
    MO_TIFF_RGB,
    MO_TIFF_CMYK,
    MO_TIFF_LUMA /* luma and two differences of colour */
} mo_tiff_colour;

/* What the tags say. */
typedef struct mo_tiff_tags {
    unsigned photometric, type, bits,
        n;            /* type: SampleFormat, 1 whole numbers, 2 with a sign, 3 floats; n: samples a pixel */
    unsigned n_extra; /* of them behind the colours, as far as they are told */
    const uint16_t *extra;
    bool little; /* the file's byte order */
} mo_tiff_tags;

/* How to read pixels; from mo_tiff_pixel_find, the palette and the rules from the caller. */
typedef struct mo_tiff_pixel {
    mo_tiff_colour colour;
    unsigned type, bits, n, n_colours;
    bool alpha, multiplied; /* multiplied: the colours are, by their alpha */
    bool decoded;           /* luma and colour that the decoder has made RGB */
    bool scale16;           /* grey of more than 8 bits over its whole range */
    bool cut;               /* a sample above 255 became white */
    uint8_t palette[256][3];
} mo_tiff_pixel;

/* False for kinds that Pillow does not know. */
bool mo_tiff_pixel_find(mo_tiff_pixel *out, const mo_tiff_tags *tags);

/* n pixels of a row, as libtiff gives it, as bytes: band, n x MO_TIFF_SAMPLES; with plane at least 0 only that sample. */
void mo_tiff_pixel_unpack(mo_tiff_pixel *p, const uint8_t *row, uint8_t *band, size_t n, int plane);

/* n pixels from samples of one byte, those of a pixel `step` bytes behind those of the one before; alpha may be NULL. */
void mo_tiff_pixel_put(
    const mo_tiff_pixel *p, uint8_t *rgb, uint8_t *alpha, const uint8_t *in, size_t step, size_t n);

#endif
