/* SPDX-License-Identifier: MIT
 * test_gda.c - the Gaussian discriminant head against NumPy, and what it refuses; Cholesky beside it. */
#include "test.h"

#include "../gold/gda/gda.h"
#include "math/cholesky.h"
#include "prompt/gda.h"

enum { D = 5, C = 3, N = 24 };

static const char *const names[] = {"a", "b", "c"};
static const char *const new_names[] = {"d", "e"};
static const char *const all_names[] = {"a", "b", "c", "d", "e"};
static float x[N * D], text[C * D], new_text[2 * D], all_text[5 * D], probe[4 * D];
static int32_t labels[N];

static void normalise(float *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double s = 0;
        for (size_t k = 0; k < D; k++) s += (double)rows[i * D + k] * (double)rows[i * D + k];
        for (size_t k = 0; k < D; k++) rows[i * D + k] = (float)((double)rows[i * D + k] / sqrt(s));
    }
}

static void random_rows(float *rows, size_t n, uint32_t seed)
{
    test_random(rows, n * D, seed);
    normalise(rows, n);
}

/* The features of tests/gold/gda.py: three centres and noise. */
static int make_features(void **state)
{
    (void)state;
    float centre[C * D], noise[N * D];
    test_random(centre, C * D, 1);
    test_random(noise, N * D, 2);
    for (size_t i = 0; i < N; i++) {
        labels[i] = (int32_t)(i % C);
        for (size_t k = 0; k < D; k++) x[i * D + k] = centre[i % C * D + k] + 0.5f * noise[i * D + k];
    }
    normalise(x, N);
    random_rows(text, C, 3);
    random_rows(new_text, 2, 4);
    random_rows(probe, 4, 5);
    memcpy(all_text, text, sizeof text);
    memcpy(all_text + C * D, new_text, sizeof new_text);
    return 0;
}

/* A bank by hand: this test stands below the api. */
static mopd_bank bank_of(const char *const *list, size_t n, float *features)
{
    return (mopd_bank){
        .n_classes = n, .dim = D, .scale = 20.0f, .feature = features, .name = (char **)(uintptr_t)list};
}

static mopd_gda *fitted(float alpha)
{
    mopd_bank bank = bank_of(names, C, text);
    mopd_gda *g = NULL;
    assert_ok(mopd_gda_create(&g, &bank, x, labels, N, alpha));
    return g;
}

static void known_classes_match_numpy(void **state)
{
    (void)state;
    mopd_gda *g = fitted(0.3f);
    float logits[4 * C];
    assert_ok(mopd_gda_logits(g, probe, 4, logits));
    assert_true(test_max_diff(logits, gold_known, 4 * C) < 2e-5);
    mopd_gda_free(g);
}

static void new_classes_match_numpy(void **state)
{
    (void)state;
    mopd_gda *g = fitted(0.3f), *fresh = NULL;
    mopd_bank bank = bank_of(new_names, 2, new_text);
    float logits[4 * 2];
    assert_ok(mopd_gda_create_classes(&fresh, g, &bank));
    assert_ok(mopd_gda_logits(fresh, probe, 4, logits));
    assert_true(test_max_diff(logits, gold_new, 4 * 2) < 2e-5);
    mopd_gda *further = NULL;
    assert_fails(mopd_gda_create_classes(&further, fresh, &bank), MOPD_E_STATE, "cannot meet further");
    mopd_gda_free(fresh);
    mopd_gda_free(g);
}

static void known_and_new_together_match_numpy(void **state)
{
    (void)state;
    mopd_gda *g = fitted(0.3f), *mixed = NULL;
    mopd_bank bank = bank_of(all_names, 5, all_text);
    float logits[4 * 5];
    assert_ok(mopd_gda_create_classes(&mixed, g, &bank));
    assert_ok(mopd_gda_logits(mixed, probe, 4, logits));
    assert_true(test_max_diff(logits, gold_mixed, 4 * 5) < 2e-5);
    mopd_gda_free(mixed);
    mopd_gda_free(g);
}

