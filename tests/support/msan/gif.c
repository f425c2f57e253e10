/* SPDX-License-Identifier: MIT
 * gif.c - the edge to giflib, which hands its own struct to our reader: a reader that knows it stands in between. */
#include <stdint.h>
#include <stdlib.h>
#include <gif_lib.h>

#include "within.h"

static void clean_map(const ColorMapObject *map)
{
    if (!map) return;
    __msan_unpoison(map, sizeof *map);
    __msan_unpoison(map->Colors, (size_t)map->ColorCount * sizeof *map->Colors);
}

static void clean_gif(const GifFileType *gif)
{
    __msan_unpoison(gif, sizeof *gif);
    clean_map(gif->SColorMap);
    clean_map(gif->Image.ColorMap);
}

static _Thread_local InputFunc gif_reader;

static int read_gif(GifFileType *gif, GifByteType *out, int n)
{
    __msan_unpoison(gif, sizeof *gif);
    return gif_reader(gif, out, n);
}

GifFileType *__real_DGifOpen(void *data, InputFunc reader, int *error);
GifFileType *__wrap_DGifOpen(void *data, InputFunc reader, int *error);
GifFileType *__wrap_DGifOpen(void *data, InputFunc reader, int *error)
{
    GifFileType *gif;
    gif_reader = reader;
    WITHIN(gif = __real_DGifOpen(data, read_gif, error));
    __msan_unpoison(error, sizeof *error);
    if (gif) clean_gif(gif);
    return gif;
}

int __real_DGifGetRecordType(GifFileType *gif, GifRecordType *type);
int __wrap_DGifGetRecordType(GifFileType *gif, GifRecordType *type);
int __wrap_DGifGetRecordType(GifFileType *gif, GifRecordType *type)
{
    int result;
    WITHIN(result = __real_DGifGetRecordType(gif, type));
    __msan_unpoison(type, sizeof *type);
    clean_gif(gif);
    return result;
}

/* A block's first byte is its length. */
static void clean_block(const GifFileType *gif, GifByteType **block)
{
    clean_gif(gif);
    __msan_unpoison(block, sizeof *block);
    if (!*block) return;
    __msan_unpoison(*block, 1);
    __msan_unpoison(*block, 1 + (size_t) * *block);
}

int __real_DGifGetExtension(GifFileType *gif, int *code, GifByteType **block);
int __wrap_DGifGetExtension(GifFileType *gif, int *code, GifByteType **block);
int __wrap_DGifGetExtension(GifFileType *gif, int *code, GifByteType **block)
{
    int result;
    *block = NULL;
    WITHIN(result = __real_DGifGetExtension(gif, code, block));
    __msan_unpoison(code, sizeof *code);
    clean_block(gif, block);
    return result;
}

int __real_DGifGetExtensionNext(GifFileType *gif, GifByteType **block);
int __wrap_DGifGetExtensionNext(GifFileType *gif, GifByteType **block);
int __wrap_DGifGetExtensionNext(GifFileType *gif, GifByteType **block)
{
    int result;
    WITHIN(result = __real_DGifGetExtensionNext(gif, block));
    clean_block(gif, block);
    return result;
}

int __real_DGifGetImageDesc(GifFileType *gif);
int __wrap_DGifGetImageDesc(GifFileType *gif);
int __wrap_DGifGetImageDesc(GifFileType *gif)
{
    int result;
    WITHIN(result = __real_DGifGetImageDesc(gif));
    clean_gif(gif);
    return result;
}

int __real_DGifGetLine(GifFileType *gif, GifPixelType *line, int n);
int __wrap_DGifGetLine(GifFileType *gif, GifPixelType *line, int n);
int __wrap_DGifGetLine(GifFileType *gif, GifPixelType *line, int n)
{
    int result;
    WITHIN(result = __real_DGifGetLine(gif, line, n));
    if (result == GIF_OK) __msan_unpoison(line, (size_t)n);
    clean_gif(gif);
    return result;
}
