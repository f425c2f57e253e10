/* SPDX-License-Identifier: MIT
 * test_recognizer.c - recognisers as programs see them: extended, withdrawn from, shown for other classes, saved, judged. */
#include "test.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/rng.h"
#include "mopd/mopd.h"
#include "prompt/recognizer_handle.h"
#include "support/tiny.h"

enum { PER_CLASS = 12, N = TINY_CLASSES * PER_CLASS, VIEWED = TINY_CLASSES * 8 };

static float x[N * TINY_DIM], probe[30 * TINY_DIM];
static int32_t y[N], probe_y[30];
static float viewed[VIEWED * 2 * TINY_DIM];
static int32_t viewed_y[VIEWED];
static mopd_encoder *encoder;

static int open_encoder(void **state)
{
    (void)state;
    encoder = tiny_open(1, 2);
    tiny_features(encoder, PER_CLASS, 1, 3, x, y);
    tiny_features(encoder, 5, 1, 77, probe, probe_y);
    tiny_features(encoder, 8, 2, 3, viewed, viewed_y);
    return 0;
}

static int close_encoder(void **state)
{
    (void)state;
    mopd_encoder_close(encoder);
    return 0;
}

static mopd_recognizer_options standard(void)
{
    mopd_recognizer_options o;
    assert_ok(mopd_recognizer_options_init(&o, sizeof o));
    return o;
}

static mopd_recognizer *fitted(const mopd_recognizer_options *o, size_t n)
{
    mopd_recognizer *r;
    assert_ok(mopd_recognizer_create(&r, encoder, tiny_classes, TINY_CLASSES, x, y, n, o));
    return r;
}

static mopd_recognizer_info info_of(const mopd_recognizer *r)
{
    mopd_recognizer_info i = {.struct_size = sizeof i};
    assert_ok(mopd_recognizer_get_info(r, &i));
    return i;
}

static void same_weights(const mopd_recognizer *a, const mopd_recognizer *b, double most)
{
    const size_t n = a->data.n_classes * a->data.dim;
    assert_int_equal(a->data.n_classes, b->data.n_classes);
    for (size_t i = 0; i < n; i++) {
        const double p = a->fit.weight[i], q = b->fit.weight[i];
        if (!(fabs(p - q) <= most * (1 + fabs(q)))) fail_msg("weight %zu: %.17g, not %.17g", i, p, q);
    }
}

static void the_true_class_is_found_and_probabilities_add_up(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(NULL, N);
    float p[30 * TINY_CLASSES], z[30 * TINY_CLASSES];
    mopd_match best[30 * 2];
    assert_ok(mopd_recognizer_probabilities(r, probe, 30, p));
    assert_ok(mopd_recognizer_logits(r, probe, 30, z));
    assert_ok(mopd_recognizer_top(r, probe, 30, 2, best));
    int right = 0;
    for (int i = 0; i < 30; i++) {
        double sum = 0;
        for (int c = 0; c < TINY_CLASSES; c++) sum += (double)p[i * TINY_CLASSES + c];
        assert_true(fabs(sum - 1) < 1e-5);
        right += best[2 * i].index == (uint32_t)probe_y[i];
        assert_true(best[2 * i].probability >= best[2 * i + 1].probability);
        assert_true(best[2 * i].logit == z[i * TINY_CLASSES + (int)best[2 * i].index]);
    }
    assert_true(right >= 27);
    mopd_recognizer_info i = info_of(r);
    assert_int_equal(i.n_pictures, N);
    assert_int_equal(i.n_classes, TINY_CLASSES);
    assert_true(i.loo_low <= i.loo_accuracy && i.loo_accuracy <= i.loo_high && i.loo_accuracy > 0.8);
    assert_string_equal(mopd_recognizer_class_name(r, 2), tiny_classes[2]);
    assert_null(mopd_recognizer_class_name(r, TINY_CLASSES));
    mopd_recognizer_close(r);
}

static void without_pictures_it_is_the_text_classifier(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(NULL, 0);
    mopd_bank *bank;
    float z[30 * TINY_CLASSES], want[30 * TINY_CLASSES];
    assert_ok(mopd_bank_create(&bank, encoder, tiny_classes, TINY_CLASSES, NULL, 0));
    assert_ok(mopd_bank_logits(bank, probe, 30, want));
    assert_ok(mopd_recognizer_logits(r, probe, 30, z));
    assert_true(test_max_diff(z, want, 30 * TINY_CLASSES) < 1e-4);
    assert_true(info_of(r).loo_accuracy < 0);
    mopd_recognizer *more;
    assert_ok(mopd_recognizer_extend(&more, r, x, y, N, 0)); /* the first pictures choose the settings */
    mopd_recognizer *whole = fitted(NULL, N);
    same_weights(more, whole, 1e-9);
    mopd_recognizer_close(r);
    mopd_recognizer_close(more);
    mopd_recognizer_close(whole);
    mopd_bank_free(bank);
}

