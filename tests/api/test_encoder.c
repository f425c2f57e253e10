/* SPDX-License-Identifier: MIT
 * test_encoder.c - mopd/encoder.h through the shared library: arguments, streaming of files, no memory. */
#include "test.h"

#include <pthread.h>

#include "support/needs.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"

enum { SIDE = 21, DIM = 12 };

static mopd_encoder *open_with(const char *path, uint32_t flags, uint32_t n_threads)
{
    mopd_encoder_options o;
    mopd_encoder *e = NULL;
    assert_ok(mopd_encoder_options_init(&o, sizeof o));
    o.flags = flags;
    o.n_threads = n_threads;
    assert_ok(mopd_encoder_open(&e, path, &o));
    return e;
}

static mopd_image *make_image(uint32_t seed, size_t height, size_t width)
{
    float *x = malloc(height * width * 3 * sizeof *x);
    uint8_t *samples = malloc(height * width * 3);
    mopd_image *image = NULL;
    test_random(x, height * width * 3, seed);
    for (size_t i = 0; i < height * width * 3; i++) samples[i] = (uint8_t)(127.5f + 127.0f * x[i]);
    assert_ok(mopd_image_create(&image, samples, height, width, 3, 0));
    free(samples);
    free(x);
    return image;
}

static void second_pixels_allocate_nothing(const char *model, uint32_t threads)
{
    test_count_start();
    mopd_encoder *e = open_with(model, 0, threads);
    mopd_encoder_info info = {.struct_size = sizeof info};
    assert_ok(mopd_encoder_get_info(e, &info));
    const size_t side = info.image_size, dim = info.dim;
    float *x = malloc(3 * 3 * side * side * sizeof *x), *first = malloc(3 * dim * sizeof *x),
          *then = malloc(3 * dim * sizeof *x);
    test_random(x, 3 * 3 * side * side, 7);
    for (size_t n = 1; n <= 3; n++) assert_ok(mopd_encoder_encode_pixels(e, x, n, first));
    const long taken = test_count_taken();
    for (size_t n = 3; n >= 1; n--) assert_ok(mopd_encoder_encode_pixels(e, x, n, then));
    assert_int_equal(test_count_taken(), taken);
    assert_ok(mopd_encoder_encode_pixels(e, x, 3, then));
    assert_memory_equal(first, then, 3 * dim * sizeof *x);
    mopd_encoder_close(e);
    assert_int_equal(test_count_live(), 0);
    free(x);
    free(first);
    free(then);
}

/* Working memory stays with the encoder from one call to the next. */
static void repeated_calls_allocate_nothing(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        second_pixels_allocate_nothing(GOLD "hf", threads);
        second_pixels_allocate_nothing(GOLD "locked", threads);
    }
    assert_ok(mopd_runtime_set_allocator(NULL));
}

/* The CPU path may still be chosen: no encoder was opened yet. */
static void cpu_path_stays_once_an_encoder_was_opened(void **state)
{
    (void)state;
    assert_fails(mopd_runtime_set_cpu("quick"), MOPD_E_ARG, "quick");
    assert_ok(mopd_runtime_set_cpu(NULL));
    mopd_encoder_close(open_with(GOLD "hf", 0, 1));
    assert_fails(mopd_runtime_set_cpu("plain"), MOPD_E_STATE, "opened");
    assert_non_null(strstr(mopd_build_info(), MOPD_VERSION_STRING));
}

static void options_are_checked(void **state)
{
    (void)state;
    mopd_encoder_options o;
    mopd_encoder *e = (mopd_encoder *)&o;
    assert_fails(mopd_encoder_options_init(NULL, sizeof o), MOPD_E_ARG, "NULL");
    assert_int_equal(mopd_encoder_options_init(&o, 4), MOPD_E_ARG);
    assert_ok(mopd_encoder_options_init(&o, sizeof o));
    assert_int_equal(o.struct_size, sizeof o);
    e = NULL;
    o.precision = 7;
    assert_fails(mopd_encoder_open(&e, GOLD "hf", &o), MOPD_E_ARG, "precision 7");
    o.precision = MOPD_PRECISION_F32;
    o.flags = 64;
    assert_fails(mopd_encoder_open(&e, GOLD "hf", &o), MOPD_E_VERSION, "0x40");
    o.flags = 0;
    o.n_threads = 5000;
    assert_fails(mopd_encoder_open(&e, GOLD "hf", &o), MOPD_E_ARG, "5000 threads");
    assert_fails(mopd_encoder_open(NULL, GOLD "hf", NULL), MOPD_E_ARG, "out is NULL");
    assert_fails(mopd_encoder_open(&e, "", NULL), MOPD_E_ARG, "empty");
    struct {
        mopd_encoder_options known;
        uint32_t later[2];
    } longer = {.known = {.struct_size = sizeof longer, .n_threads = 1}, .later = {0, 1}};
    assert_int_equal(mopd_encoder_open(&e, GOLD "hf", &longer.known), MOPD_E_VERSION);
    longer.later[1] = 0;
    assert_ok(mopd_encoder_open(&e, GOLD "hf", &longer.known));
    mopd_encoder_close(e);
    mopd_encoder_close(NULL);
}

