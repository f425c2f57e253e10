/* SPDX-License-Identifier: MIT
 * page_picture.c - pictures inside a page: of each a copy of at most 128 pixels a side, mean of the pixels below each, as
 * PNG with stored blocks (RFC 1951 3.2.4).  What does not decode is not there. */
#include <stdlib.h>
#include <string.h>

#include "page.h"

enum { SIDE = 128 };

static void base64(FILE *f, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned x = (unsigned)bytes[i] << 16 | (i + 1 < n ? (unsigned)bytes[i + 1] << 8 : 0) |
                     (i + 2 < n ? bytes[i + 2] : 0);
        fputc(digits[x >> 18], f);
        fputc(digits[x >> 12 & 63], f);
        fputc(i + 1 < n ? digits[x >> 6 & 63] : '=', f);
        fputc(i + 2 < n ? digits[x & 63] : '=', f);
    }
}

/* -- a copy that is small ------------------------------------------------------------------------------------ */

/* One sample of the copy: the mean over rows y0 to y1 and columns x0 to x1 of the picture, neither empty. */
static unsigned char mean(const uint8_t *samples, size_t width, const size_t y[2], const size_t x[2])
{
    unsigned long long sum = 0, n = (unsigned long long)(y[1] - y[0]) * (x[1] - x[0]);
    for (size_t i = y[0]; i < y[1]; i++)
        for (size_t k = x[0]; k < x[1]; k++) sum += samples[(i * width + k) * 3];
    return (unsigned char)((sum + n / 2) / n);
}

/* Rows as PNG has them: a zero, for "no filter", then 3 bytes a pixel. */
static void shrink(unsigned char *rows, const mopd_image *image, size_t height, size_t width)
{
    const size_t h = mopd_image_height(image), w = mopd_image_width(image);
    for (size_t i = 0; i < height; i++) {
        unsigned char *row = rows + i * (1 + 3 * width);
        const size_t y[2] = {i * h / height, (i + 1) * h / height};
        *row++ = 0;
        for (size_t k = 0; k < 3 * width; k++) {
            const size_t x[2] = {k / 3 * w / width, (k / 3 + 1) * w / width};
            row[k] = mean(mopd_image_samples(image) + k % 3, w, y, x);
        }
    }
}

static unsigned char *put32(unsigned char *at, uint32_t x)
{
    for (int shift = 24; shift >= 0; shift -= 8) *at++ = (unsigned char)(x >> shift);
    return at;
}

static uint32_t crc_of(const unsigned char *bytes, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* Length, kind, body, check sum; body is written already, 8 bytes behind `at`. */
static unsigned char *end_chunk(unsigned char *at, const char *kind, size_t n)
{
    put32(at, (uint32_t)n);
    memcpy(at + 4, kind, 4);
    return put32(at + 8 + n, crc_of(at + 4, n + 4));
}

/* zlib around one stored block: n is less than 65536. */
static size_t store(unsigned char *out, const unsigned char *rows, size_t n)
{
    uint32_t a = 1, b = 0;
    const unsigned char head[7] = {
        0x78, 1, 1, (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)~n, (unsigned char)(~n >> 8)};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, rows, n);
    for (size_t i = 0; i < n; i++) {
        a = (a + rows[i]) % 65521;
        b = (b + a) % 65521;
    }
    put32(out + sizeof head + n, b << 16 | a);
    return n + sizeof head + 4;
}

/* The PNG's bytes, to be freed. */
static unsigned char *small_png(const mopd_image *image, size_t *n)
{
    const size_t h = mopd_image_height(image), w = mopd_image_width(image), longer = h > w ? h : w;
    const size_t side = longer < SIDE ? longer : SIDE;
    const size_t height = h * side / longer ? h * side / longer : 1,
                 width = w * side / longer ? w * side / longer : 1, size = height * (1 + 3 * width);
    unsigned char *rows = cli_alloc(size, 1), *png = cli_alloc(size + 128, 1), *at = png + 8;
    shrink(rows, image, height, width);
    memcpy(png, "\x89PNG\r\n\x1a\n", 8);
    put32(put32(at + 8, (uint32_t)width), (uint32_t)height);
    memcpy(at + 16, "\x08\x02\0\0\0", 5); /* 8 bits, RGB, deflate, the five filters, no interlace */
    at = end_chunk(at, "IHDR", 13);
    at = end_chunk(at, "IDAT", store(at + 8, rows, size));
    at = end_chunk(at, "IEND", 0);
    *n = (size_t)(at - png);
    free(rows);
    return png;
}

static unsigned char *read_shrunk(const mopd_dataset *data, size_t index, size_t *n)
{
    mopd_image *image = NULL;
    mopd_image_options options;
    mopd_image_options_init(&options, sizeof options);
    options.flags = MOPD_IMAGE_UPRIGHT;
    if (mopd_dataset_open_image(&image, data, index, &options) != MOPD_OK) return NULL;
    unsigned char *png = small_png(image, n);
    mopd_image_close(image);
    return png;
}

void page_picture(FILE *f, const mopd_dataset *data, size_t index, const char *caption, size_t *room)
{
    size_t n = 0;
    unsigned char *png = read_shrunk(data, index, &n);
    const bool fits = png && n <= *room;
    fputs("<figure>", f);
    if (fits) {
        fputs("<img alt=\"\" loading=\"lazy\" src=\"data:image/png;base64,", f);
        base64(f, png, n);
        fputs("\">", f);
        *room -= n;
    }
    fputs("<figcaption>", f);
    page_text(f, caption);
    fprintf(f, "%s</figcaption></figure>\n", fits ? "" : png ? " (the page is full)" : " (not at hand)");
    free(png);
}
