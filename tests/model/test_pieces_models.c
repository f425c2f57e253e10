/* SPDX-License-Identifier: MIT
 * test_pieces_models.c - whole models with tokenizers of SentencePiece's kind: opened, cleaned as asked, packed and
 * opened again; MetaCLIP 2's end. */
#include "test.h"

#include "support/folders.h"

#define PIECES MOPD_TEST_DIR "/gold/pieces/"

/* The golden model with another tokenizer, whose end has the id `end`. */
static const char *model_with(const char *pieces, const char *end)
{
    static const char *const files[] = {"spiece.model", "tokenizer.json", "tokenizer_config.json"};
    char from[512], path[512], ends[40];
    const char *folder = folder_of("hf");
    folder_drop(folder, "vocab.json"), folder_drop(folder, "merges.txt"),
        folder_drop(folder, "tokenizer_config.json");
    snprintf(from, sizeof from, PIECES "%s", pieces);
    for (size_t i = 0; i < 3; i++) {
        folder_join(path, from, files[i]);
        if (mo_file_exists(path)) folder_copy(from, files[i], folder, files[i]);
    }
    snprintf(ends, sizeof ends, "\"eos_token_id\": %s", end);
    folder_edit(folder, "config.json", "\"eos_token_id\": 524", ends);
    return folder;
}

static mopd_encoder *open_with(const char *path, uint32_t flags)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1, .flags = flags};
    mopd_encoder *e = NULL;
    assert_ok(mo_encoder_open(&e, path, &o));
    return e;
}

static void assert_same_text(
    const mopd_encoder *a, const mopd_encoder *b, const char *text, const char *other)
{
    mo_tokens x = {0}, y = {0};
    float p[12], q[12];
    assert_ok(mo_encoder_tokens(a, text, &x));
    assert_ok(mo_encoder_tokens(b, other, &y));
    if (x.n != y.n || memcmp(x.id, y.id, x.n * sizeof *x.id) != 0)
        fail_msg("\"%s\" is not \"%s\"", text, other);
    assert_ok(mo_encoder_texts(a, (const char *const[]){text}, 1, p, NULL));
    assert_ok(mo_encoder_texts(b, (const char *const[]){other}, 1, q, NULL));
    assert_memory_equal(p, q, sizeof p);
    mo_mem_free(x.id);
    mo_mem_free(y.id);
}

static void packed_models_keep_their_tokenizer(void **state)
{
    (void)state;
    static const char *const kinds[] = {"siglip", "t5"};
    for (size_t i = 0; i < 2; i++) {
        mopd_encoder *e = folder_open(model_with(kinds[i], "1"), 1), *packed;
        const char *file = test_path(kinds[i]);
        assert_int_equal(e->config.dim, 12);
        assert_ok(mo_pack_encoder(e, file, MO_F32, false));
        packed = folder_open(file, 1);
        assert_string_equal(packed->fingerprint, e->fingerprint);
        assert_false(mo_tokenizer_has_start(packed->tokenizer));
        assert_same_text(
            e, packed, "A Photo of a \xe2\x96\x81 cat</s>.", "A Photo of a \xe2\x96\x81 cat</s>.");
        mo_encoder_close(e);
        mo_encoder_close(packed);
    }
}

/* With such a tokenizer CLEAN means open_clip's canonical form, which a packed file keeps. */
static void cleaning_is_open_clips_when_asked_for(void **state)
{
    (void)state;
    const char *folder = model_with("t5", "1"), *file = test_path("clean");
    mopd_encoder *plain = open_with(folder, 0), *clean = open_with(folder, MOPD_TEXT_CLEAN), *packed, *as_is;
    assert_int_equal(plain->cleaning, MO_CLEANING_TRANSFORMERS);
    assert_int_equal(clean->cleaning, MO_CLEANING_CANONICAL_IN_OPEN_CLIP);
    assert_same_text(clean, plain, "Tabby_Cat &amp; co.", "tabby cat co");
    assert_ok(mo_pack_encoder(clean, file, MO_F32, false));
    packed = open_with(file, 0);
    as_is = open_with(file, MOPD_TEXT_AS_IS);
    assert_same_text(packed, plain, "Tabby_Cat", "tabby cat");
    assert_same_text(as_is, plain, "Tabby_Cat", "Tabby_Cat");
    mo_encoder_close(plain), mo_encoder_close(clean), mo_encoder_close(packed), mo_encoder_close(as_is);
}

/* {"clean": word} beside hf_tokenizer_name. */
static mo_cleaning open_clip_with(const char *text_cfg)
{
    char to[200];
    const char *folder = folder_of("openclip");
    snprintf(to, sizeof to, "%s\"context_length\"", text_cfg);
    folder_edit(folder, "open_clip_config.json", "\"context_length\"", to);
    mopd_encoder *e = folder_open(folder, 1);
    const mo_cleaning cleaning = e->cleaning;
    mo_encoder_close(e);
    return cleaning;
}

static void open_clip_says_how_texts_are_cleaned(void **state)
{
    (void)state;
#define HF "\"hf_tokenizer_name\":\"x\","
#define KWARGS(word) "\"tokenizer_kwargs\":{\"clean\":\"" word "\"},"
    assert_int_equal(open_clip_with(""), MO_CLEANING_OPEN_CLIP);
    assert_int_equal(open_clip_with(KWARGS("lower")), MO_CLEANING_OPEN_CLIP);
    assert_int_equal(open_clip_with(HF), MO_CLEANING_HF_IN_OPEN_CLIP);
    assert_int_equal(open_clip_with(HF KWARGS("whitespace")), MO_CLEANING_HF_IN_OPEN_CLIP);
    assert_int_equal(open_clip_with(HF KWARGS("lower")), MO_CLEANING_LOWER_IN_OPEN_CLIP);
    assert_int_equal(open_clip_with(HF KWARGS("canonicalize")), MO_CLEANING_CANONICAL_IN_OPEN_CLIP);
}

static const char *metaclip(void)
{
    const char *folder = model_with("xlm", "2");
    folder_edit(folder, "config.json", "\"clip\"", "\"metaclip_2\"");
    folder_edit(folder, "config.json", "\"clip_text_model\"", "\"metaclip_2_text_model\"");
    folder_edit(folder, "config.json", "\"clip_vision_model\"", "\"metaclip_2_vision_model\"");
    return folder;
}

/* The first token 2 is the end, whatever larger ids there are: with CLIP's own rule the largest would be. */
static void metaclip_2_reads_the_first_end(void **state)
{
    (void)state;
    mopd_encoder *e = folder_open(metaclip(), 1);
    float p[12], q[12];
    const char *text = "a cat</s> of the sea", *head = "a cat";
    assert_int_equal(e->config.text.end_rule, MO_END_FIRST);
    assert_int_equal(e->config.text.end_id, 2);
    assert_int_equal(mo_tokenizer_start(e->tokenizer), 0);
    assert_ok(mo_encoder_texts(e, &text, 1, p, NULL));
    assert_ok(mo_encoder_texts(e, &head, 1, q, NULL));
    assert_memory_equal(p, q, sizeof p);
    mo_encoder_close(e);
    assert_int_equal(folder_try(model_with("xlm", "3")), MOPD_E_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_models_keep_their_tokenizer),
        cmocka_unit_test(cleaning_is_open_clips_when_asked_for),
        cmocka_unit_test(open_clip_says_how_texts_are_cleaned),
        cmocka_unit_test(metaclip_2_reads_the_first_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
