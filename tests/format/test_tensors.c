/* SPDX-License-Identifier: MIT
 * test_tensors.c - one contract for files of tensors, run over every format and way of opening.
 *
 * The safetensors files are made from the PyTorch ones, so all hold the same tensors. */
#include "test.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "format/safetensors.h"
#include "format/torchfile.h"

#define GOLD MOPD_TEST_DIR "/gold/"

typedef mopd_status (*open_file)(mo_tensors **out, const char *path, bool read);
typedef mopd_status (*open_bytes)(mo_tensors **out, const void *bytes, size_t n, const char *path);

typedef struct format {
    const char *name;
    open_file file;
    open_bytes bytes;
    const char *gold; /* a PyTorch file: this one itself, or the one that a safetensors file is made from */
    size_t n;
    const char *metadata; /* what "made" says */
} format;

static const format formats[] = {
    {"safetensors", mo_safetensors_open, mo_safetensors_open_bytes, GOLD "torch_zip.pt", 16, "here"},
    {"torch zip", mo_torchfile_open, mo_torchfile_open_bytes, GOLD "torch_zip.pt", 16, NULL},
    {"torch legacy", mo_torchfile_open, mo_torchfile_open_bytes, GOLD "torch_legacy.pth", 16, NULL},
    {"torch with copies", mo_torchfile_open, mo_torchfile_open_bytes, GOLD "torch_strided.pt", 5, NULL},
    {"safetensors of copies", mo_safetensors_open, mo_safetensors_open_bytes, GOLD "torch_strided.pt", 5,
        "here"},
};
#define N_FORMATS (sizeof formats / sizeof *formats)

static void make_safetensors(const char *path, const mo_tensors *from)
{
    mo_safetensors_writer *w;
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_meta(w, "made", "here"));
    assert_ok(mo_safetensors_writer_meta(w, "format", "pt"));
    for (size_t i = 0; i < mo_tensors_count(from); i++) {
        const mo_view *v = mo_tensors_view(from, i);
        assert_ok(mo_safetensors_writer_tensor(w, mo_tensors_name(from, i), v->dtype, v->n_dims, v->shape));
    }
    assert_ok(mo_safetensors_writer_begin(w, path));
    for (size_t i = 0; i < mo_tensors_count(from); i++) {
        const mo_view *v = mo_tensors_view(from, i);
        assert_ok(mo_safetensors_writer_write(w, v->data, v->n * mo_dtype_size(v->dtype)));
    }
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
}

/* Where the format's file is; made at first use. */
static const char *path_of(const format *f)
{
    static char made[N_FORMATS][512];
    char *path = made[f - formats];
    if (*path) return path;
    if (f->file == mo_torchfile_open) {
        snprintf(path, sizeof *made, "%s", f->gold);
        return path;
    }
    char name[32];
    mo_tensors *gold;
    snprintf(name, sizeof name, "%zu.safetensors", (size_t)(f - formats));
    snprintf(path, sizeof *made, "%s", test_path(name));
    assert_ok(mo_torchfile_open(&gold, f->gold, false));
    make_safetensors(path, gold);
    mo_tensors_close(gold);
    return path;
}

static void assert_same_tensors(const format *f, const mo_tensors *got)
{
    mo_tensors *want;
    assert_ok(mo_torchfile_open(&want, f->gold, true));
    assert_int_equal(mo_tensors_count(got), mo_tensors_count(want));
    for (size_t i = 0; i < mo_tensors_count(want); i++) {
        const mo_view *a = mo_tensors_find(got, mo_tensors_name(want, i)), *b = mo_tensors_view(want, i);
        if (!a) fail_msg("%s: no tensor %s", f->name, mo_tensors_name(want, i));
        assert_int_equal(a->dtype, b->dtype);
        assert_int_equal(a->n_dims, b->n_dims);
        assert_memory_equal(a->shape, b->shape, (size_t)a->n_dims * sizeof *a->shape);
        assert_int_equal(a->n, b->n);
        if (memcmp(a->data, b->data, a->n * mo_dtype_size(a->dtype)))
            fail_msg("%s: tensor %s differs", f->name, mo_tensors_name(want, i));
    }
    mo_tensors_close(want);
}

static void tensors_are_the_same_in_every_format(void **state)
{
    (void)state;
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        for (int read = 0; read < 2; read++) {
            mo_tensors *t;
            assert_ok(f->file(&t, path_of(f), read));
            assert_int_equal(mo_tensors_count(t), f->n);
            assert_same_tensors(f, t);
            mo_tensors_close(t);
        }
    }
    mo_tensors_close(NULL);
}

