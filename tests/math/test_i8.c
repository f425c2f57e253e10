/* SPDX-License-Identifier: MIT
 * test_i8.c - the kernels of 8-bit products: rows quantized as i8.h says, tiles whose sums are exact, the same bits from
 * every kernel. */
#include "test.h"

#include "base/ints.h"
#include "base/x86.h"
#include "math/i8.h"
#include "support/kernels.h"
#include "support/near.h"

/* What serves fewer rows than are worth AMX. */
static const mo_i8_kern *behind(const mo_i8_kern *kern)
{
    return kern->wider ? kern->wider() : NULL;
}

TEST_KERNELS(mo_i8_kern, mo_i8_get, behind)

static void every_path_has_its_kernel(void **state)
{
    (void)state;
    assert_ok(mo_kern_cpu_set("plain"));
    assert_ptr_equal(mo_i8_get(), mo_i8_plain());
#if defined(__x86_64__)
    const mo_i8_kern *narrow = mo_i8_avxvnni() ? mo_i8_avxvnni() : mo_i8_avx2();
    if (mo_kern_cpu_set("avx2") == MOPD_OK) assert_ptr_equal(mo_i8_get(), narrow);
    if (mo_kern_cpu_set("avx512") == MOPD_OK) {
        const bool vnni = mo_x86_has(MO_X86_VNNI);
        const mo_i8_kern *best = mo_i8_amx() ? mo_i8_amx() : mo_i8_vnni();
        assert_ptr_equal(mo_i8_get(), vnni ? best : narrow);
    }
#elif defined(__aarch64__)
    assert_ok(mo_kern_cpu_set("neon"));
    assert_ptr_equal(mo_i8_get(), mo_i8_dot() ? mo_i8_dot() : mo_i8_plain());
#elif defined(__wasm_simd128__)
    assert_ok(mo_kern_cpu_set("simd128"));
    assert_ptr_equal(mo_i8_get(), mo_i8_simd128());
#endif
    mo_i8_set(mo_i8_plain());
    assert_ptr_equal(mo_i8_get(), mo_i8_plain());
    mo_i8_set(NULL);
    assert_ok(mo_kern_cpu_set(NULL));
}

static void scales_span_a_row(void **state)
{
    (void)state;
    for (float span = 1e-29f; span < 1e38f; span *= 3.7f) {
        const mo_i8_scale s = mo_i8_scale_of(span / 4, span / 4 * 3);
        assert_near(s.to * s.back, 1, 2e-7);
        assert_near((double)s.to * (double)span, 255, 1e-4);
        assert_int_equal(s.zero, 64); /* 63.75 */
    }
    assert_int_equal(mo_i8_scale_of(0, 5).zero, 0);
    assert_int_equal(mo_i8_scale_of(5, 0).zero, 255);
    static const float nothing[] = {0, 1e-31f, 9.9e-31f}, odd[] = {INFINITY, NAN, 3e38f * 2};
    for (size_t i = 0; i < 3; i++) {
        const mo_i8_scale zero = mo_i8_scale_of(nothing[i], 0), nan = mo_i8_scale_of(0, odd[i]);
        assert_true(zero.to == 0 && zero.back == 0 && zero.zero == 0);
        assert_true(nan.to == 0 && isnan(nan.back) && nan.zero == 0);
    }
    assert_true(isnan(mo_i8_scale_of(3e38f, 3e38f).back));
    assert_true(mo_i8_scale_of(1, 3e38f).to > 0);
}

