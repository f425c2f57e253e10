/* SPDX-License-Identifier: MIT
 * test_config_json.c - our own JSON of a configuration: what is written is read back, what is wrong is named. */
#include "test.h"

#include "model/config_json.h"
#include "support/folders.h"
#include "support/towers.h"

static const char *const models[] = {
    FOLDERS_GOLD "hf", FOLDERS_GOLD "hf-largest", FOLDERS_GOLD "openclip", FOLDERS_GOLD "locked"};
#define N_MODELS (sizeof models / sizeof *models)

static char *to_json(const mo_config *config)
{
    mo_buf buf = {0};
    mo_jsonw w;
    mo_jsonw_init(&w, &buf);
    mo_config_json_write(config, &w);
    assert_ok(mo_jsonw_done(&w));
    char *text = mo_buf_take(&buf);
    mo_buf_free(&buf);
    return text;
}

static mopd_status from_json(mo_config *config, const char *text)
{
    const mo_json *root;
    assert_ok(mo_json_parse(&root, text, strlen(text), "x.json"));
    mopd_status st = mo_config_json_read(config, root, "x.json");
    mo_json_close(root);
    return st;
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MODELS; i++) {
        mopd_encoder *e = folder_open(models[i], 1);
        mo_config back;
        char *first = to_json(&e->config);
        assert_ok(from_json(&back, first));
        assert_ok(mo_config_check(&back, "back"));
        char *second = to_json(&back);
        assert_string_equal(first, second);
        assert_int_equal(back.vision_kind, e->config.vision_kind);
        assert_memory_equal(&back.text, &e->config.text, sizeof back.text);
        assert_memory_equal(&back.pixels, &e->config.pixels, sizeof back.pixels);
        mo_mem_free(second);
        mo_mem_free(first);
        mo_encoder_close(e);
    }
}

/* Every word of every list: written, read, the same again. */
static void every_word_goes_both_ways(void **state)
{
    (void)state;
    mopd_encoder *e = folder_open(models[0], 1);
    mo_config c = e->config, back;
    for (uint32_t i = 0; i < 12; i++) {
        c.pixels.fit = i % 5;
        c.pixels.filter = i % 6;
        c.pixels.centre = i % 2;
        c.pixels.alpha = i / 2 % 2;
        c.pixels.do_normalize = i % 3 == 0;
        c.pixels.fill = i;
        c.text.end_rule = i % 2 ? MO_END_FIRST : MO_END_LARGEST;
        c.text.end_id = i % 2 ? i : 0;
        c.text.stack.act = i % 2 ? MO_ACT_GELU : MO_ACT_QUICK_GELU;
        c.vit.stack.act = i / 2 % 2 ? MO_ACT_GELU : MO_ACT_QUICK_GELU;
        char *text = to_json(&c);
        assert_ok(from_json(&back, text));
        assert_memory_equal(&back.pixels, &c.pixels, sizeof c.pixels);
        assert_int_equal(back.text.end_rule, c.text.end_rule);
        assert_int_equal(back.text.end_id, c.text.end_id);
        assert_int_equal(back.text.stack.act, c.text.stack.act);
        assert_int_equal(back.vit.stack.act, c.vit.stack.act);
        mo_mem_free(text);
    }
    mo_encoder_close(e);
}

