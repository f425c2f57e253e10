/* SPDX-License-Identifier: MIT
 * test_dataset.c - folders and lists as datasets, their order, and the parts that training takes of them. */
#include "pictures.h"

#include <unistd.h>

#include "data/dataset.h"

static const char *path_of(const mopd_dataset *d, size_t i)
{
    mopd_item item = {.struct_size = sizeof item};
    assert_ok(mopd_dataset_get_item(d, i, &item));
    return item.path;
}

static mopd_dataset_info info_of(const mopd_dataset *d)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    assert_ok(mopd_dataset_get_info(d, &info));
    return info;
}

/* "path label" of all items, one after the other. */
static const char *listing(const mopd_dataset *d)
{
    static char text[8192];
    size_t at = 0;
    text[0] = 0;
    for (size_t i = 0; i < info_of(d).n_items; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s=%s", i ? " " : "", path_of(d, i),
            mopd_dataset_class_name(d, (size_t)mopd_dataset_labels(d)[i]));
    }
    return text;
}

static mopd_dataset *open_data(const char *path)
{
    mopd_dataset *d = NULL;
    assert_ok(mopd_dataset_open(&d, path, NULL));
    return d;
}

static void folder_is_sorted_by_class_and_name(void **state)
{
    (void)state;
    test_text("plain/b cat/z.JPG", "");
    test_text("plain/b cat/a.jpeg", "");
    test_text("plain/Zebra/m.Png", "");
    test_text("plain/a/1.png", "");
    test_text("plain/a/.hidden.png", "");
    test_text("plain/a/notes.txt", "");
    test_text("plain/a/deeper/2.png", "");
    test_text("plain/.git/x.png", "");
    test_text("plain/readme.png", "");
    mopd_dataset *d = open_data(test_path("plain"));
    assert_string_equal(listing(d), "Zebra/m.Png=Zebra a/1.png=a b cat/a.jpeg=b cat b cat/z.JPG=b cat");
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
    mopd_dataset *d = open_data(test_path("split"));
    assert_string_equal(listing(d), "test/a/1.png=a train/a/2.png=a train/b/1.png=b test/c/0.png=c");
    mopd_dataset_info info = info_of(d);
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
    mopd_dataset *d = open_data(test_path("cifar"));
    assert_string_equal(listing(d), "train/1.png=train tulip/1.png=tulip");
    assert_int_equal(info_of(d).n_split[0], 0);
    mopd_dataset_close(d);
}

static void folder_follows_links(void **state)
{
    (void)state;
    test_text("far/x.png", "");
    test_folder("links/a");
    assert_int_equal(symlink("../../far/x.png", test_path("links/a/y.png")), 0);
    assert_int_equal(symlink("../far", test_path("links/b")), 0);
    mopd_dataset *d = open_data(test_path("links"));
    assert_string_equal(listing(d), "a/y.png=a b/x.png=b");
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
    assert_fails(mopd_dataset_open(&d, test_path("bare"), NULL), MOPD_E_FORMAT, "no class folder");
    test_text("mixed/train/a/1.png", "");
    test_text("mixed/valid/1.png", "");
    assert_fails(
        mopd_dataset_open(&d, test_path("mixed"), NULL), MOPD_E_FORMAT, "folder 'valid' holds pictures");
    assert_fails(mopd_dataset_open(&d, test_path("nowhere"), NULL), MOPD_E_IO, "nowhere");
    assert_fails(mopd_dataset_open(&d, NULL, NULL), MOPD_E_ARG, "path");
}

static void csv_reads_rfc_4180(void **state)
{
    (void)state;
    const char *path = test_text("list.csv", "\xef\xbb\xbfsplit,path,extra,label\r\n"
                                             "test,\"a,b.jpg\",,\"big \"\"cat\"\"\"\r\n"
                                             "\r\n"
                                             "train,sub/c.jpg,x,dog\n"
                                             "train,/abs/a.jpg,\"two\nlines\",dog");
    mopd_dataset *d = open_data(path);
    assert_string_equal(listing(d), "a,b.jpg=big \"cat\" /abs/a.jpg=dog sub/c.jpg=dog");
    mopd_item item = {.struct_size = sizeof item};
    assert_ok(mopd_dataset_get_item(d, 2, &item));
    assert_string_equal(item.file, test_path("sub/c.jpg"));
    assert_int_equal(item.split, MOPD_SPLIT_TRAIN);
    assert_ok(mopd_dataset_get_item(d, 1, &item));
    assert_string_equal(item.file, "/abs/a.jpg");
    mopd_dataset_close(d);
    mopd_dataset_options options;
    assert_ok(mopd_dataset_options_init(&options, sizeof options));
    options.root = "else/where";
    assert_ok(mopd_dataset_open(&d, path, &options));
    assert_ok(mopd_dataset_get_item(d, 2, &item));
    assert_string_equal(item.file, "else/where/sub/c.jpg");
    mopd_dataset_close(d);
}

