/* SPDX-License-Identifier: MIT
 * test_config.c - which configurations a tower can be made from, and what is said of the others. */
#include "test.h"

#include "support/towers.h"

static void small_configurations_pass(void **state)
{
    (void)state;
    const mo_config vit = tower_config(), effnet = tower_effnet_config(), siglip = tower_siglip_config();
    assert_ok(mo_config_check(&siglip, "x"));
    assert_ok(mo_config_check(&vit, "x"));
    assert_ok(mo_config_check(&effnet, "x"));
}

/* One number of a good configuration changed. */
typedef struct wrong {
    size_t at; /* where in mo_config */
    uint32_t value;
    mopd_status st;
    const char *words;
} wrong;

#define AT(member) offsetof(mo_config, member)

static void refuse(mo_config good, const wrong *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mo_config c = good;
        memcpy((char *)&c + cases[i].at, &cases[i].value, sizeof cases[i].value);
        const mopd_status st = mo_config_check(&c, "some/folder");
        if (st != cases[i].st || (st != MOPD_OK && !strstr(mopd_last_error(), cases[i].words)))
            fail_msg("case %zu: %s: %s", i, mopd_status_name(st), mopd_last_error());
        if (st != MOPD_OK) assert_non_null(strstr(mopd_last_error(), "some/folder"));
    }
}

static void sizes_no_tower_can_have_are_refused(void **state)
{
    (void)state;
    static const wrong cases[] = {
        {AT(dim), 0, MOPD_E_FORMAT, "features of width 0"},
        {AT(dim), 65536, MOPD_OK, ""},
        {AT(dim), 65537, MOPD_E_FORMAT, "features of width 65537"},
        {AT(image), 0, MOPD_E_FORMAT, "pictures of side 0"},
        {AT(image), 8193, MOPD_E_FORMAT, "pictures of side 8193"},
        {AT(text.context), 1, MOPD_E_FORMAT, "1 positions, vocabulary of 50"},
        {AT(text.context), 2, MOPD_OK, ""},
        {AT(text.context), 65537, MOPD_E_FORMAT, "65537 positions"},
        {AT(text.vocab), 1, MOPD_E_FORMAT, "vocabulary of 1"},
        {AT(text.vocab), (1u << 28) + 1, MOPD_E_FORMAT, "vocabulary of 268435457"},
        {AT(text.stack.width), 0, MOPD_E_FORMAT, "text tower of width 0 and MLP width 36"},
        {AT(text.stack.width), 65538, MOPD_E_FORMAT, "text tower of width 65538"},
        {AT(text.stack.width), 21, MOPD_E_FORMAT, "text tower of width 21 cannot be split into 2 heads"},
        {AT(text.stack.hidden), 0, MOPD_E_FORMAT, "text tower of width 20 and MLP width 0"},
        {AT(text.stack.hidden), 1048577, MOPD_E_FORMAT, "MLP width 1048577"},
        {AT(text.stack.layers), 0, MOPD_E_FORMAT, "text tower of 0 layers"},
        {AT(text.stack.layers), 1024, MOPD_OK, ""},
        {AT(text.stack.layers), 1025, MOPD_E_FORMAT, "text tower of 1025 layers"},
        {AT(text.stack.heads), 0, MOPD_E_FORMAT, "cannot be split into 0 heads"},
        {AT(text.stack.heads), 3, MOPD_E_FORMAT, "cannot be split into 3 heads"},
        {AT(vit.stack.width), 0, MOPD_E_FORMAT, "vision tower of width 0"},
        {AT(vit.stack.heads), 5, MOPD_E_FORMAT, "vision tower of width 24 cannot be split into 5 heads"},
        {AT(vit.stack.layers), 0, MOPD_E_FORMAT, "vision tower of 0 layers"},
        {AT(vit.patch), 0, MOPD_E_UNSUPPORTED, "patches of 0 pixels, a side of 21"},
        {AT(vit.patch), 6, MOPD_OK, ""},
        {AT(vit.patch), 3, MOPD_OK, ""},
        {AT(vit.patch), 21, MOPD_OK, ""},
        {AT(vit.patch), 22, MOPD_E_UNSUPPORTED, "patches of 22 pixels, a side of 21"},
        {AT(text.end_rule), MO_END_LAST, MOPD_E_UNSUPPORTED,
            "a causal text tower that is read at its last position"},
    };
    refuse(tower_config(), cases, sizeof cases / sizeof *cases);
}

