/* SPDX-License-Identifier: MIT
 * test_features.c - the features of a dataset: views, chunks, bad pictures, and joining to what was encoded before. */
#include "support/datasets.h"

#include <sys/stat.h>
#include <unistd.h>

static void features_are_unit_rows_in_order(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("unit")), *e = datasets_encode(d, NULL, 0);
    static float all[18 * DATASETS_DIM];
    assert_int_equal(datasets_info(e).n_items, 18);
    assert_null(mopd_dataset_feature(d, 0, 0));
    assert_fails(mopd_dataset_gather(d, 0, 1, all), MOPD_E_STATE, "not encoded");
    assert_ok(mopd_dataset_gather(e, 0, 1, all));
    for (size_t i = 0; i < 18; i++) {
        double length = 0;
        for (size_t k = 0; k < DATASETS_DIM; k++)
            length += (double)all[i * DATASETS_DIM + k] * (double)all[i * DATASETS_DIM + k];
        assert_true(fabs((double)(length) - (double)(1)) <= 1e-6);
        assert_memory_equal(
            mopd_dataset_feature(e, i, 0), all + i * DATASETS_DIM, sizeof(float) * DATASETS_DIM);
        if (i) assert_memory_not_equal(all, all + i * DATASETS_DIM, sizeof(float) * DATASETS_DIM);
    }
    assert_null(mopd_dataset_feature(e, 0, 1));
    assert_fails(mopd_dataset_gather(e, 0, 2, all), MOPD_E_ARG, "views 0 to 2 of 1");
    mopd_dataset_close(d);
    mopd_dataset_close(e);
}

static void views_do_not_depend_on_company(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("views")), *e = datasets_encode(d, NULL, 3),
                 *one = NULL, *late = NULL;
    mopd_encode_options o = datasets_views(1);
    const size_t last[] = {17};
    const size_t trained[] = {2};
    /* train picture 0.png of class a stands behind the test one: same name, later path */
    assert_memory_not_equal(
        mopd_dataset_feature(e, 1, 0), mopd_dataset_feature(e, 1, 1), sizeof(float) * DATASETS_DIM);
    assert_memory_equal(
        mopd_dataset_feature(e, 0, 0), mopd_dataset_feature(e, 0, 2), sizeof(float) * DATASETS_DIM);
    mopd_dataset *few = NULL;
    assert_ok(mopd_dataset_pick(&few, d, last, 1, 0));
    o.first_view = 2;
    assert_ok(mopd_dataset_encode(&one, few, NULL, datasets_encoder('a'), &o));
    assert_memory_equal(
        mopd_dataset_feature(one, 0, 0), mopd_dataset_feature(e, 17, 2), sizeof(float) * DATASETS_DIM);
    o.seed = 6;
    assert_ok(mopd_dataset_encode(&late, few, NULL, datasets_encoder('a'), &o));
    assert_memory_not_equal(
        mopd_dataset_feature(late, 0, 0), mopd_dataset_feature(e, 17, 2), sizeof(float) * DATASETS_DIM);
    (void)trained;
    mopd_dataset_close(few);
    mopd_dataset_close(one);
    mopd_dataset_close(late);
    mopd_dataset_close(e);
    mopd_dataset_close(d);
}

