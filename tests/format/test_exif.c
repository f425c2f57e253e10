/* SPDX-License-Identifier: MIT
 * test_exif.c - the orientation in EXIF data, in JPEG and PNG; pictures turned by it; data that lie. */
#include "test.h"

#include "base/buf.h"
#include "base/file.h"
#include "format/exif.h"
#include "format/image_decode.h"

#define GOLD MOPD_TEST_DIR "/gold/pixels/"
#define EXIF_BYTES 38

static void put(unsigned char *at, uint32_t x, int n, bool big)
{
    for (int i = 0; i < n; i++) at[big ? n - 1 - i : i] = (unsigned char)(x >> 8 * i);
}

/* One directory at byte 8 with two entries, the second of which is the orientation. */
static void forge(unsigned char out[EXIF_BYTES], unsigned orientation, bool big)
{
    memset(out, 0, EXIF_BYTES);
    memcpy(out, big ? "MM\0*" : "II*\0", 4);
    put(out + 4, 8, 4, big);
    put(out + 8, 2, 2, big);
    put(out + 10, 0x10f, 2, big);
    put(out + 12, 2, 2, big);
    put(out + 14, 4, 4, big);
    memcpy(out + 18, "abc", 4);
    put(out + 22, 0x112, 2, big);
    put(out + 24, 3, 2, big);
    put(out + 26, 1, 4, big);
    put(out + 30, orientation, 2, big);
}

/* The first n bytes with nothing behind them, to be freed. */
static void *exactly(const void *bytes, size_t n)
{
    void *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    return copy;
}

static mo_buf load(const char *name)
{
    char path[512];
    mo_buf buf = {0};
    snprintf(path, sizeof path, GOLD "%s", name);
    assert_ok(mo_file_read(&buf, path, 1 << 20));
    return buf;
}

/* The file with n bytes more at `at`. */
static mo_buf with(const char *name, size_t at, const void *more, size_t n)
{
    mo_buf from = load(name), out = {0};
    assert_ok(mo_buf_add(&out, from.data, at));
    assert_ok(mo_buf_add(&out, more, n));
    assert_ok(mo_buf_add(&out, from.data + at, from.size - at));
    mo_buf_free(&from);
    return out;
}

static mo_buf jpeg_with(const char *name, unsigned orientation, bool big)
{
    unsigned char marker[10 + EXIF_BYTES] = {0xff, 0xe1, 0, 8 + EXIF_BYTES, 'E', 'x', 'i', 'f'};
    forge(marker + 10, orientation, big);
    return with(name, 2, marker, sizeof marker);
}

