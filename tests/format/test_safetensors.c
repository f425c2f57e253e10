/* SPDX-License-Identifier: MIT
 * test_safetensors.c - what opens, what is refused and why, and files that are written. */
#include "test.h"

#include "format/safetensors.h"
#include "base/file.h"
#include "base/view.h"
#include "base/buf.h"

/* A file in memory: length, header, n_data bytes 0, 1, 2 ... */
static size_t compose(unsigned char *file, const char *header, size_t n_data)
{
    size_t n = strlen(header);
    for (size_t i = 0; i < 8; i++) file[i] = (unsigned char)((uint64_t)n >> (8 * i));
    memcpy(file + 8, header, n);
    for (size_t i = 0; i < n_data; i++) file[8 + n + i] = (unsigned char)i;
    return 8 + n + n_data;
}

static void safetensors_gives_views(void **state)
{
    (void)state;
    unsigned char file[600];
    mo_tensors *st;
    const mo_view *v;
    size_t n = compose(file,
        "{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},"
        "\"none\":{\"dtype\":\"F64\",\"shape\":[2,0],\"data_offsets\":[11,11]},"
        "\"a\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[0,8]},"
        "\"s\":{\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[11,12]},"
        "\"__metadata__\":{\"z\":\"1\",\"format\":\"pt\"}}   ",
        12);
    assert_ok(mo_safetensors_open_bytes(&st, file, n, "x.safetensors"));
    assert_int_equal(mo_tensors_count(st), 4);
    assert_int_equal(mo_tensors_file_bytes(st), n);
    assert_string_equal(mo_tensors_path(st), "x.safetensors");
    assert_string_equal(mo_tensors_name(st, 0), "a");
    assert_string_equal(mo_tensors_name(st, 1), "b");
    assert_string_equal(mo_tensors_name(st, 2), "none");
    assert_string_equal(mo_tensors_name(st, 3), "s");
    assert_ok(mo_tensors_need(st, "b", &v));
    assert_int_equal(v->dtype, MO_U8);
    assert_int_equal(v->n, 3);
    assert_int_equal(*(const unsigned char *)v->data, 8);
    v = mo_tensors_find(st, "a");
    assert_ptr_equal(v, mo_tensors_view(st, 0));
    assert_int_equal(v->n_dims, 2);
    assert_int_equal(v->shape[1], 2);
    assert_int_equal(v->dtype, MO_BF16);
    assert_int_equal(mo_tensors_find(st, "none")->n, 0);
    assert_int_equal(mo_tensors_find(st, "s")->n, 1);
    assert_int_equal(mo_tensors_find(st, "s")->n_dims, 0);
    assert_null(mo_tensors_find(st, "c"));
    assert_fails(mo_tensors_need(st, "c", &v), MOPD_E_FORMAT, "x.safetensors: tensor \"c\" is missing");
    assert_int_equal(mo_tensors_n_meta(st), 2);
    assert_string_equal(mo_tensors_meta_key(st, 0), "format");
    assert_string_equal(mo_tensors_meta_value(st, 0), "pt");
    assert_string_equal(mo_tensors_meta(st, "z"), "1");
    assert_null(mo_tensors_meta(st, "y"));
    mo_tensors_release(st, mo_tensors_find(st, "b"));
    mo_tensors_close(st);
    mo_tensors_close(NULL);
}

#define T(name, dtype, shape, from, to)                                                                      \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"

typedef struct refusal {
    const char *header;
    size_t n_data;
    mopd_status status;
    const char *words;
} refusal;

static void refuse(const refusal *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char file[2000];
        mo_tensors *st;
        size_t n_file = compose(file, cases[i].header, cases[i].n_data);
        assert_fails(
            mo_safetensors_open_bytes(&st, file, n_file, "x.safetensors"), cases[i].status, cases[i].words);
        assert_null(st);
        assert_non_null(strstr(mopd_last_error(), "x.safetensors"));
    }
}

