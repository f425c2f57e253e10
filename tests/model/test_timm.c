/* SPDX-License-Identifier: MIT
 * test_timm.c - towers of timm by name: sizes, which GELU, what else must be said; and what their parameters are
 * called. */
#include "test.h"

#include "clip/weights.h"
#include "model/layouts/timm.h"
#include "support/towers.h"

static mopd_status read_vision(mo_config *c, const char *name, const char *more)
{
    char json[300];
    const mo_json *root;
    snprintf(json, sizeof json, "{\"timm_model_name\":\"%s\"%s}", name, more);
    assert_ok(mo_json_parse(&root, json, strlen(json), "oc.json"));
    memset(c, 0, sizeof *c);
    mopd_status st = mo_timm_vision(c, root, "oc.json");
    mo_json_close(root);
    return st;
}

#define MAP ",\"timm_pool\":\"map\",\"timm_proj\":\"none\""

/* The trap: for the same weights transformers always takes tanh.  Here the name decides. */
static void names_decide_which_gelu(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t image, patch, width, layers, hidden;
        mo_act act;
    } cases[] = {
        {"vit_base_patch16_siglip_224", 224, 16, 768, 12, 3072, MO_ACT_GELU},
        {"vit_base_patch16_siglip_256", 256, 16, 768, 12, 3072, MO_ACT_GELU},
        {"vit_base_patch16_siglip_384", 384, 16, 768, 12, 3072, MO_ACT_GELU},
        {"vit_base_patch16_siglip_512", 512, 16, 768, 12, 3072, MO_ACT_GELU},
        {"vit_base_patch32_siglip_256", 256, 32, 768, 12, 3072, MO_ACT_GELU_TANH},
        {"vit_large_patch16_siglip_256", 256, 16, 1024, 24, 4096, MO_ACT_GELU},
        {"vit_large_patch16_siglip_384", 384, 16, 1024, 24, 4096, MO_ACT_GELU},
        {"vit_large_patch16_siglip_512", 512, 16, 1024, 24, 4096, MO_ACT_GELU_TANH},
        {"vit_so400m_patch14_siglip_224", 224, 14, 1152, 27, 4304, MO_ACT_GELU},
        {"vit_so400m_patch14_siglip_378", 378, 14, 1152, 27, 4304, MO_ACT_GELU},
        {"vit_so400m_patch14_siglip_384", 384, 14, 1152, 27, 4304, MO_ACT_GELU},
        {"vit_so400m_patch16_siglip_256", 256, 16, 1152, 27, 4304, MO_ACT_GELU_TANH},
        {"vit_so400m_patch16_siglip_384", 384, 16, 1152, 27, 4304, MO_ACT_GELU_TANH},
        {"vit_so400m_patch16_siglip_512", 512, 16, 1152, 27, 4304, MO_ACT_GELU_TANH},
        {"vit_giantopt_patch16_siglip_256", 256, 16, 1536, 40, 6144, MO_ACT_GELU_TANH},
        {"vit_giantopt_patch16_siglip_384", 384, 16, 1536, 40, 6144, MO_ACT_GELU_TANH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        char more[100];
        snprintf(more, sizeof more, MAP ",\"image_size\":%u", cases[i].image);
        assert_ok(read_vision(&c, cases[i].name, more));
        assert_int_equal(c.vision_kind, MO_VISION_VIT);
        assert_int_equal(c.vit.form, MO_VIT_SIGLIP);
        assert_int_equal(c.image, cases[i].image);
        assert_int_equal(c.vit.patch, cases[i].patch);
        assert_int_equal(c.vit.stack.width, cases[i].width);
        assert_int_equal(c.vit.stack.layers, cases[i].layers);
        assert_int_equal(c.vit.stack.hidden, cases[i].hidden);
        assert_int_equal(c.vit.stack.act, cases[i].act);
        assert_int_equal(c.vit.stack.heads, cases[i].width == 768 ? 12 : 16);
        assert_true(c.vit.stack.eps == 1e-6);
    }
}

