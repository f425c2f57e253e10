/* SPDX-License-Identifier: MIT
 * test_doctor.c - mopd doctor: a folder with a fault of every kind has each found, a clean one has none; the list of --fix
 * is what was found, and no file changes. */
#include <sys/stat.h>

#include "support/labelled.h"

enum { SIDE = 40, BLOCKS = 8, CLASSES = 4, TRAIN = 10, TEST = 3, MOST_SIDE = 2 * SIDE };

static const char *const classes[CLASSES] = {"apple", "boat", "cloud", "door"};
static uint8_t pixels[MOST_SIDE * MOST_SIDE * 3];

static uint8_t random_byte(uint64_t *s)
{
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint8_t)(*s >> 40);
}

/* A picture of a class: its pattern of blocks, each a little off by the picture's number. */
static void draw(size_t class, uint64_t number)
{
    uint8_t block[BLOCKS * BLOCKS * 3];
    uint64_t s = 1000 + class, t = 77 * number + class;
    for (size_t i = 0; i < sizeof block; i++) {
        const int value = random_byte(&s) + random_byte(&t) / 3 - 43;
        block[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++)
            memcpy(
                pixels + (y * SIDE + x) * 3, block + (y * BLOCKS / SIDE * BLOCKS + x * BLOCKS / SIDE) * 3, 3);
}

static void put(const char *root, const char *path)
{
    char name[256];
    snprintf(name, sizeof name, "%s/%s", root, path);
    test_png_of(name, SIDE, SIDE, pixels);
}

static const char *clean(const char *root)
{
    char path[64];
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t i = 0; i < TRAIN + TEST; i++) {
            snprintf(path, sizeof path, "%s/%s/%zu.png", i < TRAIN ? "train" : "test", classes[c], i);
            draw(c, i);
            put(root, path);
        }
    return test_path(root);
}

/* The picture of `pixels` in twice the size and a little darker. */
static void put_near_copy(const char *name)
{
    static uint8_t twice[MOST_SIDE * MOST_SIDE * 3];
    for (size_t y = 0; y < MOST_SIDE; y++)
        for (size_t i = 0; i < MOST_SIDE * 3; i++)
            twice[y * MOST_SIDE * 3 + i] = (uint8_t)(pixels[(y / 2 * SIDE + i / 6) * 3 + i % 3] * 15 / 16);
    test_png_of(name, MOST_SIDE, MOST_SIDE, twice);
}

/* Means over nine by nine pixels. */
static void put_blurred(const char *root, const char *path)
{
    static uint8_t sharp[SIDE * SIDE * 3];
    memcpy(sharp, pixels, sizeof sharp);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++) {
                int sum = 0, n = 0;
                for (int k = 0; k < 81; k++) {
                    const int i = y + k / 9 - 4, j = x + k % 9 - 4;
                    if (i < 0 || i >= SIDE || j < 0 || j >= SIDE) continue;
                    sum += sharp[(i * SIDE + j) * 3 + c];
                    n++;
                }
                pixels[(y * SIDE + x) * 3 + c] = (uint8_t)(sum / n);
            }
    put(root, path);
}

static const char *planted(const char *root)
{
    char name[160];
    clean(root);
    draw(0, 50);
    put(root, "train/boat/wrong.png"); /* an apple */
    draw(1, 3);
    put(root, "test/boat/leak.png"); /* train/boat/3.png */
    draw(2, 4);
    put(root, "train/door/twice.png"); /* train/cloud/4.png, under another label */
    draw(3, 5);
    snprintf(name, sizeof name, "%s/train/door/near.png", root);
    put_near_copy(name); /* train/door/5.png */
    draw(0, 60);
    put_blurred(root, "train/apple/blurred.png");
    snprintf(name, sizeof name, "%s/train/cloud/tiny.png", root);
    test_png(name, 9, 12, 3);
    snprintf(name, sizeof name, "%s/train/cloud/broken.png", root);
    test_text(name, "no picture");
    for (size_t i = 0; i < 2; i++) {
        draw(7, i);
        snprintf(name, sizeof name, "train/Boats/%zu.png", i); /* few, and like boat by name */
        put(root, name);
    }
    return test_path(root);
}

static bool has_path(const json_t *list, const char *path)
{
    size_t i;
    json_t *one;
    json_array_foreach(
        list, i, one) if (!strcmp(json_string_value(json_object_get(one, "path")), path)) return true;
    return false;
}

static bool has_pair(const json_t *list, const char *a, const char *b)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        const char *x = json_string_value(json_array_get(one, 0)),
                   *y = json_string_value(json_array_get(one, 1));
        if ((!strcmp(x, a) && !strcmp(y, b)) || (!strcmp(x, b) && !strcmp(y, a))) return true;
    }
    return false;
}

static json_t *examine(const char *data, const char *more)
{
    run_result r = run_mopd(NULL, "doctor -q -m @ -d @ @ --format json", tiny_model(1), data, more);
    assert_run(r, 0);
    return labelled_json(&r);
}

