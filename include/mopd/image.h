/* SPDX-License-Identifier: MIT
 * image.h - pictures as 8-bit RGB, decoded and converted exactly as Pillow's Image.open(...).convert("RGB").
 *
 * Immutable after creation: any number of threads. */
#ifndef MOPD_IMAGE_H
#define MOPD_IMAGE_H

#include "status.h"

MOPD_BEGIN_DECLS

typedef struct mopd_image mopd_image;

#define MOPD_IMAGE_SIGNATURE 576 /* floats of mopd_image_signature */

/* Two rows by their number, first < second, and their product. */
typedef struct mopd_pair {
    uint64_t first, second;
    double cosine;
} mopd_pair;

/* Flags of mopd_image_options. */
#define MOPD_IMAGE_SCALE_GREY16 UINT32_C(1) /* 16-bit grey over its whole range, instead of white above 255 */
#define MOPD_IMAGE_UPRIGHT UINT32_C(2)      /* turned as EXIF says */

typedef struct mopd_image_options {
    uint32_t struct_size; /* set by mopd_image_options_init */
    /* None by default.  MOPD_IMAGE_SCALE_GREY16 takes the high byte of 16-bit grey, as is done with 16-bit colours:
     * for pictures of microscopes, scanners and cameras that use the whole range.  MOPD_IMAGE_UPRIGHT turns and
     * mirrors a picture as the orientation in its EXIF data says, to the pixels of Pillow's ImageOps.exif_transpose:
     * for photographs as phones leave them. */
    uint32_t flags;
    /* width x height beyond which a picture is refused before decoding; 0: that of mopd_limits, 178,956,970 */
    uint64_t max_pixels;
} mopd_image_options;

/* Fills in the defaults, as far as the caller's struct of struct_size bytes reaches.  ARG: a size below that of the
 * first release.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_image_options_init(mopd_image_options *options, size_t struct_size);

/* 1: a file of this name is taken for a picture by what walks through folders, since its name ends as those of a kind
 * that this build reads do, in whatever case (.jpg .jpeg .jpe .jfif .mpo, .png .apng, .bmp .dib, .gif, .webp,
 * .tif .tiff, .heic .heif .hif, .avif; mopd_build_info names
 * the kinds); 0: it is not, is hidden, or NULL.  The file is not looked at.  Any thread.  Since 0.1. */
MOPD_API int mopd_image_takes(const char *path);

/* Reads a JPEG (baseline, progressive, grey, YCbCr, RGB, CMYK, YCCK), PNG (any type and depth), BMP, GIF, WebP, TIFF,
 * HEIF or AVIF file (the last five where the build has giflib, libwebp, libtiff and libheif; of several the first); the kind is
 * told by content, not by name.  The bytes are those of Pillow, also in that 16-bit grey above 255 is white
 * (unless MOPD_IMAGE_SCALE_GREY16 is set).  As in Pillow, the EXIF orientation is not applied (unless
 * MOPD_IMAGE_UPRIGHT is set; TIFF and HEIF files are turned in any case) and alpha is dropped.  options may be NULL.
 *
 * IO: cannot be read, with the system's reason; FORMAT: not such a picture (the message says what it is),
 * broken or cut short; UNSUPPORTED: more than max_pixels, said before anything of that size is
 * allocated, or a kind that no build reads (JPEG XL, JPEG 2000).  Messages begin with the path.  *out is NULL on
 * failure; close it with mopd_image_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_image_open(mopd_image **out, const char *path, const mopd_image_options *options);

/* The same from n_bytes in memory, as they come from a network or a database: they are read during the call and not
 * kept.  Messages have no path in front.  Errors as above, but IO.  Close with mopd_image_close.  Any thread.
 * Since 0.1. */
MOPD_API mopd_status mopd_image_decode(
    mopd_image **out, const void *bytes, size_t n_bytes, const mopd_image_options *options);

/* A picture from raw 8-bit samples, height x width x n_channels (1 grey, 3 RGB, 4 RGBA: alpha dropped), rows
 * row_bytes apart (0: packed): what another library has decoded.  Copied, so the caller's buffer is free at
 * once.  mopd_image_create_frame (frame.h) takes all that cameras and films have, and can do without a copy.
 *
 * The order is red, green, blue, from the top row down.  Nothing can notice blue first (OpenCV, BMP, many
 * cameras) or a picture that lies on its side: its features are worse, so bring it in order before.  What lies
 * behind a row's pixels, up to row_bytes, is not read, and behind the last row need not be there.
 *
 * ARG: a size of 0, another number of channels, rows that are too short or reach beyond all memory, as a
 * negative distance would; NOMEM.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_image_create(mopd_image **out, const uint8_t *samples, size_t height, size_t width,
    size_t n_channels, size_t row_bytes);

/* Columns [x, x + width) and rows [y, y + height) of an image as an image of its own, with its transparency: what a
 * detector has found, tiles of a large picture.  Copied, so the first may be closed.  ARG: a size of 0, or a region that
 * reaches beyond the image; NOMEM.  Close with mopd_image_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_image_crop(
    mopd_image **out, const mopd_image *image, size_t x, size_t y, size_t width, size_t height);

/* Width and height in pixels; 0 for NULL.  Any thread.  Since 0.1. */
MOPD_API size_t mopd_image_width(const mopd_image *image);
MOPD_API size_t mopd_image_height(const mopd_image *image);

/* The samples, height x width x 3 bytes of red, green and blue in packed rows, for showing the picture or
 * handing it on.  Owned by the image, or the caller's own where it was borrowed (frame.h) in packed rows; from other
 * borrowed rows a copy is made with the first call.  NULL for NULL, and where that copy finds no memory.  Any thread.
 * Since 0.1. */
MOPD_API const uint8_t *mopd_image_samples(const mopd_image *image);

/* *sharpness, from 0 for a blurred picture to 1: the share of the differences between neighbouring pixels that
 * blurring takes away (Crete et al. 2007), in grey, at a shorter side of at most 224 pixels.  It depends little
 * on what is shown, but compare it among pictures of one kind.  A picture without any differences has
 * 1.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_image_sharpness(const mopd_image *image, double *sharpness);

/* signature, MOPD_IMAGE_SIGNATURE floats of the caller of length 1 and mean 0: the picture in 24 x 24 grey.  The
 * product of two signatures is the correlation of the pictures.  A copy of another size, format or quality has
 * more than 0.98, which other pictures hardly ever have; what is cropped by a tenth has about 0.95.  A plane of
 * one grey has all zeros.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_image_signature(const mopd_image *image, float *signature);

/* The pairs of n rows, n x dim, whose product is at least `least`, the largest first: of signatures copies of one
 * picture, of features pictures that mean the same.  *n_pairs: room in `pairs`, then how many were
 * written.  All pairs are compared, about a second for 10,000 rows of 576.  ARG: dim is 0, least is not a
 * number.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_pairs_find(
    const float *rows, size_t n, size_t dim, double least, mopd_pair *pairs, size_t *n_pairs);

/* Frees an image and its samples; takes NULL.  Encoding keeps no image, so it may go as soon as the call returns.  No
 * call with it may be running.  Since 0.1. */
MOPD_API void mopd_image_close(mopd_image *image);

/* The former name of mopd_image_close.  Since 0.1. */
MOPD_API void mopd_image_free(mopd_image *image) MOPD_DEPRECATED("use mopd_image_close");

MOPD_END_DECLS

#endif
