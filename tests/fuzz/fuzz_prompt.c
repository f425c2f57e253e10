/* SPDX-License-Identifier: MIT
 * fuzz_prompt.c - opens bytes as a prompt file; what opens is described and its arrays are read to their ends. */
#include <stddef.h>
#include <stdint.h>

#include "prompt/promptfile.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_all(const mopd_prompt *p)
{
    volatile float sum = 0;
    for (size_t i = 0; i < mo_prompt_context_floats(p); i++) sum += p->context[i];
    for (size_t i = 0; i < mo_prompt_gate_floats(p); i++) sum += p->gate[i];
    (void)sum;
    char *json = NULL;
    if (mo_prompt_describe(p, &json) == MOPD_OK) mo_mem_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    mo_tensors *st;
    mopd_prompt *p = NULL;
    if (mo_safetensors_open_bytes(&st, data, n, "fuzz") != MOPD_OK) return 0;
    if (mo_promptfile_read(&p, st) == MOPD_OK) read_all(p);
    mo_prompt_free(p);
    mo_tensors_close(st);
    return 0;
}
