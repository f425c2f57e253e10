/* SPDX-License-Identifier: MIT
 * test_split.c - parts of datasets: splits, halves of the classes, seeded draws, picked and withdrawn pictures. */
#include "support/datasets.h"

static void base_is_the_larger_half_of_the_classes(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_split_list("five.csv", 5, 3));
    mopd_dataset *base = datasets_select(d, MOPD_SPLIT_TEST, MOPD_SUBSET_BASE, 0, 1);
    mopd_dataset *fresh = datasets_select(d, MOPD_SPLIT_TEST, MOPD_SUBSET_NEW, 0, 1);
    mopd_dataset_close(d);
    assert_int_equal(datasets_info(base).n_classes, 3);
    assert_int_equal(datasets_info(base).n_items, 6);
    assert_int_equal(datasets_info(fresh).n_classes, 2);
    assert_string_equal(mopd_dataset_class_name(fresh, 0), "c03");
    assert_int_equal(mopd_dataset_labels(fresh)[0], 0);
    assert_int_equal(mopd_dataset_labels(fresh)[3], 1);
    mopd_dataset_close(base);
    mopd_dataset_close(fresh);
}

static void base_counts_classes_with_training_pictures(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(
        test_text("cut.csv", "path,label,split\n1,a,test\n2,b,train\n3,c,train\n4,b,test\n5,c,test\n"));
    mopd_dataset *base = datasets_select(d, MOPD_SPLIT_TEST, MOPD_SUBSET_BASE, 0, 1);
    mopd_dataset *all = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 0, 1);
    assert_string_equal(datasets_listing(base), "4=b");
    assert_int_equal(datasets_info(all).n_classes, 3);
    assert_string_equal(datasets_listing(all), "2=b 3=c");
    mopd_dataset_close(all);
    mopd_dataset_close(base);
    mopd_dataset_close(d);
}

static void data_without_splits_is_its_own_test(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(test_text("one.csv", "path,label\n1,a\n2,b\n"));
    mopd_dataset *part = datasets_select(d, MOPD_SPLIT_TEST, MOPD_SUBSET_ALL, 0, 1);
    assert_string_equal(datasets_listing(part), "1=a 2=b");
    mopd_dataset_close(part);
    mopd_dataset_close(d);
}

static void selection_refuses_what_is_not_there(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_split_list("two.csv", 1, 2)), *part = NULL;
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
    s.split = 3;
    assert_fails(mopd_dataset_select(&part, d, &s), MOPD_E_ARG, "split is 3");
    s.split = MOPD_SPLIT_TRAIN;
    s.subset = -1;
    assert_fails(mopd_dataset_select(&part, d, &s), MOPD_E_ARG, "subset is -1");
    s.struct_size = 4;
    assert_fails(mopd_dataset_select(&part, d, &s), MOPD_E_ARG,
        "mopd_dataset_select: struct_size of mopd_selection is 4");
    mopd_dataset_close(d);
}

static void draw_is_seeded_and_without_replacement(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_split_list("draw.csv", 4, 20));
    mopd_dataset *a = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 5, 1);
    mopd_dataset *b = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 5, 1);
    mopd_dataset *c = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 5, 2);
    char first[8192];
    snprintf(first, sizeof first, "%s", datasets_listing(a));
    assert_int_equal(datasets_info(a).n_items, 20);
    assert_string_equal(datasets_listing(b), first);
    assert_string_not_equal(datasets_listing(c), first);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(mopd_dataset_labels(a)[i], i / 5);
        if (i) assert_true(strcmp(datasets_item(a, i - 1).path, datasets_item(a, i).path) < 0);
    }
    mopd_dataset_close(a);
    mopd_dataset_close(b);
    mopd_dataset_close(c);
    mopd_dataset_close(d);
}

