/* SPDX-License-Identifier: MIT
 * test_csv.c - lists of pictures: columns, quotes, line ends, and what is wrong by its line. */
#include "support/datasets.h"

static void csv_reads_rfc_4180(void **state)
{
    (void)state;
    const char *path = test_text("list.csv", "\xef\xbb\xbfsplit,path,extra,label\r\n"
                                             "test,\"a,b.jpg\",,\"big \"\"cat\"\"\"\r\n"
                                             "\r\n"
                                             "train,sub/c.jpg,x,dog\n"
                                             "train,/abs/a.jpg,\"two\nlines\",dog");
    mopd_dataset *d = datasets_open(path);
    assert_string_equal(datasets_listing(d), "a,b.jpg=big \"cat\" /abs/a.jpg=dog sub/c.jpg=dog");
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
        {"path,label\ra,b\r", "line 1: a carriage return that ends no line"},
        {"path,label\na,b\nc\rd,e\n", "line 3: a carriage return that ends no line"},
        {"path,label\na,b\nc,caf\xe9\n", "line 3: the label 'caf\\xe9' is not UTF-8"},
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
        "zero.csv: line 2: a zero byte");
}

static void assert_bad(const char *text, const char *words)
{
    mopd_dataset *d = NULL;
    assert_fails(mopd_dataset_open(&d, test_text("bad.csv", text), NULL), MOPD_E_FORMAT, words);
    assert_non_null(strstr(mopd_last_error(), "bad.csv"));
    assert_null(d);
}

static void assert_list(const char *text, const char *want)
{
    mopd_dataset *d = datasets_of("good.csv", text);
    assert_string_equal(datasets_listing(d), want);
    mopd_dataset_close(d);
}

static void columns_stand_in_any_order_among_others(void **state)
{
    (void)state;
    assert_list("label,path\nx,1\ny,2\n", "1=x 2=y");
    assert_list("a,path,b,c,d,e,f,g,h,label,i\n1,2,3,4,5,6,7,8,9,10,11\n", "2=10");
    assert_list("\"path\",\"label\"\n\"1\",\"x\"\n", "1=x");
    assert_list("split,label,path\nval,x,1\n", "1=x");
    assert_list("path,label,path2,labels\n1,x,2,y\n", "1=x");
}

static void column_names_are_taken_to_the_letter(void **state)
{
    (void)state;
    assert_bad("Path,label\n1,x\n", "line 1: no column 'path' in the header; it begins 'Path'");
    assert_bad(" path,label\n1,x\n", "it begins ' path'");
    assert_bad("path;label\n1;x\n", "no column 'path' in the header; it begins 'path;label'");
    assert_bad("path\tlabel\n1\tx\n", "no column 'path'");
    assert_bad("\npath,label\n1,x\n", "line 1: no column 'path' in the header; it begins ''");
    assert_bad("path,label,label\n1,x,y\n", "two columns 'label'");
    assert_bad("path,label,split,split\n1,x,train,train\n", "two columns 'split'");
}

static void lines_end_in_either_way(void **state)
{
    (void)state;
    assert_list("path,label\r\n1,x\r\n2,y\r\n", "1=x 2=y");
    assert_list("path,label\r\n1,x\r\n2,y", "1=x 2=y");
    assert_list("path,label\n1,x\n2,y\r", "1=x 2=y");
    assert_list("path,label\n1,x\r\n2,y\n", "1=x 2=y");
    assert_bad("path,label\r1,x\r2,y\r", "line 1: a carriage return that ends no line");
}

static void the_utf_8_mark_is_passed_over_once(void **state)
{
    (void)state;
    assert_list("\xef\xbb\xbfpath,label\n1,x\n", "1=x");
    assert_bad("\xef\xbb\xbf", "no column 'path' in the header; it begins ''");
    assert_bad("\xef\xbb\xbf\xef\xbb\xbfpath,label\n1,x\n", "no column 'path'");
    assert_list("path,label\n\xef\xbb\xbf,x\n", "\xef\xbb\xbf=x");
}

