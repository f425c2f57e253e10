/* SPDX-License-Identifier: MIT
 * test_mobileclip.c - MobileCLIP's folders: a FastViT under timm's names, a text tower without a mask whose pads are
 * zeros.
 *
 * Sizes hang on the tower's name, so this one is fastvit_mci0 itself, but for the features and the side of its pictures;
 * the text tower is the golden checkpoint's. */
#include "test.h"

#include "support/folders.h"
#include "support/parts.h"
#include "support/towers.h"

enum { SIDE = 64, DIM = 12 };

static mo_tensors *text, *image;
static mo_config config;

static int make_parts(void **state)
{
    (void)state;
    config = tower_fastvit_config(MO_FASTVIT_SMALL);
    config.fastvit = (mo_fastvit_config){.form = MO_FASTVIT_SMALL,
        .n_stages = 4,
        .layers = {2, 6, 10, 2},
        .width = {64, 128, 256, 512},
        .ratio = 3,
        .eps = 1e-5};
    assert_ok(mo_tensors_open(&text, FOLDERS_GOLD "openai/tiny.pt", true));
    assert_ok(mo_tensors_open(&image, tower_write("fastvit.safetensors", &config, 3), true));
    return 0;
}

static int free_parts(void **state)
{
    (void)state;
    mo_tensors_close(text);
    mo_tensors_close(image);
    return 0;
}

static const char *lost = ""; /* a tensor that is left out */

/* The name in the folder; NULL: left out. */
static const char *name_of(bool of_image, const char *name)
{
    static char stored[160];
    const bool tower = !strncmp(name, "fastvit.", 8);
    if (of_image != tower || !strncmp(name, "visual.", 7)) return NULL;
    if (tower)
        snprintf(stored, sizeof stored, "visual.trunk.%s", name + 8);
    else if (!strcmp(name, "logit_scale"))
        snprintf(stored, sizeof stored, "logit_scale");
    else
        snprintf(stored, sizeof stored, "text.%s", name);
    return strcmp(name, "input_resolution") && strcmp(stored, lost) ? stored : NULL;
}

/* A folder with such a vision_cfg, and no_causal_mask of the text tower. */
static const char *mobile_folder(const char *vision, const char *unmasked)
{
    const char *folder = folder_make();
    char path[512], json[700];
    mo_safetensors_writer *w;
    folder_join(path, folder, "open_clip_model.safetensors");
    assert_ok(mo_safetensors_writer_create(&w));
    parts_declare(w, text, name_of, false);
    parts_declare(w, image, name_of, true);
    assert_ok(mo_safetensors_writer_begin(w, path));
    parts_put(w, text, name_of, false);
    parts_put(w, image, name_of, true);
    assert_ok(mo_safetensors_writer_commit(w));
    mo_safetensors_writer_free(w);
    folder_copy(
        FOLDERS_GOLD "openai", "bpe_simple_vocab_16e6.txt.gz", folder, "bpe_simple_vocab_16e6.txt.gz");
    snprintf(json, sizeof json,
        "{\"model_cfg\": {\"embed_dim\": 12, \"custom_text\": true, \"vision_cfg\": {%s}, \"text_cfg\": "
        "{\"context_length\": 30, \"vocab_size\": 525, \"width\": 64, \"heads\": 1, \"layers\": 1, "
        "\"mlp_ratio\": 1, \"no_causal_mask\": %s}}, \"preprocess_cfg\": {\"mean\": [0, 0, 0], \"std\": [1, "
        "1, 1], \"interpolation\": \"bilinear\"}}",
        vision, unmasked);
    folder_write_text(folder, "open_clip_config.json", json);
    return folder;
}

#define VISION "\"timm_model_name\": \"fastvit_mci0\", \"timm_pool\": \"avg\", \"timm_proj\": null, "

