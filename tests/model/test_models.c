/* SPDX-License-Identifier: MIT
 * test_models.c - models that lie, lack something or are not ours to run: each with its status and its words. */
#include "test.h"

#include <math.h>
#include <stdio.h>

#include "support/folders.h"
#include "support/forged.h"

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
    {"hf", "config.json", "\"image_size\": 21", "\"image_size\": 22", MOPD_E_MISMATCH, "21 x 21 pixels"},
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
    {"openclip", "open_clip_config.json", "\"layers\": 2", "\"layers\": [3, 4, 6]", MOPD_E_FORMAT,
        "vision_cfg.layers: a count, or the four of a ModifiedResNet"},
    {"openclip", "open_clip_config.json", "\"layers\": 2", "\"layers\": [3, 4, 0, 3]", MOPD_E_FORMAT,
        "the four of a ModifiedResNet"},
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
        MOPD_E_UNSUPPORTED, "a causal text tower that is read at its last position"},
    {"openclip", "open_clip_config.json", "\"context_length\"", "\"pool_type\": \"cls\", \"context_length\"",
        MOPD_E_UNSUPPORTED, "pool_type \"cls\""},
    {"openclip", "open_clip_config.json", "\"context_length\"",
        "\"act_kwargs\": {\"approximate\": \"erf\"}, \"context_length\"", MOPD_E_UNSUPPORTED, "act_kwargs"},
    {"openclip", "open_clip_config.json", "\"context_length\"",
        "\"tokenizer_kwargs\": {\"clean\": \"canonicalize\"}, \"context_length\"", MOPD_E_UNSUPPORTED,
        "tokenizer_kwargs"},
    {"locked", "mopd.json", "0.05", "-1", MOPD_E_FORMAT, "recommended_lr is -1"},
    {"openclip", "open_clip_config.json", "\"preprocess_cfg\"", "\"preprocessing\"", MOPD_E_FORMAT,
        "preprocess_cfg"},
    {"openclip", "open_clip_config.json", "\"squash\"", "\"stretch\"", MOPD_E_UNSUPPORTED, "stretch"},
    {"openclip", "open_clip_config.json", "\"mlp_ratio\": 2.5", "\"mlp_ratio\": 3.0", MOPD_E_MISMATCH,
        "[40, 16]; the configuration says [48, 16]"},
    {"openclip", "open_clip_config.json", "\"width\": 16", "\"width\": 2147483647", MOPD_E_FORMAT,
        "mlp_ratio is 2.5 of a width of 2147483647"},
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
        const char *path = folder_of(l->model);
        folder_edit(path, l->file, l->from, l->to);
        mopd_status st = folder_try(path);
        if (st != l->st || !strstr(mopd_last_error(), l->words))
            fail_msg("%s, %s: %s -> %s: %s: %s", l->model, l->file, l->from, l->to, mopd_status_name(st),
                mopd_last_error());
    }
}

static void truncated_weights_are_refused(void **state)
{
    (void)state;
    const char *path = folder_of("hf");
    folder_cut(path, "model.safetensors", 90000);
    assert_fails(folder_try(path), MOPD_E_FORMAT, "model.safetensors");
    path = folder_of("hf");
    folder_cut(path, "model.safetensors", 4);
    assert_fails(folder_try(path), MOPD_E_FORMAT, "model.safetensors");
    path = folder_of("locked");
    folder_cut(path, "efficientnet-lite0-tiny.pth", 60000);
    assert_fails(folder_try(path), MOPD_E_FORMAT, "efficientnet-lite0-tiny.pth");
    char file[512];
    path = folder_of("openai");
    folder_cut(path, "tiny.pt", 60000);
    folder_join(file, path, "tiny.pt");
    assert_fails(folder_try(file), MOPD_E_FORMAT, "tiny.pt");
}

/* ---- the same of PyTorch's files ---- */

