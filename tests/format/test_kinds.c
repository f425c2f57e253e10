/* SPDX-License-Identifier: MIT
 * test_kinds.c - kinds of pictures that a build may lack: the bytes that Pillow gives of small files of random pixels, files
 * that are cut or changed, and what a build without their library says. */
#include "test.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "format/image_decode.h"

/* Files of tests/fuzz/corpus: size, whether there is alpha, first digits of the hashes of Pillow's samples and alpha (none
 * where its library rounds otherwise). */
static const struct sample {
    const char *name;
    size_t width, height;
    bool alpha;
    const char *rgb_hash, *alpha_hash;
} samples[] = {
    {"gif/clear", 9, 7, true, "8d4bc73c0974a747", "44474960cd1a1325"},
    {"gif/interlaced", 9, 7, false, "8d4bc73c0974a747", NULL},
    {"gif/moving", 9, 7, false, "8d4bc73c0974a747", NULL},
    {"gif/plain", 9, 7, false, "8d4bc73c0974a747", NULL},
    {"heif/avif-alpha", 9, 7, true, NULL, "f624958f24a3c341"},
    {"heif/avif-grey", 9, 7, false, "20c20c295a0bfdd5", NULL},
    {"heif/heic-444", 9, 7, false, "e5c4cbb3b59dffe7", NULL},
    {"heif/heic-alpha", 9, 7, true, "e5c4cbb3b59dffe7", "18d5082ed76c9f5e"},
    {"heif/heic-grey", 9, 7, false, "2f36fe6a243c28d3", NULL},
    {"tiff/luma-zip", 9, 7, false, "926a7b8a24b790b1", NULL},
    {"tiff/luma-tiles", 9, 7, false, "27f94fc2e70f6cc6", NULL},
    {"tiff/cmyk5", 9, 7, false, "31e8b846366a231b", NULL},
    {"tiff/greyalpha", 9, 7, true, "946e337027d02730", "66a4bb1537132c02"},
    {"tiff/palettealpha", 9, 7, true, "6b79a15232f3d2b1", "7c6e47b1414e645a"},
    {"tiff/luma-jpeg", 9, 7, false, "df324e4ba11670fb", NULL},
    {"tiff/alpha", 9, 7, true, "7b586ad1151887c7", "a4d28a576e36415a"},
    {"tiff/multiplied", 9, 7, true, "f6f2fc490fad3cfc", "d013d04efda11f68"},
    {"tiff/bits", 9, 7, false, "59568df31a8fa933", NULL},
    {"tiff/cmyk", 9, 7, false, "0abcb52e78607656", NULL},
    {"tiff/float", 9, 7, false, "05dc7279c662b427", NULL},
    {"tiff/grey12", 9, 7, false, "1d1ab2fe76c69d70", NULL},
    {"tiff/grey16", 9, 7, false, "05e639d0383ca59d", NULL},
    {"tiff/luma", 9, 7, false, "1df73076766292c8", NULL},
    {"tiff/palette", 9, 7, false, "cf2dc5e6a41dad7d", NULL},
    {"tiff/planes", 9, 7, false, "eab57d8444ded0ad", NULL},
    {"tiff/turned", 7, 9, false, "523293e8222a76e6", NULL},
    {"tiff/big", 9, 7, false, "d21a4ad914d94d85", NULL},
    {"tiff/jpeg", 9, 7, false, "40a3b3bd5e35cf14", NULL},
    {"tiff/fax", 9, 7, false, "cfd4af79876ccadd", NULL},
    {"tiff/several", 9, 7, false, "5e4ea5baeb1c6dd0", NULL},
    {"tiff/tiles", 9, 7, false, "2870301937d7b8e4", NULL},
    {"webp/alpha", 5, 6, true, "f1a798db7c2f0c5d", "b579a0fddf7e5ef5"},
    {"webp/lossless", 5, 6, true, "d4238b75277ed4fa", "b579a0fddf7e5ef5"},
    {"webp/lossy", 9, 7, false, "bc5f829012f5286b", NULL},
    {"webp/moving", 5, 6, true, "8117c51e21adb037", "b579a0fddf7e5ef5"},
};

