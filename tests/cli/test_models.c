/* SPDX-License-Identifier: MIT
 * test_models.c - the list of models, and the same list in docs/models.md. */
#include "support/labelled.h"

static char *read_page(void)
{
    static char page[65536];
    FILE *f = fopen(MOPD_SOURCE_DIR "/docs/models.md", "rb");
    assert_non_null(f);
    const size_t n = fread(page, 1, sizeof page - 1, f);
    fclose(f);
    assert_true(n > 0 && n < sizeof page - 1);
    page[n] = 0;
    return page;
}

/* 102060385 as 102,060,385. */
static const char *grouped(json_int_t n)
{
    static char text[40];
    char plain[24];
    size_t at = 0;
    const int digits = snprintf(plain, sizeof plain, "%lld", (long long)n);
    for (int i = 0; i < digits; i++) {
        if (i && (digits - i) % 3 == 0) text[at++] = ',';
        text[at++] = plain[i];
    }
    text[at] = 0;
    return text;
}

static const char *word(const json_t *m, const char *key)
{
    return json_string_value(json_object_get(m, key));
}

static double number(const json_t *m, const char *key)
{
    return json_number_value(json_object_get(m, key));
}

/* Lines of the page's first table, without its head. */
static size_t count_rows(const char *page)
{
    size_t n = 0;
    const char *at = strstr(page, "\n| ---");
    assert_non_null(at);
    while ((at = strchr(at + 1, '\n')) && at[1] == '|') n++;
    return n;
}

static void the_page_has_every_row(void **state)
{
    (void)state;
    const char *page = read_page();
    run_result r = run_mopd(NULL, "models --format json");
    assert_run(r, 0);
    json_t *d = labelled_json(&r), *m;
    size_t i;
    json_array_foreach(json_object_get(d, "models"), i, m)
    {
        char row[400], imagenet[16] = "";
        if (number(m, "imagenet") > 0) snprintf(imagenet, sizeof imagenet, "%.1f", number(m, "imagenet"));
        snprintf(row, sizeof row, "| %s | %s | %s | %s | %g | %g | %g | %g | %g | %s | %s |\n",
            word(m, "model"), word(m, "weights"), word(m, "layouts"),
            grouped(json_integer_value(json_object_get(m, "parameters"))), number(m, "dim"),
            number(m, "image_size"), number(m, "picture_gmac"), number(m, "text_gmac"),
            number(m, "memory_mb"), imagenet, word(m, "licence"));
        if (!strstr(page, row)) fail_msg("docs/models.md has no row %s", row);
        /* the memory is that of the parameters, four bytes each */
        assert_true(fabs(number(m, "memory_mb") - 4e-6 * number(m, "parameters")) < 1);
    }
    assert_int_equal(count_rows(page), json_array_size(json_object_get(d, "models")));
    json_decref(d);
}

static void forms_have_as_many_rows(void **state)
{
    (void)state;
    run_result r = run_mopd(NULL, "models");
    assert_run(r, 0);
    assert_has(r.out, "RN50x64");
    assert_has(r.out, "openclip_results.csv");
    r = run_mopd(NULL, "models --format csv");
    assert_run(r, 0);
    assert_has(r.out, "RN50,OpenAI,\".pt, open_clip\",102060385,1024,224,5.4,2.9,408,59.8,MIT\r\n");
    assert_has(r.out, "built-in,this project,packed,9886986,512,224,0.4,0.05,40,,");
    r = run_mopd(NULL, "models more");
    assert_one_error(&r, 2, "unexpected argument 'more'", "--help'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_every_row),
        cmocka_unit_test(forms_have_as_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
