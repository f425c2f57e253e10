/* SPDX-License-Identifier: MIT
 * test_promptfile.c - prompt files of every shape there and back; metadata, arrays and bytes that lie. */
#include "support/forged.h"
#include "support/prompts.h"

#include "mopd/version.h"

static forged whole; /* the prompt file of a prompt of method mopd */

static mopd_prompt *full_prompt(int32_t method, bool per_class)
{
    mopd_prompt *p = prompts_make(method, per_class);
    p->data = mo_mem_strdup("{\"pictures\":9}");
    if (p->gate) p->gate_use = mo_mem_strdup("[0.25,0.75]");
    p->info.accuracy = 62.5;
    assert_ok(mo_prompt_notes_set(&p->notes, "data", "caltech"));
    assert_ok(mo_prompt_notes_set(&p->notes, "", "no key"));
    return p;
}

static void every_shape_comes_back(void **state)
{
    (void)state;
    for (int32_t method = 0; method < MO_METHODS; method++) {
        for (int per_class = 0; per_class < 2; per_class++) {
            mopd_prompt *p = full_prompt(method, per_class), *q = NULL;
            const char *path = test_path("shape"), *again = test_path("again");
            assert_ok(mo_promptfile_save(p, NULL, path));
            assert_ok(mo_promptfile_open(&q, path));
            assert_memory_equal(&p->info, &q->info, sizeof p->info);
            assert_memory_equal(p->context, q->context, mo_prompt_context_floats(p) * sizeof(float));
            assert_int_equal(mo_prompt_gate_floats(p), mo_prompt_gate_floats(q));
            if (p->gate) assert_memory_equal(p->gate, q->gate, mo_prompt_gate_floats(p) * sizeof(float));
            assert_int_equal(p->static_gate, q->static_gate);
            assert_string_equal(p->fingerprint, q->fingerprint);
            assert_string_equal(p->vocabulary, q->vocabulary);
            assert_string_equal(p->settings, q->settings);
            assert_string_equal(p->data, q->data);
            assert_string_equal(q->version, MOPD_VERSION_STRING);
            for (size_t c = 0; c < PROMPTS_CLASSES; c++)
                assert_string_equal(q->classes.name[c], prompts_classes[c]);
            for (size_t m = 0; m < q->templates.n; m++)
                assert_string_equal(q->templates.name[m], prompts_templates[m]);
            assert_int_equal(q->notes.key.n, 2);
            assert_ok(mo_promptfile_save(q, NULL, again));
            forged a = forged_read(path), b = forged_read(again);
            assert_int_equal(a.n, b.n);
            assert_memory_equal(a.bytes, b.bytes, a.n);
            forged_free(&a);
            forged_free(&b);
            mo_prompt_free(p);
            mo_prompt_free(q);
        }
    }
}

/* A checkpoint is a prompt file with more in it. */
static void a_checkpoint_is_a_prompt_too(void **state)
{
    (void)state;
    mopd_prompt *p = full_prompt(MOPD_METHOD_MOPD, false), *q = NULL;
    const char *path = test_path("checkpoint");
    mo_tensors *file = NULL;
    const mo_view *v = NULL;
    assert_ok(mo_promptfile_save(p, &(mo_checkpoint){"{\"epoch\":3}", p->context, p->gate}, path));
    assert_ok(mo_promptfile_open(&q, path));
    assert_int_equal(q->info.flags, MOPD_PROMPT_GATE | MOPD_PROMPT_CHECKPOINT);
    assert_memory_equal(p->gate, q->gate, mo_prompt_gate_floats(p) * sizeof(float));
    assert_ok(mo_safetensors_open(&file, path, true));
    assert_true(mo_promptfile_is(file));
    assert_string_equal(mo_tensors_meta(file, "mopd.position"), "{\"epoch\":3}");
    assert_ok(mo_tensors_need(file, "velocity.context", &v));
    assert_memory_equal(v->data, p->context, v->n * sizeof(float));
    assert_ok(mo_tensors_need(file, "velocity.gate", &v));
    assert_memory_equal(v->data, p->gate, v->n * sizeof(float));
    mo_tensors_close(file);
    mo_prompt_free(p);
    mo_prompt_free(q);
}

