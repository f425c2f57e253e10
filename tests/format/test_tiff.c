/* SPDX-License-Identifier: MIT
 * test_tiff.c - TIFF files made in memory: what their samples mean, how they are turned, what is refused and how it is said.  A
 * build without libtiff has nothing of this to test. */
#include "test.h"

#ifdef MOPD_TIFF

#include <unistd.h>

#include "format/tiff.h"
#include "format/tiff_pixel.h"

enum { N_TAGS = 16, DATA = 256, MOST = 4096 };

/* A little-endian file of one strip: 12 bytes a tag, values behind the directory, samples at DATA. */
typedef struct file {
    uint8_t bytes[MOST];
    size_t n, n_tags, values; /* values: where the next one goes */
} file;

static void put(uint8_t *to, uint32_t x, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = (uint8_t)(x >> 8 * i);
}

static void tag(file *f, uint32_t number, uint32_t type, uint32_t count, const uint32_t *values)
{
    const size_t each = type == 4 ? 4 : 2;
    uint8_t *entry = f->bytes + 10 + 12 * f->n_tags++;
    put(f->bytes + 8, (uint32_t)f->n_tags, 2);
    put(entry, number, 2);
    put(entry + 2, type, 2);
    put(entry + 4, count, 4);
    uint8_t *to = entry + 8;
    if (count * each > 4) {
        put(to, (uint32_t)f->values, 4);
        to = f->bytes + f->values;
        f->values += count * each;
    }
    for (uint32_t i = 0; i < count; i++) put(to + i * each, values[i], each);
}

static void tag1(file *f, uint32_t number, uint32_t type, uint32_t value)
{
    tag(f, number, type, 1, &value);
}

typedef struct kind {
    uint32_t photometric, bits, n, type;
} kind;

/* Tags in front of the strip's; a caller adds those with higher numbers. */
static void begin(file *f, const kind *k, uint32_t width, uint32_t height)
{
    memset(f, 0, sizeof *f);
    memcpy(f->bytes, "II*\0\x08\0\0\0", 8);
    f->values = DATA - 40;
    tag1(f, 256, 4, width);
    tag1(f, 257, 4, height);
    const uint32_t bits[] = {k->bits, k->bits, k->bits, k->bits};
    tag(f, 258, 3, k->n, bits);
    tag1(f, 259, 3, 1);
    tag1(f, 262, 3, k->photometric);
    tag1(f, 273, 4, DATA);
}

static void end(file *f, const kind *k, uint32_t height, const void *samples, size_t n)
{
    tag1(f, 277, 3, k->n);
    tag1(f, 278, 4, height);
    tag1(f, 279, 4, (uint32_t)n);
    if (k->type != 1) tag1(f, 339, 3, k->type);
    memcpy(f->bytes + DATA, samples, n);
    f->n = DATA + n;
}

static file make(kind k, uint32_t width, uint32_t height, const void *samples, size_t n)
{
    file f;
    begin(&f, &k, width, height);
    end(&f, &k, height, samples, n);
    return f;
}

static mopd_status decode(mo_image *p, const file *f, bool scale16)
{
    uint8_t *exact = malloc(f->n);
    assert_non_null(exact);
    memcpy(exact, f->bytes, f->n);
    mopd_status st = mo_tiff_decode(p, exact, f->n, &(mo_image_rules){.scale16 = scale16});
    free(exact);
    return st;
}

static void assert_samples(const file *f, bool scale16, const void *rgb, size_t n)
{
    mo_image p;
    assert_ok(decode(&p, f, scale16));
    assert_int_equal(p.width * p.height * 3, n);
    assert_memory_equal(p.rgb, rgb, n);
    mo_image_free(&p);
}

