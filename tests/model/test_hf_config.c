/* SPDX-License-Identifier: MIT
 * test_hf_config.c - config.json and preprocessor_config.json: the reference's defaults, every form of a value,
 * and what is refused by name. */
#include "test.h"

#include "format/json.h"
#include "model/layouts/hf_config.h"

static mopd_status read_config(mo_config *c, const char *text)
{
    const mo_json *root;
    assert_ok(mo_json_parse(&root, text, strlen(text), "config.json"));
    mopd_status st = mo_hf_config(c, root, "config.json");
    mo_json_close(root);
    return st;
}

/* Keys that are absent have transformers' own values: nothing but the needed ones stands in this file. */
static void absent_keys_have_the_reference_values(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, "{\"text_config\":{},\"vision_config\":{\"patch_size\":16}}"));
    assert_int_equal(c.dim, 512);
    assert_int_equal(c.text.stack.width, 512);
    assert_int_equal(c.text.stack.heads, 8);
    assert_int_equal(c.text.stack.layers, 12);
    assert_int_equal(c.text.stack.hidden, 2048);
    assert_true(c.text.stack.eps == 1e-5);
    assert_int_equal(c.text.context, 77);
    assert_int_equal(c.text.vocab, 49408);
    assert_int_equal(c.text.end_rule, MO_END_FIRST);
    assert_int_equal(c.text.end_id, 49407);
    assert_int_equal(c.vision_kind, MO_VISION_VIT);
    assert_int_equal(c.vit.stack.width, 768);
    assert_int_equal(c.vit.stack.heads, 12);
    assert_int_equal(c.vit.stack.hidden, 3072);
    assert_int_equal(c.vit.stack.layers, 12);
    assert_true(c.vit.stack.eps == 1e-5);
    assert_int_equal(c.vit.patch, 16);
    assert_int_equal(c.image, 224);
    assert_int_equal(c.vit.stack.act, MO_ACT_QUICK_GELU);
    assert_int_equal(c.text.stack.act, MO_ACT_QUICK_GELU);
    assert_true(c.recommended_lr == 0);
    assert_ok(read_config(&c, "{\"text_config\":{},\"vision_config\":{}}"));
    assert_int_equal(c.vit.patch, 32);
}

/* Every key read into its own place: all numbers differ. */
static void every_key_has_its_place(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c,
        "{\"model_type\":\"clip\",\"projection_dim\":7,\"text_config\":{\"model_type\":\"clip_text_model\","
        "\"hidden_size\":1,\"intermediate_size\":2,\"num_hidden_layers\":3,\"num_attention_heads\":4,"
        "\"max_position_embeddings\":5,\"vocab_size\":6,\"hidden_act\":\"gelu\",\"layer_norm_eps\":0.5,"
        "\"eos_token_id\":8},\"vision_config\":{\"model_type\":\"clip_vision_model\",\"hidden_size\":9,"
        "\"intermediate_size\":10,\"num_hidden_layers\":11,\"num_attention_heads\":12,\"image_size\":13,"
        "\"patch_size\":[14,14],\"num_channels\":3,\"hidden_act\":\"quick_gelu\",\"layer_norm_eps\":0.25}}"));
    const uint32_t got[] = {c.text.stack.width, c.text.stack.hidden, c.text.stack.layers, c.text.stack.heads,
        c.text.context, c.text.vocab, c.dim, c.text.end_id, c.vit.stack.width, c.vit.stack.hidden,
        c.vit.stack.layers, c.vit.stack.heads, c.image, c.vit.patch};
    for (uint32_t i = 0; i < 14; i++) assert_int_equal(got[i], i + 1);
    assert_int_equal(c.text.stack.act, MO_ACT_GELU);
    assert_int_equal(c.vit.stack.act, MO_ACT_QUICK_GELU);
    assert_true(c.text.stack.eps == 0.5 && c.vit.stack.eps == 0.25);
}

