/* SPDX-License-Identifier: MIT
 * test_panels.c - packed files whose weights lie as products read them, in 8 bits and in bfloat16: the same bits as from
 * rows in every precision, used where they lie, and what is refused. */
#include "test.h"

#include "base/file.h"
#include "math/bf16.h"
#include "model/encoder.h"
#include "support/forged.h"
#include "support/tiny.h"

enum { N = 3, FLOATS = N * 3 * TINY_IMAGE * TINY_IMAGE, MANY = 2 * N * TINY_DIM };

static const char *const texts[N] = {"a photo of a cat.", "a dog", ""};

static mopd_encoder *open_with(const char *path, int32_t precision, uint32_t flags)
{
    const mopd_encoder_options o = {
        .struct_size = sizeof o, .precision = precision, .flags = flags, .n_threads = 2};
    mopd_encoder *e = NULL;
    assert_ok(mo_encoder_open(&e, path, &o));
    return e;
}

/* Features of pictures and of texts; the encoder is closed. */
static void encode(mopd_encoder *e, float out[MANY])
{
    float pixels[FLOATS];
    test_random(pixels, FLOATS, 5);
    assert_ok(mo_encoder_pixels(e, pixels, N, out, NULL));
    assert_ok(mo_encoder_texts(e, texts, N, out + N * TINY_DIM, NULL));
    mo_encoder_close(e);
}

static const char *pack(const char *name, const char *from, mo_dtype dtype, bool panels)
{
    mopd_encoder *e = open_with(from, MOPD_PRECISION_F32, 0);
    const char *path = test_path(name);
    assert_ok(mo_pack_encoder(e, path, dtype, panels));
    mo_encoder_close(e);
    return path;
}

static const int32_t precisions[] = {MOPD_PRECISION_F32, MOPD_PRECISION_BF16, MOPD_PRECISION_INT8};
static const mo_dtype types[] = {MO_F32, MO_F16, MO_BF16, MO_I8};

static void check_bits(void)
{
    for (size_t t = 0; t < 4; t++) {
        char rows[512], panels[512];
        strcpy(rows, pack("rows.safetensors", tiny_wide_model(), types[t], false));
        strcpy(panels, pack("panels.safetensors", tiny_wide_model(), types[t], true));
        for (size_t p = 0; p < 3; p++) {
            float a[MANY], b[MANY];
            encode(open_with(rows, precisions[p], 0), a);
            encode(open_with(panels, precisions[p], 0), b);
            assert_memory_equal(a, b, sizeof a);
            encode(open_with(panels, precisions[p], MOPD_OPEN_READ), b);
            assert_memory_equal(a, b, sizeof a);
        }
    }
}

static void panels_give_the_bits_of_rows(void **state)
{
    (void)state;
    check_bits();
    assert_ok(mo_bf16_set("bfloat16"));
    check_bits();
    assert_ok(mo_bf16_set(NULL));
}

/* Where bytes begin at an odd address nothing can be used in place. */
static void panels_at_odd_addresses_are_packed_anew(void **state)
{
    (void)state;
    mo_buf file = {0};
    float a[MANY], b[MANY];
    const mopd_encoder_options o = {
        .struct_size = sizeof o, .precision = MOPD_PRECISION_INT8, .n_threads = 1};
    const char *path = pack("panels.safetensors", tiny_wide_model(), MO_I8, true);
    encode(open_with(path, MOPD_PRECISION_INT8, 0), a);
    assert_ok(mo_file_read(&file, path, SIZE_MAX));
    char *odd = mo_mem_alloc(file.size + 9, 1);
    for (size_t by = 0; by < 9; by += 4) {
        mopd_encoder *e = NULL;
        memcpy(odd + by, file.data, file.size);
        assert_ok(mo_encoder_open_memory(&e, odd + by, file.size, &o));
        encode(e, b);
        assert_memory_equal(a, b, sizeof a);
    }
    mo_mem_free(odd);
    mo_buf_free(&file);
}

/* Rows, panels of rows, rows of panels. */
static void nothing_is_lost(void **state)
{
    (void)state;
    for (size_t t = 0; t < 4; t++) {
        mo_buf first = {0}, last = {0};
        char rows[512], panels[512], fingerprint[65];
        strcpy(rows, pack("rows.safetensors", tiny_wide_model(), types[t], false));
        mopd_encoder *e = open_with(rows, MOPD_PRECISION_F32, 0);
        memcpy(fingerprint, e->fingerprint, sizeof fingerprint);
        mo_encoder_close(e);
        assert_ok(mo_file_read(&first, rows, SIZE_MAX));
        strcpy(panels, pack("panels.safetensors", rows, types[t], true));
        e = open_with(panels, MOPD_PRECISION_F32, 0);
        assert_string_equal(fingerprint, e->fingerprint);
        mo_encoder_close(e);
        assert_ok(mo_file_read(&last, pack("again.safetensors", panels, types[t], false), SIZE_MAX));
        assert_int_equal(first.size, last.size);
        assert_memory_equal(first.data, last.data, first.size);
        mo_buf_free(&first);
        mo_buf_free(&last);
    }
}

