/* SPDX-License-Identifier: MIT
 * test_remarks.c - what the command says of data that works all the same: once, on standard error, in JSON, and not
 * with --quiet. */
#include <jansson.h>

#include "pictures.h"
#include "support/run.h"
#include "support/tiny.h"

/* Two classes in two splits with something of everything; written once. */
static const char *data(void)
{
    static char path[512];
    static const char *const others[] = {"odd/train/cat/a.xcf", "odd/train/dog/b.Xcf",
        "odd/test/cat/.DS_Store", "odd/__MACOSX/x", "odd/readme.txt"};
    char name[64];
    if (*path) return path;
    for (uint32_t i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "odd/%s/%s/%u.png", i < 4 ? "train" : "test", i % 2 ? "cat" : "dog",
            (unsigned)i);
        test_png(name, 9, 8, i == 7 ? 2 : i);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) test_text(others[i], "");
    snprintf(path, sizeof path, "%s", test_path("odd"));
    return path;
}

static size_t count(const char *text, const char *words)
{
    size_t n = 0;
    for (; (text = strstr(text, words)); text++) n++;
    return n;
}

static void what_is_left_out_is_told_once(void **state)
{
    (void)state;
    const char *store = test_path("odd.safetensors");
    run_result r = run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data(), store);
    assert_run(r, 0);
    assert_int_equal(count(r.err, "mopd: note: "), 5);
    assert_has(r.err, "mopd: note: 2 .xcf files were passed over: train/cat/a.xcf and others\n");
    assert_has(r.err,
        "mopd: note: 2 files and folders of the operating system were passed over: __MACOSX and others\n");
    assert_has(r.err, "mopd: note: 1 .txt file was passed over: readme.txt\n");
    assert_has(r.err, "mopd: note: 1 picture is in two classes: ");
    assert_has(r.err, "mopd: note: 1 picture is in two splits: ");
    r = run_mopd(NULL, "features -m @ -d @ -o @ -q", tiny_model(1), data(), store);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    r = run_mopd(NULL, "train -m @ -d @ --method coop --epochs 1 -o @", tiny_model(1), store,
        test_path("p.safetensors"));
    assert_run(r, 0);
    assert_int_equal(count(r.err, "mopd: note: "), 2);
    assert_has(r.err, "two splits");
}

static void remarks_stand_in_json_and_leave_the_rest_alone(void **state)
{
    (void)state;
    run_result r = run_mopd(NULL, "eval -m @ -d @ --format json -q", tiny_model(1), data());
    assert_run(r, 0);
    json_t *d = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL), *remarks = json_object_get(d, "remarks");
    assert_int_equal(json_array_size(remarks), 3);
    json_t *first = json_array_get(remarks, 0);
    assert_int_equal(json_object_size(first), 3);
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "passed-over");
    assert_int_equal(json_integer_value(json_object_get(first, "n")), 2);
    assert_has(json_string_value(json_object_get(first, "text")), "__MACOSX");
    json_decref(d);
    test_png("plain/cat/1.png", 9, 8, 1);
    test_png("plain/dog/2.png", 9, 8, 2);
    r = run_mopd(NULL, "eval -m @ -d @ --format json", tiny_model(1), test_path("plain"));
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    assert_null(strstr(r.out, "remarks"));
}

static void walked_folders_tell_what_they_pass_over(void **state)
{
    (void)state;
    run_result r =
        run_mopd(NULL, "classify -m @ --classes cat,dog --format json @ @", tiny_model(1), data(), data());
    assert_run(r, 0);
    assert_has(r.err, "mopd: note: 2 .xcf files were passed over: ");
    assert_has(r.err,
        "mopd: note: 2 files and folders of the operating system were passed over: __MACOSX and others\n");
    json_t *d = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_object_size(d), 2);
    assert_int_equal(json_array_size(json_object_get(d, "results")), 16);
    assert_true(json_array_size(json_object_get(d, "remarks")) >= 4);
    json_decref(d);
    r = run_mopd(NULL, "classify -m @ -q --classes cat,dog @", tiny_model(1), data());
    assert_run(r, 0);
    assert_string_equal(r.err, "");
}