static void every_planted_fault_is_found(void **state)
{
    (void)state;
    json_t *d = examine(planted("planted"), "--threads=2");
    const json_t *copies = json_object_get(d, "duplicates"), *few = json_object_get(d, "classes"), *one;
    assert_int_equal((int)labelled_number(d, "n"), CLASSES * (TRAIN + TEST) + 8);
    one = json_array_get(json_object_get(d, "suspects"), 0);
    assert_true(has_path(json_object_get(d, "suspects"), "train/boat/wrong.png"));
    assert_true(json_is_string(json_object_get(one, "other")) && labelled_number(one, "probability") < 0.5);
    assert_true(has_pair(copies, "test/boat/leak.png", "train/boat/3.png"));
    assert_true(has_pair(copies, "train/door/twice.png", "train/cloud/4.png"));
    assert_true(has_pair(copies, "train/door/near.png", "train/door/5.png"));
    assert_int_equal(json_array_size(copies), 3);
    assert_int_equal(json_array_size(json_object_get(d, "near")), 1);
    assert_true(has_path(json_object_get(d, "blurred"), "train/apple/blurred.png"));
    assert_int_equal(json_array_size(json_object_get(d, "blurred")), 1);
    assert_true(has_path(json_object_get(d, "tiny"), "train/cloud/tiny.png"));
    assert_int_equal(json_array_size(json_object_get(d, "unreadable")), 1);
    assert_true(json_is_true(json_object_get(json_array_get(few, 0), "few"))); /* Boats */
    assert_int_equal((int)labelled_number(json_array_get(few, 0), "n"), 2);
    one = json_object_get(json_array_get(json_object_get(d, "names"), 0), "classes");
    assert_string_equal(json_string_value(json_array_get(one, 0)), "Boats");
    assert_string_equal(json_string_value(json_array_get(one, 1)), "boat");
    json_decref(d);
}

static void a_clean_folder_has_no_findings(void **state)
{
    (void)state;
    static const char *const lists[] = {"duplicates", "near", "names", "tiny", "blurred", "unreadable"};
    json_t *d = examine(clean("clean"), "--threads=1"), *loo = json_object_get(d, "loo"), *one;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        assert_int_equal(json_array_size(json_object_get(d, lists[i])), 0);
    assert_true((double)json_array_size(json_object_get(d, "suspects")) <= 1 + labelled_number(d, "alarms"));
    assert_true(labelled_number(loo, "low") <= labelled_number(loo, "accuracy"));
    assert_true(labelled_number(loo, "accuracy") > 80 && labelled_number(loo, "high") <= 100);
    one = json_object_get(d, "more");
    assert_int_equal((int)labelled_number(one, "pictures"), 2);
    assert_true(
        labelled_number(one, "low") >= 0 && labelled_number(one, "low") <= labelled_number(one, "high"));
    one = json_array_get(json_object_get(d, "classes"), 2);
    assert_string_equal(json_string_value(json_object_get(one, "name")), "cloud");
    assert_int_equal((int)labelled_number(one, "n"), TRAIN);
    assert_true(labelled_number(one, "loo") > 50 && json_is_false(json_object_get(one, "few")));
    json_decref(d);
}

/* The corrected list opens; the wrong label is right in it, copies are once in it, and the pictures lie where they lay. */
static void the_list_is_mended_and_the_files_stay(void **state)
{
    (void)state;
    const char *data = planted("fix"), *list = test_path("fixed.csv");
    mopd_dataset *d = NULL;
    mopd_dataset_info info = {.struct_size = sizeof info};
    run_result r = run_mopd(NULL, "doctor -m @ -d @ --fix @", tiny_model(1), data, list);
    assert_run(r, 0);
    assert_has(r.err, "column 'remark'");
    assert_has(r.out, "labels that look wrong");
    assert_null(strstr(r.out, "e+")); /* a percentage is no power of ten */
    size_t n;
    char *text = read_whole(list, &n);
    assert_has(text, "path,label,split,remark\r\n");
    assert_has(text, "fix/train/boat/wrong.png,apple,train,was boat\r\n");
    assert_has(text, "fix/test/boat/leak.png,boat,test,\r\n");
    assert_null(strstr(text, "train/boat/3.png"));
    assert_null(strstr(text, "broken.png"));
    assert_has(text, "near.png,door,train,nearly the same as train/door/5.png");
    assert_true(!strstr(text, "train/cloud/4.png,") != !strstr(text, "train/door/twice.png,"));
    assert_has(text, "tiny.png,cloud,train,is tiny");
    free(text);
    assert_ok(mopd_dataset_open(&d, list, NULL));
    assert_ok(mopd_dataset_get_info(d, &info));
    assert_int_equal(info.n_items, CLASSES * (TRAIN + TEST) + 6);
    mopd_dataset_close(d);
    struct stat file;
    assert_int_equal(stat(test_path("fix/train/boat/wrong.png"), &file), 0);
    assert_int_equal(stat(test_path("fix/train/boat/3.png"), &file), 0);
    r = run_mopd(NULL, "doctor -m @ -d @ --fix @", tiny_model(1), list, list);
    assert_one_error(&r, 1, "fixed.csv: would be written over what --data reads", "another name");
    json_t *again = examine(list, "--threads=1");
    assert_int_equal(json_array_size(json_object_get(again, "unreadable")), 0);
    assert_int_equal(json_array_size(json_object_get(again, "duplicates")), 1); /* the near one: it stays */
    json_decref(again);
}

