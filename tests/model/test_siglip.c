/* SPDX-License-Identifier: MIT
 * test_siglip.c - a model of SigLIP's kind from its folder to a class's own probability: opened, packed, described,
 * encoded, and refused where it cannot do what is asked. */
#include "test.h"

#include "model/layouts/timm.h"
#include "mopd/mopd.h"
#include "support/siglip.h"

static const char *const classes[] = {"cat", "dog", "red fox"};
enum { C = 3, DIM = 24 };

static const char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = siglip_folder(5);
    return 0;
}

static void the_folder_opens_as_what_it_is(void **state)
{
    (void)state;
    mopd_encoder *e = folder_open(folder, 1);
    const mo_config *c = &e->config;
    assert_string_equal(e->layout, "huggingface");
    assert_int_equal(c->vit.form, MO_VIT_SIGLIP);
    assert_int_equal(c->text.mask, MO_MASK_NONE);
    assert_int_equal(c->text.end_rule, MO_END_LAST);
    assert_int_equal(c->text.pad_id, mo_tokenizer_pad(e->tokenizer));
    assert_int_equal(c->vit.stack.act, MO_ACT_GELU_TANH);
    mopd_encoder_info info = {.struct_size = sizeof info};
    assert_ok(mopd_encoder_get_info(e, &info));
    assert_int_equal(info.dim, DIM);
    assert_int_equal(info.has_logit_bias, 1);
    assert_true(info.logit_bias == -1.5f && fabsf(info.logit_scale - expf(2)) < 1e-5f);
    char *json;
    assert_ok(mopd_encoder_describe(e, &json));
    assert_non_null(strstr(json, "\"logit_bias\":-1.5,"));
    assert_non_null(strstr(json, "\"form\":\"siglip\""));
    assert_non_null(strstr(json, "\"mask\":\"none\""));
    mopd_free(json);
    mo_encoder_close(e);
}

static void encode(const mopd_encoder *e, float *texts, float *picture)
{
    float pixels[3 * 23 * 23];
    test_random(pixels, 3 * 23 * 23, 9);
    assert_ok(mo_encoder_texts(e, classes, C, texts, NULL));
    assert_ok(mo_encoder_pixels(e, pixels, 1, picture, NULL));
}

/* The same bits and the same name from the packed file and from weights as PyTorch saves them. */
static void packed_and_pickled_it_is_the_same(void **state)
{
    (void)state;
    float texts[2][C * DIM], picture[2][DIM];
    mopd_encoder *e = folder_open(folder, 2);
    encode(e, texts[0], picture[0]);
    assert_ok(mo_pack_encoder(e, test_path("packed.safetensors"), MO_F32, false));
    const char *bin = folder_make();
    mo_tensors *t;
    char path[512];
    static const char *const rest[] = {
        "config.json", "preprocessor_config.json", "vocab.json", "merges.txt", "tokenizer_config.json"};
    for (size_t i = 0; i < 5; i++) folder_copy(folder, rest[i], bin, rest[i]);
    folder_join(path, folder, "model.safetensors");
    assert_ok(mo_tensors_open(&t, path, false));
    folder_write_torch(bin, "pytorch_model.bin", t, NULL);
    mo_tensors_close(t);
    for (int k = 0; k < 2; k++) {
        mopd_encoder *other = folder_open(k ? bin : test_path("packed.safetensors"), 1);
        assert_string_equal(other->fingerprint, e->fingerprint);
        assert_true(other->logit_bias == -1.5f);
        encode(other, texts[1], picture[1]);
        assert_memory_equal(texts[0], texts[1], sizeof texts[0]);
        assert_memory_equal(picture[0], picture[1], sizeof picture[0]);
        mo_encoder_close(other);
    }
    mo_encoder_close(e);
}

/* The same numbers under timm's and open_clip's names make the same towers. */
static void timms_names_hold_the_same_weights(void **state)
{
    (void)state;
    const mo_config c = siglip_config();
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("timm.safetensors"));
    siglip_write(path, &c, &mo_timm_siglip_names, 5);
    mo_weights *w = tower_open(path);
    assert_ok(mo_weights_bind(w, &c, &mo_timm_siglip_names));
    assert_int_equal(mo_weights_n_extra(w), 0);
    mopd_encoder *e = folder_open(folder, 1);
    for (size_t i = 0; i < mo_weights_count(w); i++) {
        const mo_weight *a = mo_weights_at(w, i), *b = mo_weights_at(e->weights, i);
        float *x = malloc(a->view.n * sizeof *x), *y = malloc(b->view.n * sizeof *y);
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->view.n, b->view.n);
        mo_weights_floats(a, 0, a->view.n, x);
        mo_weights_floats(b, 0, b->view.n, y);
        assert_memory_equal(x, y, a->view.n * sizeof *x);
        free(x);
        free(y);
    }
    mo_weights_free(w);
    mo_encoder_close(e);
}

/* CLIP's tower of such names, and a Perception Encoder's, are bound whole, with the dimensions of 1 that timm has before
 * a class token. */
