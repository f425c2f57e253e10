/* SPDX-License-Identifier: MIT
 * test_layouts.c - every layout: which paths it takes for its own, what it opens, and which file it misses. */
#include "test.h"

#include "model/layouts/layouts.h"
#include "support/folders.h"

/* The same model as the golden one, to the fingerprint. */
static void assert_same_model(const char *path, const char *model)
{
    char gold[600];
    snprintf(gold, sizeof gold, FOLDERS_GOLD "%s", model);
    mopd_encoder *want = folder_open(gold, 1), *got = folder_open(path, 1);
    assert_string_equal(got->fingerprint, want->fingerprint);
    assert_string_equal(got->layout, want->layout);
    float a[16], b[16];
    static const char *const text[] = {"a photo of a cat."};
    assert_ok(mo_encoder_texts(want, text, 1, a, NULL));
    assert_ok(mo_encoder_texts(got, text, 1, b, NULL));
    assert_memory_equal(a, b, want->config.dim * sizeof *a);
    mo_encoder_close(got);
    mo_encoder_close(want);
}

/* ---- which layout ---- */

static const char *layout_at(const char *path)
{
    const mo_layout *layout;
    assert_ok(mo_layouts_find(&layout, path));
    return layout->name;
}

static void every_golden_model_has_its_layout(void **state)
{
    (void)state;
    char packed[512];
    mopd_encoder *e = folder_open(FOLDERS_GOLD "hf", 1);
    snprintf(packed, sizeof packed, "%s", test_path("packed.safetensors"));
    assert_ok(mo_pack_encoder(e, packed, MO_F32, false));
    mo_encoder_close(e);
    const char *const cases[][2] = {{FOLDERS_GOLD "hf", "huggingface"},
        {FOLDERS_GOLD "openclip", "open_clip"}, {FOLDERS_GOLD "locked", "locked-tower"},
        {FOLDERS_GOLD "openai/tiny.pt", "openai"}, {packed, "packed"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(layout_at(cases[i][0]), cases[i][1]);
        e = folder_open(cases[i][0], 1);
        assert_string_equal(e->layout, cases[i][1]);
        mo_encoder_close(e);
    }
}

/* Files of nothing: a folder's layout goes by names alone. */
static void folders_are_told_by_their_files(void **state)
{
    (void)state;
    static const struct {
        const char *files[4], *layout;
    } cases[] = {
        {{"config.json"}, "huggingface"},
        {{"config.json", "pytorch_model.bin"}, "huggingface"},
        {{"config.json", "text_config.json"}, "huggingface"},
        {{"config.json", "model.safetensors", "open_clip_config.json"}, "huggingface"},
        {{"config.json", "model.safetensors.index.json", "open_clip_config.json"}, "huggingface"},
        {{"config.json", "open_clip_config.json"}, "open_clip"},
        {{"config.json", "pytorch_model.bin", "open_clip_config.json"}, "open_clip"},
        {{"open_clip_config.json"}, "open_clip"},
        {{"open_clip_config.json", "model.safetensors"}, "open_clip"},
        {{"text_config.json", "open_clip_config.json"}, "open_clip"},
        {{"text_config.json"}, "locked-tower"},
        {{"text_config.json", "model.safetensors"}, "locked-tower"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = folder_make();
        for (int k = 0; k < 4 && cases[i].files[k]; k++) folder_write_text(folder, cases[i].files[k], "");
        if (!strncmp(cases[i].files[0], "config", 6))
            folder_write_text(folder, "config.json", "{\"model_type\": \"clip\"}");
        if (strcmp(layout_at(folder), cases[i].layout) != 0)
            fail_msg("case %zu is taken for %s", i, layout_at(folder));
    }
}

/* timm's folders hold a config.json of timm's and the image tower alone beside a whole open_clip model. */
static void a_configuration_of_timm_is_not_transformers(void **state)
{
    (void)state;
    static const char timm[] = "{\"architecture\": \"vit_base_patch16_clip_224\", \"num_classes\": 512}";
    const char *folder = folder_of("openclip");
    folder_write_text(folder, "config.json", timm);
    folder_write_text(folder, "model.safetensors", "the image tower");
    assert_string_equal(layout_at(folder), "open_clip");
    assert_same_model(folder, "openclip");
    folder_drop(folder, "open_clip_config.json");
    assert_string_equal(layout_at(folder), "huggingface");
    assert_fails(folder_try(folder), MOPD_E_UNSUPPORTED,
        "config.json: key \"model_type\" is missing: no model of transformers; timm's "
        "\"vit_base_patch16_clip_224\" is an image tower alone");
}

/* ---- the cache of Hugging Face's hub ---- */

static void folder_link(const char *folder, const char *name, const char *to)
{
    char path[512];
    folder_join(path, folder, name);
    assert_int_equal(symlink(to, path), 0);
}

static const char *folder_in(char path[512], const char *folder, const char *name)
{
    folder_join(path, folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

static void a_cache_of_the_hub_opens(void **state)
{
    (void)state;
    static const char *const files[] = {
        "config.json", "model.safetensors", "preprocessor_config.json", "vocab.json", "merges.txt"};
    const char *cache = folder_make();
    char snapshots[512], snapshot[512], blobs[512], refs[512], other[512], link[600];
    folder_in(snapshots, cache, "snapshots");
    assert_fails(
        folder_try(cache), MOPD_E_IO, "/snapshots: a cache of Hugging Face's hub without a snapshot");
    folder_in(snapshot, snapshots, "0123abcd");
    folder_in(blobs, cache, "blobs");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        folder_copy(FOLDERS_GOLD "hf", files[i], blobs, files[i]);
        snprintf(link, sizeof link, "../../blobs/%s", files[i]);
        folder_link(snapshot, files[i], link);
    }
    assert_same_model(cache, "hf");
    assert_same_model(snapshot, "hf");
    folder_in(other, snapshots, "99");
    assert_fails(folder_try(cache), MOPD_E_FORMAT, "0123abcd or 99: refs/main names neither");
    folder_in(refs, cache, "refs");
    folder_write_text(refs, "main", "0123abcd\n");
    assert_same_model(cache, "hf");
    folder_write_text(refs, "main", "../blobs");
    assert_fails(folder_try(cache), MOPD_E_FORMAT, "refs/main names neither");
    char *json;
    folder_write_text(refs, "main", "0123abcd");
    assert_ok(mo_describe_file(cache, &json));
    assert_non_null(strstr(json, "snapshots/0123abcd\""));
    mo_mem_free(json);
}

static void a_folder_of_no_model_says_what_is_looked_for(void **state)
{
    (void)state;
    const mo_layout *layout = &mo_layout_hf;
    const char *folder = folder_make();
    folder_write_text(folder, "model.safetensors", "");
    assert_fails(mo_layouts_find(&layout, folder), MOPD_E_IO,
        ": no model here: none of config.json (Hugging Face), open_clip_config.json (open_clip), "
        "text_config.json (locked tower)");
    assert_non_null(strstr(mopd_last_error(), folder));
    assert_null(layout);
    assert_fails(mo_layouts_find(&layout, "/nowhere/at/all"), MOPD_E_IO, "/nowhere/at/all");
    assert_null(layout);
}

/* The first bytes decide; a safetensors header of 128 bytes begins with the byte of a pickle. */
static void files_are_told_by_their_first_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *layout;
    } cases[] = {
        {"PK\3\4and so on", 13, "openai"},
        {"\x80\2\x8a", 3, "openai"},
        {"PK", 2, "openai"},
        {"\x80\0\0\0\0\0\0\0{\"a\"", 12, "packed"},
        {"PK\0\0\0\0\0\0{}", 10, "packed"},
        {"\x80\0\0\0\0\0\0\0[]", 10, "openai"},
        {"text", 4, "packed"},
        {"", 0, "packed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = test_write("first-bytes", cases[i].bytes, cases[i].n);
        if (strcmp(layout_at(path), cases[i].layout) != 0)
            fail_msg("case %zu is taken for %s", i, layout_at(path));
    }
}

static mopd_status find_in_folder(void *path)
{
    const mo_layout *layout;
    return mo_layouts_find(&layout, path);
}

static void looking_survives_failing_memory(void **state)
{
    (void)state;
    static char folder[] = FOLDERS_GOLD "locked", file[] = FOLDERS_GOLD "openai/tiny.pt";
    test_torture(find_in_folder, folder);
    test_torture(find_in_folder, file);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

/* ---- the files of each ---- */

static void missing_files_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *model, *file, *words;
    } missing[] = {
        {"hf", "model.safetensors", "/model.safetensors: cannot open"},
        {"hf", "preprocessor_config.json", "/preprocessor_config.json: cannot open"},
        {"hf", "config.json", "config.json (Hugging Face)"},
        {"hf", "vocab.json", "vocab.json"},
        {"hf", "merges.txt", "merges.txt"},
        {"openclip", "open_clip_config.json", "no model here"},
        {"openclip", "open_clip_model.safetensors", "/open_clip_model.safetensors: cannot open"},
        {"openclip", "vocab.json", "vocab.json"},
        {"locked", "text_config.json", "no model here"},
        {"locked", "text.safetensors", "/text.safetensors: cannot open"},
        {"locked", "projection.safetensors", "/projection.safetensors: cannot open"},
        {"locked", "efficientnet-lite0-tiny.pth", "/efficientnet-lite*.pth: no such file"},
        {"locked", "vocab.json", "vocab.json"},
    };
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        const char *path = folder_of(missing[i].model);
        folder_drop(path, "golden.safetensors");
        folder_drop(path, missing[i].file);
        assert_fails(folder_try(path), MOPD_E_IO, missing[i].words);
        assert_non_null(strstr(mopd_last_error(), path));
    }
    char path[512];
    const char *openai = folder_of("openai");
    folder_drop(openai, "bpe_simple_vocab_16e6.txt.gz");
    folder_join(path, openai, "tiny.pt");
    assert_fails(folder_try(path), MOPD_E_IO, "bpe_simple_vocab_16e6.txt.gz");
    assert_fails(folder_try(test_path("nowhere")), MOPD_E_IO, "nowhere");
}