static void draw_comes_before_the_cut_and_fewer_gives_all(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_split_list("draw4.csv", 4, 20)),
                 *e = datasets_open(datasets_split_list("draw3.csv", 3, 20));
    mopd_dataset *all = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 5, 7);
    mopd_dataset *base = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_BASE, 5, 7);
    mopd_dataset *other = datasets_select(e, MOPD_SPLIT_TRAIN, MOPD_SUBSET_BASE, 5, 7);
    char text[8192];
    snprintf(text, sizeof text, "%s", datasets_listing(base));
    assert_int_equal(strncmp(datasets_listing(all), text, strlen(text)), 0);
    assert_string_equal(datasets_listing(other), text);
    mopd_dataset *most = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 21, 7);
    assert_int_equal(datasets_info(most).n_items, 80);
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
    mopd_dataset *d = datasets_open(test_text("fair.csv", "path,label\n0,a\n1,a\n2,a\n3,a\n"));
    int hits[4] = {0};
    for (uint64_t seed = 0; seed < 100; seed++) {
        mopd_dataset *part = datasets_select(d, MOPD_SPLIT_NONE, MOPD_SUBSET_ALL, 2, seed);
        for (size_t i = 0; i < 2; i++) hits[datasets_item(part, i).path[0] - '0']++;
        mopd_dataset_close(part);
    }
    for (int i = 0; i < 4; i++) assert_in_range(hits[i], 35, 65);
    mopd_dataset_close(d);
}

static void parts_leave_things_out(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(test_text("part.csv", "path,label\n1,a\n2,b\n3,b\n4,c\n")), *p = NULL;
    assert_ok(mopd_dataset_leave_out(&p, d, 0));
    assert_string_equal(datasets_listing(p), "2=b 3=b 4=c");
    assert_int_equal(datasets_info(p).n_classes, 3);
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
    assert_int_equal(datasets_info(p).n_classes, 2);
    mopd_dataset_close(p);
    assert_ok(mopd_dataset_withdraw(&p, d, NULL, "b"));
    assert_string_equal(datasets_listing(p), "1=a 4=c");
    mopd_dataset_close(p);
    assert_fails(mopd_dataset_withdraw(&p, d, "9", NULL), MOPD_E_ARG, "no picture '9' to withdraw among 4");
    assert_fails(mopd_dataset_withdraw(&p, d, NULL, "z"), MOPD_E_ARG, "no class 'z'");
    assert_fails(mopd_dataset_withdraw(&p, d, NULL, NULL), MOPD_E_ARG, "neither path nor class_name");
    assert_fails(mopd_dataset_withdraw(&p, d, "1", "a"), MOPD_E_ARG, "both path and class_name");
    assert_fails(mopd_dataset_leave_out(&p, d, 4), MOPD_E_ARG, "index 4 of 4");
    const size_t wrong[] = {1, 1};
    assert_fails(mopd_dataset_pick(&p, d, wrong, 2, 0), MOPD_E_ARG, "not ascending");
    assert_fails(mopd_dataset_pick(&p, d, wrong, 0, 0), MOPD_E_ARG, "n is 0");
    mopd_dataset_close(d);
}

/* Runs of earlier releases drew these pictures: whoever repeats one must get the same. */
static void draws_are_those_of_the_first_release(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        const char *want;
    } draws[] = {
        {0, "c00-00.png=c00 c00-02.png=c00 c00-04.png=c00 c01-00.png=c01 c01-03.png=c01 c01-08.png=c01"},
        {1, "c00-00.png=c00 c00-01.png=c00 c00-06.png=c00 c01-00.png=c01 c01-02.png=c01 c01-04.png=c01"},
        {UINT64_MAX,
            "c00-02.png=c00 c00-06.png=c00 c00-07.png=c00 c01-02.png=c01 c01-04.png=c01 c01-07.png=c01"},
    };
    mopd_dataset *d = datasets_open(datasets_split_list("pinned.csv", 2, 9));
    for (size_t i = 0; i < 3; i++) {
        mopd_dataset *part = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 3, draws[i].seed);
        assert_string_equal(datasets_listing(part), draws[i].want);
        mopd_dataset_close(part);
    }
    mopd_dataset_close(d);
}