/* Behind the header. */
static mo_buf png_with(const char *name, unsigned orientation, bool big)
{
    unsigned char chunk[12 + EXIF_BYTES] = {0, 0, 0, EXIF_BYTES, 'e', 'X', 'I', 'f'};
    forge(chunk + 8, orientation, big);
    uint32_t crc = 0xffffffffu;
    for (size_t i = 4; i < 8 + EXIF_BYTES; i++) {
        crc ^= chunk[i];
        for (int k = 0; k < 8; k++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    put(chunk + 8 + EXIF_BYTES, ~crc, 4, true);
    return with(name, 33, chunk, sizeof chunk);
}

static void orientation_is_read_in_both_byte_orders(void **state)
{
    (void)state;
    unsigned char exif[EXIF_BYTES], behind[12 + EXIF_BYTES];
    for (unsigned o = 0; o <= 9; o++) {
        for (int big = 0; big < 2; big++) {
            forge(exif, o, big);
            assert_int_equal(mo_exif_orientation(exif, sizeof exif), o <= 8 ? o : 0);
            memcpy(behind, "Exif\0\0Exif\0\0", 12);
            memcpy(behind + 12, exif, sizeof exif);
            assert_int_equal(mo_exif_orientation(behind, sizeof behind), o <= 8 ? o : 0);
            assert_int_equal(mo_exif_orientation(behind + 6, sizeof behind - 6), o <= 8 ? o : 0);
        }
    }
}

static void orientation_of_data_that_lie_is_none(void **state)
{
    (void)state;
    const struct {
        int at, n;
        uint32_t x;
    } lies[] = {{0, 1, 'X'}, {2, 1, 43}, {4, 4, 37}, {4, 4, UINT32_MAX}, {4, 4, UINT32_MAX - 1}, {4, 4, 7},
        {8, 2, 1}, {8, 2, 0}, {22, 2, 0x113}, {24, 2, 2}, {26, 4, 2}, {26, 4, 0}, {30, 2, 0x600}};
    unsigned char exif[EXIF_BYTES];
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        forge(exif, 6, false);
        put(exif + lies[i].at, lies[i].x, lies[i].n, false);
        assert_int_equal(mo_exif_orientation(exif, sizeof exif), 0);
    }
    forge(exif, 6, false);
    put(exif + 8, UINT16_MAX, 2, false); /* more entries than there are bytes */
    assert_int_equal(mo_exif_orientation(exif, sizeof exif), 6);
    for (size_t n = 0; n < sizeof exif; n++) {
        unsigned char *cut = exactly(exif, n);
        assert_int_equal(mo_exif_orientation(cut, n), n >= 34 ? 6 : 0);
        free(cut);
    }
}

/* Where row y, column x of the upright picture lies in one of height x width. */
static size_t place(unsigned orientation, size_t y, size_t x, size_t height, size_t width)
{
    const size_t my = height - 1, mx = width - 1;
    const size_t rows[9] = {0, y, y, my - y, my - y, x, my - x, my - x, x};
    const size_t columns[9] = {0, x, mx - x, mx - x, x, y, y, mx - y, mx - y};
    return rows[orientation] * width + columns[orientation];
}

static void check_turned(const mo_buf *file, unsigned orientation)
{
    mo_image as_is, upright;
    assert_ok(mo_image_decode(&as_is, file->data, file->size, NULL));
    assert_ok(mo_image_decode(&upright, file->data, file->size, &(mo_image_rules){.upright = true}));
    const bool lies = orientation > 4;
    assert_int_equal(upright.width, lies ? as_is.height : as_is.width);
    assert_int_equal(upright.height, lies ? as_is.width : as_is.height);
    assert_int_equal(upright.alpha != NULL, as_is.alpha != NULL);
    for (size_t y = 0; y < upright.height; y++) {
        for (size_t x = 0; x < upright.width; x++) {
            const size_t to = y * upright.width + x,
                         from = place(orientation, y, x, as_is.height, as_is.width);
            assert_memory_equal(upright.rgb + 3 * to, as_is.rgb + 3 * from, 3);
            if (upright.alpha) assert_int_equal(upright.alpha[to], as_is.alpha[from]);
        }
    }
    mo_image_free(&as_is);
    mo_image_free(&upright);
}

static void pictures_are_turned_by_all_eight(void **state)
{
    (void)state;
    for (unsigned o = 1; o <= 8; o++) {
        mo_buf files[] = {jpeg_with("420.jpg", o, o % 2), png_with("rgb8.png", o, o % 2),
            png_with("rgba8.png", o, !(o % 2)), jpeg_with("cmyk.jpg", o, !(o % 2))};
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
            check_turned(&files[i], o);
            mo_buf_free(&files[i]);
        }
    }
}

/* Files whose EXIF data are cut anywhere decode, or fail, as without being asked to turn. */
static void broken_exif_data_change_no_decision(void **state)
{
    (void)state;
    mo_buf files[] = {jpeg_with("420.jpg", 6, false), png_with("rgb8.png", 6, true)};
    for (size_t i = 0; i < 2; i++) {
        for (size_t at = 20; at < 90; at++) {
            mo_image a, b;
            files[i].data[at] ^= 0x55;
            mopd_status as_is = mo_image_decode(&a, files[i].data, files[i].size, NULL);
            mopd_status st =
                mo_image_decode(&b, files[i].data, files[i].size, &(mo_image_rules){.upright = true});
            assert_int_equal(st, as_is);
            mo_image_free(&a);
            mo_image_free(&b);
            files[i].data[at] ^= 0x55;
        }
        for (size_t n = 2; n < 120; n++) {
            mo_image cut;
            void *bytes = exactly(files[i].data, n);
            assert_int_not_equal(
                mo_image_decode(&cut, bytes, n, &(mo_image_rules){.upright = true}), MOPD_OK);
            free(bytes);
        }
        mo_buf_free(&files[i]);
    }
}

static mopd_status decode_turned(void *context)
{
    const mo_buf *file = context;
    mo_image picture;
    mopd_status st = mo_image_decode(&picture, file->data, file->size, &(mo_image_rules){.upright = true});
    mo_image_free(&picture);
    return st;
}

static void turning_survives_lack_of_memory(void **state)
{
    (void)state;
    mo_buf made = png_with("rgba8.png", 6, false);
    mo_buf file = {.data = exactly(made.data, made.size), .size = made.size}; /* no block of the library's */
    mo_buf_free(&made);
    test_torture(decode_turned, &file);
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orientation_is_read_in_both_byte_orders),
        cmocka_unit_test(orientation_of_data_that_lie_is_none),
        cmocka_unit_test(pictures_are_turned_by_all_eight),
        cmocka_unit_test(broken_exif_data_change_no_decision),
        cmocka_unit_test(turning_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
