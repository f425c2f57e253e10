/* SPDX-License-Identifier: MIT
 * fuzz_zip.c - bytes as a zip archive, every entry of which is unpacked, and as gzip. */
#include "fuzz.h"
#include "mutate.h"

#include "format/zip.h"

#define LIMIT ((size_t)1 << 20) /* of what one entry unpacks to */

static void read_entry(const mo_zip *zip, size_t i, mo_buf *out)
{
    const void *stored;
    size_t n_stored;
    if (fuzz_good(mo_zip_read(zip, i, out, LIMIT))) FUZZ_MUST(out->size == mo_zip_size(zip, i));
    if (fuzz_good(mo_zip_stored(zip, i, &stored, &n_stored))) fuzz_touch(stored, n_stored);
    FUZZ_MUST(mo_zip_find(zip, mo_zip_name(zip, i)) == i);
}

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_zip *zip = NULL;
    mo_buf out = {0};
    if (fuzz_good(mo_zip_gunzip(&out, data, n, LIMIT, "fuzz"))) FUZZ_MUST(out.size <= LIMIT);
    if (FUZZ_READ(mo_zip_open(&zip, data, n, "fuzz"), zip))
        for (size_t i = 0; i < mo_zip_count(zip); i++) read_entry(zip, i, &out);
    mo_zip_close(zip);
    mo_buf_free(&out);
}

FUZZ_MUTATES_BYTES
