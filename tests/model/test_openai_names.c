/* SPDX-License-Identifier: MIT
 * test_openai_names.c - OpenAI's names of all parameters. */
#include "test.h"

#include "model/layouts/openai_names.h"
#include "support/towers.h"

/* OpenAI's table knows every parameter of a ViT model, each tensor of three parts by all three, and gives no
 * two whole parameters one name. */
static void openais_table_is_whole(void **state)
{
    (void)state;
    const mo_config c = tower_config();
    const mo_naming *const tables[] = {&mo_openai_names, &mo_openai_names_text_apart};
    tower_list l = tower_params(&c);
    for (int t = 0; t < 2; t++) {
        for (size_t i = 0; i < l.n; i++) {
            mo_naming_place at, other;
            size_t n_same = 0;
            mo_naming_find(&at, tables[t], l.spec[i].name);
            if (strcmp(l.spec[i].name, "logit_scale") != 0 && !strcmp(at.name, l.spec[i].name))
                fail_msg("no rule for %s", at.name);
            const bool text = !strncmp(l.spec[i].name, "text_", 5);
            assert_int_equal(!strncmp(at.name, "text.", 5), t && text);
            for (size_t k = 0; k < l.n; k++) {
                mo_naming_find(&other, tables[t], l.spec[k].name);
                if (strcmp(at.name, other.name) != 0) continue;
                n_same++;
                assert_true(k == i || at.part != other.part);
            }
            assert_int_equal(n_same, at.parts ? at.parts : 1);
            assert_int_equal(at.in_out, strstr(l.spec[i].name, "projection.weight") != NULL);
        }
    }
    free(l.spec);
}

static void openais_names_are_these(void **state)
{
    (void)state;
    static const struct {
        const char *name, *stored;
        int part, parts;
    } cases[] = {
        {"text_model.encoder.layers.11.self_attn.v_proj.bias", "transformer.resblocks.11.attn.in_proj_bias",
            2, 3},
        {"vision_model.encoder.layers.0.mlp.fc2.weight", "visual.transformer.resblocks.0.mlp.c_proj.weight",
            0, 0},
        {"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight", 0, 0},
        {"text_model.embeddings.token_embedding.weight", "token_embedding.weight", 0, 0},
        {"visual_projection.weight", "visual.proj", 0, 0},
        {"logit_scale", "logit_scale", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_naming_place at;
        mo_naming_find(&at, &mo_openai_names, cases[i].name);
        assert_string_equal(at.name, cases[i].stored);
        assert_int_equal(at.part, cases[i].part);
        assert_int_equal(at.parts, cases[i].parts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openais_table_is_whole),
        cmocka_unit_test(openais_names_are_these),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
