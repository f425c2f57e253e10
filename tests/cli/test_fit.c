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
    assert_int_equal(json_object_size(d), 10);
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
    assert_one_error(&r, 1, "r.safetensors: ", "fitted with the model");
    r = run_mopd(NULL, "classify -m @ -r @ @", tiny_model(1), picture, picture);
    assert_run(r, 1);
}

static void options_that_do_not_go_together(void **state)
{
    (void)state;
    static const char *const lines[] = {"fit -d x", "fit -o x", "fit -d x -o y --keep 1", "fit -d x -o y z",
        "fit -d x -o y -p z --template {}", "classify -r x --classes a,b y", "classify -r x -p z y",
        "classify --none --classes a,b y", "classify --set 0.5 --classes a,b y", "classify -r x --set 2 y",
        "classify -r x"};
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
        cmocka_unit_test(the_same_draw_gives_the_same_file),
        cmocka_unit_test(classify_answers_by_a_recogniser),
        cmocka_unit_test(options_that_do_not_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
