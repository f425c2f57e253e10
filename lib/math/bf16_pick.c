/* SPDX-License-Identifier: MIT
 * bf16_pick.c - oneDNN or integers: by what the CPU can do, what is installed and what was asked for. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "math/bf16.h"
#include "math/i16.h"
#include "math/kern.h"

/* Below it (n k) a call of oneDNN costs more than it gains. */
#define LEAST_WEIGHTS (1u << 14)

enum { UNASKED, BY_CPU, INTEGERS, ONEDNN, UNKNOWN };
static atomic_int wish;
static atomic_bool set; /* by mo_bf16_set: the environment does not count */

static int wish_of(const char *name)
{
    if (!name || !*name) return BY_CPU;
    return !strcmp(name, "integers") ? INTEGERS : !strcmp(name, "onednn") ? ONEDNN : UNKNOWN;
}

static int wish_get(void)
{
    int w = atomic_load(&wish);
    if (w == UNASKED) atomic_store(&wish, w = wish_of(getenv("MOPD_BF16")));
    return w;
}

/* So that no library is loaded where it could not be used. */
static bool cpu_has(bool amx)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    if (mo_kern_get() != mo_kern_avx512()) return false;
    if (amx) return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) && (d >> 24 & 1);
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
#else
    (void)amx;
    return false;
#endif
}

static mo_onednn_kind kind_of(int w)
{
    if (w == ONEDNN) return cpu_has(false) ? mo_onednn_load() : MO_ONEDNN_NONE;
    if (w == INTEGERS || !cpu_has(true)) return MO_ONEDNN_NONE;
    return mo_onednn_load() == MO_ONEDNN_AMX ? MO_ONEDNN_AMX : MO_ONEDNN_NONE;
}

mo_onednn_kind mo_bf16_kind(void)
{
    return kind_of(wish_get());
}

bool mo_bf16_wanted(size_t n, size_t k)
{
    const bool large = n >= LEAST_WEIGHTS || k >= LEAST_WEIGHTS || n * k >= LEAST_WEIGHTS;
    return (large || wish_get() == ONEDNN) && mo_bf16_kind() != MO_ONEDNN_NONE;
}

const char *mo_bf16_name(void)
{
    const mo_onednn_kind kind = mo_bf16_kind();
    return kind == MO_ONEDNN_AMX      ? "onednn amx"
           : kind == MO_ONEDNN_AVX512 ? "onednn avx512"
                                      : mo_i16_get()->name;
}

static mopd_status need(int w, const char *name)
{
    if (w == UNKNOWN)
        return mo_fail(MOPD_E_ARG, "bf16 by \"%s\": not one of onednn, integers", name ? name : "");
    if (w == ONEDNN && kind_of(w) == MO_ONEDNN_NONE)
        return mo_fail(MOPD_E_UNSUPPORTED, "bf16 by onednn: %s",
            cpu_has(false) ? "its library is not there"
                           : "this processor has no bfloat16, or MOPD_CPU hides it");
    return MOPD_OK;
}

mopd_status mo_bf16_set(const char *name)
{
    const int w = wish_of(name);
    mopd_status st = need(w, name);
    if (st != MOPD_OK) return st;
    atomic_store(&wish, w);
    atomic_store(&set, true);
    return MOPD_OK;
}

bool mo_bf16_as_wished(void)
{
    const int w = wish_get();
    return atomic_load(&set) || (w != UNKNOWN && (w != ONEDNN || kind_of(w) != MO_ONEDNN_NONE));
}

mopd_status mo_bf16_check(void)
{
    if (mo_bf16_as_wished()) return MOPD_OK;
    return mo_fail_at(need(wish_get(), getenv("MOPD_BF16")), "MOPD_BF16 in the environment");
}

#if !defined(__x86_64__)
void mo_bf16_round(uint16_t *to, const float *x, size_t n)
{
    (void)to, (void)x, (void)n;
}
#endif
