/* SPDX-License-Identifier: MIT
 * test_suggest.c - mopd suggest: pictures of a pool, each once, by clusters and then by what a recogniser is unsure of. */
#include "support/labelled.h"

/* The paths that are suggested, which are different ones below the pool, all for one reason. */
static size_t suggested(const json_t *document, const char *why)
{
    const json_t *list = json_object_get(document, "suggest");
    size_t i, k;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        const char *path = json_string_value(json_object_get(one, "path"));
        assert_string_equal(json_string_value(json_object_get(one, "why")), why);
        for (k = 0; k < i; k++)
            assert_string_not_equal(
                path, json_string_value(json_object_get(json_array_get(list, k), "path")));
    }
    return json_array_size(list);
}

static const char *pool(const char *name)
{
    char path[64];
    for (uint32_t i = 0; i < 30; i++) {
        snprintf(path, sizeof path, "%s/%u/%u.png", name, 2010 + i % 3, i);
        test_png(path, 14, 11, 500 + i);
    }
    return test_path(name);
}

static void a_pool_without_labels_is_clustered(void **state)
{
    (void)state;
    const char *data = pool("pool");
    for (int threads = 1; threads <= 2; threads++) {
        run_result r = run_mopd(NULL, "suggest -m @ -d @ -n 7 --format json --threads @", tiny_model(1), data,
            threads == 1 ? "1" : "2");
        assert_run(r, 0);
        json_t *d = labelled_json(&r);
        assert_int_equal(suggested(d, "cluster"), 7);
        json_decref(d);
    }
    run_result r = run_mopd(NULL, "suggest -m @ -d @ -n 99 --format json", tiny_model(1), data);
    assert_run(r, 0);
    assert_has(r.err, "has 30 pictures: all are suggested");
    json_t *d = labelled_json(&r);
    assert_int_equal(suggested(d, "cluster"), 30);
    json_decref(d);
    r = run_mopd(NULL, "suggest -m @ -d @ -n 2 --format csv", tiny_model(1), data);
    assert_run(r, 0);
    assert_has(r.out, "path,why\r\n");
    assert_has(r.out, ".png,cluster\r\n");
}

static void a_recogniser_says_what_it_is_unsure_of(void **state)
{
    (void)state;
    const char *data = labelled_data("known"), *path = test_path("known.safetensors");
    run_result r = run_mopd(NULL, "fit -q -m @ -d @ -o @", tiny_model(1), data, path);
    assert_run(r, 0);
    r = run_mopd(NULL, "suggest -m @ -d @ -r @ -n 5 --format json", tiny_model(1), pool("more"), path);
    assert_run(r, 0);
    json_t *d = labelled_json(&r);
    assert_int_equal(suggested(d, "margin"), 5);
    json_decref(d);
    r = run_mopd(NULL, "fit -q -m @ -d @ --shots 2 -o @", tiny_model(1), data, path);
    assert_run(r, 0);
    r = run_mopd(NULL, "suggest -m @ -d @ -r @ -n 5 --format json", tiny_model(1), pool("more"), path);
    assert_run(r, 0);
    d = labelled_json(&r);
    assert_int_equal(suggested(d, "cluster"), 5); /* two a class are too few to be asked */
    json_decref(d);
    r = run_mopd(NULL, "suggest -m @ -d @ -r @ -n 5", tiny_model(2), pool("more"), path);
    assert_one_error(&r, 1, "known.safetensors", "made with the model");
}

/* Of the pool's least sure pictures, and of no others. */
static void margins_are_the_smallest(void **state)
{
    (void)state;
    const char *data = labelled_data("sure"), *path = test_path("sure.safetensors");
    run_result r = run_mopd(NULL, "fit -q -m @ -d @ -o @", tiny_model(1), data, path);
    assert_run(r, 0);
    r = run_mopd(NULL, "suggest -m @ -d @ -r @ -n 1 --format json", tiny_model(1), pool("sure-pool"), path);
    assert_run(r, 0);
    json_t *d = labelled_json(&r);
    char *chosen =
        strdup(json_string_value(json_object_get(json_array_get(json_object_get(d, "suggest"), 0), "path")));
    json_decref(d);
    r = run_mopd(
        NULL, "classify -m @ -r @ --top 2 --format json @", tiny_model(1), path, test_path("sure-pool"));
    assert_run(r, 0);
    d = labelled_json(&r);
    double own = -1;
    size_t i, less = 0;
    json_t *one;
    for (int pass = 0; pass < 2; pass++) json_array_foreach(json_object_get(d, "results"), i, one)
        {
            const json_t *top = json_object_get(one, "top");
            const double margin = labelled_number(json_array_get(top, 0), "logit") -
                                  labelled_number(json_array_get(top, 1), "logit");
            const bool is = strstr(json_string_value(json_object_get(one, "image")), chosen) != NULL;
            if (!pass && is) own = margin;
            less += pass && margin < own;
        }
    assert_true(own >= 0);
    assert_in_range(less, 0, 3); /* one of the four least sure */
    json_decref(d);
    free(chosen);
}

static void wrong_usage_is_told(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "suggest -d x", "suggest -n 3", "suggest -d x -n 3 y", "suggest -d x -n no"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_result r = run_mopd(NULL, lines[i]);
        if (r.status != 2) fail_msg("%s: exit %d: %s", lines[i], r.status, r.err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_without_labels_is_clustered),
        cmocka_unit_test(a_recogniser_says_what_it_is_unsure_of),
        cmocka_unit_test(margins_are_the_smallest),
        cmocka_unit_test(wrong_usage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
