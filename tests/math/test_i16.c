/* SPDX-License-Identifier: MIT
 * test_i16.c - the kernels of 16-bit products: rows quantized as i16.h says, tiles whose sums are exact, the
 * same bits from every kernel. */
#include "test.h"

#include "base/x86.h"
#include "math/i16.h"
#include "support/kernels.h"
#include "support/near.h"

/* Both serve the path avx2. */
static const mo_i16_kern *behind(const mo_i16_kern *kern)
{
#if defined(__x86_64__)
    if (kern == mo_i16_avxvnni()) return mo_i16_avx2();
#endif
    (void)kern;
    return NULL;
}

TEST_KERNELS(mo_i16_kern, mo_i16_get, behind)

static void every_path_has_its_kernel(void **state)
{
    (void)state;
    assert_ok(mo_kern_cpu_set("plain"));
    assert_ptr_equal(mo_i16_get(), mo_i16_plain());
    assert_string_equal(mo_i16_get()->name, "plain");
#if defined(__x86_64__)
    const mo_i16_kern *narrow = mo_i16_avxvnni() ? mo_i16_avxvnni() : mo_i16_avx2();
    if (mo_kern_cpu_set("avx2") == MOPD_OK) assert_ptr_equal(mo_i16_get(), narrow);
    if (mo_kern_cpu_set("avx512") == MOPD_OK)
        assert_ptr_equal(mo_i16_get(), mo_x86_has(MO_X86_VNNI) ? mo_i16_vnni() : narrow);
#elif defined(__aarch64__)
    assert_ok(mo_kern_cpu_set("neon"));
    assert_ptr_equal(mo_i16_get(), mo_i16_neon());
#elif defined(__wasm_simd128__)
    assert_ok(mo_kern_cpu_set("simd128"));
    assert_ptr_equal(mo_i16_get(), mo_i16_simd128());
#endif
    assert_ok(mo_kern_cpu_set(NULL));
}

static void scales_turn_there_and_back(void **state)
{
    (void)state;
    for (float square = 1e-29f; square < 1e37f; square *= 3.7f) {
        const mo_i16_scale s = mo_i16_scale_of(square);
        assert_near(s.to * s.back, 1, 2e-7);
        assert_near(s.to * sqrt((double)square), 32750, 0.01);
    }
    static const float nothing[] = {0, 1e-31f, 9.9e-31f}, odd[] = {INFINITY, NAN, 3e38f * 2};
    for (size_t i = 0; i < 3; i++) {
        const mo_i16_scale zero = mo_i16_scale_of(nothing[i]), nan = mo_i16_scale_of(odd[i]);
        assert_true(zero.to == 0 && zero.back == 0);
        assert_true(nan.to == 0 && isnan(nan.back));
    }
    assert_true(mo_i16_scale_of(FLT_MAX).to > 0);
}

