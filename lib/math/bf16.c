/* SPDX-License-Identifier: MIT
 * bf16.c - bfloat16 or integers: by what the CPU can do and what was asked for. */
#include "math/bf16.h"

#include "base/choice.h"
#include "math/i16.h"
#include "math/kern.h"

/* Below it (n k) tiles are mostly empty. */
#define LEAST_WEIGHTS (1u << 14)

enum { BFLOAT16, INTEGERS };
static const char *const words[] = {"bfloat16", "integers"};

static const char *lacks(int32_t wish)
{
    (void)wish;
    return NULL;
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

const mo_bf16_kern *mo_bf16_get(void)
{
    const int32_t wish = mo_choice_get(&choice);
    if (wish == INTEGERS) return NULL;
    const mo_bf16_kern *amx = mo_kern_get() == mo_kern_avx512() ? mo_bf16_amx() : NULL;
    return amx || wish != BFLOAT16 ? amx : mo_bf16_plain();
}

bool mo_bf16_wanted(size_t n, size_t k)
{
    const bool large = n >= LEAST_WEIGHTS || k >= LEAST_WEIGHTS || n * k >= LEAST_WEIGHTS;
    return (large || mo_choice_get(&choice) == BFLOAT16) && mo_bf16_get();
}

const char *mo_bf16_name(void)
{
    const mo_bf16_kern *kern = mo_bf16_get();
    return kern ? kern->name : mo_i16_get()->name;
}
