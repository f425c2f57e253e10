/* SPDX-License-Identifier: MIT
 * webp.c - the edge to libwebp. */
#include <stdint.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "within.h"

VP8StatusCode __real_WebPGetFeaturesInternal(
    const uint8_t *bytes, size_t n, WebPBitstreamFeatures *out, int version);
VP8StatusCode __wrap_WebPGetFeaturesInternal(
    const uint8_t *bytes, size_t n, WebPBitstreamFeatures *out, int version);
VP8StatusCode __wrap_WebPGetFeaturesInternal(
    const uint8_t *bytes, size_t n, WebPBitstreamFeatures *out, int version)
{
    VP8StatusCode result;
    __msan_check_mem_is_initialized(bytes, n);
    WITHIN(result = __real_WebPGetFeaturesInternal(bytes, n, out, version));
    __msan_unpoison(out, sizeof *out);
    return result;
}

WebPAnimDecoder *__real_WebPAnimDecoderNewInternal(
    const WebPData *data, const WebPAnimDecoderOptions *options, int version);
WebPAnimDecoder *__wrap_WebPAnimDecoderNewInternal(
    const WebPData *data, const WebPAnimDecoderOptions *options, int version);
WebPAnimDecoder *__wrap_WebPAnimDecoderNewInternal(
    const WebPData *data, const WebPAnimDecoderOptions *options, int version)
{
    WebPAnimDecoder *decoder;
    WITHIN(decoder = __real_WebPAnimDecoderNewInternal(data, options, version));
    return decoder;
}

int __real_WebPAnimDecoderGetInfo(const WebPAnimDecoder *decoder, WebPAnimInfo *info);
int __wrap_WebPAnimDecoderGetInfo(const WebPAnimDecoder *decoder, WebPAnimInfo *info);
int __wrap_WebPAnimDecoderGetInfo(const WebPAnimDecoder *decoder, WebPAnimInfo *info)
{
    int result = __real_WebPAnimDecoderGetInfo(decoder, info);
    __msan_unpoison(info, sizeof *info);
    return result;
}

int __real_WebPAnimDecoderGetNext(WebPAnimDecoder *decoder, uint8_t **rgba, int *when);
int __wrap_WebPAnimDecoderGetNext(WebPAnimDecoder *decoder, uint8_t **rgba, int *when);
int __wrap_WebPAnimDecoderGetNext(WebPAnimDecoder *decoder, uint8_t **rgba, int *when)
{
    int result;
    WebPAnimInfo info;
    WITHIN(result = __real_WebPAnimDecoderGetNext(decoder, rgba, when));
    if (!result || !__wrap_WebPAnimDecoderGetInfo(decoder, &info)) return result;
    __msan_unpoison(rgba, sizeof *rgba);
    __msan_unpoison(when, sizeof *when);
    __msan_unpoison(*rgba, (size_t)info.canvas_width * info.canvas_height * 4);
    return result;
}

int __real_WebPDemuxGetChunk(
    const WebPDemuxer *file, const char kind[4], int number, WebPChunkIterator *chunk);
int __wrap_WebPDemuxGetChunk(
    const WebPDemuxer *file, const char kind[4], int number, WebPChunkIterator *chunk);
int __wrap_WebPDemuxGetChunk(
    const WebPDemuxer *file, const char kind[4], int number, WebPChunkIterator *chunk)
{
    int result;
    WITHIN(result = __real_WebPDemuxGetChunk(file, kind, number, chunk));
    __msan_unpoison(chunk, sizeof *chunk);
    return result;
}
