/* SPDX-License-Identifier: MIT
 * tiny.c - writes the tiny model: no library is asked, so any test may use it. */
#include <sys/stat.h>

#include "support/tiny.h"
#include "test.h"

static int W = TINY_WIDTH; /* of the model that is being written */
#define H (2 * W)

enum { D = TINY_DIM, L = TINY_CONTEXT, S = TINY_IMAGE, P = 4, LAYERS = 2 };

static const char *const merges[][2] = {
    {"p", "h"}, {"ph", "o"}, {"pho", "t"}, {"phot", "o</w>"}, {"o", "f</w>"}};

/* ---- weights ---- */

typedef struct writer {
    char header[16384];
    size_t n_header;
    float data[262144];
    size_t n_data;
    uint32_t seed;
} writer;

/* n numbers in [mean - range, mean + range). */
static void tensor(writer *w, const char *name, const char *shape, size_t n, double mean, double range)
{
    if (w->n_data + n > sizeof w->data / sizeof *w->data) fail_msg("tiny model: %s does not fit", name);
    float *x = w->data + w->n_data;
    test_random(x, n, w->seed++);
    for (size_t i = 0; i < n; i++) x[i] = (float)(mean + range * (double)x[i]);
    int added = snprintf(w->header + w->n_header, sizeof w->header - w->n_header,
        "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}", w->n_header ? "," : "{",
        name, shape, 4 * w->n_data, 4 * (w->n_data + n));
    w->n_header += (size_t)added;
    w->n_data += n;
}

static void matrix(writer *w, const char *name, int rows, int columns)
{
    char shape[32];
    snprintf(shape, sizeof shape, "%d,%d", rows, columns);
    tensor(w, name, shape, (size_t)rows * (size_t)columns, 0, sqrt(3.0 / columns));
}

static void vector(writer *w, const char *stem, const char *end, int n, double mean)
{
    char name[128], shape[16];
    snprintf(name, sizeof name, "%s%s", stem, end);
    snprintf(shape, sizeof shape, "%d", n);
    tensor(w, name, shape, (size_t)n, mean, 0.1);
}

static void linear(writer *w, const char *stem, int rows, int columns)
{
    char name[128];
    snprintf(name, sizeof name, "%s.weight", stem);
    matrix(w, name, rows, columns);
    vector(w, stem, ".bias", rows, 0);
}

static void norm(writer *w, const char *stem)
{
    vector(w, stem, ".weight", W, 1);
    vector(w, stem, ".bias", W, 0);
}

static void block(writer *w, const char *tower, int layer)
{
    static const char *const squares[] = {
        "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"};
    char stem[96];
    for (int i = 0; i < 4; i++) {
        snprintf(stem, sizeof stem, "%s.encoder.layers.%d.%s", tower, layer, squares[i]);
        linear(w, stem, W, W);
    }
    for (int i = 1; i <= 2; i++) {
        snprintf(stem, sizeof stem, "%s.encoder.layers.%d.layer_norm%d", tower, layer, i);
        norm(w, stem);
        snprintf(stem, sizeof stem, "%s.encoder.layers.%d.mlp.fc%d", tower, layer, i);
        linear(w, stem, i == 1 ? H : W, i == 1 ? W : H);
    }
}

