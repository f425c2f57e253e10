/* SPDX-License-Identifier: MIT
 * bf16.c - oneDNN or integers: by what the CPU can do, what is installed and what was asked for. */
#include "math/bf16.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/choice.h"
#include "math/i16.h"
#include "math/kern.h"

/* Below it (n k) a call of oneDNN costs more than it gains. */
#define LEAST_WEIGHTS (1u << 14)

enum { ONEDNN, INTEGERS };
static const char *const words[] = {"onednn", "integers"};

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

static mo_onednn_kind kind_of(int32_t wish)
{
    if (wish == ONEDNN) return cpu_has(false) ? mo_onednn_load() : MO_ONEDNN_NONE;
    if (wish == INTEGERS || !cpu_has(true)) return MO_ONEDNN_NONE;
    return mo_onednn_load() == MO_ONEDNN_AMX ? MO_ONEDNN_AMX : MO_ONEDNN_NONE;
}

static const char *lacks(int32_t wish)
{
    if (wish == INTEGERS || kind_of(wish) != MO_ONEDNN_NONE) return NULL;
    return cpu_has(false) ? "its library is not there"
                          : "this processor has no bfloat16, or MOPD_CPU hides it";
}

static mo_choice choice = {.variable = "MOPD_BF16",
    .what = "bf16 by",
    .words = words,
    .n_words = sizeof words / sizeof *words,
    .lacks = lacks,
    .wish = MO_CHOICE_UNREAD};

mopd_status mo_bf16_set(const char *name)
{
    return mo_choice_set(&choice, name);
}

bool mo_bf16_as_wished(void)
{
    return mo_choice_granted(&choice);
}

mopd_status mo_bf16_check(void)
{
    return mo_choice_check(&choice);
}

mo_onednn_kind mo_bf16_kind(void)
{
    return kind_of(mo_choice_get(&choice));
}

bool mo_bf16_wanted(size_t n, size_t k)
{
    const bool large = n >= LEAST_WEIGHTS || k >= LEAST_WEIGHTS || n * k >= LEAST_WEIGHTS;
    return (large || mo_choice_get(&choice) == ONEDNN) && mo_bf16_kind() != MO_ONEDNN_NONE;
}

const char *mo_bf16_name(void)
{
    static const char *const names[] = {[MO_ONEDNN_AVX512] = "onednn avx512", [MO_ONEDNN_AMX] = "onednn amx"};
    const mo_onednn_kind kind = mo_bf16_kind();
    return kind == MO_ONEDNN_NONE ? mo_i16_get()->name : names[kind];
}

#if !defined(__x86_64__)
void mo_bf16_round(uint16_t *to, const float *x, size_t n)
{
    (void)to, (void)x, (void)n;
}
#endif
