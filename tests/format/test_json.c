/* SPDX-License-Identifier: MIT
 * test_json.c - JSON read into trees and written, whatever the locale. */
#include "test.h"

#include <jansson.h>
#include <locale.h>

#include "format/json.h"
#include "base/buf.h"

static mopd_status parse(const mo_json **root, const char *text)
{
    return mo_json_parse(root, text, strlen(text), "x.json");
}

static void json_gives_typed_values(void **state)
{
    (void)state;
    const mo_json *root;
    const char *s = NULL;
    int64_t i = 0;
    double d = 0;
    bool b = false;
    assert_ok(parse(
        &root, "{\"s\":\"\\u00e9\\n\",\"i\":-7,\"d\":0.1,\"b\":true,\"n\":null,\"a\":[1,[2]],\"o\":{}}"));
    assert_int_equal(mo_json_kind(root), MO_JSON_OBJECT);
    assert_int_equal(mo_json_count(root), 7);
    assert_true(mo_json_as_string(mo_json_get(root, "s"), &s));
    assert_string_equal(s, "\xc3\xa9\n");
    assert_int_equal(mo_json_string_bytes(mo_json_get(root, "s")), 3);
    assert_true(mo_json_as_int(mo_json_get(root, "i"), &i) && i == -7);
    assert_true(mo_json_as_number(mo_json_get(root, "d"), &d) && d == 0.1);
    assert_true(mo_json_as_number(mo_json_get(root, "i"), &d) && d == -7);
    assert_true(mo_json_as_bool(mo_json_get(root, "b"), &b) && b);
    assert_int_equal(mo_json_kind(mo_json_get(root, "n")), MO_JSON_NULL);
    assert_int_equal(mo_json_kind(mo_json_get(root, "o")), MO_JSON_OBJECT);
    assert_int_equal(mo_json_count(mo_json_get(root, "a")), 2);
    assert_true(mo_json_as_int(mo_json_item(mo_json_item(mo_json_get(root, "a"), 1), 0), &i) && i == 2);
    assert_null(mo_json_item(mo_json_get(root, "a"), 2));
    assert_false(mo_json_as_int(mo_json_get(root, "d"), &i));
    assert_false(mo_json_as_int(mo_json_get(root, "s"), &i));
    mo_json_close(root);
}

static void json_missing_values_are_nothing(void **state)
{
    (void)state;
    int64_t i = 5;
    const char *s = NULL;
    assert_int_equal(mo_json_kind(NULL), MO_JSON_NONE);
    assert_null(mo_json_get(NULL, "a"));
    assert_null(mo_json_item(NULL, 0));
    assert_null(mo_json_first(NULL));
    assert_int_equal(mo_json_count(NULL), 0);
    assert_false(mo_json_as_int(NULL, &i));
    assert_false(mo_json_as_string(NULL, &s));
    assert_int_equal(i, 5);
    mo_json_close(NULL);
}

static void json_members_keep_their_order(void **state)
{
    (void)state;
    const mo_json *root;
    char order[32] = "";
    assert_ok(parse(&root, "{\"z\":1,\"a\":2,\"m\":3,\"b\":4}"));
    for (void *it = mo_json_first(root); it; it = mo_json_next(root, it)) strcat(order, mo_json_key(it));
    assert_string_equal(order, "zamb");
    mo_json_close(root);
}

static void json_errors_name_line_and_column(void **state)
{
    (void)state;
    const mo_json *root;
    assert_fails(parse(&root, "{\n  \"a\": ]\n}"), MOPD_E_FORMAT, "x.json: line 2 column 8:");
    assert_null(root);
    assert_fails(parse(&root, "{\"a\":1,\"a\":2}"), MOPD_E_FORMAT, "duplicate object key");
    assert_fails(parse(&root, "{\"a\":\"\xff\"}"), MOPD_E_FORMAT, "unable to decode byte 0xff");
    assert_fails(parse(&root, ""), MOPD_E_FORMAT, "x.json: line 1");
    assert_fails(parse(&root, "{} {}"), MOPD_E_FORMAT, "end of file expected");
    assert_fails(parse(&root, "[1e999]"), MOPD_E_FORMAT, "overflow");
    assert_fails(mo_json_open(&root, "/nowhere/x.json"), MOPD_E_IO, "/nowhere/x.json");
}

static void json_refuses_deep_nesting(void **state)
{
    (void)state;
    const mo_json *root;
    enum { N = 1000000 };
    char *deep = malloc(N);
    memset(deep, '[', N);
    assert_fails(mo_json_parse(&root, deep, N, "deep"), MOPD_E_FORMAT, "depth");
    free(deep);
}

