/* SPDX-License-Identifier: MIT
 * image_decode.c - tells a picture's kind by its first bytes and hands it to the file that reads this kind. */
#include "format/image_decode.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/words.h"
#include "format/bmp.h"
#include "format/exif.h"
#include "format/gif.h"
#include "format/heif.h"
#include "format/jpeg.h"
#include "format/png.h"
#include "format/tiff.h"
#include "format/webp.h"

/* The kinds that this build reads, and how names of such files end. */
static const struct kind {
    const char *name, *endings;
    bool (*is)(const void *bytes, size_t n_bytes);
    mopd_status (*decode)(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules);
} kinds[] = {
    {"JPEG", "jpg jpeg jpe jfif mpo", mo_jpeg_is, mo_jpeg_decode},
    {"PNG", "png apng", mo_png_is, mo_png_decode},
    {"BMP", "bmp dib", mo_bmp_is, mo_bmp_decode},
#ifdef MOPD_GIF
    {"GIF", "gif", mo_gif_is, mo_gif_decode},
#endif
#ifdef MOPD_WEBP
    {"WebP", "webp", mo_webp_is, mo_webp_decode},
#endif
#ifdef MOPD_TIFF
    {"TIFF", "tif tiff", mo_tiff_is, mo_tiff_decode},
#endif
#ifdef MOPD_HEIF
    {"HEIF", "heic heif hif", mo_heif_is, mo_heif_decode},
    {"AVIF", "avif", mo_heif_is_avif, mo_heif_decode},
#endif
};

enum { N_KINDS = sizeof kinds / sizeof *kinds };

const char *mo_image_kind(size_t i)
{
    return i < N_KINDS ? kinds[i].name : NULL;
}

/* Whether a list of words with spaces between them has this one, in whatever case. */
static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = n && !strchr(word, ' ') ? list : NULL; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (mo_words_begins(at, word) && (!at[n] || at[n] == ' ')) return true;
    }
    return false;
}

bool mo_image_takes(const char *path)
{
    const char *name = mo_path_name(path), *dot = strrchr(name, '.');
    if (!dot || dot == name) return false;
    for (size_t i = 0; i < N_KINDS; i++)
        if (has_word(kinds[i].endings, dot + 1)) return true;
    return false;
}

static bool begins(const unsigned char *b, size_t n, const char *with, size_t n_with)
{
    return n >= n_with && !memcmp(b, with, n_with);
}

/* What kind of other file this is, for the message. */
static const char *guess(const unsigned char *b, size_t n)
{
    if (begins(b, n, "GIF8", 4)) return "a GIF";
    if (begins(b, n, "RIFF", 4) && n >= 12 && !memcmp(b + 8, "WEBP", 4)) return "a WebP";
    if (begins(b, n, "BM", 2) && n >= 26 && b[6] == 0 && b[7] == 0) return "a BMP";
    if (begins(b, n, "II*\0", 4) || begins(b, n, "MM\0*", 4)) return "a TIFF";
    if (begins(b, n, "II+\0", 4) || begins(b, n, "MM\0+", 4)) return "a TIFF";
    if (n >= 12 && !memcmp(b + 4, "ftyp", 4)) return "a HEIF, AVIF or video file";
    if (begins(b, n, "%PDF", 4)) return "a PDF";
    if (begins(b, n, "PK\3\4", 4)) return "a zip archive";
    if (begins(b, n, "\x1f\x8b", 2)) return "gzip data";
    for (size_t i = 0; i < n && i < 512; i++)
        if (b[i] == 0x7f || (b[i] < 0x20 && !strchr("\t\n\r\f", b[i])) || b[i] == 0)
            return "of an unknown kind";
    return "a text file";
}