/* Sizes of the FastViTs; a convolution takes any side. */
static void names_decide_the_stages(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t form, n, layers[5], width[2]; /* of the first stage and the last */
    } cases[] = {
        {"fastvit_mci0", MO_FASTVIT_SMALL, 4, {2, 6, 10, 2}, {64, 512}},
        {"fastvit_mci1", MO_FASTVIT_SMALL, 4, {4, 12, 20, 4}, {64, 512}},
        {"fastvit_mci2", MO_FASTVIT_SMALL, 4, {4, 12, 24, 4}, {80, 640}},
        {"fastvit_mci3", MO_FASTVIT_LARGE, 5, {2, 12, 24, 4, 2}, {96, 1536}},
        {"fastvit_mci4", MO_FASTVIT_LARGE, 5, {2, 12, 24, 4, 4}, {128, 2048}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        assert_ok(read_vision(&c, cases[i].name, ",\"timm_pool\":\"avg\",\"image_size\":256"));
        const mo_fastvit_config *f = &c.fastvit;
        assert_int_equal(c.vision_kind, MO_VISION_FASTVIT);
        assert_int_equal(c.image, 256);
        assert_int_equal(f->form, cases[i].form);
        assert_int_equal(f->n_stages, cases[i].n);
        assert_memory_equal(f->layers, cases[i].layers, sizeof f->layers);
        assert_int_equal(f->width[0], cases[i].width[0]);
        assert_int_equal(f->width[f->n_stages - 1], cases[i].width[1]);
        assert_int_equal(f->ratio, cases[i].form == MO_FASTVIT_SMALL ? 3 : 4);
        assert_true(f->eps == 1e-5);
    }
}

static void mobileclips_vit_is_known(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_vision(&c, "vit_base_mci_224", ",\"timm_pool\":\"token\",\"timm_proj\":null"));
    assert_int_equal(c.vision_kind, MO_VISION_VIT);
    assert_int_equal(c.vit.form, MO_VIT_MOBILECLIP);
    assert_int_equal(c.image, 224);
    assert_int_equal(c.vit.patch, 16);
    const mo_stack_config *s = &c.vit.stack;
    assert_true(s->width == 768 && s->layers == 12 && s->heads == 12 && s->hidden == 3072);
    assert_true(s->act == MO_ACT_GELU && s->eps == 1e-6);
}

/* MobileCLIP2's L: CLIP's tower, of timm's names and with the network's own last layer. */
static void clips_vit_is_known(void **state)
{
    (void)state;
    mo_config c;
    assert_ok(read_vision(
        &c, "vit_large_patch14_clip_224", ",\"timm_pool\":\"token\",\"timm_proj\":null,\"image_size\":224"));
    assert_int_equal(c.vit.form, MO_VIT_TIMM);
    assert_int_equal(c.vit.patch, 14);
    const mo_stack_config *s = &c.vit.stack;
    assert_true(s->width == 1024 && s->layers == 24 && s->heads == 16 && s->hidden == 4096);
    assert_true(s->act == MO_ACT_GELU && s->eps == 1e-5);
}