static void write_weights(const char *path, uint32_t seed)
{
    static writer w;
    memset(&w, 0, sizeof w);
    w.seed = seed * 1000 + 1;
    tensor(&w, "logit_scale", "", 1, 3, 0);
    matrix(&w, "text_model.embeddings.token_embedding.weight", TINY_VOCAB, W);
    matrix(&w, "text_model.embeddings.position_embedding.weight", L, W);
    matrix(&w, "text_projection.weight", D, W);
    norm(&w, "text_model.final_layer_norm");
    vector(&w, "vision_model.embeddings.class_embedding", "", W, 0);
    char patches[32];
    snprintf(patches, sizeof patches, "%d,3,4,4", W);
    tensor(&w, "vision_model.embeddings.patch_embedding.weight", patches, (size_t)W * 3 * P * P, 0, 0.2);
    matrix(&w, "vision_model.embeddings.position_embedding.weight", S / P * (S / P) + 1, W);
    matrix(&w, "visual_projection.weight", D, W);
    norm(&w, "vision_model.pre_layrnorm");
    norm(&w, "vision_model.post_layernorm");
    for (int i = 0; i < LAYERS; i++) block(&w, "text_model", i);
    for (int i = 0; i < LAYERS; i++) block(&w, "vision_model", i);
    w.header[w.n_header++] = '}';
    FILE *f = fopen(path, "wb");
    uint64_t n = w.n_header;
    if (!f || fwrite(&n, 8, 1, f) != 1 || fwrite(w.header, 1, w.n_header, f) != w.n_header ||
        fwrite(w.data, 4, w.n_data, f) != w.n_data || fclose(f))
        fail_msg("cannot write %s", path);
}

/* ---- tokenizer and configuration ---- */