/* ---- files that lie ---- */

static const char *forge(const char *from, const char *to)
{
    return forged_header(&whole, "forged", from, to);
}

static void assert_refused(const char *path, mopd_status st, const char *words)
{
    mopd_prompt *p = NULL;
    assert_fails(mopd_prompt_open(&p, path, NULL), st, words);
    assert_non_null(strstr(mopd_last_error(), path));
    assert_null(p);
}

static void all_that_is_needed_is_missed(void **state)
{
    (void)state;
    static const char *const keys[] = {"mopd.format", "mopd.method", "mopd.fingerprint", "mopd.version",
        "mopd.dim", "mopd.epoch", "mopd.settings", "mopd.classes", "mopd.templates"};
    char from[64], to[64], words[64];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(from, sizeof from, "\"%s\":", keys[i]);
        snprintf(to, sizeof to, "\"x%s\":", keys[i]);
        snprintf(words, sizeof words, "metadata \"%s\" is missing", keys[i]);
        assert_refused(forge(from, to), MOPD_E_FORMAT, words);
    }
    assert_refused(
        forge("\"mopd.kind\":", "\"kind\":"), MOPD_E_FORMAT, "not a prompt file: \"mopd.kind\" is missing");
    assert_refused(forge("\"prompt\"", "\"store\""), MOPD_E_FORMAT, "not a prompt file");
}

static void what_is_not_needed_may_be_missing(void **state)
{
    (void)state;
    static const char *const keys[] = {"mopd.vocabulary", "mopd.data", "mopd.gate_use", "mopd.accuracy"};
    char from[64], to[64];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        mopd_prompt *p = NULL;
        snprintf(from, sizeof from, "\"%s\":", keys[i]);
        snprintf(to, sizeof to, "\"x%s\":", keys[i]);
        assert_ok(mopd_prompt_open(&p, forge(from, to), NULL));
        assert_int_equal(*p->vocabulary, i == 0 ? 0 : 'b');
        assert_int_equal(p->data == NULL, i == 1);
        assert_int_equal(p->gate_use == NULL, i == 2);
        assert_true(p->info.accuracy == (i == 3 ? -1 : 62.5));
        mopd_prompt_close(p);
    }
}

