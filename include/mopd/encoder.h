/* SPDX-License-Identifier: MIT
 * encoder.h - a CLIP model: pictures and texts to unit vectors of one space.
 *
 * An encoder is immutable once open: any number of threads may use one at the same time.  It owns its worker
 * threads; results do not depend on how many there are, nor on what else stands in a batch.  Calls by several
 * threads at once run side by side: the workers serve one of them, the others run on their callers' threads.
 *
 * The first picture and the first text each pack their tower's weights, which takes as much memory as the
 * weights themselves (in BF16 half of it); every encoder that is opened has packed weights of its own, and
 * gives their memory back to the system when it is closed.  For another number of
 * threads, or for progress, share one (mopd_encoder_share) instead of opening the model twice.
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
#define MOPD_OPEN_SCALE_GREY16                                                                               \
    UINT32_C(4) /* files of 16-bit grey over their whole range, instead of white above 255 */
#define MOPD_OPEN_UPRIGHT UINT32_C(8) /* picture files turned as EXIF says */
#define MOPD_TEXT_CLEAN UINT32_C(16)  /* texts cleaned as OpenAI's and open_clip's tokenizers do */
#define MOPD_TEXT_AS_IS UINT32_C(32)  /* texts as transformers' tokenizer takes them */

/* Arithmetic of the towers.  INT8 (since 0.2): weights of the blocks and of EfficientNet's 1 x 1 convolutions in 8 bits with
 * a scale for each output, a row of their inputs in 8 bits with a scale of its own, whole-number sums; a tower's first
 * and last layers, ModifiedResNet and FastViT in 16 bits.  A quarter of the memory; docs/performance.md says what it costs
 * in exactness and what it brings in speed.  The products have the same bits on every CPU.  BF16: weights and inputs of the products in 16 bits, sums in more, at least as
 * exact as bfloat16 (features within a cosine of 0.9995 of those of F32), half the memory; everything between
 * the products, and training, in F32.  Needs no particular CPU; is faster than F32 where there is AVX-512 with
 * VNNI, or AMX. */
#define MOPD_PRECISION_F32 0
#define MOPD_PRECISION_BF16 1
#define MOPD_PRECISION_AUTO 2 /* today F32 */
#define MOPD_PRECISION_INT8 3

/* Weight types of mopd_encoder_pack. */
#define MOPD_DTYPE_F32 0
#define MOPD_DTYPE_F16 1
#define MOPD_DTYPE_BF16 2
#define MOPD_DTYPE_I8 3
/* With one of them: the weights of layers in the order in which products read them. */
#define MOPD_PACK_PANELS 256

typedef struct mopd_encoder_options {
    uint32_t struct_size; /* set by mopd_encoder_options_init */
    /* None by default.  MOPD_OPEN_READ reads the weights into memory where the file may change or be cut while
     * the model is open; mapping is quicker and shares memory between processes.  MOPD_TEXT_TRUNCATE cuts texts
     * that are too long for the tower, as CLIP's own code does on request; without it they are refused, so that
     * nothing is lost in silence.  MOPD_OPEN_SCALE_GREY16 and MOPD_OPEN_UPRIGHT are MOPD_IMAGE_SCALE_GREY16
     * and MOPD_IMAGE_UPRIGHT for the files that mopd_encoder_encode_files and mopd_dataset_encode read.
     * Without one of MOPD_TEXT_CLEAN and MOPD_TEXT_AS_IS texts are taken as the layout's own users get them: OpenAI's
     * checkpoints and open_clip's folders clean them first (entities of HTML, curly quotes, ligatures, widths, control
     * characters), transformers' folders do not, and the built-in model takes curly apostrophes as straight ones.
     * SigLIP's tokenizers lower a text and delete punctuation in each layout's own way; with them MOPD_TEXT_CLEAN is
     * open_clip's "canonicalize". */
    uint32_t flags;
    /* MOPD_PRECISION_F32 by default, which gives the reference implementation's results.  MOPD_PRECISION_BF16
     * halves the memory and is faster on CPUs with AVX-512; take it when a cosine of 0.9995 to the exact
     * feature is near enough. */
    int32_t precision;
    /* Threads that compute; 0, the default: what mopd_runtime_set_threads says, else the processors that this
     * process may use.  Results do not depend on it.  Use 1 where the host runs many encoders side by side. */
    uint32_t n_threads;
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
    /* 1 where the model was trained with a sigmoid loss (SigLIP): 1 / (1 + exp(-(logit + logit_bias))) tells of one
     * text alone whether it fits a picture (mopd_bank_sigmoids).  0: there is no such constant, and it is 0. */
    uint32_t has_logit_bias;
    float logit_bias;
} mopd_encoder_info;

