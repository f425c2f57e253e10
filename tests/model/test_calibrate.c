/* SPDX-License-Identifier: MIT
 * test_calibrate.c - packing in 8 bits by pictures: the same bytes for any number of threads, no picture beyond the sixty-fourth,
 * answers that stay, and what is refused. */
#include "test.h"

#include "pictures.h"

#include "base/buf.h"
#include "base/file.h"
#include "model/calibrate.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"

enum { N = 3, DIM = 12, MANY = 2 * MO_CALIBRATE_MOST };

static char room[N][512];
static const char *pictures[N];

static void make_pictures(void)
{
    static const char *const names[N] = {"a.png", "b/c.png", "b/d.png"};
    for (uint32_t i = 0; i < N; i++) pictures[i] = strcpy(room[i], test_png(names[i], 21, 12 + i, i));
}

static mopd_encoder *open_with(const char *path, int32_t precision, uint32_t n_threads)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .precision = precision, .n_threads = n_threads};
    mopd_encoder *e = NULL;
    assert_ok(mo_encoder_open(&e, path, &o));
    return e;
}

static void pack(const char *to, uint32_t n_threads, const char *const *paths, size_t n)
{
    mopd_encoder *e = open_with(GOLD "hf", MOPD_PRECISION_F32, n_threads);
    assert_ok(mo_pack_calibrated(e, to, false, paths, n));
    mo_encoder_close(e);
}

static void assert_same_files(const char *a, const char *b)
{
    mo_buf x = {0}, y = {0};
    assert_ok(mo_file_read(&x, a, 1 << 30));
    assert_ok(mo_file_read(&y, b, 1 << 30));
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    mo_buf_free(&x);
    mo_buf_free(&y);
}

static void threads_change_no_byte(void **state)
{
    (void)state;
    char one[512], more[512];
    make_pictures();
    strcpy(one, test_path("one.safetensors"));
    strcpy(more, test_path("more.safetensors"));
    pack(one, 1, pictures, N);
    for (uint32_t threads = 1; threads <= 3; threads++) {
        pack(more, threads, pictures, N);
        assert_same_files(one, more);
    }
}

/* Of twice as many as are read, every other one is not there. */
static void sixty_four_are_read(void **state)
{
    (void)state;
    const char *many[MANY];
    char all[512], half[512];
    make_pictures();
    for (size_t i = 0; i < MANY; i++) many[i] = i % 2 ? "absent.png" : pictures[i / 2 % N];
    strcpy(all, test_path("all.safetensors"));
    strcpy(half, test_path("half.safetensors"));
    pack(all, 2, many, MANY);
    for (size_t i = 0; i < MANY / 2; i++) many[i] = pictures[i % N];
    pack(half, 2, many, MANY / 2);
    assert_same_files(all, half);
}

static void answers_stay(void **state)
{
    (void)state;
    float a[N * DIM], b[N * DIM];
    char packed[512];
    make_pictures();
    strcpy(packed, test_path("packed.safetensors"));
    pack(packed, 2, pictures, N);
    static const int32_t precisions[] = {MOPD_PRECISION_F32, MOPD_PRECISION_INT8, MOPD_PRECISION_BF16};
    for (size_t p = 0; p < 3; p++) {
        mopd_encoder *exact = open_with(GOLD "hf", MOPD_PRECISION_F32, 1);
        mopd_encoder *e = open_with(packed, precisions[p], 1);
        const size_t picture = 3 * (size_t)e->config.image * e->config.image;
        float *pixels = mo_mem_alloc(N * picture, sizeof *pixels);
        test_random(pixels, N * picture, 5);
        assert_ok(mo_encoder_pixels(exact, pixels, N, a, NULL));
        assert_ok(mo_encoder_pixels(e, pixels, N, b, NULL));
        for (size_t i = 0; i < N; i++) {
            double cosine = 0;
            for (size_t d = 0; d < DIM; d++) cosine += (double)a[i * DIM + d] * (double)b[i * DIM + d];
            if (!(cosine > 0.999)) fail_msg("picture %zu: cosine %g", i, cosine);
        }
        mo_mem_free(pixels);
        mo_encoder_close(e);
        mo_encoder_close(exact);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    const char *broken[2], *out = test_path("none.safetensors");
    make_pictures();
    broken[0] = pictures[0];
    broken[1] = test_write("broken.png", "no picture", 10);
    mopd_encoder *e = open_with(GOLD "hf", MOPD_PRECISION_F32, 1);
    assert_fails(mo_pack_calibrated(e, out, false, NULL, 0), MOPD_E_ARG, "no picture to calibrate with");
    assert_fails(mo_pack_calibrated(e, out, false, broken, 2), MOPD_E_FORMAT, "broken.png");
    broken[1] = "absent.png";
    assert_fails(mo_pack_calibrated(e, out, false, broken, 2), MOPD_E_IO, "absent.png");
    broken[1] = NULL;
    assert_fails(mo_pack_calibrated(e, out, false, broken, 2), MOPD_E_ARG, "path is NULL");
    mo_encoder_close(e);
    e = open_with(GOLD "locked", MOPD_PRECISION_F32, 1);
    assert_fails(mo_pack_calibrated(e, out, false, pictures, N), MOPD_E_UNSUPPORTED, "nothing to balance");
    mo_encoder_close(e);
    FILE *f = fopen(out, "rb");
    assert_null(f);
}

static int stop(void *context, size_t done, size_t total)
{
    (void)context;
    (void)total;
    return done == 1;
}

static void whoever_watches_may_end_it(void **state)
{
    (void)state;
    mopd_share_options o = {.struct_size = sizeof o, .progress = stop};
    mopd_encoder *e = open_with(GOLD "hf", MOPD_PRECISION_F32, 1), *share = NULL;
    make_pictures();
    assert_ok(mo_encoder_share(&share, e, &o));
    assert_fails(mo_pack_calibrated(share, test_path("none.safetensors"), false, pictures, N),
        MOPD_E_CANCELLED, "pictures");
    mo_encoder_close(share);
    mo_encoder_close(e);
}

static mopd_status packing(void *path)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    mopd_encoder *e = NULL;
    mopd_status st = mo_encoder_open(&e, path, &o);
    if (st == MOPD_OK) st = mo_pack_calibrated(e, test_path("torture.safetensors"), true, pictures, 1);
    mo_encoder_close(e);
    return st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static char path[] = GOLD "hf";
    make_pictures();
    test_torture(packing, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(sixty_four_are_read),
        cmocka_unit_test(answers_stay),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(whoever_watches_may_end_it),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
