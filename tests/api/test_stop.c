/* SPDX-License-Identifier: MIT
 * test_stop.c - mopd_runtime_set_stop: every function that opens something, stopped at each of its questions. */
#include "test.h"

#include "pictures.h"
#include "support/asked.h"
#include "support/tiny.h"

enum { C = TINY_CLASSES, N = 2 * C };

static char model[512], packed[512], folder[512], list[512], store[512], bank[512], gda[512], prompt[512],
    recognizer[512], array[512];

/* Each opens what lies at its path, and leaves NULL behind where it fails. */
#define OPENER(name, type, call, close)                                                                      \
    static mopd_status name(const char *path)                                                                \
    {                                                                                                        \
        type *out = (type *)1;                                                                               \
        const mopd_status st = call;                                                                         \
        assert_true((st == MOPD_OK) == (out != NULL));                                                       \
        close(out);                                                                                          \
        return st;                                                                                           \
    }
OPENER(open_encoder, mopd_encoder, mopd_encoder_open(&out, path, NULL), mopd_encoder_close)
OPENER(open_data, mopd_dataset, mopd_dataset_open(&out, path, NULL), mopd_dataset_close)
OPENER(open_bank, mopd_bank, mopd_bank_open(&out, path, NULL), mopd_bank_free)
OPENER(open_gda, mopd_gda, mopd_gda_open(&out, path, NULL), mopd_gda_free)
OPENER(open_prompt, mopd_prompt, mopd_prompt_open(&out, path, NULL), mopd_prompt_close)
OPENER(open_recognizer, mopd_recognizer, mopd_recognizer_open(&out, path, NULL), mopd_recognizer_close)
OPENER(inspect, char, mopd_inspect(path, &out), mopd_free)

static mopd_status read_encoder(const char *path)
{
    mopd_encoder *out = NULL;
    mopd_encoder_options o;
    assert_ok(mopd_encoder_options_init(&o, sizeof o));
    o.flags = MOPD_OPEN_READ;
    const mopd_status st = mopd_encoder_open(&out, path, &o);
    mopd_encoder_close(out);
    return st;
}

static mopd_status open_unlabelled(const char *path)
{
    mopd_dataset *out = NULL;
    mopd_dataset_options o;
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    o.flags = MOPD_DATASET_MAY_LACK_LABELS;
    mopd_status st = mopd_dataset_open(&out, path, &o);
    mopd_dataset_close(out);
    out = NULL;
    o.flags = MOPD_DATASET_UNLABELLED;
    if (st == MOPD_OK) st = mopd_dataset_open(&out, path, &o);
    mopd_dataset_close(out);
    return st;
}

static mopd_status open_bytes(const char *path)
{
    static char bytes[1 << 20];
    mopd_encoder *out = NULL;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    const mopd_status st = mopd_encoder_open_memory(&out, bytes, n, NULL);
    mopd_encoder_close(out);
    return st;
}

static mopd_status load_array(const char *path)
{
    float *values;
    size_t shape[MOPD_ARRAY_DIMS], n_dims;
    const mopd_status st = mopd_array_load(path, &values, shape, &n_dims);
    assert_true((st == MOPD_OK) == (values != NULL));
    mopd_free(values);
    return st;
}

/* How often it asks; every one of them ends it and leaves nothing. */
static size_t stop_everywhere(mopd_status (*open)(const char *), const char *path)
{
    for (size_t at = 1;; at++) {
        asked a = {.at = at};
        const long before = test_count_live();
        assert_ok(mopd_runtime_set_stop(answer, &a));
        const mopd_status st = open(path);
        assert_ok(mopd_runtime_set_stop(NULL, NULL));
        assert_int_equal(test_count_live(), before);
        if (st == MOPD_OK) {
            if (a.n != at - 1) fail_msg("%s: goes on behind question %zu", path, at);
            return a.n;
        }
        if (st != MOPD_E_CANCELLED || a.n != at || !strstr(mopd_last_error(), "stopped by the caller"))
            fail_msg(
                "%s, question %zu of %zu: %s: %s", path, at, a.n, mopd_status_name(st), mopd_last_error());
    }
}