/* A checkpoint, a text, another file of this library: none is a model, and each says why. */
static void other_files_are_no_models(void **state)
{
    (void)state;
    assert_fails(folder_try(MOPD_TEST_DIR "/gold/torch_zip.pt"), MOPD_E_FORMAT, "no CLIP checkpoint");
    assert_fails(folder_try(MOPD_TEST_DIR "/gold/torch_evil.pt"), MOPD_E_FORMAT, "posix.system");
    assert_fails(folder_try(FOLDERS_GOLD "hf/model.safetensors"), MOPD_E_FORMAT,
        "no packed model: metadata mopd.kind is missing (mopd pack writes it); weights alone, ");
    assert_non_null(strstr(mopd_last_error(), "give the folder that holds them beside config.json"));
    assert_fails(folder_try(FOLDERS_GOLD "hf/config.json"), MOPD_E_FORMAT,
        "config.json: a text of JSON: give the folder");
    assert_fails(folder_try(test_write("text.txt", "hello, world\n", 13)), MOPD_E_FORMAT,
        "text.txt: a text, where weights are wanted");
    assert_fails(folder_try(test_write("empty", "", 0)), MOPD_E_FORMAT, "0 bytes are too short");
    assert_fails(folder_try(test_write("zip", "PK\3\4", 4)), MOPD_E_FORMAT, "zip");
    mo_safetensors_writer *w;
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_meta(w, "mopd.kind", "prompt"));
    assert_ok(mo_safetensors_writer_begin(w, test_path("prompt.safetensors")));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    assert_fails(folder_try(test_path("prompt.safetensors")), MOPD_E_FORMAT, "is a prompt, not a model");
}

