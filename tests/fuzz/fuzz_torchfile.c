/* SPDX-License-Identifier: MIT
 * fuzz_torchfile.c - bytes as a PyTorch file, zip or legacy. */
#include "fuzz.h"
#include "mutate.h"
#include "tensors.h"

#include "format/torchfile.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_tensors *t = NULL;
    if (FUZZ_READ(mo_torchfile_open_bytes(&t, data, n, "fuzz"), t)) fuzz_tensors(t);
    mo_tensors_close(t);
}

FUZZ_MUTATES_BYTES
