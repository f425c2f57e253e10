/* SPDX-License-Identifier: MIT
 * test_heif.c - HEIF and AVIF files: how they are turned, with their alpha, and which files are taken for which.  A build
 * without libheif has nothing of this to test; test_kinds.c has the pixels. */
#include "test.h"

#ifdef MOPD_HEIF

#include "base/buf.h"
#include "base/file.h"
#include "format/exif.h"
#include "format/heif.h"

static mo_image decode(const char *name, bool upright)
{
    char path[512];
    mo_buf b = {0};
    mo_image p;
    snprintf(path, sizeof path, MOPD_TEST_DIR "/fuzz/corpus/heif/%s", name);
    assert_ok(mo_file_read(&b, path, 1 << 20));
    assert_ok(mo_heif_decode(&p, b.data, b.size, &(mo_image_rules){.upright = upright}));
    mo_buf_free(&b);
    return p;
}

static void assert_same(const mo_image *a, const mo_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->rgb, b->rgb, 3 * a->width * a->height);
    assert_int_equal(a->alpha != NULL, b->alpha != NULL);
    if (a->alpha) assert_memory_equal(a->alpha, b->alpha, a->width * a->height);
}

/* As Pillow does: as it lies, or turned by what its properties say; alpha goes with the colours. */
static void avif_is_turned_when_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t orientation;
        bool alpha;
    } files[] = {{"avif-turned", 6, false}, {"avif-alpha", 5, true}, {"avif-alpha180", 3, true}};
    for (size_t i = 0; i < 3; i++) {
        mo_image lies = decode(files[i].name, false), upright = decode(files[i].name, true);
        assert_int_equal(lies.width, 9);
        assert_int_equal(lies.alpha != NULL, files[i].alpha);
        lies.orientation = files[i].orientation;
        assert_ok(mo_exif_turn(&lies));
        assert_same(&lies, &upright);
        mo_image_free(&lies);
        mo_image_free(&upright);
    }
}

/* The same picture, turned by half and mirrored on the way: as it lies it is the same. */
static void alpha_lies_as_its_picture(void **state)
{
    (void)state;
    mo_image a = decode("avif-alpha", false), b = decode("avif-alpha180", false);
    assert_same(&a, &b);
    bool differs = false;
    for (size_t i = 0; i < 63; i++) differs |= a.alpha[i] != a.alpha[62 - i];
    assert_true(differs);
    mo_image_free(&a);
    mo_image_free(&b);
}

/* The file says that both are of 128 x 128 pixels, and the alpha is coded as 64 x 64.  libheif 1.15 hands it out as it is, 1.23 finds
 * it itself. */
static void alpha_that_is_smaller_than_it_says_is_refused(void **state)
{
    (void)state;
    mo_buf b = {0};
    mo_image p;
    assert_ok(mo_file_read(&b, MOPD_TEST_DIR "/fuzz/corpus/heif/heic-alpha-small", 1 << 20));
    assert_int_equal(mo_heif_decode(&p, b.data, b.size, &(mo_image_rules){0}), MOPD_E_FORMAT);
    const char *why = mopd_last_error();
    assert_true(!strcmp(why, "HEIF: libheif gives a plane of 64 x 64 pixels beside one of 128 x 128") ||
                strstr(why, "does not have the size signaled in the file"));
    assert_null(p.rgb);
    mo_buf_free(&b);
}

/* As pillow-heif does: always. */
static void heif_is_always_turned(void **state)
{
    (void)state;
    mo_image lies = decode("heic-turned", false), upright = decode("heic-turned", true);
    mo_image plain = decode("heic-444", false);
    assert_same(&lies, &upright);
    plain.orientation = 6;
    assert_ok(mo_exif_turn(&plain));
    assert_same(&lies, &plain);
    mo_image_free(&lies);
    mo_image_free(&upright);
    mo_image_free(&plain);
}

static void the_brands_tell_the_kind(void **state)
{
    (void)state;
    static const char heic[] = "\0\0\0\x18"
                               "ftypheic\0\0\0\0mif1heic",
                      avif[] = "\0\0\0\x18"
                               "ftypmif1\0\0\0\0miafavif";
    static const char film[] = "\0\0\0\x18"
                               "ftypisom\0\0\0\0isommp42",
                      beyond[] = "\0\0\0\x14"
                                 "ftypisom\0\0\0\0isomheic";
    assert_true(mo_heif_is(heic, 24));
    assert_false(mo_heif_is_avif(heic, 24));
    assert_true(mo_heif_is_avif(avif, 24));
    assert_false(mo_heif_is(avif, 24));
    assert_true(mo_heif_is(avif, 20)); /* as far as it goes */
    assert_false(mo_heif_is(film, 24) || mo_heif_is_avif(film, 24));
    assert_false(mo_heif_is(beyond, 24)); /* behind the box */
    for (size_t n = 0; n < 16; n++) assert_false(mo_heif_is(heic, n) || mo_heif_is_avif(avif, n));
}

static void what_is_broken_is_said(void **state)
{
    (void)state;
    mo_image p;
    static const char heic[] = "\0\0\0\x18"
                               "ftypheic\0\0\0\0mif1heic",
                      avif[] = "\0\0\0\x18"
                               "ftypavif\0\0\0\0mif1avif";
    assert_fails(mo_heif_decode(&p, heic, 24, &(mo_image_rules){0}), MOPD_E_FORMAT, "HEIF: ");
    assert_null(p.rgb);
    assert_fails(mo_heif_decode(&p, avif, 24, &(mo_image_rules){0}), MOPD_E_FORMAT, "AVIF: ");
    assert_null(p.rgb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(avif_is_turned_when_asked_for),
        cmocka_unit_test(alpha_lies_as_its_picture),
        cmocka_unit_test(alpha_that_is_smaller_than_it_says_is_refused),
        cmocka_unit_test(heif_is_always_turned),
        cmocka_unit_test(the_brands_tell_the_kind),
        cmocka_unit_test(what_is_broken_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
