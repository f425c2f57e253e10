/* SPDX-License-Identifier: MIT
 * test_bmp.c - bitmaps forged byte by byte: every kind of samples, runs, and files that lie or end early. */
#include "test.h"

#include "format/bmp.h"
#include "format/image_decode.h"

/* A file of at most 512 bytes that grows. */
typedef struct file {
    unsigned char bytes[512];
    size_t n;
} file;

static void add(file *f, uint32_t x, size_t n_bytes)
{
    assert_true(f->n + n_bytes <= sizeof f->bytes);
    for (size_t i = 0; i < n_bytes; i++) f->bytes[f->n++] = (unsigned char)(x >> 8 * i);
}

static void add_bytes(file *f, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) add(f, ((const unsigned char *)bytes)[i], 1);
}

/* Both heads, the second of 40 bytes; the samples' place is 0: behind what follows. */
static file begin(uint32_t width, uint32_t height, unsigned bits, unsigned compression, unsigned n_colours)
{
    file f = {.n = 0};
    add_bytes(&f, "BM", 2);
    for (int i = 0; i < 3; i++) add(&f, 0, 4);
    add(&f, 40, 4);
    add(&f, width, 4);
    add(&f, height, 4);
    add(&f, 1, 2);
    add(&f, bits, 2);
    add(&f, compression, 4);
    for (int i = 0; i < 3; i++) add(&f, 0, 4);
    add(&f, n_colours, 4);
    add(&f, 0, 4);
    return f;
}

static mopd_status decode(mo_image *p, const file *f)
{
    unsigned char *exact = malloc(f->n);
    assert_non_null(exact);
    memcpy(exact, f->bytes, f->n);
    mopd_status st = mo_image_decode(p, exact, f->n, NULL);
    free(exact);
    return st;
}

static void assert_pixels(const file *f, const void *rgb, size_t width, size_t height)
{
    mo_image p;
    assert_ok(decode(&p, f));
    assert_int_equal(p.width, width);
    assert_int_equal(p.height, height);
    assert_memory_equal(p.rgb, rgb, 3 * width * height);
    mo_image_free(&p);
}

static void assert_refused(const file *f, mopd_status want, const char *words)
{
    mo_image p;
    assert_fails(decode(&p, f), want, words);
    assert_null(p.rgb);
}

static void colours_are_read_from_the_bottom_up(void **state)
{
    (void)state;
    file f = begin(1, 2, 24, 0, 0);
    add_bytes(&f, "\1\2\3\0\4\5\6\0", 8);
    assert_pixels(&f, "\6\5\4\3\2\1", 1, 2);
    f = begin(1, (uint32_t)-2, 24, 0, 0);
    add_bytes(&f, "\1\2\3\0\4\5\6", 7); /* the last row's padding may be missing */
    assert_pixels(&f, "\3\2\1\6\5\4", 1, 2);
    f = begin(2, 1, 32, 0, 0);
    add_bytes(&f, "\1\2\3\0\4\5\6\xff", 8);
    assert_pixels(&f, "\3\2\1\6\5\4", 2, 1);
    f = begin(2, 1, 16, 0, 0);
    add(&f, 0x7c00 | 17, 2);
    add(&f, 1 << 5, 2);
    assert_pixels(&f, "\xff\0\x8b\0\x08\0", 2, 1);
}

static void masks_say_where_the_colours_are(void **state)
{
    (void)state;
    file f = begin(1, 1, 16, 3, 0);
    add(&f, 0xf800, 4);
    add(&f, 0x7e0, 4);
    add(&f, 0x1f, 4);
    add(&f, 0xf800 | 1 << 5 | 16, 4);
    assert_pixels(&f, "\xff\4\x83", 1, 1);
    f = begin(1, 1, 32, 3, 0);
    f.bytes[14] = 56; /* a header with a mask of alpha */
    add(&f, 0xff, 4);
    add(&f, 0xff00, 4);
    add(&f, 0xff0000, 4);
    add(&f, 0xff000000, 4);
    add_bytes(&f, "\1\2\3\4", 4);
    mo_image p;
    assert_ok(decode(&p, &f));
    assert_memory_equal(p.rgb, "\1\2\3", 3);
    assert_int_equal(p.alpha[0], 4);
    mo_image_free(&p);
    f.bytes[54] = 0xfe;
    assert_refused(&f, MOPD_E_UNSUPPORTED, "masks 000000fe 0000ff00 00ff0000 ff000000 of 32 bits");
}

