/* SPDX-License-Identifier: MIT
 * test_rename.c - words for labels that are none: files of names, lists of names, and what stays as it was. */
#include "support/datasets.h"

#define NUMBERS "path,label\n1,10\n2,9\n3,0\n"
#define IDS "path,label,split\n1,n02,train\n2,n01,train\n3,n02,test\n4,n01,test\n"

static mopd_status open_named(mopd_dataset **out, const char *list, const char *names)
{
    mopd_dataset_options o;
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    o.names = test_text("names", names);
    return mopd_dataset_open(out, test_text("list.csv", list), &o);
}

/* "label=name label=name ..." */
static void assert_names(const char *list, const char *names, const char *want)
{
    char text[512] = "";
    size_t at = 0;
    mopd_dataset *d = NULL;
    mopd_remark r = {.struct_size = sizeof r};
    assert_ok(open_named(&d, list, names));
    for (size_t c = 0; c < datasets_info(d).n_classes; c++) {
        assert_ptr_equal(mopd_dataset_class_names(d)[c], mopd_dataset_class_name(d, c));
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s=%s", c ? " " : "",
            mopd_dataset_label_name(d, c), mopd_dataset_class_name(d, c));
    }
    assert_string_equal(text, want);
    assert_null(mopd_dataset_label_name(d, datasets_info(d).n_classes));
    assert_int_equal(mopd_dataset_get_remark(d, 0, &r), MOPD_E_ARG); /* none is due any more */
    mopd_dataset_close(d);
}

static void names_come_with_their_labels(void **state)
{
    (void)state;
    assert_names(IDS, "label,name\nn01,tench\nn02,great white shark\n", "n01=tench n02=great white shark");
    assert_names(IDS, "\xef\xbb\xbfname,id,label\r\n\" b, or c \",7,n02\r\n\r\na,7,n01", "n01=a n02=b, or c");
    assert_names(IDS, "\"label\",\"name\"\nn01,a\nn02,b\nn77,zebra\n", "n01=a n02=b");
    assert_names(NUMBERS, "label,name\n9,nine\n10,ten\n0,none\n", "0=none 10=ten 9=nine");
}

static void names_come_in_the_order_of_the_labels(void **state)
{
    (void)state;
    assert_names(IDS, "tench\ncello, a musical instrument\n", "n01=tench n02=cello, a musical instrument");
    assert_names(IDS, "\xef\xbb\xbf  tench \r\nshark\r\n\r\n \n", "n01=tench n02=shark");
    assert_names(NUMBERS, "none\nnine\nten", "0=none 10=ten 9=nine"); /* 0, 9, 10 */
    assert_names("path,label\n1,007\n2,08\n3,1\n", "one\nseven\neight", "007=seven 08=eight 1=one");
    assert_names("path,label\n1,c1\n2,c2\n", "a\nb", "c1=a c2=b");
    assert_names("path,label\n1,7\n2,07\n3,6\n", "six\nseven\nalso", "07=seven 6=six 7=also");
    assert_names("path,label\n1,c12\n2,c13\n", "a\nb", "c12=a c13=b");
    assert_names("path,label\n1,1\n2,a\n3,b9\n4,b9x\n5,c07\n6,c7\n", "a\nb\nc\nd\ne\nf",
        "1=a a=b b9=c b9x=d c07=e c7=f");
}

static void assert_bad(const char *list, const char *names, const char *words)
{
    mopd_dataset *d = NULL;
    assert_fails(open_named(&d, list, names), MOPD_E_FORMAT, words);
    assert_non_null(strstr(mopd_last_error(), "names: "));
    assert_null(d);
}