static void encode(const mopd_encoder *e, float features[2 * DIM])
{
    static float pixels[2 * 3 * SIDE * SIDE];
    test_random(pixels, sizeof pixels / sizeof *pixels, 9);
    assert_ok(mo_encoder_pixels(e, pixels, 2, features, NULL));
}

static void texts(const mopd_encoder *e, float features[2 * DIM])
{
    static const char *const words[] = {"a cat", "a photo of a dog."};
    assert_ok(mo_encoder_texts(e, words, 2, features, NULL));
}

/* A folder and a packed file of it: one fingerprint, the same bits. */
static void a_folder_opens_and_packs(void **state)
{
    (void)state;
    mopd_encoder *a = folder_open(mobile_folder(VISION "\"image_size\": 64", "true"), 1), *b;
    const mo_config *got = &a->config;
    float x[2 * DIM], y[2 * DIM], s[2 * DIM], t[2 * DIM];
    assert_string_equal(a->layout, "open_clip");
    assert_int_equal(got->vision_kind, MO_VISION_FASTVIT);
    assert_memory_equal(got->fastvit.layers, config.fastvit.layers, sizeof config.fastvit.layers);
    assert_memory_equal(got->fastvit.width, config.fastvit.width, sizeof config.fastvit.width);
    assert_int_equal(got->fastvit.form, MO_FASTVIT_SMALL);
    assert_int_equal(got->image, SIDE);
    assert_int_equal(got->text.mask, MO_MASK_NONE);
    assert_int_equal(got->text.pad_id, 0);
    assert_int_equal(got->text.end_rule, MO_END_LARGEST);
    assert_int_equal(got->pixels.filter, MO_FILTER_BILINEAR);
    encode(a, x);
    texts(a, s);
    assert_ok(mo_pack_encoder(a, test_path("packed.safetensors"), MO_F32, false));
    b = folder_open(test_path("packed.safetensors"), 2);
    assert_string_equal(a->fingerprint, b->fingerprint);
    assert_int_equal(b->config.text.pad_id, 0);
    encode(b, y);
    texts(b, t);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_equal(s, t, sizeof s);
    mo_encoder_close(a), mo_encoder_close(b);
}

/* The same weights with a mask are another model; so say its texts and its fingerprint, and the pictures stay. */
static void the_mask_decides(void **state)
{
    (void)state;
    mopd_encoder *a = folder_open(mobile_folder(VISION "\"image_size\": 64", "true"), 1),
                 *b = folder_open(mobile_folder(VISION "\"image_size\": 64", "false"), 1);
    float x[2 * DIM], y[2 * DIM];
    assert_string_not_equal(a->fingerprint, b->fingerprint);
    texts(a, x), texts(b, y);
    assert_true(test_max_diff(x, y, 2 * DIM) > 1e-3);
    encode(a, x), encode(b, y);
    assert_memory_equal(x, y, sizeof x);
    mo_encoder_close(a), mo_encoder_close(b);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *lost, *vision;
        mopd_status st;
        const char *words;
    } cases[] = {
        {"visual.trunk.stages.2.blocks.3.token_mixer.layer_scale.gamma", VISION "\"image_size\": 64",
            MOPD_E_MISMATCH, "stages.2.blocks.3.token_mixer.layer_scale.gamma is missing"},
        {"", "\"timm_model_name\": \"fastvit_mci1\", \"timm_pool\": \"avg\", \"image_size\": 64",
            MOPD_E_MISMATCH, "visual.trunk.stages.0.blocks.2.token_mixer.norm.identity.weight is missing"},
        {"", "\"timm_model_name\": \"fastvit_sa12\"", MOPD_E_UNSUPPORTED,
            "\"fastvit_sa12\" is not supported"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lost = cases[i].lost;
        assert_fails(folder_try(mobile_folder(cases[i].vision, "true")), cases[i].st, cases[i].words);
    }
    lost = "";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_opens_and_packs),
        cmocka_unit_test(the_mask_decides),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, make_parts, free_parts);
}