static void extending_equals_fitting_anew(void **state)
{
    (void)state;
    mopd_recognizer_options o = standard();
    o.kappa = 3;
    o.lambda = 0.5;
    o.text_weight = 0.3;
    o.picture_weight = 0.08;
    mopd_recognizer *whole = fitted(&o, N), *part = fitted(&o, N - 20), *more, *back;
    assert_ok(mopd_recognizer_extend(&more, part, x + (N - 20) * TINY_DIM, y + N - 20, 20, 0));
    same_weights(more, whole, 1e-9);
    size_t last[20];
    for (size_t i = 0; i < 20; i++) last[i] = N - 20 + i;
    assert_ok(mopd_recognizer_withdraw(&back, more, last, 20, 0));
    same_weights(back, part, 1e-9);
    mopd_recognizer *again;
    assert_ok(mopd_recognizer_extend(
        &again, back, x + (N - 20) * TINY_DIM, y + N - 20, 20, MOPD_RECOGNIZER_CHOOSE));
    mopd_recognizer *chosen = fitted(NULL, N);
    same_weights(again, chosen, 1e-8);
    mopd_recognizer *all[] = {whole, part, more, back, again, chosen};
    for (int i = 0; i < 6; i++) mopd_recognizer_close(all[i]);
}

/* n pictures of two views each. */
static mopd_recognizer *fitted_to_views(const float *views, double weight, size_t n)
{
    mopd_recognizer_options o = standard();
    mopd_recognizer *r;
    o.n_views = 2;
    o.view_weight = weight;
    assert_ok(mopd_recognizer_create(&r, encoder, tiny_classes, TINY_CLASSES, views, viewed_y, n, &o));
    return r;
}

/* Pictures whose views differ far in one direction, which means nothing. */
static void draw_off(float *views)
{
    for (size_t k = 0; k < 2 * VIEWED; k++) {
        const float *from = viewed + k / 2 * 2 * TINY_DIM;
        float *to = views + k * TINY_DIM;
        double sum = 0;
        for (size_t d = 0; d < TINY_DIM; d++) {
            to[d] = from[d] + (d ? 0 : (k % 2 ? -1.0f : 1.0f) * (k / 2 % 3 ? 1.5f : -1.2f));
            sum += (double)to[d] * (double)to[d];
        }
        for (size_t d = 0; d < TINY_DIM; d++) to[d] /= (float)sqrt(sum);
    }
}

static void views_are_used_where_they_help(void **state)
{
    (void)state;
    static float off[VIEWED * 2 * TINY_DIM];
    draw_off(off);
    mopd_recognizer *r = fitted_to_views(off, 0, VIEWED), *one;
    mopd_recognizer_info i = info_of(r), j;
    assert_true(i.n_views == 2 && i.view_weight == 2 && i.n_pictures == VIEWED);
    mopd_recognizer_close(r);
    static float mixed[VIEWED * 2 * TINY_DIM], firsts[VIEWED * TINY_DIM];
    for (size_t k = 0; k < VIEWED; k++) { /* a second view that is another class's picture does not help */
        const float *first = viewed + 2 * k * TINY_DIM, *other = viewed + 2 * ((k + 8) % VIEWED) * TINY_DIM;
        memcpy(mixed + 2 * k * TINY_DIM, first, TINY_DIM * sizeof *first);
        memcpy(mixed + (2 * k + 1) * TINY_DIM, other, TINY_DIM * sizeof *other);
        memcpy(firsts + k * TINY_DIM, first, TINY_DIM * sizeof *first);
    }
    assert_ok(
        mopd_recognizer_create(&one, encoder, tiny_classes, TINY_CLASSES, firsts, viewed_y, VIEWED, NULL));
    r = fitted_to_views(mixed, 0, VIEWED);
    i = info_of(r);
    j = info_of(one);
    assert_true(i.n_views == 1 && i.view_weight == 0);
    assert_memory_equal(&i, &j, sizeof i);
    same_weights(r, one, 0);
    mopd_recognizer_close(r);
    mopd_recognizer_close(one);
    r = fitted_to_views(mixed, 0, 20); /* few pictures cannot tell */
    assert_true(info_of(r).n_views == 2);
    mopd_recognizer_close(r);
}