/* Files of other programs, given alone or standing where weights should. */
static void files_of_other_kinds_say_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 605247071\n", MOPD_E_FORMAT,
            "a pointer of Git LFS, not the file itself: git lfs pull fetches it"},
        {"GGUF\3\1\1\1and so on", MOPD_E_UNSUPPORTED, "a GGUF file, which is not read"},
        {"\x89HDF\r\n\x1a\nand so on", MOPD_E_UNSUPPORTED, "an HDF5 file of TensorFlow's"},
        {"<!DOCTYPE html><html>", MOPD_E_FORMAT, "an HTML page, as a failed download leaves it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *alone = test_write("alone", cases[i].bytes, strlen(cases[i].bytes));
        assert_fails(folder_try(alone), cases[i].st, cases[i].words);
        static const char *const names[][2] = {{"hf", "model.safetensors"}, {"hf", "pytorch_model.bin"},
            {"openclip", "open_clip_model.safetensors"}};
        for (size_t k = 0; k < 3; k++) {
            const char *folder = folder_of(names[k][0]);
            if (k == 1) folder_drop(folder, "model.safetensors");
            folder_write_text(folder, names[k][1], cases[i].bytes);
            assert_fails(folder_try(folder), cases[i].st, cases[i].words);
            assert_non_null(strstr(mopd_last_error(), names[k][1]));
        }
    }
}