/* Half of the data first, in a store of its own, the rest later: new pictures and a new class. */
static void appended_equals_all_at_once(void **state)
{
    (void)state;
    for (uint32_t views = 0; views < 3; views += 2) {
        mopd_dataset *d = datasets_open(datasets_pictures("grow")), *half = NULL;
        const size_t some[] = {1, 3, 4, 7, 8, 10};
        assert_ok(mopd_dataset_pick(&half, d, some, 6, MOPD_PICK_RELABEL));
        mopd_dataset *first = datasets_encode(half, NULL, views);
        assert_ok(mopd_dataset_save(first, test_path("grow.safetensors")));
        mopd_dataset *known = datasets_open(test_path("grow.safetensors"));
        mopd_dataset *joined = datasets_encode(d, known, views), *whole = datasets_encode(d, NULL, views);
        assert_ok(mopd_dataset_save(joined, test_path("joined.safetensors")));
        assert_ok(mopd_dataset_save(whole, test_path("whole.safetensors")));
        datasets_same_bytes(test_path("joined.safetensors"), test_path("whole.safetensors"));
        mopd_dataset *two_stores = datasets_encode(first, whole, views);
        assert_int_equal(datasets_info(two_stores).n_items, 18);
        mopd_dataset *all[] = {d, half, first, known, joined, whole, two_stores};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) mopd_dataset_close(all[i]);
    }
}

static void append_refuses_another_picture_at_a_known_path(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("change")), *known = datasets_encode(d, NULL, 0),
                 *out = NULL;
    mopd_encode_options o = datasets_views(0);
    test_png("change/test/b/1.png", 12, 10, 4711);
    assert_fails(mopd_dataset_encode(&out, d, known, datasets_encoder('a'), &o), MOPD_E_MISMATCH,
        "test/b/1.png: known with content");
    datasets_pictures("change");
    assert_int_equal(rename(test_path("change/test/b"), test_path("change/test/z")), 0);
    mopd_dataset *moved =
        datasets_open(test_text("change.csv", "path,label,split\nchange/train/a/0.png,b,train\n"));
    mopd_dataset *as_a =
        datasets_open(test_text("change2.csv", "path,label,split\nchange/train/a/0.png,a,train\n"));
    mopd_dataset *a = datasets_encode(as_a, NULL, 0);
    assert_fails(mopd_dataset_encode(&out, moved, a, datasets_encoder('a'), &o), MOPD_E_MISMATCH,
        "known as a picture of 'a', now of 'b'");
    o.n_views = 2;
    assert_fails(mopd_dataset_encode(&out, d, known, datasets_encoder('a'), &o), MOPD_E_MISMATCH,
        "1 plain views a picture, now 2 augmented");
    mopd_dataset *all[] = {d, known, moved, as_a, a};
    datasets_close(all, sizeof all / sizeof *all);
}

static void another_encoder_is_a_mismatch(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("other")), *e = datasets_encode(d, NULL, 0),
                 *out = NULL;
    assert_fails(
        mopd_dataset_encode(&out, e, NULL, datasets_encoder('b'), NULL), MOPD_E_MISMATCH, "aaaaaaaa");
    assert_non_null(strstr(mopd_last_error(), datasets_encoder('b')->fingerprint));
    assert_fails(mopd_dataset_encode(&out, d, e, datasets_encoder('b'), NULL), MOPD_E_MISMATCH, "bbbbbbbb");
    assert_ok(mopd_dataset_encode(&out, e, NULL, datasets_encoder('a'), NULL));
    assert_ptr_equal(mopd_dataset_feature(out, 3, 0), mopd_dataset_feature(e, 3, 0));
    mopd_dataset_close(out);
    mopd_encode_options o = datasets_views(2);
    assert_fails(mopd_dataset_encode(&out, e, NULL, datasets_encoder('a'), &o), MOPD_E_MISMATCH,
        "holds 1 plain views");
    assert_fails(mopd_dataset_encode(&out, d, NULL, NULL, NULL), MOPD_E_ARG, "encoder");
    mopd_dataset_close(d);
    mopd_dataset_close(e);
}

typedef struct heard {
    size_t calls, stop_at, bad;
    char path[512], message[512];
} heard;

static int hear(void *context, size_t done, size_t total, const char *bad_path, const char *message)
{
    heard *h = context;
    h->calls++;
    assert_int_equal(done, h->calls);
    assert_int_equal(total, 18);
    if (bad_path) {
        h->bad++;
        snprintf(h->path, sizeof h->path, "%s", bad_path);
        snprintf(h->message, sizeof h->message, "%s", message);
    }
    return done == h->stop_at;
}

