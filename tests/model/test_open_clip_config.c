/* SPDX-License-Identifier: MIT
 * test_open_clip_config.c - open_clip_config.json: open_clip's defaults, its preprocessing, and every key that
 * would make another tower. */
#include "test.h"

#include "format/json.h"
#include "model/layouts/open_clip_config.h"

/* The configuration with what a case adds to each of its objects. */
static mopd_status read_config(
    mo_config *c, const char *model, const char *vision, const char *text, const char *pixels)
{
    char json[2000];
    const mo_json *root;
    snprintf(json, sizeof json,
        "{\"model_cfg\":{\"embed_dim\":12,\"vision_cfg\":{%s},\"text_cfg\":{%s}%s},\"preprocess_cfg\":{%s}}",
        vision, text, model, pixels);
    assert_ok(mo_json_parse(&root, json, strlen(json), "oc.json"));
    mopd_status st = mo_open_clip_config(c, root, "oc.json");
    mo_json_close(root);
    return st;
}

static void absent_keys_have_open_clips_values(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, "", "", "", ""));
    assert_int_equal(c.dim, 12);
    assert_int_equal(c.vision_kind, MO_VISION_VIT);
    assert_int_equal(c.image, 224);
    assert_int_equal(c.vit.patch, 16);
    assert_int_equal(c.vit.stack.width, 768);
    assert_int_equal(c.vit.stack.layers, 12);
    assert_int_equal(c.vit.stack.heads, 12);
    assert_int_equal(c.vit.stack.hidden, 3072);
    assert_int_equal(c.text.context, 77);
    assert_int_equal(c.text.vocab, 49408);
    assert_int_equal(c.text.stack.width, 512);
    assert_int_equal(c.text.stack.heads, 8);
    assert_int_equal(c.text.stack.layers, 12);
    assert_int_equal(c.text.stack.hidden, 2048);
    assert_int_equal(c.text.end_rule, MO_END_LARGEST);
    assert_true(c.text.stack.eps == 1e-5 && c.vit.stack.eps == 1e-5);
    mo_pixels want;
    mo_pixels_openai(&want, 224);
    assert_memory_equal(&c.pixels, &want, sizeof want);
}

/* Without the word it is the exact GELU, whatever the weights came from. */
static void quick_gelu_is_a_word_of_the_model(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        mo_act act;
    } cases[] = {{"", MO_ACT_GELU}, {",\"quick_gelu\":false", MO_ACT_GELU},
        {",\"quick_gelu\":true", MO_ACT_QUICK_GELU}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        assert_ok(read_config(&c, cases[i].model, "", "", ""));
        assert_int_equal(c.vit.stack.act, cases[i].act);
        assert_int_equal(c.text.stack.act, cases[i].act);
    }
}

static void every_key_has_its_place(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, "",
        "\"image_size\":[30,30],\"layers\":3,\"width\":40,\"head_width\":10,\"patch_size\":5,\"mlp_ratio\":2."
        "5,"
        "\"norm_kwargs\":{\"eps\":0.5}",
        "\"context_length\":7,\"vocab_size\":90,\"width\":21,\"heads\":3,\"layers\":5,\"mlp_ratio\":1.5,"
        "\"norm_kwargs\":{\"eps\":0.25}",
        ""));
    assert_int_equal(c.image, 30);
    assert_int_equal(c.vit.stack.layers, 3);
    assert_int_equal(c.vit.stack.width, 40);
    assert_int_equal(c.vit.stack.heads, 4);
    assert_int_equal(c.vit.stack.hidden, 100);
    assert_int_equal(c.vit.patch, 5);
    assert_int_equal(c.text.context, 7);
    assert_int_equal(c.text.vocab, 90);
    assert_int_equal(c.text.stack.width, 21);
    assert_int_equal(c.text.stack.heads, 3);
    assert_int_equal(c.text.stack.layers, 5);
    assert_int_equal(c.text.stack.hidden, 31); /* int(21 x 1.5) */
    assert_true(c.vit.stack.eps == 0.5 && c.text.stack.eps == 0.25);
}