static void quotes_keep_what_is_inside(void **state)
{
    (void)state;
    assert_list("path,label\n\"a,b\",x\n", "a,b=x");
    assert_list("path,label\n\"a\nb\",x\n", "a\nb=x");
    assert_list("path,label\n\"a\r\nb\",\"\"\"x\"\"\"\n", "a\r\nb=\"x\"");
    assert_list("path,label\n1,\" x \"\n2,  y\n", "2=  y 1= x ");
    assert_list("path,label\n\"a\rb\",x\n", "a\rb=x");
    assert_bad("path,label\n\"\",x\n", "line 2: the path is empty");
    assert_bad("path,label\n1,\"\"\n", "line 2: the label is empty");
    assert_bad("path,label\n1,\"x\" \n", "line 2: text behind a closing quote");
    assert_bad("path,label\n1,\"x\"\"\n", "line 2: the quote opened here is never closed");
    assert_bad("path,label\n1,x\"y\"\n", "line 2: a quote inside a plain field");
}

/* A record is called by the line on which it begins, whatever stands in its quotes. */
static void lines_are_counted_through_quotes(void **state)
{
    (void)state;
    assert_bad("path,label,note\n1,x,\"a\nb\n\nc\"\n2,y\n", "line 6: 2 fields, the header has 3");
    assert_bad("path,label,note\n1,x,\"a\nb\"\n2,y,\"\n\n", "line 4: the quote opened here is never closed");
    assert_bad("path,label\n\n\n\n1\n", "line 5: 1 fields, the header has 2");
    assert_bad("path,label,note\n1,x,\"a\nb\"\n1,y,\n", "line 4: '1' is in line 2 already");
}

static void splits_have_three_names(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_of("splits.csv", "path,label,split\n1,a,test\n2,a,val\n3,a,train\n");
    static const int32_t want[] = {MOPD_SPLIT_TEST, MOPD_SPLIT_VAL, MOPD_SPLIT_TRAIN};
    for (size_t i = 0; i < 3; i++) assert_int_equal(datasets_item(d, i).split, want[i]);
    mopd_dataset_close(d);
    assert_bad("path,label,split\n1,x,Train\n", "line 2: split 'Train' is none of train, val, test");
    assert_bad("path,label,split\n1,x,\n", "line 2: split '' is none of");
    assert_bad("path,label,split\n1,x,train \n", "split 'train ' is none of");
}

static void long_lines_and_many_of_them_are_read(void **state)
{
    (void)state;
    enum { LONG = 1 << 20, N = 20000 };
    char *text = malloc(LONG + 64);
    size_t at = (size_t)sprintf(text, "path,label,note\np,x,\"");
    memset(text + at, 'n', LONG);
    strcpy(text + at + LONG, "\"\nq,y,\n");
    mopd_dataset *d = datasets_of("long.csv", text);
    assert_string_equal(datasets_listing(d), "p=x q=y");
    mopd_dataset_close(d);
    at = (size_t)sprintf(text, "path,label\n");
    for (int i = N; i-- > 0;) at += (size_t)sprintf(text + at, "%05d,c%d\n", i, i % 7);
    d = datasets_of("many.csv", text);
    assert_int_equal(datasets_info(d).n_items, N);
    assert_int_equal(datasets_info(d).n_classes, 7);
    assert_string_equal(datasets_item(d, 0).path, "00000");
    assert_string_equal(datasets_item(d, 1).path, "00007");
    assert_int_equal(datasets_item(d, N - 1).label, 6);
    mopd_dataset_close(d);
    free(text);
}

/* The shortest there can be: each row takes memory for many times its bytes, and all the same opens. */
static void a_million_short_rows_open(void **state)
{
    (void)state;
    enum { N = TEST_TIMES(1000000, 50000) };
    char *text = malloc(12 + 16 * N);
    assert_non_null(text);
    size_t at = (size_t)sprintf(text, "path,label\n");
    for (int i = 0; i < N; i++) at += (size_t)sprintf(text + at, "%x,a\n", (unsigned)i);
    mopd_dataset *d = datasets_of("short.csv", text);
    assert_int_equal(datasets_info(d).n_items, N);
    mopd_dataset_close(d);
    free(text);
}

