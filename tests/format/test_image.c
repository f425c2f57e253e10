/* SPDX-License-Identifier: MIT
 * test_image.c - picture files: the bytes that Pillow gives (tests/gold/pixels, made by tests/parity/pixels.py
 * --gold), and every way a file can be bad. */
#include "test.h"

#include "base/file.h"
#include "base/rng.h"
#include "format/image_decode.h"
#include "base/sha256.h"
#include "base/buf.h"
#include "base/mem.h"

#define GOLD MOPD_TEST_DIR "/gold/pixels/"

static mo_buf load(const char *name)
{
    char path[512];
    mo_buf buf = {0};
    snprintf(path, sizeof path, GOLD "%s", name);
    assert_ok(mo_file_read(&buf, path, 1 << 20));
    return buf;
}

/* The n bytes of `what` in the file. */
static char *find(const mo_buf *b, const char *what, size_t n)
{
    for (size_t i = 0; i + n <= b->size; i++)
        if (!memcmp(b->data + i, what, n)) return b->data + i;
    fail_msg("no such bytes");
    return NULL;
}

static void put32(void *at, uint32_t v)
{
    unsigned char *b = at;
    for (int i = 0; i < 4; i++) b[i] = (unsigned char)(v >> (24 - 8 * i));
}

static uint32_t crc32_of(const unsigned char *b, size_t n)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        c ^= b[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}

static mopd_status decode(const void *bytes, size_t n)
{
    mo_image p;
    mopd_status st = mo_image_decode(&p, bytes, n, &(mo_image_rules){.max_pixels = 1000000});
    if (st != MOPD_OK) {
        assert_null(p.rgb);
        assert_null(p.alpha);
    }
    mo_image_free(&p);
    return st;
}

static void image_decodes_as_pillow(void **state)
{
    (void)state;
    FILE *answers = fopen(GOLD "answers.txt", "r");
    assert_non_null(answers);
    char word[16], name[80], want[80];
    size_t width, height, n = 0;
    char line[256];
    while (fgets(line, sizeof line, answers)) {
        if (sscanf(line, "%15s %79s %zu %zu %79s", word, name, &width, &height, want) != 5 ||
            strcmp(word, "decode"))
            continue;
        char path[512], hex[65];
        snprintf(path, sizeof path, GOLD "%s", name);
        mo_image p;
        assert_ok(mo_image_decode_file(&p, path, NULL));
        assert_int_equal(p.width, width);
        assert_int_equal(p.height, height);
        mo_sha256 s;
        mo_sha256_init(&s);
        mo_sha256_add(&s, p.rgb, width * height * 3);
        mo_sha256_hex(&s, hex);
        if (strncmp(hex, want, strlen(want))) fail_msg("%s: %s, Pillow has %s", name, hex, want);
        mo_image_free(&p);
        n++;
    }
    fclose(answers);
    assert_true(n > 60);
}

static void image_alpha_only_where_there_is_some(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool alpha;
    } cases[] = {{"rgb8.png", false}, {"rgba8.png", true}, {"la16.png", true}, {"palette4.png", false},
        {"palette4-trns.png", true}, {"grey8-key77.png", true}, {"grey16.png", false},
        {"rgb16-key.png", true}, {"420.jpg", false}, {"cmyk.jpg", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_buf b = load(cases[i].name);
        mo_image p;
        assert_ok(mo_image_decode(&p, b.data, b.size, NULL));
        if (cases[i].alpha != (p.alpha != NULL))
            fail_msg("%s: alpha %s", cases[i].name, p.alpha ? "there" : "missing");
        mo_image_free(&p);
        mo_buf_free(&b);
    }
}

static mo_image scaled(const char *name)
{
    mo_buf b = load(name);
    mo_image p;
    assert_ok(mo_image_decode(&p, b.data, b.size, &(mo_image_rules){.scale16 = true}));
    mo_buf_free(&b);
    assert_false(p.cut);
    return p;
}

