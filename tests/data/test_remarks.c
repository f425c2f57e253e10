/* SPDX-License-Identifier: MIT
 * test_remarks.c - what is said of data that opens all the same. */
#include "support/datasets.h"

#include "data/remarks.h"

/* The text of the only remark of a kind, "" when there is none; its number. */
static const char *remark_of(const mopd_dataset *d, int32_t kind, uint64_t *n)
{
    static mopd_remark found;
    mopd_remark r = {.struct_size = sizeof r};
    int count = 0;
    found = (mopd_remark){.text = ""};
    for (size_t i = 0; mopd_dataset_get_remark(d, i, &r) == MOPD_OK; i++) {
        if (r.kind != kind) continue;
        found = r;
        count++;
    }
    assert_in_range(count, 0, 1);
    *n = found.n;
    return found.text;
}

static void assert_passed(const mopd_dataset *d, const char *text)
{
    mopd_remark r = {.struct_size = sizeof r};
    for (size_t i = 0; mopd_dataset_get_remark(d, i, &r) == MOPD_OK; i++) {
        if (strcmp(r.text, text) != 0) continue;
        assert_int_equal(r.kind, MOPD_REMARK_PASSED_OVER);
        assert_int_equal(r.n, strtoul(text, NULL, 10));
        return;
    }
    fail_msg("no remark '%s'", text);
}

static size_t n_remarks(const mopd_dataset *d)
{
    mopd_remark r = {.struct_size = sizeof r};
    size_t n = 0;
    while (mopd_dataset_get_remark(d, n, &r) == MOPD_OK) n++;
    char words[64];
    snprintf(words, sizeof words, "index %zu of %zu remarks", n + 7, n);
    assert_fails(mopd_dataset_get_remark(d, n + 7, &r), MOPD_E_ARG, words);
    return n;
}

static void what_is_passed_over_is_counted_by_kind(void **state)
{
    (void)state;
    static const char *const names[] = {"f/cat/1.png", "f/dog/1.jpg", "f/cat/a.xcf", "f/dog/B.XCF",
        "f/dog/c.Psd", "f/cat/.hidden.png", "f/.git/x.png", "f/cat/Thumbs.db", "f/.DS_Store",
        "f/__MACOSX/cat/._1.png", "f/cat/@eaDir/1.png", "f/cat/notes/x.txt", "f/README", "f/loose.png",
        "f/cat/x.averylongending"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) test_text(names[i], "");
    mopd_dataset *d = datasets_open(test_path("f"));
    assert_string_equal(datasets_listing(d), "cat/1.png=cat dog/1.jpg=dog");
    assert_passed(d, "2 .xcf files were passed over: cat/a.xcf and others");
    assert_passed(d, "1 .psd file was passed over: dog/c.Psd");
    assert_passed(d, "2 hidden files and folders were passed over: .git and others");
    assert_passed(d, "4 files and folders of the operating system were passed over: .DS_Store and others");
    assert_passed(d, "1 folder without a picture was passed over: cat/notes");
    assert_passed(d, "1 file without an ending was passed over: README");
    assert_passed(d, "1 picture outside of the class folders was passed over: loose.png");
    assert_passed(d, "1 file of another kind was passed over: cat/x.averylongending");
    assert_int_equal(n_remarks(d), 8);
    mopd_dataset_close(d);
    test_text("clean/a/1.png", "");
    d = datasets_open(test_path("clean"));
    assert_int_equal(n_remarks(d), 0);
    mopd_dataset_close(d);
}

static void what_lies_beside_splits_is_counted(void **state)
{
    (void)state;
    test_text("s/train/a/1.png", "");
    test_text("s/eval/a/1.png", "");
    test_text("s/eval/b/2.png", "");
    test_text("s/docs/page.txt", "");
    mopd_dataset *d = datasets_open(test_path("s"));
    assert_passed(d, "2 pictures in folders beside the splits were passed over: eval/a/1.png and others");
    assert_passed(d, "1 folder without a picture was passed over: docs");
    assert_int_equal(n_remarks(d), 2);
    mopd_dataset_close(d);
}