/* The text classifier is of no use here: only a large alpha gets the held-out pictures right. */
static void alpha_is_chosen_on_folds(void **state)
{
    (void)state;
    mopd_gda *g = fitted(-1);
    assert_true(mopd_gda_alpha(g) >= 0.1f);
    float logits[N * C];
    uint32_t confusion[C * C] = {0};
    assert_ok(mopd_gda_logits(g, x, N, logits));
    assert_ok(mopd_confusion_add(confusion, C, logits, labels, N));
    assert_true(confusion[0] + confusion[4] + confusion[8] >= 20);
    mopd_gda_free(g);
    const int32_t single[] = {0, 1, 2};
    mopd_bank bank = bank_of(names, C, text);
    assert_ok(mopd_gda_create(&g, &bank, x, single, 3, -1));
    assert_true(fabs((double)(mopd_gda_alpha(g)) - (double)(0.1f)) <= 0);
    mopd_gda_free(g);
}

/* logits (C) of picture i by a head of the others: means and scatter anew, the ridge that of all. */
static void without(const int32_t *of, size_t i, double ridge, double alpha, double logits[C])
{
    double mean[C * D] = {0}, n_c[C] = {0}, m[D * D] = {0}, w[D];
    for (size_t p = 0; p < N; p++) {
        for (size_t k = 0; k < D && p != i; k++) mean[(size_t)of[p] * D + k] += (double)x[p * D + k];
        n_c[of[p]] += p != i;
    }
    for (size_t k = 0; k < C * D; k++) mean[k] /= n_c[k / D];
    for (size_t p = 0; p < N; p++)
        for (size_t a = 0; a < D && p != i; a++)
            for (size_t b = 0; b < D; b++)
                m[a * D + b] += ((double)x[p * D + a] - mean[(size_t)of[p] * D + a]) *
                                ((double)x[p * D + b] - mean[(size_t)of[p] * D + b]);
    for (size_t k = 0; k < D; k++) m[k * D + k] += ridge;
    assert_true(mo_cholesky(m, D));
    for (size_t c = 0; c < C; c++) {
        memcpy(w, mean + c * D, sizeof w);
        mo_cholesky_solve(m, D, w);
        double t = 0, g = 0;
        for (size_t k = 0; k < D; k++) {
            t += 20 * (double)text[c * D + k] * (double)x[i * D + k];
            g += D * w[k] * ((double)x[i * D + k] - mean[c * D + k] / 2);
        }
        logits[c] = t + alpha * (g - log(C));
    }
}

static double left_out_loss(const double *logits, const int32_t *of, double t)
{
    double loss = log(t) * log(t) / N;
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (size_t c = 0; c < C; c++) sum += exp((logits[i * C + c] - logits[i * C + (size_t)of[i]]) / t);
        loss += log(sum) / N;
    }
    return loss;
}