static void the_page_shows_the_pictures(void **state)
{
    (void)state;
    const char *page = test_path("doctor.html");
    run_result r =
        run_mopd(NULL, "doctor -q -m @ -d @ --report @ --format csv", tiny_model(1), planted("page"), page);
    assert_run(r, 0);
    assert_has(r.out, "kind,about,other,number\r\n");
    assert_has(r.out, "label,train/boat/wrong.png,apple,");
    assert_has(r.out, "few,Boats,,2\r\n");
    size_t n;
    char *html = read_whole(page, &n);
    static const char *const parts[] = {"<!DOCTYPE html>", "Labels that look wrong", "train/boat/wrong.png",
        "in two splits", "in two classes", "nearly the same", "blurred", "9 x 12", "broken.png", "too few",
        "data:image/png;base64,iVBORw0KGgo", "points from twice the pictures", "Made by mopd", "</html>"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_has(html, parts[i]);
    static const char *const none[] = {
        "http", "<script", "<link", "url(", "nan&", "nan%", "nan,", "inf&", "inf%", "inf,"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (strstr(html, none[i])) fail_msg("'%s' stands in the page", none[i]);
    free(html);
}

/* A store whose pictures are gone: labels and copies are found, looks are not, and it says so. */
static void features_alone_tell_what_they_can(void **state)
{
    (void)state;
    const char *store = test_path("alone.safetensors");
    run_result r =
        run_mopd(NULL, "features -q -m @ -d @ --skip-bad -o @", tiny_model(1), planted("alone"), store);
    assert_run(r, 0);
    assert_int_equal(rename(test_path("alone"), test_path("elsewhere")), 0);
    r = run_mopd(NULL, "doctor -m @ -d @", tiny_model(1), store);
    assert_run(r, 0);
    assert_has(r.out, "the pictures are not at hand");
    assert_has(r.out, "train/boat/wrong.png");
    assert_has(r.out, "train/boat/3.png = test/boat/leak.png [train and test]");
    json_t *d = examine(store, "--threads=1");
    assert_true(json_is_null(json_object_get(d, "blurred")));
    json_decref(d);
}

/* One fitted elsewhere judges what it has not seen. */
static void a_given_recogniser_judges(void **state)
{
    (void)state;
    const char *path = test_path("judge.safetensors");
    run_result r = run_mopd(NULL, "fit -q -m @ -d @ -o @", tiny_model(1), clean("learned"), path);
    assert_run(r, 0);
    r = run_mopd(NULL, "doctor -q -m @ -d @ -r @ --format json", tiny_model(1), planted("new"), path);
    assert_run(r, 0);
    json_t *d = labelled_json(&r);
    assert_true(has_path(json_object_get(d, "suspects"), "train/boat/wrong.png"));
    json_decref(d);
    r = run_mopd(NULL, "doctor -m @ -d @ -r @", tiny_model(2), planted("new"), path);
    assert_one_error(&r, 1, "judge.safetensors", "made with the model");
}

static void too_little_is_told(void **state)
{
    (void)state;
    draw(0, 1);
    put("single", "apple/1.png");
    draw(1, 1);
    put("single", "boat/1.png");
    run_result r = run_mopd(NULL, "doctor -m @ -d @", tiny_model(1), test_path("single"));
    assert_run(r, 0);
    assert_has(r.out, "labels are not judged: it takes at least two pictures a class");
    json_t *d = examine(test_path("single"), "--threads=1");
    assert_true(json_is_null(json_object_get(d, "loo")) && json_is_null(json_object_get(d, "more")));
    json_decref(d);
    static const char *const lines[] = {"doctor", "doctor -d x y", "doctor -d x --threads many"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        r = run_mopd(NULL, lines[i]);
        if (r.status != 2) fail_msg("%s: exit %d: %s", lines[i], r.status, r.err);
    }
    r = run_mopd(NULL, "doctor -d @ --fix @", test_path("single"), test_path("absent/f.csv"));
    assert_one_error(&r, 1, "absent/f.csv", "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_planted_fault_is_found),
        cmocka_unit_test(a_clean_folder_has_no_findings),
        cmocka_unit_test(the_list_is_mended_and_the_files_stay),
        cmocka_unit_test(the_page_shows_the_pictures),
        cmocka_unit_test(features_alone_tell_what_they_can),
        cmocka_unit_test(a_given_recogniser_judges),
        cmocka_unit_test(too_little_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
