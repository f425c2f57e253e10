/* SPDX-License-Identifier: MIT
 * test_zip.c - gzip and zip archives, whole and spoiled. */
#include "test.h"

#include "base/file.h"
#include "format/zip.h"
#include "zipmake.h"
#include "base/buf.h"

#define GOLD MOPD_TEST_DIR "/gold/"

static mo_buf file_of(const char *path)
{
    mo_buf buf = {0};
    assert_ok(mo_file_read(&buf, path, 1 << 20));
    return buf;
}

static void gunzip_joins_members(void **state)
{
    (void)state;
    mo_buf gz = file_of(GOLD "two.gz"), out = {0};
    assert_ok(mo_zip_gunzip(&out, gz.data, gz.size, 1000, "two.gz"));
    assert_int_equal(out.size, 307);
    assert_memory_equal(out.data + 294, "first\nsecond\n", 14);
    mo_buf_free(&out);
    mo_buf_free(&gz);
}

static void gunzip_refuses_spoiled_bytes(void **state)
{
    (void)state;
    mo_buf gz = file_of(GOLD "two.gz"), out = {0};
    assert_fails(mo_zip_gunzip(&out, gz.data, gz.size, 306, "two.gz"), MOPD_E_UNSUPPORTED,
        "two.gz: inflates to more than 306");
    for (size_t cut = 0; cut < gz.size; cut++) {
        mopd_status st = mo_zip_gunzip(&out, gz.data, cut, 1000, "two.gz");
        if (st == MOPD_OK)
            assert_int_equal(out.size, 300); /* exactly the first member */
        else
            assert_int_equal(st, MOPD_E_FORMAT);
        mo_buf_free(&out);
    }
    assert_fails(
        mo_zip_gunzip(&out, gz.data, gz.size - 1, 1000, "two.gz"), MOPD_E_FORMAT, "cut short at byte");
    assert_fails(
        mo_zip_gunzip(&out, "no gzip", 7, 1000, "x"), MOPD_E_FORMAT, "x: bad compressed data at byte");
    char more[400];
    memcpy(more, gz.data, gz.size);
    memcpy(more + gz.size, "tail", 4);
    assert_fails(mo_zip_gunzip(&out, more, gz.size + 4, 1000, "x"), MOPD_E_FORMAT, "x: 4 bytes follow");
    more[gz.size - 8] ^= 1; /* the CRC */
    assert_fails(mo_zip_gunzip(&out, more, gz.size, 1000, "x"), MOPD_E_FORMAT, "incorrect data check");
    assert_null(out.data);
    mo_buf_free(&gz);
}

static void zip_reads_all_kinds_of_entries(void **state)
{
    (void)state;
    mo_buf file = file_of(GOLD "mixed.zip"), out = {0};
    mo_zip *zip;
    const void *data = NULL;
    size_t n = 0;
    assert_true(mo_zip_is(file.data, file.size));
    assert_ok(mo_zip_open(&zip, file.data, file.size, "mixed.zip"));
    assert_int_equal(mo_zip_count(zip), 4);
    assert_string_equal(mo_zip_name(zip, 1), "a/packed.txt");
    assert_int_equal(mo_zip_find(zip, "a/stored.txt"), 0);
    assert_true(mo_zip_find(zip, "stored.txt") == SIZE_MAX);
    assert_ok(mo_zip_stored(zip, 0, &data, &n));
    assert_int_equal(n, 12);
    assert_memory_equal(data, "stored bytes", 12);
    assert_fails(mo_zip_stored(zip, 1, &data, &n), MOPD_E_UNSUPPORTED, "\"a/packed.txt\" is compressed");
    assert_int_equal(mo_zip_size(zip, 1), 1400);
    assert_ok(mo_zip_read(zip, 1, &out, 1400));
    assert_int_equal(out.size, 1400);
    assert_memory_equal(out.data + 1393, "packed ", 7);
    assert_ok(mo_zip_read(zip, mo_zip_find(zip, "empty"), &out, 0));
    assert_int_equal(out.size, 0);
    assert_ok(mo_zip_read(zip, mo_zip_find(zip, "long"), &out, 100));
    assert_string_equal(out.data, "with a zip64 field");
    assert_fails(mo_zip_read(zip, 1, &out, 1399), MOPD_E_UNSUPPORTED, "has 1400 bytes, at most 1399");
    mo_buf_free(&out);
    mo_zip_close(zip);
    mo_zip_close(NULL);
    mo_buf_free(&file);
}

