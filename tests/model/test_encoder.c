/* SPDX-License-Identifier: MIT
 * test_encoder.c - features of five tiny models against PyTorch (tests/gold/towers.py), and what must not
 * change them: the batch, the threads, the layout. */
#include "test.h"

#include <pthread.h>

#include "model/encoder.h"
#include "format/safetensors.h"
#include "base/file.h"
#include "base/ints.h"
#include "base/view.h"
#include "base/buf.h"
#include "base/mem.h"
#include "support/needs.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"

enum { N_TEXTS = 7, N_PICTURES = 3, MAX_SIDE = 224, MAX_DIM = 16 };

static const char *const texts[N_TEXTS] = {"a photo of a cat.", "a photo of a dog.", "a photo of a cat.", "",
    "The 13 dogs!", "a", "a photo of the cat, a dog"};
static const char *const models[] = {
    GOLD "hf", GOLD "hf-largest", GOLD "openclip", GOLD "openai/tiny.pt", GOLD "locked"};
static const char *const goldens[] = {
    GOLD "hf", GOLD "hf-largest", GOLD "openclip", GOLD "openai", GOLD "locked"};
#define N_MODELS (sizeof models / sizeof *models)

static float pixels[N_PICTURES * 3 * MAX_SIDE * MAX_SIDE];

static mopd_encoder *open_with(const char *path, uint32_t n_threads)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = n_threads};
    mopd_encoder *e = NULL;
    assert_ok(mo_encoder_open(&e, path, &o));
    return e;
}

static const float *make_pixels(const mopd_encoder *e, size_t n)
{
    test_random(pixels, n * 3 * e->config.image * e->config.image, 5);
    return pixels;
}

static void compare_golden(const mo_tensors *gold, const char *name, const float *got, size_t n, size_t dim)
{
    float want[N_TEXTS * MAX_DIM];
    const mo_view *v;
    assert_ok(mo_tensors_need(gold, name, &v));
    assert_int_equal(v->n, n * dim);
    assert_true(mo_view_floats(v, 0, v->n, want));
    double worst = test_max_diff(got, want, n * dim);
    if (!(worst < 2e-6)) fail_msg("%s of %s: off by %g", name, mo_tensors_path(gold), worst);
}

static void encoder_equals_pytorch(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        char path[512];
        mo_tensors *gold;
        float out[N_TEXTS * MAX_DIM];
        mopd_encoder *e = open_with(models[m], 2);
        snprintf(path, sizeof path, "%s/golden.safetensors", goldens[m]);
        assert_ok(mo_safetensors_open(&gold, path, false));
        assert_ok(mo_encoder_texts(e, texts, N_TEXTS, out, NULL));
        compare_golden(gold, "texts", out, N_TEXTS, e->config.dim);
        assert_ok(mo_encoder_pixels(e, make_pixels(e, N_PICTURES), N_PICTURES, out, NULL));
        compare_golden(gold, "pictures", out, N_PICTURES, e->config.dim);
        mo_tensors_close(gold);
        mo_encoder_close(e);
    }
}

static void encoder_one_picture_alone_and_in_a_batch(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        float all[N_PICTURES * MAX_DIM], one[MAX_DIM];
        for (uint32_t n_threads = 1; n_threads <= 3; n_threads++) {
            mopd_encoder *e = open_with(models[m], n_threads);
            size_t dim = e->config.dim, picture = 3 * (size_t)e->config.image * e->config.image;
            make_pixels(e, N_PICTURES);
            if (n_threads == 1) assert_ok(mo_encoder_pixels(e, pixels, N_PICTURES, all, NULL));
            for (size_t i = 0; i < N_PICTURES; i++) {
                assert_ok(mo_encoder_pixels(e, pixels + i * picture, 1, one, NULL));
                assert_memory_equal(one, all + i * dim, dim * sizeof *one);
            }
            mo_encoder_close(e);
        }
    }
}

/* To the bit, not only nearly: the blocks work row by row, attention in the order of positions. */
static void encoder_one_text_alone_and_in_the_tree(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODELS; m++) {
        float all[N_TEXTS * MAX_DIM], one[MAX_DIM];
        for (uint32_t n_threads = 1; n_threads <= 3; n_threads++) {
            mopd_encoder *e = open_with(models[m], n_threads);
            size_t dim = e->config.dim;
            if (n_threads == 1) assert_ok(mo_encoder_texts(e, texts, N_TEXTS, all, NULL));
            for (size_t i = 0; i < N_TEXTS; i++) {
                assert_ok(mo_encoder_texts(e, texts + i, 1, one, NULL));
                assert_memory_equal(one, all + i * dim, dim * sizeof *one);
            }
            assert_memory_equal(all, all + 2 * dim, dim * sizeof *one); /* text 0 again */
            mo_encoder_close(e);
        }
    }
}

