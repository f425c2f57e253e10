/* SPDX-License-Identifier: MIT
 * fuzz_json.c - parses bytes as JSON.
 *
 * A libFuzzer entry point; with driver.c it runs files given by name. */
#include <stddef.h>
#include <stdint.h>

#include "format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const mo_json *root;
    if (mo_json_parse(&root, data, n, "fuzz") != MOPD_OK) return 0;
    for (void *it = mo_json_first(root); it; it = mo_json_next(root, it))
        if (mo_json_get(root, mo_json_key(it)) != mo_json_value(it)) __builtin_trap();
    mo_json_close(root);
    return 0;
}
