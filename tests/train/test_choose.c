/* SPDX-License-Identifier: MIT
 * test_choose.c - settings chosen on pretended new classes: folds, what is tried, what is reported, what is refused. */
#include "support/trainings.h"

#include "prompt/bank.h"
#include "train/choose.h"
#include "train/choose_folds.h"

static training x;

static int stop_at(void *ctx, const mopd_step *step)
{
    uint32_t *left = ctx;
    (void)step;
    return --*left == 0;
}

static void settings_are_chosen_and_reported(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 5), again = o;
    mopd_run run = training_run(&x);
    char *report, *second;
    assert_ok(mopd_trainer_options_choose(&o, x.encoder, tiny_classes, C, &run, &report));
    assert_ok(mopd_trainer_options_choose(&again, x.encoder, tiny_classes, C, &run, &second));
    assert_string_equal(report, second);
    assert_true(o.w == again.w && o.w2 == again.w2 && o.top_k == again.top_k);
    assert_true(o.w > 0 && o.w <= 1 && o.top_k >= 1 && o.top_k <= 3);
    assert_int_equal(o.epochs, 5);
    assert_non_null(strstr(report, "\"base_classes\":3,\"new_classes\":3"));
    assert_non_null(strstr(report, "\"train\":18,\"held_out\":6"));
    int tried = 0;
    for (const char *at = report; (at = strstr(at, "\"h\":")); at++) tried++;
    assert_true(tried >= 6);
    mopd_free(report);
    mopd_free(second);
}

static void choosing_needs_something_to_choose_from(void **state)
{
    (void)state;
    mopd_run run = training_run(&x);
    mopd_trainer_options o = tiny_training(MOPD_METHOD_COOP, 5);
    assert_fails(
        mopd_trainer_options_choose(&o, x.encoder, tiny_classes, C, &run, NULL), MOPD_E_ARG, "method coop");
    o = tiny_training(MOPD_METHOD_MOPD, 5);
    o.flags = MOPD_TRAIN_CLASS_CONTEXT;
    assert_fails(mopd_trainer_options_choose(&o, x.encoder, tiny_classes, C, &run, NULL), MOPD_E_ARG,
        "class-specific");
    o.flags = 0;
    run.n = 3 * SHOTS;
    assert_fails(
        mopd_trainer_options_choose(&o, x.encoder, tiny_classes, 3, &run, NULL), MOPD_E_ARG, "3 classes");
    uint32_t left = 3;
    run = training_run(&x);
    run.on_step = stop_at;
    run.step_context = &left;
    assert_fails(mopd_trainer_options_choose(&o, x.encoder, tiny_classes, C, &run, NULL), MOPD_E_CANCELLED,
        "cancelled");
}

/* ---- folds ---- */

static mo_trainer_args args_of(const mopd_trainer_options *o)
{
    return (mo_trainer_args){x.encoder, tiny_classes, C, o, NULL};
}

/* The folds of a run with these labels; teachers M x C x D or NULL. */
static mopd_status make_folds(
    mo_choose_fold folds[MO_CHOOSE_FOLDS], const mopd_run *run, uint64_t seed, const float *teachers)
{
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    mo_settings set;
    o.seed = seed;
    const mo_trainer_args args = args_of(&o);
    assert_ok(mo_settings_read(&set, x.encoder, &o));
    memset(folds, 0, MO_CHOOSE_FOLDS * sizeof *folds);
    return mo_choose_folds_make(folds, &(mo_choose_whole){&args, run, &set, teachers, D});
}

static void halves_share_out_the_classes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        mo_choose_fold folds[MO_CHOOSE_FOLDS];
        mopd_run run = training_run(&x);
        assert_ok(make_folds(folds, &run, seed, NULL));
        for (int k = 0; k < 2; k++) {
            const mo_choose_half *base = &folds[k].base, *fresh = &folds[k].fresh;
            assert_true(base->n == 3 && fresh->n == 3);
            for (int c = 0; c < C; c++) {
                assert_true((base->number[c] < 0) != (fresh->number[c] < 0));
                const mo_choose_half *own = base->number[c] < 0 ? fresh : base;
                assert_ptr_equal(own->name[own->number[c]], tiny_classes[c]);
                assert_int_equal(base->number[c], folds[1 - k].fresh.number[c]); /* the other way round */
            }
            for (size_t i = 1; i < base->n; i++) /* in the order of the whole list */
                for (int c = 0; c < C; c++)
                    assert_true(
                        base->number[c] != (int32_t)i || strcmp(base->name[i - 1], tiny_classes[c]) != 0);
        }
        mo_choose_folds_free(folds);
    }
}

