/* SPDX-License-Identifier: MIT
 * test_features_known.c - a store and its folder: what moved, changed, went, and how a store is kept in step. */
#include "support/datasets.h"
#include "support/needs.h"

#include <sys/stat.h>
#include <unistd.h>

typedef struct outcome {
    mopd_dataset *out;
    mopd_encode_counts counts;
    mopd_status st;
} outcome;

static outcome encode(const mopd_dataset *data, const mopd_dataset *known, uint32_t n_views, uint32_t flags)
{
    outcome o = {.counts.struct_size = sizeof o.counts};
    mopd_encode_options options = datasets_views(n_views);
    options.flags = flags;
    options.counts = &o.counts;
    o.st = mopd_dataset_encode(&o.out, data, known, datasets_encoder('a'), &options);
    return o;
}

static void assert_counts(
    const outcome *o, uint64_t encoded, uint64_t known, uint64_t moved, uint64_t withdrawn)
{
    assert_ok(o->st);
    assert_int_equal(o->counts.n_encoded, encoded);
    assert_int_equal(o->counts.n_known, known);
    assert_int_equal(o->counts.n_moved, moved);
    assert_int_equal(o->counts.n_withdrawn, withdrawn);
}

/* A file of this test moved to another place; the folder of that is made. */
static void move(const char *from, const char *to)
{
    char place[512];
    snprintf(place, sizeof place, "%s", test_text(to, ""));
    assert_int_equal(rename(test_path(from), place), 0);
}

/* The store has the bytes of one that is made of the data anew. */
static void assert_as_new(const outcome *o, const mopd_dataset *data, uint32_t n_views)
{
    mopd_dataset *anew = datasets_encode(data, NULL, n_views);
    assert_ok(mopd_dataset_save(o->out, test_path("kept.safetensors")));
    assert_ok(mopd_dataset_save(anew, test_path("anew.safetensors")));
    datasets_same_bytes(test_path("kept.safetensors"), test_path("anew.safetensors"));
    mopd_dataset_close(anew);
}

/* Everything at once: renamed, relabelled, to another split, another content, deleted, new. */
static void sync_makes_what_encoding_anew_makes(void **state)
{
    (void)state;
    for (uint32_t views = 0; views <= 2; views += 2) {
        mopd_dataset *before = datasets_open(datasets_pictures("sync")),
                     *known = datasets_encode(before, NULL, views);
        move("sync/train/a/0.png", "sync/train/a/zero.png");
        move("sync/train/a/1.png", "sync/train/b/one.png");
        move("sync/test/b/2.png", "sync/train/b/two.png");
        test_png("sync/test/c/1.png", 12, 10, 4711);
        assert_int_equal(unlink(test_path("sync/test/c/2.png")), 0);
        test_png("sync/train/d/new.png", 12, 10, 4712);
        mopd_dataset *now = datasets_open(test_path("sync"));
        outcome o = encode(now, known, views, MOPD_ENCODE_SYNC);
        /* with views the picture that was for testing has other features when it is trained on */
        assert_counts(&o, views ? 3 : 2, 13, 3, 2);
        assert_as_new(&o, now, views);
        outcome again = encode(now, o.out, views, MOPD_ENCODE_SYNC);
        assert_counts(&again, 0, 18, 0, 0);
        mopd_dataset *all[] = {before, known, now, o.out, again.out};
        datasets_close(all, 5);
        assert_int_equal(rename(test_path("sync"), test_path(views ? "sync2" : "sync1")), 0);
    }
}

/* A list that gives pictures other labels. */
static void sync_takes_labels_as_they_are_now(void **state)
{
    (void)state;
    datasets_pictures("label");
    mopd_dataset *a = datasets_of("l1.csv", "path,label\nlabel/train/a/0.png,a\nlabel/train/a/1.png,a\n");
    mopd_dataset *b = datasets_of("l2.csv", "path,label\nlabel/train/a/0.png,a\nlabel/train/a/1.png,b\n");
    mopd_dataset *known = datasets_encode(a, NULL, 0);
    outcome o = encode(b, known, 0, MOPD_ENCODE_SYNC);
    assert_counts(&o, 0, 1, 1, 0);
    assert_string_equal(datasets_listing(o.out), "label/train/a/0.png=a label/train/a/1.png=b");
    assert_as_new(&o, b, 0);
    mopd_dataset *all[] = {a, b, known, o.out};
    datasets_close(all, 4);
}

