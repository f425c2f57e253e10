/* SPDX-License-Identifier: MIT
 * foreign.c - a list of beginnings.  None of them begins a line that anybody writes: lists are asked about, too. */
#include "format/foreign.h"

#include <stdbool.h>
#include <string.h>

#define TEXT 64
#define BYTES(text) text, sizeof(text) - 1

static const struct kind {
    const char *start;
    size_t n;
    size_t at; /* where it stands */
    mopd_status st;
    const char *what;
} kinds[] = {
    {BYTES("version https://git-lfs"), 0, MOPD_E_FORMAT,
        "a pointer of Git LFS, not the file itself: git lfs pull fetches it"},
    {BYTES("<!DOCTYPE"), 0, MOPD_E_FORMAT, "an HTML page, as a failed download leaves it"},
    {BYTES("<!doctype"), 0, MOPD_E_FORMAT, "an HTML page, as a failed download leaves it"},
    {BYTES("<html"), 0, MOPD_E_FORMAT, "an HTML page, as a failed download leaves it"},
    {BYTES("<?xml"), 0, MOPD_E_FORMAT, "an XML text"},
    {BYTES("\xff\xfe"), 0, MOPD_E_FORMAT, "a text in UTF-16: save it as UTF-8"},
    {BYTES("\xfe\xff"), 0, MOPD_E_FORMAT, "a text in UTF-16: save it as UTF-8"},
    {BYTES("\xff\xd8\xff"), 0, MOPD_E_FORMAT, "a JPEG picture"},
    {BYTES("\x89PNG\r\n\x1a\n"), 0, MOPD_E_FORMAT, "a PNG picture"},
    {BYTES("GIF87a"), 0, MOPD_E_FORMAT, "a GIF picture"},
    {BYTES("GIF89a"), 0, MOPD_E_FORMAT, "a GIF picture"},
    {BYTES("WEBPVP8"), 8, MOPD_E_FORMAT, "a WebP picture"},
    {BYTES("II*\0"), 0, MOPD_E_FORMAT, "a TIFF picture"},
    {BYTES("MM\0*"), 0, MOPD_E_FORMAT, "a TIFF picture"},
    {BYTES("ftyp"), 4, MOPD_E_FORMAT, "a HEIF, AVIF or video file"},
    {BYTES("%PDF-"), 0, MOPD_E_FORMAT, "a PDF file"},
    {BYTES("\x1f\x8b\x08"), 0, MOPD_E_FORMAT, "a gzip file: unpack it"},
    {BYTES("\xfd"
           "7zXZ"),
        0, MOPD_E_FORMAT, "an xz file: unpack it"},
    {BYTES("7z\xbc\xaf\x27\x1c"), 0, MOPD_E_FORMAT, "a 7z archive: unpack it"},
    {BYTES("PK\3\4"), 0, MOPD_E_FORMAT, "a zip archive"},
    {BYTES("ustar"), 257, MOPD_E_FORMAT, "a tar archive: unpack it"},
    {BYTES("\x7f"
           "ELF"),
        0, MOPD_E_FORMAT, "a program"},
    {BYTES("SQLite format 3\0"), 0, MOPD_E_FORMAT, "a database of SQLite"},
    {BYTES("\x93NUMPY"), 0, MOPD_E_FORMAT, "an array of NumPy's"},
    {BYTES("GGUF\3"), 0, MOPD_E_UNSUPPORTED,
        "a GGUF file, which is not read: safetensors or PyTorch's weights are wanted"},
    {BYTES("\x89HDF\r\n\x1a\n"), 0, MOPD_E_UNSUPPORTED,
        "an HDF5 file of TensorFlow's, which is not read: PyTorch's weights are wanted"},
};

static const struct kind *find(const char *bytes, size_t n)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *k = kinds + i;
        if (n >= k->at + k->n && !memcmp(bytes + k->at, k->start, k->n)) return k;
    }
    return NULL;
}

const char *mo_foreign_kind(const void *bytes, size_t n)
{
    const struct kind *k = find(bytes, n);
    return k ? k->what : NULL;
}

mopd_status mo_foreign_check(const void *bytes, size_t n, const char *path)
{
    const struct kind *k = find(bytes, n);
    return k ? mo_fail(k->st, "%s: %s", path, k->what) : MOPD_OK;
}

/* No file of tensors begins with so many bytes of which each may stand in a text. */
static bool is_text(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n && i < TEXT; i++)
        if (bytes[i] < ' ' && !memchr("\t\n\r", bytes[i], 3)) return false;
    return n > 0;
}

mopd_status mo_foreign_weights(const void *bytes, size_t n, const char *path)
{
    mopd_status st = mo_foreign_check(bytes, n, path);
    if (st != MOPD_OK || !n) return st;
    if (*(const char *)bytes == '{')
        return mo_fail(MOPD_E_FORMAT, "%s: a text of JSON: give the folder that it lies in", path);
    return is_text(bytes, n) ? mo_fail(MOPD_E_FORMAT, "%s: a text, where weights are wanted", path) : MOPD_OK;
}
