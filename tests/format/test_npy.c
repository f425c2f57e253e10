/* SPDX-License-Identifier: MIT
 * test_npy.c - numpy's files, byte for byte, and back. */
#include "test.h"

#include "base/file.h"
#include "format/npy.h"
#include "base/buf.h"

static void npy_bytes_are_numpys(void **state)
{
    (void)state;
    static const size_t shape[2] = {2, 1};
    const float x[2] = {1, -2};
    /* numpy.save of numpy.array([[1], [-2]], 'f4') */
    static const char head[] =
        "\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
    char want[128 + 8];
    memset(want, ' ', 128);
    memcpy(want, head, sizeof head - 1);
    want[127] = '\n';
    memcpy(want + 128, x, 8);
    const char *path = test_path("x.npy");
    mo_buf got = {0};
    assert_ok(mo_npy_save(path, x, 2, shape));
    assert_ok(mo_file_read(&got, path, 1000));
    assert_int_equal(got.size, sizeof want);
    assert_memory_equal(got.data, want, sizeof want);
    mo_buf_free(&got);
}

static void npy_reads_back_any_shape(void **state)
{
    (void)state;
    static const struct {
        int n_dims;
        size_t shape[8], n;
    } cases[] = {
        {0, {0}, 1}, {1, {5}, 5}, {2, {0, 3}, 0}, {3, {2, 3, 4}, 24}, {8, {1, 2, 1, 2, 1, 2, 1, 3}, 24}};
    float x[24];
    test_random(x, 24, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_npy got;
        const char *path = test_path("y.npy");
        assert_ok(mo_npy_save(path, x, cases[i].n_dims, cases[i].shape));
        assert_ok(mo_npy_load(&got, path));
        assert_int_equal(got.n_dims, cases[i].n_dims);
        assert_int_equal(got.n, cases[i].n);
        for (int d = 0; d < got.n_dims; d++) assert_int_equal(got.shape[d], cases[i].shape[d]);
        assert_memory_equal(got.data, x, got.n * sizeof *x);
        mo_npy_free(&got);
    }
}

/* A version 1 file with this dictionary and n bytes of data. */
static const char *file_with(const char *dictionary, size_t n)
{
    char file[600] = "\x93NUMPY\1\0";
    size_t length = strlen(dictionary);
    file[8] = (char)length;
    memcpy(file + 10, dictionary, length);
    return test_write("z.npy", file, 10 + length + n);
}

#define HEAD "{'descr': '<f4', 'fortran_order': False, 'shape': "

static void npy_refuses_what_it_does_not_read(void **state)
{
    (void)state;
    mo_npy got;
    assert_fails(mo_npy_load(&got, file_with("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", 8)),
        MOPD_E_UNSUPPORTED, "only '<f4'");
    assert_fails(mo_npy_load(&got, file_with("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", 4)),
        MOPD_E_UNSUPPORTED, "columns come first");
    assert_fails(
        mo_npy_load(&got, file_with("{'descr': '<f4', 'shape': (1,)}", 4)), MOPD_E_FORMAT, "is missing");
    assert_fails(mo_npy_load(&got, file_with(HEAD "(2,)}", 4)), MOPD_E_FORMAT, "the shape makes 2 floats");
    assert_fails(mo_npy_load(&got, file_with(HEAD "(-2,)}", 4)), MOPD_E_FORMAT, "no list of sizes");
    assert_fails(mo_npy_load(&got, file_with(HEAD "(2", 8)), MOPD_E_FORMAT, "has no end");
    assert_fails(
        mo_npy_load(&got, file_with(HEAD "(1,1,1,1,1,1,1,1,1)}", 4)), MOPD_E_UNSUPPORTED, "more than 8");
    assert_fails(
        mo_npy_load(&got, file_with(HEAD "(4294967296,4294967296)}", 4)), MOPD_E_FORMAT, "overflows");
    /* A size of 0 makes none of the others right. */
    assert_fails(
        mo_npy_load(&got, file_with(HEAD "(33333333333333333333,0)}", 0)), MOPD_E_FORMAT, "overflows");
    assert_fails(
        mo_npy_load(&got, file_with(HEAD "(0,4611686018427387904)}", 0)), MOPD_E_FORMAT, "overflows");
    assert_fails(mo_npy_load(&got, test_write("a.npy", "GIF89a.......", 13)), MOPD_E_FORMAT, "no .npy file");
    assert_fails(
        mo_npy_load(&got, test_write("b.npy", "\x93NUMPY\4\0\1\0\0\0\0", 13)), MOPD_E_VERSION, "version 4");
    assert_fails(mo_npy_load(&got, test_write("c.npy", "\x93NUMPY\1\0\xff\xff\0\0\0", 13)), MOPD_E_FORMAT,
        "header of 65535 bytes, the file has 3");
    assert_null(got.data);
}

static void npy_save_checks_its_shape(void **state)
{
    (void)state;
    static const size_t huge[2] = {SIZE_MAX, 2};
    assert_fails(mo_npy_save(test_path("n.npy"), NULL, 2, huge), MOPD_E_ARG, "overflows");
    assert_fails(mo_npy_save(test_path("n.npy"), NULL, 9, huge), MOPD_E_ARG, "9 dimensions");
}

static mopd_status save_and_load(void *path)
{
    static const size_t shape[1] = {3};
    const float x[3] = {1, 2, 3};
    mo_npy got = {0};
    mopd_status st = mo_npy_save(path, x, 1, shape);
    if (st == MOPD_OK) st = mo_npy_load(&got, path);
    mo_npy_free(&got);
    return st;
}

static void npy_survives_failing_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("torture.npy"));
    test_torture(save_and_load, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_bytes_are_numpys),
        cmocka_unit_test(npy_reads_back_any_shape),
        cmocka_unit_test(npy_refuses_what_it_does_not_read),
        cmocka_unit_test(npy_save_checks_its_shape),
        cmocka_unit_test(npy_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
