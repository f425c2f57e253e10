/* SPDX-License-Identifier: MIT
 * i16_c.c - products of 16-bit integers in plain C, and which kernel is used. */
#include "math/i16.h"

#include "base/ints.h"
#include "base/x86.h"
#include "math/kern.h"
#include "math/tile.h"

#define LANES 16

/* The length of x as all paths compute it: sixteen sums, then a tree. */
static float length_of(const float *x, size_t k)
{
    float s[LANES] = {0};
    for (size_t i = 0; i < k; i++) s[i % LANES] += x[i] * x[i];
    for (size_t half = LANES / 2; half; half /= 2)
        for (size_t i = 0; i < half; i++) s[i] += s[i + half];
    return s[0];
}

static void quantize(int16_t *q, float *scale, const float *x, size_t ldx, size_t rows, size_t k)
{
    for (size_t r = 0; r < rows; r++, q += MO_I16_LDA, x += ldx) {
        const mo_i16_scale s = mo_i16_scale_of(length_of(x, k));
        for (size_t i = 0; i < k; i++) q[i] = s.to > 0 ? mo_i16_round(x[i] * s.to) : 0;
        if (k % 2) q[k] = 0;
        scale[r] = s.back;
    }
}

static void tile(const mo_i16_tile *t)
{
    int32_t sum[4][16] = {{0}};
    for (size_t p = 0; p < t->pairs; p++)
        for (size_t i = 0; i < t->m; i++) {
            const int32_t a = t->a[i * MO_I16_LDA + 2 * p], b = t->a[i * MO_I16_LDA + 2 * p + 1];
            const int16_t *w = t->w + p * 32;
            for (size_t j = 0; j < 16; j++) sum[i][j] += a * w[2 * j] + b * w[2 * j + 1];
        }
    for (size_t i = 0; i < t->m; i++) {
        float s[16];
        for (size_t j = 0; j < t->n; j++) s[j] = (float)sum[i][j] * t->a_scale[i] * t->w_scale[j];
        mo_tile_write(MO_TILE_END_WHOLE(t, i), s);
    }
}

int32_t mo_i16_most(size_t k)
{
    const size_t blocks = mo_ceil_div(k, MO_I16_K), inputs = 2 * mo_ceil_div(mo_ceil_div(k, 2), blocks);
    const double most = 65500 / sqrt((double)inputs); /* 65500 (MO_I16_ONE + sqrt(MO_I16_K) / 2) < 2^31 */
    return most < INT16_MAX ? (int32_t)most : INT16_MAX;
}

static const mo_i16_kern plain = {
    .name = "plain", .tile_rows = 4, .tile_panels = 1, .tile = tile, .quantize = quantize};

const mo_i16_kern *mo_i16_plain(void)
{
    return &plain;
}

const mo_i16_kern *mo_i16_get(void)
{
    const mo_i16_kern *live = NULL;
#if defined(__x86_64__)
    const mo_kern *kern = mo_kern_get();
    if (kern == mo_kern_avx512() && mo_x86_has(MO_X86_VNNI)) {
        live = mo_i16_vnni();
    } else if (kern != mo_kern_plain()) {
        live = mo_i16_avxvnni();
        if (!live) live = mo_i16_avx2();
    }
#elif defined(__aarch64__)
    if (mo_kern_get() != mo_kern_plain()) live = mo_i16_neon();
#elif defined(__wasm_simd128__)
    if (mo_kern_get() != mo_kern_plain()) live = mo_i16_simd128();
#endif
    return live ? live : &plain;
}

#if !defined(MOPD_AVXVNNI)
const mo_i16_kern *mo_i16_avxvnni(void)
{
    return NULL;
}
#endif
