/* SPDX-License-Identifier: MIT
 * test_near.c - pairs of pictures with almost the same feature: all of them, the most alike first, as many as there is room. */
#include "support/datasets.h"

/* 18 pictures, of which a/copy.png shows the same as a/0.png of the training. */
static mopd_dataset *with_a_copy(const char *name)
{
    char path[64];
    datasets_pictures(name);
    snprintf(path, sizeof path, "%s/train/c/copy.png", name);
    test_png(path, 20, 14, 4242);
    snprintf(path, sizeof path, "%s/test/a/copy.png", name);
    test_png(path, 20, 14, 4242);
    mopd_dataset *d = datasets_open(test_path(name)), *e = datasets_encode(d, NULL, 0);
    mopd_dataset_close(d);
    return e;
}

static void a_copy_is_found_first(void **state)
{
    (void)state;
    mopd_dataset *e = with_a_copy("copy");
    mopd_pair pairs[8];
    size_t n = 8;
    assert_ok(mopd_dataset_near(e, 0.9999, pairs, &n));
    assert_true(n >= 1 && pairs[0].first < pairs[0].second && pairs[0].cosine > 0.999999);
    assert_string_equal(datasets_item(e, pairs[0].first).path, "test/a/copy.png");
    assert_string_equal(datasets_item(e, pairs[0].second).path, "train/c/copy.png");
    mopd_dataset_close(e);
}

/* Against all cosines, one by one. */
static void every_pair_is_seen_once(void **state)
{
    (void)state;
    mopd_dataset *e = with_a_copy("all");
    const size_t items = datasets_info(e).n_items;
    static mopd_pair all[400], few[400];
    size_t n = 400, some = 7, none = 0;
    assert_ok(mopd_dataset_near(e, -2, all, &n));
    assert_int_equal(n, items * (items - 1) / 2);
    for (size_t i = 0; i < n; i++) {
        const float *a = mopd_dataset_feature(e, all[i].first, 0),
                    *b = mopd_dataset_feature(e, all[i].second, 0);
        double cosine = 0;
        for (size_t k = 0; k < DATASETS_DIM; k++) cosine += (double)a[k] * (double)b[k];
        assert_true(fabs(cosine - all[i].cosine) < 1e-5);
        assert_true(all[i].first < all[i].second && (!i || all[i].cosine <= all[i - 1].cosine));
    }
    assert_ok(mopd_dataset_near(e, -2, few, &some));
    assert_int_equal(some, 7);
    assert_memory_equal(few, all, 7 * sizeof *few);
    assert_ok(mopd_dataset_near(e, -2, NULL, &none));
    assert_int_equal(none, 0);
    mopd_dataset_close(e);
}

enum { MADE = 2500 };

static float made[MADE * DATASETS_DIM];

/* Features drawn at random, of which number 2400 is number 10. */
static const mopd_dataset *made_up(void)
{
    static uint32_t row[MADE];
    static int32_t label[MADE];
    static char a[] = "a", *name[] = {a};
    static mo_dataset_source source = {.n_rows = MADE, .features = made, .n_views = 1, .dim = DATASETS_DIM};
    static mopd_dataset d = {&source, MADE, 1, row, label, name};
    uint64_t s = 7;
    for (size_t i = 0; i < MADE; i++) {
        double length = 0;
        for (size_t k = 0; k < DATASETS_DIM; k++) {
            s = s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            made[i * DATASETS_DIM + k] = (float)(s >> 40) / (float)(1 << 24) - 0.5F;
            length += (double)made[i * DATASETS_DIM + k] * (double)made[i * DATASETS_DIM + k];
        }
        for (size_t k = 0; k < DATASETS_DIM; k++) made[i * DATASETS_DIM + k] /= (float)sqrt(length);
        row[i] = (uint32_t)i;
    }
    memcpy(made + 2400 * DATASETS_DIM, made + 10 * DATASETS_DIM, DATASETS_DIM * sizeof *made);
    return &d;
}

static void more_pictures_than_a_block_holds(void **state)
{
    (void)state;
    static mopd_pair pairs[3000];
    size_t n = 3000, high = 0;
    assert_ok(mopd_dataset_near(made_up(), 0.97, pairs, &n));
    for (size_t i = 0; i < MADE; i++)
        for (size_t k = i + 1; k < MADE; k++) {
            double cosine = 0;
            for (size_t j = 0; j < DATASETS_DIM; j++)
                cosine += (double)made[i * DATASETS_DIM + j] * (double)made[k * DATASETS_DIM + j];
            if (fabs(cosine - 0.97) > 1e-6) high += cosine > 0.97;
        }
    assert_in_range(n, high, high + 2);
    assert_int_equal(pairs[0].first, 10);
    assert_int_equal(pairs[0].second, 2400);
}

static void what_is_not_encoded_has_no_pairs(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("plain"));
    mopd_pair pairs[2];
    size_t n = 2;
    assert_fails(mopd_dataset_near(d, 0.9, pairs, &n), MOPD_E_STATE, "not encoded");
    assert_fails(mopd_dataset_near(d, (double)NAN, pairs, &n), MOPD_E_ARG, "not a number");
    mopd_dataset_close(d);
}

static mopd_status find(void *ctx)
{
    mopd_pair pairs[4];
    size_t n = 4;
    return mopd_dataset_near(ctx, 0.9, pairs, &n);
}

static void memory_may_be_short(void **state)
{
    (void)state;
    test_torture(find, (void *)(uintptr_t)made_up());
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_found_first),
        cmocka_unit_test(every_pair_is_seen_once),
        cmocka_unit_test(more_pictures_than_a_block_holds),
        cmocka_unit_test(what_is_not_encoded_has_no_pairs),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