static void samples_mean_what_they_mean_to_pillow(void **state)
{
    (void)state;
    file f = make((kind){0, 8, 1, 1}, 2, 1, "\x10\xff", 2);
    assert_samples(&f, false, "\xef\xef\xef\0\0\0", 6);
    f = make((kind){1, 4, 1, 1}, 3, 1, "\x1f\x80", 2);
    assert_samples(&f, false, "\x11\x11\x11\xff\xff\xff\x88\x88\x88", 9);
    f = make((kind){0, 2, 1, 1}, 3, 1, "\x1b", 1);
    assert_samples(&f, false, "\xff\xff\xff\xaa\xaa\xaa\x55\x55\x55", 9);
    const uint16_t deep[] = {3, 255, 256, 65535};
    f = make((kind){1, 16, 1, 1}, 4, 1, deep, sizeof deep);
    assert_samples(&f, false, "\3\3\3\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    assert_samples(&f, true, "\0\0\0\0\0\0\1\1\1\xff\xff\xff", 12);
    f = make((kind){0, 16, 1, 1}, 4, 1, deep, sizeof deep); /* white is 0, and Pillow takes no notice */
    assert_samples(&f, false, "\3\3\3\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    const int16_t below[] = {-5, 7, 300};
    f = make((kind){1, 16, 1, 2}, 3, 1, below, sizeof below);
    assert_samples(&f, false, "\0\0\0\7\7\7\xff\xff\xff", 9);
    const float real[] = {-1, 7.9f, 254.99f, 1e9f, NAN};
    f = make((kind){1, 32, 1, 3}, 5, 1, real, sizeof real);
    assert_samples(&f, true, "\0\0\0\7\7\7\xfe\xfe\xfe\xff\xff\xff\0\0\0", 15);
    const uint32_t wide[] = {9, 0x80000000, 256};
    f = make((kind){1, 32, 1, 1}, 3, 1, wide, sizeof wide);
    assert_samples(&f, false, "\t\t\t\0\0\0\xff\xff\xff", 9);
    f = make((kind){1, 12, 1, 1}, 3, 1, "\x00\x7f\xff\x10\x00", 5);
    assert_samples(&f, false, "\7\7\7\xff\xff\xff\xff\xff\xff", 9);
    assert_samples(&f, true, "\0\0\0\xff\xff\xff\x10\x10\x10", 9);
    const uint16_t colours[] = {0x1234, 0xff00, 0x00ff};
    f = make((kind){2, 16, 3, 1}, 1, 1, colours, sizeof colours);
    assert_samples(&f, false, "\x12\xff\x00", 3);
    f = make((kind){5, 8, 4, 1}, 2, 1, "\0\xff\0\0\0\0\0\xff", 8);
    assert_samples(&f, false, "\xff\0\xff\0\0\0", 6);
}

/* Two numbers behind RGB: what they are is told by a tag of their own. */
static file with_fourth(const uint32_t extra, const void *samples)
{
    file f;
    const kind k = {2, 8, 4, 1};
    begin(&f, &k, 2, 1);
    end(&f, &k, 1, samples, 8);
    tag1(&f, 338, 3, extra);
    return f;
}

static void a_fourth_sample_is_what_the_file_says(void **state)
{
    (void)state;
    mo_image p;
    file f = with_fourth(0, "abc\x80xyz\0");
    assert_ok(decode(&p, &f, false));
    assert_null(p.alpha);
    assert_memory_equal(p.rgb, "abcxyz", 6);
    mo_image_free(&p);
    f = with_fourth(2, "abc\x80xyz\0");
    assert_ok(decode(&p, &f, false));
    assert_memory_equal(p.alpha, "\x80\0", 2);
    assert_memory_equal(p.rgb, "abcxyz", 6);
    mo_image_free(&p);
    f = with_fourth(1, "\x40\x20\xf0\x80xyz\0"); /* multiplied by alpha */
    assert_ok(decode(&p, &f, false));
    assert_memory_equal(p.alpha, "\x80\0", 2);
    assert_memory_equal(p.rgb, "\x7f\x3f\xff\0\0\0", 6);
    mo_image_free(&p);
    f = with_fourth(7, "abc\x80xyz\0");
    assert_fails(decode(&p, &f, false), MOPD_E_FORMAT, "ExtraSamples");
    f = make((kind){2, 8, 4, 1}, 2, 1, "abc\x80xyz\0", 8); /* untold */
    assert_ok(decode(&p, &f, false));
    assert_memory_equal(p.alpha, "\x80\0", 2);
    mo_image_free(&p);
}

/* 2 x 3 pixels, each of its own grey, turned whether that was asked for or not. */
static void pictures_are_turned(void **state)
{
    (void)state;
    static const char *const turned[] = {
        [1] = "abcdef", "badcfe", "fedcba", "efcdab", "acebdf", "ecafdb", "fdbeca", "bdface"};
    for (uint32_t orientation = 1; orientation <= 8; orientation++) {
        file f;
        mo_image p;
        const kind k = {1, 8, 1, 1};
        begin(&f, &k, 2, 3);
        tag1(&f, 274, 3, orientation);
        end(&f, &k, 3, "abcdef", 6);
        assert_ok(decode(&p, &f, false));
        assert_int_equal(p.width, orientation < 5 ? 2 : 3);
        assert_int_equal(p.orientation, 1);
        for (size_t i = 0; i < 6; i++) assert_int_equal(p.rgb[3 * i], turned[orientation][i]);
        mo_image_free(&p);
    }
}

static void palettes_are_their_high_bytes(void **state)
{
    (void)state;
    file f;
    mo_image p;
    const kind k = {3, 1, 1, 1};
    const uint32_t map[] = {0x1122, 0xaabb, 0x3344, 0xccdd, 0x5566, 0xeeff};
    begin(&f, &k, 3, 1);
    end(&f, &k, 1, "\x40", 1);
    tag(&f, 320, 3, 6, map);
    assert_samples(&f, false, "\x11\x33\x55\xaa\xcc\xee\x11\x33\x55", 9);
    f = make(k, 3, 1, "\x40", 1);
    assert_int_not_equal(decode(&p, &f, false), MOPD_OK);
    begin(&f, &k, 3, 1); /* its palette lies behind the end: no grey picture instead */
    end(&f, &k, 1, "\x40", 1);
    tag(&f, 320, 3, 6, map);
    put(f.bytes + 10 + 12 * (f.n_tags - 1) + 8, 60000, 4);
    assert_fails(decode(&p, &f, false), MOPD_E_FORMAT, "TIFF: ");
}

static void what_nobody_knows_is_refused_by_name(void **state)
{
    (void)state;
    mo_image p;
    static const kind unknown[] = {
        {2, 4, 3, 1}, {1, 24, 1, 1}, {8, 8, 3, 1}, {4, 1, 1, 1}, {1, 8, 1, 3}, {2, 8, 2, 1}};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        file f = make(unknown[i], 1, 1, "abcdefgh", 8);
        assert_fails(decode(&p, &f, false), MOPD_E_UNSUPPORTED, "TIFF: ");
        assert_null(p.rgb);
    }
    file f = make((kind){1, 8, 1, 1}, 1, 1, "a", 1);
    put(f.bytes + 10 + 12 * 3 + 8, 34712, 2); /* JPEG 2000 */
    assert_fails(decode(&p, &f, false), MOPD_E_UNSUPPORTED, "compression 34712");
}

static void sizes_are_checked_before_anything_is_read(void **state)
{
    (void)state;
    mo_image p;
    file f = make((kind){1, 8, 1, 1}, 70000, 70000, "a", 1);
    assert_fails(decode(&p, &f, false), MOPD_E_UNSUPPORTED, "70000 x 70000 pixels are more than the limit");
    f = make((kind){1, 8, 1, 1}, 0, 5, "a", 1);
    assert_int_not_equal(decode(&p, &f, false), MOPD_OK);
    f = make((kind){1, 8, 1, 1}, 9, 9, "a", 1);
    assert_fails(decode(&p, &f, false), MOPD_E_FORMAT, "TIFF: its data");
    assert_fails(mo_tiff_decode(&p, "II*\0\x08\0\0", 7, &(mo_image_rules){0}), MOPD_E_FORMAT, "no TIFF");
    assert_fails(mo_tiff_decode(&p, "II*\0\xff\xff\xff\x7f", 8, &(mo_image_rules){0}), MOPD_E_FORMAT,
        "TIFF: its header or first directory: Can");
}

/* A picture one pixel wide of tiles that are a million pixels large; all of them may stand in one place. */
static void tiles_may_not_be_much_more_than_the_picture(void **state)
{
    (void)state;
    static const uint32_t places[5] = {DATA, DATA, DATA, DATA, DATA}, sizes[5] = {1, 1, 1, 1, 1};
    mo_image p;
    for (uint32_t n = 4; n <= 5; n++) {
        file f;
        begin(&f, &(kind){1, 8, 1, 1}, 1, 16 * n);
        f.n_tags--; /* strips */
        tag1(&f, 277, 3, 1);
        tag1(&f, 322, 4, 1 << 16);
        tag1(&f, 323, 4, 16);
        tag(&f, 324, 4, n, places);
        tag(&f, 325, 4, n, sizes);
        f.n = DATA + 1;
        mopd_status st = mo_tiff_decode(&p, f.bytes, f.n, &(mo_image_rules){.max_pixels = 100});
        if (n == 4)
            assert_fails(st, MOPD_E_FORMAT, "TIFF: its data");
        else
            assert_fails(
                st, MOPD_E_UNSUPPORTED, "TIFF: its tiles: 65536 x 80 pixels are more than the limit");
    }
}

/* libtiff prints what it finds on standard error unless it is told where to. */
static void nothing_is_printed(void **state)
{
    (void)state;
    const char *path = test_path("tiff-errors");
    fflush(stderr);
    const int old = dup(2);
    assert_non_null(freopen(path, "w", stderr));
    mo_image p;
    file f = make((kind){1, 8, 1, 1}, 9, 9, "a", 1);
    tag1(&f, 65000, 3, 7); /* a warning */
    assert_int_not_equal(decode(&p, &f, false), MOPD_OK);
    fflush(stderr);
    dup2(old, 2);
    close(old);
    FILE *printed = fopen(path, "r");
    assert_non_null(printed);
    assert_int_equal(fgetc(printed), EOF);
    fclose(printed);
}

static void kinds_and_extra_samples_are_pillows(void **state)
{
    (void)state;
    mo_tiff_pixel p;
    const uint16_t extra[] = {2, 0, 0, 0}, two[] = {2, 2};
    mo_tiff_tags t = {
        .photometric = 2, .type = 1, .bits = 8, .n = 6, .n_extra = 3, .extra = extra, .little = true};
    memset(&p, 0, sizeof p);
    assert_true(mo_tiff_pixel_find(&p, &t));
    assert_true(p.alpha && !p.multiplied);
    t.n = 7, t.n_extra = 4;
    assert_false(mo_tiff_pixel_find(&p, &t));
    t.n = 5, t.n_extra = 2, t.extra = two;
    assert_false(mo_tiff_pixel_find(&p, &t));
    t.n = 6; /* fewer told than there are */
    assert_false(mo_tiff_pixel_find(&p, &t));
    t = (mo_tiff_tags){.photometric = 0, .type = 1, .bits = 16, .n = 1, .little = false};
    assert_false(mo_tiff_pixel_find(&p, &t)); /* only in little-endian files */
    t.little = true;
    assert_true(mo_tiff_pixel_find(&p, &t));
    static const struct {
        unsigned photometric, bits, n, first;
        bool known, alpha;
    } more[] = {{5, 8, 5, 2, false, false}, {5, 8, 5, 0, true, false}, {5, 16, 5, 0, false, false},
        {3, 8, 2, 2, true, true}, {3, 8, 2, 1, false, false}, {3, 4, 2, 0, false, false},
        {1, 8, 2, 2, true, true}, {1, 8, 2, 0, true, false}, {1, 8, 2, 1, false, false},
        {0, 8, 2, 0, false, false}, {0, 8, 2, 2, false, false}, {1, 16, 2, 0, false, false},
        {2, 16, 4, 0, true, false}, {2, 16, 4, 1, true, true}, {2, 16, 4, 7, false, false},
        {6, 8, 4, 0, false, false}};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        const uint16_t first = (uint16_t)more[i].first;
        memset(&p, 0, sizeof p);
        t = (mo_tiff_tags){.photometric = more[i].photometric,
            .type = 1,
            .bits = more[i].bits,
            .n = more[i].n,
            .n_extra = 1,
            .extra = &first,
            .little = true};
        if (mo_tiff_pixel_find(&p, &t) != more[i].known) fail_msg("kind %zu", i);
        if (more[i].known) assert_int_equal(p.alpha, more[i].alpha);
    }
    t = (mo_tiff_tags){
        .photometric = 5, .type = 1, .bits = 8, .n = 7, .n_extra = 3, .extra = (const uint16_t[]){0, 0, 0}};
    assert_false(mo_tiff_pixel_find(&p, &t)); /* too many */
    t = (mo_tiff_tags){.photometric = 2, .type = 1, .bits = 8, .n = 5};
    assert_false(mo_tiff_pixel_find(&p, &t)); /* nothing told of two */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_mean_what_they_mean_to_pillow),
        cmocka_unit_test(a_fourth_sample_is_what_the_file_says),
        cmocka_unit_test(pictures_are_turned),
        cmocka_unit_test(palettes_are_their_high_bytes),
        cmocka_unit_test(what_nobody_knows_is_refused_by_name),
        cmocka_unit_test(sizes_are_checked_before_anything_is_read),
        cmocka_unit_test(tiles_may_not_be_much_more_than_the_picture),
        cmocka_unit_test(nothing_is_printed),
        cmocka_unit_test(kinds_and_extra_samples_are_pillows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
