/* SPDX-License-Identifier: MIT
 * test_params.c - the list of a configuration's parameters: names, order, shapes, and the sums that are known
 * of published models. */
#include "test.h"

#include "support/towers.h"

static mo_config clip_config(
    uint32_t image, uint32_t patch, uint32_t dim, mo_stack_config vit, mo_stack_config text)
{
    mo_config c = tower_config();
    c.image = image;
    c.dim = dim;
    c.vit.stack = vit;
    c.vit.patch = patch;
    c.text.stack = text;
    c.text.context = 77;
    c.text.vocab = 49408;
    return c;
}

/* OpenAI's and LAION's models have these many numbers. */
static void published_models_have_their_numbers(void **state)
{
    (void)state;
    const mo_stack_config base = tower_stack(768, 12, 12, 3072), large = tower_stack(1024, 24, 16, 4096),
                          huge = tower_stack(1280, 32, 16, 5120);
    const mo_stack_config t512 = tower_stack(512, 12, 8, 2048), t768 = tower_stack(768, 12, 12, 3072),
                          t1024 = tower_stack(1024, 24, 16, 4096);
    const struct {
        mo_config config;
        uint64_t numbers;
    } cases[] = {
        {clip_config(224, 32, 512, base, t512), 151277313},   /* ViT-B/32 */
        {clip_config(224, 16, 512, base, t512), 149620737},   /* ViT-B/16 */
        {clip_config(224, 14, 768, large, t768), 427616513},  /* ViT-L/14 */
        {clip_config(336, 14, 768, large, t768), 427944193},  /* ViT-L/14 at 336 */
        {clip_config(224, 14, 1024, huge, t1024), 986109441}, /* ViT-H/14 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t sum = 0;
        tower_list l = tower_params(&cases[i].config);
        for (size_t k = 0; k < l.n; k++) sum += tower_numbers(&l.spec[k]);
        if (sum != cases[i].numbers) fail_msg("case %zu: %llu numbers", i, (unsigned long long)sum);
        assert_int_equal(
            l.n, 14 + 16 * (cases[i].config.vit.stack.layers + cases[i].config.text.stack.layers));
        free(l.spec);
    }
}

/* The scale, the text tower, the vision tower: in this order, that fingerprints depend on. */
static void the_order_is_fixed(void **state)
{
    (void)state;
    static const char *const want[] = {"logit_scale", "text_model.embeddings.token_embedding.weight",
        "text_model.embeddings.position_embedding.weight", "text_model.encoder.layers.0.layer_norm1.weight",
        "text_model.encoder.layers.0.layer_norm1.bias", "text_model.encoder.layers.0.self_attn.q_proj.weight",
        "text_model.encoder.layers.0.self_attn.q_proj.bias",
        "text_model.encoder.layers.0.self_attn.k_proj.weight",
        "text_model.encoder.layers.0.self_attn.k_proj.bias",
        "text_model.encoder.layers.0.self_attn.v_proj.weight",
        "text_model.encoder.layers.0.self_attn.v_proj.bias",
        "text_model.encoder.layers.0.self_attn.out_proj.weight",
        "text_model.encoder.layers.0.self_attn.out_proj.bias",
        "text_model.encoder.layers.0.layer_norm2.weight", "text_model.encoder.layers.0.layer_norm2.bias",
        "text_model.encoder.layers.0.mlp.fc1.weight", "text_model.encoder.layers.0.mlp.fc1.bias",
        "text_model.encoder.layers.0.mlp.fc2.weight", "text_model.encoder.layers.0.mlp.fc2.bias",
        "text_model.encoder.layers.1.layer_norm1.weight"};
    const mo_config c = tower_config();
    tower_list l = tower_params(&c);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) assert_string_equal(l.spec[i].name, want[i]);
    const size_t vision = 1 + 2 + 32 + 3;
    assert_string_equal(l.spec[vision - 1].name, "text_projection.weight");
    assert_string_equal(l.spec[vision].name, "vision_model.embeddings.class_embedding");
    assert_string_equal(l.spec[l.n - 1].name, "visual_projection.weight");
    free(l.spec);
}

/* What transformers' SiglipModel counts for google's models. */
static void published_siglip_models_have_their_numbers(void **state)
{
    (void)state;
    const mo_stack_config base = tower_stack(768, 12, 12, 3072), so400m = tower_stack(1152, 27, 16, 4304);
    const struct {
        mo_stack_config stack;
        uint32_t image, patch, vocab;
        uint64_t numbers;
    } cases[] = {{base, 224, 16, 32000, 203155970}, {base, 224, 16, 256000, 375187970},
        {so400m, 384, 14, 32000, 877960498}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c = tower_siglip_config();
        uint64_t sum = 0;
        c.image = cases[i].image;
        c.dim = cases[i].stack.width;
        c.vit.stack = c.text.stack = cases[i].stack;
        c.vit.patch = cases[i].patch;
        c.text.context = 64;
        c.text.vocab = cases[i].vocab;
        tower_list l = tower_params(&c);
        for (size_t k = 0; k < l.n; k++) sum += tower_numbers(&l.spec[k]);
        if (sum != cases[i].numbers) fail_msg("case %zu: %llu numbers", i, (unsigned long long)sum);
        assert_string_equal(l.spec[1].name, "logit_bias");
        free(l.spec);
    }
}

static const mo_param_spec *spec_of(const tower_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->spec[i].name, name)) return &l->spec[i];
    fail_msg("no parameter %s", name);
    return NULL;
}

