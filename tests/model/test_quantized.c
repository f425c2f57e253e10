/* SPDX-License-Identifier: MIT
 * test_quantized.c - encoders opened with bf16, by integers and by bfloat16, and with int8: features near those of f32, the
 * same bits in any company, training in f32 all the same; files of 8-bit weights. */
#include "test.h"

#include "model/encoder.h"
#include "math/bf16.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"

enum { N_TEXTS = 4, N_PICTURES = 3, MAX_SIDE = 224, MAX_DIM = 16, WIDTH = 64 };

static const char *const texts[N_TEXTS] = {"a photo of a cat.", "a photo of a dog.", "", "The 13 dogs!"};
static const char *const models[] = {GOLD "hf", GOLD "openclip", GOLD "openai/tiny.pt", GOLD "locked"};
#define N_MODELS (sizeof models / sizeof *models)

static float pixels[N_PICTURES * 3 * MAX_SIDE * MAX_SIDE];

static mopd_encoder *open_with(const char *path, int32_t precision, uint32_t n_threads)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .precision = precision, .n_threads = n_threads};
    mopd_encoder *e = NULL;
    assert_ok(mo_encoder_open(&e, path, &o));
    return e;
}

/* Both kinds of features, pictures first. */
static void encode(const char *path, int32_t precision, uint32_t n_threads, float *out)
{
    mopd_encoder *e = open_with(path, precision, n_threads);
    test_random(pixels, N_PICTURES * 3 * (size_t)e->config.image * e->config.image, 5);
    assert_ok(mo_encoder_pixels(e, pixels, N_PICTURES, out, NULL));
    assert_ok(mo_encoder_texts(e, texts, N_TEXTS, out + N_PICTURES * e->config.dim, NULL));
    mo_encoder_close(e);
}

static size_t dim_of(const char *path)
{
    mopd_encoder *e = open_with(path, MOPD_PRECISION_F32, 1);
    size_t dim = e->config.dim;
    mo_encoder_close(e);
    return dim;
}

static void check_features(int32_t precision, double bar)
{
    for (size_t m = 0; m < N_MODELS; m++) {
        float exact[(N_PICTURES + N_TEXTS) * MAX_DIM], quantized[(N_PICTURES + N_TEXTS) * MAX_DIM];
        const size_t dim = dim_of(models[m]);
        encode(models[m], MOPD_PRECISION_AUTO, 1, exact);
        encode(models[m], precision, 1, quantized);
        for (size_t i = 0; i < N_PICTURES + N_TEXTS; i++) {
            double cosine = 0;
            for (size_t d = 0; d < dim; d++)
                cosine += (double)exact[i * dim + d] * (double)quantized[i * dim + d];
            if (!(cosine > bar)) fail_msg("%s, feature %zu: cosine %g", models[m], i, cosine);
        }
        const double off = test_max_diff(exact, quantized, (N_PICTURES + N_TEXTS) * dim);
        if (!(off > 1e-7)) fail_msg("%s: %g, nothing was reduced", models[m], off);
    }
}

static void features_are_near_those_of_f32(void **state)
{
    (void)state;
    check_features(MOPD_PRECISION_BF16, !mo_bf16_get() ? 0.99999 : 0.9995); /* integers, bfloat16 */
}

/* These towers are tiny, so that errors are not many enough to cancel out. */
static void features_in_8_bits_are_near_too(void **state)
{
    (void)state;
    check_features(MOPD_PRECISION_INT8, 0.999);
}

static void check_company(int32_t precision)
{
    for (size_t m = 0; m < N_MODELS; m++) {
        float all[(N_PICTURES + N_TEXTS) * MAX_DIM], again[(N_PICTURES + N_TEXTS) * MAX_DIM], one[MAX_DIM];
        const size_t dim = dim_of(models[m]);
        encode(models[m], precision, 1, all);
        for (uint32_t n_threads = 2; n_threads <= 3; n_threads++) {
            encode(models[m], precision, n_threads, again);
            assert_memory_equal(all, again, (N_PICTURES + N_TEXTS) * dim * sizeof *all);
        }
        mopd_encoder *e = open_with(models[m], precision, 2);
        const size_t picture = 3 * (size_t)e->config.image * e->config.image;
        for (size_t i = 0; i < N_PICTURES; i++) {
            assert_ok(mo_encoder_pixels(e, pixels + i * picture, 1, one, NULL));
            assert_memory_equal(one, all + i * dim, dim * sizeof *one);
        }
        for (size_t i = 0; i < N_TEXTS; i++) {
            assert_ok(mo_encoder_texts(e, texts + i, 1, one, NULL));
            assert_memory_equal(one, all + (N_PICTURES + i) * dim, dim * sizeof *one);
        }
        mo_encoder_close(e);
    }
}

static void company_and_threads_change_no_bit(void **state)
{
    (void)state;
    check_company(MOPD_PRECISION_BF16);
    check_company(MOPD_PRECISION_INT8);
}

