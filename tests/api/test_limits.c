/* SPDX-License-Identifier: MIT
 * test_limits.c - limits of files: set by name and as a struct, and held to by every function that reads. */
#include "test.h"

#include "pictures.h"
#include "support/tiny.h"

static mopd_limits fresh(void)
{
    mopd_limits limits;
    assert_ok(mopd_limits_init(&limits, sizeof limits));
    return limits;
}

/* The limits with one of them at `value`. */
static void hold(const char *name, const char *value)
{
    mopd_limits limits = fresh();
    assert_ok(mopd_limits_set(&limits, name, value));
    assert_ok(mopd_runtime_set_limits(&limits));
}

static int let_go(void **state)
{
    (void)state;
    assert_ok(mopd_runtime_set_limits(NULL));
    return 0;
}

static void defaults_are_those_of_the_documents(void **state)
{
    (void)state;
    const mopd_limits limits = fresh();
    assert_true(limits.max_pixels == 178956970 && limits.picture_file_bytes == UINT64_C(1) << 32);
    assert_true(limits.text_file_bytes == 1u << 30 && limits.header_bytes == 100000000);
    assert_true(limits.tensors == 262144 && limits.reading_memory == 192u << 20);
    assert_true(limits.tower_memory == 256u << 20);
}

static void names_and_numbers_are_read(void **state)
{
    (void)state;
    mopd_limits limits = fresh();
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"1", 1}, {"50000000", 50000000}, {"50M", 50000000}, {"1.5k", 1500}, {"1.5K", 1500},
        {"2Ki", 2048}, {"64Mi", 64u << 20}, {"1Gi", 1u << 30}, {"3T", UINT64_C(3000000000000)},
        {"1Ti", UINT64_C(1) << 40}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(mopd_limits_set(&limits, i % 2 ? "reading_memory" : "reading-memory", good[i].text));
        assert_true(limits.reading_memory == good[i].value);
    }
    static const char *const bad[] = {"", "0", "0.5", "-1", "+1", " 1", "1 ", "M", ".", "1.", "1..5",
        "1.5.5M", "1x", "1Mib", "1e9", "nan", "inf", "99999999999999999999999", "9T9", "1i"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(mopd_limits_set(&limits, "tensors", bad[i]), MOPD_E_ARG, "is no number above 0");
    assert_fails(mopd_limits_set(&limits, "pixels", "1"), MOPD_E_ARG,
        "there is no limit 'pixels': max_pixels, picture_file_bytes, text_file_bytes, header_bytes, tensors, "
        "reading_memory, tower_memory");
    assert_fails(mopd_limits_set(&limits, "", "1"), MOPD_E_ARG, "there is no limit ''");
    assert_fails(mopd_limits_set(&limits, "tensors_", "1"), MOPD_E_ARG, "there is no limit");
}

static void what_is_set_is_what_holds(void **state)
{
    (void)state;
    mopd_limits limits = fresh(), now = {.struct_size = sizeof now};
    limits.tensors = 7;
    assert_ok(mopd_runtime_set_limits(&limits));
    assert_ok(mopd_runtime_get_limits(&now));
    assert_memory_equal(&now, &limits, sizeof now);
    limits.tower_memory = 0;
    assert_fails(mopd_runtime_set_limits(&limits), MOPD_E_ARG, "tower_memory is 0");
    assert_ok(mopd_runtime_get_limits(&now));
    assert_true(now.tensors == 7); /* a refused call changes nothing */
    limits.struct_size = 0x7f7f7f7f;
    assert_fails(mopd_runtime_set_limits(&limits), MOPD_E_ARG, "was it initialised?");
    assert_fails(mopd_runtime_get_limits(&limits), MOPD_E_ARG, "was it initialised?");
    assert_ok(mopd_runtime_set_limits(NULL));
    assert_ok(mopd_runtime_get_limits(&now));
    assert_true(now.tensors == 262144);
}

typedef struct outcome {
    mopd_status st;
    char message[256];
} outcome;

static int note(void *context, size_t index, mopd_status st, const char *message, const float *feature)
{
    outcome *o = context;
    (void)index, (void)feature;
    o->st = st;
    snprintf(o->message, sizeof o->message, "%s", message);
    return 0;
}

/* Every way to a picture refuses it: UNSUPPORTED with these words. */
static void assert_no_picture(const mopd_encoder *e, const char *path, const char *words)
{
    mopd_image *image = NULL;
    mopd_dataset *data = NULL, *store = NULL;
    outcome o = {0};
    assert_fails(mopd_image_open(&image, path, NULL), MOPD_E_UNSUPPORTED, words);
    assert_ok(mopd_encoder_encode_files(e, &path, 1, note, &o));
    assert_int_equal(o.st, MOPD_E_UNSUPPORTED);
    assert_non_null(strstr(o.message, words));
    assert_ok(mopd_dataset_open(&data, test_path("set"), NULL));
    assert_fails(mopd_dataset_encode(&store, data, NULL, e, NULL), MOPD_E_UNSUPPORTED, words);
    mopd_dataset_close(data);
}

