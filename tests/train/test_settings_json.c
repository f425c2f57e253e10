/* SPDX-License-Identifier: MIT
 * test_settings_json.c - settings as the JSON of a prompt file, to the byte, and two such texts compared. */
#include "test.h"

#include "base/mem.h"
#include "support/tiny.h"
#include "train/settings.h"

static mopd_encoder *encoder;

static mopd_trainer_options options_of(int32_t method)
{
    mopd_trainer_options o = mo_settings_defaults();
    o.method = method;
    o.templates = tiny_templates;
    o.n_templates = 5;
    o.lr = 0.02f;
    return o;
}

/* To be freed with mo_mem_free. */
static char *json_of(const mopd_trainer_options *o)
{
    mo_settings s;
    char *json = NULL;
    assert_ok(mo_settings_read(&s, encoder, o));
    assert_ok(mo_settings_json(&s, &json));
    return json;
}

static void assert_json(const mopd_trainer_options *o, const char *want)
{
    char *json = json_of(o);
    assert_string_equal(json, want);
    mo_mem_free(json);
}

#define HEAD(method)                                                                                         \
    "{\"method\":\"" method "\",\"n_context\":4,\"context\":\"a photo of a\",\"class_position\":\"end\","    \
    "\"class_context\":false,\"shuffle\":true,\"epochs\":50,\"batch\":128,\"lr\":0.02,\"warmup_lr\":1e-05,"  \
    "\"momentum\":0.9,\"weight_decay\":0.0005,"

/* As release 0.1 wrote them: checkpoints are compared with these bytes. */
static void every_method_records_what_it_uses(void **state)
{
    (void)state;
    static const char *const want[] = {
        [MOPD_METHOD_MOPD] = HEAD("mopd") "\"w\":0.8,\"temperature\":1,\"w2\":0.1,\"top_k\":2,\"seed\":1}",
        [MOPD_METHOD_MOPD_STATIC] = HEAD("mopd-static") "\"w\":0.8,\"temperature\":1,\"top_k\":2,\"seed\":1}",
        [MOPD_METHOD_MOPD_RANDOM] = HEAD("mopd-random") "\"w\":0.8,\"temperature\":1,\"top_k\":2,\"seed\":1}",
        [MOPD_METHOD_KD] = HEAD("kd") "\"w\":0.8,\"temperature\":1,\"seed\":1}",
        [MOPD_METHOD_COOP] = HEAD("coop") "\"seed\":1}",
        [MOPD_METHOD_KGCOOP] = HEAD("kgcoop") "\"lambda\":8,\"seed\":1}",
        [MOPD_METHOD_PROGRAD] = HEAD("prograd") "\"lambda\":1,\"temperature\":1,\"seed\":1}",
    };
    for (int32_t method = MOPD_METHOD_MOPD; method <= MOPD_METHOD_PROGRAD; method++) {
        const mopd_trainer_options o = options_of(method);
        assert_json(&o, want[method]);
    }
}

static void other_values_are_written(void **state)
{
    (void)state;
    mopd_trainer_options o = options_of(MOPD_METHOD_COOP);
    o.flags = MOPD_TRAIN_CLASS_CONTEXT | MOPD_TRAIN_NO_SHUFFLE;
    o.class_position = MOPD_CLASS_FRONT;
    o.context = NULL;
    o.n_context = 16;
    o.seed = UINT64_MAX;
    o.memory_limit = 1; /* changes no result */
    o.momentum = 0.1f;
    assert_json(&o,
        "{\"method\":\"coop\",\"n_context\":16,\"context\":null,\"class_position\":\"front\",\"class_"
        "context\":true,"
        "\"shuffle\":false,\"epochs\":50,\"batch\":128,\"lr\":0.02,\"warmup_lr\":1e-05,\"momentum\":0.1,"
        "\"weight_decay\":0.0005,\"seed\":\"18446744073709551615\"}");
    o = options_of(MOPD_METHOD_COOP);
    o.seed = INT64_MAX;
    char *json = json_of(&o);
    assert_non_null(strstr(json, "\"seed\":9223372036854775807}"));
    mo_mem_free(json);
}

static void same_settings_are_the_same(void **state)
{
    (void)state;
    assert_ok(mo_settings_same("{\"w\":0.8}", "{\"w\":0.8}", "p"));
    assert_ok(mo_settings_same("no JSON at all", "no JSON at all", "p"));
}

static void the_first_difference_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *ours, *theirs, *words;
    } differ[] = {
        {"{\"w\":0.8,\"w2\":1}", "{\"w\":0.5,\"w2\":2}", "p: was made with w 0.5, the trainer has 0.8"},
        {"{\"a\":1,\"w2\":1}", "{\"a\":1,\"w2\":2}", "p: was made with w2 2, the trainer has 1"},
        {"{\"m\":\"coop\"}", "{\"m\":\"kd\"}", "p: was made with m \"kd\", the trainer has \"coop\""},
        {"{\"s\":true}", "{\"s\":false}", "p: was made with s false, the trainer has true"},
        {"{\"c\":\"x\"}", "{\"c\":null}", "p: was made with c null, the trainer has \"x\""},
        {"{\"w\":1}", "{}", "p: was made with w nothing, the trainer has 1"},
        {"{\"w\":1}", "{\"w\":1,\"v\":2}", "p: was made with other settings: {\"w\":1,\"v\":2}"},
        {"{\"w\":1}", "{\"w\": 1}", "p: was made with other settings"},
    };
    for (size_t i = 0; i < sizeof differ / sizeof *differ; i++)
        assert_fails(
            mo_settings_same(differ[i].ours, differ[i].theirs, "p"), MOPD_E_MISMATCH, differ[i].words);
}

/* A file of others may hold anything. */
static void settings_that_are_no_json_are_told(void **state)
{
    (void)state;
    char longer[600] = "{\"w\":\"";
    memset(longer + 6, 'x', 500);
    strcpy(longer + 506, "\"}");
    assert_fails(mo_settings_same("{\"w\":1}", "{\"w\":", "p"), MOPD_E_FORMAT, "p: mopd.settings");
    assert_fails(mo_settings_same("{\"w\":1}", "[1]", "p"), MOPD_E_MISMATCH, "p");
    assert_fails(mo_settings_same("{\"w\":1}", "", "p"), MOPD_E_FORMAT, "p: mopd.settings");
    assert_fails(mo_settings_same("{\"w\":1}", longer, "p"), MOPD_E_MISMATCH, "was made with w \"xxxxx");
}

static mopd_status write_json(void *ctx)
{
    char *json = NULL;
    mopd_status st = mo_settings_json(ctx, &json);
    mo_mem_free(json);
    return st;
}

static void writing_survives_lack_of_memory(void **state)
{
    (void)state;
    mo_settings s;
    const mopd_trainer_options o = options_of(MOPD_METHOD_MOPD);
    assert_ok(mo_settings_read(&s, encoder, &o));
    mopd_encoder_close(encoder); /* an allocator is changed while nothing lives */
    encoder = NULL;
    test_torture(write_json, &s);
}

static int open_all(void **state)
{
    (void)state;
    encoder = tiny_open(1, 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_records_what_it_uses),
        cmocka_unit_test(other_values_are_written),
        cmocka_unit_test(same_settings_are_the_same),
        cmocka_unit_test(the_first_difference_is_named),
        cmocka_unit_test(settings_that_are_no_json_are_told),
        cmocka_unit_test(writing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, open_all, NULL);
}
