/* SPDX-License-Identifier: MIT
 * folders.h - for tests of models on disk: copies of the golden folders, spoiled on purpose, and weights
 * written in other formats. */
#ifndef MOPD_TESTS_SUPPORT_FOLDERS_H
#define MOPD_TESTS_SUPPORT_FOLDERS_H

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "format/safetensors.h"
#include "model/encoder.h"

#define FOLDERS_GOLD MOPD_TEST_DIR "/gold/towers/"

static inline void folder_join(char path[512], const char *folder, const char *file)
{
    if (snprintf(path, 512, "%s/%s", folder, file) >= 512) fail_msg("too long: %s/%s", folder, file);
}

/* An empty folder of its own. */
static inline const char *folder_make(void)
{
    static int n;
    char name[64];
    snprintf(name, sizeof name, "model-%d", n++);
    const char *path = test_path(name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

static inline void folder_write(const char *folder, const char *file, const void *bytes, size_t n)
{
    char path[512];
    folder_join(path, folder, file);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f)) fail_msg("cannot write %s", path);
}

static inline void folder_write_text(const char *folder, const char *file, const char *text)
{
    folder_write(folder, file, text, strlen(text));
}

/* A file of one folder in another, under a name of its own. */
static inline void folder_copy(const char *from, const char *file, const char *to, const char *as)
{
    char path[512];
    mo_buf bytes = {0};
    folder_join(path, from, file);
    assert_ok(mo_file_read(&bytes, path, SIZE_MAX));
    folder_write(to, as, bytes.data, bytes.size);
    mo_buf_free(&bytes);
}

/* A copy of a golden model in a folder of its own. */
static inline const char *folder_of(const char *model)
{
    char from[512];
    mo_names names = {0};
    const char *path = folder_make();
    snprintf(from, sizeof from, FOLDERS_GOLD "%s", model);
    assert_ok(mo_names_dir(&names, from));
    for (size_t i = 0; i < names.n; i++) folder_copy(from, names.name[i], path, names.name[i]);
    mo_names_free(&names);
    return path;
}

static inline void folder_drop(const char *folder, const char *file)
{
    char path[512];
    folder_join(path, folder, file);
    assert_int_equal(unlink(path), 0);
}

static inline void folder_rename(const char *folder, const char *file, const char *to)
{
    char a[512], b[512];
    folder_join(a, folder, file);
    folder_join(b, folder, to);
    assert_int_equal(rename(a, b), 0);
}

static inline void folder_cut(const char *folder, const char *file, size_t n)
{
    char path[512];
    folder_join(path, folder, file);
    assert_int_equal(truncate(path, (off_t)n), 0);
}

/* Replaces the first `from` in a file of any bytes by `to`. */
static inline void folder_edit(const char *folder, const char *file, const char *from, const char *to)
{
    char path[512];
    mo_buf bytes = {0}, out = {0};
    size_t n = strlen(from), at = 0;
    folder_join(path, folder, file);
    assert_ok(mo_file_read(&bytes, path, SIZE_MAX));
    while (at + n <= bytes.size && memcmp(bytes.data + at, from, n) != 0) at++;
    if (at + n > bytes.size) fail_msg("%s has no %s", path, from);
    assert_ok(mo_buf_add(&out, bytes.data, at));
    assert_ok(mo_buf_adds(&out, to));
    assert_ok(mo_buf_add(&out, bytes.data + at + n, bytes.size - at - n));
    folder_write(folder, file, out.data, out.size);
    mo_buf_free(&out);
    mo_buf_free(&bytes);
}

static inline mopd_encoder *folder_open(const char *path, uint32_t n_threads)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = n_threads};
    mopd_encoder *e = NULL;
    assert_ok(mo_encoder_open(&e, path, &o));
    return e;
}

/* How opening ends; a failed one leaves no handle. */
static inline mopd_status folder_try(const char *path)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    mopd_encoder *e = (mopd_encoder *)&o;
    mopd_status st = mo_encoder_open(&e, path, &o);
    if (st != MOPD_OK && e) fail_msg("a failed open left a handle");
    mo_encoder_close(e);
    return st;
}

/* ---- tensors written anew ---- */

/* What a writer asks of each tensor: the name it gets, NULL to leave it out. */
typedef const char *(*folder_rename_fn)(const char *name);