static void perception_encoders_are_known_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t image, patch, width, layers, heads, hidden;
    } cases[] = {
        {"vit_pe_core_tiny_patch16_384", 384, 16, 192, 12, 3, 768},
        {"vit_pe_core_small_patch16_384", 384, 16, 384, 12, 6, 1536},
        {"vit_pe_core_base_patch16_224", 224, 16, 768, 12, 12, 3072},
        {"vit_pe_core_large_patch14_336", 336, 14, 1024, 24, 16, 4096},
    };
    mo_config c;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char more[100];
        snprintf(
            more, sizeof more, ",\"timm_pool\":\"map\",\"timm_proj\":null,\"image_size\":%u", cases[i].image);
        assert_ok(read_vision(&c, cases[i].name, more));
        assert_int_equal(c.vit.form, MO_VIT_PE);
        assert_int_equal(c.vit.patch, cases[i].patch);
        assert_int_equal(c.vit.stack.width, cases[i].width);
        assert_int_equal(c.vit.stack.layers, cases[i].layers);
        assert_int_equal(c.vit.stack.heads, cases[i].heads);
        assert_int_equal(c.vit.stack.hidden, cases[i].hidden);
        assert_int_equal(c.vit.stack.act, MO_ACT_GELU);
        assert_true(c.vit.stack.eps == 1e-5);
    }
    assert_fails(read_vision(&c, cases[2].name, MAP), MOPD_E_UNSUPPORTED, "vision_cfg.timm_proj is \"none\"");
    assert_fails(
        read_vision(&c, "vit_pe_core_gigantic_patch14_448", MAP), MOPD_E_UNSUPPORTED, "is not supported");
    assert_fails(
        read_vision(&c, "vit_pe_spatial_base_patch16_512", MAP), MOPD_E_UNSUPPORTED, "is not supported");
}

static void what_is_said_beside_the_name_must_fit(void **state)
{
    (void)state;
    static const struct {
        const char *name, *more;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"vit_base_patch16_siglip_224", MAP, MOPD_OK, ""}, /* 224 is what open_clip takes without a word */
        {"vit_base_patch16_siglip_224", ",\"timm_proj\":\"none\"", MOPD_E_UNSUPPORTED,
            "oc.json: vision_cfg.timm_pool is \"\"; \"map\" is known"},
        {"vit_base_patch16_siglip_224", ",\"timm_pool\":\"avg\",\"timm_proj\":\"none\"", MOPD_E_UNSUPPORTED,
            "vision_cfg.timm_pool is \"avg\""},
        {"vit_base_patch16_siglip_224", ",\"timm_pool\":\"map\"", MOPD_E_UNSUPPORTED,
            "vision_cfg.timm_proj is \"\"; \"none\" is known"},
        {"vit_base_patch16_siglip_224", ",\"timm_pool\":\"map\",\"timm_proj\":\"linear\"", MOPD_E_UNSUPPORTED,
            "vision_cfg.timm_proj is \"linear\""},
        {"vit_base_patch16_siglip_224", MAP ",\"image_size\":256", MOPD_E_MISMATCH,
            "image_size is 256, vit_base_patch16_siglip_224 sees 224"},
        {"vit_base_patch16_siglip_256", MAP, MOPD_E_MISMATCH, "image_size is 224"},
        {"vit_base_patch16_siglip_gap_224", MAP, MOPD_E_UNSUPPORTED,
            "timm_model_name \"vit_base_patch16_siglip_gap_224\" is not supported"},
        {"fastvit_t8", MAP, MOPD_E_UNSUPPORTED, "\"fastvit_t8\" is not supported"},
        {"vit_base_mci_224", ",\"timm_pool\":\"avg\"", MOPD_E_UNSUPPORTED, "\"token\" is known"},
        {"vit_base_mci_224", ",\"timm_pool\":\"token\",\"timm_proj\":\"mlp\"", MOPD_E_UNSUPPORTED,
            "timm_proj is \"mlp\""},
        {"vit_base_mci_224", ",\"timm_pool\":\"token\",\"image_size\":256", MOPD_E_MISMATCH,
            "image_size is 256, vit_base_mci_224 sees 224"},
        {"vit_large_patch14_clip_224", MAP, MOPD_E_UNSUPPORTED, "timm_pool is \"map\"; \"token\" is known"},
        {"vit_large_patch14_clip_quickgelu_224", ",\"timm_pool\":\"token\"", MOPD_E_UNSUPPORTED,
            "\"vit_large_patch14_clip_quickgelu_224\" is not supported"},
        {"naflexvit_base_patch16_siglip", MAP, MOPD_E_UNSUPPORTED,
            "\"naflexvit_base_patch16_siglip\" is not"},
        {"fastvit_mci0", ",\"timm_pool\":\"avg\",\"timm_proj\":null", MOPD_OK, ""},
        {"fastvit_mci0", ",\"timm_pool\":\"avg\"", MOPD_OK, ""},
        {"fastvit_mci0", ",\"timm_proj\":null", MOPD_E_UNSUPPORTED, "timm_pool is \"\"; \"avg\" is known"},
        {"fastvit_mci0", ",\"timm_pool\":\"avg\",\"timm_proj\":\"linear\"", MOPD_E_UNSUPPORTED,
            "timm_proj is \"linear\"; \"\" is known"},
        {"fastvit_mci0", ",\"timm_pool\":\"avg\",\"image_size\":\"big\"", MOPD_E_FORMAT, "image_size"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c;
        const mopd_status st = read_vision(&c, cases[i].name, cases[i].more);
        if (st != cases[i].st || (st != MOPD_OK && !strstr(mopd_last_error(), cases[i].words)))
            fail_msg("case %zu: %s: %s", i, mopd_status_name(st), mopd_last_error());
    }
}