/* Two entries; n_file - 22 is the end record, the directory's entries are 47 bytes each. */
static size_t two_entries(unsigned char *file)
{
    const zip_part parts[] = {{"a", "AAAA", 4, 0}, {"b", "BB", 2, 0}};
    return zip_compose(file, parts, 2);
}

typedef struct spoil {
    size_t from_end; /* the byte to change, counted from the end */
    unsigned char value;
    mopd_status status;
    const char *words;
} spoil;

#define END 22u
#define DIR1 (END + 94)

static void zip_refuses_spoiled_records(void **state)
{
    (void)state;
    static const spoil cases[] = {
        {END, 0, MOPD_E_FORMAT, "without its end record"},
        {END - 16, 200, MOPD_E_FORMAT, "zip directory of 94 bytes at byte 200"},
        {END - 10, 3, MOPD_E_FORMAT, "3 zip entries in a directory of 94 bytes"},
        {END - 12, 200, MOPD_E_FORMAT, "zip directory of 200 bytes at byte"},
        {DIR1, 0, MOPD_E_FORMAT, "no zip directory entry at byte"},
        {DIR1 - 8, 1, MOPD_E_UNSUPPORTED, "\"a\" is encrypted"},
        {DIR1 - 10, 12, MOPD_E_UNSUPPORTED, "\"a\" uses compression 12"},
        {DIR1 - 20, 3, MOPD_E_FORMAT, "\"a\" is stored as 3 bytes and unpacks to 4"},
        {DIR1 - 28, 200, MOPD_E_FORMAT, "bad zip directory entry at byte"},
        {DIR1 - 46, 0, MOPD_E_FORMAT, "bad zip directory entry at byte"},
        {DIR1 - 46, 'c', MOPD_E_FORMAT, "\"c\" has another name at byte 0"},
        {DIR1 - 42, 1, MOPD_E_FORMAT, "\"a\" has no header at byte 1"},
        {DIR1 - 43, 1, MOPD_E_FORMAT, "\"a\" has no header at byte 256"},
        {DIR1 - 46, 'b', MOPD_E_FORMAT, "\"b\" has another name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char file[1000];
        mo_zip *zip;
        size_t n = two_entries(file);
        file[n - cases[i].from_end] = cases[i].value;
        assert_fails(mo_zip_open(&zip, file, n, "x.zip"), cases[i].status, cases[i].words);
        assert_null(zip);
    }
}

static void zip_refuses_repeated_names(void **state)
{
    (void)state;
    unsigned char file[1000];
    const zip_part parts[] = {{"a", "1", 1, 0}, {"a", "2", 1, 0}};
    mo_zip *zip;
    size_t n = zip_compose(file, parts, 2);
    assert_fails(mo_zip_open(&zip, file, n, "x.zip"), MOPD_E_FORMAT, "x.zip: zip entry \"a\" is there twice");
}

static void zip_refuses_entries_beyond_the_file(void **state)
{
    (void)state;
    unsigned char file[1000];
    mo_zip *zip;
    size_t n = two_entries(file);
    file[n - DIR1 + 20] = file[n - DIR1 + 24] = 250; /* packed and unpacked size of "a" */
    assert_fails(mo_zip_open(&zip, file, n, "x.zip"), MOPD_E_FORMAT, "\"a\" has 250 bytes, the file has");
}

static void zip_read_checks_the_crc(void **state)
{
    (void)state;
    unsigned char file[1000];
    mo_zip *zip;
    mo_buf out = {0};
    size_t n = two_entries(file);
    file[31] ^= 1; /* first byte of "a" */
    assert_ok(mo_zip_open(&zip, file, n, "x.zip"));
    assert_fails(mo_zip_read(zip, 0, &out, 100), MOPD_E_FORMAT, "\"a\" has CRC-32");
    assert_ok(mo_zip_read(zip, 1, &out, 100));
    mo_buf_free(&out);
    mo_zip_close(zip);
}

/* Deflated "packed packed ..." claims fewer or more bytes than come out. */
static void zip_read_stops_bombs(void **state)
{
    (void)state;
    static const char *const words[] = {
        "inflates to more than its 1000 bytes", "has 1400 bytes, its entry says 1500"};
    static const unsigned sizes[] = {1000, 1500};
    for (int i = 0; i < 2; i++) {
        mo_buf file = file_of(GOLD "mixed.zip"), out = {0};
        mo_zip *zip;
        char *entry = NULL;
        for (char *p = file.data; p < file.data + file.size - 4; p++)
            if (!memcmp(p, "PK\1\2", 4) && !memcmp(p + 46, "a/packed", 8)) entry = p;
        assert_non_null(entry);
        zip_put((unsigned char *)entry + 24, sizes[i], 4);
        assert_ok(mo_zip_open(&zip, file.data, file.size, "x.zip"));
        assert_fails(mo_zip_read(zip, 1, &out, 1 << 20), MOPD_E_FORMAT, words[i]);
        mo_zip_close(zip);
        mo_buf_free(&file);
    }
}

static void zip_refuses_every_cut(void **state)
{
    (void)state;
    unsigned char file[1000];
    mo_zip *zip;
    size_t n = two_entries(file);
    for (size_t cut = 0; cut < n; cut++)
        assert_fails(mo_zip_open(&zip, file, cut, "x.zip"), MOPD_E_FORMAT, "without its end record");
    assert_ok(mo_zip_open(&zip, file, n, "x.zip"));
    mo_zip_close(zip);
}

/* End record, zip64 locator and zip64 end record of an empty archive whose directory is said to
 * be somewhere else. */
static void zip_refuses_bad_zip64(void **state)
{
    (void)state;
    unsigned char file[200] = {0}, *p = file;
    mo_zip *zip;
    p = zip_put(zip_put(p, 0x06064b50u, 4), 44, 8);
    p = zip_put(zip_put(p, 0, 12), 0, 8);                   /* versions and disks, entries on this disk */
    p = zip_put(zip_put(zip_put(p, 1, 8), 46, 8), 1000, 8); /* entries, directory bytes, directory place */
    p = zip_put(zip_put(zip_put(zip_put(p, 0x07064b50u, 4), 0, 4), 0, 8), 1, 4);
    p = zip_put(zip_put(p, 0x06054b50u, 4), UINT64_MAX, 8);
    p = zip_put(zip_put(p, UINT64_MAX, 8), 0, 2);
    size_t n = (size_t)(p - file);
    assert_fails(mo_zip_open(&zip, file, n, "x"), MOPD_E_FORMAT, "zip directory of 46 bytes at byte 1000");
    zip_put(file + 48, 0, 8);
    zip_put(file + 32, 2, 8);
    assert_fails(mo_zip_open(&zip, file, n, "x"), MOPD_E_FORMAT, "2 zip entries in a directory of 46 bytes");
    zip_put(file + 56 + 8, 1, 8);
    assert_fails(mo_zip_open(&zip, file, n, "x"), MOPD_E_FORMAT, "no zip64 end record at byte 1");
}

static mopd_status read_all(void *ctx)
{
    const mo_buf *file = ctx;
    mo_zip *zip;
    mo_buf out = {0};
    mopd_status st = mo_zip_open(&zip, file->data, file->size, "mixed.zip");
    for (size_t i = 0; st == MOPD_OK && i < mo_zip_count(zip); i++) st = mo_zip_read(zip, i, &out, 10000);
    mo_buf_free(&out);
    mo_zip_close(zip);
    return st;
}

static mopd_status gunzip_all(void *ctx)
{
    const mo_buf *file = ctx;
    mo_buf out = {0};
    mopd_status st = mo_zip_gunzip(&out, file->data, file->size, 10000, "two.gz");
    mo_buf_free(&out);
    return st;
}

static void zip_survives_failing_memory(void **state)
{
    (void)state;
    char zip[4000], gz[4000];
    mo_buf a = file_of(GOLD "mixed.zip"), b = file_of(GOLD "two.gz");
    memcpy(zip, a.data, a.size);
    memcpy(gz, b.data, b.size);
    mo_buf files[2] = {{zip, a.size, 0}, {gz, b.size, 0}}; /* outside the allocator that is replaced */
    mo_buf_free(&a);
    mo_buf_free(&b);
    test_torture(read_all, &files[0]);
    test_torture(gunzip_all, &files[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gunzip_joins_members),
        cmocka_unit_test(gunzip_refuses_spoiled_bytes),
        cmocka_unit_test(zip_reads_all_kinds_of_entries),
        cmocka_unit_test(zip_refuses_spoiled_records),
        cmocka_unit_test(zip_refuses_repeated_names),
        cmocka_unit_test(zip_refuses_entries_beyond_the_file),
        cmocka_unit_test(zip_read_checks_the_crc),
        cmocka_unit_test(zip_read_stops_bombs),
        cmocka_unit_test(zip_refuses_every_cut),
        cmocka_unit_test(zip_refuses_bad_zip64),
        cmocka_unit_test(zip_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