static void many_kinds_become_other_ones(void **state)
{
    (void)state;
    char name[64];
    test_text("many/a/0.png", "");
    for (int i = 10; i < 60; i++) {
        snprintf(name, sizeof name, "many/a/x.e%d", i);
        test_text(name, "");
    }
    mopd_dataset *d = datasets_open(test_path("many"));
    assert_passed(d, "26 files of other kinds were passed over: a/x.e34 and others");
    assert_int_equal(n_remarks(d), 25);
    mopd_dataset_close(d);
}

static void unlabelled_folders_tell_it_too(void **state)
{
    (void)state;
    mopd_dataset_options o;
    mopd_dataset *d = NULL;
    test_text("lib/2015/01/1.png", "");
    test_text("lib/2015/01/1.cr2", "");
    test_text("lib/2015/.thumbs/1.png", "");
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    o.flags = MOPD_DATASET_UNLABELLED;
    assert_ok(mopd_dataset_open(&d, test_path("lib"), &o));
    assert_passed(d, "1 .cr2 file was passed over: 2015/01/1.cr2");
    assert_passed(d, "1 hidden file or folder was passed over: 2015/.thumbs");
    assert_int_equal(n_remarks(d), 2);
    mopd_dataset_close(d);
}

static void the_same_picture_twice_is_told_once_it_was_read(void **state)
{
    (void)state;
    uint64_t n;
    test_png("twice/train/a/1.png", 9, 9, 1);
    test_png("twice/train/a/2.png", 9, 9, 2);
    test_png("twice/train/a/3.png", 9, 9, 2); /* in one class and split: none of our business */
    test_png("twice/train/b/4.png", 9, 9, 1);
    test_png("twice/test/a/5.png", 9, 9, 2);
    test_png("twice/test/b/6.png", 9, 9, 6);
    test_text("twice/train/a/x.txt", "");
    mopd_dataset *d = datasets_open(test_path("twice")), *again = NULL;
    assert_string_equal(remark_of(d, MOPD_REMARK_TWO_CLASSES, &n), "");
    mopd_dataset *e = datasets_encode(d, NULL, 0);
    assert_string_equal(remark_of(e, MOPD_REMARK_TWO_CLASSES, &n),
        "1 picture is in two classes: train/a/1.png ('a') and train/b/4.png ('b')");
    assert_int_equal(n, 1);
    assert_string_equal(remark_of(e, MOPD_REMARK_TWO_SPLITS, &n),
        "1 picture is in two splits: train/a/2.png ('a') and test/a/5.png ('a')");
    assert_passed(e, "1 .txt file was passed over: train/a/x.txt");
    mopd_dataset *part = datasets_select(e, MOPD_SPLIT_TEST, MOPD_SUBSET_ALL, 0, 1);
    assert_int_equal(n_remarks(part), 3);
    mopd_dataset_close(part);
    assert_ok(mopd_dataset_save(e, test_path("twice.safetensors")));
    assert_ok(mopd_dataset_open(&again, test_path("twice.safetensors"), NULL));
    assert_int_equal(n_remarks(again), 2);
    mopd_dataset_close(again);
    mopd_dataset_close(e);
    mopd_dataset_close(d);
}

/* A list of pictures of tests/gold/pixels, encoded. */
static mopd_dataset *gold(const char *const *names, size_t n)
{
    char text[2048] = "path,label\n";
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, MOPD_TEST_DIR "/gold/pixels/%s,%s\n", names[i],
            i % 2 ? "cat" : "dog");
    }
    mopd_dataset *d = datasets_of("gold.csv", text), *e = datasets_encode(d, NULL, 0);
    mopd_dataset_close(d);
    return e;
}

static void grey_that_became_white_is_told(void **state)
{
    (void)state;
    uint64_t n;
    static const char *const small[] = {"grey16-small-interlaced.png", "grey1.png", "420.jpg"},
                             *const large[] = {"grey1.png", "grey16.png", "grey16-interlaced.png", "420.jpg"};
    mopd_dataset *d = gold(small, 3);
    assert_string_equal(remark_of(d, MOPD_REMARK_CUT_WHITE, &n), "");
    mopd_dataset_close(d);
    d = gold(large, 4);
    const char *text = remark_of(d, MOPD_REMARK_CUT_WHITE, &n);
    assert_int_equal(n, 2);
    assert_non_null(strstr(text, "2 pictures are 16-bit grey, all of which above 255 is read as white: "));
    assert_non_null(strstr(text, "/grey16"));
    mopd_dataset_close(d);
}