/* Fills in the defaults: exact arithmetic, a mapped file, the default threads.  struct_size is sizeof of the
 * caller's struct.  ARG: a size below that of the first release.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_options_init(mopd_encoder_options *options, size_t struct_size);

/* Opens a model: a Hugging Face CLIP directory, an open_clip directory, an OpenAI .pt checkpoint, a
 * locked-tower directory, or a packed .safetensors file; what lies at path tells which (docs/models.md).  path
 * NULL: the built-in model (MOPD_MODEL if set, else share/mopd/builtin.safetensors relative to the library,
 * else the installation prefix).
 *
 * Opening reads the configuration and vocabulary and maps the weights, which takes milliseconds; the first
 * picture and the first text each unpack their tower.  Encoders that were opened from the same unchanged files, with
 * the same precision and MOPD_OPEN_READ, have their unpacked towers in common.  Nothing is ever downloaded.  options
 * may be NULL.
 *
 * IO: a file is missing (named); FORMAT: a file lies; MISMATCH: configuration and weights disagree (the tensor
 * is named); UNSUPPORTED: an architecture or activation unknown here; ARG or UNSUPPORTED: the environment's
 * MOPD_CPU (runtime.h) or MOPD_BF16 ("bfloat16" or "integers": what MOPD_PRECISION_BF16 computes with; unset,
 * what suits the CPU).  *out is NULL on failure.  Close with mopd_encoder_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_open(
    mopd_encoder **out, const char *path, const mopd_encoder_options *options);

/* The same from the n_bytes of a packed model (mopd_encoder_pack) in memory: for a model that is part of the program,
 * that comes over a network, or that lies encrypted.  The bytes are used where they are, so they must stay as they
 * are until the encoder and its shares are closed; with MOPD_OPEN_READ they are copied and may go at once.  Messages
 * say "model in memory".  Errors as above, but IO.  Close with mopd_encoder_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_open_memory(
    mopd_encoder **out, const void *bytes, size_t n_bytes, const mopd_encoder_options *options);

/* How far a call has come: done of total texts or pictures.  Called on the calling thread, first with none done,
 * then every fraction of a second or so, last with all of them.  Return 0 to go on, anything else to stop: the
 * call then ends with CANCELLED and hands out nothing. */
typedef int (*mopd_progress_fn)(void *context, size_t done, size_t total);

typedef struct mopd_share_options {
    uint32_t struct_size; /* set by mopd_share_options_init */
    /* Threads that compute; 0, the default: those of the encoder that was opened, which one call at a time
     * uses.  Any other number makes threads of its own.  1: each call runs on its caller's thread alone. */
    uint32_t n_threads;
    /* Told by every call that encodes with this share; NULL, the default: nobody is.  context is handed to it.
     * A share with progress belongs to the threads that its callback can serve. */
    mopd_progress_fn progress;
    void *context;
} mopd_share_options;

/* Fills in the defaults, as far as the caller's struct of struct_size bytes reaches.  ARG: a size below that of
 * the first release.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_share_options_init(mopd_share_options *options, size_t struct_size);

/* The same open model once more: weights, packed weights and working memory are one, so that a share costs
 * nothing but the threads it asks for.  For a call with another number of threads, and for progress and
 * cancelling of a long one: make a share, call with it, close it.  Results are the same bits.
 *
 * progress is told by mopd_encoder_encode_texts, _images and _pixels, mopd_bank_create, mopd_bank_create_prompt
 * and _trainer (texts: names times templates), mopd_trainer_create while it encodes the teachers, and
 * mopd_recognizer_create and _with_classes.  Calls with a callback of their own
 * (mopd_encoder_encode_files, mopd_dataset_encode, mopd_trainer_run) do not tell it.  A trainer keeps the share
 * it was made with, which must then stay open.
 *
 * options may be NULL.  The encoder may be closed before its shares, and is one itself; what all have is freed
 * with the last.  ARG: more than 1024 threads; NOMEM: also for threads that cannot be started.  Close with
 * mopd_encoder_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_share(
    mopd_encoder **out, const mopd_encoder *encoder, const mopd_share_options *options);

/* Frees the encoder, its threads and its working memory, all but what shares of it still use; takes NULL.  No
 * call with it may be running, and trainers made from it must be gone; banks, prompts and data sets hold copies
 * and live on.  Since 0.1. */