/* Without a projection features are as wide as the tower; pads are tokens. */
static void siglip_has_rules_of_its_own(void **state)
{
    (void)state;
    static const wrong cases[] = {
        {AT(dim), 24, MOPD_OK, ""},
        {AT(dim), 12, MOPD_E_MISMATCH, "features of width 12 from a vision tower of width 24"},
        {AT(text.pad_id), 49, MOPD_OK, ""},
        {AT(text.pad_id), 50, MOPD_E_FORMAT, "pad id 50, vocabulary of 50"},
        {AT(text.end_rule), MO_END_LARGEST, MOPD_OK, ""},
        {AT(text.mask), MO_MASK_CAUSAL, MOPD_E_UNSUPPORTED, "read at its last position"},
    };
    refuse(tower_siglip_config(), cases, sizeof cases / sizeof *cases);
}

static void perception_encoders_have_heads_in_fours(void **state)
{
    (void)state;
    static const wrong cases[] = {
        {AT(vit.stack.heads), 2, MOPD_OK, ""},
        {AT(vit.stack.heads), 4, MOPD_E_FORMAT, "heads of 6, which are turned in fours"},
        {AT(vit.stack.heads), 6, MOPD_OK, ""},
        {AT(vit.stack.width), 20, MOPD_E_FORMAT, "heads of 10, which are turned in fours"},
        {AT(vit.stack.width), 40, MOPD_OK, ""},
        {AT(dim), 7, MOPD_OK, ""},
    };
    mo_config c = tower_config();
    c.vit.form = MO_VIT_PE;
    refuse(c, cases, sizeof cases / sizeof *cases);
    c.vit.stack.width = 36;
    c.vit.stack.heads = 3;
    assert_fails(mo_config_check(&c, "x"), MOPD_E_FORMAT, "width 36, pooled by 8 heads");
}