/* More texts than one plan takes: each still as alone. */
static void encoder_thousands_of_texts(void **state)
{
    (void)state;
    enum { N = 1500 };
    static char words[N][40];
    static const char *list[N];
    mopd_encoder *e = open_with(models[0], 2);
    float *all = malloc(N * MAX_DIM * sizeof *all), one[MAX_DIM];
    for (int i = 0; i < N; i++) {
        snprintf(words[i], sizeof words[i], "a photo of the %d dogs.", i);
        list[i] = words[i];
    }
    assert_ok(mo_encoder_texts(e, list, N, all, NULL));
    for (size_t i = 0; i < N; i += 97) {
        assert_ok(mo_encoder_texts(e, list + i, 1, one, NULL));
        assert_memory_equal(one, all + i * e->config.dim, e->config.dim * sizeof *one);
    }
    free(all);
    mo_encoder_close(e);
}

static void packed_file_gives_the_same_bits(void **state)
{
    (void)state;
    for (size_t m = 0; m < 2 * N_MODELS; m++) {
        float a[N_TEXTS * MAX_DIM], b[N_TEXTS * MAX_DIM];
        mopd_encoder *e = open_with(models[m / 2], 2);
        const char *path = test_path("packed.safetensors");
        assert_ok(mo_pack_encoder(e, path, MO_F32, m % 2 == 1));
        mopd_encoder *p = open_with(path, 1);
        size_t dim = e->config.dim;
        assert_string_equal(p->fingerprint, e->fingerprint);
        assert_true(p->logit_scale == e->logit_scale && p->recommended_lr == e->recommended_lr);
        assert_ok(mo_encoder_texts(e, texts, N_TEXTS, a, NULL));
        assert_ok(mo_encoder_texts(p, texts, N_TEXTS, b, NULL));
        assert_memory_equal(a, b, N_TEXTS * dim * sizeof *a);
        make_pixels(e, N_PICTURES);
        assert_ok(mo_encoder_pixels(e, pixels, N_PICTURES, a, NULL));
        assert_ok(mo_encoder_pixels(p, pixels, N_PICTURES, b, NULL));
        assert_memory_equal(a, b, N_PICTURES * dim * sizeof *a);
        mo_encoder_close(p);
        mo_encoder_close(e);
    }
}

static void packing_twice_gives_the_same_bytes(void **state)
{
    (void)state;
    mo_buf a = {0}, b = {0};
    char first[512];
    mopd_encoder *e = open_with(models[4], 1);
    snprintf(first, sizeof first, "%s", test_path("first.safetensors"));
    assert_ok(mo_pack_encoder(e, first, MO_F16, false));
    mo_encoder_close(e);
    e = open_with(first, 3);
    assert_ok(mo_pack_encoder(e, test_path("second.safetensors"), MO_F16, false));
    mo_encoder_close(e);
    assert_ok(mo_file_read(&a, first, SIZE_MAX));
    assert_ok(mo_file_read(&b, test_path("second.safetensors"), SIZE_MAX));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    mo_buf_free(&a);
    mo_buf_free(&b);
}

/* Rows, panels of rows, panels of panels, rows of panels. */
static void panels_lose_nothing(void **state)
{
    (void)state;
    static const mo_dtype types[] = {MO_F32, MO_F16, MO_BF16};
    for (int t = 0; t < 3; t++) {
        mo_buf file[4] = {0};
        char path[2][512];
        snprintf(path[0], sizeof path[0], "%s", models[2]);
        for (int i = 0; i < 4; i++) {
            mopd_encoder *e = open_with(path[i % 2], 1);
            snprintf(
                path[(i + 1) % 2], sizeof *path, "%s", test_path(i % 2 ? "b.safetensors" : "a.safetensors"));
            assert_ok(mo_pack_encoder(e, path[(i + 1) % 2], types[t], i == 1 || i == 2));
            assert_ok(mo_file_read(&file[i], path[(i + 1) % 2], SIZE_MAX));
            mo_encoder_close(e);
        }
        assert_int_not_equal(memcmp(file[0].data, file[1].data, mo_min(file[0].size, file[1].size)), 0);
        for (int i = 0; i < 2; i++) {
            const int same = 3 - i;
            assert_int_equal(file[i].size, file[same].size);
            assert_memory_equal(file[i].data, file[same].data, file[i].size);
        }
        for (int i = 0; i < 4; i++) mo_buf_free(&file[i]);
    }
}

static void half_weights_stay_near(void **state)
{
    (void)state;
    static const mo_dtype types[] = {MO_F16, MO_BF16};
    static const double bar[] = {2e-3, 2e-2};
    for (int t = 0; t < 2; t++) {
        float a[N_TEXTS * MAX_DIM], b[N_TEXTS * MAX_DIM];
        mopd_encoder *e = open_with(models[0], 1);
        assert_ok(mo_pack_encoder(e, test_path("half.safetensors"), types[t], false));
        mopd_encoder *h = open_with(test_path("half.safetensors"), 1);
        assert_ok(mo_encoder_texts(e, texts, N_TEXTS, a, NULL));
        assert_ok(mo_encoder_texts(h, texts, N_TEXTS, b, NULL));
        double diff = test_max_diff(a, b, N_TEXTS * e->config.dim);
        assert_true(diff > 0 && diff < bar[t]);
        assert_string_not_equal(h->fingerprint, e->fingerprint);
        mo_encoder_close(h);
        mo_encoder_close(e);
    }
}

