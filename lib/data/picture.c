/* SPDX-License-Identifier: MIT
 * picture.c - a picture of a dataset, opened to be shown: the very content that was encoded, or none.
 *
 * Paths come from whoever made the list or the store.  Of a file with another content nothing is decoded, and no message
 * shows what is in it. */
#include <string.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "data/dataset.h"

static bool is_content(const mo_buf *bytes, const char *hash)
{
    char own[65];
    mo_sha256_of(own, bytes->data, bytes->size);
    return !strcmp(own, hash);
}

mopd_status mo_picture_open(mo_image *out, const mopd_dataset *d, size_t i, const mo_image_rules *rules)
{
    const mo_dataset_row *row = d->source->row + d->row[i];
    mo_buf bytes = {0};
    *out = (mo_image){0};
    mopd_status st = mo_image_read(&bytes, row->file);
    if (st == MOPD_OK && *row->hash && !is_content(&bytes, row->hash))
        st = mo_fail(MOPD_E_MISMATCH, "%s: another file than the one that was encoded", row->file);
    else if (st == MOPD_OK && (st = mo_image_decode(out, bytes.data, bytes.size, rules)) != MOPD_OK)
        mo_fail_at(st, "%s", row->file);
    mo_buf_free(&bytes);
    return st;
}
