/* SPDX-License-Identifier: MIT
 * test_resnet.c - models with a ResNet: OpenAI's checkpoints, open_clip's folders, packed.
 *
 * The golden checkpoint's text tower beside a random image tower. */
#include "test.h"

#include "support/folders.h"
#include "support/parts.h"
#include "support/towers.h"

static mo_tensors *text, *image;

static mo_config config;

static int make_parts(void **state)
{
    (void)state;
    config = tower_resnet_config();
    config.resnet.heads = 2;
    assert_ok(mo_tensors_open(&text, FOLDERS_GOLD "openai/tiny.pt", true));
    assert_ok(mo_tensors_open(&image, tower_write("resnet.safetensors", &config, 3), true));
    return 0;
}

static int free_parts(void **state)
{
    (void)state;
    mo_tensors_close(text);
    mo_tensors_close(image);
    return 0;
}

/* The name in the file; NULL: left out. */
static const char *name_of(bool of_image, const char *name)
{
    static char stored[120];
    if (!of_image) return strncmp(name, "visual.", 7) && strcmp(name, "input_resolution") ? name : NULL;
    if (strncmp(name, "resnet.", 7) != 0) return NULL;
    snprintf(stored, sizeof stored, "visual.%s", name + 7);
    return stored;
}

/* All tensors of a model with OpenAI's names. */
static mo_tensors *join(int64_t resolution)
{
    mo_safetensors_writer *w;
    mo_tensors *t;
    assert_ok(mo_safetensors_writer_create(&w));
    parts_declare(w, text, name_of, false);
    parts_declare(w, image, name_of, true);
    assert_ok(mo_safetensors_writer_tensor(w, "input_resolution", MO_I64, 0, NULL));
    assert_ok(mo_safetensors_writer_begin(w, test_path("joined.safetensors")));
    parts_put(w, text, name_of, false);
    parts_put(w, image, name_of, true);
    assert_ok(mo_safetensors_writer_write(w, &resolution, sizeof resolution));
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    assert_ok(mo_tensors_open(&t, test_path("joined.safetensors"), true));
    return t;
}

static const char *checkpoint(int64_t resolution, folder_rename_fn fn)
{
    static char path[512];
    const char *folder = folder_make();
    mo_tensors *t = join(resolution);
    folder_write_torch(folder, "RN50.pt", t, fn);
    mo_tensors_close(t);
    folder_copy(
        FOLDERS_GOLD "openai", "bpe_simple_vocab_16e6.txt.gz", folder, "bpe_simple_vocab_16e6.txt.gz");
    folder_join(path, folder, "RN50.pt");
    return path;
}

static const char *open_clip_folder(void)
{
    const char *folder = folder_make();
    mo_tensors *t = join(64);
    folder_write_safetensors(folder, "open_clip_model.safetensors", t, NULL);
    mo_tensors_close(t);
    folder_copy(
        FOLDERS_GOLD "openai", "bpe_simple_vocab_16e6.txt.gz", folder, "bpe_simple_vocab_16e6.txt.gz");
    folder_write_text(folder, "open_clip_config.json",
        "{\"model_cfg\": {\"embed_dim\": 12, \"quick_gelu\": true, \"vision_cfg\": {\"image_size\": 64, "
        "\"layers\": "
        "[2, 1, 3, 1], \"width\": 4, \"patch_size\": null}, \"text_cfg\": {\"context_length\": 30, "
        "\"vocab_size\": "
        "525, \"width\": 64, \"heads\": 1, \"layers\": 1, \"mlp_ratio\": 1}}, \"preprocess_cfg\": {}}");
    return folder;
}

static void encode(const mopd_encoder *e, float features[24])
{
    static float pixels[2 * 3 * 64 * 64];
    test_random(pixels, sizeof pixels / sizeof *pixels, 9);
    assert_ok(mo_encoder_pixels(e, pixels, 2, features, NULL));
}

/* A checkpoint, a folder, a packed file: one fingerprint, the same bits. */
static void every_layout_is_the_same_model(void **state)
{
    (void)state;
    mopd_encoder *a = folder_open(checkpoint(64, NULL), 1), *b = folder_open(open_clip_folder(), 2), *c;
    const mo_config *got = &a->config;
    float x[24], y[24];
    assert_int_equal(got->vision_kind, MO_VISION_RESNET);
    assert_int_equal(got->image, 64);
    assert_memory_equal(&got->resnet, &config.resnet, sizeof config.resnet);
    assert_string_equal(a->layout, "openai");
    assert_string_equal(b->layout, "open_clip");
    assert_string_equal(a->fingerprint, b->fingerprint);
    encode(a, x);
    encode(b, y);
    assert_memory_equal(x, y, sizeof x);
    assert_ok(mo_pack_encoder(a, test_path("packed.safetensors"), MO_F32, false));
    c = folder_open(test_path("packed.safetensors"), 1);
    assert_string_equal(a->fingerprint, c->fingerprint);
    encode(c, y);
    assert_memory_equal(x, y, sizeof x);
    mo_encoder_close(a), mo_encoder_close(b), mo_encoder_close(c);
}

static const char *lost;

static const char *without(const char *name)
{
    return strcmp(name, lost) ? name : NULL;
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *lost;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"visual.layer2.0.conv2.weight", MOPD_E_MISMATCH, "tensor visual.layer2.0.conv2.weight is missing"},
        {"visual.layer3.1.bn2.running_var", MOPD_E_MISMATCH, "visual.layer3.1.bn2.running_var is missing"},
        {"visual.layer4.0.conv1.weight", MOPD_E_FORMAT, "ResNet: stage 4 has 0 layers"},
        {"visual.attnpool.positional_embedding", MOPD_E_FORMAT,
            "no CLIP checkpoint: tensor visual.attnpool.positional_embedding is missing"},
        {"visual.attnpool.c_proj.bias", MOPD_E_MISMATCH, "visual.attnpool.c_proj.bias is missing"},
        {"input_resolution", MOPD_E_UNSUPPORTED,
            "\"vision_cfg\": {\"image_size\": 64, \"layers\": [2, 1, 3, 1], \"width\": 4, \"patch_size\": "
            "null}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lost = cases[i].lost;
        assert_fails(folder_try(checkpoint(64, without)), cases[i].st, cases[i].words);
    }
    assert_fails(folder_try(checkpoint(96, NULL)), MOPD_E_FORMAT,
        "input_resolution is 96 (I64), by the other tensors it is 64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout_is_the_same_model),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, make_parts, free_parts);
}
