/* SPDX-License-Identifier: MIT
 * test_fit.c - a recogniser fitted, and pictures classified by it, as a user would. */
#include "support/labelled.h"

enum { CLASSES = LABELLED_CLASSES };

static const char *recognizer(const char *name)
{
    const char *path = test_path(name);
    run_result r = run_mopd(NULL, "fit -m @ -d @ -o @", tiny_model(1), labelled_data("fit"), path);
    assert_run(r, 0);
    assert_has(r.out, "16 pictures of 4 classes");
    assert_has(r.out, "too few for a promise"); /* 16 are less than 40 */
    return path;
}

static void fit_says_what_the_library_says(void **state)
{
    (void)state;
    const char *path = test_path("json.safetensors");
    run_result r = run_mopd(NULL, "fit -m @ -d @ --also x,y --keep 0.9 --format json -o @", tiny_model(1),
        labelled_data("fit"), path);
    assert_run(r, 0);
    json_t *d = labelled_json(&r), *loo = json_object_get(d, "loo");
    assert_int_equal(json_object_size(d), 11);
    assert_true(labelled_number(d, "n") == CLASSES * LABELLED_TRAIN);
    assert_int_equal(json_array_size(json_object_get(d, "classes")), CLASSES + 2);
    assert_true(json_is_null(json_object_get(d, "cutoff")));
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_recognizer *m;
    mopd_recognizer_info info = {.struct_size = sizeof info};
    assert_ok(mopd_recognizer_open(&m, path, encoder));
    assert_ok(mopd_recognizer_get_info(m, &info));
    assert_true(fabs(labelled_number(d, "kappa") - info.kappa) < 1e-9 && info.keep == 0.9);
    assert_true(fabs(labelled_number(d, "a") - info.text_weight) < 1e-6);
    assert_true(fabs(labelled_number(loo, "accuracy") - 100 * info.loo_accuracy) < 1e-6);
    assert_true(labelled_number(loo, "low") <= labelled_number(loo, "accuracy"));
    assert_string_equal(mopd_recognizer_class_name(m, CLASSES + 1), "y");
    mopd_recognizer_close(m);
    mopd_encoder_close(encoder);
    json_decref(d);
}

/* Views of pictures and of a store that holds them are the same; what is not there is not made up. */
static void fit_learns_from_views(void **state)
{
    (void)state;
    const char *data = labelled_data("fit"), *store = test_path("fixed.safetensors"),
               *plain = test_path("plain.safetensors");
    const char *a = test_path("va.safetensors"), *b = test_path("vb.safetensors");
    run_result r = run_mopd(NULL, "features -q -m @ -d @ --views fixed -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    r = run_mopd(NULL, "features -q -m @ -d @ -o @", tiny_model(1), data, plain);
    assert_run(r, 0);
    r = run_mopd(NULL, "fit -m @ -d @ --views 5 -o @", tiny_model(1), data, a);
    assert_run(r, 0);
    assert_has(r.out, "learned from 5 views of each");
    r = run_mopd(NULL, "fit -q -m @ -d @ --views 5 -o @", tiny_model(1), store, b);
    assert_run(r, 0);
    assert_same_files(a, b);
    r = run_mopd(NULL, "fit -q -m @ -d @ --views 1 -o @", tiny_model(1), store, a);
    assert_run(r, 0);
    r = run_mopd(NULL, "fit -q -m @ -d @ -o @", tiny_model(1), plain, b);
    assert_run(r, 0);
    assert_same_files(a, b);
    r = run_mopd(NULL, "fit -m @ -d @ --views 2 -o @", tiny_model(1), plain, a);
    assert_one_error(&r, 1, "plain.safetensors: ", "2 fixed ones from 0 on are needed");
    const char *const bad[] = {"0", "6", "22", "some", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char words[64];
        snprintf(words, sizeof words, "fit -m @ -d @ --views=%s -o @", bad[i]);
        r = run_mopd(NULL, words, tiny_model(1), data, a);
        assert_one_error(&r, 2, "--views", "neither a number from 1 to 5 nor 'auto'");
    }
}

static void the_same_draw_gives_the_same_file(void **state)
{
    (void)state;
    const char *a = test_path("a.safetensors"), *b = test_path("b.safetensors");
    for (int i = 0; i < 2; i++) {
        run_result r = run_mopd(NULL, "fit -q -m @ -d @ --shots 3 --seed 2 --threads @ -o @", tiny_model(1),
            labelled_data("fit"), i ? "3" : "1", i ? b : a);
        assert_run(r, 0);
        assert_string_equal(r.out, "");
    }
    assert_same_files(a, b);
}

static void classify_answers_by_a_recogniser(void **state)
{
    (void)state;
    const char *path = recognizer("r.safetensors"), *picture = test_png("one.png", 20, 14, 1);
    run_result r = run_mopd(
        NULL, "classify -m @ -r @ --also zebra --none --top 9 --format json @", tiny_model(1), path, picture);
    assert_run(r, 0);
    assert_has(r.err, "too few to say that a picture is none");
    json_t *d = labelled_json(&r), *one = json_array_get(json_object_get(d, "results"), 0);
    assert_int_equal(json_array_size(json_object_get(one, "top")), CLASSES + 1);
    assert_true(json_is_true(json_object_get(one, "known")));
    labelled_number(one, "score");
    json_decref(d);
    r = run_mopd(NULL, "classify -m @ -r @ --set 0.9 @", tiny_model(1), path, picture);
    assert_one_error(&r, 1, "16 pictures are too few", "40");
    r = run_mopd(NULL, "classify -m @ -r @ @", tiny_model(2), path, picture);
    assert_one_error(&r, 1, "r.safetensors: ", "made with the model");
    r = run_mopd(NULL, "classify -m @ -r @ @", tiny_model(1), picture, picture);
    assert_run(r, 1);
}

/* Forty training pictures and two foreign classes: all that eval -r can tell. */
static const char *many_pictures(const char *name)
{
    const char *data = labelled_data(name);
    char path[128];
    for (uint32_t i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "%s/train/%c/more%u.png", name, 'a' + (int)(i % CLASSES), i);
        test_png(path, 14, 11, 500 + i);
    }
    for (uint32_t i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%s-strangers/test/%c/%u.png", name, i % 3 ? 'a' : 'z', i);
        test_png(path, 14, 11, 900 + i);
    }
    return data;
}

