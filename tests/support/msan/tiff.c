/* SPDX-License-Identifier: MIT
 * tiff.c - the edge to libtiff.  What a tag is read into is known for the tags of lib/format/tiff.c. */
#include <stdarg.h>
#include <stdbool.h>
#include <tiffio.h>

#include "within.h"

TIFF *__real_TIFFClientOpenExt(const char *name, const char *mode, thandle_t handle, TIFFReadWriteProc read,
    TIFFReadWriteProc write, TIFFSeekProc seek, TIFFCloseProc close, TIFFSizeProc size, TIFFMapFileProc map,
    TIFFUnmapFileProc unmap, TIFFOpenOptions *options);
TIFF *__wrap_TIFFClientOpenExt(const char *name, const char *mode, thandle_t handle, TIFFReadWriteProc read,
    TIFFReadWriteProc write, TIFFSeekProc seek, TIFFCloseProc close, TIFFSizeProc size, TIFFMapFileProc map,
    TIFFUnmapFileProc unmap, TIFFOpenOptions *options);
TIFF *__wrap_TIFFClientOpenExt(const char *name, const char *mode, thandle_t handle, TIFFReadWriteProc read,
    TIFFReadWriteProc write, TIFFSeekProc seek, TIFFCloseProc close, TIFFSizeProc size, TIFFMapFileProc map,
    TIFFUnmapFileProc unmap, TIFFOpenOptions *options)
{
    TIFF *tiff;
    WITHIN(tiff = __real_TIFFClientOpenExt(
               name, mode, handle, read, write, seek, close, size, map, unmap, options));
    return tiff;
}

/* What a tag of lib/format/tiff.c is read into. */
static void clean_field(TIFF *tiff, uint32_t tag, va_list list)
{
    if (tag == TIFFTAG_COLORMAP) {
        uint16_t bits = 1;
        TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
        __msan_unpoison(&bits, sizeof bits);
        for (int i = 0; i < 3; i++) {
            uint16_t **map = va_arg(list, uint16_t **);
            __msan_unpoison(map, sizeof *map);
            __msan_unpoison(*map, sizeof **map << bits);
        }
    } else if (tag == TIFFTAG_EXTRASAMPLES) {
        uint16_t *n = va_arg(list, uint16_t *), **kinds = va_arg(list, uint16_t **);
        __msan_unpoison(n, sizeof *n);
        __msan_unpoison(kinds, sizeof *kinds);
        __msan_unpoison(*kinds, *n * sizeof **kinds);
    } else if (tag == TIFFTAG_YCBCRSUBSAMPLING) {
        for (int i = 0; i < 2; i++) __msan_unpoison(va_arg(list, uint16_t *), sizeof(uint16_t));
    } else {
        const bool wide = tag == TIFFTAG_IMAGEWIDTH || tag == TIFFTAG_IMAGELENGTH ||
                          tag == TIFFTAG_TILEWIDTH || tag == TIFFTAG_TILELENGTH ||
                          tag == TIFFTAG_ROWSPERSTRIP;
        __msan_unpoison(va_arg(list, void *), wide ? 4 : 2);
    }
}

static int get_field(
    TIFF *tiff, uint32_t tag, va_list list, int (*get)(TIFF *tiff, uint32_t tag, va_list list))
{
    va_list again;
    int result;
    va_copy(again, list);
    WITHIN(result = get(tiff, tag, list));
    if (result == 1) clean_field(tiff, tag, again);
    va_end(again);
    return result;
}

int __wrap_TIFFGetField(TIFF *tiff, uint32_t tag, ...);
int __wrap_TIFFGetField(TIFF *tiff, uint32_t tag, ...)
{
    va_list list;
    va_start(list, tag);
    const int result = get_field(tiff, tag, list, TIFFVGetField);
    va_end(list);
    return result;
}

int __wrap_TIFFGetFieldDefaulted(TIFF *tiff, uint32_t tag, ...);
int __wrap_TIFFGetFieldDefaulted(TIFF *tiff, uint32_t tag, ...)
{
    va_list list;
    va_start(list, tag);
    const int result = get_field(tiff, tag, list, TIFFVGetFieldDefaulted);
    va_end(list);
    return result;
}

tmsize_t __real_TIFFReadEncodedStrip(TIFF *tiff, uint32_t strip, void *block, tmsize_t size);
tmsize_t __wrap_TIFFReadEncodedStrip(TIFF *tiff, uint32_t strip, void *block, tmsize_t size);
tmsize_t __wrap_TIFFReadEncodedStrip(TIFF *tiff, uint32_t strip, void *block, tmsize_t size)
{
    tmsize_t read;
    WITHIN(read = __real_TIFFReadEncodedStrip(tiff, strip, block, size));
    if (read > 0) __msan_unpoison(block, (size_t)read);
    return read;
}

tmsize_t __real_TIFFReadEncodedTile(TIFF *tiff, uint32_t tile, void *block, tmsize_t size);
tmsize_t __wrap_TIFFReadEncodedTile(TIFF *tiff, uint32_t tile, void *block, tmsize_t size);
tmsize_t __wrap_TIFFReadEncodedTile(TIFF *tiff, uint32_t tile, void *block, tmsize_t size)
{
    tmsize_t read;
    WITHIN(read = __real_TIFFReadEncodedTile(tiff, tile, block, size));
    if (read > 0) __msan_unpoison(block, (size_t)read);
    return read;
}

int __real_TIFFRGBAImageOK(TIFF *tiff, char why[1024]);
int __wrap_TIFFRGBAImageOK(TIFF *tiff, char why[1024]);
int __wrap_TIFFRGBAImageOK(TIFF *tiff, char why[1024])
{
    int result;
    WITHIN(result = __real_TIFFRGBAImageOK(tiff, why));
    __msan_unpoison(why, 1024);
    return result;
}

int __real_TIFFRGBAImageBegin(TIFFRGBAImage *image, TIFF *tiff, int stop, char why[1024]);
int __wrap_TIFFRGBAImageBegin(TIFFRGBAImage *image, TIFF *tiff, int stop, char why[1024]);
int __wrap_TIFFRGBAImageBegin(TIFFRGBAImage *image, TIFF *tiff, int stop, char why[1024])
{
    int result;
    WITHIN(result = __real_TIFFRGBAImageBegin(image, tiff, stop, why));
    __msan_unpoison(image, sizeof *image);
    __msan_unpoison(why, 1024);
    return result;
}

int __real_TIFFRGBAImageGet(TIFFRGBAImage *image, uint32_t *pixels, uint32_t width, uint32_t height);
int __wrap_TIFFRGBAImageGet(TIFFRGBAImage *image, uint32_t *pixels, uint32_t width, uint32_t height);
int __wrap_TIFFRGBAImageGet(TIFFRGBAImage *image, uint32_t *pixels, uint32_t width, uint32_t height)
{
    int result;
    WITHIN(result = __real_TIFFRGBAImageGet(image, pixels, width, height));
    __msan_unpoison(image, sizeof *image);
    if (result) __msan_unpoison(pixels, (size_t)width * height * sizeof *pixels);
    return result;
}
