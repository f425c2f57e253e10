/* SPDX-License-Identifier: MIT
 * test_fastvit_params.c - the names and shapes of the published FastViTs: counted, and some spelled out. */
#include "test.h"

#include "support/towers.h"

/* fastvit_mci0 and fastvit_mci3 of timm, for features of 512 and 768. */
static mo_config published(uint32_t form)
{
    mo_config c = tower_config();
    c.vision_kind = MO_VISION_FASTVIT;
    c.image = 256;
    c.dim = form == MO_FASTVIT_SMALL ? 512 : 768;
    c.fastvit = form == MO_FASTVIT_SMALL ? (mo_fastvit_config){.form = form,
                                               .n_stages = 4,
                                               .layers = {2, 6, 10, 2},
                                               .width = {64, 128, 256, 512},
                                               .ratio = 3}
                                         : (mo_fastvit_config){.form = form,
                                               .n_stages = 5,
                                               .layers = {2, 12, 24, 4, 2},
                                               .width = {96, 192, 384, 768, 1536},
                                               .ratio = 4};
    c.fastvit.eps = 1e-5;
    return c;
}

typedef struct count {
    size_t learned, tensors; /* learned: without running means and variances */
} count;

static count count_tower(const mo_config *c)
{
    count n = {0};
    tower_list l = tower_params(c);
    for (size_t i = 0; i < l.n; i++) {
        if (strncmp(l.spec[i].name, "fastvit.", 8) != 0) continue;
        n.tensors++;
        if (!strstr(l.spec[i].name, ".running_")) n.learned += tower_numbers(&l.spec[i]);
    }
    free(l.spec);
    return n;
}

static void the_published_sizes_are_met(void **state)
{
    (void)state;
    mo_config small = published(MO_FASTVIT_SMALL), large = published(MO_FASTVIT_LARGE);
    mo_pixels_openai(&small.pixels, 256);
    mo_pixels_openai(&large.pixels, 256);
    assert_ok(mo_config_check(&small, "small"));
    assert_ok(mo_config_check(&large, "large"));
    assert_int_equal(count_tower(&small).learned, 11406976);
    assert_int_equal(count_tower(&small).tensors, 670);
    assert_int_equal(count_tower(&large).learned, 125235648);
    assert_int_equal(count_tower(&large).tensors, 1313);
}

static const mo_param_spec *find(const tower_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->spec[i].name, name)) return &l->spec[i];
    return NULL;
}

static void shapes_are_timms(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t forms; /* a bit for each that has it */
        int n_dims;
        size_t shape[4]; /* of the small one */
    } cases[] = {
        {"fastvit.stem.0.conv_kxk.0.conv.weight", 3, 4, {64, 3, 3, 3}},
        {"fastvit.stem.0.conv_scale.conv.weight", 1, 4, {64, 3, 1, 1}},
        {"fastvit.stem.1.conv_scale.bn.running_var", 1, 1, {64}},
        {"fastvit.stages.1.downsample.proj.0.large_conv.conv.weight", 3, 4, {128, 1, 7, 7}},
        {"fastvit.stages.1.downsample.proj.0.se.fc1.weight", 0, 4, {0}},
        {"fastvit.stages.2.downsample.proj.0.se.fc1.weight", 1, 4, {64, 256, 1, 1}},
        {"fastvit.stages.0.downsample.proj.1.identity.weight", 0, 1, {0}},
        {"fastvit.stages.2.blocks.9.token_mixer.layer_scale.gamma", 3, 3, {256, 1, 1}},
        {"fastvit.stages.2.pos_emb.pos_enc.weight", 0, 4, {0}},
        {"fastvit.stages.3.pos_emb.pos_enc.weight", 3, 4, {512, 1, 7, 7}},
        {"fastvit.stages.3.blocks.1.norm.running_mean", 1, 1, {512}},
        {"fastvit.stages.3.blocks.1.norm.weight", 3, 1, {512}},
        {"fastvit.stages.3.blocks.1.token_mixer.qkv.weight", 3, 2, {1536, 512}},
        {"fastvit.stages.3.blocks.1.token_mixer.qkv.bias", 0, 1, {0}},
        {"fastvit.stages.4.blocks.1.layer_scale_2.gamma", 2, 3, {0}},
        {"fastvit.final_conv.se.fc1.weight", 3, 4, {64, 1024, 1, 1}},
        {"fastvit.final_conv.identity.weight", 0, 1, {0}},
        {"fastvit.head.fc.weight", 3, 2, {512, 1024}},
    };
    for (uint32_t form = 0; form < MO_FASTVIT_FORMS; form++) {
        const mo_config c = published(form);
        tower_list l = tower_params(&c);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const mo_param_spec *s = find(&l, cases[i].name);
            if (!s != !(cases[i].forms >> form & 1)) fail_msg("form %u, %s", form, cases[i].name);
            if (!s || form != MO_FASTVIT_SMALL) continue;
            assert_int_equal(s->n_dims, cases[i].n_dims);
            for (int d = 0; d < s->n_dims; d++) assert_int_equal(s->shape[d], cases[i].shape[d]);
        }
        free(l.spec);
    }
}

static mopd_status stop_at(void *ctx, const mo_param_spec *spec)
{
    size_t *left = ctx;
    (void)spec;
    return --*left ? MOPD_OK : MOPD_E_STATE;
}

/* Wherever it fails: no parameter more. */
static void the_first_failure_ends_it(void **state)
{
    (void)state;
    const mo_config c = tower_fastvit_config(MO_FASTVIT_SMALL);
    tower_list l = tower_params(&c);
    for (size_t n = 1; n <= l.n; n++) {
        size_t left = n;
        assert_int_equal(mo_params_each(&c, stop_at, &left), MOPD_E_STATE);
        assert_int_equal(left, 0);
    }
    free(l.spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_sizes_are_met),
        cmocka_unit_test(shapes_are_timms),
        cmocka_unit_test(the_first_failure_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
