/* SPDX-License-Identifier: MIT
 * vision.h - what holds of every image tower: its bits do not depend on company, reduced precision is near, memory may
 * fail.  A tower is made by its own create function from random weights (towers.h). */
#ifndef MOPD_TESTS_SUPPORT_VISION_H
#define MOPD_TESTS_SUPPORT_VISION_H

#include "test.h"
#include "base/pool.h"
#include "clip/vision_inner.h"
#include "support/plain.h"
#include "support/towers.h"

enum {
    VISION_N = 5,
    VISION_SIDE = 64,
    VISION_DIM = 16,
    VISION_FLOATS = VISION_N * 3 * VISION_SIDE * VISION_SIDE
};

static float vision_pixels[VISION_FLOATS];

/* Random pixels for all pictures of this configuration. */
static inline void vision_fill(const mo_config *c, uint32_t seed)
{
    const size_t n = VISION_N * 3 * (size_t)c->image * c->image;
    assert_true(n <= VISION_FLOATS && c->dim <= VISION_DIM);
    test_random(vision_pixels, n, seed);
}

static inline mo_vision *vision_make(const mo_config *c, const mo_weights *w, bool quantized)
{
    mo_vision *v;
    assert_ok(mo_vision_create(&v, c, w, quantized));
    assert_int_equal(v->image, c->image);
    assert_int_equal(v->dim, c->dim);
    return v;
}

/* out [n x D] of the first n pictures. */
static inline void vision_encode(const mo_vision *v, size_t threads, size_t n, float *out)
{
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, threads));
    assert_ok(v->prepare(v));
    assert_ok(mo_vision_fwd(v, pool, vision_pixels, n, out));
    mo_pool_free(pool);
}

/* Every other picture's features are those of the plainest program, and pictures differ. */
static inline void vision_equals_plain(const mo_config *c, uint32_t seed, double most,
    void (*plain)(double *feature, const mo_config *c, const mo_weights *w, const float *pixels))
{
    mo_weights *w = tower_weights(c, seed);
    mo_vision *v = vision_make(c, w, false);
    float out[VISION_N * VISION_DIM];
    double want[VISION_DIM];
    vision_fill(c, 3);
    vision_encode(v, 2, VISION_N, out);
    for (size_t n = 0; n < VISION_N; n += 2) {
        plain(want, c, w, vision_pixels + n * 3 * c->image * c->image);
        const double worst = plain_worst(out + n * c->dim, want, c->dim);
        if (!(worst < most)) fail_msg("seed %u, picture %zu: off by %g", seed, n, worst);
    }
    assert_true(test_max_diff(out, out + c->dim, c->dim) > 1e-4);
    mo_vision_free(v);
    mo_weights_free(w);
}

/* Alone, in any company, at any number of threads: the same bits. */
static inline void vision_bits_hold(const mo_config *c, uint32_t seed)
{
    mo_weights *w = tower_weights(c, seed);
    mo_vision *v = vision_make(c, w, false);
    float all[VISION_N * VISION_DIM], some[VISION_N * VISION_DIM];
    vision_fill(c, seed + 1);
    vision_encode(v, 1, VISION_N, all);
    for (size_t threads = 1; threads <= 4; threads++)
        for (size_t n = 1; n <= VISION_N; n++) {
            vision_encode(v, threads, n, some);
            assert_memory_equal(all, some, n * c->dim * sizeof *all);
        }
    mo_vision_free(v);
    mo_weights_free(w);
}

/* Reduced precision is near, and another set of bits. */
static inline void vision_quantized_is_near(const mo_config *c, uint32_t seed)
{
    mo_weights *w = tower_weights(c, seed);
    mo_vision *exact = vision_make(c, w, false), *reduced = vision_make(c, w, true);
    float a[VISION_N * VISION_DIM], b[VISION_N * VISION_DIM], again[VISION_N * VISION_DIM];
    vision_fill(c, seed + 1);
    vision_encode(exact, 1, VISION_N, a);
    vision_encode(reduced, 1, VISION_N, b);
    vision_encode(reduced, 3, VISION_N, again);
    assert_memory_equal(b, again, VISION_N * c->dim * sizeof *b);
    const double diff = test_max_diff(a, b, VISION_N * c->dim);
    if (!(diff > 0 && diff < 0.05)) fail_msg("off by %g", diff);
    mo_vision_free(reduced);
    mo_vision_free(exact);
    mo_weights_free(w);
}

static inline mopd_status vision_make_and_encode(const mo_config *c, const mo_weights *w)
{
    mo_vision *v = NULL;
    mo_pool *pool = NULL;
    float out[VISION_N * VISION_DIM];
    mopd_status st = mo_vision_create(&v, c, w, false);
    if (st == MOPD_OK) st = mo_pool_create(&pool, 1);
    if (st == MOPD_OK) st = v->prepare(v);
    if (st == MOPD_OK) st = mo_vision_fwd(v, pool, vision_pixels, 2, out);
    mo_pool_free(pool);
    mo_vision_free(v);
    return st;
}

/* Every allocation on the way from the file to a feature fails in turn. */
static inline void vision_survives_failing_memory(const mo_config *c)
{
    const char *path = tower_write("torture.safetensors", c, 1);
    test_torture(tower_run, &(tower_torture){path, c, vision_make_and_encode});
    assert_ok(mopd_runtime_set_allocator(NULL));
}

#endif
