/* SPDX-License-Identifier: MIT
 * fuzz_zip.c - unpacks bytes as a zip archive and as gzip.
 *
 * A libFuzzer entry point; with driver.c it runs files given by name. */
#include <stddef.h>
#include <stdint.h>

#include "format/zip.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    mo_zip *zip;
    mo_buf out = {0};
    mo_zip_gunzip(&out, data, n, 1 << 20, "fuzz");
    if (mo_zip_open(&zip, data, n, "fuzz") == MOPD_OK)
        for (size_t i = 0; i < mo_zip_count(zip); i++) mo_zip_read(zip, i, &out, 1 << 20);
    mo_zip_close(zip);
    mo_buf_free(&out);
    return 0;
}
