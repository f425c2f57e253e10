/* SPDX-License-Identifier: MIT
 * test_data.c - eval, features, train and bench-new over a small folder of drawn pictures. */
#include <jansson.h>
#include <unistd.h>

#include "pictures.h"
#include "support/run.h"
#include "support/tiny.h"

enum { CLASSES = 4, EACH = 6 };
static const char *const names[CLASSES] = {"Zoo", "cat", "red_fox", "sea lion"}; /* in byte order */

static json_t *parse(const run_result *r)
{
    json_error_t error;
    json_t *document = json_loads(r->out, JSON_REJECT_DUPLICATES, &error);
    if (!document) fail_msg("no JSON: %s in: %.2000s", error.text, r->out);
    return document;
}

/* The folder of pictures, written once: DATA/SPLIT/CLASS NAME/N.png. */
static const char *data(void)
{
    static bool there;
    char name[64];
    for (uint32_t i = 0; !there && i < 2 * CLASSES * EACH; i++) {
        snprintf(name, sizeof name, "data/%s/%s/%u.png", i < CLASSES * EACH ? "train" : "test",
            names[i % CLASSES], (unsigned)i);
        test_png(name, 8 + i % 5, 12 - i % 3, i);
    }
    static char path[512];
    if (!there) snprintf(path, sizeof path, "%s", test_path("data"));
    there = true;
    return path;
}

/* Correct pictures of the test split, class by class, by the library alone. */
static void count_by_library(uint64_t correct[CLASSES])
{
    data();
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_bank *bank;
    assert_ok(mopd_bank_create(&bank, encoder, names, CLASSES, NULL, 0));
    memset(correct, 0, CLASSES * sizeof *correct);
    for (uint32_t i = CLASSES * EACH; i < 2 * CLASSES * EACH; i++) {
        char name[64];
        float feature[TINY_DIM];
        mopd_image *image;
        mopd_match match;
        snprintf(name, sizeof name, "data/test/%s/%u.png", names[i % CLASSES], (unsigned)i);
        assert_ok(mopd_image_open(&image, test_path(name), NULL));
        assert_ok(mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, feature));
        assert_ok(mopd_bank_top(bank, feature, 1, 1, &match));
        correct[i % CLASSES] += match.index == i % CLASSES;
        mopd_image_close(image);
    }
    mopd_bank_free(bank);
    mopd_encoder_close(encoder);
}

static void eval_counts_what_the_library_counts(void **state)
{
    (void)state;
    uint64_t want[CLASSES], all = 0;
    count_by_library(want);
    for (int c = 0; c < CLASSES; c++) all += want[c];
    run_result r = run_mopd(
        NULL, "eval -m @ -d @ --format json --template @", tiny_model(1), data(), "a photo of a {}.");
    assert_run(r, 0);
    json_t *d = parse(&r), *classes = json_object_get(d, "classes");
    assert_int_equal(json_object_size(d), 7);
    assert_true(
        json_is_number(json_object_get(d, "ece")) && json_number_value(json_object_get(d, "nll")) > 0);
    assert_int_equal(json_integer_value(json_object_get(d, "n")), CLASSES * EACH);
    assert_int_equal(json_integer_value(json_object_get(d, "correct")), all);
    assert_true(fabs(json_number_value(json_object_get(d, "accuracy")) -
                     100.0 * (double)all / (CLASSES * EACH)) < 1e-4);
    assert_true(json_is_number(json_object_get(d, "macro_f1")));
    assert_int_equal(json_array_size(classes), CLASSES);
    for (size_t c = 0; c < CLASSES; c++) {
        json_t *one = json_array_get(classes, c);
        assert_string_equal(json_string_value(json_object_get(one, "name")), names[c]);
        assert_int_equal(json_integer_value(json_object_get(one, "n")), EACH);
        assert_int_equal(json_integer_value(json_object_get(one, "correct")), want[c]);
    }
    json_decref(d);
    r = run_mopd(NULL, "eval -m @ -d @ --subset new --format csv", tiny_model(1), data());
    assert_run(r, 0);
    assert_int_equal(strncmp(r.out, "class,n,correct,accuracy\r\n", 26), 0);
    assert_has(r.out, "red_fox,6,");
    assert_null(strstr(r.out, "Zoo"));
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), data());
    assert_run(r, 0);
    assert_has(r.out, "Confusion");
    assert_has(r.out, "macro F1");
}

static void a_store_serves_wherever_pictures_do(void **state)
{
    (void)state;
    const char *store = test_path("store.safetensors");
    run_result r = run_mopd(NULL, "features -m @ -d @ -o @ --format json", tiny_model(1), data(), store);
    assert_run(r, 0);
    json_t *d = parse(&r);
    assert_int_equal(json_integer_value(json_object_get(d, "pictures")), 2 * CLASSES * EACH);
    json_decref(d);
    run_result a = run_mopd(NULL, "eval -m @ -d @ --format json", tiny_model(1), data());
    run_result b = run_mopd(NULL, "eval -m @ -d @ --format json", tiny_model(1), store);
    assert_run(b, 0);
    assert_string_equal(a.out, b.out);
    r = run_mopd(NULL, "inspect --format json @", store);
    assert_has(r.out, "\"kind\":\"store\"");
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(2), store);
    assert_one_error(&r, 1, "store.safetensors: ", "made by encoder");
    r = run_mopd(NULL, "features -m @ -d @ -o /dev/full", tiny_model(1), data());
    assert_one_error(&r, 1, "/dev/full", "No space left");
    r = run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data(), test_path("absent/s"));
    assert_one_error(&r, 1, "absent/s", "No such file");
}