static void some_of_many_pairs_are_named(void **state)
{
    (void)state;
    uint64_t n;
    char name[64];
    for (unsigned i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "pairs/%c/%u.png", i < 5 ? 'a' : 'b', i);
        test_png(name, 9, 9, i % 5);
    }
    mopd_dataset *d = datasets_open(test_path("pairs")), *e = datasets_encode(d, NULL, 0);
    assert_string_equal(remark_of(e, MOPD_REMARK_TWO_CLASSES, &n),
        "5 pictures are in two classes: a/0.png ('a') and b/5.png ('b'); a/1.png ('a') and b/6.png ('b'); "
        "a/2.png ('a') and b/7.png ('b'); and others");
    assert_int_equal(n, 5);
    mopd_dataset_close(e);
    mopd_dataset_close(d);
}

static void assert_labels(const char *list, uint64_t want)
{
    uint64_t n;
    mopd_dataset *d = datasets_of("labels.csv", list);
    const char *text = remark_of(d, MOPD_REMARK_LABELS, &n);
    if (n != want || !*text != !want) fail_msg("%s: %d labels are told: %s", list, (int)n, text);
    mopd_dataset_close(d);
}

static void labels_that_are_no_words_are_told(void **state)
{
    (void)state;
    assert_labels("path,label\n1,0\n2,1\n3,10\n", 3);
    assert_labels("path,label\n1,n01440001\n2,n01440002\n", 2);
    assert_labels("path,label\n1,class_1\n2,Label 2\n3,dog\n", 2);
    assert_labels("path,label\n1,3.5\n2,dog\n", 1);
    assert_labels("path,label\n1,1\n2,dog\n3,cat\n", 0); /* one among words */
    assert_labels("path,label\n1,a\n2,b\n", 0);          /* letters may be what they are */
    assert_labels("path,label\n1,A320\n2,Boeing 747\n3,DC-10\n4,ATR-42\n", 0);
    assert_labels("path,label\n1,\u72d71\n2,\u732b\u72d72\n", 0);
    assert_labels("path,label\n1,class\n2,classic 3\n", 0);
}

static mopd_status open_and_encode(void *path)
{
    mopd_dataset *d = NULL, *e = NULL;
    mopd_status st = mopd_dataset_open(&d, path, NULL);
    if (st == MOPD_OK) st = mopd_dataset_encode(&e, d, NULL, datasets_encoder('a'), NULL);
    mopd_dataset_close(e);
    mopd_dataset_close(d);
    return st;
}

/* Files of one kind in one store: a store remembers it, and so does a journal. */
static void grey_is_scaled_when_asked_for(void **state)
{
    (void)state;
    static const char *const names[] = {"grey16.png", "rgb16.png"};
    uint64_t n;
    mopd_dataset *cut = gold(names, 2), *added = NULL, *stored = NULL;
    mopd_encoder *e = datasets_encoder('a');
    e->rules.scale16 = true;
    mopd_dataset *out = NULL,
                 *listed = datasets_of("more.csv", "path,label\n" MOPD_TEST_DIR "/gold/pixels/420.jpg,dog\n"),
                 *both = datasets_of("both.csv",
                     "path,label\n" MOPD_TEST_DIR "/gold/pixels/grey16.png,dog\n" MOPD_TEST_DIR
                     "/gold/pixels/rgb16.png,cat\n");
    assert_ok(mopd_dataset_encode(&out, both, NULL, e, NULL));
    assert_string_equal(remark_of(out, MOPD_REMARK_CUT_WHITE, &n), "");
    assert_string_not_equal(remark_of(cut, MOPD_REMARK_CUT_WHITE, &n), "");
    assert_memory_equal(
        mopd_dataset_feature(out, 0, 0), mopd_dataset_feature(cut, 0, 0), DATASETS_DIM * 4); /* cat */
    assert_memory_not_equal(
        mopd_dataset_feature(out, 1, 0), mopd_dataset_feature(cut, 1, 0), DATASETS_DIM * 4);
    assert_fails(mopd_dataset_encode(&added, listed, cut, e, NULL), MOPD_E_MISMATCH,
        "16-bit grey was cut at 255 in the store, now it is to be scaled");
    assert_ok(mopd_dataset_save(out, test_path("scaled.safetensors")));
    assert_ok(mopd_dataset_open(&stored, test_path("scaled.safetensors"), NULL));
    assert_ok(mopd_dataset_encode(&added, listed, stored, e, NULL));
    mopd_dataset_close(added);
    e->rules.scale16 = false;
    assert_fails(mopd_dataset_encode(&added, listed, stored, e, NULL), MOPD_E_MISMATCH,
        "16-bit grey was scaled in the store, now it is to be cut at 255");
    mopd_dataset_close(stored);
    mopd_dataset_close(out);
    mopd_dataset_close(both);
    mopd_dataset_close(listed);
    mopd_dataset_close(cut);
}