/* A list of layers is a ModifiedResNet, whatever the size of a patch. */
static void lists_of_layers_are_resnets(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(
        &c, "", "\"layers\":[4,6,10,6],\"width\":80,\"image_size\":288,\"patch_size\":null", "", ""));
    assert_int_equal(c.vision_kind, MO_VISION_RESNET);
    assert_int_equal(c.resnet.width, 80);
    assert_int_equal(c.resnet.heads, 40);
    assert_int_equal(c.resnet.layers[2], 10);
    assert_int_equal(c.image, 288);
    assert_true(c.resnet.eps == 1e-5);
    assert_ok(read_config(&c, "", "\"layers\":[3,4,6,3],\"width\":64,\"head_width\":32", "", ""));
    assert_int_equal(c.resnet.heads, 64);
    assert_int_equal(c.image, 224);
}

static void texts_end_where_the_pool_says(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, "", "", "\"pool_type\":\"argmax\",\"eos_id\":9", ""));
    assert_int_equal(c.text.end_rule, MO_END_LARGEST);
    assert_int_equal(c.text.end_id, 0);
    assert_ok(read_config(&c, "", "", "\"pool_type\":\"eos\",\"eos_id\":9", ""));
    assert_int_equal(c.text.end_rule, MO_END_FIRST);
    assert_int_equal(c.text.end_id, 9);
    assert_fails(read_config(&c, "", "", "\"pool_type\":\"eos\"", ""), MOPD_E_FORMAT,
        "text_cfg.eos_id is missing, which pool_type \"eos\" reads");
    assert_ok(read_config(&c, "", "", "\"pool_type\":\"last\",\"no_causal_mask\":true", ""));
    assert_int_equal(c.text.end_rule, MO_END_LAST);
    assert_int_equal(c.text.mask, MO_MASK_NONE);
    assert_fails(read_config(&c, "", "", "\"pool_type\":\"mean\"", ""), MOPD_E_UNSUPPORTED,
        "text_cfg.pool_type \"mean\"; argmax, eos and last are known");
}

/* Every way of saying "not this" passes; every other value is refused by the key's name. */
static void keys_of_other_towers_are_refused(void **state)
{
    (void)state;
    static const char *const vision[] = {"ls_init_value", "attentional_pool", "no_ln_pre", "pos_embed_type",
        "final_ln_after_pool", "pool_type", "act_kwargs", "block_type", "qk_norm", "scaled_cosine_attn",
        "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc"};
    static const char *const text[] = {"hf_model_name", "tokenizer_mode", "ls_init_value", "embed_cls",
        "final_ln_after_pool", "proj_type", "block_type", "qk_norm", "scaled_cosine_attn", "scale_heads",
        "scale_attn_inner", "scale_attn", "scale_fc"};
    static const char *const model[] = {"multimodal_cfg"};
    static const char *const plain[] = {"null", "false", "0", "0.0", "\"\"", "{}", "[]"};
    static const char *const other[] = {"true", "1", "-0.5", "\"other\"", "{\"a\":1}", "[0]"};
    const struct {
        const char *const *keys;
        size_t n;
        const char *where;
    } groups[] = {{vision, sizeof vision / sizeof *vision, "vision_cfg"},
        {text, sizeof text / sizeof *text, "text_cfg"}, {model, 1, "model_cfg"}};
    for (size_t g = 0; g < 3; g++) {
        for (size_t k = 0; k < groups[g].n; k++) {
            for (size_t v = 0; v < 13; v++) {
                mo_config c;
                char member[100], words[100];
                bool fine = v < 7;
                snprintf(member, sizeof member, "%s\"%s\":%s", g == 2 ? "," : "", groups[g].keys[k],
                    fine ? plain[v] : other[v - 7]);
                mopd_status st =
                    read_config(&c, g == 2 ? member : "", g == 0 ? member : "", g == 1 ? member : "", "");
                snprintf(words, sizeof words, "oc.json: %s.%s", groups[g].where, groups[g].keys[k]);
                if (st != (fine ? MOPD_OK : MOPD_E_UNSUPPORTED) ||
                    (!fine && !strstr(mopd_last_error(), words)))
                    fail_msg("%s: %s: %s", member, mopd_status_name(st), mopd_last_error());
            }
        }
    }
}