static void train_reports_epochs_and_writes_a_prompt(void **state)
{
    (void)state;
    const char *prompt = test_path("prompt.safetensors");
    run_result r = run_mopd(NULL,
        "train -m @ -d @ --template {} --template a_{} --epochs 3 --shots 4 --lr 0.05 --format json -o @",
        tiny_model(1), data(), prompt);
    assert_run(r, 0);
    json_t *d = parse(&r), *epochs = json_object_get(d, "epochs");
    assert_int_equal(json_array_size(epochs), 3);
    static const char *const fields[] = {"lr", "loss", "ce", "mpd", "mps", "accuracy"};
    for (size_t i = 0; i < 3; i++) {
        json_t *one = json_array_get(epochs, i);
        assert_int_equal(json_integer_value(json_object_get(one, "epoch")), i + 1);
        for (size_t k = 0; k < 6; k++) assert_true(json_is_number(json_object_get(one, fields[k])));
    }
    assert_true(json_number_value(json_object_get(d, "seconds")) >= 0);
    assert_string_equal(json_string_value(json_object_get(d, "prompt")), prompt);
    json_decref(d);
    const char *picture = test_path("data/test/cat/25.png");
    r = run_mopd(
        NULL, "classify -m @ -p @ --classes ant,bee --format json @", tiny_model(1), prompt, picture);
    assert_run(r, 0);
    r = run_mopd(NULL, "eval -m @ -p @ -d @ --subset new --format json", tiny_model(1), prompt, data());
    assert_run(r, 0);
    r = run_mopd(NULL, "classify -m @ -p @ --classes ant,bee @", tiny_model(2), prompt, picture);
    assert_one_error(&r, 1, "prompt.safetensors: ", "learned with the model");
    r = run_mopd(NULL, "classify -m @ -p @ --classes ant,bee @", tiny_model(1),
        test_text("no-prompt", "words, and no prompt"), picture);
    assert_one_error(&r, 1, "no-prompt", "a text, where weights are wanted");
    r = run_mopd(
        NULL, "train -m @ -d @ --template {} --epochs 1 -o @", tiny_model(1), data(), test_path("absent/p"));
    assert_one_error(&r, 1, "absent/p", "No such file");
}

static void train_stops_on_interrupt_with_a_prompt_written(void **state)
{
    (void)state;
    const char *prompt = test_path("stopped.safetensors"),
               *checkpoint = test_path("stopped-checkpoint.safetensors");
    run_result r = run_mopd(&(run_setup){.interrupt_at = checkpoint},
        "train -m @ -d @ --template {} --template a_{} --epochs 1000000 --checkpoint @ -o @", tiny_model(1),
        data(), checkpoint, prompt);
    assert_run(r, 130);
    r = run_mopd(NULL, "inspect --format json @", prompt);
    assert_run(r, 0);
    assert_has(r.out, "\"kind\":\"prompt\"");
}

static void bench_new_reports_rows(void **state)
{
    (void)state;
    run_result r = run_mopd(NULL,
        "bench-new -m @ -d @ --template {} --template a_{} --methods zero-shot,gda,coop,kgcoop,prograd,mopd "
        "--seeds 1,2 --epochs 1 --shots 2 --format json",
        tiny_model(1), data());
    assert_run(r, 0);
    json_t *d = parse(&r), *rows = json_object_get(d, "rows");
    assert_int_equal(json_array_size(rows), 6);
    static const char *const fields[] = {"base", "new", "h", "mixed", "seconds"};
    for (size_t i = 0; i < 6; i++) {
        json_t *row = json_array_get(rows, i);
        assert_true(json_is_string(json_object_get(row, "method")));
        for (size_t k = 0; k < 5; k++) assert_true(json_is_number(json_object_get(row, fields[k])));
        assert_int_equal(json_array_size(json_object_get(row, "seeds")), 2);
    }
    json_decref(d);
    r = run_mopd(NULL,
        "bench-new -m @ -d @ --template {} --template a_{} --methods zero-shot --seeds 1 --shots 2",
        tiny_model(1), data());
    assert_run(r, 0);
    assert_has(r.out, "zero-shot");
    r = run_mopd(NULL,
        "bench-new -m @ -d @ --template {} --template a_{} --methods zero-shot --seeds 1 --shots 2 --format "
        "csv",
        tiny_model(1), data());
    assert_run(r, 0);
    assert_has(r.out, "zero-shot,");
}

static void unreadable_pictures_stop_or_are_skipped(void **state)
{
    (void)state;
    test_png("bad/cat/1.png", 8, 8, 1);
    test_png("bad/dog/1.png", 8, 8, 2);
    test_text("bad/dog/2.png", "no picture");
    run_result r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_path("bad"));
    assert_one_error(&r, 1, "dog/2.png", "not JPEG, PNG");
    r = run_mopd(NULL, "eval -m @ -d @ --skip-bad --format json", tiny_model(1), test_path("bad"));
    assert_run(r, 0);
    assert_has(r.out, "\"n\":2");
    assert_has(r.err, "dog/2.png");
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_path("no-data"));
    assert_one_error(&r, 1, "no-data", "No such file");
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_folder("hollow"));
    assert_one_error(&r, 1, "hollow", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eval_counts_what_the_library_counts),
        cmocka_unit_test(a_store_serves_wherever_pictures_do),
        cmocka_unit_test(train_reports_epochs_and_writes_a_prompt),
        cmocka_unit_test(train_stops_on_interrupt_with_a_prompt_written),
        cmocka_unit_test(bench_new_reports_rows),
        cmocka_unit_test(unreadable_pictures_stop_or_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