static inline void folder_write_safetensors(
    const char *folder, const char *file, const mo_tensors *t, folder_rename_fn fn)
{
    char path[512];
    mo_safetensors_writer *w;
    folder_join(path, folder, file);
    assert_ok(mo_safetensors_writer_create(&w));
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        const mo_view *v = mo_tensors_view(t, i);
        const char *name = fn ? fn(mo_tensors_name(t, i)) : mo_tensors_name(t, i);
        if (name) assert_ok(mo_safetensors_writer_tensor(w, name, v->dtype, v->n_dims, v->shape));
    }
    assert_ok(mo_safetensors_writer_begin(w, path));
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        const mo_view *v = mo_tensors_view(t, i);
        if (fn && !fn(mo_tensors_name(t, i))) continue;
        assert_ok(mo_safetensors_writer_write(w, v->data, v->n * mo_dtype_size(v->dtype)));
    }
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
}

static inline void folder_put_u32(mo_buf *b, char op, size_t x)
{
    const unsigned char bytes[5] = {(unsigned char)op, (unsigned char)x, (unsigned char)(x >> 8),
        (unsigned char)(x >> 16), (unsigned char)(x >> 24)};
    assert_ok(mo_buf_add(b, bytes, sizeof bytes));
}

static inline void folder_put_text(mo_buf *b, const char *text)
{
    folder_put_u32(b, 'X', strlen(text));
    assert_ok(mo_buf_adds(b, text));
}

/* One tensor as torch.save pickles it, its storage named by its number. */
static inline void folder_put_tensor(mo_buf *b, const char *key, const mo_view *v)
{
    static const char *const storages[] = {[MO_F32] = "Float", [MO_F16] = "Half", [MO_I64] = "Long"};
    size_t stride = v->n;
    assert_ok(mo_buf_adds(b, "ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\n"));
    assert_ok(mo_buf_addf(b, "%sStorage\n", storages[v->dtype]));
    folder_put_text(b, key);
    assert_ok(mo_buf_adds(b, "U\3cpu"));
    folder_put_u32(b, 'J', v->n);
    assert_ok(mo_buf_add(b, "tQK\0(", 5));
    for (int d = 0; d < v->n_dims; d++) folder_put_u32(b, 'J', v->shape[d]);
    assert_ok(mo_buf_adds(b, "t("));
    for (int d = 0; d < v->n_dims; d++) folder_put_u32(b, 'J', stride /= v->shape[d]);
    assert_ok(mo_buf_adds(b, "t\x89}tR"));
}

/* The tensors as a legacy PyTorch file; of F32, F16 and I64. */
static inline void folder_write_torch(
    const char *folder, const char *file, const mo_tensors *t, folder_rename_fn fn)
{
    static const char magic[] = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
                      start[] = "\x80\2M\xe9\3.\x80\2}U\x0dlittle_endian\x88s.\x80\2}";
    mo_buf b = {0};
    char key[24];
    assert_ok(mo_buf_add(&b, magic, sizeof magic - 1));
    assert_ok(mo_buf_add(&b, start, sizeof start - 1));
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        const char *name = fn ? fn(mo_tensors_name(t, i)) : mo_tensors_name(t, i);
        if (!name) continue;
        snprintf(key, sizeof key, "%zu", i);
        folder_put_text(&b, name);
        folder_put_tensor(&b, key, mo_tensors_view(t, i));
        assert_ok(mo_buf_adds(&b, "s"));
    }
    assert_ok(mo_buf_adds(&b, ".\x80\2]("));
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        if (fn && !fn(mo_tensors_name(t, i))) continue;
        snprintf(key, sizeof key, "%zu", i);
        folder_put_text(&b, key);
    }
    assert_ok(mo_buf_adds(&b, "e."));
    for (size_t i = 0; i < mo_tensors_count(t); i++) {
        const mo_view *v = mo_tensors_view(t, i);
        if (fn && !fn(mo_tensors_name(t, i))) continue;
        assert_ok(mo_buf_add(&b, &(uint64_t){v->n}, sizeof(uint64_t)));
        assert_ok(mo_buf_add(&b, v->data, v->n * mo_dtype_size(v->dtype)));
    }
    folder_write(folder, file, b.data, b.size);
    mo_buf_free(&b);
}

/* For test_torture: ctx is the folder's path. */
static inline mopd_status folder_torture(void *ctx)
{
    return folder_try(ctx);
}

#endif
