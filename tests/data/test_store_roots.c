/* SPDX-License-Identifier: MIT
 * test_store_roots.c - where a store says that its pictures lie. */
#include "support/datasets.h"

#include <unistd.h>

static mopd_dataset *pair(const char *folder)
{
    char name[64];
    for (char c = 'a'; c <= 'b'; c++) {
        snprintf(name, sizeof name, "%s/%c/1.png", folder, c);
        test_png(name, 9, 9, (uint32_t)(folder[0] * 256 + c));
    }
    return datasets_open(test_path(folder));
}

/* The store of an encoded dataset at `path`, opened. */
static mopd_dataset *stored(const mopd_dataset *encoded, const char *path)
{
    assert_ok(mopd_dataset_save(encoded, path));
    return datasets_open(path);
}

static void assert_there(const mopd_dataset *d)
{
    for (size_t i = 0; i < datasets_info(d).n_items; i++)
        if (access(datasets_item(d, i).file, R_OK)) fail_msg("%s is not there", datasets_item(d, i).file);
}

static bool says(const char *path, const char *words)
{
    char bytes[65536];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    for (size_t i = 0; i + strlen(words) <= n; i++)
        if (!memcmp(bytes + i, words, strlen(words))) return true;
    return false;
}

static void pictures_are_found_from_the_store(void **state)
{
    (void)state;
    mopd_dataset *d = pair("photos"), *e = datasets_encode(d, NULL, 0);
    mopd_dataset *beside = stored(e, test_path("photos.safetensors"));
    assert_there(beside);
    assert_true(says(test_path("photos.safetensors"), "[\\\"photos\\\"]"));
    assert_string_equal(datasets_item(beside, 0).path, "a/1.png");
    test_folder("stores");
    mopd_dataset *away = stored(e, test_path("stores/photos.safetensors"));
    assert_there(away);
    assert_int_equal(*datasets_item(away, 0).file, '/');
    mopd_dataset *inside = stored(e, test_path("photos/photos.safetensors"));
    assert_there(inside);
    assert_false(says(test_path("photos/photos.safetensors"), "roots"));
    mopd_dataset *all[] = {d, e, beside, away, inside};
    datasets_close(all, 5);
}

/* A store and its folder that move together stay together. */
static void folders_below_the_store_move_with_it(void **state)
{
    (void)state;
    mopd_dataset *d = pair("here/photos"), *e = datasets_encode(d, NULL, 0);
    mopd_dataset_close(stored(e, test_path("here/photos.safetensors")));
    assert_int_equal(rename(test_path("here"), test_path("there")), 0);
    mopd_dataset *s = datasets_open(test_path("there/photos.safetensors"));
    assert_there(s);
    assert_ok(mopd_dataset_save(s, test_path("there/again.safetensors")));
    datasets_same_bytes(test_path("there/photos.safetensors"), test_path("there/again.safetensors"));
    mopd_dataset *all[] = {d, e, s};
    datasets_close(all, 3);
}

/* Pictures that are not at hand: what the store says of them is kept. */
static void what_is_not_there_is_remembered(void **state)
{
    (void)state;
    mopd_dataset *d = pair("lost/photos"), *e = datasets_encode(d, NULL, 0);
    mopd_dataset *s = stored(e, test_path("lost/photos.safetensors"));
    assert_int_equal(rename(test_path("lost/photos"), test_path("elsewhere")), 0);
    assert_ok(mopd_dataset_save(s, test_path("lost/again.safetensors")));
    datasets_same_bytes(test_path("lost/photos.safetensors"), test_path("lost/again.safetensors"));
    mopd_dataset_options o;
    mopd_dataset *found = NULL;
    assert_ok(mopd_dataset_options_init(&o, sizeof o));
    o.root = test_path("elsewhere");
    assert_ok(mopd_dataset_open(&found, test_path("lost/photos.safetensors"), &o));
    assert_there(found);
    mopd_dataset *all[] = {d, e, s, found};
    datasets_close(all, 4);
}

/* Pictures of two folders in one store, appended one behind the other. */
static void several_folders_are_told_apart(void **state)
{
    (void)state;
    mopd_dataset *d = pair("one"), *e = datasets_encode(d, NULL, 0);
    mopd_dataset *s = stored(e, test_path("two.safetensors"));
    test_png("other/c/2.png", 9, 9, 5);
    mopd_dataset *more = datasets_open(test_path("other")), *both = datasets_encode(more, s, 0);
    mopd_dataset *back = stored(both, test_path("two.safetensors"));
    assert_there(back);
    assert_true(says(test_path("two.safetensors"), "[\\\"one\\\",\\\"other\\\"]"));
    assert_true(says(test_path("two.safetensors"), "[0,0,1]"));
    assert_ok(mopd_dataset_save(back, test_path("two2.safetensors")));
    datasets_same_bytes(test_path("two.safetensors"), test_path("two2.safetensors"));
    mopd_dataset *all[] = {d, e, s, more, both, back};
    datasets_close(all, 6);
}

