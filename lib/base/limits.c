/* SPDX-License-Identifier: MIT
 * limits.c - the limits of this process, and how a file beyond one is refused. */
#include "base/limits.h"

#include <inttypes.h>
#include <stdatomic.h>

#define FOR_EACH_BYTE 14 /* of memory; the file itself and what is kept of it come on top */

#define PRESET(limit, field, preset) [limit] = (preset),
static const uint64_t presets[MO_N_LIMITS] = {MO_LIMITS(PRESET)};

#define NAME(limit, field, preset) [limit] = #field,
static const char *const names[MO_N_LIMITS] = {MO_LIMITS(NAME)};

static _Atomic uint64_t given[MO_N_LIMITS]; /* 0: the preset */

uint64_t mo_limits_get(mo_limit limit)
{
    const uint64_t value = atomic_load_explicit(&given[limit], memory_order_relaxed);
    return value ? value : presets[limit];
}

void mo_limits_set(mo_limit limit, uint64_t value)
{
    atomic_store_explicit(&given[limit], value, memory_order_relaxed);
}

uint64_t mo_limits_preset(mo_limit limit)
{
    return presets[limit];
}

const char *mo_limits_name(mo_limit limit)
{
    return names[limit];
}

size_t mo_limits_size(mo_limit limit)
{
    const uint64_t value = mo_limits_get(limit);
    return value < SIZE_MAX / 2 ? (size_t)value : SIZE_MAX / 2;
}

mopd_status mo_limits_check(mo_limit limit, uint64_t n, const char *path, const char *what)
{
    const uint64_t most = mo_limits_get(limit);
    if (n <= most) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED, "%s: %" PRIu64 " %s, the limit %s is %" PRIu64, path, n, what,
        names[limit], most);
}

size_t mo_limits_reading(size_t n_bytes)
{
    const size_t most = mo_limits_size(MO_LIMIT_READING);
    if (n_bytes > SIZE_MAX / 2 / FOR_EACH_BYTE) return SIZE_MAX / 2;
    return n_bytes * FOR_EACH_BYTE > most ? n_bytes * FOR_EACH_BYTE : most;
}

mopd_status mo_limits_check_reading(size_t n_bytes, uint64_t memory, const char *path, const char *what)
{
    if (memory <= mo_limits_reading(n_bytes)) return MOPD_OK;
    return mo_fail(MOPD_E_UNSUPPORTED,
        "%s: %s would take %" PRIu64 " bytes of memory, %zu bytes may take %zu (the limit %s is %" PRIu64 ")",
        path, what, memory, n_bytes, mo_limits_reading(n_bytes), names[MO_LIMIT_READING],
        mo_limits_get(MO_LIMIT_READING));
}