static void folders_of_other_kinds_say_what_they_are(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"adapter_config.json", "; adapter_config.json is there: an adapter of PEFT: merge it"},
        {"model_index.json", "a pipeline of diffusers"},
        {"spiece.model", "a tokenizer (SentencePiece's) without a model"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = folder_make();
        folder_write_text(folder, cases[i][0], "{}");
        assert_fails(folder_try(folder), MOPD_E_IO, cases[i][1]);
    }
}

/* As open_clip's .bin: OpenAI's tensors, any activation. */
static void state_dicts_of_others_are_not_taken_for_openai(void **state)
{
    (void)state;
    assert_fails(
        folder_try(FOLDERS_GOLD "openai/not_openai.bin"), MOPD_E_UNSUPPORTED, "open_clip_config.json");
    assert_non_null(strstr(mopd_last_error(), "input_resolution is missing"));
}

/* ---- how texts are taken ---- */

static void assert_ids(const mopd_encoder *e, const char *text, const char *as, bool same)
{
    mo_tokens a = {0}, b = {0};
    assert_ok(mo_encoder_tokens(e, text, &a));
    assert_ok(mo_encoder_tokens(e, as, &b));
    const bool equal = a.n == b.n && !memcmp(a.id, b.id, a.n * sizeof *a.id);
    if (equal != same)
        fail_msg("%s: \"%s\" and \"%s\" %s", e->layout, text, as, same ? "differ" : "are the same");
    mo_mem_free(a.id);
    mo_mem_free(b.id);
}

static mopd_encoder *open_with(const char *path, uint32_t flags)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1, .flags = flags};
    mopd_encoder *e = NULL;
    assert_ok(mo_encoder_open(&e, path, &o));
    return e;
}