static void bad_pictures_are_named_or_skipped(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("bad")), *out = NULL;
    test_text("bad/train/b/1.png", "no picture");
    mopd_encode_options o = datasets_views(0);
    heard h = {0};
    o.fn = hear;
    o.context = &h;
    assert_fails(
        mopd_dataset_encode(&out, d, NULL, datasets_encoder('a'), &o), MOPD_E_FORMAT, "bad/train/b/1.png");
    h = (heard){0};
    o.flags = MOPD_ENCODE_SKIP_BAD;
    assert_ok(mopd_dataset_encode(&out, d, NULL, datasets_encoder('a'), &o));
    assert_int_equal(datasets_info(out).n_items, 17);
    assert_int_equal(h.calls, 18);
    assert_int_equal(h.bad, 1);
    assert_string_equal(h.path, test_path("bad/train/b/1.png"));
    assert_non_null(strstr(h.message, "bad/train/b/1.png"));
    mopd_dataset_close(out);
    for (int i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "bad/%s/b/%d.png", i < 3 ? "train" : "test", i % 3);
        unlink(test_path(name));
    }
    h = (heard){0};
    assert_fails(mopd_dataset_encode(&out, d, NULL, datasets_encoder('a'), &o), MOPD_E_FORMAT,
        "class 'b': none of its 6");
    mopd_dataset_close(d);
}

static void encoding_can_be_cancelled(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("stop")), *out = NULL;
    mopd_encode_options o = datasets_views(0);
    heard h = {.stop_at = 4};
    o.fn = hear;
    o.context = &h;
    assert_fails(
        mopd_dataset_encode(&out, d, NULL, datasets_encoder('a'), &o), MOPD_E_CANCELLED, "after 4 of 18");
    assert_int_equal(datasets_info(out).n_items, 4);
    assert_string_equal(mopd_dataset_class_name(out, 0), "a");
    assert_null(mopd_dataset_class_name(out, 1));
    mopd_dataset *rest = datasets_encode(d, out, 0), *whole = datasets_encode(d, NULL, 0);
    assert_ok(mopd_dataset_save(rest, test_path("rest.safetensors")));
    assert_ok(mopd_dataset_save(whole, test_path("unstopped.safetensors")));
    datasets_same_bytes(test_path("rest.safetensors"), test_path("unstopped.safetensors"));
    mopd_dataset_close(rest);
    mopd_dataset_close(whole);
    mopd_dataset_close(out);
    mopd_dataset_close(d);
}

static void threads_do_not_change_a_store(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("threads"));
    for (size_t n = 1; n <= 3; n++) {
        mopd_encoder *e = datasets_encoder('a');
        mopd_dataset *out = NULL;
        mopd_encode_options o = datasets_views(2);
        assert_ok(mo_pool_create(&e->pool, n));
        assert_ok(mopd_dataset_encode(&out, d, NULL, e, &o));
        assert_ok(mopd_dataset_save(out, test_path(n == 1 ? "t1.safetensors" : "tn.safetensors")));
        if (n > 1) datasets_same_bytes(test_path("t1.safetensors"), test_path("tn.safetensors"));
        mopd_dataset_close(out);
        mo_pool_free(e->pool);
        e->pool = NULL;
    }
    mopd_dataset_close(d);
}

static void leave_one_out_visits_every_picture(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("loo")), *e = datasets_encode(d, NULL, 0);
    for (size_t i = 0; i < 18; i++) {
        mopd_dataset *rest = NULL;
        assert_ok(mopd_dataset_leave_out(&rest, e, i));
        assert_int_equal(datasets_info(rest).n_items, 17);
        if (i < 17) assert_ptr_equal(mopd_dataset_feature(rest, i, 0), mopd_dataset_feature(e, i + 1, 0));
        mopd_dataset_close(rest);
    }
    mopd_dataset_close(d);
    mopd_dataset_close(e);
}