static void csv_errors_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"", "is empty"},
        {"path,label\n", "no picture is listed"},
        {"file,label\na,b\n", "line 1: no column 'path'"},
        {"path,class\na,b\n", "line 1: no column 'label'"},
        {"path,label,path\na,b,c\n", "two columns 'path'"},
        {"path,label\na,b\nc\n", "line 3: 1 fields, the header has 2"},
        {"path,label\na,b,c\n", "line 2: 3 fields"},
        {"path,label\n,b\n", "line 2: the path is empty"},
        {"path,label\na,\n", "line 2: the label is empty"},
        {"path,label,split\na,b,train\nc,b,dev\n", "line 3: split 'dev' is none of train, val, test"},
        {"path,label\na,b\n\"c,d\n", "line 3: the quote opened here is never closed"},
        {"path,label\n\"a\"x,b\n", "line 2: text behind a closing quote"},
        {"path,label\na\"b,c\n", "line 2: a quote inside a plain field"},
        {"path,label\na,b\nx,y\na,c\n", "line 4: 'a' is in line 2 already"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mopd_dataset *d = NULL;
        assert_fails(
            mopd_dataset_open(&d, test_text("bad.csv", bad[i].text), NULL), MOPD_E_FORMAT, bad[i].words);
        assert_null(d);
    }
    mopd_dataset *d = NULL;
    const char zero[] = "path,label\na,b\0c\n";
    assert_fails(mopd_dataset_open(&d, test_write("zero.csv", zero, sizeof zero - 1), NULL), MOPD_E_FORMAT,
        "byte 14 is zero");
}

/* n_classes classes c00, c01 ... with n train and 2 test pictures each. */
static const char *write_split_list(const char *name, int n_classes, int n)
{
    static char text[65536];
    size_t at = (size_t)snprintf(text, sizeof text, "path,label,split\n");
    for (int c = 0; c < n_classes; c++) {
        for (int i = 0; i < n + 2; i++)
            at += (size_t)snprintf(
                text + at, sizeof text - at, "c%02d-%02d.png,c%02d,%s\n", c, i, c, i < n ? "train" : "test");
    }
    return test_text(name, text);
}

static mopd_dataset *select_part(
    const mopd_dataset *d, int32_t split, int32_t subset, uint32_t shots, uint64_t seed)
{
    mopd_selection s;
    mopd_dataset *part = NULL;
    assert_ok(mopd_selection_init(&s, sizeof s));
    s.split = split;
    s.subset = subset;
    s.shots = shots;
    s.seed = seed;
    assert_ok(mopd_dataset_select(&part, d, &s));
    return part;
}

static void base_is_the_larger_half_of_the_classes(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_split_list("five.csv", 5, 3));
    mopd_dataset *base = select_part(d, MOPD_SPLIT_TEST, MOPD_SUBSET_BASE, 0, 1);
    mopd_dataset *fresh = select_part(d, MOPD_SPLIT_TEST, MOPD_SUBSET_NEW, 0, 1);
    mopd_dataset_close(d);
    assert_int_equal(info_of(base).n_classes, 3);
    assert_int_equal(info_of(base).n_items, 6);
    assert_int_equal(info_of(fresh).n_classes, 2);
    assert_string_equal(mopd_dataset_class_name(fresh, 0), "c03");
    assert_int_equal(mopd_dataset_labels(fresh)[0], 0);
    assert_int_equal(mopd_dataset_labels(fresh)[3], 1);
    mopd_dataset_close(base);
    mopd_dataset_close(fresh);
}