/* Curly apostrophes, entities and each program's way of writing the special tokens. */
static void texts_are_taken_as_each_layouts_users_get_them(void **state)
{
    (void)state;
    static const char curly[] = "men\xe2\x80\x99s", straight[] = "men's", entity[] = "a &amp; b",
                      plain[] = "a & b";
    static const struct {
        const char *path;
        uint32_t flags;
        const char *name;
        bool quotes, entities;
    } cases[] = {
        {FOLDERS_GOLD "hf", 0, "transformers", false, false},
        {FOLDERS_GOLD "hf", MOPD_TEXT_CLEAN, "openai", true, true},
        {FOLDERS_GOLD "openclip", 0, "open_clip", true, true},
        {FOLDERS_GOLD "openclip", MOPD_TEXT_CLEAN, "open_clip", true, true},
        {FOLDERS_GOLD "openclip", MOPD_TEXT_AS_IS, "transformers", false, false},
        {FOLDERS_GOLD "openai/tiny.pt", 0, "openai", true, true},
        {FOLDERS_GOLD "openai/tiny.pt", MOPD_TEXT_AS_IS, "transformers", false, false},
        {FOLDERS_GOLD "locked", 0, "apostrophes", true, false},
        {FOLDERS_GOLD "locked", MOPD_TEXT_CLEAN, "openai", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mopd_encoder *e = open_with(cases[i].path, cases[i].flags), *packed;
        assert_ok(mo_pack_encoder(e, test_path("packed.safetensors"), MO_F32, false));
        packed = open_with(test_path("packed.safetensors"), 0);
        for (int k = 0; k < 2; k++) {
            const mopd_encoder *any = k ? packed : e;
            assert_string_equal(mo_tokenizer_cleaning_name(any->cleaning), cases[i].name);
            assert_ids(any, curly, straight, cases[i].quotes);
            assert_ids(any, entity, plain, cases[i].entities);
        }
        mo_encoder_close(packed);
        mo_encoder_close(e);
    }
    mopd_encoder *e = open_with(FOLDERS_GOLD "openai/tiny.pt", 0);
    mo_tokens t = {0};
    assert_ok(mo_encoder_tokens(e, "<|EndOfText|>", &t));
    assert_int_equal(t.n, 3);
    assert_int_equal(t.id[1], mo_tokenizer_end(e->tokenizer));
    mo_encoder_close(e);
    t.n = 0;
    e = open_with(FOLDERS_GOLD "openclip", 0);
    assert_ok(mo_encoder_tokens(e, "<start_of_text>", &t));
    assert_int_equal(t.n, 3);
    assert_int_equal(t.id[1], mo_tokenizer_start(e->tokenizer));
    mo_encoder_close(e);
    mo_mem_free(t.id);
}

/* A folder that names a tokenizer of Hugging Face's is cleaned in its own case and then read by that. */
static void named_tokenizers_get_cleaned_text(void **state)
{
    (void)state;
    const char *folder = folder_of("openclip");
    folder_edit(folder, "open_clip_config.json", "\"context_length\"",
        "\"hf_tokenizer_name\": \"openai/clip\", \"context_length\"");
    mopd_encoder *e = folder_open(folder, 1);
    assert_int_equal(e->cleaning, MO_CLEANING_HF_IN_OPEN_CLIP);
    assert_ids(e, "A &amp; B", "a & b", true);
    mo_encoder_close(e);
}

/* ---- weights in other files ---- */

static mo_tensors *weights_of(const char *folder, const char *file)
{
    char path[512];
    mo_tensors *t;
    folder_join(path, folder, file);
    assert_ok(mo_safetensors_open(&t, path, true));
    return t;
}

/* Folders whose weights are PyTorch's are the same models. */
static void weights_of_pytorch_open_as_well(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{"hf", "model.safetensors", "pytorch_model.bin"},
        {"hf-largest", "model.safetensors", "pytorch_model.bin"},
        {"openclip", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = folder_of(cases[i][0]);
        mo_tensors *t = weights_of(folder, cases[i][1]);
        folder_drop(folder, cases[i][1]);
        folder_write_torch(folder, cases[i][2], t, NULL);
        mo_tensors_close(t);
        assert_same_model(folder, cases[i][0]);
        folder_cut(folder, cases[i][2], 9000);
        assert_fails(folder_try(folder), MOPD_E_FORMAT, cases[i][2]);
    }
}

/* Safetensors go before PyTorch files, a whole file before a list of its parts. */
static void the_first_file_of_weights_is_taken(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"hf", "model.safetensors.index.json"},
        {"hf", "pytorch_model.bin"}, {"openclip", "open_clip_pytorch_model.safetensors"},
        {"openclip", "open_clip_pytorch_model.bin"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = folder_of(cases[i][0]);
        folder_write_text(folder, cases[i][1], "not to be read");
        assert_same_model(folder, cases[i][0]);
    }
    const char *folder = folder_of("openclip");
    folder_rename(folder, "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors");
    assert_same_model(folder, "openclip");
}