static void sync_asks_whether_this_is_the_folder(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("right")), *known = datasets_encode(d, NULL, 0);
    test_png("wrong/a/1.png", 9, 9, 4713);
    mopd_dataset *wrong = datasets_open(test_path("wrong"));
    outcome o = encode(wrong, known, 0, MOPD_ENCODE_SYNC);
    assert_fails(o.st, MOPD_E_MISMATCH, "none of the 18 known pictures is in the data");
    assert_null(o.out);
    mopd_dataset *all[] = {d, known, wrong};
    datasets_close(all, 3);
}

static int stop_at_four(void *context, size_t done, size_t total, const char *bad_path, const char *message)
{
    (void)context, (void)total, (void)bad_path, (void)message;
    return done == 4;
}

static void a_sync_that_is_stopped_gives_nothing(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("half")), *known = datasets_encode(d, NULL, 0),
                 *out = NULL;
    mopd_encode_options o = datasets_views(0);
    o.fn = stop_at_four;
    o.flags = MOPD_ENCODE_SYNC;
    assert_fails(
        mopd_dataset_encode(&out, d, known, datasets_encoder('a'), &o), MOPD_E_CANCELLED, "after 4 of 18");
    assert_null(out);
    o.flags = 0;
    assert_fails(
        mopd_dataset_encode(&out, d, known, datasets_encoder('a'), &o), MOPD_E_CANCELLED, "after 4 of 18");
    assert_int_equal(datasets_info(out).n_items, 18);
    mopd_dataset *all[] = {d, known, out};
    datasets_close(all, 3);
}

/* How one mends a label: the file goes to another folder.  It may not be in both classes then. */
static void append_refuses_a_picture_that_changed_its_class(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("mend")), *known = datasets_encode(d, NULL, 0);
    move("mend/train/a/0.png", "mend/train/b/new.png");
    mopd_dataset *now = datasets_open(test_path("mend"));
    outcome o = encode(now, known, 0, 0);
    assert_fails(o.st, MOPD_E_MISMATCH,
        "train/b/new.png: moved here from train/a/0.png, and from class 'a' to 'b'; withdraw train/a/0.png, "
        "or sync");
    assert_null(o.out);
    move("mend/train/b/new.png", "mend/test/a/new.png");
    mopd_dataset *other = datasets_open(test_path("mend"));
    outcome p = encode(other, known, 0, 0);
    assert_fails(p.st, MOPD_E_MISMATCH, "and from split train to test");
    mopd_dataset *without = NULL;
    assert_ok(mopd_dataset_withdraw(&without, known, "train/a/0.png", NULL));
    outcome q = encode(other, without, 0, 0);
    assert_counts(&q, 1, 17, 0, 0);
    assert_as_new(&q, other, 0);
    mopd_dataset *all[] = {d, known, now, other, without, q.out};
    datasets_close(all, 6);
}

/* The store is opened from its file, so it knows where its pictures lie. */
static void append_tells_of_what_is_gone(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("gone")), *e = datasets_encode(d, NULL, 0);
    assert_ok(mopd_dataset_save(e, test_path("gone.safetensors")));
    mopd_dataset *known = datasets_open(test_path("gone.safetensors"));
    move("gone/train/a/0.png", "gone/train/a/renamed.png");
    assert_int_equal(unlink(test_path("gone/train/c/2.png")), 0);
    mopd_dataset *now = datasets_open(test_path("gone"));
    outcome o = encode(now, known, 0, 0);
    assert_counts(&o, 0, 16, 1, 0);
    assert_int_equal(o.counts.n_gone, 2);
    assert_int_equal(datasets_info(o.out).n_items, 19);
    mopd_dataset *all[] = {d, e, known, now, o.out};
    datasets_close(all, 5);
}