static void class_tokens_are_bound(uint32_t form, const mo_naming *names)
{
    mo_config c = tower_config();
    c.vit.form = form;
    assert_ok(mo_config_check(&c, "class token"));
    char path[512];
    snprintf(path, sizeof path, "%s", test_path("timm.safetensors"));
    siglip_write(path, &c, names, 3);
    mo_weights *w = tower_open(path);
    /* the helper writes text.text_projection as [outputs][inputs]: that is refused as another shape */
    assert_fails(mo_weights_bind(w, &c, names), MOPD_E_MISMATCH,
        "tensor text.text_projection has shape [12, 20]; the configuration says [20, 12]");
    mo_weights_free(w);
    c.dim = c.text.stack.width; /* square: either way */
    siglip_write(path, &c, names, 3);
    w = tower_open(path);
    assert_ok(mo_weights_bind(w, &c, names));
    const mo_weight *p;
    assert_ok(mo_weights_get(w, "vision_model.embeddings.class_embedding", &p));
    assert_int_equal(p->view.n_dims, 3);
    assert_int_equal(p->view.n, 24);
    assert_int_equal(mo_weights_n_extra(w), 0);
    mo_weights_free(w);
}

static void towers_with_a_class_token_are_bound(void **state)
{
    (void)state;
    class_tokens_are_bound(MO_VIT_PE, &mo_timm_pe_names);
    class_tokens_are_bound(MO_VIT_TIMM, &mo_timm_clip_names);
}

/* A tensor of these whose dimension of 1 is missing, or that has one too many. */
static void shapes_are_those_that_are_stored(void **state)
{
    (void)state;
    const mo_config c = siglip_config();
    const char *path = test_path("led.safetensors");
    mo_naming none = mo_timm_siglip_names;
    none.n_led = 0;
    siglip_write(path, &c, &none, 5);
    mo_weights *w = tower_open(path);
    assert_fails(mo_weights_bind(w, &c, &mo_timm_siglip_names), MOPD_E_MISMATCH,
        "tensor visual.trunk.pos_embed has shape [9, 24]; the configuration says [1, 9, 24]");
    mo_weights_free(w);
}

static float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

static void sigmoids_are_of_each_class_alone(void **state)
{
    (void)state;
    mopd_encoder *e = folder_open(folder, 1);
    mopd_bank *bank, *one, *kept, *tuned;
    float texts[C * DIM], x[DIM], logits[C], s[C], alone, again[C], p[C];
    encode(e, texts, x);
    assert_ok(mopd_bank_create(&bank, e, classes, C, NULL, 0));
    assert_true(mopd_bank_logit_bias(bank) == -1.5f);
    assert_ok(mopd_bank_logits(bank, x, 1, logits));
    assert_ok(mopd_bank_sigmoids(bank, x, 1, s));
    for (int c = 0; c < C; c++) assert_true(fabsf(s[c] - sigmoid(logits[c] - 1.5f)) < 1e-6f);
    assert_ok(mopd_bank_probabilities(bank, x, 1, p)); /* the default stays a softmax */
    assert_true(fabsf(p[0] + p[1] + p[2] - 1) < 1e-5f);
    assert_ok(mopd_bank_create(&one, e, classes + 1, 1, NULL, 0));
    assert_ok(mopd_bank_sigmoids(one, x, 1, &alone));
    assert_true(alone == s[1]); /* company does not count */
    assert_ok(mopd_bank_save(bank, test_path("bank.safetensors")));
    assert_ok(mopd_bank_open(&kept, test_path("bank.safetensors"), e));
    assert_ok(mopd_bank_sigmoids(kept, x, 1, again));
    assert_memory_equal(s, again, sizeof s);
    assert_ok(mopd_bank_create_calibrated(&tuned, bank, x, &(int32_t){1}, 1));
    const float t = mopd_bank_logit_scale(bank) / mopd_bank_logit_scale(tuned);
    assert_true(fabsf(mopd_bank_logit_bias(tuned) * t + 1.5f) < 1e-4f); /* where 0.5 is stays where it was */
    mopd_bank_free(tuned);
    mopd_bank_free(kept);
    mopd_bank_free(one);
    mopd_bank_free(bank);
    mo_encoder_close(e);
}

static void banks_without_a_bias_say_so(void **state)
{
    (void)state;
    mopd_encoder *clip = folder_open(FOLDERS_GOLD "hf", 1);
    mopd_bank *bank, *given;
    float x[12] = {1}, s[C];
    mopd_encoder_info info = {.struct_size = sizeof info};
    assert_ok(mopd_encoder_get_info(clip, &info));
    assert_true(info.has_logit_bias == 0 && info.logit_bias == 0);
    assert_ok(mopd_bank_create(&bank, clip, classes, C, NULL, 0));
    assert_true(isnan(mopd_bank_logit_bias(bank)));
    assert_fails(mopd_bank_sigmoids(bank, x, 1, s), MOPD_E_UNSUPPORTED, "this bank has no logit bias");
    assert_ok(mopd_bank_create_features(&given, classes, C, mopd_bank_features(bank), 12, 10));
    assert_fails(mopd_bank_sigmoids(given, x, 1, s), MOPD_E_UNSUPPORTED, "this bank has no logit bias");
    mopd_bank_free(given);
    mopd_bank_free(bank);
    mo_encoder_close(clip);
}

