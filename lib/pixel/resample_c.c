/* SPDX-License-Identifier: MIT
 * resample_c.c - the plain inner loops: byte = clamp((1/2 + sum weight x byte) >> 22). */
#include "base/ints.h"
#include "pixel/resample_kern.h"

#define HALF (1 << (MO_TAP_BITS - 1))

static uint8_t clamp(int32_t sum)
{
    int32_t v = sum >> MO_TAP_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void row(uint8_t *out, const uint8_t *in, const mo_resample_taps *taps)
{
    for (size_t i = 0; i < taps->n; i++) {
        const uint8_t *p = in + 3 * (size_t)taps->first[i];
        const int32_t *w = taps->weight + i * taps->stride;
        int32_t r = HALF, g = HALF, b = HALF;
        for (size_t t = 0; t < taps->n_taps[i]; t++, p += 3) {
            r += p[0] * w[t];
            g += p[1] * w[t];
            b += p[2] * w[t];
        }
        out[3 * i] = clamp(r);
        out[3 * i + 1] = clamp(g);
        out[3 * i + 2] = clamp(b);
    }
}

#define BLOCK 64

static void column(
    uint8_t *out, const uint8_t *in, size_t stride, size_t n, const mo_resample_taps *taps, size_t i)
{
    const uint8_t *top = in + stride * taps->first[i];
    const int32_t *w = taps->weight + i * taps->stride;
    for (size_t x0 = 0; x0 < n; x0 += BLOCK) {
        size_t m = mo_min(n - x0, BLOCK);
        int32_t sum[BLOCK];
        for (size_t x = 0; x < m; x++) sum[x] = HALF;
        for (size_t t = 0; t < taps->n_taps[i]; t++) {
            const uint8_t *p = top + t * stride + x0;
            for (size_t x = 0; x < m; x++) sum[x] += p[x] * w[t];
        }
        for (size_t x = 0; x < m; x++) out[x0 + x] = clamp(sum[x]);
    }
}

static const mo_resample_kern plain = {"plain", row, column};

const mo_resample_kern *mo_resample_plain(void)
{
    return &plain;
}

#if !defined(__x86_64__) && !defined(__aarch64__)
const mo_resample_kern *mo_resample_wide(void)
{
    return NULL;
}
#endif
