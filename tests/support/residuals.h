/* SPDX-License-Identifier: MIT
 * residuals.h - for tests of internals: inverted residuals of random weights. */
#ifndef MOPD_TESTS_SUPPORT_RESIDUALS_H
#define MOPD_TESTS_SUPPORT_RESIDUALS_H

#include "layer/residual.h"
#include "support/mats.h"

/* Weights in [-gain, gain); end with mo_linear_free. */
static inline mo_linear test_linear(size_t n, size_t k, float gain, uint32_t seed)
{
    float *w = test_floats(n * k, seed), *bias = test_floats(n, seed + 1);
    for (size_t i = 0; i < n * k; i++) w[i] *= gain;
    const mo_view wv = test_view(w, n, k),
                  bv = {.data = bias, .dtype = MO_F32, .n_dims = 1, .shape = {n}, .n = n};
    mo_linear l;
    assert_ok(mo_linear_pack(&l, &(mo_linear_part){&wv, &bv, false}, 1));
    mo_mem_free(w);
    mo_mem_free(bias);
    return l;
}

/* size: in, expanded, out; kernel, stride.  even: the weights of k inputs lie in [-3, 3) / sqrt(k).  End with mo_residual_free. */
static inline mo_residual test_residual(const size_t size[5], bool even)
{
    const size_t in = size[0], mid = size[1], kernel = size[3];
    mo_residual r = {0};
    if (in != mid) r.expand = test_linear(mid, in, even ? 3 / sqrtf((float)in) : 1, 1);
    r.project = test_linear(size[2], mid, even ? 3 / sqrtf((float)mid) : 1, 3);
    float *taps = test_floats(mid * kernel * kernel, 5), *bias = test_floats(mid, 6);
    assert_ok(mo_depthwise_pack(&r.depth, taps, bias, (const size_t[3]){mid, kernel, size[4]}));
    r.depth.act = MO_ACT_RELU6;
    mo_mem_free(taps);
    mo_mem_free(bias);
    return r;
}

#endif
