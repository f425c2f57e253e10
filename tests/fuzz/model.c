/* SPDX-License-Identifier: MIT
 * model.c - the small model that targets share, and what is done with a model that an input made. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "fuzz.h"

static mopd_encoder *shared;

static void close_shared(void)
{
    mopd_encoder_close(shared);
}

const mopd_encoder *fuzz_encoder(void)
{
    mopd_encoder_options options;
    if (shared) return shared;
    FUZZ_MUST(mopd_encoder_options_init(&options, sizeof options) == MOPD_OK);
    options.n_threads = 1;
    FUZZ_MUST(mopd_encoder_open(&shared, fuzz_base("hf"), &options) == MOPD_OK);
    FUZZ_MUST(!atexit(close_shared));
    return shared;
}

/* A text and a picture through the towers, where they are small enough to be quick. */
static void use_towers(const mopd_encoder *encoder, const mopd_encoder_info *info)
{
    if (info->context_length > 64 || info->image_size > 64 || info->text_width > 128 || info->dim > 128)
        return;
    static const uint8_t samples[5 * 7 * 3] = {200, 10, 90};
    float feature[128];
    mopd_image *image = NULL;
    FUZZ_MUST(mopd_image_create(&image, samples, 5, 7, 3, 0) == MOPD_OK);
    fuzz_good(mopd_encoder_encode_images(encoder, (const mopd_image *const *)&image, 1, feature));
    fuzz_good(mopd_encoder_encode_texts(encoder, &(const char *){"a cat"}, 1, feature));
    mopd_image_close(image);
}

/* What opens can be packed, and the packed model is the same one. */
static void pack(const mopd_encoder *encoder)
{
    mopd_encoder *again = NULL;
    mopd_encoder_options options;
    const char *path = fuzz_beside("packed");
    FUZZ_MUST(mopd_encoder_options_init(&options, sizeof options) == MOPD_OK);
    options.n_threads = 1;
    if (!fuzz_good(mopd_encoder_pack(encoder, path, MOPD_DTYPE_F32))) return;
    FUZZ_MUST(mopd_encoder_open(&again, path, &options) == MOPD_OK);
    FUZZ_MUST(!strcmp(mopd_encoder_fingerprint(encoder), mopd_encoder_fingerprint(again)));
    mopd_encoder_close(again);
}

static void use_model(const mopd_encoder *encoder)
{
    mopd_encoder_info info = {.struct_size = sizeof info};
    char *json = NULL;
    uint32_t *ids = NULL;
    size_t n_ids = 0;
    FUZZ_MUST(mopd_encoder_get_info(encoder, &info) == MOPD_OK);
    FUZZ_MUST(mopd_encoder_describe(encoder, &json) == MOPD_OK);
    mopd_free(json);
    if (FUZZ_READ(
            mopd_encoder_tokenize(encoder, "A Photo of 3 caf\xc3\xa9s' <|endoftext|>", &ids, &n_ids), ids))
        for (size_t i = 0; i < n_ids; i++) FUZZ_MUST(ids[i] < info.vocab_size);
    mopd_free(ids);
    use_towers(encoder, &info);
    pack(encoder);
}

void fuzz_model(const char *path)
{
    mopd_encoder *encoder = NULL;
    mopd_encoder_options options;
    FUZZ_MUST(mopd_encoder_options_init(&options, sizeof options) == MOPD_OK);
    options.n_threads = 1;
    if (FUZZ_READ(mopd_encoder_open(&encoder, path, &options), encoder)) use_model(encoder);
    mopd_encoder_close(encoder);
}

void fuzz_model_in(const char *path, int32_t precision)
{
    mopd_encoder *encoder = NULL;
    mopd_encoder_options options;
    mopd_encoder_info info = {.struct_size = sizeof info};
    FUZZ_MUST(mopd_encoder_options_init(&options, sizeof options) == MOPD_OK);
    options.n_threads = 1;
    options.precision = precision;
    if (FUZZ_READ(mopd_encoder_open(&encoder, path, &options), encoder)) {
        FUZZ_MUST(mopd_encoder_get_info(encoder, &info) == MOPD_OK);
        use_towers(encoder, &info);
    }
    mopd_encoder_close(encoder);
}

void fuzz_inspect(const char *path)
{
    char *json = NULL;
    (void)FUZZ_READ(mopd_inspect(path, &json), json);
    mopd_free(json);
}
