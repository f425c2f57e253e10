/* SPDX-License-Identifier: MIT
 * test_folder.c - folders of class folders as datasets: what is a picture, a class, a split. */
#include "support/datasets.h"

#include <unistd.h>

static void folder_is_sorted_by_class_and_name(void **state)
{
    (void)state;
    test_text("plain/b cat/z.JPG", "");
    test_text("plain/b cat/a.jpeg", "");
    test_text("plain/Zebra/m.Png", "");
    test_text("plain/a/1.png", "");
    test_text("plain/a/.hidden.png", "");
    test_text("plain/a/notes.txt", "");
    test_text("plain/a/deeper/notes.txt", "");
    test_text("plain/.git/x.png", "");
    test_text("plain/readme.png", "");
    mopd_dataset *d = datasets_open(test_path("plain"));
    assert_string_equal(
        datasets_listing(d), "Zebra/m.Png=Zebra a/1.png=a b cat/a.jpeg=b cat b cat/z.JPG=b cat");
    assert_null(mopd_dataset_class_name(d, 3));
    mopd_item item = {.struct_size = sizeof item};
    assert_ok(mopd_dataset_get_item(d, 1, &item));
    assert_int_equal(item.split, MOPD_SPLIT_NONE);
    assert_string_equal(item.hash, "");
    assert_string_equal(item.file, test_path("plain/a/1.png"));
    assert_fails(mopd_dataset_get_item(d, 4, &item), MOPD_E_ARG, "index 4 of 4");
    mopd_dataset_close(d);
}

static void folder_splits_unite_their_classes(void **state)
{
    (void)state;
    test_text("split/train/b/1.png", "");
    test_text("split/train/a/2.png", "");
    test_text("split/test/c/0.png", "");
    test_text("split/test/a/1.png", "");
    test_folder("split/test/b");
    test_text("split/docs/x.txt", "");
    mopd_dataset *d = datasets_open(test_path("split"));
    assert_string_equal(datasets_listing(d), "test/a/1.png=a train/a/2.png=a train/b/1.png=b test/c/0.png=c");
    mopd_dataset_info info = datasets_info(d);
    assert_int_equal(info.n_split[MOPD_SPLIT_TRAIN], 2);
    assert_int_equal(info.n_split[MOPD_SPLIT_VAL], 0);
    assert_int_equal(info.n_split[MOPD_SPLIT_TEST], 2);
    mopd_dataset_close(d);
}

static void folder_may_have_a_class_named_train(void **state)
{
    (void)state;
    test_text("cifar/train/1.png", "");
    test_text("cifar/tulip/1.png", "");
    mopd_dataset *d = datasets_open(test_path("cifar"));
    assert_string_equal(datasets_listing(d), "train/1.png=train tulip/1.png=tulip");
    assert_int_equal(datasets_info(d).n_split[0], 0);
    mopd_dataset_close(d);
}

static void folder_follows_links(void **state)
{
    (void)state;
    test_text("far/x.png", "");
    test_folder("links/a");
    assert_int_equal(symlink("../../far/x.png", test_path("links/a/y.png")), 0);
    assert_int_equal(symlink("../far", test_path("links/b")), 0);
    mopd_dataset *d = datasets_open(test_path("links"));
    assert_string_equal(datasets_listing(d), "a/y.png=a b/x.png=b");
    mopd_dataset_close(d);
}

/* Two links that lead back: the ways through them double with each folder. */
static void links_may_lead_in_rings(void **state)
{
    (void)state;
    test_text("rings/a/1.png", "");
    test_text("rings/a/inner/notes.txt", "");
    for (char *link = (char[]){"rings/a/inner/x"}; link[14] <= 'z'; link[14]++)
        assert_int_equal(symlink(".", test_path(link)), 0);
    mopd_dataset *d = datasets_open(test_path("rings"));
    assert_string_equal(datasets_listing(d), "a/1.png=a");
    mopd_dataset_close(d);
    test_text("beside/train/a/1.png", "");
    test_text("beside/more/b/2.png", "");
    for (char *link = (char[]){"beside/more/x"}; link[12] <= 'z'; link[12]++)
        assert_int_equal(symlink("..", test_path(link)), 0);
    d = datasets_open(test_path("beside"));
    assert_string_equal(datasets_listing(d), "train/a/1.png=a");
    mopd_dataset_close(d);
}

