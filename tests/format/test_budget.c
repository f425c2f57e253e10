/* SPDX-License-Identifier: MIT
 * test_budget.c - what pictures may take: no more bytes for a pixel than docs/security.md says, and of a file that is no picture
 * its first bytes alone.  Bytes are counted by the library's allocator, so time and load play no part. */
#include "test.h"

#include <unistd.h>

#include "format/image_decode.h"
#include "support/needs.h"

enum { SIDE = 512, PIXELS = SIDE * SIDE, MORE = 1 << 17 }; /* MORE: what does not grow with the picture */

/* A file in memory of malloc's own, which the library's allocator does not count. */
typedef struct file {
    unsigned char *bytes;
    size_t n;
} file;

static file begin(void)
{
    file f = {calloc(1, 16 * PIXELS), 0};
    assert_non_null(f.bytes);
    return f;
}

static void add(file *f, const void *bytes, size_t n)
{
    memcpy(f->bytes + f->n, bytes, n);
    f->n += n;
}

static void add32(file *f, uint32_t x, bool big)
{
    for (int i = 0; i < 4; i++) f->bytes[f->n++] = (unsigned char)(x >> 8 * (big ? 3 - i : i));
}

/* The most bytes of the library that were alive while these were decoded, for a pixel, rounded up. */
static size_t bytes_each(const file *f)
{
    mo_image p;
    test_count_peak();
    assert_ok(mo_image_decode(&p, f->bytes, f->n, NULL));
    assert_int_equal(p.width * p.height, PIXELS);
    const size_t peak = test_count_peak();
    mo_image_free(&p);
    return peak < MORE ? 0 : (peak - MORE + PIXELS - 1) / PIXELS;
}

/* -- PNG ----------------------------------------------------------------------------------------------------- */