/* A text tower of SigLIP's, each of its words alone. */
static void words_of_siglips_text_are_read(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, "", "", "\"proj_bias\":true", ""));
    assert_true(c.text.proj_bias && c.text.mask == MO_MASK_CAUSAL && !c.logit_bias);
    assert_ok(read_config(&c, ",\"init_logit_bias\":-10", "", "", ""));
    assert_true(c.logit_bias && !c.text.proj_bias);
    assert_ok(read_config(&c, ",\"init_logit_bias\":null", "", "", ""));
    assert_false(c.logit_bias);
    assert_ok(read_config(&c, ",\"init_logit_bias\":0", "", "", ""));
    assert_true(c.logit_bias); /* zero is where training began, not that there is none */
    assert_fails(read_config(&c, ",\"init_logit_bias\":\"-10\"", "", "", ""), MOPD_E_FORMAT,
        "model_cfg.init_logit_bias is no number");
    assert_ok(read_config(&c, "", "", "\"width\":1152,\"mlp_ratio\":3.7362", ""));
    assert_int_equal(c.text.stack.hidden, 4304);
    static const char *const cleans[] = {
        "{}", "{\"clean\":\"canonicalize\"}", "{\"clean\":\"lower\"}", "{\"clean\":\"whitespace\"}"};
    for (size_t i = 0; i < 4; i++) {
        char text[100];
        snprintf(text, sizeof text, "\"tokenizer_kwargs\":%s", cleans[i]);
        assert_ok(read_config(&c, "", "", text, ""));
    }
    assert_fails(read_config(&c, "", "", "\"tokenizer_kwargs\":{\"clean\":\"x\"}", ""), MOPD_E_UNSUPPORTED,
        "oc.json: text_cfg.tokenizer_kwargs.clean \"x\"; canonicalize, lower and whitespace are known");
    assert_fails(read_config(&c, "", "", "\"tokenizer_kwargs\":{\"clean\":\"lower\",\"a\":1}", ""),
        MOPD_E_UNSUPPORTED, "text_cfg.tokenizer_kwargs: clean alone is known");
}

/* SigLIP 1's text has the exact GELU in open_clip, SigLIP 2's the one with tanh; each tower its own. */
static void activations_are_one_for_each_tower(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        mo_act act;
    } cases[] = {{"\"act_kwargs\":{}", MO_ACT_GELU}, {"\"act_kwargs\":null", MO_ACT_GELU},
        {"\"act_kwargs\":{\"approximate\":\"none\"}", MO_ACT_GELU},
        {"\"act_kwargs\":{\"approximate\":\"tanh\"}", MO_ACT_GELU_TANH}};
    mo_config c;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(read_config(&c, "", "", cases[i].text, ""));
        assert_int_equal(c.text.stack.act, cases[i].act);
        assert_int_equal(c.vit.stack.act, MO_ACT_GELU);
    }
    assert_fails(read_config(&c, ",\"quick_gelu\":true", "", cases[3].text, ""), MOPD_E_UNSUPPORTED,
        "text_cfg.act_kwargs: approximate");
    assert_fails(read_config(&c, "", "", "\"act_kwargs\":{\"approximate\":\"erf\"}", ""), MOPD_E_UNSUPPORTED,
        "text_cfg.act_kwargs: approximate");
    assert_fails(read_config(&c, "", "", "\"act_kwargs\":{\"a\":1}", ""), MOPD_E_UNSUPPORTED, "act_kwargs");
    assert_fails(read_config(&c, "", "", "\"act_kwargs\":true", ""), MOPD_E_UNSUPPORTED, "act_kwargs");
}

/* The trap: a tower of timm's has the GELU of its name; the word of the model is for the text alone, as in open_clip. */
static void timms_towers_do_not_hear_of_quick_gelu(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, ",\"quick_gelu\":true",
        "\"timm_model_name\":\"vit_pe_core_base_patch16_224\",\"timm_pool\":\"map\"", "", ""));
    assert_int_equal(c.vit.stack.act, MO_ACT_GELU);
    assert_int_equal(c.text.stack.act, MO_ACT_QUICK_GELU);
}