/* The samples of grey16.png are the red ones of rgb16.png. */
static void image_grey16_is_scaled_as_colour_is(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"grey16.png", "rgb16.png"}, {"grey16-interlaced.png", "rgb16-interlaced.png"}};
    for (size_t k = 0; k < 2; k++) {
        mo_image grey = scaled(names[k][0]), colour = scaled(names[k][1]);
        assert_int_equal(grey.width * grey.height, 77);
        bool several = false;
        for (size_t i = 0; i < 3 * 77; i++) assert_int_equal(grey.rgb[i], colour.rgb[i / 3 * 3]);
        for (size_t i = 0; i < 77; i++) several |= grey.rgb[3 * i] > 0 && grey.rgb[3 * i] < 255;
        assert_true(several);
        mo_image_free(&colour);
        mo_image_free(&grey);
    }
}

/* How many pixels are clear in grey16-key.png, of samples 0 to 76, when another grey is the transparent one. */
static size_t count_clear(unsigned key, bool scale)
{
    mo_buf b = load("grey16-key.png");
    unsigned char *at = (unsigned char *)b.data + 8;
    while (memcmp(at + 4, "tRNS", 4)) at += 12 + at[3];
    at[8] = (unsigned char)(key >> 8);
    at[9] = (unsigned char)key;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 4; i < 10; i++) {
        crc ^= at[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    for (int k = 0; k < 4; k++) at[10 + k] = (unsigned char)(~crc >> (24 - 8 * k));
    mo_image p;
    assert_ok(mo_image_decode(&p, b.data, b.size, &(mo_image_rules){.scale16 = scale}));
    size_t n = 0;
    for (size_t i = 0; i < 77; i++) n += p.alpha[i] == 0;
    mo_image_free(&p);
    mo_buf_free(&b);
    return n;
}

/* Pillow compares the low byte of the key with the sample, and so does what is cut as Pillow cuts it. */
static void image_key_of_scaled_grey16_is_compared_whole(void **state)
{
    (void)state;
    assert_int_equal(count_clear(5, false), 1);
    assert_int_equal(count_clear(5, true), 1);
    assert_int_equal(count_clear(0x105, false), 1);
    assert_int_equal(count_clear(0x105, true), 0);
}

static void image_key_makes_one_colour_clear(void **state)
{
    (void)state;
    mo_buf b = load("grey8-key77.png"); /* 7 x 11, samples 0, 1, 2 ... 76, so none is 77 */
    mo_image p;
    assert_ok(mo_image_decode(&p, b.data, b.size, NULL));
    for (size_t i = 0; i < 77; i++) assert_int_equal(p.alpha[i], 255);
    mo_image_free(&p);
    mo_buf_free(&b);
    b = load("grey2-key85.png"); /* Pillow compares the key with the widened sample */
    assert_ok(mo_image_decode(&p, b.data, b.size, NULL));
    for (size_t i = 0; i < 77; i++) assert_int_equal(p.alpha[i], i % 4 == 1 ? 0 : 255);
    mo_image_free(&p);
    mo_buf_free(&b);
}

static void image_rejects_other_files(void **state)
{
    (void)state;
    const char text[] = "hello world, I am no picture\n";
    assert_fails(decode(text, sizeof text - 1), MOPD_E_FORMAT, "but a text file");
    assert_fails(decode("II*\0\x08\0\0\0\0\0", 10), MOPD_E_FORMAT, "TIFF");
    assert_fails(decode("\0\1\2\3", 4), MOPD_E_FORMAT, "of an unknown kind");
    assert_fails(decode("\x89", 1), MOPD_E_FORMAT, "not JPEG, PNG");
    assert_fails(decode("", 0), MOPD_E_FORMAT, "0 bytes");
}

/* Kinds that no build reads; the first two are the same kind, with and without boxes. */
static void image_names_pictures_that_are_never_opened(void **state)
{
    (void)state;
    static const char *const wants[] = {
        "is a JPEG XL picture, which this library does not open: convert it to PNG or JPEG",
        "is a JPEG XL picture, which this library does not open",
        "is a JPEG 2000 picture, which this library does not open"};
    static const char files[][13] = {"\xff\x0a\xfa\x1f\x03\x9d\x08\x00\x10\x00\x4b\x38",
        "\0\0\0\x0cJXL \r\n\x87\n", "\0\0\0\x0cjP  \r\n\x87\n"};
    for (size_t i = 0; i < 3; i++) assert_fails(decode(files[i], 12), MOPD_E_UNSUPPORTED, wants[i]);
    mo_image p;
    assert_fails(mo_image_decode_file(&p, test_write("a.jxl", files[1], 12), NULL), MOPD_E_UNSUPPORTED,
        "a.jxl: is a JPEG XL picture, which this library does not open");
}

/* Ends of a download inside the bytes that tell the kind. */
static void image_cut_in_its_first_bytes_is_told_so(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *kind;
    } whole[] = {
        {"\x89PNG\r\n\x1a\n", "PNG"}, {"\xff\xd8\xff", "JPEG"}, {"GIF89a", "GIF"}, {"GIF87a", "GIF"}};
    mo_image p;
    char want[64];
    for (size_t i = 0; i < 4; i++)
        for (size_t n = 2; n < strlen(whole[i].bytes); n++) {
            snprintf(want, sizeof want, "cut off: only the first %zu bytes of a %s", n, whole[i].kind);
            assert_fails(mo_image_decode(&p, whole[i].bytes, n, NULL), MOPD_E_FORMAT, want);
        }
    assert_fails(mo_image_decode(&p, "GIF90a", 6, NULL), MOPD_E_FORMAT, "not JPEG");
    static const char tiff[] = "MM\0*\0\0\0", heif[] = "\0\0\0\x18"
                                                       "ftypheic\0\0\0";
    assert_fails(mo_image_decode(&p, tiff, 7, NULL), MOPD_E_FORMAT, "only the first 7 bytes of a TIFF");
    assert_fails(mo_image_decode(&p, heif, 9, NULL), MOPD_E_FORMAT, "only the first 9 bytes of a HEIF");
    assert_fails(mo_image_decode(&p, heif, 15, NULL), MOPD_E_FORMAT, "only the first 15 bytes of a HEIF");
}