/* GPT-2's printable character for each byte. */
static unsigned byte_char(unsigned b)
{
    if ((b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174) return b;
    unsigned before = 0; /* bytes below b that are not printable */
    for (unsigned i = 0; i < b; i++) before += !((i >= 33 && i <= 126) || (i >= 161 && i <= 172) || i >= 174);
    return 256 + before;
}

static void write_tokenizer(const char *folder)
{
    char path[600];
    snprintf(path, sizeof path, "%s/vocab.json", folder);
    FILE *f = fopen(path, "w");
    if (!f) fail_msg("cannot write %s", path);
    for (unsigned i = 0; i < 512; i++)
        fprintf(f, "%s\"\\u%04x%s\":%u", i ? "," : "{", byte_char(i % 256), i < 256 ? "" : "</w>", i);
    for (unsigned i = 0; i < 5; i++) fprintf(f, ",\"%s%s\":%u", merges[i][0], merges[i][1], 512 + i);
    fprintf(f, ",\"<|startoftext|>\":517,\"<|endoftext|>\":518}");
    fclose(f);
    snprintf(path, sizeof path, "%s/merges.txt", folder);
    f = fopen(path, "w");
    if (!f) fail_msg("cannot write %s", path);
    fprintf(f, "#version: 0.2\n");
    for (unsigned i = 0; i < 5; i++) fprintf(f, "%s %s\n", merges[i][0], merges[i][1]);
    fclose(f);
}

static const char config_of[] =
    "{\"architectures\":[\"CLIPModel\"],\"model_type\":\"clip\",\"projection_dim\":12,\"logit_scale_init_"
    "value\":2.6592,"
    "\"text_config\":{\"model_type\":\"clip_text_model\",\"hidden_size\":%d,\"intermediate_size\":%d,"
    "\"num_hidden_layers\":2,\"num_attention_heads\":2,\"max_position_embeddings\":24,\"vocab_size\":519,"
    "\"hidden_act\":\"quick_gelu\",\"layer_norm_eps\":1e-05,\"bos_token_id\":517,\"eos_token_id\":518,"
    "\"pad_token_id\":518,\"projection_dim\":12},"
    "\"vision_config\":{\"model_type\":\"clip_vision_model\",\"hidden_size\":%d,\"intermediate_size\":%d,"
    "\"num_hidden_layers\":2,\"num_attention_heads\":2,\"image_size\":8,\"patch_size\":4,\"num_channels\":3,"
    "\"hidden_act\":\"quick_gelu\",\"layer_norm_eps\":1e-05,\"projection_dim\":12}}";

static const char preprocessor[] =
    "{\"image_processor_type\":\"CLIPImageProcessor\",\"do_resize\":true,\"size\":{\"shortest_edge\":8},"
    "\"resample\":3,"
    "\"do_center_crop\":true,\"crop_size\":{\"height\":8,\"width\":8},\"do_rescale\":true,"
    "\"rescale_factor\":0.00392156862745098,\"do_normalize\":true,"
    "\"image_mean\":[0.48145466,0.4578275,0.40821073],\"image_std\":[0.26862954,0.26130258,0.27577711],"
    "\"do_convert_rgb\":true}";

static const char tokenizer_config[] =
    "{\"tokenizer_class\":\"CLIPTokenizer\",\"bos_token\":\"<|startoftext|>\",\"eos_token\":\"<|endoftext|>"
    "\","
    "\"pad_token\":\"<|endoftext|>\",\"unk_token\":\"<|endoftext|>\",\"model_max_length\":24}";

static void write_config(const char *name)
{
    char config[sizeof config_of + 16];
    const int n = snprintf(config, sizeof config, config_of, W, H, W, H);
    test_write(name, config, (size_t)n);
}

static const char *write_model(const char *folder, uint32_t seed)
{
    char name[96];
    const char *path = test_path(folder);
    if (mkdir(path, 0777)) {
        struct stat info;
        if (!stat(path, &info)) return path; /* written before */
        fail_msg("cannot make %s", path);
    }
    snprintf(name, sizeof name, "%s/config.json", folder);
    write_config(name);
    snprintf(name, sizeof name, "%s/preprocessor_config.json", folder);
    test_write(name, preprocessor, sizeof preprocessor - 1);
    snprintf(name, sizeof name, "%s/tokenizer_config.json", folder);
    test_write(name, tokenizer_config, sizeof tokenizer_config - 1);
    snprintf(name, sizeof name, "%s/model.safetensors", folder);
    write_weights(test_path(name), seed);
    write_tokenizer(path);
    return path;
}

const char *tiny_model(uint32_t seed)
{
    char folder[64];
    W = TINY_WIDTH;
    snprintf(folder, sizeof folder, "tiny-%u", (unsigned)seed);
    return write_model(folder, seed);
}

const char *tiny_wide_model(void)
{
    W = TINY_WIDE;
    return write_model("tiny-wide", 1);
}

mopd_encoder *tiny_open(uint32_t seed, uint32_t n_threads)
{
    mopd_encoder_options o;
    mopd_encoder *encoder = NULL;
    assert_ok(mopd_encoder_options_init(&o, sizeof o));
    o.n_threads = n_threads;
    assert_ok(mopd_encoder_open(&encoder, tiny_model(seed), &o));
    return encoder;
}

const char *const tiny_classes[TINY_CLASSES] = {"cat", "sea_or_lake", "dog", "a b", "boxer!", "zoo"};

const char *const tiny_templates[5] = {"a photo of a {}.", "{} it is", "no {}!", "a {} of a {}", "is it {}?"};

mopd_trainer_options tiny_training(int32_t method, uint32_t epochs)
{
    mopd_trainer_options o;
    assert_ok(mopd_trainer_options_init(&o, sizeof o));
    o.method = method;
    o.epochs = epochs;
    o.batch = 8;
    o.lr = 0.02f;
    o.warmup_lr = 0.01f;
    o.templates = tiny_templates;
    o.n_templates = 5;
    return o;
}

void tiny_features(const mopd_encoder *encoder, size_t per_class, size_t n_views, uint32_t seed,
    float *features, int32_t *labels)
{
    float text[TINY_CLASSES * D], noise[D];
    char names[TINY_CLASSES][40];
    const char *list[TINY_CLASSES];
    for (int c = 0; c < TINY_CLASSES; c++) {
        snprintf(names[c], sizeof names[c], "a photo of a %s.", tiny_classes[c]);
        list[c] = names[c];
    }
    assert_ok(mopd_encoder_encode_texts(encoder, list, TINY_CLASSES, text));
    for (size_t i = 0; i < TINY_CLASSES * per_class * n_views; i++) {
        size_t label = i / (per_class * n_views);
        double sum = 0;
        test_random(noise, D, seed + (uint32_t)i);
        for (int d = 0; d < D; d++) {
            double x = (double)text[label * D + (size_t)d] + 0.1 * (double)noise[d];
            features[i * D + (size_t)d] = (float)x;
            sum += x * x;
        }
        for (int d = 0; d < D; d++) features[i * D + (size_t)d] /= (float)sqrt(sum);
        labels[i / n_views] = (int32_t)label;
    }
}