static void null_arguments_are_named(void **state)
{
    (void)state;
    mopd_encoder *e = open_with(GOLD "hf", 0, 1);
    float x[DIM];
    char *json;
    uint32_t *ids;
    size_t n;
    const char *text = NULL, *one = "a";
    const mopd_image *none = NULL;
    mopd_encoder_info info = {.struct_size = sizeof info};
    assert_fails(mopd_encoder_get_info(NULL, &info), MOPD_E_ARG, "encoder is NULL");
    assert_fails(mopd_encoder_get_info(e, NULL), MOPD_E_ARG, "info is NULL");
    assert_fails(mopd_encoder_describe(e, NULL), MOPD_E_ARG, "json is NULL");
    assert_fails(mopd_encoder_describe(NULL, &json), MOPD_E_ARG, "encoder is NULL");
    assert_fails(mopd_inspect(NULL, NULL), MOPD_E_ARG, "json is NULL");
    assert_fails(mopd_encoder_preprocess(e, NULL, x), MOPD_E_ARG, "image is NULL");
    assert_fails(mopd_encoder_preprocess_view(e, NULL, 1, x), MOPD_E_ARG, "image is NULL");
    assert_fails(mopd_encoder_encode_pixels(e, NULL, 1, x), MOPD_E_ARG, "pixels is NULL");
    assert_fails(mopd_encoder_encode_images(e, NULL, 1, x), MOPD_E_ARG, "images is NULL");
    assert_fails(mopd_encoder_encode_images(e, &none, 1, x), MOPD_E_ARG, "image 0 is NULL");
    assert_fails(mopd_encoder_encode_files(e, &one, 1, NULL, NULL), MOPD_E_ARG, "fn is NULL");
    assert_fails(mopd_encoder_tokenize(e, NULL, &ids, &n), MOPD_E_ARG, "text is NULL");
    assert_fails(mopd_encoder_tokenize(e, "a", NULL, &n), MOPD_E_ARG, "ids is NULL");
    assert_fails(mopd_encoder_encode_texts(e, NULL, 1, x), MOPD_E_ARG, "texts is NULL");
    assert_fails(mopd_encoder_encode_texts(e, &text, 1, x), MOPD_E_ARG, "text 0 is NULL");
    assert_fails(mopd_encoder_encode_texts(e, &one, 1, NULL), MOPD_E_ARG, "features is NULL");
    assert_fails(mopd_encoder_pack(e, NULL, MOPD_DTYPE_F32), MOPD_E_ARG, "path is NULL");
    assert_fails(mopd_encoder_pack(e, test_path("x"), 9), MOPD_E_ARG, "weight type 9");
    assert_string_equal(mopd_encoder_fingerprint(NULL), "");
    assert_ok(mopd_encoder_encode_texts(e, NULL, 0, NULL));
    assert_ok(mopd_encoder_encode_pixels(e, NULL, 0, NULL));
    mopd_encoder_close(e);
}

static void info_tells_the_sizes(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    mopd_encoder *e = open_with(GOLD "locked", 0, 3);
    mopd_encoder_info info = {.struct_size = sizeof info};
    assert_ok(mopd_encoder_get_info(e, &info));
    assert_int_equal(info.dim, DIM);
    assert_int_equal(info.text_width, 24);
    assert_int_equal(info.context_length, 30);
    assert_int_equal(info.image_size, 224);
    assert_int_equal(info.n_threads, 3);
    assert_int_equal(info.precision, MOPD_PRECISION_F32);
    assert_true(fabsf(info.logit_scale - expf(3.25f)) < 1e-4f);
    assert_true(info.recommended_lr == 0.05f);
    assert_true(info.n_parameters > 10000 && info.weight_bytes > 2 * info.n_parameters);
    assert_int_equal(strlen(mopd_encoder_fingerprint(e)), 64);
    mopd_encoder_close(e);
}