static void halves_round_to_even(void **state)
{
    (void)state;
    static const struct {
        float x;
        int32_t q;
    } cases[] = {{0, 0}, {0.5f, 0}, {-0.5f, 0}, {1.5f, 2}, {2.5f, 2}, {-1.5f, -2}, {-2.5f, -2}, {0.50001f, 1},
        {1.49999f, 1}, {254.5f, 254}, {-126.5f, -126}, {255, 255}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(mo_i8_round(cases[i].x), cases[i].q);
}

enum { ROWS = 3, MOST = 300, LDQ = 384 };

/* Rows of k, 3 floats further apart, from an odd address on: of both signs, of one, of numbers far from zero. */
static const float *random_rows(size_t k, uint32_t seed)
{
    static float room[ROWS * (MOST + 3) + 1];
    test_random(room, sizeof room / sizeof *room, seed + (uint32_t)k);
    for (size_t i = 0; i < k; i++) {
        float *x = room + 1 + (k + 3) + i;
        x[0] = fabsf(x[0]);
        x[k + 3] = -7 + x[k + 3];
    }
    return room + 1;
}

static mo_i8_rows rows_in(uint8_t *q, float *scale, int32_t *zero)
{
    memset(q, 0x5a, ROWS * LDQ);
    return (mo_i8_rows){q, LDQ, scale, zero};
}

/* Numbers are half a step off at most, zero is not off at all, zeros follow up to a whole step. */
static void rows_are_quantized_by_their_span(void **state)
{
    (void)state;
    for (size_t k = 1; k <= MOST; k += k < 70 ? 1 : 23) {
        const float *x = random_rows(k, 1);
        uint8_t q[ROWS * LDQ];
        float scale[ROWS];
        int32_t zero[ROWS];
        const mo_i8_rows to = rows_in(q, scale, zero);
        mo_i8_plain()->quantize(&to, x, k + 3, ROWS, k);
        for (size_t r = 0; r < ROWS; r++) {
            const uint8_t *row = q + r * LDQ;
            for (size_t i = 0; i < k; i++)
                assert_near((double)scale[r] * (row[i] - zero[r]), x[r * (k + 3) + i],
                    1.001 * (double)scale[r]); /* half a step, and half where zero was rounded */
            for (size_t i = k; i < mo_round_up(k, MO_I8_STEP); i++) assert_int_equal(row[i], 0);
            assert_int_equal(row[mo_round_up(k, MO_I8_STEP)], 0x5a);
        }
        assert_int_equal(zero[1], 0);
        assert_int_equal(zero[2], 255);
    }
}

static void every_kernel_quantizes_alike(void **state)
{
    (void)state;
    for (size_t t = 1; t < n_kernels; t++)
        for (size_t k = 1; k <= MOST; k++) {
            const float *x = random_rows(k, 2);
            static uint8_t q[2][ROWS * LDQ];
            float scale[2][ROWS];
            int32_t zero[2][ROWS];
            for (size_t i = 0; i < 2; i++) {
                const mo_i8_rows to = rows_in(q[i], scale[i], zero[i]);
                kernels[i ? t : 0]->quantize(&to, x, k + 3, ROWS, k);
            }
            assert_memory_equal(q[0], q[1], sizeof *q);
            assert_memory_equal(scale[0], scale[1], sizeof *scale);
            assert_memory_equal(zero[0], zero[1], sizeof *zero);
        }
}

/* Zero where a row is next to nothing; NaN by its scale where it is no number, with zeros that do no harm. */
static void rows_that_have_no_span(void **state)
{
    (void)state;
    static const float odd[] = {0, 1e-35f, -9e-31f, NAN, -NAN, INFINITY, -INFINITY};
    for (size_t t = 0; t < n_kernels; t++)
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
            for (size_t k = 1; k < 70; k += 17) {
                float x[70], scale[ROWS];
                uint8_t q[ROWS * LDQ];
                int32_t zero[ROWS];
                for (size_t p = 0; p < k; p++) x[p] = i < 3 ? 0 : p % 2 ? 2 : -1;
                x[k / 2] = odd[i];
                const mo_i8_rows to = rows_in(q, scale, zero);
                kernels[t]->quantize(&to, x, k, 1, k);
                assert_true(i < 3 ? scale[0] == 0 : isnan(scale[0]));
                assert_int_equal(zero[0], 0);
                for (size_t p = 0; p < mo_round_up(k, MO_I8_STEP); p++) assert_int_equal(q[p], 0);
            }
}

/* The two ends of a row may round up together: 256 becomes 255. */
static void no_number_leaves_its_byte(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_kernels; t++)
        for (float below = 0; below < 2; below += 1.0f / 509) {
            float x[2] = {-below, 1}, scale[ROWS];
            uint8_t q[ROWS * LDQ];
            int32_t zero[ROWS];
            const mo_i8_rows to = rows_in(q, scale, zero);
            kernels[t]->quantize(&to, x, 2, 1, 2);
            assert_int_equal(q[0], 0);
            assert_true(q[1] >= 254);
            assert_near((double)scale[0] * (q[1] - zero[0]), 1, (double)scale[0]);
        }
}