static void metadata_that_lies_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
        mopd_status st;
    } lies[] = {
        {"\"mopd.format\":\"1\"", "\"mopd.format\":\"2\"", "format 2, this library reads format 1",
            MOPD_E_VERSION},
        {"\"mopd.format\":\"1\"", "\"mopd.format\":\"0\"", "format 0", MOPD_E_FORMAT},
        {"\"mopd.method\":\"mopd\"", "\"mopd.method\":\"mopf\"", "method \"mopf\" is unknown", MOPD_E_FORMAT},
        {"\"mopd.method\":\"mopd\"", "\"mopd.method\":\"mopd-static\"",
            "tensor \"gate\" has 24 numbers, 1 x 2", MOPD_E_FORMAT},
        {"\"mopd.fingerprint\":\"", "\"mopd.fingerprint\":\"f", "a fingerprint of 65 digits, 64 are usual",
            MOPD_E_FORMAT},
        {"\"mopd.vocabulary\":\"", "\"mopd.vocabulary\":\"b", "a vocabulary of 65 digits", MOPD_E_FORMAT},
        {"\"mopd.classes\":\"[", "\"mopd.classes\":\"{", "mopd.classes", MOPD_E_FORMAT},
        {"\"mopd.classes\":\"[\\\"cat\\\"", "\"mopd.classes\":\"[7",
            "item 0 of \"mopd.classes\" is not a text", MOPD_E_FORMAT},
        {"\"mopd.classes\":\"[\\\"cat\\\"", "\"mopd.classes\":\"[\\\"c\\\\u0000t\\\"", "mopd.classes",
            MOPD_E_FORMAT},
        {"\"mopd.templates\":\"[\\\"a {}\\\",\\\"it is {}\\\"]", "\"mopd.templates\":\"{}",
            "metadata \"mopd.templates\" is not a list", MOPD_E_FORMAT},
        {"\"mopd.templates\":\"[\\\"a {}\\\",", "\"mopd.templates\":\"[", "12 x 1 templates are needed",
            MOPD_E_FORMAT},
        {"\"mopd.settings\":\"{", "\"mopd.settings\":\"[", "mopd.settings", MOPD_E_FORMAT},
        {"\\\"class_position\\\":\\\"end\\\"", "\\\"class_position\\\":\\\"enD\\\"",
            "class_position \"enD\" is unknown", MOPD_E_FORMAT},
        {"\\\"class_position\\\"", "\\\"klass\\\"", "class_position", MOPD_E_FORMAT},
        {"\\\"class_position\\\":\\\"end\\\"", "\\\"class_position\\\":0", "class_position", MOPD_E_FORMAT},
        {"\\\"class_context\\\":false", "\\\"class_context\\\":0", "class_context", MOPD_E_FORMAT},
        {"\\\"class_context\\\":false", "\\\"class_context\\\":true", "has 2 dimensions, 3 are needed",
            MOPD_E_FORMAT},
        {"\\\"top_k\\\":1", "\\\"top_k\\\":3", "top_k is 3 of 2 templates", MOPD_E_FORMAT},
        {"\\\"top_k\\\":1", "\\\"top_k\\\":0", "top_k is 0 of 2", MOPD_E_FORMAT},
        {"\\\"top_k\\\":1", "\\\"top_k\\\":-1", "top_k is -1", MOPD_E_FORMAT},
        {"\\\"top_k\\\":1", "\\\"top_k\\\":2147483648", "top_k is 2147483648", MOPD_E_FORMAT},
        {"\\\"top_k\\\":1", "\\\"top_k\\\":1.5", "top_k", MOPD_E_FORMAT},
        {"\"mopd.data\":\"{", "\"mopd.data\":\"", "mopd.data", MOPD_E_FORMAT},
        {"\"mopd.gate_use\":\"[", "\"mopd.gate_use\":\"", "mopd.gate_use", MOPD_E_FORMAT},
        {"\"mopd.dim\":\"12\"", "\"mopd.dim\":\"13\"", "13 x 2 templates are needed", MOPD_E_FORMAT},
        {"\"context\"", "\"kontext\"", "context", MOPD_E_FORMAT},
        {"\"gate\"", "\"gates\"", "gate", MOPD_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        assert_refused(forge(lies[i].from, lies[i].to), lies[i].st, lies[i].words);
}

static void numbers_are_digits_below_2_to_the_31(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "-1", "+1", " 1", "1 ", "1.0", "1e1", "0x1", "2147483648",
        "4294967297", "99999999999", "00000000001", "18446744073709551617"};
    static const struct {
        const char *text;
        uint32_t value;
    } right[] = {{"0", 0}, {"7", 7}, {"2147483647", INT32_MAX}, {"0000000012", 12}};
    char to[64];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(to, sizeof to, "\"mopd.epoch\":\"%s\"", wrong[i]);
        assert_refused(forge("\"mopd.epoch\":\"7\"", to), MOPD_E_FORMAT, "metadata \"mopd.epoch\" is \"");
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        mopd_prompt *p = NULL;
        snprintf(to, sizeof to, "\"mopd.epoch\":\"%s\"", right[i].text);
        assert_ok(mopd_prompt_open(&p, forge("\"mopd.epoch\":\"7\"", to), NULL));
        assert_int_equal(p->info.epoch, right[i].value);
        mopd_prompt_close(p);
    }
}

static void accuracy_is_a_number_from_0_to_100(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "-1", "-0.001", "100.001", "nan", "inf", "1,5", "50],[1", "true", "\\\"5\\\"", "1e999"};
    static const struct {
        const char *text;
        double value;
    } right[] = {{"0", 0}, {"100", 100}, {"99.5", 99.5}, {"1e1", 10}};
    char to[64];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(to, sizeof to, "\"mopd.accuracy\":\"%s\"", wrong[i]);
        assert_refused(forge("\"mopd.accuracy\":\"62.5\"", to), MOPD_E_FORMAT, "accuracy is \"");
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        mopd_prompt *p = NULL;
        snprintf(to, sizeof to, "\"mopd.accuracy\":\"%s\"", right[i].text);
        assert_ok(mopd_prompt_open(&p, forge("\"mopd.accuracy\":\"62.5\"", to), NULL));
        assert_true(p->info.accuracy == right[i].value);
        mopd_prompt_close(p);
    }
}

