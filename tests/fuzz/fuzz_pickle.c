/* SPDX-License-Identifier: MIT
 * fuzz_pickle.c - runs the pickle machine with every global allowed.
 *
 * A libFuzzer entry point; with driver.c it runs files given by name. */
#include <stddef.h>
#include <stdint.h>

#include "format/pickle.h"

static bool allow(const mo_pnode *module, const mo_pnode *name)
{
    (void)module;
    (void)name;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    mo_pickle p;
    if (mo_pickle_open(&p, data, n, allow, 0, "fuzz") == MOPD_OK && p.root >= p.n_nodes) __builtin_trap();
    mo_pickle_close(&p);
    return 0;
}