typedef struct shaped {
    const char *name;
    int n_dims;
    size_t shape[4];
} shaped;

static void check_shapes(const mo_config *c, const shaped *want, size_t n)
{
    tower_list l = tower_params(c);
    for (size_t i = 0; i < n; i++) {
        const mo_param_spec *s = spec_of(&l, want[i].name);
        if (s->n_dims != want[i].n_dims ||
            memcmp(s->shape, want[i].shape, (size_t)s->n_dims * sizeof *s->shape))
            fail_msg("%s has another shape", want[i].name);
    }
    free(l.spec);
}

static void shapes_are_outputs_by_inputs(void **state)
{
    (void)state;
    static const shaped vit[] = {
        {"logit_scale", 0, {0}},
        {"text_model.embeddings.token_embedding.weight", 2, {50, 20}},
        {"text_model.embeddings.position_embedding.weight", 2, {16, 20}},
        {"text_model.encoder.layers.1.self_attn.q_proj.weight", 2, {20, 20}},
        {"text_model.encoder.layers.1.mlp.fc1.weight", 2, {36, 20}},
        {"text_model.encoder.layers.1.mlp.fc1.bias", 1, {36}},
        {"text_model.encoder.layers.1.mlp.fc2.weight", 2, {20, 36}},
        {"text_model.final_layer_norm.bias", 1, {20}},
        {"text_projection.weight", 2, {12, 20}},
        {"vision_model.embeddings.class_embedding", 1, {24}},
        {"vision_model.embeddings.patch_embedding.weight", 4, {24, 3, 7, 7}},
        {"vision_model.embeddings.position_embedding.weight", 2, {10, 24}},
        {"vision_model.encoder.layers.0.mlp.fc2.weight", 2, {24, 40}},
        {"vision_model.pre_layrnorm.weight", 1, {24}},
        {"visual_projection.weight", 2, {12, 24}},
    };
    static const shaped effnet[] = {
        {"image_model._conv_stem.weight", 4, {8, 3, 3, 3}},
        {"image_model._bn0.running_var", 1, {8}},
        {"image_model._blocks.1._expand_conv.weight", 4, {12, 4, 1, 1}},
        {"image_model._blocks.1._bn0.weight", 1, {12}},
        {"image_model._blocks.2._depthwise_conv.weight", 4, {18, 1, 5, 5}},
        {"image_model._blocks.2._bn1.running_mean", 1, {18}},
        {"image_model._blocks.3._project_conv.weight", 4, {10, 18, 1, 1}},
        {"image_model._blocks.3._bn2.bias", 1, {10}},
        {"image_model._conv_head.weight", 4, {16, 10, 1, 1}},
        {"image_model._bn1.weight", 1, {16}},
        {"image_model._fc.weight", 2, {9, 16}},
        {"image_model._fc.bias", 1, {9}},
        {"head.names.weight", 2, {9, 12}},
        {"head.projection.weight", 2, {12, 16}},
        {"head.projection.bias", 1, {12}},
        {"head.mix", 0, {0}},
    };
    check_shapes(&(const mo_config[]){tower_config()}[0], vit, sizeof vit / sizeof *vit);
    static const shaped resnet[] = {
        {"resnet.conv1.weight", 4, {2, 3, 3, 3}},
        {"resnet.conv3.weight", 4, {4, 2, 3, 3}},
        {"resnet.bn3.running_var", 1, {4}},
        {"resnet.layer1.0.conv1.weight", 4, {4, 4, 1, 1}},
        {"resnet.layer1.0.downsample.0.weight", 4, {16, 4, 1, 1}},
        {"resnet.layer1.1.conv1.weight", 4, {4, 16, 1, 1}},
        {"resnet.layer2.0.conv2.weight", 4, {8, 8, 3, 3}},
        {"resnet.layer2.0.downsample.1.running_mean", 1, {32}},
        {"resnet.layer4.0.conv3.weight", 4, {128, 32, 1, 1}},
        {"resnet.attnpool.positional_embedding", 2, {5, 128}},
        {"resnet.attnpool.k_proj.weight", 2, {128, 128}},
        {"resnet.attnpool.c_proj.weight", 2, {12, 128}},
        {"resnet.attnpool.c_proj.bias", 1, {12}},
    };
    static const shaped siglip[] = {
        {"logit_bias", 0, {0}},
        {"text_projection.weight", 2, {24, 20}},
        {"text_projection.bias", 1, {24}},
        {"vision_model.embeddings.patch_embedding.bias", 1, {24}},
        {"vision_model.embeddings.position_embedding.weight", 2, {9, 24}},
        {"vision_model.head.probe", 3, {1, 1, 24}},
        {"vision_model.head.attention.k_proj.weight", 2, {24, 24}},
        {"vision_model.head.mlp.fc1.weight", 2, {40, 24}},
    };
    static const shaped mobile[] = {
        {"text_projection.weight", 2, {12, 20}},
        {"vision_model.embeddings.class_embedding", 2, {1, 24}},
        {"vision_model.embeddings.position_embedding.weight", 2, {9, 24}},
        {"vision_model.embeddings.stem.0.conv.weight", 4, {6, 3, 2, 2}},
        {"vision_model.embeddings.stem.1.conv.weight", 4, {6, 6, 2, 2}},
        {"vision_model.embeddings.stem.1.bn.running_mean", 1, {6}},
        {"vision_model.embeddings.stem.2.conv.weight", 4, {24, 6, 2, 2}},
        {"vision_model.embeddings.stem.2.conv.bias", 1, {24}},
        {"visual_projection.bias", 1, {12}},
    };
    const mo_config b = tower_mobileclip_config();
    check_shapes(&b, mobile, sizeof mobile / sizeof *mobile);
    check_shapes(&(const mo_config[]){tower_siglip_config()}[0], siglip, sizeof siglip / sizeof *siglip);
    check_shapes(&(const mo_config[]){tower_effnet_config()}[0], effnet, sizeof effnet / sizeof *effnet);
    check_shapes(&(const mo_config[]){tower_resnet_config()}[0], resnet, sizeof resnet / sizeof *resnet);
}

