/* SPDX-License-Identifier: MIT
 * bf16_c.c - products of bfloat16 in plain C, in AMX's order. */
#include "base/bits.h"
#include "base/half.h"
#include "base/ints.h"
#include "math/bf16.h"

static void nothing(void) {}

/* As mo_half_bf16_to_f32, for a loop of products. */
static inline float wide(uint16_t x)
{
    return mo_bits_float((uint32_t)x << 16);
}

static void round_row(uint16_t *to, const float *x, size_t k)
{
    for (size_t i = 0; i < mo_round_up(k, MO_BF16_STEP); i++)
        to[i / MO_BF16_STEP * MO_BF16_TILE + i % MO_BF16_STEP] = i < k ? mo_half_f32_to_bf16(x[i]) : 0;
}

/* One row's sums over a step: a [32], w a tile. */
static void step(float sum[MO_BF16_ROWS], const uint16_t *a, const uint16_t *w)
{
    float even[MO_BF16_ROWS] = {0}, odd[MO_BF16_ROWS] = {0};
    for (size_t p = 0; p < MO_BF16_STEP / 2; p++)
        for (size_t o = 0; o < MO_BF16_ROWS; o++) {
            even[o] += wide(a[2 * p]) * wide(w[(p * MO_BF16_ROWS + o) * 2]);
            odd[o] += wide(a[2 * p + 1]) * wide(w[(p * MO_BF16_ROWS + o) * 2 + 1]);
        }
    for (size_t o = 0; o < MO_BF16_ROWS; o++) sum[o] += even[o] + odd[o];
}

/* Outputs c0 .. of row i. */
static void row(const mo_bf16_block *b, size_t i, size_t c0)
{
    const size_t n = mo_min(b->n - c0, MO_BF16_ROWS);
    const uint16_t *a = b->a + i / MO_BF16_ROWS * b->lower + i % MO_BF16_ROWS * MO_BF16_STEP;
    const uint16_t *w = b->w + c0 / MO_BF16_ROWS * b->right;
    float sum[MO_BF16_ROWS] = {0}, *out = b->out + i * b->ldout + c0;
    for (size_t o = 0; o < n; o++) {
        if (b->start) sum[o] = b->start[i * b->ldstart + c0 + o];
        if (b->bias) sum[o] += b->bias[c0 + o];
    }
    for (size_t s = 0; s < b->steps; s++) step(sum, a + s * MO_BF16_TILE, w + s * MO_BF16_TILE);
    for (size_t o = 0; o < n; o++) {
        if (b->top > 0) sum[o] = sum[o] < 0 ? 0 : sum[o] > b->top ? b->top : sum[o];
        out[o] = sum[o];
    }
}

static void block(const mo_bf16_block *b)
{
    for (size_t i = 0; i < b->m; i++)
        for (size_t c = 0; c < b->n; c += MO_BF16_ROWS) row(b, i, c);
}

static const mo_bf16_kern kern = {
    .name = "bfloat16", .begin = nothing, .end = nothing, .block = block, .round = round_row};

const mo_bf16_kern *mo_bf16_plain(void)
{
    return &kern;
}

#if !defined(MOPD_AMX)
const mo_bf16_kern *mo_bf16_amx(void)
{
    return NULL;
}
#endif
