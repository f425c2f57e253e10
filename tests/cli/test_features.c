/* SPDX-License-Identifier: MIT
 * test_features.c - mopd features and eval: stores made, extended, withdrawn from, and used in the
 * place of data. */
#include <sys/stat.h>
#include <unistd.h>

#include "support/labelled.h"

enum { N = LABELLED_CLASSES * (LABELLED_TRAIN + LABELLED_TEST), N_TEST = LABELLED_CLASSES * LABELLED_TEST };

static void features(const char *data, const char *more, const char *store)
{
    run_result r = run_mopd(NULL, "features -m @ -d @ @ -o @", tiny_model(1), data, more, store);
    assert_run(r, 0);
}

static void features_tells_what_it_wrote(void **state)
{
    (void)state;
    const char *data = labelled_data("told"), *store = test_path("told.safetensors");
    run_result r =
        run_mopd(NULL, "features -m @ -d @ --views 3 --format json -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    json_t *j = labelled_json(&r);
    assert_int_equal((int)labelled_number(j, "pictures"), N);
    assert_int_equal((int)labelled_number(j, "classes"), LABELLED_CLASSES);
    assert_int_equal((int)labelled_number(j, "views"), 3);
    assert_int_equal((int)labelled_number(j, "dim"), TINY_DIM);
    assert_string_equal(json_string_value(json_object_get(j, "store")), store);
    json_decref(j);
    r = run_mopd(NULL, "inspect --format json @", store);
    assert_run(r, 0);
    assert_has(r.out, "\"store\"");
}

static void append_gives_the_bytes_of_all_at_once(void **state)
{
    (void)state;
    const char *data = labelled_data("grow"), *whole = test_path("whole.safetensors"),
               *grown = test_path("grown.safetensors");
    features(data, "--views=2", whole);
    char away[512];
    snprintf(away, sizeof away, "%s", test_path("away"));
    assert_int_equal(rename(test_path("grow/train/b"), away), 0);
    assert_int_equal(rename(test_path("grow/test/b"), test_path("away-test")), 0);
    assert_int_equal(rename(test_path("grow/train/d/1.png"), test_path("away.png")), 0);
    run_result quiet =
        run_mopd(NULL, "features -m @ -d @ --views=2 --quiet -o @", tiny_model(1), data, grown);
    assert_run(quiet, 0);
    assert_string_equal(quiet.out, "");
    assert_int_equal(rename(away, test_path("grow/train/b")), 0);
    assert_int_equal(rename(test_path("away-test"), test_path("grow/test/b")), 0);
    assert_int_equal(rename(test_path("away.png"), test_path("grow/train/d/1.png")), 0);
    features(data, "--append", grown);
    assert_same_files(whole, grown);
    features(data, "--append", grown);
    assert_same_files(whole, grown);
}

static void withdrawing_takes_pictures_and_classes_out(void **state)
{
    (void)state;
    const char *data = labelled_data("less"), *store = test_path("less.safetensors"),
               *whole = test_path("more.safetensors");
    features(data, "--append", store); /* nothing there yet: made anew */
    features(data, "-q", whole);
    assert_same_files(store, whole);
    run_result r =
        run_mopd(NULL, "features --withdraw train/a/2.png --withdraw-class c --format json -o @", store);
    assert_run(r, 0);
    json_t *j = labelled_json(&r);
    assert_int_equal((int)labelled_number(j, "pictures"), N - 1 - LABELLED_TRAIN - LABELLED_TEST);
    json_decref(j);
    r = run_mopd(NULL, "features --withdraw train/a/2.png -o @", store);
    assert_one_error(&r, 1, "train/a/2.png", "no picture");
    features(data, "--append", store);
    assert_same_files(store, whole);
}

static void bad_pictures_are_errors_or_skipped(void **state)
{
    (void)state;
    const char *data = labelled_data("bad"), *store = test_path("bad.safetensors");
    test_text("bad/train/b/1.png", "no picture");
    run_result r = run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data, store);
    assert_one_error(&r, 1, "bad/train/b/1.png", "");
    assert_int_not_equal(access(store, F_OK), 0);
    r = run_mopd(NULL, "features -m @ -d @ --skip-bad --format json -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    assert_has(r.err, "mopd: skipped: ");
    assert_has(r.err, "bad/train/b/1.png");
    json_t *j = labelled_json(&r);
    assert_int_equal((int)labelled_number(j, "pictures"), N - 1);
    assert_int_equal((int)labelled_number(j, "skipped"), 1);
    json_decref(j);
}

static json_t *eval_json(const char *data, const char *more)
{
    run_result r = run_mopd(NULL, "eval -m @ -d @ --format json @", tiny_model(1), data, more);
    assert_run(r, 0);
    return labelled_json(&r);
}

static void eval_counts_what_the_library_counts(void **state)
{
    (void)state;
    const char *data = labelled_data("count");
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_dataset *all = NULL, *part = NULL, *encoded = NULL;
    mopd_bank *bank = NULL;
    mopd_selection s;
    assert_ok(mopd_selection_init(&s, sizeof s));
    s.split = MOPD_SPLIT_TEST;
    assert_ok(mopd_dataset_open(&all, data, NULL));
    assert_ok(mopd_dataset_select(&part, all, &s));
    assert_ok(mopd_dataset_encode(&encoded, part, NULL, encoder, NULL));
    assert_ok(mopd_bank_create(&bank, encoder, mopd_dataset_class_names(encoded), LABELLED_CLASSES, NULL, 0));
    float logits[LABELLED_CLASSES];
    int correct[LABELLED_CLASSES] = {0}, total = 0;
    for (size_t i = 0; i < N_TEST; i++) {
        assert_ok(mopd_bank_logits(bank, mopd_dataset_feature(encoded, i, 0), 1, logits));
        int best = 0, label = mopd_dataset_labels(encoded)[i];
        for (int c = 1; c < LABELLED_CLASSES; c++) best = logits[c] > logits[best] ? c : best;
        correct[label] += best == label;
        total += best == label;
    }
    json_t *j = eval_json(data, "-q");
    assert_int_equal(json_object_size(j), 7);
    assert_true(labelled_number(j, "ece") >= 0 && labelled_number(j, "nll") > 0);
    assert_int_equal((int)labelled_number(j, "n"), N_TEST);
    assert_int_equal((int)labelled_number(j, "correct"), total);
    assert_true(fabs(labelled_number(j, "accuracy") - 100.0 * total / N_TEST) < 1e-6);
    assert_true(labelled_number(j, "macro_f1") >= 0);
    json_t *classes = json_object_get(j, "classes");
    assert_int_equal(json_array_size(classes), LABELLED_CLASSES);
    for (size_t c = 0; c < LABELLED_CLASSES; c++) {
        const json_t *one = json_array_get(classes, c);
        assert_int_equal(json_object_size(one), 3);
        assert_int_equal((int)labelled_number(one, "n"), LABELLED_TEST);
        assert_int_equal((int)labelled_number(one, "correct"), correct[c]);
    }
    json_decref(j);
    mopd_bank_free(bank);
    mopd_dataset_close(encoded);
    mopd_dataset_close(part);
    mopd_dataset_close(all);
    mopd_encoder_close(encoder);
}

static void store_stands_for_data(void **state)
{
    (void)state;
    const char *data = labelled_data("same"), *store = test_path("same.safetensors"),
               *views = test_path("views.safetensors");
    features(data, "-q", store);
    features(data, "--views=2", views);
    static const char *const more[] = {"--subset=all", "--subset=base", "--subset=new", "--split=train"};
    for (size_t i = 0; i < 4; i++) {
        json_t *a = eval_json(data, more[i]), *b = eval_json(store, more[i]), *c = eval_json(views, more[i]);
        assert_true(json_equal(a, b));
        if (i < 3) assert_true(json_equal(a, c)); /* test pictures of an augmented store are plain */
        json_decref(a);
        json_decref(b);
        json_decref(c);
    }
    run_result r = run_mopd(NULL, "eval -m @ -d @", tiny_model(2), store);
    assert_one_error(&r, 1, "the features were made by encoder", "this one is");
    r = run_mopd(NULL, "eval -m @ -d @ --split train", tiny_model(1), views);
    assert_run(r, 0);
    assert_has(r.err, "mopd: note: ");
}

static void eval_shows_tables(void **state)
{
    (void)state;
    const char *data = labelled_data("tables");
    run_result r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), data);
    assert_run(r, 0);
    assert_has(r.out, "class");
    assert_has(r.out, "Confusion");
    assert_has(r.out, "macro F1");
    r = run_mopd(NULL, "eval -m @ -d @ --format csv", tiny_model(1), data);
    assert_run(r, 0);
    assert_int_equal(strncmp(r.out, "class,n,correct,accuracy\r\na,3,", 30), 0);
}

