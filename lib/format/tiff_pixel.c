/* SPDX-License-Identifier: MIT
 * tiff_pixel.c - samples of a TIFF to bytes, and bytes to colours, as Pillow has them.
 *
 * 16-bit grey is cut at 255 (unless it is to be scaled) and never inverted; other numbers are cut at 0 and 255, floats
 * lose their fraction; colours of 16 bits are their high byte; CMYK is taken as it stands; a palette by its high bytes.  Which
 * kinds are known, and which samples may stand behind the colours, is Pillow's list too. */
#include "format/tiff_pixel.h"

#include <string.h>

#include "base/ints.h"

enum { NOTHING = 0, MULTIPLIED = 1, ALPHA = 2 }; /* of extra samples */
enum { SIGNED = 2, REAL = 3 };

static const struct kind {
    uint16_t photometric, type, bits, n;
    mo_tiff_colour colour;
    bool little; /* only in little-endian files */
} kinds[] = {{0, 1, 1, 1, MO_TIFF_INVERTED, false}, {0, 1, 2, 1, MO_TIFF_INVERTED, false},
    {0, 1, 4, 1, MO_TIFF_INVERTED, false}, {0, 1, 8, 1, MO_TIFF_INVERTED, false},
    {0, 1, 16, 1, MO_TIFF_GREY, true}, {0, 3, 32, 1, MO_TIFF_GREY, false}, {1, 1, 1, 1, MO_TIFF_GREY, false},
    {1, 1, 2, 1, MO_TIFF_GREY, false}, {1, 1, 4, 1, MO_TIFF_GREY, false}, {1, 1, 8, 1, MO_TIFF_GREY, false},
    {1, 2, 8, 1, MO_TIFF_GREY, false}, {1, 1, 12, 1, MO_TIFF_GREY, true}, {1, 1, 16, 1, MO_TIFF_GREY, false},
    {1, 2, 16, 1, MO_TIFF_GREY, false}, {1, 1, 32, 1, MO_TIFF_GREY, true}, {1, 2, 32, 1, MO_TIFF_GREY, false},
    {1, 3, 32, 1, MO_TIFF_GREY, false}, {2, 1, 8, 3, MO_TIFF_RGB, false}, {2, 1, 16, 3, MO_TIFF_RGB, false},
    {3, 1, 1, 1, MO_TIFF_PALETTE, false}, {3, 1, 2, 1, MO_TIFF_PALETTE, false},
    {3, 1, 4, 1, MO_TIFF_PALETTE, false}, {3, 1, 8, 1, MO_TIFF_PALETTE, false},
    {5, 1, 8, 4, MO_TIFF_CMYK, false}, {5, 1, 16, 4, MO_TIFF_CMYK, false}, {6, 1, 8, 1, MO_TIFF_GREY, false},
    {6, 1, 8, 3, MO_TIFF_LUMA, false}};

/* -- kinds --------------------------------------------------------------------------------------------------- */

/* Which samples may stand behind the colours of a kind, by the first of them. */
static bool may_have(const struct kind *k, unsigned first)
{
    if (k->bits == 16 && k->colour != MO_TIFF_RGB) return false;
    switch (first) {
    case NOTHING:
        return k->colour != MO_TIFF_LUMA && (k->bits == 8 || k->colour == MO_TIFF_RGB) &&
               k->colour != MO_TIFF_INVERTED;
    case MULTIPLIED:
        return k->colour == MO_TIFF_RGB;
    case ALPHA:
        return k->colour == MO_TIFF_RGB || k->colour == MO_TIFF_PALETTE ||
               (k->colour == MO_TIFF_GREY && k->photometric == 1);
    default:
        return false;
    }
}

/* Samples behind the colours; RGB with a fourth one of which nothing is told has alpha. */
static bool find_extra(mo_tiff_pixel *p, const struct kind *k, const mo_tiff_tags *t)
{
    const unsigned more = t->n - k->n;
    if (!more) return !t->n_extra;
    const bool untold = !t->n_extra && k->colour == MO_TIFF_RGB && more == 1;
    if (!untold && t->n_extra != more) return false;
    const unsigned first = untold ? ALPHA : t->extra[0];
    if (k->bits < 8 || !may_have(k, first)) return false;
    for (unsigned i = 1; i < t->n_extra; i++)
        if (t->extra[i] != NOTHING) return false;
    const unsigned most = k->bits == 16 || k->n == 1 ? 1 : k->colour == MO_TIFF_CMYK ? 2 : 3;
    p->multiplied = first == MULTIPLIED;
    p->alpha = first != NOTHING;
    return more <= most;
}

bool mo_tiff_pixel_find(mo_tiff_pixel *out, const mo_tiff_tags *t)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *k = kinds + i;
        if (k->photometric != t->photometric || k->type != t->type || k->bits != t->bits || k->n > t->n ||
            (k->little && !t->little))
            continue;
        if (k->photometric == 6 && k->n != t->n) continue;
        out->colour = k->colour;
        out->type = t->type;
        out->bits = t->bits;
        out->n = t->n;
        out->n_colours = k->n;
        return find_extra(out, k, t);
    }
    return false;
}

/* -- samples to bytes ---------------------------------------------------------------------------------------- */

static uint8_t cut(mo_tiff_pixel *p, int64_t x)
{
    p->cut |= x > 255;
    return x < 0 ? 0 : x > 255 ? 255 : (uint8_t)x;
}