static void count_pictures(const mo_choose_pictures *p, const mo_choose_half *half, int seen[N])
{
    for (size_t i = 0; i < p->n; i++) {
        assert_true(p->index[i] < N);
        seen[p->index[i]]++;
        assert_int_equal(p->label[i], half->number[x.labels[p->index[i]]]);
        assert_true(p->label[i] >= 0);
    }
}

/* Every picture stands in one of the three lists; one of four of each class is held out where all are trained on. */
static void folds_share_out_the_pictures(void **state)
{
    (void)state;
    mo_choose_fold folds[MO_CHOOSE_FOLDS];
    mopd_run run = training_run(&x);
    assert_ok(make_folds(folds, &run, 3, NULL));
    for (int k = 0; k < MO_CHOOSE_FOLDS; k++) {
        const mo_choose_fold *f = &folds[k];
        const bool all = k == MO_CHOOSE_ALL;
        int seen[N] = {0}, held[C] = {0};
        assert_true(
            f->train.n == (all ? 18 : 12) && f->held.n == (all ? 6 : 0) && f->unseen.n == (all ? 0 : 12));
        count_pictures(&f->train, &f->base, seen);
        count_pictures(&f->held, &f->base, seen);
        count_pictures(&f->unseen, &f->fresh, seen);
        for (int i = 0; i < N; i++) assert_int_equal(seen[i], 1);
        for (size_t i = 0; i < f->held.n; i++) held[f->held.label[i]]++;
        for (int c = 0; c < C; c++) assert_int_equal(held[c], all);
    }
    mo_choose_folds_free(folds);
}

static void the_seed_decides_the_folds(void **state)
{
    (void)state;
    mo_choose_fold a[MO_CHOOSE_FOLDS], b[MO_CHOOSE_FOLDS], c[MO_CHOOSE_FOLDS];
    mopd_run run = training_run(&x);
    assert_ok(make_folds(a, &run, 5, NULL));
    assert_ok(make_folds(b, &run, 5, NULL));
    assert_ok(make_folds(c, &run, 6, NULL));
    assert_memory_equal(a->base.number, b->base.number, C * sizeof(int32_t));
    assert_memory_equal(a->train.index, b->train.index, 12 * sizeof(uint32_t));
    assert_memory_not_equal(a->train.index, c->train.index, 12 * sizeof(uint32_t));
    mo_choose_folds_free(a);
    mo_choose_folds_free(b);
    mo_choose_folds_free(c);
}

/* A quarter, at least one of two or more, none of a single picture. */
static void a_quarter_of_each_class_is_held_out(void **state)
{
    (void)state;
    enum { MANY = 60 };
    static const int per_class[C] = {1, 2, 7, 8, 15, 27};
    static float features[MANY * D];
    int32_t of[MANY];
    int n = 0;
    for (int c = 0; c < C; c++)
        for (int i = 0; i < per_class[c]; i++, n++) {
            memcpy(features + n * D, x.features, D * sizeof(float));
            of[n] = c;
        }
    assert_int_equal(n, MANY);
    mopd_run run = training_run(&x);
    run.n = MANY;
    run.n_views = 1;
    run.features = features;
    run.labels = of;
    mo_choose_fold folds[MO_CHOOSE_FOLDS];
    assert_ok(make_folds(folds, &run, 1, NULL));
    static const int want[C] = {0, 1, 1, 2, 3, 6};
    for (int c = 0; c < C; c++) {
        int held = 0;
        const mo_choose_fold *f = &folds[MO_CHOOSE_ALL];
        for (size_t i = 0; i < f->held.n; i++) held += f->held.label[i] == f->base.number[c];
        assert_int_equal(held, want[c]);
    }
    mo_choose_folds_free(folds);
}

static void folds_have_the_teachers_of_their_classes(void **state)
{
    (void)state;
    static float teachers[M * C * D];
    mo_choose_fold folds[MO_CHOOSE_FOLDS];
    mopd_run run = training_run(&x);
    test_random(teachers, M * C * D, 31);
    assert_ok(make_folds(folds, &run, 2, teachers));
    for (int k = 0; k < 2; k++)
        for (size_t m = 0; m < M; m++)
            for (size_t c = 0; c < C; c++) {
                int32_t number = folds[k].base.number[c];
                if (number >= 0)
                    assert_memory_equal(folds[k].teachers + (m * 3 + (size_t)number) * D,
                        teachers + (m * C + c) * D, D * sizeof(float));
            }
    mo_choose_folds_free(folds);
}

/* ---- what is asked for ---- */