static void epsilons_are_small_numbers(void **state)
{
    (void)state;
    static const struct {
        double eps;
        mopd_status st;
    } cases[] = {{0, MOPD_OK}, {0.999, MOPD_OK}, {1, MOPD_E_FORMAT}, {-1e-9, MOPD_E_FORMAT},
        {NAN, MOPD_E_FORMAT}, {INFINITY, MOPD_E_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c = tower_config();
        c.text.stack.eps = cases[i].eps;
        assert_int_equal(mo_config_check(&c, "x"), cases[i].st);
        c = tower_config();
        c.vit.stack.eps = cases[i].eps;
        assert_int_equal(mo_config_check(&c, "x"), cases[i].st);
        if (cases[i].st != MOPD_OK)
            assert_non_null(strstr(mopd_last_error(), "vision tower: layer norm epsilon"));
    }
}

/* A ViT's numbers do not matter to an EfficientNet, and the other way round. */
static void only_the_tower_there_is_is_checked(void **state)
{
    (void)state;
    mo_config vit = tower_config(), effnet = tower_effnet_config();
    memset(&vit.effnet, 0, sizeof vit.effnet);
    memset(&effnet.vit, 0, sizeof effnet.vit);
    assert_ok(mo_config_check(&vit, "x"));
    assert_ok(mo_config_check(&effnet, "x"));
}

static void effnet_blocks_must_follow_each_other(void **state)
{
    (void)state;
    static const wrong cases[] = {
        {AT(effnet.n_blocks), 0, MOPD_E_FORMAT, "EfficientNet of 0 blocks, 8 to 16 channels, 9 classes"},
        {AT(effnet.n_blocks), MO_EFFNET_MAX_BLOCKS + 1, MOPD_E_FORMAT, "EfficientNet of 65 blocks"},
        {AT(effnet.n_blocks), 6, MOPD_E_FORMAT, "block 5: 0 to 0 to 0 channels after 10"},
        {AT(effnet.n_blocks), 1, MOPD_OK, ""},
        {AT(effnet.stem), 0, MOPD_E_FORMAT, "0 to 16 channels"},
        {AT(effnet.stem), 9, MOPD_E_FORMAT, "block 0: 8 to 8 to 4 channels after 9"},
        {AT(effnet.features), 0, MOPD_E_FORMAT, "8 to 0 channels"},
        {AT(effnet.classes), 0, MOPD_E_FORMAT, "0 classes"},
        {AT(effnet.block[1].in), 5, MOPD_E_FORMAT, "block 1: 5 to 12 to 6 channels after 4"},
        {AT(effnet.block[2].out), 7, MOPD_E_FORMAT, "block 3: 6 to 18 to 10 channels after 7"},
        {AT(effnet.block[4].out), 0, MOPD_E_FORMAT, "block 4: 10 to 10 to 0 channels"},
        {AT(effnet.block[4].out), 65537, MOPD_E_FORMAT, "65537 channels"},
        {AT(effnet.block[1].expand), 0, MOPD_E_FORMAT, "block 1: 4 to 0 to 6"},
        {AT(effnet.block[1].expand), 65537, MOPD_E_FORMAT, "block 1"},
        {AT(effnet.block[1].kernel), 4, MOPD_E_FORMAT, "kernel 4, stride 2"},
        {AT(effnet.block[1].kernel), 5, MOPD_OK, ""},
        {AT(effnet.block[1].kernel), 7, MOPD_E_FORMAT, "kernel 7"},
        {AT(effnet.block[1].stride), 0, MOPD_E_FORMAT, "stride 0"},
        {AT(effnet.block[1].stride), 3, MOPD_E_FORMAT, "stride 3"},
    };
    refuse(tower_effnet_config(), cases, sizeof cases / sizeof *cases);
}

static void resnets_have_sizes_that_fit(void **state)
{
    (void)state;
    static const wrong cases[] = {
        {AT(resnet.width), 0, MOPD_E_FORMAT, "ResNet of width 0"},
        {AT(resnet.width), 3, MOPD_E_FORMAT, "ResNet of width 3"},
        {AT(resnet.width), 4096, MOPD_E_FORMAT, "ResNet of width 4096"},
        {AT(resnet.width), 6, MOPD_OK, ""},
        {AT(resnet.layers[0]), 0, MOPD_E_FORMAT, "stage 1 has 0 layers"},
        {AT(resnet.layers[3]), 1025, MOPD_E_FORMAT, "stage 4 has 1025 layers"},
        {AT(resnet.heads), 0, MOPD_E_UNSUPPORTED, "0 heads for 128 channels"},
        {AT(resnet.heads), 3, MOPD_E_UNSUPPORTED, "3 heads for 128 channels"},
        {AT(resnet.heads), 16, MOPD_E_UNSUPPORTED, "heads of 16, 32, 48"},
        {AT(resnet.heads), 8, MOPD_OK, ""},
        {AT(image), 48, MOPD_E_UNSUPPORTED, "a side of 48 pixels is no multiple of 32"},
    };
    refuse(tower_resnet_config(), cases, sizeof cases / sizeof *cases);
}

static void fastvits_have_stages_that_double(void **state)
{
    (void)state;
    static const wrong cases[] = {
        {AT(fastvit.n_stages), 0, MOPD_E_FORMAT, "FastViT of 0 stages"},
        {AT(fastvit.n_stages), 3, MOPD_E_FORMAT, "FastViT of 3 stages"},
        {AT(fastvit.n_stages), 6, MOPD_E_FORMAT, "FastViT of 6 stages"},
        {AT(fastvit.n_stages), 5, MOPD_OK, ""},
        {AT(fastvit.ratio), 0, MOPD_E_FORMAT, "MLP ratio 0"},
        {AT(fastvit.ratio), 65, MOPD_E_FORMAT, "MLP ratio 65"},
        {AT(fastvit.layers[3]), 0, MOPD_E_FORMAT, "stage 3 has 0 layers"},
        {AT(fastvit.layers[0]), 1025, MOPD_E_FORMAT, "stage 0 has 1025 layers"},
        {AT(fastvit.width[0]), 0, MOPD_E_UNSUPPORTED, "stage 0 has 0 channels"},
        {AT(fastvit.width[2]), 17, MOPD_E_UNSUPPORTED, "stage 2 has 17 channels; twice those"},
        {AT(fastvit.width[3]), 40000, MOPD_E_UNSUPPORTED, "stage 3 has 40000 channels"},
        {AT(image), 224, MOPD_E_MISMATCH, "makes 42 x 42 pixels"},
    };
    refuse(tower_fastvit_config(MO_FASTVIT_SMALL), cases, sizeof cases / sizeof *cases);
    mo_config c = tower_fastvit_config(MO_FASTVIT_SMALL);
    for (uint32_t s = 0; s < 4; s++) c.fastvit.width[s] = 5u << s;
    assert_fails(
        mo_config_check(&c, "x"), MOPD_E_UNSUPPORTED, "40 channels cannot be split into heads of 32");
}

/* The first convolution of a stem sees a quarter of a patch, and has a quarter of the width. */
static void stems_are_cut_in_four(void **state)
{
    (void)state;
    static const wrong cases[] = {
        {AT(vit.patch), 6, MOPD_E_UNSUPPORTED, "patches of 6 pixels, a width of 24: no multiples of 4"},
        {AT(vit.patch), 12, MOPD_OK, ""},
        {AT(vit.stack.width), 26, MOPD_E_UNSUPPORTED, "a width of 26"},
        {AT(vit.stack.width), 28, MOPD_OK, ""},
    };
    refuse(tower_mobileclip_config(), cases, sizeof cases / sizeof *cases);
}

/* A squeeze's inner channels as timm rounds them. */
static void squeezes_are_rounded(void **state)
{
    (void)state;
    static const size_t cases[][3] = {
        {256, 64, 16}, {320, 80, 20}, {16, 8, 1}, {4, 8, 1}, {48, 16, 3}, {1024, 256, 64}, {1280, 320, 80}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(mo_config_fastvit_reduced(cases[i][0]), cases[i][1]);
        assert_int_equal(mo_config_fastvit_reduced_last(cases[i][0]), cases[i][2]);
    }
}

/* What the preprocessing makes is what the tower sees. */
static void preprocessing_must_fit_the_tower(void **state)
{
    (void)state;
    static const wrong cases[] = {
        {AT(pixels.crop_h), 20, MOPD_E_MISMATCH,
            "the preprocessing makes 20 x 21 pixels, the vision tower sees 21 x 21"},
        {AT(pixels.crop_w), 28, MOPD_E_MISMATCH, "makes 21 x 28 pixels"},
        {AT(pixels.crop_h), 0, MOPD_E_UNSUPPORTED, ""},
        {AT(pixels.filter), 99, MOPD_E_UNSUPPORTED, ""},
        {AT(image), 28, MOPD_E_MISMATCH, "makes 21 x 21 pixels, the vision tower sees 28 x 28"},
    };
    mo_config c = tower_config();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c = tower_config();
        memcpy((char *)&c + cases[i].at, &cases[i].value, sizeof cases[i].value);
        const mopd_status st = mo_config_check(&c, "some/folder");
        assert_true(st != MOPD_OK);
        if (*cases[i].words) assert_int_equal(st, cases[i].st);
        assert_non_null(strstr(mopd_last_error(), cases[i].words));
        assert_non_null(strstr(mopd_last_error(), "some/folder"));
    }
    c = tower_config();
    c.pixels.crop_h = c.pixels.crop_w = 0;
    assert_fails(mo_config_check(&c, "x"), MOPD_E_FORMAT, "neither a crop nor a fixed size");
    c.pixels.fit = MO_FIT_EXACT;
    assert_ok(mo_config_check(&c, "x"));
}