/* Heads in closed form, and prompts through the tower without a mask. */
static void heads_are_fitted_and_prompts_are_learned(void **state)
{
    (void)state;
    enum { N = 12 };
    mopd_encoder *e = folder_open(folder, 2);
    float x[N * DIM];
    int32_t labels[N];
    test_random(x, N * DIM, 4);
    for (int i = 0; i < N; i++) {
        labels[i] = i % C;
        x[i * DIM + i % C] += 6;
    }
    assert_ok(mo_encoder_normalise(x, N, DIM, "row"));
    mopd_recognizer *r;
    mopd_match best;
    assert_ok(mopd_recognizer_create(&r, e, classes, C, x, labels, N, NULL));
    for (int i = 0; i < N; i++) {
        assert_ok(mopd_recognizer_top(r, x + i * DIM, 1, 1, &best));
        assert_int_equal(best.index, labels[i]);
    }
    mopd_recognizer_close(r);
    mopd_trainer *t;
    mopd_bank *bank;
    assert_ok(mopd_trainer_create(&t, e, classes, C, NULL));
    assert_ok(mopd_bank_create_trainer(&bank, t, NULL, 0));
    assert_true(mopd_bank_logit_bias(bank) == -1.5f);
    mopd_bank_free(bank);
    mopd_trainer_free(t);
    mo_encoder_close(e);
}

/* Many texts go through in calls of bounded size; each has the bits that it has alone. */
static void many_texts_are_as_few(void **state)
{
    (void)state;
    enum { N = 300 };
    mopd_encoder *e = folder_open(folder, 2);
    static float all[N * DIM];
    float one[DIM];
    static char words[N][16];
    const char *texts[N];
    for (int i = 0; i < N; i++) {
        snprintf(words[i], sizeof words[i], "cat %d", i % 290);
        texts[i] = words[i];
    }
    assert_ok(mo_encoder_texts(e, texts, N, all, NULL));
    for (int i = 0; i < N; i += 41) {
        assert_ok(mo_encoder_texts(e, texts + i, 1, one, NULL));
        assert_memory_equal(one, all + i * DIM, sizeof one);
    }
    mo_encoder_close(e);
}

static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    const mo_config c = siglip_config();
    const char *bad = folder_of("hf");
    char path[512];
    folder_join(path, bad, "model.safetensors");
    siglip_write(path, &c, &siglip_hf_names, 5);
    siglip_write_config(bad, &c);
    folder_edit(bad, "config.json", "\"vocab_size\":530", "\"vocab_size\":531");
    assert_fails(
        folder_try(bad), MOPD_E_MISMATCH, "text_model.embeddings.token_embedding.weight has shape [530, 20]");
    siglip_write_config(bad, &c);
    folder_edit(bad, "config.json", "\"projection_size\":24", "\"projection_size\":23");
    assert_fails(folder_try(bad), MOPD_E_MISMATCH, "features of width 23 from a vision tower of width 24");
    siglip_write_config(bad, &c);
    folder_edit(bad, "model.safetensors", "\"logit_bias\"", "\"logit_bia_\"");
    assert_fails(folder_try(bad), MOPD_E_MISMATCH, "tensor logit_bias is missing");
}

/* A pad that is seen must be known; a causal tower never sees one. */
static void a_pad_must_be_named(void **state)
{
    (void)state;
    const char *bad = siglip_folder(5);
    folder_write_text(bad, "tokenizer.json",
        "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"</s>\",0],[\"a\",-1]]}}");
    folder_write_text(bad, "tokenizer_config.json", "{\"eos_token\":\"</s>\"}");
    assert_fails(folder_try(bad), MOPD_E_UNSUPPORTED, "no pad token is named");
    folder_write_text(bad, "tokenizer_config.json", "{\"eos_token\":\"</s>\",\"pad_token\":\"<unk>\"}");
    mopd_encoder *e = folder_open(bad, 1);
    assert_int_equal(e->config.text.pad_id, 0);
    mo_encoder_close(e);
}

static void opening_survives_failing_memory(void **state)
{
    (void)state;
    test_torture(folder_torture, (void *)(uintptr_t)folder);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_opens_as_what_it_is),
        cmocka_unit_test(packed_and_pickled_it_is_the_same),
        cmocka_unit_test(timms_names_hold_the_same_weights),
        cmocka_unit_test(towers_with_a_class_token_are_bound),
        cmocka_unit_test(shapes_are_those_that_are_stored),
        cmocka_unit_test(sigmoids_are_of_each_class_alone),
        cmocka_unit_test(banks_without_a_bias_say_so),
        cmocka_unit_test(heads_are_fitted_and_prompts_are_learned),
        cmocka_unit_test(many_texts_are_as_few),
        cmocka_unit_test(numbers_that_are_none_are_refused),
        cmocka_unit_test(a_pad_must_be_named),
        cmocka_unit_test(opening_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