static void openings_stop_where_they_are_told(void **state)
{
    (void)state;
    const struct {
        mopd_status (*open)(const char *);
        const char *path;
        size_t least;
    } all[] = {{open_encoder, model, 4}, {read_encoder, model, 4}, {open_encoder, packed, 1},
        {open_bytes, packed, 0}, {open_data, folder, 1}, {open_unlabelled, folder, 1}, {open_data, list, 2},
        {open_data, store, 2}, {open_bank, bank, 1}, {open_gda, gda, 1}, {open_prompt, prompt, 1},
        {open_recognizer, recognizer, 1}, {load_array, array, 1}, {inspect, model, 4}, {inspect, store, 1},
        {inspect, bank, 1}, {inspect, prompt, 1}, {inspect, recognizer, 1}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const size_t n = stop_everywhere(all[i].open, all[i].path);
        if (n < all[i].least) fail_msg("%s asks %zu times", all[i].path, n);
    }
}

/* Decoding and encoding ask nobody: a picture is not taken for a bad one. */
static void what_opens_nothing_is_not_asked_for(void **state)
{
    (void)state;
    asked a = {.at = 1};
    mopd_encoder *e = tiny_open(1, 1);
    mopd_image *image;
    mopd_dataset *data = NULL, *encoded = NULL;
    assert_ok(mopd_dataset_open(&data, folder, NULL));
    assert_ok(mopd_runtime_set_stop(answer, &a));
    assert_ok(mopd_image_open(&image, test_path("pictures/a/0.png"), NULL));
    assert_ok(mopd_dataset_encode(&encoded, data, NULL, e, NULL));
    assert_ok(mopd_runtime_set_stop(NULL, NULL));
    assert_int_equal(a.n, 0);
    mopd_image_close(image);
    mopd_dataset_close(encoded);
    mopd_dataset_close(data);
    mopd_encoder_close(e);
}

static void make_data(mopd_encoder *e)
{
    mopd_dataset *data, *encoded;
    snprintf(folder, sizeof folder, "%s", test_folder("pictures"));
    char name[64];
    for (int i = 0; i < 160; i++) {
        snprintf(name, sizeof name, "pictures/%c/%d.png", 'a' + i % 2, i / 2);
        test_png(name, 9, 8, (uint32_t)i);
    }
    snprintf(list, sizeof list, "%s",
        test_text("list.csv", "path,label\npictures/a/0.png,a\npictures/b/0.png,b\n"));
    snprintf(store, sizeof store, "%s", test_path("store.safetensors"));
    assert_ok(mopd_dataset_open(&data, folder, NULL));
    assert_ok(mopd_dataset_encode(&encoded, data, NULL, e, NULL));
    assert_ok(mopd_dataset_save(encoded, store));
    mopd_dataset_close(encoded);
    mopd_dataset_close(data);
}

static void make_learned(mopd_encoder *e)
{
    static float x[N * TINY_DIM];
    int32_t y[N];
    mopd_bank *b;
    mopd_gda *g;
    mopd_trainer *t;
    mopd_prompt *p;
    mopd_recognizer *r;
    const mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 1);
    tiny_features(e, 2, 1, 7, x, y);
    assert_ok(mopd_bank_create(&b, e, tiny_classes, C, NULL, 0));
    assert_ok(mopd_bank_save(b, strcpy(bank, test_path("bank.safetensors"))));
    assert_ok(mopd_gda_create(&g, b, x, y, N, 1));
    assert_ok(mopd_gda_save(g, strcpy(gda, test_path("gda.safetensors"))));
    assert_ok(mopd_trainer_create(&t, e, tiny_classes, C, &o));
    assert_ok(mopd_prompt_create_trainer(&p, t));
    assert_ok(mopd_prompt_save(p, strcpy(prompt, test_path("prompt.safetensors"))));
    assert_ok(mopd_recognizer_create(&r, e, tiny_classes, C, x, y, N, NULL));
    assert_ok(mopd_recognizer_save(r, strcpy(recognizer, test_path("fit.safetensors"))));
    assert_ok(mopd_array_save(strcpy(array, test_path("x.npy")), x, (const size_t[]){N, TINY_DIM}, 2));
    mopd_recognizer_close(r);
    mopd_prompt_close(p);
    mopd_trainer_free(t);
    mopd_gda_free(g);
    mopd_bank_free(b);
}

static int prepare(void **state)
{
    (void)state;
    test_count_start();
    snprintf(model, sizeof model, "%s", tiny_model(1));
    mopd_encoder *e = tiny_open(1, 1);
    assert_ok(mopd_encoder_pack(e, strcpy(packed, test_path("packed.safetensors")), MOPD_DTYPE_F32));
    make_data(e);
    make_learned(e);
    mopd_encoder_close(e);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openings_stop_where_they_are_told),
        cmocka_unit_test(what_opens_nothing_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