static void precision_is_what_was_asked_for(void **state)
{
    (void)state;
    static const int32_t asked[] = {MOPD_PRECISION_F32, MOPD_PRECISION_BF16, MOPD_PRECISION_AUTO};
    static const char *const text = "a photo of a cat.";
    float x[3][DIM];
    for (size_t i = 0; i < 3; i++) {
        mopd_encoder_options o = {.struct_size = sizeof o, .precision = asked[i]};
        mopd_encoder_info info = {.struct_size = sizeof info};
        mopd_encoder *e = NULL;
        double rate = 0;
        assert_ok(mopd_encoder_open(&e, GOLD "hf", &o));
        assert_ok(mopd_encoder_get_info(e, &info));
        assert_int_equal(info.precision, i == 1 ? MOPD_PRECISION_BF16 : MOPD_PRECISION_F32);
        assert_ok(mopd_encoder_encode_texts(e, &text, 1, x[i]));
        if (i < 2) assert_ok(mopd_encoder_gemm_rate(e, &rate));
        assert_true(i == 2 || rate > 0);
        mopd_encoder_close(e);
    }
    assert_memory_equal(x[0], x[2], sizeof x[0]);
    const double off = test_max_diff(x[0], x[1], DIM);
    const bool bfloat16 = strstr(mopd_build_info(), "bf16 amx") || strstr(mopd_build_info(), "bf16 bfloat16");
    assert_true(off > 1e-7 && off < (bfloat16 ? 1e-2 : 1e-3));
}

static void long_texts_are_refused_or_cut(void **state)
{
    (void)state;
    mopd_encoder *strict = open_with(GOLD "hf", 0, 1), *cutting = open_with(GOLD "hf", MOPD_TEXT_TRUNCATE, 1);
    const char *text = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    uint32_t *ids;
    size_t n;
    float x[DIM];
    assert_int_equal(mopd_encoder_tokenize(strict, text, &ids, &n), MOPD_E_ARG);
    assert_int_equal(mopd_encoder_encode_texts(strict, &text, 1, x), MOPD_E_ARG);
    assert_ok(mopd_encoder_tokenize(cutting, text, &ids, &n));
    assert_int_equal(n, 30);
    assert_int_equal(ids[29], 524);
    mopd_free(ids);
    assert_ok(mopd_encoder_encode_texts(cutting, &text, 1, x));
    const char *broken[] = {"fine", "not \xff utf-8"};
    assert_fails(mopd_encoder_encode_texts(strict, broken, 2, x), MOPD_E_FORMAT, "text 1");
    mopd_encoder_close(cutting);
    mopd_encoder_close(strict);
}

static void pixels_must_be_finite(void **state)
{
    (void)state;
    static float pixels[2 * 3 * SIDE * SIDE];
    float x[2 * DIM];
    mopd_encoder *e = open_with(GOLD "hf", 0, 1);
    pixels[3 * SIDE * SIDE + 7] = NAN;
    assert_fails(mopd_encoder_encode_pixels(e, pixels, 2, x), MOPD_E_NUMERIC, "picture 1");
    assert_ok(mopd_encoder_encode_pixels(e, pixels, 1, x));
    mopd_encoder_close(e);
}

/* Images, and their pixels made one by one: the same bits, more of them than are preprocessed at once. */
static void images_equal_their_pixels(void **state)
{
    (void)state;
    enum { N = 37 };
    static float pixels[N * 3 * SIDE * SIDE];
    static float a[N * DIM], b[N * DIM];
    mopd_image *images[N];
    mopd_encoder *e = open_with(GOLD "hf", 0, 2);
    for (uint32_t i = 0; i < N; i++) {
        images[i] = make_image(i, 10 + i, 50 - i);
        assert_ok(mopd_encoder_preprocess(e, images[i], pixels + i * 3 * SIDE * SIDE));
    }
    assert_ok(mopd_encoder_encode_images(e, (const mopd_image *const *)images, N, a));
    assert_ok(mopd_encoder_encode_pixels(e, pixels, N, b));
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < N; i++) mopd_image_close(images[i]);
    mopd_encoder_close(e);
}