static void base_counts_classes_with_training_pictures(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(
        test_text("cut.csv", "path,label,split\n1,a,test\n2,b,train\n3,c,train\n4,b,test\n5,c,test\n"));
    mopd_dataset *base = select_part(d, MOPD_SPLIT_TEST, MOPD_SUBSET_BASE, 0, 1);
    mopd_dataset *all = select_part(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 0, 1);
    assert_string_equal(listing(base), "4=b");
    assert_int_equal(info_of(all).n_classes, 3);
    assert_string_equal(listing(all), "2=b 3=c");
    mopd_dataset_close(all);
    mopd_dataset_close(base);
    mopd_dataset_close(d);
}

static void data_without_splits_is_its_own_test(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(test_text("one.csv", "path,label\n1,a\n2,b\n"));
    mopd_dataset *part = select_part(d, MOPD_SPLIT_TEST, MOPD_SUBSET_ALL, 0, 1);
    assert_string_equal(listing(part), "1=a 2=b");
    mopd_dataset_close(part);
    mopd_dataset_close(d);
}

static void selection_refuses_what_is_not_there(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_split_list("two.csv", 1, 2)), *part = NULL;
    mopd_selection s;
    assert_ok(mopd_selection_init(&s, sizeof s));
    s.split = MOPD_SPLIT_VAL;
    assert_fails(
        mopd_dataset_select(&part, d, &s), MOPD_E_ARG, "no picture in split 'val'; there is train test");
    s.split = MOPD_SPLIT_TRAIN;
    s.subset = MOPD_SUBSET_NEW;
    assert_fails(mopd_dataset_select(&part, d, &s), MOPD_E_ARG, "no picture of a new class");
    s.subset = 3;
    assert_fails(mopd_dataset_select(&part, d, &s), MOPD_E_ARG, "subset is 3");
    s.subset = 0;
    s.split = -2;
    assert_fails(mopd_dataset_select(&part, d, &s), MOPD_E_ARG, "split is -2");
    s.struct_size = 4;
    assert_fails(mopd_dataset_select(&part, d, &s), MOPD_E_ARG, "struct_size is 4");
    mopd_dataset_close(d);
}

static void draw_is_seeded_and_without_replacement(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_split_list("draw.csv", 4, 20));
    mopd_dataset *a = select_part(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 5, 1);
    mopd_dataset *b = select_part(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 5, 1);
    mopd_dataset *c = select_part(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 5, 2);
    char first[8192];
    snprintf(first, sizeof first, "%s", listing(a));
    assert_int_equal(info_of(a).n_items, 20);
    assert_string_equal(listing(b), first);
    assert_string_not_equal(listing(c), first);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(mopd_dataset_labels(a)[i], i / 5);
        if (i) assert_true(strcmp(path_of(a, i - 1), path_of(a, i)) < 0);
    }
    mopd_dataset_close(a);
    mopd_dataset_close(b);
    mopd_dataset_close(c);
    mopd_dataset_close(d);
}

static void draw_comes_before_the_cut_and_fewer_gives_all(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(write_split_list("draw4.csv", 4, 20)),
                 *e = open_data(write_split_list("draw3.csv", 3, 20));
    mopd_dataset *all = select_part(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 5, 7);
    mopd_dataset *base = select_part(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_BASE, 5, 7);
    mopd_dataset *other = select_part(e, MOPD_SPLIT_TRAIN, MOPD_SUBSET_BASE, 5, 7);
    char text[8192];
    snprintf(text, sizeof text, "%s", listing(base));
    assert_int_equal(strncmp(listing(all), text, strlen(text)), 0);
    assert_string_equal(listing(other), text);
    mopd_dataset *most = select_part(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 21, 7);
    assert_int_equal(info_of(most).n_items, 80);
    mopd_dataset_close(all);
    mopd_dataset_close(base);
    mopd_dataset_close(other);
    mopd_dataset_close(most);
    mopd_dataset_close(d);
    mopd_dataset_close(e);
}

/* 100 seeds, 2 of 4: each picture is drawn about 50 times. */
static void draw_is_fair(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(test_text("fair.csv", "path,label\n0,a\n1,a\n2,a\n3,a\n"));
    int hits[4] = {0};
    for (uint64_t seed = 0; seed < 100; seed++) {
        mopd_dataset *part = select_part(d, MOPD_SPLIT_NONE, MOPD_SUBSET_ALL, 2, seed);
        for (size_t i = 0; i < 2; i++) hits[path_of(part, i)[0] - '0']++;
        mopd_dataset_close(part);
    }
    for (int i = 0; i < 4; i++) assert_in_range(hits[i], 35, 65);
    mopd_dataset_close(d);
}

