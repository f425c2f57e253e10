/* SPDX-License-Identifier: MIT
 * kern_pick.c - which table of inner loops this process uses: decided once, by what the CPU can do. */
#include <stdatomic.h>

#include "base/choice.h"
#include "base/x86.h"
#include "math/kern.h"

enum { AVX512, AVX2, NEON, SIMD128, PLAIN, N_PATHS };
static const char *const words[N_PATHS] = {"avx512", "avx2", "neon", "simd128", "plain"};

static const mo_kern *table_of(int32_t path)
{
    if (path == AVX512) return mo_x86_has(MO_X86_AVX512) ? mo_kern_avx512() : NULL;
    if (path == AVX2) return mo_x86_has(MO_X86_AVX2) ? mo_kern_avx2() : NULL;
    if (path == NEON) return mo_kern_neon();
    if (path == SIMD128) return mo_kern_simd128();
    return mo_kern_plain();
}

static const char *lacks(int32_t path)
{
    return table_of(path) ? NULL : "this processor does not have it";
}

static mo_choice choice = {.variable = "MOPD_CPU",
    .what = "CPU path",
    .words = words,
    .n_words = N_PATHS,
    .lacks = lacks,
    .wish = MO_CHOICE_UNREAD};

static _Atomic(const mo_kern *) live;

/* What was asked for, else the best there is. */
static const mo_kern *best(void)
{
    const int32_t wish = mo_choice_get(&choice);
    const mo_kern *kern = wish >= 0 ? table_of(wish) : NULL;
    for (int32_t path = 0; path < N_PATHS && !kern; path++) kern = table_of(path);
    return kern;
}

/* An environment that asks for what is not there gets what is here; mo_kern_cpu_check tells. */
const mo_kern *mo_kern_get(void)
{
    const mo_kern *kern = atomic_load_explicit(&live, memory_order_acquire), *before = NULL;
    if (kern) return kern;
    kern = best();
    return atomic_compare_exchange_strong(&live, &before, kern) ? kern : before;
}

mopd_status mo_kern_cpu_set(const char *name)
{
    mopd_status st = mo_choice_set(&choice, name);
    if (st == MOPD_OK) atomic_store_explicit(&live, best(), memory_order_release);
    return st;
}

bool mo_kern_cpu_as_wished(void)
{
    return mo_choice_granted(&choice);
}

mopd_status mo_kern_cpu_check(void)
{
    return mo_choice_check(&choice);
}

#if !defined(__aarch64__)
const mo_kern *mo_kern_neon(void)
{
    return NULL;
}
#endif

#if !defined(__wasm_simd128__)
const mo_kern *mo_kern_simd128(void)
{
    return NULL;
}
#endif

#if !defined(__x86_64__)
const mo_kern *mo_kern_avx2(void)
{
    return NULL;
}
const mo_kern *mo_kern_avx512(void)
{
    return NULL;
}
#endif