/* -- files ---------------------------------------------------------------------------------------------- */

/* Two pixels as PNG. */
static const unsigned char png[] = {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d,
    0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00,
    0x7b, 0x40, 0xe8, 0xdd, 0x00, 0x00, 0x00, 0x0f, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xdf,
    0xc0, 0xcc, 0xce, 0x79, 0x02, 0x00, 0x09, 0x7c, 0x02, 0x5b, 0xc6, 0x24, 0xf8, 0x6c, 0x00, 0x00, 0x00,
    0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

typedef struct seen {
    size_t n, bad, stop_at;
    size_t want_bad;
    const mopd_encoder *encoder;
    float first[DIM];
    bool wrong;
} seen;

static int see(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    seen *s = context;
    if (index != s->n++) s->wrong = true;
    if (index % 10 == s->want_bad) {
        s->bad++;
        if (status != MOPD_E_FORMAT || feature || !strstr(message, "bad.jpg")) s->wrong = true;
    } else if (status != MOPD_OK || !feature) {
        s->wrong = true;
    } else if (index == 0) {
        memcpy(s->first, feature, sizeof s->first);
    } else if (memcmp(s->first, feature, sizeof s->first) != 0) {
        s->wrong = true;
    }
    return s->stop_at && s->n == s->stop_at;
}

static void files_come_in_order_and_bad_ones_are_told(void **state)
{
    (void)state;
    enum { N = 133 };
    static char good[512], bad[512];
    const char *paths[N];
    snprintf(good, sizeof good, "%s", test_write("good.png", png, sizeof png));
    snprintf(bad, sizeof bad, "%s", test_write("bad.jpg", "no picture", 10));
    for (int i = 0; i < N; i++) paths[i] = i % 10 == 3 ? bad : good;
    for (uint32_t n_threads = 1; n_threads <= 3; n_threads++) {
        mopd_encoder *e = open_with(GOLD "hf", 0, n_threads);
        seen s = {.want_bad = 3};
        assert_ok(mopd_encoder_encode_files(e, paths, N, see, &s));
        assert_int_equal(s.n, N);
        assert_int_equal(s.bad, 13);
        assert_false(s.wrong);
        s = (seen){.want_bad = 3, .stop_at = 40};
        assert_fails(mopd_encoder_encode_files(e, paths, N, see, &s), MOPD_E_CANCELLED, "40 of 133");
        assert_int_equal(s.n, 40);
        s = (seen){.want_bad = 3};
        assert_ok(mopd_encoder_encode_files(e, paths, 1, see, &s));
        assert_ok(mopd_encoder_encode_files(e, paths, 0, see, &s));
        mopd_encoder_close(e);
    }
}

/* -- inspect -------------------------------------------------------------------------------------------- */

static void inspect_tells_models_apart(void **state)
{
    (void)state;
    static const char *const layouts[][2] = {{GOLD "hf", "huggingface"}, {GOLD "openclip", "open_clip"},
        {GOLD "openai/tiny.pt", "openai"}, {GOLD "locked", "locked-tower"}};
    char *json, words[64];
    for (size_t i = 0; i < 4; i++) {
        assert_ok(mopd_inspect(layouts[i][0], &json));
        snprintf(words, sizeof words, "\"layout\":\"%s\"", layouts[i][1]);
        assert_non_null(strstr(json, words));
        mopd_free(json);
    }
    assert_fails(mopd_inspect(GOLD "hf/golden.safetensors", &json), MOPD_E_FORMAT, "mopd.kind");
    assert_null(json);
}

/* -- two encoders, two threads -------------------------------------------------------------------------- */

static void *encode_often(void *path)
{
    static const char *const texts[] = {"a photo of a cat.", "a dog"};
    mopd_encoder *e = NULL;
    mopd_encoder_options o = {.struct_size = sizeof o, .precision = MOPD_PRECISION_AUTO, .n_threads = 2};
    float first[2 * DIM], again[2 * DIM];
    if (mopd_encoder_open(&e, path, &o) || mopd_encoder_encode_texts(e, texts, 2, first)) return "failed";
    for (int i = 0; i < 20; i++)
        if (mopd_encoder_encode_texts(e, texts, 2, again) || memcmp(first, again, sizeof first))
            return "failed";
    mopd_encoder_close(e);
    return NULL;
}

static void two_encoders_in_two_threads(void **state)
{
    (void)state;
    TEST_NEEDS("threads");
    pthread_t a, b;
    void *ra, *rb;
    assert_int_equal(pthread_create(&a, NULL, encode_often, GOLD "hf"), 0);
    assert_int_equal(pthread_create(&b, NULL, encode_often, GOLD "openclip"), 0);
    pthread_join(a, &ra);
    pthread_join(b, &rb);
    assert_null(ra);
    assert_null(rb);
}

/* -- no memory ------------------------------------------------------------------------------------------ */

static mopd_status everything(void *path)
{
    static const char *const texts[] = {"a photo of a cat.", "a dog", "x"};
    mopd_encoder_options o = {.struct_size = sizeof o, .precision = MOPD_PRECISION_AUTO, .n_threads = 2};
    mopd_encoder *e = NULL;
    mopd_image *image = NULL;
    char *json = NULL;
    uint32_t *ids = NULL;
    size_t n;
    float x[3 * DIM];
    uint8_t samples[12 * 9 * 3] = {1, 2, 3};
    mopd_status st;
    if ((st = mopd_encoder_open(&e, path, &o)) != MOPD_OK) goto done;
    if ((st = mopd_encoder_describe(e, &json)) != MOPD_OK) goto done;
    if ((st = mopd_encoder_tokenize(e, texts[0], &ids, &n)) != MOPD_OK) goto done;
    if ((st = mopd_encoder_encode_texts(e, texts, 3, x)) != MOPD_OK) goto done;
    if ((st = mopd_image_create(&image, samples, 12, 9, 3, 0)) != MOPD_OK) goto done;
    st = mopd_encoder_encode_images(e, (const mopd_image *const *)&image, 1, x);
done:
    mopd_free(ids);
    mopd_free(json);
    mopd_image_close(image);
    mopd_encoder_close(e);
    return st;
}

static mopd_status pack_again(void *path)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .precision = MOPD_PRECISION_AUTO, .n_threads = 1};
    mopd_encoder *e = NULL;
    mopd_status st = mopd_encoder_open(&e, path, &o);
    if (st == MOPD_OK) st = mopd_encoder_pack(e, test_path("torture.safetensors"), MOPD_DTYPE_F16);
    mopd_encoder_close(e);
    return st;
}

