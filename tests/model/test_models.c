/* SPDX-License-Identifier: MIT
 * test_models.c - models that lie, lack something or are not ours to run: each with its status and its
 * words. */
#define _GNU_SOURCE /* memmem */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "model/builtin.h"
#include "model/encoder.h"
#include "model/layouts/hf_config.h"
#include "format/safetensors.h"
#include "base/names.h"
#include "base/file.h"
#include "base/dtype.h"
#include "base/buf.h"
#include "base/mem.h"

#define GOLD MOPD_TEST_DIR "/gold/towers/"

static int n_copies;

/* A copy of a golden model in a folder of its own. */
static const char *copy_model(const char *name)
{
    char folder[64], from[512], file[128];
    mo_names names = {0};
    mo_buf bytes = {0};
    snprintf(folder, sizeof folder, "model-%d", n_copies++);
    const char *path = test_path(folder);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(from, sizeof from, GOLD "%s", name);
    assert_ok(mo_names_dir(&names, from));
    for (size_t i = 0; i < names.n; i++) {
        snprintf(from, sizeof from, GOLD "%s/%s", name, names.name[i]);
        snprintf(file, sizeof file, "%s/%s", folder, names.name[i]);
        assert_ok(mo_file_read(&bytes, from, SIZE_MAX));
        test_write(file, bytes.data, bytes.size);
    }
    mo_names_free(&names);
    mo_buf_free(&bytes);
    return path;
}

static void in(char path[512], const char *folder, const char *file)
{
    snprintf(path, 512, "%s/%s", folder, file);
}

static void write_whole(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f)) fail_msg("cannot write %s", path);
}

/* Replaces the first `from` in a file (of any bytes) by `to`. */
static void edit(const char *folder, const char *file, const char *from, const char *to)
{
    char path[512];
    mo_buf bytes = {0}, out = {0};
    in(path, folder, file);
    assert_ok(mo_file_read(&bytes, path, SIZE_MAX));
    char *at = memmem(bytes.data, bytes.size, from, strlen(from));
    if (!at) fail_msg("%s has no %s", path, from);
    size_t before = (size_t)(at - bytes.data), after = before + strlen(from);
    assert_ok(mo_buf_add(&out, bytes.data, before));
    assert_ok(mo_buf_adds(&out, to));
    assert_ok(mo_buf_add(&out, bytes.data + after, bytes.size - after));
    write_whole(path, out.data, out.size);
    mo_buf_free(&out);
    mo_buf_free(&bytes);
}

static void cut(const char *folder, const char *file, size_t n)
{
    char path[512];
    in(path, folder, file);
    assert_int_equal(truncate(path, (off_t)n), 0);
}

static void drop(const char *folder, const char *file)
{
    char path[512];
    in(path, folder, file);
    assert_int_equal(unlink(path), 0);
}

static mopd_status try_open(const char *path)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    mopd_encoder *e = (mopd_encoder *)&o;
    mopd_status st = mo_encoder_open(&e, path, &o);
    if (st != MOPD_OK && e) fail_msg("a failed open left a handle");
    mo_encoder_close(e);
    return st;
}

/* An edit of one golden model, and how opening the result fails. */
typedef struct lie {
    const char *model, *file, *from, *to;
    mopd_status st;
    const char *words;
} lie;

