/* SPDX-License-Identifier: MIT
 * opts.c - option structs of any age. */
#include "base/opts.h"

#include <string.h>

static uint32_t size_field(const void *options)
{
    uint32_t n;
    memcpy(&n, options, sizeof n);
    return n;
}

mopd_status mo_opts_init(
    void *options, size_t struct_size, const void *defaults, size_t n_known, size_t n_first)
{
    if (!options) return mo_fail(MOPD_E_ARG, "options: NULL");
    if (struct_size < n_first || struct_size > UINT32_MAX)
        return mo_fail(
            MOPD_E_ARG, "options: struct_size is %zu, the first release had %zu", struct_size, n_first);
    memset(options, 0, struct_size);
    memcpy(options, defaults, struct_size < n_known ? struct_size : n_known);
    uint32_t n = (uint32_t)struct_size;
    memcpy(options, &n, sizeof n);
    return MOPD_OK;
}

mopd_status mo_opts_read(
    void *out, const void *options, const void *defaults, size_t n_known, size_t n_first, const char *name)
{
    memcpy(out, defaults, n_known);
    if (!options) return MOPD_OK;
    size_t n = size_field(options);
    if (n < n_first)
        return mo_fail(MOPD_E_ARG, "%s: struct_size is %zu, the first release had %zu; was it initialised?",
            name, n, n_first);
    for (size_t i = n_known; i < n; i++) {
        if (((const unsigned char *)options)[i])
            return mo_fail(MOPD_E_VERSION, "%s: byte %zu is set, this library knows %zu", name, i, n_known);
    }
    memcpy(out, options, n < n_known ? n : n_known);
    return MOPD_OK;
}
