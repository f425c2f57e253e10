/* SPDX-License-Identifier: MIT
 * test_bench.c - mopd bench-shots: its figures are those that fit, train and eval give for the same draws. */
#include "support/labelled.h"

#define TEACHERS "--template a_{} --template {}! --template no_{}"
#define BENCH "bench-shots -m @ -d @ " TEACHERS " --lr 0.05 --batch 8 --epochs 2 "

static const json_t *row(const json_t *j, const char *method, int shots)
{
    const json_t *rows = json_object_get(j, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *one = json_array_get(rows, i);
        if (!strcmp(json_string_value(json_object_get(one, "method")), method) &&
            (int)labelled_number(one, "shots") == shots)
            return one;
    }
    fail_msg("no row %s, %d", method, shots);
    return NULL;
}

/* The figure of the seed at an index. */
static double seed_figure(const json_t *one, size_t seed, const char *key)
{
    return labelled_number(json_array_get(json_object_get(one, "seeds"), seed), key);
}

static double accuracy_of(const run_result *r)
{
    assert_run(*r, 0);
    json_t *j = labelled_json(r);
    const double x = labelled_number(j, "accuracy");
    json_decref(j);
    return x;
}

static void every_method_has_a_row_for_each_number(void **state)
{
    (void)state;
    run_result r = run_mopd(
        NULL, BENCH "--shots 1,2,4 --seeds 1,2 --format json -q", tiny_model(1), labelled_data("all"));
    assert_run(r, 0);
    json_t *j = labelled_json(&r);
    static const char *const methods[] = {"zero-shot", "fit", "gda", "coop", "mopd", "mopd-paper"};
    static const int shots[] = {1, 2, 4};
    assert_int_equal(json_array_size(json_object_get(j, "rows")), 18);
    for (size_t m = 0; m < 6; m++)
        for (size_t k = 0; k < 3; k++) {
            const json_t *one = row(j, methods[m], shots[k]);
            const double mean = (seed_figure(one, 0, "accuracy") + seed_figure(one, 1, "accuracy")) / 2;
            assert_true(fabs(labelled_number(one, "accuracy") - mean) < 1e-6);
            const double spread =
                fabs(seed_figure(one, 0, "accuracy") - seed_figure(one, 1, "accuracy")) / sqrt(2);
            assert_true(fabs(labelled_number(json_object_get(one, "deviation"), "accuracy") - spread) < 1e-6);
            assert_true(labelled_number(one, "ece") >= 0 && labelled_number(one, "seconds") >= 0);
        }
    assert_true(labelled_number(row(j, "zero-shot", 1), "accuracy") ==
                labelled_number(row(j, "zero-shot", 4), "accuracy"));
    const json_t *draws = json_object_get(j, "draws");
    assert_int_equal(json_array_size(draws), 2);
    assert_int_equal(json_array_size(json_object_get(json_array_get(draws, 1), "classes")), LABELLED_CLASSES);
    json_decref(j);
}

static void figures_are_those_of_the_other_commands(void **state)
{
    (void)state;
    const char *data = labelled_data("same"), *path = test_path("same.safetensors");
    run_result r = run_mopd(NULL,
        BENCH "--methods zero-shot,fit,mopd,coop --shots 3 --seeds 5,2 --format json", tiny_model(1), data);
    assert_run(r, 0);
    json_t *j = labelled_json(&r);
    r = run_mopd(NULL, "eval -m @ -d @ --template a_{} --format json", tiny_model(1), data);
    assert_true(fabs(accuracy_of(&r) - labelled_number(row(j, "zero-shot", 3), "accuracy")) < 1e-6);
    r = run_mopd(NULL, "fit -q -m @ -d @ " TEACHERS " --shots 3 --seed 2 -o @", tiny_model(1), data, path);
    assert_run(r, 0);
    r = run_mopd(NULL, "eval -m @ -d @ -r @ --format json", tiny_model(1), data, path);
    assert_true(fabs(accuracy_of(&r) - seed_figure(row(j, "fit", 3), 1, "accuracy")) < 1e-6);
    static const char *const learned[] = {"mopd", "coop"};
    for (size_t m = 0; m < 2; m++) {
        r = run_mopd(NULL,
            "train -m @ -d @ " TEACHERS " --lr 0.05 --batch 8 --epochs 2 --shots 3 --seed 2 --method @ -o @",
            tiny_model(1), data, learned[m], path);
        assert_run(r, 0);
        r = run_mopd(NULL, "eval -m @ -d @ -p @ --format json", tiny_model(1), data, path);
        assert_true(fabs(accuracy_of(&r) - seed_figure(row(j, learned[m], 3), 1, "accuracy")) < 1e-6);
    }
    json_decref(j);
}