/* Kept share, coverage and size of sets, counted again by the library's own calls. */
static void eval_counts_what_a_recogniser_promises(void **state)
{
    (void)state;
    const char *data = many_pictures("promises"), *path = test_path("promises.safetensors");
    run_result r = run_mopd(NULL, "fit -q -m @ -d @ --keep 0.8 -o @", tiny_model(1), data, path);
    assert_run(r, 0);
    r = run_mopd(NULL, "eval -m @ -d @ -r @ --set 0.7 --format json", tiny_model(1), data, path);
    assert_run(r, 0);
    json_t *j = labelled_json(&r);
    mopd_encoder *encoder = tiny_open(1, 1);
    mopd_recognizer *m;
    mopd_dataset *all, *part, *test;
    mopd_recognizer_info info = {.struct_size = sizeof info};
    mopd_selection selection;
    assert_ok(mopd_recognizer_open(&m, path, encoder));
    assert_ok(mopd_recognizer_get_info(m, &info));
    assert_ok(mopd_dataset_open(&all, data, NULL));
    assert_ok(mopd_selection_init(&selection, sizeof selection));
    selection.split = MOPD_SPLIT_TEST;
    assert_ok(mopd_dataset_select(&part, all, &selection));
    assert_ok(mopd_dataset_encode(&test, part, NULL, encoder, NULL));
    double kept = 0, covered = 0, size = 0, right = 0;
    const size_t n = CLASSES * LABELLED_TEST;
    for (size_t i = 0; i < n; i++) {
        float score, logits[CLASSES];
        uint8_t in[CLASSES];
        const float *x = mopd_dataset_feature(test, i, 0);
        const int32_t label = mopd_dataset_labels(test)[i];
        assert_ok(mopd_recognizer_scores(m, x, 1, &score));
        assert_ok(mopd_recognizer_sets(m, x, 1, 0.7, in));
        assert_ok(mopd_recognizer_logits(m, x, 1, logits));
        size_t best = 0;
        for (size_t c = 0; c < CLASSES; c++) size += in[c], best = logits[c] > logits[best] ? c : best;
        kept += (double)score >= info.cutoff;
        covered += in[label];
        right += best == (size_t)label;
    }
    assert_true(fabs(labelled_number(j, "accuracy") - 100 * right / (double)n) < 1e-6);
    assert_true(fabs(labelled_number(j, "kept") - 100 * kept / (double)n) < 1e-6);
    assert_true(fabs(labelled_number(j, "coverage") - 100 * covered / (double)n) < 1e-6);
    assert_true(fabs(labelled_number(j, "set_size") - size / (double)n) < 1e-6);
    assert_true(labelled_number(j, "ece") >= 0 && labelled_number(j, "nll") > 0);
    assert_null(json_object_get(j, "strangers"));
    json_decref(j);
    mopd_dataset_close(test);
    mopd_dataset_close(part);
    mopd_dataset_close(all);
    mopd_recognizer_close(m);
    mopd_encoder_close(encoder);
    r = run_mopd(NULL, "eval -m @ -d @ -r @", tiny_model(1), data, path);
    assert_run(r, 0);
    assert_has(r.out, "calibration error (ECE) ");
    assert_has(r.out, "(promised 80%); sets hold the true class in ");
}

