/* SPDX-License-Identifier: MIT
 * fuzz_safetensors.c - bytes as a safetensors file. */
#include "fuzz.h"
#include "mutate.h"
#include "tensors.h"

#include "format/safetensors.h"

void fuzz_one(const uint8_t *data, size_t n)
{
    mo_tensors *t = NULL;
    if (FUZZ_READ(mo_safetensors_open_bytes(&t, data, n, "fuzz"), t)) fuzz_tensors(t);
    mo_tensors_close(t);
}

FUZZ_MUTATES_TENSORS
