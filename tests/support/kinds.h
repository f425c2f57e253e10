/* SPDX-License-Identifier: MIT
 * kinds.h - for tests of products: every kind of packed matrix on every CPU path that this machine has. */
#ifndef MOPD_TESTS_SUPPORT_KINDS_H
#define MOPD_TESTS_SUPPORT_KINDS_H

#include "math/bf16.h"
#include "support/mats.h"
#include "support/near.h"

typedef struct test_kind {
    const char *name;
    const char *packed_on, *path; /* CPU path while packing, while multiplying */
    const char *bf16;             /* what quantizes; NULL: floats */
    const mo_gemm_ops *ops;
    size_t least; /* outputs and inputs that this kind takes */
    double
        row_error; /* of rows of a, by their length: how far a product may be off beside float's own error */
    double weights_error; /* of rows of W, by their length: how far a weight may be off */
} test_kind;

/* 16-bit integers: half a step for each of 512 inputs.  bfloat16: half a step of eight bits.  8-bit integers: half a step of
 * numbers that are spread evenly. */
static const test_kind test_kinds[] = {{"f32 avx512", "avx512", "avx512", NULL, &mo_gemm_f32_ops, 1, 0, 0},
    {"f32 avx2", "avx2", "avx2", NULL, &mo_gemm_f32_ops, 1, 0, 0},
    {"f32 neon", "neon", "neon", NULL, &mo_gemm_f32_ops, 1, 0, 0},
    {"f32 simd128", "simd128", "simd128", NULL, &mo_gemm_f32_ops, 1, 0, 0},
#if defined(MOPD_BLIS)
    {"f32 plain", "avx2", "plain", NULL, &mo_gemm_f32_ops, 1, 0, 0},
    {"blis", "plain", "plain", NULL, &mo_gemm_blis_ops, 16, 0, 0},
#else
    {"f32 plain", "plain", "plain", NULL, &mo_gemm_f32_ops, 1, 0, 0},
#endif
    {"i16 avx512", "avx512", "avx512", "integers", &mo_gemm_i16_ops, 1, 3.5e-4, 1.6e-5},
    {"i16 avx2", "avx2", "avx2", "integers", &mo_gemm_i16_ops, 1, 3.5e-4, 1.6e-5},
    {"i16 neon", "neon", "neon", "integers", &mo_gemm_i16_ops, 1, 3.5e-4, 1.6e-5},
    {"i16 simd128", "simd128", "simd128", "integers", &mo_gemm_i16_ops, 1, 3.5e-4, 1.6e-5},
    {"i16 plain", "plain", "plain", "integers", &mo_gemm_i16_ops, 1, 3.5e-4, 1.6e-5},
    {"bf16 avx512", "avx512", "avx512", "bfloat16", &mo_gemm_bf16_ops, 1, 2e-3, 4e-3},
    {"bf16 plain", "plain", "plain", "bfloat16", &mo_gemm_bf16_ops, 1, 2e-3, 4e-3},
    {"i8 avx512", "avx512", "avx512", NULL, &mo_gemm_i8_ops, 1, 8e-3, 8e-3},
    {"i8 avx2", "avx2", "avx2", NULL, &mo_gemm_i8_ops, 1, 8e-3, 8e-3},
    {"i8 neon", "neon", "neon", NULL, &mo_gemm_i8_ops, 1, 8e-3, 8e-3},
    {"i8 simd128", "simd128", "simd128", NULL, &mo_gemm_i8_ops, 1, 8e-3, 8e-3},
    {"i8 plain", "plain", "plain", NULL, &mo_gemm_i8_ops, 1, 8e-3, 8e-3}};
#define TEST_N_KINDS (sizeof test_kinds / sizeof *test_kinds)

static inline mo_precision test_kind_precision(const test_kind *kind)
{
    if (kind->ops == &mo_gemm_i8_ops) return MO_PRECISION_8;
    return kind->bf16 ? MO_PRECISION_16 : MO_PRECISION_F32;
}

/* Sets the CPU path and the choice for packing; false where this machine has not got them. */
static inline bool test_kind_begin(const test_kind *kind)
{
    return mo_kern_cpu_set(kind->path) == MOPD_OK && mo_kern_cpu_set(kind->packed_on) == MOPD_OK &&
           (!kind->bf16 || mo_bf16_set(kind->bf16) == MOPD_OK);
}

static inline void test_kind_end(void)
{
    assert_ok(mo_kern_cpu_set(NULL));
    assert_ok(mo_bf16_set(NULL));
}

/* w [n x k] as a matrix of that kind, ready to be multiplied with. */
static inline mo_mat test_kind_pack(const test_kind *kind, const float *w, size_t n, size_t k)
{
    assert_ok(mo_kern_cpu_set(kind->packed_on));
    mo_mat mat = test_pack(w, n, k);
    assert_ok(mo_mat_quantize(&mat, test_kind_precision(kind)));
    assert_ok(mo_kern_cpu_set(kind->path));
    if (mat.ops != kind->ops) fail_msg("%s: %zu x %zu is of kind %s", kind->name, n, k, mat.ops->name);
    return mat;
}

/* Runs body for every kind there is here. */
static inline void test_each_kind(void (*body)(const test_kind *kind))
{
    size_t done = 0;
    for (size_t i = 0; i < TEST_N_KINDS; i++) {
        if (!test_kind_begin(&test_kinds[i])) continue;
        body(&test_kinds[i]);
        done++;
    }
    test_kind_end();
    assert_true(done >= 2); /* plain floats, by BLIS or not, and plain integers are everywhere */
}

#endif
