/* SPDX-License-Identifier: MIT
 * i8_c.c - products of 8-bit integers in plain C, and which kernel is used. */
#include "math/i8.h"

#include "base/bits.h"
#include "base/x86.h"
#include "math/kern.h"
#include "math/tile.h"

/* The bits of floats that are not below 0 grow with them, and NaN's are the largest: a NaN stays. */
static mo_i8_scale scale_of(const float *x, size_t k)
{
    int32_t below = 0, above = 0;
    for (size_t i = 0; i < k; i++) {
        const int32_t up = (int32_t)mo_bits_of(x[i]), down = (int32_t)mo_bits_of(-x[i]);
        above = up > above ? up : above;
        below = down > below ? down : below;
    }
    return mo_i8_scale_of(mo_bits_float((uint32_t)below), mo_bits_float((uint32_t)above));
}

static void quantize_row(uint8_t *q, const float *x, size_t k, const mo_i8_scale *s)
{
    for (size_t i = 0; i < k; i++) {
        const int32_t v = mo_i8_round(x[i] * s->to) + s->zero;
        q[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

#include "math/i8_quantize.h"

static void write_back(const mo_i8_tile *t, size_t i, const int32_t sum[16])
{
    float s[16];
    for (size_t j = 0; j < t->n; j++)
        s[j] = (float)(sum[j] - t->a_zero[i] * t->w_sum[j]) * t->a_scale[i] * t->w_scale[j];
    mo_tile_write(MO_TILE_END_WHOLE(t, i), s);
}

static void tile(const mo_i8_tile *t)
{
    int32_t sum[4][16] = {{0}};
    for (size_t p = 0; p < t->quads; p++)
        for (size_t i = 0; i < t->m; i++) {
            const uint8_t *a = t->a + i * t->lda + 4 * p;
            const int8_t *w = t->w + p * MO_I8_QUAD;
            for (size_t j = 0; j < 16; j++, w += 4)
                sum[i][j] += a[0] * w[0] + a[1] * w[1] + a[2] * w[2] + a[3] * w[3];
        }
    for (size_t i = 0; i < t->m; i++) write_back(t, i, sum[i]);
}

static const mo_i8_kern plain = {
    .name = "plain", .tile_rows = 4, .tile_panels = 1, .room = 32768, .tile = tile, .quantize = quantize};

const mo_i8_kern *mo_i8_plain(void)
{
    return &plain;
}

static const mo_i8_kern *wish;

void mo_i8_set(const mo_i8_kern *kern)
{
    wish = kern;
}

const mo_i8_kern *mo_i8_get(void)
{
    const mo_i8_kern *live = wish;
    if (live) return live;
#if defined(__x86_64__)
    const mo_kern *kern = mo_kern_get();
    if (kern == mo_kern_avx512() && mo_x86_has(MO_X86_VNNI)) {
        live = mo_i8_amx();
        if (!live) live = mo_i8_vnni();
    } else if (kern != mo_kern_plain()) {
        live = mo_i8_avxvnni();
        if (!live) live = mo_i8_avx2();
    }
#elif defined(__aarch64__)
    if (mo_kern_get() != mo_kern_plain()) live = mo_i8_dot();
#elif defined(__wasm_simd128__)
    if (mo_kern_get() != mo_kern_plain()) live = mo_i8_simd128();
#endif
    return live ? live : &plain;
}

#if !defined(MOPD_AVXVNNI)
const mo_i8_kern *mo_i8_avxvnni(void)
{
    return NULL;
}
#endif

#if !defined(MOPD_AMX)
const mo_i8_kern *mo_i8_amx(void)
{
    return NULL;
}
#endif
