/* SPDX-License-Identifier: MIT
 * fix_avxvnni.c - filters over whole numbers on AVX2 with AVX-VNNI: vpdpwssd does what fix_avx2.c takes two instructions for. */
#if defined(MOPD_AVXVNNI)
#include <immintrin.h>

#include "math/fix.h"
#include "math/i8.h"

#define add_products(sum, x, w) _mm256_dpwssd_avx_epi32(sum, x, w)

#include "math/fix_avx2.h"

static void reduce(const mo_fix_rows *r)
{
    mo_fix_avx2()->reduce(r);
}

static const mo_fix_kern kern = {.name = "avxvnni", .reduce = reduce, .filter = filter};

const mo_fix_kern *mo_fix_avxvnni(void)
{
    return mo_i8_avxvnni() ? &kern : NULL;
}
#endif