/* FORMAT for a file that ends inside the bytes that tell its kind; OK for all others. */
static mopd_status fail_cut(const unsigned char *b, size_t n)
{
    static const struct {
        const char *kind, *bytes;
    } signature[] = {
        {"PNG", "\x89PNG\r\n\x1a\n"}, {"JPEG", "\xff\xd8\xff"}, {"GIF", "GIF87a"}, {"GIF", "GIF89a"}};
    for (size_t i = 0; i < sizeof signature / sizeof *signature; i++)
        if (n > 1 && n < strlen(signature[i].bytes) && !memcmp(b, signature[i].bytes, n))
            return mo_fail(MOPD_E_FORMAT, "cut off: only the first %zu bytes of a %s", n, signature[i].kind);
    if (n < 8 && (begins(b, n, "II*\0", 4) || begins(b, n, "MM\0*", 4)))
        return mo_fail(MOPD_E_FORMAT, "cut off: only the first %zu bytes of a TIFF", n);
    if (n >= 8 && n < 16 && !memcmp(b + 4, "ftyp", 4))
        return mo_fail(MOPD_E_FORMAT, "cut off: only the first %zu bytes of a HEIF, AVIF or video file", n);
    return MOPD_OK;
}

/* UNSUPPORTED for pictures of a kind that no build reads; OK for all others.  docs/tools.md says why. */
static mopd_status fail_never(const unsigned char *b, size_t n)
{
    const char *kind = NULL;
    if (begins(b, n, "\xff\x0a", 2) || begins(b, n, "\0\0\0\x0cJXL ", 8)) kind = "XL";
    if (begins(b, n, "\0\0\0\x0cjP  ", 8)) kind = "2000";
    if (!kind) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "is a JPEG %s picture, which this library does not open: convert it to PNG or JPEG", kind);
}

/* A list may name any file, so nothing of what is in it is shown. */
static mopd_status fail_kind(const unsigned char *b, size_t n)
{
    mopd_status st = fail_cut(b, n);
    if (st == MOPD_OK) st = fail_never(b, n);
    if (st != MOPD_OK) return st;
    char known[128] = "";
    for (size_t i = 0, k = 0; i < N_KINDS; i++)
        k += (size_t)snprintf(known + k, sizeof known - k, "%s%s",
            !i                ? ""
            : i + 1 < N_KINDS ? ", "
                              : " or ",
            kinds[i].name);
    return mo_fail(MOPD_E_FORMAT, "not %s but %s", known, guess(b, n));
}

/* The kind of these bytes, of which the first are enough; N_KINDS: none. */
static size_t find_kind(const void *bytes, size_t n_bytes)
{
    size_t i = 0;
    while (i < N_KINDS && !kinds[i].is(bytes, n_bytes)) i++;
    return i;
}

static mopd_status look(const void *bytes, size_t n_bytes)
{
    if (n_bytes == 0) return mo_fail(MOPD_E_FORMAT, "empty: a picture was expected, there are 0 bytes");
    return find_kind(bytes, n_bytes) < N_KINDS ? MOPD_OK : fail_kind(bytes, n_bytes);
}

mopd_status mo_image_decode(mo_image *out, const void *bytes, size_t n_bytes, const mo_image_rules *rules)
{
    static const mo_image_rules none;
    if (!rules) rules = &none;
    *out = (mo_image){0};
    mopd_status st = look(bytes, n_bytes);
    if (st == MOPD_OK) st = kinds[find_kind(bytes, n_bytes)].decode(out, bytes, n_bytes, rules);
    if (st == MOPD_OK && rules->upright && (st = mo_exif_turn(out)) != MOPD_OK) mo_image_free(out);
    return st;
}

/* Read, not mapped: a picture that is cut while we decode must not end the process. */
mopd_status mo_image_read(mo_buf *buf, const char *path)
{
    return mo_file_read_looking(buf, path, mo_limits_size(MO_LIMIT_PICTURE_FILE), look);
}

mopd_status mo_image_decode_file(mo_image *out, const char *path, const mo_image_rules *rules)
{
    *out = (mo_image){0};
    mo_buf buf = {0};
    mopd_status st = mo_image_read(&buf, path);
    if (st == MOPD_OK) {
        st = mo_image_decode(out, buf.data, buf.size, rules);
        if (st != MOPD_OK) mo_fail_at(st, "%s", path);
    }
    mo_buf_free(&buf);
    return st;
}