static void json_need_names_file_and_key(void **state)
{
    (void)state;
    const mo_json *root, *o;
    const char *s = NULL;
    int64_t i = 0;
    size_t n = 0;
    bool b = false;
    double d = 0;
    assert_ok(
        parse(&root, "{\"t\":{\"size\":12,\"no\":0,\"name\":\"n\",\"yes\":true,\"x\":1.5},\"null\":null}"));
    assert_ok(mo_json_need_int(root, "t.size", "c.json", &i));
    assert_int_equal(i, 12);
    assert_ok(mo_json_need_size(root, "t.size", "c.json", &n));
    assert_int_equal(n, 12);
    assert_ok(mo_json_need_string(root, "t.name", "c.json", &s));
    assert_ok(mo_json_need_bool(root, "t.yes", "c.json", &b));
    assert_ok(mo_json_need_number(root, "t.x", "c.json", &d));
    assert_ok(mo_json_need(root, "t", "c.json", MO_JSON_OBJECT, &o));
    assert_fails(
        mo_json_need_int(root, "t.sizes", "c.json", &i), MOPD_E_FORMAT, "c.json: key \"t.sizes\" is missing");
    assert_fails(
        mo_json_need_int(root, "u.size", "c.json", &i), MOPD_E_FORMAT, "c.json: key \"u.size\" is missing");
    assert_fails(mo_json_need_int(root, "t.name", "c.json", &i), MOPD_E_FORMAT,
        "c.json: key \"t.name\" is a string, not an integer");
    assert_fails(
        mo_json_need_int(root, "null", "c.json", &i), MOPD_E_FORMAT, "\"null\" is null, not an integer");
    assert_fails(mo_json_need_size(root, "t.no", "c.json", &n), MOPD_E_FORMAT, "\"t.no\" is 0, not a size");
    assert_fails(
        mo_json_need_string(root, "t.size", "c.json", &s), MOPD_E_FORMAT, "is an integer, not a string");
    assert_fails(mo_json_need_bool(root, "t.size", "c.json", &b), MOPD_E_FORMAT, "not true or false");
    assert_fails(mo_json_need_number(root, "t.name", "c.json", &d), MOPD_E_FORMAT, "not a number");
    assert_fails(
        mo_json_need(root, "t", "c.json", MO_JSON_ARRAY, &o), MOPD_E_FORMAT, "is an object, not an array");
    mo_json_close(root);
}

static void json_may_leaves_defaults(void **state)
{
    (void)state;
    const mo_json *root;
    int64_t i = 3;
    size_t n = 4;
    double d = 5;
    bool b = true;
    const char *s = "six";
    assert_ok(parse(&root, "{\"i\":null,\"b\":false,\"d\":2}"));
    assert_ok(mo_json_may_int(root, "i", "c", &i));
    assert_ok(mo_json_may_size(root, "n", "c", &n));
    assert_ok(mo_json_may_string(root, "s", "c", &s));
    assert_ok(mo_json_may_number(root, "d", "c", &d));
    assert_ok(mo_json_may_bool(root, "b", "c", &b));
    assert_int_equal(i, 3);
    assert_int_equal(n, 4);
    assert_string_equal(s, "six");
    assert_true(d == 2 && !b);
    assert_fails(mo_json_may_string(root, "d", "c", &s), MOPD_E_FORMAT, "not a string");
    assert_fails(mo_json_may_size(root, "b", "c", &n), MOPD_E_FORMAT, "not an integer");
    mo_json_close(root);
}

/* tokenizer_config.json of most models holds 1000000000000000019884624838656. */
static void json_takes_integers_beyond_64_bits(void **state)
{
    (void)state;
    const mo_json *root;
    int64_t i = 0;
    double d = 0;
    assert_ok(parse(&root, "{\"model_max_length\":1000000000000000019884624838656,\"n\":77,\"x\":0.5}"));
    assert_ok(mo_json_need_number(root, "model_max_length", "c", &d));
    assert_true(d > 9.9e29 && d < 1.1e30);
    assert_ok(mo_json_need_int(root, "n", "c", &i));
    assert_int_equal(i, 77);
    assert_fails(mo_json_need_int(root, "x", "c", &i), MOPD_E_FORMAT, "not an integer");
    assert_fails(mo_json_need_int(root, "model_max_length", "c", &i), MOPD_E_FORMAT, "not an integer");
    mo_json_close(root);
}