/* "text_config_dict" of old files wins over "text_config", as in transformers. */
static void old_sub_configs_win(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(
        read_config(&c, "{\"text_config\":{\"hidden_size\":64},\"text_config_dict\":{\"hidden_size\":32},"
                        "\"vision_config\":{\"hidden_size\":48},\"vision_config_dict\":null}"));
    assert_int_equal(c.text.stack.width, 32);
    assert_int_equal(c.vit.stack.width, 48);
    assert_ok(read_config(&c, "{\"text_config_dict\":{},\"vision_config_dict\":{\"hidden_size\":40}}"));
    assert_int_equal(c.vit.stack.width, 40);
}

/* 2 is what files wrote before transformers knew better: there the largest id is the end. */
static void an_end_id_of_two_means_the_largest(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, "{\"text_config\":{\"eos_token_id\":2},\"vision_config\":{}}"));
    assert_int_equal(c.text.end_rule, MO_END_LARGEST);
    assert_int_equal(c.text.end_id, 0);
    assert_ok(read_config(&c, "{\"text_config\":{\"eos_token_id\":0},\"vision_config\":{}}"));
    assert_int_equal(c.text.end_rule, MO_END_FIRST);
}

static void what_is_not_understood_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"{}", MOPD_E_FORMAT, "config.json: text_config is missing"},
        {"{\"text_config\":{}}", MOPD_E_FORMAT, "vision_config is missing"},
        {"{\"text_config\":null,\"vision_config\":{}}", MOPD_E_FORMAT, "text_config is missing"},
        {"{\"text_config\":[],\"vision_config\":{}}", MOPD_E_FORMAT, "text_config is no object"},
        {"{\"text_config\":{},\"vision_config\":\"x\"}", MOPD_E_FORMAT, "vision_config is no object"},
        {"{\"model_type\":\"siglip2\"}", MOPD_E_UNSUPPORTED,
            "model_type is \"siglip2\"; clip, siglip and metaclip_2 are known (siglip2 is NaFlex"},
        {"{\"model_type\":7}", MOPD_E_FORMAT, "model_type"},
        {"{\"text_config\":{\"model_type\":\"bert\"},\"vision_config\":{}}", MOPD_E_UNSUPPORTED,
            "text_config: config.json: model_type is \"bert\"; clip_text_model is known"},
        {"{\"text_config\":{},\"vision_config\":{\"model_type\":\"clip_text_model\"}}", MOPD_E_UNSUPPORTED,
            "vision_config: config.json: model_type"},
        {"{\"text_config\":{\"hidden_act\":\"gelu_tanh\"},\"vision_config\":{}}", MOPD_E_UNSUPPORTED,
            "hidden_act is \"gelu_tanh\"; quick_gelu, gelu and gelu_pytorch_tanh are known"},
        {"{\"text_config\":{\"hidden_act\":[]},\"vision_config\":{}}", MOPD_E_FORMAT, "hidden_act"},
        {"{\"text_config\":{\"layer_norm_eps\":\"1\"},\"vision_config\":{}}", MOPD_E_FORMAT,
            "layer_norm_eps"},
        {"{\"text_config\":{\"vocab_size\":-1},\"vision_config\":{}}", MOPD_E_FORMAT, "vocab_size"},
        {"{\"text_config\":{\"vocab_size\":4294967296},\"vision_config\":{}}", MOPD_E_FORMAT, "vocab_size"},
        {"{\"text_config\":{\"max_position_embeddings\":1.5},\"vision_config\":{}}", MOPD_E_FORMAT,
            "max_position_embeddings"},
        {"{\"text_config\":{\"eos_token_id\":[1,2]},\"vision_config\":{}}", MOPD_E_UNSUPPORTED,
            "eos_token_id is not one number"},
        {"{\"text_config\":{\"eos_token_id\":-1},\"vision_config\":{}}", MOPD_E_FORMAT, "eos_token_id is -1"},
        {"{\"text_config\":{},\"vision_config\":{\"num_channels\":1}}", MOPD_E_UNSUPPORTED,
            "num_channels is 1; 3 is known"},
        {"{\"text_config\":{},\"vision_config\":{\"image_size\":[224,336]}}", MOPD_E_UNSUPPORTED,
            "image_size is not square"},
        {"{\"text_config\":{},\"vision_config\":{\"image_size\":[224]}}", MOPD_E_FORMAT,
            "image_size: a side or two expected"},
        {"{\"text_config\":{},\"vision_config\":{\"image_size\":[0,0]}}", MOPD_E_FORMAT,
            "image_size: a side or two expected"},
        {"{\"text_config\":{},\"vision_config\":{\"patch_size\":[16,\"16\"]}}", MOPD_E_FORMAT,
            "patch_size: a side or two expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        assert_fails(read_config(&c, cases[i].text), cases[i].st, cases[i].words);
    }
}