MOPD_API void mopd_encoder_close(mopd_encoder *encoder);

/* Fills info, whose struct_size the caller has set to sizeof *info: sizes of features, texts and pictures,
 * threads, precision and the scale that turns a cosine into a logit.  A program with an older, shorter
 * struct gets what fits; what this library does not know of a newer, longer one is set to zero.  Any
 * thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_get_info(const mopd_encoder *encoder, mopd_encoder_info *info);

/* 64 hexadecimal digits that name this model's configuration and weights: the same for a model and its packed f32
 * file, another for other weights.  Prompts and stores carry it, so that they never meet another model.  Owned by the
 * encoder; "" for NULL.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_encoder_fingerprint(const mopd_encoder *encoder);

/* Sizes, types, configuration, preprocessing and file layout as one JSON object in *json, ended by a zero byte:
 * what `mopd inspect` prints.  Free with mopd_free.  NOMEM.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_describe(const mopd_encoder *encoder, char **json);

/* What a model, prompt file, checkpoint, feature store, recogniser or bank at path holds, as one JSON object with
 * "kind" in *json: for programs that are handed a file and want to know what it is before they open it.  path NULL:
 * the built-in model.  Errors as the openers of each kind.  Free with mopd_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_inspect(const char *path, char **json);

/* What the vision tower sees of an image: pixels, 3 x S x S floats of the caller (S is info.image_size), planes
 * of red, green and blue.  Resized, cropped and normalised to the very bits of transformers' PIL-backed
 * CLIPImageProcessor with the model's own settings, or of open_clip's and OpenAI's transforms for their
 * layouts.  UNSUPPORTED: a picture so thin that nothing is left of it.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_preprocess(
    const mopd_encoder *encoder, const mopd_image *image, float *pixels);

/* A training view of an image: random resized crop (area 0.08 to 1, ratio 3/4 to 4/3, bicubic) and horizontal
 * flip with chance 1/2, drawn from seed alone, so that the same seed gives the same view on any machine; pixels
 * as above (torchvision's RandomResizedCrop; docs/method.md 5.1).  For hosts that augment in their own
 * loop.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_preprocess_view(
    const mopd_encoder *encoder, const mopd_image *image, uint64_t seed, float *pixels);

/* Encodes pixels that were preprocessed before: features, n x D floats of the caller, rows of length 1, from
 * pixels, n x 3 x S x S.  A row's bits depend on its own picture alone, not on n nor on threads.  The calling
 * thread takes part; concurrent calls are allowed.  n may be 0.  NUMERIC: a pixel is not finite, or a feature
 * has no length (the row is named); NOMEM.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_pixels(
    const mopd_encoder *encoder, const float *pixels, size_t n, float *features);

/* Preprocesses and encodes n images: features, n x D floats of the caller, rows of length 1.  Memory stays
 * bounded for any n, as pictures go in groups.  What is said of mopd_encoder_encode_pixels holds here
 * too.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_images(
    const mopd_encoder *encoder, const mopd_image *const *images, size_t n, float *features);

/* The fixed views of a picture: 0 the picture as it is encoded otherwise, 1 its mirror image, 2 its middle, 3 its upper left
 * and 4 its lower right, the last three with 0.8 of the sides. */
#define MOPD_FIXED_VIEWS 5

/* The first n_views, 1 to MOPD_FIXED_VIEWS, of the fixed views of n images: features, n x n_views x D floats of the caller,
 * rows of length 1.  For recognisers (mopd_recognizer_options.n_views), which learn more from a picture so; it takes n_views
 * times as long as mopd_encoder_encode_images, of which all else holds.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_views(
    const mopd_encoder *encoder, const mopd_image *const *images, size_t n, size_t n_views, float *features);

/* One picture's outcome: index as in the list; status and, when it failed, message; after MOPD_OK message is "", or a
 * remark on how the picture was read (16-bit grey that became white).  feature is D floats, valid during the call, NULL
 * on failure.  Return 0 to go on, anything else to stop with CANCELLED. */
