/* SPDX-License-Identifier: MIT
 * heif.c - the edge to libheif. */
#include <stdint.h>
#include <libheif/heif.h>

#include "within.h"

typedef struct heif_error heif_status;

static heif_status clean_status(heif_status error)
{
    __msan_unpoison_string(error.message);
    return error;
}

heif_status __real_heif_context_read_from_memory_without_copy(
    struct heif_context *context, const void *bytes, size_t n, const struct heif_reading_options *options);
heif_status __wrap_heif_context_read_from_memory_without_copy(
    struct heif_context *context, const void *bytes, size_t n, const struct heif_reading_options *options);
heif_status __wrap_heif_context_read_from_memory_without_copy(
    struct heif_context *context, const void *bytes, size_t n, const struct heif_reading_options *options)
{
    heif_status error;
    __msan_check_mem_is_initialized(bytes, n);
    WITHIN(error = __real_heif_context_read_from_memory_without_copy(context, bytes, n, options));
    return clean_status(error);
}

heif_status __real_heif_context_get_primary_image_handle(
    struct heif_context *context, struct heif_image_handle **out);
heif_status __wrap_heif_context_get_primary_image_handle(
    struct heif_context *context, struct heif_image_handle **out);
heif_status __wrap_heif_context_get_primary_image_handle(
    struct heif_context *context, struct heif_image_handle **out)
{
    heif_status error;
    WITHIN(error = __real_heif_context_get_primary_image_handle(context, out));
    __msan_unpoison(out, sizeof *out);
    return clean_status(error);
}

int __real_heif_get_decoder_descriptors(
    enum heif_compression_format format, const struct heif_decoder_descriptor **out, int room);
int __wrap_heif_get_decoder_descriptors(
    enum heif_compression_format format, const struct heif_decoder_descriptor **out, int room);
int __wrap_heif_get_decoder_descriptors(
    enum heif_compression_format format, const struct heif_decoder_descriptor **out, int room)
{
    int n;
    WITHIN(n = __real_heif_get_decoder_descriptors(format, out, room));
    if (n > 0) __msan_unpoison(out, (size_t)(n < room ? n : room) * sizeof *out);
    return n;
}

heif_status __real_heif_decode_image(const struct heif_image_handle *handle, struct heif_image **out,
    enum heif_colorspace space, enum heif_chroma chroma, const struct heif_decoding_options *options);
heif_status __wrap_heif_decode_image(const struct heif_image_handle *handle, struct heif_image **out,
    enum heif_colorspace space, enum heif_chroma chroma, const struct heif_decoding_options *options);
heif_status __wrap_heif_decode_image(const struct heif_image_handle *handle, struct heif_image **out,
    enum heif_colorspace space, enum heif_chroma chroma, const struct heif_decoding_options *options)
{
    heif_status error;
    WITHIN(error = __real_heif_decode_image(handle, out, space, chroma, options));
    __msan_unpoison(out, sizeof *out);
    return clean_status(error);
}

heif_status __real_heif_image_handle_get_auxiliary_type(
    const struct heif_image_handle *handle, const char **out);
heif_status __wrap_heif_image_handle_get_auxiliary_type(
    const struct heif_image_handle *handle, const char **out);
heif_status __wrap_heif_image_handle_get_auxiliary_type(
    const struct heif_image_handle *handle, const char **out)
{
    heif_status error;
    WITHIN(error = __real_heif_image_handle_get_auxiliary_type(handle, out));
    __msan_unpoison(out, sizeof *out);
    if (*out) __msan_unpoison_string(*out);
    return clean_status(error);
}

int __real_heif_image_handle_get_list_of_auxiliary_image_IDs(
    const struct heif_image_handle *handle, int filter, heif_item_id *out, int room);
int __wrap_heif_image_handle_get_list_of_auxiliary_image_IDs(
    const struct heif_image_handle *handle, int filter, heif_item_id *out, int room);
int __wrap_heif_image_handle_get_list_of_auxiliary_image_IDs(
    const struct heif_image_handle *handle, int filter, heif_item_id *out, int room)
{
    int n;
    WITHIN(n = __real_heif_image_handle_get_list_of_auxiliary_image_IDs(handle, filter, out, room));
    if (n > 0) __msan_unpoison(out, (size_t)n * sizeof *out);
    return n;
}

heif_status __real_heif_image_handle_get_auxiliary_image_handle(
    const struct heif_image_handle *handle, heif_item_id id, struct heif_image_handle **out);
heif_status __wrap_heif_image_handle_get_auxiliary_image_handle(
    const struct heif_image_handle *handle, heif_item_id id, struct heif_image_handle **out);
heif_status __wrap_heif_image_handle_get_auxiliary_image_handle(
    const struct heif_image_handle *handle, heif_item_id id, struct heif_image_handle **out)
{
    heif_status error;
    WITHIN(error = __real_heif_image_handle_get_auxiliary_image_handle(handle, id, out));
    __msan_unpoison(out, sizeof *out);
    return clean_status(error);
}

const uint8_t *__real_heif_image_get_plane_readonly(
    const struct heif_image *picture, enum heif_channel channel, int *row_bytes);
const uint8_t *__wrap_heif_image_get_plane_readonly(
    const struct heif_image *picture, enum heif_channel channel, int *row_bytes);
const uint8_t *__wrap_heif_image_get_plane_readonly(
    const struct heif_image *picture, enum heif_channel channel, int *row_bytes)
{
    const uint8_t *rows = __real_heif_image_get_plane_readonly(picture, channel, row_bytes);
    __msan_unpoison(row_bytes, sizeof *row_bytes);
    const int height = heif_image_get_height(picture, channel);
    if (rows && height > 0) __msan_unpoison(rows, (size_t)*row_bytes * (size_t)height);
    return rows;
}
