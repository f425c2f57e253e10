/* SPDX-License-Identifier: MIT
 * test_fix.c - the kernels of filters over whole numbers: the plain one does what fix.h says, the others give its bits. */
#include "test.h"

#include "base/ints.h"
#include "base/x86.h"
#include "math/fix.h"
#include "support/kernels.h"

/* Both serve the path avx2. */
static const mo_fix_kern *behind(const mo_fix_kern *kern)
{
#if defined(__x86_64__)
    if (kern == mo_fix_avxvnni()) return mo_fix_avx2();
#endif
    (void)kern;
    return NULL;
}

TEST_KERNELS(mo_fix_kern, mo_fix_get, behind)

static void every_path_has_its_kernel(void **state)
{
    (void)state;
    assert_ok(mo_kern_cpu_set("plain"));
    assert_ptr_equal(mo_fix_get(), mo_fix_plain());
#if defined(__x86_64__)
    const mo_fix_kern *narrow = mo_fix_avxvnni() ? mo_fix_avxvnni() : mo_fix_avx2();
    if (mo_kern_cpu_set("avx2") == MOPD_OK) assert_ptr_equal(mo_fix_get(), narrow);
    if (mo_kern_cpu_set("avx512") == MOPD_OK)
        assert_ptr_equal(mo_fix_get(), mo_x86_has(MO_X86_VNNI) ? mo_fix_vnni() : narrow);
#elif defined(__aarch64__)
    assert_ok(mo_kern_cpu_set("neon"));
    assert_ptr_equal(mo_fix_get(), mo_fix_neon());
#elif defined(__wasm_simd128__)
    assert_ok(mo_kern_cpu_set("simd128"));
    assert_ptr_equal(mo_fix_get(), mo_fix_simd128());
#endif
    assert_ok(mo_kern_cpu_set(NULL));
}

enum { MOST = 150, GROUPS = 2, PIXELS = GROUPS * 8 + 16 };

/* A line of pixels for each row of a filter, its weights, and what follows its sums. */
static int16_t pixels[MO_FIX_KERNEL][PIXELS * MOST], w[3 * MO_FIX_KERNEL * 160 * 2];
static float scale[160], shift[160];
static int16_t y[GROUPS * MO_FIX_COLUMNS * MOST + 1], want[GROUPS * MO_FIX_COLUMNS * MOST + 1];

/* Weights whose sizes are MO_FIX_SUM together, or a little less. */
static void fill_weights(const mo_fix_taps *t, uint32_t seed)
{
    float x[MO_FIX_KERNEL * MO_FIX_KERNEL * MOST];
    const size_t k = t->kernel, width = mo_round_up(t->channels, MO_FIX_CHUNK);
    test_random(x, k * k * t->channels, seed);
    memset(w, 0, sizeof w);
    for (size_t c = 0; c < t->channels; c++) {
        float sum = 0;
        for (size_t i = 0; i < k * k; i++) sum += fabsf(x[i * t->channels + c]);
        for (size_t i = 0; i < k * k; i++)
            w[mo_fix_weight(k, width, i / k, i % k, c)] =
                (int16_t)(x[i * t->channels + c] * (float)(MO_FIX_SUM - 1) / sum);
    }
}

static mo_fix_taps scene(size_t kernel, size_t stride, size_t channels)
{
    mo_fix_taps t = {.kernel = kernel,
        .stride = stride,
        .channels = channels,
        .n_groups = GROUPS,
        .step = MO_FIX_COLUMNS * stride * channels,
        .columns = 1 + channels % MO_FIX_COLUMNS,
        .w = w,
        .scale = scale,
        .shift = shift,
        .top = 3000};
    static float x[PIXELS * MOST];
    for (size_t r = 0; r < kernel; r++) {
        test_random(x, PIXELS * MOST, (uint32_t)(r + channels));
        for (size_t i = 0; i < PIXELS * MOST; i++) pixels[r][i] = (int16_t)(fabsf(x[i]) * MO_FIX_ONE);
        for (size_t j = 0; j < MO_FIX_SPAN; j++) t.x[r][j] = pixels[r] + j * channels;
    }
    fill_weights(&t, (uint32_t)(kernel + channels));
    test_random(scale, 160, 5);
    test_random(shift, 160, 6);
    for (size_t i = 0; i < 160; i++) scale[i] *= 1e-4f, shift[i] *= 2000;
    return t;
}

