/* SPDX-License-Identifier: MIT
 * encoder.h - a CLIP model: pictures and texts to unit vectors of one space.
 *
 * An encoder is immutable once open: any number of threads may use one at the same time.  It owns its worker
 * threads; results do not depend on how many there are, nor on what else stands in a batch.
 *
 * Working memory of a call stays with the encoder for the next one, until it is closed: at most 64 MB of
 * pictures' and 16 MB of texts'.  What a call needs beyond that it allocates and frees. */
#ifndef MOPD_ENCODER_H
#define MOPD_ENCODER_H

#include "image.h"

MOPD_BEGIN_DECLS

typedef struct mopd_encoder mopd_encoder;

/* Flags of mopd_encoder_options. */
#define MOPD_OPEN_READ UINT32_C(1) /* read the weights instead of mapping the file, which may then change */
#define MOPD_TEXT_TRUNCATE                                                                                   \
    UINT32_C(2) /* cut over-long texts, keeping the end token, instead of refusing them */

/* Arithmetic of the towers.  BF16: weights and inputs of the products in 16 bits, sums in more, at least as exact
 * as bfloat16 (features within a cosine of 0.9995 of those of F32), half the memory; everything between the products,
 * and training, in F32.  Needs no particular CPU; is faster than F32 where there is AVX-512 with VNNI, or AMX. */
#define MOPD_PRECISION_F32 0
#define MOPD_PRECISION_BF16 1
#define MOPD_PRECISION_AUTO 2 /* today F32 */

/* Weight types of mopd_encoder_pack. */
#define MOPD_DTYPE_F32 0
#define MOPD_DTYPE_F16 1
#define MOPD_DTYPE_BF16 2

typedef struct mopd_encoder_options {
    uint32_t struct_size;
    uint32_t flags;     /* MOPD_OPEN_READ | MOPD_TEXT_TRUNCATE */
    int32_t precision;  /* MOPD_PRECISION_... */
    uint32_t n_threads; /* 0: the runtime's default */
} mopd_encoder_options;

typedef struct mopd_encoder_info {
    uint32_t struct_size;
    uint32_t dim;            /* D, width of a feature */
    uint32_t text_width;     /* W, width of the text tower and of a context vector */
    uint32_t context_length; /* longest text in tokens, start and end included */
    uint32_t vocab_size;
    uint32_t image_size; /* S, side in pixels of what the vision tower sees */
    uint32_t n_threads;
    int32_t precision;
    float logit_scale;    /* exp of the stored value: cosine x this = logit */
    float recommended_lr; /* of prompt learning on this model, 0 when the file names none */
    uint64_t n_parameters;
    uint64_t weight_bytes; /* of the weights as stored */
} mopd_encoder_info;

/* Fills in the defaults.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_options_init(mopd_encoder_options *options, size_t struct_size);

/* Opens a model: a Hugging Face CLIP directory, an open_clip directory, an OpenAI .pt checkpoint, a locked-tower
 * directory, or a packed .safetensors file.  path NULL: the built-in model (MOPD_MODEL if set, else
 * share/mopd/builtin.safetensors relative to the library, else the installation prefix).  options may be NULL.
 * IO: a file is missing (named); FORMAT: a file lies; MISMATCH: config and weights disagree; UNSUPPORTED: an
 * architecture or activation unknown here; ARG or UNSUPPORTED: the environment's MOPD_CPU (runtime.h) or
 * MOPD_BF16 ("onednn" or "integers": what MOPD_PRECISION_BF16 computes with; unset, what suits the CPU).
 * Close with mopd_encoder_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_open(
    mopd_encoder **out, const char *path, const mopd_encoder_options *options);

/* Frees the encoder; takes NULL.  Nothing made from it may be in use any more.  Since 0.1. */
MOPD_API void mopd_encoder_close(mopd_encoder *encoder);

/* Fills info, whose struct_size the caller has set to sizeof *info.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_get_info(const mopd_encoder *encoder, mopd_encoder_info *info);

/* 64 hexadecimal digits that name this model's configuration and weights; owned by the encoder.  Since 0.1. */
MOPD_API const char *mopd_encoder_fingerprint(const mopd_encoder *encoder);

/* Sizes, types, configuration as one JSON object in *json; free with mopd_free.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_describe(const mopd_encoder *encoder, char **json);

/* What a model, prompt file, checkpoint or feature store at path holds, as one JSON object with "kind" in
 * *json; free with mopd_free.  path NULL: the built-in model.  Since 0.1. */
MOPD_API mopd_status mopd_inspect(const char *path, char **json);

/* What the vision tower sees of an image: pixels, 3 x S x S, as transformers' PIL-backed CLIPImageProcessor makes
 * it with the model's own settings.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_preprocess(
    const mopd_encoder *encoder, const mopd_image *image, float *pixels);

/* A training view of an image: random resized crop (area 0.08 to 1, ratio 3/4 to 4/3, bicubic) and horizontal
 * flip with chance 1/2, drawn from seed alone; pixels as above (torchvision's RandomResizedCrop; docs/method.md 5.1).
 * Since 0.1. */
MOPD_API mopd_status mopd_encoder_preprocess_view(
    const mopd_encoder *encoder, const mopd_image *image, uint64_t seed, float *pixels);

/* features, n x D, rows of length 1, from pixels, n x 3 x S x S.  NUMERIC when pixels are not finite.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_pixels(
    const mopd_encoder *encoder, const float *pixels, size_t n, float *features);

/* features, n x D, from n images.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_images(
    const mopd_encoder *encoder, const mopd_image *const *images, size_t n, float *features);

/* One picture's outcome: index as in the list; status and, when it failed, message; feature is D floats, valid
 * during the call, NULL on failure.  Return 0 to go on, anything else to stop with CANCELLED. */
typedef int (*mopd_encoded_fn)(
    void *context, size_t index, mopd_status status, const char *message, const float *feature);

/* Encodes picture files, decoding and encoding side by side in bounded memory.  fn is called on the calling
 * thread, once a file, in list order; a bad picture is reported to it and the rest go on.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_files(
    const mopd_encoder *encoder, const char *const *paths, size_t n, mopd_encoded_fn fn, void *context);

/* Token ids of a text, start and end included: *ids, *n_ids of them; free with mopd_free.  text is UTF-8, ended
 * by a zero byte.  FORMAT for broken UTF-8 (with the byte position), ARG when it is longer than the context and
 * MOPD_TEXT_TRUNCATE is off.  As transformers' CLIPTokenizer.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_tokenize(
    const mopd_encoder *encoder, const char *text, uint32_t **ids, size_t *n_ids);

/* features, n x D, rows of length 1, of n texts.  Shared beginnings are computed once.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_texts(
    const mopd_encoder *encoder, const char *const *texts, size_t n, float *features);

/* Writes weights, configuration and vocabulary as one mappable file at path (beside, then renamed); dtype is
 * MOPD_DTYPE_....  Since 0.1. */
MOPD_API mopd_status mopd_encoder_pack(const mopd_encoder *encoder, const char *path, int32_t dtype);

/* *gflops = the rate of the matrix product alone here and now (256 x 768 by 768 x 3072 in f32, the encoder's threads,
 * best of several rounds, about a tenth of a second): what the towers' speed is to be held against.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_gemm_rate(const mopd_encoder *encoder, double *gflops);

MOPD_END_DECLS

#endif