/* A quarter of the pictures carries another's label: the softmax of the logits is far too sure. */
static void the_temperature_is_the_likeliest_of_pictures_left_out(void **state)
{
    (void)state;
    int32_t of[N];
    double logits[N * C], mean[C * D] = {0}, trace = 0;
    float row[C], p[4 * C];
    for (size_t i = 0; i < N; i++) of[i] = i % 4 == 1 ? (labels[i] + 1) % C : labels[i];
    mopd_bank bank = bank_of(names, C, text);
    mopd_gda *g = NULL;
    assert_ok(mopd_gda_create(&g, &bank, x, of, N, 10));
    memcpy(mean, g->mean, sizeof mean);
    for (size_t i = 0; i < N * D; i++) {
        const double off = (double)x[i] - mean[(size_t)of[i / D] * D + i % D];
        trace += off * off;
    }
    for (size_t i = 0; i < N; i++) without(of, i, trace / (N - 1), 10, logits + i * C);
    const double t = (double)mopd_gda_temperature(g), best = left_out_loss(logits, of, t);
    assert_true(t > 1.5);
    for (int k = -20; k <= 20; k++) assert_true(best <= left_out_loss(logits, of, t * exp(k * 0.05)) + 1e-9);
    for (int k = -1; k <= 1; k += 2) assert_true(best < left_out_loss(logits, of, t * (1 + k * 1e-3)));
    assert_ok(mopd_gda_probabilities(g, probe, 4, p));
    for (size_t i = 0; i < 4; i++) {
        double sum = 0;
        assert_ok(mopd_gda_logits(g, probe + i * D, 1, row));
        for (size_t c = 0; c < C; c++) sum += exp((double)(row[c] - row[0]) / t);
        assert_true(fabs((double)p[i * C] - 1 / sum) < 1e-5);
    }
    mopd_bank others = bank_of(all_names, 5, all_text);
    mopd_gda *more = NULL;
    assert_ok(mopd_gda_create_classes(&more, g, &others));
    assert_true(mopd_gda_temperature(more) == mopd_gda_temperature(g));
    mopd_gda_free(more);
    mopd_gda_free(g);
    const int32_t single[] = {0, 1, 2};
    assert_ok(mopd_gda_create(&g, &bank, x, single, 3, -1)); /* nothing can be left out */
    assert_true(mopd_gda_temperature(g) == 1);
    mopd_gda_free(g);
}

static void alpha_zero_is_the_text_classifier(void **state)
{
    (void)state;
    mopd_gda *g = fitted(0);
    float logits[C];
    assert_ok(mopd_gda_logits(g, probe, 1, logits));
    for (size_t c = 0; c < C; c++) {
        double want = 0;
        for (size_t k = 0; k < D; k++) want += 20.0 * (double)text[c * D + k] * (double)probe[k];
        assert_true(fabs((double)(logits[c]) - (double)(want)) <= 1e-5);
    }
    mopd_gda_free(g);
}

static void bad_inputs_are_refused(void **state)
{
    (void)state;
    mopd_bank bank = bank_of(names, C, text);
    mopd_gda *g = NULL;
    int32_t wrong[N];
    memcpy(wrong, labels, sizeof wrong);
    wrong[5] = 3;
    assert_fails(mopd_gda_create(&g, &bank, x, wrong, N, 1), MOPD_E_ARG, "label 5 is 3, there are 3 classes");
    for (size_t i = 0; i < N; i++) wrong[i] = (int32_t)(i % 2);
    assert_fails(mopd_gda_create(&g, &bank, x, wrong, N, 1), MOPD_E_ARG, "class 'c' has no feature");
    assert_fails(mopd_gda_create(&g, &bank, x, wrong, 0, 1), MOPD_E_ARG, "mopd_gda_create: n is 0");
    assert_fails(mopd_gda_create(&g, &bank, x, labels, N, NAN), MOPD_E_ARG, "alpha");
    float nan_row[D] = {NAN};
    assert_fails(mopd_gda_create(&g, &bank, nan_row, labels, 1, 1), MOPD_E_NUMERIC, "not finite");
    assert_null(g);
    mopd_gda_free(NULL);
}

static void one_picture_alone_and_in_a_batch_is_the_same(void **state)
{
    (void)state;
    mopd_gda *g = fitted(0.3f);
    float all[4 * C], one[C];
    assert_ok(mopd_gda_logits(g, probe, 4, all));
    for (size_t i = 0; i < 4; i++) {
        assert_ok(mopd_gda_logits(g, probe + i * D, 1, one));
        assert_memory_equal(one, all + i * C, sizeof one);
    }
    mopd_gda_free(g);
}