/* ---- SigLIP ---- */

/* The hub's files name almost nothing: all is SiglipTextConfig's and SiglipVisionConfig's. */
/* MetaCLIP 2 has CLIP's defaults and a token 2 that is one. */
static void metaclip_2_is_clip_with_its_own_end(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c, "{\"model_type\":\"metaclip_2\",\"projection_dim\":7,\"text_config\":{\"model_"
                              "type\":\"metaclip_2_text_model\","
                              "\"eos_token_id\":2,\"vocab_size\":901629},\"vision_config\":{\"model_type\":"
                              "\"metaclip_2_vision_model\"}}"));
    assert_int_equal(c.text.end_rule, MO_END_FIRST);
    assert_int_equal(c.text.end_id, 2);
    assert_int_equal(c.text.vocab, 901629);
    assert_int_equal(c.text.mask, MO_MASK_CAUSAL);
    assert_int_equal(c.dim, 7);
    assert_int_equal(c.vit.stack.width, 768);
    assert_int_equal(c.vit.stack.act, MO_ACT_QUICK_GELU);
    assert_ok(read_config(&c, "{\"text_config\":{\"eos_token_id\":2},\"vision_config\":{}}"));
    assert_int_equal(c.text.end_rule, MO_END_LARGEST);
    assert_fails(
        read_config(&c, "{\"model_type\":\"metaclip_2\",\"text_config\":{\"model_type\":\"clip_text_model\"},"
                        "\"vision_config\":{}}"),
        MOPD_E_UNSUPPORTED, "model_type is \"clip_text_model\"; metaclip_2_text_model is known");
}

static void siglip_has_its_own_defaults(void **state)
{
    (void)state;
    static const char *const files[] = {"{\"model_type\":\"siglip\"}",
        "{\"model_type\":\"siglip\",\"text_config\":{\"model_type\":\"siglip_text_model\"},\"vision_config\":"
        "{"
        "\"model_type\":\"siglip_vision_model\"}}",
        "{\"model_type\":\"siglip\",\"text_config\":null,\"vision_config\":{\"vision_use_head\":true}}"};
    for (size_t i = 0; i < 3; i++) {
        mo_config c;
        assert_ok(read_config(&c, files[i]));
        const mo_stack_config *stacks[] = {&c.text.stack, &c.vit.stack};
        for (int k = 0; k < 2; k++) {
            assert_int_equal(stacks[k]->width, 768);
            assert_int_equal(stacks[k]->hidden, 3072);
            assert_int_equal(stacks[k]->layers, 12);
            assert_int_equal(stacks[k]->heads, 12);
            assert_int_equal(stacks[k]->act, MO_ACT_GELU_TANH);
            assert_true(stacks[k]->eps == 1e-6);
        }
        assert_int_equal(c.text.context, 64);
        assert_int_equal(c.text.vocab, 32000);
        assert_int_equal(c.text.mask, MO_MASK_NONE);
        assert_int_equal(c.text.end_rule, MO_END_LAST);
        assert_true(c.text.proj_bias && c.logit_bias);
        assert_int_equal(c.vision_kind, MO_VISION_VIT);
        assert_int_equal(c.vit.form, MO_VIT_SIGLIP);
        assert_int_equal(c.vit.patch, 16);
        assert_int_equal(c.image, 224);
        assert_int_equal(c.dim, 768);
    }
}