/* As many classes as rows are refused before they are made, unless the limit is raised. */
static void classes_take_memory_too(void **state)
{
    (void)state;
    enum { N = 20000 };
    mopd_dataset *d = NULL;
    mopd_limits limits;
    char *text = malloc(12 + 16 * N);
    assert_non_null(text);
    size_t at = (size_t)sprintf(text, "path,label\n");
    for (int i = 0; i < N; i++) at += (size_t)sprintf(text + at, "%x,x%x\n", (unsigned)i, (unsigned)i);
    const char *path = test_text("classes.csv", text);
    assert_ok(mopd_limits_init(&limits, sizeof limits));
    limits.reading_memory = N * 300;
    assert_ok(mopd_runtime_set_limits(&limits));
    assert_fails(mopd_dataset_open(&d, path, NULL), MOPD_E_UNSUPPORTED,
        "classes.csv: its rows and classes would take 8000000 bytes of memory");
    assert_ok(mopd_runtime_set_limits(NULL));
    assert_ok(mopd_dataset_open(&d, path, NULL));
    assert_int_equal(datasets_info(d).n_classes, N);
    mopd_dataset_close(d);
    free(text);
}

static void paths_start_from_the_folder_of_the_list(void **state)
{
    (void)state;
    mopd_dataset *d = datasets_of("deep/er/list.csv", "path,label\n../1.png,x\n/abs/2.png,x\n");
    char want[600];
    snprintf(want, sizeof want, "%s/../1.png", test_path("deep/er"));
    assert_string_equal(datasets_item(d, 0).file, want);
    assert_string_equal(datasets_item(d, 0).path, "../1.png");
    assert_string_equal(datasets_item(d, 1).file, "/abs/2.png");
    mopd_dataset_close(d);
}

static void labels_that_are_one_are_refused_by_line(void **state)
{
    (void)state;
    assert_bad("path,label\n1,dog\n2,cup\n3,Cup\n4,cup\n",
        "line 4: 'Cup' is the same words to a model as 'cup' of line 3: write both alike");
    assert_bad("path,label\n1,Ice cream\n2,dog\n3,ice_cream\n",
        "line 4: 'ice_cream' is the same words to a model as 'Ice cream' of line 2");
    assert_bad("path, label\n1, cup\n", "no column 'label'");
    assert_bad(
        "path,label\n1,cup\n2, cup\n", "line 3: ' cup' is the same words to a model as 'cup' of line 2");
    assert_list("path,label\n1, cup\n2, dog\n", "1= cup 2= dog");
}

static mopd_status open_list(void *path)
{
    mopd_dataset *d = NULL;
    mopd_status st = mopd_dataset_open(&d, path, NULL);
    mopd_dataset_close(d);
    return st;
}

static void lists_survive_lack_of_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", datasets_split_list("short.csv", 2, 2));
    test_torture(open_list, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_reads_rfc_4180),
        cmocka_unit_test(csv_errors_name_the_line),
        cmocka_unit_test(columns_stand_in_any_order_among_others),
        cmocka_unit_test(column_names_are_taken_to_the_letter),
        cmocka_unit_test(lines_end_in_either_way),
        cmocka_unit_test(the_utf_8_mark_is_passed_over_once),
        cmocka_unit_test(quotes_keep_what_is_inside),
        cmocka_unit_test(lines_are_counted_through_quotes),
        cmocka_unit_test(splits_have_three_names),
        cmocka_unit_test(long_lines_and_many_of_them_are_read),
        cmocka_unit_test(a_million_short_rows_open),
        cmocka_unit_test(classes_take_memory_too),
        cmocka_unit_test(paths_start_from_the_folder_of_the_list),
        cmocka_unit_test(labels_that_are_one_are_refused_by_line),
        cmocka_unit_test(lists_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