static void parts_leave_things_out(void **state)
{
    (void)state;
    mopd_dataset *d = open_data(test_text("part.csv", "path,label\n1,a\n2,b\n3,b\n4,c\n")), *p = NULL;
    assert_ok(mopd_dataset_leave_out(&p, d, 0));
    assert_string_equal(listing(p), "2=b 3=b 4=c");
    assert_int_equal(info_of(p).n_classes, 3);
    mopd_dataset_close(p);
    const size_t some[] = {1, 3};
    assert_ok(mopd_dataset_pick(&p, d, some, 2, 0));
    assert_int_equal(mopd_dataset_labels(p)[1], 2);
    mopd_dataset_close(p);
    assert_ok(mopd_dataset_pick(&p, d, some, 2, MOPD_PICK_RELABEL));
    assert_int_equal(mopd_dataset_labels(p)[1], 1);
    assert_string_equal(mopd_dataset_class_names(p)[1], "c");
    mopd_dataset_close(p);
    assert_ok(mopd_dataset_withdraw(&p, d, "1", NULL));
    assert_int_equal(info_of(p).n_classes, 2);
    mopd_dataset_close(p);
    assert_ok(mopd_dataset_withdraw(&p, d, NULL, "b"));
    assert_string_equal(listing(p), "1=a 4=c");
    mopd_dataset_close(p);
    assert_fails(mopd_dataset_withdraw(&p, d, "9", NULL), MOPD_E_ARG, "no picture '9' to withdraw among 4");
    assert_fails(mopd_dataset_withdraw(&p, d, NULL, "z"), MOPD_E_ARG, "no class 'z'");
    assert_fails(mopd_dataset_withdraw(&p, d, NULL, NULL), MOPD_E_ARG, "a path or a class");
    assert_fails(mopd_dataset_leave_out(&p, d, 4), MOPD_E_ARG, "index 4 of 4");
    const size_t wrong[] = {1, 1};
    assert_fails(mopd_dataset_pick(&p, d, wrong, 2, 0), MOPD_E_ARG, "not ascending");
    assert_fails(mopd_dataset_pick(&p, d, wrong, 0, 0), MOPD_E_ARG, "n is 0");
    mopd_dataset_close(d);
}

static mopd_status open_and_cut(void *ctx)
{
    mopd_dataset *d = NULL, *part = NULL;
    mopd_selection s;
    mopd_selection_init(&s, sizeof s);
    s.split = MOPD_SPLIT_TRAIN;
    s.subset = MOPD_SUBSET_BASE;
    s.shots = 1;
    mopd_status st = mopd_dataset_open(&d, ctx, NULL);
    if (st == MOPD_OK) st = mopd_dataset_select(&part, d, &s);
    mopd_dataset_close(d);
    mopd_dataset_close(part);
    return st;
}

static void folder_survives_lack_of_memory(void **state)
{
    (void)state;
    test_text("short/train/a/1.png", "");
    test_text("short/train/b/1.png", "");
    test_text("short/test/b/2.png", "");
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("short"));
    test_torture(open_and_cut, path);
}

static void csv_survives_lack_of_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", write_split_list("short.csv", 2, 2));
    test_torture(open_and_cut, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_is_sorted_by_class_and_name),
        cmocka_unit_test(folder_splits_unite_their_classes),
        cmocka_unit_test(folder_may_have_a_class_named_train),
        cmocka_unit_test(folder_follows_links),
        cmocka_unit_test(folder_refuses_what_it_cannot_use),
        cmocka_unit_test(csv_reads_rfc_4180),
        cmocka_unit_test(csv_errors_name_the_line),
        cmocka_unit_test(base_is_the_larger_half_of_the_classes),
        cmocka_unit_test(base_counts_classes_with_training_pictures),
        cmocka_unit_test(data_without_splits_is_its_own_test),
        cmocka_unit_test(selection_refuses_what_is_not_there),
        cmocka_unit_test(draw_is_seeded_and_without_replacement),
        cmocka_unit_test(draw_comes_before_the_cut_and_fewer_gives_all),
        cmocka_unit_test(draw_is_fair),
        cmocka_unit_test(parts_leave_things_out),
        cmocka_unit_test(folder_survives_lack_of_memory),
        cmocka_unit_test(csv_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