static void siglips_keys_have_their_places(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_config(&c,
        "{\"model_type\":\"siglip\",\"text_config\":{\"hidden_size\":1,\"intermediate_size\":2,\"num_hidden_"
        "layers\""
        ":3,\"num_attention_heads\":4,\"max_position_embeddings\":5,\"vocab_size\":6,\"projection_size\":7,"
        "\"hidden_act\":\"gelu\",\"layer_norm_eps\":0.5},\"vision_config\":{\"hidden_size\":8,"
        "\"intermediate_size\":9,\"num_hidden_layers\":10,\"num_attention_heads\":11,\"image_size\":12,"
        "\"patch_size\":13,\"hidden_act\":\"quick_gelu\",\"layer_norm_eps\":0.25}}"));
    const uint32_t got[] = {c.text.stack.width, c.text.stack.hidden, c.text.stack.layers, c.text.stack.heads,
        c.text.context, c.text.vocab, c.dim, c.vit.stack.width, c.vit.stack.hidden, c.vit.stack.layers,
        c.vit.stack.heads, c.image, c.vit.patch};
    for (uint32_t i = 0; i < 13; i++) assert_int_equal(got[i], i + 1);
    assert_int_equal(c.text.stack.act, MO_ACT_GELU);
    assert_int_equal(c.vit.stack.act, MO_ACT_QUICK_GELU);
    assert_true(c.text.stack.eps == 0.5 && c.vit.stack.eps == 0.25);
    assert_ok(read_config(
        &c, "{\"model_type\":\"siglip\",\"text_config\":{\"hidden_size\":9,\"projection_size\":null}}"));
    assert_int_equal(c.dim, 9);
}

static void siglip_of_another_kind_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
        mopd_status st;
    } cases[] = {
        {"\"vision_config\":{\"vision_use_head\":false}", "vision_use_head is false", MOPD_E_UNSUPPORTED},
        {"\"vision_config\":{\"model_type\":\"clip_vision_model\"}", "siglip_vision_model is known",
            MOPD_E_UNSUPPORTED},
        {"\"text_config\":{\"model_type\":\"clip_text_model\"}", "siglip_text_model is known",
            MOPD_E_UNSUPPORTED},
        {"\"text_config\":{\"hidden_act\":\"silu\"}", "hidden_act is \"silu\"", MOPD_E_UNSUPPORTED},
        {"\"text_config\":[]", "text_config is no object", MOPD_E_FORMAT},
        {"\"vision_config\":7", "vision_config is no object", MOPD_E_FORMAT},
        {"\"text_config\":{\"projection_size\":\"7\"}", "projection_size", MOPD_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[200];
        mo_config c;
        snprintf(json, sizeof json, "{\"model_type\":\"siglip\",%s}", cases[i].text);
        assert_fails(read_config(&c, json), cases[i].st, cases[i].words);
    }
}

static void a_text_configuration_stands_alone(void **state)
{
    (void)state;
    static const char text[] =
        "{\"model_type\":\"clip_text_model\",\"hidden_size\":24,\"projection_dim\":12}";
    const mo_json *root;
    mo_config c = {.image = 99};
    assert_ok(mo_json_parse(&root, text, sizeof text - 1, "text_config.json"));
    assert_ok(mo_hf_config_text(&c, root, "text_config.json"));
    mo_json_close(root);
    assert_int_equal(c.dim, 12);
    assert_int_equal(c.text.stack.width, 24);
    assert_int_equal(c.text.stack.hidden, 2048);
    assert_int_equal(c.image, 99);
}

/* ---- preprocessing ---- */

static mopd_status read_pixels(mo_pixels *p, const char *text)
{
    const mo_json *root;
    assert_ok(mo_json_parse(&root, text, strlen(text), "p.json"));
    mopd_status st = mo_hf_pixels(p, root, false, "p.json");
    mo_json_close(root);
    return st;
}

