/* SPDX-License-Identifier: MIT
 * test_mutation.c - small valid files with bytes flipped, cut, repeated: readers fail or succeed,
 * and stay inside.
 *
 * The same mutations at every run.  What is asserted: a reader that fails leaves nothing behind and says
 * FORMAT, UNSUPPORTED or VERSION; views of one that succeeds can be read.  A build with the address
 * sanitizer sees the rest. */
#include "test.h"

#include "base/rng.h"
#include "format/json.h"
#include "format/npy.h"
#include "format/safetensors.h"
#include "format/torchfile.h"
#include "format/zip.h"
#include "base/view.h"
#include "base/buf.h"
#include "base/mem.h"

#define GOLD MOPD_TEST_DIR "/gold/"
#define ROUNDS 3000

typedef mopd_status (*reader)(const void *bytes, size_t n);

static unsigned touched; /* keeps reads from being left out */

static void touch(const mo_view *v)
{
    const unsigned char *p = v->data;
    for (size_t i = 0; i < v->n * mo_dtype_size(v->dtype); i++) touched += p[i];
}

static mopd_status read_safetensors(const void *bytes, size_t n)
{
    mo_tensors *st;
    mopd_status status = mo_safetensors_open_bytes(&st, bytes, n, "mutated");
    for (size_t i = 0; status == MOPD_OK && i < mo_tensors_count(st); i++) touch(mo_tensors_view(st, i));
    mo_tensors_close(st);
    return status;
}

static mopd_status read_torch(const void *bytes, size_t n)
{
    mo_tensors *t;
    mopd_status st = mo_torchfile_open_bytes(&t, bytes, n, "mutated");
    for (size_t i = 0; st == MOPD_OK && i < mo_tensors_count(t); i++) touch(mo_tensors_view(t, i));
    mo_tensors_close(t);
    return st;
}

static mopd_status read_zip(const void *bytes, size_t n)
{
    mo_zip *zip;
    mo_buf out = {0};
    mopd_status st = mo_zip_open(&zip, bytes, n, "mutated");
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < mo_zip_count(zip); i++)
        if (mo_zip_read(zip, i, &out, 1 << 16) == MOPD_OK && out.size)
            touched += (unsigned char)out.data[out.size - 1];
    mo_buf_free(&out);
    mo_zip_close(zip);
    return MOPD_OK;
}

static mopd_status read_gzip(const void *bytes, size_t n)
{
    mo_buf out = {0};
    mopd_status st = mo_zip_gunzip(&out, bytes, n, 1 << 16, "mutated");
    mo_buf_free(&out);
    return st;
}

static mopd_status read_json(const void *bytes, size_t n)
{
    const mo_json *root;
    mopd_status st = mo_json_parse(&root, bytes, n, "mutated");
    mo_json_close(root);
    return st;
}

static mopd_status read_npy(const void *bytes, size_t n)
{
    mo_npy npy;
    mopd_status st = mo_npy_load(&npy, test_write("mutated.npy", bytes, n));
    mo_npy_free(&npy);
    return st;
}

/* One to four changes; the new length. */
static size_t mutate(unsigned char *bytes, size_t n, mo_rng *rng)
{
    for (uint64_t left = 1 + mo_rng_below(rng, 4); left && n; left--) {
        size_t at = (size_t)mo_rng_below(rng, n), other = (size_t)mo_rng_below(rng, n);
        size_t length = (size_t)mo_rng_below(rng, n - (at > other ? at : other));
        switch (mo_rng_below(rng, 8)) {
        case 0:
            n = at;
            break;
        case 1:
            memmove(bytes + at, bytes + other, length < 16 ? length : 16);
            break;
        case 2:
            bytes[at] = 0xff;
            break;
        case 3:
            bytes[at] = 0;
            break;
        case 4:
            bytes[at]++;
            break;
        default:
            bytes[at] ^= (unsigned char)(1u << mo_rng_below(rng, 8));
        }
    }
    return n;
}

static void mutate_many(const void *file, size_t n, reader read, int rounds)
{
    mo_rng rng;
    mo_rng_seed(&rng, n);
    assert_ok(read(file, n));
    for (int i = 0; i < rounds; i++) {
        unsigned char *bytes = malloc(n); /* exactly as long, so that a sanitizer sees a step outside */
        memcpy(bytes, file, n);
        size_t left = mutate(bytes, n, &rng);
        bytes = realloc(bytes, left ? left : 1);
        mopd_status st = read(bytes, left);
        if (st != MOPD_OK && st != MOPD_E_FORMAT && st != MOPD_E_UNSUPPORTED && st != MOPD_E_VERSION)
            fail_msg("round %d: %s: %s", i, mopd_status_name(st), mopd_last_error());
        assert_int_equal(mo_mem_live(), 0);
        free(bytes);
    }
}

static void mutate_file(const char *path, reader read)
{
    unsigned char bytes[16384];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    mutate_many(bytes, n, read, ROUNDS);
}

static void mutated_torch_files_are_safe(void **state)
{
    (void)state;
    mutate_file(GOLD "torch_zip.pt", read_torch);
    mutate_file(GOLD "torch_legacy.pth", read_torch);
    mutate_file(GOLD "torch_script.pt", read_torch);
    mutate_file(GOLD "torch_strided.pt", read_torch);
}

static void mutated_archives_are_safe(void **state)
{
    (void)state;
    mutate_file(GOLD "mixed.zip", read_zip);
    mutate_file(GOLD "two.gz", read_gzip);
}

static void mutated_safetensors_are_safe(void **state)
{
    (void)state;
    static const size_t shape[2] = {2, 3};
    char path[512];
    mo_safetensors_writer *w;
    snprintf(path, sizeof path, "%s", test_path("seed.safetensors"));
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_meta(w, "format", "pt"));
    assert_ok(mo_safetensors_writer_tensor(w, "a.weight", MO_F32, 2, shape));
    assert_ok(mo_safetensors_writer_tensor(w, "b", MO_U8, 2, shape));
    assert_ok(mo_safetensors_writer_begin(w, path));
    assert_ok(mo_safetensors_writer_write(w, "0123456789abcdef0123456789abcd", 30));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    mutate_file(path, read_safetensors);
}

static void mutated_json_is_safe(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[1,-2.5e3,true,null,\"\\u00e9\\n\"],\"b\":{\"c\":{}},\"d\":12345678901234567890}";
    mutate_many(text, sizeof text - 1, read_json, ROUNDS);
}

static void mutated_npy_is_safe(void **state)
{
    (void)state;
    static const size_t shape[2] = {2, 3};
    const float x[6] = {0};
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("seed.npy"));
    assert_ok(mo_npy_save(path, x, 2, shape));
    mutate_file(path, read_npy); /* through the file system */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_torch_files_are_safe),
        cmocka_unit_test(mutated_archives_are_safe),
        cmocka_unit_test(mutated_safetensors_are_safe),
        cmocka_unit_test(mutated_json_is_safe),
        cmocka_unit_test(mutated_npy_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