static void halves_round_to_even(void **state)
{
    (void)state;
    static const struct {
        float x;
        int16_t q;
    } cases[] = {{0, 0}, {0.5f, 0}, {-0.5f, 0}, {1.5f, 2}, {2.5f, 2}, {-1.5f, -2}, {-2.5f, -2}, {0.50001f, 1},
        {1.49999f, 1}, {32749.5f, 32750}, {-32749.5f, -32750}, {32750, 32750}, {-32750.4f, -32750}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(mo_i16_round(cases[i].x), cases[i].q);
    for (int q = -32750; q <= 32750; q++) assert_int_equal(mo_i16_round((float)q), q);
}

enum { ROWS = 3, MOST = MO_I16_K };

/* Rows of k, 3 floats further apart, from an odd address on. */
static const float *random_rows(size_t k, uint32_t seed)
{
    static float room[ROWS * (MOST + 3) + 1];
    test_random(room, sizeof room / sizeof *room, seed + (uint32_t)k);
    return room + 1;
}

/* scale = |x| / 32750, and q the nearest whole number to x / scale; zero behind an odd k. */
static void rows_are_quantized_by_their_length(void **state)
{
    (void)state;
    for (size_t k = 1; k <= MOST; k += k < 40 ? 1 : 59) {
        const float *x = random_rows(k, 1);
        int16_t q[ROWS * MO_I16_LDA];
        float scale[ROWS];
        mo_i16_plain()->quantize(q, scale, x, k + 3, ROWS, k);
        for (size_t r = 0; r < ROWS; r++) {
            const double size = test_length(x + r * (k + 3), k);
            assert_near(scale[r], size / 32750, 1e-6 * size / 32750);
            for (size_t i = 0; i < k; i++)
                assert_near(
                    (double)scale[r] * q[r * MO_I16_LDA + i], x[r * (k + 3) + i], 0.501 * (double)scale[r]);
            if (k % 2) assert_int_equal(q[r * MO_I16_LDA + k], 0);
        }
    }
}

static void every_kernel_quantizes_alike(void **state)
{
    (void)state;
    for (size_t t = 1; t < n_kernels; t++)
        for (size_t k = 1; k <= MOST; k++) {
            const float *x = random_rows(k, 2);
            static int16_t q[2][ROWS * MO_I16_LDA];
            float scale[2][ROWS];
            kernels[0]->quantize(q[0], scale[0], x, k + 3, ROWS, k);
            kernels[t]->quantize(q[1], scale[1], x, k + 3, ROWS, k);
            assert_memory_equal(scale[0], scale[1], sizeof scale[0]);
            for (size_t r = 0; r < ROWS; r++)
                assert_memory_equal(q[0] + r * MO_I16_LDA, q[1] + r * MO_I16_LDA, (k + k % 2) * sizeof **q);
        }
}

/* Zero where a row is next to nothing; NaN by its scale where it is no number, with zeros that do no harm. */
static void rows_that_have_no_length(void **state)
{
    (void)state;
    static const float odd[] = {0, 1e-20f, -1e-16f, NAN, INFINITY, -INFINITY, 1e30f, -3e38f};
    for (size_t t = 0; t < n_kernels; t++)
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
            for (size_t k = 1; k < 70; k += 17) {
                float x[70] = {0}, scale;
                int16_t q[MO_I16_LDA];
                x[k / 2] = odd[i];
                memset(q, 0x5a, sizeof q);
                kernels[t]->quantize(q, &scale, x, k, 1, k);
                if (i < 3)
                    assert_true(scale == 0);
                else
                    assert_true(isnan(scale));
                for (size_t p = 0; p < k + k % 2; p++) assert_int_equal(q[p], 0);
            }
}

/* One number alone is the whole length: it becomes 32750 and no more, so that its product still fits. */
static void the_largest_number_is_32750(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_kernels; t++)
        for (float x = 1e-14f; x < 1e19f; x *= 1.7f) {
            float row[2] = {x, 0}, scale;
            int16_t q[MO_I16_LDA];
            kernels[t]->quantize(q, &scale, row, 2, 1, 2);
            assert_int_equal(q[0], 32750);
            assert_near(scale * 32750.0, x, 2e-7 * (double)x);
        }
}

enum { TALL = 14, WIDE = 32, PAIRS = MO_I16_K / 2, LDC = 37 };

static int16_t a[TALL * MO_I16_LDA], w[2 * PAIRS * 32];
static float a_scale[TALL], w_scale[2 * 48], c[TALL * LDC], add[TALL * LDC], bias[WIDE];

static void fill_tile(void)
{
    static float random[TALL * MO_I16_LDA];
    test_random(random, TALL * MO_I16_LDA, 1);
    for (size_t i = 0; i < TALL * MO_I16_LDA; i++) a[i] = (int16_t)(random[i] * 1400);
    for (size_t i = 0; i < 2 * PAIRS * 32; i++) w[i] = (int16_t)(random[i * 7 % (TALL * MO_I16_LDA)] * 1400);
    test_random(a_scale, TALL, 2);
    test_random(w_scale, 96, 3);
    test_random(add, TALL * LDC, 4);
    test_random(bias, WIDE, 5);
    for (size_t i = 0; i < TALL; i++) a_scale[i] *= 1e-3f;
    for (size_t i = 0; i < 96; i++) w_scale[i] *= 1e-3f;
}

/* One element as i16.h has it: an exact sum, then float, one step after the other. */
static float element(const mo_i16_tile *t, size_t i, size_t j)
{
    int64_t sum = 0;
    for (size_t p = 0; p < 2 * t->pairs; p++)
        sum += (int64_t)t->a[i * MO_I16_LDA + p] * t->w[j / 16 * t->panel + p / 2 * 32 + j % 16 * 2 + p % 2];
    float x = (float)(int32_t)sum * t->a_scale[i];
    x *= t->w_scale[j / 16 * t->scales + j % 16];
    if (t->add) x += t->add[i * t->ldadd + j];
    if (t->bias) x += t->bias[j];
    return !(t->top > 0) ? x : x < 0 ? 0 : x > t->top ? t->top : x;
}