static void assert_not_chosen(mopd_trainer_options *o, const mopd_run *run, const char *words)
{
    const mopd_trainer_options before = *o;
    char *report = NULL;
    assert_fails(mopd_trainer_options_choose(o, x.encoder, tiny_classes, C, run, &report), MOPD_E_ARG, words);
    assert_null(report);
    assert_memory_equal(&before, o, sizeof before);
}

static void runs_that_cannot_be_shared_out_are_refused(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 2);
    mopd_run run = training_run(&x);
    int32_t alike[N] = {0}, single[C];
    run.labels = alike;
    assert_not_chosen(&o, &run, "of pretended new classes");
    for (int c = 0; c < C; c++) single[c] = c;
    run.labels = single;
    run.n = C;
    assert_not_chosen(&o, &run, "6 pictures to train on, 0 held out");
    run = training_run(&x);
    run.features = NULL;
    assert_not_chosen(&o, &run, "features and labels are needed");
    run = training_run(&x);
    run.labels = NULL;
    assert_not_chosen(&o, &run, "features and labels are needed");
    run = training_run(&x);
    run.n_views = 0;
    assert_not_chosen(&o, &run, "features and labels are needed");
    run.n_views = (uint64_t)UINT32_MAX + 1; /* no views in a size of 32 bits */
    assert_not_chosen(&o, &run, "n_views is 4294967296");
    run = training_run(&x);
    run.n = 0;
    assert_not_chosen(&o, &run, "0 pictures");
    run.n = (uint64_t)UINT32_MAX + 1;
    assert_not_chosen(&o, &run, "4294967296 pictures");
    run = training_run(&x);
    alike[5] = C;
    run.labels = alike;
    assert_not_chosen(&o, &run, "label 5 is 6");
    o.top_k = 9;
    run = training_run(&x);
    assert_not_chosen(&o, &run, "top_k is 9");
}

/* Of methods without a gate or MPS only what they use is tried and reported. */
static void only_what_a_method_uses_is_tried(void **state)
{
    (void)state;
    static const struct {
        int32_t method;
        bool top_k, w2;
    } methods[] = {{MOPD_METHOD_KD, false, false}, {MOPD_METHOD_MOPD_STATIC, true, false}};
    for (size_t i = 0; i < 2; i++) {
        mopd_trainer_options o = tiny_training(methods[i].method, 2);
        mopd_run run = training_run(&x);
        char *report = NULL;
        o.w2 = 0.25f;
        assert_ok(mopd_trainer_options_choose(&o, x.encoder, tiny_classes, C, &run, &report));
        assert_int_equal(strstr(report, "\"top_k\":") != NULL, methods[i].top_k);
        assert_int_equal(strstr(report, "\"w2\":") != NULL, methods[i].w2);
        assert_non_null(strstr(report, "\"epochs\":1,"));
        int tried = 0;
        for (const char *at = report; (at = strstr(at, "\"h\":")); at++) tried++;
        assert_in_range(tried, 3, methods[i].top_k ? 5 : 3);
        mopd_free(report);
    }
}

/* The standard error of H = 2 b f / (b + f), of 6 held-out pictures and 24 of new classes, by differences. */
static double error_of_h(double b, double f)
{
    const double step = 1e-4, by_b = (b + step) * f / (b + step + f) - b * f / (b + f),
                 by_f = b * (f + step) / (b + f + step) - b * f / (b + f);
    return 2 / step * sqrt(by_b * by_b * b * (100 - b) / 6 + by_f * by_f * f * (100 - f) / 24);
}

/* The chosen numbers are those of the best that gives up nothing on trained classes, or of the defaults where it is
 * within a standard error of them. */
static void the_best_is_chosen(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_MOPD, 4);
    mopd_run run = training_run(&x);
    char *report = NULL;
    double best = -1, w = 0, w2 = 0, h = 0, base, fresh, least = 0;
    int k = 0, best_k = 0;
    double best_w = 0, best_w2 = 0, first = 0, error = 0;
    assert_ok(mopd_trainer_options_choose(&o, x.encoder, tiny_classes, C, &run, &report));
    for (const char *at = strstr(report, "\"tried\":["); (at = strstr(at, "{\"w\":")); at++) {
        assert_int_equal(sscanf(at, "{\"w\":%lf,\"w2\":%lf,\"top_k\":%d,\"base\":%lf,\"new\":%lf,\"h\":%lf}",
                             &w, &w2, &k, &base, &fresh, &h),
            6);
        double want = base + fresh > 0 ? 2 * base * fresh / (base + fresh) : 0;
        assert_true(fabs(h - want) < 1e-9);
        if (best < 0) least = base, first = h, error = error_of_h(base, fresh);
        if (h <= best || base < least) continue;
        best = h;
        best_w = w;
        best_w2 = w2;
        best_k = k;
    }
    if (best <= first + error) best_w = 0.8, best_w2 = 0.1, best_k = 2;
    assert_true(fabs((double)o.w - best_w) < 1e-6 && fabs((double)o.w2 - best_w2) < 1e-6);
    assert_int_equal(o.top_k, best_k);
    mopd_free(report);
}