static mopd_status inspect_again(void *path)
{
    char *json = NULL;
    mopd_status st = mopd_inspect(path, &json);
    mopd_free(json);
    return st;
}

static int count(void *context, size_t index, mopd_status status, const char *message, const float *feature)
{
    (void)index;
    (void)message;
    (void)feature;
    if (status == MOPD_E_NOMEM) *(bool *)context = true;
    return 0;
}

static mopd_status encode_two_files(void *path)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .precision = MOPD_PRECISION_AUTO, .n_threads = 1};
    mopd_encoder *e = NULL;
    bool short_of_memory = false;
    const char *paths[2];
    paths[0] = paths[1] = test_path("good.png");
    mopd_status st = mopd_encoder_open(&e, path, &o);
    if (st == MOPD_OK) st = mopd_encoder_encode_files(e, paths, 2, count, &short_of_memory);
    mopd_encoder_close(e);
    return st == MOPD_OK && short_of_memory ? MOPD_E_NOMEM : st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static char *const models[] = {GOLD "hf", GOLD "openclip", GOLD "openai/tiny.pt", GOLD "locked"};
    for (size_t i = 0; i < 4; i++) test_torture(everything, models[i]);
    test_torture(pack_again, models[0]);
    static char packed[512];
    snprintf(packed, sizeof packed, "%s", test_path("torture.safetensors"));
    test_torture(inspect_again, packed);
    test_torture(inspect_again, models[3]);
    test_write("good.png", png, sizeof png);
    test_torture(encode_two_files, models[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_path_stays_once_an_encoder_was_opened),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(null_arguments_are_named),
        cmocka_unit_test(info_tells_the_sizes),
        cmocka_unit_test(precision_is_what_was_asked_for),
        cmocka_unit_test(long_texts_are_refused_or_cut),
        cmocka_unit_test(pixels_must_be_finite),
        cmocka_unit_test(images_equal_their_pixels),
        cmocka_unit_test(files_come_in_order_and_bad_ones_are_told),
        cmocka_unit_test(inspect_tells_models_apart),
        cmocka_unit_test(two_encoders_in_two_threads),
        cmocka_unit_test(repeated_calls_allocate_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