/* 16 and 12 bits: of grey cut, or over their whole range. */
static uint8_t of_deep(mo_tiff_pixel *p, unsigned x)
{
    if (p->colour != MO_TIFF_GREY) return (uint8_t)(x >> 8);
    if (!p->scale16) return cut(p, x);
    return (uint8_t)(x >> (p->bits - 8));
}

static uint8_t of_16(mo_tiff_pixel *p, const uint8_t *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return p->type == SIGNED ? cut(p, (int16_t)word) : of_deep(p, word);
}

static uint8_t of_12(mo_tiff_pixel *p, const uint8_t *pair, bool second)
{
    return of_deep(p, second ? (pair[1] & 15u) << 8 | pair[2] : (unsigned)pair[0] << 4 | pair[1] >> 4);
}

/* Whole numbers have a sign for Pillow even where the file says that they have none. */
static uint8_t of_32(mo_tiff_pixel *p, const uint8_t *at)
{
    int32_t whole;
    float real;
    memcpy(&whole, at, sizeof whole);
    memcpy(&real, at, sizeof real);
    if (p->type != REAL) return cut(p, whole);
    return real >= 255 ? 255 : real > 0 ? (uint8_t)real : 0;
}

static uint8_t of_bits(const mo_tiff_pixel *p, const uint8_t *row, size_t i)
{
    static const uint8_t scale[5] = {0, 255, 85, 0, 17};
    const unsigned per_byte = 8u / p->bits, shift = (unsigned)(per_byte - 1 - i % per_byte) * p->bits;
    const unsigned x = (unsigned)row[i / per_byte] >> shift & ((1u << p->bits) - 1);
    return (uint8_t)(p->colour == MO_TIFF_PALETTE ? x : x * scale[p->bits]);
}

static uint8_t byte_at(mo_tiff_pixel *p, const uint8_t *row, size_t i)
{
    switch (p->bits) {
    case 8:
        return row[i];
    case 12:
        return of_12(p, row + i / 2 * 3, i % 2);
    case 16:
        return of_16(p, row + 2 * i);
    case 32:
        return of_32(p, row + 4 * i);
    default:
        return of_bits(p, row, i);
    }
}

void mo_tiff_pixel_unpack(mo_tiff_pixel *p, const uint8_t *row, uint8_t *band, size_t n, int plane)
{
    const size_t each = plane < 0 ? p->n : 1, first = plane < 0 ? 0 : (size_t)plane;
    const size_t kept = mo_min(each, MO_TIFF_SAMPLES);
    for (size_t x = 0; x < n; x++)
        for (size_t s = 0; s < kept; s++)
            band[x * MO_TIFF_SAMPLES + first + s] = byte_at(p, row, x * each + s);
}

/* -- bytes to colours ---------------------------------------------------------------------------------------- */

static uint8_t whole(int x)
{
    return x < 0 ? 0 : x > 255 ? 255 : (uint8_t)x;
}

/* Pillow's tables: in 64ths, with a half added before the fraction is dropped. */
static int part(int hundred_thousandths, int x)
{
    return (int)((INT64_C(64) * hundred_thousandths * (x - 128) + 50000) / 100000);
}

/* Rounded down, as a shift to the right does it. */
static int units(int x)
{
    return x >= 0 ? x / 64 : -((63 - x) / 64);
}

static void of_luma(uint8_t *rgb, const uint8_t *in)
{
    rgb[0] = whole(in[0] + units(part(140200, in[2])));
    rgb[1] = whole(in[0] + units(part(-34414, in[1]) + part(-71414, in[2])));
    rgb[2] = whole(in[0] + units(part(177200, in[1])));
}

static void of_cmyk(uint8_t *rgb, const uint8_t *in)
{
    const int k = 255 - in[3];
    for (int c = 0; c < 3; c++) {
        const int t = in[c] * k + 128;
        rgb[c] = whole(k - (((t >> 8) + t) >> 8));
    }
}

/* Colours that were multiplied by their alpha. */
static void divide(uint8_t *rgb, unsigned alpha)
{
    for (int c = 0; c < 3 && alpha < 255; c++) rgb[c] = alpha ? whole((int)(rgb[c] * 255u / alpha)) : 0;
}

static void put_one(const mo_tiff_pixel *p, uint8_t *rgb, const uint8_t *in)
{
    if (p->colour == MO_TIFF_GREY)
        memset(rgb, in[0], 3);
    else if (p->colour == MO_TIFF_INVERTED)
        memset(rgb, 255 - in[0], 3);
    else if (p->colour == MO_TIFF_PALETTE)
        memcpy(rgb, p->palette[in[0]], 3);
    else if (p->colour == MO_TIFF_CMYK)
        of_cmyk(rgb, in);
    else if (p->colour == MO_TIFF_LUMA && !p->decoded)
        of_luma(rgb, in);
    else
        memcpy(rgb, in, 3);
}

void mo_tiff_pixel_put(
    const mo_tiff_pixel *p, uint8_t *rgb, uint8_t *alpha, const uint8_t *in, size_t step, size_t n)
{
    for (size_t x = 0; x < n; x++, in += step, rgb += 3) {
        put_one(p, rgb, in);
        if (alpha) alpha[x] = in[p->n_colours];
        if (p->multiplied) divide(rgb, in[p->n_colours]);
    }
}