/* Where the epochs are open a quarter and four times as many are tried with the best settings; of half of them,
 * as of all trials. */
static void lengths_are_tried_where_they_are_open(void **state)
{
    (void)state;
    mopd_trainer_options o = tiny_training(MOPD_METHOD_KD, 0), counted = o, again;
    mopd_run run = training_run(&x);
    char *report = NULL;
    o.batch = counted.batch = N; /* one step an epoch: 105 epochs */
    again = o;
    assert_ok(mopd_trainer_options_choose(&o, x.encoder, tiny_classes, C, &run, &report));
    double w, best_w = 0, h, best = -1, base, fresh, least = 0, first = 0, error = 0;
    unsigned epochs, best_epochs = 0, seen[3] = {0};
    for (const char *at = strstr(report, "\"tried\":["); (at = strstr(at, "{\"w\":")); at++) {
        assert_int_equal(sscanf(at, "{\"w\":%lf,\"epochs\":%u,\"base\":%lf,\"new\":%lf,\"h\":%lf}", &w,
                             &epochs, &base, &fresh, &h),
            5);
        seen[epochs == 105 ? 0 : epochs == 26 ? 1 : 2]++;
        assert_true(epochs == 105 || epochs == 26 || epochs == 420);
        if (epochs != 105) assert_true(w == best_w); /* settings are chosen before */
        if (best < 0) least = base, first = h, error = error_of_h(base, fresh);
        if (h <= best || base < least) continue;
        best = h;
        best_w = w;
        best_epochs = epochs;
    }
    assert_true(seen[0] == 3 && seen[1] == 1 && seen[2] == 1);
    if (best <= first + error) best_w = 0.8, best_epochs = 105;
    assert_int_equal(o.epochs, best_epochs);
    assert_true(fabs((double)o.w - best_w) < 1e-6);
    assert_ok(mopd_trainer_options_choose(&again, x.encoder, tiny_classes, C, &run, NULL));
    assert_memory_equal(&o, &again, sizeof o);
    mopd_free(report);
    counted.steps = 20; /* says how long: nothing to choose */
    assert_ok(mopd_trainer_options_choose(&counted, x.encoder, tiny_classes, C, &run, &report));
    assert_true(counted.epochs == 0 && counted.steps == 20);
    assert_non_null(strstr(report, "\"epochs\":10,")); /* half of 20, one step each */
    mopd_free(report);
}

/* Teachers given for all classes are used; the report may be left out. */
static void given_teachers_choose_alike(void **state)
{
    (void)state;
    mopd_trainer_options a = tiny_training(MOPD_METHOD_MOPD, 2), b = a;
    mopd_run run = training_run(&x);
    static float teachers[M * C * D];
    char *report = NULL;
    assert_ok(mo_bank_grid(x.encoder, tiny_classes, C, a.templates, M, teachers));
    b.teachers = teachers;
    assert_ok(mopd_trainer_options_choose(&a, x.encoder, tiny_classes, C, &run, &report));
    assert_ok(mopd_trainer_options_choose(&b, x.encoder, tiny_classes, C, &run, NULL));
    assert_true(a.w == b.w && a.w2 == b.w2 && a.top_k == b.top_k);
    mopd_free(report);
}

static int open_all(void **state)
{
    (void)state;
    training_open(&x, 1, 2, 2);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    training_close(&x);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_chosen_and_reported),
        cmocka_unit_test(choosing_needs_something_to_choose_from),
        cmocka_unit_test(halves_share_out_the_classes),
        cmocka_unit_test(folds_share_out_the_pictures),
        cmocka_unit_test(the_seed_decides_the_folds),
        cmocka_unit_test(a_quarter_of_each_class_is_held_out),
        cmocka_unit_test(folds_have_the_teachers_of_their_classes),
        cmocka_unit_test(runs_that_cannot_be_shared_out_are_refused),
        cmocka_unit_test(only_what_a_method_uses_is_tried),
        cmocka_unit_test(the_best_is_chosen),
        cmocka_unit_test(lengths_are_tried_where_they_are_open),
        cmocka_unit_test(given_teachers_choose_alike),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
