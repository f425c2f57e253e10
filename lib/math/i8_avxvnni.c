/* SPDX-License-Identifier: MIT
 * i8_avxvnni.c - products of 8-bit integers on AVX2 with AVX-VNNI, which processors without AVX-512 have: vpdpbusd of eight
 * sums does what i8_avx2.c takes three instructions for. */
#if defined(MOPD_AVXVNNI)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#include "math/i8.h"

static inline __attribute__((always_inline)) __m256i add_products(__m256i sum, __m256i f, __m256i w)
{
    return _mm256_dpbusd_avx_epi32(sum, f, w);
}

#include "math/i8_avx2.h"

static void quantize(const mo_i8_rows *to, const float *x, size_t ldx, size_t rows, size_t k)
{
    mo_i8_avx2()->quantize(to, x, ldx, rows, k);
}

static const mo_i8_kern kern = {.name = "avxvnni",
    .tile_rows = ROWS,
    .tile_panels = 1,
    .room = 49152,
    .wider = mo_i8_avx2,
    .tile = any_tile,
    .quantize = quantize};

/* Asked once: a virtual machine takes longer to answer than a product of few rows takes. */
static bool cpu_has(void)
{
    enum { ASKED = 2 };
    static atomic_int known; /* whoever asks meanwhile finds the same */
    if (!atomic_load(&known)) {
        unsigned a, b, c, d;
        const bool there = __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
        atomic_store(&known, ASKED | there);
    }
    return atomic_load(&known) & 1;
}

const mo_i8_kern *mo_i8_avxvnni(void)
{
    return cpu_has() ? &kern : NULL;
}
#endif
