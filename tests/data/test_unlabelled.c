/* SPDX-License-Identifier: MIT
 * test_unlabelled.c - pictures without labels: nested folders, lists without the column, and stores of them. */
#include "support/datasets.h"

#include <unistd.h>

static mopd_status open_as(mopd_dataset **out, const char *path, uint32_t flags)
{
    mopd_dataset_options o;
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    o.flags = flags;
    return mopd_dataset_open(out, path, &o);
}

static mopd_dataset *open_any(const char *path)
{
    mopd_dataset *d = NULL;
    assert_ok(open_as(&d, path, MOPD_DATASET_MAY_LACK_LABELS));
    return d;
}

static const char *library(const char *name)
{
    static const char *const files[] = {"2015/07/b.png", "2015/07/a.JPG", "2015/12/a.png", "2016/1.png",
        "2016/.thumbs/1.png", "2016/notes.txt"};
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", name, files[i]);
        test_png(path, 9, 9, (uint32_t)i);
    }
    return test_path(name);
}

static void every_picture_below_is_taken(void **state)
{
    (void)state;
    mopd_dataset *d = NULL;
    assert_ok(open_as(&d, library("years"), MOPD_DATASET_UNLABELLED));
    assert_string_equal(datasets_listing(d), "2016/1.png=unlabelled 2015/07/a.JPG=unlabelled "
                                             "2015/12/a.png=unlabelled 2015/07/b.png=unlabelled");
    assert_string_equal(datasets_item(d, 3).file, test_path("years/2015/07/b.png"));
    assert_int_equal(datasets_item(d, 3).split, MOPD_SPLIT_NONE);
    const mopd_dataset_info info = datasets_info(d);
    assert_int_equal(info.unlabelled, 1);
    assert_int_equal(info.n_classes, 1);
    mopd_dataset_close(d);
}

/* Class folders tell labels, also below splits; whatever else has pictures has none. */
static void content_tells_whether_there_are_labels(void **state)
{
    (void)state;
    static const struct {
        const char *name, *file, *listing;
        uint32_t unlabelled;
    } data[] = {
        {"flat", "flat/1.png", "1.png=unlabelled", 1},
        {"deep", "deep/2015/07/1.png", "2015/07/1.png=unlabelled", 1},
        {"sorted", "sorted/cat/1.png", "cat/1.png=cat", 0},
        {"halved", "halved/test/cat/1.png", "test/cat/1.png=cat", 0},
        {"cased", "cased/Valid/cat/1.png", "Valid/cat/1.png=cat", 0},
        {"mac", "mac/2015/07/1.png", "2015/07/1.png=unlabelled", 1},
        {"odd", "odd/train/cat/young/1.png", "train/cat/young/1.png=unlabelled", 1},
    };
    test_text("mac/__MACOSX/1.png", "");
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        test_text(data[i].file, "");
        mopd_dataset *d = open_any(test_path(data[i].name));
        assert_string_equal(datasets_listing(d), data[i].listing);
        assert_int_equal(datasets_info(d).unlabelled, data[i].unlabelled);
        mopd_dataset_close(d);
    }
    mopd_dataset *d = NULL;
    assert_fails(mopd_dataset_open(&d, test_path("flat"), NULL), MOPD_E_FORMAT, "no class folder");
    test_text("sorted/dog/old/1.png", ""); /* some pictures have a class and others may: who knows is asked */
    assert_fails(
        open_as(&d, test_path("sorted"), MOPD_DATASET_MAY_LACK_LABELS), MOPD_E_FORMAT, "class 'dog'");
    assert_int_equal(unlink(test_path("sorted/dog/old/1.png")), 0);
    assert_ok(open_as(&d, test_path("sorted"), MOPD_DATASET_UNLABELLED));
    assert_string_equal(datasets_listing(d), "cat/1.png=unlabelled");
    mopd_dataset_close(d);
    test_folder("hollow/2015");
    assert_fails(open_as(&d, test_path("hollow"), MOPD_DATASET_MAY_LACK_LABELS), MOPD_E_FORMAT,
        "hollow: no picture (.jpg, .png and so on) below");
    assert_fails(open_as(&d, test_path("nowhere"), MOPD_DATASET_UNLABELLED), MOPD_E_IO, "nowhere");
    assert_null(d);
}

static void lists_may_lack_the_column(void **state)
{
    (void)state;
    mopd_dataset *d = open_any(test_text("bare.csv", "path\nx/1.png\n2.png\n"));
    assert_string_equal(datasets_listing(d), "x/1.png=unlabelled 2.png=unlabelled");
    assert_int_equal(datasets_info(d).unlabelled, 1);
    mopd_dataset_close(d);
    const char *full = test_text("full.csv", "label,path,split\na,1.png,test\n,2.png,train\n");
    assert_ok(open_as(&d, full, MOPD_DATASET_UNLABELLED));
    assert_string_equal(datasets_listing(d), "1.png=unlabelled 2.png=unlabelled");
    assert_int_equal(datasets_item(d, 0).split, MOPD_SPLIT_TEST);
    mopd_dataset_close(d);
    assert_fails(
        open_as(&d, full, MOPD_DATASET_MAY_LACK_LABELS), MOPD_E_FORMAT, "line 3: the label is empty");
    d = open_any(test_text("good.csv", "label,path\na,1.png\n"));
    assert_int_equal(datasets_info(d).unlabelled, 0);
    mopd_dataset_close(d);
    assert_fails(mopd_dataset_open(&d, test_path("bare.csv"), NULL), MOPD_E_FORMAT, "no column 'label'");
}