static const lie lies[] = {
    {"hf", "config.json", "\"hidden_act\": \"quick_gelu\"", "\"hidden_act\": \"relu\"", MOPD_E_UNSUPPORTED,
        "\"relu\""},
    {"hf", "config.json", "\"model_type\": \"clip\"", "\"model_type\": \"siglip\"", MOPD_E_UNSUPPORTED,
        "siglip"},
    {"hf", "config.json", "\"model_type\": \"clip_text_model\"", "\"model_type\": \"bert\"",
        MOPD_E_UNSUPPORTED, "bert"},
    {"hf", "config.json", "\"hidden_size\": 24", "\"hidden_size\": 30", MOPD_E_MISMATCH, "[525, 24]"},
    {"hf", "config.json", "\"hidden_size\": 24", "\"hidden_size\": 25", MOPD_E_FORMAT, "3 heads"},
    {"hf", "config.json", "\"hidden_size\": 24", "\"hidden_size\": \"24\"", MOPD_E_FORMAT, "hidden_size"},
    {"hf", "config.json", "\"hidden_size\": 24", "\"hidden_size\": -1", MOPD_E_FORMAT, "hidden_size"},
    {"hf", "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", MOPD_E_MISMATCH,
        "layers.1."},
    {"hf", "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", MOPD_E_MISMATCH,
        "layers.2."},
    {"hf", "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000000", MOPD_E_FORMAT,
        "2000000 layers"},
    {"hf", "config.json", "\"projection_dim\": 12", "\"projection_dim\": 13", MOPD_E_MISMATCH, "[12, 24]"},
    {"hf", "config.json", "\"eos_token_id\": 524", "\"eos_token_id\": [524]", MOPD_E_UNSUPPORTED,
        "eos_token_id"},
    {"hf", "config.json", "\"eos_token_id\": 524", "\"eos_token_id\": 7", MOPD_E_MISMATCH, "end token is 7"},
    {"hf", "config.json", "\"image_size\": 21", "\"image_size\": 22", MOPD_E_UNSUPPORTED,
        "no multiple of the patch"},
    {"hf", "config.json", "\"image_size\": 21", "\"image_size\": 28", MOPD_E_MISMATCH, "21 x 21 pixels"},
    {"hf", "config.json", "\"image_size\": 21", "\"image_size\": [21, 28]", MOPD_E_UNSUPPORTED, "square"},
    {"hf", "config.json", "\"num_channels\": 3", "\"num_channels\": 4", MOPD_E_UNSUPPORTED, "num_channels"},
    {"hf", "config.json", "\"vision_config\"", "\"vision_konfig\"", MOPD_E_FORMAT,
        "vision_config is missing"},
    {"hf", "config.json", "\"vision_config\"", "vision_config", MOPD_E_FORMAT, "line"},
    {"hf", "preprocessor_config.json", "CLIPImageProcessor", "ViTImageProcessor", MOPD_E_UNSUPPORTED,
        "ViTImageProcessor"},
    {"hf", "preprocessor_config.json", "\"resample\": 3", "\"resample\": 9", MOPD_E_UNSUPPORTED, "resample"},
    {"hf", "preprocessor_config.json", "\"do_convert_rgb\": true", "\"do_convert_rgb\": false",
        MOPD_E_UNSUPPORTED, "do_convert_rgb"},
    {"hf", "preprocessor_config.json", "{\"shortest_edge\": 21}", "{\"longest_edge\": 21}",
        MOPD_E_UNSUPPORTED, "size"},
    {"hf", "preprocessor_config.json", "\"do_center_crop\": true", "\"do_center_crop\": false", MOPD_E_FORMAT,
        "fixed size"},
    {"hf", "preprocessor_config.json", "[0.27, 0.26, 0.28]", "[0.27, 0.26]", MOPD_E_FORMAT, "image_std"},
    {"hf", "preprocessor_config.json", "[0.27, 0.26, 0.28]", "[0.27, 0.0, 0.28]", MOPD_E_FORMAT, "std"},
    {"hf", "model.safetensors", "\"shape\":[12,24]", "\"shape\":[24,12]", MOPD_E_MISMATCH,
        "[24, 12]; the configuration says [12, 24]"},
    {"hf", "model.safetensors", "vision_model.post_layernorm.bias", "vision_model.post_layernorm.bios",
        MOPD_E_MISMATCH, "post_layernorm.bias is missing"},
    {"hf", "model.safetensors", "\"dtype\":\"F32\",\"shape\":[12,24]", "\"dtype\":\"I32\",\"shape\":[12,24]",
        MOPD_E_UNSUPPORTED, "I32"},
    {"openclip", "open_clip_config.json", "\"layers\": 2", "\"layers\": [3, 4, 6, 3]", MOPD_E_UNSUPPORTED,
        "ModifiedResNet"},
    {"openclip", "open_clip_config.json", "\"image_size\": 21",
        "\"timm_model_name\": \"vit_base\", \"image_size\": 21", MOPD_E_UNSUPPORTED,
        "vision_cfg.timm_model_name \"vit_base\""},
    {"openclip", "open_clip_config.json", "\"image_size\": 21",
        "\"attentional_pool\": true, \"image_size\": 21", MOPD_E_UNSUPPORTED, "attentional_pool"},
    {"openclip", "open_clip_config.json", "\"image_size\": 21", "\"ls_init_value\": 0.1, \"image_size\": 21",
        MOPD_E_UNSUPPORTED, "ls_init_value"},
    {"openclip", "open_clip_config.json", "\"image_size\": 21", "\"pool_type\": \"avg\", \"image_size\": 21",
        MOPD_E_UNSUPPORTED, "vision_cfg.pool_type \"avg\""},
    {"openclip", "open_clip_config.json", "\"image_size\": 21", "\"no_ln_pre\": true, \"image_size\": 21",
        MOPD_E_UNSUPPORTED, "no_ln_pre"},
    {"openclip", "open_clip_config.json", "\"context_length\"",
        "\"hf_model_name\": \"roberta\", \"context_length\"", MOPD_E_UNSUPPORTED, "hf_model_name"},
    {"openclip", "open_clip_config.json", "\"context_length\"", "\"pool_type\": \"last\", \"context_length\"",
        MOPD_E_UNSUPPORTED, "pool_type \"last\""},
    {"openclip", "open_clip_config.json", "\"context_length\"",
        "\"act_kwargs\": {\"approximate\": \"tanh\"}, \"context_length\"", MOPD_E_UNSUPPORTED, "act_kwargs"},
    {"openclip", "open_clip_config.json", "\"context_length\"",
        "\"tokenizer_kwargs\": {\"clean\": \"canonicalize\"}, \"context_length\"", MOPD_E_UNSUPPORTED,
        "tokenizer_kwargs"},
    {"locked", "mopd.json", "0.05", "-1", MOPD_E_FORMAT, "recommended_lr is -1"},
    {"openclip", "open_clip_config.json", "\"preprocess_cfg\"", "\"preprocessing\"", MOPD_E_FORMAT,
        "preprocess_cfg"},
    {"openclip", "open_clip_config.json", "\"squash\"", "\"stretch\"", MOPD_E_UNSUPPORTED, "stretch"},
    {"openclip", "open_clip_config.json", "\"mlp_ratio\": 2.5", "\"mlp_ratio\": 3.0", MOPD_E_MISMATCH,
        "[40, 16]; the configuration says [48, 16]"},
    {"locked", "text_config.json", "\"hidden_act\": \"quick_gelu\"", "\"hidden_act\": \"silu\"",
        MOPD_E_UNSUPPORTED, "silu"},
    {"locked", "text_config.json", "\"projection_dim\": 12", "\"projection_dim\": 11", MOPD_E_MISMATCH,
        "[12, 24]"},
    {"locked", "projection.safetensors", "names.weight", "names.weighd", MOPD_E_MISMATCH,
        "names.weight is missing"},
    {"locked", "mopd.json", "0.05", "\"x\"", MOPD_E_FORMAT, "recommended_lr"},
};