static void names_that_do_not_fit_are_refused_by_line(void **state)
{
    (void)state;
    assert_bad(IDS, "tench\n", "1 names for 2 labels: name the labels themselves");
    assert_bad(IDS, "a\nb\nc\n", "3 names for 2 labels");
    assert_bad(IDS, "a\n\nb\n", "line 2: the name of label 'n02' is empty");
    assert_bad(IDS, "a\nb\xff\n", "line 2: the name of label 'n02' is not UTF-8");
    assert_bad(IDS, "a\nA\n", "line 2: 'A' of label 'n02' is the same words to a model as 'a' of line 1");
    assert_bad(IDS, "n01,a\nn02,b\n", "line 1 begins with a label");
    assert_bad(IDS, "", "is empty");
    assert_bad(IDS, "label,name\nn01,a\n", "no name for label 'n02'");
    assert_bad(IDS, "label,name\nn01,a\nn02,\n", "line 3: the name of label 'n02' is empty");
    assert_bad(IDS, "label,name\nn01,a\nn02,b\nn01,c\n", "line 4: label 'n01' is in line 2 already");
    assert_bad(IDS, "label,name\nn02,a b\nn01,A_b\n", "line 3: 'A_b' of label 'n01' is the same words");
    assert_bad(IDS, "label,name\nn01,a\nn02\n", "line 3: 1 fields, the header has 2");
    assert_bad(IDS, "label,name\nn01,\"a\n", "line 2: the quote opened here is never closed");
    assert_bad("path,label\n1,c2\n2,c10\n", "a\nb\n", "label 'c10' stands before 'c2', in byte order");
    assert_bad("path,label\n1,c01b\n2,c1a\n", "a\nb\n", "label 'c01b' stands before 'c1a', in byte order");
    mopd_dataset_options o;
    mopd_dataset *d = NULL;
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    o.names = "/nowhere/names.txt";
    assert_fails(mopd_dataset_open(&d, test_text("list.csv", IDS), &o), MOPD_E_IO, "/nowhere/names.txt");
}

/* Labels that are one to a model are told apart by names of their own. */
static void names_part_labels_that_are_one(void **state)
{
    (void)state;
    mopd_dataset *d = NULL;
    const char *list = "path,label\n1,A\n2,a\n";
    assert_fails(mopd_dataset_open(&d, test_text("list.csv", list), NULL), MOPD_E_FORMAT, "same words");
    assert_names(list, "label,name\nA,capital A\na,small A\n", "A=capital A a=small A");
}

static void draws_and_halves_stay_as_they_were(void **state)
{
    (void)state;
    mopd_dataset *with = NULL, *without = datasets_open(datasets_split_list("split.csv", 6, 9));
    mopd_dataset_options o;
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    o.names = test_text("six", "zebra\nyak\nwolf\nfox\ncat\nant\n");
    assert_ok(mopd_dataset_open(&with, test_path("split.csv"), &o));
    for (int32_t subset = MOPD_SUBSET_BASE; subset <= MOPD_SUBSET_NEW; subset++) {
        mopd_dataset *a = datasets_select(with, MOPD_SPLIT_TRAIN, subset, 3, 7),
                     *b = datasets_select(without, MOPD_SPLIT_TRAIN, subset, 3, 7);
        assert_int_equal(datasets_info(a).n_items, 9);
        for (size_t i = 0; i < 9; i++)
            assert_string_equal(datasets_item(a, i).path, datasets_item(b, i).path);
        assert_string_equal(mopd_dataset_class_name(a, 0), subset == MOPD_SUBSET_BASE ? "zebra" : "fox");
        assert_string_equal(mopd_dataset_label_name(a, 0), mopd_dataset_class_name(b, 0));
        mopd_dataset_close(a);
        mopd_dataset_close(b);
    }
    mopd_dataset *rest = NULL;
    assert_ok(mopd_dataset_withdraw(&rest, with, NULL, "yak"));
    assert_string_equal(mopd_dataset_class_name(rest, 1), "wolf");
    mopd_dataset_close(rest);
    mopd_dataset_close(with);
    mopd_dataset_close(without);
}

static void a_list_of_names_is_taken(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_of("ids.csv", IDS), *named = NULL;
    mopd_remark r = {.struct_size = sizeof r};
    const char *const names[] = {"tench", "shark"}, *const same[] = {"Tench", "tench"},
                      *const hole[] = {"a", NULL}, *const broken[] = {"a", "\xff"};
    assert_ok(mopd_dataset_get_remark(d, 0, &r));
    assert_int_equal(r.kind, MOPD_REMARK_LABELS);
    assert_ok(mopd_dataset_with_names(&named, d, names, 2));
    assert_string_equal(mopd_dataset_class_name(named, 1), "shark");
    assert_string_equal(mopd_dataset_label_name(named, 1), "n02");
    assert_string_equal(mopd_dataset_class_name(d, 1), "n02");
    assert_int_equal(mopd_dataset_get_remark(named, 0, &r), MOPD_E_ARG);
    mopd_dataset_close(named);
    assert_fails(mopd_dataset_with_names(&named, d, names, 1), MOPD_E_ARG, "1 names for 2 classes");
    assert_fails(mopd_dataset_with_names(&named, d, same, 2), MOPD_E_ARG, "class 1, 'tench'");
    assert_fails(mopd_dataset_with_names(&named, d, hole, 2), MOPD_E_ARG, "class 1 is missing");
    assert_fails(mopd_dataset_with_names(&named, d, broken, 2), MOPD_E_ARG, "class 1 is not UTF-8");
    assert_null(named);
    mopd_dataset_close(d);
}