static void arrays_that_lie_are_refused(void **state)
{
    (void)state;
    static char copy[1 << 16];
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    size_t context = 8 + whole.n_header, gate = context + PROMPTS_VECTORS * TINY_WIDTH * sizeof(float);
    for (size_t i = 0; i < 3; i++) {
        memcpy(copy, whole.bytes, whole.n);
        memcpy(copy + context + 12, wrong + i, 4);
        assert_refused(test_write("wrong", copy, whole.n), MOPD_E_FORMAT,
            "tensor \"context\" holds a number that is not finite");
        memcpy(copy, whole.bytes, whole.n);
        memcpy(copy + gate, wrong + i, 4);
        assert_refused(test_write("wrong", copy, whole.n), MOPD_E_FORMAT,
            "tensor \"gate\" holds a number that is not finite");
    }
    assert_refused(forge("\"dtype\":\"F32\"", "\"dtype\":\"I32\""), MOPD_E_FORMAT, "is I32, not F32");
    assert_refused(forge("[2,16]", "[32]"), MOPD_E_FORMAT, "has 1 dimensions, 2 are needed");
    assert_refused(forge("[2,16]", "[2,2,8]"), MOPD_E_FORMAT, "has 3 dimensions, 2 are needed");
    assert_refused(
        forge("[12,2]", "[2,12]"), MOPD_E_FORMAT, "tensor \"gate\" has 24 numbers, 12 x 2 templates");
    assert_refused(forge("[12,2]", "[24]"), MOPD_E_FORMAT, "tensor \"gate\" has 24 numbers");
    assert_refused(forge("[2,16]", "[2,17]"), MOPD_E_FORMAT, "context");
}

/* Another cut of the same numbers is a prompt, but of no model that is here. */
static void vectors_of_another_width_fit_no_encoder(void **state)
{
    (void)state;
    mopd_prompt *p = NULL;
    mopd_encoder *e = tiny_open(1, 1);
    char from[80];
    assert_ok(mopd_prompt_open(&p, forge("[2,16]", "[4,8]"), NULL));
    assert_int_equal(p->info.n_context, 4);
    assert_int_equal(p->info.text_width, 8);
    memcpy(p->fingerprint, mopd_encoder_fingerprint(e), 65);
    *p->vocabulary = 0;
    assert_fails(mo_prompt_check(p, e, "x"), MOPD_E_MISMATCH, "vectors of 8 and features of 12");
    mopd_prompt_close(p);
    memset(from, 'f', 64);
    from[64] = 0;
    assert_fails(mopd_prompt_open(&p, forge(from, mopd_encoder_fingerprint(e)), e), MOPD_E_MISMATCH,
        "learned with the vocabulary");
    mopd_encoder_close(e);
}

static void a_context_of_other_classes_is_refused(void **state)
{
    (void)state;
    mopd_prompt *p = full_prompt(MOPD_METHOD_COOP, true);
    p->info.n_classes--;
    assert_ok(mo_promptfile_save(p, NULL, test_path("fewer")));
    assert_refused(test_path("fewer"), MOPD_E_FORMAT, "context of 2 classes, 3 are listed");
    p->info.n_classes++;
    mo_prompt_free(p);
}

static void files_cut_short_are_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < whole.n; n += 1 + n % 7)
        assert_refused(test_write("short", whole.bytes, n), MOPD_E_FORMAT, "short");
    assert_refused(test_write("text", "hello, world", 12), MOPD_E_FORMAT, "text");
    assert_refused(test_path("missing"), MOPD_E_IO, "missing");
}