/* Names and parts as timm and open_clip store them. */
static void parameters_have_timms_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *stored;
        int part, parts;
        int led;
    } cases[] = {
        {"logit_scale", "logit_scale", 0, 0, false},
        {"logit_bias", "logit_bias", 0, 0, false},
        {"text_model.embeddings.token_embedding.weight", "text.token_embedding.weight", 0, 0, false},
        {"text_model.encoder.layers.7.self_attn.v_proj.bias",
            "text.transformer.resblocks.7.attn.in_proj_bias", 2, 3, false},
        {"text_model.encoder.layers.11.mlp.fc2.weight", "text.transformer.resblocks.11.mlp.c_proj.weight", 0,
            0, false},
        {"text_projection.weight", "text.text_projection.weight", 0, 0, false},
        {"text_projection.bias", "text.text_projection.bias", 0, 0, false},
        {"vision_model.embeddings.patch_embedding.bias", "visual.trunk.patch_embed.proj.bias", 0, 0, false},
        {"vision_model.embeddings.position_embedding.weight", "visual.trunk.pos_embed", 0, 0, true},
        {"vision_model.encoder.layers.3.self_attn.k_proj.weight", "visual.trunk.blocks.3.attn.qkv.weight", 1,
            3, false},
        {"vision_model.encoder.layers.3.self_attn.out_proj.bias", "visual.trunk.blocks.3.attn.proj.bias", 0,
            0, false},
        {"vision_model.post_layernorm.weight", "visual.trunk.norm.weight", 0, 0, false},
        {"vision_model.head.probe", "visual.trunk.attn_pool.latent", 0, 0, false},
        {"vision_model.head.attention.q_proj.weight", "visual.trunk.attn_pool.q.weight", 0, 0, false},
        {"vision_model.head.attention.k_proj.bias", "visual.trunk.attn_pool.kv.bias", 0, 2, false},
        {"vision_model.head.attention.v_proj.weight", "visual.trunk.attn_pool.kv.weight", 1, 2, false},
        {"vision_model.head.layernorm.bias", "visual.trunk.attn_pool.norm.bias", 0, 0, false},
        {"vision_model.head.mlp.fc1.weight", "visual.trunk.attn_pool.mlp.fc1.weight", 0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_naming_place at;
        mo_naming_find(&at, &mo_timm_siglip_names, cases[i].name);
        assert_string_equal(at.name, cases[i].stored);
        assert_int_equal(at.part, cases[i].part);
        assert_int_equal(at.parts, cases[i].parts);
        assert_int_equal(at.led, cases[i].led);
        assert_false(at.in_out);
    }
}