static void add_chunk(file *f, const char *kind, const unsigned char *body, size_t n)
{
    uint32_t crc = UINT32_MAX;
    add32(f, (uint32_t)n, true);
    const size_t start = f->n;
    add(f, kind, 4);
    if (n) add(f, body, n);
    for (size_t i = start; i < f->n; i++) {
        crc ^= f->bytes[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    add32(f, ~crc, true);
}

/* Zeros in blocks that are stored as they are. */
static void add_zeros(file *f, size_t n)
{
    file z = begin();
    add(&z, "\x78\1", 2);
    for (size_t left = n; left;) {
        const size_t some = left < 65535 ? left : 65535;
        const unsigned char head[5] = {some == left, (unsigned char)some, (unsigned char)(some >> 8),
            (unsigned char)~some, (unsigned char)(~some >> 8)};
        add(&z, head, 5);
        z.n += some;
        left -= some;
    }
    add32(&z, (uint32_t)(n % 65521) << 16 | 1, true);
    add_chunk(f, "IDAT", z.bytes, z.n);
    free(z.bytes);
}

static file make_png(unsigned side, unsigned bits, unsigned type, bool interlaced, size_t n_zeros)
{
    file f = begin();
    const unsigned char high = (unsigned char)(side >> 8), low = (unsigned char)side;
    const unsigned char header[13] = {
        0, 0, high, low, 0, 0, high, low, (unsigned char)bits, (unsigned char)type, 0, 0, interlaced};
    add(&f, "\x89PNG\r\n\x1a\n", 8);
    add_chunk(&f, "IHDR", header, sizeof header);
    add_zeros(&f, n_zeros);
    add_chunk(&f, "IEND", NULL, 0);
    return f;
}

/* Rows of all passes; each begins with a byte that says how it is filtered. */
static size_t png_bytes(size_t each, bool interlaced)
{
    return PIXELS * each + (interlaced ? 15 * SIDE / 8 : SIDE);
}

static void assert_png(unsigned bits, unsigned type, size_t each, bool interlaced, size_t most)
{
    file f = make_png(SIDE, bits, type, interlaced, png_bytes(each, interlaced));
    const size_t took = bytes_each(&f);
    if (took > most) fail_msg("PNG of %u bits, type %u: %zu bytes a pixel, not %zu", bits, type, took, most);
    free(f.bytes);
}

static void png_takes_four_bytes_a_pixel_and_interlaced_eight(void **state)
{
    (void)state;
    assert_png(8, 6, 4, false, 4);
    assert_png(16, 6, 8, false, 4);
    assert_png(8, 2, 3, true, 3);
    assert_png(8, 6, 4, true, 8);
    assert_png(16, 6, 8, true, 8);
    assert_png(16, 4, 4, true, 6);
    assert_png(16, 0, 2, true, 5);
}

/* Deflate makes at most 1,032 bytes of one. */
static void a_png_that_cannot_hold_its_rows_is_refused_before_there_is_room_for_them(void **state)
{
    (void)state;
    mo_image p;
    file f = make_png(13000, 8, 6, true, 1000);
    test_count_peak();
    assert_fails(mo_image_decode(&p, f.bytes, f.n, NULL), MOPD_E_FORMAT,
        "PNG is cut short: its 1068 bytes cannot hold 13000 x 13000 pixels");
    assert_true(test_count_peak() < MORE);
    free(f.bytes);
}

/* -- BMP and TIFF -------------------------------------------------------------------------------------------- */

static void bmp_takes_three_bytes_a_pixel_and_one_of_alpha(void **state)
{
    (void)state;
    static const unsigned char masks[16] = {0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255};
    for (int alpha = 0; alpha < 2; alpha++) {
        file f = begin();
        add(&f, "BM\0\0\0\0\0\0\0\0", 10);
        add32(&f, 14 + (alpha ? 56 : 40), false);
        add32(&f, alpha ? 56 : 40, false);
        add32(&f, SIDE, false);
        add32(&f, SIDE, false);
        add32(&f, alpha ? 32 << 16 | 1 : 24 << 16 | 1, false);
        add32(&f, alpha ? 3 : 0, false);
        f.n += 20;
        if (alpha) add(&f, masks, sizeof masks);
        f.n += (size_t)PIXELS * (alpha ? 4 : 3);
        assert_true(bytes_each(&f) <= (alpha ? 4 : 3));
        free(f.bytes);
    }
}

#ifdef MOPD_GIF
/* One pixel on a canvas that says how large it is. */
static void gif_takes_four_bytes_a_pixel(void **state)
{
    (void)state;
    static const unsigned char bytes[] = "GIF89a\0\2\0\2\x80\0\0\0\0\0\xff\xff\xff\x21\xf9\4\1\0\0\0\0"
                                         "\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;";
    file f = begin();
    add(&f, bytes, sizeof bytes - 1);
    assert_true(bytes_each(&f) <= 4);
    free(f.bytes);
}
#endif

#ifdef MOPD_TIFF
static void add_tag(file *f, uint32_t number, uint32_t type, uint32_t count, uint32_t value)
{
    add32(f, type << 16 | number, false);
    add32(f, count, false);
    add32(f, value, false);
}

/* One strip a plane, samples of zero. */
static file make_tiff(uint32_t bits, uint32_t n, bool apart, uint32_t rows)
{
    enum { DATA = 512, LISTS = 256 };
    file f = begin();
    const uint32_t strips = (apart ? n : 1) * (SIDE / rows), strip = rows * SIDE * bits / 8 * (apart ? 1 : n);
    add(&f, "II*\0\x08\0\0\0\x0a\0", 10);
    add_tag(&f, 256, 3, 1, SIDE);
    add_tag(&f, 257, 3, 1, SIDE);
    add_tag(&f, 258, 3, n, LISTS);
    add_tag(&f, 259, 3, 1, 1);
    add_tag(&f, 262, 3, 1, 2);
    add_tag(&f, 273, 4, strips, strips > 1 ? LISTS + 16 : DATA);
    add_tag(&f, 277, 3, 1, n);
    add_tag(&f, 278, 3, 1, rows);
    add_tag(&f, 279, 4, strips, strips > 1 ? LISTS + 64 : strip);
    add_tag(&f, 284, 3, 1, apart ? 2 : 1);
    for (uint32_t i = 0; i < n; i++) f.bytes[LISTS + 2 * i] = (unsigned char)bits;
    for (uint32_t i = 0; i < strips; i++) { /* all in one place */
        f.n = LISTS + 16 + 4 * i;
        add32(&f, DATA, false);
        f.n = LISTS + 64 + 4 * i;
        add32(&f, strip, false);
    }
    f.n = DATA + strip;
    return f;
}

static void assert_tiff(uint32_t bits, uint32_t n, bool apart, uint32_t rows, size_t most)
{
    file f = make_tiff(bits, n, apart, rows);
    const size_t took = bytes_each(&f);
    if (took > most) fail_msg("TIFF of %u x %u bits: %zu bytes a pixel, not %zu", n, bits, took, most);
    free(f.bytes);
}

/* A strip as libtiff gives it, and the picture; planes come together before they are a picture. */
static void tiff_takes_twelve_bytes_a_pixel_at_most(void **state)
{
    (void)state;
    assert_tiff(8, 3, false, SIDE, 6);
    assert_tiff(16, 4, false, SIDE, 12);
    assert_tiff(16, 4, false, SIDE / 8, 5);
    assert_tiff(8, 3, true, SIDE, 8);
    assert_tiff(16, 4, true, SIDE, 10);
    assert_tiff(16, 4, true, SIDE / 2, 7);
}
#endif

/* -- files --------------------------------------------------------------------------------------------------- */

/* Three gigabytes that lie nowhere. */
static void of_a_file_that_is_no_picture_the_beginning_is_read(void **state)
{
    (void)state;
    TEST_NEEDS("files with holes");
    mo_image p;
    const char *path = test_write("sparse.jpg", "", 0);
    if (sizeof(off_t) < 8 || truncate(path, (off_t)(INT64_C(3) << 30)))
        skip(); /* a file system without holes */
    test_count_peak();
    assert_fails(mo_image_decode_file(&p, path, NULL), MOPD_E_FORMAT, "sparse.jpg: not JPEG, PNG");
    assert_true(test_count_peak() < 16384);
    assert_int_equal(truncate(path, (off_t)(INT64_C(5) << 30)), 0);
    assert_fails(mo_image_decode_file(&p, path, NULL), MOPD_E_FORMAT, "sparse.jpg: not JPEG, PNG");
    assert_int_equal(truncate(path, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_takes_four_bytes_a_pixel_and_interlaced_eight),
        cmocka_unit_test(a_png_that_cannot_hold_its_rows_is_refused_before_there_is_room_for_them),
        cmocka_unit_test(bmp_takes_three_bytes_a_pixel_and_one_of_alpha),
#ifdef MOPD_GIF
        cmocka_unit_test(gif_takes_four_bytes_a_pixel),
#endif
#ifdef MOPD_TIFF
        cmocka_unit_test(tiff_takes_twelve_bytes_a_pixel_at_most),
#endif
        cmocka_unit_test(of_a_file_that_is_no_picture_the_beginning_is_read),
    };
    test_count_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