enum { N_SAMPLES = sizeof samples / sizeof *samples };

/* Folder of the corpus, name, what a build without its library calls it, a name of a file. */
static const struct kind {
    const char *folder, *name, *guess, *file;
    bool read;
} kinds[] = {
#ifdef MOPD_GIF
    {"gif/", "GIF", "but a GIF", "a.GIF", true},
#else
    {"gif/", "GIF", "but a GIF", "a.GIF", false},
#endif
#ifdef MOPD_HEIF
    {"heif/", "HEIF", "but a HEIF, AVIF or video file", "a.HEIC", true},
    {"heif/avif", "AVIF", "but a HEIF, AVIF or video file", "a.avif", true},
#else
    {"heif/", "HEIF", "but a HEIF, AVIF or video file", "a.HEIC", false},
    {"heif/avif", "AVIF", "but a HEIF, AVIF or video file", "a.avif", false},
#endif
#ifdef MOPD_TIFF
    {"tiff/", "TIFF", "but a TIFF", "a.Tif", true},
#else
    {"tiff/", "TIFF", "but a TIFF", "a.Tif", false},
#endif
#ifdef MOPD_WEBP
    {"webp/", "WebP", "but a WebP", "a.webp", true},
#else
    {"webp/", "WebP", "but a WebP", "a.webp", false},
#endif
};

enum { N_KINDS = sizeof kinds / sizeof *kinds };

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (!strncmp(name, kinds[i].folder, strlen(kinds[i].folder))) return kinds + i;
    fail_msg("%s is of no kind", name);
    return NULL;
}

/* Whether this build reads files of this kind. */
static bool is_read(const char *name)
{
    return kind_of(name)->read;
}

static mo_buf load(const char *name)
{
    char path[512];
    mo_buf buf = {0};
    snprintf(path, sizeof path, MOPD_TEST_DIR "/fuzz/corpus/%s", name);
    assert_ok(mo_file_read(&buf, path, 1 << 20));
    return buf;
}

static void assert_hash(const void *bytes, size_t n, const char *want, const char *name)
{
    char hex[65];
    mo_sha256 s;
    mo_sha256_init(&s);
    mo_sha256_add(&s, bytes, n);
    mo_sha256_hex(&s, hex);
    if (strncmp(hex, want, strlen(want)) != 0) fail_msg("%s: %s, Pillow has %s", name, hex, want);
}

static void samples_are_those_of_pillow(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const struct sample *s = samples + i;
        mo_buf b = load(s->name);
        mo_image p;
        if (is_read(s->name)) {
            assert_ok(mo_image_decode(&p, b.data, b.size, NULL));
            assert_int_equal(p.width, s->width);
            assert_int_equal(p.height, s->height);
            assert_int_equal(p.alpha != NULL, s->alpha);
            if (s->rgb_hash) assert_hash(p.rgb, 3 * p.width * p.height, s->rgb_hash, s->name);
            if (s->alpha) assert_hash(p.alpha, p.width * p.height, s->alpha_hash, s->name);
            mo_image_free(&p);
        } else {
            assert_fails(mo_image_decode(&p, b.data, b.size, NULL), MOPD_E_FORMAT, kind_of(s->name)->guess);
        }
        mo_buf_free(&b);
    }
}

static void a_build_names_what_it_reads(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_KINDS; k++) {
        bool named = false;
        for (size_t i = 0; mo_image_kind(i); i++) {
            named |= !strcmp(mo_image_kind(i), kinds[k].name);
            assert_non_null(strstr(mopd_build_info(), mo_image_kind(i)));
        }
        assert_int_equal(named, kinds[k].read);
        assert_int_equal(mo_image_takes(kinds[k].file), kinds[k].read);
    }
}