static void activations_have_words(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        mo_act act;
    } words[] = {{"quick_gelu", MO_ACT_QUICK_GELU}, {"gelu", MO_ACT_GELU}, {"gelu_tanh", MO_ACT_GELU_TANH}};
    mo_act act;
    for (size_t i = 0; i < 3; i++) {
        assert_true(mo_config_activation_find(&act, words[i].word));
        assert_int_equal(act, words[i].act);
        assert_string_equal(mo_config_activation_name(act), words[i].word);
    }
    static const char *const unknown[] = {"", "GELU", "gelu_new", "quick_gelu ", "relu6"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_false(mo_config_activation_find(&act, unknown[i]));
    assert_string_equal(mo_config_vision_name(MO_VISION_VIT), "vit");
    assert_string_equal(mo_config_vision_name(MO_VISION_EFFNET), "efficientnet-lite");
    assert_string_equal(mo_config_vision_name(MO_VISION_RESNET), "resnet");
    assert_string_equal(mo_config_vision_name(MO_VISION_FASTVIT), "fastvit");
}

static void rows_are_patches_and_a_class(void **state)
{
    (void)state;
    static const uint32_t cases[][3] = {
        {224, 32, 50}, {224, 16, 197}, {224, 14, 257}, {336, 14, 577}, {32, 32, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c = tower_config();
        c.image = cases[i][0];
        c.vit.patch = cases[i][1];
        assert_int_equal(mo_config_vit_rows(&c), cases[i][2]);
        c.vit.form = MO_VIT_SIGLIP;
        assert_int_equal(mo_config_vit_rows(&c), cases[i][2] - 1);
    }
}

/* so400m-14-384: 27 whole patches a side, and 6 pixels that no one sees. */
static void grids_are_rounded_down(void **state)
{
    (void)state;
    mo_config c = tower_siglip_config();
    c.image = 384;
    c.vit.patch = 14;
    assert_int_equal(mo_config_vit_rows(&c), 27 * 27);
    c.image = 378;
    assert_int_equal(mo_config_vit_rows(&c), 27 * 27);
    c.image = 377;
    assert_int_equal(mo_config_vit_rows(&c), 26 * 26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_configurations_pass),
        cmocka_unit_test(sizes_no_tower_can_have_are_refused),
        cmocka_unit_test(siglip_has_rules_of_its_own),
        cmocka_unit_test(perception_encoders_have_heads_in_fours),
        cmocka_unit_test(epsilons_are_small_numbers),
        cmocka_unit_test(only_the_tower_there_is_is_checked),
        cmocka_unit_test(effnet_blocks_must_follow_each_other),
        cmocka_unit_test(resnets_have_sizes_that_fit),
        cmocka_unit_test(fastvits_have_stages_that_double),
        cmocka_unit_test(stems_are_cut_in_four),
        cmocka_unit_test(squeezes_are_rounded),
        cmocka_unit_test(preprocessing_must_fit_the_tower),
        cmocka_unit_test(activations_have_words),
        cmocka_unit_test(rows_are_patches_and_a_class),
        cmocka_unit_test(grids_are_rounded_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
