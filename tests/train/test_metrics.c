/* SPDX-License-Identifier: MIT
 * test_metrics.c - accuracy, macro F1 and confusion against numbers worked out by hand. */
#include "test.h"

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

/* scikit-learn: f1_score([0,0,1,1,1,2], [0,1,1,1,2,0], average="macro", labels=[0,1,2]) = (1/2 + 2/3 + 0)
 * / 3 */
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
    assert_fails(mopd_confusion_get_metrics(confusion, 2, &m), MOPD_E_ARG, "struct_size is 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_come_from_the_largest_logit),
        cmocka_unit_test(macro_f1_is_the_mean_over_classes_present),
        cmocka_unit_test(nothing_counted_is_zero),
        cmocka_unit_test(harmonic_mean_of_the_published_averages),
        cmocka_unit_test(bad_inputs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
