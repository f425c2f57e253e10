/* SPDX-License-Identifier: MIT
 * fuzz_torchfile.c - opens bytes as a PyTorch file, looks up every name.
 *
 * A libFuzzer entry point; with driver.c it runs files given by name. */
#include <stddef.h>
#include <stdint.h>

#include "format/torchfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    mo_tensors *t;
    if (mo_torchfile_open_bytes(&t, data, n, "fuzz") != MOPD_OK) return 0;
    for (size_t i = 0; i < mo_tensors_count(t); i++)
        if (mo_tensors_find(t, mo_tensors_name(t, i)) != mo_tensors_view(t, i)) __builtin_trap();
    mo_tensors_close(t);
    return 0;
}