/* The words that mean the plain tower. */
static void plain_words_pass(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, "",
        "\"pool_type\":\"tok\",\"pos_embed_type\":\"learnable\",\"block_type\":\"default\"",
        "\"proj_type\":\"linear\",\"block_type\":\"default\"", ""));
    assert_fails(read_config(&c, "", "\"timm_model_name\":\"vit_base\"", "", ""), MOPD_E_UNSUPPORTED,
        "oc.json: vision_cfg.timm_model_name \"vit_base\" is not supported");
    assert_fails(read_config(&c, "", "\"timm_model_name\":7", "", ""), MOPD_E_UNSUPPORTED,
        "oc.json: vision_cfg.timm_model_name is no name");
    assert_fails(read_config(&c, ",\"multimodal_cfg\":{\"a\":1}", "", "", ""), MOPD_E_UNSUPPORTED,
        "oc.json: model_cfg.multimodal_cfg is not supported");
}

static void wrong_values_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *model, *vision, *text;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"", "\"layers\":[3,4,6]", "", MOPD_E_FORMAT,
            "vision_cfg.layers: a count, or the four of a ModifiedResNet"},
        {"", "\"layers\":[3,4,6,\"3\"]", "", MOPD_E_FORMAT, "the four of a ModifiedResNet"},
        {"", "\"layers\":[3,4,6,3],\"attentional_pool\":true", "", MOPD_E_UNSUPPORTED, "attentional_pool"},
        {"", "\"layers\":\"12\"", "", MOPD_E_FORMAT, "layers"},
        {"", "\"head_width\":0", "", MOPD_E_FORMAT, "head_width"},
        {"", "\"width\":-768", "", MOPD_E_FORMAT, "width"},
        {"", "\"image_size\":[224,336]", "", MOPD_E_UNSUPPORTED, "image_size is not square"},
        {"", "\"patch_size\":{}", "", MOPD_E_FORMAT, "patch_size"},
        {"", "\"mlp_ratio\":0", "", MOPD_E_FORMAT, "vision_cfg.mlp_ratio is 0"},
        {"", "\"mlp_ratio\":1000", "", MOPD_E_FORMAT, "vision_cfg.mlp_ratio is 1000"},
        {"", "\"norm_kwargs\":{\"eps\":1e-6,\"bias\":false}", "", MOPD_E_UNSUPPORTED,
            "vision_cfg.norm_kwargs: eps alone is known"},
        {"", "", "\"norm_kwargs\":{\"eps\":\"x\"}", MOPD_E_UNSUPPORTED, "text_cfg.norm_kwargs: eps alone"},
        {"", "", "\"mlp_ratio\":-1", MOPD_E_FORMAT, "text_cfg.mlp_ratio is -1"},
        {"", "", "\"context_length\":true", MOPD_E_FORMAT, "context_length"},
        {"", "", "\"heads\":1.5", MOPD_E_FORMAT, "heads"},
        {"", "", "\"pool_type\":1", MOPD_E_FORMAT, "pool_type"},
        {",\"quick_gelu\":1", "", "", MOPD_E_FORMAT, "quick_gelu"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        assert_fails(
            read_config(&c, cases[i].model, cases[i].vision, cases[i].text, ""), cases[i].st, cases[i].words);
    }
}

static void missing_parts_are_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"{}", "model_cfg"}, {"{\"model_cfg\":{}}", "preprocess_cfg"},
        {"{\"model_cfg\":{},\"preprocess_cfg\":{}}", "vision_cfg"},
        {"{\"model_cfg\":{\"vision_cfg\":{}},\"preprocess_cfg\":{}}", "text_cfg"},
        {"{\"model_cfg\":{\"vision_cfg\":{},\"text_cfg\":{}},\"preprocess_cfg\":{}}", "embed_dim"},
        {"{\"model_cfg\":[],\"preprocess_cfg\":{}}", "model_cfg"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const mo_json *root;
        mo_config c;
        assert_ok(mo_json_parse(&root, cases[i][0], strlen(cases[i][0]), "oc.json"));
        assert_fails(mo_open_clip_config(&c, root, "oc.json"), MOPD_E_FORMAT, cases[i][1]);
        mo_json_close(root);
    }
}