/* Every mark of SigLIP alone, and all of them: written as format 2, read back the same. */
static void marks_of_siglip_go_both_ways(void **state)
{
    (void)state;
    const mo_config plain = tower_config(), siglip = tower_siglip_config();
    for (int i = 0; i < 8; i++) {
        mo_config c = i < 4 || i > 5 ? plain : i < 5 ? siglip : tower_mobileclip_config(), back;
        if (i == 7) c.vit.form = MO_VIT_TIMM;
        if (i == 6) c.vit.form = MO_VIT_PE;
        if (i == 0) c.vit.form = MO_VIT_SIGLIP;
        if (i == 1) c.text.mask = MO_MASK_NONE, c.text.pad_id = 7;
        if (i == 2) c.text.proj_bias = true;
        if (i == 3) c.logit_bias = true;
        char *text = to_json(&c);
        assert_non_null(strstr(text, "\"format\":2,"));
        assert_ok(from_json(&back, text));
        assert_int_equal(back.vit.form, c.vit.form);
        assert_int_equal(back.text.mask, c.text.mask);
        assert_int_equal(back.text.pad_id, c.text.pad_id);
        assert_int_equal(back.text.proj_bias, c.text.proj_bias);
        assert_int_equal(back.logit_bias, c.logit_bias);
        char *again = to_json(&back);
        assert_string_equal(again, text);
        mo_mem_free(again);
        mo_mem_free(text);
    }
}

/* Both forms of FastViT, and what is wrong with their stages. */
static void fastvits_go_both_ways(void **state)
{
    (void)state;
    for (uint32_t form = 0; form < MO_FASTVIT_FORMS; form++) {
        const mo_config c = tower_fastvit_config(form);
        mo_config back;
        char *text = to_json(&c);
        assert_non_null(strstr(text, "\"format\":2,"));
        assert_non_null(strstr(text, "\"kind\":\"fastvit\",\"form\":"));
        assert_ok(from_json(&back, text));
        const uint32_t n = c.fastvit.n_stages;
        assert_int_equal(back.fastvit.n_stages, n);
        assert_memory_equal(back.fastvit.layers, c.fastvit.layers, n * sizeof *c.fastvit.layers);
        assert_memory_equal(back.fastvit.width, c.fastvit.width, n * sizeof *c.fastvit.width);
        assert_int_equal(back.fastvit.form, form);
        assert_int_equal(back.fastvit.ratio, c.fastvit.ratio);
        assert_true(back.fastvit.eps == c.fastvit.eps);
        mo_mem_free(text);
    }
}

/* What stood in packed files and under fingerprints before there was SigLIP, byte for byte. */
static void what_was_written_before_stays(void **state)
{
    (void)state;
    const mo_config c = tower_config();
    char *text = to_json(&c);
    assert_string_equal(text,
        "{\"format\":1,\"dim\":12,\"image_size\":21,\"vision\":{\"kind\":\"vit\",\"width\":24,\"layers\":2,"
        "\"heads\":2,\"hidden\":40,\"activation\":\"quick_gelu\",\"norm_eps\":1e-05,\"patch\":7},\"text\":{"
        "\"width\":20,\"layers\":2,\"heads\":2,\"hidden\":36,\"activation\":\"quick_gelu\",\"norm_eps\":1e-"
        "05,"
        "\"context_length\":16,\"vocab_size\":50,\"end\":\"first\",\"end_id\":49},\"preprocess\":{\"resize\":"
        "\"shortest\",\"resize_height\":21,\"resize_width\":21,\"filter\":\"bicubic\",\"crop_height\":21,"
        "\"crop_width\":21,\"centre\":\"floor\",\"fill\":0,\"alpha\":\"white\",\"rescale\":0."
        "00392156862745098,"
        "\"normalize\":true,\"mean\":[0.48145466,0.4578275,0.40821073],\"std\":[0.26862954,0.26130258,"
        "0.27577711]}}");
    mo_mem_free(text);
}

/* The first `from` becomes `to`. */
static char *edited(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at) fail_msg("no %s in %s", from, text);
    char *out = malloc(strlen(text) + strlen(to) + 1);
    sprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

typedef struct spoiled {
    const char *from, *to;
    mopd_status st;
    const char *words;
} spoiled;

static void refuse(const char *model, const spoiled *cases, size_t n)
{
    mopd_encoder *e = folder_open(model, 1);
    char *text = to_json(&e->config);
    for (size_t i = 0; i < n; i++) {
        mo_config c;
        char *bad = edited(text, cases[i].from, cases[i].to);
        assert_fails(from_json(&c, bad), cases[i].st, cases[i].words);
        assert_non_null(strstr(mopd_last_error(), "x.json"));
        free(bad);
    }
    mo_mem_free(text);
    mo_encoder_close(e);
}