/* A folder of two numbered classes, n of their three pictures each. */
static mopd_dataset *pictures(const char *folder, unsigned n, const char *const *names)
{
    char name[64];
    mopd_dataset *named = NULL;
    for (unsigned i = 0; i < 2 * n; i++) {
        snprintf(name, sizeof name, "%s/%u/%u.png", folder, i % 2, i);
        test_png(name, 9, 9, i);
    }
    mopd_dataset *d = datasets_open(test_path(folder));
    if (!names) return d;
    assert_ok(mopd_dataset_with_names(&named, d, names, 2));
    mopd_dataset_close(d);
    return named;
}

static void stores_keep_names(void **state)
{
    (void)state;
    const char *const names[] = {"zebra", "ant"};
    mopd_dataset *d = pictures("kept", 3, names), *e = datasets_encode(d, NULL, 0), *s = NULL, *more = NULL;
    assert_ok(mopd_dataset_save(e, test_path("kept.safetensors")));
    assert_ok(mopd_dataset_open(&s, test_path("kept.safetensors"), NULL));
    assert_string_equal(mopd_dataset_class_name(s, 0), "zebra");
    assert_string_equal(mopd_dataset_label_name(s, 0), "0");
    /* What is joined has the names of either; new ones take the place of old ones. */
    mopd_dataset *plain = pictures("kept", 4, NULL);
    more = datasets_encode(plain, s, 0);
    assert_string_equal(mopd_dataset_class_name(more, 1), "ant");
    mopd_dataset_close(more);
    const char *const others[] = {"yak", "bee"};
    mopd_dataset *renamed = NULL;
    assert_ok(mopd_dataset_with_names(&renamed, plain, others, 2));
    more = datasets_encode(renamed, s, 0);
    assert_string_equal(mopd_dataset_class_name(more, 1), "bee");
    datasets_close((mopd_dataset *[]){more, renamed, plain, s, e, d}, 6);
}

static mopd_status name_and_encode(void *names)
{
    mopd_dataset_options o;
    mopd_dataset *d = NULL, *named = NULL, *e = NULL;
    const char *const words[] = {"yak", "bee"};
    mopd_dataset_options_init(&o, sizeof o);
    o.names = names;
    mopd_status st = mopd_dataset_open(&d, test_path("short"), &o);
    if (st == MOPD_OK) st = mopd_dataset_with_names(&named, d, words, 2);
    if (st == MOPD_OK) st = mopd_dataset_encode(&e, named, NULL, datasets_encoder('a'), NULL);
    datasets_close((mopd_dataset *[]){e, named, d}, 3);
    return st;
}

static void naming_survives_lack_of_memory(void **state)
{
    (void)state;
    char names[512];
    mopd_dataset_close(pictures("short", 1, NULL));
    snprintf(names, sizeof names, "%s", test_text("lines", "zebra\nant, or so\n"));
    test_torture(name_and_encode, names);
    snprintf(names, sizeof names, "%s", test_text("table", "label,name\n1,zebra\n0,ant\n"));
    test_torture(name_and_encode, names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_with_their_labels),
        cmocka_unit_test(names_come_in_the_order_of_the_labels),
        cmocka_unit_test(names_that_do_not_fit_are_refused_by_line),
        cmocka_unit_test(names_part_labels_that_are_one),
        cmocka_unit_test(draws_and_halves_stay_as_they_were),
        cmocka_unit_test(a_list_of_names_is_taken),
        cmocka_unit_test(stores_keep_names),
        cmocka_unit_test(naming_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
