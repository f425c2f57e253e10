/* SPDX-License-Identifier: MIT
 * fix_c.c - filters over whole numbers in plain C, and which kernel is used. */
#include "math/fix.h"

#include "base/ints.h"
#include "base/x86.h"
#include "math/i16.h"
#include "math/kern.h"

static void reduce(const mo_fix_rows *r)
{
    for (size_t i = 0; i < r->rows; i++)
        for (size_t j = 0; j < r->n; j++) r->q[i * r->ldq + j] = mo_i16_round(r->x[i * r->ldx + j] * r->to);
}

/* Output column q of channel c; at: where its numbers stand. */
static int32_t sum_of(const mo_fix_taps *t, size_t shift, size_t q, size_t c)
{
    const size_t k = t->kernel, width = mo_round_up(t->channels, MO_FIX_CHUNK);
    int32_t sum = 0;
    for (size_t r = 0; r < k; r++) {
        const int16_t *w = t->w + mo_fix_weight(k, width, r, 0, c);
        const int16_t *const *x = t->x[r] + q * t->stride;
        for (size_t i = 0; i < k; i++) sum += x[i][shift + c] * w[2 * i * width];
    }
    return sum;
}

void mo_fix_filter(const mo_fix_taps *t, size_t first)
{
    for (size_t q = 0; q < t->n_groups * MO_FIX_COLUMNS; q++) {
        const size_t group = q / MO_FIX_COLUMNS, column = q % MO_FIX_COLUMNS;
        for (size_t c = first; c < t->channels && column < t->columns; c++) {
            const size_t at = mo_fix_number(c);
            float v = (float)sum_of(t, group * t->step, column, c) * t->scale[at];
            v += t->shift[at];
            t->y[q * t->channels + c] = mo_i16_round(v < 0 ? 0 : v > t->top ? t->top : v);
        }
    }
}

static void filter(const mo_fix_taps *t)
{
    mo_fix_filter(t, 0);
}

static const mo_fix_kern plain = {.name = "plain", .reduce = reduce, .filter = filter};

const mo_fix_kern *mo_fix_plain(void)
{
    return &plain;
}

const mo_fix_kern *mo_fix_get(void)
{
#if defined(__x86_64__)
    const mo_kern *kern = mo_kern_get();
    if (kern == mo_kern_avx512() && mo_x86_has(MO_X86_VNNI)) return mo_fix_vnni();
    if (kern != mo_kern_plain()) return mo_fix_avxvnni() ? mo_fix_avxvnni() : mo_fix_avx2();
#elif defined(__aarch64__)
    if (mo_kern_get() != mo_kern_plain()) return mo_fix_neon();
#elif defined(__wasm_simd128__)
    if (mo_kern_get() != mo_kern_plain()) return mo_fix_simd128();
#endif
    return &plain;
}

#if !defined(MOPD_AVXVNNI)
const mo_fix_kern *mo_fix_avxvnni(void)
{
    return NULL;
}
#endif