static void wrong_use_is_told(void **state)
{
    (void)state;
    const char *data = labelled_data("wrong");
    static const struct {
        const char *line, *word;
    } usage[] = {
        {"features -m @ -d @", "-o STORE"},
        {"features -m @ -o @", "-d DATA"},
        {"features -m @ -d @ --withdraw x -o s", "--append"},
        {"features -m @ -d @ -o s extra", "extra"},
        {"eval -m @", "-d DATA"},
        {"eval -m @ -d @ --split dev", "dev"},
        {"eval -m @ -d @ --subset old", "old"},
        {"eval -m @ -d @ -p x --template a{}", "-p"},
    };
    for (size_t i = 0; i < sizeof usage / sizeof *usage; i++) {
        run_result r = run_mopd(NULL, usage[i].line, tiny_model(1), data);
        assert_one_error(&r, 2, usage[i].word, "");
    }
    run_result r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_path("nowhere"));
    assert_one_error(&r, 1, "nowhere", "No such file");
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_text("short.csv", "path,class\nx.png,a\n"));
    assert_one_error(&r, 1, "short.csv: line 1", "no column 'label'");
    r = run_mopd(NULL, "eval -m @ -d @ --split val", tiny_model(1), data);
    assert_one_error(&r, 1, "no picture in split 'val'", "train test");
    test_folder("wrong/train/empty class");
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), data);
    assert_one_error(&r, 1, "class 'empty class'", "no picture");
    size_t n;
    features(labelled_data("cut"), "-q", test_path("cut.safetensors"));
    char *bytes = read_whole(test_path("cut.safetensors"), &n);
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_write("half.safetensors", bytes, n / 2));
    assert_one_error(&r, 1, "half.safetensors", "");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_tells_what_it_wrote),
        cmocka_unit_test(append_gives_the_bytes_of_all_at_once),
        cmocka_unit_test(withdrawing_takes_pictures_and_classes_out),
        cmocka_unit_test(bad_pictures_are_errors_or_skipped),
        cmocka_unit_test(eval_counts_what_the_library_counts),
        cmocka_unit_test(store_stands_for_data),
        cmocka_unit_test(eval_shows_tables),
        cmocka_unit_test(wrong_use_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
