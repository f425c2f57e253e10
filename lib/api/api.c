/* SPDX-License-Identifier: MIT
 * api.c - arguments refused in one way, structs of any age read and filled. */
#include "api/api.h"

#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "mopd/mopd.h"

#define MOST_BYTES 4096 /* a struct_size beyond is memory that was never set */

/* In the first release; pointers may have 32 bits. */
#define FIRST(bytes, n_pointers) ((bytes) - (n_pointers) * (8 - sizeof(void *)))

#define CHECK(type, first, n_pointers, flags)                                                                \
    _Static_assert(sizeof(type) >= FIRST(first, n_pointers) && sizeof(type) <= MOST_BYTES &&                 \
                       offsetof(type, struct_size) == 0,                                                     \
        "public structs only grow: " #type);
MO_API_STRUCTS(CHECK)

static const struct {
    const char *name;
    uint32_t first, size, flags;
} known[MO_API_N_STRUCTS] = {
#define ROW(type, first, n_pointers, flags) {#type, FIRST(first, n_pointers), sizeof(type), flags},
    MO_API_STRUCTS(ROW)};

mopd_status mo_api_refuse(const char *function, const char *argument, const char *what)
{
    return mo_fail(MOPD_E_ARG, "%s: %s is %s", function, argument, what);
}

mopd_status mo_api_check_list(
    const char *function, const char *argument, const void *list, const size_t size[3])
{
    size_t bytes;
    if (!size[0]) return MOPD_OK;
    if (!list) return mo_api_refuse(function, argument, "NULL");
    if (mo_mul(size[0], size[1], &bytes) && mo_mul(bytes, size[2], &bytes) && bytes <= PTRDIFF_MAX)
        return MOPD_OK;
    return mo_fail(MOPD_E_ARG, "%s: %s are said to be %zu x %zu x %zu bytes: more than memory can have",
        function, argument, size[0], size[1], size[2]);
}

mopd_status mo_api_check_flags(const char *where, uint32_t flags, uint32_t known_flags)
{
    if (!(flags & ~known_flags)) return MOPD_OK;
    return mo_fail(MOPD_E_VERSION, "%s: flags 0x%x are unknown to libmopd %s", where,
        (unsigned)(flags & ~known_flags), MOPD_VERSION_STRING);
}

mopd_status mo_api_check_size(const char *function, mo_api_struct type, size_t struct_size)
{
    if (struct_size >= known[type].first && struct_size <= MOST_BYTES) return MOPD_OK;
    return mo_fail(MOPD_E_ARG, "%s: struct_size of %s is %zu, not %u to %d; was it initialised?", function,
        known[type].name, struct_size, (unsigned)known[type].first, MOST_BYTES);
}

static uint32_t word(const void *any, size_t index)
{
    uint32_t x;
    memcpy(&x, (const char *)any + index * sizeof x, sizeof x);
    return x;
}

/* to, n bytes of the caller's, = from as far as it goes, zeroes behind. */
static void fill(mo_api_struct type, void *to, uint32_t n, const void *from)
{
    memset(to, 0, n);
    memcpy(to, from, n < known[type].size ? n : known[type].size);
    memcpy(to, &n, sizeof n);
}

mopd_status mo_api_init(
    const char *function, mo_api_struct type, void *options, size_t struct_size, const void *defaults)
{
    mopd_status st = mo_api_check_size(function, type, struct_size);
    if (st == MOPD_OK) fill(type, options, (uint32_t)struct_size, defaults);
    return st;
}

mopd_status mo_api_give(const char *function, mo_api_struct type, void *to, const void *from)
{
    uint32_t n = word(to, 0);
    mopd_status st = mo_api_check_size(function, type, n);
    if (st == MOPD_OK) fill(type, to, n, from);
    return st;
}

mopd_status mo_api_read(
    const char *function, mo_api_struct type, void *out, const void *options, const void *defaults)
{
    const uint32_t size = known[type].size;
    memcpy(out, defaults, size);
    if (!options) return MOPD_OK;
    const uint32_t n = word(options, 0);
    mopd_status st = mo_api_check_size(function, type, n);
    if (st != MOPD_OK) return st;
    memcpy(out, options, mo_min(n, size));
    memcpy(out, &size, sizeof size);
    for (size_t i = size; i < n; i++) {
        if (((const unsigned char *)options)[i])
            return mo_fail(MOPD_E_VERSION, "%s: byte %zu is set, libmopd %s knows %u", known[type].name, i,
                MOPD_VERSION_STRING, (unsigned)size);
    }
    return mo_api_check_flags(known[type].name, word(out, 1), known[type].flags);
}