/* Names occur once, and blocks that do not widen have no widening convolution. */
static void names_occur_once(void **state)
{
    (void)state;
    const mo_config configs[] = {tower_config(), tower_effnet_config(), tower_resnet_config(),
        tower_siglip_config(), tower_mobileclip_config(), tower_fastvit_config(MO_FASTVIT_SMALL),
        tower_fastvit_config(MO_FASTVIT_LARGE)};
    for (int i = 0; i < 7; i++) {
        tower_list l = tower_params(&configs[i]);
        size_t n_expand = 0;
        for (size_t a = 0; a < l.n; a++) {
            for (size_t b = 0; b < a; b++) assert_string_not_equal(l.spec[a].name, l.spec[b].name);
            n_expand += strstr(l.spec[a].name, "_expand_conv") != NULL;
        }
        assert_int_equal(n_expand, i == 1 ? 3 : 0);
        free(l.spec);
    }
}

typedef struct stopper {
    size_t left, seen;
} stopper;

static mopd_status stop(void *ctx, const mo_param_spec *spec)
{
    stopper *s = ctx;
    (void)spec;
    s->seen++;
    return s->left-- ? MOPD_OK : MOPD_E_CANCELLED;
}

/* Wherever the caller fails, the walk ends there. */
static void the_first_failure_ends_the_walk(void **state)
{
    (void)state;
    const mo_config configs[] = {
        tower_config(), tower_effnet_config(), tower_resnet_config(), tower_siglip_config()};
    for (int i = 0; i < 4; i++) {
        tower_list l = tower_params(&configs[i]);
        for (size_t at = 0; at < l.n; at++) {
            stopper s = {.left = at};
            assert_int_equal(mo_params_each(&configs[i], stop, &s), MOPD_E_CANCELLED);
            assert_int_equal(s.seen, at + 1);
        }
        free(l.spec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_models_have_their_numbers),
        cmocka_unit_test(published_siglip_models_have_their_numbers),
        cmocka_unit_test(the_order_is_fixed),
        cmocka_unit_test(shapes_are_outputs_by_inputs),
        cmocka_unit_test(names_occur_once),
        cmocka_unit_test(the_first_failure_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
