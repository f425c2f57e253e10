/* SPDX-License-Identifier: MIT
 * webp.c - WebP to 8-bit RGB and, where the file has transparency, 8-bit alpha, through libwebp.
 *
 * As Pillow does it, with libwebp's decoder of animations: the first picture on its canvas, which is clear elsewhere.  The
 * size is checked before that decoder makes room for the canvas. */
#include "format/webp.h"

#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "format/exif.h"

bool mo_webp_is(const void *bytes, size_t n_bytes)
{
    const char *b = bytes;
    return n_bytes >= 16 && !memcmp(b, "RIFF", 4) && !memcmp(b + 8, "WEBPVP8", 7);
}

enum { ROOM = 1 << 20, PIXEL_BYTES = 13 }; /* what libwebp takes, beside and for each pixel */

/* libwebp calls a file damaged where it gets no memory, and 1.2.4 ends the process at some places: room is looked for first. */
static mopd_status check_room(size_t n_pixels)
{
    if (mo_mem_left(ROOM + PIXEL_BYTES * n_pixels)) return MOPD_OK;
    return mo_fail(MOPD_E_NOMEM, "WebP: no memory for libwebp and %zu pixels", n_pixels);
}

static unsigned find_orientation(const WebPDemuxer *file)
{
    WebPChunkIterator chunk;
    unsigned found = 0;
    if (WebPDemuxGetChunk(file, "EXIF", 1, &chunk))
        found = mo_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    return found;
}

static void copy_pixels(mo_image *out, const uint8_t *rgba)
{
    const size_t n = out->width * out->height;
    for (size_t i = 0; i < n; i++) {
        memcpy(out->rgb + 3 * i, rgba + 4 * i, 3);
        if (out->alpha) out->alpha[i] = rgba[4 * i + 3];
    }
}

static mopd_status read_first(mo_image *out, WebPAnimDecoder *decoder, const mo_image_rules *rules)
{
    const WebPDemuxer *file = WebPAnimDecoderGetDemuxer(decoder);
    WebPAnimInfo info;
    uint8_t *rgba;
    int when;
    if (!WebPAnimDecoderGetInfo(decoder, &info) || !WebPAnimDecoderGetNext(decoder, &rgba, &when))
        return mo_fail(MOPD_E_FORMAT, "WebP: libwebp cannot decode its data");
    const bool alpha = WebPDemuxGetI(file, WEBP_FF_FORMAT_FLAGS) & ALPHA_FLAG;
    mopd_status st = mo_image_create(out, info.canvas_width, info.canvas_height, alpha);
    if (st != MOPD_OK) return st;
    copy_pixels(out, rgba);
    if (rules->upright) out->orientation = (uint8_t)find_orientation(file);
    return MOPD_OK;
}

mopd_status mo_webp_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules)
{
    *out = (mo_image){0};
    WebPBitstreamFeatures features;
    const VP8StatusCode code = WebPGetFeatures(bytes, n_bytes, &features);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA)
        return mo_fail(MOPD_E_FORMAT, "WebP is cut short: its %zu bytes end in the header", n_bytes);
    if (code != VP8_STATUS_OK) return mo_fail(MOPD_E_FORMAT, "WebP: libwebp cannot read its header");
    mopd_status st = mo_image_check((uint64_t)features.width, (uint64_t)features.height, rules->max_pixels);
    if (st == MOPD_OK) st = check_room((size_t)features.width * (size_t)features.height);
    if (st != MOPD_OK) return st;
    const WebPData data = {bytes, n_bytes};
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, NULL);
    if (!decoder)
        return mo_fail(
            MOPD_E_FORMAT, "WebP is cut short or damaged: libwebp cannot read its %zu bytes", n_bytes);
    st = read_first(out, decoder, rules);
    WebPAnimDecoderDelete(decoder);
    return st;
}