static void grey_that_became_white_is_told_once(void **state)
{
    (void)state;
    const char *grey = MOPD_TEST_DIR "/gold/pixels/grey16.png", *plain = test_png("rgb.png", 9, 8, 1);
    run_result r = run_mopd(
        NULL, "classify -m @ --classes cat,dog --format json @ @ @", tiny_model(1), plain, grey, grey);
    assert_run(r, 0);
    assert_int_equal(count(r.err, "mopd: note: "), 1);
    assert_has(r.err, "grey16.png: 16-bit grey, all of which above 255 is read as white");
    assert_has(r.err, "(--grey16 scale)");
    assert_has(r.out, "\"cut-white\"");
    r = run_mopd(NULL, "classify -m @ --classes cat,dog --grey16 scale @", tiny_model(1), grey);
    assert_run(r, 0);
    assert_string_equal(r.err, "");
    r = run_mopd(NULL, "classify -m @ --classes cat,dog --grey16 clip @", tiny_model(1), grey);
    assert_run(r, 2);
    assert_has(r.err, "--grey16");
    r = run_mopd(NULL, "encode -m @ -q --image @ -o @", tiny_model(1), grey, test_path("grey.npy"));
    assert_run(r, 0);
    assert_string_equal(r.err, "");
}

/* A photograph that lies: what `exif` reads, the default, is what a picture turned before is; a store's word counts. */
static void photographs_are_turned_unless_told_not_to(void **state)
{
    (void)state;
    const char *lies = MOPD_TEST_DIR "/fuzz/corpus/image/exif-jpeg",
               *plain = MOPD_TEST_DIR "/gold/pixels/420.jpg";
    char list[1024];
    snprintf(list, sizeof list, "path,label\n%s,cat\n%s,dog\n", lies, plain);
    const char *data = test_text("lies.csv", list), *exif = test_path("exif.safetensors"),
               *ignore = test_path("ignore.safetensors"), *r_file = test_path("lies-r.safetensors");
    assert_run(run_mopd(NULL, "features -m @ -d @ -o @", tiny_model(1), data, exif), 0);
    assert_run(
        run_mopd(NULL, "features -m @ -d @ --orientation ignore -o @", tiny_model(1), data, ignore), 0);
    run_result r = run_mopd(NULL, "inspect --format csv @", exif);
    assert_run(r, 0);
    assert_has(r.out, "\norientation,exif\r\ngrey16,cut\r\n");
    r = run_mopd(NULL, "inspect --format csv @", ignore);
    assert_run(r, 0);
    assert_has(r.out, "\norientation,ignore\r\ngrey16,cut\r\n");
    assert_run(run_mopd(NULL, "features -m @ -d @ --append -o @", tiny_model(1), data, ignore), 0);
    r = run_mopd(NULL, "features -m @ -d @ --append --orientation exif -o @", tiny_model(1), data, ignore);
    assert_run(r, 1);
    assert_has(r.err, "--orientation exif: the store's pictures were read with ignore");
    assert_run(run_mopd(NULL, "fit -m @ -d @ -o @", tiny_model(1), exif, r_file), 0);
    r = run_mopd(NULL, "inspect --format csv @", r_file);
    assert_has(r.out, "\norientation,exif\r\n");
    assert_run(run_mopd(NULL, "fit -m @ -d @ -o @", tiny_model(1), ignore, r_file), 0);
    r = run_mopd(NULL, "inspect --format csv @", r_file);
    assert_has(r.out, "\norientation,ignore\r\n");
    r = run_mopd(NULL, "fit -q -m @ -d @ --orientation exif -o @", tiny_model(1), ignore, r_file);
    assert_one_error(&r, 1, "--orientation exif: the store's pictures were read with ignore", "");
    char as_fitted[4096];
    r = run_mopd(NULL, "classify -m @ -r @ --format csv @", tiny_model(1), r_file, lies);
    snprintf(as_fitted, sizeof as_fitted, "%s", r.out);
    r = run_mopd(NULL, "classify -m @ -r @ --orientation ignore --format csv @", tiny_model(1), r_file, lies);
    assert_string_equal(r.out, as_fitted);
    r = run_mopd(NULL, "classify -m @ -r @ --orientation exif --format csv @", tiny_model(1), r_file, lies);
    assert_string_not_equal(r.out, as_fitted);
    r = run_mopd(NULL, "eval -m @ -r @ -d @ --format csv", tiny_model(1), r_file, data);
    snprintf(as_fitted, sizeof as_fitted, "%s", r.out);
    r = run_mopd(NULL, "eval -m @ -r @ -d @ --orientation ignore --format csv", tiny_model(1), r_file, data);
    assert_run(r, 0);
    assert_has(r.err, "has no splits: where ");
    assert_string_equal(r.out, as_fitted);
    r = run_mopd(NULL, "classify -m @ --classes cat,dog --orientation up @", tiny_model(1), lies);
    assert_run(r, 2);
    assert_has(r.err, "--orientation 'up' is none of exif, ignore");
}

