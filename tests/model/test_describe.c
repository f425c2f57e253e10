/* SPDX-License-Identifier: MIT
 * test_describe.c - what inspect shows of models and of the library's other files. */
#include "test.h"

#include "format/json.h"
#include "support/folders.h"

/* The description of a path, parsed. */
static const mo_json *describe(const char *path)
{
    char *json;
    const mo_json *root;
    assert_ok(mo_describe_file(path, &json));
    assert_ok(mo_json_parse(&root, json, strlen(json), "description"));
    mo_mem_free(json);
    return root;
}

static void assert_text(const mo_json *o, const char *key, const char *want)
{
    const char *text = "";
    assert_ok(mo_json_need_string(o, key, "description", &text));
    if (strcmp(text, want) != 0) fail_msg("%s is \"%s\", not \"%s\"", key, text, want);
}

static void assert_int(const mo_json *o, const char *key, int64_t want)
{
    int64_t x = -1;
    assert_ok(mo_json_need_int(o, key, "description", &x));
    if (x != want) fail_msg("%s is %lld, not %lld", key, (long long)x, (long long)want);
}

static void models_are_described_by_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *path, *layout, *vision, *activation, *type;
        int64_t width, context, image, tensors;
    } cases[] = {
        {FOLDERS_GOLD "hf", "huggingface", "vit", "quick_gelu", "F32", 24, 30, 21, 78},
        {FOLDERS_GOLD "hf-largest", "huggingface", "vit", "gelu", "F16", 24, 30, 21, 78},
        {FOLDERS_GOLD "openclip", "open_clip", "vit", "gelu", "F32", 24, 30, 21, 78},
        {FOLDERS_GOLD "locked", "locked-tower", "efficientnet-lite", "quick_gelu", "F32", 24, 30, 224, 251},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const mo_json *d = describe(cases[i].path);
        mopd_encoder *e = folder_open(cases[i].path, 1);
        assert_text(d, "kind", "model");
        assert_text(d, "path", cases[i].path);
        assert_text(d, "layout", cases[i].layout);
        assert_text(d, "fingerprint", e->fingerprint);
        assert_text(d, "vision", cases[i].vision);
        assert_text(d, "activation", cases[i].activation);
        assert_int(d, "dim", 12);
        assert_int(d, "text_width", cases[i].width);
        assert_int(d, "context_length", cases[i].context);
        assert_int(d, "vocab_size", 525);
        assert_int(d, "image_size", cases[i].image);
        assert_int(d, "parameters", (int64_t)mo_weights_parameters(e->weights));
        assert_int(d, "weight_bytes", (int64_t)mo_weights_bytes(e->weights));
        assert_int(mo_json_get(d, "types"), cases[i].type, cases[i].tensors);
        assert_int(mo_json_get(d, "config"), "image_size", cases[i].image);
        mo_encoder_close(e);
        mo_json_close(d);
    }
}

/* The same text from an open model and from its path; the recommendation is among it. */
static void an_open_model_is_described_alike(void **state)
{
    (void)state;
    char *a, *b;
    mopd_encoder *e = folder_open(FOLDERS_GOLD "locked", 2);
    assert_ok(mo_describe_encoder(e, &a));
    assert_ok(mo_describe_file(FOLDERS_GOLD "locked", &b));
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "\"recommended_lr\":0.05"));
    mo_mem_free(a);
    mo_mem_free(b);
    mo_encoder_close(e);
}

/* ---- files that are no model ---- */

typedef struct text {
    const char *key, *value;
} text;

static const char *write_prompt(const char *name, const text *meta, size_t n)
{
    const float x[2] = {1, 2};
    static char path[512];
    mo_safetensors_writer *w;
    snprintf(path, sizeof path, "%s", test_path(name));
    assert_ok(mo_safetensors_writer_create(&w));
    for (size_t i = 0; i < n; i++) assert_ok(mo_safetensors_writer_meta(w, meta[i].key, meta[i].value));
    assert_ok(mo_safetensors_writer_tensor(w, "context", MO_F32, 2, (const size_t[]){1, 2}));
    assert_ok(mo_safetensors_writer_begin(w, path));
    assert_ok(mo_safetensors_writer_floats(w, x, 2));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    return path;
}