/* A class without pictures in this split keeps its number after encoding. */
static void encoding_keeps_classes_without_pictures(void **state)
{
    (void)state;
    datasets_pictures("gap");
    unlink(test_path("gap/train/b/0.png"));
    unlink(test_path("gap/train/b/1.png"));
    unlink(test_path("gap/train/b/2.png"));
    mopd_dataset *d = datasets_open(test_path("gap")), *part = NULL;
    mopd_selection s;
    assert_ok(mopd_selection_init(&s, sizeof s));
    s.split = MOPD_SPLIT_TRAIN;
    assert_ok(mopd_dataset_select(&part, d, &s));
    mopd_dataset *e = datasets_encode(part, NULL, 0);
    assert_string_equal(mopd_dataset_class_name(e, 1), "b");
    assert_int_equal(mopd_dataset_labels(e)[5], 2);
    mopd_dataset *all[] = {d, part, e};
    datasets_close(all, sizeof all / sizeof *all);
}

static void assert_not_joined(
    const mopd_dataset *d, const mopd_dataset *known, const mopd_encode_options *o, const char *words)
{
    mopd_dataset *out = NULL;
    assert_fails(mopd_dataset_encode(&out, d, known, datasets_encoder('a'), o), MOPD_E_MISMATCH, words);
    assert_null(out);
}

/* What is joined must be of one kind: views, seed, splits. */
static void unlike_features_are_not_joined(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("unlike")), *plain = datasets_encode(d, NULL, 0),
                 *views = datasets_encode(d, NULL, 2), *out = NULL;
    mopd_encode_options o = datasets_views(3);
    assert_not_joined(d, views, &o, "holds 2 augmented views a picture, now 3 augmented views from 0 on");
    o = datasets_views(2);
    o.first_view = 2;
    assert_not_joined(d, views, &o, "now 2 augmented views from 2 on");
    o = datasets_views(0);
    assert_not_joined(d, views, &o, "now 1 plain views");
    o = datasets_views(2);
    o.seed = 6;
    assert_not_joined(d, views, &o, "views have seed 5, now 6");
    assert_not_joined(plain, views, &o, "holds 2 augmented views a picture, now 1 plain");
    o = datasets_views(0);
    mopd_dataset *list = datasets_of("unlike.csv", "path,label\nunlike/train/a/0.png,a\n");
    assert_not_joined(list, plain, &o, "the store has its splits, the data has none");
    assert_fails(mopd_dataset_encode(&out, d, d, datasets_encoder('a'), &o), MOPD_E_STATE,
        "known data is not encoded");
    mopd_dataset *all[] = {d, plain, views, list};
    datasets_close(all, 4);
}