static void views_are_extended_withdrawn_and_saved(void **state)
{
    (void)state;
    const char *path = test_path("views.safetensors");
    const size_t n = VIEWED, last[] = {VIEWED - 1};
    const float *x_last = viewed + 2 * (VIEWED - 1) * TINY_DIM;
    mopd_recognizer *part = fitted_to_views(viewed, 2, n - 1), *more, *back, *again, *alike, *none;
    assert_ok(mopd_recognizer_extend_views(&more, part, x_last, 2, viewed_y + n - 1, 1, 0));
    assert_ok(mopd_recognizer_withdraw(&back, more, last, 1, 0));
    same_weights(back, part, 1e-9);
    assert_ok(mopd_recognizer_save(more, path));
    assert_ok(mopd_recognizer_open(&again, path, encoder));
    const mopd_recognizer_info i = info_of(more), j = info_of(again);
    assert_memory_equal(&i, &j, sizeof i);
    assert_true(i.n_views == 2 && i.n_pictures == n);
    mopd_recognizer *once, *twice;
    assert_ok(mopd_recognizer_withdraw(&once, again, last, 1, MOPD_RECOGNIZER_CHOOSE));
    assert_ok(mopd_recognizer_withdraw(&twice, more, last, 1, MOPD_RECOGNIZER_CHOOSE));
    same_weights(once, twice, 0);
    float both[2 * TINY_DIM]; /* one view stands for two */
    for (size_t k = 0; k < 2; k++) memcpy(both + k * TINY_DIM, x_last, sizeof both / 2);
    assert_ok(mopd_recognizer_extend(&alike, part, both, viewed_y + n - 1, 1, 0));
    assert_ok(mopd_recognizer_extend_views(&none, part, both, 2, viewed_y + n - 1, 1, 0));
    same_weights(alike, none, 0);
    mopd_recognizer *all[] = {part, more, back, again, once, twice, alike, none};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) mopd_recognizer_close(all[k]);
    mopd_recognizer *plain = fitted(NULL, N);
    assert_fails(mopd_recognizer_extend_views(&none, plain, x, 2, y, 1, 0), MOPD_E_ARG,
        "n_views is 2, the recogniser learned from 1 of each picture");
    mopd_recognizer_close(plain);
}

static void a_whole_class_may_be_withdrawn(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(NULL, N), *less;
    size_t gone[PER_CLASS];
    for (size_t i = 0; i < PER_CLASS; i++) gone[i] = i;
    assert_ok(mopd_recognizer_withdraw(&less, r, gone, PER_CLASS, 0));
    assert_int_equal(info_of(less).n_pictures, N - PER_CLASS);
    assert_int_equal(info_of(less).n_classes, TINY_CLASSES); /* answered by its name now */
    float z[TINY_CLASSES];
    assert_ok(mopd_recognizer_logits(less, probe, 1, z));
    for (int c = 0; c < TINY_CLASSES; c++) assert_true(isfinite(z[c]));
    mopd_recognizer_close(r);
    mopd_recognizer_close(less);
}

static void new_names_stand_beside_old_ones(void **state)
{
    (void)state;
    const char *const names[] = {tiny_classes[3], "a new one", tiny_classes[0]};
    mopd_recognizer *r = fitted(NULL, N), *other;
    assert_ok(mopd_recognizer_with_classes(&other, r, encoder, names, 3));
    float z[30 * TINY_CLASSES], w[30 * 3];
    assert_ok(mopd_recognizer_logits(r, probe, 30, z));
    assert_ok(mopd_recognizer_logits(other, probe, 30, w));
    for (int i = 0; i < 30; i++) { /* a class that it knows answers as before */
        assert_true(fabsf(w[3 * i] - z[i * TINY_CLASSES + 3]) < 1e-4f);
        assert_true(fabsf(w[3 * i + 2] - z[i * TINY_CLASSES]) < 1e-4f);
    }
    assert_string_equal(mopd_recognizer_class_name(other, 1), "a new one");
    assert_int_equal(info_of(other).n_classes, 3);
    mopd_recognizer *taught; /* and the new one learns from its first picture */
    const int32_t label = TINY_CLASSES;
    assert_ok(mopd_recognizer_extend(&taught, other, probe, &label, 1, 0));
    float after[3];
    assert_ok(mopd_recognizer_logits(taught, probe, 1, after));
    assert_true(after[1] > w[1]);
    mopd_encoder *stranger = tiny_open(2, 1);
    mopd_recognizer *none;
    assert_fails(
        mopd_recognizer_with_classes(&none, r, stranger, names, 3), MOPD_E_MISMATCH, "made with the model");
    mopd_encoder_close(stranger);
    mopd_recognizer_close(r);
    mopd_recognizer_close(other);
    mopd_recognizer_close(taught);
}

