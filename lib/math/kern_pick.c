/* SPDX-License-Identifier: MIT
 * kern_pick.c - which table of inner loops this process uses: decided once, by what the CPU can do. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "math/kern.h"

static _Atomic(const mo_kern *) live;
static atomic_bool set; /* by mo_kern_cpu_set: the environment does not count */

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
#endif

/* The best table at or below `name` (NULL: all); NULL when the CPU lacks it, `known` false for another
 * word. */
static const mo_kern *find(const char *name, bool *known)
{
    *known = true;
    const mo_kern *tables[3] = {NULL, NULL, mo_kern_plain()};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (has_avx512()) tables[0] = mo_kern_avx512();
    if (has_avx2()) tables[1] = mo_kern_avx2();
#endif
    if (!name) return tables[0] ? tables[0] : tables[1] ? tables[1] : tables[2];
    if (!strcmp(name, "avx512")) return tables[0];
    if (!strcmp(name, "avx2")) return tables[1];
    if (!strcmp(name, "plain")) return tables[2];
    *known = false;
    return NULL;
}

static const char *wish_of_environment(void)
{
    const char *wish = getenv("MOPD_CPU");
    return wish && *wish ? wish : NULL;
}

/* An environment that asks for what is not there gets what is here; mo_kern_cpu_check tells. */
const mo_kern *mo_kern_get(void)
{
    const mo_kern *kern = atomic_load_explicit(&live, memory_order_acquire);
    if (kern) return kern;
    bool known;
    const char *wish = wish_of_environment();
    if (wish) kern = find(wish, &known);
    if (!kern) kern = find(NULL, &known);
    const mo_kern *before = NULL;
    if (!atomic_compare_exchange_strong(&live, &before, kern)) return before;
    return kern;
}

static mopd_status need(const char *name, const mo_kern **kern)
{
    bool known;
    *kern = find(name, &known);
    if (!known) return mo_fail(MOPD_E_ARG, "CPU path \"%s\": not one of avx512, avx2, plain", name);
    if (!*kern) return mo_fail(MOPD_E_UNSUPPORTED, "CPU path %s: this processor does not have it", name);
    return MOPD_OK;
}

mopd_status mo_kern_cpu_set(const char *name)
{
    const mo_kern *kern;
    mopd_status st = need(name, &kern);
    if (st != MOPD_OK) return st;
    atomic_store_explicit(&live, kern, memory_order_release);
    atomic_store(&set, true);
    return MOPD_OK;
}

bool mo_kern_cpu_as_wished(void)
{
    bool known;
    const char *wish = wish_of_environment();
    return !wish || atomic_load(&set) || find(wish, &known);
}

mopd_status mo_kern_cpu_check(void)
{
    const mo_kern *kern;
    if (mo_kern_cpu_as_wished()) return MOPD_OK;
    return mo_fail_at(need(wish_of_environment(), &kern), "MOPD_CPU in the environment");
}

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