static void indices_look_into_the_palette(void **state)
{
    (void)state;
    file f = begin(3, 1, 4, 0, 2);
    add_bytes(&f, "\1\2\3\0\4\5\6\0", 8);
    add_bytes(&f, "\x10\x20\0\0", 4);
    assert_pixels(&f, "\6\5\4\3\2\1\0\0\0", 3, 1); /* black beyond its end */
    f = begin(9, 1, 1, 0, 0);
    add_bytes(&f, "\1\2\3\0\4\5\6\0", 8);
    add_bytes(&f, "\x40\x80\0\0", 4);
    assert_pixels(&f, "\3\2\1\6\5\4\3\2\1\3\2\1\3\2\1\3\2\1\3\2\1\3\2\1\6\5\4", 9, 1);
    f = begin(2, 1, 8, 0, 3); /* grey as far as it goes is grey beyond */
    add_bytes(&f, "\0\0\0\0\1\1\1\0\2\2\2\0", 12);
    add_bytes(&f, "\2\xc8\0\0", 4);
    assert_pixels(&f, "\2\2\2\xc8\xc8\xc8", 2, 1);
    file old = {.n = 0};
    add_bytes(&old, "BM", 2);
    for (int i = 0; i < 2; i++) add(&old, 0, 4);
    add(&old, 26, 4);
    add(&old, 12, 4);
    add(&old, 1, 2);
    add(&old, 1, 2);
    add(&old, 1, 2);
    add(&old, 1, 2);
    add_bytes(&old, "\1\2\3\4\5\6\x80\0\0\0", 10); /* three bytes a colour */
    assert_pixels(&old, "\6\5\4", 1, 1);
}

static file with_runs(unsigned bits, unsigned compression, const void *runs, size_t n)
{
    file f = begin(3, 2, bits, compression, 3);
    add_bytes(&f, "\0\0\1\0\0\0\2\0\0\0\3\0", 12); /* red 1, 2, 3 */
    add_bytes(&f, runs, n);
    return f;
}

#define R1 "\1\0\0"
#define R2 "\2\0\0"
#define R3 "\3\0\0"

static void runs_are_unrolled(void **state)
{
    (void)state;
    file f = with_runs(8, 1, "\3\1\0\0\2\2\1\0\0\1", 10);
    assert_pixels(&f, R3 R3 R1 R2 R2 R2, 3, 2);
    f = with_runs(8, 1, "\0\3\2\1\0\0\0\0\3\1", 10); /* one by one, and the byte that makes them even */
    assert_pixels(&f, R2 R2 R2 R3 R2 R1, 3, 2);
    f = with_runs(8, 1, "\x09\1\0\0\3\2", 6); /* more than the row has */
    assert_pixels(&f, R3 R3 R3 R2 R2 R2, 3, 2);
    f = with_runs(8, 1, "\1\1\0\2\1\1\1\2", 8); /* a jump */
    assert_pixels(&f, R1 R1 R3 R2 R1 R1, 3, 2);
    f = with_runs(4, 2, "\3\x12\0\3\x21\x20\0\0", 8);
    assert_pixels(&f, R3 R2 R3 R2 R3 R2, 3, 2);
    f = with_runs(8, 1, "\3\1\0\1", 4);
    assert_refused(&f, MOPD_E_FORMAT, "its runs make 3 of 6 pixels");
    f = with_runs(8, 1, "\3\1\0\0\0\2\1", 7);
    assert_refused(&f, MOPD_E_FORMAT, "its runs make 3 of 6 pixels");
}