static const char *lost(const char *name)
{
    return strcmp(name, "vision_model.post_layernorm.bias") ? name : "vision_model.post_layernorm.bios";
}

static const char *one_more(const char *name)
{
    return strcmp(name, "vision_model.post_layernorm.bias") ? name : "visual_projection.bias";
}

/* The golden model with its weights in pytorch_model.bin. */
static const char *torch_folder(folder_rename_fn fn)
{
    const char *path = folder_of("hf");
    char file[512];
    mo_tensors *t;
    folder_join(file, path, "model.safetensors");
    assert_ok(mo_tensors_open(&t, file, true));
    folder_drop(path, "model.safetensors");
    folder_write_torch(path, "pytorch_model.bin", t, fn);
    mo_tensors_close(t);
    return path;
}

static void torch_weights_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *from, *to;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"config.json", "\"hidden_size\": 24", "\"hidden_size\": 30", MOPD_E_MISMATCH, "[525, 24]"},
        {"config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", MOPD_E_MISMATCH, "layers.1."},
        {"config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", MOPD_E_MISMATCH, "layers.2."},
        {"config.json", "\"projection_dim\": 12", "\"projection_dim\": 13", MOPD_E_MISMATCH, "[12, 24]"},
        {"pytorch_model.bin", "FloatStorage", "IntStorage", MOPD_E_UNSUPPORTED, "I32"},
        {"pytorch_model.bin", "FloatStorage", "HalfStorage", MOPD_E_FORMAT, "pytorch_model.bin"},
        {"pytorch_model.bin", "ctorch._utils\n_rebuild_tensor_v2", "cposix\nsystem", MOPD_E_FORMAT,
            "posix.system"},
        {"pytorch_model.bin", "ctorch\nFloatStorage", "cbuiltins\neval", MOPD_E_FORMAT, "builtins.eval"},
        {"pytorch_model.bin", "ctorch._utils\n_rebuild_tensor_v2", "ctorch.hub\nload", MOPD_E_FORMAT,
            "torch.hub.load"},
        {"pytorch_model.bin", "little_endian", "middle_endian", MOPD_E_UNSUPPORTED, "little endian"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = torch_folder(NULL);
        folder_edit(path, cases[i].file, cases[i].from, cases[i].to);
        mopd_status st = folder_try(path);
        if (st != cases[i].st || !strstr(mopd_last_error(), cases[i].words))
            fail_msg("%s -> %s: %s: %s", cases[i].from, cases[i].to, mopd_status_name(st), mopd_last_error());
    }
    assert_fails(folder_try(torch_folder(lost)), MOPD_E_MISMATCH,
        "pytorch_model.bin: tensor vision_model.post_layernorm.bias is missing");
    assert_fails(folder_try(torch_folder(one_more)), MOPD_E_MISMATCH, "post_layernorm.bias is missing");
    for (size_t n = 0; n < 3; n++) {
        const char *path = torch_folder(NULL);
        folder_cut(path, "pytorch_model.bin", (const size_t[]){0, 100, 90000}[n]);
        assert_fails(folder_try(path), MOPD_E_FORMAT, "pytorch_model.bin");
    }
}

static void overlapping_offsets_are_refused(void **state)
{
    (void)state;
    const char *path = folder_of("hf");
    folder_edit(path, "model.safetensors", "\"data_offsets\":[4,", "\"data_offsets\":[0,");
    assert_fails(folder_try(path), MOPD_E_FORMAT, "model.safetensors");
}