static void folder_refuses_what_it_cannot_use(void **state)
{
    (void)state;
    mopd_dataset *d = NULL;
    test_text("hole/a/1.png", "");
    test_folder("hole/nothing here");
    assert_fails(
        mopd_dataset_open(&d, test_path("hole"), NULL), MOPD_E_FORMAT, "class 'nothing here' has no picture");
    assert_null(d);
    test_folder("bare");
    assert_fails(
        mopd_dataset_open(&d, test_path("bare"), NULL), MOPD_E_FORMAT, "no class folder: put the pictures");
    test_text("mixed/train/a/1.png", "");
    test_text("mixed/valid/1.png", "");
    assert_fails(
        mopd_dataset_open(&d, test_path("mixed"), NULL), MOPD_E_FORMAT, "folder 'valid' holds pictures");
    test_text("nested/a/1.png", "");
    test_text("nested/a/far/down/2.png", "");
    assert_fails(mopd_dataset_open(&d, test_path("nested"), NULL), MOPD_E_FORMAT,
        "'a/far/down/2.png' lies in a folder inside the class folder 'a': ");
    test_text("photos/2015/01/1.png", "");
    assert_fails(mopd_dataset_open(&d, test_path("photos"), NULL), MOPD_E_FORMAT,
        "class '2015' has no picture but in folders inside it ('2015/01/1.png')");
    assert_fails(mopd_dataset_open(&d, test_path("nowhere"), NULL), MOPD_E_IO, "nowhere");
    assert_fails(mopd_dataset_open(&d, NULL, NULL), MOPD_E_ARG, "path");
}

static void pictures_are_told_by_their_ending(void **state)
{
    (void)state;
    static const char *const pictures[] = {"1.jpg", "2.JPG", "3.jpeg", "4.JpEg", "5.png", "6.PNG", "a.b.png"};
    static const char *const others[] = {
        "jpg", "x.jpg.txt", "x.jp", "x.jpgg", "x.psd", "x.", "x", ".png", ".x.png"};
    char name[64];
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        snprintf(name, sizeof name, "ends/a/%s", pictures[i]);
        test_text(name, "");
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(name, sizeof name, "ends/a/%s", others[i]);
        test_text(name, "");
    }
    test_folder("ends/a/folder.png");
    mopd_dataset *d = datasets_open(test_path("ends"));
    assert_int_equal(datasets_info(d).n_items, sizeof pictures / sizeof *pictures);
    for (size_t i = 0; i < datasets_info(d).n_items; i++)
        assert_string_equal(datasets_item(d, i).path + 2, pictures[i]);
    mopd_dataset_close(d);
}

static void all_three_splits_are_known(void **state)
{
    (void)state;
    test_text("three/train/a/1.png", "");
    test_text("three/val/a/2.png", "");
    test_text("three/val/b/3.png", "");
    test_text("three/test/b/4.png", "");
    test_text("three/test/b/5.png", "");
    test_text("three/test/c/6.png", "");
    mopd_dataset *d = datasets_open(test_path("three"));
    static const int32_t want[] = {0, 1, 1, 2, 2, 2};
    mopd_dataset_info info = datasets_info(d);
    assert_int_equal(info.n_items, 6);
    assert_int_equal(info.n_classes, 3);
    for (int s = 0; s < 3; s++) assert_int_equal(info.n_split[s], s + 1);
    for (size_t i = 0; i < 6; i++) assert_int_equal(datasets_item(d, i).split, want[i]);
    mopd_dataset_close(d);
}

/* A folder "train" with pictures of its own is a class like others, whatever else it holds. */
static void a_split_has_folders_and_no_picture(void **state)
{
    (void)state;
    test_text("both/train/1.png", "");
    test_text("both/train/deeper/2.txt", "");
    test_text("both/zebra/3.png", "");
    mopd_dataset *d = datasets_open(test_path("both"));
    assert_string_equal(datasets_listing(d), "train/1.png=train zebra/3.png=zebra");
    mopd_dataset_close(d);
    test_folder("empty/train");
    test_text("empty/zebra/3.png", "");
    assert_fails(
        mopd_dataset_open(&d, test_path("empty"), NULL), MOPD_E_FORMAT, "class 'train' has no picture");
}

static void what_lies_beside_splits_is_looked_at(void **state)
{
    (void)state;
    mopd_dataset *d = NULL;
    test_text("beside/train/a/1.png", "");
    test_text("beside/.cache/1.png", "");
    test_text("beside/cover.png", "");
    test_text("beside/notes/deeper/1.png", "");
    d = datasets_open(test_path("beside"));
    assert_string_equal(datasets_listing(d), "train/a/1.png=a");
    mopd_dataset_close(d);
    test_text("beside/more/1.png", "");
    assert_fails(mopd_dataset_open(&d, test_path("beside"), NULL), MOPD_E_FORMAT,
        "folder 'more' holds pictures beside the splits train, val, test");
}

static void splits_have_other_names_too(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        int32_t split;
    } names[] = {{"Train", 0}, {"TRAINING", 0}, {"val", 1}, {"valid", 1}, {"Validation", 1}, {"TEST", 2},
        {"testing", 2}};
    char name[64], want[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "aka%zu/%s/a/1.png", i, names[i].folder);
        test_text(name, "");
        snprintf(name, sizeof name, "aka%zu", i);
        mopd_dataset *d = datasets_open(test_path(name));
        assert_int_equal(datasets_item(d, 0).split, names[i].split);
        snprintf(want, sizeof want, "%s/a/1.png=a", names[i].folder);
        assert_string_equal(datasets_listing(d), want);
        mopd_dataset_close(d);
    }
    mopd_dataset *d = NULL;
    test_text("both-val/train/a/1.png", "");
    test_text("both-val/val/a/2.png", "");
    test_text("both-val/Validation/a/3.png", "");
    assert_fails(mopd_dataset_open(&d, test_path("both-val"), NULL), MOPD_E_FORMAT,
        "'Validation' and 'val' are both the split val");
}

