/* SPDX-License-Identifier: MIT
 * test_recognizer_doctor.c - what pictures left out tell of the data: probabilities, alarms, what more pictures bring. */
#include "test.h"

#include <math.h>

#include "mopd/mopd.h"
#include "support/tiny.h"

enum { PER_CLASS = 12, C = TINY_CLASSES, N = C * PER_CLASS };

static float x[N * TINY_DIM], p[N * C];
static int32_t y[N];
static mopd_encoder *encoder;

static int open_encoder(void **state)
{
    (void)state;
    encoder = tiny_open(1, 2);
    tiny_features(encoder, PER_CLASS, 1, 5, x, y);
    return 0;
}

static int close_encoder(void **state)
{
    (void)state;
    mopd_encoder_close(encoder);
    return 0;
}

static mopd_recognizer *fitted(const float *features, const int32_t *labels, size_t n)
{
    mopd_recognizer *r;
    assert_ok(mopd_recognizer_create(&r, encoder, tiny_classes, C, features, labels, n, NULL));
    return r;
}

static double alarms(const mopd_recognizer *r, double probability)
{
    double share;
    assert_ok(mopd_recognizer_alarms(r, probability, &share));
    return share;
}

/* Every row adds up to 1; its best class gives the accuracy, its own class the suspects' probability. */
static void left_out_is_what_accuracy_and_suspects_come_from(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(x, y, N);
    mopd_recognizer_info info = {.struct_size = sizeof info};
    mopd_suspect s[N];
    size_t n = N, right = 0;
    assert_ok(mopd_recognizer_get_info(r, &info));
    assert_ok(mopd_recognizer_left_out(r, p));
    assert_ok(mopd_recognizer_suspects(r, s, &n));
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        size_t best = 0;
        for (size_t c = 0; c < C; c++) {
            sum += (double)p[i * C + c];
            best = p[i * C + c] > p[i * C + best] ? c : best;
        }
        assert_true(fabs(sum - 1) < 1e-5);
        right += best == (size_t)y[i];
    }
    assert_true(fabs((double)right / N - info.loo_accuracy) < 1e-12);
    assert_int_equal(n, N - right);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs((double)p[s[i].index * C + (size_t)s[i].label] - s[i].probability) < 1e-6);
    mopd_recognizer_close(r);
}

static void alarms_are_the_mass_of_small_probabilities(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(x, y, N);
    assert_ok(mopd_recognizer_left_out(r, p));
    double want = 0, before = 0;
    for (size_t i = 0; i < N * C; i++) want += p[i] < 0.2F ? (double)p[i] / N : 0;
    assert_true(want > 0 && fabs(alarms(r, 0.2) - want) < 1e-6);
    assert_true(alarms(r, 0) <= 0);
    for (double t = 0; t <= 1; t += 0.05) {
        assert_true(alarms(r, t) >= before);
        before = alarms(r, t);
    }
    assert_true(before <= 1 && alarms(r, 1) <= 1);
    assert_fails(mopd_recognizer_alarms(r, 1.5, &want), MOPD_E_ARG, "probability is 1.5");
    assert_fails(mopd_recognizer_alarms(r, (double)NAN, &want), MOPD_E_ARG, "probability");
    mopd_recognizer_close(r);
}

/* Pictures that lie at random around their class's middle in many directions: more of them help until they are many. */
static mopd_recognizer *noisy(size_t per_class, float noise)
{
    static float f[64 * C * TINY_DIM];
    static int32_t label[64 * C];
    const size_t n = per_class * C;
    for (size_t i = 0; i < n; i++) {
        double length = 0;
        label[i] = (int32_t)(i % C);
        for (size_t k = 0; k < TINY_DIM; k++) {
            const float wave = sinf((float)(i * 37 + k * 101) * 12.9898F) * 43758.5453F;
            const float u = wave - floorf(wave) - 0.5F;
            f[i * TINY_DIM + k] = (k % C == i % C) + noise * u;
            length += (double)(f[i * TINY_DIM + k] * f[i * TINY_DIM + k]);
        }
        for (size_t k = 0; k < TINY_DIM; k++) f[i * TINY_DIM + k] /= (float)sqrt(length);
    }
    return fitted(f, label, n);
}

static void more_pictures_promise_less_where_all_is_right(void **state)
{
    (void)state;
    double low, high;
    mopd_recognizer *easy = noisy(16, 0.5F), *hard = noisy(4, 6);
    assert_ok(mopd_recognizer_more(easy, &low, &high));
    assert_true(low >= 0 && low <= high && high < 0.01); /* nothing is left to gain */
    assert_ok(mopd_recognizer_more(hard, &low, &high));
    assert_true(low >= 0 && low <= high && high >= 0.03 && high <= 1);
    double again[2];
    assert_ok(mopd_recognizer_more(hard, &again[0], &again[1]));
    assert_true(again[0] == low && again[1] == high);
    mopd_recognizer_close(easy);
    mopd_recognizer_close(hard);
}

static void too_few_pictures_tell_nothing(void **state)
{
    (void)state;
    double low, high;
    mopd_recognizer *three = noisy(3, 1), *one = noisy(1, 1), *none = fitted(NULL, NULL, 0);
    assert_fails(mopd_recognizer_more(three, &low, &high), MOPD_E_STATE, "with 3 pictures a class");
    assert_fails(mopd_recognizer_more(none, &low, &high), MOPD_E_STATE, "with 0 pictures a class");
    assert_fails(mopd_recognizer_left_out(one, p), MOPD_E_STATE, "nothing can be left out");
    assert_fails(mopd_recognizer_alarms(one, 0.1, &low), MOPD_E_STATE, "nothing can be left out");
    assert_fails(mopd_recognizer_left_out(none, p), MOPD_E_STATE, "nothing can be left out");
    mopd_recognizer_close(three);
    mopd_recognizer_close(one);
    mopd_recognizer_close(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(left_out_is_what_accuracy_and_suspects_come_from),
        cmocka_unit_test(alarms_are_the_mass_of_small_probabilities),
        cmocka_unit_test(more_pictures_promise_less_where_all_is_right),
        cmocka_unit_test(too_few_pictures_tell_nothing),
    };
    return cmocka_run_group_tests(tests, open_encoder, close_encoder);
}