/* The blocks a process takes to open a file and to compute with it. */
static size_t memory_of(const char *path, int32_t precision)
{
    float out[MANY];
    test_count_start();
    encode(open_with(path, precision, 0), out);
    assert_int_equal(test_count_live(), 0);
    return test_count_peak();
}

static void panels_take_no_memory(void **state)
{
    (void)state;
    char rows[512];
    strcpy(rows, pack("rows.safetensors", tiny_wide_model(), MO_I8, false));
    const char *panels = pack("panels.safetensors", tiny_wide_model(), MO_I8, true);
    const size_t weights = 4 * (4 * TINY_WIDE * TINY_WIDE + 4 * TINY_WIDE * TINY_WIDE);
    const size_t a = memory_of(rows, MOPD_PRECISION_INT8), b = memory_of(panels, MOPD_PRECISION_INT8);
    if (!(b + weights * 9 / 10 < a)) fail_msg("%zu bytes with panels, %zu with rows", b, a);
}

static void lies_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        mopd_status st;
        const char *words;
    } edits[] = {
        {"\"mopd.panels\":\"16x4\"", "\"mopd.panels\":\"16x8\"", MOPD_E_FORMAT,
            "'mopd.panels' is '16x8', not '16', '16x2' or '16x4'"},
        {"\"mopd.panels\":\"16x4\"", "\"mopd.panels\":\"16x2\"", MOPD_E_MISMATCH,
            "has shape [4, 16, 16, 4]; the configuration says [64, 64]"},
        {"[4,16,16,4]", "[4,16,4,16]", MOPD_E_MISMATCH, "has shape [4, 16, 4, 16]"},
        {"[4,16,16,4]", "[16,4,16,4]", MOPD_E_MISMATCH, "has shape [16, 4, 16, 4]"},
        {"fc1.weight.sum\"", "fc1.weight.sun\"", MOPD_E_MISMATCH,
            "fc1.weight.sum is missing; panels of I8 need it"},
        {"fc1.weight.scale\"", "fc1.weight.scalp\"", MOPD_E_UNSUPPORTED, "fc1.weight is I8"},
        {"fc1.weight.sum\":{\"dtype\":\"I32\"", "fc1.weight.sum\":{\"dtype\":\"F32\"", MOPD_E_FORMAT,
            "fc1.weight.sum is not I32 [128]"},
        {"\"I32\",\"shape\":[64]", "\"I32\",\"shape\":[1,64]", MOPD_E_FORMAT, "is not I32 [64]"},
        {"scale\":{\"dtype\":\"F32\",\"shape\":[64]", "scale\":{\"dtype\":\"F32\",\"shape\":[32,2]",
            MOPD_E_FORMAT, "panels"},
    };
    const char *path = pack("good.safetensors", tiny_wide_model(), MO_I8, true);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        forged f = forged_read(path);
        mopd_encoder *e = NULL;
        const mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
        const char *bad = forged_header(&f, "bad.safetensors", edits[i].from, edits[i].to);
        assert_fails(mo_encoder_open(&e, bad, &o), edits[i].st, edits[i].words);
        forged_free(&f);
    }
}

static mopd_status everything(void *path)
{
    const mopd_encoder_options o = {
        .struct_size = sizeof o, .precision = MOPD_PRECISION_INT8, .n_threads = 1};
    float out[N * TINY_DIM], pixels[FLOATS] = {0};
    mopd_encoder *e = NULL;
    mopd_status st = mo_encoder_open(&e, path, &o);
    if (st == MOPD_OK) st = mo_encoder_pixels(e, pixels, 1, out, NULL);
    if (st == MOPD_OK) st = mo_pack_encoder(e, test_path("torture.safetensors"), MO_I8, true);
    if (st == MOPD_OK) st = mo_pack_encoder(e, test_path("torture.safetensors"), MO_BF16, true);
    mo_encoder_close(e);
    return st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    char path[512];
    strcpy(path, pack("panels.safetensors", tiny_wide_model(), MO_I8, true));
    test_torture(everything, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panels_give_the_bits_of_rows),
        cmocka_unit_test(panels_at_odd_addresses_are_packed_anew),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(panels_take_no_memory),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
