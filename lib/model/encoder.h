/* SPDX-License-Identifier: MIT
 * encoder.h - one open model: configuration, tokenizer, towers, threads; what prompt/ and train/ use of it.
 *
 * Immutable once open; towers unpack their weights at first use, guarded inside. */
#ifndef MO_MODEL_ENCODER_H
#define MO_MODEL_ENCODER_H

#include <stdatomic.h>

#include "base/dtype.h"
#include "model/progress.h"
#include "model/towers.h"
#include "mopd/encoder.h"
#include "token/tokenizer.h"

/* What belongs to an encoder and all its shares: whoever is closed last frees it. */
typedef struct mo_encoder_core {
    atomic_size_t users;
    mo_pool *pool;     /* of those that asked for no threads of their own */
    mo_towers *towers; /* NULL while the model is being opened */
    void *bytes;       /* of a model that was copied from the caller's memory, or NULL */
} mo_encoder_core;

struct mopd_encoder {
    mo_encoder_core *core;
    mo_config config;
    mo_weights *weights; /* as vision and text those of core->towers */
    mo_tokenizer *tokenizer;
    mo_cleaning cleaning; /* of texts: the layout's, or what was asked for */
    mo_vision *vision;
    mo_text *text;
    mo_pool *pool;               /* the core's, or its own */
    mo_progress_watcher watcher; /* of a share */
    float logit_scale;           /* exp of the stored value */
    float logit_bias;            /* where config.logit_bias says that there is one, else 0 */
    float recommended_lr;        /* 0: none */
    bool truncate;               /* MOPD_TEXT_TRUNCATE */
    mo_image_rules rules;        /* of picture files: MOPD_OPEN_SCALE_GREY16, MOPD_OPEN_UPRIGHT */
    int32_t precision;
    char fingerprint[65];
    const char *layout; /* its name; static */
    char *path;
};

/* As the public functions of the same end; arguments checked by the caller. */
mopd_status mo_encoder_open(mopd_encoder **out, const char *path, const mopd_encoder_options *options);
mopd_status mo_encoder_open_memory(
    mopd_encoder **out, const void *bytes, size_t n, const mopd_encoder_options *options);
mopd_status mo_encoder_share(
    mopd_encoder **out, const mopd_encoder *encoder, const mopd_share_options *options);
void mo_encoder_close(mopd_encoder *encoder);
mopd_status mo_describe_encoder(const mopd_encoder *encoder, char **json);

/* "f32", "bf16" or "int8"; false for another word, and for "f32", which files do not write. */
const char *mo_encoder_precision_name(int32_t precision);
bool mo_encoder_precision_find(int32_t *precision, const char *word);

/* How the towers' products are made. */
mo_precision mo_encoder_products(const mopd_encoder *encoder);

/* Start, ids, end of a text appended to tokens, refused or cut beyond the context length as the options say. */
mopd_status mo_encoder_tokens(const mopd_encoder *encoder, const char *text, mo_tokens *tokens);

/* features, n x D, rows of length 1.  progress, or NULL, is told of each part and may end the call. */
mopd_status mo_encoder_texts(
    const mopd_encoder *encoder, const char *const *texts, size_t n, float *features, mo_progress *progress);
mopd_status mo_encoder_pixels(
    const mopd_encoder *encoder, const float *pixels, size_t n, float *features, mo_progress *progress);
/* shape: n pictures, V fixed views of each; features n x V x D. */
mopd_status mo_encoder_pictures(const mopd_encoder *encoder, const mo_image *const *pictures,
    const size_t shape[2], float *features, mo_progress *progress);

/* UNSUPPORTED: one picture would take more memory on its way than the limit tower_memory.  Unpacks the weights. */
mopd_status mo_encoder_check_picture(const mopd_encoder *encoder);

/* How many pictures' pixels may wait at once, `copies` times each: up to `most`, one at least. */
size_t mo_encoder_at_once(const mopd_encoder *encoder, size_t most, size_t copies);

/* features as the tower leaves them, not of length 1; pixels unchecked. */
mopd_status mo_encoder_pixels_raw(
    const mopd_encoder *encoder, const float *pixels, size_t n, float *features);

/* Picture files through decoding threads and the tower; see mopd_encoder_encode_files. */
mopd_status mo_encoder_files(
    const mopd_encoder *encoder, const char *const *paths, size_t n, mopd_encoded_fn fn, void *context);

/* Writes everything as one file, weights as `dtype`, those of layers in panels or rows. */
mopd_status mo_pack_encoder(const mopd_encoder *encoder, const char *path, mo_dtype dtype, bool panels);
/* In 8 bits, channels of the image tower balanced by what it reads of up to 64 of n picture files (calibrate.h). */
mopd_status mo_pack_calibrated(
    const mopd_encoder *encoder, const char *path, bool panels, const char *const *pictures, size_t n);
mopd_status mo_describe_file(const char *path, char **json);

/* Rows of x (n x dim) divided by their length.  NUMERIC: a row is zero or not finite; `what` and its
 * number are named. */
mopd_status mo_encoder_normalise(float *x, size_t n, size_t dim, const char *what);

#endif