enum { TALL = 32, WIDE = 32, QUADS = 48, LDA = QUADS * 4 + 64, LDC = 37, PANEL = QUADS * MO_I8_QUAD };

static uint8_t a[TALL * LDA];
static _Alignas(64) int8_t w[2 * PANEL];
static float a_scale[TALL], w_scale[WIDE], c[TALL * LDC], add[TALL * LDC], bias[WIDE];
static int32_t a_zero[TALL], w_sum[WIDE];

/* Pairs of weights keep to i8.h: of one sign they are 127 together at most. */
static void fill_tile(void)
{
    static float random[2 * PANEL];
    test_random(random, 2 * PANEL, 1);
    for (size_t i = 0; i < 2 * PANEL; i += 2) {
        w[i] = (int8_t)(random[i] * 127);
        const int most = 127 - abs(w[i]);
        w[i + 1] =
            (int8_t)((w[i] < 0) == (random[i + 1] < 0) ? random[i + 1] * (float)most : random[i + 1] * 127);
    }
    for (size_t i = 0; i < TALL * LDA; i++) a[i] = (uint8_t)((random[i % PANEL] + 1) * 127.9f);
    test_random(a_scale, TALL, 2);
    test_random(w_scale, WIDE, 3);
    test_random(add, TALL * LDC, 4);
    test_random(bias, WIDE, 5);
    for (size_t i = 0; i < TALL; i++) a_zero[i] = (int32_t)(i * 17 % 256);
}

static void sum_weights(size_t quads)
{
    memset(w_sum, 0, sizeof w_sum);
    for (size_t j = 0; j < 2; j++)
        for (size_t i = 0; i < quads * MO_I8_QUAD; i++)
            w_sum[16 * j + i % MO_I8_QUAD / 4] += w[j * PANEL + i];
}

/* Quads beyond t->quads are zeros, as far as a whole step. */
static void cut_quads(const mo_i8_tile *t)
{
    fill_tile();
    for (size_t p = t->quads; p < mo_round_up(t->quads, 16); p++)
        for (size_t j = 0; j < 2; j++) memset(w + j * PANEL + p * MO_I8_QUAD, 0, MO_I8_QUAD);
    sum_weights(t->quads);
}

/* One element as i8.h has it: an exact sum, then float, one step after the other. */
static float element(const mo_i8_tile *t, size_t i, size_t j)
{
    int64_t sum = -(int64_t)t->a_zero[i] * t->w_sum[j];
    for (size_t p = 0; p < 4 * t->quads; p++)
        sum += t->a[i * t->lda + p] * t->w[j / 16 * t->panel + p / 4 * MO_I8_QUAD + j % 16 * 4 + p % 4];
    float x = (float)(int32_t)sum * t->a_scale[i];
    x *= t->w_scale[j];
    if (t->add) x += t->add[i * t->ldadd + j];
    if (t->bias) x += t->bias[j];
    return !(t->top > 0) ? x : x < 0 ? 0 : x > t->top ? t->top : x;
}

static void check_tile(const mo_i8_kern *kern, mo_i8_tile *t)
{
    memset(c, 0x5a, sizeof c);
    t->c = c + 1;
    kern->tile(t);
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->n; j++) {
            const float want = element(t, i, j);
            if (memcmp(&want, t->c + i * LDC + j, sizeof want) != 0)
                fail_msg("%s, %zu x %zu, %zu quads: %.9g, not %.9g", kern->name, t->m, t->n, t->quads,
                    (double)t->c[i * LDC + j], (double)want);
        }
    for (size_t i = 0; i < TALL * LDC; i++) /* nothing else is written */
        if (i < 1 || i - 1 >= t->m * LDC || (i - 1) % LDC >= t->n)
            assert_int_equal(((unsigned char *)(c + i))[0], 0x5a);
}

