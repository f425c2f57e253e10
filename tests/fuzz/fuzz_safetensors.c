/* SPDX-License-Identifier: MIT
 * fuzz_safetensors.c - opens bytes as a safetensors file, looks up every name.
 *
 * A libFuzzer entry point; with driver.c it runs files given by name. */
#include <stddef.h>
#include <stdint.h>

#include "format/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    mo_tensors *st;
    if (mo_safetensors_open_bytes(&st, data, n, "fuzz") != MOPD_OK) return 0;
    for (size_t i = 0; i < mo_tensors_count(st); i++)
        if (mo_tensors_find(st, mo_tensors_name(st, i)) != mo_tensors_view(st, i)) __builtin_trap();
    mo_tensors_close(st);
    return 0;
}