static void names_that_are_one_to_the_model_are_refused(void **state)
{
    (void)state;
    const char *names[TINY_CLASSES + 2], *const hidden[] = {"other", "A_New one"};
    for (int c = 0; c < TINY_CLASSES; c++) names[c] = tiny_classes[c];
    names[TINY_CLASSES] = "A new ONE";
    names[TINY_CLASSES + 1] = "a_new one";
    mopd_recognizer *r = fitted(NULL, N), *wide, *none = NULL;
    assert_fails(mopd_recognizer_create(&none, encoder, names, TINY_CLASSES + 2, x, y, N, NULL), MOPD_E_ARG,
        "\"a_new one\", is the same words to a model as class");
    assert_fails(mopd_recognizer_with_classes(&none, r, encoder, names, TINY_CLASSES + 2), MOPD_E_ARG,
        "\"a_new one\", is the same words to a model as class");
    assert_ok(mopd_recognizer_with_classes(&wide, r, encoder, names, TINY_CLASSES + 1));
    assert_fails(mopd_recognizer_with_classes(&none, wide, encoder, hidden, 2), MOPD_E_ARG,
        "\"A_New one\" is the same words to a model as \"A new ONE\", which the recogniser knows");
    assert_null(none);
    mopd_recognizer_close(wide);
    mopd_recognizer_close(r);
}

static void bad_arguments_are_named(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(NULL, N), *none;
    mopd_recognizer_options o = standard();
    int32_t wrong = TINY_CLASSES;
    float zero[TINY_DIM] = {0};
    const size_t far = N, twice[2] = {3, 3};
    assert_fails(mopd_recognizer_extend(&none, r, x, &wrong, 1, 0), MOPD_E_ARG, "label");
    assert_fails(mopd_recognizer_extend(&none, r, zero, y, 1, 0), MOPD_E_ARG, "feature 0");
    assert_fails(mopd_recognizer_extend(&none, r, x, y, 1, 2), MOPD_E_VERSION, "flags");
    assert_fails(mopd_recognizer_withdraw(&none, r, &far, 1, 0), MOPD_E_ARG, "picture 72 of 72");
    assert_fails(mopd_recognizer_withdraw(&none, r, twice, 2, 0), MOPD_E_ARG, "twice");
    assert_null(none);
    static const double bad[] = {-1, 0, 1, 2, NAN, INFINITY};
    for (size_t i = 0; i < 6; i++) {
        o = standard();
        o.keep = bad[i];
        assert_fails(
            mopd_recognizer_create(&none, encoder, tiny_classes, 2, x, y, 1, &o), MOPD_E_ARG, "keep");
    }
    o = standard();
    o.lambda = 1;
    assert_fails(mopd_recognizer_create(&none, encoder, tiny_classes, 2, x, y, 1, &o), MOPD_E_ARG, "lambda");
    o = standard();
    o.kappa = 0.5;
    assert_fails(mopd_recognizer_create(&none, encoder, tiny_classes, 2, x, y, 1, &o), MOPD_E_ARG, "kappa");
    o = standard();
    o.picture_weight = -1;
    assert_fails(
        mopd_recognizer_create(&none, encoder, tiny_classes, 2, x, y, 1, &o), MOPD_E_ARG, "picture_weight");
    o = standard();
    o.view_weight = NAN;
    assert_fails(
        mopd_recognizer_create(&none, encoder, tiny_classes, 2, x, y, 1, &o), MOPD_E_ARG, "view_weight");
    o = standard();
    o.n_views = 1000000;
    assert_fails(mopd_recognizer_create(&none, encoder, tiny_classes, 2, x, y, 1, &o), MOPD_E_ARG,
        "n_views is 1000000, at most 65536");
    o = standard();
    o.n_templates = 1;
    assert_fails(mopd_recognizer_create(&none, encoder, tiny_classes, 2, x, y, 1, &o), MOPD_E_ARG,
        "templates is NULL");
    const char *const same[] = {"a", "a"};
    assert_fails(mopd_recognizer_create(&none, encoder, same, 2, x, y, 1, NULL), MOPD_E_ARG, "\"a\"");
    mopd_recognizer_close(r);
}