static void classes_are_drawn_by_the_seed(void **state)
{
    (void)state;
    const char *data = labelled_data("drawn"), *store = test_path("drawn.safetensors");
    run_result r = run_mopd(NULL, "features -m @ -d @ --views fixed -q -o @", tiny_model(1), data, store);
    assert_run(r, 0);
    static const char line[] =
        BENCH "--methods fit --shots 2 --classes 2 --seeds 1,2,3,4,5,6,7,8 --format json @";
    r = run_mopd(NULL, line, tiny_model(1), data, "--threads=1");
    assert_run(r, 0);
    json_t *a = labelled_json(&r);
    r = run_mopd(NULL, line, tiny_model(1), store, "--threads=2");
    assert_run(r, 0);
    json_t *b = labelled_json(&r), *draws = json_object_get(a, "draws");
    assert_true(json_equal(draws, json_object_get(b, "draws")));
    bool differ = false;
    for (size_t s = 0; s < 8; s++) {
        const json_t *classes = json_object_get(json_array_get(draws, s), "classes");
        assert_int_equal(json_array_size(classes), 2);
        differ |= !json_equal(classes, json_object_get(json_array_get(draws, 0), "classes"));
        assert_true(
            seed_figure(row(a, "fit", 2), s, "accuracy") == seed_figure(row(b, "fit", 2), s, "accuracy"));
    }
    assert_true(differ);
    json_decref(a);
    json_decref(b);
}

/* A class without test pictures is answered, one without training pictures is not asked about. */
static void classes_need_not_be_in_both_splits(void **state)
{
    (void)state;
    const char *data = labelled_data("uneven");
    test_png("uneven/train/aa/1.png", 14, 11, 77);
    test_png("uneven/test/zz/1.png", 14, 11, 78);
    run_result r =
        run_mopd(NULL, BENCH "--methods zero-shot,fit,gda,coop --shots 1,9 --seeds 1", tiny_model(1), data);
    assert_run(r, 0);
    assert_has(r.out, "5 classes, 12 test pictures"); /* aa is answered, zz is not asked about */
}

static void text_and_csv_show_what_was_reached(void **state)
{
    (void)state;
    const char *data = labelled_data("shown");
    run_result r = run_mopd(NULL, BENCH "--methods fit,coop --shots 1,4,5,9 --seeds 1", tiny_model(1), data);
    assert_run(r, 0);
    assert_has(r.err, "no class has more than 4 pictures to draw: --shots 5 is left out");
    assert_has(r.out, "Accuracy in percent");
    assert_has(r.out, "Calibration error");
    r = run_mopd(NULL, BENCH "--methods fit --shots 1,2 --format csv", tiny_model(1), data);
    assert_run(r, 0);
    assert_has(r.out, "method,shots,seeds,accuracy,accuracy_sd,ece,ece_sd,seconds,seconds_sd\r\nfit,1,3,");
    static const struct {
        const char *line, *word;
        int status;
    } bad[] = {{BENCH "--shots 0", "--shots", 2}, {BENCH "--shots 2,1", "rise", 2},
        {BENCH "--shots x", "'x'", 2}, {BENCH "--methods best", "best", 2},
        {BENCH "--seeds -1", "--seeds", 2}, {BENCH "more", "more", 2}, {"bench-shots -m @", "-d DATA", 2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r = run_mopd(NULL, bad[i].line, tiny_model(1), data);
        assert_one_error(&r, bad[i].status, bad[i].word, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_has_a_row_for_each_number),
        cmocka_unit_test(figures_are_those_of_the_other_commands),
        cmocka_unit_test(classes_are_drawn_by_the_seed),
        cmocka_unit_test(classes_need_not_be_in_both_splits),
        cmocka_unit_test(text_and_csv_show_what_was_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