static void classes_that_are_one_are_refused(void **state)
{
    (void)state;
    mopd_dataset *d = NULL;
    test_text("one/train/Cup/1.png", "");
    test_text("one/test/cup/2.png", "");
    assert_fails(mopd_dataset_open(&d, test_path("one"), NULL), MOPD_E_FORMAT,
        "classes 'Cup' (train/Cup/1.png) and 'cup' (test/cup/2.png) are the same words to a model");
    assert_null(d);
    test_text("nfc/caf\u00e9/1.png", "");
    test_text("nfc/cafe\u0301/1.png", "");
    assert_fails(mopd_dataset_open(&d, test_path("nfc"), NULL), MOPD_E_FORMAT, "are the same words");
    test_text("two/Faces/1.png", "");
    test_text("two/Faces_easy/1.png", "");
    mopd_dataset_close(datasets_open(test_path("two")));
}

static void a_class_may_be_empty_in_some_splits(void **state)
{
    (void)state;
    mopd_dataset *d = NULL;
    test_text("some/train/a/1.png", "");
    test_folder("some/train/b");
    test_folder("some/test/a");
    test_text("some/test/b/2.png", "");
    d = datasets_open(test_path("some"));
    assert_string_equal(datasets_listing(d), "train/a/1.png=a test/b/2.png=b");
    mopd_dataset_close(d);
    test_folder("some/test/c");
    test_folder("some/train/c");
    assert_fails(mopd_dataset_open(&d, test_path("some"), NULL), MOPD_E_FORMAT, "class 'c' has no picture");
}

static void class_names_are_taken_as_they_are(void **state)
{
    (void)state;
    test_text("names/sea_or lake/1.png", "");
    test_text("names/caf\u00e9/1.png", "");
    test_text("names/a=b,c/1.png", "");
    mopd_dataset *d = datasets_open(test_path("names"));
    assert_string_equal(mopd_dataset_class_name(d, 0), "a=b,c");
    assert_string_equal(mopd_dataset_class_name(d, 1), "caf\u00e9");
    assert_string_equal(mopd_dataset_class_name(d, 2), "sea_or lake");
    mopd_dataset_close(d);
}

static void files_start_from_the_root(void **state)
{
    (void)state;
    char slashed[512];
    test_text("rooted/a/1.png", "a picture");
    snprintf(slashed, sizeof slashed, "%s/", test_path("rooted"));
    mopd_dataset *d = datasets_open(slashed);
    assert_string_equal(datasets_item(d, 0).path, "a/1.png");
    char *text = test_read(datasets_item(d, 0).file);
    assert_string_equal(text, "a picture");
    free(text);
    mopd_dataset_close(d);
    mopd_dataset_options o;
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    o.root = "/mnt/pictures";
    assert_ok(mopd_dataset_open(&d, test_path("rooted"), &o));
    assert_string_equal(datasets_item(d, 0).file, "/mnt/pictures/a/1.png");
    assert_string_equal(datasets_item(d, 0).path, "a/1.png");
    mopd_dataset_close(d);
}

static mopd_status open_folder(void *path)
{
    mopd_dataset *d = NULL;
    mopd_status st = mopd_dataset_open(&d, path, NULL);
    mopd_dataset_close(d);
    return st;
}

static void folders_survive_lack_of_memory(void **state)
{
    (void)state;
    char path[512];
    test_text("short/train/a/1.png", "");
    test_text("short/train/b/1.png", "");
    test_text("short/test/b/2.png", "");
    test_text("short/notes/readme.txt", "");
    snprintf(path, sizeof path, "%s", test_path("short"));
    test_torture(open_folder, path);
    test_text("shorter/a/1.png", "");
    snprintf(path, sizeof path, "%s", test_path("shorter"));
    test_torture(open_folder, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_is_sorted_by_class_and_name),
        cmocka_unit_test(folder_splits_unite_their_classes),
        cmocka_unit_test(folder_may_have_a_class_named_train),
        cmocka_unit_test(folder_follows_links),
        cmocka_unit_test(links_may_lead_in_rings),
        cmocka_unit_test(folder_refuses_what_it_cannot_use),
        cmocka_unit_test(pictures_are_told_by_their_ending),
        cmocka_unit_test(all_three_splits_are_known),
        cmocka_unit_test(a_split_has_folders_and_no_picture),
        cmocka_unit_test(what_lies_beside_splits_is_looked_at),
        cmocka_unit_test(splits_have_other_names_too),
        cmocka_unit_test(classes_that_are_one_are_refused),
        cmocka_unit_test(a_class_may_be_empty_in_some_splits),
        cmocka_unit_test(class_names_are_taken_as_they_are),
        cmocka_unit_test(files_start_from_the_root),
        cmocka_unit_test(folders_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