/* Sums are in the order of the pictures, so another order may differ in the last bits and no more. */
static void the_order_of_pictures_does_not_matter(void **state)
{
    (void)state;
    float turned[N * D], a[4 * C], b[4 * C];
    int32_t of[N];
    for (size_t i = 0; i < N; i++) {
        memcpy(turned + i * D, x + (N - 1 - i) * D, D * sizeof *x);
        of[i] = labels[N - 1 - i];
    }
    mopd_bank bank = bank_of(names, C, text);
    mopd_gda *g = fitted(0.3f), *h = NULL;
    assert_ok(mopd_gda_create(&h, &bank, turned, of, N, 0.3f));
    assert_ok(mopd_gda_logits(g, probe, 4, a));
    assert_ok(mopd_gda_logits(h, probe, 4, b));
    assert_true(test_max_diff(a, b, 4 * C) < 1e-4);
    mopd_gda_free(g);
    mopd_gda_free(h);
}

/* One picture a class: nothing varies, the covariance is a multiple of the identity. */
static void single_pictures_are_nearest_means(void **state)
{
    (void)state;
    const int32_t own[] = {0, 1, 2};
    mopd_bank bank = bank_of(names, C, text);
    mopd_gda *g = NULL;
    float logits[C * C];
    assert_ok(mopd_gda_create(&g, &bank, x, own, C, 1000));
    assert_ok(mopd_gda_logits(g, x, C, logits));
    for (size_t i = 0; i < C; i++)
        for (size_t c = 0; c < C; c++) assert_true(c == i || logits[i * C + i] > logits[i * C + c]);
    mopd_gda_free(g);
}

static void a_head_owns_what_it_was_fitted_to(void **state)
{
    (void)state;
    float features[N * D], own_text[C * D], before[4 * C], after[4 * C], new_logits[4 * 2], again[4 * 2];
    memcpy(features, x, sizeof features);
    memcpy(own_text, text, sizeof own_text);
    mopd_bank bank = bank_of(names, C, own_text), others = bank_of(new_names, 2, new_text);
    mopd_gda *g = NULL, *fresh = NULL;
    assert_ok(mopd_gda_create(&g, &bank, features, labels, N, 0.3f));
    assert_ok(mopd_gda_logits(g, probe, 4, before));
    assert_ok(mopd_gda_create_classes(&fresh, g, &others));
    assert_ok(mopd_gda_logits(fresh, probe, 4, new_logits));
    mopd_gda_free(fresh);
    memset(features, 0, sizeof features);
    memset(own_text, 0, sizeof own_text);
    assert_ok(mopd_gda_logits(g, probe, 4, after));
    assert_memory_equal(before, after, sizeof before);
    assert_ok(mopd_gda_create_classes(&fresh, g, &others));
    mopd_gda_free(g); /* a head of new classes needs the old one no more */
    assert_ok(mopd_gda_logits(fresh, probe, 4, again));
    assert_memory_equal(new_logits, again, sizeof again);
    mopd_gda_free(fresh);
}

/* Of training features that are equally near the earlier ones are taken, so the head is the same on every machine. */
static void equal_neighbours_are_taken_in_order(void **state)
{
    (void)state;
    enum { MANY = 80 };
    static float many[MANY * D];
    static int32_t of[MANY];
    for (size_t i = 0; i < MANY; i++) {
        memcpy(many + i * D, x + i % 8 * D, D * sizeof *x);
        of[i] = (int32_t)(i % C);
    }
    mopd_bank bank = bank_of(names, C, text), others = bank_of(new_names, 2, new_text);
    mopd_gda *g = NULL, *a = NULL, *b = NULL;
    float first[4 * 2], second[4 * 2];
    assert_ok(mopd_gda_create(&g, &bank, many, of, MANY, 0.3f));
    assert_ok(mopd_gda_create_classes(&a, g, &others));
    assert_ok(mopd_gda_create_classes(&b, g, &others));
    assert_ok(mopd_gda_logits(a, probe, 4, first));
    assert_ok(mopd_gda_logits(b, probe, 4, second));
    assert_memory_equal(first, second, sizeof first);
    assert_memory_equal(a->mean, b->mean, 2 * D * sizeof(double));
    mopd_gda *all[] = {g, a, b};
    for (size_t i = 0; i < 3; i++) mopd_gda_free(all[i]);
}