static void a_file_gives_the_same_back(void **state)
{
    (void)state;
    const char *path = test_path("r.safetensors"), *second = test_path("r2.safetensors");
    mopd_recognizer *r = fitted(NULL, N), *back, *none;
    float a[30 * TINY_CLASSES], b[30 * TINY_CLASSES];
    assert_ok(mopd_recognizer_save(r, path));
    assert_ok(mopd_recognizer_open(&back, path, encoder));
    assert_ok(mopd_recognizer_logits(r, probe, 30, a));
    assert_ok(mopd_recognizer_logits(back, probe, 30, b));
    assert_memory_equal(a, b, sizeof a);
    mopd_recognizer_info i = info_of(r), j = info_of(back);
    assert_memory_equal(&i, &j, sizeof i);
    assert_ok(mopd_recognizer_save(back, second));
    FILE *f = fopen(path, "rb"), *g = fopen(second, "rb");
    for (int c = 0; c != EOF;) {
        c = fgetc(f);
        assert_int_equal(c, fgetc(g));
    }
    fclose(f);
    fclose(g);
    mopd_recognizer *more; /* what was opened goes on */
    assert_ok(mopd_recognizer_extend(&more, back, probe, probe_y, 30, 0));
    mopd_encoder *stranger = tiny_open(2, 1);
    assert_fails(
        mopd_recognizer_open(&none, path, stranger), MOPD_E_MISMATCH, "r.safetensors: made with the model");
    mopd_encoder_close(stranger);
    mopd_recognizer_close(r);
    mopd_recognizer_close(back);
    mopd_recognizer_close(more);
}

/* Such a file is no writer's, but an attacker's: its texts would be read beyond their end. */
static void a_file_of_another_width_is_refused(void **state)
{
    (void)state;
    const char *path = test_path("narrow.safetensors");
    mopd_recognizer *r = fitted(NULL, N), *narrow, *none;
    info_of(r); /* pictures are left out before the width changes */
    r->data.dim = TINY_DIM - 1;
    assert_ok(mopd_recognizer_save(r, path));
    r->data.dim = TINY_DIM;
    mopd_recognizer_close(r);
    assert_fails(mopd_recognizer_open(&none, path, encoder), MOPD_E_MISMATCH, "features of 11 numbers");
    assert_ok(mopd_recognizer_open(&narrow, path, NULL));
    assert_fails(mopd_recognizer_with_classes(&none, narrow, encoder, &(const char *){"new"}, 1),
        MOPD_E_MISMATCH, "features of 11 numbers, the model has 12");
    assert_null(none);
    mopd_recognizer_close(narrow);
}

static void damaged_files_are_refused_or_read(void **state)
{
    (void)state;
    const char *path = test_path("m.safetensors");
    mopd_recognizer *r = fitted(NULL, N), *got;
    assert_ok(mopd_recognizer_save(r, path));
    mopd_recognizer_close(r);
    FILE *f = fopen(path, "rb");
    static char bytes[1 << 17], changed[1 << 17];
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true(n < sizeof bytes);
    mo_rng rng;
    mo_rng_seed(&rng, 1);
    int opened = 0;
    for (int round = 0; round < 600; round++) {
        memcpy(changed, bytes, n);
        const size_t head = 2500, length = round % 3 ? n : (size_t)mo_rng_below(&rng, n);
        for (int k = 0; k < 1 + round % 4; k++)
            changed[mo_rng_below(&rng, round % 2 ? head : n)] ^= (char)(1 << mo_rng_below(&rng, 8));
        const char *bad = test_write("bad.safetensors", changed, length);
        mopd_status st = mopd_recognizer_open(&got, bad, NULL);
        if (st == MOPD_OK) {
            float z[TINY_CLASSES * 2];
            if (got->data.dim == TINY_DIM && got->n_shown <= TINY_CLASSES)
                assert_ok(mopd_recognizer_logits(got, probe, 1, z));
            opened++;
        } else {
            assert_null(got);
            assert_true(st == MOPD_E_FORMAT || st == MOPD_E_VERSION || st == MOPD_E_UNSUPPORTED);
        }
        mopd_recognizer_close(got);
    }
    assert_in_range(opened, 1, 599); /* changed numbers are still numbers */
}

