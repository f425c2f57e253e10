/* SPDX-License-Identifier: MIT
 * test_fingerprint.c - what a model and a vocabulary are named by: these names stand in prompt files and
 * stores, so they may never change. */
#include "test.h"

#include "model/config_json.h"
#include "model/fingerprint.h"
#include "support/folders.h"
#include "support/towers.h"

static const char *const models[] = {FOLDERS_GOLD "hf", FOLDERS_GOLD "hf-largest", FOLDERS_GOLD "openclip",
    FOLDERS_GOLD "openai/tiny.pt", FOLDERS_GOLD "locked"};
#define N_MODELS (sizeof models / sizeof *models)

static void golden_models_have_their_fingerprints(void **state)
{
    (void)state;
    static const char *const want[] = {
        "6508a4835d59cd5ef337c6cdf2839bd0d3509d7f1d64c8359a27acacf6e877cc",
        "c4fe771d19f31540390b4cd2bef0c71efacf4dbd6f565aed92347724a2b86e22",
        "738bb8573dc4dcc8e07a8f76334c6e176c779295a56a36f515dc1674944b70ba",
        "5118d6cfcce898a0f2b2f77b381c6be8ce3fa20941c266ef80a7618ddfc1e75d",
        "ab1ce77280ede20c3e6a0e5dea4d7f976167caa5f7edab17f3bd9079754d2f63",
    };
    for (size_t i = 0; i < N_MODELS; i++) {
        mopd_encoder *e = folder_open(models[i], 1);
        assert_string_equal(e->fingerprint, want[i]);
        mo_encoder_close(e);
    }
}

static void fingerprint(char hex[65], const mo_config *c, const char *path)
{
    mo_weights *w = tower_open(path);
    assert_ok(mo_weights_bind(w, c, &tower_own_names));
    assert_ok(mo_fingerprint_model(hex, c, w));
    mo_weights_free(w);
}

/* One number of the configuration, or the weights of another seed. */
static void other_models_have_other_fingerprints(void **state)
{
    (void)state;
    mo_config c = tower_config();
    const char *path = tower_write("a.safetensors", &c, 1);
    char hex[6][65];
    fingerprint(hex[0], &c, path);
    c.text.stack.act = MO_ACT_GELU;
    fingerprint(hex[1], &c, path);
    c = tower_config();
    c.text.stack.heads = 4;
    fingerprint(hex[2], &c, path);
    c = tower_config();
    c.pixels.mean[0] += 1e-9;
    fingerprint(hex[3], &c, path);
    c = tower_config();
    c.text.end_id = 48;
    fingerprint(hex[4], &c, path);
    c = tower_config();
    fingerprint(hex[5], &c, tower_write("b.safetensors", &c, 2));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(strlen(hex[i]), 64);
        assert_int_equal(strspn(hex[i], "0123456789abcdef"), 64);
        for (int k = 0; k < i; k++) assert_string_not_equal(hex[i], hex[k]);
    }
}

/* Each mark of SigLIP is part of the name; the towers of before have theirs (the golden ones above). */
static void marks_of_siglip_count(void **state)
{
    (void)state;
    mo_config c = tower_siglip_config();
    const char *path = tower_write("s.safetensors", &c, 1);
    char hex[4][65];
    fingerprint(hex[0], &c, path);
    c.text.pad_id = 0;
    fingerprint(hex[1], &c, path);
    c.text.stack.act = MO_ACT_GELU;
    fingerprint(hex[2], &c, path);
    c.text.mask = MO_MASK_CAUSAL;
    fingerprint(hex[3], &c, path);
    assert_string_equal(hex[0], "82b562ca9b37ded20cadb37b3869e6b580d58e817931ffe76141b9f552456f92");
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++) assert_string_not_equal(hex[i], hex[k]);
}

/* What prompt learning is recommended changes no feature, so it has no part in it. */
static void recommendations_do_not_count(void **state)
{
    (void)state;
    mo_config c = tower_config();
    const char *path = tower_write("a.safetensors", &c, 1);
    char a[65], b[65];
    fingerprint(a, &c, path);
    c.recommended_lr = 0.5;
    fingerprint(b, &c, path);
    assert_string_equal(a, b);
}

/* The first and the last values of every parameter are among the sample. */
static void ends_of_every_parameter_count(void **state)
{
    (void)state;
    const mo_config c = tower_config();
    char want[65], got[65];
    mo_weights *w = tower_weights(&c, 1);
    assert_ok(mo_fingerprint_model(want, &c, w));
    for (size_t i = 0; i < mo_weights_count(w); i++) {
        mo_weight *p = (mo_weight *)(uintptr_t)mo_weights_at(w, i);
        const mo_view stored = p->view;
        float *copy = malloc(stored.n * sizeof *copy);
        for (int end = 0; end < 2; end++) {
            memcpy(copy, stored.data, stored.n * sizeof *copy);
            copy[end ? stored.n - 1 : 0] += 1;
            p->view.data = copy;
            assert_ok(mo_fingerprint_model(got, &c, w));
            if (!strcmp(got, want)) fail_msg("%s: end %d does not count", p->name, end);
        }
        p->view = stored;
        free(copy);
    }
    assert_ok(mo_fingerprint_model(got, &c, w));
    assert_string_equal(got, want);
    mo_weights_free(w);
}

static void vocabulary_of(char hex[65], const char *path)
{
    mopd_encoder *e = folder_open(path, 1);
    mo_fingerprint_vocabulary(hex, e->tokenizer);
    mo_encoder_close(e);
}

/* The same tokens have the same name in whatever file they come; two ids that change places make another. */
static void vocabularies_are_named_by_what_ids_mean(void **state)
{
    (void)state;
    char hex[N_MODELS][65], packed[65], other[65];
    for (size_t i = 0; i < N_MODELS; i++) {
        vocabulary_of(hex[i], models[i]);
        assert_int_equal(strspn(hex[i], "0123456789abcdef"), 64);
        assert_string_equal(hex[i], hex[0]);
    }
    mopd_encoder *e = folder_open(models[0], 1);
    assert_ok(mo_pack_encoder(e, test_path("packed.safetensors"), MO_F16, false));
    mo_encoder_close(e);
    vocabulary_of(packed, test_path("packed.safetensors"));
    assert_string_equal(packed, hex[0]);
    assert_string_equal(packed, "3f52f51de2568d17aec22a38bb4cd7a89cee661791f2f04b8a059552f9d4fb9e");
    const char *folder = folder_of("hf");
    folder_edit(folder, "vocab.json", "\"a\": 64, \"b\": 65", "\"a\": 65, \"b\": 64");
    vocabulary_of(other, folder);
    assert_string_not_equal(other, hex[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_models_have_their_fingerprints),
        cmocka_unit_test(other_models_have_other_fingerprints),
        cmocka_unit_test(marks_of_siglip_count),
        cmocka_unit_test(recommendations_do_not_count),
        cmocka_unit_test(ends_of_every_parameter_count),
        cmocka_unit_test(vocabularies_are_named_by_what_ids_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