static void image_read_names_the_file(void **state)
{
    (void)state;
    mo_image p;
    const char *path = test_write("note.jpg", "just text", 9);
    assert_fails(mo_image_decode_file(&p, path, NULL), MOPD_E_FORMAT, path);
    assert_fails(mo_image_decode_file(&p, path, NULL), MOPD_E_FORMAT, "note.jpg: not JPEG, PNG");
    assert_fails(
        mo_image_decode_file(&p, test_write("empty.png", "", 0), NULL), MOPD_E_FORMAT, "empty.png: empty");
    assert_fails(mo_image_decode_file(&p, test_path("none.png"), NULL), MOPD_E_IO, "none.png");
    assert_fails(mo_image_decode_file(&p, MOPD_TEST_DIR, NULL), MOPD_E_IO, MOPD_TEST_DIR);
    assert_null(p.rgb);
}

/* Every proper beginning of a file fails as cut short, whatever its kind. */
static void check_cuts(const char *name, size_t first, size_t skip_tail)
{
    mo_buf b = load(name);
    assert_ok(decode(b.data, b.size));
    for (size_t n = first; n < b.size - skip_tail; n++) {
        mopd_status st = decode(b.data, n);
        if (st != MOPD_E_FORMAT || !strstr(mopd_last_error(), "cut short"))
            fail_msg("%s cut to %zu of %zu bytes: %s: %s", name, n, b.size, mopd_status_name(st),
                mopd_last_error());
    }
    mo_buf_free(&b);
}

static void image_rejects_cut_files(void **state)
{
    (void)state;
    check_cuts("rgb8.png", 8, 24); /* behind the last row: test_png_odd.c */
    check_cuts("palette4-trns-interlaced.png", 8, 24);
    check_cuts("rgba16.png", 8, 24);
    check_cuts("420.jpg", 3, 0);
    check_cuts("420-progressive.jpg", 3, 0);
    check_cuts("cmyk.jpg", 3, 0);
    check_cuts("grey.jpg", 3, 0);
}