static void an_empty_preprocessor_is_clips(void **state)
{
    (void)state;
    mo_pixels got, want;
    mo_pixels_clip(&want, 224);
    assert_ok(read_pixels(&got, "{}"));
    assert_memory_equal(&got, &want, sizeof want);
}

/* By the processor's name, or by the model where none is named: no crop, another mean.  SigLIP 2's files say 2, which is
 * bilinear, where SigLIP's own default is bicubic. */
static void siglips_preprocessor_has_its_own_defaults(void **state)
{
    (void)state;
    mo_pixels got, want;
    const mo_json *root;
    mo_pixels_siglip(&want, 224);
    assert_int_equal(want.fit, MO_FIT_EXACT);
    assert_int_equal(want.filter, MO_FILTER_BICUBIC);
    assert_true(!want.crop_h && want.mean[1] == 0.5 && want.std[2] == 0.5);
    assert_ok(
        read_pixels(&got, "{\"image_processor_type\":\"SiglipImageProcessor\",\"do_convert_rgb\":null}"));
    assert_memory_equal(&got, &want, sizeof want);
    assert_ok(mo_json_parse(&root, "{}", 2, "p.json"));
    assert_ok(mo_hf_pixels(&got, root, true, "p.json"));
    mo_json_close(root);
    assert_memory_equal(&got, &want, sizeof want);
    assert_ok(
        read_pixels(&got, "{\"image_processor_type\":\"SiglipImageProcessorFast\",\"resample\":2,\"size\":{"
                          "\"height\":384,\"width\":384}}"));
    assert_int_equal(got.filter, MO_FILTER_BILINEAR);
    assert_int_equal(got.resize_w, 384);
    assert_int_equal(got.crop_w, 0);
}

static void sizes_come_in_three_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t fit, h, w, crop_h, crop_w;
    } cases[] = {
        {"{\"size\":48}", MO_FIT_SHORTEST, 48, 48, 224, 224},
        {"{\"size\":{\"shortest_edge\":48}}", MO_FIT_SHORTEST, 48, 48, 224, 224},
        {"{\"size\":{\"height\":48,\"width\":64}}", MO_FIT_EXACT, 48, 64, 224, 224},
        {"{\"size\":null,\"crop_size\":null}", MO_FIT_SHORTEST, 224, 224, 224, 224},
        {"{\"crop_size\":32}", MO_FIT_SHORTEST, 224, 224, 32, 32},
        {"{\"crop_size\":{\"height\":32,\"width\":33}}", MO_FIT_SHORTEST, 224, 224, 32, 33},
        {"{\"size\":48,\"do_resize\":false}", MO_FIT_NONE, 48, 48, 224, 224},
        {"{\"crop_size\":32,\"do_center_crop\":false}", MO_FIT_SHORTEST, 224, 224, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_pixels p;
        assert_ok(read_pixels(&p, cases[i].text));
        assert_int_equal(p.fit, cases[i].fit);
        assert_int_equal(p.resize_h, cases[i].h);
        assert_int_equal(p.resize_w, cases[i].w);
        assert_int_equal(p.crop_h, cases[i].crop_h);
        assert_int_equal(p.crop_w, cases[i].crop_w);
    }
}

static void colours_and_filters_are_read(void **state)
{
    (void)state;
    mo_pixels p;
    assert_ok(
        read_pixels(&p, "{\"image_mean\":[1,2,3.5],\"image_std\":0.5,\"rescale_factor\":0.25,\"resample\":5,"
                        "\"do_normalize\":false,\"image_processor_type\":\"CLIPImageProcessorFast\"}"));
    assert_true(p.mean[0] == 1 && p.mean[1] == 2 && p.mean[2] == 3.5);
    assert_true(p.std[0] == 0.5 && p.std[1] == 0.5 && p.std[2] == 0.5);
    assert_true(p.rescale == 0.25);
    assert_int_equal(p.filter, MO_FILTER_HAMMING);
    assert_false(p.do_normalize);
    assert_ok(
        read_pixels(&p, "{\"rescale_factor\":0.25,\"do_rescale\":false,\"resample\":0,\"image_mean\":null}"));
    assert_true(p.rescale == 1);
    assert_int_equal(p.filter, MO_FILTER_NEAREST);
    assert_true(p.mean[0] > 0.48 && p.mean[0] < 0.49);
}

