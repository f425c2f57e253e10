/* SPDX-License-Identifier: MIT
 * test_png_odd.c - PNG files that break the rules and have all their rows, which are read as Pillow reads them, and those
 * that lack some, which are not. */
#include "test.h"

#include "base/buf.h"
#include "base/file.h"
#include "format/image_decode.h"
#include "format/png_stream.h"

#define GOLD MOPD_TEST_DIR "/gold/pixels/"

typedef struct file {
    unsigned char bytes[4096];
    size_t n;
} file;

static file load(const char *name)
{
    char path[512];
    mo_buf buf = {0};
    file f;
    snprintf(path, sizeof path, GOLD "%s", name);
    assert_ok(mo_file_read(&buf, path, sizeof f.bytes));
    memcpy(f.bytes, buf.data, buf.size);
    f.n = buf.size;
    mo_buf_free(&buf);
    return f;
}

static size_t find(const file *f, const char *kind)
{
    for (size_t i = 0; i + 4 <= f->n; i++)
        if (!memcmp(f->bytes + i, kind, 4)) return i - 4;
    fail_msg("no %s", kind);
    return 0;
}

static void insert(file *f, size_t at, const void *more, size_t n)
{
    assert_true(f->n + n <= sizeof f->bytes);
    memmove(f->bytes + at + n, f->bytes + at, f->n - at);
    memcpy(f->bytes + at, more, n);
    f->n += n;
}

static void put32(unsigned char *at, uint32_t x)
{
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(x >> (24 - 8 * i));
}

static size_t put_chunk(unsigned char *at, const char *kind, const void *data, size_t n)
{
    uint32_t crc = UINT32_MAX;
    put32(at, (uint32_t)n);
    memcpy(at + 4, kind, 4);
    memcpy(at + 8, data, n);
    for (size_t i = 4; i < 8 + n; i++) {
        crc ^= at[i];
        for (int k = 0; k < 8; k++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    put32(at + 8 + n, ~crc);
    return n + 12;
}

static void insert_chunk(file *f, size_t at, const char *kind, const void *data, size_t n)
{
    unsigned char chunk[1024];
    assert_true(n + 12 <= sizeof chunk);
    insert(f, at, chunk, put_chunk(chunk, kind, data, n));
}

static mo_image decoded(const file *f)
{
    mo_image p;
    assert_ok(mo_image_decode(&p, f->bytes, f->n, NULL));
    return p;
}

static void assert_same(const file *odd, const char *name)
{
    file whole = load(name);
    mo_image a = decoded(&whole), b = decoded(odd);
    assert_int_equal(a.width, b.width);
    assert_int_equal(a.height, b.height);
    assert_memory_equal(a.rgb, b.rgb, a.width * a.height * 3);
    assert_int_equal(a.alpha != NULL, b.alpha != NULL);
    if (a.alpha) assert_memory_equal(a.alpha, b.alpha, a.width * a.height);
    mo_image_free(&a);
    mo_image_free(&b);
}

static void assert_refused(const file *f, const char *words)
{
    mo_image p;
    assert_fails(mo_image_decode(&p, f->bytes, f->n, NULL), MOPD_E_FORMAT, words);
    assert_null(p.rgb);
}

static const char *const names[] = {"rgb8.png", "grey16.png", "palette4-trns.png", "rgba8-interlaced.png",
    "palette4-trns-interlaced.png", "grey1.png"};
enum { N_NAMES = sizeof names / sizeof *names };

static void an_end_mark_is_not_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_NAMES; i++) {
        file f = load(names[i]);
        const size_t end = find(&f, "IEND");
        f.bytes[end + 9] ^= 1; /* its check sum */
        assert_same(&f, names[i]);
        f.bytes[end + 5] = '?';
        assert_same(&f, names[i]);
        f.n = end;
        assert_same(&f, names[i]);
        insert(&f, f.n, "behind: no chunk!!", 18);
        assert_same(&f, names[i]);
        f.n = end - 8; /* nor for the sums of the image data */
        assert_same(&f, names[i]);
    }
}

static void check_sums_of_image_data_are_not_looked_at(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_NAMES; i++) {
        file f = load(names[i]);
        f.bytes[find(&f, "IEND") - 1] ^= 0x80;
        assert_same(&f, names[i]);
    }
}

/* Cut anywhere: all rows, or an error. */
static void a_cut_file_has_all_rows_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_NAMES; i++) {
        file f = load(names[i]);
        const size_t end = find(&f, "IEND");
        for (size_t n = 8; n < f.n; n++) {
            file cut = {.n = n};
            unsigned char *exact = malloc(n);
            mo_image p;
            assert_non_null(exact);
            memcpy(cut.bytes, f.bytes, n);
            memcpy(exact, f.bytes, n);
            mopd_status st = mo_image_decode(&p, exact, n, NULL);
            free(exact);
            mo_image_free(&p);
            if (n >= end - 8) assert_int_equal(st, MOPD_OK);
            if (n < end - 11) assert_int_equal(st, MOPD_E_FORMAT);
            if (st == MOPD_OK)
                assert_same(&cut, names[i]);
            else
                assert_non_null(strstr(mopd_last_error(), "cut short"));
        }
    }
}

static void fewer_rows_than_declared_are_an_error(void **state)
{
    (void)state;
    file f = load("rgb8.png");
    unsigned char header[13];
    memcpy(header, f.bytes + 16, 13);
    header[7]++;
    put_chunk(f.bytes + 8, "IHDR", header, 13);
    assert_refused(&f, "Not enough image data");
    header[7] -= 2; /* more rows are left over */
    put_chunk(f.bytes + 8, "IHDR", header, 13);
    mo_image p = decoded(&f);
    mo_image_free(&p);
}

