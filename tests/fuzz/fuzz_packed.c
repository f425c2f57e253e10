/* SPDX-License-Identifier: MIT
 * fuzz_packed.c - bytes as a packed model. */
#include "files.h"
#include "fuzz.h"
#include "model.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    const char *path = fuzz_file(data, n);
    fuzz_model(path);
    fuzz_inspect(path);
}