/* Base and new halves of n classes share nothing and leave nothing out. */
static void halves_are_a_partition(void **state)
{
    (void)state;
    for (int n = 1; n <= 7; n++) {
        mopd_dataset *d = datasets_open(datasets_split_list("halves.csv", n, 1));
        mopd_dataset *base = datasets_select(d, MOPD_SPLIT_NONE, MOPD_SUBSET_BASE, 0, 1), *fresh = NULL;
        const mopd_selection s = datasets_selection(MOPD_SPLIT_NONE, MOPD_SUBSET_NEW, 0, 1);
        int n_base = (n + 1) / 2;
        assert_int_equal(datasets_info(base).n_classes, n_base);
        assert_int_equal(datasets_info(base).n_items, 3 * n_base);
        if (n == 1) {
            assert_fails(mopd_dataset_select(&fresh, d, &s), MOPD_E_ARG, "no picture of a new class is left");
        } else {
            assert_ok(mopd_dataset_select(&fresh, d, &s));
            assert_int_equal(datasets_info(fresh).n_classes, n - n_base);
            assert_int_equal(datasets_info(fresh).n_items, 3 * (n - n_base));
            for (int c = 0; c < n; c++) {
                const mopd_dataset *half = c < n_base ? base : fresh;
                char name[16];
                snprintf(name, sizeof name, "c%02d", c);
                assert_string_equal(
                    mopd_dataset_class_name(half, (size_t)(c < n_base ? c : c - n_base)), name);
            }
        }
        mopd_dataset_close(fresh);
        mopd_dataset_close(base);
        mopd_dataset_close(d);
    }
}

/* What one class gives does not depend on the other classes, nor on the split that is taken beside. */
static void a_class_s_draw_is_its_own(void **state)
{
    (void)state;
    mopd_dataset *one = datasets_of("one.csv", "path,label\n1,b\n2,b\n3,b\n4,b\n5,b\n6,b\n");
    mopd_dataset *two = datasets_of("two.csv", "path,label\n0,a\n1,b\n2,b\n3,b\n4,b\n5,b\n6,b\n7,c\n8,c\n");
    for (uint64_t seed = 0; seed < 20; seed++) {
        mopd_dataset *a = datasets_select(one, MOPD_SPLIT_NONE, MOPD_SUBSET_ALL, 2, seed);
        mopd_dataset *b = datasets_select(two, MOPD_SPLIT_NONE, MOPD_SUBSET_ALL, 2, seed);
        assert_int_equal(datasets_info(b).n_items, 5);
        for (size_t i = 0; i < 2; i++)
            assert_string_equal(datasets_item(a, i).path, datasets_item(b, i + 1).path);
        mopd_dataset_close(a);
        mopd_dataset_close(b);
    }
    mopd_dataset_close(one);
    mopd_dataset_close(two);
}

static void splits_are_taken_alone_or_together(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_of("alone.csv", "path,label,split\n1,a,train\n2,a,val\n3,b,test\n4,b,val\n");
    static const char *const want[] = {"1=a 2=a 3=b 4=b", "1=a", "2=a 4=b", "3=b"};
    for (int32_t split = MOPD_SPLIT_NONE; split <= MOPD_SPLIT_TEST; split++) {
        mopd_dataset *part = datasets_select(d, split, MOPD_SUBSET_ALL, 0, 1);
        assert_string_equal(datasets_listing(part), want[split + 1]);
        assert_int_equal(datasets_info(part).n_classes, 2);
        mopd_dataset_close(part);
    }
    mopd_dataset_close(d);
    mopd_dataset *part = NULL;
    mopd_selection s = datasets_selection(MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 0, 1);
    d = datasets_of("val.csv", "path,label,split\n1,a,val\n");
    assert_fails(mopd_dataset_select(&part, d, &s), MOPD_E_ARG, "no picture in split 'train'; there is val");
    assert_null(part);
    mopd_dataset_close(d);
}