/* Pictures lie on their side in a store or none does. */
static void a_store_remembers_that_pictures_were_turned(void **state)
{
    (void)state;
    mopd_encoder *e = datasets_encoder('a');
    const char *line = "path,label\n" MOPD_TEST_DIR "/fuzz/corpus/image/exif-jpeg,dog\n";
    mopd_dataset *listed = datasets_of("lying.csv", line), *as_is = NULL, *out = NULL, *stored = NULL,
                 *added = NULL,
                 *more = datasets_of("more.csv", "path,label\n" MOPD_TEST_DIR "/gold/pixels/420.jpg,dog\n");
    mopd_dataset_info info = {.struct_size = sizeof info};
    assert_ok(mopd_dataset_encode(&as_is, listed, NULL, e, NULL));
    assert_ok(mopd_dataset_save(as_is, test_path("lying.safetensors")));
    e->rules.upright = true;
    assert_ok(mopd_dataset_encode(&out, listed, NULL, e, NULL));
    assert_memory_not_equal(
        mopd_dataset_feature(out, 0, 0), mopd_dataset_feature(as_is, 0, 0), DATASETS_DIM * 4);
    assert_fails(mopd_dataset_encode(&added, more, as_is, e, NULL), MOPD_E_MISMATCH,
        "pictures were not turned as EXIF says in the store, now they are to be");
    assert_ok(mopd_dataset_save(out, test_path("upright.safetensors")));
    assert_ok(mopd_dataset_open(&stored, test_path("upright.safetensors"), NULL));
    assert_ok(mopd_dataset_get_info(stored, &info));
    assert_int_equal(info.upright, 1);
    assert_ok(mopd_dataset_encode(&added, more, stored, e, NULL));
    mopd_dataset_close(added);
    e->rules.upright = false;
    assert_fails(mopd_dataset_encode(&added, more, stored, e, NULL), MOPD_E_MISMATCH,
        "pictures were turned as EXIF says in the store, now they are not to be");
    mopd_dataset_close(stored);
    mopd_dataset_close(out);
    mopd_dataset_close(as_is);
    mopd_dataset_close(more);
    mopd_dataset_close(listed);
}

static void remarks_survive_lack_of_memory(void **state)
{
    (void)state;
    char path[512];
    test_png("short/train/1/1.png", 9, 9, 1);
    test_png("short/train/2/2.png", 9, 9, 1);
    test_png("short/test/2/3.png", 9, 9, 1);
    test_text("short/train/1/x.txt", "");
    test_text("short/train/1/.x", "");
    test_text("short/more/deep/1.png", "");
    snprintf(path, sizeof path, "%s", test_path("short"));
    test_torture(open_and_encode, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_passed_over_is_counted_by_kind),
        cmocka_unit_test(what_lies_beside_splits_is_counted),
        cmocka_unit_test(many_kinds_become_other_ones),
        cmocka_unit_test(unlabelled_folders_tell_it_too),
        cmocka_unit_test(the_same_picture_twice_is_told_once_it_was_read),
        cmocka_unit_test(grey_that_became_white_is_told),
        cmocka_unit_test(grey_is_scaled_when_asked_for),
        cmocka_unit_test(a_store_remembers_that_pictures_were_turned),
        cmocka_unit_test(some_of_many_pairs_are_named),
        cmocka_unit_test(labels_that_are_no_words_are_told),
        cmocka_unit_test(remarks_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