/* A dozen folders, and one of them by a second name: it is the same. */
static void folders_are_told_by_what_they_are(void **state)
{
    (void)state;
    char name[64], words[64];
    mopd_dataset *all = NULL;
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "dozen/%02d/a/%d.png", i, i);
        test_png(name, 9, 9, (uint32_t)i);
        snprintf(name, sizeof name, "dozen/%02d", i);
        mopd_dataset *d = datasets_open(test_path(name)), *more = datasets_encode(d, all, 0);
        mopd_dataset_close(all);
        mopd_dataset_close(d);
        all = more;
    }
    test_png("dozen/03/b/x.png", 9, 9, 77);
    assert_int_equal(symlink("03", test_path("dozen/link")), 0);
    mopd_dataset *d = datasets_open(test_path("dozen/link")), *both = datasets_encode(d, all, 0);
    mopd_dataset *s = stored(both, test_path("dozen.safetensors"));
    assert_there(s);
    for (int i = 0; i < 12; i++) {
        snprintf(words, sizeof words, "\\\"dozen/%02d\\\"", i);
        assert_true(says(test_path("dozen.safetensors"), words));
    }
    assert_false(says(test_path("dozen.safetensors"), "link"));
    mopd_dataset *list[] = {all, d, both, s};
    datasets_close(list, 4);
}

/* A store of before roots: nobody knows where its pictures lie, and it keeps its bytes wherever it is written.
 * What is appended brings its folder. */
static void stores_without_roots_stay_as_they_are(void **state)
{
    (void)state;
    mopd_dataset *d = pair("old"), *e = datasets_encode(d, NULL, 0);
    const char *path = test_path("old/1.safetensors"), *moved = test_path("moved.safetensors");
    mopd_dataset_close(stored(e, path)); /* in the folder itself, so without roots */
    assert_int_equal(rename(path, moved), 0);
    mopd_dataset *s = datasets_open(moved);
    assert_string_equal(datasets_item(s, 0).file, test_path("a/1.png"));
    test_folder("copies");
    assert_ok(mopd_dataset_save(s, test_path("copies/s")));
    datasets_same_bytes(moved, test_path("copies/s"));
    mopd_dataset *joined = datasets_encode(d, s, 0), *back = stored(joined, test_path("joined.safetensors"));
    assert_there(back);
    mopd_dataset *all[] = {d, e, s, joined, back};
    datasets_close(all, 5);
}

static void a_name_that_is_no_text_is_left_out(void **state)
{
    (void)state;
    mopd_dataset *d = pair("caf\xe9"), *e = datasets_encode(d, NULL, 0);
    mopd_dataset *s = stored(e, test_path("latin.safetensors"));
    assert_false(says(test_path("latin.safetensors"), "roots"));
    mopd_dataset *all[] = {d, e, s};
    datasets_close(all, 3);
}

static void paths_from_the_top_have_no_root(void **state)
{
    (void)state;
    char text[1200];
    test_png("top/1.png", 9, 9, 1);
    test_png("top/2.png", 9, 9, 2);
    snprintf(text, sizeof text, "path,label\n%s,a\n2.png,b\n", test_path("top/1.png"));
    mopd_dataset *d = datasets_of("top/list.csv", text), *e = datasets_encode(d, NULL, 0);
    mopd_dataset *s = stored(e, test_path("top.safetensors"));
    assert_there(s);
    mopd_dataset *all[] = {d, e, s};
    datasets_close(all, 3);
}

static mopd_status save_and_open(void *ctx)
{
    mopd_dataset *s = NULL;
    mopd_status st = mopd_dataset_save(ctx, test_path("lean.safetensors"));
    if (st == MOPD_OK) st = mopd_dataset_open(&s, test_path("lean.safetensors"), NULL);
    mopd_dataset_close(s);
    return st;
}

/* The datasets are made under the counting allocator too: they are opened inside. */
static mopd_status two_roots(void *ctx)
{
    (void)ctx;
    mopd_dataset *a = NULL, *b = NULL, *known = NULL, *both = NULL;
    mopd_status st = mopd_dataset_open(&a, test_path("lean1"), NULL);
    if (st == MOPD_OK) st = mopd_dataset_open(&b, test_path("lean2"), NULL);
    if (st == MOPD_OK) st = mopd_dataset_encode(&known, a, NULL, datasets_encoder('a'), NULL);
    if (st == MOPD_OK) st = mopd_dataset_encode(&both, b, known, datasets_encoder('a'), NULL);
    if (st == MOPD_OK) st = save_and_open(both);
    mopd_dataset *all[] = {a, b, known, both};
    datasets_close(all, 4);
    return st;
}

static void roots_survive_lack_of_memory(void **state)
{
    (void)state;
    test_png("lean1/a/1.png", 9, 9, 1);
    test_png("lean2/b/2.png", 9, 9, 2);
    test_torture(two_roots, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_found_from_the_store),
        cmocka_unit_test(folders_below_the_store_move_with_it),
        cmocka_unit_test(what_is_not_there_is_remembered),
        cmocka_unit_test(several_folders_are_told_apart),
        cmocka_unit_test(folders_are_told_by_what_they_are),
        cmocka_unit_test(stores_without_roots_stay_as_they_are),
        cmocka_unit_test(a_name_that_is_no_text_is_left_out),
        cmocka_unit_test(paths_from_the_top_have_no_root),
        cmocka_unit_test(roots_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