static void preprocessing_not_understood_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"{\"image_processor_type\":\"ViTImageProcessor\"}", MOPD_E_UNSUPPORTED,
            "image processor \"ViTImageProcessor\"; CLIPImageProcessor and SiglipImageProcessor are known"},
        {"{\"feature_extractor_type\":\"X\"}", MOPD_E_UNSUPPORTED, "image processor \"X\""},
        {"{\"do_convert_rgb\":false}", MOPD_E_UNSUPPORTED, "do_convert_rgb is false"},
        {"{\"do_pad\":true}", MOPD_E_UNSUPPORTED, "do_pad is true"},
        {"{\"use_square_size\":true}", MOPD_E_UNSUPPORTED, "use_square_size is true"},
        {"{\"do_resize\":1}", MOPD_E_FORMAT, "do_resize"},
        {"{\"resample\":6}", MOPD_E_UNSUPPORTED, "resample is 6; 0 to 5 are known"},
        {"{\"resample\":-1}", MOPD_E_UNSUPPORTED, "resample is -1"},
        {"{\"resample\":\"bicubic\"}", MOPD_E_FORMAT, "resample"},
        {"{\"rescale_factor\":[]}", MOPD_E_FORMAT, "rescale_factor"},
        {"{\"size\":0}", MOPD_E_UNSUPPORTED, "size: a side"},
        {"{\"size\":\"224\"}", MOPD_E_UNSUPPORTED, "size: a side"},
        {"{\"size\":{\"shortest_edge\":48,\"longest_edge\":64}}", MOPD_E_UNSUPPORTED, "size: a side"},
        {"{\"size\":{\"height\":48}}", MOPD_E_UNSUPPORTED, "size: a side"},
        {"{\"size\":{\"height\":48,\"width\":-1}}", MOPD_E_UNSUPPORTED, "size: a side"},
        {"{\"crop_size\":{\"height\":48}}", MOPD_E_UNSUPPORTED, "crop_size: a side"},
        {"{\"crop_size\":0}", MOPD_E_FORMAT, "crop_size is 0 x 0"},
        {"{\"crop_size\":{\"height\":48,\"width\":4294967296}}", MOPD_E_FORMAT,
            "crop_size is 48 x 4294967296"},
        {"{\"image_mean\":[1,2]}", MOPD_E_FORMAT, "p.json: image_mean: three numbers expected"},
        {"{\"image_std\":[1,2,\"3\"]}", MOPD_E_FORMAT, "image_std: three numbers expected"},
        {"{\"image_std\":{}}", MOPD_E_FORMAT, "image_std: three numbers expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_pixels p;
        assert_fails(read_pixels(&p, cases[i].text), cases[i].st, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_keys_have_the_reference_values),
        cmocka_unit_test(every_key_has_its_place),
        cmocka_unit_test(old_sub_configs_win),
        cmocka_unit_test(an_end_id_of_two_means_the_largest),
        cmocka_unit_test(what_is_not_understood_is_named),
        cmocka_unit_test(metaclip_2_is_clip_with_its_own_end),
        cmocka_unit_test(siglip_has_its_own_defaults),
        cmocka_unit_test(siglips_keys_have_their_places),
        cmocka_unit_test(siglip_of_another_kind_is_named),
        cmocka_unit_test(siglips_preprocessor_has_its_own_defaults),
        cmocka_unit_test(a_text_configuration_stands_alone),
        cmocka_unit_test(an_empty_preprocessor_is_clips),
        cmocka_unit_test(sizes_come_in_three_forms),
        cmocka_unit_test(colours_and_filters_are_read),
        cmocka_unit_test(preprocessing_not_understood_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