/* MobileCLIP's B: the same blocks, a stem, and projections of CLIP's kind and of timm's. */
static void mobileclips_parameters_have_timms_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *stored;
        int parts;
        bool led, in_out;
    } cases[] = {
        {"text_projection.weight", "text.text_projection", 0, false, true},
        {"vision_model.embeddings.class_embedding", "visual.trunk.cls_token", 0, true, false},
        {"vision_model.embeddings.position_embedding.weight", "visual.trunk.pos_embed", 0, true, false},
        {"vision_model.embeddings.stem.0.conv.weight", "visual.trunk.patch_embed.backbone.0.conv.weight", 0,
            false, false},
        {"vision_model.embeddings.stem.1.bn.running_var",
            "visual.trunk.patch_embed.backbone.1.bn.running_var", 0, false, false},
        {"vision_model.encoder.layers.2.self_attn.q_proj.bias", "visual.trunk.blocks.2.attn.qkv.bias", 3,
            false, false},
        {"visual_projection.weight", "visual.trunk.head.weight", 0, false, false},
        {"visual_projection.bias", "visual.trunk.head.bias", 0, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_naming_place at;
        mo_naming_find(&at, &mo_timm_mobile_names, cases[i].name);
        assert_string_equal(at.name, cases[i].stored);
        assert_int_equal(at.parts, cases[i].parts);
        assert_int_equal(at.led, cases[i].led);
        assert_int_equal(at.in_out, cases[i].in_out);
    }
}

/* Every parameter of such a model has a rule: none is looked for under the name it has here. */
static void all_have_rules(const mo_config *c, const mo_naming *naming)
{
    tower_list l = tower_params(c);
    for (size_t i = 0; i < l.n; i++) {
        mo_naming_place at;
        mo_naming_find(&at, naming, l.spec[i].name);
        const bool same = !strcmp(at.name, l.spec[i].name);
        if (same != !strncmp(at.name, "logit_", 6)) fail_msg("%s is stored as %s", l.spec[i].name, at.name);
    }
    free(l.spec);
}

static void no_parameter_is_forgotten(void **state)
{
    (void)state;
    mo_config siglip = tower_siglip_config(), pe = tower_config();
    pe.vit.form = MO_VIT_PE;
    all_have_rules(&siglip, &mo_timm_siglip_names);
    const mo_config mobile = tower_mobileclip_config();
    all_have_rules(&mobile, &mo_timm_mobile_names);
    all_have_rules(&pe, &mo_timm_pe_names);
    pe.vit.form = MO_VIT_TIMM;
    all_have_rules(&pe, &mo_timm_clip_names);
}

/* What is another tensor there than in SigLIP. */
static void perception_encoders_have_their_own_names(void **state)
{
    (void)state;
    mo_naming_place at;
    mo_naming_find(&at, &mo_timm_pe_names, "text_projection.weight");
    assert_string_equal(at.name, "text.text_projection");
    assert_true(at.in_out);
    mo_naming_find(&at, &mo_timm_pe_names, "vision_model.embeddings.class_embedding");
    assert_string_equal(at.name, "visual.trunk.cls_token");
    assert_int_equal(at.led, 2);
    mo_naming_find(&at, &mo_timm_pe_names, "vision_model.pre_layrnorm.bias");
    assert_string_equal(at.name, "visual.trunk.norm_pre.bias");
    mo_naming_find(&at, &mo_timm_pe_names, "visual_projection.bias");
    assert_string_equal(at.name, "visual.trunk.head.bias");
    mo_naming_find(&at, &mo_timm_pe_names, "vision_model.encoder.layers.2.self_attn.v_proj.weight");
    assert_string_equal(at.name, "visual.trunk.blocks.2.attn.qkv.weight");
    assert_true(at.part == 2 && at.parts == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_decide_which_gelu),
        cmocka_unit_test(names_decide_the_stages),
        cmocka_unit_test(mobileclips_vit_is_known),
        cmocka_unit_test(clips_vit_is_known),
        cmocka_unit_test(perception_encoders_are_known_by_name),
        cmocka_unit_test(what_is_said_beside_the_name_must_fit),
        cmocka_unit_test(parameters_have_timms_names),
        cmocka_unit_test(mobileclips_parameters_have_timms_names),
        cmocka_unit_test(no_parameter_is_forgotten),
        cmocka_unit_test(perception_encoders_have_their_own_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