/* open_clip's configuration, written by hand beside a file of any name. */
static void one_file_of_any_name_is_the_weights(void **state)
{
    (void)state;
    static const char *const names[] = {"RemoteCLIP-ViT-B-32.pt", "RS5M.pth", "x.bin", "x.safetensors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *folder = folder_of("openclip");
        folder_drop(folder, "golden.safetensors");
        folder_rename(folder, "open_clip_model.safetensors", names[i]);
        assert_same_model(folder, "openclip");
        folder_write_text(folder, "y.pt", "");
        assert_fails(
            folder_try(folder), MOPD_E_FORMAT, "y.pt: give the file that holds the weights the name");
    }
}

static void weights_of_others_are_spoken_of(void **state)
{
    (void)state;
    const char *folder = folder_of("hf");
    folder_drop(folder, "model.safetensors");
    folder_write_text(folder, "tf_model.h5", "");
    assert_fails(folder_try(folder), MOPD_E_IO,
        "/model.safetensors: cannot open: no such file, nor model.safetensors.index.json, pytorch_model.bin, "
        "pytorch_model.bin.index.json; tf_model.h5 is there, which is not read: PyTorch's weights are "
        "wanted");
}

/* ---- checkpoints of a training ---- */

static const char *before;

static const char *wrapped(const char *name)
{
    static char whole[200];
    snprintf(whole, sizeof whole, "%s%s", before, name);
    return whole;
}

