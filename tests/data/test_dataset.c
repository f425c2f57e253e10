/* SPDX-License-Identifier: MIT
 * test_dataset.c - what all datasets are: rows of a source, in one order, cut into parts that share it. */
#include "support/datasets.h"

/* A source of n rows whose paths, below "root", are these. */
static mo_dataset_source *source_of(const char *const *paths, size_t n)
{
    mo_dataset_source *s = NULL;
    assert_ok(mo_dataset_source_create(&s, n, false));
    for (size_t i = 0; i < n; i++)
        assert_ok(mo_dataset_row_set(s->row + i, "root", paths[i], MOPD_SPLIT_NONE));
    return s;
}

static void rows_have_a_file_and_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *root, *path, *file;
    } rows[] = {{"root", "a/1.png", "root/a/1.png"}, {"", "a/1.png", "a/1.png"},
        {"root", "/a/1.png", "/a/1.png"}, {"root/", "1.png", "root/1.png"}};
    for (size_t i = 0; i < 4; i++) {
        mo_dataset_source *s = NULL;
        assert_ok(mo_dataset_source_create(&s, 1, true));
        assert_ok(mo_dataset_row_set(s->row, rows[i].root, rows[i].path, MOPD_SPLIT_VAL));
        assert_string_equal(s->row->path, rows[i].path);
        assert_int_equal(s->row->split, MOPD_SPLIT_VAL);
        assert_string_equal(s->row->hash, "");
        size_t n_file = strlen(s->row->file), n_path = strlen(rows[i].path);
        assert_ptr_equal(s->row->path, s->row->file + n_file - n_path);
        if (i < 3) assert_string_equal(s->row->file, rows[i].file);
        mo_dataset_source_release(s);
    }
    mo_dataset_source_release(NULL);
}

static void splits_have_names_and_numbers(void **state)
{
    (void)state;
    static const char *const names[] = {"train", "val", "test"};
    for (int32_t s = 0; s < 3; s++) {
        assert_string_equal(mo_dataset_split_name(s), names[s]);
        assert_int_equal(mo_dataset_split_find(names[s]), s);
    }
    assert_string_equal(mo_dataset_split_name(MOPD_SPLIT_NONE), "none");
    assert_string_equal(mo_dataset_split_name(3), "none");
    assert_int_equal(mo_dataset_split_find("none"), MOPD_SPLIT_NONE);
    assert_int_equal(mo_dataset_split_find(""), MOPD_SPLIT_NONE);
    assert_int_equal(mo_dataset_split_find("trains"), MOPD_SPLIT_NONE);
}

/* Class, then file name, then path, in byte order: folders come last. */
static void items_have_one_order(void **state)
{
    (void)state;
    static const char *const paths[] = {"z/1", "a/2", "b/1", "a/1", "B/1", "a/10"};
    const mo_dataset_listed listed[] = {
        {"b", 0, 0}, {"a", 1, 0}, {"a", 2, 0}, {"a", 3, 0}, {"a", 4, 0}, {"a", 5, 0}};
    mopd_dataset *d = NULL;
    assert_ok(mo_dataset_listing_build(
        &d, &(mo_dataset_listing){source_of(paths, 6), listed, 6, NULL, 0, "here", 0}));
    assert_string_equal(datasets_listing(d), "B/1=a a/1=a b/1=a a/10=a a/2=a z/1=b");
    mopd_dataset_close(d);
}

static void classes_without_pictures_are_kept(void **state)
{
    (void)state;
    static const char *const paths[] = {"1", "2"};
    static const char *const extra[] = {"z", "b", "a", "b", "m"};
    const mo_dataset_listed listed[] = {{"m", 0, 0}, {"b", 1, 0}};
    mopd_dataset *d = NULL;
    assert_ok(mo_dataset_listing_build(
        &d, &(mo_dataset_listing){source_of(paths, 2), listed, 2, extra, 5, "here", 0}));
    assert_int_equal(datasets_info(d).n_classes, 4);
    static const char *const want[] = {"a", "b", "m", "z"};
    for (size_t c = 0; c < 4; c++) assert_string_equal(mopd_dataset_class_names(d)[c], want[c]);
    assert_int_equal(mopd_dataset_labels(d)[0], 1);
    assert_int_equal(mopd_dataset_labels(d)[1], 2);
    assert_null(mopd_dataset_class_name(d, 4));
    mopd_dataset_close(d);
}

static void no_picture_is_listed_twice(void **state)
{
    (void)state;
    static const char *const paths[] = {"x/1", "1", "x/1"};
    const mo_dataset_listed folder[] = {{"a", 0, 0}, {"a", 1, 0}, {"b", 2, 0}};
    const mo_dataset_listed list[] = {{"a", 0, 9}, {"a", 1, 3}, {"b", 2, 5}};
    mopd_dataset *d = NULL;
    assert_fails(mo_dataset_listing_build(
                     &d, &(mo_dataset_listing){source_of(paths, 3), folder, 3, NULL, 0, "here", 0}),
        MOPD_E_FORMAT, "here: 'x/1' is there twice");
    assert_fails(
        mo_dataset_listing_build(&d, &(mo_dataset_listing){source_of(paths, 3), list, 3, NULL, 0, "here", 0}),
        MOPD_E_FORMAT, "here: line 9: 'x/1' is in line 5 already");
    assert_null(d);
}