static mo_i8_tile tile_of(size_t m, size_t n, size_t quads)
{
    return (mo_i8_tile){.m = m,
        .n = n,
        .quads = quads,
        .a = a,
        .lda = LDA,
        .w = w,
        .panel = PANEL,
        .a_scale = a_scale,
        .a_zero = a_zero,
        .w_scale = w_scale,
        .w_sum = w_sum,
        .ldc = LDC,
        .ldadd = LDC};
}

static void begin(const mo_i8_kern *kern)
{
    if (kern->begin) kern->begin(kern->half);
}

static void end(const mo_i8_kern *kern)
{
    if (kern->end) kern->end();
}

static void tiles_of_all_sizes_are_exact(void **state)
{
    (void)state;
    for (size_t k = 0; k < n_kernels; k++) {
        begin(kernels[k]);
        for (size_t m = 1; m <= kernels[k]->tile_rows; m++)
            for (size_t n = 1; n <= 16 * kernels[k]->tile_panels; n += n % 16 == 1 || n % 16 == 15 ? 1 : 7)
                for (size_t what = 0; what < 16; what++) {
                    mo_i8_tile t = tile_of(m, n, 1 + (m * 31 + n * 7 + what) % QUADS);
                    cut_quads(&t);
                    t.add = what & 1 ? add + 2 : NULL;
                    t.bias = what & 2 ? bias : NULL;
                    t.top = !(what & 4) ? 0 : n % 2 ? 6 : INFINITY;
                    t.next = what & 8 ? w : NULL;
                    t.next_every = 1 + n % 5;
                    check_tile(kernels[k], &t);
                }
        end(kernels[k]);
    }
}

static void tiles_add_to_what_is_there(void **state)
{
    (void)state;
    for (size_t k = 0; k < n_kernels; k++) {
        mo_i8_tile t = tile_of(kernels[k]->tile_rows, 11, 16);
        float want[TALL * LDC];
        cut_quads(&t);
        t.add = add;
        for (size_t i = 0; i < t.m; i++)
            for (size_t j = 0; j < t.n; j++) want[i * LDC + j] = element(&t, i, j);
        memcpy(c, add, sizeof c);
        t.add = t.c = c;
        begin(kernels[k]);
        kernels[k]->tile(&t);
        end(kernels[k]);
        for (size_t i = 0; i < t.m; i++) assert_memory_equal(c + i * LDC, want + i * LDC, t.n * sizeof *c);
    }
}

/* Pairs that are 127 together times the largest byte, of either sign and however they are shared out. */
static void the_largest_pairs_fit(void **state)
{
    (void)state;
    static const int8_t pairs[][2] = {{127, 0}, {0, -127}, {64, 63}, {-63, -64}, {127, -127}, {-127, 127}};
    for (size_t k = 0; k < n_kernels; k++) {
        begin(kernels[k]);
        for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++) {
            memset(a, 255, sizeof a);
            for (size_t i = 0; i < 2 * PANEL; i++) w[i] = pairs[p][i % 2];
            for (size_t i = 0; i < TALL; i++) a_zero[i] = 0, a_scale[i] = 1;
            for (size_t i = 0; i < WIDE; i++) w_scale[i] = 1;
            sum_weights(QUADS);
            mo_i8_tile t = tile_of(1, 16, QUADS);
            t.c = c;
            kernels[k]->tile(&t);
            const int sum = 2 * QUADS * 255 * (pairs[p][0] + pairs[p][1]);
            for (size_t j = 0; j < 16; j++) assert_true(c[j] == (float)sum);
        }
        end(kernels[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_its_kernel),
        cmocka_unit_test(scales_span_a_row),
        cmocka_unit_test(halves_round_to_even),
        cmocka_unit_test(rows_are_quantized_by_their_span),
        cmocka_unit_test(every_kernel_quantizes_alike),
        cmocka_unit_test(rows_that_have_no_span),
        cmocka_unit_test(no_number_leaves_its_byte),
        cmocka_unit_test(tiles_of_all_sizes_are_exact),
        cmocka_unit_test(tiles_add_to_what_is_there),
        cmocka_unit_test(the_largest_pairs_fit),
    };
    return cmocka_run_group_tests(tests, find_kernels, NULL);
}