static void parts_of_parts_are_parts(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_open(datasets_split_list("parts.csv", 6, 4));
    mopd_dataset *train = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_ALL, 0, 1);
    mopd_dataset *base = datasets_select(train, MOPD_SPLIT_NONE, MOPD_SUBSET_BASE, 2, 1);
    mopd_dataset *direct = datasets_select(d, MOPD_SPLIT_TRAIN, MOPD_SUBSET_BASE, 2, 1);
    assert_string_equal(datasets_listing(base), datasets_listing(direct));
    assert_ptr_equal(base->source, d->source);
    mopd_dataset *all[] = {d, train, direct};
    datasets_close(all, 3);
    assert_int_equal(datasets_info(base).n_items, 6); /* it keeps the source */
    mopd_dataset_close(base);
}

static void withdrawing_takes_whole_names(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_of("whole.csv", "path,label\na/1,b\na/11,bb\n1,b\n"), *p = NULL;
    assert_ok(mopd_dataset_withdraw(&p, d, "a/1", NULL));
    assert_string_equal(datasets_listing(p), "1=b a/11=bb");
    mopd_dataset_close(p);
    assert_ok(mopd_dataset_withdraw(&p, d, NULL, "b"));
    assert_string_equal(datasets_listing(p), "a/11=bb");
    mopd_dataset *q = NULL;
    assert_fails(
        mopd_dataset_withdraw(&q, p, NULL, "bb"), MOPD_E_ARG, "without 'bb' no picture would be left");
    assert_fails(mopd_dataset_withdraw(&q, p, "a/11", NULL), MOPD_E_ARG, "no picture would be left");
    assert_null(q);
    mopd_dataset_close(p);
    mopd_dataset_close(d);
}

static mopd_status cut(void *path)
{
    mopd_dataset *d = NULL, *part = NULL, *less = NULL, *few = NULL;
    const mopd_selection s = {
        .struct_size = sizeof s, .split = MOPD_SPLIT_TRAIN, .subset = MOPD_SUBSET_BASE, .shots = 2};
    const size_t some[] = {0, 2};
    mopd_status st = mopd_dataset_open(&d, path, NULL);
    if (st == MOPD_OK) st = mopd_dataset_select(&part, d, &s);
    if (st == MOPD_OK) st = mopd_dataset_withdraw(&less, part, "c00-00.png", NULL);
    if (st == MOPD_E_ARG) st = MOPD_OK; /* not drawn */
    if (st == MOPD_OK) st = mopd_dataset_pick(&few, part, some, 2, MOPD_PICK_RELABEL);
    mopd_dataset *all[] = {few, less, part, d};
    datasets_close(all, 4);
    return st;
}

static void cutting_survives_lack_of_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", datasets_split_list("short.csv", 3, 4));
    test_torture(cut, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_is_the_larger_half_of_the_classes),
        cmocka_unit_test(base_counts_classes_with_training_pictures),
        cmocka_unit_test(data_without_splits_is_its_own_test),
        cmocka_unit_test(selection_refuses_what_is_not_there),
        cmocka_unit_test(draw_is_seeded_and_without_replacement),
        cmocka_unit_test(draw_comes_before_the_cut_and_fewer_gives_all),
        cmocka_unit_test(draw_is_fair),
        cmocka_unit_test(parts_leave_things_out),
        cmocka_unit_test(draws_are_those_of_the_first_release),
        cmocka_unit_test(halves_are_a_partition),
        cmocka_unit_test(a_class_s_draw_is_its_own),
        cmocka_unit_test(splits_are_taken_alone_or_together),
        cmocka_unit_test(parts_of_parts_are_parts),
        cmocka_unit_test(withdrawing_takes_whole_names),
        cmocka_unit_test(cutting_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