/* The caller's bytes are used where they lie; only what is out of order is a copy. */
static void tensors_over_bytes_point_into_them(void **state)
{
    (void)state;
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        mo_buf file = {0};
        mo_tensors *t;
        size_t inside = 0;
        assert_ok(mo_file_read(&file, path_of(f), SIZE_MAX));
        assert_ok(f->bytes(&t, file.data, file.size, "somewhere"));
        assert_same_tensors(f, t);
        assert_string_equal(mo_tensors_path(t), "somewhere");
        assert_int_equal(mo_tensors_file_bytes(t), file.size);
        for (size_t i = 0; i < f->n; i++) {
            const char *data = mo_tensors_view(t, i)->data;
            inside += data >= file.data && data <= file.data + file.size;
        }
        assert_int_equal(inside, strcmp(f->name, "torch with copies") ? f->n : 1);
        mo_tensors_close(t);
        mo_buf_free(&file);
    }
}

static void tensors_are_found_by_name_and_number(void **state)
{
    (void)state;
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        mo_tensors *t;
        const mo_view *v;
        char words[600];
        assert_ok(f->file(&t, path_of(f), false));
        for (size_t i = 0; i < f->n; i++) {
            assert_ptr_equal(mo_tensors_find(t, mo_tensors_name(t, i)), mo_tensors_view(t, i));
            assert_ok(mo_tensors_need(t, mo_tensors_name(t, i), &v));
            assert_ptr_equal(v, mo_tensors_view(t, i));
        }
        assert_null(mo_tensors_find(t, ""));
        assert_null(mo_tensors_find(t, "f3"));
        assert_null(mo_tensors_find(t, "zzz"));
        snprintf(words, sizeof words, "%s: tensor \"zzz\" is missing", path_of(f));
        assert_fails(mo_tensors_need(t, "zzz", &v), MOPD_E_FORMAT, words);
        assert_null(v);
        mo_tensors_close(t);
    }
}

static void tensors_know_their_file(void **state)
{
    (void)state;
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        mo_tensors *t;
        struct stat info;
        assert_int_equal(stat(path_of(f), &info), 0);
        assert_ok(f->file(&t, path_of(f), false));
        assert_string_equal(mo_tensors_path(t), path_of(f));
        assert_int_equal(mo_tensors_file_bytes(t), info.st_size);
        mo_tensors_close(t);
    }
}

static void metadata_is_sorted_or_absent(void **state)
{
    (void)state;
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        mo_tensors *t;
        assert_ok(f->file(&t, path_of(f), false));
        assert_null(mo_tensors_meta(t, "f32"));
        assert_int_equal(mo_tensors_n_meta(t), f->metadata ? 2 : 0);
        if (f->metadata) {
            assert_string_equal(mo_tensors_meta_key(t, 0), "format");
            assert_string_equal(mo_tensors_meta_value(t, 0), "pt");
            assert_string_equal(mo_tensors_meta_key(t, 1), "made");
            assert_string_equal(mo_tensors_meta(t, "made"), f->metadata);
        } else {
            assert_null(mo_tensors_meta(t, "made"));
        }
        mo_tensors_close(t);
    }
}

/* Pages of a mapping come back from the file; memory and copies are left alone. */
static void released_tensors_keep_their_values(void **state)
{
    (void)state;
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        for (int read = 0; read < 2; read++) {
            mo_tensors *t;
            assert_ok(f->file(&t, path_of(f), read));
            for (size_t i = 0; i < f->n; i++) mo_tensors_release(t, mo_tensors_view(t, i));
            assert_same_tensors(f, t);
            mo_tensors_close(t);
        }
    }
}

static void what_cannot_be_opened_leaves_no_handle(void **state)
{
    (void)state;
    const char *empty = test_write("empty", "", 0), *folder = test_path("");
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        for (int read = 0; read < 2; read++) {
            mo_tensors *t = (mo_tensors *)&folder;
            assert_fails(f->file(&t, "/nowhere/x", read), MOPD_E_IO, "/nowhere/x");
            assert_null(t);
            assert_fails(f->file(&t, folder, read), MOPD_E_IO, folder);
            assert_null(t);
            assert_fails(f->file(&t, empty, read), MOPD_E_FORMAT, empty);
            assert_null(t);
        }
    }
}

/* Every cut and the other format's file: FORMAT, or UNSUPPORTED where the cut falls into a word that says so. */
static void half_files_are_refused(void **state)
{
    (void)state;
    for (const format *f = formats; f < formats + N_FORMATS; f++) {
        mo_buf file = {0};
        assert_ok(mo_file_read(&file, path_of(f), SIZE_MAX));
        for (size_t n = 0; n < file.size; n += 1 + n / 16) {
            mo_tensors *t;
            mopd_status st = f->bytes(&t, file.data, n, "half");
            if (st != MOPD_E_FORMAT && st != MOPD_E_UNSUPPORTED)
                fail_msg("%s, %zu of %zu bytes: %s", f->name, n, file.size, mopd_status_name(st));
            assert_null(t);
            assert_non_null(strstr(mopd_last_error(), "half"));
        }
        mo_buf_free(&file);
    }
    mo_tensors *t;
    assert_fails(mo_safetensors_open(&t, GOLD "torch_zip.pt", false), MOPD_E_FORMAT, "torch_zip.pt");
    assert_fails(mo_torchfile_open(&t, path_of(&formats[0]), false), MOPD_E_FORMAT, "starts neither as");
}