static void parts_number_their_classes_anew(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_of("d.csv", "path,label\n1,a\n2,b\n3,c\n4,c\n"), *p = NULL;
    const size_t keep[] = {0, 2, 3};
    const bool kept[] = {true, false, true};
    assert_ok(mo_dataset_part(&p, d, keep, 3, kept));
    assert_string_equal(datasets_listing(p), "1=a 3=c 4=c");
    assert_int_equal(p->n_classes, 2);
    assert_int_equal(p->label[2], 1);
    mopd_dataset_close(p);
    assert_ok(mo_dataset_part(&p, d, keep, 3, NULL));
    assert_int_equal(p->n_classes, 3);
    assert_int_equal(p->label[2], 2);
    mopd_dataset_close(p);
    assert_ok(mo_dataset_part(&p, d, keep, 0, NULL));
    assert_int_equal(p->n, 0);
    mopd_dataset_close(p);
    mopd_dataset_close(d);
}

static void a_source_lives_as_long_as_its_last_user(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_of("l.csv", "path,label\n1,a\n2,b\n"), *p = NULL, *q = NULL;
    const size_t keep[] = {1};
    assert_ok(mo_dataset_part(&p, d, keep, 1, NULL));
    assert_ok(mo_dataset_part(&q, p, (const size_t[]){0}, 1, NULL));
    assert_int_equal(atomic_load(&d->source->users), 3);
    mopd_dataset_close(d);
    mopd_dataset_close(p);
    assert_int_equal(atomic_load(&q->source->users), 1);
    assert_string_equal(datasets_listing(q), "2=b");
    mopd_dataset_close(q);
    mopd_dataset_close(NULL);
}

static void more_rows_than_labels_can_count_are_refused(void **state)
{
    (void)state;
    mo_dataset_source *s = NULL;
    assert_fails(mo_dataset_source_create(&s, (size_t)INT32_MAX + 1, false), MOPD_E_UNSUPPORTED,
        "2147483648 pictures");
    assert_null(s);
}

/* A zero among the first eight bytes is a store's header length; all else is a list. */
static void files_are_told_by_their_beginning(void **state)
{
    (void)state;
    mopd_dataset *d = NULL;
    assert_fails(
        mopd_dataset_open(&d, test_write("short", "path", 4), NULL), MOPD_E_FORMAT, "no column 'label'");
    assert_fails(mopd_dataset_open(&d, test_write("seven", "\1\0\0\0\0\0\0", 7), NULL), MOPD_E_FORMAT,
        "seven: line 1: a zero byte");
    assert_fails(mopd_dataset_open(&d, test_write("eight", "\2\0\0\0\0\0\0\0{}", 10), NULL), MOPD_E_FORMAT,
        "no feature store, but a safetensors file of kind 'unknown'");
    assert_fails(mopd_dataset_open(&d, test_write("none", "", 0), NULL), MOPD_E_FORMAT, "is empty");
    assert_fails(mopd_dataset_open(&d, test_path("nowhere"), NULL), MOPD_E_IO, "nowhere");
    assert_null(d);
}

static void a_dataset_says_what_it_is(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_of("i.csv", "path,label,split\n1,a,test\n2,b,test\n3,b,train\n");
    const mopd_dataset_info info = datasets_info(d);
    assert_int_equal(info.n_items, 3);
    assert_int_equal(info.n_classes, 2);
    assert_int_equal(info.n_split[MOPD_SPLIT_TRAIN], 1);
    assert_int_equal(info.n_split[MOPD_SPLIT_VAL], 0);
    assert_int_equal(info.n_split[MOPD_SPLIT_TEST], 2);
    assert_true(!info.dim && !info.n_views && !info.augmented && !info.seed);
    assert_string_equal(mopd_dataset_fingerprint(d), "");
    assert_null(mopd_dataset_feature(d, 0, 0));
    mopd_item item = {.struct_size = sizeof item};
    assert_fails(mopd_dataset_get_item(d, 3, &item), MOPD_E_ARG, "index 3 of 3");
    mopd_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_a_file_and_a_path),
        cmocka_unit_test(splits_have_names_and_numbers),
        cmocka_unit_test(items_have_one_order),
        cmocka_unit_test(classes_without_pictures_are_kept),
        cmocka_unit_test(no_picture_is_listed_twice),
        cmocka_unit_test(parts_number_their_classes_anew),
        cmocka_unit_test(a_source_lives_as_long_as_its_last_user),
        cmocka_unit_test(more_rows_than_labels_can_count_are_refused),
        cmocka_unit_test(files_are_told_by_their_beginning),
        cmocka_unit_test(a_dataset_says_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