typedef int (*mopd_encoded_fn)(
    void *context, size_t index, mopd_status status, const char *message, const float *feature);

/* Encodes picture files, decoding and encoding side by side, in memory that does not grow with n: the
 * quickest way for a folder.  fn is called on the calling thread, once for each file, in list order.  A
 * picture that cannot be read is reported to it with its own status and message, and the rest go on.  The
 * call itself fails only for arguments, memory, or CANCELLED when fn says stop; the files before that have
 * been reported.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_files(
    const mopd_encoder *encoder, const char *const *paths, size_t n, mopd_encoded_fn fn, void *context);

/* Token ids of a text, start (SigLIP's tokenizers have none) and end included, without pads: *ids, *n_ids of them, the
 * very ids of the tokenizer that the layout's own users have on the same vocabulary (MOPD_TEXT_CLEAN, MOPD_TEXT_AS_IS).
 * text is UTF-8, ended by a zero byte; any language and any symbols.  FORMAT for broken UTF-8 (with the byte position),
 * ARG when it is longer than the context (both lengths are named) and MOPD_TEXT_TRUNCATE is off.  Free *ids with
 * mopd_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_tokenize(
    const mopd_encoder *encoder, const char *text, uint32_t **ids, size_t *n_ids);

/* Encodes n texts: features, n x D floats of the caller, rows of length 1.  What texts share from their
 * beginning is computed once, so that many sentences of one form cost little more than their endings (not by models
 * whose text tower has no causal mask, as SigLIP's: there a text costs its full length); a row's bits do not depend on
 * that, nor on n or threads.  FORMAT and ARG as mopd_encoder_tokenize, with the text's
 * index.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_encode_texts(
    const mopd_encoder *encoder, const char *const *texts, size_t n, float *features);

/* Writes weights, configuration and vocabulary as one file at path that mopd_encoder_open maps: easier to ship than a
 * folder, quicker to open.  It is written beside path, synced and renamed.  dtype is MOPD_DTYPE_F32 for the same
 * bits, or F16 or BF16 for half the size, with features that differ as little as the rounding of the weights, or I8 (since
 * 0.2) for a quarter: the numbers that MOPD_PRECISION_INT8 computes with, each output with its scale, the rest in F16; such
 * a file opens in every precision.
 * With MOPD_PACK_PANELS the file is as large and gives the same bits, but a transformer's weights are used where they lie in
 * it: the first picture and the first text need not pack them, and processes share them.  F32 is for MOPD_PRECISION_F32 on
 * every CPU, I8 for INT8 on every CPU, BF16 for BF16 on CPUs with AMX; elsewhere, and those of F16, they are packed in memory as
 * ever, which mopd_encoder_describe tells.  Other programs cannot read weights in this order.  IO: cannot be written; ARG:
 * another dtype; NUMERIC, I8 alone: a weight is not finite.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_pack(const mopd_encoder *encoder, const char *path, int32_t dtype);

/* As mopd_encoder_pack, with the channels of the image tower balanced by what it computes from pictures: n_pictures files, of
 * which up to 64 are read, spread evenly over the list.  Without pictures the weights alone tell which channels are far larger
 * than the others; each layer takes of both ways the one by which 8 bits change less in these pictures.  Features in f32 stay what
 * they are but for the rounding of the weights.  The text tower is balanced by its weights.  dtype: MOPD_DTYPE_I8, with MOPD_PACK_PANELS or without.  The same
 * pictures give the same bytes with any number of threads.  ARG: another dtype, no picture; UNSUPPORTED: the image
 * tower is no transformer, so that there is nothing to balance; IO, FORMAT and UNSUPPORTED name a picture that cannot be
 * read.  path is then as it was.  Any thread.  Since 0.2. */
MOPD_API mopd_status mopd_encoder_pack_calibrated(const mopd_encoder *encoder, const char *path,
    int32_t dtype, const char *const *pictures, size_t n_pictures);

/* *gflops = the rate of the matrix product alone, here and now: 256 x 768 by 768 x 3072 in f32 on the encoder's
 * threads, the best of several rounds.  It takes about a tenth of a second.  What the towers reach is to be held
 * against it, and a low number on a known processor tells of a busy machine or a wrong CPU path.  Since 0.1. */
MOPD_API mopd_status mopd_encoder_gemm_rate(const mopd_encoder *encoder, double *gflops);

MOPD_END_DECLS

#endif