static void known_pictures_stay_known_as_promised(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(NULL, N), *few = fitted(NULL, 39);
    mopd_recognizer_info i = info_of(r);
    assert_true(isfinite(i.cutoff));
    size_t below = 0;
    for (size_t k = 0; k < r->judgement.n; k++) below += r->judgement.score[k] < i.cutoff;
    assert_int_equal(below, (size_t)(0.05 * (N + 1)) - 1); /* the picture at the cut-off stays */
    assert_true(isinf(info_of(few).cutoff) && info_of(few).cutoff < 0);
    float score[2], z[TINY_CLASSES];
    assert_ok(mopd_recognizer_scores(r, probe, 2, score));
    assert_ok(mopd_recognizer_logits(r, probe + TINY_DIM, 1, z));
    double sum = 0;
    for (int c = 0; c < TINY_CLASSES; c++) sum += exp((double)z[c]);
    assert_true(fabs((double)score[1] - log(sum)) < 1e-4);
    uint8_t in[TINY_CLASSES];
    assert_fails(mopd_recognizer_sets(few, probe, 1, 0.9, in), MOPD_E_STATE, "too few");
    mopd_recognizer_close(r);
    mopd_recognizer_close(few);
}

static void sets_hold_the_likeliest_and_grow_with_the_promise(void **state)
{
    (void)state;
    mopd_recognizer *r = fitted(NULL, N);
    uint8_t narrow[30 * TINY_CLASSES], wide[30 * TINY_CLASSES];
    mopd_match best[30];
    assert_ok(mopd_recognizer_top(r, probe, 30, 1, best));
    assert_ok(mopd_recognizer_sets(r, probe, 30, 0.5, narrow));
    assert_ok(mopd_recognizer_sets(r, probe, 30, 0.98, wide));
    for (int i = 0; i < 30; i++) {
        assert_int_equal(narrow[i * TINY_CLASSES + (int)best[i].index], 1);
        for (int c = 0; c < TINY_CLASSES; c++)
            assert_true(wide[i * TINY_CLASSES + c] >= narrow[i * TINY_CLASSES + c]);
    }
    assert_fails(mopd_recognizer_sets(r, probe, 1, 1, wide), MOPD_E_ARG, "coverage");
    mopd_recognizer_close(r);
}

static void planted_errors_are_the_suspects(void **state)
{
    (void)state;
    static const size_t planted[] = {2, 17, 30, 41, 66};
    int32_t kept[5];
    for (int i = 0; i < 5; i++) {
        kept[i] = y[planted[i]];
        y[planted[i]] = (y[planted[i]] + 2) % TINY_CLASSES;
    }
    mopd_recognizer *r = fitted(NULL, N);
    mopd_suspect s[N];
    size_t n = N, found = 0, named = 0;
    assert_ok(mopd_recognizer_suspects(r, s, &n));
    assert_in_range(n, 5, 15);
    for (size_t i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++)
            if (s[i].index == planted[k]) {
                found++;
                assert_int_equal(s[i].label, y[planted[k]]);
                named += s[i].other == kept[k];
            }
    assert_true(found >= 4 && named >= 4); /* among the five most suspicious */
    for (size_t i = 1; i < n; i++) assert_true(s[i].probability >= s[i - 1].probability);
    n = 2;
    assert_ok(mopd_recognizer_suspects(r, s, &n));
    assert_int_equal(n, 2);
    n = 0;
    assert_ok(mopd_recognizer_suspects(r, NULL, &n));
    for (int i = 0; i < 5; i++) y[planted[i]] = kept[i];
    mopd_recognizer_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_true_class_is_found_and_probabilities_add_up),
        cmocka_unit_test(without_pictures_it_is_the_text_classifier),
        cmocka_unit_test(extending_equals_fitting_anew),
        cmocka_unit_test(views_are_used_where_they_help),
        cmocka_unit_test(views_are_extended_withdrawn_and_saved),
        cmocka_unit_test(a_whole_class_may_be_withdrawn),
        cmocka_unit_test(new_names_stand_beside_old_ones),
        cmocka_unit_test(names_that_are_one_to_the_model_are_refused),
        cmocka_unit_test(bad_arguments_are_named),
        cmocka_unit_test(a_file_gives_the_same_back),
        cmocka_unit_test(a_file_of_another_width_is_refused),
        cmocka_unit_test(damaged_files_are_refused_or_read),
        cmocka_unit_test(known_pictures_stay_known_as_promised),
        cmocka_unit_test(sets_hold_the_likeliest_and_grow_with_the_promise),
        cmocka_unit_test(planted_errors_are_the_suspects),
    };
    return cmocka_run_group_tests(tests, open_encoder, close_encoder);
}
