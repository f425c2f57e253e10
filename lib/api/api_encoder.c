/* SPDX-License-Identifier: MIT
 * api_encoder.c - include/mopd/encoder.h. */
#include "api/api.h"
#include "api/api_image.h"
#include "api/api_runtime.h"
#include "base/dtype.h"
#include "base/mem.h"
#include "math/bf16.h"
#include "math/kern.h"
#include "model/encoder.h"

#define MOST_THREADS 1024

static const mopd_encoder_options defaults = {
    .struct_size = sizeof(mopd_encoder_options), .precision = MOPD_PRECISION_AUTO};

mopd_status mopd_encoder_options_init(mopd_encoder_options *options, size_t struct_size)
{
    MO_API_NEED(options);
    return mo_api_init(__func__, MO_API_mopd_encoder_options, options, struct_size, &defaults);
}

static mopd_status check_options(const mopd_encoder_options *o)
{
    if (o->precision < MOPD_PRECISION_F32 || o->precision > MOPD_PRECISION_INT8)
        return mo_fail(MOPD_E_ARG, "mopd_encoder_options: precision %d", (int)o->precision);
    if (o->flags & MOPD_TEXT_CLEAN && o->flags & MOPD_TEXT_AS_IS)
        return mo_fail(
            MOPD_E_ARG, "mopd_encoder_options: MOPD_TEXT_CLEAN and MOPD_TEXT_AS_IS exclude each other");
    if (o->n_threads > MOST_THREADS)
        return mo_fail(
            MOPD_E_ARG, "mopd_encoder_options: %u threads, at most %d", o->n_threads, MOST_THREADS);
    return MOPD_OK;
}

/* What the caller asks for, and whether this machine and the environment can grant it. */
static mopd_status read_options(
    const char *function, mopd_encoder_options *o, const mopd_encoder_options *options)
{
    mopd_status st = mo_api_read(function, MO_API_mopd_encoder_options, o, options, &defaults);
    if (st == MOPD_OK) st = check_options(o);
    if (st == MOPD_OK) st = mo_kern_cpu_check();
    return st == MOPD_OK ? mo_bf16_check() : st;
}

mopd_status mopd_encoder_open(mopd_encoder **out, const char *path, const mopd_encoder_options *options)
{
    MO_API_NEED_OUT(out);
    mopd_encoder_options o;
    mopd_status st = read_options(__func__, &o, options);
    if (st != MOPD_OK) return st;
    if (path && !*path) return mo_fail(MOPD_E_ARG, "%s: path is empty", __func__);
    st = MO_API_OPENING(mo_encoder_open(out, path, &o));
    if (st == MOPD_OK) atomic_store(&mo_api_encoder_opened, true);
    return st;
}

mopd_status mopd_encoder_open_memory(
    mopd_encoder **out, const void *bytes, size_t n_bytes, const mopd_encoder_options *options)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(bytes);
    mopd_encoder_options o;
    mopd_status st = mo_api_check_list(__func__, "bytes", bytes, (const size_t[3]){n_bytes, 1, 1});
    if (st == MOPD_OK) st = read_options(__func__, &o, options);
    if (st == MOPD_OK) st = MO_API_OPENING(mo_encoder_open_memory(out, bytes, n_bytes, &o));
    if (st == MOPD_OK) atomic_store(&mo_api_encoder_opened, true);
    return st;
}

static const mopd_share_options plain_share = {.struct_size = sizeof(mopd_share_options)};

mopd_status mopd_share_options_init(mopd_share_options *options, size_t struct_size)
{
    MO_API_NEED(options);
    return mo_api_init(__func__, MO_API_mopd_share_options, options, struct_size, &plain_share);
}

mopd_status mopd_encoder_share(
    mopd_encoder **out, const mopd_encoder *encoder, const mopd_share_options *options)
{
    MO_API_NEED_OUT(out);
    MO_API_NEED(encoder);
    mopd_share_options o;
    mopd_status st = mo_api_read(__func__, MO_API_mopd_share_options, &o, options, &plain_share);
    if (st == MOPD_OK && o.n_threads > MOST_THREADS)
        st = mo_fail(MOPD_E_ARG, "mopd_share_options: %u threads, at most %d", o.n_threads, MOST_THREADS);
    return st == MOPD_OK ? mo_encoder_share(out, encoder, &o) : st;
}