static void eval_tells_strangers_from_classes(void **state)
{
    (void)state;
    const char *data = many_pictures("known"), *strangers = test_path("known-strangers"),
               *path = test_path("known.safetensors"), *few = recognizer("few.safetensors");
    run_result r = run_mopd(NULL, "fit -q -m @ -d @ -o @", tiny_model(1), data, path);
    assert_run(r, 0);
    r = run_mopd(NULL, "eval -m @ -d @ -r @ --format json", tiny_model(1), strangers, path);
    assert_run(r, 0);
    assert_has(r.err, "2 pictures are of 1 classes that ");
    json_t *j = labelled_json(&r), *s = json_object_get(j, "strangers");
    assert_true(labelled_number(j, "n") == 4 && labelled_number(s, "n") == 2);
    assert_true(labelled_number(s, "auroc") >= 0 && labelled_number(s, "auroc") <= 100);
    const double refused = labelled_number(s, "refused");
    assert_true(refused == 0 || refused == 50 || refused == 100);
    assert_int_equal(json_array_size(json_object_get(j, "classes")), CLASSES);
    json_decref(j);
    r = run_mopd(NULL, "eval -m @ -d @ -r @ --also z", tiny_model(1), strangers, path);
    assert_run(r, 0);
    assert_has(r.out, "of 6)");
    r = run_mopd(NULL, "eval -m @ -d @ -r @", tiny_model(1), strangers, few); /* fitted to 16 pictures */
    assert_run(r, 0);
    assert_has(r.out, "too few for a promise");
    assert_has(r.out, "AUROC");
    r = run_mopd(NULL, "eval -m @ -d @ -r @ --format json", tiny_model(1), strangers, few);
    j = labelled_json(&r);
    assert_true(json_is_null(json_object_get(j, "kept")) && json_is_null(json_object_get(j, "set_size")));
    json_decref(j);
    test_png("foreign/x/1.png", 14, 11, 1);
    test_png("foreign/y/1.png", 14, 11, 2);
    r = run_mopd(NULL, "eval -m @ -d @ -r @", tiny_model(1), test_path("foreign"), path);
    assert_one_error(&r, 1, "none of the classes of the pictures (x, y)", "--also");
    r = run_mopd(NULL, "eval -m @ -d @ -r @", tiny_model(2), data, path);
    assert_one_error(&r, 1, "known.safetensors: ", "made with the model");
}

static void also_takes_no_name_that_is_one_to_the_model(void **state)
{
    (void)state;
    const char *data = labelled_data("fit"), *path = recognizer("also.safetensors"), *m = tiny_model(1);
    const char *store = test_path("never.safetensors"), *picture = test_png("also.png", 20, 14, 1);
    run_result r = run_mopd(NULL, "fit -m @ -d @ --also x,X -o @", m, data, store);
    assert_one_error(&r, 1, "--also: class 5, \"X\", is the same words to a model as class 4, \"x\"", "");
    r = run_mopd(NULL, "fit -m @ -d @ --also A -o @", m, data, store);
    assert_one_error(&r, 1, "--also: class 4, \"A\", is the same words to a model as class 0, \"a\"", "");
    r = run_mopd(NULL, "classify -m @ -r @ --also A @", m, path, picture);
    assert_one_error(&r, 1, "--also: class 4, \"A\", is the same words to a model as class 0, \"a\"", "");
    r = run_mopd(NULL, "eval -m @ -d @ -r @ --also b", m, data, path);
    assert_one_error(&r, 1, "--also: class 4, \"b\", is class 1 already", "");
}

static void options_that_do_not_go_together(void **state)
{
    (void)state;
    static const char *const lines[] = {"fit -d x", "fit -o x", "fit -d x -o y --keep 1", "fit -d x -o y z",
        "fit -d x -o y -p z --template {}", "classify -r x --classes a,b y", "classify -r x -p z y",
        "classify --none --classes a,b y", "classify --set 0.5 --classes a,b y", "classify -r x --set 2 y",
        "classify -r x", "eval -d x -r y -p z", "eval -d x -r y --template {}", "eval -d x --also a",
        "eval -d x --set 0.5", "eval -d x -r y --set 1"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_result r = run_mopd(NULL, lines[i]);
        if (r.status != 2) fail_msg("%s: exit %d: %s", lines[i], r.status, r.err);
    }
    run_result r =
        run_mopd(NULL, "fit -m @ -d @ -o @", tiny_model(1), labelled_data("fit"), test_path("absent/r"));
    assert_one_error(&r, 1, "absent/r", "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_says_what_the_library_says),
        cmocka_unit_test(fit_learns_from_views),
        cmocka_unit_test(the_same_draw_gives_the_same_file),
        cmocka_unit_test(classify_answers_by_a_recogniser),
        cmocka_unit_test(eval_counts_what_a_recogniser_promises),
        cmocka_unit_test(eval_tells_strangers_from_classes),
        cmocka_unit_test(also_takes_no_name_that_is_one_to_the_model),
        cmocka_unit_test(options_that_do_not_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