/* ---- preprocessing ---- */

static void preprocessing_is_open_clips(void **state)
{
    (void)state;
    static const struct {
        const char *pixels;
        uint32_t fit, filter, crop, fill;
    } cases[] = {
        {"", MO_FIT_SHORTEST, MO_FILTER_BICUBIC, 224, 0},
        {"\"size\":[999,999],\"mode\":\"RGB\"", MO_FIT_SHORTEST, MO_FILTER_BICUBIC, 224, 0},
        {"\"interpolation\":\"bilinear\"", MO_FIT_SHORTEST, MO_FILTER_BILINEAR, 224, 0},
        {"\"interpolation\":\"random\",\"fill_color\":9", MO_FIT_SHORTEST, MO_FILTER_BICUBIC, 224, 0},
        {"\"resize_mode\":\"squash\"", MO_FIT_EXACT, MO_FILTER_BICUBIC, 0, 0},
        {"\"resize_mode\":\"longest\",\"fill_color\":255", MO_FIT_LONGEST, MO_FILTER_BICUBIC, 224, 255},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        assert_ok(read_config(&c, "", "", "", cases[i].pixels));
        assert_int_equal(c.pixels.fit, cases[i].fit);
        assert_int_equal(c.pixels.filter, cases[i].filter);
        assert_int_equal(c.pixels.crop_h, cases[i].crop);
        assert_int_equal(c.pixels.crop_w, cases[i].crop);
        assert_int_equal(c.pixels.fill, cases[i].fill);
        assert_int_equal(c.pixels.resize_h, 224);
    }
    mo_config c;
    assert_ok(read_config(&c, "", "", "", "\"mean\":[1,2,3],\"std\":0.5"));
    assert_true(c.pixels.mean[1] == 2 && c.pixels.std[2] == 0.5);
    assert_ok(read_config(&c, "", "", "", "\"mean\":null"));
    assert_true(c.pixels.mean[0] > 0.48 && c.pixels.mean[0] < 0.49);
}

static void preprocessing_not_understood_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *pixels;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"\"mode\":\"L\"", MOPD_E_UNSUPPORTED, "preprocess_cfg.mode \"L\""},
        {"\"interpolation\":\"nearest\"", MOPD_E_UNSUPPORTED, "preprocess_cfg.interpolation \"nearest\""},
        {"\"resize_mode\":\"stretch\"", MOPD_E_UNSUPPORTED, "preprocess_cfg.resize_mode \"stretch\""},
        {"\"fill_color\":256", MOPD_E_FORMAT, "preprocess_cfg.fill_color is 256"},
        {"\"fill_color\":-1", MOPD_E_FORMAT, "preprocess_cfg.fill_color is -1"},
        {"\"fill_color\":[0,0,0]", MOPD_E_FORMAT, "fill_color"},
        {"\"mean\":[1,2]", MOPD_E_FORMAT, "oc.json: preprocess_cfg.mean: three numbers expected"},
        {"\"std\":[1,2,null]", MOPD_E_FORMAT, "preprocess_cfg.std: three numbers expected"},
        {"\"std\":\"x\"", MOPD_E_FORMAT, "preprocess_cfg.std: three numbers expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        assert_fails(read_config(&c, "", "", "", cases[i].pixels), cases[i].st, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_keys_have_open_clips_values),
        cmocka_unit_test(quick_gelu_is_a_word_of_the_model),
        cmocka_unit_test(every_key_has_its_place),
        cmocka_unit_test(lists_of_layers_are_resnets),
        cmocka_unit_test(texts_end_where_the_pool_says),
        cmocka_unit_test(keys_of_other_towers_are_refused),
        cmocka_unit_test(words_of_siglips_text_are_read),
        cmocka_unit_test(activations_are_one_for_each_tower),
        cmocka_unit_test(timms_towers_do_not_hear_of_quick_gelu),
        cmocka_unit_test(plain_words_pass),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(missing_parts_are_named),
        cmocka_unit_test(preprocessing_is_open_clips),
        cmocka_unit_test(preprocessing_not_understood_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