/* Names with words before them are the same model, whichever file and layout. */
static void wrapped_weights_are_the_same_model(void **state)
{
    (void)state;
    static const char *const words[] = {
        "module.", "_orig_mod.", "state_dict.", "model.", "state_dict.module."};
    static const char *const cases[][3] = {{"hf", "model.safetensors", "pytorch_model.bin"},
        {"openclip", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"}};
    for (size_t i = 0; i < 2 * sizeof words / sizeof *words; i++) {
        const char *const *c = cases[i % 2];
        const char *folder = folder_of(c[0]);
        mo_tensors *t = weights_of(folder, c[1]);
        before = words[i / 2];
        folder_write_safetensors(folder, c[1], t, wrapped);
        assert_same_model(folder, c[0]);
        folder_drop(folder, c[1]);
        folder_write_torch(folder, c[2], t, wrapped);
        assert_same_model(folder, c[0]);
        mo_tensors_close(t);
    }
}

/* What inspect says of tensors that nothing uses. */
static void tensors_beside_the_model_are_named(void **state)
{
    (void)state;
    const char *folder = folder_of("hf");
    mo_safetensors_writer *w;
    char path[512], *json;
    mo_tensors *t = weights_of(folder, "model.safetensors");
    before = "model.";
    folder_write_safetensors(folder, "a", t, wrapped);
    mo_tensors_close(t);
    folder_drop(folder, "model.safetensors");
    folder_join(path, folder, "b");
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_tensor(w, "optimizer.state.0.exp_avg", MO_F32, 0, NULL));
    assert_ok(mo_safetensors_writer_begin(w, path));
    assert_ok(mo_safetensors_writer_floats(w, &(float){1}, 1));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    folder_write_text(
        folder, "model.safetensors.index.json", "{\"weight_map\": {\"x\": \"a\", \"y\": \"b\"}}");
    assert_same_model(folder, "hf");
    assert_ok(mo_describe_file(folder, &json));
    assert_non_null(strstr(json,
        "\"tensor_prefix\":\"model.\",\"unused_tensors\":1,\"unused\":[\"optimizer.state.0.exp_avg\"]"));
    mo_mem_free(json);
}

static const char *of_text(const char *name)
{
    return strncmp(name, "text", 4) ? NULL : name;
}

static const char *not_of_text(const char *name)
{
    return strncmp(name, "text", 4) ? name : NULL;
}

typedef void (*write_fn)(const char *folder, const char *file, const mo_tensors *t, folder_rename_fn fn);

static void shards_are_one_model(void **state)
{
    (void)state;
    static const struct {
        write_fn write;
        const char *index;
    } cases[] = {{folder_write_safetensors, "model.safetensors.index.json"},
        {folder_write_torch, "pytorch_model.bin.index.json"}};
    static const char index[] =
        "{\"metadata\": {}, \"weight_map\": {\"logit_scale\": \"b\", \"x\": \"a\", \"y\": \"b\"}}";
    for (size_t i = 0; i < 2; i++) {
        const char *folder = folder_of("hf");
        mo_tensors *t = weights_of(folder, "model.safetensors");
        folder_drop(folder, "model.safetensors");
        cases[i].write(folder, "a", t, of_text);
        cases[i].write(folder, "b", t, not_of_text);
        folder_write_text(folder, cases[i].index, index);
        mo_tensors_close(t);
        assert_same_model(folder, "hf");
        folder_drop(folder, "a");
        assert_fails(folder_try(folder), MOPD_E_IO, "/a: cannot open");
        folder_edit(folder, cases[i].index, "\"x\": \"a\", ", "");
        assert_fails(folder_try(folder), MOPD_E_MISMATCH, "is missing");
    }
}

static void an_index_names_files_of_its_folder(void **state)
{
    (void)state;
    static const struct {
        const char *index, *words;
    } cases[] = {
        {"{\"weight_map\": {\"x\": \"../a\"}}", "weight_map: x: a file name expected"},
        {"{\"weight_map\": {\"x\": \"..\"}}", "weight_map: x: a file name expected"},
        {"{\"weight_map\": {\"x\": \"/etc/passwd\"}}", "weight_map: x: a file name expected"},
        {"{\"weight_map\": {\"x\": \"\"}}", "weight_map: x: a file name expected"},
        {"{\"weight_map\": {\"x\": 7}}", "weight_map: x: a file name expected"},
        {"{\"weight_map\": []}", "weight_map"},
        {"{}", "weight_map"},
        {"[", "model.safetensors.index.json"},
    };
    const char *folder = folder_of("hf");
    folder_drop(folder, "model.safetensors");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder_write_text(folder, "model.safetensors.index.json", cases[i].index);
        assert_fails(folder_try(folder), MOPD_E_FORMAT, cases[i].words);
    }
}

static const char *text_apart(const char *name)
{
    static char apart[200];
    bool text = strncmp(name, "visual.", 7) && strcmp(name, "logit_scale");
    snprintf(apart, sizeof apart, "%s%s", text ? "text." : "", name);
    return apart;
}

/* open_clip's CustomTextCLIP puts "text." before the text tower's names. */
static void text_towers_apart_are_the_same_model(void **state)
{
    (void)state;
    const char *folder = folder_of("openclip");
    mo_tensors *t = weights_of(folder, "open_clip_model.safetensors");
    folder_write_safetensors(folder, "open_clip_model.safetensors", t, text_apart);
    mo_tensors_close(t);
    assert_same_model(folder, "openclip");
    folder_edit(folder, "open_clip_model.safetensors", "text.ln_final.bias", "text.ln_final.bios");
    assert_fails(folder_try(folder), MOPD_E_MISMATCH, "text.ln_final.bias is missing");
}