static void models_that_lie_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const lie *l = &lies[i];
        const char *path = copy_model(l->model);
        edit(path, l->file, l->from, l->to);
        mopd_status st = try_open(path);
        if (st != l->st || !strstr(mopd_last_error(), l->words))
            fail_msg("%s, %s: %s -> %s: %s: %s", l->model, l->file, l->from, l->to, mopd_status_name(st),
                mopd_last_error());
    }
}

static void missing_files_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *model, *file, *words;
    } missing[] = {
        {"hf", "model.safetensors", "model.safetensors"},
        {"hf", "preprocessor_config.json", "preprocessor_config.json"},
        {"hf", "config.json", "config.json (Hugging Face)"},
        {"hf", "vocab.json", "vocab.json"},
        {"hf", "merges.txt", "merges.txt"},
        {"openclip", "open_clip_model.safetensors", "open_clip_model.safetensors"},
        {"openclip", "vocab.json", "vocab.json"},
        {"locked", "text.safetensors", "text.safetensors"},
        {"locked", "projection.safetensors", "projection.safetensors"},
        {"locked", "efficientnet-lite0-tiny.pth", "efficientnet-lite*.pth"},
    };
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        const char *path = copy_model(missing[i].model);
        drop(path, missing[i].file);
        assert_fails(try_open(path), MOPD_E_IO, missing[i].words);
    }
    char path[512];
    const char *openai = copy_model("openai");
    drop(openai, "bpe_simple_vocab_16e6.txt.gz");
    in(path, openai, "tiny.pt");
    assert_fails(try_open(path), MOPD_E_IO, "bpe_simple_vocab_16e6.txt.gz");
    assert_fails(try_open(test_path("nowhere")), MOPD_E_IO, "nowhere");
}

