/* SPDX-License-Identifier: MIT
 * labelled.c - labelled pictures, JSON answers, files compared. */
#include "support/labelled.h"

const char *labelled_data(const char *name)
{
    char path[128];
    uint32_t seed = 1;
    for (int split = 0; split < 2; split++) {
        for (int c = 0; c < LABELLED_CLASSES; c++) {
            for (int i = 0; i < (split ? LABELLED_TEST : LABELLED_TRAIN); i++) {
                snprintf(path, sizeof path, "%s/%s/%c/%d.png", name, split ? "test" : "train", 'a' + c, i);
                test_png(path, 14, 11, seed++);
            }
        }
    }
    return test_path(name);
}

json_t *labelled_json(const run_result *r)
{
    json_error_t error;
    json_t *document = json_loads(r->out, JSON_REJECT_DUPLICATES, &error);
    if (!document) fail_msg("no JSON: %s in: %.2000s", error.text, r->out);
    return document;
}

double labelled_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) fail_msg("'%s' is no number", key);
    return json_number_value(value);
}

char *read_whole(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot open %s", path);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*n + 1);
    if (!bytes || fread(bytes, 1, *n, f) != *n) fail_msg("cannot read %s", path);
    fclose(f);
    bytes[*n] = 0;
    return bytes;
}

void assert_same_files(const char *a, const char *b)
{
    size_t n, m;
    char *x = read_whole(a, &n), *y = read_whole(b, &m);
    assert_int_equal(n, m);
    assert_true(n > 100);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}