static void wrong_stages_are_named(void **state)
{
    (void)state;
    static const spoiled cases[] = {
        {"[1,4]", "[1]", MOPD_E_FORMAT, "stages: item 0 is not two sizes"},
        {"[2,8]", "[0,8]", MOPD_E_FORMAT, "stages: item 1 is not two sizes"},
        {"[1,16]", "[1,65537]", MOPD_E_FORMAT, "stages: item 2"},
        {"[1,4]", "[1,4],[1,4],[1,4]", MOPD_E_FORMAT, "stages: 6 of them"},
        {"\"small\"", "\"huge\"", MOPD_E_UNSUPPORTED, "form is \"huge\", unknown here"},
        {"\"mlp_ratio\":3", "\"ratio\":3", MOPD_E_FORMAT, "mlp_ratio"},
    };
    const mo_config config = tower_fastvit_config(MO_FASTVIT_SMALL);
    char *text = to_json(&config);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        char *bad = edited(text, cases[i].from, cases[i].to);
        assert_fails(from_json(&c, bad), cases[i].st, cases[i].words);
        free(bad);
    }
    char *none = edited(text, "\"stages\"", "\"steps\"");
    mo_config c;
    assert_ok(from_json(&c, none));
    assert_fails(mo_config_check(&c, "x.json"), MOPD_E_FORMAT, "x.json: FastViT of 0 stages");
    free(none);
    mo_mem_free(text);
}

static void wrong_values_are_named(void **state)
{
    (void)state;
    static const spoiled cases[] = {
        {"\"format\":1", "\"format\":3", MOPD_E_VERSION, "model format 3; this library reads 1 and 2"},
        {"\"format\":1", "\"format\":-1", MOPD_E_FORMAT, "format is -1"},
        {"\"format\":1", "\"format\":\"1\"", MOPD_E_FORMAT, "format"},
        {"\"dim\":12", "\"dim\":2147483648", MOPD_E_FORMAT, "dim is 2147483648"},
        {"\"dim\":12", "\"dimm\":12", MOPD_E_FORMAT, "dim"},
        {"\"image_size\":21", "\"image_size\":21.5", MOPD_E_FORMAT, "image_size"},
        {"\"kind\":\"vit\"", "\"kind\":\"rn50\"", MOPD_E_UNSUPPORTED, "kind is \"rn50\", unknown here"},
        {"\"width\":20", "\"width\":null", MOPD_E_FORMAT, "width"},
        {"\"layers\":2", "\"layers\":[2]", MOPD_E_FORMAT, "layers"},
        {"\"heads\":", "\"head\":", MOPD_E_FORMAT, "heads"},
        {"\"hidden\":", "\"hiden\":", MOPD_E_FORMAT, "hidden"},
        {"\"quick_gelu\"", "\"silu\"", MOPD_E_UNSUPPORTED, "activation is \"silu\", unknown here"},
        {"\"quick_gelu\"", "7", MOPD_E_FORMAT, "activation"},
        {"\"norm_eps\":1e-05", "\"norm_eps\":\"small\"", MOPD_E_FORMAT, "norm_eps"},
        {"\"patch\":7", "\"patch\":true", MOPD_E_FORMAT, "patch"},
        {"\"context_length\":30", "\"context_length\":{}", MOPD_E_FORMAT, "context_length"},
        {"\"vocab_size\":525", "\"vocab\":525", MOPD_E_FORMAT, "vocab_size"},
        {"\"end\":\"first\"", "\"end\":\"later\"", MOPD_E_UNSUPPORTED, "end is \"later\""},
        {"\"patch\":7", "\"patch\":7,\"form\":\"eva\"", MOPD_E_UNSUPPORTED, "form is \"eva\""},
        {"\"end\":\"first\"", "\"mask\":\"prefix\",\"end\":\"first\"", MOPD_E_UNSUPPORTED,
            "mask is \"prefix\""},
        {"\"end\":\"first\"", "\"mask\":\"none\",\"end\":\"first\"", MOPD_E_FORMAT, "pad_id"},
        {"\"end\":\"first\"", "\"projection_bias\":1,\"end\":\"first\"", MOPD_E_FORMAT, "projection_bias"},
        {"\"dim\":12", "\"logit_bias\":\"x\",\"dim\":12", MOPD_E_FORMAT, "logit_bias"},
        {"\"end_id\":524", "\"end_id\":-5", MOPD_E_FORMAT, "end_id is -5"},
        {"\"resize\":\"shortest\"", "\"resize\":\"longer\"", MOPD_E_UNSUPPORTED, "resize is \"longer\""},
        {"\"filter\":\"bicubic\"", "\"filter\":\"cubic\"", MOPD_E_UNSUPPORTED, "filter is \"cubic\""},
        {"\"centre\":\"floor\"", "\"centre\":\"ceil\"", MOPD_E_UNSUPPORTED, "centre is \"ceil\""},
        {"\"alpha\":\"white\"", "\"alpha\":\"black\"", MOPD_E_UNSUPPORTED, "alpha is \"black\""},
        {"\"normalize\":true", "\"normalize\":1", MOPD_E_FORMAT, "normalize"},
        {"\"mean\":[", "\"mean\":[1,", MOPD_E_FORMAT, "mean: three numbers expected"},
        {"\"std\":[", "\"std\":[\"x\",", MOPD_E_FORMAT, "std: three numbers expected"},
        {"\"text\":{", "\"texts\":{", MOPD_E_FORMAT, "width"},
        {"\"preprocess\":{", "\"process\":{", MOPD_E_FORMAT, "resize"},
    };
    refuse(models[0], cases, sizeof cases / sizeof *cases);
}