/* The window of the compressed data is declared smaller than their distances. */
static void a_window_declared_too_small_is_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_NAMES; i++) {
        file f = load(names[i]);
        unsigned char *zlib = f.bytes + find(&f, "IDAT") + 8;
        for (unsigned window = 0; window < 8; window++) {
            zlib[0] = (unsigned char)(window << 4 | 8);
            zlib[1] = (unsigned char)((zlib[1] & 0xe0) +
                                      (31 - ((unsigned)zlib[0] << 8 | (zlib[1] & 0xe0u)) % 31) % 31);
            assert_same(&f, names[i]);
        }
    }
}

static void palettes_of_odd_lengths_and_two_of_them(void **state)
{
    (void)state;
    unsigned char colours[800];
    const char *name = "palette4.png";
    for (size_t i = 0; i < sizeof colours; i++) colours[i] = (unsigned char)(7 * i);
    for (size_t n = 46; n <= 50; n++) { /* one colour less than before, or bytes behind the last */
        file f = load(name), whole = load(name);
        insert_chunk(&f, find(&f, "IDAT"), "PLTE", colours, n);
        memcpy(colours + 45, n < 48 ? "\0\0\0" : (const char *)colours + 45, 3);
        put_chunk(whole.bytes + find(&whole, "PLTE"), "PLTE", colours, 48);
        mo_image a = decoded(&f), b = decoded(&whole);
        assert_memory_equal(a.rgb, b.rgb, 3 * a.width * a.height);
        mo_image_free(&a);
        mo_image_free(&b);
        for (size_t i = 45; i < 48; i++) colours[i] = (unsigned char)(7 * i);
    }
    file f = load(name);
    insert_chunk(&f, find(&f, "IDAT"), "PLTE", colours, 770); /* 256 colours and two bytes */
    mo_image p = decoded(&f);
    mo_image_free(&p);
    f = load(name);
    insert_chunk(&f, find(&f, "IDAT"), "PLTE", colours, 771);
    assert_refused(&f, "a palette (PLTE) of 257 colours");
    f = load(name);
    insert_chunk(&f, find(&f, "IDAT"), "PLTE", colours, 48);
    f.bytes[find(&f, "IDAT") - 1] ^= 1;
    assert_refused(&f, "the check sum of PLTE is wrong");
    f = load(name);
    insert_chunk(&f, find(&f, "IEND"), "PLTE", colours, 48); /* behind the picture: too late */
    assert_same(&f, name);
}

static void chunks_in_other_places(void **state)
{
    (void)state;
    const char *name = "palette4-trns.png";
    file f = load(name);
    insert_chunk(&f, find(&f, "PLTE"), "ABCD", "unknown", 7);
    assert_same(&f, name);
    insert_chunk(&f, find(&f, "IDAT"), "IDAT", "", 0); /* empty image data */
    assert_same(&f, name);
    insert_chunk(&f, f.n, "tEXt", "behind the end", 14);
    assert_same(&f, name);
    f = load(name);
    insert_chunk(&f, find(&f, "IEND"), "tEXt", "behind the picture", 18);
    f.n = find(&f, "tEXt") + 12;
    assert_refused(&f, "end in a chunk tEXt behind the picture");
    f = load(name);
    insert_chunk(&f, 8, "PLTE", "abcdef", 6); /* before the header it means nothing */
    assert_same(&f, name);
    f = load(name);
    memmove(f.bytes + 8, f.bytes + 33, f.n - 33); /* no header */
    f.n -= 25;
    assert_refused(&f, "image data without a header");
    f = load(name);
    memcpy(f.bytes + 8, "\0\0\0\0IEND", 8);
    assert_refused(&f, "it ends without image data");
    memcpy(f.bytes + 12, "I ND", 4);
    assert_refused(&f, "no chunk begins here");
    unsigned char small[13] = {0};
    f = load(name);
    insert_chunk(&f, 33, "IHDR", small, 12);
    assert_refused(&f, "its header has 12 bytes");
}

/* The stream in pieces of any size is the same. */
static void a_stream_is_read_in_any_pieces(void **state)
{
    (void)state;
    file f = load("palette4.png");
    mo_png_layout layout;
    mo_png_stream stream;
    unsigned char whole[4096], part[4096];
    size_t n = 0;
    assert_ok(mo_png_layout_read(&layout, f.bytes, f.n));
    mo_png_stream_begin(&stream, &layout, f.bytes, f.n);
    while (mo_png_stream_read(&stream, whole + n, 1)) n++;
    assert_true(n > 100);
    assert_memory_equal(whole + n - 8, "IEND", 4);
    for (size_t piece = 2; piece < 60; piece++) {
        size_t at = 0;
        mo_png_stream_begin(&stream, &layout, f.bytes, f.n);
        for (; at + piece <= n; at += piece) assert_true(mo_png_stream_read(&stream, part + at, piece));
        assert_memory_equal(part, whole, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_mark_is_not_asked_for),
        cmocka_unit_test(check_sums_of_image_data_are_not_looked_at),
        cmocka_unit_test(a_cut_file_has_all_rows_or_none),
        cmocka_unit_test(fewer_rows_than_declared_are_an_error),
        cmocka_unit_test(a_window_declared_too_small_is_passed_over),
        cmocka_unit_test(palettes_of_odd_lengths_and_two_of_them),
        cmocka_unit_test(chunks_in_other_places),
        cmocka_unit_test(a_stream_is_read_in_any_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