/* Fixed views: the picture, its mirror image and parts; of pictures to test with the picture alone. */
static void fixed_views_are_kept_and_told(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("fixed")), *plain = datasets_encode(d, NULL, 0), *e,
                 *back, *out = NULL;
    mopd_encode_options o = datasets_views(MOPD_FIXED_VIEWS);
    const size_t row = sizeof(float) * DATASETS_DIM;
    o.flags = MOPD_ENCODE_FIXED;
    assert_ok(mopd_dataset_encode(&e, d, NULL, datasets_encoder('a'), &o));
    const char *path = test_path("fixed.safetensors");
    assert_ok(mopd_dataset_save(e, path));
    assert_ok(mopd_dataset_open(&back, path, NULL));
    const mopd_dataset_info i = datasets_info(back);
    assert_true(i.n_views == MOPD_FIXED_VIEWS && i.fixed && !i.augmented);
    for (size_t k = 0; k < i.n_items; k++) {
        mopd_item item = {.struct_size = sizeof item};
        assert_ok(mopd_dataset_get_item(back, k, &item));
        assert_memory_equal(mopd_dataset_feature(back, k, 0), mopd_dataset_feature(plain, k, 0), row);
        for (size_t v = 1; v < MOPD_FIXED_VIEWS; v++) {
            assert_memory_equal(mopd_dataset_feature(back, k, v), mopd_dataset_feature(e, k, v), row);
            const bool same =
                !memcmp(mopd_dataset_feature(back, k, v), mopd_dataset_feature(plain, k, 0), row);
            assert_true(same == (item.split == MOPD_SPLIT_TEST || item.split == MOPD_SPLIT_VAL));
        }
    }
    assert_ok(mopd_dataset_encode(&out, d, back, datasets_encoder('a'), &o)); /* all is known */
    mopd_dataset_close(out);
    o.n_views = 2; /* fewer are there, too */
    assert_ok(mopd_dataset_encode(&out, back, NULL, datasets_encoder('a'), &o));
    mopd_dataset_close(out);
    assert_not_joined(d, back, &o, "holds 5 fixed views a picture, now 2 fixed views");
    assert_fails(mopd_dataset_encode(&out, plain, NULL, datasets_encoder('a'), &o), MOPD_E_MISMATCH,
        "holds 1 plain views a picture, 2 fixed ones from 0 on are needed");
    o.flags = 0;
    assert_fails(mopd_dataset_encode(&out, back, NULL, datasets_encoder('a'), &o), MOPD_E_MISMATCH,
        "holds 5 fixed views a picture, 2 augmented ones from 0 on are needed");
    o.flags = MOPD_ENCODE_FIXED;
    o.n_views = 6;
    assert_fails(mopd_dataset_encode(&out, d, NULL, datasets_encoder('a'), &o), MOPD_E_ARG,
        "n_views is 6, of the fixed ones 1 to 5 are possible");
    o.n_views = 0;
    assert_fails(mopd_dataset_encode(&out, d, NULL, datasets_encoder('a'), &o), MOPD_E_ARG, "n_views is 0");
    o.n_views = 2;
    o.first_view = 1;
    assert_fails(
        mopd_dataset_encode(&out, d, NULL, datasets_encoder('a'), &o), MOPD_E_ARG, "first_view is 1");
    mopd_dataset *all[] = {d, plain, e, back};
    for (size_t k = 0; k < 4; k++) mopd_dataset_close(all[k]);
}

static void views_that_are_there_are_enough(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("enough")), *three = datasets_encode(d, NULL, 3),
                 *out = NULL;
    mopd_encode_options o = datasets_views(2);
    assert_ok(mopd_dataset_encode(&out, three, NULL, datasets_encoder('a'), &o));
    assert_int_equal(datasets_info(out).n_views, 3);
    assert_ptr_equal(mopd_dataset_feature(out, 0, 2), mopd_dataset_feature(three, 0, 2));
    mopd_dataset_close(out);
    out = NULL;
    o = datasets_views(4);
    assert_fails(mopd_dataset_encode(&out, three, NULL, datasets_encoder('a'), &o), MOPD_E_MISMATCH,
        "holds 3 augmented views a picture, 4 augmented ones from 0 on are needed");
    o = datasets_views(1);
    o.first_view = 1;
    assert_fails(
        mopd_dataset_encode(&out, three, NULL, datasets_encoder('a'), &o), MOPD_E_MISMATCH, "from 1 on");
    assert_null(out);
    mopd_dataset *all[] = {d, three};
    datasets_close(all, 2);
}

static void a_known_picture_may_not_change_its_split(void **state)
{
    (void)state;
    datasets_pictures("moved");
    mopd_dataset *a = datasets_of("moved1.csv", "path,label,split\nmoved/train/a/0.png,a,train\n");
    mopd_dataset *b = datasets_of("moved2.csv", "path,label,split\nmoved/train/a/0.png,a,val\n");
    mopd_dataset *known = datasets_encode(a, NULL, 0), *other = datasets_encode(b, NULL, 0);
    const mopd_encode_options o = datasets_views(0);
    assert_not_joined(b, known, &o, "known in split train, now in val; withdraw it first");
    assert_not_joined(other, known, &o, "known in split train, now in val");
    mopd_dataset *all[] = {a, b, known, other};
    datasets_close(all, 4);
}