/* Each folder holds two links to the next: the paths to the last are 2 to the 40th. */
static void links_that_multiply_paths_are_walked_once(void **state)
{
    (void)state;
    char path[64], to[64];
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "many/%02d/1.png", i);
        test_text(path, "");
        snprintf(to, sizeof to, "../%02d", i + 1);
        for (char side = 'a'; side <= 'b' && i < 39; side++) {
            snprintf(path, sizeof path, "many/%02d/%c", i, side);
            assert_int_equal(symlink(to, test_path(path)), 0);
        }
    }
    mopd_dataset *d = NULL;
    assert_ok(open_as(&d, test_path("many"), MOPD_DATASET_UNLABELLED));
    assert_int_equal(datasets_info(d).n_items, 40);
    mopd_dataset_close(d);
}

static void links_in_a_ring_end(void **state)
{
    (void)state;
    test_text("ring/a/1.png", "");
    assert_int_equal(symlink("..", test_path("ring/a/up")), 0);
    assert_int_equal(symlink("a", test_path("ring/b")), 0); /* the same folder again: taken once */
    assert_int_equal(symlink("nothing", test_path("ring/dead.png")), 0);
    mopd_dataset *d = NULL;
    assert_ok(open_as(&d, test_path("ring"), MOPD_DATASET_UNLABELLED));
    assert_string_equal(datasets_listing(d), "a/1.png=unlabelled");
    mopd_dataset_close(d);
    char path[512] = "deeper";
    for (int i = 0; i < 65; i++) strcat(path, "/d");
    strcat(path, "/1.png");
    test_text(path, "");
    assert_fails(open_as(&d, test_path("deeper"), MOPD_DATASET_UNLABELLED), MOPD_E_UNSUPPORTED,
        "nested deeper than 64");
}

/* A store says that it has no labels, and takes only such pictures. */
static void stores_know_that_they_have_none(void **state)
{
    (void)state;
    mopd_dataset *d = NULL, *out = NULL;
    assert_ok(open_as(&d, library("kept"), MOPD_DATASET_UNLABELLED));
    mopd_dataset *e = datasets_encode(d, NULL, 0);
    const char *path = test_path("kept.safetensors");
    assert_ok(mopd_dataset_save(e, path));
    mopd_dataset *s = datasets_open(path), *again = datasets_encode(d, s, 0);
    assert_int_equal(datasets_info(s).unlabelled, 1);
    assert_string_equal(datasets_listing(s), datasets_listing(d));
    assert_ok(mopd_dataset_save(again, test_path("kept2.safetensors")));
    datasets_same_bytes(path, test_path("kept2.safetensors"));
    test_png("kept-classes/cat/1.png", 9, 9, 77);
    mopd_dataset *classes = datasets_open(test_path("kept-classes")),
                 *named = datasets_encode(classes, NULL, 0);
    assert_fails(mopd_dataset_encode(&out, classes, s, datasets_encoder('a'), NULL), MOPD_E_MISMATCH,
        "the store has no labels, the data has some");
    assert_fails(mopd_dataset_encode(&out, d, named, datasets_encoder('a'), NULL), MOPD_E_MISMATCH,
        "the store has its labels, the data has none");
    mopd_dataset *all[] = {d, e, s, again, classes, named};
    datasets_close(all, 6);
}

static mopd_status open_unlabelled(void *path)
{
    mopd_dataset *d = NULL;
    mopd_dataset_options o;
    mopd_dataset_options_init(&o, sizeof o);
    o.flags = MOPD_DATASET_MAY_LACK_LABELS;
    mopd_status st = mopd_dataset_open(&d, path, &o);
    mopd_dataset_close(d);
    return st;
}

static void libraries_survive_lack_of_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", library("short"));
    assert_int_equal(unlink(test_path("short/2016/1.png")), 0);
    test_text("short/train/x/y/1.png", "");
    test_torture(open_unlabelled, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_picture_below_is_taken),
        cmocka_unit_test(content_tells_whether_there_are_labels),
        cmocka_unit_test(lists_may_lack_the_column),
        cmocka_unit_test(links_in_a_ring_end),
        cmocka_unit_test(links_that_multiply_paths_are_walked_once),
        cmocka_unit_test(stores_know_that_they_have_none),
        cmocka_unit_test(libraries_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
