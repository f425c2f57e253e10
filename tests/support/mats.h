/* SPDX-License-Identifier: MIT
 * mats.h - for tests of internals: random floats, and weight matrices made of them. */
#ifndef MOPD_TESTS_SUPPORT_MATS_H
#define MOPD_TESTS_SUPPORT_MATS_H

#include "math/gemm.h"
#include "math/gemm_ops.h"
#include "test.h"
#include "base/view.h"
#include "base/mem.h"

/* n repeatable floats in [-1, 1); end with mo_mem_free. */
static inline float *test_floats(size_t n, uint32_t seed)
{
    float *x = mo_mem_alloc(n, sizeof *x);
    assert_non_null(x);
    test_random(x, n, seed);
    return x;
}

static inline mo_view test_view(const float *x, size_t n, size_t k)
{
    return (mo_view){.data = x, .dtype = MO_F32, .n_dims = 2, .shape = {n, k}, .n = n * k};
}

/* w [n x k], packed; end with mo_mat_free. */
static inline mo_mat test_pack(const float *w, size_t n, size_t k)
{
    const mo_view v = test_view(w, n, k);
    mo_mat mat;
    assert_ok(mo_mat_pack(&mat, &(mo_mat_part){&v, false}, 1));
    return mat;
}

/* The same in 16 bits a number. */
static inline mo_mat test_quantized(const float *w, size_t n, size_t k)
{
    mo_mat mat = test_pack(w, n, k);
    assert_ok(mo_mat_quantize(&mat, MO_PRECISION_16));
    assert_false(mo_mat_has_floats(&mat));
    return mat;
}

/* A body for test_torture: packs and quantizes the mo_view. */
static inline mopd_status test_pack_and_quantize(void *view)
{
    mo_mat mat;
    mopd_status st = mo_mat_pack(&mat, &(mo_mat_part){view, false}, 1);
    if (st == MOPD_OK) st = mo_mat_quantize(&mat, MO_PRECISION_16);
    mo_mat_free(&mat);
    return st;
}

#endif