/* A tensor more than the architecture has: where it would change the results, and where it is only named. */
static void a_tensor_that_would_change_results_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"logit_bias", MOPD_OK, ""},
        {"visual_projection.bias", MOPD_E_UNSUPPORTED,
            "b.safetensors: tensor visual_projection.bias has no place in this architecture"},
        {"text_model.encoder.layers.2.layer_norm1.bias", MOPD_E_MISMATCH,
            "layers.2.layer_norm1.bias belongs to a layer the configuration does not have"},
        {"text_model.encoder.layers.2.gamma", MOPD_E_UNSUPPORTED, "layers.2.gamma has no place"},
        {"text_model.embeddings.position_ids", MOPD_OK, ""},
        {"visual.attn_mask", MOPD_OK, ""},
        {"input_resolution", MOPD_OK, ""},
    };
    const char *path = folder_of("hf");
    folder_rename(path, "model.safetensors", "a.safetensors");
    folder_write_text(path, "model.safetensors.index.json",
        "{\"weight_map\": {\"x\": \"a.safetensors\", \"y\": \"b.safetensors\"}}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_safetensors_writer *w;
        char file[512];
        folder_join(file, path, "b.safetensors");
        assert_ok(mo_safetensors_writer_create(&w));
        assert_ok(mo_safetensors_writer_tensor(w, cases[i].name, MO_F32, 0, NULL));
        assert_ok(mo_safetensors_writer_begin(w, file));
        assert_ok(mo_safetensors_writer_floats(w, &(float){-1}, 1));
        assert_ok(mo_safetensors_writer_commit(w));
        mo_safetensors_writer_free(w);
        if (cases[i].st == MOPD_OK)
            assert_ok(folder_try(path));
        else
            assert_fails(folder_try(path), cases[i].st, cases[i].words);
    }
}

static void packed_files_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        mopd_status st;
        const char *words;
        bool panels;
    } edits[] = {
        {"\\\"format\\\":1", "\\\"format\\\":9", MOPD_E_VERSION, "format 9", false},
        {"\\\"dim\\\":12", "\\\"dim\\\":13", MOPD_E_MISMATCH, "[12, 24]", false},
        {"\\\"kind\\\":\\\"vit\\\"", "\\\"kind\\\":\\\"cnn\\\"", MOPD_E_UNSUPPORTED, "cnn", false},
        {"\\\"activation\\\":\\\"gelu\\\"", "\\\"activation\\\":\\\"relu\\\"", MOPD_E_UNSUPPORTED, "relu",
            false},
        {"\"mopd.tokenizer\":{", "\"mopd.tokenizor\":{", MOPD_E_UNSUPPORTED, "mopd.tokenizor", false},
        {"\"mopd.config\"", "\"mopd.konfig\"", MOPD_E_FORMAT, "mopd.config is missing", false},
        {"\"mopd.panels\":\"16\"", "\"mopd.panels\":\"32\"", MOPD_E_FORMAT, "'mopd.panels' is '32', not '16'",
            true},
        {"\"mopd.panels\"", "\"mopd.panelz\"", MOPD_E_MISMATCH,
            "has shape [6, 24, 16]; the configuration says [96, 24]", true},
        {"[1,16,16]", "[2, 8,16]", MOPD_E_MISMATCH, "has shape [2, 8, 16]; the configuration says [16, 16]",
            true},
        {"[1,16,16]", "[1,32, 8]", MOPD_E_MISMATCH, "has shape [1, 32, 8]", true},
        {"[1,16,16]", "[16,1,16]", MOPD_E_MISMATCH, "has shape [16, 1, 16]", true},
    };
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        char name[32];
        mopd_encoder *e;
        snprintf(name, sizeof name, "lie-%zu.safetensors", i);
        const char *path = test_path(name);
        assert_ok(mo_encoder_open(&e, FOLDERS_GOLD "openclip", &o));
        assert_ok(mo_pack_encoder(e, path, MO_F32, edits[i].panels));
        mo_encoder_close(e);
        folder_edit(test_path(""), name, edits[i].from, edits[i].to);
        assert_fails(folder_try(path), edits[i].st, edits[i].words);
    }
}

/* openclip's model as a file of 8-bit weights. */
static const char *pack_in_8_bits(const char *name)
{
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    mopd_encoder *e;
    const char *path = test_path(name);
    assert_ok(mo_encoder_open(&e, FOLDERS_GOLD "openclip", &o));
    assert_ok(mo_pack_encoder(e, path, MO_I8, false));
    mo_encoder_close(e);
    return path;
}

