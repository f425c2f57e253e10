/* SPDX-License-Identifier: MIT
 * test_doctor_noise.c - the share of wrong labels and the sharpness that mopd doctor finds from probabilities alone, where both
 * are known because the labels were drawn from them. */
#include "test.h"

#include "doctor.h"

enum { CLASSES = 6, PICTURES = 600, MANY = 5000 };

void *cli_alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    assert_non_null(p);
    return p;
}

static double uniform(uint64_t *s)
{
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*s >> 11) / 9007199254740992.0;
}

static size_t drawn(const double *q, uint64_t *s)
{
    double left = uniform(s);
    size_t c = 0;
    while (c + 1 < CLASSES && (left -= q[c]) > 0) c++;
    return c;
}

/* What a doctor holds of n pictures.  The truth follows q; a share of the labels is another class's; what is told of each
 * picture is q to the power of 1 / sharpness. */
typedef struct drawing {
    doctor d;
    float *row;
    int32_t *label;
    bool *wrong;
} drawing;

static drawing draw(size_t n, double share, double sharpness)
{
    drawing w = {.row = cli_alloc(n * CLASSES, sizeof *w.row),
        .label = cli_alloc(n, sizeof *w.label),
        .wrong = cli_alloc(n, sizeof *w.wrong)};
    uint64_t s = 11;
    for (size_t i = 0; i < n; i++) {
        double q[CLASSES], sum = 0, told = 0;
        for (size_t c = 0; c < CLASSES; c++) sum += q[c] = exp(12 * uniform(&s));
        for (size_t c = 0; c < CLASSES; c++) told += pow(q[c] /= sum, 1 / sharpness);
        for (size_t c = 0; c < CLASSES; c++)
            w.row[i * CLASSES + c] = (float)(pow(q[c], 1 / sharpness) / told);
        const size_t truth = drawn(q, &s);
        w.wrong[i] = uniform(&s) < share;
        w.label[i] =
            (int32_t)(w.wrong[i] ? (truth + 1 + (size_t)(uniform(&s) * (CLASSES - 1))) % CLASSES : truth);
    }
    w.d = (doctor){.n = n, .n_classes = CLASSES, .row = w.row, .label = w.label};
    doctor_noise_fit(&w.d);
    return w;
}

static void drop(drawing *w)
{
    free(w->row);
    free(w->label);
    free(w->wrong);
}

/* Of pictures whose labels are wrong, or right, the share that rather is wrong. */
static double listed(const drawing *w, bool wrong)
{
    size_t n = 0, of = 0;
    for (size_t i = 0; i < w->d.n; i++) {
        if (w->wrong[i] != wrong) continue;
        of++;
        n += doctor_noise_of(&w->d, i) > 0.5;
    }
    return of ? (double)n / (double)of : 0;
}

static void the_share_of_wrong_labels_is_found_and_they_too(void **state)
{
    (void)state;
    static const double shares[] = {0.05, 0.1, 0.2}, sharp[] = {0.5, 1, 3};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++) {
            drawing w = draw(PICTURES, shares[i], sharp[k]);
            if (fabs(w.d.wrong - shares[i]) > 0.04)
                fail_msg("share %g of wrong labels at sharpness %g, not %g", w.d.wrong, sharp[k], shares[i]);
            if (fabs(log(w.d.sharpness / sharp[k])) > 0.4)
                fail_msg("sharpness %g, not %g, with %g wrong", w.d.sharpness, sharp[k], shares[i]);
            assert_true(listed(&w, true) > 0.6);
            assert_true(listed(&w, false) < 0.05);
            drop(&w);
        }
}

static void right_labels_are_not_listed(void **state)
{
    (void)state;
    drawing w = draw(PICTURES, 0, 1);
    assert_true(w.d.wrong < 0.01);
    assert_true(listed(&w, false) < 0.005);
    drop(&w);
}

static void some_of_very_many_pictures_tell_the_same(void **state)
{
    (void)state;
    drawing w = draw(MANY, 0.1, 2);
    assert_true(fabs(w.d.wrong - 0.1) < 0.03);
    assert_true(listed(&w, true) > 0.6 && listed(&w, false) < 0.02);
    drop(&w);
}

static void certainty_is_no_trap(void **state)
{
    (void)state;
    float row[4 * CLASSES] = {0};
    const int32_t label[4] = {0, 1, 2, 3};
    for (size_t i = 0; i < 4; i++)
        row[i * CLASSES + (i < 3 ? i : 0)] = 1; /* the last label has probability 0 */
    doctor d = {.n = 4, .n_classes = CLASSES, .row = row, .label = label};
    doctor_noise_fit(&d);
    assert_true(d.wrong > 0 && d.wrong < 1 && d.sharpness > 0 && isfinite(d.sharpness));
    for (size_t i = 0; i < 3; i++) assert_true(doctor_noise_of(&d, i) < 0.01);
    assert_true(doctor_noise_of(&d, 3) > 0.99);
}

static void one_class_and_no_picture_have_no_wrong_label(void **state)
{
    (void)state;
    float row[2] = {1, 1};
    const int32_t label[2] = {0, 0};
    doctor d = {.n = 2, .n_classes = 1, .row = row, .label = label};
    doctor_noise_fit(&d);
    assert_true(d.wrong == 0 && d.sharpness == 1 && doctor_noise_of(&d, 0) == 0);
    d = (doctor){.n = 0, .n_classes = CLASSES, .row = row, .label = label};
    doctor_noise_fit(&d);
    assert_true(d.wrong == 0 && d.sharpness == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_of_wrong_labels_is_found_and_they_too),
        cmocka_unit_test(right_labels_are_not_listed),
        cmocka_unit_test(some_of_very_many_pictures_tell_the_same),
        cmocka_unit_test(certainty_is_no_trap),
        cmocka_unit_test(one_class_and_no_picture_have_no_wrong_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