static void truncated_weights_are_refused(void **state)
{
    (void)state;
    const char *path = copy_model("hf");
    cut(path, "model.safetensors", 90000);
    assert_fails(try_open(path), MOPD_E_FORMAT, "model.safetensors");
    path = copy_model("hf");
    cut(path, "model.safetensors", 4);
    assert_fails(try_open(path), MOPD_E_FORMAT, "model.safetensors");
    path = copy_model("locked");
    cut(path, "efficientnet-lite0-tiny.pth", 60000);
    assert_fails(try_open(path), MOPD_E_FORMAT, "efficientnet-lite0-tiny.pth");
    char file[512];
    path = copy_model("openai");
    cut(path, "tiny.pt", 60000);
    in(file, path, "tiny.pt");
    assert_fails(try_open(file), MOPD_E_FORMAT, "tiny.pt");
}

static void overlapping_offsets_are_refused(void **state)
{
    (void)state;
    const char *path = copy_model("hf");
    edit(path, "model.safetensors", "\"data_offsets\":[4,", "\"data_offsets\":[0,");
    assert_fails(try_open(path), MOPD_E_FORMAT, "model.safetensors");
}

/* The weights in two files, one of which has a tensor too many. */
static void a_tensor_without_a_place_is_refused(void **state)
{
    (void)state;
    const char *path = copy_model("hf");
    char from[512], to[512];
    in(from, path, "model.safetensors");
    in(to, path, "a.safetensors");
    assert_int_equal(rename(from, to), 0);
    in(to, path, "model.safetensors.index.json");
    static const char index[] = "{\"weight_map\": {\"x\": \"a.safetensors\", \"y\": \"b.safetensors\"}}";
    write_whole(to, index, sizeof index - 1);
    mo_safetensors_writer *w;
    const float bias = -1;
    in(to, path, "b.safetensors");
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_tensor(w, "logit_bias", MO_F32, 0, NULL));
    assert_ok(mo_safetensors_writer_begin(w, to));
    assert_ok(mo_safetensors_writer_floats(w, &bias, 1));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    assert_fails(try_open(path), MOPD_E_UNSUPPORTED, "logit_bias");
    edit(path, "model.safetensors.index.json", "b.safetensors", "../b.safetensors");
    assert_fails(try_open(path), MOPD_E_FORMAT, "weight_map");
    edit(path, "model.safetensors.index.json", "../b.safetensors", "a.safetensors");
    assert_ok(try_open(path));
}