static void scales_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        mopd_status st;
        const char *words;
    } edits[] = {
        {".scale\":", ".scalf\":", MOPD_E_UNSUPPORTED, "is I8; F32, F16, BF16 or F64 can be used"},
        {".scale\":{\"dtype\":\"F32\"", ".scale\":{\"dtype\":\"I32\"", MOPD_E_FORMAT, ".scale is not F32 ["},
    };
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        const char *path = pack_in_8_bits("scales.safetensors");
        folder_edit(test_path(""), "scales.safetensors", edits[i].from, edits[i].to);
        assert_fails(folder_try(path), edits[i].st, edits[i].words);
    }
}

/* The first scale behind the first name that has one. */
static void write_scale(const char *path, float scale)
{
    static char head[1 << 20];
    uint64_t n_head;
    unsigned long long at;
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fread(&n_head, sizeof n_head, 1, f), 1);
    assert_true(n_head < sizeof head - 1);
    assert_int_equal(fread(head, 1, (size_t)n_head, f), n_head);
    const char *name = strstr(head, ".scale\":");
    assert_non_null(name);
    assert_int_equal(sscanf(strstr(name, "data_offsets"), "data_offsets\":[%llu", &at), 1);
    assert_int_equal(fseek(f, (long)(8 + n_head + at), SEEK_SET), 0);
    assert_int_equal(fwrite(&scale, sizeof scale, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

static void scales_that_are_no_sizes_are_refused(void **state)
{
    (void)state;
    static const float odd[] = {-1, NAN, INFINITY};
    for (size_t i = 0; i < 3; i++) {
        const char *path = pack_in_8_bits("scale.safetensors");
        write_scale(path, odd[i]);
        assert_fails(folder_try(path), MOPD_E_FORMAT, ".scale has the scale ");
    }
    const char *path = pack_in_8_bits("scale.safetensors");
    write_scale(path, 0);
    assert_ok(folder_try(path));
}

static void panels_of_8_bits_need_sums(void **state)
{
    (void)state;
    forged f = forged_read(pack_in_8_bits("i8.safetensors"));
    const char *path = forged_header(
        &f, "marked.safetensors", "\"mopd.version\"", "\"mopd.panels\":\"16\",\"mopd.version\"");
    assert_ok(folder_try(path)); /* rows are no panels */
    forged_free(&f);
    f = forged_read(path);
    path = forged_header(&f, "panels.safetensors", "\"I8\",\"shape\":[16,16]", "\"I8\",\"shape\":[1,16,16]");
    assert_fails(folder_try(path), MOPD_E_MISMATCH, "q_proj.weight.sum is missing; panels of I8 need it");
    forged_free(&f);
}

static void packing_into_nowhere_fails(void **state)
{
    (void)state;
    mopd_encoder_options o = {.struct_size = sizeof o, .n_threads = 1};
    mopd_encoder *e;
    assert_ok(mo_encoder_open(&e, FOLDERS_GOLD "hf", &o));
    assert_fails(mo_pack_encoder(e, test_path("no/such/folder.safetensors"), MO_F32, false), MOPD_E_IO,
        "no/such/folder");
    mo_encoder_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_that_lie_are_refused),
        cmocka_unit_test(truncated_weights_are_refused),
        cmocka_unit_test(torch_weights_that_lie_are_refused),
        cmocka_unit_test(overlapping_offsets_are_refused),
        cmocka_unit_test(a_tensor_that_would_change_results_is_refused),
        cmocka_unit_test(packed_files_that_lie_are_refused),
        cmocka_unit_test(scales_that_lie_are_refused),
        cmocka_unit_test(scales_that_are_no_sizes_are_refused),
        cmocka_unit_test(panels_of_8_bits_need_sums),
        cmocka_unit_test(packing_into_nowhere_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