static void inspect_shows_the_metadata_of_a_prompt(void **state)
{
    (void)state;
    static const text meta[] = {{"mopd.kind", "prompt"}, {"mopd.method", "mopd"},
        {"mopd.classes", "[\"cat\",\"dog\"]"}, {"mopd.dim", "12"}, {"note.by", "me, 3"},
        {"a", "{\"b\": [1]}"}, {"empty", ""}, {"quoted", "\"x\""}};
    static const char *const words[] = {"\"kind\":\"prompt\"", "\"method\":\"mopd\"",
        "\"classes\":[\"cat\",\"dog\"]", "\"dim\":12", "\"note.by\":\"me, 3\"", "\"a\":{\"b\": [1]}",
        "\"empty\":\"\"", "\"quoted\":\"\\\"x\\\"\"",
        "\"tensors\":{\"context\":{\"type\":\"F32\",\"shape\":[1,2]}}"};
    char *json;
    assert_ok(mo_describe_file(write_prompt("shown", meta, sizeof meta / sizeof *meta), &json));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(json, words[i])) fail_msg("%s is not in %s", words[i], json);
    mo_mem_free(json);
}

/* A thousand names are shown, one more is only counted. */
static void long_lists_are_counted(void **state)
{
    (void)state;
    for (int n = 1000; n <= 1001; n++) {
        mo_buf list = {0};
        assert_ok(mo_buf_adds(&list, "["));
        for (int i = 0; i < n; i++) assert_ok(mo_buf_addf(&list, "%s%d", i ? "," : "", i));
        assert_ok(mo_buf_adds(&list, "]"));
        const text meta[] = {{"mopd.kind", "store"}, {"mopd.paths", list.data}};
        const mo_json *d = describe(write_prompt("long", meta, 2));
        const mo_json *paths = mo_json_get(d, "paths");
        if (n == 1000)
            assert_int_equal(mo_json_count(paths), 1000);
        else
            assert_int(d, "paths", 1001);
        mo_json_close(d);
        mo_buf_free(&list);
    }
}

/* Metadata must not stand in for what the file itself says. */
static void metadata_overrides_nothing(void **state)
{
    (void)state;
    static const text meta[] = {{"mopd.kind", "prompt"}, {"path", "elsewhere"}, {"mopd.bytes", "7"},
        {"tensors", "{}"}, {"kind", "model"}};
    const char *path = write_prompt("override", meta, sizeof meta / sizeof *meta);
    const mo_json *d = describe(path);
    assert_text(d, "kind", "prompt");
    assert_text(d, "path", path);
    assert_int_equal(mo_json_count(mo_json_get(d, "tensors")), 1);
    int64_t bytes;
    assert_ok(mo_json_need_int(d, "bytes", "description", &bytes));
    assert_true(bytes > 100);
    mo_json_close(d);
}

static void what_is_not_ours_is_refused(void **state)
{
    (void)state;
    char *json;
    assert_fails(mo_describe_file(FOLDERS_GOLD "hf/model.safetensors", &json), MOPD_E_FORMAT,
        "metadata mopd.kind is missing (mopd pack writes it); weights alone");
    assert_fails(mo_describe_file(test_write("junk", "junk", 4), &json), MOPD_E_FORMAT, "junk");
    assert_fails(mo_describe_file("/nowhere/x", &json), MOPD_E_IO, "/nowhere/x");
    assert_fails(mo_describe_file(test_path(""), &json), MOPD_E_IO, "no model here");
    assert_fails(
        mo_describe_file(MOPD_TEST_DIR "/gold/torch_zip.pt", &json), MOPD_E_FORMAT, "no CLIP checkpoint");
}

static mopd_status torture(void *path)
{
    char *json;
    mopd_status st = mo_describe_file(path, &json);
    if (st == MOPD_OK) mo_mem_free(json);
    return st;
}

static void describing_survives_failing_memory(void **state)
{
    (void)state;
    static const text meta[] = {{"mopd.kind", "prompt"}, {"mopd.classes", "[\"a\"]"}, {"broken", "[1,"}};
    test_torture(torture, (void *)(uintptr_t)write_prompt("torture", meta, 3));
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_described_by_what_they_are),
        cmocka_unit_test(an_open_model_is_described_alike),
        cmocka_unit_test(inspect_shows_the_metadata_of_a_prompt),
        cmocka_unit_test(long_lists_are_counted),
        cmocka_unit_test(metadata_overrides_nothing),
        cmocka_unit_test(what_is_not_ours_is_refused),
        cmocka_unit_test(describing_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