static void image_rejects_bombs_before_decoding(void **state)
{
    (void)state;
    mo_image p;
    mo_buf b = load("rgb8.png");
    put32(b.data + 16, 60000);
    put32(b.data + 20, 60000);
    put32(b.data + 29, crc32_of((unsigned char *)b.data + 12, 17));
    assert_fails(mo_image_decode(&p, b.data, b.size, NULL), MOPD_E_UNSUPPORTED,
        "60000 x 60000 pixels are more than the limit of 178956970 pixels");
    put32(b.data + 16, 0x7fffffff);
    put32(b.data + 20, 0x7fffffff);
    put32(b.data + 29, crc32_of((unsigned char *)b.data + 12, 17));
    if (SIZE_MAX > UINT32_MAX)
        assert_fails(
            mo_image_decode(&p, b.data, b.size, NULL), MOPD_E_UNSUPPORTED, "2147483647 x 2147483647");
    else /* libpng has an opinion of its own of rows that have no address */
        assert_fails(mo_image_decode(&p, b.data, b.size, NULL), MOPD_E_FORMAT, "Invalid IHDR data");
    mo_buf_free(&b);

    b = load("420.jpg");
    unsigned char *sof = (unsigned char *)find(&b, "\xff\xc0\0\x11\x08", 5);
    sof[5] = sof[7] = 60000 >> 8;
    sof[6] = sof[8] = 60000 & 255;
    assert_fails(mo_image_decode(&p, b.data, b.size, NULL), MOPD_E_UNSUPPORTED, "60000 x 60000");
    mo_buf_free(&b);

    b = load("rgb8.png"); /* 11 x 7 */
    assert_fails(mo_image_decode(&p, b.data, b.size, &(mo_image_rules){.max_pixels = 76}), MOPD_E_UNSUPPORTED,
        "11 x 7 pixels are more than the limit of 76");
    assert_ok(mo_image_decode(&p, b.data, b.size, &(mo_image_rules){.max_pixels = 77}));
    mo_image_free(&p);
    mo_buf_free(&b);
}

/* Where the limit of pixels lets them pass, and with it every product of sides and bytes on the way. */
static void pictures_must_fit_addresses(void **state)
{
    (void)state;
    const uint64_t most = SIZE_MAX / 16;
    assert_ok(mo_image_check(most, 1, UINT64_MAX));
    assert_ok(mo_image_check(most / 7, 7, UINT64_MAX));
    assert_fails(mo_image_check(most + 1, 1, UINT64_MAX), MOPD_E_NOMEM, " x 1 pixels do not fit in memory");
    assert_fails(mo_image_check(most / 7 + 1, 7, UINT64_MAX), MOPD_E_NOMEM, "pixels do not fit in memory");
    assert_fails(mo_image_check(UINT64_MAX, UINT64_MAX, UINT64_MAX), MOPD_E_UNSUPPORTED, "the limit of");
}

static void png_rejects_damage(void **state)
{
    (void)state;
    mo_buf b = load("palette4.png");
    b.data[16] ^= 1; /* the width: its checksum is wrong now */
    assert_fails(decode(b.data, b.size), MOPD_E_FORMAT, "PNG at byte");
    b.data[16] ^= 1;
    char *idat = find(&b, "IDAT", 4);
    idat[8] ^= 0x55; /* inside the compressed data */
    assert_fails(decode(b.data, b.size), MOPD_E_FORMAT, "PNG at byte");
    mo_buf_free(&b);
    b = load("palette4.png");
    char *plte = find(&b, "PLTE", 4);
    memcpy(plte, "xLTE", 4); /* no palette */
    put32(plte + 4 + 48, crc32_of((unsigned char *)plte, 4 + 48));
    assert_fails(decode(b.data, b.size), MOPD_E_FORMAT, "PLTE");
    mo_buf_free(&b);
}

static void jpeg_rejects_unknown_kinds(void **state)
{
    (void)state;
    mo_buf b = load("444.jpg");
    unsigned char *sof = (unsigned char *)find(&b, "\xff\xc0\0\x11\x08", 5);
    sof[1] = 0xc3; /* lossless */
    assert_fails(decode(b.data, b.size), MOPD_E_UNSUPPORTED, "JPEG");
    sof[1] = 0xc0;
    sof[4] = 12; /* bits */
    assert_fails(decode(b.data, b.size), MOPD_E_UNSUPPORTED, "precision");
    sof[4] = 8;
    sof[5] = sof[6] = 0; /* rows */
    assert_fails(decode(b.data, b.size), MOPD_E_FORMAT, "JPEG");
    mo_buf_free(&b);
}

static void jpeg_takes_bytes_behind_the_end(void **state)
{
    (void)state;
    mo_buf b = load("444.jpg");
    assert_ok(mo_buf_adds(&b, "and then some more"));
    assert_ok(decode(b.data, b.size));
    mo_buf_free(&b);
}