static void run(const mo_fix_kern *kern, mo_fix_taps *t, int16_t *to)
{
    memset(to, 0x5a, sizeof y);
    t->y = to;
    kern->filter(t);
}

static int16_t number(const mo_fix_taps *t, size_t g, size_t q, size_t c)
{
    const size_t width = mo_round_up(t->channels, MO_FIX_CHUNK), at = mo_fix_number(c);
    int64_t sum = 0;
    for (size_t i = 0; i < t->kernel * t->kernel; i++) {
        const size_t r = i / t->kernel, column = i % t->kernel;
        const int16_t *x = pixels[r] + ((g * MO_FIX_COLUMNS + q) * t->stride + column) * t->channels;
        sum += x[c] * w[mo_fix_weight(t->kernel, width, r, column, c)];
    }
    assert_true(sum <= INT32_MAX && sum >= INT32_MIN);
    const float product = (float)(int32_t)sum * scale[at], v = product + shift[at];
    return (int16_t)nearbyintf(v < 0 ? 0 : v > t->top ? t->top : v);
}

static void check_all(const mo_fix_taps *t)
{
    for (size_t i = 0; i < GROUPS * MO_FIX_COLUMNS * t->channels; i++) {
        const size_t q = i / t->channels % MO_FIX_COLUMNS, g = i / t->channels / MO_FIX_COLUMNS;
        const int16_t there = q < t->columns ? number(t, g, q, i % t->channels) : 0x5a5a;
        if (want[i] != there)
            fail_msg("%zu channels, number %zu: %d, not %d", t->channels, i, want[i], there);
    }
    assert_int_equal(want[GROUPS * MO_FIX_COLUMNS * t->channels], 0x5a5a);
}

static void filters_are_exact(void **state)
{
    (void)state;
    for (size_t kernel = 3; kernel <= 5; kernel += 2)
        for (size_t stride = 1; stride <= 2; stride++)
            for (size_t channels = 1; channels < MOST; channels += channels < 66 ? 1 : 13) {
                mo_fix_taps t = scene(kernel, stride, channels);
                run(mo_fix_plain(), &t, want);
                check_all(&t);
                for (size_t i = 0; i < n_kernels; i++) {
                    run(kernels[i], &t, y);
                    assert_memory_equal(y, want, sizeof y);
                }
            }
}

/* All weights on one tap, all pixels as large as can be, of either sign. */
static void the_largest_sums_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_kernels; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            mo_fix_taps t = scene(3, 1, 40);
            memset(w, 0, sizeof w);
            for (size_t c = 0; c < 40; c++) {
                w[mo_fix_weight(3, 64, 0, 1, c)] = w[mo_fix_weight(3, 64, 1, 1, c)] = (int16_t)(sign * 32767);
                scale[mo_fix_number(c)] = (float)sign * 1e-6f;
                shift[mo_fix_number(c)] = 0;
            }
            for (size_t p = 0; p < PIXELS * MOST; p++) pixels[0][p] = pixels[1][p] = MO_FIX_ONE;
            run(kernels[i], &t, y);
            assert_int_equal(y[0], 2147); /* 2 x 32767^2 / 10^6 */
        }
}

static void numbers_are_rounded_to_even(void **state)
{
    (void)state;
    float x[3 * 70];
    for (size_t i = 0; i < 210; i++) x[i] = (float)i * 0.25f;
    for (size_t k = 0; k < n_kernels; k++)
        for (size_t n = 1; n <= 70; n++) {
            int16_t q[3 * 73];
            memset(q, 0x5a, sizeof q);
            kernels[k]->reduce(&(mo_fix_rows){q, 73, x, 70, 3, n, 2});
            for (size_t i = 0; i < 3 * 73; i++) {
                const int there = (int)nearbyintf(x[i / 73 * 70 + (i % 73 < n ? i % 73 : 0)] * 2);
                assert_int_equal(q[i], i % 73 < n ? there : 0x5a5a);
            }
        }
    int16_t most;
    const float six = 6;
    for (size_t k = 0; k < n_kernels; k++) {
        kernels[k]->reduce(&(mo_fix_rows){&most, 1, &six, 1, 1, 1, MO_FIX_ONE / 6.0f});
        assert_int_equal(most, MO_FIX_ONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_its_kernel),
        cmocka_unit_test(filters_are_exact),
        cmocka_unit_test(the_largest_sums_fit),
        cmocka_unit_test(numbers_are_rounded_to_even),
    };
    return cmocka_run_group_tests(tests, find_kernels, NULL);
}