/* A picture that was encoded before need not be readable any more. */
static void known_pictures_are_not_decoded_again(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("gone")), *known = datasets_encode(d, NULL, 0),
                 *out = NULL;
    mopd_encode_options o = datasets_views(0);
    assert_int_equal(unlink(test_path("gone/train/a/1.png")), 0);
    assert_fails(
        mopd_dataset_encode(&out, d, known, datasets_encoder('a'), &o), MOPD_E_IO, "gone/train/a/1.png");
    o.flags = MOPD_ENCODE_SKIP_BAD;
    assert_ok(mopd_dataset_encode(&out, d, known, datasets_encoder('a'), &o));
    assert_int_equal(datasets_info(out).n_items, 18);
    for (size_t i = 0; i < 18; i++)
        assert_memory_equal(
            mopd_dataset_feature(out, i, 0), mopd_dataset_feature(known, i, 0), DATASETS_DIM * sizeof(float));
    mopd_dataset *all[] = {d, known, out};
    datasets_close(all, 3);
}

/* More pictures than go in one chunk, with a bad one in each: rows stay with their pictures. */
static void chunks_change_no_feature(void **state)
{
    (void)state;
    char name[64];
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "chunks/a/%03d.png", i);
        if (i % 50 == 7)
            test_text(name, "no picture");
        else
            test_png(name, 9, 9, (uint32_t)i);
    }
    mopd_dataset *d = datasets_open(test_path("chunks")), *out = NULL, *one = NULL, *single = NULL;
    mopd_encode_options o = datasets_views(0);
    o.flags = MOPD_ENCODE_SKIP_BAD;
    assert_ok(mopd_dataset_encode(&out, d, NULL, datasets_encoder('a'), &o));
    assert_int_equal(datasets_info(out).n_items, 147);
    for (size_t i = 0; i < 150; i += 29) {
        size_t left_out = i / 50 + (i % 50 > 7);
        assert_ok(mopd_dataset_pick(&one, d, &i, 1, 0));
        assert_ok(mopd_dataset_encode(&single, one, NULL, datasets_encoder('a'), &o));
        assert_string_equal(datasets_item(out, i - left_out).path, datasets_item(d, i).path);
        assert_memory_equal(mopd_dataset_feature(out, i - left_out, 0), mopd_dataset_feature(single, 0, 0),
            DATASETS_DIM * sizeof(float));
        mopd_dataset_close(single);
        mopd_dataset_close(one);
    }
    mopd_dataset_close(out);
    mopd_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_unit_rows_in_order),
        cmocka_unit_test(views_do_not_depend_on_company),
        cmocka_unit_test(appended_equals_all_at_once),
        cmocka_unit_test(append_refuses_another_picture_at_a_known_path),
        cmocka_unit_test(another_encoder_is_a_mismatch),
        cmocka_unit_test(bad_pictures_are_named_or_skipped),
        cmocka_unit_test(encoding_can_be_cancelled),
        cmocka_unit_test(threads_do_not_change_a_store),
        cmocka_unit_test(leave_one_out_visits_every_picture),
        cmocka_unit_test(encoding_keeps_classes_without_pictures),
        cmocka_unit_test(unlike_features_are_not_joined),
        cmocka_unit_test(fixed_views_are_kept_and_told),
        cmocka_unit_test(views_that_are_there_are_enough),
        cmocka_unit_test(a_known_picture_may_not_change_its_split),
        cmocka_unit_test(known_pictures_are_not_decoded_again),
        cmocka_unit_test(chunks_change_no_feature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