static void jsonw_writes_compact_json(void **state)
{
    (void)state;
    mo_buf buf = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &buf);
    mo_jsonw_object(&w);
    mo_jsonw_kstring(&w, "a\"b", "x\\\n\t\x01/\xc3\xa9");
    mo_jsonw_kint(&w, "i", INT64_MIN);
    mo_jsonw_key(&w, "list");
    mo_jsonw_array(&w);
    mo_jsonw_array(&w);
    mo_jsonw_end(&w);
    mo_jsonw_uint(&w, UINT64_MAX);
    mo_jsonw_null(&w);
    mo_jsonw_raw(&w, "{\"r\":1}");
    mo_jsonw_string(&w, NULL);
    mo_jsonw_end(&w);
    mo_jsonw_kbool(&w, "t", true);
    mo_jsonw_kdouble(&w, "d", 0.1);
    mo_jsonw_kfloat(&w, "f", 0.1f);
    mo_jsonw_kdouble(&w, "nan", NAN);
    mo_jsonw_kfloat(&w, "inf", INFINITY);
    mo_jsonw_end(&w);
    assert_ok(mo_jsonw_done(&w));
    assert_string_equal(buf.data,
        "{\"a\\\"b\":\"x\\\\\\n\\t\\u0001/\xc3\xa9\",\"i\":-9223372036854775808,"
        "\"list\":[[],18446744073709551615,null,{\"r\":1},null],\"t\":true,\"d\":0.1,\"f\":0.1,\"nan\":null,"
        "\"inf\":null}");
    mo_buf_free(&buf);
}

static void jsonw_replaces_what_is_no_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"a\xff"
                  "b",
                     "\"a\xef\xbf\xbd"
                     "b\""},
        {"\xc3", "\"\xef\xbf\xbd\""}, {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_buf buf = {0};
        mo_jsonw w;
        mo_jsonw_init(&w, &buf);
        mo_jsonw_string(&w, cases[i].in);
        assert_ok(mo_jsonw_done(&w));
        assert_string_equal(buf.data, cases[i].out);
        mo_buf_free(&buf);
    }
}

static void misuse_value_without_key(mo_jsonw *w)
{
    mo_jsonw_object(w);
    mo_jsonw_int(w, 1);
    mo_jsonw_end(w);
}

static void misuse_key_in_array(mo_jsonw *w)
{
    mo_jsonw_array(w);
    mo_jsonw_key(w, "k");
    mo_jsonw_end(w);
}

static void misuse_left_open(mo_jsonw *w)
{
    mo_jsonw_array(w);
}

static void misuse_extra_end(mo_jsonw *w)
{
    mo_jsonw_end(w);
}

static void misuse_two_roots(mo_jsonw *w)
{
    mo_jsonw_int(w, 1);
    mo_jsonw_int(w, 2);
}

static void misuse_key_without_value(mo_jsonw *w)
{
    mo_jsonw_object(w);
    mo_jsonw_key(w, "k");
    mo_jsonw_end(w);
}

static void misuse_nothing(mo_jsonw *w)
{
    (void)w;
}

static void misuse_depth(mo_jsonw *w)
{
    for (int i = 0; i < 70; i++) mo_jsonw_array(w);
    for (int i = 0; i < 70; i++) mo_jsonw_end(w);
}

static void jsonw_tells_misuse(void **state)
{
    (void)state;
    void (*const cases[])(mo_jsonw *) = {misuse_value_without_key, misuse_key_in_array, misuse_left_open,
        misuse_extra_end, misuse_two_roots, misuse_key_without_value, misuse_nothing, misuse_depth};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_buf buf = {0};
        mo_jsonw w;
        mo_jsonw_init(&w, &buf);
        cases[i](&w);
        assert_fails(mo_jsonw_done(&w), MOPD_E_INTERNAL, "JSON");
        mo_buf_free(&buf);
    }
}

static void number_texts_read_back_the_same(void **state)
{
    (void)state;
    char text[32];
    float x[2000];
    test_random(x, 2000, 11);
    for (int i = 0; i < 2000; i++) {
        double d = (double)x[i] * pow(10, i % 600 - 300) / 3;
        mo_jsonw_double_text(text, d);
        assert_true(strtod(text, NULL) == d);
        float f = x[i] * powf(10, (float)(i % 70 - 35)) / 3;
        mo_jsonw_float_text(text, f);
        assert_true(strtof(text, NULL) == f);
        assert_true(strlen(text) < 16);
    }
    mo_jsonw_double_text(text, 1e-5);
    assert_string_equal(text, "1e-05");
    mo_jsonw_float_text(text, 3.4028235e38f);
    assert_string_equal(text, "3.4028235e+38");
    mo_jsonw_double_text(text, -0.0);
    assert_string_equal(text, "-0");
    mo_jsonw_float_text(text, -INFINITY);
    assert_string_equal(text, "-inf");
}