/* What a training step asks of the tower: features with a cache (out), the gradient (d_ctx). */
static void step(const char *path, int32_t precision, float *out, float *d_ctx)
{
    mopd_encoder *e = open_with(path, precision, 2);
    const uint32_t end = mo_tokenizer_end(e->tokenizer), tokens[] = {1, MO_TEXT_CTX, MO_TEXT_CTX | 1, 7, end};
    float ctx[2 * WIDTH], weight[MAX_DIM];
    mo_text_plan *plan;
    mo_text_cache *cache;
    assert_true(mo_text_width(e->text) <= WIDTH);
    test_random(ctx, 2 * WIDTH, 3);
    test_random(weight, MAX_DIM, 4);
    assert_ok(mo_text_plan_create(&plan, e->text, tokens, (size_t[]){0, 5}, 1));
    assert_ok(mo_text_cache_create(&cache, e->text, plan));
    assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, cache, out));
    assert_ok(mo_text_bwd(e->text, e->pool, plan, cache, weight, d_ctx));
    assert_ok(mo_text_fwd(e->text, e->pool, plan, ctx, NULL, out + MAX_DIM));
    mo_text_cache_free(cache);
    mo_text_plan_free(plan);
    mo_encoder_close(e);
}

static void training_stays_f32(void **state)
{
    (void)state;
    for (size_t m = 0; m < 2 * N_MODELS; m++) {
        float a[2 * MAX_DIM] = {0}, b[2 * MAX_DIM] = {0}, da[2 * WIDTH] = {0}, db[2 * WIDTH] = {0};
        step(models[m / 2], MOPD_PRECISION_F32, a, da);
        step(models[m / 2], m % 2 ? MOPD_PRECISION_INT8 : MOPD_PRECISION_BF16, b, db);
        assert_memory_equal(a, b, MAX_DIM * sizeof *a);
        assert_memory_equal(da, db, sizeof da);
        assert_true(test_max_diff(a + MAX_DIM, b + MAX_DIM, MAX_DIM) > 1e-7); /* without a cache it is not */
    }
}

/* As on CPUs with AMX. */
static void all_that_by_bfloat16(void **state)
{
    assert_ok(mo_bf16_set("bfloat16"));
    features_are_near_those_of_f32(state);
    company_and_threads_change_no_bit(state);
    training_stays_f32(state);
    assert_ok(mo_bf16_set(NULL));
}

/* An encoder in int8 computes alike from the file that it has written and from what that was made of. */
static void files_of_8_bits_compute_as_their_model(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        char path[512], again[512];
        snprintf(path, sizeof path, "%s", test_path("small.safetensors"));
        snprintf(again, sizeof again, "%s", test_path("again.safetensors"));
        float a[(N_PICTURES + N_TEXTS) * MAX_DIM], b[(N_PICTURES + N_TEXTS) * MAX_DIM];
        const size_t dim = dim_of(models[m]);
        mopd_encoder *e = open_with(models[m], MOPD_PRECISION_F32, 1);
        assert_ok(mo_pack_encoder(e, path, MO_I8, false));
        mo_encoder_close(e);
        encode(models[m], MOPD_PRECISION_INT8, 1, a);
        encode(path, MOPD_PRECISION_INT8, 1, b);
        assert_true(test_max_diff(a, b, (N_PICTURES + N_TEXTS) * dim) < 0.02);
        encode(path, MOPD_PRECISION_F32, 1, b);
        for (size_t i = 0; i < N_PICTURES + N_TEXTS; i++) {
            double cosine = 0;
            for (size_t d = 0; d < dim; d++) cosine += (double)a[i * dim + d] * (double)b[i * dim + d];
            if (!(cosine > 0.999)) fail_msg("%s, feature %zu: cosine %g", models[m], i, cosine);
        }
        e = open_with(path, MOPD_PRECISION_INT8, 1);
        assert_ok(mo_pack_encoder(e, again, MO_I8, false)); /* nothing is left to be rounded */
        mo_encoder_close(e);
        encode(path, MOPD_PRECISION_INT8, 1, a);
        encode(again, MOPD_PRECISION_INT8, 1, b);
        assert_true(test_max_diff(a, b, (N_PICTURES + N_TEXTS) * dim) < 1e-5);
    }
}

static mopd_status packing(void *path)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    mopd_encoder *e = NULL;
    mopd_status st = mo_encoder_open(&e, path, &o);
    if (st == MOPD_OK) st = mo_pack_encoder(e, test_path("torture.safetensors"), MO_I8, false);
    mo_encoder_close(e);
    return st;
}

static void packing_survives_lack_of_memory(void **state)
{
    (void)state;
    static char path[] = GOLD "hf";
    test_torture(packing, path);
}

static mopd_status everything_in(int32_t precision, const char *path)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .precision = precision, .n_threads = 2};
    float out[N_TEXTS * MAX_DIM];
    mopd_encoder *e = NULL;
    mopd_status st = mo_encoder_open(&e, path, &o);
    if (st == MOPD_OK) st = mo_encoder_texts(e, texts, N_TEXTS, out, NULL);
    if (st == MOPD_OK) st = mo_encoder_pixels(e, pixels, 1, out, NULL);
    if (st == MOPD_OK) st = mo_text_prepare(e->text, true);
    mo_encoder_close(e);
    return st;
}

static mopd_status everything_in_16(void *path)
{
    return everything_in(MOPD_PRECISION_BF16, path);
}

static mopd_status everything_in_8(void *path)
{
    return everything_in(MOPD_PRECISION_INT8, path);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static char *const paths[] = {GOLD "hf", GOLD "locked"};
    for (size_t i = 0; i < 2; i++) {
        test_torture(everything_in_16, paths[i]);
        test_torture(everything_in_8, paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_near_those_of_f32),
        cmocka_unit_test(features_in_8_bits_are_near_too),
        cmocka_unit_test(company_and_threads_change_no_bit),
        cmocka_unit_test(training_stays_f32),
        cmocka_unit_test(all_that_by_bfloat16),
        cmocka_unit_test(files_of_8_bits_compute_as_their_model),
        cmocka_unit_test(packing_survives_lack_of_memory),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