#define REFUSE(...)                                                                                          \
    do {                                                                                                     \
        const refusal cases[] = {__VA_ARGS__};                                                               \
        refuse(cases, sizeof cases / sizeof *cases);                                                         \
    } while (0)

static void safetensors_rejects_overlap(void **state)
{
    (void)state;
    REFUSE({"{" T("a", "U8", "[4]", 0, 4) "," T("b", "U8", "[4]", 2, 6) "}", 6, MOPD_E_FORMAT,
        "tensor \"b\" starts at byte 2 of the data, overlapping the one before, which ends at 4"});
    REFUSE(
        {"{" T("a", "U8", "[4]", 0, 4) "," T("b", "U8", "[4]", 0, 4) "}", 4, MOPD_E_FORMAT, "overlapping"});
}

static void safetensors_rejects_gaps(void **state)
{
    (void)state;
    REFUSE({"{" T("a", "U8", "[4]", 0, 4) "," T("b", "U8", "[1]", 5, 6) "}", 6, MOPD_E_FORMAT,
               "tensor \"b\" starts at byte 5 of the data, a gap after 4"},
        {"{" T("a", "U8", "[4]", 1, 5) "}", 5, MOPD_E_FORMAT, "a gap after 0"},
        {"{" T("a", "U8", "[4]", 0, 4) "}", 6, MOPD_E_FORMAT, "end at byte 4 of the data, which has 6"},
        {"{}", 1, MOPD_E_FORMAT, "end at byte 0 of the data, which has 1"});
}

static void safetensors_rejects_offsets_outside(void **state)
{
    (void)state;
    REFUSE({"{" T("a", "U8", "[4]", 0, 4) "}", 3, MOPD_E_FORMAT, "lies at bytes 0 to 4, the data has 3"},
        {"{" T("a", "U8", "[4]", 4, 0) "}", 4, MOPD_E_FORMAT, "lies at bytes 4 to 0"},
        {"{" T("a", "U8", "[4]", 0, -4) "}", 4, MOPD_E_FORMAT, "no pair of data_offsets"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, MOPD_E_FORMAT,
            "no pair of data_offsets"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, MOPD_E_FORMAT, "no pair of data_offsets"},
        {"{" T("a", "U8", "[1]", 0, 9223372036854775807) "}", 1, MOPD_E_FORMAT, "the data has 1"},
        {"{" T("a", "U8", "[1]", 0, 1.0) "}", 1, MOPD_E_FORMAT, "no pair of data_offsets"});
}

static void safetensors_rejects_wrong_sizes(void **state)
{
    (void)state;
    REFUSE(
        {"{" T("a", "F32", "[2,2]", 0, 8) "}", 8, MOPD_E_FORMAT, "its shape makes 16 bytes, its offsets 8"},
        {"{" T("a", "U8", "[-1]", 0, 1) "}", 1, MOPD_E_FORMAT, "dimension 0 is not a size"},
        {"{" T("a", "U8", "[1,\"1\"]", 0, 1) "}", 1, MOPD_E_FORMAT, "dimension 1 is not a size"},
        {"{" T("a", "U8", "[4294967296,4294967296,4294967296]", 0, 1) "}", 1, MOPD_E_FORMAT,
            "its shape overflows"},
        {"{" T("a", "F64", "[4611686018427387904]", 0, 1) "}", 1, MOPD_E_FORMAT, "its shape overflows"},
        {"{" T("a", "F32", "[0,4611686018427387904]", 0, 0) "}", 1, MOPD_E_FORMAT, "its shape overflows"},
        {"{" T("a", "U8", "[4294967296,0,4294967296]", 0, 0) "}", 1, MOPD_E_FORMAT, "its shape overflows"},
        {"{" T("a", "U8", "3", 0, 3) "}", 3, MOPD_E_FORMAT, "has no shape"},
        {"{" T("a", "U8", "[1,1,1,1,1,1,1,1,1]", 0, 1) "}", 1, MOPD_E_UNSUPPORTED,
            "has 9 dimensions, at most 8"});
}