void mopd_encoder_close(mopd_encoder *encoder)
{
    mo_encoder_close(encoder);
}

mopd_status mopd_encoder_get_info(const mopd_encoder *encoder, mopd_encoder_info *info)
{
    MO_API_NEED(encoder);
    MO_API_NEED(info);
    const mo_config *c = &encoder->config;
    mopd_encoder_info all = {.dim = c->dim,
        .text_width = c->text.stack.width,
        .context_length = c->text.context,
        .vocab_size = c->text.vocab,
        .image_size = c->image,
        .n_threads = (uint32_t)mo_pool_threads(encoder->pool),
        .precision = encoder->precision,
        .logit_scale = encoder->logit_scale,
        .recommended_lr = encoder->recommended_lr,
        .n_parameters = mo_weights_parameters(encoder->weights),
        .weight_bytes = mo_weights_bytes(encoder->weights),
        .has_logit_bias = c->logit_bias,
        .logit_bias = encoder->logit_bias};
    return mo_api_give(__func__, MO_API_mopd_encoder_info, info, &all);
}

const char *mopd_encoder_fingerprint(const mopd_encoder *encoder)
{
    return encoder ? encoder->fingerprint : "";
}

mopd_status mopd_encoder_describe(const mopd_encoder *encoder, char **json)
{
    MO_API_NEED_OUT(json);
    MO_API_NEED(encoder);
    return mo_describe_encoder(encoder, json);
}

mopd_status mopd_inspect(const char *path, char **json)
{
    MO_API_NEED_OUT(json);
    return MO_API_OPENING(mo_describe_file(path, json));
}

mopd_status mopd_encoder_preprocess(const mopd_encoder *encoder, const mopd_image *image, float *pixels)
{
    MO_API_NEED(encoder);
    MO_API_NEED(image);
    MO_API_NEED(pixels);
    return mo_pixels_run(&encoder->config.pixels, &image->picture, pixels);
}

mopd_status mopd_encoder_preprocess_view(
    const mopd_encoder *encoder, const mopd_image *image, uint64_t seed, float *pixels)
{
    MO_API_NEED(encoder);
    MO_API_NEED(image);
    MO_API_NEED(pixels);
    return mo_pixels_view(&encoder->config.pixels, &image->picture, seed, pixels);
}

mopd_status mopd_encoder_encode_pixels(
    const mopd_encoder *encoder, const float *pixels, size_t n, float *features)
{
    MO_API_NEED(encoder);
    MO_API_NEED_ROWS(pixels, n, 3 * (size_t)encoder->config.image * encoder->config.image);
    MO_API_NEED_ROWS(features, n, encoder->config.dim);
    if (!n) return MOPD_OK;
    mo_progress progress;
    mopd_status st = mo_progress_begin(&progress, encoder->watcher, "pictures", n);
    return st == MOPD_OK ? mo_encoder_pixels(encoder, pixels, n, features, &progress) : st;
}

static mopd_status encode_views(const char *function, const mopd_encoder *encoder,
    const mopd_image *const *images, const size_t shape[2], float *features)
{
    const size_t n = shape[0];
    mo_progress progress;
    mopd_status st = MOPD_OK;
    const mo_image **pictures = mo_mem_alloc(n, sizeof *pictures);
    if (!pictures) return MOPD_E_NOMEM;
    for (size_t i = 0; i < n && st == MOPD_OK; i++) {
        if (images[i])
            pictures[i] = &images[i]->picture;
        else
            st = mo_fail(MOPD_E_ARG, "%s: image %zu is NULL", function, i);
    }
    if (st == MOPD_OK) st = mo_progress_begin(&progress, encoder->watcher, "pictures", n * shape[1]);
    if (st == MOPD_OK) st = mo_encoder_pictures(encoder, pictures, shape, features, &progress);
    mo_mem_free((void *)pictures);
    return st;
}