static void wrong_blocks_are_named(void **state)
{
    (void)state;
    static const spoiled cases[] = {
        {"\"blocks\":[[", "\"blocks\":[[0,", MOPD_E_FORMAT, "blocks: item 0 is not five sizes"},
        {"\"blocks\":[[", "\"blocks\":[[65537,", MOPD_E_FORMAT, "blocks: item 0 is not five sizes"},
        {"\"blocks\":[[", "\"blocks\":[[],[", MOPD_E_FORMAT, "blocks: item 0 is not five sizes"},
        {"\"blocks\":[[", "\"block\":[[", MOPD_E_FORMAT, "blocks: 0 of them"},
        {"\"blocks\":[", "\"blocks\":[],\"more\":[", MOPD_E_FORMAT, "blocks: 0 of them"},
        {"\"stem\":", "\"root\":", MOPD_E_FORMAT, "stem"},
        {"\"classes\":", "\"klasses\":", MOPD_E_FORMAT, "classes"},
    };
    refuse(models[3], cases, sizeof cases / sizeof *cases);
}

/* One block more than there is room for. */
static void too_many_blocks_are_counted(void **state)
{
    (void)state;
    mopd_encoder *e = folder_open(models[3], 1);
    mo_buf many = {0};
    mo_config c;
    char *text = to_json(&e->config);
    assert_ok(mo_buf_adds(&many, "\"blocks\":["));
    for (int i = 0; i < MO_EFFNET_MAX_BLOCKS; i++) assert_ok(mo_buf_adds(&many, "[1,1,1,3,1],"));
    char *bad = edited(text, "\"blocks\":[", many.data);
    assert_fails(from_json(&c, bad), MOPD_E_FORMAT, "of them");
    free(bad);
    mo_buf_free(&many);
    mo_mem_free(text);
    mo_encoder_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(every_word_goes_both_ways),
        cmocka_unit_test(marks_of_siglip_go_both_ways),
        cmocka_unit_test(fastvits_go_both_ways),
        cmocka_unit_test(what_was_written_before_stays),
        cmocka_unit_test(wrong_stages_are_named),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(wrong_blocks_are_named),
        cmocka_unit_test(too_many_blocks_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