static void lies_are_refused(void **state)
{
    (void)state;
    file f = begin(1, 1, 24, 0, 0);
    add_bytes(&f, "\1\2\3", 3);
    const struct {
        size_t at;
        unsigned char byte;
        mopd_status st;
        const char *words;
    } lies[] = {{28, 2, MOPD_E_UNSUPPORTED, "2 bits a pixel"}, {30, 4, MOPD_E_UNSUPPORTED, "compression 4"},
        {30, 1, MOPD_E_UNSUPPORTED, "compression 1 of 24 bits"}, {18, 0, MOPD_E_FORMAT, "0 x 1 pixels"},
        {22, 2, MOPD_E_FORMAT, "cut short"}, {13, 1, MOPD_E_FORMAT, "cut short"},
        {21, 0x7f, MOPD_E_UNSUPPORTED, "more than the limit"}, {14, 124, MOPD_E_FORMAT, "end in the header"},
        {14, 41, MOPD_E_FORMAT, "not JPEG, PNG"}};
    assert_pixels(&f, "\3\2\1", 1, 1);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        file lie = f;
        lie.bytes[lies[i].at] = lies[i].byte;
        assert_refused(&lie, lies[i].st, lies[i].words);
    }
    f = begin(1, 1, 8, 0, 257);
    assert_refused(&f, MOPD_E_UNSUPPORTED, "a palette of 257 colours");
    f = begin(1, 1, 16, 3, 0);
    add(&f, 0xf800, 4);
    assert_refused(&f, MOPD_E_FORMAT, "end in the header");
}

static void files_that_end_early_are_refused(void **state)
{
    (void)state;
    file whole[] = {begin(2, 2, 24, 0, 0), with_runs(8, 1, "\3\1\0\3\2\1\0\0", 8), begin(9, 2, 1, 0, 2)};
    add_bytes(&whole[0],
        "123456\0\0"
        "123456",
        14);
    add_bytes(&whole[2],
        "abc\0def\0"
        "12\0\0"
        "34",
        14);
    for (size_t i = 0; i < 3; i++) {
        mo_image p;
        const size_t all = whole[i].n - (i == 1);
        assert_ok(decode(&p, &whole[i]));
        mo_image_free(&p);
        for (size_t n = 1; n < all; n++) {
            file cut = whole[i];
            cut.n = n;
            assert_int_equal(decode(&p, &cut), MOPD_E_FORMAT);
            assert_null(p.rgb);
        }
    }
}

/* Rows of 2^32 bits and of somewhat more: no bytes, and few, where a size has 32 bits. */
static void rows_of_more_bits_than_a_size_counts_are_refused(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 3; more++) {
        file f = begin((1u << 27) + more, 1, 32, 0, 0);
        for (int i = 0; i < 4; i++) add(&f, 0xffffff, 4);
        assert_refused(&f, MOPD_E_FORMAT, "its 70 bytes have 0 of 1 rows");
    }
}

static void names_of_pictures_are_known(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a.jpg", "b.JPEG", "c.jfif", "d.Jpe", "e.mpo", "f.png", "g.APNG", "h.bmp", "/x.y/i.j.dib"};
    static const char *const bad[] = {"", "jpg", "a.", "a.jp", "a.jpgx", "a.txt", ".png", "x/.jpg", "x.png/y",
        "a.jpg ", "a.jpg jpeg", "a. "};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(mo_image_takes(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (mo_image_takes(bad[i])) fail_msg("'%s' was taken", bad[i]);
    assert_string_equal(mo_image_kind(0), "JPEG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_are_read_from_the_bottom_up),
        cmocka_unit_test(masks_say_where_the_colours_are),
        cmocka_unit_test(indices_look_into_the_palette),
        cmocka_unit_test(runs_are_unrolled),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(files_that_end_early_are_refused),
        cmocka_unit_test(rows_of_more_bits_than_a_size_counts_are_refused),
        cmocka_unit_test(names_of_pictures_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