static void check_tile(const mo_i16_kern *kern, mo_i16_tile *t)
{
    memset(c, 0x5a, sizeof c);
    t->c = c + 1;
    kern->tile(t);
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++) {
            const float want = element(t, i, j);
            if (memcmp(&want, t->c + i * LDC + j, sizeof want) != 0)
                fail_msg("%s, %zu x %zu, %zu pairs: %.9g, not %.9g", kern->name, t->m, t->n, t->pairs,
                    (double)t->c[i * LDC + j], (double)want);
        }
    for (size_t i = 0; i < TALL * LDC; i++) /* nothing else is written */
        if (i < 1 || i - 1 >= t->m * LDC || (i - 1) % LDC >= t->n)
            assert_int_equal(((unsigned char *)(c + i))[0], 0x5a);
}

static void tiles_of_all_sizes_are_exact(void **state)
{
    (void)state;
    fill_tile();
    for (size_t k = 0; k < n_kernels; k++)
        for (size_t m = 1; m <= kernels[k]->tile_rows; m++)
            for (size_t n = 1; n <= 16 * kernels[k]->tile_panels; n++)
                for (size_t what = 0; what < 16; what++) {
                    mo_i16_tile t = {.m = m, .n = n, .pairs = 1 + (m * 31 + n * 7 + what) % 40};
                    t.a = a, t.w = w, t.panel = PAIRS * 32, t.ldc = LDC, t.ldadd = LDC;
                    t.a_scale = a_scale, t.w_scale = w_scale, t.scales = 48;
                    t.add = what & 1 ? add + 2 : NULL;
                    t.bias = what & 2 ? bias : NULL;
                    t.top = !(what & 4) ? 0 : n % 2 ? 6 : INFINITY;
                    t.next = what & 8 ? w : NULL;
                    t.next_every = 1 + n % 5;
                    check_tile(kernels[k], &t);
                }
}

static void tiles_add_to_what_is_there(void **state)
{
    (void)state;
    fill_tile();
    for (size_t k = 0; k < n_kernels; k++) {
        mo_i16_tile t = {
            .m = kernels[k]->tile_rows, .n = 11, .pairs = 9, .a = a, .w = w, .panel = PAIRS * 32};
        t.ldc = t.ldadd = LDC, t.a_scale = a_scale, t.w_scale = w_scale, t.scales = 48;
        float want[TALL * LDC];
        t.add = add;
        for (size_t i = 0; i < t.m; i++)
            for (size_t j = 0; j < t.n; j++) want[i * LDC + j] = element(&t, i, j);
        memcpy(c, add, sizeof c);
        t.add = t.c = c;
        kernels[k]->tile(&t);
        for (size_t i = 0; i < t.m; i++) assert_memory_equal(c + i * LDC, want + i * LDC, t.n * sizeof *c);
    }
}

/* Two rows of the full length along each other: the largest sum there can be, of either sign. */
static void the_largest_sums_fit(void **state)
{
    (void)state;
    const int16_t most = (int16_t)(32750 / sqrt(MO_I16_K));
    for (size_t k = 0; k < n_kernels; k++)
        for (int one = 0; one < 2; one++)
            for (int sign = -1; sign <= 1; sign += 2) {
                memset(a, 0, sizeof a);
                memset(w, 0, sizeof w);
                for (size_t i = 0; i < (one ? 1 : MO_I16_K); i++) {
                    a[i] = one ? 32750 : most;
                    w[i / 2 * 32 + i % 2] = (int16_t)(sign * a[i]);
                }
                a_scale[0] = w_scale[0] = 1;
                mo_i16_tile t = {.m = 1, .n = 1, .pairs = PAIRS, .a = a, .w = w, .panel = PAIRS * 32};
                t.ldc = LDC, t.a_scale = a_scale, t.w_scale = w_scale, t.scales = 48;
                t.c = c;
                kernels[k]->tile(&t);
                const double sum = one ? 32750.0 * 32750 : (double)MO_I16_K * most * most;
                assert_true(c[0] == (float)(sign * sum));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_its_kernel),
        cmocka_unit_test(scales_turn_there_and_back),
        cmocka_unit_test(halves_round_to_even),
        cmocka_unit_test(rows_are_quantized_by_their_length),
        cmocka_unit_test(every_kernel_quantizes_alike),
        cmocka_unit_test(rows_that_have_no_length),
        cmocka_unit_test(the_largest_number_is_32750),
        cmocka_unit_test(tiles_of_all_sizes_are_exact),
        cmocka_unit_test(tiles_add_to_what_is_there),
        cmocka_unit_test(the_largest_sums_fit),
    };
    return cmocka_run_group_tests(tests, find_kernels, NULL);
}