static void safetensors_rejects_types(void **state)
{
    (void)state;
    REFUSE({"{" T("a", "F33", "[1]", 0, 4) "}", 4, MOPD_E_FORMAT, "unknown dtype \"F33\""},
        {"{" T("a", "F8_E4M3", "[1]", 0, 1) "}", 1, MOPD_E_UNSUPPORTED, "tensor \"a\" has dtype F8_E4M3"},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, MOPD_E_FORMAT, "has no dtype"},
        {"{\"a\":[1]}", 0, MOPD_E_FORMAT, "is not described by an object"});
}

static void safetensors_rejects_repeated_names(void **state)
{
    (void)state;
    REFUSE({"{" T("a", "U8", "[1]", 0, 1) "," T("a", "U8", "[1]", 1, 2) "}", 2, MOPD_E_FORMAT,
        "duplicate object key"});
    REFUSE({"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
        MOPD_E_FORMAT, "duplicate object key"});
}

static void safetensors_rejects_bad_metadata(void **state)
{
    (void)state;
    REFUSE({"{\"__metadata__\":{\"k\":1}}", 0, MOPD_E_FORMAT, "metadata \"k\" is not a string"},
        {"{\"__metadata__\":[]}", 0, MOPD_E_FORMAT, "__metadata__ is not an object"});
}

static void safetensors_rejects_bad_headers(void **state)
{
    (void)state;
    unsigned char file[100];
    mo_tensors *st;
    REFUSE({"", 0, MOPD_E_FORMAT, "does not start with {"},
        {" {}", 0, MOPD_E_FORMAT, "does not start with {"}, {"[]", 0, MOPD_E_FORMAT, "does not start with {"},
        {"{", 0, MOPD_E_FORMAT, "line 1"});
    size_t n = compose(file, "{}", 0);
    assert_ok(mo_safetensors_open_bytes(&st, file, n, "x"));
    mo_tensors_close(st);
    for (size_t cut = 0; cut < 8; cut++)
        assert_fails(mo_safetensors_open_bytes(&st, file, cut, "x"), MOPD_E_FORMAT, "are too short");
    assert_fails(mo_safetensors_open_bytes(&st, file, 9, "x"), MOPD_E_FORMAT,
        "header of 2 bytes, the file has 1 after");
    file[4] = 1;
    assert_fails(mo_safetensors_open_bytes(&st, file, n, "x"), MOPD_E_FORMAT,
        "header of 4294967298 bytes, at most 100000000");
}

static mopd_status write_file(const char *path)
{
    static const size_t shape[2] = {2, 3}, three[1] = {3}, none[2] = {0, 4};
    float x[6] = {1, 2, 3, 4, 5, -6};
    int32_t labels[3] = {7, 8, 9};
    mo_safetensors_writer *w = NULL;
    mopd_status st = mo_safetensors_writer_create(&w);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, "z", "last \"quoted\" \xc3\xa9");
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, "a", "first");
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, "w32", MO_F32, 2, shape);
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, "none", MO_F32, 2, none);
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, "w16", MO_F16, 2, shape);
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, "wb", MO_BF16, 2, shape);
    if (st == MOPD_OK) st = mo_safetensors_writer_tensor(w, "labels", MO_I32, 1, three);
    if (st == MOPD_OK) st = mo_safetensors_writer_begin(w, path);
    for (int k = 0; k < 3; k++) {
        if (st == MOPD_OK) st = mo_safetensors_writer_floats(w, x, 4); /* in two pieces */
        if (st == MOPD_OK) st = mo_safetensors_writer_floats(w, x + 4, 2);
    }
    if (st == MOPD_OK) st = mo_safetensors_writer_write(w, labels, sizeof labels);
    if (st == MOPD_OK) st = mo_safetensors_writer_commit(w);
    mo_safetensors_writer_free(w);
    return st;
}