static void other_files_are_no_models(void **state)
{
    (void)state;
    assert_fails(try_open(MOPD_TEST_DIR "/gold/torch_zip.pt"), MOPD_E_FORMAT, "no CLIP checkpoint");
    assert_fails(try_open(GOLD "hf/model.safetensors"), MOPD_E_FORMAT, "mopd.kind");
    assert_fails(try_open(test_write("text.txt", "hello, world\n", 13)), MOPD_E_FORMAT, "text.txt");
    assert_fails(try_open(test_write("empty", "", 0)), MOPD_E_FORMAT, "empty");
    mo_safetensors_writer *w;
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_meta(w, "mopd.kind", "prompt"));
    assert_ok(mo_safetensors_writer_begin(w, test_path("prompt.safetensors")));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    assert_fails(try_open(test_path("prompt.safetensors")), MOPD_E_FORMAT, "is a prompt, not a model");
}

/* As open_clip's .bin: OpenAI's tensors, any activation. */
static void state_dicts_of_others_are_not_taken_for_openai(void **state)
{
    (void)state;
    assert_fails(try_open(GOLD "openai/not_openai.bin"), MOPD_E_UNSUPPORTED, "open_clip_config.json");
    assert_non_null(strstr(mopd_last_error(), "input_resolution is missing"));
}

static void inspect_shows_the_metadata_of_a_prompt(void **state)
{
    (void)state;
    const float x[2] = {1, 2};
    const size_t shape[2] = {1, 2};
    static const char *const words[] = {"\"kind\":\"prompt\"", "\"method\":\"mopd\"",
        "\"classes\":[\"cat\",\"dog\"]", "\"dim\":12", "\"note.by\":\"me, 3\"",
        "\"context\":{\"type\":\"F32\",\"shape\":[1,2]}"};
    char path[512], *json;
    mo_safetensors_writer *w;
    snprintf(path, sizeof path, "%s", test_path("shown.safetensors"));
    assert_ok(mo_safetensors_writer_create(&w));
    assert_ok(mo_safetensors_writer_meta(w, "mopd.kind", "prompt"));
    assert_ok(mo_safetensors_writer_meta(w, "mopd.method", "mopd"));
    assert_ok(mo_safetensors_writer_meta(w, "mopd.classes", "[\"cat\",\"dog\"]"));
    assert_ok(mo_safetensors_writer_meta(w, "mopd.dim", "12"));
    assert_ok(mo_safetensors_writer_meta(w, "note.by", "me, 3"));
    assert_ok(mo_safetensors_writer_tensor(w, "context", MO_F32, 2, shape));
    assert_ok(mo_safetensors_writer_begin(w, path));
    assert_ok(mo_safetensors_writer_floats(w, x, 2));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    assert_ok(mo_describe_file(path, &json));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(json, words[i])) fail_msg("%s is not in %s", words[i], json);
    mo_mem_free(json);
}

static void packed_files_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        mopd_status st;
        const char *words;
    } edits[] = {
        {"\\\"format\\\":1", "\\\"format\\\":9", MOPD_E_VERSION, "format 9"},
        {"\\\"dim\\\":12", "\\\"dim\\\":13", MOPD_E_MISMATCH, "[12, 24]"},
        {"\\\"kind\\\":\\\"vit\\\"", "\\\"kind\\\":\\\"cnn\\\"", MOPD_E_UNSUPPORTED, "cnn"},
        {"\\\"activation\\\":\\\"gelu\\\"", "\\\"activation\\\":\\\"relu\\\"", MOPD_E_UNSUPPORTED, "relu"},
        {"\"mopd.tokenizer\":{", "\"mopd.tokenizor\":{", MOPD_E_UNSUPPORTED, "mopd.tokenizor"},
        {"\"mopd.config\"", "\"mopd.konfig\"", MOPD_E_FORMAT, "mopd.config is missing"},
    };
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char name[32];
        mopd_encoder *e;
        snprintf(name, sizeof name, "lie-%zu.safetensors", i);
        const char *path = test_path(name);
        assert_ok(mo_encoder_open(&e, GOLD "openclip", &o));
        assert_ok(mo_pack_encoder(e, path, MO_F32));
        mo_encoder_close(e);
        edit(test_path(""), name, edits[i].from, edits[i].to);
        assert_fails(try_open(path), edits[i].st, edits[i].words);
    }
}

