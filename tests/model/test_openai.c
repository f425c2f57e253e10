/* SPDX-License-Identifier: MIT
 * test_openai.c - what a checkpoint of OpenAI's is told by, and what is said of one that lacks or contradicts it.
 *
 * The golden archive is written anew as a plain PyTorch file, with tensors renamed or left out. */
#include "test.h"

#include "support/folders.h"

static mo_tensors *gold;

static int open_gold(void **state)
{
    (void)state;
    assert_ok(mo_tensors_open(&gold, FOLDERS_GOLD "openai/tiny.pt", true));
    return 0;
}

static int close_gold(void **state)
{
    (void)state;
    mo_tensors_close(gold);
    return 0;
}

/* What the writer does to names: `from` becomes `to`, and the other way round when `swap`; NULL: left out. */
static const char *from, *to;
static bool swap;

static const char *change(const char *name)
{
    if (from && !strcmp(name, from)) return to;
    return swap && !strcmp(name, to) ? from : name;
}

/* A checkpoint so changed, beside its vocabulary. */
static const char *changed(const char *a, const char *b, bool both)
{
    static char path[512];
    const char *folder = folder_make();
    from = a;
    to = b;
    swap = both;
    folder_write_torch(folder, "model.pt", gold, change);
    folder_copy(
        FOLDERS_GOLD "openai", "bpe_simple_vocab_16e6.txt.gz", folder, "bpe_simple_vocab_16e6.txt.gz");
    folder_join(path, folder, "model.pt");
    return path;
}

static void shapes_tell_the_configuration(void **state)
{
    (void)state;
    mopd_encoder *e = folder_open(changed(NULL, NULL, false), 1);
    const mo_config *c = &e->config;
    assert_string_equal(e->layout, "openai");
    assert_int_equal(c->vision_kind, MO_VISION_VIT);
    assert_int_equal(c->dim, 12);
    assert_int_equal(c->image, 21);
    assert_int_equal(c->vit.patch, 7);
    assert_int_equal(c->vit.stack.width, 64);
    assert_int_equal(c->vit.stack.heads, 1);
    assert_int_equal(c->vit.stack.hidden, 64);
    assert_int_equal(c->vit.stack.layers, 1);
    assert_int_equal(c->text.stack.width, 64);
    assert_int_equal(c->text.stack.layers, 1);
    assert_int_equal(c->text.context, 30);
    assert_int_equal(c->text.vocab, 525);
    assert_int_equal(c->text.end_rule, MO_END_LARGEST);
    assert_int_equal(c->text.stack.act, MO_ACT_QUICK_GELU);
    assert_int_equal(c->vit.stack.act, MO_ACT_QUICK_GELU);
    assert_true(c->text.stack.eps == 1e-5);
    mo_pixels pixels;
    mo_pixels_openai(&pixels, 21);
    assert_memory_equal(&c->pixels, &pixels, sizeof pixels);
    mo_encoder_close(e);
}

/* TorchScript archive, zip or legacy: the same model. */
static void the_container_does_not_matter(void **state)
{
    (void)state;
    mopd_encoder *archive = folder_open(FOLDERS_GOLD "openai/tiny.pt", 1),
                 *plain = folder_open(changed(NULL, NULL, false), 1);
    assert_string_equal(archive->fingerprint, plain->fingerprint);
    mo_encoder_close(archive);
    mo_encoder_close(plain);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"token_embedding.weight", MOPD_E_FORMAT,
            "no CLIP checkpoint: tensor token_embedding.weight is missing"},
        {"positional_embedding", MOPD_E_FORMAT, "tensor positional_embedding is missing"},
        {"text_projection", MOPD_E_FORMAT, "tensor text_projection is missing"},
        {"transformer.resblocks.0.mlp.c_fc.weight", MOPD_E_FORMAT,
            "transformer.resblocks.0.mlp.c_fc.weight is missing"},
        {"visual.transformer.resblocks.0.mlp.c_fc.weight", MOPD_E_FORMAT,
            "visual.transformer.resblocks.0.mlp.c_fc.weight"},
        {"visual.conv1.weight", MOPD_E_FORMAT, "visual.conv1.weight is missing"},
        {"visual.positional_embedding", MOPD_E_FORMAT, "visual.positional_embedding is missing"},
        {"input_resolution", MOPD_E_UNSUPPORTED, "no checkpoint of OpenAI's: input_resolution is missing"},
        {"context_length", MOPD_E_UNSUPPORTED,
            "context_length is missing, and nothing else tells activation"},
        {"vocab_size", MOPD_E_UNSUPPORTED, "write open_clip_config.json beside it"},
        {"visual.proj", MOPD_E_MISMATCH,
            "tensor visual.proj is missing; the configuration asks for shape [64, 12]"},
        {"ln_final.bias", MOPD_E_MISMATCH, "tensor ln_final.bias is missing"},
        {"logit_scale", MOPD_E_MISMATCH, "tensor logit_scale is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(folder_try(changed(cases[i].name, NULL, false)), cases[i].st, cases[i].words);
        assert_non_null(strstr(mopd_last_error(), "model.pt: "));
    }
}