static void safetensors_written_reads_back(void **state)
{
    (void)state;
    const char *path = test_path("w.safetensors");
    static const char *const names[] = {"w32", "w16", "wb"};
    assert_ok(write_file(path));
    for (int read = 0; read < 2; read++) {
        mo_tensors *st;
        assert_ok(mo_safetensors_open(&st, path, read));
        assert_int_equal(mo_tensors_count(st), 5);
        for (int k = 0; k < 3; k++) {
            float x[6];
            const mo_view *v = mo_tensors_find(st, names[k]);
            assert_true(mo_view_floats(v, 0, 6, x));
            assert_true(x[0] == 1 && x[5] == -6);
            mo_tensors_release(st, v);
            assert_true(mo_view_floats(v, 0, 6, x) && x[4] == 5);
        }
        assert_int_equal(((const int32_t *)mo_tensors_find(st, "labels")->data)[2], 9);
        assert_string_equal(mo_tensors_meta(st, "z"), "last \"quoted\" \xc3\xa9");
        assert_int_equal((uintptr_t)mo_tensors_find(st, "w32")->data % 64, 0);
        mo_tensors_close(st);
    }
}

static void safetensors_writer_bytes_are_exact(void **state)
{
    (void)state;
    static const size_t two[1] = {2};
    const char *header = "{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\"},"
                         "\"t\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}";
    char want[128 + 2] = {0};
    memset(want + 8, ' ', 120);
    memcpy(want + 8, header, strlen(header));
    want[0] = 120;
    memcpy(want + 128, "xy", 2);
    mo_safetensors_writer *w;
    mo_buf got = {0};
    const char *path = test_path("exact.safetensors");
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_meta(w, "b", "2"));
    assert_ok(mo_safetensors_writer_meta(w, "a", "1"));
    assert_ok(mo_safetensors_writer_tensor(w, "t", MO_U8, 1, two));
    assert_ok(mo_safetensors_writer_begin(w, path));
    assert_ok(mo_safetensors_writer_write(w, "xy", 2));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    assert_ok(mo_file_read(&got, path, 1000));
    assert_int_equal(got.size, sizeof want);
    assert_memory_equal(got.data, want, sizeof want);
    mo_buf_free(&got);
}

static void safetensors_writer_checks_what_is_declared(void **state)
{
    (void)state;
    static const size_t one[1] = {1}, huge[2] = {SIZE_MAX / 2, 4};
    mo_safetensors_writer *w;
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_tensor(w, "t", MO_U8, 1, one));
    assert_ok(mo_safetensors_writer_meta(w, "k", "v"));
    assert_fails(
        mo_safetensors_writer_tensor(w, "t", MO_U8, 1, one), MOPD_E_ARG, "tensor \"t\" is there twice");
    assert_fails(mo_safetensors_writer_meta(w, "k", "w"), MOPD_E_ARG, "metadata \"k\" is there twice");
    assert_fails(
        mo_safetensors_writer_tensor(w, "__metadata__", MO_U8, 1, one), MOPD_E_ARG, "no tensor can be named");
    assert_fails(mo_safetensors_writer_tensor(w, "h", MO_F32, 2, huge), MOPD_E_ARG, "overflows");
    assert_fails(mo_safetensors_writer_tensor(w, "d", MO_F32, 9, huge), MOPD_E_ARG, "9 dimensions");
    assert_fails(mo_safetensors_writer_tensor(w, "\xff", MO_U8, 1, one), MOPD_E_ARG, "no UTF-8");
    assert_fails(
        mo_safetensors_writer_meta(w, "v", "\xff"), MOPD_E_ARG, "the value of metadata \"v\" is no UTF-8");
    mo_safetensors_writer_free(w);
    mo_safetensors_writer_free(NULL);
}