static void pictures_are_held_to_pixels_and_bytes(void **state)
{
    (void)state;
    char path[512];
    mopd_encoder *e = tiny_open(1, 1);
    snprintf(path, sizeof path, "%s", test_png("set/a/0.png", 9, 8, 1));
    test_png("set/b/0.png", 9, 8, 2);
    hold("max_pixels", "71");
    assert_no_picture(e, path, "9 x 8 pixels are more than the limit of 71 pixels");
    mopd_image_options own;
    mopd_image *image = NULL;
    assert_ok(mopd_image_options_init(&own, sizeof own));
    own.max_pixels = 72; /* who names a number for a call gets it */
    assert_ok(mopd_image_open(&image, path, &own));
    mopd_image_close(image);
    hold("picture_file_bytes", "50");
    assert_no_picture(e, path, "larger than 50 bytes");
    mopd_encoder_close(e);
}

static void lists_are_held_to_bytes(void **state)
{
    (void)state;
    mopd_dataset *data = NULL;
    static const char list[] = "path,label\na.png,cat\nb.png,dog\n";
    char path[512];
    snprintf(path, sizeof path, "%s", test_write("list.csv", list, sizeof list - 1));
    hold("text_file_bytes", "30");
    assert_fails(mopd_dataset_open(&data, path, NULL), MOPD_E_UNSUPPORTED, "larger than 30 bytes");
    assert_fails(mopd_encoder_open(&(mopd_encoder *){NULL}, tiny_model(1), NULL), MOPD_E_UNSUPPORTED,
        "config.json: larger than 30 bytes");
    hold("text_file_bytes", "31");
    assert_ok(mopd_dataset_open(&data, path, NULL));
    mopd_dataset_close(data);
    hold("reading_memory", "1");
    assert_fails(mopd_dataset_open(&data, path, NULL), MOPD_E_UNSUPPORTED, "(the limit reading_memory is 1)");
}

static void models_are_held_to_headers_and_tensors(void **state)
{
    (void)state;
    mopd_encoder *e = NULL;
    hold("header_bytes", "100");
    assert_fails(mopd_encoder_open(&e, tiny_model(1), NULL), MOPD_E_UNSUPPORTED,
        "bytes of header, the limit header_bytes is 100");
    hold("tensors", "3");
    assert_fails(
        mopd_encoder_open(&e, tiny_model(1), NULL), MOPD_E_UNSUPPORTED, "tensors, the limit tensors is 3");
    hold("tower_memory", "100");
    assert_fails(mopd_encoder_open(&e, tiny_model(1), NULL), MOPD_E_UNSUPPORTED,
        "bytes of pixels for one picture, the limit tower_memory is 100");
}

static void calls_are_held_to_the_towers_memory(void **state)
{
    (void)state;
    mopd_encoder *e = tiny_open(1, 1);
    char path[512];
    static float out[4 * TINY_DIM], want[4 * TINY_DIM];
    const char *const texts[] = {"a cat", "a dog", "one bird", "two"};
    snprintf(path, sizeof path, "%s", test_png("set/a/0.png", 9, 8, 1));
    const char *paths[] = {path};
    mopd_image *image = NULL;
    outcome o = {0};
    assert_ok(mopd_image_open(&image, path, NULL));
    assert_ok(mopd_encoder_encode_texts(e, texts, 4, want));
    hold("tower_memory", "100");
    const char *words = "bytes of memory for one picture, the limit tower_memory is 100";
    assert_fails(
        mopd_encoder_encode_images(e, (const mopd_image *const *)&image, 1, out), MOPD_E_UNSUPPORTED, words);
    assert_fails(mopd_encoder_encode_files(e, paths, 1, note, &o), MOPD_E_UNSUPPORTED, words);
    assert_fails(mopd_encoder_encode_texts(e, texts, 4, out), MOPD_E_UNSUPPORTED,
        "bytes of memory for one text, the limit tower_memory is 100");
    hold("tower_memory", "60k"); /* enough for one text, not for all of them at once: the same features */
    assert_ok(mopd_encoder_encode_texts(e, texts, 4, out));
    assert_memory_equal(out, want, sizeof out);
    mopd_image_close(image);
    mopd_encoder_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_documents),
        cmocka_unit_test(names_and_numbers_are_read),
        cmocka_unit_test_teardown(what_is_set_is_what_holds, let_go),
        cmocka_unit_test_teardown(pictures_are_held_to_pixels_and_bytes, let_go),
        cmocka_unit_test_teardown(lists_are_held_to_bytes, let_go),
        cmocka_unit_test_teardown(models_are_held_to_headers_and_tensors, let_go),
        cmocka_unit_test_teardown(calls_are_held_to_the_towers_memory, let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