static void packing_into_nowhere_fails(void **state)
{
    (void)state;
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    mopd_encoder *e;
    assert_ok(mo_encoder_open(&e, GOLD "hf", &o));
    assert_fails(
        mo_pack_encoder(e, test_path("no/such/folder.safetensors"), MO_F32), MOPD_E_IO, "no/such/folder");
    mo_encoder_close(e);
}

/* Keys that are absent have transformers' own values: nothing but the needed ones stands in this file. */
static void absent_keys_have_the_reference_values(void **state)
{
    (void)state;
    static const char text[] = "{\"text_config\":{},\"vision_config\":{\"patch_size\":16}}";
    const mo_json *root;
    mo_config c;
    assert_ok(mo_json_parse(&root, text, sizeof text - 1, "config.json"));
    assert_ok(mo_hf_config(&c, root, "config.json"));
    mo_json_close(root);
    assert_int_equal(c.dim, 512);
    assert_int_equal(c.text.stack.width, 512);
    assert_int_equal(c.text.stack.heads, 8);
    assert_int_equal(c.text.stack.hidden, 2048);
    assert_int_equal(c.text.context, 77);
    assert_int_equal(c.text.vocab, 49408);
    assert_int_equal(c.text.end_rule, MO_END_FIRST);
    assert_int_equal(c.text.end_id, 49407);
    assert_int_equal(c.vit.stack.width, 768);
    assert_int_equal(c.vit.stack.hidden, 3072);
    assert_int_equal(c.vit.stack.layers, 12);
    assert_int_equal(c.vit.patch, 16);
    assert_int_equal(c.image, 224);
    assert_int_equal(c.vit.stack.act, MO_ACT_QUICK_GELU);
}

/* "text_config_dict" of old files wins over "text_config", as in transformers. */
static void old_sub_configs_win(void **state)
{
    (void)state;
    static const char text[] =
        "{\"text_config\":{\"hidden_size\":64},\"text_config_dict\":{\"hidden_size\":32},"
        "\"vision_config\":{},\"vision_config_dict\":null}";
    const mo_json *root;
    mo_config c;
    assert_ok(mo_json_parse(&root, text, sizeof text - 1, "config.json"));
    assert_ok(mo_hf_config(&c, root, "config.json"));
    mo_json_close(root);
    assert_int_equal(c.text.stack.width, 32);
}

static void builtin_model_search_lists_places(void **state)
{
    (void)state;
    char *path;
    assert_int_equal(setenv("MOPD_MODEL", "/some/where", 1), 0);
    assert_ok(mo_builtin_path(&path));
    assert_string_equal(path, "/some/where");
    mo_mem_free(path);
    assert_fails(try_open(NULL), MOPD_E_IO, "/some/where");
    unsetenv("MOPD_MODEL");
    mopd_status st = mo_builtin_path(&path);
    if (st == MOPD_OK)
        mo_mem_free(path);
    else
        assert_non_null(strstr(mopd_last_error(), "../share/mopd/builtin.safetensors"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_that_lie_are_refused),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(truncated_weights_are_refused),
        cmocka_unit_test(overlapping_offsets_are_refused),
        cmocka_unit_test(a_tensor_without_a_place_is_refused),
        cmocka_unit_test(other_files_are_no_models),
        cmocka_unit_test(state_dicts_of_others_are_not_taken_for_openai),
        cmocka_unit_test(inspect_shows_the_metadata_of_a_prompt),
        cmocka_unit_test(packed_files_that_lie_are_refused),
        cmocka_unit_test(packing_into_nowhere_fails),
        cmocka_unit_test(absent_keys_have_the_reference_values),
        cmocka_unit_test(old_sub_configs_win),
        cmocka_unit_test(builtin_model_search_lists_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