static void safetensors_writer_counts_bytes(void **state)
{
    (void)state;
    static const size_t two[1] = {2};
    float x[4] = {0};
    mo_safetensors_writer *w;
    const char *path = test_path("counted.safetensors");
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_tensor(w, "a", MO_F32, 1, two));
    assert_ok(mo_safetensors_writer_tensor(w, "b", MO_I32, 1, two));
    assert_fails(mo_safetensors_writer_write(w, x, 4), MOPD_E_STATE, "before the start");
    assert_fails(mo_safetensors_writer_floats(w, x, 1), MOPD_E_STATE, "before the start");
    assert_fails(mo_safetensors_writer_commit(w), MOPD_E_STATE, "before the start");
    assert_ok(mo_safetensors_writer_begin(w, path));
    assert_fails(mo_safetensors_writer_begin(w, path), MOPD_E_STATE, "begun already");
    assert_fails(mo_safetensors_writer_tensor(w, "c", MO_I32, 1, two), MOPD_E_STATE, "after the start");
    assert_fails(
        mo_safetensors_writer_floats(w, x, 3), MOPD_E_STATE, "tensor \"a\" has no room for 3 floats");
    assert_ok(mo_safetensors_writer_floats(w, x, 2));
    assert_fails(mo_safetensors_writer_floats(w, x, 1), MOPD_E_ARG, "tensor \"b\" is I32, not of floats");
    assert_fails(mo_safetensors_writer_commit(w), MOPD_E_STATE, "8 bytes of data were written, 16 declared");
    assert_fails(mo_safetensors_writer_write(w, x, 9), MOPD_E_STATE,
        "9 bytes more, the declared tensors have room for 8");
    assert_ok(mo_safetensors_writer_write(w, x, 8));
    assert_fails(mo_safetensors_writer_floats(w, x, 1), MOPD_E_STATE, "room for 0");
    mo_safetensors_writer_free(w); /* not committed */
    assert_false(mo_file_exists(path));
}

static mopd_status torture_write(void *path)
{
    return write_file(path);
}

static mopd_status torture_open(void *path)
{
    mo_tensors *st;
    mopd_status status = mo_safetensors_open(&st, path, true);
    mo_tensors_close(st);
    return status;
}

static void safetensors_survives_failing_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("torture.safetensors"));
    test_torture(torture_write, path);
    test_torture(torture_open, path);
}

static void safetensors_names_missing_files(void **state)
{
    (void)state;
    mo_tensors *st;
    mo_safetensors_writer *w;
    assert_fails(
        mo_safetensors_open(&st, "/nowhere/x.safetensors", false), MOPD_E_IO, "/nowhere/x.safetensors");
    assert_ok(mo_safetensors_writer_create(&w));
    assert_fails(
        mo_safetensors_writer_begin(w, "/nowhere/x.safetensors"), MOPD_E_IO, "/nowhere/x.safetensors");
    mo_safetensors_writer_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors_gives_views),
        cmocka_unit_test(safetensors_rejects_overlap),
        cmocka_unit_test(safetensors_rejects_gaps),
        cmocka_unit_test(safetensors_rejects_offsets_outside),
        cmocka_unit_test(safetensors_rejects_wrong_sizes),
        cmocka_unit_test(safetensors_rejects_types),
        cmocka_unit_test(safetensors_rejects_repeated_names),
        cmocka_unit_test(safetensors_rejects_bad_metadata),
        cmocka_unit_test(safetensors_rejects_bad_headers),
        cmocka_unit_test(safetensors_written_reads_back),
        cmocka_unit_test(safetensors_writer_bytes_are_exact),
        cmocka_unit_test(safetensors_writer_checks_what_is_declared),
        cmocka_unit_test(safetensors_writer_counts_bytes),
        cmocka_unit_test(safetensors_survives_failing_memory),
        cmocka_unit_test(safetensors_names_missing_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