/* Makes a German locale below the test's folder, where the system has none; false where it cannot. */
static bool comma_locale(void)
{
#ifdef _WIN32
    return setlocale(LC_NUMERIC, "German") && !strcmp(localeconv()->decimal_point, ",");
#else
    char command[700];
    const char *at = test_path("de_DE.UTF-8");
    char folder[512];
    snprintf(folder, sizeof folder, "%s", at);
    *strrchr(folder, '/') = 0;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s >%s/localedef.log 2>&1", at, folder);
    if (system(command) == -1) return false;
    setenv("LOCPATH", folder, 1);
    return setlocale(LC_NUMERIC, "de_DE.UTF-8") && !strcmp(localeconv()->decimal_point, ",");
#endif
}

static void numbers_ignore_the_locale(void **state)
{
    (void)state;
    if (!comma_locale()) skip();
    char text[32];
    snprintf(text, sizeof text, "%g", 1.5);
    assert_string_equal(text, "1,5");
    const mo_json *root;
    double d = 0;
    assert_ok(parse(&root, "{\"d\":1.25}"));
    assert_ok(mo_json_need_number(root, "d", "x.json", &d));
    mo_json_close(root);
    assert_true(d == 1.25);
    mo_jsonw_double_text(text, 1234.5678e-30);
    assert_string_equal(text, "1.2345678e-27");
    mo_jsonw_float_text(text, -0.1f);
    assert_string_equal(text, "-0.1");
    assert_string_equal(localeconv()->decimal_point, ",");
    setlocale(LC_NUMERIC, "C");
}

static mopd_status write_some(void *ctx)
{
    (void)ctx;
    mo_buf buf = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &buf);
    mo_jsonw_array(&w);
    for (int i = 0; i < 300; i++) mo_jsonw_double(&w, i / 7.0);
    mo_jsonw_end(&w);
    mopd_status st = mo_jsonw_done(&w);
    mo_buf_free(&buf);
    return st;
}

static mopd_status open_some(void *ctx)
{
    const mo_json *root;
    mopd_status st = mo_json_open(&root, ctx);
    mo_json_close(root);
    return st;
}

static void json_survives_failing_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", test_write("a.json", "{\"a\":[1,2]}", 11));
    test_torture(write_some, NULL);
    test_torture(open_some, path);
}

/* jansson's memory, of which the n-th block is not to be had. */
static long blocks_left;
static json_malloc_t usual; /* MemorySanitizer's build has one of its own */

static void *sometimes(size_t n)
{
    return blocks_left-- == 0 ? NULL : usual(n);
}

/* Memory that runs out is no damage, wherever jansson meets it. */
static void memory_that_runs_out_is_no_damage(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[1,2.5,true,null,\"text\"],\"another key\":{\"b\":\"c\"},\"n\":[[],{}]}";
    json_free_t usual_free;
    const mo_json *root;
    mopd_status st = MOPD_E_NOMEM;
    json_get_alloc_funcs(&usual, &usual_free);
    json_set_alloc_funcs(sometimes, free);
    for (long n = 0; st != MOPD_OK && n < 1000; n++) {
        blocks_left = n;
        st = mo_json_parse(&root, text, sizeof text - 1, "a.json");
        if (st != MOPD_OK && st != MOPD_E_NOMEM) break;
        if (st == MOPD_E_NOMEM)
            assert_non_null(strstr(mopd_last_error(), "a.json: no memory for a JSON text"));
    }
    const char *last = "";
    if (st == MOPD_OK) mo_json_as_string(mo_json_item(mo_json_get(root, "a"), 4), &last);
    const bool whole = !strcmp(last, "text");
    if (st == MOPD_OK) mo_json_close(root);
    json_set_alloc_funcs(usual, usual_free);
    if (st == MOPD_OK) assert_true(whole);
    if (st != MOPD_OK) fail_msg("block %ld: %s: %s", -blocks_left, mopd_status_name(st), mopd_last_error());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_gives_typed_values),
        cmocka_unit_test(json_missing_values_are_nothing),
        cmocka_unit_test(json_members_keep_their_order),
        cmocka_unit_test(json_errors_name_line_and_column),
        cmocka_unit_test(json_refuses_deep_nesting),
        cmocka_unit_test(json_need_names_file_and_key),
        cmocka_unit_test(json_may_leaves_defaults),
        cmocka_unit_test(json_takes_integers_beyond_64_bits),
        cmocka_unit_test(jsonw_writes_compact_json),
        cmocka_unit_test(jsonw_replaces_what_is_no_utf8),
        cmocka_unit_test(jsonw_tells_misuse),
        cmocka_unit_test(number_texts_read_back_the_same),
        cmocka_unit_test(numbers_ignore_the_locale),
        cmocka_unit_test(json_survives_failing_memory),
        cmocka_unit_test(memory_that_runs_out_is_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
