/* SPDX-License-Identifier: MIT
 * test_metrics.c - accuracy, macro F1 and confusion against numbers worked out by hand. */
#include "test.h"

#include "train/metrics.h"

static void counts_come_from_the_largest_logit(void **state)
{
    (void)state;
    const float logits[] = {3, 1, 2, 0, 5, 5, -1, -2, -3, 0, 0, 1};
    const int32_t labels[] = {0, 2, 1, 2};
    uint32_t confusion[9] = {0};
    assert_ok(mopd_confusion_add(confusion, 3, logits, labels, 4));
    const uint32_t want[9] = {1, 0, 0, 1, 0, 0, 0, 1, 1};
    assert_memory_equal(confusion, want, sizeof want);
}

/* scikit-learn: f1_score([0,0,1,1,1,2], [0,1,1,1,2,0], average="macro", labels=[0,1,2]) = (1/2 + 2/3 + 0) / 3 */
static void macro_f1_is_the_mean_over_classes_present(void **state)
{
    (void)state;
    const uint32_t confusion[16] = {1, 1, 0, 0, 0, 2, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    mopd_metrics m = {.struct_size = sizeof m};
    assert_ok(mopd_confusion_get_metrics(confusion, 4, &m));
    assert_int_equal(m.n, 6);
    assert_int_equal(m.correct, 3);
    assert_int_equal(m.n_classes, 3);
    assert_true(fabs((double)(m.accuracy) - (double)(50)) <= 1e-12);
    assert_true(fabs((double)(m.macro_f1) - (double)(100 * (0.5 + 2.0 / 3) / 3)) <= 1e-12);
}

static void nothing_counted_is_zero(void **state)
{
    (void)state;
    const uint32_t confusion[4] = {0};
    mopd_metrics m = {.struct_size = sizeof m, .accuracy = 7};
    assert_ok(mopd_confusion_get_metrics(confusion, 2, &m));
    assert_true(fabs((double)(m.accuracy) - (double)(0)) <= 0);
    assert_true(fabs((double)(m.macro_f1) - (double)(0)) <= 0);
}

static void harmonic_mean_of_the_published_averages(void **state)
{
    (void)state;
    assert_true(fabs((double)(mopd_harmonic_mean(69.34, 74.22)) - (double)(71.70)) <= 0.005);
    assert_true(fabs((double)(mopd_harmonic_mean(82.69, 63.22)) - (double)(71.66)) <= 0.005);
    assert_true(fabs((double)(mopd_harmonic_mean(0, 0)) - (double)(0)) <= 0);
}

/* Brown, Cai and DasGupta 2001 give Wilson's interval of 5 of 50 as 0.0435 to 0.2136. */
static void the_interval_is_wilsons(void **state)
{
    (void)state;
    double low, high;
    assert_ok(mopd_accuracy_interval(5, 50, &low, &high));
    assert_true(fabs(low - 4.35) < 0.01 && fabs(high - 21.36) < 0.01);
    assert_ok(mopd_accuracy_interval(45, 50, &low, &high));
    assert_true(fabs(100 - high - 4.35) < 0.01 && fabs(100 - low - 21.36) < 0.01);
    assert_ok(mopd_accuracy_interval(0, 10, &low, &high));
    assert_true(low < 1e-9 && fabs(high - 27.75) < 0.01);
    assert_ok(mopd_accuracy_interval(10, 10, &low, &high));
    assert_true(fabs(low - 72.25) < 0.01 && high > 100 - 1e-9 && high <= 100);
    assert_ok(mopd_accuracy_interval(0, 0, &low, &high));
    assert_true(low <= 0 && high >= 100);
    assert_fails(mopd_accuracy_interval(3, 2, &low, &high), MOPD_E_ARG, "3 correct of 2");
}

static void bad_inputs_are_refused(void **state)
{
    (void)state;
    const float logits[] = {1, NAN};
    const int32_t labels[] = {2}, right[] = {1};
    uint32_t confusion[4] = {0};
    mopd_metrics m = {.struct_size = 8};
    assert_fails(
        mopd_confusion_add(confusion, 2, logits, labels, 1), MOPD_E_ARG, "label 0 is 2, there are 2 classes");
    assert_fails(mopd_confusion_add(confusion, 2, logits, right, 1), MOPD_E_NUMERIC, "picture 0, class 1");
    assert_fails(mopd_confusion_add(NULL, 2, logits, right, 1), MOPD_E_ARG, "confusion");
    assert_fails(mopd_confusion_get_metrics(confusion, 2, &m), MOPD_E_ARG,
        "mopd_confusion_get_metrics: struct_size of mopd_metrics is 8, not 40 to 4096");
}

/* Two classes: softmax of (x, 0) is 1 / (1 + e^-x).  Probabilities 0.75 (right), 0.75 (wrong), 0.5 (right). */
static void calibration_is_what_hands_make_of_it(void **state)
{
    (void)state;
    const float three = logf(3);
    const float logits[] = {three, 0, 0, three, 2, 2};
    const int32_t labels[] = {0, 0, 0};
    double sums[MOPD_CALIBRATION_SUMS] = {0};
    assert_ok(mopd_calibration_add(sums, 2, logits, labels, 1));
    assert_ok(mopd_calibration_add(sums, 2, logits + 2, labels + 1, 2));
    assert_true(fabs(sums[11] - 2) <= 0 && fabs(sums[7] - 1) <= 0); /* bins of 1/15: 0.75 and 0.5 */
    assert_true(fabs(sums[15 + 11] - 1) <= 0 && fabs(sums[15 + 7] - 1) <= 0);
    assert_true(fabs(sums[30 + 11] - 1.5) < 1e-6);
    assert_true(fabs(mopd_calibration_ece(sums) - 100 * (0.5 + 0.5) / 3) < 1e-5);
    assert_true(fabs(mopd_calibration_nll(sums) - (log(4.0 / 3) + log(4) + log(2)) / 3) < 1e-6);
}

static void calibration_of_sure_answers(void **state)
{
    (void)state;
    const float logits[] = {1e30f, 0, 0, 0, -1e30f, 0};
    double sums[MOPD_CALIBRATION_SUMS] = {0};
    assert_true(fabs(mopd_calibration_ece(sums)) <= 0 && fabs(mopd_calibration_nll(sums)) <= 0);
    assert_ok(mopd_calibration_add(sums, 3, logits, (const int32_t[]){0, 2}, 2));
    assert_true(fabs(sums[14] - 1) <= 0 && fabs(sums[7] - 1) <= 0); /* probabilities 1 and 1/2 */
    assert_true(
        fabs(mopd_calibration_ece(sums) - 25) < 1e-9); /* the tie goes to the first: class 0 is said */
    double before[MOPD_CALIBRATION_SUMS];
    memcpy(before, sums, sizeof sums);
    const float bad[] = {1, 2, INFINITY, 0};
    assert_fails(mopd_calibration_add(sums, 2, bad, (const int32_t[]){0, 1}, 2), MOPD_E_NUMERIC,
        "picture 1, class 0 is not finite");
    assert_fails(
        mopd_calibration_add(sums, 2, logits, (const int32_t[]){2}, 1), MOPD_E_ARG, "there are 2 classes");
    assert_memory_equal(before, sums, sizeof sums);
}

static void counting_right_ones_takes_the_first_of_equals(void **state)
{
    (void)state;
    const float logits[] = {1, 1, 0, 0, 1, 1, -1, -2, -1, 5, 5, 5};
    assert_int_equal(mo_metrics_correct(logits, 3, (const int32_t[]){0, 1, 0, 0}, 4), 4);
    assert_int_equal(mo_metrics_correct(logits, 3, (const int32_t[]){1, 2, 2, 1}, 4), 0);
    assert_int_equal(mo_metrics_correct(logits, 1, (const int32_t[]){0, 0}, 2), 2);
    assert_int_equal(mo_metrics_correct(logits, 3, NULL, 0), 0);
}

/* A picture that cannot be counted leaves all others uncounted too: the caller may go on with the matrix. */
static void a_refused_batch_counts_nothing(void **state)
{
    (void)state;
    const float logits[] = {1, 0, 0, 1, 0, NAN};
    uint32_t confusion[4] = {7, 0, 0, 7};
    const uint32_t before[4] = {7, 0, 0, 7};
    assert_fails(mopd_confusion_add(confusion, 2, logits, (const int32_t[]){0, 1, 1}, 3), MOPD_E_NUMERIC,
        "the logit of picture 2, class 1 is not a number");
    assert_memory_equal(confusion, before, sizeof before);
    assert_fails(
        mopd_confusion_add(confusion, 2, logits, (const int32_t[]){0, 1, 2}, 3), MOPD_E_ARG, "label 2");
    assert_memory_equal(confusion, before, sizeof before);
    assert_ok(mopd_confusion_add(confusion, 2, logits, (const int32_t[]){1, 1}, 2));
    assert_true(confusion[2] == 1 && confusion[3] == 8);
}

static void infinite_logits_are_larger_or_smaller_than_all(void **state)
{
    (void)state;
    const float logits[] = {0, INFINITY, -INFINITY, -5};
    uint32_t confusion[4] = {0};
    assert_ok(mopd_confusion_add(confusion, 2, logits, (const int32_t[]){1, 1}, 2));
    assert_int_equal(confusion[3], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_come_from_the_largest_logit),
        cmocka_unit_test(macro_f1_is_the_mean_over_classes_present),
        cmocka_unit_test(nothing_counted_is_zero),
        cmocka_unit_test(harmonic_mean_of_the_published_averages),
        cmocka_unit_test(the_interval_is_wilsons),
        cmocka_unit_test(bad_inputs_are_refused),
        cmocka_unit_test(calibration_is_what_hands_make_of_it),
        cmocka_unit_test(calibration_of_sure_answers),
        cmocka_unit_test(counting_right_ones_takes_the_first_of_equals),
        cmocka_unit_test(a_refused_batch_counts_nothing),
        cmocka_unit_test(infinite_logits_are_larger_or_smaller_than_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