mopd_status mopd_encoder_encode_images(
    const mopd_encoder *encoder, const mopd_image *const *images, size_t n, float *features)
{
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(images, n);
    MO_API_NEED_ROWS(features, n, encoder->config.dim);
    return n ? encode_views(__func__, encoder, images, (const size_t[]){n, 1}, features) : MOPD_OK;
}

mopd_status mopd_encoder_encode_views(
    const mopd_encoder *encoder, const mopd_image *const *images, size_t n, size_t n_views, float *features)
{
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(images, n);
    if (n_views < 1 || n_views > MOPD_FIXED_VIEWS)
        return mo_fail(
            MOPD_E_ARG, "%s: n_views is %zu, 1 to %d are possible", __func__, n_views, MOPD_FIXED_VIEWS);
    MO_API_NEED_ROWS(features, n, n_views * encoder->config.dim);
    return n ? encode_views(__func__, encoder, images, (const size_t[]){n, n_views}, features) : MOPD_OK;
}

mopd_status mopd_encoder_encode_files(
    const mopd_encoder *encoder, const char *const *paths, size_t n, mopd_encoded_fn fn, void *context)
{
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(paths, n);
    MO_API_NEED(fn);
    if (!n) return MOPD_OK;
    return mo_encoder_files(encoder, paths, n, fn, context);
}

mopd_status mopd_encoder_tokenize(
    const mopd_encoder *encoder, const char *text, uint32_t **ids, size_t *n_ids)
{
    MO_API_NEED_OUT(ids);
    MO_API_NEED(n_ids);
    *n_ids = 0;
    MO_API_NEED(encoder);
    MO_API_NEED(text);
    mo_tokens tokens = {0};
    mopd_status st = mo_encoder_tokens(encoder, text, &tokens);
    if (st != MOPD_OK) {
        mo_mem_free(tokens.id);
        return st;
    }
    *ids = tokens.id;
    *n_ids = tokens.n;
    return MOPD_OK;
}

mopd_status mopd_encoder_encode_texts(
    const mopd_encoder *encoder, const char *const *texts, size_t n, float *features)
{
    MO_API_NEED(encoder);
    MO_API_NEED_LIST(texts, n);
    MO_API_NEED_ROWS(features, n, encoder->config.dim);
    if (!n) return MOPD_OK;
    mo_progress progress;
    mopd_status st = mo_progress_begin(&progress, encoder->watcher, "texts", n);
    return st == MOPD_OK ? mo_encoder_texts(encoder, texts, n, features, &progress) : st;
}

mopd_status mopd_encoder_pack(const mopd_encoder *encoder, const char *path, int32_t dtype)
{
    MO_API_NEED(encoder);
    MO_API_NEED(path);
    static const mo_dtype types[] = {MO_F32, MO_F16, MO_BF16, MO_I8};
    const bool panels = (dtype & MOPD_PACK_PANELS) != 0;
    const int32_t type = dtype & ~MOPD_PACK_PANELS;
    if (type < MOPD_DTYPE_F32 || type > MOPD_DTYPE_I8)
        return mo_fail(MOPD_E_ARG, "%s: weight type %d", __func__, (int)dtype);
    return mo_pack_encoder(encoder, path, types[type], panels);
}

mopd_status mopd_encoder_pack_calibrated(const mopd_encoder *encoder, const char *path, int32_t dtype,
    const char *const *pictures, size_t n_pictures)
{
    MO_API_NEED(encoder);
    MO_API_NEED(path);
    MO_API_NEED_LIST(pictures, n_pictures);
    if ((dtype & ~MOPD_PACK_PANELS) != MOPD_DTYPE_I8)
        return mo_fail(MOPD_E_ARG, "%s: weight type %d; only I8 is calibrated", __func__, (int)dtype);
    return mo_pack_calibrated(encoder, path, (dtype & MOPD_PACK_PANELS) != 0, pictures, n_pictures);
}