static void reading_equals_mapping(void **state)
{
    (void)state;
    float a[N_TEXTS * MAX_DIM], b[N_TEXTS * MAX_DIM];
    mopd_encoder_options o = {.struct_size = sizeof o, .flags = MOPD_OPEN_READ, .n_threads = 1};
    mopd_encoder *e = open_with(models[2], 1), *r;
    assert_ok(mo_encoder_open(&r, models[2], &o));
    assert_ok(mo_encoder_texts(e, texts, N_TEXTS, a, NULL));
    assert_ok(mo_encoder_texts(r, texts, N_TEXTS, b, NULL));
    assert_memory_equal(a, b, N_TEXTS * e->config.dim * sizeof *a);
    mo_encoder_close(r);
    mo_encoder_close(e);
}

/* The rule that an old config.json asks for, and the other one. */
static void end_is_where_the_configuration_says(void **state)
{
    (void)state;
    mopd_encoder *first = open_with(models[0], 1), *largest = open_with(models[1], 1);
    uint32_t end = mo_tokenizer_end(first->tokenizer);
    const uint32_t twice[] = {end - 1, 5, end, 7, end}, none[] = {3, 9, 9, 2};
    const uint32_t ctx[] = {MO_TEXT_CTX | 0, MO_TEXT_CTX | 3, 5, end, 1};
    assert_int_equal(mo_text_end(first->text, twice, 5), 2);
    assert_int_equal(mo_text_end(largest->text, twice, 5), 2);
    assert_int_equal(mo_text_end(first->text, none, 4), 0);
    assert_int_equal(mo_text_end(largest->text, none, 4), 1);
    assert_int_equal(mo_text_end(first->text, ctx, 5), 3);
    assert_int_equal(mo_text_end(largest->text, ctx, 5), 3);
    mo_encoder_close(largest);
    mo_encoder_close(first);
}

typedef struct worker {
    mopd_encoder *encoder;
    float texts[N_TEXTS * MAX_DIM], pictures[N_PICTURES * MAX_DIM];
    mopd_status st;
} worker;

static void *work(void *ctx)
{
    worker *w = ctx;
    for (int i = 0; i < 3 && w->st == MOPD_OK; i++) {
        w->st = mo_encoder_texts(w->encoder, texts, N_TEXTS, w->texts, NULL);
        if (w->st == MOPD_OK) w->st = mo_encoder_pixels(w->encoder, pixels, N_PICTURES, w->pictures, NULL);
    }
    return NULL;
}

/* Two encoders in two threads, and one encoder in two more, all from the first use on. */
static void encoders_in_four_threads(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    mopd_encoder *a = open_with(models[0], 2), *b = open_with(models[1], 2);
    static worker w[4];
    float want[2][N_TEXTS * MAX_DIM];
    pthread_t thread[4];
    size_t dim = a->config.dim;
    make_pixels(a, N_PICTURES);
    for (int i = 0; i < 4; i++) w[i] = (worker){.encoder = i % 2 ? b : a};
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    assert_ok(mo_encoder_texts(a, texts, N_TEXTS, want[0], NULL));
    assert_ok(mo_encoder_texts(b, texts, N_TEXTS, want[1], NULL));
    for (int i = 0; i < 4; i++) {
        assert_ok(w[i].st);
        assert_memory_equal(w[i].texts, want[i % 2], N_TEXTS * dim * sizeof **want);
        assert_memory_equal(w[i].pictures, w[i % 2].pictures, N_PICTURES * dim * sizeof **want);
    }
    mo_encoder_close(b);
    mo_encoder_close(a);
}

static void describe_names_what_it_is(void **state)
{
    (void)state;
    char *json;
    mopd_encoder *e = open_with(models[4], 1);
    assert_ok(mo_describe_encoder(e, &json));
    assert_non_null(strstr(json, "\"kind\":\"model\""));
    assert_non_null(strstr(json, "\"layout\":\"locked-tower\""));
    assert_non_null(strstr(json, "\"recommended_lr\":0.05"));
    assert_non_null(strstr(json, e->fingerprint));
    mo_mem_free(json);
    mo_encoder_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoder_equals_pytorch),
        cmocka_unit_test(encoder_one_picture_alone_and_in_a_batch),
        cmocka_unit_test(encoder_one_text_alone_and_in_the_tree),
        cmocka_unit_test(encoder_thousands_of_texts),
        cmocka_unit_test(packed_file_gives_the_same_bits),
        cmocka_unit_test(packing_twice_gives_the_same_bytes),
        cmocka_unit_test(panels_lose_nothing),
        cmocka_unit_test(half_weights_stay_near),
        cmocka_unit_test(reading_equals_mapping),
        cmocka_unit_test(end_is_where_the_configuration_says),
        cmocka_unit_test(encoders_in_four_threads),
        cmocka_unit_test(describe_names_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