/* One byte after another changed, in two ways: an error that names the file, or a prompt that can be used. */
static void damaged_bytes_harm_nothing(void **state)
{
    (void)state;
    static char copy[1 << 16];
    size_t read = 0;
    for (size_t at = 0; at < 2 * whole.n; at += 3) {
        mopd_prompt *p = NULL;
        size_t byte = at / 2;
        memcpy(copy, whole.bytes, whole.n);
        copy[byte] ^= (char)(at % 2 ? 1 << byte % 7 : 0x55);
        mopd_status st = mopd_prompt_open(&p, test_write("byte", copy, whole.n), NULL);
        if (st == MOPD_OK) {
            char *json = NULL;
            read++;
            assert_true(p->info.n_context > 0 && p->info.top_k <= p->info.n_templates);
            assert_ok(mopd_prompt_describe(p, &json));
            mopd_free(json);
            mopd_prompt_close(p);
            continue;
        }
        if (st != MOPD_E_FORMAT && st != MOPD_E_VERSION)
            fail_msg("byte %zu: %s: %s", byte, mopd_status_name(st), mopd_last_error());
        assert_non_null(strstr(mopd_last_error(), "byte"));
        assert_null(p);
    }
    assert_true(read > whole.n / 8); /* most numbers and letters may be others */
}

static void what_cannot_be_written_is_told(void **state)
{
    (void)state;
    mopd_prompt *p = full_prompt(MOPD_METHOD_MOPD, false);
    assert_fails(mo_promptfile_save(p, NULL, test_path("no/such/folder")), MOPD_E_IO, "no/such/folder");
    mo_prompt_free(p);
}

static mopd_status save_and_open(void *ctx)
{
    (void)ctx;
    float context[2 * TINY_WIDTH] = {0}, gate[2] = {0};
    char *texts[] = {"x", "y"};
    mopd_prompt p = {.info = {.method = MOPD_METHOD_MOPD_STATIC,
                         .flags = MOPD_PROMPT_GATE,
                         .n_context = 2,
                         .text_width = TINY_WIDTH,
                         .dim = TINY_DIM,
                         .n_classes = 2,
                         .n_templates = 2,
                         .accuracy = 50},
        .static_gate = true,
        .context = context,
        .gate = gate,
        .classes = {texts, 2},
        .templates = {texts, 2},
        .settings = "{\"class_position\":\"end\",\"class_context\":false,\"top_k\":2}",
        .data = "{}",
        .gate_use = "[]",
        .notes = {{texts, 2}, {texts, 2}}};
    mopd_prompt *q = NULL;
    const char *path = test_path("lean");
    mopd_status st = mo_promptfile_save(&p, &(mo_checkpoint){"{}", context, gate}, path);
    if (st == MOPD_OK) st = mo_promptfile_open(&q, path);
    mo_prompt_free(q);
    return st;
}

static void files_survive_lack_of_memory(void **state)
{
    (void)state;
    test_torture(save_and_open, NULL);
}

static int make_file(void **state)
{
    (void)state;
    mopd_prompt *p = full_prompt(MOPD_METHOD_MOPD, false);
    const char *path = test_path("whole");
    assert_ok(mo_promptfile_save(p, NULL, path));
    mo_prompt_free(p);
    whole = forged_read(path);
    return 0;
}

static int drop_file(void **state)
{
    (void)state;
    forged_free(&whole);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_comes_back),
        cmocka_unit_test(a_checkpoint_is_a_prompt_too),
        cmocka_unit_test(all_that_is_needed_is_missed),
        cmocka_unit_test(what_is_not_needed_may_be_missing),
        cmocka_unit_test(metadata_that_lies_is_refused),
        cmocka_unit_test(numbers_are_digits_below_2_to_the_31),
        cmocka_unit_test(accuracy_is_a_number_from_0_to_100),
        cmocka_unit_test(arrays_that_lie_are_refused),
        cmocka_unit_test(vectors_of_another_width_fit_no_encoder),
        cmocka_unit_test(a_context_of_other_classes_is_refused),
        cmocka_unit_test(files_cut_short_are_refused),
        cmocka_unit_test(damaged_bytes_harm_nothing),
        cmocka_unit_test(what_cannot_be_written_is_told),
        cmocka_unit_test(files_survive_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make_file, drop_file);
}