static void numbers_as_labels_are_told_and_named(void **state)
{
    (void)state;
    char name[64];
    for (unsigned i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "numbers/%u/%u.png", i % 3 + 9, i); /* 9, 10, 11 */
        test_png(name, 9, 8, i);
    }
    run_result r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_path("numbers"));
    assert_run(r, 0);
    assert_has(r.err, "mopd: note: 3 of 3 classes are called by numbers or ids ('10'), ");
    assert_has(r.err, "(--names FILE)");
    r = run_mopd(
        NULL, "features -m @ -d @ -o @", tiny_model(1), test_path("numbers"), test_path("years.safetensors"));
    assert_run(r, 0);
    assert_string_equal(r.err, ""); /* folders of years, for all that is known */
    const char *lines = test_text("lines.txt", "cat\ndog\nsea lion\n"),
               *table = test_text("table.csv", "label,name\n11,sea lion\n9,cat\n10,dog\n");
    run_result a =
        run_mopd(NULL, "eval -m @ -d @ --names @ --format csv", tiny_model(1), test_path("numbers"), lines);
    assert_run(a, 0);
    assert_string_equal(a.err, "");
    assert_has(a.out, "dog,4,");
    run_result b =
        run_mopd(NULL, "eval -m @ -d @ --names @ --format csv", tiny_model(1), test_path("numbers"), table);
    assert_string_equal(a.out, b.out);
    const char *store = test_path("named.safetensors");
    r = run_mopd(
        NULL, "features -m @ -d @ --names @ -o @ -q", tiny_model(1), test_path("numbers"), table, store);
    assert_run(r, 0);
    b = run_mopd(NULL, "eval -m @ -d @ --format csv", tiny_model(1), store);
    assert_run(b, 0);
    assert_string_equal(a.out, b.out);
    r = run_mopd(NULL, "fit -m @ -d @ --names @ -o @ --format json", tiny_model(1), store,
        test_text("other.txt", "ant\nbee\nfly\n"), test_path("r.safetensors"));
    assert_run(r, 0);
    assert_has(r.out, "\"bee\"");
    r = run_mopd(NULL, "eval -m @ -d @ --names @", tiny_model(1), test_path("numbers"),
        test_text("few.txt", "cat\ndog\n"));
    assert_one_error(&r, 1, "few.txt: 2 names for 3 labels", "label,name");
}

static void folders_that_mislead_are_refused(void **state)
{
    (void)state;
    test_png("deep/cat/1.png", 9, 8, 1);
    test_png("deep/cat/more/2.png", 9, 8, 2);
    run_result r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_path("deep"));
    assert_one_error(&r, 1, "'cat/more/2.png' lies in a folder inside the class folder 'cat'", "CSV");
    test_png("case/Cup/1.png", 9, 8, 1);
    test_png("case/cup/2.png", 9, 8, 2);
    r = run_mopd(NULL, "eval -m @ -d @", tiny_model(1), test_path("case"));
    assert_one_error(&r, 1, "classes 'Cup' (Cup/1.png) and 'cup' (cup/2.png)", "same words");
    test_png("aka/Train/cat/1.png", 9, 8, 1);
    test_png("aka/valid/cat/2.png", 9, 8, 2);
    test_png("aka/TEST/dog/3.png", 9, 8, 3);
    r = run_mopd(NULL, "eval -m @ -d @ --format json", tiny_model(1), test_path("aka"));
    assert_run(r, 0);
    assert_has(r.out, "{\"n\":1,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_is_told_once),
        cmocka_unit_test(remarks_stand_in_json_and_leave_the_rest_alone),
        cmocka_unit_test(walked_folders_tell_what_they_pass_over),
        cmocka_unit_test(grey_that_became_white_is_told_once),
        cmocka_unit_test(photographs_are_turned_unless_told_not_to),
        cmocka_unit_test(numbers_as_labels_are_told_and_named),
        cmocka_unit_test(folders_that_mislead_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