/* A copy is no move: the first is there still, in the data or elsewhere on the disk. */
static void copies_are_taken_and_not_encoded(void **state)
{
    (void)state;
    TEST_NEEDS("links");
    mopd_dataset *d = datasets_open(datasets_pictures("copy")), *e = datasets_encode(d, NULL, 0);
    assert_ok(mopd_dataset_save(e, test_path("copy.safetensors")));
    mopd_dataset *known = datasets_open(test_path("copy.safetensors"));
    assert_int_equal(link(test_path("copy/train/a/0.png"), test_path("copy/train/b/copy.png")), 0);
    mopd_dataset *now = datasets_open(test_path("copy"));
    outcome o = encode(now, known, 0, 0);
    assert_counts(&o, 0, 18, 1, 0);
    assert_as_new(&o, now, 0);
    test_folder("second/z");
    assert_int_equal(link(test_path("copy/train/a/0.png"), test_path("second/z/copy.png")), 0);
    mopd_dataset *second = datasets_of("second/s.csv", "path,label,split\nz/copy.png,z,train\n");
    outcome p = encode(second, known, 0, 0);
    assert_counts(&p, 0, 0, 1, 0);
    assert_int_equal(p.counts.n_gone, 0);
    assert_int_equal(datasets_info(p.out).n_items, 19);
    mopd_dataset *all[] = {d, e, known, now, o.out, second, p.out};
    datasets_close(all, 7);
}

/* Pictures of one content are told apart by their places. */
static void equal_pictures_keep_their_places(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "same/a/%d.png", i);
        test_png(name, 9, 9, 7);
    }
    mopd_dataset *d = datasets_open(test_path("same")), *known = datasets_encode(d, NULL, 0);
    outcome o = encode(d, known, 0, MOPD_ENCODE_SYNC);
    assert_counts(&o, 0, 3, 0, 0);
    move("same/a/1.png", "same/b/1.png");
    assert_int_equal(unlink(test_path("same/a/2.png")), 0);
    mopd_dataset *now = datasets_open(test_path("same"));
    outcome p = encode(now, known, 0, MOPD_ENCODE_SYNC);
    assert_counts(&p, 0, 1, 1, 1);
    assert_as_new(&p, now, 0);
    mopd_dataset *all[] = {d, known, o.out, now, p.out};
    datasets_close(all, 5);
}

/* Data that is encoded already is joined and synced like any other. */
static void stores_follow_stores(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_pictures("pass")), *e = datasets_encode(d, NULL, 0),
                 *less = NULL;
    assert_ok(mopd_dataset_withdraw(&less, e, NULL, "b"));
    outcome o = encode(less, e, 0, MOPD_ENCODE_SYNC);
    assert_counts(&o, 0, 12, 0, 6);
    assert_string_equal(datasets_listing(o.out), datasets_listing(less));
    mopd_dataset *all[] = {d, e, less, o.out};
    datasets_close(all, 4);
}

static mopd_status sync_twice(void *ctx)
{
    mopd_dataset *a = NULL, *b = NULL, *known = NULL, *out = NULL;
    mopd_encode_options o;
    mopd_encode_options_init(&o, sizeof o);
    o.flags = MOPD_ENCODE_SYNC;
    (void)ctx;
    mopd_status st = mopd_dataset_open(&a, test_path("lean1.csv"), NULL);
    if (st == MOPD_OK) st = mopd_dataset_open(&b, test_path("lean2.csv"), NULL);
    if (st == MOPD_OK) st = mopd_dataset_encode(&known, a, NULL, datasets_encoder('a'), &o);
    if (st == MOPD_OK) st = mopd_dataset_encode(&out, b, known, datasets_encoder('a'), &o);
    mopd_dataset *all[] = {a, b, known, out};
    datasets_close(all, 4);
    return st;
}

static void syncs_survive_lack_of_memory(void **state)
{
    (void)state;
    test_png("lean1.png", 9, 9, 1);
    test_png("lean2.png", 9, 9, 2);
    test_text("lean1.csv", "path,label\nlean1.png,a\n");
    test_text("lean2.csv", "path,label\nlean1.png,b\nlean2.png,c\n");
    test_torture(sync_twice, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_makes_what_encoding_anew_makes),
        cmocka_unit_test(sync_takes_labels_as_they_are_now),
        cmocka_unit_test(sync_asks_whether_this_is_the_folder),
        cmocka_unit_test(a_sync_that_is_stopped_gives_nothing),
        cmocka_unit_test(append_refuses_a_picture_that_changed_its_class),
        cmocka_unit_test(append_tells_of_what_is_gone),
        cmocka_unit_test(copies_are_taken_and_not_encoded),
        cmocka_unit_test(equal_pictures_keep_their_places),
        cmocka_unit_test(stores_follow_stores),
        cmocka_unit_test(syncs_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