static void transformers_may_join_the_processors(void **state)
{
    (void)state;
    const char *folder = folder_of("hf");
    char path[512];
    mo_buf own = {0}, joined = {0};
    folder_join(path, folder, "preprocessor_config.json");
    assert_ok(mo_file_read(&own, path, SIZE_MAX));
    assert_ok(mo_buf_addf(&joined, "{\"image_processor\": %s}", own.data));
    folder_write(folder, "processor_config.json", joined.data, joined.size);
    folder_write_text(folder, "preprocessor_config.json", "not JSON");
    assert_fails(folder_try(folder), MOPD_E_FORMAT, "preprocessor_config.json");
    folder_drop(folder, "preprocessor_config.json");
    assert_same_model(folder, "hf");
    folder_edit(folder, "processor_config.json", "image_processor", "image_prozessor");
    assert_fails(
        folder_try(folder), MOPD_E_FORMAT, "processor_config.json: key \"image_processor\" is missing");
    mo_buf_free(&own);
    mo_buf_free(&joined);
}

static void notes_recommend_a_rate(void **state)
{
    (void)state;
    static const struct {
        const char *notes;
        mopd_status st;
        double lr;
    } cases[] = {{"{}", MOPD_OK, 0}, {"{\"recommended_lr\": 0.25, \"more\": []}", MOPD_OK, 0.25},
        {"{\"recommended_lr\": 0}", MOPD_OK, 0}, {"{\"recommended_lr\": -1e-9}", MOPD_E_FORMAT, 0},
        {"{\"recommended_lr\": 1e6}", MOPD_E_FORMAT, 0}, {"{\"recommended_lr\": \"x\"}", MOPD_E_FORMAT, 0},
        {"no JSON", MOPD_E_FORMAT, 0}};
    const char *folder = folder_of("hf");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder_write_text(folder, "mopd.json", cases[i].notes);
        if (cases[i].st != MOPD_OK) {
            assert_fails(folder_try(folder), cases[i].st, "mopd.json");
            continue;
        }
        mopd_encoder *e = folder_open(folder, 1);
        assert_true(e->recommended_lr == (float)cases[i].lr);
        mo_encoder_close(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_model_has_its_layout),
        cmocka_unit_test(folders_are_told_by_their_files),
        cmocka_unit_test(a_configuration_of_timm_is_not_transformers),
        cmocka_unit_test(a_cache_of_the_hub_opens),
        cmocka_unit_test(a_folder_of_no_model_says_what_is_looked_for),
        cmocka_unit_test(files_are_told_by_their_first_bytes),
        cmocka_unit_test(looking_survives_failing_memory),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(other_files_are_no_models),
        cmocka_unit_test(files_of_other_kinds_say_what_they_are),
        cmocka_unit_test(folders_of_other_kinds_say_what_they_are),
        cmocka_unit_test(state_dicts_of_others_are_not_taken_for_openai),
        cmocka_unit_test(texts_are_taken_as_each_layouts_users_get_them),
        cmocka_unit_test(named_tokenizers_get_cleaned_text),
        cmocka_unit_test(weights_of_pytorch_open_as_well),
        cmocka_unit_test(the_first_file_of_weights_is_taken),
        cmocka_unit_test(one_file_of_any_name_is_the_weights),
        cmocka_unit_test(weights_of_others_are_spoken_of),
        cmocka_unit_test(wrapped_weights_are_the_same_model),
        cmocka_unit_test(tensors_beside_the_model_are_named),
        cmocka_unit_test(shards_are_one_model),
        cmocka_unit_test(an_index_names_files_of_its_folder),
        cmocka_unit_test(text_towers_apart_are_the_same_model),
        cmocka_unit_test(transformers_may_join_the_processors),
        cmocka_unit_test(notes_recommend_a_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