/* Two tensors with each other's names: shapes and counts that contradict each other. */
static void contradictions_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"input_resolution", "context_length", MOPD_E_FORMAT,
            "input_resolution is 30 (I64), by the other tensors it is 21"},
        {"context_length", "vocab_size", MOPD_E_FORMAT,
            "context_length is 525 (I64), by the other tensors it is 30"},
        {"vocab_size", "ln_final.bias", MOPD_E_FORMAT,
            "vocab_size is -1 (F16), by the other tensors it is 525"},
        {"visual.conv1.weight", "visual.proj", MOPD_E_FORMAT,
            "visual.conv1.weight has another number of dimensions"},
        {"positional_embedding", "ln_final.bias", MOPD_E_FORMAT,
            "positional_embedding has another number of dimensions"},
        {"visual.positional_embedding", "text_projection", MOPD_E_FORMAT,
            "visual.positional_embedding has 64 rows, no square and one"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(folder_try(changed(cases[i].a, cases[i].b, true)), cases[i].st, cases[i].words);
}

static void other_towers_are_refused(void **state)
{
    (void)state;
    assert_fails(folder_try(changed("visual.ln_pre.bias", "visual.layer1.0.conv1.weight", false)),
        MOPD_E_FORMAT, "tensor visual.layer1.0.conv1.weight has another number of dimensions");
    assert_fails(folder_try(changed("visual.ln_pre.bias", "visual.ln_pre.shift", false)), MOPD_E_MISMATCH,
        "visual.ln_pre.bias is missing");
}

/* Files of state dicts: what to write beside them, with the sizes that the tensors tell. */
static void what_to_write_is_said(void **state)
{
    (void)state;
    assert_fails(folder_try(changed("vocab_size", NULL, false)), MOPD_E_UNSUPPORTED,
        "\"quick_gelu\": true for weights made from OpenAI's or false for others, \"vision_cfg\": "
        "{\"image_size\": 21, \"layers\": 1, \"width\": 64, \"patch_size\": 7}");
    assert_fails(folder_try(changed("vocab_size", "text.token_embedding.weight", false)), MOPD_E_UNSUPPORTED,
        "put the file beside open_clip_config.json");
    assert_fails(folder_try(changed("vocab_size", "text_model.embeddings.token_embedding.weight", false)),
        MOPD_E_UNSUPPORTED, "put the file as pytorch_model.bin beside config.json");
}

static void opening_survives_failing_memory(void **state)
{
    (void)state;
    static char path[] = FOLDERS_GOLD "openai/tiny.pt";
    test_torture(folder_torture, path);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(opening_survives_failing_memory),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_tell_the_configuration),
        cmocka_unit_test(the_container_does_not_matter),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(contradictions_are_named),
        cmocka_unit_test(other_towers_are_refused),
        cmocka_unit_test(what_to_write_is_said),
    };
    const int failed = cmocka_run_group_tests(alone, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, open_gold, close_gold);
}