static void new_classes_that_cannot_be_met_are_refused(void **state)
{
    (void)state;
    mopd_gda *g = fitted(0.3f), *out = NULL;
    mopd_bank wide = bank_of(new_names, 2, new_text);
    wide.dim = D - 1;
    assert_fails(
        mopd_gda_create_classes(&out, g, &wide), MOPD_E_MISMATCH, "features are 4 wide, the head's 5");
    mopd_gda_free(g);
    float same[6 * D];
    const int32_t of[] = {0, 1, 2, 0, 1, 2};
    for (size_t i = 0; i < 6; i++) memcpy(same + i * D, new_text, D * sizeof *same);
    mopd_bank bank = bank_of(names, C, text), fresh = bank_of(new_names, 1, new_text);
    assert_ok(mopd_gda_create(&g, &bank, same, of, 6, 0.3f));
    assert_fails(
        mopd_gda_create_classes(&out, g, &fresh), MOPD_E_NUMERIC, "neighbours of a new class do not vary");
    assert_null(out);
    mopd_gda_free(g);
}

static void cholesky_solves(void **state)
{
    (void)state;
    double a[16] = {4, 0, 0, 0, 2, 5, 0, 0, -1, 1, 6, 0, 0.5, 2, 1, 7};
    const double full[16] = {4, 2, -1, 0.5, 2, 5, 1, 2, -1, 1, 6, 1, 0.5, 2, 1, 7};
    const double want[4] = {1, -2, 3, 0.25};
    double b[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) b[i] += full[i * 4 + k] * want[k];
    }
    assert_true(mo_cholesky(a, 4));
    mo_cholesky_solve(a, 4, b);
    for (size_t i = 0; i < 4; i++) assert_true(fabs((double)(b[i]) - (double)(want[i])) <= 1e-12);
    double indefinite[4] = {1, 0, 2, 1};
    assert_false(mo_cholesky(indefinite, 2));
}

static mopd_status whole_way(void *ctx)
{
    (void)ctx;
    mopd_bank bank = bank_of(names, C, text), others = bank_of(new_names, 2, new_text);
    mopd_gda *g = NULL, *fresh = NULL;
    mopd_status st = mopd_gda_create(&g, &bank, x, labels, N, -1);
    if (st == MOPD_OK) st = mopd_gda_create_classes(&fresh, g, &others);
    mopd_gda_free(g);
    mopd_gda_free(fresh);
    return st;
}

static void gda_survives_lack_of_memory(void **state)
{
    (void)state;
    test_torture(whole_way, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_classes_match_numpy),
        cmocka_unit_test(new_classes_match_numpy),
        cmocka_unit_test(known_and_new_together_match_numpy),
        cmocka_unit_test(alpha_is_chosen_on_folds),
        cmocka_unit_test(the_temperature_is_the_likeliest_of_pictures_left_out),
        cmocka_unit_test(alpha_zero_is_the_text_classifier),
        cmocka_unit_test(bad_inputs_are_refused),
        cmocka_unit_test(one_picture_alone_and_in_a_batch_is_the_same),
        cmocka_unit_test(the_order_of_pictures_does_not_matter),
        cmocka_unit_test(single_pictures_are_nearest_means),
        cmocka_unit_test(a_head_owns_what_it_was_fitted_to),
        cmocka_unit_test(equal_neighbours_are_taken_in_order),
        cmocka_unit_test(new_classes_that_cannot_be_met_are_refused),
        cmocka_unit_test(cholesky_solves),
        cmocka_unit_test(gda_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make_features, NULL);
}