static mopd_status torture(void *ctx)
{
    const format *f = ctx;
    mo_tensors *t;
    mopd_status st = f->file(&t, path_of(f), true);
    mo_tensors_close(t);
    return st;
}

static void opening_survives_failing_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FORMATS; i++) {
        format f = formats[i];
        path_of(&formats[i]);
        test_torture(torture, (void *)(uintptr_t)&formats[i]);
        mo_tensors *t;
        assert_ok(f.file(&t, path_of(&formats[i]), true));
        assert_same_tensors(&f, t);
        mo_tensors_close(t);
    }
    assert_ok(mopd_runtime_set_allocator(NULL));
}

/* ---- told by content ---- */

static const char *copy_as(const char *from, const char *name)
{
    mo_buf file = {0};
    assert_ok(mo_file_read(&file, from, SIZE_MAX));
    const char *path = test_write(name, file.data, file.size);
    mo_buf_free(&file);
    return path;
}

static void the_format_is_told_by_content(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FORMATS; i++) {
        static const char *const names[] = {"copy.safetensors", "copy.bin", "copy.pth", "copy"};
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            mo_tensors *t;
            assert_ok(mo_tensors_open(&t, copy_as(path_of(&formats[i]), names[k]), k % 2));
            assert_same_tensors(&formats[i], t);
            mo_tensors_close(t);
        }
    }
}

/* A header of 128 bytes begins as a pickle does, one of 19280 as a zip archive. */
static void a_length_is_not_taken_for_another_format(void **state)
{
    (void)state;
    static const size_t lengths[] = {0x80, 0x4b50, 0x280};
    static const char header[] = "{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        static unsigned char file[8 + 0x4b50 + 1];
        mo_tensors *t;
        memset(file, ' ', sizeof file);
        for (int b = 0; b < 8; b++) file[b] = (unsigned char)((uint64_t)lengths[i] >> (8 * b));
        memcpy(file + 8, header, sizeof header - 1);
        assert_true(mo_safetensors_is(file, 8 + lengths[i] + 1));
        assert_false(mo_torchfile_is(file, 8 + lengths[i] + 1));
        assert_ok(mo_tensors_open(&t, test_write("length.bin", file, 8 + lengths[i] + 1), false));
        assert_int_equal(mo_tensors_count(t), 1);
        assert_int_equal(*(const char *)mo_tensors_find(t, "x")->data, ' ');
        mo_tensors_close(t);
    }
}

static void what_begins_like_nothing_goes_by_its_name(void **state)
{
    (void)state;
    mo_tensors *t;
    static const char junk[] = "neither of the two";
    assert_fails(mo_tensors_open(&t, test_write("x.safetensors", junk, sizeof junk), false), MOPD_E_FORMAT,
        "x.safetensors: header of");
    assert_fails(mo_tensors_open(&t, test_write("x.pth", junk, sizeof junk), false), MOPD_E_FORMAT,
        "x.pth: starts neither as a zip archive nor as a legacy PyTorch file");
    assert_fails(
        mo_tensors_open(&t, test_write("x", junk, sizeof junk), false), MOPD_E_FORMAT, "starts neither");
    assert_fails(
        mo_tensors_open(&t, test_write("safetensors", "", 0), false), MOPD_E_FORMAT, "starts neither");
    assert_fails(mo_tensors_open(&t, "/nowhere/x.safetensors", false), MOPD_E_IO, "/nowhere/x.safetensors");
    assert_null(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_the_same_in_every_format),
        cmocka_unit_test(tensors_over_bytes_point_into_them),
        cmocka_unit_test(tensors_are_found_by_name_and_number),
        cmocka_unit_test(tensors_know_their_file),
        cmocka_unit_test(metadata_is_sorted_or_absent),
        cmocka_unit_test(released_tensors_keep_their_values),
        cmocka_unit_test(what_cannot_be_opened_leaves_no_handle),
        cmocka_unit_test(half_files_are_refused),
        cmocka_unit_test(opening_survives_failing_memory),
        cmocka_unit_test(the_format_is_told_by_content),
        cmocka_unit_test(a_length_is_not_taken_for_another_format),
        cmocka_unit_test(what_begins_like_nothing_goes_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