static void photographs_in_webp_are_turned(void **state)
{
    (void)state;
    if (!is_read("webp/")) return;
    mo_buf b = load("webp/lossy"); /* its EXIF data say 6 */
    mo_image lies, upright;
    assert_ok(mo_image_decode(&lies, b.data, b.size, NULL));
    assert_ok(mo_image_decode(&upright, b.data, b.size, &(mo_image_rules){.upright = true}));
    assert_int_equal(upright.width, 7);
    assert_int_equal(upright.height, 9);
    assert_memory_equal(upright.rgb, lies.rgb + 3 * 6 * 9, 3);
    mo_image_free(&lies);
    mo_image_free(&upright);
    mo_buf_free(&b);
}

/* The first n bytes with nothing behind them. */
static mopd_status decode(const void *bytes, size_t n, uint64_t max_pixels)
{
    mo_image p;
    void *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    mopd_status st =
        mo_image_decode(&p, exact, n, &(mo_image_rules){.max_pixels = max_pixels, .upright = true});
    free(exact);
    if (st != MOPD_OK) assert_null(p.rgb);
    mo_image_free(&p);
    return st;
}

static void cut_and_changed_files_are_refused_or_read(void **state)
{
    (void)state;
    mo_rng rng;
    mo_rng_seed(&rng, 5);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        mo_buf b = load(samples[i].name);
        const bool moving = strstr(samples[i].name, "moving") != NULL;
        for (size_t n = 0; n < b.size; n++) {
            const mopd_status st = decode(b.data, n, 1000);
            if (n < 60) assert_int_not_equal(st, MOPD_OK);
            if (st != MOPD_OK && (st != MOPD_E_UNSUPPORTED ||
                                     !strchr("ht", *samples[i].name))) /* what tells the kind is cut off */
                assert_int_equal(st, MOPD_E_FORMAT);
            if (!moving && *samples[i].name == 'w') assert_int_equal(st, MOPD_E_FORMAT);
        }
        for (size_t round = 0; round < 300; round++) {
            const size_t at = (size_t)mo_rng_below(&rng, b.size);
            const char was = b.data[at];
            b.data[at] ^= (char)(1 + mo_rng_below(&rng, 255));
            const mopd_status st = decode(b.data, b.size, 1000);
            if (st != MOPD_OK && st != MOPD_E_UNSUPPORTED) assert_int_equal(st, MOPD_E_FORMAT);
            b.data[at] = was;
        }
        mo_buf_free(&b);
    }
}

static void pictures_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        mo_buf b = load(samples[i].name);
        if (is_read(samples[i].name)) {
            assert_int_equal(decode(b.data, b.size, 29), MOPD_E_UNSUPPORTED);
            assert_int_equal(decode(b.data, b.size, 63), MOPD_OK);
        }
        mo_buf_free(&b);
    }
}

static mopd_status decode_all(void *context)
{
    const mo_buf *files = context;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        mopd_status st = decode(files[i].data, files[i].size, 0);
        if (st != MOPD_OK && is_read(samples[i].name)) return st;
        if (st == MOPD_E_NOMEM) return st;
    }
    return MOPD_OK;
}

static void decoding_survives_lack_of_memory(void **state)
{
    (void)state;
    mo_buf files[N_SAMPLES];
    for (size_t i = 0; i < N_SAMPLES;
         i++) { /* no block of the library may live when the failing allocator comes */
        mo_buf b = load(samples[i].name);
        files[i] = (mo_buf){.data = malloc(b.size), .size = b.size};
        assert_non_null(files[i].data);
        memcpy(files[i].data, b.data, b.size);
        mo_buf_free(&b);
    }
    test_torture(decode_all, files);
    for (size_t i = 0; i < N_SAMPLES; i++) free(files[i].data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_those_of_pillow),
        cmocka_unit_test(a_build_names_what_it_reads),
        cmocka_unit_test(photographs_in_webp_are_turned),
        cmocka_unit_test(cut_and_changed_files_are_refused_or_read),
        cmocka_unit_test(pictures_beyond_the_limit_are_refused),
        cmocka_unit_test(decoding_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