static mopd_status decode_all(void *ctx)
{
    const mo_buf *files = ctx;
    for (int i = 0; i < 4; i++) {
        mopd_status st = decode(files[i].data, files[i].size);
        if (st != MOPD_OK) return st;
    }
    return MOPD_OK;
}

static mopd_status read_one(void *ctx)
{
    mo_image p;
    mopd_status st = mo_image_decode_file(&p, ctx, NULL);
    mo_image_free(&p);
    return st;
}

static void image_survives_lack_of_memory(void **state)
{
    (void)state;
    static const char *const names[4] = {
        "rgba16-interlaced.png", "palette4-trns.png", "cmyk.jpg", "420-progressive.jpg"};
    mo_buf files[4];
    for (int i = 0; i < 4;
         i++) { /* copied out: no block of the library may live when the failing allocator comes */
        mo_buf b = load(names[i]);
        files[i] = (mo_buf){.data = malloc(b.size), .size = b.size};
        assert_non_null(files[i].data);
        memcpy(files[i].data, b.data, b.size);
        mo_buf_free(&b);
    }
    test_torture(decode_all, files);
    for (int i = 0; i < 4; i++) free(files[i].data);
    test_torture(read_one, GOLD "rgb8.png");
    assert_int_equal(test_count_live(), 0);
}

/* Broken on purpose, `rounds` times: never a crash, never another status, never a leak. */
static void flip(const char *name, size_t rounds, bool mend)
{
    mo_buf b = load(name);
    unsigned char *copy = malloc(b.size);
    assert_non_null(copy);
    mo_rng rng;
    mo_rng_seed(&rng, b.size);
    for (size_t i = 0; i < rounds; i++) {
        memcpy(copy, b.data, b.size);
        size_t n = 1 + (size_t)mo_rng_below(&rng, 4);
        for (size_t k = 0; k < n; k++)
            copy[mo_rng_below(&rng, b.size)] ^= (unsigned char)(1 + mo_rng_below(&rng, 255));
        for (size_t at = 8;
             mend && at + 12 <= b.size;) { /* PNG: right checksums, so that damage reaches the decoder */
            size_t len = (size_t)copy[at] << 24 | (size_t)copy[at + 1] << 16 | (size_t)copy[at + 2] << 8 |
                         copy[at + 3];
            if (len > b.size - at - 12) break;
            put32(copy + at + 8 + len, crc32_of(copy + at + 4, len + 4));
            at += len + 12;
        }
        mopd_status st = decode(copy, b.size);
        if (st != MOPD_OK && st != MOPD_E_FORMAT && st != MOPD_E_UNSUPPORTED)
            fail_msg("%s, round %zu: %s: %s", name, i, mopd_status_name(st), mopd_last_error());
    }
    free(copy);
    mo_buf_free(&b);
}

static void image_survives_flipped_bytes(void **state)
{
    (void)state;
    flip("rgb8.png", 1000, false);
    flip("rgba8-interlaced.png", 1000, true);
    flip("palette2-trns.png", 1000, true);
    flip("grey16.png", 1000, true);
    flip("420.jpg", 1000, false);
    flip("420-progressive.jpg", 1000, false);
    flip("cmyk.jpg", 1000, false);
    flip("restarts.jpg", 1000, false);
    assert_int_equal(mo_mem_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_decodes_as_pillow),
        cmocka_unit_test(image_alpha_only_where_there_is_some),
        cmocka_unit_test(image_key_makes_one_colour_clear),
        cmocka_unit_test(image_grey16_is_scaled_as_colour_is),
        cmocka_unit_test(image_key_of_scaled_grey16_is_compared_whole),
        cmocka_unit_test(image_rejects_other_files),
        cmocka_unit_test(image_names_pictures_that_are_never_opened),
        cmocka_unit_test(image_cut_in_its_first_bytes_is_told_so),
        cmocka_unit_test(image_read_names_the_file),
        cmocka_unit_test(image_rejects_cut_files),
        cmocka_unit_test(image_rejects_bombs_before_decoding),
        cmocka_unit_test(pictures_must_fit_addresses),
        cmocka_unit_test(png_rejects_damage),
        cmocka_unit_test(jpeg_rejects_unknown_kinds),
        cmocka_unit_test(jpeg_takes_bytes_behind_the_end),
        cmocka_unit_test(image_survives_lack_of_memory),
        cmocka_unit_test(image_survives_flipped_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
